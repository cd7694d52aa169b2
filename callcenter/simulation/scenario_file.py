"""A scenario file as the simulator takes it. Takes text, never paths; ``acd/SIMULATOR.md`` shows what can be said."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from acd.events import Channel, QueueDelay, SkillLevel
from acd.ids import QueueId
from acd.route_plans import RoutePlan
from acd.simulator_laws import Arrivals, Deterministic, Exponential, Poisson, RateTable, Recorded
from acd.simulator_scenario import (
    AgentGroup,
    Calendar,
    CallbackPlan,
    CallbackWish,
    CustomerClass,
    FloorRules,
    Habits,
    QueuePlan,
    Redialling,
    Scenario,
    ScenarioError,
)
from callcenter.calls.personal_plans import KnownCustomer, PersonalPlan
from callcenter.config import explain
from callcenter.simulation.models import ClassModel, GroupModel, HabitsModel, ScenarioModel, SimulatedQueue
from callcenter.site.channels import capacities, interrupts
from callcenter.site.opening_hours import opening_hours
from callcenter.site.queues import QUEUE_PREFIX, milliseconds
from ivr.hours import Hours, is_open, next_change

NOBODY = "nobody"
"""The name of the class that stands for customers of a recorded day that is still to come."""


@dataclass(frozen=True, slots=True)
class ClockedHours:
    """Opening hours on a simulation's clock, which shows ``begins_at`` (milliseconds since the epoch) at 0."""

    hours: Hours
    begins_at: int

    def is_open(self, at: int) -> bool:
        """Whether it is open at this instant."""
        return is_open(self.hours, self.begins_at + at)

    def opens_at(self, at: int) -> int | None:
        """The first instant from this one on at which it is open."""
        if self.is_open(at):
            return at
        change = next_change(self.hours, self.begins_at + at)
        return None if change is None else change - self.begins_at


def parse_scenario(text: str, source: str = "scenario") -> Scenario:
    """The scenario that a TOML text describes. Raises ``ScenarioError`` naming source, place and remedy."""
    try:
        model = ScenarioModel.model_validate(tomllib.loads(text))
        return _Reader(model).scenario()
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{source}: not TOML: {error}") from None
    except ValidationError as error:
        raise ScenarioError(explain(Path(source), error)) from None
    except ScenarioError as error:
        raise ScenarioError(f"{source}: {error}") from None


class _Reader:
    """One file on its way to a scenario."""

    def __init__(self, model: ScenarioModel) -> None:
        self.model = model
        self.habits = _habits(model.habits, Habits())
        self.begins_at = _instant(model)
        self.queues = {queue.id: queue for queue in model.queues}
        self.agents = {f"{group.name}-{number + 1}" for group in model.groups for number in range(group.agents)}

    def scenario(self) -> Scenario:
        """All of it."""
        model, routing = self.model, self.model.routing
        scenario = Scenario(
            tuple(map(self._queue, model.queues)),
            tuple(map(self._class, model.classes)) or (_nobody(model.queues),),
            tuple(map(self._group, model.groups)),
            self.habits,
            FloorRules(
                milliseconds(routing.priority_worth_seconds),
                routing.seed,
                routing.quarantine_after,
                round(routing.quarantine_seconds * 1000),
            ),
            {QUEUE_PREFIX + queue.id: QueueId(queue.id) for queue in model.queues},
        )
        _nobody_in_vain(scenario)
        return scenario

    def _queue(self, queue: SimulatedQueue) -> QueuePlan:
        spec, wrap_up = queue.spec(), queue.wrap_up
        if wrap_up is None and queue.wrap_up_seconds:
            wrap_up = Deterministic(queue.wrap_up_seconds)
        elif isinstance(wrap_up, Deterministic):
            spec = replace(spec, wrap_up_ms=round(1000 * wrap_up.mean_s))
        shared = (channel for channel in Channel if channel is not Channel.VOICE)
        return QueuePlan(
            QueueId(queue.id),
            queue.service_level_seconds,
            wrap_up=wrap_up,
            treatment=spec,
            targets=tuple((channel, float(queue.target(channel).within_seconds)) for channel in shared),
            hours=self._calendar(queue.hours),
            callbacks=CallbackPlan(
                queue.callback_most,
                queue.callback_attempts,
                queue.callback_retry_seconds,
                queue.callback_within_seconds,
                queue.callback_order == "customer",
                queue.callback_ring_seconds,
                self._calendar(queue.callback_hours),
            )
            if queue.callback_most
            else None,
            closings=queue.closed,
        )

    def _calendar(self, name: str | None) -> Calendar | None:
        if name is None:
            return None
        return ClockedHours(opening_hours(self.model.hours[name]), self.begins_at)

    def _class(self, each: ClassModel) -> CustomerClass:
        queue, wish = self.queues[each.queue], each.callback
        shared = each.channel is not Channel.VOICE
        priority = each.priority + queue.level_priority.get(each.level, 0)
        return CustomerClass(
            each.title,
            QueueId(each.queue),
            _arrivals(each),
            each.handle,
            each.patience,
            priority + (queue.priority_of(each.channel) if shared else 0),
            _skills(each.skills),
            each.channel,
            queue.lasting_plan() if shared and each.route_plan is None else self._plan(each, queue),
            None if each.redial is None else Redialling(each.redial.share, each.redial.after, each.redial.most),
            None
            if wish is None
            else CallbackWish(
                wish.accept_share, wish.offered_after_seconds, wish.when_sent_away, wish.reached_share, wish.answer
            ),
            each.slowed_by,
            each.kept,
        )

    def _plan(self, each: ClassModel, queue: SimulatedQueue) -> RoutePlan | None:
        """The plan of these customers, as the exchange fills it in; ``None`` is the queue's."""
        plans: Mapping[str, PersonalPlan] = {plan.id: plan.plan() for plan in self.model.route_plans}
        personal = queue.personal_plan() if each.route_plan is None else plans[each.route_plan]
        if personal is None or (each.route_plan is None and not personal.is_personal):
            return None
        return personal.plan(KnownCustomer(each.level, each.language, each.owner, each.last_agent), self.agents)

    def _group(self, group: GroupModel) -> AgentGroup:
        routing = self.model.routing
        own = _habits(group, self.habits)
        return AgentGroup(
            group.name,
            group.agents,
            tuple(map(QueueId, group.queues)),
            _skills(group.skills),
            group.shifts,
            capacities(routing.capacity, group.capacity),
            interrupts(routing.interrupts, group.interrupts),
            group.breaks,
            tuple(QueueDelay(QueueId(each), round(wait * 1000)) for each, wait in sorted(group.second_line.items())),
            None if own == self.habits else own,
        )


def _instant(model: ScenarioModel) -> int:
    if model.begins_at is None:
        return 0
    try:
        zone = ZoneInfo(model.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        remedy = "write one such as Europe/Berlin"
        raise ScenarioError(f"time_zone: {model.time_zone!r} is not a time zone; {remedy}") from None
    local = model.begins_at
    return round((local if local.tzinfo is not None else local.replace(tzinfo=zone)).timestamp() * 1000)


def _habits(written: HabitsModel, usual: Habits) -> Habits:
    """What is written, and the usual where nothing is."""
    said = written.model_fields_set
    return Habits(
        written.answer if "answer" in said else usual.answer,
        written.no_answer_share if "no_answer_share" in said else usual.no_answer_share,
        written.pause_share if "pause_share" in said else usual.pause_share,
        written.pause or usual.pause,
        written.own_calls_per_hour if "own_calls_per_hour" in said else usual.own_calls_per_hour,
        written.own_call or usual.own_call,
    )


def _arrivals(each: ClassModel) -> Arrivals:
    if each.rates is not None:
        return RateTable(each.rates.interval_s, each.rates.per_hour)
    return Poisson(each.arrivals_per_hour or 0.0)


def _skills(levels: Mapping[str, int]) -> tuple[SkillLevel, ...]:
    return tuple(SkillLevel(skill, level) for skill, level in levels.items())


def _nobody(queues: Sequence[SimulatedQueue]) -> CustomerClass:
    return CustomerClass(NOBODY, QueueId(queues[0].id), Recorded(()), Exponential(1.0))


def _nobody_in_vain(scenario: Scenario) -> None:
    """Refuse customers of a channel that no agent of their queue takes."""
    for each in scenario.classes:
        if each.channel is Channel.VOICE:
            continue
        serving = [group for group in scenario.groups if each.queue_id in group.queue_ids]
        if serving and not any(_takes(group, each.channel) for group in serving):
            raise ScenarioError(
                f"class {each.name!r}: no group of queue {each.queue_id!r} takes {each.channel};"
                f" write capacity = {{ {each.channel} = 3 }} there"
            )


def _takes(group: AgentGroup, channel: Channel) -> bool:
    return any(each.channel is channel and each.most for each in group.capacity)
