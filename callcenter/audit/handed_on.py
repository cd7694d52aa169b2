"""Customers who were handed on, counted anew: each end of an agent's part is looked at with all that came before. Pure.

Calls are handed on where an agent's segment ends so, or where the customer goes to a queue from the talk; items where
they wait again. Whom it was for is the newest search that began from this conversation.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from callcenter.audit.quarters import Found, quarter
from callcenter.calls.facts import (
    CallConnected,
    CallEnded,
    CallQueued,
    NumberConnected,
    SegmentEnded,
    SegmentOpened,
)
from callcenter.channels.facts import ItemAccepted, ItemArrived, ItemMoved, ItemReturned
from callcenter.journal import JournalRow

_OF_CALLS = CallConnected | CallEnded | CallQueued | NumberConnected | SegmentEnded | SegmentOpened
_OF_ITEMS = ItemArrived | ItemAccepted | ItemMoved | ItemReturned


def recount_handed_on(rows: Sequence[JournalRow]) -> Found:
    """Conversations whose customer was handed on, of agent and queue, and how."""
    calls: dict[str, list[Any]] = defaultdict(list)
    items: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        if isinstance(row.entry, _OF_CALLS):
            calls[row.entry.call_id].append(row.entry)
        elif isinstance(row.entry, _OF_ITEMS):
            items[row.entry.contact_id].append(row.entry)
    for facts in calls.values():
        for place, fact in enumerate(facts):
            yield from _end_of_talk(fact, facts[:place])
    for told in items.values():
        if not isinstance(told[0], ItemArrived):  # it arrived before this journal begins
            continue
        for before, fact in pairwise(told):
            if isinstance(before, ItemAccepted) and isinstance(fact, ItemMoved | ItemReturned):
                agent, queue = (f"{name}/{told[0].channel}" for name in (before.agent_id, before.queue_id))
                yield from _of_both(fact.at, agent, queue, "transferred")


def _end_of_talk(fact: Any, before: Sequence[Any]) -> Found:
    if isinstance(fact, CallQueued):
        metrics = ["transferred"]
    elif isinstance(fact, SegmentEnded) and fact.result == "transferred":
        metrics = ["transferred", *_how(fact, before)]
    else:
        return
    talk = _talk(fact, before)
    if talk is not None:
        for metric in metrics:
            yield from _of_both(max(fact.at, talk.at), talk.agent_id, talk.queue_id, metric)


def _how(ended: SegmentEnded, before: Sequence[Any]) -> Iterator[str]:
    contact_id = ended.contact_id or ended.call_id
    sought = [
        number
        for number, fact in enumerate(before)
        if isinstance(fact, SegmentOpened)
        and fact.kind in ("consult", "transfer")
        and (fact.parent_id or fact.call_id) == contact_id
    ]
    if not sought:
        return
    opened = before[sought[-1]]
    reached = [fact.contact_id for fact in before if isinstance(fact, CallConnected | NumberConnected)]
    if opened.kind == "consult" and opened.contact_id in reached:
        yield "transferred_consulted"
    if opened.target_kind == "queue":
        yield "transferred_to_queue"


def _talk(ending: Any, before: Sequence[Any]) -> CallConnected | None:
    """The talk that this ends; ``None`` when nobody was talking there."""
    contact_id = ending.contact_id or ending.call_id
    for fact in reversed(before):
        if isinstance(fact, CallEnded):
            return None
        if (
            isinstance(fact, CallConnected | CallQueued | SegmentEnded)
            and (fact.contact_id or fact.call_id) == contact_id
        ):
            return fact if isinstance(fact, CallConnected) else None
    return None


def _of_both(at: int, agent_id: str, queue_id: str, metric: str) -> Found:
    yield (quarter(at), "agent", agent_id, metric), 1
    if queue_id:
        yield (quarter(at), "queue", queue_id, metric), 1
