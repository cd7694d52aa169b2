"""One signalling in front of two kinds of phone: who is rung, whose answer wins, what the calls get to see."""

import pytest

from callcenter.calls.legs import EndCause, LegAnswered, LegEnded, LegEvent, LegOffered, LegRefused, LegRinging, Party
from callcenter.phones.router import PhoneKind, PhoneRouter
from callcenter.ports import PhoneTarget
from tests.support.fake_signalling import FakeSignalling

pytestmark = pytest.mark.unit

SIP_ANSWER = LegAnswered("leg", "sip", "127.0.0.3")
BROWSER_ANSWER = LegAnswered("leg", "browser", "127.0.0.1")


class FakeBrowsers:
    """Keeps the orders."""

    def __init__(self) -> None:
        self.present: set[str] = set()
        self.orders: list[tuple[str, ...]] = []

    def invite(self, leg_id: str, agent_id: str, *, sdp: str) -> None:
        self.orders.append(("invite", leg_id, agent_id, sdp))

    def reoffer(self, leg_id: str, sdp: str) -> None:
        self.orders.append(("reoffer", leg_id, sdp))

    def end(self, leg_id: str, cause: EndCause) -> None:
        self.orders.append(("end", leg_id, cause.value))

    def reachable(self, agent_id: str) -> bool:
        return agent_id in self.present


class Exchange:
    """A router with both stacks in the hands of a test."""

    def __init__(self, kind: PhoneKind = PhoneKind.BOTH, *, sip: bool = True, browser: bool = True) -> None:
        self.sip, self.browsers = FakeSignalling(), FakeBrowsers()
        self.events: list[LegEvent] = []
        self.presence: list[tuple[str, bool]] = []
        self.router = PhoneRouter(
            sip=self.sip,
            browsers=self.browsers,
            kinds={"anna": kind},
            sink=self.events.append,
            presence=lambda agent_id, reachable: self.presence.append((agent_id, reachable)),
        )
        if sip:
            self.sip.registered.add("anna")
        if browser:
            self.browsers.present.add("anna")

    def ring(self) -> None:
        self.router.invite("leg", PhoneTarget("anna"), caller=Party("+1"), sdp="offer")

    @property
    def rung(self) -> set[str]:
        """Which stacks were told to ring."""
        return {
            *(["sip"] if "leg" in self.sip.legs else []),
            *(["browser"] if ("invite", "leg", "anna", "offer") in self.browsers.orders else []),
        }


@pytest.mark.parametrize(
    ("kind", "sip", "browser", "rung"),
    [
        (PhoneKind.BOTH, True, True, {"sip", "browser"}),
        (PhoneKind.BOTH, False, True, {"browser"}),
        (PhoneKind.BOTH, True, False, {"sip"}),
        (PhoneKind.SIP, True, True, {"sip"}),
        (PhoneKind.BROWSER, True, True, {"browser"}),
        (PhoneKind.BROWSER, True, False, {"sip"}),  # which refuses it: there is no other way to say so
        (PhoneKind.BOTH, False, False, {"sip"}),
    ],
)
def test_the_phones_rung_are_those_that_are_wanted_and_there(kind: PhoneKind, sip: bool, browser: bool, rung: set[str]):
    exchange = Exchange(kind, sip=sip, browser=browser)
    exchange.ring()
    assert exchange.rung == rung
    reachable = (sip and kind is not PhoneKind.BROWSER) or (browser and kind is not PhoneKind.SIP)
    assert exchange.router.reachable("anna") is reachable


def test_the_first_answer_wins_and_the_other_phone_stops():
    exchange = Exchange()
    exchange.ring()
    exchange.router.on_browser_event(LegRinging("leg"))
    exchange.router.on_sip_event(LegRinging("leg"))
    exchange.router.on_browser_event(BROWSER_ANSWER)
    assert exchange.sip.legs["leg"].cause is EndCause.ANSWERED_ELSEWHERE
    exchange.router.on_sip_event(LegRefused("leg", 487, "cancelled"))
    exchange.router.on_browser_event(LegEnded("leg", EndCause.NORMAL))
    assert exchange.events == [LegRinging("leg"), BROWSER_ANSWER, LegEnded("leg", EndCause.NORMAL)]


def test_two_answers_in_one_moment_leave_one_call():
    exchange = Exchange()
    exchange.ring()
    exchange.router.on_sip_event(SIP_ANSWER)
    exchange.router.on_browser_event(BROWSER_ANSWER)
    assert ("end", "leg", "answered_elsewhere") in exchange.browsers.orders
    exchange.router.on_browser_event(LegEnded("leg", EndCause.ANSWERED_ELSEWHERE))
    assert exchange.events == [SIP_ANSWER]
    exchange.router.end("leg", EndCause.NORMAL)
    assert exchange.sip.legs["leg"].cause is EndCause.NORMAL


def test_a_refusal_counts_when_nothing_rings_any_more():
    exchange = Exchange()
    exchange.ring()
    exchange.router.on_sip_event(LegRefused("leg", 486, "busy"))
    assert exchange.events == []
    exchange.router.on_browser_event(LegRefused("leg", 480, "gone"))
    assert exchange.events == [LegRefused("leg", 480, "gone")]
    exchange.router.on_browser_event(LegRefused("leg", 480, "gone"))


def test_to_end_a_ringing_leg_ends_it_everywhere():
    exchange = Exchange()
    exchange.ring()
    exchange.router.end("leg", EndCause.NO_ANSWER)
    assert exchange.sip.legs["leg"].state == "ended"
    assert ("end", "leg", "no_answer") in exchange.browsers.orders


def test_a_new_description_goes_to_the_phone_that_answered():
    exchange = Exchange()
    exchange.ring()
    exchange.router.on_browser_event(BROWSER_ANSWER)
    exchange.router.reoffer("leg", "hold")
    assert exchange.browsers.orders[-1] == ("reoffer", "leg", "hold")


def test_an_agent_is_reachable_until_the_last_phone_is_gone():
    exchange = Exchange()
    exchange.router.on_presence("anna")
    exchange.sip.registered.clear()
    exchange.router.on_presence("anna")
    exchange.browsers.present.clear()
    exchange.router.on_presence("anna")
    assert exchange.presence == [("anna", True), ("anna", False)]


def test_legs_that_came_in_pass_by():
    exchange = Exchange()
    offered = LegOffered("in", "carrier", None, Party("1"), Party("2"), "", "id", "127.0.0.2")
    exchange.router.on_sip_event(offered)
    assert exchange.events == [offered]
