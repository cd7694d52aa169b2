"""What a scenario file consists of. Queues, route plans, hours and ``[routing]`` are those of the site file, read by
the same models; what people do is added: customers (``[[classes]]``), agents (``[[groups]]``) and ``[habits]``.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from acd.events import Channel, WrapUpMode
from acd.simulator_laws import Deterministic
from callcenter.simulation.laws import LawTable
from callcenter.site.channels import CapacityTable, InterruptTable
from callcenter.site.fields import Name, SiteModel
from callcenter.site.opening_hours import HoursTable
from callcenter.site.queues import QueueModel, RoutePlanModel, RoutingModel

Share = Annotated[float, Field(ge=0, le=1)]
Moment = Annotated[float, Field(ge=0)]
"""Seconds from the start."""
FORMER_WORDS = {"target_s": "service_level_seconds", "ring_timeout_s": "ring_seconds", "order": "agent_order"}
"""What queues of scenarios said before they said it like the site file; still understood."""


def _from_to(spans: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    for start, end in spans:
        if start >= end:
            raise ValueError(f"[{start:g}, {end:g}] must be [from, until], in seconds from the start")
    return spans


Spans = Annotated[tuple[tuple[Moment, Moment], ...], AfterValidator(_from_to)]
"""``[[0, 14400], [18000, 32400]]``: from, until, in seconds from the start."""


class SimulatedQueue(QueueModel):
    """A queue as in the site file, and how long agents wrap up."""

    name: str = ""
    wrap_up_seconds: int = Field(default=0, ge=0, le=3600)
    """As in the site file, but none when left out."""
    wrap_up: LawTable | None = None
    """Instead: agents end the wrap-up of a call themselves, after as long as this law says."""
    closed: Spans = ()
    """When somebody closes it by hand, and opens it again."""

    @model_validator(mode="before")
    @classmethod
    def _in_todays_words(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        for former, word in FORMER_WORDS.items():
            if former in content and word in content:
                raise ValueError(f"{former} and {word} are the same; write {word}")
        return {FORMER_WORDS.get(key, key): value for key, value in content.items()}

    @model_validator(mode="after")
    def _wraps_up(self) -> Self:
        if self.wrap_up is not None and self.wrap_up_seconds:
            raise ValueError("wrap_up and wrap_up_seconds both say how long a wrap-up is; write one of them")
        if self.wrap_up is not None and self.wrap_up_mode is WrapUpMode.TIMED_NO_EARLY_EXIT:
            raise ValueError("a wrap-up with timed_no_early_exit ends by the clock: write wrap_up_seconds")
        if self.wrap_up_mode is WrapUpMode.MANDATORY:
            own = any(each.wrap_up_seconds for each in self.channels.values())
            if self.wrap_up is None or own:
                raise ValueError("a mandatory wrap-up has no clock: write wrap_up, and none for channels")
        return self


class RatesModel(SiteModel):
    """A day in intervals, each with its own rate of arrivals."""

    interval_s: Annotated[float, Field(gt=0)]
    per_hour: tuple[Moment, ...] = Field(min_length=1)


class RedialModel(SiteModel):
    """Who gives up calls again. Whether the place was kept is the queue's word (``resume_seconds``)."""

    share: Share
    after: LawTable
    most: int = Field(default=1, ge=1, le=20)


class CallbackModel(SiteModel):
    """What customers make of the offer to be called back; how is the queue's word (``callback_most`` and so on)."""

    accept_share: Share
    offered_after_seconds: Moment | None = None
    """To who waits still; left out: not while they wait."""
    when_sent_away: bool = False
    """To who is not let in, or has waited too long, as a flow does that goes on to a callback."""
    reached_share: Share = 1.0
    answer: LawTable = Field(default_factory=lambda: Deterministic(5.0))
    """How long the customer's phone rings."""

    @model_validator(mode="after")
    def _offered(self) -> Self:
        if self.offered_after_seconds is None and not self.when_sent_away:
            raise ValueError("it is never offered: write offered_after_seconds, or when_sent_away = true")
        return self


class ClassModel(SiteModel):
    """Customers who are alike."""

    name: str = ""
    """Left out: the queue's, and the channel's where that is not voice."""
    queue: Name
    channel: Channel = Channel.VOICE
    arrivals_per_hour: Annotated[float, Field(gt=0)] | None = None
    rates: RatesModel | None = None
    handle: LawTable
    """Time with an agent, without wrap-up; of a chat or an e-mail from its acceptance to its end, whatever else the
    agent does beside it."""
    patience: LawTable | None = None
    """Left out: waits for ever."""
    priority: int = Field(default=0, ge=-1000, le=1000)
    skills: dict[Name, Annotated[int, Field(ge=0, le=100)]] = Field(default_factory=dict)
    route_plan: Name | None = None
    """One of ``[[route_plans]]`` instead of the queue's steps."""
    level: str = ""
    language: str = ""
    owner: str = ""
    """What the customer store would know of them; agents are named ``GROUP-1``, ``GROUP-2`` and so on."""
    last_agent: str = ""
    redial: RedialModel | None = None
    callback: CallbackModel | None = None
    slowed_by: Annotated[float, Field(ge=0, le=10)] = 0.0
    """How much longer one takes for each other contact of the agent: 0.5 is half as long again; 1 is taking turns."""
    kept: LawTable | None = None
    """How long the agent has one after having dealt with it, until it is closed by hand."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.arrivals_per_hour is None) == (self.rates is None):
            raise ValueError("write either arrivals_per_hour or rates: there is neither, or both")
        if self.channel is not Channel.VOICE and (self.redial is not None or self.callback is not None):
            raise ValueError(f"{self.channel} has no redial and no callback; both are of calls")
        if self.channel is Channel.VOICE and (self.slowed_by or self.kept is not None):
            raise ValueError("slowed_by and kept are of channels: an agent has one call at a time, and it ends")
        return self

    @property
    def title(self) -> str:
        """What results call them."""
        return self.name or (self.queue if self.channel is Channel.VOICE else f"{self.queue} {self.channel}")


class HabitsModel(SiteModel):
    """How agents behave."""

    answer: LawTable | None = None
    no_answer_share: Share = 0.0
    pause_share: Share = 0.0
    pause: LawTable | None = None
    own_calls_per_hour: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """In an hour of being ready with nothing in hand."""
    own_call: LawTable | None = None
    """How long such a call takes; left out: two minutes in the mean."""


class GroupModel(HabitsModel):
    """Agents who are alike; of their habits those that are written here go before ``[habits]``."""

    name: str = Field(min_length=1, pattern=r"^[A-Za-z][\w-]*$")
    agents: int = Field(ge=0)
    queues: tuple[Name, ...]
    skills: dict[Name, Annotated[int, Field(ge=0, le=100)]] = Field(default_factory=dict)
    second_line: dict[Name, Annotated[float, Field(gt=0, le=86_400)]] = Field(default_factory=dict)
    capacity: CapacityTable = Field(default_factory=dict)
    interrupts: InterruptTable | None = None
    shifts: Spans = ()
    """Left out: always there."""
    breaks: Spans = ()


class ScenarioModel(SiteModel):
    """A whole scenario."""

    begins_at: datetime | None = None
    """What the clocks show at the start: needed where queues have hours."""
    time_zone: str = "UTC"
    """Whose clocks, where ``begins_at`` does not say."""
    habits: HabitsModel = HabitsModel()
    routing: RoutingModel = RoutingModel()
    hours: dict[Name, HoursTable] = Field(default_factory=dict)
    queues: tuple[SimulatedQueue, ...] = Field(min_length=1)
    route_plans: tuple[RoutePlanModel, ...] = ()
    classes: tuple[ClassModel, ...] = ()
    groups: tuple[GroupModel, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = [*self._queue_faults(), *self._class_faults(), *self._group_faults()]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _queue_faults(self) -> Iterator[str]:
        known: set[str] = set()
        for queue in self.queues:
            if queue.id in known:
                yield f"queue {queue.id!r} is given twice"
            known.add(queue.id)
        for queue in self.queues:
            if (target := queue.overflows_to()) is not None and target not in known - {queue.id}:
                yield f"queue {queue.id!r}: otherwise names {target!r}, which is no other queue"
            for hours in filter(None, (queue.hours, queue.callback_hours)):
                if hours not in self.hours:
                    yield f"queue {queue.id!r}: no [hours.{hours}] is there"
                elif self.begins_at is None:
                    yield f"queue {queue.id!r} has hours: write begins_at, such as 2026-03-02T08:00:00"

    def _class_faults(self) -> Iterator[str]:
        queues = {queue.id: queue for queue in self.queues}
        plans = {plan.id for plan in self.route_plans}
        for each in self.classes:
            who = f"class {each.title!r}"
            if each.queue not in queues:
                yield f"{who} names queue {each.queue!r}, which the scenario does not have"
            elif each.callback is not None and not queues[each.queue].callback_most:
                yield f"{who} has a callback, but queue {each.queue!r} promises none: write callback_most there"
            if each.route_plan is not None and each.route_plan not in plans:
                yield f"{who}: no route plan is called {each.route_plan!r}"

    def _group_faults(self) -> Iterator[str]:
        known = {queue.id for queue in self.queues}
        for group in self.groups:
            for queue in group.queues:
                if queue not in known:
                    yield f"group {group.name!r} names queue {queue!r}, which the scenario does not have"
            for queue in group.second_line:
                if queue not in group.queues:
                    yield f"group {group.name!r}: second_line names {queue!r}, which is none of its queues"
