"""The route plan: who is asked for a contact, in which order, for how long, and what happens when nobody is found.

Relaxing skills, bullseye rings, the preferred or last agent first, a named agent, overflow into other queues and a
higher priority after a while are all the same thing: an ordered list of steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from acd.errors import InvalidRoute
from acd.ids import AgentId
from acd.skills import parse


class StepGuard(StrEnum):
    """When a step is left early, or not entered at all."""

    NONE = "none"
    """It holds whoever is there."""
    SIGNED_IN = "signed_in"
    """It holds while somebody who fits it is signed in."""
    AT_WORK = "at_work"
    """It holds while somebody who fits it will take further contacts without doing anything more."""


@dataclass(frozen=True, slots=True)
class RouteStep:
    """One step: who is asked, and until when."""

    demand: str = ""
    """An expression of ``acd.skills``, on top of the skills that the contact requires. Empty: anybody of its queue."""
    until_ms: int | None = None
    """When it ends, in milliseconds since the contact entered the plan; ``None`` is never. Not the length of the step:
    a step that is skipped makes no other step longer or later."""
    priority: int = 0
    """Added to the contact's own while the step holds."""
    guard: StepGuard = StepGuard.NONE
    min_idle: int = 0
    """Take an agent only while more than this many of those who fit are idle, so that some stay in reserve."""


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """All steps of a contact. They are gone through once, from first to last."""

    steps: tuple[RouteStep, ...]
    otherwise: str | None = None
    """What the host is told to do when the last step is over (``ContactOverflowed.target``): a voicemail box, a flow,
    a hang-up. ``None``: the last step never ends."""


def check_plan(plan: RoutePlan) -> None:
    """Raise ``InvalidRoute`` unless every step can be read and ends after the one before."""
    if not plan.steps:
        raise InvalidRoute("a route plan needs a step")
    before = 0
    for number, step in enumerate(plan.steps, start=1):
        parse(step.demand)
        if step.min_idle < 0:
            raise InvalidRoute(f"step {number} keeps {step.min_idle} agents in reserve")
        if step.until_ms is None:
            if number < len(plan.steps) and step.guard is StepGuard.NONE:
                raise InvalidRoute(f"step {number} never ends, so that step {number + 1} is never reached")
            continue
        if step.until_ms <= before:
            raise InvalidRoute(f"step {number} ends at {step.until_ms} ms, not after {before} ms")
        before = step.until_ms


def preferred_agent(agent_id: AgentId, until_ms: int, *, anywhere: bool = False) -> RouteStep:
    """A first step for the agent who knows the customer; left at once when that agent stops working.

    ``anywhere`` also when the agent does not serve the contact's queue.
    """
    demand = f"agent:{agent_id} and floor" if anywhere else f"agent:{agent_id}"
    return RouteStep(demand, until_ms, guard=StepGuard.AT_WORK)


def rings(demands: Sequence[str], stay_ms: int) -> tuple[RouteStep, ...]:
    """Bullseye: one ring after the other, each held ``stay_ms``; the last never ends."""
    last = len(demands) - 1
    return tuple(
        RouteStep(demand, None if number == last else stay_ms * (number + 1)) for number, demand in enumerate(demands)
    )
