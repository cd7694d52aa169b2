"""First-contact resolution: did the same customer come back about the same thing within so many days? Pure.

Derived, not marked by agents. A contact is a customer's that an agent dealt with, whoever had it last; it counts in the
interval in which it ended, and only once its days are over, so that the newest contacts do not look resolved. Every
contact of the customer after its end is another try, also one that nobody answered; what we began ourselves is none.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush

from acd.events import Channel
from callcenter.calls.facts import CallArrived, CallClosed, CallCorrected, CallRecord, Outcome, WrapUpRecorded
from callcenter.calls.segments import SegmentKind
from callcenter.channels.facts import ItemArrived, ItemClosed, ItemCorrected, ItemRecord, ItemResult
from callcenter.journal_erasure import TOMBSTONE
from callcenter.reporting.intervals import interval_of
from callcenter.reporting.item_lines import line_of
from callcenter.reporting.postings import Family, Posting, Subject, member, of_agent, of_queue

DAYS = (1, 7, 30)
DAY_MS = 86_400_000
ALL, ANY_CHANNEL, SAME_CHANNEL = "contacts", "any", "same"


def name(days: int, what: str) -> str:
    """The measure of a family that counts this."""
    return member(Family.RESOLVED, f"{days}.{what}")


@dataclass(slots=True)
class Contact:
    """One contact of a customer."""

    contact_id: str
    customer: str
    """Empty while nobody knows."""
    channel: Channel
    arrived_at: int
    ended_at: int
    queue_id: str
    agent_id: str
    """Empty when nobody dealt with it."""
    parent_id: str
    flow: str
    code: str = ""
    """The wrap-up code."""


class Resolutions:
    """Contacts of the longest period, by customer, and when each is to be decided."""

    def __init__(self) -> None:
        self._of_customer: dict[str, list[Contact]] = defaultdict(list)
        self._contacts: dict[str, Contact] = {}
        self._due: list[tuple[int, int, str]] = []
        """When, days, contact."""
        self._open: dict[str, int] = {}
        """Calls and items that are not closed, with when they arrived: they may turn out to be another try."""
        self._codes: dict[str, str] = {}
        """Wrap-up codes of those that are open."""
        self._issues: dict[str, str] = {}

    def mean(self, issues: Iterable[tuple[str, str]]) -> None:
        """From here on these wrap-up codes are about these issues; others about themselves."""
        self._issues = {code: issue for code, issue in issues if issue}

    def take(self, fact: object, now: int) -> list[Posting]:
        """Fold one fact that was written at ``now``."""
        match fact:
            case CallArrived():
                self._open[fact.call_id] = fact.at
            case ItemArrived():
                self._open[fact.contact_id] = fact.at
            case CallClosed(record=record):
                self._close(fact.call_id, _of_call(record))
            case ItemClosed(record=record):
                self._close(fact.contact_id, _of_item(record))
            case CallCorrected(record=record):
                self._correct(_of_call(record))
            case ItemCorrected(record=record):
                self._correct(_of_item(record))
            case WrapUpRecorded():
                self._wrap_up(fact)
            case _:
                pass
        return self._decide(now)

    def _close(self, contact_id: str, contact: Contact | None) -> None:
        """It is over; ``None`` when it was not a customer's try."""
        self._open.pop(contact_id, None)
        code = self._codes.pop(contact_id, "")
        if contact is None:
            return
        contact.code = code
        self._contacts[contact_id] = contact
        if contact.customer:
            self._of_customer[contact.customer].append(contact)
        for days in DAYS if contact.agent_id else DAYS[-1:]:
            heappush(self._due, (contact.ended_at + days * DAY_MS, days, contact_id))

    def _correct(self, corrected: Contact | None) -> None:
        """It was somebody else, or is known only now; what was decided before stays."""
        contact = None if corrected is None else self._contacts.get(corrected.contact_id)
        if contact is None or corrected is None or corrected.customer in {"", contact.customer}:
            return
        self._leave(contact)
        contact.customer = corrected.customer
        self._of_customer[contact.customer].append(contact)

    def _wrap_up(self, fact: WrapUpRecorded) -> None:
        """The code said last; an agent may wrap up before the call is over, which goes on with a survey."""
        contact = self._contacts.get(fact.contact_id or fact.call_id) or self._contacts.get(fact.call_id)
        if contact is not None:
            contact.code = fact.disposition
        elif fact.call_id in self._open:
            self._codes[fact.call_id] = fact.disposition

    def _decide(self, now: int) -> list[Posting]:
        if not self._due or self._due[0][0] >= now:
            return []
        known_until = min(now, min(self._open.values(), default=now))
        found: list[Posting] = []
        while self._due and self._due[0][0] < known_until:
            _, days, contact_id = heappop(self._due)
            contact = self._contacts[contact_id]
            if contact.agent_id and contact.customer:
                found += self._decided(contact, days)
            if days == DAYS[-1]:
                self._leave(contact)
                del self._contacts[contact_id]
        return found

    def _leave(self, contact: Contact) -> None:
        if not contact.customer:
            return
        others = [each for each in self._of_customer[contact.customer] if each is not contact]
        if others:
            self._of_customer[contact.customer] = others
        else:
            del self._of_customer[contact.customer]

    def _decided(self, contact: Contact, days: int) -> list[Posting]:
        tries = [each for each in self._of_customer[contact.customer] if self._is_another_try(contact, each, days)]
        same = [each for each in tries if each.channel is contact.channel]
        counts = {ALL: 1, ANY_CHANNEL: int(not tries), SAME_CHANNEL: int(not same)}
        interval = interval_of(contact.ended_at)
        return [
            Posting(interval, subject, name(days, what), count)
            for subject in _subjects(contact)
            for what, count in counts.items()
        ]

    def _is_another_try(self, first: Contact, other: Contact, days: int) -> bool:
        within = first.ended_at < other.arrived_at <= first.ended_at + days * DAY_MS
        came_of_it = other.parent_id == first.contact_id
        return within and not came_of_it and self._same_issue(first, other)

    def _same_issue(self, first: Contact, other: Contact) -> bool:
        """By wrap-up codes where both have one, else by flows where both have one; else nothing tells them apart."""
        if first.code and other.code:
            return self._issues.get(first.code, first.code) == self._issues.get(other.code, other.code)
        return not (first.flow and other.flow) or first.flow == other.flow


def _subjects(contact: Contact) -> Iterable[Subject]:
    yield of_agent(line_of(contact.agent_id, contact.channel))
    if contact.queue_id:
        yield of_queue(line_of(contact.queue_id, contact.channel))


def _customer(customer_id: str | None, caller: str) -> str:
    """Who it was: the customer of the store, else the number; nobody after an erasure."""
    if customer_id:
        return customer_id
    return f"tel {caller}" if caller and caller != TOMBSTONE else ""


def _of_call(record: CallRecord) -> Contact | None:
    """``None`` for a call that we began ourselves."""
    if record.direction != SegmentKind.INBOUND:
        return None
    answered = record.outcome is Outcome.ANSWERED and record.agent_id is not None
    return Contact(
        record.call_id,
        _customer(record.customer_id, record.caller),
        Channel.VOICE,
        record.arrived_at,
        record.ended_at,
        record.queue_id or "",
        record.agent_id or "" if answered else "",
        "",
        record.flow,
    )


def _of_item(record: ItemRecord) -> Contact:
    return Contact(
        record.contact_id,
        _customer(record.customer_id, record.caller),
        record.channel,
        record.arrived_at,
        record.ended_at,
        record.queue_id,
        record.agent_id if record.result is ItemResult.HANDLED else "",
        record.parent_id,
        "",
    )
