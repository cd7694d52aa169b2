"""A second engine, as plain as can be: lists that are scanned, no offers that stand, no timers.

It speaks the language of ``acd.engine.Acd`` as far as a simulated floor needs it on which everybody answers at once and
wrap-up is drawn. With both rules kept it must do what the real one does, contact by contact; with a rule broken it
shows that whoever judges a simulation notices.
"""

from collections.abc import Callable, Sequence

from acd.events import (
    AgentMadeReady,
    AgentSignedIn,
    AgentSpec,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    Event,
    FloorConfigured,
    OfferAccepted,
)
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.outcomes import AgentState, AgentStateChanged, ContactAssigned, Decision, OfferContact, Outcome

_DECISION = Decision(rule="plain", candidates=1, winner_key="", runner_up=None, runner_up_key=None)


class PlainEngine:
    """One floor. ``newest_contact`` and ``newest_agent`` break the rule that the one who came first is next."""

    def __init__(self, *, newest_contact: bool = False, newest_agent: bool = False) -> None:
        self._newest_contact, self._newest_agent = newest_contact, newest_agent
        self._specs: dict[AgentId, AgentSpec] = {}
        self._idle: list[AgentId] = []
        self._waiting: list[ContactArrived] = []
        self._offers: dict[OfferId, tuple[ContactArrived, AgentId]] = {}
        self._talking: dict[ContactId, AgentId] = {}
        self._made = 0
        self._reactions: dict[type, Callable[[Event, int], list[Outcome]]] = {
            FloorConfigured: self._configure,
            AgentSignedIn: lambda event, now: [],
            AgentMadeReady: self._ready,
            ContactArrived: self._arrive,
            ContactLeft: self._leave,
            OfferAccepted: self._accept,
            ContactFinished: self._finish,
        }

    def receive(self, event: Event, *, now: int) -> Sequence[Outcome]:
        """Take one fact."""
        return self._reactions[type(event)](event, now)

    def next_deadline(self) -> int | None:
        """Never anything."""
        return None

    def handle_timer(self, *, now: int) -> Sequence[Outcome]:
        """Nothing."""
        return []

    def _configure(self, event: Event, now: int) -> list[Outcome]:
        assert isinstance(event, FloorConfigured)
        self._specs = {spec.agent_id: spec for spec in event.agents}
        return []

    def _ready(self, event: Event, now: int) -> list[Outcome]:
        assert isinstance(event, AgentMadeReady)
        return self._free(event.agent_id, now)

    def _arrive(self, event: Event, now: int) -> list[Outcome]:
        assert isinstance(event, ContactArrived)
        fitting = [agent_id for agent_id in self._idle if self._fits(agent_id, event)]
        if not fitting:
            self._waiting.append(event)
            return []
        agent_id = fitting[-1 if self._newest_agent else 0]
        self._idle.remove(agent_id)
        return [self._offer(event, agent_id, now)]

    def _leave(self, event: Event, now: int) -> list[Outcome]:
        assert isinstance(event, ContactLeft)
        self._waiting = [contact for contact in self._waiting if contact.contact_id != event.contact_id]
        return []

    def _accept(self, event: Event, now: int) -> list[Outcome]:
        assert isinstance(event, OfferAccepted)
        contact, agent_id = self._offers.pop(event.offer_id)
        self._talking[contact.contact_id] = agent_id
        return [
            ContactAssigned(
                event.offer_id, contact.contact_id, agent_id, contact.queue_id, max(0, now - contact.arrived_at)
            ),
            AgentStateChanged(agent_id, AgentState.BUSY, now, contact_id=contact.contact_id),
        ]

    def _finish(self, event: Event, now: int) -> list[Outcome]:
        assert isinstance(event, ContactFinished)
        return self._free(self._talking.pop(event.contact_id), now)

    def _free(self, agent_id: AgentId, now: int) -> list[Outcome]:
        said: list[Outcome] = [AgentStateChanged(agent_id, AgentState.READY, now)]
        fitting = [contact for contact in self._waiting if self._fits(agent_id, contact)]
        if not fitting:
            self._idle.append(agent_id)
            return said
        most_urgent = max(contact.priority for contact in fitting)
        urgent = [contact for contact in fitting if contact.priority == most_urgent]
        contact = urgent[-1 if self._newest_contact else 0]
        self._waiting.remove(contact)
        return [*said, self._offer(contact, agent_id, now)]

    def _offer(self, contact: ContactArrived, agent_id: AgentId, now: int) -> Outcome:
        self._made += 1
        offer_id = OfferId(f"p{self._made}")
        self._offers[offer_id] = (contact, agent_id)
        return OfferContact(offer_id, contact.contact_id, agent_id, QueueId(contact.queue_id), now, _DECISION)

    def _fits(self, agent_id: AgentId, contact: ContactArrived) -> bool:
        spec = self._specs[agent_id]
        return contact.queue_id in spec.queue_ids and all(
            any(held.skill == wanted.skill and held.level >= wanted.level for held in spec.skills)
            for wanted in contact.required_skills
        )
