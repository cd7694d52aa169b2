"""Consultations: an agent asks somebody with the customer on hold. A fold of call facts. Pure.

Its time runs from when the asked party is there to when it is gone, or has the customer, and not while all talk
together. It is in the asking agent's talk (and hold), and it is all the talk that an asked agent has of it; so handle
times are published with it and without.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from callcenter.calls.facts import (
    CallConnected,
    CallEnded,
    ConversationChanged,
    NumberConnected,
    SegmentEnded,
    SegmentOpened,
)
from callcenter.calls.participants import Conversation as Mode
from callcenter.calls.segments import SegmentKind
from callcenter.reporting.conversations import Conversations
from callcenter.reporting.intervals import interval_of, pieces
from callcenter.reporting.postings import Measure, Posting, Subject, of_agent, of_queue

_WITH_CUSTOMER = frozenset({Mode.CONFERENCE, Mode.PRIVATE})


@dataclass(slots=True)
class Consultation:
    """Somebody is asked. Milliseconds."""

    contact_id: str
    parent_id: str
    """The conversation of whoever asks."""
    asking: str
    asked: str = ""
    """Empty until somebody is there, and for a number outside."""
    queue_id: str = ""
    """The queue whose customer it is about."""
    is_there: bool = False
    since: int | None = None
    """The time runs since then."""


class Consultations:
    """Those that go on; at most one in a call."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._open: dict[str, Consultation] = {}
        self._modes: dict[str, Mode] = {}
        """By call that is up and has not only plain talk: who hears whom."""

    def take(self, fact: object) -> list[Posting]:
        """Fold one fact; to be told before the conversations are."""
        match fact:
            case SegmentOpened(kind=SegmentKind.CONSULT):
                before = self._over(fact.call_id, fact.at, handed_on=False)
                parent_id = fact.parent_id or fact.call_id
                self._open[fact.call_id] = Consultation(fact.contact_id, parent_id, fact.by_agent_id)
                return before
            case CallConnected() | NumberConnected():
                return self._connected(fact)
            case ConversationChanged(mode=mode):
                return self._changed(fact.call_id, mode, fact.at)
            case SegmentEnded(contact_id=contact_id):
                consultation = self._open.get(fact.call_id)
                if consultation is None or (contact_id or fact.call_id) not in {
                    consultation.contact_id,
                    consultation.parent_id,
                }:
                    return []
                return self._over(fact.call_id, fact.at, handed_on=contact_id != consultation.contact_id)
            case CallEnded():
                self._modes.pop(fact.call_id, None)
                return self._over(fact.call_id, fact.at, handed_on=False)
            case _:
                return []

    def up_to(self, horizon: int) -> list[Posting]:
        """What is being asked at ``horizon``. Changes nothing."""
        return [
            posting
            for each in self._open.values()
            if each.since is not None
            for posting in _time(each, each.since, horizon)
        ]

    def _connected(self, fact: CallConnected | NumberConnected) -> list[Posting]:
        consultation = self._open.get(fact.call_id)
        if consultation is None or fact.contact_id != consultation.contact_id or consultation.is_there:
            return []
        consultation.is_there = True
        consultation.asked = fact.agent_id if isinstance(fact, CallConnected) else ""
        consultation.queue_id = self._conversations.queue_of(consultation.parent_id)
        if self._modes.get(fact.call_id) not in _WITH_CUSTOMER:
            consultation.since = fact.at
        interval = interval_of(fact.at)
        found = [Posting(interval, subject, Measure.CONSULTATIONS, 1) for subject in _asking(consultation)]
        if consultation.asked:
            found.append(Posting(interval, of_agent(consultation.asked), Measure.CONSULTED, 1))
        return found

    def _changed(self, call_id: str, mode: Mode, at: int) -> list[Posting]:
        self._modes[call_id] = mode
        consultation = self._open.get(call_id)
        if consultation is None or not consultation.is_there:
            return []
        if mode in _WITH_CUSTOMER:
            return self._stop(consultation, at)
        if consultation.since is None:
            consultation.since = at
        return []

    def _stop(self, consultation: Consultation, at: int) -> list[Posting]:
        since, consultation.since = consultation.since, None
        if since is None:
            return []
        self._conversations.consult(consultation.parent_id, asking_ms=max(0, at - since))
        if consultation.asked:
            self._conversations.consult(consultation.contact_id, asked_ms=max(0, at - since))
        return list(_time(consultation, since, at))

    def _over(self, call_id: str, at: int, *, handed_on: bool) -> list[Posting]:
        consultation = self._open.pop(call_id, None)
        if consultation is None or not consultation.is_there:
            return []
        if consultation.asked and not handed_on:
            self._conversations.consult(consultation.contact_id, asked_only=True)
        return self._stop(consultation, at)


def _asking(consultation: Consultation) -> list[Subject]:
    agents = [of_agent(consultation.asking)] if consultation.asking else []
    return [*agents, *([of_queue(consultation.queue_id)] if consultation.queue_id else [])]


def _time(consultation: Consultation, start: int, end: int) -> Iterator[Posting]:
    for interval, length in pieces(start, end):
        for subject in _asking(consultation):
            yield Posting(interval, subject, Measure.CONSULTING_SPLIT_MS, length)
        if consultation.asked:
            yield Posting(interval, of_agent(consultation.asked), Measure.CONSULTED_SPLIT_MS, length)
