"""Queues and their treatment as people write them in the site file; ``floor_configuration`` hands them to the engine.

Durations are seconds. Where a contact goes that a queue does not let in, or that came to the end of its route plan, is
said by ``otherwise``: another queue, or back to the flow it came from.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from acd.errors import AcdError
from acd.events import AgentOrder, Channel, QueueSpec, RingStyle, WrapUpMode
from acd.ids import QueueId
from acd.route_plans import RoutePlan, RouteStep, StepGuard, check_plan
from acd.skills import parse
from callcenter.calls.personal_plans import BLANK, BLANKS, LANGUAGE, KnownCustomer, PersonalPlan, PersonalStep
from callcenter.calls.recordings import RecordingMode
from callcenter.service_targets import DEFAULT_PERCENT, DEFAULT_WITHIN_SECONDS, ServiceTarget
from callcenter.site.channels import (
    DEFAULT_PRIORITY,
    CapacityTable,
    ChannelModel,
    InterruptTable,
    queue_interrupts,
)
from callcenter.site.fields import HoursName, Name, SiteModel
from callcenter.site.surveys import SurveyModel

BACK_TO_FLOW = "flow"
"""The value of ``otherwise`` that sends a contact back to its flow."""
RING_STYLES = {"one": RingStyle.ONE, "all": RingStyle.ALL, "progressive": RingStyle.PROGRESSIVELY}
"""What ``ring`` means to the engine."""
QUEUE_PREFIX = "queue:"
"""What the value of ``otherwise`` begins with that names another queue."""

Priority = Annotated[int, Field(ge=-1000, le=1000)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
DAY = 86_400


def _expression(value: str) -> str:
    if unknown := sorted(set(BLANK.findall(value)) - BLANKS):
        raise ValueError(
            f"{{{unknown[0]}}} is no blank; there are {', '.join(f'{{{each}}}' for each in sorted(BLANKS))}"
        )
    try:
        parse(BLANK.sub(lambda blank: "known" if blank[1] == LANGUAGE else "agent:known", value))
    except AcdError as error:
        raise ValueError(str(error)) from None
    return value


def _target(value: str) -> str:
    if value in {"", BACK_TO_FLOW} or value.startswith(QUEUE_PREFIX):
        return value
    raise ValueError(f"{value!r} is no way out; write {BACK_TO_FLOW!r}, or {QUEUE_PREFIX}NAME for another queue")


Expression = Annotated[str, AfterValidator(_expression)]
"""Who is asked, in the engine's language, such as ``english >= 3 and not trainee``; empty is anybody of the queue.
``{language}``, ``{owner}`` and ``{last_agent}`` are the customer's; where that is not known the step is left out."""
WayOut = Annotated[str, AfterValidator(_target)]


class RouteStepModel(SiteModel):
    """One step of a route plan."""

    demand: Expression = ""
    until_seconds: Seconds | None = None
    """When it ends, counted from the entry into the queue; left out: never."""
    priority: int = Field(default=0, ge=-1000, le=1000)
    guard: StepGuard = StepGuard.NONE
    """``signed_in`` or ``at_work``: the step is left as soon as nobody whom it asks is."""
    min_idle: int = Field(default=0, ge=0, le=10_000)
    """So many of those who fit stay in reserve."""
    levels: tuple[Name, ...] = ()
    """Customers of these levels alone; left out: everybody."""


def personal_plan(steps: tuple[RouteStepModel, ...], otherwise: str) -> PersonalPlan:
    """The plan of these steps; ``otherwise`` follows when the last one has an end."""
    return PersonalPlan(
        tuple(
            PersonalStep(
                RouteStep(each.demand, milliseconds(each.until_seconds), each.priority, each.guard, each.min_idle),
                frozenset(each.levels),
            )
            for each in steps
        ),
        otherwise,
    )


def milliseconds(seconds: float | None) -> int | None:
    """Seconds as people write them, as the engine counts."""
    return None if seconds is None else round(seconds * 1000)


class RoutePlanModel(SiteModel):
    """A route plan that a flow's ``queue`` step may name instead of the queue's own."""

    id: Name
    steps: tuple[RouteStepModel, ...] = Field(min_length=1)
    otherwise: WayOut = ""
    """Where contacts go when the last step has an end and that has come."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        _check(self.plan())
        return self

    def plan(self) -> PersonalPlan:
        """The plan, with what depends on the customer."""
        return personal_plan(self.steps, self.otherwise)


class QueueModel(SiteModel):
    """A waiting line: who is rung and how, who is let in, what follows a conversation."""

    id: Name
    name: str
    labels: dict[str, str] = Field(default_factory=dict)
    ring_seconds: int = Field(default=20, ge=3, le=300)
    wrap_up_seconds: int = Field(default=30, ge=0, le=3600)
    service_level_seconds: int = Field(default=DEFAULT_WITHIN_SECONDS[Channel.VOICE], ge=1, le=3600)
    service_level_percent: int = Field(default=DEFAULT_PERCENT, ge=1, le=100)
    """The share of calls that is to be answered by then; below it the floor warns."""
    agent_order: AgentOrder = AgentOrder.LONGEST_IDLE
    """Which of several idle agents is rung: ``longest_idle``, ``most_skilled``, ``fewest_calls``, ``least_talk_time``,
    ``round_robin``, ``top_down`` or ``random``."""
    ring: Literal["one", "all", "progressive"] = "one"
    """How many of them ring at once: one after the other, all who are idle, or one more every ``ring_next_seconds``.
    The first who answers has the call."""
    ring_next_seconds: float = Field(default=10, ge=1, le=300)
    recording: RecordingMode = RecordingMode.OFF
    """Whether conversations are recorded: ``off``, ``on``, or ``on_demand`` of the agent."""
    recording_consent: dict[str, str] = Field(default_factory=dict)
    """What callers are told before, by language; nothing of a caller who did not hear it to the end is recorded."""
    recording_retention: Name = "standard"
    """Class of ``[recordings.keep_days]`` in the configuration that says how long they are kept."""
    announce_position: bool = False
    """Whether waiting callers are told their place."""
    announce_wait: bool = False
    """Whether waiting callers are told how long it will take, once that is known."""
    announce_every_seconds: int = Field(default=60, ge=15, le=3600)
    exit_key: str | None = Field(default=None, pattern=r"^[0-9*#]$")
    """Key by which who waits leaves for what the flow's queue step says ``otherwise``: a message, a callback."""
    level_priority: dict[Name, Priority] = Field(default_factory=dict)
    """Added to the priority of customers of a level: ``{ gold = 10 }``."""
    weight: int = Field(default=0, ge=-1000, le=1000)
    """Added to the priority of its contacts: which queue goes first for agents who serve several."""
    steps: tuple[RouteStepModel, ...] = ()
    """The route plan: whom to ask, step by step. Left out: every agent of the queue, for ever."""
    longest_wait_seconds: Seconds | None = None
    """A contact that waits longer leaves by ``otherwise``."""
    otherwise: WayOut = ""
    """Where contacts go that are not let in, or that waited too long: ``flow`` (the ``otherwise`` step of the flow's
    ``queue`` step; also when left out) or ``queue:NAME``. Nowhere to go: the call is ended."""
    max_waiting: int | None = Field(default=None, ge=1)
    """One more is not let in."""
    max_expected_wait_seconds: Seconds | None = None
    """A contact that is expected to wait longer is not let in."""
    hours: HoursName | None = None
    """The ``[hours.NAME]`` in which contacts are let in; left out: always. Who waits when they end is served."""
    entry: StepGuard = StepGuard.NONE
    """``signed_in`` or ``at_work``: nobody is let in while no agent who fits is."""
    resume_seconds: float = Field(default=0, ge=0, le=DAY)
    """How long a caller who hung up while waiting, and calls again, finds the place kept."""
    wrap_up_mode: WrapUpMode = WrapUpMode.TIMED
    """``optional``, ``mandatory``, ``timed`` or ``timed_no_early_exit``."""
    wrap_up_extension_seconds: int = Field(default=0, ge=0, le=3600)
    """By how much in all an agent may extend a wrap-up."""
    wrap_up_timeout_code: Name | None = None
    """The disposition that is recorded when the clock ends a wrap-up."""

    channels: dict[Channel, ChannelModel] = Field(default_factory=dict)
    """Contacts that are no calls: ``channels.message = { service_level_seconds = 7200 }``. All of it has defaults."""
    interrupts: InterruptTable | None = None
    """What this queue's contacts may be offered beside, for each channel that is named, instead of what the agents'
    ``interrupts`` say: ``{ voice = { chat = 2 } }`` lets its calls ring agents in up to two chats, ``{ voice = [] }``
    only agents without other work."""

    survey: SurveyModel | None = None
    """Whether and how customers are asked by message what it was like."""

    callback_most: int = Field(default=0, ge=0, le=10_000)
    """So many callbacks may be promised at once; 0: none."""
    callback_attempts: int = Field(default=3, ge=1, le=20)
    """How often the customer is called."""
    callback_retry_seconds: Seconds = 300
    callback_within_seconds: Seconds = 14_400
    """A customer who was not reached by then is called no more."""
    callback_hours: HoursName | None = None
    """The ``[hours.NAME]`` in which customers are called, on the customer's own clock: the zone of the profile, else
    of the number, else that of the table. Left out: at any hour, since they asked for it."""
    callback_order: Literal["agent", "customer"] = "agent"
    """Whose phone rings first: the agent's, so that no customer waits, or the ``customer``'s, so that no agent hears it
    ring; an agent is kept meanwhile, and free again when nobody answers."""
    callback_ring_seconds: int = Field(default=30, ge=10, le=90)
    """How long the customer's phone rings."""
    callback_greeting: dict[str, str] = Field(default_factory=dict)
    """What a customer who is called first hears on answering, by language; left out: a sentence of the house."""
    callback_unanswered: Literal["call", "later"] = "call"
    """What is done when the customer store does not answer whether the customer still may be called."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (plan := self.personal_plan()) is not None:
            _check(plan)
        if Channel.VOICE in self.channels:
            raise ValueError("channels.voice is no table; what holds for calls stands at the queue itself")
        return self

    def target(self, channel: Channel) -> ServiceTarget:
        """The service level that is promised for a channel."""
        if channel is Channel.VOICE:
            return ServiceTarget(self.id, channel, self.service_level_seconds, self.service_level_percent)
        own = self._of(channel)
        return ServiceTarget(
            self.id,
            channel,
            own.service_level_seconds or DEFAULT_WITHIN_SECONDS[channel],
            own.service_level_percent or self.service_level_percent,
        )

    def priority_of(self, channel: Channel) -> int:
        """What contacts of a shared channel bring along."""
        priority = self._of(channel).priority
        return DEFAULT_PRIORITY[channel] if priority is None else priority

    def _of(self, channel: Channel) -> ChannelModel:
        return self.channels.get(channel) or ChannelModel()

    def lasting_plan(self) -> RoutePlan | None:
        """The plan of a contact at whose other end nobody waits: the same people, and no end."""
        if self.plan() is None:
            return None
        steps = self.steps or (RouteStepModel(),)
        last = steps[-1].model_copy(update={"until_seconds": None})
        return personal_plan((*steps[:-1], last), "").plan()

    def plan(self) -> RoutePlan | None:
        """The route plan of contacts that bring none; ``None`` asks everybody of the queue for ever."""
        personal = self.personal_plan()
        return None if personal is None else personal.plan()

    def personal_plan(self) -> PersonalPlan | None:
        """The route plan with what depends on the customer; ``None`` asks everybody of the queue for ever."""
        if self.longest_wait_seconds is None:
            return personal_plan(self.steps, self.otherwise) if self.steps else None
        steps = self.steps or (RouteStepModel(),)
        last = steps[-1].model_copy(update={"until_seconds": self.longest_wait_seconds})
        return personal_plan((*steps[:-1], last), self.otherwise)

    def spec(self) -> QueueSpec:
        """The queue as the routing engine sees it."""
        optional: dict[str, Any] = {
            "max_waiting": self.max_waiting,
            "max_expected_wait_ms": milliseconds(self.max_expected_wait_seconds),
        }
        return QueueSpec(
            QueueId(self.id),
            self.name,
            ring_timeout_ms=self.ring_seconds * 1000,
            wrap_up_ms=self.wrap_up_seconds * 1000,
            plan=self.plan(),
            order=self.agent_order,
            ring=RING_STYLES[self.ring],
            ring_step_ms=round(self.ring_next_seconds * 1000),
            weight=self.weight,
            entry=self.entry,
            otherwise=self.otherwise,
            resume_window_ms=round(self.resume_seconds * 1000),
            wrap_up_mode=self.wrap_up_mode,
            wrap_up_extension_ms=self.wrap_up_extension_seconds * 1000,
            wrap_up_timeout_code=self.wrap_up_timeout_code,
            channels=tuple(
                self._of(channel).rule(channel, self.wrap_up_seconds)
                for channel in Channel
                if channel is not Channel.VOICE
            ),
            interrupts=queue_interrupts(self.interrupts),
            **optional,
        )

    def overflows_to(self) -> str | None:
        """The queue that ``otherwise`` names, if it names one."""
        return self.otherwise.removeprefix(QUEUE_PREFIX) if self.otherwise.startswith(QUEUE_PREFIX) else None


class RoutingModel(SiteModel):
    """What holds for the whole floor."""

    priority_worth_seconds: Seconds | None = None
    """One point of priority is worth so much waiting; left out: a higher priority always goes first."""
    seed: int = 0
    """What the ``random`` order draws from."""
    presence_lease_seconds: float = Field(default=10, ge=0, le=600)
    """An agent whose console has been silent for so long gets no further contacts. Who never opened one works by phone
    alone and is not missed. 0: consoles are not watched; less than 8 counts as 8."""
    quarantine_after: int | None = Field(default=None, ge=1, le=100)
    """After so many calls in a row that rang out, an agent may not simply go ready again."""
    quarantine_seconds: Seconds = 300
    """For how long."""
    capacity: CapacityTable = Field(default_factory=dict)
    """What agents take who say nothing of a channel themselves."""
    interrupts: InterruptTable | None = None
    """What may be offered beside what to agents who say nothing of it themselves."""


def _check(plan: PersonalPlan) -> None:
    """Whatever the customer store knows, or does not, there must be a sound plan."""
    if plan.steps[-1].is_personal:
        raise ValueError("the last step must be for everybody: without levels, and with nothing in braces")
    known = {"language": "known", "owner": "known", "last_agent": "known"}
    levels = {level for each in plan.steps for level in each.levels}
    customers = (KnownCustomer(level=level, **each) for level in {"", *levels} for each in ({}, known))
    try:
        for customer in customers:
            check_plan(plan.plan(customer, ("known",)))
    except AcdError as error:
        raise ValueError(str(error)) from None
