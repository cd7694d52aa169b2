"""Recorded days for the simulator: the customers of a CSV file, or of a journal with all its floor. Pure.

What a day does not tell is drawn: of a CSV from the laws of the scenario, of a journal from the day's own figures.
"""

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from io import StringIO

from acd.events import (
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedIn,
    AgentSignedOut,
    AgentSpec,
    Channel,
    Event,
    FloorConfigured,
    SkillLevel,
)
from acd.ids import QueueId
from acd.route_plans import RoutePlan
from acd.simulator_laws import Deterministic, Empirical, Exponential, Law, Recorded, RecordedContact
from acd.simulator_scenario import AgentGroup, CustomerClass, FloorRules, Habits, QueuePlan, Scenario, ScenarioError
from callcenter.simulation.scenario_file import NOBODY
from callcenter.site.queues import QUEUE_PREFIX
from callcenter.written_day import Customer, OfferHabits, WrittenDay

TALK_S = 180.0
"""How long a conversation takes when nobody of the queue had one."""
_Kind = tuple[QueueId, Channel, int, tuple[SkillLevel, ...], RoutePlan | None]


def parse_day(text: str, scenario: Scenario) -> Scenario:
    """The scenario with the customers of a CSV instead of its own.

    Its header: ``at_s`` (seconds from the start, in order), ``queue``, and optionally ``channel``, ``handle_s`` and
    ``patience_s``. What is blank is drawn from the laws of the scenario's first class of that queue and channel;
    without one, patience is for ever. Raises ``ScenarioError`` with the line.
    """
    rows: dict[tuple[str, Channel], list[RecordedContact]] = {}
    reader = csv.DictReader(StringIO(text))
    missing = [column for column in ("at_s", "queue") if column not in (reader.fieldnames or ())]
    if missing:
        raise ScenarioError(f"line 1 has no column {' and no '.join(missing)}; write at_s,queue,handle_s,patience_s")
    for number, row in enumerate(reader, 2):
        try:
            at_ms, handle_ms, patience_ms = (_milliseconds(row, each) for each in ("at_s", "handle_s", "patience_s"))
            if at_ms is None or not row["queue"]:
                raise ValueError("at_s and queue may not be blank")
            own = rows.setdefault((row["queue"], Channel(row.get("channel") or Channel.VOICE)), [])
        except ValueError as error:
            raise ScenarioError(f"line {number}: {error}") from None
        contact = RecordedContact(at_ms, handle_ms, patience_ms)
        if own and own[-1].at_ms > contact.at_ms:
            raise ScenarioError(f"line {number}: comes before the line above")
        own.append(contact)
    if not rows:
        raise ScenarioError("the recorded day has no contacts")
    return replace(scenario, classes=tuple(_recorded(*key, own, scenario) for key, own in rows.items()))


def _recorded(queue: str, channel: Channel, contacts: list[RecordedContact], scenario: Scenario) -> CustomerClass:
    arrivals, name = Recorded(tuple(contacts)), _name(queue, channel)
    for known in scenario.classes:
        if (known.queue_id, known.channel) == (queue, channel) and known.name != NOBODY:
            return replace(known, name=name, arrivals=arrivals)
    if any(contact.handle_ms is None for contact in contacts):
        raise ScenarioError(f"queue {queue!r} has contacts without handle_s, and no class whose law would give it")
    return CustomerClass(name, QueueId(queue), arrivals, Exponential(1.0), channel=channel)


def _name(queue: str, channel: Channel) -> str:
    return queue if channel is Channel.VOICE else f"{queue} {channel}"


def _milliseconds(row: Mapping[str, str | None], column: str) -> int | None:
    text = row.get(column)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ValueError(f"{column} is {text!r}; write seconds, 0 or more")
    return round(1000 * value)


def customers_of(day: WrittenDay, scenario: Scenario) -> Scenario:
    """The scenario with the customers of a written day instead of its own. Raises ``ScenarioError`` for a queue that
    the scenario does not have."""
    return replace(scenario, classes=_classes(day))


def floor_of(day: WrittenDay) -> Scenario:
    """The floor of a written day with its customers: queues by its last configuration, each agent at work and paused
    as on the day, with the day's time to answer and share of missed offers. Raises ``ScenarioError`` without a floor.
    """
    policy = day.policy
    if policy is None:
        raise ScenarioError("the journal holds no floor")
    starts_at = _starts_at(day)
    wrap_ups = _wrap_ups(day)
    return Scenario(
        tuple(_queue(policy, number, day, wrap_ups) for number in range(len(policy.queues))),
        _classes(day),
        tuple(_group(spec, day, starts_at) for spec in policy.agents if spec.agent_id in day.agents),
        Habits(Deterministic(day.answer_ms / 1000)),
        FloorRules(policy.priority_worth_ms, policy.seed, policy.quarantine_after, policy.quarantine_ms),
        {QUEUE_PREFIX + queue.queue_id: queue.queue_id for queue in policy.queues},
    )


def _starts_at(day: WrittenDay) -> int:
    return min([each.at for each in day.customers] + [at for at, _ in day.deeds], default=0)


def _wrap_ups(day: WrittenDay) -> Mapping[QueueId, Law]:
    """How long agents wrapped up, by queue."""
    queues = {each.arrived.contact_id: each.arrived.queue_id for each in day.customers}
    values: dict[QueueId, list[float]] = defaultdict(list)
    for contact_id, wrap_up_ms in day.wrap_ups_ms.items():
        if contact_id in queues:
            values[queues[contact_id]].append(wrap_up_ms / 1000)
    return {queue_id: Empirical(tuple(own)) for queue_id, own in values.items()}


def _queue(policy: FloorConfigured, number: int, day: WrittenDay, wrap_ups: Mapping[QueueId, Law]) -> QueuePlan:
    spec = policy.queues[number]
    shared = (channel for channel in Channel if channel is not Channel.VOICE)
    return QueuePlan(
        spec.queue_id,
        float(day.targets.of(spec.queue_id, Channel.VOICE).within_seconds),
        wrap_up=wrap_ups.get(spec.queue_id),
        treatment=spec,
        targets=tuple((channel, float(day.targets.of(spec.queue_id, channel).within_seconds)) for channel in shared),
    )


def _classes(day: WrittenDay) -> tuple[CustomerClass, ...]:
    """The customers by what they asked for."""
    kinds: dict[_Kind, list[Customer]] = defaultdict(list)
    talks: dict[QueueId, list[float]] = defaultdict(list)
    for each in sorted(day.customers, key=lambda customer: customer.at):
        arrived = each.arrived
        kinds[arrived.queue_id, arrived.channel, arrived.priority, tuple(arrived.required_skills), arrived.plan].append(
            each
        )
        if each.talk_ms is not None:
            talks[arrived.queue_id].append(each.talk_ms / 1000)
    if not kinds:
        raise ScenarioError("the recorded day has no contacts")
    starts_at, patience = _starts_at(day), _patience(day.customers)
    names: dict[str, int] = defaultdict(int)
    classes = []
    for (queue_id, channel, priority, skills, plan), own in kinds.items():
        name = _name(queue_id, channel)
        names[name] += 1
        classes.append(
            CustomerClass(
                name if names[name] == 1 else f"{name} {names[name]}",
                queue_id,
                Recorded(tuple(RecordedContact(each.at - starts_at, each.talk_ms, each.gave_up_ms) for each in own)),
                Empirical(tuple(talks[queue_id])) if talks[queue_id] else Deterministic(TALK_S),
                patience if channel in {Channel.VOICE, Channel.CHAT} else None,
                priority,
                skills,
                channel,
                plan,
            )
        )
    return tuple(classes)


def _patience(customers: Sequence[Customer]) -> Law | None:
    """Of customers who were served: exponential, of the mean that waits and abandonments give (censored data)."""
    gave_up = sum(each.gave_up_ms is not None for each in customers)
    mean_s = sum(each.waited_ms for each in customers) / gave_up / 1000 if gave_up else math.inf
    return Exponential(mean_s) if 0 < mean_s < math.inf else None


def _group(spec: AgentSpec, day: WrittenDay, starts_at: int) -> AgentGroup:
    """One agent as on the day."""
    deeds = [(at - starts_at, deed) for at, deed in day.deeds if getattr(deed, "agent_id", None) == spec.agent_id]
    until = max(day.ends_at - starts_at, 0) + 1
    habits = day.habits.get(spec.agent_id, OfferHabits())
    away = [each.away_ms / 1000 for each in habits.refusals if each.away_ms is not None]
    return AgentGroup(
        spec.agent_id,
        1,
        spec.queue_ids,
        spec.skills,
        _spans(deeds, AgentSignedIn, AgentSignedOut, until),
        spec.capacity,
        spec.interrupts,
        _spans(deeds, AgentMadeNotReady, AgentMadeReady, until),
        spec.delays,
        Habits(
            Deterministic(day.answer_ms / 1000),
            len(habits.refusals) / habits.offers if habits.offers else 0.0,
            pause=Empirical(tuple(away)) if away else Habits().pause,
        ),
    )


def _spans(
    deeds: Iterable[tuple[int, Event]], begin: type[Event], end: type[Event], until: int
) -> tuple[tuple[float, float], ...]:
    """From each deed of the one kind to the next of the other, in seconds."""
    spans, since = [], None
    for at, deed in deeds:
        if isinstance(deed, begin) and since is None:
            since = at
        elif isinstance(deed, end) and since is not None:
            spans.append((since / 1000, at / 1000))
            since = None
    if since is not None:
        spans.append((since / 1000, until / 1000))
    return tuple(span for span in spans if span[0] < span[1])
