import pytest

from agent_console.errors import NotSignedIn
from agent_console.sessions import HOUR, REVOKED_PER_USER, Sessions
from tests.support.fake_desk import NOON

pytestmark = pytest.mark.unit

KEY = b"a" * 32
OTHER_KEY = b"b" * 32


def test_a_token_opens_its_session_in_another_process_with_the_same_key() -> None:
    token = Sessions([KEY]).open("u1", now=NOON)
    session = Sessions([KEY]).read(token, now=NOON + HOUR)
    assert (session.user_id, session.issued_at) == ("u1", NOON)


def test_short_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sessions([b"short"])


def test_every_altered_character_of_a_token_is_noticed() -> None:
    sessions = Sessions([KEY])
    token = sessions.open("u1", now=NOON)
    for place, letter in enumerate(token[:-1]):  # the last one carries two unused bits
        forged = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        with pytest.raises(NotSignedIn):
            sessions.read(forged, now=NOON)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "x" * 5000])
def test_nonsense_is_not_a_session(token: str) -> None:
    with pytest.raises(NotSignedIn):
        Sessions([KEY]).read(token, now=NOON)


def test_a_token_of_another_key_is_refused() -> None:
    with pytest.raises(NotSignedIn):
        Sessions([KEY]).read(Sessions([OTHER_KEY]).open("u1", now=NOON), now=NOON)


def test_a_retired_key_still_opens_but_no_longer_signs() -> None:
    old = Sessions([OTHER_KEY]).open("u1", now=NOON)
    both = Sessions([KEY, OTHER_KEY])
    assert both.read(old, now=NOON).user_id == "u1"
    Sessions([KEY]).read(both.open("u1", now=NOON), now=NOON)


def test_sessions_end_with_their_lifetime_however_busy() -> None:
    sessions = Sessions([KEY], lifetime_ms=10 * HOUR, idle_ms=2 * HOUR)
    token = sessions.open("u1", now=NOON)
    for hour in range(1, 10):
        session = sessions.read(token, now=NOON + hour * HOUR)
        token = sessions.renewed(session, now=NOON + hour * HOUR) or token
    with pytest.raises(NotSignedIn):
        sessions.read(token, now=NOON + 10 * HOUR)


def test_idle_sessions_end_early_and_renewal_prevents_it() -> None:
    sessions = Sessions([KEY], idle_ms=2 * HOUR)
    token = sessions.open("u1", now=NOON)
    session = sessions.read(token, now=NOON + HOUR)
    fresh = sessions.renewed(session, now=NOON + HOUR)
    assert fresh is not None
    with pytest.raises(NotSignedIn):
        sessions.read(token, now=NOON + 2 * HOUR)
    again = sessions.read(fresh, now=NOON + 2 * HOUR)
    assert again.session_id == session.session_id


def test_a_young_token_is_not_renewed_at_every_request() -> None:
    sessions = Sessions([KEY])
    session = sessions.read(sessions.open("u1", now=NOON), now=NOON)
    assert sessions.renewed(session, now=NOON + 60_000) is None


def test_a_token_from_the_far_future_is_refused() -> None:
    sessions = Sessions([KEY])
    with pytest.raises(NotSignedIn):
        sessions.read(sessions.open("u1", now=NOON + HOUR), now=NOON)


def test_signing_out_ends_this_session_and_its_renewals_but_no_other() -> None:
    sessions = Sessions([KEY])
    mine, other = sessions.open("u1", now=NOON), sessions.open("u1", now=NOON)
    session = sessions.read(mine, now=NOON)
    fresh = sessions.renewed(session, now=NOON + HOUR)
    sessions.revoke(session, now=NOON + HOUR)
    for ended in (mine, fresh):
        assert ended is not None
        with pytest.raises(NotSignedIn):
            sessions.read(ended, now=NOON + HOUR)
    assert sessions.read(other, now=NOON + HOUR).user_id == "u1"


def test_many_revocations_become_one_floor_and_signing_in_again_works_at_the_same_instant() -> None:
    sessions = Sessions([KEY])
    tokens = [sessions.open("u1", now=NOON) for _ in range(REVOKED_PER_USER + 2)]
    for token in tokens[:-1]:
        sessions.revoke(sessions.read(token, now=NOON), now=NOON)
    for token in tokens:
        with pytest.raises(NotSignedIn):
            sessions.read(token, now=NOON)
    assert sessions.read(sessions.open("u1", now=NOON), now=NOON).user_id == "u1"
    assert sessions.read(sessions.open("u2", now=NOON), now=NOON).user_id == "u2"


def test_revocations_are_forgotten_once_the_tokens_have_expired_anyway() -> None:
    sessions = Sessions([KEY], lifetime_ms=HOUR, idle_ms=HOUR)
    sessions.revoke(sessions.read(sessions.open("u1", now=NOON), now=NOON), now=NOON)
    sessions.revoke_user("u2", now=NOON)
    later = NOON + 3 * HOUR
    sessions.revoke(sessions.read(sessions.open("u3", now=later), now=later), now=later)
    assert set(sessions._revoked) == {"u3"}
    assert sessions._floors == {}
