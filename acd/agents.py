"""The agent: one seat on the floor, its state machine as a table, and what is deferred until the contact is over.

Everything that decides an agent's next state is in ``TRANSITIONS`` and ``DEFERRALS``; the records are frozen and
replaced. A row that leads back to its own state means: allowed, and the state stays. Whether something is then put
off until later is what ``DEFERRALS`` says.
"""

from enum import StrEnum

import msgspec

from acd.capacity import Work
from acd.errors import IllegalTransition
from acd.events import AgentSpec
from acd.ids import AgentId, ContactId, OfferId
from acd.outcomes import AgentState
from acd.wrap_ups import WrapUpRule


class AgentTrigger(StrEnum):
    """What can happen to an agent."""

    SIGNED_IN = "signed in"
    SIGNED_OUT = "signed out"
    MADE_READY = "made ready"
    MADE_NOT_READY = "made not ready"
    OFFER_MADE = "offer made"
    OFFER_ACCEPTED = "offer accepted"
    OFFER_FAILED = "offer declined or expired"
    OFFER_WITHDRAWN = "offer withdrawn"
    ENGAGED = "engaged outside of routing"
    CONTACT_FINISHED = "contact finished"
    RESUMED = "free again"
    """The contact and its wrap-up are over and nothing was deferred."""
    PAUSED = "free, pause deferred"
    LEFT = "free, sign-out deferred"


class Pending(StrEnum):
    """What was put off until the contact, or the wrap-up, is over."""

    NONE = "none"
    NOT_READY = "not_ready"
    OFFLINE = "offline"


_S, _T = AgentState, AgentTrigger

TRANSITIONS: dict[tuple[AgentState, AgentTrigger], AgentState] = {
    (_S.OFFLINE, _T.SIGNED_IN): _S.NOT_READY,
    (_S.OFFLINE, _T.SIGNED_OUT): _S.OFFLINE,
    (_S.NOT_READY, _T.SIGNED_IN): _S.NOT_READY,
    (_S.NOT_READY, _T.SIGNED_OUT): _S.OFFLINE,
    (_S.NOT_READY, _T.MADE_READY): _S.READY,
    (_S.NOT_READY, _T.MADE_NOT_READY): _S.NOT_READY,
    (_S.NOT_READY, _T.ENGAGED): _S.BUSY,
    (_S.READY, _T.SIGNED_IN): _S.READY,
    (_S.READY, _T.SIGNED_OUT): _S.OFFLINE,
    (_S.READY, _T.MADE_READY): _S.READY,
    (_S.READY, _T.MADE_NOT_READY): _S.NOT_READY,
    (_S.READY, _T.OFFER_MADE): _S.OFFERED,
    (_S.READY, _T.ENGAGED): _S.BUSY,
    (_S.OFFERED, _T.SIGNED_IN): _S.OFFERED,
    (_S.OFFERED, _T.SIGNED_OUT): _S.OFFLINE,
    (_S.OFFERED, _T.MADE_READY): _S.OFFERED,
    (_S.OFFERED, _T.MADE_NOT_READY): _S.NOT_READY,
    (_S.OFFERED, _T.OFFER_ACCEPTED): _S.BUSY,
    (_S.OFFERED, _T.OFFER_FAILED): _S.NOT_READY,
    (_S.OFFERED, _T.OFFER_WITHDRAWN): _S.READY,
    (_S.BUSY, _T.SIGNED_IN): _S.BUSY,
    (_S.BUSY, _T.SIGNED_OUT): _S.BUSY,
    (_S.BUSY, _T.MADE_READY): _S.BUSY,
    (_S.BUSY, _T.MADE_NOT_READY): _S.BUSY,
    (_S.BUSY, _T.CONTACT_FINISHED): _S.WRAP_UP,
    (_S.BUSY, _T.RESUMED): _S.READY,
    (_S.BUSY, _T.PAUSED): _S.NOT_READY,
    (_S.BUSY, _T.LEFT): _S.OFFLINE,
    (_S.WRAP_UP, _T.SIGNED_IN): _S.WRAP_UP,
    (_S.WRAP_UP, _T.SIGNED_OUT): _S.OFFLINE,
    (_S.WRAP_UP, _T.MADE_READY): _S.READY,
    (_S.WRAP_UP, _T.MADE_NOT_READY): _S.WRAP_UP,
    (_S.WRAP_UP, _T.RESUMED): _S.READY,
    (_S.WRAP_UP, _T.PAUSED): _S.NOT_READY,
    (_S.WRAP_UP, _T.ENGAGED): _S.BUSY,
}
"""(state, what happened) -> next state."""

_P = Pending

DEFERRALS: dict[tuple[Pending, AgentTrigger], Pending] = {
    (_P.NONE, _T.SIGNED_IN): _P.NONE,
    (_P.NONE, _T.MADE_READY): _P.NONE,
    (_P.NONE, _T.MADE_NOT_READY): _P.NOT_READY,
    (_P.NONE, _T.SIGNED_OUT): _P.OFFLINE,
    (_P.NOT_READY, _T.SIGNED_IN): _P.NOT_READY,
    (_P.NOT_READY, _T.MADE_READY): _P.NONE,
    (_P.NOT_READY, _T.MADE_NOT_READY): _P.NOT_READY,
    (_P.NOT_READY, _T.SIGNED_OUT): _P.OFFLINE,
    (_P.OFFLINE, _T.SIGNED_IN): _P.NOT_READY,
    (_P.OFFLINE, _T.MADE_READY): _P.OFFLINE,
    (_P.OFFLINE, _T.MADE_NOT_READY): _P.OFFLINE,
    (_P.OFFLINE, _T.SIGNED_OUT): _P.OFFLINE,
}
"""(deferred so far, what happened while busy or in wrap-up) -> deferred from now on."""

RELEASE: dict[Pending, AgentTrigger] = {
    _P.NONE: _T.RESUMED,
    _P.NOT_READY: _T.PAUSED,
    _P.OFFLINE: _T.LEFT,
}
"""What happens to an agent who is free again, by what was deferred."""

AT_WORK = frozenset({_S.READY, _S.OFFERED, _S.BUSY, _S.WRAP_UP})
"""States from which an agent comes back to the next contact without asking for it."""

SIGNED_IN_REASON = "signed_in"
"""The not-ready reason of an agent who signed in and has not asked for work yet."""


class Agent(msgspec.Struct, frozen=True):
    """One agent as the engine knows it. Instants are milliseconds."""

    spec: AgentSpec
    state: AgentState = AgentState.OFFLINE
    since: int = 0
    """When ``state`` was entered."""
    reason: str | None = None
    """Why the agent is not ready."""
    contact_id: ContactId | None = None
    """The contact that is offered, connected or being wrapped up."""
    offer_id: OfferId | None = None
    until: int | None = None
    """When the offer expires or the wrap-up ends."""
    pending: Pending = Pending.NONE
    pending_reason: str | None = None
    idle_since: int = 0
    """When the agent last became ready; an offer withdrawn from the agent does not change it."""
    idle_seq: int = 0
    """Settles equal ``idle_since``: the order in which agents became ready."""
    position: int = 0
    """The agent's place in the configuration."""
    taken: int = 0
    """Contacts taken since signing in."""
    talked_ms: int = 0
    """Time with contacts since signing in."""
    last_offer: int = 0
    """The number of the last offer made to the agent; 0 when there was none."""
    wrap_up: WrapUpRule | None = None
    """While in wrap-up: how it ends; ``None`` is the plain timed one."""
    misses: int = 0
    """Offers that rang out since the agent last answered one."""
    quarantined_until: int | None = None
    """Before this the agent may not ask for work."""
    retiring: bool = False
    """No longer configured; goes offline and is forgotten when the contact is over."""
    works: tuple[Work, ...] = ()
    """The contacts of shared channels that ring, are connected or being wrapped up, in the order of their offers."""
    desk_closed: bool = False
    """Nobody sits at the agent's client: nothing of a shared channel is offered."""

    @property
    def agent_id(self) -> AgentId:
        """The agent's id."""
        return self.spec.agent_id

    @property
    def at_work(self) -> bool:
        """Whether the agent will take further contacts without doing anything more."""
        return self.pending is Pending.NONE and self.state in AT_WORK

    @property
    def pending_text(self) -> str | None:
        """What is deferred, as outcomes tell it."""
        if self.pending is Pending.NONE:
            return None
        return f"not_ready:{self.pending_reason}" if self.pending is Pending.NOT_READY else "offline"


def step(agent: Agent, trigger: AgentTrigger) -> AgentState:
    """The state after ``trigger``. Raises ``IllegalTransition`` when the table has no row."""
    after = TRANSITIONS.get((agent.state, trigger))
    if after is None:
        raise IllegalTransition("agent", agent.agent_id, agent.state, trigger)
    return after


def enter(
    agent: Agent,
    trigger: AgentTrigger,
    now: int,
    *,
    reason: str | None = None,
    contact_id: ContactId | None = None,
    offer_id: OfferId | None = None,
    until: int | None = None,
) -> Agent:
    """The agent in the state that follows ``trigger``; what belonged to the old state is gone."""
    return msgspec.structs.replace(
        agent,
        state=step(agent, trigger),
        since=now,
        reason=reason,
        contact_id=contact_id,
        offer_id=offer_id,
        until=until,
        pending=Pending.NONE,
        pending_reason=None,
        wrap_up=None,
    )


def ring(agent: Agent, now: int, contact_id: ContactId, offer_id: OfferId, number: int, until: int) -> Agent:
    """The agent while an offer rings."""
    return msgspec.structs.replace(
        agent,
        state=step(agent, AgentTrigger.OFFER_MADE),
        since=now,
        reason=None,
        contact_id=contact_id,
        offer_id=offer_id,
        until=until,
        last_offer=number,
    )


def take(agent: Agent, now: int, contact_id: ContactId) -> Agent:
    """The agent after answering."""
    return msgspec.structs.replace(
        agent,
        state=step(agent, AgentTrigger.OFFER_ACCEPTED),
        since=now,
        contact_id=contact_id,
        offer_id=None,
        until=None,
        taken=agent.taken + 1,
        misses=0,
    )


def engage(agent: Agent, now: int, contact_id: ContactId) -> Agent:
    """The agent busy with a contact that was not offered; a pause is deferred, and so comes back afterwards."""
    paused = agent.state is AgentState.NOT_READY and agent.pending is Pending.NONE
    return msgspec.structs.replace(
        agent,
        state=step(agent, AgentTrigger.ENGAGED),
        since=now,
        reason=None,
        contact_id=contact_id,
        offer_id=None,
        until=None,
        pending=Pending.NOT_READY if paused else agent.pending,
        pending_reason=agent.reason if paused else agent.pending_reason,
        wrap_up=None,
    )


def hang_up(agent: Agent, now: int) -> Agent:
    """The agent whose contact is over, with the time it took counted."""
    return msgspec.structs.replace(agent, talked_ms=agent.talked_ms + max(0, now - agent.since))


def sit_down(agent: Agent, now: int) -> Agent:
    """The agent who took a seat: not ready, and with nothing taken yet."""
    seated = enter(agent, AgentTrigger.SIGNED_IN, now, reason=SIGNED_IN_REASON)
    return msgspec.structs.replace(seated, taken=0, talked_ms=0, desk_closed=False)


def enter_ready(agent: Agent, trigger: AgentTrigger, now: int, seq: int) -> Agent:
    """The agent ready for the next contact, at the end of the line of idle agents."""
    return msgspec.structs.replace(enter(agent, trigger, now), idle_since=now, idle_seq=seq)


def enter_wrap_up(agent: Agent, now: int, until: int | None, rule: WrapUpRule | None) -> Agent:
    """The agent in wrap-up; what was deferred stays deferred."""
    return msgspec.structs.replace(
        agent,
        state=step(agent, AgentTrigger.CONTACT_FINISHED),
        since=now,
        reason=None,
        until=until,
        wrap_up=rule,
        talked_ms=agent.talked_ms + max(0, now - agent.since),
    )


def defer(agent: Agent, trigger: AgentTrigger, reason: str | None = None) -> Agent:
    """The agent with ``trigger`` put off until the contact is over; the same record when that changes nothing."""
    pending = DEFERRALS[agent.pending, trigger]
    if pending is agent.pending and trigger is not AgentTrigger.MADE_NOT_READY:
        return agent
    pending_reason = reason if pending is Pending.NOT_READY else None
    if (pending, pending_reason) == (agent.pending, agent.pending_reason):
        return agent
    return msgspec.structs.replace(agent, pending=pending, pending_reason=pending_reason)
