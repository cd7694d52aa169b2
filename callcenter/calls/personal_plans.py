"""Route plans that depend on who calls: steps for customers of some levels, and demands with a blank for the customer's
language, owner or last agent. Filled in by the host when a contact arrives, so that the engine, its journal and a
replay know nothing of the customer store. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from acd.route_plans import RoutePlan, RouteStep, StepGuard

BLANK = re.compile(r"\{(\w+)\}")
"""What is filled in stands in braces."""
LANGUAGE, OWNER, LAST_AGENT = "language", "owner", "last_agent"
BLANKS = frozenset({LANGUAGE, OWNER, LAST_AGENT})
"""What a demand may leave blank."""
_NAME = re.compile(r"[A-Za-z][\w-]*")


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """What the customer store knows about who calls; empty where it knows nothing, or did not answer in time."""

    level: str = ""
    language: str = ""
    owner: str = ""
    """The agent who owns the record."""
    last_agent: str = ""
    """The agent of the last conversation."""


NOBODY = KnownCustomer()


@dataclass(frozen=True, slots=True)
class PersonalStep:
    """A step, perhaps with blanks in its demand, perhaps for customers of these levels alone (none named: for all)."""

    step: RouteStep
    levels: frozenset[str] = frozenset()

    @property
    def is_personal(self) -> bool:
        """Whether it is not the same for everybody."""
        return bool(self.levels or BLANK.search(self.step.demand))

    def filled(self, customer: KnownCustomer, agents: Collection[str]) -> RouteStep | None:
        """The step for this customer; ``None`` when it is not for this one, or a blank cannot be filled."""
        if self.levels and customer.level not in self.levels:
            return None
        wanted = BLANK.findall(self.step.demand)
        values = {LANGUAGE: customer.language, **_agents(customer, agents)}
        if any(not _NAME.fullmatch(values.get(blank, "")) for blank in wanted):
            return None
        demand = BLANK.sub(lambda blank: _word(blank[1], values[blank[1]]), self.step.demand)
        waits = self.step.guard is StepGuard.NONE and not {OWNER, LAST_AGENT}.isdisjoint(wanted)
        return replace(self.step, demand=demand, guard=StepGuard.AT_WORK if waits else self.step.guard)


@dataclass(frozen=True, slots=True)
class PersonalPlan:
    """Steps in order. The last is for everybody, so that there always is a plan. ``otherwise`` follows when it ends."""

    steps: tuple[PersonalStep, ...]
    otherwise: str = ""

    @property
    def is_personal(self) -> bool:
        """Whether it is not the same for everybody."""
        return any(each.is_personal for each in self.steps)

    def plan(self, customer: KnownCustomer = NOBODY, agents: Collection[str] = ()) -> RoutePlan:
        """The engine's plan for this customer; ``agents`` are those who may be asked for by name."""
        filled = tuple(step for each in self.steps if (step := each.filled(customer, agents)) is not None)
        return RoutePlan(filled, None if filled[-1].until_ms is None else self.otherwise)


def _agents(customer: KnownCustomer, agents: Collection[str]) -> dict[str, str]:
    named = {OWNER: customer.owner, LAST_AGENT: customer.last_agent}
    return {blank: agent if agent in agents else "" for blank, agent in named.items()}


def _word(blank: str, value: str) -> str:
    return value if blank == LANGUAGE else f"agent:{value}"
