"""Calls out, counted anew: each call is looked at whole. Pure.

Dialled is when it says so; answered when the customer first hears us or an agent; met when the first agent is there;
dropped when that is more than two seconds after the answer, or never and the call is over (16 CFR 310.4(b)(4)).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from callcenter.audit.quarters import Found, quarter
from callcenter.calls.callback_facts import CallbackDialled, CallbackRequested
from callcenter.calls.facts import CallAnswered, CallArrived, CallConnected, CallEnded, CallQueued, WrapUpRecorded
from callcenter.code_meanings import CodesConfigured
from callcenter.journal import JournalRow

_MET_WITHIN_MS = 2_000
_WRAPPED_UP_WITHIN_MS = 24 * 3_600_000


def recount_calls_out(rows: Sequence[JournalRow]) -> Found:
    """Dials, live answers, drops by either clock and right parties, of whoever they belong to."""
    queues = {row.entry.call_id: row.entry.queue_id for row in rows if isinstance(row.entry, CallbackRequested)}
    facts: dict[str, list[Any]] = defaultdict(list)
    right_now: frozenset[str] = frozenset()
    for row in rows:
        match row.entry:
            case CodesConfigured(wrap_ups=wrap_ups):
                right_now = frozenset(each.code for each in wrap_ups if each.right_party)
            case CallbackDialled(contact_id=contact_id):
                facts[contact_id].append(row.entry)
            case WrapUpRecorded(call_id=call_id, disposition=code):
                facts[call_id].append((row.entry.at, code in right_now))
            case CallArrived() | CallAnswered() | CallQueued() | CallConnected() | CallEnded():
                facts[row.entry.call_id].append(row.entry)
            case _:
                pass
    for of_call in facts.values():
        yield from _one_call(of_call, queues)


def _one_call(facts: Sequence[Any], queues: dict[str, str]) -> Found:
    owners = dict(_owners(facts, queues))
    if not owners:
        return
    met = _first(facts, CallConnected)
    there = min((fact.at for fact in facts if isinstance(fact, CallAnswered | CallConnected)), default=None)
    if met is not None and there is not None and ("agent", met.agent_id) not in owners:
        owners["agent", met.agent_id] = there
    for (kind, name), dialled_at in owners.items():
        yield (quarter(dialled_at), kind, name, "dials"), 1
        if there is not None:
            yield (quarter(there), kind, name, "live_answers"), 1
            for metric in _drops(facts, there, met):
                yield (quarter(there), kind, name, metric), 1
        said = _said_last(facts)
        if said is not None and said[1]:
            yield (quarter(said[0] if there is None else there), kind, name, "right_party"), 1


def _owners(facts: Sequence[Any], queues: dict[str, str]) -> Iterator[tuple[tuple[str, str], int]]:
    """Who dialled, and when first: the queue that promised a callback, or the agent who calls a number."""
    dialled, arrived = _first(facts, CallbackDialled), _first(facts, CallArrived)
    if dialled is not None and queues.get(dialled.call_id):
        yield ("queue", queues[dialled.call_id]), dialled.at
    if arrived is not None and arrived.direction == "outbound" and arrived.agent_id:
        yield ("agent", arrived.agent_id), arrived.at


def _drops(facts: Sequence[Any], there: int, met: CallConnected | None) -> Iterator[str]:
    if met is None and _first(facts, CallEnded) is None:
        return
    before = facts if met is None else facts[: facts.index(met)]
    greeted = _first(before, CallQueued)
    if met is None or met.at - there > _MET_WITHIN_MS:
        yield "dropped"
    if met is None or met.at - (there if greeted is None else greeted.at) > _MET_WITHIN_MS:
        yield "dropped_after_greeting"


def _said_last(facts: Sequence[Any]) -> tuple[int, bool] | None:
    """When the call was last wrapped up, and whether as the right person; not what is said a day after its end."""
    ended = _first(facts, CallEnded)
    said = [fact for fact in facts if isinstance(fact, tuple)]
    timely = [each for each in said if ended is None or each[0] - ended.at <= _WRAPPED_UP_WITHIN_MS]
    return timely[-1] if timely else None


def _first(facts: Sequence[Any], kind: type) -> Any:
    return next((fact for fact in facts if isinstance(fact, kind)), None)
