"""The contact: one customer request from its arrival in a queue until it is over, as a table.

A contact is the same thing whether it is a call, a chat or a task; the engine does not know which.
"""

from enum import StrEnum

import msgspec

from acd.errors import IllegalTransition
from acd.events import SkillLevel
from acd.ids import AgentId, ContactId, OfferId, QueueId

EXCLUDED_LIMIT = 8
"""How many agents who refused a contact are remembered for it; one more starts the list anew."""


class ContactState(StrEnum):
    """Where a contact stands."""

    WAITING = "waiting"
    OFFERED = "offered"
    CONNECTED = "connected"
    ENDED = "ended"


class ContactTrigger(StrEnum):
    """What can happen to a contact."""

    ARRIVED = "arrived"
    OFFER_MADE = "offer made"
    OFFER_ACCEPTED = "offer accepted"
    OFFER_FAILED = "offer failed"
    LEFT = "customer left"
    FINISHED = "finished"
    QUEUE_REMOVED = "queue removed"


_S, _T = ContactState, ContactTrigger

TRANSITIONS: dict[tuple[ContactState, ContactTrigger], ContactState] = {
    (_S.WAITING, _T.OFFER_MADE): _S.OFFERED,
    (_S.WAITING, _T.LEFT): _S.ENDED,
    (_S.WAITING, _T.QUEUE_REMOVED): _S.ENDED,
    (_S.OFFERED, _T.OFFER_ACCEPTED): _S.CONNECTED,
    (_S.OFFERED, _T.OFFER_FAILED): _S.WAITING,
    (_S.OFFERED, _T.LEFT): _S.ENDED,
    (_S.OFFERED, _T.QUEUE_REMOVED): _S.ENDED,
    (_S.CONNECTED, _T.LEFT): _S.ENDED,
    (_S.CONNECTED, _T.FINISHED): _S.ENDED,
    (_S.ENDED, _T.ARRIVED): _S.WAITING,
    (_S.ENDED, _T.LEFT): _S.ENDED,
    (_S.ENDED, _T.FINISHED): _S.ENDED,
}
"""(state, what happened) -> next state. ``LEFT`` while connected is a hang-up that crossed the agent's answer."""


class Contact(msgspec.Struct, frozen=True):
    """One contact as the engine knows it. ``(-priority, arrived_at, seq)`` is its place and never changes."""

    contact_id: ContactId
    queue_id: QueueId
    arrived_at: int
    priority: int
    required_skills: tuple[SkillLevel, ...]
    """In the canonical order of ``acd.queues.strongest``."""
    seq: int
    """Settles equal priority and arrival: the order in which contacts came to the engine."""
    state: ContactState = ContactState.WAITING
    offer_id: OfferId | None = None
    agent_id: AgentId | None = None
    """The agent it is offered to or connected with."""
    excluded: tuple[AgentId, ...] = ()
    """Agents who refused it or let it ring, at most ``EXCLUDED_LIMIT``."""
    wrap_up_ms: int = 0
    """The wrap-up time it brings its agent, fixed when the offer is accepted."""

    @property
    def key(self) -> tuple[int, int, int]:
        """The place in line, smallest first."""
        return (-self.priority, self.arrived_at, self.seq)


def step(contact: Contact, trigger: ContactTrigger) -> ContactState:
    """The state after ``trigger``. Raises ``IllegalTransition`` when the table has no row."""
    after = TRANSITIONS.get((contact.state, trigger))
    if after is None:
        raise IllegalTransition("contact", contact.contact_id, contact.state, trigger)
    return after


def offered(contact: Contact, offer_id: OfferId, agent_id: AgentId) -> Contact:
    """The contact while an agent rings for it."""
    state = step(contact, ContactTrigger.OFFER_MADE)
    return msgspec.structs.replace(contact, state=state, offer_id=offer_id, agent_id=agent_id)


def connected(contact: Contact, wrap_up_ms: int) -> Contact:
    """The contact after its agent answered."""
    state = step(contact, ContactTrigger.OFFER_ACCEPTED)
    return msgspec.structs.replace(contact, state=state, offer_id=None, wrap_up_ms=wrap_up_ms)


def returned(contact: Contact, *, refused_by: AgentId | None) -> Contact:
    """The contact back in its place; ``refused_by`` is remembered, the oldest are forgotten when there are too many."""
    state = step(contact, ContactTrigger.OFFER_FAILED)
    excluded = contact.excluded
    if refused_by is not None and refused_by not in excluded:
        excluded = (*excluded, refused_by) if len(excluded) < EXCLUDED_LIMIT else (refused_by,)
    return msgspec.structs.replace(contact, state=state, offer_id=None, agent_id=None, excluded=excluded)
