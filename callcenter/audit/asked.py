"""Consultations, counted anew: each is looked for whole, from being opened to its end. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from callcenter.audit.quarters import Found, laid_out, quarter
from callcenter.calls.facts import (
    CallConnected,
    CallEnded,
    ConversationChanged,
    NumberConnected,
    SegmentEnded,
    SegmentOpened,
)
from callcenter.journal import JournalRow

_FACTS = CallConnected | CallEnded | ConversationChanged | NumberConnected | SegmentEnded | SegmentOpened
_WITH_CUSTOMER = ("conference", "private")


@dataclass(frozen=True, slots=True)
class Consultation:
    """A party that was asked and reached. Milliseconds."""

    contact_id: str
    parent_id: str
    """The conversation that it is about."""
    asking: str
    asked: str
    """The agent who was asked; empty for a number outside."""
    queue_id: str
    """Whose customer it is about; empty for nobody's."""
    reached_at: int
    alone: Sequence[tuple[int, int]]
    """From and to: the party there, and not with the customer."""
    is_asked_only: bool
    """It is over, and the asked party did not get the customer by it."""


def recount_consultations(rows: Sequence[JournalRow]) -> Found:
    """Parties asked and reached, and how long they were asked, of who asks and who is asked."""
    for each in consultations(rows):
        at = quarter(each.reached_at)
        for kind, name in (("agent", each.asking), ("queue", each.queue_id)):
            if name:
                yield (at, kind, name, "consultations"), 1
                yield from _laid(each.alone, kind, name, "consulting_split_ms")
        if each.asked:
            yield (at, "agent", each.asked, "consulted"), 1
            yield from _laid(each.alone, "agent", each.asked, "consulted_split_ms")


def consultations(rows: Sequence[JournalRow]) -> Iterator[Consultation]:
    """Each that reached somebody; one that goes on lasts until the newest entry."""
    now = max((row.at for row in rows), default=0)
    facts: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        if isinstance(row.entry, _FACTS):
            facts[row.entry.call_id].append(row.entry)
    for of_call in facts.values():
        for place, fact in enumerate(of_call):
            if isinstance(fact, SegmentOpened) and fact.kind == "consult":
                yield from _one(fact, of_call[:place], of_call[place:], now)


def _one(opened: SegmentOpened, before: Sequence[Any], facts: Sequence[Any], now: int) -> Iterator[Consultation]:
    parent_id = opened.parent_id or opened.call_id
    over = next((number for number, fact in enumerate(facts) if _ends(fact, opened.contact_id, parent_id)), len(facts))
    end = facts[over] if over < len(facts) else None
    facts = facts[:over]
    there = next((number for number, fact in enumerate(facts) if _reached(fact, opened.contact_id)), None)
    if there is None:
        return
    reached = facts[there]
    modes = [fact.mode for fact in [*before, *facts[:there]] if isinstance(fact, ConversationChanged)]
    handed_on = isinstance(end, SegmentEnded) and (end.contact_id or end.call_id) != opened.contact_id
    yield Consultation(
        opened.contact_id,
        parent_id,
        opened.by_agent_id,
        reached.agent_id if isinstance(reached, CallConnected) else "",
        _queue_of(parent_id, [*before, *facts[:there]]),
        reached.at,
        tuple(_alone(facts[there:], modes[-1] if modes else "consult", now if end is None else end.at)),
        end is not None and not handed_on,
    )


def _ends(fact: Any, contact_id: str, parent_id: str) -> bool:
    """Its own end, the end of the conversation it is about, the end of all, or another one instead."""
    if isinstance(fact, SegmentEnded):
        return (fact.contact_id or fact.call_id) in (contact_id, parent_id)
    anew = isinstance(fact, SegmentOpened) and fact.kind == "consult" and fact.contact_id != contact_id
    return anew or isinstance(fact, CallEnded)


def _reached(fact: Any, contact_id: str) -> bool:
    return isinstance(fact, CallConnected | NumberConnected) and fact.contact_id == contact_id


def _queue_of(contact_id: str, facts: Sequence[Any]) -> str:
    """Whose customer it is: the queue of the agent who is connected in this stretch of the call."""
    for fact in reversed(facts):
        whose = (getattr(fact, "contact_id", "") or fact.call_id) == contact_id
        if whose and isinstance(fact, SegmentEnded):
            return ""
        if whose and isinstance(fact, CallConnected):
            return fact.queue_id
    return ""


def _alone(facts: Sequence[Any], mode: str, ended_at: int) -> Iterator[tuple[int, int]]:
    """When the asked party was there and the customer not, from and to; ``mode`` held when it came."""
    changes = [(fact.at, fact.mode) for fact in facts if isinstance(fact, ConversationChanged)]
    modes: list[tuple[int, str]] = [(facts[0].at, mode), *changes, (ended_at, "")]
    for (start, held), (end, _) in pairwise(modes):
        if held not in _WITH_CUSTOMER:
            yield start, end


def _laid(times: Sequence[tuple[int, int]], kind: str, name: str, metric: str) -> Found:
    for start, end in times:
        for begin, length in laid_out(start, end):
            yield (begin, kind, name, metric), length
