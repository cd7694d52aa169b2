"""Why a contact went where it went: the answers of the ``Explanations`` port, as they stand in HTTP answers.

Instants are integer milliseconds since the epoch. Names of people are left to whoever shows them.
"""

from typing import Protocol

import msgspec


class DecisionView(msgspec.Struct, frozen=True):
    """One offer, and what decided it."""

    offer_id: str
    at: int
    agent_id: str
    queue_id: str
    rule: str
    """``longest_idle_agent``, ``most_skilled_agent`` ... : the order of agents in which this one was the first."""
    step: int
    """The step of the contact's route plan that held, from 0."""
    candidates: int
    """How many could have been chosen."""
    winner_key: str
    """What was compared, smallest first."""
    runner_up: str | None
    """Who came second: another agent, or another contact when an agent became free while several waited."""
    runner_up_key: str | None
    result: str | None
    """``accepted``, ``expired``, ``declined`` ...; ``None`` while it rings."""
    policy: str = ""
    """The version of the policy that held: the same for the same queues, agents and rules, whenever they are loaded;
    empty when the journal does not reach back to it."""


class CandidateView(msgspec.Struct, frozen=True):
    """One agent as the decision saw it."""

    agent_id: str
    state: str
    reasons: tuple[str, ...]
    """All that stood between agent and contact (``acd.explain.Reason``); none for whoever was or would be chosen."""
    detail: str
    key: tuple[int, ...] | None
    """The key in the order of the queue, smallest first; for those who could have been chosen."""


class WaitingView(msgspec.Struct, frozen=True):
    """Why a contact waits at this moment."""

    queue_id: str
    step: int
    demand: str
    """Whom the step asks for; empty is anybody of the queue."""
    somebody_there: bool
    """Whether the people whom the step is for are there at all."""
    ahead: int
    """Contacts that come first for somebody who fits this one."""
    fitting: dict[str, int]
    """Agents who fit, by state."""
    idle_but: dict[str, int]
    """Idle agents, by what keeps them from it."""
    next_step_at: int | None
    next_free_at: int | None
    """The earliest end of a wrap-up of somebody who fits."""
    candidates: tuple[CandidateView, ...]


class WhyView(msgspec.Struct, frozen=True):
    """The whole answer for one contact."""

    contact_id: str
    decisions: tuple[DecisionView, ...]
    waiting: WaitingView | None
    """``None`` unless it waits or rings at this moment."""


class DecisionTable(msgspec.Struct, frozen=True):
    """One decision with everybody who was on the floor."""

    decision: DecisionView
    candidates: tuple[CandidateView, ...]


class NothingKnown(LookupError):
    """No such contact, offer or agent."""


class Explanations(Protocol):
    """Explains routing. Each raises ``NothingKnown``; none is quick, all are answered from what is written down."""

    async def why(self, contact_id: str) -> WhyView:
        """Every decision about a contact, and why it waits if it does."""
        ...

    async def decision(self, contact_id: str, offer_id: str) -> DecisionTable:
        """The full table behind one offer."""
        ...

    async def why_not(self, contact_id: str, agent_id: str) -> CandidateView:
        """Why this agent does not have the contact that waits or rings now."""
        ...
