"""INVITE with Replaces (RFC 3891): which leg is meant, who may ask, and what is answered; and what lamps tell of it."""

import re

import pytest

from callcenter.calls.legs import EndCause, LegOffered, LegRefused, Party
from callcenter.ports import PhoneTarget
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.outbound import Target
from tests.support.sip_wire import EXCHANGE, Network, exchange_on, phone_on, register
from tests.unit.sip.test_sip_trunks import SDP

pytestmark = pytest.mark.unit
ANNA, BEN = ("10.0.2.1", 5060), ("10.0.2.2", 5060)
FLOW = Flow(Transport.UDP, EXCHANGE)


class Floor:
    """Anna's phone is rung by the exchange; ben's watches its lamp."""

    def __init__(self) -> None:
        self.network = Network()
        self.exchange = exchange_on(self.network, anna="a1", ben="b1")
        self.anna, self.ben = phone_on(self.network, ANNA, "anna"), phone_on(self.network, BEN, "ben")
        register(self.network, ANNA, self.anna, "anna")
        register(self.network, BEN, self.ben, "ben")
        self.network.drop = lambda data: data.startswith(b"NOTIFY")  # this phone knows no lamps, and would refuse
        own = "<sip:ben@10.0.0.1>"
        subscribe = self.ben.send(
            "SUBSCRIBE",
            "sip:anna@10.0.0.1",
            FLOW,
            "watch",
            self.network.now,
            from_=own,
            to="<sip:anna@10.0.0.1>",
            call_id="watch",
            headers=(("Event", "dialog"), ("Expires", "600"), ("Contact", self.ben.wire.contact(FLOW))),
        )
        self.network.perform(BEN, subscribe)
        self.network.run(500)

    def ring(self, *, rings: bool = True) -> None:
        target = PhoneTarget("a1")
        order = self.exchange.ring_agent("L", target, Party("+4930123"), SDP, self.network.now)
        self.network.perform(EXCHANGE, order)
        self.network.run(100)
        if rings:
            (offered,) = [one for one in self.network.events(ANNA) if isinstance(one, LegOffered)]
            self.network.perform(ANNA, self.anna.ring(offered.leg_id, self.network.now))
            self.network.run(100)

    def answer(self) -> None:
        (offered,) = [one for one in self.network.events(ANNA) if isinstance(one, LegOffered)]
        self.network.perform(ANNA, self.anna.answer(offered.leg_id, SDP, self.network.now))
        self.network.run(100)

    def lamp(self) -> tuple[str, str, str]:
        """Call-ID, local and remote tag of what the lamp shows."""
        body = [data for data in self.network.sent_by(EXCHANGE, "NOTIFY") if b"dialog-info" in data][-1].decode()
        found = re.search(r'call-id="([^"]+)" local-tag="([^"]+)" remote-tag="([^"]+)"', body)
        assert found, body
        return found[1], found[2], found[3]

    def pick_up(self, replaces: str, phone=None, address=BEN, user: str = "ben", extra: tuple = ()) -> None:
        target = Target(f"sip:anna@{EXCHANGE[0]}", FLOW)
        order = (self.ben if phone is None else phone).invite(
            f"pick-{self.network.now}",
            [target],
            from_=f"<sip:{user}@10.0.0.1>",
            to="<sip:anna@10.0.0.1>",
            sdp=SDP,
            now=self.network.now,
            headers=(("Replaces", replaces), ("Require", "replaces"), *extra),
        )
        self.network.perform(address, order)
        self.network.run(1_000)

    def refused(self, address=BEN) -> list[int]:
        return [one.status for one in self.network.events(address) if isinstance(one, LegRefused)]

    def offered(self) -> list[LegOffered]:
        return [one for one in self.network.events(EXCHANGE) if isinstance(one, LegOffered)]


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("early_only", ["", ";early-only"])
def test_what_a_lamp_tells_is_enough_to_pick_up_what_rings(swapped, early_only):
    floor = Floor()
    floor.ring()
    call_id, local, remote = floor.lamp()
    to_tag, from_tag = (remote, local) if swapped else (local, remote)
    floor.pick_up(f"{call_id};to-tag={to_tag};from-tag={from_tag}{early_only}")
    (offered,) = floor.offered()
    assert (offered.agent_id, offered.replaces_leg_id) == ("b1", "L")
    assert not floor.refused()


def test_an_answered_call_may_be_taken_over_but_not_where_only_what_rings_is_wanted():
    floor = Floor()
    floor.ring()
    floor.answer()
    call_id, local, remote = floor.lamp()
    named = f"{call_id};to-tag={local};from-tag={remote}"
    floor.pick_up(f"{named};early-only")
    assert (floor.refused(), floor.offered()) == ([486], [])
    floor.pick_up(named)
    assert [one.replaces_leg_id for one in floor.offered()] == ["L"]


def test_what_is_not_there_or_over_is_481_and_two_at_once_400():
    floor = Floor()
    floor.ring()
    call_id, local, remote = floor.lamp()
    named = f"{call_id};to-tag={local};from-tag={remote}"
    floor.pick_up(f"{call_id};to-tag={local};from-tag=guessed")
    floor.pick_up(f"other;to-tag={local};from-tag={remote}")
    floor.pick_up(named, extra=(("Replaces", named),))
    floor.network.perform(EXCHANGE, floor.exchange.end("L", EndCause.CANCELLED, floor.network.now))
    floor.network.run(100)
    floor.pick_up(named)
    assert (floor.refused(), floor.offered()) == ([481, 481, 400, 481], [])


def test_an_early_dialog_that_the_far_end_began_is_481():
    floor = Floor()
    target = Target(f"sip:5000@{EXCHANGE[0]}", FLOW)
    order = floor.anna.invite(
        "A", [target], from_="<sip:anna@10.0.0.1>", to="<sip:5000@10.0.0.1>", sdp=SDP, now=floor.network.now
    )
    floor.network.perform(ANNA, order)
    floor.network.run(300)
    (mine,) = floor.offered()
    floor.network.perform(EXCHANGE, floor.exchange.ring(mine.leg_id, floor.network.now))
    floor.network.run(100)
    call_id, local, remote = floor.lamp()
    floor.pick_up(f"{call_id};to-tag={local};from-tag={remote}")
    assert floor.refused() == [481]
    assert len(floor.offered()) == 1


def test_who_proves_nothing_picks_up_nothing_and_a_trunk_neither():
    floor = Floor()
    floor.ring()
    call_id, local, remote = floor.lamp()
    named = f"{call_id};to-tag={local};from-tag={remote}"
    stranger, place = phone_on(floor.network, ("10.0.9.9", 5060), "ben", "wrong"), ("10.0.9.9", 5060)
    floor.pick_up(named, stranger, place)
    assert floor.refused(place) == [401]
    carrier, line = phone_on(floor.network, ("10.0.1.1", 5060), "carrier"), ("10.0.1.1", 5060)
    floor.pick_up(named, carrier, line, "carrier")
    assert floor.refused(line) == [403]
    assert floor.offered() == []


def test_a_phone_that_does_not_ring_yet_cannot_be_picked_up_by_tags():
    floor = Floor()
    floor.ring(rings=False)
    assert not [data for data in floor.network.sent_by(EXCHANGE, "NOTIFY") if b"local-tag" in data]
    assert not floor.exchange._legs._early
