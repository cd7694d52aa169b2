"""What strangers can do, and what too much work does."""

import pytest

from callcenter.calls.legs import LegOffered
from callcenter.sip.admission import Admission, AdmissionLimits, Load, retry_after
from callcenter.sip.defence import Defence, DefenceLimits
from callcenter.sip.digest import answer_challenge
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.parser import parse
from callcenter.sip.settings import SipSettings
from tests.support.sip_wire import CARRIER, EXCHANGE, REALM, Network, exchange_on, phone_on, register

pytestmark = pytest.mark.unit

PHONE, STRANGER = ("10.0.2.1", 5062), ("10.0.2.1", 5099)
"""Two ports of one address, as behind one NAT."""
LIMITS = DefenceLimits(rate=10, burst=5, ban_seconds=60, sources=100)


def message(method: str, n: int, *lines: str, source=STRANGER, via: str = "") -> bytes:
    head = [
        f"{method} sip:anna@10.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP {source[0]}:{source[1]};branch=z9hG4bKx{n};rport",
        *([f"Via: {via}"] if via else []),
        "From: <sip:anna@10.0.0.1>;tag=1",
        "To: <sip:anna@10.0.0.1>",
        f"Call-ID: d{n}",
        f"CSeq: {n} {method}",
        "Contact: <sip:anna@10.0.2.1:5099>",
        *lines,
        "Content-Length: 0",
    ]
    return ("\r\n".join(head) + "\r\n\r\n").encode()


def house(network: Network, **more):
    return exchange_on(network, SipSettings(host=EXCHANGE[0], port=EXCHANGE[1], realm=REALM, **more), anna="a1")


def answers(network: Network, to) -> int:
    return len([1 for _, destination, _ in network.carried if destination == to])


def test_a_stranger_who_sends_too_much_is_dropped_unread_and_heard_again_later():
    defence = Defence(LIMITS)
    assert [defence.admits("a", b"", 0) for _ in range(7)] == [""] * 5 + ["rate"] * 2
    assert defence.admits("b", b"", 0) == ""
    assert defence.admits("a", b"", 100) == ""
    assert defence.admits("a", b"", 100) == "rate"


def test_bans_grow_expire_and_are_forgiven():
    defence = Defence(LIMITS)
    defence.ban("a", 0)
    assert (defence.admits("a", b"", 59_999), defence.admits("a", b"", 60_000)) == ("banned", "")
    defence.ban("a", 60_000)
    assert defence.admits("a", b"", 179_999) == "banned"
    later = 180_000 + 7 * 3_600_000
    defence.ban("a", later)
    assert defence.admits("a", b"", later + 60_000) == ""


def test_memory_for_sources_is_bounded():
    defence = Defence(LIMITS)
    for n in range(1_000):
        defence.admits(str(n), b"", n)
    assert len(defence) == 100


def test_scanners_get_no_answer():
    network = Network()
    house(network)
    network.inject(STRANGER, EXCHANGE, message("OPTIONS", 1, "User-Agent: friendly-scanner"))
    network.inject(STRANGER, EXCHANGE, message("OPTIONS", 2, "User-Agent: a phone"))
    network.run(100)
    assert answers(network, STRANGER) == 1


def test_a_flood_from_a_forged_address_does_not_touch_the_phone_registered_there():
    network = Network()
    exchange = house(network, defence=DefenceLimits(rate=0.001, burst=5))
    phone = phone_on(network, PHONE, "anna")
    register(network, PHONE, phone, "anna", 3_600)
    for n in range(200):
        network.inject(STRANGER, EXCHANGE, message("OPTIONS", n))
    network.run(100)
    assert exchange.counters()["dropped rate"] >= 190
    before = answers(network, PHONE)
    network.inject(PHONE, EXCHANGE, message("OPTIONS", 999, source=PHONE))
    network.run(100)
    assert answers(network, PHONE) == before + 1


def guess(network: Network, n: int, password: str) -> None:
    """One wrong password, for a nonce that was received."""
    network.inject(STRANGER, EXCHANGE, message("REGISTER", 2 * n))
    network.run(50)
    challenge = parse(network.sent_by(EXCHANGE, "SIP/2.0 401")[-1]).values("www-authenticate")
    value = answer_challenge(
        challenge, method="REGISTER", uri="sip:anna@10.0.0.1", username="anna", password=password, cnonce=str(n)
    )
    network.inject(STRANGER, EXCHANGE, message("REGISTER", 2 * n + 1, f"Authorization: {value}"))
    network.run(50)


def test_guessing_passwords_bans_the_guesser_and_not_the_phone_beside_it():
    network = Network()
    exchange = house(network)
    phone = phone_on(network, PHONE, "anna")
    register(network, PHONE, phone, "anna", 3_600)
    for n in range(25):
        guess(network, 100 + n, "wrong")
    assert exchange.counters()["bans"] >= 1
    before = answers(network, STRANGER)
    network.inject(STRANGER, EXCHANGE, message("OPTIONS", 9_000))
    network.run(50)
    assert answers(network, STRANGER) == before
    assert register(network, PHONE, phone, "anna", 3_600).response.status == 200


def test_wrong_passwords_for_nonces_nobody_sent_ban_nobody():
    """A forged source never sees a nonce; what it makes up must not be held against the address."""
    network = Network()
    exchange = house(network)
    made_up = (
        'Digest username="anna", realm="callcenter", nonce="bm9uY2U", uri="sip:a", response="0", algorithm=MD5, '
        'qop=auth, nc=00000001, cnonce="c"'
    )
    for n in range(100):
        network.inject(STRANGER, EXCHANGE, message("REGISTER", n, f"Authorization: {made_up}"))
        network.run(20)
    assert "bans" not in exchange.counters()


def test_no_answer_to_a_stranger_is_three_times_what_was_asked():
    network = Network()
    house(network)
    shortest = (
        b"REGISTER sip:a SIP/2.0\r\nv:SIP/2.0/UDP 10.0.2.1:5099;branch=z9hG4bK1\r\nf:<sip:a@a>;tag=1\r\n"
        b"t:<sip:a@a>\r\ni:1\r\nCSeq:1 REGISTER\r\n\r\n"
    )
    for data in (shortest, message("REGISTER", 1), message("INVITE", 2), message("OPTIONS", 3), message("FOO", 4)):
        before = len(network.sent_by(EXCHANGE))
        network.inject(STRANGER, EXCHANGE, data)
        network.run(50)
        assert sum(len(one) for one in network.sent_by(EXCHANGE)[before:]) < 4 * len(data)


def test_a_request_that_comes_around_is_refused():
    network = Network()
    exchange = house(network)
    own = exchange.wire.via(Flow(Transport.UDP, CARRIER))
    for n, via in (
        (1, own),
        (2, own.replace("branch=z9hG4bK", "branch=z9hG4bK0")),
        (3, "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKother"),
    ):
        network.inject(CARRIER, EXCHANGE, message("INVITE", n, source=CARRIER, via=via))
        network.run(150)
    assert [int(data[8:11]) for data in network.sent_by(EXCHANGE)] == [482, 100, 100]


def test_a_branch_of_octets_that_are_no_text_is_like_any_other() -> None:
    network = Network()
    house(network)
    strange = message("INVITE", 1, source=CARRIER, via="SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1.X")
    network.inject(CARRIER, EXCHANGE, strange.replace(b"z9hG4bK1.X", b"z9hG4bK1.\xe9"))
    network.run(150)
    assert [int(data[8:11]) for data in network.sent_by(EXCHANGE)] == [100]


# Overload.


@pytest.mark.parametrize(
    ("high", "middle", "low"),
    [
        (Load(lag_ms=120), Load(lag_ms=80), Load(lag_ms=20)),
        (Load(legs=10), Load(legs=8), Load(legs=5)),
        (Load(queue_depth=50), Load(queue_depth=40), Load(queue_depth=10)),
    ],
)
def test_overload_begins_at_the_limit_and_ends_well_below_it(high, middle, low):
    admission = Admission(AdmissionLimits(lag_ms=100, legs=10, queue_depth=50))
    assert [admission.judge(load) for load in (middle, high, middle, low, middle)] == [True, False, False, True, True]


def test_an_overloaded_exchange_sheds_new_calls_and_serves_the_ones_it_has():
    network = Network()
    exchange = house(network)
    network.inject(CARRIER, EXCHANGE, message("INVITE", 1, source=CARRIER))
    network.run(50)
    leg_id = network.events(EXCHANGE)[0].leg_id
    network.perform(EXCHANGE, exchange.answer(leg_id, "v=0\r\n", network.now))
    network.run(50)
    tag = parse(network.sent_by(EXCHANGE, "SIP/2.0 200")[0]).to.tag
    exchange.door.load = lambda: Load(lag_ms=500)
    seconds = set()
    for n in range(2, 22):
        network.inject(CARRIER, EXCHANGE, message("INVITE", n, source=CARRIER))
        network.run(50)
        seconds.add(int(parse(network.sent_by(EXCHANGE, "SIP/2.0 503")[-1]).get("retry-after")))
    assert len(seconds) > 5
    assert min(seconds) >= 5
    assert max(seconds) <= 30
    assert len(exchange) == 1
    bye = message("BYE", 50, source=CARRIER).replace(
        b"To: <sip:anna@10.0.0.1>", b"To: <sip:anna@10.0.0.1>;tag=" + tag.encode()
    )
    network.inject(CARRIER, EXCHANGE, bye.replace(b"Call-ID: d50", b"Call-ID: d1"))
    network.run(50)
    assert not exchange._legs.all()
    exchange.door.load = Load
    network.inject(CARRIER, EXCHANGE, message("INVITE", 99, source=CARRIER))
    network.run(50)
    assert isinstance(network.events(EXCHANGE)[-1], LegOffered)


def test_those_who_are_refused_are_not_told_to_come_back_together():
    assert {retry_after(f"{n:08x}") for n in range(100)} == set(range(5, 31))
