"""Two endpoints and a bad network: what SIP's retransmissions are for."""

import pytest

from callcenter.calls.legs import (
    EndCause,
    LegAnswered,
    LegDigit,
    LegEnded,
    LegOffered,
    LegRefused,
    LegReoffered,
    LegRinging,
    Party,
)
from callcenter.ports import PhoneTarget
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.outbound import Target
from callcenter.sip.wire import EndpointOutcome
from tests.support.sip_wire import CARRIER, EXCHANGE, Network, exchange_on, phone_on, register

pytestmark = pytest.mark.unit

SDP = "v=0\r\no=- 1 1 IN IP4 10.0.1.1\r\ns=-\r\nc=IN IP4 10.0.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
PHONE = ("10.0.2.1", 5062)
SECOND = ("10.0.2.2", 5062)
FLOW = Flow(Transport.UDP, EXCHANGE)


def call(network: Network, carrier, leg_id: str = "c1", number: str = "5000") -> None:
    network.perform(
        CARRIER,
        carrier.invite(
            leg_id,
            [Target(f"sip:{number}@{EXCHANGE[0]}", FLOW)],
            from_='"Zoë" <sip:+4930123@10.0.1.1>',
            to=f"<sip:{number}@{EXCHANGE[0]}>",
            sdp=SDP,
            now=network.now,
        ),
    )


def kinds(network: Network, address) -> list[type]:
    return [type(event) for event in network.events(address)]


def answering(network: Network, exchange):
    def react(outcome: EndpointOutcome) -> None:
        if isinstance(outcome, LegOffered):
            network.perform(EXCHANGE, exchange.ring(outcome.leg_id, network.now))
            network.perform(EXCHANGE, exchange.answer(outcome.leg_id, SDP, network.now))

    network.reactions[EXCHANGE] = react


@pytest.mark.parametrize("seed", range(12))
def test_calls_are_set_up_and_torn_down_when_one_packet_in_five_is_lost(seed):
    network = Network(seed, loss=0.2, delay=(5, 200))
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "carrier")
    answering(network, exchange)
    calls = [f"c{n}" for n in range(20)]
    for leg_id in calls:
        call(network, carrier, leg_id)
        network.run(50)
    network.run(40_000)
    answered = {e.leg_id for e in network.events(CARRIER) if isinstance(e, LegAnswered)}
    assert answered == set(calls)
    assert len([e for e in network.events(EXCHANGE) if isinstance(e, LegOffered)]) == len(calls)
    for leg_id in calls:
        network.perform(CARRIER, carrier.end(leg_id, EndCause.NORMAL, network.now))
    network.run(100_000)
    ended = [e for e in network.events(EXCHANGE) if isinstance(e, LegEnded)]
    assert len(ended) == len(calls)
    assert {e.cause for e in ended} == {EndCause.NORMAL}
    for endpoint in (exchange, carrier):
        assert len(endpoint) == 0
        assert len(endpoint.wire.transactions) == 0
        assert len(endpoint.wire.alarms) == 0


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("seed", range(4))
def test_one_invite_stays_one_call_on_a_network_that_loses_doubles_and_reorders(seed, loss):
    network = Network(1_000 * seed + int(100 * loss), loss=loss, twice=loss, delay=(5, 900))
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "carrier")
    answering(network, exchange)
    calls = [f"c{n}" for n in range(20)]
    for leg_id in calls:
        call(network, carrier, leg_id)
        network.run(50)
    network.run(64 * 500)
    offered = [event for event in network.events(EXCHANGE) if isinstance(event, LegOffered)]
    assert len({event.sip_call_id for event in offered}) == len(offered)  # no call twice
    answered = [event.leg_id for event in network.events(CARRIER) if isinstance(event, LegAnswered)]
    assert len(set(answered)) == len(answered)
    assert len(answered) >= len(calls) * (0.9 if loss >= 0.3 else 1)  # seven tries each; lost at 30 %: one in 5,000
    for leg_id in answered:
        network.perform(CARRIER, carrier.end(leg_id, EndCause.NORMAL, network.now))
    network.run(4 * 64 * 500)
    ended = [event.leg_id for event in network.events(EXCHANGE) if isinstance(event, LegEnded)]
    assert sorted(ended) == sorted(event.leg_id for event in offered)
    for endpoint in (exchange, carrier):
        assert len(endpoint) == 0
        assert len(endpoint.wire.transactions) == 0
        assert len(endpoint.wire.alarms) == 0


def test_an_ack_that_never_comes_ends_the_call_after_64_t1():
    network = Network()
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "carrier")
    answering(network, exchange)
    network.drop = lambda data: data.startswith(b"ACK ")
    call(network, carrier)
    network.run(31_000)
    assert LegEnded not in kinds(network, EXCHANGE)
    network.run(2_000)
    assert network.events(EXCHANGE)[-1] == LegEnded(network.events(EXCHANGE)[0].leg_id, EndCause.TIMEOUT)
    assert network.sent_by(EXCHANGE, "BYE ")
    repeats = [d for d in network.sent_by(EXCHANGE, "SIP/2.0 200") if b"CSeq: 1 INVITE" in d]
    assert len(repeats) == 11  # 0, .5, 1.5, 3.5, 7.5, then every 4 s up to 31.5 s


def test_the_caller_gives_up_while_it_rings():
    network = Network()
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "carrier")
    call(network, carrier)
    network.run(100)
    network.perform(CARRIER, carrier.end("c1", EndCause.NORMAL, network.now))
    network.run(1_000)
    assert network.events(EXCHANGE)[-1].cause is EndCause.CANCELLED
    assert network.events(CARRIER) == [LegRefused("c1", 487, "Request Terminated")]
    assert network.sent_by(EXCHANGE, "SIP/2.0 487")
    assert len(exchange) == 0


def test_cancel_is_held_back_until_a_provisional_answer_came():
    network = Network()
    exchange_on(network)
    carrier = phone_on(network, CARRIER, "carrier")
    call(network, carrier)
    network.perform(CARRIER, carrier.end("c1", EndCause.NORMAL, network.now))
    assert not network.sent_by(CARRIER, "CANCEL ")
    network.run(1_000)
    assert len(network.sent_by(CARRIER, "CANCEL ")) == 1
    assert network.events(EXCHANGE)[-1].cause is EndCause.CANCELLED


def test_a_200_that_crosses_the_cancel_is_acknowledged_and_hung_up():
    network = Network()
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "carrier")
    call(network, carrier)
    network.run(100)
    offered = network.events(EXCHANGE)[0]
    network.perform(EXCHANGE, exchange.answer(offered.leg_id, SDP, network.now))
    network.perform(CARRIER, carrier.end("c1", EndCause.NORMAL, network.now))
    network.run(2_000)
    assert [e.cause for e in network.events(EXCHANGE) if isinstance(e, LegEnded)] == [EndCause.NORMAL]
    assert network.sent_by(CARRIER, "ACK ")
    assert network.sent_by(CARRIER, "BYE ")
    assert len(exchange) == len(carrier) == 0


def test_an_agent_rings_on_every_phone_and_the_first_answer_wins():
    network = Network()
    exchange = exchange_on(network, anna="a1")
    phones = {address: phone_on(network, address, "anna") for address in (PHONE, SECOND)}
    for address, phone in phones.items():
        register(network, address, phone, "anna")
    exchange_events_before = len(network.events(EXCHANGE))
    caller = Party("+4930123", 'Zoë "Z"')
    network.perform(EXCHANGE, exchange.ring_agent("L1", PhoneTarget("a1"), caller, SDP, network.now))
    network.run(200)
    offers = {address: network.events(address)[0] for address in phones}
    assert {offer.caller for offer in offers.values()} == {caller}
    for address, phone in phones.items():
        network.perform(address, phone.ring(offers[address].leg_id, network.now))
    network.run(100)
    network.perform(SECOND, phones[SECOND].answer(offers[SECOND].leg_id, SDP, network.now))
    network.run(1_000)
    events = network.events(EXCHANGE)[exchange_events_before:]
    assert events == [LegRinging("L1"), LegAnswered("L1", SDP, SECOND[0])]
    assert network.events(PHONE)[-1].cause is EndCause.CANCELLED
    cancel = network.sent_by(EXCHANGE, "CANCEL ")
    assert len(cancel) == 1
    assert b'Reason: SIP;cause=200;text="Call completed elsewhere"' in cancel[0]


def test_when_two_phones_answer_at_once_the_second_is_hung_up():
    network = Network()
    exchange = exchange_on(network, anna="a1")
    phones = {address: phone_on(network, address, "anna") for address in (PHONE, SECOND)}
    for address, phone in phones.items():
        register(network, address, phone, "anna")
    network.perform(EXCHANGE, exchange.ring_agent("L1", PhoneTarget("a1"), Party("1"), SDP, network.now))
    network.run(200)
    for address, phone in phones.items():
        network.perform(address, phone.answer(network.events(address)[0].leg_id, SDP, network.now))
    network.run(3_000)
    assert kinds(network, EXCHANGE).count(LegAnswered) == 1
    ended = [e for address in phones for e in network.events(address) if isinstance(e, LegEnded)]
    assert [e.cause for e in ended] == [EndCause.NORMAL]
    assert len(exchange) == 1


def test_the_best_refusal_of_all_phones_is_told():
    network = Network()
    exchange = exchange_on(network, anna="a1")
    phones = {address: phone_on(network, address, "anna") for address in (PHONE, SECOND)}
    for address, phone in phones.items():
        register(network, address, phone, "anna")
    network.perform(EXCHANGE, exchange.ring_agent("L1", PhoneTarget("a1"), Party("1"), SDP, network.now))
    network.run(200)
    network.perform(PHONE, phones[PHONE].refuse(network.events(PHONE)[0].leg_id, 503, network.now))
    network.run(200)
    assert LegRefused not in kinds(network, EXCHANGE)
    network.perform(SECOND, phones[SECOND].refuse(network.events(SECOND)[0].leg_id, 486, network.now))
    network.run(200)
    assert network.events(EXCHANGE)[-1] == LegRefused("L1", 486, "Busy Here")


def test_a_phone_that_vanished_is_refused_408_and_no_longer_reachable():
    network = Network()
    exchange = exchange_on(network, anna="a1")
    phone = phone_on(network, PHONE, "anna")
    register(network, PHONE, phone, "anna", expires=3_600)
    assert exchange.reachable("a1", network.now)
    network.drop = lambda data: data.startswith(b"INVITE ")
    network.perform(EXCHANGE, exchange.ring_agent("L1", PhoneTarget("a1"), Party("1"), SDP, network.now))
    network.run(33_000)
    assert network.events(EXCHANGE)[-1] == LegRefused("L1", 408, "Request Timeout")
    assert not exchange.reachable("a1", network.now)


def test_hold_and_resume_come_as_reoffers():
    network = Network()
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "carrier")
    answering(network, exchange)
    call(network, carrier)
    network.run(200)
    leg = network.events(EXCHANGE)[0].leg_id
    network.perform(CARRIER, carrier.reoffer("c1", SDP + "a=sendonly\r\n", "hold", network.now))
    network.run(50)
    assert network.events(EXCHANGE)[-1] == LegReoffered(leg, SDP + "a=sendonly\r\n", CARRIER[0])
    network.perform(CARRIER, carrier.reoffer("c1", SDP, "again", network.now))
    network.run(50)
    assert len(network.sent_by(CARRIER, "INVITE")) == 2  # one at a time
    for _ in range(2):
        network.perform(EXCHANGE, exchange.accept_reoffer(leg, SDP, network.now))
        network.run(5_000)
    answers = {one.token: one.response.status for one in network.heard[CARRIER] if hasattr(one, "token")}
    assert answers == {"hold": 200, "again": 200}
    assert len(exchange) == 1


def test_a_digit_by_info_is_told_once_however_often_it_is_sent():
    network = Network()
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "carrier")
    answering(network, exchange)
    call(network, carrier)
    network.run(200)
    network.perform(CARRIER, carrier.send_digit("c1", "#", network.now))
    info = network.sent_by(CARRIER, "INFO ")[0]
    network.inject(CARRIER, EXCHANGE, info)
    network.run(500)
    assert [e.digit for e in network.events(EXCHANGE) if isinstance(e, LegDigit)] == ["#"]


def test_not_admitting_answers_503_and_leaves_nothing_behind():
    network = Network()
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "carrier")
    exchange.door.admitting = False
    call(network, carrier)
    network.run(500)
    assert network.events(CARRIER) == [LegRefused("c1", 503, "Service Unavailable")]
    assert b"Retry-After: 5" in network.sent_by(EXCHANGE, "SIP/2.0 503")[0]
    assert len(exchange) == len(exchange.wire.transactions) == 0


def test_a_cancel_that_no_final_answer_follows_is_given_up_after_64_t1():
    network = Network()
    exchange_on(network)
    carrier = phone_on(network, CARRIER, "carrier")
    network.drop = lambda data: data.startswith(b"SIP/2.0 487")
    call(network, carrier)
    network.run(100)
    network.perform(CARRIER, carrier.end("c1", EndCause.NORMAL, network.now))
    network.run(31_000)
    assert len(carrier.wire.transactions) > 0
    network.run(40_000)
    assert len(carrier.wire.transactions) == 0
    assert carrier._outbound._attempts == {}
