"""The auditor: recounts a journal from its raw entries and names every breach of what the product promises.

It shares no code with the engine, the call machine or the record's fold, so that it can contradict them. Pure.
Invariants are numbered as in the package README's *Audit* section.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from acd.events import (
    AgentSpec,
    Channel,
    ContactArrived,
    ContactLeft,
    ContactPresent,
    ContactReturned,
    FloorConfigured,
    OfferDeclined,
    SkillLevel,
)
from acd.outcomes import OfferContact, OfferResult
from callcenter.audit.figures import figure_breaches
from callcenter.audit.floor import floor_breaches, unearned_pick_ups
from callcenter.audit.house import house_breaches
from callcenter.audit.items import item_breaches
from callcenter.audit.opinions import opinion_breaches
from callcenter.calls.facts import (
    ANSWERED_ELSEWHERE,
    CallArrived,
    CallClosed,
    CallConnected,
    CallEnded,
    CallOfferFailed,
    CallRecord,
    ConversationChanged,
    Outcome,
    SegmentEnded,
    TimersFired,
)
from callcenter.calls.participants import Conversation
from callcenter.journal import JournalRow

MAX_BREACHES = 100
HOUR_MS, MINUTE_MS = 3_600_000, 60_000
RANG_OUT = frozenset({OfferResult.EXPIRED, OfferResult.WITHDRAWN})
"""Ends of offers of which routing knew first."""
TALK_MODES = frozenset({Conversation.TALK, Conversation.CONFERENCE})
HOLD_MODES = frozenset({Conversation.HELD, Conversation.CONSULT})


@dataclass(slots=True)
class AuditReport:
    """What the auditor found. ``breaches`` are sentences that begin with the invariant's number."""

    entries: int = 0
    calls: int = 0
    in_progress: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    offers: int = 0
    breaches: list[str] = field(default_factory=list)


def audit(rows: Sequence[JournalRow]) -> AuditReport:
    """Check a whole journal, or the end of one that begins with a start of the exchange."""
    report = AuditReport(entries=len(rows))
    checks = (
        _sequence,
        _ledger,
        _durations,
        _one_call_per_agent,
        _eligible,
        _in_order,
        floor_breaches,
        unearned_pick_ups,
        item_breaches,
        _unfinished,
        house_breaches,
        opinion_breaches,
        figure_breaches,
    )
    for check in checks:
        report.breaches += list(check(rows))[: MAX_BREACHES - len(report.breaches)]
    arrived = {row.entry.call_id for row in rows if isinstance(row.entry, CallArrived)}
    closed = [row.entry.record for row in rows if isinstance(row.entry, CallClosed)]
    report.calls = len(arrived)
    report.in_progress = len(arrived - {record.call_id for record in closed})
    report.outcomes = dict(sorted(Counter(str(record.outcome) for record in closed).items()))
    report.offers = sum(isinstance(row.entry, OfferContact) for row in rows)
    return report


def _sequence(rows: Sequence[JournalRow]) -> Iterator[str]:
    """I9: sequence numbers without a gap; time never goes back for routing, nor within a call."""
    for before, after in itertools.pairwise(rows):
        if after.seq != before.seq + 1:
            yield f"I9: entry {after.seq} follows entry {before.seq}"
    newest: dict[str, int] = {}
    for row in rows:
        stream = "routing" if _is_routing(row.entry) else getattr(row.entry, "call_id", "")
        if row.at < newest.get(stream, row.at):
            yield f"I9: entry {row.seq} is {newest[stream] - row.at} ms earlier than an entry before it"
        newest[stream] = row.at


def _is_routing(entry: object) -> bool:
    return type(entry).__module__ == "acd.events" or isinstance(entry, OfferContact | TimersFired)


def _ledger(rows: Sequence[JournalRow]) -> Iterator[str]:
    """I1: one end and one record for each call that arrived, and none for others."""
    arrived = Counter(row.entry.call_id for row in rows if isinstance(row.entry, CallArrived))
    ended = Counter(row.entry.call_id for row in rows if isinstance(row.entry, CallEnded))
    closed = Counter(row.entry.call_id for row in rows if isinstance(row.entry, CallClosed))
    for call_id in sorted({*arrived, *ended, *closed}):
        counts = arrived[call_id], ended[call_id], closed[call_id]
        if counts not in {(1, 1, 1), (1, 0, 0)}:
            yield f"I1: call {call_id} arrived {counts[0]}, ended {counts[1]}, was closed {counts[2]} times"


def _durations(rows: Sequence[JournalRow]) -> Iterator[str]:
    """I2: the record's instants and durations agree with the facts."""
    told: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        if isinstance(row.entry, CallArrived | CallConnected | ConversationChanged | CallEnded):
            told[row.entry.call_id].append(row.entry)
        elif isinstance(row.entry, CallClosed):
            yield from _compare(row.entry.record, told.pop(row.entry.call_id, []))


def _compare(record: CallRecord, facts: Sequence[Any]) -> Iterator[str]:
    found = {type(fact): fact for fact in reversed(facts)}
    arrived, connected, ended = found.get(CallArrived), found.get(CallConnected), found.get(CallEnded)
    name = f"I2: record of call {record.call_id}"
    if arrived is None or ended is None:
        return
    if (record.arrived_at, record.ended_at, record.outcome) != (arrived.at, ended.at, ended.outcome):
        yield f"{name}: its instants or outcome are not those of its facts"
    talk_ms, hold_ms = _time_in(facts, TALK_MODES), _time_in(facts, HOLD_MODES)
    if (record.talk_ms, record.hold_ms) != (talk_ms, hold_ms) or min(talk_ms, hold_ms) < 0:
        yield (
            f"{name}: {record.talk_ms} ms of talk and {record.hold_ms} on hold, the facts say {talk_ms} and {hold_ms}"
        )
    if not 0 <= record.waited_ms <= record.ended_at - record.arrived_at:
        yield f"{name}: waited {record.waited_ms} ms in a call of {record.ended_at - record.arrived_at} ms"
    answered = connected is not None
    if answered != (record.outcome is Outcome.ANSWERED) and record.outcome is not Outcome.SYSTEM_RESTART:
        yield f"{name}: outcome {record.outcome}, but it was {'' if answered else 'not '}connected"
    yield from _add_up(record)


def _time_in(facts: Sequence[Any], modes: frozenset[Conversation]) -> int:
    """How long the call was in one of these modes: from each change to the next, the last one to the end."""
    changes = [(fact.at, fact.mode) for fact in facts if isinstance(fact, ConversationChanged)]
    first = next((fact.at for fact in facts if isinstance(fact, CallConnected)), None)
    if first is not None and not any(at <= first for at, _ in changes):
        changes.insert(0, (first, Conversation.TALK))
    ends = [at for at, _ in changes[1:]] + [fact.at for fact in facts if isinstance(fact, CallEnded)][:1]
    return sum(end - at for (at, mode), end in zip(changes, ends, strict=False) if mode in modes)


def _add_up(record: CallRecord) -> Iterator[str]:
    """Each segment's talk, hold and consultation are the time it was connected, and segments lie within the call."""
    for segment in record.segments:
        parts = segment.talk_ms + segment.hold_ms + segment.consult_ms
        connected = 0 if segment.connected_at is None else segment.ended_at - segment.connected_at
        if parts != connected or min(segment.talk_ms, segment.hold_ms, segment.consult_ms) < 0:
            yield f"I2: segment {segment.contact_id}: {parts} ms in parts, but {connected} ms connected"
        if not record.arrived_at <= segment.opened_at <= segment.ended_at <= record.ended_at:
            yield f"I2: segment {segment.contact_id} lies outside its call"


def _unfinished(rows: Sequence[JournalRow]) -> Iterator[str]:
    """I8: no call is left open for a minute longer than the longest that ended, or than an hour."""
    arrived: dict[str, int] = {}
    newest: dict[str, int] = {}
    longest = 0
    for row in rows:
        call_id = getattr(row.entry, "call_id", None)
        if isinstance(row.entry, CallArrived):
            arrived[row.entry.call_id] = row.at
        if isinstance(call_id, str):
            newest[call_id] = row.at
        if isinstance(row.entry, CallClosed):
            began = arrived.pop(row.entry.call_id, row.at)
            longest = max(longest, row.at - began)
    limit = max(longest, HOUR_MS) + MINUTE_MS
    for call_id, began in arrived.items():
        if rows[-1].at - began > limit:
            yield f"I8: call {call_id} is open for {rows[-1].at - began} ms, its last fact is of {newest[call_id]}"


def _one_call_per_agent(rows: Sequence[JournalRow]) -> Iterator[str]:
    """I3: nobody talks in two calls at once, and no phone is rung while its agent talks.

    A second call that an agent makes with the own phone, to ask somebody, is that agent's own affair.
    """
    talking: dict[str, tuple[str, str]] = {}
    made_by: dict[str, str] = {}
    shared: set[str] = set()
    for row in rows:
        match row.entry:
            case ContactArrived(contact_id=contact_id, channel=channel) if channel is not Channel.VOICE:
                shared.add(contact_id)
            case OfferContact(contact_id=contact_id) if contact_id in shared:
                continue
            case CallArrived(call_id=call_id, agent_id=agent_id):
                made_by[call_id] = agent_id
            case CallConnected(call_id=call_id, agent_id=agent_id):
                contact_id = row.entry.contact_id or call_id
                if agent_id in talking and made_by.get(call_id) == agent_id:
                    continue
                if agent_id in talking:
                    other = talking[agent_id][0]
                    yield f"I3: entry {row.seq}: {agent_id} is connected to {contact_id} while in {other}"
                talking[agent_id] = contact_id, call_id
            case OfferContact(agent_id=agent_id, contact_id=contact_id) if agent_id in talking:
                yield f"I3: entry {row.seq}: {agent_id} is rung for {contact_id} while in {talking[agent_id][0]}"
            case SegmentEnded(contact_id=contact_id):
                talking = {agent: held for agent, held in talking.items() if held[0] != contact_id}
            case CallEnded(call_id=call_id):
                talking = {agent: held for agent, held in talking.items() if held[1] != call_id}


def _eligible(rows: Sequence[JournalRow]) -> Iterator[str]:
    """I4: nobody is rung for a queue not served, or without the skills asked for."""
    agents: dict[str, AgentSpec] = {}
    contacts: dict[str, ContactArrived] = {}
    for row in rows:
        match row.entry:
            case FloorConfigured():
                agents = {agent.agent_id: agent for agent in row.entry.agents}
            case ContactArrived(contact_id=contact_id):
                contacts[contact_id] = row.entry
            case ContactReturned(contact_id=contact_id) if contact_id in contacts:
                contacts[contact_id] = _moved(contacts[contact_id], row.entry)
            case OfferContact(contact_id=contact_id, agent_id=agent_id) if contact_id in contacts:
                agent, contact = agents.get(agent_id), contacts[contact_id]
                if agent is None or contact.queue_id not in agent.queue_ids:
                    yield f"I4: entry {row.seq}: {agent_id} does not serve {contact.queue_id}"
                elif not _has_skills(agent, contact.required_skills):
                    yield f"I4: entry {row.seq}: {agent_id} lacks a skill that {contact_id} asks for"


def _moved(before: ContactArrived, moved: ContactReturned) -> ContactArrived:
    """What a contact asks for after it was given back or moved."""
    return replace(before, queue_id=moved.queue_id or before.queue_id, plan=moved.plan or before.plan)


def _has_skills(agent: AgentSpec, required: Iterable[SkillLevel]) -> bool:
    return all(
        any(held.skill == wanted.skill and held.level >= wanted.level for held in agent.skills) for wanted in required
    )


@dataclass(slots=True)
class _Line:
    """Who waits, and who rings where."""

    asked: dict[str, ContactArrived] = field(default_factory=dict)
    waiting: dict[str, ContactArrived] = field(default_factory=dict)
    rung: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By offer: its contact and its agent."""
    standing: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By contact: the offers that stand."""
    refused: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def join(self, contact: ContactArrived) -> None:
        self.asked[contact.contact_id] = self.waiting[contact.contact_id] = contact
        self.standing[contact.contact_id].clear()

    def put_before(self, contact_id: str, priority: int) -> None:
        """The contact has another priority from here on, whether it waits or rings."""
        contact = self.asked[contact_id] = replace(self.asked[contact_id], priority=priority)
        if contact_id in self.waiting:
            self.waiting[contact_id] = contact

    def rejoin(self, contact_id: str, offer_id: str) -> None:
        """An offer failed: with the last of them the contact waits again."""
        self.standing[contact_id].discard(offer_id)
        if contact_id in self.asked and not self.standing[contact_id]:
            self.waiting[contact_id] = self.asked[contact_id]

    def fail(self, failed: CallOfferFailed) -> None:
        contact_id = failed.contact_id or failed.call_id
        if failed.cause == ANSWERED_ELSEWHERE:
            self.standing[contact_id].discard(failed.offer_id)
            return
        self.refused[contact_id].add(failed.agent_id)
        if failed.cause in RANG_OUT:
            self.rejoin(contact_id, failed.offer_id)

    def passed_over(self, offer: OfferContact) -> list[str]:
        """Who should have been offered before this one; nobody when it rings somewhere already."""
        self.rung[offer.offer_id] = offer.contact_id, offer.agent_id
        self.standing[offer.contact_id].add(offer.offer_id)
        chosen = self.waiting.pop(offer.contact_id, None)
        if chosen is None:
            return []
        return [
            other.contact_id
            for other in self.waiting.values()
            if _goes_before(other, chosen) and offer.agent_id not in self.refused[other.contact_id]
        ]


def _in_order(rows: Sequence[JournalRow]) -> Iterator[str]:
    """I6: among waiting contacts that ask for the same, the higher priority goes first, then the earlier arrival.

    A contact whose earlier offer this agent refused may be passed over. A refusal is routing's business from the moment
    it was told to routing, not from when the call knew of it.
    """
    line = _Line()
    for row in rows:
        match row.entry:
            case ContactArrived():
                line.join(row.entry)
            case ContactReturned(contact_id=contact_id) if contact_id in line.asked:
                line.join(_moved(line.asked[contact_id], row.entry))
            case ContactPresent(contact_id=contact_id, priority=int() as priority) if contact_id in line.asked:
                line.put_before(contact_id, priority)
            case CallOfferFailed():
                line.fail(row.entry)
            case OfferDeclined(offer_id=offer_id) if offer_id in line.rung:
                contact_id, agent_id = line.rung[offer_id]
                line.refused[contact_id].add(agent_id)
                line.rejoin(contact_id, offer_id)
            case ContactLeft(contact_id=contact_id) | CallEnded(call_id=contact_id):
                line.waiting.pop(contact_id, None)
            case OfferContact():
                for other in line.passed_over(row.entry):
                    yield f"I6: entry {row.seq}: {row.entry.contact_id} was offered before {other}"


def _goes_before(one: ContactArrived, other: ContactArrived) -> bool:
    asks_alike = (one.queue_id, one.required_skills, one.plan) == (other.queue_id, other.required_skills, other.plan)
    return (
        one.channel is other.channel
        and asks_alike
        and (-one.priority, one.arrived_at) < (-other.priority, other.arrived_at)
    )
