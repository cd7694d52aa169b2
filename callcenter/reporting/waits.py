"""Waits: from entering a queue to being connected, giving up, or being sent elsewhere. A fold of call facts. Pure.

The clock starts when the contact enters the queue (``CallQueued``) and stops when customer and agent are bridged
(``CallConnected``) or the wait ends otherwise; ringing is waiting, the menu before is not. Who is called back enters
when the customer is there: to wait, when the customer was called first, else to be connected in that instant.
"""

from dataclasses import dataclass

from acd.outcomes import OverflowReason
from callcenter.calls.callback_facts import CallbackDialled, CallbackRequested
from callcenter.calls.facts import (
    CallConnected,
    CallEnded,
    CallFact,
    CallOverflowed,
    CallQueued,
    Outcome,
    SegmentEnded,
)
from callcenter.calls.segments import SegmentResult
from callcenter.reporting.intervals import boundaries_passed, interval_of, pieces
from callcenter.reporting.postings import Measure, Posting, Rules, of_agent, of_queue
from callcenter.service_targets import ServiceTargets

NOT_LET_IN = frozenset(OverflowReason) - {OverflowReason.PLAN_OVER}
"""Why a queue does not let somebody in; whoever waited in vain, or left by a key, was let in."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A contact in a queue. ``since`` in milliseconds."""

    queue_id: str
    since: int


class Waits:
    """Everybody who waits. Holds one record for each of them and nothing else."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.targets = ServiceTargets()
        """What the site promises at this point of the journal."""
        self._waiting: dict[str, Wait] = {}
        self._gone_on: dict[str, Wait] = {}
        """By call: the wait that was over when the call went back to its flow, and when that was."""
        self._dialled: set[str] = set()
        """Calls in which a customer is called back, until the customer is there."""

    def waiting(self, queue_id: str) -> int:
        """How many wait in a queue now, ringing ones included."""
        return sum(wait.queue_id == queue_id for wait in self._waiting.values())

    def target_of(self, line: str) -> int:
        """Up to how many milliseconds a wait is within the service level of a queue, or of a channel in it."""
        return self._rules.target_of(line, self.targets)

    def take(self, fact: CallFact | CallbackRequested | CallbackDialled) -> list[Posting]:
        """Fold one fact."""
        match fact:
            case CallQueued():
                return self._enter(fact)
            case CallOverflowed():
                return self._overflowed(fact)
            case CallbackRequested(call_id=call_id):
                wait = self._gone_on.pop(call_id, None)
                return [] if wait is None else _converted(wait)
            case CallbackDialled(contact_id=contact_id):
                self._dialled.add(contact_id)
                return []
            case CallConnected():
                return self._connected(fact)
            case SegmentEnded():
                wait = self._waiting.pop(fact.contact_id, None)
                return [] if wait is None else self._left(wait, fact.at, fact.result is SegmentResult.ABANDONED)
            case CallEnded():
                self._gone_on.pop(fact.call_id, None)
                self._dialled.discard(fact.call_id)
                wait = self._waiting.pop(fact.call_id, None)
                return [] if wait is None else self._left(wait, fact.at, fact.outcome is Outcome.ABANDONED)
            case _:
                return []

    def up_to(self, horizon: int) -> list[Posting]:
        """What those who still wait add up to at ``horizon``. Changes nothing."""
        found: list[Posting] = []
        for wait in self._waiting.values():
            found += _time_of(wait, horizon)
            there = interval_of(max(horizon, wait.since))
            found.append(Posting(there, of_queue(wait.queue_id), Measure.IN_PROGRESS, 1))
        return found

    def _enter(self, fact: CallQueued) -> list[Posting]:
        contact_id = fact.contact_id or fact.call_id
        self._gone_on.pop(fact.call_id, None)
        self._dialled.discard(fact.call_id)
        before = self._waiting.get(contact_id)
        if before is not None and before.queue_id == fact.queue_id:  # an agent was lost; the place is kept
            return []
        self._waiting[contact_id] = Wait(fact.queue_id, fact.at)
        offered = Posting(interval_of(fact.at), of_queue(fact.queue_id), Measure.OFFERED, 1)
        return [offered] if before is None else [*_flowed_out(before, fact.at), offered]

    def _overflowed(self, fact: CallOverflowed) -> list[Posting]:
        wait = self._waiting.pop(fact.contact_id or fact.call_id, None)
        if wait is None:
            return []
        self._gone_on[fact.call_id] = Wait(wait.queue_id, max(fact.at, wait.since))
        if fact.reason not in NOT_LET_IN:
            return _flowed_out(wait, fact.at)
        blocked = Posting(interval_of(max(fact.at, wait.since)), of_queue(wait.queue_id), Measure.BLOCKED, 1)
        return [*_flowed_out(wait, fact.at), blocked]

    def _connected(self, fact: CallConnected) -> list[Posting]:
        wait = self._waiting.pop(fact.contact_id or fact.call_id, None)
        if wait is not None:
            return self._answered(wait, fact)
        if fact.call_id not in self._dialled or not fact.queue_id:
            return []
        self._dialled.discard(fact.call_id)
        offered = Posting(interval_of(fact.at), of_queue(fact.queue_id), Measure.OFFERED, 1)
        return [offered, *self._answered(Wait(fact.queue_id, fact.at), fact)]

    def _answered(self, wait: Wait, fact: CallConnected) -> list[Posting]:
        at, queue = max(fact.at, wait.since), of_queue(wait.queue_id)
        interval, waited = interval_of(at), at - wait.since
        found = [
            *_time_of(wait, at),
            Posting(interval, queue, Measure.ANSWERED, 1),
            Posting(interval, queue, Measure.ANSWERED_WAIT_MS, waited),
            Posting(interval, of_agent(fact.agent_id), Measure.ANSWERED, 1),
        ]
        if waited <= self.target_of(wait.queue_id):
            found.append(Posting(interval, queue, Measure.ANSWERED_IN_TARGET, 1))
            found.append(Posting(interval_of(wait.since), queue, Measure.OFFERED_IN_TARGET, 1))
        return found

    def _left(self, wait: Wait, at: int, abandoned: bool) -> list[Posting]:
        at = max(at, wait.since)
        if not abandoned:
            return [*_flowed_out(wait, at), Posting(interval_of(at), of_queue(wait.queue_id), Measure.LOST, 1)]
        waited, queue, interval = at - wait.since, of_queue(wait.queue_id), interval_of(at)
        short = waited < self._rules.short_abandon_ms
        in_target = waited <= self.target_of(wait.queue_id)
        return [
            *_time_of(wait, at),
            Posting(interval, queue, Measure.SHORT_ABANDONED if short else Measure.ABANDONED, 1),
            Posting(interval, queue, Measure.ABANDONED_WAIT_MS, waited),
            Posting(interval, queue, Measure.ABANDONED_IN_TARGET if in_target else Measure.ABANDONED_AFTER_TARGET, 1),
        ]


def _converted(left: Wait) -> list[Posting]:
    """Who left the queue at ``left.since`` took a callback then: that was the way out, and is told of that instant."""
    there, queue = interval_of(left.since), of_queue(left.queue_id)
    return [Posting(there, queue, Measure.FLOWED_OUT, -1), Posting(there, queue, Measure.CALLBACK_CONVERTED, 1)]


def _flowed_out(wait: Wait, at: int) -> list[Posting]:
    at = max(at, wait.since)
    return [*_time_of(wait, at), Posting(interval_of(at), of_queue(wait.queue_id), Measure.FLOWED_OUT, 1)]


def _time_of(wait: Wait, until: int) -> list[Posting]:
    """A wait laid across its intervals: time, the longest it was in each, and the boundaries it was there at."""
    queue = of_queue(wait.queue_id)
    found: list[Posting] = []
    waited = 0
    for interval, length in pieces(wait.since, until):
        waited += length
        found.append(Posting(interval, queue, Measure.WAIT_SPLIT_MS, length))
        found.append(Posting(interval, queue, Measure.MAX_WAIT_MS, waited))
    found += [Posting(start, queue, Measure.IN_PROGRESS, 1) for start in boundaries_passed(wait.since, until)]
    return found
