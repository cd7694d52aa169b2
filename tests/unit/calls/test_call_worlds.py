"""The call machine in a world of its own: legs, routing and desks that answer late and cross each other at random.

Nothing here is impossible outside, and nothing is told apart for the machine's sake. So no event may be illegal; and
when the world has come to rest every leg is ended, routing holds no contact, there is one end with one outcome, and the
parts of each segment add up to the time it was connected.
"""

import random
from collections import Counter, deque
from collections.abc import Callable

import pytest

from acd.outcomes import OfferResult
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.facts import CallArrived, CallClosed, CallEnded, CallFact, SegmentEnded, SegmentOpened
from callcenter.calls.legs import EndCause
from callcenter.calls.machine import CallMachine
from callcenter.calls.record import fold
from callcenter.calls.segments import Seat, Target, TargetKind
from callcenter.calls.states import CallState
from callcenter.calls.table import TABLE
from callcenter.ports import TrunkPolicy

pytestmark = pytest.mark.unit

AGENTS = ("anna", "ben", "chen")
NUMBER = Target(TargetKind.NUMBER, "+12025550199", policy=TrunkPolicy(("trunk",)))
TARGETS = (
    *(Target(TargetKind.AGENT, agent, "sales") for agent in AGENTS),
    Target(TargetKind.QUEUE, "support", "support"),
    NUMBER,
)
WORLDS = 1_000


class World:
    """One call and all that surrounds it. News travel in order on three lines: of legs, of routing, of desks."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = 1_000
        self.machine = CallMachine("c1")
        self.facts: list[CallFact] = []
        self.legs: dict[str, str] = {}
        self.contacts: dict[str, str] = {}
        self.offers: dict[str, str] = {}
        self.offered: dict[str, str] = {}
        self.count = 0
        self.rings_wide = bool(self.chance.getrandbits(1))
        self.customer = "up"
        self.lines: tuple[deque[ev.CallEvent], ...] = (deque(), deque(), deque())
        self.of_legs, self.of_routing, self.of_desks = self.lines
        self.visited: set[CallState] = set()
        self.begin()

    def begin(self) -> None:
        how = self.chance.choice(("inbound", "inbound", "inbound", "desk", "phone", "back"))
        direction = "inbound" if how == "inbound" else "outbound"
        self.facts.append(CallArrived("c1", self.now, "+1", "", "+2", "t", "x", "main", direction, ""))
        target = self.chance.choice((NUMBER, TARGETS[1]))
        if how == "inbound":
            self.take(ev.QueueRequested("sales", 0, (), None))
        elif how == "desk":
            self.customer = ""
            self.take(ev.DialOrdered("anna", "sales", "own", target, "far"))
        elif how == "back":
            self.customer = ""
            self.contacts["c1"] = "kept"
            queue = ev.QueueRequested("sales", 1_000, (), None)
            self.take(ev.CallBackOrdered(queue, NUMBER, "far", "k1", 0, 9_000))
        else:
            self.customer = ""
            self.legs["own"] = "up"
            engage = self.chance.random() < 0.8
            self.take(ev.PhoneDialled("anna", "sales", "own", target, "far", engage=engage))

    def new(self, what: str) -> str:
        self.count += 1
        return f"{what}{self.count}"

    def take(self, event: ev.CallEvent) -> None:
        """Feed the machine, and do what it orders."""
        facts, effects = self.machine.receive(event, now=self.now)
        self.told(facts, effects)

    def told(self, facts: tuple[CallFact, ...], effects: tuple[fx.Effect, ...]) -> None:
        self.facts += facts
        if any(isinstance(fact, CallEnded) for fact in facts) and self.contacts.get("c1") == "kept":
            self.contacts["c1"] = "ended"  # the house withdraws it
        self.visited.add(self.machine.state)
        state = self.machine.state
        for effect in effects:
            if self.machine.state is not state:
                return
            self.obey(effect)

    def obey(self, effect: fx.Effect) -> None:  # noqa: C901 - one case for each kind of order
        match effect:
            case fx.RingAgent(leg_id=leg_id, contact_id=contact_id, engage=engage):
                if engage and not self.engage(contact_id):
                    self.take(ev.EngagementRefused(contact_id))
                else:
                    self.legs[leg_id] = "rings"
            case fx.PickUp(contact_id=contact_id, leg_id=leg_id):
                granted = self.engage(contact_id)
                if granted:
                    self.legs[leg_id] = "up"
                self.take(ev.PickUpGranted(leg_id) if granted else ev.PickUpRefused(leg_id))
            case fx.EngageAgent(contact_id=contact_id):
                if not self.engage(contact_id):
                    self.take(ev.EngagementRefused(contact_id))
            case fx.DialNumber(leg_id=leg_id):
                if leg_id == "far":
                    self.customer = "rings"
                else:
                    self.legs[leg_id] = "rings"
            case fx.EndAgent(leg_id=leg_id):
                was, self.legs[leg_id] = self.legs.get(leg_id, "ended"), "ended"
                if was == "rings":
                    self.of_legs.append(ev.AgentRefused(leg_id, 487))
                elif was == "up":
                    self.of_legs.append(ev.AgentGone(leg_id, EndCause.NORMAL))
            case fx.EndCustomer():
                if self.customer in {"up", "rings"}:
                    answered = self.customer == "up"
                    self.of_legs.append(ev.CustomerGone(EndCause.NORMAL) if answered else ev.CustomerRefused(487))
                self.customer = "ended"
            case _:
                self.tell_routing(effect)

    def engage(self, contact_id: str) -> bool:
        if self.chance.random() < 0.2:
            return False
        assert self.contacts.get(contact_id) is None
        self.contacts[contact_id] = "connected"
        return True

    def tell_routing(self, effect: fx.Effect) -> None:
        match effect:
            case fx.GreetCustomer():
                self.of_legs.append(ev.Greeted())
            case fx.ReportPresent(contact_id=contact_id):
                if self.contacts[contact_id] != "ended":
                    assert self.contacts[contact_id] == "kept"
                    self.contacts[contact_id] = "waiting"
            case fx.RequestAgent(contact_id=contact_id):
                assert self.contacts.get(contact_id, "ended") == "ended"
                self.contacts[contact_id] = "waiting"
            case fx.LeaveQueue(contact_id=contact_id):
                self.withdraw(contact_id, OfferResult.WITHDRAWN)
                self.contacts[contact_id] = "ended"
            case fx.ReportAccepted(offer_id=offer_id, contact_id=contact_id):
                if offer_id in self.offers:
                    del self.offers[offer_id]
                    self.withdraw(contact_id, OfferResult.WITHDRAWN)  # the other phones, before the good news
                    self.contacts[contact_id] = "connected"
                    self.of_routing.append(ev.OfferConfirmed(offer_id))
                else:
                    self.of_routing.append(ev.OfferTooLate(offer_id))
            case fx.ReportDeclined(offer_id=offer_id):
                contact_id = self.offers.pop(offer_id, "")
                if contact_id:
                    self.give_back(contact_id)
                    self.of_routing.append(ev.OfferTakenBack(offer_id, OfferResult.DECLINED))
            case fx.ReportFinished(contact_id=contact_id):
                assert self.contacts.get(contact_id) in {"connected", "ended"}, f"{contact_id} was never connected"
                self.contacts[contact_id] = "ended"
            case _:
                pass

    def withdraw(self, contact_id: str, result: OfferResult) -> None:
        for offer_id in [each for each, contact in self.offers.items() if contact == contact_id]:
            del self.offers[offer_id]
            self.of_routing.append(ev.OfferTakenBack(offer_id, result))

    def give_back(self, contact_id: str) -> None:
        if contact_id not in self.offers.values():
            self.contacts[contact_id] = "waiting"

    # What happens.

    def step(self) -> None:
        deeds: tuple[Callable[[], None], ...] = (
            *(self.deliver,) * 6,
            *(self.leg_moves,) * 3,
            *(self.routing_moves,) * 3,
            *(self.desk_moves,) * 3,
            self.customer_moves,
            self.time_passes,
        )
        self.chance.choice(deeds)()

    def deliver(self) -> None:
        waiting = [line for line in self.lines if line]
        if waiting:
            self.take(self.chance.choice(waiting).popleft())

    def leg_moves(self) -> None:
        alive = [leg for leg, state in self.legs.items() if state != "ended"]
        if not alive:
            return
        leg = self.chance.choice(alive)
        if self.legs[leg] == "up":
            if self.chance.random() < 0.12:
                self.legs[leg] = "ended"
                self.of_legs.append(ev.AgentGone(leg, EndCause.NORMAL))
        elif self.chance.random() < 0.7:
            self.legs[leg] = "up"
            self.of_legs += [ev.AgentRinging(leg), ev.AgentAnswered(leg)]
        else:
            self.legs[leg] = "ended"
            self.of_legs.append(ev.AgentRefused(leg, self.chance.choice((404, 486, 603))))

    def customer_moves(self) -> None:
        if self.customer == "rings":
            answered = self.chance.random() < 0.7
            self.customer = "up" if answered else "ended"
            self.of_legs += [ev.CustomerRinging(), ev.CustomerAnswered() if answered else ev.CustomerRefused(486)]
        elif self.customer == "up" and self.chance.random() < 0.12:
            self.customer = "ended"
            self.of_legs.append(ev.CustomerGone(EndCause.NORMAL))

    def routing_moves(self) -> None:
        waiting = [contact for contact, state in self.contacts.items() if state == "waiting"]
        if self.rings_wide:
            waiting += [contact for contact, state in self.contacts.items() if state == "offered"]
        if self.contacts.get("c1") == "kept":
            if self.chance.random() < 0.05:
                self.contacts["c1"] = "ended"
                self.of_routing.append(ev.QueueVanished("c1"))
            return
        if self.offers and self.chance.random() < 0.2:
            offer_id = self.chance.choice(list(self.offers))
            contact_id = self.offers.pop(offer_id)
            self.give_back(contact_id)
            self.of_routing.append(ev.OfferTakenBack(offer_id, OfferResult.EXPIRED))
        elif waiting:
            contact_id = self.chance.choice(waiting)
            if self.contacts[contact_id] == "offered" or self.chance.random() < 0.75:
                offer_id = self.new("o")
                self.offers[offer_id], self.contacts[contact_id] = contact_id, "offered"
                agent = self.chance.choice(AGENTS)
                self.of_routing.append(
                    ev.AgentOffered(offer_id, agent, "sales", self.now + 9, self.new("leg"), contact_id)
                )
            else:
                self.contacts[contact_id] = "ended"
                target = self.chance.choice(("", "queue:other"))
                gone = (ev.QueueVanished(contact_id), ev.QueueOverflowed(target, "plan_over", contact_id))
                self.of_routing.append(self.chance.choice(gone))

    def desk_moves(self) -> None:
        if self.machine.search is not None and self.chance.random() < 0.85:
            return  # people mostly wait until somebody answers
        contact = self.chance.choice(["", "", "", *self.contacts])
        target = self.chance.choice(TARGETS)
        party = Seat(self.new("leg"), self.new("d."), "chen", "sales")
        orders: tuple[ev.CallEvent, ...] = (
            ev.HoldOrdered(contact),
            ev.ResumeOrdered(contact),
            ev.TransferOrdered(target, self.new("leg"), contact, self.chance.choice(("", "own"))),
            ev.ConsultOrdered(target, self.new("leg"), contact),
            ev.CompleteOrdered(contact),
            ev.CancelOrdered(contact),
            ev.SwapOrdered(contact),
            ev.ConferenceOrdered(contact),
            ev.ParkOrdered("701", self.now + 50, contact),
            ev.RetrieveOrdered("ben", "sales", self.new("leg")),
            ev.DeclineOrdered(contact),
            ev.HangUpOrdered(contact),
            ev.PartyBrought(party, "own"),
            ev.PickedUp(self.new("leg"), "chen", "sales"),
        )
        fitting = [each for each in orders if TABLE[self.machine.state, type(each)].act is not None]
        order = self.chance.choice(fitting if fitting and self.chance.random() < 0.7 else orders)
        if isinstance(order, ev.PartyBrought):  # joined in one breath, so that the party exists only if it is taken
            if self.machine.state in {CallState.TALKING, CallState.HELD}:
                self.legs[party.leg_id], self.contacts[party.contact_id] = "up", "connected"
                self.take(order)
        elif isinstance(order, ev.PickedUp):
            inside = self.machine.state is CallState.CALLING and self.machine.colleague is not None
            if inside or self.machine.state in {CallState.HELD, CallState.PARKED}:  # the rest is refused before
                self.take(order)
        else:
            self.of_desks.append(order)

    def time_passes(self) -> None:
        self.now += self.chance.choice((1, 10, 1_000, 50_000))
        deadline = self.machine.next_deadline()
        if deadline is not None and deadline <= self.now:
            self.told(*self.machine.handle_timer(now=self.now))

    def come_to_rest(self) -> None:
        """The customer leaves, and all news arrive."""
        if self.customer == "up":
            self.customer = "ended"
            self.of_legs.append(ev.CustomerGone(EndCause.NORMAL))
        while any(self.lines):
            self.deliver()
        if self.machine.state is not CallState.ENDED:
            self.take(ev.ShutdownOrdered())
        while any(self.lines):
            self.deliver()


def lived(seed: int) -> World:
    world = World(seed)
    for _ in range(world.chance.randrange(10, 120)):
        world.now += world.chance.randrange(3)
        world.step()
    world.come_to_rest()
    return world


def check(world: World) -> None:
    machine = world.machine
    assert machine.state is CallState.ENDED
    assert {leg for leg, state in world.legs.items() if state != "ended"} == set()
    assert world.customer in {"ended", ""}
    assert {contact for contact, state in world.contacts.items() if state != "ended"} == set()
    assert (machine.agent, machine.consulted, machine.colleague, machine.search) == (None,) * 4
    assert machine.offers == {}
    ends = [fact for fact in world.facts if isinstance(fact, CallEnded)]
    assert ends == world.facts[-1:]
    assert not [fact for fact in world.facts if isinstance(fact, CallClosed)]
    opened = Counter(fact.contact_id for fact in world.facts if isinstance(fact, SegmentOpened))
    ended = Counter(fact.contact_id for fact in world.facts if isinstance(fact, SegmentEnded))
    ended.pop("c1", None)
    assert ended == opened
    assert set(opened.values()) <= {1}
    record = fold(world.facts)
    for segment in record.segments:
        connected = 0 if segment.connected_at is None else segment.ended_at - segment.connected_at
        assert segment.talk_ms + segment.hold_ms + segment.consult_ms == connected
        assert min(segment.talk_ms, segment.hold_ms, segment.consult_ms, segment.waited_ms) >= 0
    assert 0 <= record.talk_ms + record.hold_ms <= record.ended_at - record.arrived_at
    assert (record.connected_at is not None) == (record.outcome == "answered")


def test_nothing_is_left_of_any_world() -> None:
    visited: set[CallState] = set()
    for seed in range(WORLDS):
        world = lived(seed)
        try:
            check(world)
        except AssertionError as error:
            raise AssertionError(f"world {seed}: {error}") from error
        visited |= world.visited
    assert len(visited) >= len(CallState) - 4, "these worlds are too dull to prove anything"
    assert {state for state, _ in TABLE} == set(CallState)
