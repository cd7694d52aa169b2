"""Calls out: dials, who answered, whom nobody met within two seconds, and whether it was the right person. Pure.

A queue has the callbacks that were promised there; an agent the own calls to numbers, and of callbacks those the agent
took part in. Where an agent is on the line before the customer is dialled, the two meet as the customer answers.
"""

from dataclasses import dataclass, field

from callcenter.calls.callback_facts import CallbackClosed, CallbackDialled, CallbackRequested
from callcenter.calls.facts import (
    CallAnswered,
    CallArrived,
    CallConnected,
    CallEnded,
    CallQueued,
    WrapUpRecorded,
)
from callcenter.calls.segments import SegmentKind
from callcenter.reporting.intervals import interval_of
from callcenter.reporting.postings import Measure, Posting, Subject, of_agent, of_queue

CONNECT_MS = 2_000
"""Within this of answering, somebody must be there (16 CFR 310.4(b)(4))."""
REMEMBERED_MS = 86_400_000
"""How long after a call its wrap-up code is waited for."""


@dataclass(slots=True)
class Dial:
    """One call out, as far as it got."""

    subjects: list[Subject] = field(default_factory=list)
    answered_at: int | None = None
    greeted_at: int | None = None
    """The customer heard who calls, and waits."""
    connected_at: int | None = None
    ended_at: int | None = None
    right_at: int | None = None
    """The right person was reached, and is counted at this instant."""


class CallsOut:
    """Calls out that go on, or whose wrap-up may still come; and which queue promised which callback."""

    def __init__(self) -> None:
        self._queues: dict[str, str] = {}
        self._dials: dict[str, Dial] = {}
        self._right: frozenset[str] = frozenset()

    def mean(self, right_party: frozenset[str]) -> None:
        """From here on these wrap-up codes say that the right person was reached."""
        self._right = right_party

    def take(self, fact: object) -> list[Posting]:
        """Fold one fact."""
        match fact:
            case CallbackRequested():
                self._queues[fact.call_id] = fact.queue_id
            case CallbackClosed():
                self._queues.pop(fact.call_id, None)
            case CallbackDialled():
                return self._dialled(fact.contact_id, of_queue(self._queues.get(fact.call_id, "")), fact.at)
            case CallArrived(direction=SegmentKind.OUTBOUND) if fact.agent_id:
                return self._dialled(fact.call_id, of_agent(fact.agent_id), fact.at)
            case CallAnswered() | CallQueued() | CallConnected() | CallEnded() if fact.call_id in self._dials:
                return self._follow(self._dials[fact.call_id], fact)
            case WrapUpRecorded() if fact.call_id in self._dials:
                return self._wrap_up(self._dials[fact.call_id], fact)
            case _:
                pass
        return []

    def _dialled(self, call_id: str, subject: Subject, at: int) -> list[Posting]:
        self._forget(at - REMEMBERED_MS)
        dial = self._dials.setdefault(call_id, Dial())
        if not subject.id or subject in dial.subjects:
            return []
        dial.subjects.append(subject)
        return [Posting(interval_of(at), subject, Measure.DIALS, 1)]

    def _follow(self, dial: Dial, fact: CallAnswered | CallQueued | CallConnected | CallEnded) -> list[Posting]:
        match fact:
            case CallAnswered() if dial.answered_at is None:
                return self._answered(dial, fact.at)
            case CallQueued() if dial.greeted_at is None:
                dial.greeted_at = fact.at
            case CallConnected() if dial.connected_at is None:
                found = [] if dial.answered_at is not None else self._answered(dial, fact.at)
                dial.connected_at = fact.at
                joined = self._join(dial, of_agent(fact.agent_id), fact.at)
                return [*found, *joined, *self._dropped(dial, fact.at)]
            case CallEnded():
                dial.ended_at = fact.at
                if dial.answered_at is not None and dial.connected_at is None:
                    return self._dropped(dial, None)
            case _:
                pass
        return []

    def _answered(self, dial: Dial, at: int) -> list[Posting]:
        dial.answered_at = at
        return [Posting(interval_of(at), each, Measure.LIVE_ANSWERS, 1) for each in dial.subjects]

    def _join(self, dial: Dial, agent: Subject, at: int) -> list[Posting]:
        """The agent who took a callback has it among the own calls from here on."""
        if agent in dial.subjects:
            return []
        dial.subjects.append(agent)
        answered_at = at if dial.answered_at is None else dial.answered_at
        return [Posting(interval_of(answered_at), agent, each, 1) for each in (Measure.DIALS, Measure.LIVE_ANSWERS)]

    def _dropped(self, dial: Dial, met_at: int | None) -> list[Posting]:
        """Whether nobody was there in time, by either clock; counted where the customer answered."""
        if dial.answered_at is None:
            return []
        greeted_at = dial.answered_at if dial.greeted_at is None else dial.greeted_at
        clocks = ((Measure.DROPPED, dial.answered_at), (Measure.DROPPED_AFTER_GREETING, greeted_at))
        return [
            Posting(interval_of(dial.answered_at), subject, measure, 1)
            for measure, since in clocks
            if met_at is None or met_at - since > CONNECT_MS
            for subject in dial.subjects
        ]

    def _wrap_up(self, dial: Dial, fact: WrapUpRecorded) -> list[Posting]:
        """The code said last says whether it was the right person; what it takes back it takes from where it stands."""
        if dial.ended_at is not None and fact.at - dial.ended_at > REMEMBERED_MS:
            return []
        changed = [] if dial.right_at is None else _right_party(dial, dial.right_at, -1)
        dial.right_at = None
        if fact.disposition in self._right:
            dial.right_at = fact.at if dial.answered_at is None else dial.answered_at
            changed += _right_party(dial, dial.right_at, 1)
        return changed

    def _forget(self, before: int) -> None:
        """Dials are remembered in the order in which they were made."""
        gone = []
        for call_id, dial in self._dials.items():
            if dial.ended_at is None or dial.ended_at > before:
                break
            gone.append(call_id)
        for call_id in gone:
            del self._dials[call_id]


def _right_party(dial: Dial, at: int, amount: int) -> list[Posting]:
    return [Posting(interval_of(at), each, Measure.RIGHT_PARTY, amount) for each in dial.subjects]
