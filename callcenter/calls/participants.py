"""Who takes part in a call, and who hears whom: one pure function from participants and mode to routes.

Everybody who can be heard in a call is a participant with one media leg. A mode says how customer, agent and consulted
party are joined; each supervisor's own way of listening is laid over whatever mode holds, so that monitoring goes on
through hold, consultation and conference alike.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What somebody is in a call."""

    CUSTOMER = "customer"
    """The party the call is about: who called us, or whom an agent called."""
    AGENT = "agent"
    """Who has the customer."""
    CONSULTED = "consulted"
    """Whom the agent asked beside the customer: another agent or a number outside."""
    SUPERVISOR = "supervisor"
    """Who listens, and perhaps speaks, as ``Participant.supervision`` says."""


class Conversation(StrEnum):
    """How customer, agent and consulted party are joined."""

    WAITING = "waiting"
    """The customer waits for somebody and hears music."""
    TALK = "talk"
    """Customer and agent; a consulted party is on hold."""
    HELD = "held"
    """The customer is on hold; the agent is there alone."""
    CONSULT = "consult"
    """Agent and consulted party; the customer is on hold."""
    CONFERENCE = "conference"
    """All three."""
    PRIVATE = "private"
    """Customer and consulted party, with the agent out of it: after a transfer to a number outside."""


class Supervision(StrEnum):
    """How a supervisor takes part."""

    MONITOR = "monitor"
    """Hears everybody who can be heard; nobody hears the supervisor."""
    WHISPER = "whisper"
    """As monitor, and the agent hears the supervisor."""
    BARGE = "barge"
    """Speaks with everybody who is in the conversation."""


class Participant(msgspec.Struct, frozen=True):
    """One leg of a call by the name it has in the media session."""

    leg: str
    role: Role
    supervision: Supervision | None = None
    """For supervisors only."""


JOINED: dict[Conversation, frozenset[Role]] = {
    Conversation.WAITING: frozenset(),
    Conversation.TALK: frozenset({Role.CUSTOMER, Role.AGENT}),
    Conversation.HELD: frozenset(),
    Conversation.CONSULT: frozenset({Role.AGENT, Role.CONSULTED}),
    Conversation.CONFERENCE: frozenset({Role.CUSTOMER, Role.AGENT, Role.CONSULTED}),
    Conversation.PRIVATE: frozenset({Role.CUSTOMER, Role.CONSULTED}),
}
"""Who hears whom in each mode: all of a set hear each other, and nobody else."""

Ways = tuple[tuple[str, str], ...]
"""Pairs of media legs: what the first says is heard by the second."""


def routes_for(participants: Iterable[Participant], mode: Conversation) -> Ways:
    """Every way by which one participant hears another, in a stable order; each pair once, nobody hears himself.

    ``WHISPER`` reaches agents only. ``BARGE`` reaches those who are joined, or the agent alone when nobody is. A
    supervisor hears all who are joined, and the agent in any case; supervisors do not hear each other.
    """
    everybody = tuple(participants)
    joined = tuple(one for one in everybody if one.role in JOINED[mode])
    ways = [(one.leg, other.leg) for one in joined for other in joined if one.leg != other.leg]
    for supervisor in everybody:
        if supervisor.role is Role.SUPERVISOR:
            ways += _supervised(supervisor, everybody, joined)
    return tuple(ways)


def _supervised(
    supervisor: Participant, everybody: tuple[Participant, ...], joined: tuple[Participant, ...]
) -> Iterator[tuple[str, str]]:
    agents = tuple(one for one in everybody if one.role is Role.AGENT)
    heard = (*joined, *(agent for agent in agents if agent not in joined))
    yield from ((one.leg, supervisor.leg) for one in heard)
    match supervisor.supervision:
        case Supervision.WHISPER:
            yield from ((supervisor.leg, agent.leg) for agent in agents)
        case Supervision.BARGE:
            yield from ((supervisor.leg, one.leg) for one in joined or agents)
        case _:
            pass


def music_for(participants: Iterable[Participant], mode: Conversation) -> frozenset[str]:
    """The media legs that hear music: whoever is neither joined nor at work in this call."""
    waiting = {Role.CUSTOMER, Role.CONSULTED} - JOINED[mode]
    return frozenset(one.leg for one in participants if one.role in waiting)
