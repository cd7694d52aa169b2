"""What agents do: sign in and out, ask for work, pause, finish wrap-up. And how a contact lets its agent go."""

from msgspec.structs import replace

from acd import offering
from acd.agents import (
    RELEASE,
    SIGNED_IN_REASON,
    Agent,
    AgentTrigger,
    Pending,
    defer,
    engage,
    enter,
    enter_ready,
    enter_wrap_up,
    hang_up,
    sit_down,
    step,
)
from acd.board import Board
from acd.contacts import Contact, ContactState, ContactTrigger
from acd.contacts import step as contact_step
from acd.errors import AgentQuarantined, IllegalTransition, UnknownAgent
from acd.events import (
    AgentClientLost,
    AgentDeskClosed,
    AgentDeskOpened,
    AgentEngaged,
    AgentMadeNotReady,
    AgentMadeReady,
    AgentPresenceSeen,
    AgentSignedIn,
    AgentSignedOut,
    Channel,
    WrapUpExtended,
    WrapUpFinished,
    WrapUpMode,
)
from acd.ids import AgentId, ContactId
from acd.offers import Offer, OfferTrigger
from acd.outcomes import AgentState, WorkEnded, WorkWrapUpBegun, WrapUpCodeForced
from acd.shared_work import drop_work, end_work, is_leaving, leave, put_work, rung_offer, work_of, wrap_up_work
from acd.wrap_ups import takes_time

LOST_CLIENT_REASON = "lost_client"
"""The not-ready reason of an agent whose client or phone gave no sign of life."""

_DEFERRING = frozenset({AgentState.BUSY, AgentState.WRAP_UP})


def sign_in(board: Board, event: AgentSignedIn, now: int) -> None:
    """The agent took a seat and is not ready; signed in already, nothing happens but that a deferred sign-out ends."""
    agent = board.agent(event.agent_id)
    if agent.retiring:
        raise UnknownAgent(f"agent {event.agent_id!r} is no longer configured")
    if step(agent, AgentTrigger.SIGNED_IN) is not agent.state:
        board.put_agent(sit_down(agent, now))
    elif agent.state in _DEFERRING:
        board.put_agent(defer(agent, AgentTrigger.SIGNED_IN, SIGNED_IN_REASON))
    elif is_leaving(agent):
        board.put_agent(enter(agent, AgentTrigger.SIGNED_IN, now, reason=SIGNED_IN_REASON))


def sign_out(board: Board, event: AgentSignedOut, now: int) -> None:
    """The agent left; see ``dismiss``."""
    dismiss(board, board.agent(event.agent_id), now)


def dismiss(board: Board, agent: Agent, now: int) -> None:
    """Let an agent go: at once, or after the contact that is connected. A ringing contact goes back to its place."""
    after = step(agent, AgentTrigger.SIGNED_OUT)
    if is_leaving(agent) or (after is agent.state and agent.state is not AgentState.BUSY):
        return
    agent, offer = _stop_ringing(board, agent)
    if agent.state is AgentState.BUSY:
        board.put_agent(defer(agent, AgentTrigger.SIGNED_OUT))
    else:
        board.put_agent(leave(agent, AgentTrigger.SIGNED_OUT, now))
    if offer is not None:
        offering.give_back(board, offer, now, refused_by=None)


def _stop_ringing(board: Board, agent: Agent) -> tuple[Agent, Offer | None]:
    """Withdraw what rings at the agent; the record without it, when it was of a shared channel, and the offer."""
    offer_id = rung_offer(agent)
    if offer_id is None:
        return agent, None
    offer = board.offers[offer_id]
    offering.close(board, offer, OfferTrigger.REVOKED)
    return drop_work(agent, offer.contact_id), offer


def make_ready(board: Board, event: AgentMadeReady, now: int) -> None:
    """The agent asked for work. While busy this cancels a deferred pause, in wrap-up it ends the wrap-up."""
    agent = board.agent(event.agent_id)
    after = step(agent, AgentTrigger.MADE_READY)
    if agent.quarantined_until is not None and not event.released and now < agent.quarantined_until:
        raise AgentQuarantined(f"agent {agent.agent_id!r} may ask for work again at {agent.quarantined_until}")
    if is_leaving(agent):
        return
    kept_in = agent.wrap_up is not None and not agent.wrap_up.ends_early
    if after is not agent.state and not kept_in:
        ready = enter_ready(agent, AgentTrigger.MADE_READY, now, board.next_seq())
        board.put_agent(_out_of_quarantine(ready) if agent.quarantined_until is not None else ready)
    elif agent.state in _DEFERRING:
        board.put_agent(defer(agent, AgentTrigger.MADE_READY))


def make_not_ready(board: Board, event: AgentMadeNotReady, now: int) -> None:
    """The agent asked for a pause: deferred while busy or in wrap-up, a refusal while an offer rings."""
    agent = board.agent(event.agent_id)
    step(agent, AgentTrigger.MADE_NOT_READY)
    if is_leaving(agent):
        return
    offer_id = rung_offer(agent)
    if offer_id is not None:
        offering.fail(board, board.offers[offer_id], OfferTrigger.REFUSED, now, reason=event.reason)
    elif agent.state in _DEFERRING:
        board.put_agent(defer(agent, AgentTrigger.MADE_NOT_READY, event.reason))
    elif agent.state is not AgentState.NOT_READY or agent.reason != event.reason:
        board.put_agent(enter(agent, AgentTrigger.MADE_NOT_READY, now, reason=event.reason))


def take_up(board: Board, event: AgentEngaged, now: int) -> None:
    """The agent is busy with something that routing did not choose, or picked up what rings at a colleague.

    Raises ``IllegalTransition`` for an agent who is offline, rung or busy, or in a wrap-up that may not be left.
    """
    agent = board.agent(event.agent_id)
    if agent.retiring:
        raise UnknownAgent(f"agent {event.agent_id!r} is no longer configured")
    engaged = engage(agent, now, event.contact_id)
    if (agent.wrap_up is not None and not agent.wrap_up.ends_early) or rung_offer(agent) is not None:
        raise IllegalTransition("agent", agent.agent_id, agent.state, AgentTrigger.ENGAGED)
    present = board.contacts.get(event.contact_id)
    if present is not None and present.state is ContactState.OFFERED and present.channel is Channel.VOICE:
        offering.take_from(board, present, agent.agent_id, now)
        board.put_agent(engaged)
        return
    if present is not None:
        contact_step(present, ContactTrigger.ARRIVED)
    board.put_engaged(
        Contact(
            contact_id=event.contact_id,
            queue_id=event.queue_id,
            arrived_at=now,
            priority=0,
            required_skills=(),
            seq=board.next_seq(),
            state=ContactState.CONNECTED,
            agent_id=agent.agent_id,
            wrap_up_ms=max(0, event.wrap_up_ms),
        )
    )
    board.put_agent(engaged)


def finish_wrap_up(board: Board, event: WrapUpFinished, now: int) -> None:
    """The agent completed the wrap-up; nothing happens when it was over already."""
    agent = board.agent(event.agent_id)
    if event.contact_id is not None:
        _finish_work(board, agent, event.contact_id, now)
        return
    if agent.state is not AgentState.WRAP_UP:
        return
    rule = agent.wrap_up
    if rule is None or rule.mode is not WrapUpMode.TIMED_NO_EARLY_EXIT:
        release(board, agent, now)
    elif not rule.finished:
        board.put_agent(replace(agent, wrap_up=replace(rule, finished=True)))


def extend_wrap_up(board: Board, event: WrapUpExtended, now: int) -> None:  # noqa: ARG001 - all reactions are called alike
    """The agent needs longer, as far as the queue allows."""
    agent = board.agent(event.agent_id)
    if event.contact_id is not None:
        _extend_work(board, agent, event.contact_id, event.by_ms)
        return
    rule = agent.wrap_up
    if agent.state is not AgentState.WRAP_UP or rule is None or agent.until is None:
        return
    by_ms = min(max(0, event.by_ms), rule.extension_ms)
    if by_ms:
        rule = replace(rule, extension_ms=rule.extension_ms - by_ms)
        board.put_agent(replace(agent, until=agent.until + by_ms, wrap_up=rule))


def _finish_work(board: Board, agent: Agent, contact_id: ContactId, now: int) -> None:
    work = work_of(agent, contact_id)
    if work is None or not work.over:
        return
    rule = work.wrap_up
    if rule is None or rule.mode is not WrapUpMode.TIMED_NO_EARLY_EXIT:
        end_shared(board, agent, contact_id, now)
    elif not rule.finished:
        board.put_agent(put_work(agent, replace(work, wrap_up=replace(rule, finished=True))))


def _extend_work(board: Board, agent: Agent, contact_id: ContactId, wanted_ms: int) -> None:
    work = work_of(agent, contact_id)
    if work is None or work.wrap_up is None or work.until is None:
        return
    by_ms = min(max(0, wanted_ms), work.wrap_up.extension_ms)
    if by_ms:
        rule = replace(work.wrap_up, extension_ms=work.wrap_up.extension_ms - by_ms)
        board.outcomes.append(WorkWrapUpBegun(agent.agent_id, contact_id, work.until + by_ms))
        board.put_agent(put_work(agent, replace(work, until=work.until + by_ms, wrap_up=rule)))


def end_shared(board: Board, agent: Agent, contact_id: ContactId, now: int) -> None:
    """The agent is through with a contact of a shared channel."""
    board.outcomes.append(WorkEnded(agent.agent_id, contact_id))
    board.put_agent(end_work(agent, contact_id, now))


def expire_work(board: Board, contact_id: ContactId, now: int) -> None:
    """The time for the wrap-up of a contact of a shared channel is over."""
    agent = board.agents[board.wrapping[contact_id]]
    work = work_of(agent, contact_id)
    rule = None if work is None else work.wrap_up
    if rule is not None and rule.forces_code and rule.timeout_code is not None:
        board.outcomes.append(WrapUpCodeForced(agent.agent_id, contact_id, rule.timeout_code))
    end_shared(board, agent, contact_id, now)


def close_desk(board: Board, event: AgentDeskClosed, now: int) -> None:
    """The agent's client is gone: what rings there on a shared channel goes back, and nothing more is offered."""
    agent = board.agent(event.agent_id)
    if agent.state is AgentState.OFFLINE or agent.desk_closed:
        return
    offer = None
    if agent.offer_id is None:
        agent, offer = _stop_ringing(board, agent)
    board.put_agent(replace(agent, desk_closed=True))
    if offer is not None:
        offering.give_back(board, offer, now, refused_by=None)


def open_desk(board: Board, event: AgentDeskOpened, now: int) -> None:  # noqa: ARG001 - all reactions are called alike
    """The agent's client is back."""
    agent = board.agent(event.agent_id)
    if agent.desk_closed:
        board.put_agent(replace(agent, desk_closed=False))


def see(board: Board, event: AgentPresenceSeen, now: int) -> None:
    """The agent is there; nothing is told."""
    agent = board.agent(event.agent_id)
    lease_ms = board.policy.presence_lease_ms
    if lease_ms is not None and agent.state is not AgentState.OFFLINE:
        board.leases.add((now + lease_ms,), agent.agent_id)


def lose_client(board: Board, event: AgentClientLost, now: int) -> None:
    """The host gave up on the agent's client; nothing happens to whoever is offline."""
    if board.agent(event.agent_id).state is not AgentState.OFFLINE:
        lose(board, event.agent_id, now)


def lose(board: Board, agent_id: AgentId, now: int) -> None:
    """The agent gave no sign of life for too long: nothing further until the agent asks for work again.

    A contact that rang goes back to its place and was not refused; a connected one goes on, since only the client is
    known to be lost.
    """
    board.leases.remove(agent_id)
    agent = board.agents[agent_id]
    if agent.state is AgentState.NOT_READY:
        return
    agent, offer = _stop_ringing(board, agent)
    if agent.state not in _DEFERRING:
        board.put_agent(enter(agent, AgentTrigger.MADE_NOT_READY, now, reason=LOST_CLIENT_REASON))
    elif agent.pending is Pending.NONE:
        board.put_agent(defer(agent, AgentTrigger.MADE_NOT_READY, LOST_CLIENT_REASON))
    if offer is not None:
        offering.give_back(board, offer, now, refused_by=None)


def expire_wrap_up(board: Board, agent_id: AgentId, now: int) -> None:
    """The wrap-up time of an agent in wrap-up is over."""
    agent = board.agents[agent_id]
    rule = agent.wrap_up
    if rule is not None and rule.forces_code and agent.contact_id is not None and rule.timeout_code is not None:
        board.outcomes.append(WrapUpCodeForced(agent_id, agent.contact_id, rule.timeout_code))
    release(board, agent, now)


def end_contact(board: Board, agent: Agent, contact: Contact, now: int) -> None:
    """The agent's contact is over: wrap-up, or none when there is no time for it or the agent is leaving."""
    if contact.channel is not Channel.VOICE:
        _end_shared_contact(board, agent, contact, now)
        return
    unlimited = contact.wrap_up is not None and contact.wrap_up.mode is WrapUpMode.MANDATORY
    if takes_time(contact.wrap_up, contact.wrap_up_ms) and agent.pending is not Pending.OFFLINE:
        until = None if unlimited else now + contact.wrap_up_ms
        board.put_agent(enter_wrap_up(agent, now, until, contact.wrap_up))
    else:
        release(board, hang_up(agent, now), now)


def _end_shared_contact(board: Board, agent: Agent, contact: Contact, now: int) -> None:
    after = wrap_up_work(agent, contact, now)
    work = work_of(after, contact.contact_id)
    if work is None:
        board.outcomes.append(WorkEnded(agent.agent_id, contact.contact_id))
    else:
        board.outcomes.append(WorkWrapUpBegun(agent.agent_id, contact.contact_id, work.until))
    board.put_agent(after)


def withdraw(board: Board, agent: Agent, contact: Contact, now: int) -> None:
    """The contact that rang at this agent is gone; the agent is ready again and keeps the idle time."""
    board.put_agent(offering.unrung(agent, contact, now))


def _out_of_quarantine(agent: Agent) -> Agent:
    return replace(agent, quarantined_until=None, misses=0)


def release(board: Board, agent: Agent, now: int) -> None:
    """Let the agent go to what was deferred, or to the next contact."""
    trigger = RELEASE[agent.pending]
    if trigger is AgentTrigger.RESUMED:
        board.put_agent(enter_ready(agent, trigger, now, board.next_seq()))
    elif trigger is AgentTrigger.LEFT:
        board.put_agent(leave(agent, trigger, now))
    else:
        board.put_agent(enter(agent, trigger, now, reason=agent.pending_reason))
