"""A phone that vanishes is noticed within ten seconds while its agent waits for calls; a lossy line is no such."""

import pytest

from callcenter.sip.exchange import Exchange
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.messages import SipRequest
from callcenter.sip.parser import parse
from callcenter.sip.phone_watch import MOST_A_SECOND
from callcenter.sip.settings import SipSettings
from callcenter.sip.wire import PhoneReachable
from tests.support.sip_wire import EXCHANGE, REALM, Network, exchange_on, phone_on, register

pytestmark = pytest.mark.unit

PHONE = ("10.0.2.1", 5062)
GONE, BACK = PhoneReachable("a1", reachable=False), PhoneReachable("a1", reachable=True)


def waiting(network: Network, expires: int = 3_600, settings: SipSettings | None = None) -> Exchange:
    """An exchange with a phone, whose agent waits for calls."""
    exchange = exchange_on(network, settings, anna="a1")
    register(network, PHONE, phone_on(network, PHONE, "anna"), "anna", expires)
    network.perform(EXCHANGE, exchange.expect_calls("a1", network.now, wanted=True))
    network.run(1_000)
    network.heard[EXCHANGE].clear()
    return exchange


def questions(network: Network) -> int:
    """How many different OPTIONS went out, whatever was sent again."""
    asked = (parse(data) for data in network.sent_by(EXCHANGE, "OPTIONS "))
    return len({each.cseq.number for each in asked if isinstance(each, SipRequest)})


def vanish(network: Network) -> None:
    network.drop = lambda _: True


def told(network: Network) -> list[object]:
    return [each for each in network.heard[EXCHANGE] if isinstance(each, PhoneReachable)]


@pytest.mark.parametrize("after_ms", range(0, 4_100, 250))
def test_a_phone_that_vanishes_is_gone_within_ten_seconds(after_ms: int) -> None:
    network = Network()
    exchange = waiting(network)
    network.run(after_ms)
    vanish(network)
    network.run(10_000)
    assert told(network) == [GONE]
    assert not exchange.reachable("a1", network.now)
    assert exchange.counters()["phones silent"] == 1


def test_it_is_back_after_two_answers_and_told_once_each() -> None:
    network = Network()
    exchange = waiting(network)
    vanish(network)
    network.run(30_000)
    network.drop = lambda _: False
    answered = len(network.sent_by(PHONE, "SIP/2.0 200"))
    while len(network.sent_by(PHONE, "SIP/2.0 200")) == answered:
        network.run(20)
    network.run(500)
    assert not exchange.reachable("a1", network.now), "one answer may be an old one"
    network.run(2_000)
    assert told(network) == [GONE, BACK]
    assert exchange.reachable("a1", network.now)


def test_a_phone_that_registers_lives() -> None:
    network = Network()
    exchange = waiting(network)
    network.drop = lambda data: b"OPTIONS" in data
    network.run(10_000)
    assert told(network) == [GONE]
    phone = network._stations[PHONE]
    register(network, PHONE, phone, "anna")  # type: ignore[arg-type]
    assert told(network) == [GONE, BACK]
    assert exchange.reachable("a1", network.now)


def test_one_datagram_in_five_may_be_lost_for_an_hour() -> None:
    network = Network(seed=7, loss=0.0)
    waiting(network, expires=3_600)
    network._loss = 0.2
    network.run(3_500_000)
    assert told(network) == []
    assert questions(network) > 800


def test_nobody_is_asked_who_waits_for_no_call() -> None:
    network = Network()
    exchange = waiting(network)
    network.perform(EXCHANGE, exchange.expect_calls("a1", network.now, wanted=False))
    network.run(4_000)
    before = questions(network)
    vanish(network)
    network.run(60_000)
    assert (questions(network), told(network), exchange.counters()["watched phones"]) == (before, [], 0)
    network.perform(EXCHANGE, exchange.expect_calls("a1", network.now, wanted=True))
    network.run(8_000)
    assert told(network) == [GONE], "it answered before, so its silence counts at once"


def test_a_phone_that_never_answered_is_not_judged() -> None:
    network = Network()
    network.drop = lambda data: b"OPTIONS" in data
    exchange = waiting(network)
    network.run(60_000)
    assert told(network) == []
    assert exchange.reachable("a1", network.now)


def test_registration_that_ends_ends_the_watch_and_zero_asks_nobody() -> None:
    network = Network()
    exchange = waiting(network, expires=60)
    vanish(network)
    network.run(120_000)
    assert told(network) == [GONE], "once, though it also ran out"
    assert exchange.counters()["watched phones"] == 0
    quiet = Network()
    waiting(quiet, settings=SipSettings(host=EXCHANGE[0], port=EXCHANGE[1], realm=REALM, watch_phones_ms=0))
    quiet.run(30_000)
    assert questions(quiet) == 0


def test_a_phone_on_a_connection_is_not_asked_and_one_behind_a_proxy_is_by_its_path() -> None:
    network = Network()
    exchange = exchange_on(network, anna="a1", ben="b1")
    path = "Path: <sip:10.0.9.1;lr>\r\n"
    for name, flow, more in (
        ("anna", Flow(Transport.UDP, PHONE), path),
        ("ben", Flow(Transport.TCP, ("10.0.9.2", 5060), 1), ""),
    ):
        message = parse(
            f"REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.9.1;branch=z9hG4bK{name}\r\n"
            f"From: <sip:{name}@h>;tag=f\r\nTo: <sip:{name}@h>\r\nCall-ID: {name}\r\nCSeq: 1 REGISTER\r\n"
            f"Contact: <sip:{name}@192.168.1.2>\r\n{more}Content-Length: 0\r\n\r\n".encode()
        )
        assert isinstance(message, SipRequest)
        exchange._phones.registrar.register(name, message, flow, network.now)
        exchange._phones._follow(name, f"{name[0]}1")
        network.perform(EXCHANGE, exchange.expect_calls(f"{name[0]}1", network.now, wanted=True))
    network.run(2_300)
    asked = [parse(data) for data in network.sent_by(EXCHANGE, "OPTIONS ")]
    assert {each.uri_text for each in asked if isinstance(each, SipRequest)} == {"sip:anna@192.168.1.2"}
    assert {tuple(each.values("route")) for each in asked} == {("<sip:10.0.9.1;lr>",)}


def test_a_large_floor_is_asked_less_often() -> None:
    names = {f"u{number}": f"agent{number}" for number in range(900)}
    network = Network()
    exchange = exchange_on(network, **names)
    for number, (name, agent_id) in enumerate(names.items()):
        message = parse(
            f"REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.9.1;branch=z9hG4bK{name}\r\n"
            f"From: <sip:{name}@h>;tag=f\r\nTo: <sip:{name}@h>\r\nCall-ID: {name}\r\nCSeq: 1 REGISTER\r\n"
            f"Contact: <sip:{name}@192.168.1.2>\r\nContent-Length: 0\r\n\r\n".encode()
        )
        assert isinstance(message, SipRequest)
        flow = Flow(Transport.UDP, ("10.0.3.1", 6_000 + number))
        exchange._phones.registrar.register(name, message, flow, network.now)
        exchange._phones._follow(name, agent_id)
        network.perform(EXCHANGE, exchange.expect_calls(agent_id, network.now, wanted=True))
    network.run(6_000)
    first = exchange.wire.counts["out OPTIONS"]
    network.run(12_000)
    assert exchange.wire.counts["out OPTIONS"] - first <= 12 * MOST_A_SECOND + 300
