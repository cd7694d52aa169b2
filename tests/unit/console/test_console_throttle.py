import pytest

from agent_console.throttle import FORGET_AFTER_MS, FREE_ATTEMPTS, LONGEST_DELAY_MS, MessageRate, SignInThrottle
from tests.support.fake_desk import NOON

pytestmark = pytest.mark.unit


def fail(throttle: SignInThrottle, times: int, *, address: str = "192.0.2.1", login: str = "anna") -> int:
    """Guess wrong again and again, waiting as told; the instant at the end."""
    now = NOON
    for _ in range(times):
        while wait := throttle.admit(login, address, now=now):
            now += wait
    return now


def test_a_few_mistakes_cost_nothing_then_the_delay_doubles_to_its_limit() -> None:
    throttle = SignInThrottle()
    now = fail(throttle, FREE_ATTEMPTS)
    delays = []
    for _ in range(9):
        delays.append(throttle.admit("anna", "192.0.2.1", now=now))
        now += delays[-1]
        assert throttle.admit("anna", "192.0.2.1", now=now) == 0
    assert delays == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, *[LONGEST_DELAY_MS] * 3]


def test_asking_again_during_the_delay_does_not_prolong_it() -> None:
    throttle = SignInThrottle()
    now = fail(throttle, FREE_ATTEMPTS)
    assert [throttle.admit("anna", "192.0.2.1", now=now + at) for at in (0, 400, 999)] == [1_000, 600, 1]


def test_the_owner_of_the_login_is_not_delayed_elsewhere() -> None:
    throttle = SignInThrottle()
    now = fail(throttle, 10)
    assert throttle.admit("anna", "192.0.2.2", now=now) == 0


def test_spellings_of_a_login_and_addresses_of_one_ipv6_network_are_one_key() -> None:
    throttle = SignInThrottle()
    now = fail(throttle, FREE_ATTEMPTS, address="2001:db8::1")
    assert throttle.admit(" ANNA ", "2001:db8::ffff", now=now) > 0
    assert throttle.admit("anna", "2001:db8:0:1::1", now=now) == 0
    fail(throttle, FREE_ATTEMPTS, address="::ffff:192.0.2.9")
    assert throttle.admit("anna", "192.0.2.9", now=now) > 0


def test_success_and_time_forget_the_attempts() -> None:
    throttle = SignInThrottle()
    now = fail(throttle, 10)
    throttle.succeeded("anna", "192.0.2.1")
    assert throttle.admit("anna", "192.0.2.1", now=now) == 0
    throttle = SignInThrottle()
    now = fail(throttle, 10)
    later = now + FORGET_AFTER_MS
    assert [throttle.admit("anna", "192.0.2.1", now=later) for _ in range(FREE_ATTEMPTS)] == [0] * FREE_ATTEMPTS


def test_the_table_is_bounded_and_the_entry_not_touched_longest_goes() -> None:
    throttle = SignInThrottle(entries=3)
    fail(throttle, FREE_ATTEMPTS, login="anna")
    for login in ("b", "c", "d"):
        throttle.admit(login, "192.0.2.1", now=NOON)
    assert len(throttle) == 3
    assert throttle.admit("anna", "192.0.2.1", now=NOON) == 0


def test_messages_pass_in_a_burst_and_then_at_the_rate() -> None:
    rate = MessageRate(burst=3, per_second=2, now=NOON)
    assert [rate.admit(now=NOON) for _ in range(4)] == [True, True, True, False]
    assert [rate.admit(now=NOON + 1_000) for _ in range(3)] == [True, True, False]
    assert not rate.admit(now=NOON)
