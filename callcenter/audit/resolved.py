"""First-contact resolution, counted anew: of each contact every other one of its customer is looked at. Pure.

What is known of a contact is what was written down before it is decided: the first entry after its days by which every
call and item of those days is closed.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from callcenter.audit.quarters import Found, quarter
from callcenter.calls.facts import CallArrived, CallClosed, CallCorrected, WrapUpRecorded
from callcenter.channels.facts import ItemArrived, ItemClosed, ItemCorrected
from callcenter.code_meanings import CodesConfigured
from callcenter.journal import JournalRow
from callcenter.journal_erasure import TOMBSTONE

DAYS = (1, 7, 30)
_DAY_MS = 24 * 3_600_000
Dated = list[tuple[int, str]]
"""What was said, each with the number of its row."""


@dataclass(slots=True)
class _Contact:
    """A contact and everything that was ever said about it."""

    record: Any
    closed_in: int
    channel: str
    agent_id: str
    customers: Dated


@dataclass(slots=True)
class _Past:
    """The whole journal, by contact."""

    contacts: dict[str, _Contact] = field(default_factory=dict)
    codes: dict[str, Dated] = field(default_factory=lambda: defaultdict(list))
    issues: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    began: dict[str, int] = field(default_factory=dict)
    over_in: dict[str, int] = field(default_factory=dict)
    by_arrival: list[int] = field(default_factory=list)
    all_over: list[int] = field(default_factory=list)
    """To each arrival the row by which all of up to then are closed."""

    def close(self, rows: int) -> None:
        """Everything was read."""
        newest = -1
        for name, at in sorted(self.began.items(), key=lambda each: each[1]):
            newest = max(newest, self.over_in.get(name, rows))
            self.by_arrival.append(at)
            self.all_over.append(newest)


def recount_resolutions(rows: Sequence[JournalRow]) -> Found:
    """Contacts whose days are over, and those of them without another try, on any channel and on the same."""
    past = _read(rows)
    newest, so_far = [], 0
    for row in rows:
        so_far = max(so_far, row.at)
        newest.append(so_far)
    of_customer: dict[str, list[_Contact]] = defaultdict(list)
    for contact in past.contacts.values():
        for customer in {name for _, name in contact.customers if name}:
            of_customer[customer].append(contact)
    for contact in past.contacts.values():
        for days in DAYS if contact.agent_id else ():
            number = _decided_in(contact, days, past, newest)
            customer = _known(contact.customers, number)
            if number < len(rows) and customer:
                others = [each for each in of_customer[customer] if _known(each.customers, number) == customer]
                yield from _one(contact, days, others, number, past)


def _read(rows: Sequence[JournalRow]) -> _Past:
    past = _Past()
    for number, row in enumerate(rows):
        match row.entry:
            case CallArrived(call_id=call_id, at=at) | ItemArrived(contact_id=call_id, at=at):
                past.began[call_id] = at
            case CallClosed(call_id=call_id, record=record):
                past.over_in[call_id] = number
                if record.direction == "inbound":
                    dealt_with = record.agent_id or "" if record.outcome == "answered" else ""
                    past.contacts[call_id] = _Contact(record, number, "voice", dealt_with, [(number, _person(record))])
            case ItemClosed(contact_id=contact_id, record=record):
                past.over_in[contact_id] = number
                dealt_with = record.agent_id if record.result == "handled" else ""
                past.contacts[contact_id] = _Contact(
                    record, number, record.channel, dealt_with, [(number, _person(record))]
                )
            case CallCorrected(record=record) | ItemCorrected(record=record):
                contact = past.contacts.get(getattr(record, "call_id", "") or getattr(record, "contact_id", ""))
                if contact is not None and _person(record):
                    contact.customers.append((number, _person(record)))
            case WrapUpRecorded(call_id=call_id, contact_id=contact_id, disposition=code):
                for name in {call_id, contact_id or call_id}:
                    past.codes[name].append((number, code))
            case CodesConfigured(wrap_ups=wrap_ups):
                past.issues.append((number, {each.code: each.issue for each in wrap_ups if each.issue}))
            case _:
                pass
    past.close(len(rows))
    return past


def _person(record: Any) -> str:
    if record.customer_id:
        return str(record.customer_id)
    return f"tel {record.caller}" if record.caller and record.caller != TOMBSTONE else ""


def _decided_in(contact: _Contact, days: int, past: _Past, newest: Sequence[int]) -> int:
    """The number of the row that decides; as many as there are rows when none does."""
    until = contact.record.ended_at + days * _DAY_MS
    number = max(bisect_right(newest, until), contact.closed_in)
    place = bisect_right(past.by_arrival, until)
    return max(number, past.all_over[place - 1]) if place else number


def _known(said: Dated, number: int) -> str:
    return next((what for when, what in reversed(said) if when <= number), "")


def _one(first: _Contact, days: int, others: Sequence[_Contact], number: int, past: _Past) -> Found:
    tries = [other for other in others if _is_another_try(first, other, days, number, past)]
    same = [other for other in tries if other.channel == first.channel]
    counts = {"contacts": 1, "any": int(not tries), "same": int(not same)}
    for kind, name in _owners(first):
        for what, count in counts.items():
            yield (quarter(first.record.ended_at), kind, name, f"resolved.{days}.{what}"), count


def _owners(contact: _Contact) -> Iterator[tuple[str, str]]:
    line = "" if contact.channel == "voice" else f"/{contact.channel}"
    yield "agent", f"{contact.agent_id}{line}"
    if contact.record.queue_id:
        yield "queue", f"{contact.record.queue_id}{line}"


def _is_another_try(first: _Contact, other: _Contact, days: int, number: int, past: _Past) -> bool:
    ended = first.record.ended_at
    if other.closed_in > number or not ended < other.record.arrived_at <= ended + days * _DAY_MS:
        return False
    if getattr(other.record, "parent_id", "") == _name(first):
        return False
    codes = _known(past.codes[_name(first)], number), _known(past.codes[_name(other)], number)
    if all(codes):
        issues = next((said for when, said in reversed(past.issues) if when <= number), {})
        return issues.get(codes[0], codes[0]) == issues.get(codes[1], codes[1])
    flows = [getattr(each.record, "flow", "") for each in (first, other)]
    return not all(flows) or flows[0] == flows[1]


def _name(contact: _Contact) -> str:
    return str(getattr(contact.record, "call_id", "") or contact.record.contact_id)
