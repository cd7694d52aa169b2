"""Races around one answer: hang-up, answer, transfer, pause, log-out, time-out and RONA in any order chance finds.

One interleaving is a small floor, a dozen events that crowd into the same moments, and then the end: everybody leaves.
After each event the books are checked, after each story that nothing is left: no zombie offer, no stuck agent, no
pending deadline.
"""

import random
from dataclasses import dataclass, field

from acd.contacts import ContactState
from acd.engine import Acd
from acd.errors import AcdError
from acd.events import (
    AgentClientLost,
    AgentEngaged,
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedIn,
    AgentSignedOut,
    AgentSpec,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    DeclineCause,
    Event,
    FloorConfigured,
    OfferAccepted,
    OfferDeclined,
    QueueSpec,
    RingStyle,
    WrapUpFinished,
)
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.outcomes import AgentState, OfferContact, OfferEnded, Outcome
from acd.route_plans import RoutePlan, RouteStep, preferred_agent
from tests.support.acd_invariants import check_places, check_work_conservation

RING_MS = 1_000
WRAP_UP_MS = 500
AGENTS = tuple(AgentId(name) for name in ("a", "b", "c"))
CONTACTS = tuple(ContactId(name) for name in ("k", "l", "m"))
QUEUE = QueueId("q")
STEPS = (0, 0, 0, 1, WRAP_UP_MS - 1, WRAP_UP_MS, RING_MS - 1, RING_MS, RING_MS + 1)
"""How much later the next event comes: mostly at the same instant, else just before or after a deadline."""


@dataclass
class Races:
    """One floor in one interleaving. ``violations`` are left to the caller: everything here asserts."""

    dice: random.Random
    acd: Acd = field(default_factory=Acd)
    now: int = 1_000
    standing: dict[OfferId, AgentId] = field(default_factory=dict)
    """Offers made and not ended, by what was told."""
    made: int = 0

    def live(self, events: int = 12) -> None:
        """The whole story."""
        self._open()
        for _ in range(events):
            self.now += self.dice.choice(STEPS)
            self._take(list(self.acd.handle_timer(now=self.now)))
            self.tell(self._deed())
        check_places(self.acd)
        check_work_conservation(self.acd)
        self._close()

    def tell(self, event: Event) -> None:
        """One event; what the engine refuses changes nothing."""
        try:
            self._take(list(self.acd.receive(event, now=self.now)))
        except AcdError:
            return

    def _open(self) -> None:
        ring = self.dice.choice((RingStyle.ONE, RingStyle.ONE, RingStyle.ALL, RingStyle.PROGRESSIVELY))
        spec = QueueSpec(QUEUE, "q", ring_timeout_ms=RING_MS, wrap_up_ms=WRAP_UP_MS, ring=ring, ring_step_ms=400)
        self.tell(FloorConfigured((spec,), tuple(AgentSpec(each, each, (QUEUE,)) for each in AGENTS)))
        for agent_id in AGENTS[: self.dice.randint(1, 3)]:
            self.tell(AgentSignedIn(agent_id))
            self.tell(AgentMadeReady(agent_id))
        self.tell(ContactArrived(CONTACTS[0], QUEUE, self.now))

    def _deed(self) -> Event:
        dice, acd = self.dice, self.acd
        agent_id, contact_id = dice.choice(AGENTS), dice.choice(CONTACTS)
        offers = list(self.standing) or [OfferId(f"o{dice.randint(1, 4)}")]
        offer_id = dice.choice(offers) if dice.random() < 0.9 else OfferId(f"o{dice.randint(1, max(1, self.made))}")
        talking = [each.contact_id for each in acd.contacts() if each.state is ContactState.CONNECTED]
        match dice.randrange(14):
            case 0 | 1:
                return ContactLeft(contact_id)
            case 2 | 3 | 4:
                return OfferAccepted(offer_id)
            case 5:
                return OfferDeclined(offer_id, dice.choice(list(DeclineCause)))
            case 6:
                return ContactFinished(dice.choice(talking) if talking else contact_id)
            case 7:  # a transfer: the customer asks for one agent, the first one is free
                plan = RoutePlan((preferred_agent(agent_id, RING_MS), RouteStep()))
                return ContactArrived(contact_id, QUEUE, self.now, plan=plan)
            case 8:
                return ContactArrived(contact_id, QUEUE, self.now)
            case 9:
                return AgentMadeNotReady(agent_id, "lunch")
            case 10:
                return AgentSignedOut(agent_id) if dice.random() < 0.5 else AgentSignedIn(agent_id)
            case 11:
                return WrapUpFinished(agent_id)
            case 12:
                return AgentClientLost(agent_id) if dice.random() < 0.3 else AgentEngaged(agent_id, ContactId("own"))
            case _:
                return AgentMadeReady(agent_id)

    def _take(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, OfferContact):
                assert outcome.offer_id not in self.standing, "an offer was made twice"
                assert outcome.agent_id not in self.standing.values(), "two offers at one agent"
                self.standing[outcome.offer_id] = outcome.agent_id
                self.made += 1
            elif isinstance(outcome, OfferEnded):
                assert self.standing.pop(outcome.offer_id) == outcome.agent_id, "an offer ended that did not stand"
        assert self.standing == {offer.offer_id: offer.agent_id for offer in self.acd.offers()}, "a zombie offer"

    def _close(self) -> None:
        for contact in self.acd.contacts():
            self.tell(ContactLeft(contact.contact_id))
            self.tell(ContactFinished(contact.contact_id))
        self.now += RING_MS + WRAP_UP_MS
        self._take(list(self.acd.handle_timer(now=self.now)))
        assert self.standing == {}
        assert self.acd.contacts() == ()
        assert self.acd.next_deadline() is None, "a deadline is pending for nobody"
        for agent in self.acd.agents():
            assert agent.state not in {AgentState.OFFERED, AgentState.BUSY, AgentState.WRAP_UP}, "an agent is stuck"
            assert agent.contact_id is None
