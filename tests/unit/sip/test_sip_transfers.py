"""REFER, Replaces, subscriptions and texts."""

import re

import pytest

from callcenter.calls.legs import EndCause, LegEnded, LegOffered, LegReoffered, Party, TransferRequested
from callcenter.ports import PhoneTarget
from callcenter.sip.callers import diversions_of
from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.outbound import Target
from callcenter.sip.parser import parse
from callcenter.sip.replaces import parse_replaces, replaces_in_uri
from callcenter.sip.subscriptions import Mailbox
from callcenter.sip.uri import parse_uri
from callcenter.sip.wire import ReferProgress, Replied
from tests.support.sip_wire import CARRIER, EXCHANGE, Network, exchange_on, phone_on, register

pytestmark = pytest.mark.unit

SDP = "v=0\r\no=- 1 1 IN IP4 10.0.2.1\r\ns=-\r\nc=IN IP4 10.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
PHONE = ("10.0.2.1", 5062)
FLOW = Flow(Transport.UDP, EXCHANGE)
OWN = "<sip:anna@10.0.0.1>"


def agent_on(network: Network):
    """An exchange that answers everything, and Anna's phone, registered, that answers too."""
    exchange = exchange_on(network, anna="a1", ben="b1")
    phone = phone_on(network, PHONE, "anna")
    register(network, PHONE, phone, "anna", 3_600)

    def react_at(address, endpoint):
        def react(event) -> None:
            if isinstance(event, LegOffered):
                network.perform(address, endpoint.answer(event.leg_id, SDP, network.now))
            elif isinstance(event, LegReoffered):
                network.perform(address, endpoint.accept_reoffer(event.leg_id, SDP, network.now))

        network.reactions[address] = react

    react_at(EXCHANGE, exchange)
    react_at(PHONE, phone)
    return exchange, phone


def rung(network: Network, exchange, leg_id: str = "L1") -> str:
    """Ring Anna; her phone's name for the leg."""
    network.perform(EXCHANGE, exchange.ring_agent(leg_id, PhoneTarget("a1"), Party("+4930123"), SDP, network.now))
    network.run(500)
    return [one for one in network.events(PHONE) if isinstance(one, LegOffered)][-1].leg_id


def told(network: Network, address, kind: type) -> list:
    return [one for one in network.heard[address] if isinstance(one, kind)]


def ask(network: Network, phone, method: str, *headers: tuple[str, str], uri: str = "sip:anna@10.0.0.1", n: int = 1):
    """A request of the phone's outside dialogs, with its final answer."""
    network.perform(
        PHONE,
        phone.send(
            method, uri, FLOW, f"t{n}", network.now, from_=OWN, to=f"<{uri}>", call_id=f"{method}{n}", headers=headers
        ),
    )
    network.run(1_000)
    return next(one.response for one in told(network, PHONE, Replied) if one.token == f"t{n}")


def test_a_blind_transfer_is_told_and_its_end_reported():
    network = Network()
    exchange, phone = agent_on(network)
    mine = rung(network, exchange)
    network.perform(PHONE, phone.refer(mine, "sip:5002@10.0.0.1", "refer", network.now))
    network.run(200)
    assert told(network, EXCHANGE, TransferRequested) == [TransferRequested("L1", "5002")]
    assert [one.response.status for one in told(network, PHONE, Replied)][-1] == 202
    for status in (180, 200):
        network.perform(EXCHANGE, exchange.report_transfer("L1", status, network.now))
        network.run(200)
    assert [one.status for one in told(network, PHONE, ReferProgress)] == [100, 180, 200]
    last = parse(network.sent_by(EXCHANGE, "NOTIFY")[-1])
    assert last.get("subscription-state") == "terminated;reason=noresource"


WHY = 'This number must not be called: "suppressed".\r\nVia: x'
QUOTED = 'Q.850;cause=21;text="This number must not be called: \\"suppressed\\".Via: x"'


def test_whoever_has_just_answered_may_transfer_before_the_ack_has_come():
    network = Network(delay=(5, 5))
    exchange, phone = agent_on(network)
    answered = network.reactions[PHONE]

    def answer_and_refer(event) -> None:
        answered(event)
        if isinstance(event, LegOffered):
            network.perform(PHONE, phone.refer(event.leg_id, "sip:5002@10.0.0.1", "refer", network.now))

    network.reactions[PHONE] = answer_and_refer
    rung(network, exchange)
    assert told(network, EXCHANGE, TransferRequested) == [TransferRequested("L1", "5002")]


def test_whoever_asks_for_something_on_a_leg_that_is_over_is_told_so():
    network = Network()
    exchange, phone = agent_on(network)
    mine = rung(network, exchange)
    network.perform(PHONE, phone.end(mine, EndCause.NORMAL, network.now))
    network.run(40_000)
    network.perform(PHONE, phone.refer(mine, "sip:5002@10.0.0.1", "refer", network.now))
    network.perform(PHONE, phone.reoffer(mine, SDP, "reoffer", network.now))
    told_last = told(network, PHONE, Replied)[-2:]
    assert [(each.token, each.response) for each in told_last] == [("refer", None), ("reoffer", None)]


def test_a_phone_is_told_why_its_transfer_or_its_call_is_refused():
    """The reason stands beside the status, in a form that no text can break out of."""
    network = Network()
    exchange, phone = agent_on(network)
    theirs = rung(network, exchange)
    network.perform(PHONE, phone.refer(theirs, "sip:12025550177@10.0.0.1", "t", network.now))
    network.run(500)
    network.perform(EXCHANGE, exchange.report_transfer("L1", 403, network.now, WHY))
    network.run(500)
    notify = parse(network.sent_by(EXCHANGE, "NOTIFY")[-1])
    assert notify.body_text == f"SIP/2.0 403 Forbidden\r\nReason: {QUOTED}\r\n"
    network.reactions[EXCHANGE] = lambda event: None
    own = Target("sip:12025550177@10.0.0.1", FLOW)
    network.perform(PHONE, phone.invite("P", [own], from_=OWN, to="<sip:12025550177@x>", sdp=SDP, now=network.now))
    network.run(500)
    leg = [one for one in network.events(EXCHANGE) if isinstance(one, LegOffered)][-1]
    network.perform(EXCHANGE, exchange.end(leg.leg_id, EndCause.FORBIDDEN, network.now, WHY))
    network.run(500)
    refusal = parse(network.sent_by(EXCHANGE, "SIP/2.0 403")[-1])
    assert (refusal.get("reason"), refusal.values("via")[1:]) == (QUOTED, ())


def test_a_transfer_that_nobody_reports_on_ends_after_a_minute_and_the_call_stays():
    network = Network()
    exchange, phone = agent_on(network)
    mine = rung(network, exchange)
    network.perform(PHONE, phone.refer(mine, "sip:5002@10.0.0.1", "refer", network.now))
    network.run(61_000)
    assert [one.status for one in told(network, PHONE, ReferProgress)] == [100, 503]
    assert not told(network, EXCHANGE, LegEnded)


def test_an_attended_transfer_names_the_leg_that_is_to_be_taken_over():
    network = Network()
    exchange, phone = agent_on(network)
    first, second = rung(network, exchange, "L1"), rung(network, exchange, "L2")
    network.perform(PHONE, phone.refer(first, "", "refer", network.now, replaced=second))
    network.run(200)
    assert told(network, EXCHANGE, TransferRequested) == [TransferRequested("L1", "callcenter", "L2")]


def test_a_carrier_may_not_transfer():
    network = Network()
    exchange, carrier = exchange_on(network), phone_on(network, CARRIER, "carrier")
    network.reactions[EXCHANGE] = lambda event: (
        network.perform(EXCHANGE, exchange.answer(event.leg_id, SDP, network.now))
        if isinstance(event, LegOffered)
        else None
    )
    target = [Target("sip:5000@10.0.0.1", FLOW)]
    network.perform(
        CARRIER, carrier.invite("c", target, from_="<sip:a@b>", to="<sip:5000@10.0.0.1>", sdp=SDP, now=network.now)
    )
    network.run(500)
    network.perform(CARRIER, carrier.refer("c", "sip:premium@elsewhere", "refer", network.now))
    network.run(500)
    assert [one.response.status for one in told(network, CARRIER, Replied)] == [603]
    assert not told(network, EXCHANGE, TransferRequested)


def test_an_agent_takes_over_a_leg_by_replaces_and_a_carrier_may_not():
    network = Network()
    exchange, phone = agent_on(network)
    rung(network, exchange)
    dialog = exchange._legs.get("L1").dialog
    target = [Target("sip:5000@10.0.0.1", FLOW)]
    tags = f"to-tag={dialog.local_tag};from-tag={dialog.remote_tag}"
    wrong = f"to-tag={dialog.local_tag};from-tag=x"
    named = (f"{dialog.call_id};{tags}", f"unknown;{tags}", f"{dialog.call_id};{wrong}")
    for leg_id, value in zip(("p1", "p2", "p3"), named, strict=True):
        header = ("Replaces", value)
        order = phone.invite(
            leg_id, target, from_=OWN, to="<sip:5000@10.0.0.1>", sdp=SDP, now=network.now, headers=(header,)
        )
        network.perform(PHONE, order)
        network.run(500)
    assert [one.replaces_leg_id for one in told(network, EXCHANGE, LegOffered)] == ["L1"]
    assert len(network.sent_by(EXCHANGE, "SIP/2.0 481")) == 2
    carrier = phone_on(network, CARRIER, "carrier")
    header = ("Replaces", f"{dialog.call_id};to-tag={dialog.local_tag};from-tag={dialog.remote_tag}")
    order = carrier.invite(
        "c", target, from_="<sip:a@b>", to="<sip:5000@10.0.0.1>", sdp=SDP, now=network.now, headers=(header,)
    )
    network.perform(CARRIER, order)
    network.run(500)
    assert network.sent_by(EXCHANGE, "SIP/2.0 403")


def test_replaces_is_read_escaped_or_not_and_never_without_its_tags():
    uri = parse_uri("sip:b@h?Subject=x&Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2%3Bearly-only")
    found = replaces_in_uri(uri)
    assert found is not None
    assert (found.call_id, found.to_tag, found.from_tag, found.early_only) == ("a@b", "1", "2", True)
    assert parse_replaces(str(found)).call_id == "a@b"
    for text in ("", "a", "a;to-tag=1", "a;to-tag=1;from-tag"):
        with pytest.raises(BadMessage):
            parse_replaces(text)


def test_a_phone_watches_its_mailbox():
    network = Network()
    exchange, phone = agent_on(network)
    network.drop = lambda data: data.startswith(b"NOTIFY")  # read on the wire; the phone would refuse them
    answer = ask(network, phone, "SUBSCRIBE", ("Event", "message-summary"), ("Contact", f"<sip:anna@{PHONE[0]}:5062>"))
    assert (answer.status, answer.get("expires")) == (200, "3600")
    network.perform(EXCHANGE, exchange.set_mailbox("a1", Mailbox(new=2, old=1), network.now))
    network.run(100)
    first, second = {m.cseq: m.body_text for m in map(parse, network.sent_by(EXCHANGE, "NOTIFY"))}.values()
    assert first.startswith("Messages-Waiting: no")
    assert second == "Messages-Waiting: yes\r\nVoice-Message: 2/1\r\n"


def test_a_lamp_follows_the_calls_of_the_agent_it_watches():
    network = Network()
    exchange, phone = agent_on(network)
    network.drop = lambda data: data.startswith(b"NOTIFY")
    contact = ("Contact", f"<sip:anna@{PHONE[0]}:5062>")
    assert ask(network, phone, "SUBSCRIBE", ("Event", "dialog"), contact).status == 200
    rung(network, exchange)
    network.perform(EXCHANGE, exchange.end("L1", EndCause.NORMAL, network.now))
    network.run(100)
    bodies = {m.cseq: m.body_text for m in map(parse, network.sent_by(EXCHANGE, "NOTIFY"))}
    assert [re.findall("<state>(.*?)</state>", body) for body in bodies.values()] == [[], ["confirmed"], ["terminated"]]
    network.run(40_000)
    assert len(exchange._subscriptions) == 0  # nobody answered the NOTIFYs


def test_only_event_packages_we_know_and_agents_that_exist_can_be_watched():
    network = Network()
    _, phone = agent_on(network)
    contact = ("Contact", f"<sip:anna@{PHONE[0]}:5062>")
    assert ask(network, phone, "SUBSCRIBE", ("Event", "presence"), contact).status == 489
    assert ask(network, phone, "SUBSCRIBE", ("Event", "dialog"), contact, uri="sip:eve@10.0.0.1", n=2).status == 404
    brief = ("Expires", "5")
    assert ask(network, phone, "SUBSCRIBE", ("Event", "dialog"), contact, brief, n=3).status == 423


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("Diversion: <sip:100@x>;reason=busy, <sip:200@x>", ["100", "200"]),
        ("History-Info: <sip:100@x>;index=1, <sip:200@x>;index=1.1, <sip:us@x>;index=1.2", ["200", "100"]),
        ("Diversion: nonsense", []),
        ("X: y", []),
    ],
)
def test_forwarded_calls_say_whom_they_were_meant_for(line, numbers):
    request = parse(
        f"INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\n"
        f"Call-ID: x\r\nCSeq: 1 INVITE\r\n{line}\r\n\r\n".encode()
    )
    assert [party.number for party in diversions_of(request)] == numbers
