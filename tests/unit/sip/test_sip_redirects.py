"""A far end that sends a call on to another number: nothing is followed that could not be dialled."""

from ipaddress import ip_network

import pytest

from callcenter.calls.legs import EndCause, LegAnswered, LegOffered, LegRefused, Party
from callcenter.ports import PhoneTarget, TrunkPolicy
from callcenter.sip.call_caps import Cap
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.messages import build_response
from callcenter.sip.numbering import DialPermissions, NumberingRules, OutboundPlan, TrunkReach
from callcenter.sip.parser import parse
from callcenter.sip.redirects import redirect_targets
from callcenter.sip.trunks import Trunk
from callcenter.sip.wire import LeaveAsked
from tests.support.sip_wire import EXCHANGE, Network, exchange_on, phone_on, register

pytestmark = pytest.mark.unit

SDP = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
GATEWAY, PHONE = ("10.0.1.1", 5060), ("10.0.2.1", 5060)


class House:
    """An exchange with one trunk whose far end answers by number: a status, or where it sends the call on."""

    def __init__(self, answers, *, follow=True, phones=False, cap=0, **agents) -> None:
        self.network = Network()
        house = DialPermissions(national=True, each_agent=Cap(at_a_time=cap))
        plan = OutboundPlan(house=house, trunks=(TrunkReach("one"),), phone_forwards=phones)
        self.rules = NumberingRules(plan)
        trunk = Trunk("one", (), gateway=GATEWAY[0], options_seconds=0, follow_redirects=follow)
        self.exchange = exchange_on(self.network, trunks=(trunk,), rules=self.rules, **agents)
        self.perform(self.exchange.found_gateways("one", [Flow(Transport.UDP, GATEWAY)], self.network.now))
        self.carrier = phone_on(self.network, GATEWAY, "carrier")
        self.called: list[str] = []
        self.answered: set[str] = set()

        def react(event) -> None:
            if not isinstance(event, LegOffered):
                return
            self.called.append(event.called.number)
            answer = answers.get(event.called.number, 200)
            if answer == 200:
                outcomes = self.carrier.answer(event.leg_id, SDP, self.network.now)
            elif isinstance(answer, int):
                outcomes = self.carrier.refuse(event.leg_id, answer, self.network.now)
            else:
                self.send_on(event.sip_call_id, answer)
                return
            self.network.perform(GATEWAY, outcomes)

        self.network.reactions[GATEWAY] = react

    def perform(self, outcomes) -> None:
        self.network.perform(EXCHANGE, outcomes)

    def send_on(self, sip_call_id: str, contact: str, source=GATEWAY) -> None:
        invites = [parse(data) for _, to, data in self.network.carried if to == source and data.startswith(b"INVITE")]
        invite = next(one for one in invites if one.call_id == sip_call_id)
        headers = (("Contact", contact),)
        self.network.inject(source, EXCHANGE, bytes(build_response(invite, 302, to_tag="moved", headers=headers)))

    def dial(self, number: str, leg_id: str = "L") -> None:
        allowed = self.rules.check("ann", number, self.network.now)
        self.perform(self.exchange.dial(leg_id, allowed.e164, allowed.policy, Party("+1202"), SDP, self.network.now))
        self.network.run(2_000)

    def events(self):
        return self.network.events(EXCHANGE)

    def asked(self):
        """Of which numbers it was asked whether they may be called."""
        return [each for each in self.network.heard[EXCHANGE] if isinstance(each, LeaveAsked)]


FIRST, SECOND, FOREIGN = "+12025550123", "+12025550144", "+442079460958"


def test_a_carriers_redirect_goes_to_the_number_by_our_own_trunk_and_tells_who_sent_it():
    house = House({FIRST: f"<sip:{SECOND}@elsewhere.example>"})
    house.dial(FIRST)
    assert house.called == [FIRST, SECOND]
    assert house.events() == [LegAnswered("L", SDP, GATEWAY[0])]
    last = [parse(data) for data in house.network.sent_by(EXCHANGE, "INVITE")][-1]
    assert last.uri.host == GATEWAY[0]
    assert FIRST in (last.get("diversion") or "")
    assert last.max_forwards == 69


@pytest.mark.parametrize(
    "contact",
    [
        f"<sip:{FOREIGN}@elsewhere.example>",
        "<sip:+19005550123@elsewhere.example>",
        "<sip:alice@elsewhere.example>",
        "<tel:+1900-555-0123>",
        "<mailto:a@b.example>",
        "<sip:%2B442079460958@x>",
        "*",
    ],
)
def test_a_redirect_to_what_may_not_be_dialled_is_refused(contact):
    house = House({FIRST: contact})
    house.dial(FIRST)
    assert house.called == [FIRST]
    assert [event.status for event in house.events() if isinstance(event, LegRefused)] == [302]


def test_a_trunk_that_may_not_redirect_is_refused():
    house = House({FIRST: f"<sip:{SECOND}@x>"}, follow=False)
    house.dial(FIRST)
    assert house.called == [FIRST]
    assert house.events()[-1].status == 302


def test_of_several_targets_the_best_that_is_allowed_is_called():
    house = House({FIRST: f"<sip:{FOREIGN}@x>;q=0.9, <sip:+12025550177@x>;q=0.2, <sip:{SECOND}@x>;q=0.7"})
    house.dial(FIRST)
    assert house.called == [FIRST, SECOND]


def test_a_ring_of_redirects_ends():
    house = House({FIRST: f"<sip:{SECOND}@x>", SECOND: f"<sip:{FIRST}@x>"})
    house.dial(FIRST)
    house.network.run(10_000)
    assert house.called == [FIRST, SECOND] * 3
    assert [event.status for event in house.events() if isinstance(event, LegRefused)] == [302]
    assert not len(house.rules.caps)
    assert not len(house.exchange)


def test_a_redirected_call_takes_one_place_and_gives_it_back():
    house = House({FIRST: f"<sip:{SECOND}@x>"}, cap=1)
    house.dial(FIRST)
    assert house.called == [FIRST, SECOND]
    assert len(house.rules.caps) == 1
    house.perform(house.exchange.end("L", EndCause.NORMAL, house.network.now))
    assert not len(house.rules.caps)


def test_a_number_that_was_reached_by_redirect_may_be_refused_like_any_other():
    house = House({FIRST: f"<sip:{SECOND}@x>", SECOND: 486})
    house.dial(FIRST)
    assert [event.status for event in house.events() if isinstance(event, LegRefused)] == [486]
    assert not len(house.exchange)


@pytest.mark.parametrize(("phones", "expected"), [(True, [SECOND]), (False, [])])
def test_a_phone_forwards_to_the_outside_only_where_the_site_lets_it(phones, expected):
    house = House({}, phones=phones, ann="ann")
    phone = phone_on(house.network, PHONE, "ann")
    register(house.network, PHONE, phone, "ann")
    house.network.reactions[PHONE] = lambda event: (
        house.send_on(event.sip_call_id, f"<sip:{SECOND}@10.0.0.1>", PHONE) if isinstance(event, LegOffered) else None
    )
    target = PhoneTarget("ann")
    house.perform(house.exchange.ring_agent("L", target, Party("+12025550100"), SDP, house.network.now))
    house.network.run(2_000)
    assert house.called == expected
    last = house.events()[-1]
    assert last == (LegAnswered("L", SDP, GATEWAY[0]) if phones else LegRefused("L", 302, "Unknown"))
    if phones:
        assert not house.exchange._legs.get("L").may_refer


def test_a_phone_cannot_forward_where_its_agent_may_not_call():
    house = House({}, phones=True, ann="ann")
    phone = phone_on(house.network, PHONE, "ann")
    register(house.network, PHONE, phone, "ann")
    house.network.reactions[PHONE] = lambda event: (
        house.send_on(event.sip_call_id, f"<sip:{FOREIGN}@10.0.0.1>", PHONE) if isinstance(event, LegOffered) else None
    )
    house.perform(house.exchange.ring_agent("L", PhoneTarget("ann"), Party("1"), SDP, house.network.now))
    house.network.run(2_000)
    assert house.called == []
    assert house.events()[-1] == LegRefused("L", 302, "Unknown")


THIRD = "+12025550177"


@pytest.mark.parametrize(
    ("no", "called", "end"),
    [(set(), [FIRST, SECOND], 200), ({SECOND}, [FIRST, THIRD], 200), ({SECOND, THIRD}, [FIRST], 302)],
)
def test_whoever_does_not_want_to_be_called_is_passed_over(no, called, end):
    house = House({FIRST: f"<sip:{SECOND}@x>;q=0.9, <sip:{THIRD}@x>;q=0.2"}, cap=1)
    house.exchange.asks_leave = True
    house.dial(FIRST)
    while asked := [each for each in house.asked() if each.allowed.e164 not in house.answered]:
        assert (asked[0].leg_id, asked[0].agent_id) == ("L", "ann")
        house.answered.add(asked[0].allowed.e164)
        granted = asked[0].allowed.e164 not in no
        house.perform(house.exchange.give_leave("L", house.network.now, granted=granted))
        house.network.run(1_000)
    assert house.called == called
    last = house.events()[-1]
    assert last == (LegAnswered("L", SDP, GATEWAY[0]) if end == 200 else LegRefused("L", 302, "Unknown"))
    assert len(house.rules.caps) == (end == 200)


@pytest.mark.parametrize("how", ["hangs up", "is silent"])
def test_a_redirect_that_nobody_judges_ends_with_its_call_or_its_time(how):
    house = House({FIRST: f"<sip:{SECOND}@x>"}, cap=1)
    house.exchange.asks_leave = True
    house.dial(FIRST)
    if how == "hangs up":
        house.perform(house.exchange.end("L", EndCause.NORMAL, house.network.now))
        house.perform(house.exchange.give_leave("L", house.network.now, granted=True))
    house.network.run(10_000)
    assert house.called == [FIRST]
    assert [type(each) for each in house.events()] == [LegRefused]
    assert (len(house.rules.caps), len(house.exchange)) == (0, 0)
    house.perform(house.exchange.give_leave("L", house.network.now, granted=True))
    assert house.called == [FIRST]


@pytest.mark.parametrize("granted", [True, False])
def test_another_phone_that_refuses_meanwhile_ends_no_call_that_is_sent_on(granted):
    house = House({}, phones=True, ann="ann")
    house.exchange.asks_leave = True
    other = ("10.0.2.2", 5060)
    for at in (PHONE, other):
        phone = phone_on(house.network, at, "ann")
        register(house.network, at, phone, "ann")
        house.network.reactions[at] = lambda event: None
    house.perform(house.exchange.ring_agent("L", PhoneTarget("ann"), Party("1"), SDP, house.network.now))
    house.network.run(500)
    offered = {
        at: next(each for each in house.network.events(at) if isinstance(each, LegOffered)) for at in (PHONE, other)
    }
    house.send_on(offered[PHONE].sip_call_id, f"<sip:{SECOND}@10.0.0.1>", PHONE)
    house.network.run(500)
    refusal = parse(bytes(build_response(invite_of(house, offered[other].sip_call_id, other), 486, to_tag="busy")))
    house.network.inject(other, EXCHANGE, bytes(refusal))
    house.network.run(500)
    assert not [each for each in house.events() if isinstance(each, LegRefused)]
    house.perform(house.exchange.give_leave("L", house.network.now, granted=granted))
    house.network.run(1_000)
    assert house.called == ([SECOND] if granted else [])
    assert isinstance(house.events()[-1], LegAnswered if granted else LegRefused)


def invite_of(house, call_id, at):
    sent = [parse(data) for _, to, data in house.network.carried if to == at and data.startswith(b"INVITE")]
    return next(one for one in sent if one.call_id == call_id)


def test_only_what_names_numbers_is_a_redirect():
    house = House({})
    house.dial(FIRST)
    invite = parse(house.network.sent_by(EXCHANGE, "INVITE")[0])
    contact = (("Contact", f"<sip:{SECOND}@x>"),)
    for status, expected in ((302, 1), (301, 1), (300, 1), (305, 0), (380, 0), (486, 0)):
        assert len(redirect_targets(build_response(invite, status, to_tag="t", headers=contact))) == expected


def test_two_exchanges_that_pass_a_call_to_each_other_stop():
    """Each passes on what it gets with one hop less, as the calls do; the last is refused with 483."""
    network = Network()
    other = ("10.0.0.2", 5060)
    ends = {}
    for here, there in ((EXCHANGE, other), (other, EXCHANGE)):
        trunk = Trunk("loop", (ip_network(there[0]),), gateway=there[0], options_seconds=0)
        ends[here] = exchange_on(network, trunks=(trunk,), address=here)
        flow = Flow(Transport.UDP, there)
        network.perform(here, ends[here].found_gateways("loop", [flow], network.now))
    passed = []

    def pass_on(here):
        def react(event) -> None:
            if isinstance(event, LegOffered):
                passed.append(event.max_forwards)
                policy = TrunkPolicy(("loop",), max_forwards=event.max_forwards - 1)
                leg_id = f"out-{event.leg_id}"
                network.perform(here, ends[here].dial(leg_id, "+1", policy, Party("2"), SDP, network.now))

        return react

    for here in ends:
        network.reactions[here] = pass_on(here)
    network.perform(EXCHANGE, ends[EXCHANGE].dial("first", "+1", TrunkPolicy(("loop",)), Party("2"), SDP, network.now))
    network.run(20_000)
    assert len(passed) == 70
    told = network.events(EXCHANGE) + network.events(other)
    assert [event.status for event in told if isinstance(event, LegRefused)] == [483]
