"""Sound before the answer: what carriers send us, several far ends of one call, and what we send phones that call."""

import pytest

from callcenter.calls.legs import EndCause, LegAnswered, LegEarlyMedia, LegEnded, LegOffered, LegRefused, LegRinging
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.messages import build_request, build_response
from callcenter.sip.outbound import Target
from callcenter.sip.parser import parse
from tests.support.sip_wire import EXCHANGE, Network, exchange_on, phone_on, register
from tests.unit.sip.test_sip_trunks import FIRST, SDP, dial, house, sent_to

pytestmark = pytest.mark.unit
EARLY, OTHER = SDP.replace("4000", "5000"), SDP.replace("4000", "6000")
PHONE = ("10.0.2.1", 5060)


def says(network: Network, status: int, tag: str, sdp: str = "", *headers: tuple[str, str]) -> None:
    """The gateway answers our INVITE so, from the far end of this tag."""
    invite = parse(sent_to(network, FIRST, "INVITE")[-1])
    own = (("Contact", f"<sip:{tag}@10.0.1.1>"), *((("Content-Type", "application/sdp"),) if sdp else ()))
    answer = build_response(invite, status, to_tag=tag, headers=(*own, *headers), body=sdp.encode())
    network.inject(FIRST, EXCHANGE, bytes(answer))
    network.run(100)


def calling(network: Network):
    exchange = house(network)
    dial(network, exchange, order=("one",))
    network.run(100)
    return exchange


def asks(network: Network, method: str, tag: str, sdp: str = "", **changed: str) -> None:
    """The far end of this tag sends a request before it answers."""
    invite = parse(sent_to(network, FIRST, "INVITE")[-1])
    headers = (
        ("Via", f"SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bK{method}{tag}"),
        ("Max-Forwards", "70"),
        ("From", f"<sip:x@10.0.1.1>;tag={tag}"),
        ("To", changed.get("to", invite.values("from")[0])),
        ("Call-ID", changed.get("call_id", invite.call_id)),
        ("CSeq", f"7 {method}"),
        ("Contact", "<sip:x@10.0.1.1>"),
        *((("Content-Type", "application/sdp"),) if sdp else ()),
    )
    request = build_request(method, f"sip:callcenter@{EXCHANGE[0]}", headers, body=sdp.encode())
    network.inject(FIRST, EXCHANGE, bytes(request))
    network.run(100)


def answers_to(network: Network, method: str) -> list[int]:
    found = [parse(data) for _, to, data in network.carried if to == FIRST and data.startswith(b"SIP/2.0")]
    return [one.status for one in found if one.cseq.method == method]


def test_a_183_with_a_description_is_sound_and_a_180_after_it_still_says_that_it_rings():
    network = Network()
    calling(network)
    says(network, 183, "a", EARLY)
    says(network, 183, "a", EARLY)
    assert network.events(EXCHANGE) == [LegEarlyMedia("L", EARLY, FIRST[0])]
    says(network, 180, "a")
    says(network, 180, "a")
    assert network.events(EXCHANGE)[1:] == [LegRinging("L")]
    says(network, 200, "a", SDP)
    assert network.events(EXCHANGE)[2:] == [LegAnswered("L", SDP, FIRST[0])]


def test_each_far_end_of_a_forked_call_sounds_and_the_winners_own_description_counts():
    network = Network()
    calling(network)
    says(network, 183, "a", EARLY)
    says(network, 183, "b", OTHER)
    says(network, 200, "a")  # tolerated: a 200 that describes nothing stands by its own 183
    assert network.events(EXCHANGE) == [
        LegEarlyMedia("L", EARLY, FIRST[0]),
        LegEarlyMedia("L", OTHER, FIRST[0]),
        LegAnswered("L", EARLY, FIRST[0]),
    ]
    says(network, 200, "b", OTHER)
    assert len(network.events(EXCHANGE)) == 3
    assert len(sent_to(network, FIRST, "BYE")) == 1


def test_reliable_sound_is_confirmed_once_for_each_far_end():
    network = Network()
    calling(network)
    reliable = (("Require", "100rel"), ("RSeq", "17"))
    for tag in ("a", "a", "b"):
        says(network, 183, tag, EARLY if tag == "a" else OTHER, *reliable)
    pracks = [parse(data) for data in sent_to(network, FIRST, "PRACK")]
    assert [(one.to.tag, one.get("rack")) for one in pracks] == [("a", "17 1 INVITE"), ("b", "17 1 INVITE")]
    assert [type(one) for one in network.events(EXCHANGE)] == [LegEarlyMedia, LegEarlyMedia]


def test_nothing_but_a_description_is_sound_and_a_hundred_forks_fill_no_memory():
    network = Network()
    calling(network)
    says(network, 183, "a")
    assert network.events(EXCHANGE) == [LegRinging("L")]
    for number in range(100):
        says(network, 183, f"fork{number}", SDP.replace("4000", str(5000 + number)))
    assert len([one for one in network.events(EXCHANGE) if isinstance(one, LegEarlyMedia)]) == 20
    says(network, 404, "a")
    assert network.events(EXCHANGE)[-1] == LegRefused("L", 404, "Not Found")


def test_who_has_not_answered_may_refresh_and_its_offer_waits_and_strangers_find_nothing():
    network = Network()
    exchange = calling(network)
    says(network, 183, "a", EARLY)
    asks(network, "UPDATE", "a")
    asks(network, "UPDATE", "a2", OTHER)
    assert answers_to(network, "UPDATE") == [200, 481]
    says(network, 183, "b", OTHER)
    asks(network, "UPDATE", "b", OTHER)
    assert answers_to(network, "UPDATE") == [200, 481, 491]
    asks(network, "UPDATE", "a3", to="<sip:x@10.0.0.1>;tag=guessed")
    assert answers_to(network, "UPDATE")[-1] == 481
    network.perform(EXCHANGE, exchange.end("L", EndCause.NORMAL, network.now))
    network.run(70_000)
    assert not exchange._legs._early


# Towards a phone that calls.


def phone_calls(network: Network, *required: tuple[str, str]):
    """Anna's phone calls 5000: the exchange, the phone and the exchange's leg."""
    exchange = exchange_on(network, anna="a1")
    phone = phone_on(network, PHONE, "anna")
    register(network, PHONE, phone, "anna")
    target = Target(f"sip:5000@{EXCHANGE[0]}", Flow(Transport.UDP, EXCHANGE))
    order = phone.invite(
        "P", [target], from_="<sip:anna@10.0.0.1>", to="<sip:5000@10.0.0.1>", sdp=SDP, now=network.now, headers=required
    )
    network.perform(PHONE, order)
    network.run(300)
    (offered,) = [one for one in network.events(EXCHANGE) if isinstance(one, LegOffered)]
    return exchange, phone, offered.leg_id


def test_a_phone_that_calls_hears_us_before_the_answer():
    network = Network()
    exchange, _, leg_id = phone_calls(network)
    network.perform(EXCHANGE, exchange.progress(leg_id, EARLY, network.now))
    network.run(100)
    network.perform(EXCHANGE, exchange.answer(leg_id, EARLY, network.now))
    network.run(100)
    heard = [LegEarlyMedia("P", EARLY, EXCHANGE[0]), LegAnswered("P", EARLY, EXCHANGE[0])]
    assert network.events(PHONE) == heard
    (progress,) = network.sent_by(EXCHANGE, "SIP/2.0 183")
    assert b"RSeq" not in progress


@pytest.mark.parametrize("lost", [0, 3])
def test_where_100rel_is_required_the_answer_waits_for_the_prack_of_the_description(lost):
    network = Network()
    exchange, _, leg_id = phone_calls(network, ("Require", "100rel"))
    network.perform(EXCHANGE, exchange.ring(leg_id, network.now))
    network.run(100)
    network.drop = lambda data: data.startswith(b"PRACK") and len(network.sent_by(PHONE, "PRACK")) <= lost + 1
    network.perform(EXCHANGE, exchange.progress(leg_id, EARLY, network.now))
    network.perform(EXCHANGE, exchange.answer(leg_id, EARLY, network.now))
    network.run(4 if not lost else 300)
    assert not network.sent_by(EXCHANGE, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.2.1:5060;branch=INVITE")
    assert not [one for one in network.events(PHONE) if isinstance(one, LegAnswered)]
    network.run(10_000)
    assert network.events(PHONE)[-1] == LegAnswered("P", EARLY, EXCHANGE[0])
    numbers = [int(parse(data).get("rseq") or 0) for data in network.sent_by(EXCHANGE, "SIP/2.0 18")]
    first, *others = dict.fromkeys(numbers)
    assert others == [first + 1]
    assert exchange._legs.get(leg_id).answer is None


@pytest.mark.parametrize("ending", ["cancel", "never"])
def test_a_caller_who_leaves_while_the_answer_waits_is_gone(ending):
    network = Network()
    exchange, phone, leg_id = phone_calls(network, ("Require", "100rel"))
    network.drop = lambda data: data.startswith(b"PRACK")
    network.perform(EXCHANGE, exchange.progress(leg_id, EARLY, network.now))
    network.perform(EXCHANGE, exchange.answer(leg_id, EARLY, network.now))
    network.run(100)
    if ending == "cancel":
        network.perform(PHONE, phone.end("P", EndCause.NORMAL, network.now))
    network.run(70_000)
    cause = EndCause.CANCELLED if ending == "cancel" else EndCause.TIMEOUT
    assert network.events(EXCHANGE)[-1] == LegEnded(leg_id, cause)
    assert len(exchange) == 0
