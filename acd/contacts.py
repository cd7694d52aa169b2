"""The contact: one customer request from its arrival in a queue until it is over, as a table.

A contact is the same thing whether it is a call, a chat or an e-mail; its channel only says how much of an agent it
takes.
"""

from enum import StrEnum

import msgspec

from acd.errors import IllegalTransition
from acd.events import Channel, SkillLevel
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.route_plans import RoutePlan, RouteStep
from acd.wrap_ups import WrapUpRule

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
    ONE_OFFER_FAILED = "one of several offers failed"
    OFFER_FAILED = "offer failed"
    LEFT = "customer left"
    FINISHED = "finished"
    RETURNED = "given back, or moved"
    QUEUE_REMOVED = "queue removed"
    SENT_AWAY = "not let in, or plan over"


_S, _T = ContactState, ContactTrigger

TRANSITIONS: dict[tuple[ContactState, ContactTrigger], ContactState] = {
    (_S.WAITING, _T.OFFER_MADE): _S.OFFERED,
    (_S.WAITING, _T.LEFT): _S.ENDED,
    (_S.WAITING, _T.QUEUE_REMOVED): _S.ENDED,
    (_S.WAITING, _T.SENT_AWAY): _S.ENDED,
    (_S.WAITING, _T.RETURNED): _S.WAITING,
    (_S.OFFERED, _T.OFFER_MADE): _S.OFFERED,
    (_S.OFFERED, _T.ONE_OFFER_FAILED): _S.OFFERED,
    (_S.OFFERED, _T.OFFER_ACCEPTED): _S.CONNECTED,
    (_S.OFFERED, _T.OFFER_FAILED): _S.WAITING,
    (_S.OFFERED, _T.RETURNED): _S.WAITING,
    (_S.OFFERED, _T.LEFT): _S.ENDED,
    (_S.OFFERED, _T.QUEUE_REMOVED): _S.ENDED,
    (_S.CONNECTED, _T.RETURNED): _S.WAITING,
    (_S.CONNECTED, _T.LEFT): _S.ENDED,
    (_S.CONNECTED, _T.FINISHED): _S.ENDED,
    (_S.ENDED, _T.ARRIVED): _S.WAITING,
    (_S.ENDED, _T.LEFT): _S.ENDED,
    (_S.ENDED, _T.FINISHED): _S.ENDED,
}
"""(state, what happened) -> next state. ``LEFT`` while connected is a hang-up that crossed the agent's answer."""


EVERYBODY = RouteStep()
"""The one step of a contact that has no plan."""


class Contact(msgspec.Struct, frozen=True):
    """One contact as the engine knows it."""

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
    """The first offer that stands."""
    agent_id: AgentId | None = None
    """The agent it is first offered to, or connected with."""
    further_offers: tuple[OfferId, ...] = ()
    """The other standing offers of a queue that rings several agents."""
    rung_since: int | None = None
    """When the first of the agents that ring now began to."""
    excluded: tuple[AgentId, ...] = ()
    """Agents who refused it or let it ring, at most ``EXCLUDED_LIMIT``."""
    wrap_up_ms: int = 0
    """The wrap-up time it brings its agent, fixed when the offer is accepted."""
    wrap_up: WrapUpRule | None = None
    """How that wrap-up ends; ``None`` is the plain timed one."""

    key: tuple[int, int, int] = (0, 0, 0)
    """The place in line, smallest first; see ``place``. It does not change while a step of the plan holds."""
    plan: RoutePlan | None = None
    step: int = 0
    """Which step of the plan holds, counted from 0."""
    plan_since: int = 0
    """When the contact entered its plan: what ``RouteStep.until_ms`` counts from."""
    step_until: int | None = None
    """When the step that holds ends."""
    matured_ms: int = 0
    """The longest delay of a second line that the contact has waited out."""
    matures_at: int | None = None
    """When it has waited out the next one."""

    identity: str | None = None
    """Whoever calls; finds the place again after hanging up, in a queue that keeps it."""
    channel: Channel = Channel.VOICE
    reserve_ms: int | None = None
    """How long an agent is kept for a customer who is not there yet; ``None``: none is kept."""
    is_away: bool = False
    """Whether nobody is at the other end yet."""

    @property
    def moves_at(self) -> int | None:
        """When its demand changes without anybody doing anything."""
        if self.step_until is None or self.matures_at is None:
            return self.step_until if self.matures_at is None else self.matures_at
        return min(self.step_until, self.matures_at)

    @property
    def standing_offers(self) -> tuple[OfferId, ...]:
        """Every offer that stands for it, in the order they were made."""
        return () if self.offer_id is None else (self.offer_id, *self.further_offers)

    @property
    def route_step(self) -> RouteStep:
        """The step that holds."""
        return EVERYBODY if self.plan is None else self.plan.steps[self.step]


def place(contact: Contact, weight: int, priority_worth_ms: int | None) -> tuple[int, int, int]:
    """The contact's place in line in the step that holds, in a queue of this weight."""
    priority = contact.priority + contact.route_step.priority + weight
    return key_of(priority, contact.arrived_at, contact.seq, priority_worth_ms)


def key_of(priority: int, arrived_at: int, seq: int, priority_worth_ms: int | None) -> tuple[int, int, int]:
    """A place in line, smallest first: priority before age, or priority as so much more age.

    Ageing is linear, so that the place can be a constant: from any instant to any other all contacts age alike.
    """
    if priority_worth_ms is None:
        return (-priority, arrived_at, seq)
    return (0, arrived_at - priority * priority_worth_ms, seq)


def step(contact: Contact, trigger: ContactTrigger) -> ContactState:
    """The state after ``trigger``. Raises ``IllegalTransition`` when the table has no row."""
    after = TRANSITIONS.get((contact.state, trigger))
    if after is None:
        raise IllegalTransition("contact", contact.contact_id, contact.state, trigger)
    return after


def offered(contact: Contact, offer_id: OfferId, agent_id: AgentId, now: int) -> Contact:
    """The contact while an agent rings for it, or one more does."""
    state = step(contact, ContactTrigger.OFFER_MADE)
    if contact.offer_id is not None:
        return msgspec.structs.replace(contact, state=state, further_offers=(*contact.further_offers, offer_id))
    return msgspec.structs.replace(contact, state=state, offer_id=offer_id, agent_id=agent_id, rung_since=now)


def connected(contact: Contact, agent_id: AgentId, wrap_up_ms: int, wrap_up: WrapUpRule | None) -> Contact:
    """The contact after an agent answered; all its offers are over."""
    state = step(contact, ContactTrigger.OFFER_ACCEPTED)
    return msgspec.structs.replace(
        contact,
        state=state,
        offer_id=None,
        agent_id=agent_id,
        further_offers=(),
        rung_since=None,
        wrap_up_ms=wrap_up_ms,
        wrap_up=wrap_up,
        reserve_ms=None,
    )


def still_offered(
    contact: Contact, standing: tuple[OfferId, ...], first: AgentId, *, refused_by: AgentId | None
) -> Contact:
    """The contact after one of its offers failed and these still stand; ``first`` rings for the first of them."""
    return msgspec.structs.replace(
        contact,
        state=step(contact, ContactTrigger.ONE_OFFER_FAILED),
        offer_id=standing[0],
        agent_id=first,
        further_offers=standing[1:],
        excluded=_excluding(contact.excluded, refused_by),
    )


def returned(contact: Contact, *, refused_by: AgentId | None) -> Contact:
    """The contact back in its place; ``refused_by`` is remembered, the oldest are forgotten when there are too many."""
    return msgspec.structs.replace(
        contact,
        state=step(contact, ContactTrigger.OFFER_FAILED),
        offer_id=None,
        agent_id=None,
        rung_since=None,
        excluded=_excluding(contact.excluded, refused_by),
    )


def requeued(
    contact: Contact, queue_id: QueueId, plan: RoutePlan | None, now: int, *, refused_by: AgentId | None
) -> Contact:
    """The contact that waits anew, with its age, from the first step of this plan on; elsewhere everybody is asked."""
    excluded = contact.excluded if queue_id == contact.queue_id else ()
    return msgspec.structs.replace(
        contact,
        state=step(contact, ContactTrigger.RETURNED),
        queue_id=queue_id,
        offer_id=None,
        agent_id=None,
        further_offers=(),
        rung_since=None,
        excluded=_excluding(excluded, refused_by),
        wrap_up_ms=0,
        wrap_up=None,
        plan=plan,
        step=0,
        plan_since=now,
        step_until=None,
        matured_ms=0,
        matures_at=None,
    )


def _excluding(excluded: tuple[AgentId, ...], refused_by: AgentId | None) -> tuple[AgentId, ...]:
    if refused_by is None or refused_by in excluded:
        return excluded
    return (*excluded, refused_by) if len(excluded) < EXCLUDED_LIMIT else (refused_by,)
