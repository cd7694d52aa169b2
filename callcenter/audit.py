"""The auditor: recounts a journal from its raw entries and names every breach of what the product promises.

It shares no code with the engine, the call machine or the record's fold, so that it can contradict them. Pure.
Invariants are numbered as in the package README's *Audit* section.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from acd.events import AgentSpec, ContactArrived, ContactLeft, FloorConfigured, SkillLevel
from acd.outcomes import OfferContact
from callcenter.calls.facts import (
    CallArrived,
    CallClosed,
    CallConnected,
    CallEnded,
    CallOfferFailed,
    CallRecord,
    Outcome,
    TimersFired,
)
from callcenter.journal import JournalRow

MAX_BREACHES = 100


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
    checks = (_sequence, _ledger, _durations, _one_call_per_agent, _eligible, _in_order)
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
    told: dict[str, dict[type[Any], Any]] = defaultdict(dict)
    for row in rows:
        if isinstance(row.entry, CallArrived | CallConnected | CallEnded):
            told[row.entry.call_id][type(row.entry)] = row.entry
        elif isinstance(row.entry, CallClosed):
            yield from _compare(row.entry.record, told[row.entry.call_id])


def _compare(record: CallRecord, facts: dict[type[Any], Any]) -> Iterator[str]:
    arrived, connected, ended = facts.get(CallArrived), facts.get(CallConnected), facts.get(CallEnded)
    name = f"I2: record of call {record.call_id}"
    if arrived is None or ended is None:
        return
    if (record.arrived_at, record.ended_at, record.outcome) != (arrived.at, ended.at, ended.outcome):
        yield f"{name}: its instants or outcome are not those of its facts"
    talk_ms = 0 if connected is None else ended.at - connected.at
    if record.talk_ms != talk_ms or talk_ms < 0:
        yield f"{name}: {record.talk_ms} ms of talk, the facts say {talk_ms}"
    if not 0 <= record.waited_ms <= record.ended_at - record.arrived_at:
        yield f"{name}: waited {record.waited_ms} ms in a call of {record.ended_at - record.arrived_at} ms"
    answered = connected is not None
    if answered != (record.outcome is Outcome.ANSWERED) and record.outcome is not Outcome.SYSTEM_RESTART:
        yield f"{name}: outcome {record.outcome}, but it was {'' if answered else 'not '}connected"


def _one_call_per_agent(rows: Sequence[JournalRow]) -> Iterator[str]:
    """I3: nobody talks in two calls at once, and nobody is rung while talking."""
    talking: dict[str, str] = {}
    for row in rows:
        match row.entry:
            case CallConnected(call_id=call_id, agent_id=agent_id):
                if agent_id in talking:
                    yield f"I3: entry {row.seq}: {agent_id} is connected to {call_id} while in {talking[agent_id]}"
                talking[agent_id] = call_id
            case OfferContact(agent_id=agent_id, contact_id=contact_id) if agent_id in talking:
                yield f"I3: entry {row.seq}: {agent_id} is rung for {contact_id} while in {talking[agent_id]}"
            case CallEnded(call_id=call_id):
                talking = {agent: call for agent, call in talking.items() if call != call_id}


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
            case OfferContact(contact_id=contact_id, agent_id=agent_id) if contact_id in contacts:
                agent, contact = agents.get(agent_id), contacts[contact_id]
                if agent is None or contact.queue_id not in agent.queue_ids:
                    yield f"I4: entry {row.seq}: {agent_id} does not serve {contact.queue_id}"
                elif not _has_skills(agent, contact.required_skills):
                    yield f"I4: entry {row.seq}: {agent_id} lacks a skill that {contact_id} asks for"


def _has_skills(agent: AgentSpec, required: Iterable[SkillLevel]) -> bool:
    return all(
        any(held.skill == wanted.skill and held.level >= wanted.level for held in agent.skills) for wanted in required
    )


def _in_order(rows: Sequence[JournalRow]) -> Iterator[str]:
    """I6: among waiting contacts that ask for the same, the higher priority goes first, then the earlier arrival.

    A contact whose earlier offer this agent refused may be passed over.
    """
    waiting: dict[str, ContactArrived] = {}
    asked: dict[str, ContactArrived] = {}
    refused: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        match row.entry:
            case ContactArrived(contact_id=contact_id):
                waiting[contact_id] = asked[contact_id] = row.entry
            case CallOfferFailed(call_id=call_id, agent_id=agent_id) if call_id in asked:
                waiting[call_id] = asked[call_id]
                refused[call_id].add(agent_id)
            case ContactLeft(contact_id=contact_id) | CallEnded(call_id=contact_id):
                waiting.pop(contact_id, None)
            case OfferContact(contact_id=contact_id, agent_id=agent_id) if contact_id in waiting:
                chosen = waiting.pop(contact_id)
                for other in waiting.values():
                    if _goes_before(other, chosen) and agent_id not in refused[other.contact_id]:
                        yield f"I6: entry {row.seq}: {contact_id} was offered before {other.contact_id}"


def _goes_before(one: ContactArrived, other: ContactArrived) -> bool:
    asks_alike = (one.queue_id, one.required_skills) == (other.queue_id, other.required_skills)
    return asks_alike and (-one.priority, one.arrived_at) < (-other.priority, other.arrived_at)
