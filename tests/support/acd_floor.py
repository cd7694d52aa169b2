"""A small floor to talk to: builds the configuration, keeps the time, remembers what was said."""

from collections.abc import Sequence
from typing import TypeVar

from acd.agents import Agent
from acd.contacts import Contact
from acd.engine import Acd
from acd.events import (
    AgentMadeReady,
    AgentSignedIn,
    AgentSpec,
    ContactArrived,
    Event,
    FloorConfigured,
    OfferAccepted,
    QueueSpec,
    SkillLevel,
)
from acd.ids import AgentId, ContactId, QueueId
from acd.offers import Offer
from acd.outcomes import Outcome
from acd.route_plans import RoutePlan, RouteStep, StepGuard

RING_MS = 20_000
WRAP_UP_MS = 30_000

Kind = TypeVar("Kind", bound=Outcome)


def skills(text: str) -> tuple[SkillLevel, ...]:
    """``"en2 zh1"`` as skills."""
    return tuple(SkillLevel(word[:-1], int(word[-1])) for word in text.split())


def queue(queue_id: str, *, ring_timeout_ms: int = RING_MS, wrap_up_ms: int = WRAP_UP_MS) -> QueueSpec:
    """A queue named like its id."""
    return QueueSpec(QueueId(queue_id), queue_id, ring_timeout_ms, wrap_up_ms)


def agent(agent_id: str, queues: str = "q", held: str = "") -> AgentSpec:
    """An agent named like the id; queues are space-separated."""
    return AgentSpec(AgentId(agent_id), agent_id, tuple(QueueId(q) for q in queues.split()), skills(held))


def step(demand: str = "", until_ms: int | None = None, *, priority: int = 0, min_idle: int = 0) -> RouteStep:
    """A step without a guard."""
    return RouteStep(demand, until_ms, priority, min_idle=min_idle)


def guarded(demand: str, until_ms: int | None = None, guard: StepGuard = StepGuard.AT_WORK) -> RouteStep:
    """A step that ends when nobody is there for it."""
    return RouteStep(demand, until_ms, guard=guard)


def plan(*steps: RouteStep, otherwise: str | None = None) -> RoutePlan:
    """A plan of these steps."""
    return RoutePlan(steps, otherwise)


class Floor:
    """An engine with its clock. ``now`` may be set; every event happens one millisecond after the one before."""

    def __init__(
        self,
        *agents: AgentSpec,
        queues: Sequence[QueueSpec] = (queue("q"),),
        priority_worth_ms: int | None = None,
    ) -> None:
        self.acd = Acd()
        self.now = 1_000_000
        self.tell(FloorConfigured(tuple(queues), agents, priority_worth_ms))

    def tell(self, event: Event) -> list[Outcome]:
        """One event, one millisecond later."""
        self.now += 1
        return list(self.acd.receive(event, now=self.now))

    def wait(self, elapsed_ms: int) -> list[Outcome]:
        """Time passes; then the timer fires."""
        self.now += elapsed_ms
        return list(self.acd.handle_timer(now=self.now))

    def ready(self, *agent_ids: str) -> list[Outcome]:
        """These agents sign in and ask for work, one after the other; what the last one's wish led to."""
        said: list[Outcome] = []
        for agent_id in agent_ids:
            self.tell(AgentSignedIn(AgentId(agent_id)))
            said = self.tell(AgentMadeReady(AgentId(agent_id)))
        return said

    def arrive(
        self,
        contact_id: str,
        queue_id: str = "q",
        *,
        priority: int = 0,
        required: str = "",
        arrived_at: int | None = None,
        plan: RoutePlan | None = None,
    ) -> list[Outcome]:
        """A contact arrives, just now unless ``arrived_at`` says otherwise."""
        at = self.now + 1 if arrived_at is None else arrived_at
        return self.tell(ContactArrived(ContactId(contact_id), QueueId(queue_id), at, priority, skills(required), plan))

    def connect(self, contact_id: str, queue_id: str = "q") -> list[Outcome]:
        """A contact arrives and the agent who rings answers."""
        self.arrive(contact_id, queue_id)
        return self.tell(OfferAccepted(self.offer(contact_id).offer_id))

    def offer(self, contact_id: str) -> Offer:
        """The offer that stands for this contact."""
        return next(offer for offer in self.acd.offers() if offer.contact_id == contact_id)

    def agent(self, agent_id: str) -> Agent:
        """This agent's record."""
        return next(agent for agent in self.acd.agents() if agent.agent_id == agent_id)

    def contact(self, contact_id: str) -> Contact:
        """This contact's record."""
        return next(contact for contact in self.acd.contacts() if contact.contact_id == contact_id)

    def pairs(self) -> dict[str, str]:
        """Who rings for whom: contact id -> agent id."""
        return {offer.contact_id: offer.agent_id for offer in self.acd.offers()}


def only(said: Sequence[Outcome], kind: type[Kind]) -> Kind:
    """The one outcome of this kind."""
    (found,) = of(said, kind)
    return found


def of(said: Sequence[Outcome], kind: type[Kind]) -> list[Kind]:
    """The outcomes of this kind, in order."""
    return [outcome for outcome in said if isinstance(outcome, kind)]


def names(said: Sequence[Outcome]) -> list[str]:
    """The kinds of the outcomes, in order."""
    return [type(outcome).__name__ for outcome in said]
