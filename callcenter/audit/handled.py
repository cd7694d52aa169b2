"""What handled conversations had of consultations, counted anew: every conversation is followed to its agent's release.

When an agent is done with a contact is told by the auditor's own book of the floor, so no rule of the routing engine
and none of the report's is taken at its word. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from acd.events import ContactFinished, ContactLeft
from callcenter.audit.asked import Consultation, consultations
from callcenter.audit.book import FloorBook
from callcenter.audit.quarters import Found, quarter
from callcenter.calls.facts import CallConnected, CallEnded, CallQueued, SegmentEnded
from callcenter.journal import JournalRow


@dataclass(slots=True)
class Talk:
    """An agent with a contact, from being connected until talk and wrap-up are over. ``None`` until it is known."""

    call_id: str
    contact_id: str
    agent_id: str
    queue_id: str
    since: int
    ended_at: int | None = None
    released_at: int | None = None
    wraps_up: bool = False
    """By the newest word of the book."""


def recount_handled(rows: Sequence[JournalRow]) -> Found:
    """Time of asking, time of being asked, and agents who were only asked: of conversations, when they are handled."""
    asked = list(consultations(rows))
    if not asked:
        return
    concerned = {each.contact_id for each in asked} | {each.parent_id for each in asked}
    for talk in _handled(rows, concerned):
        at = quarter(max(talk.ended_at or 0, talk.released_at or 0))
        for metric, amount in _amounts(talk, asked):
            for kind, name in (("agent", talk.agent_id), ("queue", talk.queue_id)):
                if name and amount:
                    yield (at, kind, name, metric), amount


def _amounts(talk: Talk, asked: Sequence[Consultation]) -> Iterator[tuple[str, int]]:
    for each in asked:
        if talk.contact_id == each.parent_id:
            yield "consulting_closed_ms", _time_within(talk, each)
        if talk.contact_id == each.contact_id:
            yield "consulted_closed_ms", _time_within(talk, each)
            yield "handled_consulted", int(each.is_asked_only)


def _time_within(talk: Talk, consultation: Consultation) -> int:
    lasted_until = talk.ended_at or 0
    return sum(end - start for start, end in consultation.alone if talk.since <= end <= lasted_until)


def _handled(rows: Sequence[JournalRow], concerned: set[str]) -> Iterator[Talk]:
    """Every conversation of these contacts that is over for both, in the order of becoming so."""
    book, talks = FloorBook(), list[Talk]()
    for row in rows:
        book.take(row.entry, row.at)
        for talk in talks:
            _follow(talk, row.entry, book, row.at)
        yield from (talk for talk in talks if talk.ended_at is not None and talk.released_at is not None)
        talks = [talk for talk in talks if talk.ended_at is None or talk.released_at is None]
        if isinstance(row.entry, CallConnected) and (row.entry.contact_id or row.entry.call_id) in concerned:
            talks.append(_begun(row.entry, book))


def _begun(fact: CallConnected, book: FloorBook) -> Talk:
    """Who is connected without having the contact by routing's word is through with it when the talk is."""
    talk = Talk(fact.call_id, fact.contact_id or fact.call_id, fact.agent_id, fact.queue_id, fact.at)
    talk.released_at = None if _has(book, talk) else fact.at
    return talk


def _follow(talk: Talk, entry: Any, book: FloorBook, at: int) -> None:
    if talk.ended_at is None and _ends(talk, entry):
        talk.ended_at = max(talk.since, entry.at)
    if talk.released_at is not None:
        return
    if talk.agent_id in book.seats:
        if not _has(book, talk):
            talk.released_at = at
        talk.wraps_up = book.seats[talk.agent_id].state == "wrap_up"
    elif talk.wraps_up or (isinstance(entry, ContactFinished | ContactLeft) and entry.contact_id == talk.contact_id):
        talk.released_at = at  # an agent who is configured no more ends what goes on, and wraps up nothing


def _has(book: FloorBook, talk: Talk) -> bool:
    seat = book.seats.get(talk.agent_id)
    return seat is not None and seat.state in {"busy", "wrap_up"} and seat.contact_id == talk.contact_id


def _ends(talk: Talk, entry: Any) -> bool:
    """The end of all, of this conversation, or another queue for its customer."""
    if isinstance(entry, CallEnded):
        return entry.call_id == talk.call_id
    if isinstance(entry, SegmentEnded | CallQueued):
        return (entry.contact_id or entry.call_id) == talk.contact_id
    return False
