"""What agents do: sign in and out, ask for work, pause, finish wrap-up. And how a contact lets its agent go."""

from acd import offering
from acd.agents import (
    RELEASE,
    SIGNED_IN_REASON,
    Agent,
    AgentTrigger,
    Pending,
    defer,
    enter,
    enter_ready,
    enter_wrap_up,
    step,
)
from acd.board import Board
from acd.errors import UnknownAgent
from acd.events import AgentMadeNotReady, AgentMadeReady, AgentSignedIn, AgentSignedOut, WrapUpFinished
from acd.ids import AgentId
from acd.offers import OfferTrigger
from acd.outcomes import AgentState

_DEFERRING = frozenset({AgentState.BUSY, AgentState.WRAP_UP})


def sign_in(board: Board, event: AgentSignedIn, now: int) -> None:
    """The agent took a seat and is not ready; signed in already, nothing happens but that a deferred sign-out ends."""
    agent = board.agent(event.agent_id)
    if agent.retiring:
        raise UnknownAgent(f"agent {event.agent_id!r} is no longer configured")
    if step(agent, AgentTrigger.SIGNED_IN) is not agent.state:
        board.put_agent(enter(agent, AgentTrigger.SIGNED_IN, now, reason=SIGNED_IN_REASON))
    elif agent.state in _DEFERRING:
        board.put_agent(defer(agent, AgentTrigger.SIGNED_IN, SIGNED_IN_REASON))


def sign_out(board: Board, event: AgentSignedOut, now: int) -> None:
    """The agent left; see ``dismiss``."""
    dismiss(board, board.agent(event.agent_id), now)


def dismiss(board: Board, agent: Agent, now: int) -> None:
    """Let an agent go: at once, or after the contact that is connected. A ringing contact goes back to its place."""
    after = step(agent, AgentTrigger.SIGNED_OUT)
    if agent.state is AgentState.BUSY:
        board.put_agent(defer(agent, AgentTrigger.SIGNED_OUT))
        return
    if after is agent.state:
        return
    offer = None if agent.offer_id is None else board.offers[agent.offer_id]
    if offer is not None:
        offering.close(board, offer, OfferTrigger.REVOKED)
    board.put_agent(enter(agent, AgentTrigger.SIGNED_OUT, now))
    if offer is not None:
        offering.give_back(board, offer, refused_by=None)


def make_ready(board: Board, event: AgentMadeReady, now: int) -> None:
    """The agent asked for work. While busy this cancels a deferred pause, in wrap-up it ends the wrap-up."""
    agent = board.agent(event.agent_id)
    if step(agent, AgentTrigger.MADE_READY) is not agent.state:
        board.put_agent(enter_ready(agent, AgentTrigger.MADE_READY, now, board.next_seq()))
    elif agent.state is AgentState.BUSY:
        board.put_agent(defer(agent, AgentTrigger.MADE_READY))


def make_not_ready(board: Board, event: AgentMadeNotReady, now: int) -> None:
    """The agent asked for a pause: deferred while busy or in wrap-up, a refusal while an offer rings."""
    agent = board.agent(event.agent_id)
    step(agent, AgentTrigger.MADE_NOT_READY)
    if agent.state in _DEFERRING:
        board.put_agent(defer(agent, AgentTrigger.MADE_NOT_READY, event.reason))
    elif agent.offer_id is not None:
        offering.fail(board, board.offers[agent.offer_id], OfferTrigger.REFUSED, now, reason=event.reason)
    elif agent.state is not AgentState.NOT_READY or agent.reason != event.reason:
        board.put_agent(enter(agent, AgentTrigger.MADE_NOT_READY, now, reason=event.reason))


def finish_wrap_up(board: Board, event: WrapUpFinished, now: int) -> None:
    """The agent completed the wrap-up; nothing happens when it was over already."""
    agent = board.agent(event.agent_id)
    if agent.state is AgentState.WRAP_UP:
        release(board, agent, now)


def expire_wrap_up(board: Board, agent_id: AgentId, now: int) -> None:
    """The wrap-up time of an agent in wrap-up is over."""
    release(board, board.agents[agent_id], now)


def end_contact(board: Board, agent: Agent, wrap_up_ms: int, now: int) -> None:
    """The agent's contact is over: wrap-up, or none when there is no time for it or the agent is leaving."""
    if wrap_up_ms > 0 and agent.pending is not Pending.OFFLINE:
        board.put_agent(enter_wrap_up(agent, now, now + wrap_up_ms))
    else:
        release(board, agent, now)


def withdraw(board: Board, agent: Agent, now: int) -> None:
    """The contact that rang at this agent is gone; the agent is ready again and keeps the idle time."""
    board.put_agent(enter(agent, AgentTrigger.OFFER_WITHDRAWN, now))


def release(board: Board, agent: Agent, now: int) -> None:
    """Let the agent go to what was deferred, or to the next contact."""
    trigger = RELEASE[agent.pending]
    if trigger is AgentTrigger.RESUMED:
        board.put_agent(enter_ready(agent, trigger, now, board.next_seq()))
    else:
        board.put_agent(enter(agent, trigger, now, reason=agent.pending_reason))
