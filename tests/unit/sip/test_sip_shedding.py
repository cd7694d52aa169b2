"""A 503 at the least cost is the 503 that the long way gives, and goes only to calls that are new."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.calls.legs import LegOffered
from callcenter.sip.admission import Load
from callcenter.sip.flows import Flow, Transmit, Transport
from callcenter.sip.measuring import INVITE, SDP
from callcenter.sip.numbering import NumberingRules, OutboundPlan
from callcenter.sip.parser import parse
from callcenter.sip.shedding import SHED_TAG, is_ack_of_shed, shed
from callcenter.sip.standing_delay import MOMENTS, ServiceTime, StandingDelay
from tests.support.sip_wire import CARRIER, EXCHANGE, Network, exchange_on

pytestmark = pytest.mark.unit

FLOW = Flow(Transport.UDP, ("192.0.2.7", 5060))


def invite(n: int = 1, source=CARRIER, number: str = "5000") -> bytes:
    text = INVITE.format(n=n, length=len(SDP), sdp=SDP).replace("192.0.2.7:5060", f"{source[0]}:{source[1]}")
    return text.replace("sip:5000@", f"sip:{number}@", 1).encode()


def overloaded(network: Network, rules: NumberingRules | None = None):
    exchange = exchange_on(network, rules=rules)
    exchange.door.load = lambda: Load(lag_ms=500)
    network.inject(CARRIER, EXCHANGE, invite(99))  # the first one is read, and tells that there is no room
    network.run(50)
    return exchange


def test_the_short_way_says_what_the_long_way_says():
    network = Network()
    exchange = overloaded(network)
    network.inject(CARRIER, EXCHANGE, invite(7))
    network.run(50)
    long, short = (parse(data) for data in network.sent_by(EXCHANGE, "SIP/2.0 503"))
    assert short.to.tag.startswith(SHED_TAG)
    assert not long.to.tag.startswith(SHED_TAG)
    for name in ("via", "from", "cseq", "call-id"):
        ours = [value.replace(f"{99:016}", f"{7:016}").replace(f"{99:024}", f"{7:024}") for value in long.values(name)]
        assert [value.replace(f"{99:012}", f"{7:012}").replace(f"{99:08}", f"{7:08}") for value in ours] == [
            *short.values(name)
        ]
    assert 5 <= int(short.get("retry-after") or 0) <= 30
    assert exchange.counters()["out 503"] == 2
    assert exchange.counters()["in INVITE"] == 2
    assert len(exchange) == 0


def test_a_call_that_was_accepted_is_not_shed_by_its_repetition():
    network = Network()
    exchange = exchange_on(network)
    network.inject(CARRIER, EXCHANGE, invite(1))
    network.run(150)
    exchange.door.load = lambda: Load(lag_ms=500)
    network.inject(CARRIER, EXCHANGE, invite(2))
    network.run(50)
    network.inject(CARRIER, EXCHANGE, invite(1))
    network.run(50)
    assert [data[8:11] for data in network.sent_by(EXCHANGE)] == [b"100", b"503", b"100"]
    assert len(exchange) == 1


def test_an_offer_inside_a_call_is_served_and_an_emergency_call_is_let_in():
    network = Network()
    exchange = overloaded(network, NumberingRules(OutboundPlan(region="US")))
    network.inject(CARRIER, EXCHANGE, invite(3, number="911"))
    network.run(50)
    assert [event.called.number for event in network.events(EXCHANGE) if isinstance(event, LegOffered)] == ["911"]
    again = invite(4).replace(b"To: <sip:5000@pbx.example.com>", b"To: <sip:5000@pbx.example.com>;tag=x")
    network.inject(CARRIER, EXCHANGE, again)
    network.run(50)
    assert network.sent_by(EXCHANGE)[-1].startswith(b"SIP/2.0 481")
    assert len(exchange) == 1


def test_the_ack_of_a_shed_call_is_dropped_unread():
    network = Network()
    exchange = overloaded(network)
    network.inject(CARRIER, EXCHANGE, invite(5))
    network.run(50)
    refusal = parse(network.sent_by(EXCHANGE)[-1])
    ack = invite(5).replace(b"INVITE sip", b"ACK sip").replace(b"102 INVITE", b"102 ACK")
    ack = ack.replace(b"pbx.example.com>", f"pbx.example.com>;tag={refusal.to.tag}".encode())
    assert is_ack_of_shed(ack)
    network.inject(CARRIER, EXCHANGE, ack)
    network.run(50)
    assert "in ACK" not in exchange.counters()


def test_when_the_load_goes_calls_are_let_in_again():
    network = Network()
    exchange = overloaded(network)
    exchange.door.load = Load
    network.inject(CARRIER, EXCHANGE, invite(6))
    network.run(50)
    assert isinstance(network.events(EXCHANGE)[-1], LegOffered)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b";branch=z9hG4bK", b";branch="),
        (b"CSeq: 102 INVITE", b"CSeq: 102 BYE"),
        (b"Max-Forwards: 69", b"Via: SIP/2.0/UDP a, SIP/2.0/UDP b"),
        (b"Max-Forwards: 69", b"CSeq: 102 INVITE"),
        (b"Max-Forwards: 69\r\n", b"Subject: a\r\n b\r\n"),
        (b"Via: SIP/2.0/UDP", b"Via: FTP/2.0/UDP"),
        (b"To: ", b"Too: "),
        (b"\r\n\r\n", b"\r\n"),
        (b"pbx.example.com>", b"pbx.example.com>;TAG=x"),
    ],
)
def test_what_is_not_plain_goes_the_long_way(old, new):
    data = invite()
    assert shed(data, FLOW, "0", 5) is not None
    assert shed(data.replace(old, new, 1), FLOW, "0", 5) is None


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_whatever_comes_a_shed_answer_is_smaller_than_its_request_and_can_be_read(data):
    octets = bytearray(invite())
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, 700))
        octets[at : at + data.draw(st.integers(0, 12))] = data.draw(st.binary(max_size=12))
    answer = shed(bytes(octets), FLOW, "0", 5)
    if answer is not None:
        assert len(answer[0]) < len(octets) + 120
        assert answer[0].count(b"\r\n\r\n") == 1
        assert answer[0].startswith(b"SIP/2.0 503 ")


def test_one_late_moment_is_no_queue():
    delay = StandingDelay()
    assert [delay.take(5.0) for _ in range(MOMENTS - 1)] == [0.0] * (MOMENTS - 1)
    assert delay.take(900.0) == 5.0
    assert [delay.take(300.0) for _ in range(MOMENTS)][-1] == 300.0
    assert delay.take(1.0) == 1.0


def test_the_cost_of_a_message_follows_what_was_measured():
    service = ServiceTime()
    for _ in range(500):
        service.took(2.0)
    assert service.milliseconds == pytest.approx(2.0, rel=0.01)


async def test_the_kernel_tells_what_waits_in_a_socket():
    import socket

    from tests.support.sip_agent import live_agent

    async with live_agent() as live:
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sockets = live.agent._station._sockets
        assert sockets.messages_waiting() == 0
        for n in range(50):  # nothing is read before we give the loop back
            sender.sendto(invite(n), ("127.0.0.1", live.agent.port))
        assert sockets.messages_waiting() >= 25
        sender.close()


def test_transmit_is_all_that_shedding_says():
    network = Network()
    exchange = overloaded(network)
    assert [type(one) for one in exchange.receive(invite(8), Flow(Transport.UDP, CARRIER), network.now)] == [Transmit]
