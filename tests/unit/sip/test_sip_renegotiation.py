"""Changes to a leg that is up, and provisional answers that must arrive."""

import pytest

from callcenter.calls.legs import (
    EndCause,
    LegAnswered,
    LegEnded,
    LegOffered,
    LegReanswered,
    LegReoffered,
    LegReofferRefused,
    LegRinging,
)
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.messages import SipRequest, SipResponse, build_response
from callcenter.sip.outbound import Target
from callcenter.sip.parser import parse
from callcenter.sip.session_timers import SessionTimer
from callcenter.sip.wire import Replied
from tests.support.sip_wire import CARRIER, EXCHANGE, Network, exchange_on, phone_on

pytestmark = pytest.mark.unit

OFFER = "v=0\r\no=- 1 1 IN IP4 10.0.1.1\r\ns=-\r\nc=IN IP4 10.0.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
ANSWER = OFFER.replace("4000", "5000")
HELD = OFFER + "a=sendonly\r\n"
TO_EXCHANGE, TO_CARRIER = Flow(Transport.UDP, EXCHANGE), Flow(Transport.UDP, CARRIER)


class RawEnd:
    """A far end that answers nothing by itself: what came is kept, what is sent is written by hand."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def received(self, start: str) -> list[SipRequest | SipResponse]:
        """What the exchange sent, repetitions included."""
        return [parse(data) for data in self._network.sent_by(EXCHANGE, start)]

    def send(self, data: bytes) -> None:
        """To the exchange."""
        self._network.inject(CARRIER, EXCHANGE, data)
        self._network.run(50)

    def request(self, method: str, cseq: int, *lines: str, to_tag: str = "", body: str = "") -> None:
        """A request of the call ``c1``."""
        head = [
            f"{method} sip:5000@10.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/UDP {CARRIER[0]}:{CARRIER[1]};branch=z9hG4bK{method}{cseq};rport",
            "From: <sip:+4930123@10.0.1.1>;tag=f1",
            f"To: <sip:5000@10.0.0.1>{f';tag={to_tag}' if to_tag else ''}",
            "Call-ID: c1",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:c@{CARRIER[0]}:{CARRIER[1]}>",
            *lines,
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.send(("\r\n".join(head) + "\r\n\r\n" + body).encode())

    def answer(self, request: SipRequest, status: int, *headers: tuple[str, str], body: str = "") -> None:
        """Answer a request of the exchange's."""
        named = (("Contact", f"<sip:c@{CARRIER[0]}:{CARRIER[1]}>"), *headers)
        if body:
            named += (("Content-Type", "application/sdp"),)
        self.send(bytes(build_response(request, status, to_tag="far", headers=named, body=body.encode())))


def answered_call(network: Network, *lines: str):
    """A call that came in and is up; returns the exchange, the far end, the leg and our tag."""
    exchange, far = exchange_on(network), RawEnd(network)
    far.request("INVITE", 1, *lines, body=OFFER)
    leg_id = network.events(EXCHANGE)[0].leg_id
    network.perform(EXCHANGE, exchange.answer(leg_id, ANSWER, network.now))
    network.run(50)
    tag = far.received("SIP/2.0 200")[0].to.tag
    far.request("ACK", 1, to_tag=tag)
    return exchange, far, leg_id, tag


def placed_call(network: Network, sdp: str = OFFER):
    """A call of ours that nobody has answered yet."""
    exchange, far = exchange_on(network), RawEnd(network)
    target = Target(f"sip:1@{CARRIER[0]}", TO_CARRIER)
    order = exchange.invite("out", [target], from_="<sip:a@10.0.0.1>", to="<sip:1@b>", sdp=sdp, now=network.now)
    network.perform(EXCHANGE, order)
    network.run(50)
    return exchange, far, far.received("INVITE")[0]


# Our re-INVITE.


def test_a_reoffer_is_answered_and_told():
    network = Network()
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "carrier")
    network.reactions[EXCHANGE] = lambda event: (
        network.perform(EXCHANGE, exchange.answer(event.leg_id, ANSWER, network.now))
        if isinstance(event, LegOffered)
        else None
    )
    network.reactions[CARRIER] = lambda event: (
        network.perform(CARRIER, carrier.accept_reoffer(event.leg_id, OFFER, network.now))
        if isinstance(event, LegReoffered)
        else None
    )
    target = [Target("sip:5000@10.0.0.1", TO_EXCHANGE)]
    order = carrier.invite("c", target, from_="<sip:a@b>", to="<sip:5000@10.0.0.1>", sdp=OFFER, now=network.now)
    network.perform(CARRIER, order)
    network.run(500)
    leg_id = network.events(EXCHANGE)[0].leg_id
    network.perform(EXCHANGE, exchange.reoffer(leg_id, HELD, "", network.now))
    network.run(500)
    assert network.events(EXCHANGE)[-1] == LegReanswered(leg_id, OFFER, CARRIER[0])
    assert network.events(CARRIER)[-1] == LegReoffered("c", HELD, EXCHANGE[0])


def test_both_sides_reoffering_at_once_both_get_through():
    """RFC 3261 section 14.1: 491 for both, and different waits."""
    network = Network(delay=(10, 10))
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "carrier")
    sides = {EXCHANGE: (exchange, ANSWER), CARRIER: (carrier, OFFER)}

    def react_at(address):
        endpoint, sdp = sides[address]

        def react(event) -> None:
            if isinstance(event, LegOffered):
                network.perform(address, endpoint.answer(event.leg_id, sdp, network.now))
            elif isinstance(event, LegReoffered):
                network.perform(address, endpoint.accept_reoffer(event.leg_id, sdp, network.now))

        return react

    for address in sides:
        network.reactions[address] = react_at(address)
    target = [Target("sip:5000@10.0.0.1", TO_EXCHANGE)]
    order = carrier.invite("c", target, from_="<sip:a@b>", to="<sip:5000@10.0.0.1>", sdp=OFFER, now=network.now)
    network.perform(CARRIER, order)
    network.run(500)
    leg_id = network.events(EXCHANGE)[0].leg_id
    network.perform(EXCHANGE, exchange.reoffer(leg_id, HELD, "", network.now))
    network.perform(CARRIER, carrier.reoffer("c", HELD, "token", network.now))
    network.run(10_000)
    assert network.sent_by(EXCHANGE, "SIP/2.0 491")
    assert network.sent_by(CARRIER, "SIP/2.0 491")
    assert len([e for e in network.events(EXCHANGE) if isinstance(e, LegReanswered)]) == 1
    assert [one.response.status for one in network.heard[CARRIER] if isinstance(one, Replied)] == [200]


def test_a_refused_reoffer_leaves_the_leg_up_and_a_lost_dialog_ends_it():
    network = Network()
    exchange, far, leg_id, _ = answered_call(network)
    network.perform(EXCHANGE, exchange.reoffer(leg_id, HELD, "", network.now))
    network.run(50)
    far.answer(far.received("INVITE")[0], 488)
    assert network.events(EXCHANGE)[-1] == LegReofferRefused(leg_id, 488)
    network.perform(EXCHANGE, exchange.reoffer(leg_id, HELD, "", network.now))
    network.run(50)
    far.answer(far.received("INVITE")[-1], 481)
    assert network.events(EXCHANGE)[-1] == LegEnded(leg_id, EndCause.TIMEOUT)


def test_an_offer_of_theirs_while_one_of_theirs_is_open_is_to_be_tried_later():
    network = Network()
    _, far, _, tag = answered_call(network)
    far.request("INVITE", 2, to_tag=tag, body=HELD)
    far.request("INVITE", 3, to_tag=tag, body=HELD)
    refused = far.received("SIP/2.0 500")
    assert len(refused) == 1
    assert refused[0].get("retry-after")


# UPDATE.


def test_an_update_with_an_offer_is_a_reoffer_and_without_one_is_answered_at_once():
    network = Network()
    exchange, far, leg_id, tag = answered_call(network)
    far.request("UPDATE", 2, "Supported: timer", "Session-Expires: 600;refresher=uac", to_tag=tag)
    plain = far.received("SIP/2.0 200")[-1]
    assert plain.get("session-expires") == "600;refresher=uac"
    far.request("UPDATE", 3, to_tag=tag, body=HELD)
    assert network.events(EXCHANGE)[-1] == LegReoffered(leg_id, HELD, CARRIER[0])
    far.request("UPDATE", 4, to_tag=tag, body=HELD)
    assert far.received("SIP/2.0 500")
    network.perform(EXCHANGE, exchange.accept_reoffer(leg_id, ANSWER, network.now))
    network.run(40_000)  # no ACK will come and none is missed
    accepted = [one for one in far.received("SIP/2.0 200") if one.cseq == (3, "UPDATE")]
    assert [one.body_text for one in accepted] == [ANSWER]
    assert not [e for e in network.events(EXCHANGE) if isinstance(e, LegEnded)]


# Session timers.


def test_a_session_the_far_end_promised_to_refresh_ends_when_it_does_not():
    network = Network()
    _, far, leg_id, tag = answered_call(network, "Supported: timer", "Session-Expires: 90;refresher=uac")
    assert far.received("SIP/2.0 200")[0].get("require") == "timer"
    network.run(50_000)
    far.request("UPDATE", 2, "Supported: timer", "Session-Expires: 90;refresher=uac", to_tag=tag)
    network.run(55_000)
    assert not far.received("BYE")
    network.run(10_000)
    assert far.received("BYE")
    assert network.events(EXCHANGE)[-1] == LegEnded(leg_id, EndCause.TIMEOUT)


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
def test_we_refresh_by_update_when_the_far_end_allows_it_and_else_by_the_same_offer(method):
    network = Network()
    allow = ("Allow: INVITE, UPDATE",) if method == "UPDATE" else ()
    _, far, _, _ = answered_call(network, "Session-Expires: 100", *allow)
    assert far.received("SIP/2.0 200")[0].get("session-expires") == "100;refresher=uas"
    network.run(51_000)
    refresh = far.received(method)[-1]
    assert refresh.body_text == ("" if method == "UPDATE" else ANSWER)
    assert refresh.get("session-expires") == "100;refresher=uac"
    far.answer(refresh, 200, ("Session-Expires", "100;refresher=uac"), body="" if method == "UPDATE" else OFFER)
    network.run(52_000)
    assert len({one.cseq.number for one in far.received(method)}) == 2


def test_a_session_interval_that_is_too_short_is_refused_with_ours():
    network = Network()
    exchange_on(network)
    far = RawEnd(network)
    far.request("INVITE", 1, "Supported: timer", "Session-Expires: 30", body=OFFER)
    assert far.received("SIP/2.0 422")[0].get("min-se") == "90"
    assert network.events(EXCHANGE) == []


def test_a_call_of_ours_refused_for_its_interval_is_made_again_with_the_one_asked_for():
    network = Network()
    _, far, invite = placed_call(network)
    far.answer(invite, 422, ("Min-SE", "3600"))
    again = far.received("INVITE")[-1]
    assert (again.get("session-expires"), again.get("min-se"), again.cseq.number) == ("3600", "3600", 2)


def test_who_refreshes_is_asked_at_half_time_and_who_waits_a_little_before_the_end():
    assert SessionTimer(1_800, ours=True).due_at(0) == 900_000
    assert SessionTimer(1_800, ours=False).due_at(0) == 1_768_000
    assert SessionTimer(90, ours=False).due_at(0) == 60_000


# Reliable provisional answers.


def test_a_reliable_180_is_repeated_until_its_prack_comes():
    network = Network()
    exchange, far = exchange_on(network), RawEnd(network)
    far.request("INVITE", 1, "Require: 100rel", body=OFFER)
    leg_id = network.events(EXCHANGE)[0].leg_id
    network.perform(EXCHANGE, exchange.ring(leg_id, network.now))
    network.run(2_000)
    ringing = far.received("SIP/2.0 180")
    assert len(ringing) == 3
    assert ringing[0].get("require") == "100rel"
    far.request("PRACK", 2, "RAck: 1 1 INVITE", to_tag=ringing[0].to.tag)
    assert far.received("SIP/2.0 481")
    far.request("PRACK", 3, f"RAck: {ringing[0].get('rseq')} 1 INVITE", to_tag=ringing[0].to.tag)
    assert [one.cseq for one in far.received("SIP/2.0 200")] == [(3, "PRACK")]
    network.run(30_000)
    assert len(far.received("SIP/2.0 180")) == 3


def test_a_call_whose_reliable_180_nobody_confirms_is_refused():
    network = Network()
    exchange, far = exchange_on(network), RawEnd(network)
    far.request("INVITE", 1, "Require: 100rel", body=OFFER)
    leg_id = network.events(EXCHANGE)[0].leg_id
    network.perform(EXCHANGE, exchange.ring(leg_id, network.now))
    network.run(33_000)
    assert far.received("SIP/2.0 500")
    assert network.events(EXCHANGE)[-1] == LegEnded(leg_id, EndCause.TIMEOUT)


def test_reliable_answers_to_our_invite_are_confirmed_once_and_in_order():
    network = Network()
    exchange, far, invite = placed_call(network)
    for rseq in (5, 5, 7, 6):
        far.answer(invite, 180, ("Require", "100rel"), ("RSeq", str(rseq)))
    assert [one.get("rack") for one in far.received("PRACK")] == ["5 1 INVITE", "6 1 INVITE"]
    far.answer(invite, 200, body=ANSWER)
    assert [type(e) for e in network.events(EXCHANGE)] == [LegRinging, LegAnswered]
    network.perform(EXCHANGE, exchange.end("out", EndCause.NORMAL, network.now))
    network.run(50)
    assert far.received("BYE")[0].cseq.number > far.received("PRACK")[-1].cseq.number


# Late offers.


def test_a_call_of_ours_without_an_offer_takes_theirs_and_answers_in_the_ack():
    network = Network()
    exchange, far, invite = placed_call(network, sdp="")
    assert invite.get("content-type") is None
    far.answer(invite, 200, body=OFFER)
    assert network.events(EXCHANGE)[-1] == LegAnswered("out", OFFER, CARRIER[0])
    assert not far.received("ACK")
    network.perform(EXCHANGE, exchange.acknowledge("out", ANSWER, network.now))
    network.run(50)
    far.answer(invite, 200, body=OFFER)
    assert [one.body_text for one in far.received("ACK")] == [ANSWER, ANSWER]


def test_a_late_offer_that_is_not_wanted_any_more_is_acknowledged_before_the_bye():
    network = Network()
    exchange, far, invite = placed_call(network, sdp="")
    far.answer(invite, 200, body=OFFER)
    network.perform(EXCHANGE, exchange.end("out", EndCause.NORMAL, network.now))
    network.run(50)
    assert [one.method for one in map(parse, network.sent_by(EXCHANGE))] == ["INVITE", "ACK", "BYE"]
