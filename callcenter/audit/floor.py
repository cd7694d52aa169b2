"""The auditor's walk over the floor: its own book of it (``audit/book``) against what the engine did and said.

A second telling of the rules, on purpose: it knows nothing of the routing engine and is held against what the engine
did (offers), what it said of itself (snapshots) and what it left undone (work conservation). Pure.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from acd.events import AgentEngaged, OfferAccepted
from acd.outcomes import OfferContact
from callcenter.audit.book import IDLE_MS, FloorBook
from callcenter.calls.facts import CallClosed, CallConnected, RoutingSnapshot
from callcenter.calls.segments import call_of
from callcenter.journal import JournalRow

SINCE_MS = 1_000
"""By how much the beginning of a state may differ between book and snapshot."""
COMPARED = frozenset({"ready", "busy", "wrap_up"})
"""States whose beginning is compared, too; a pause begins anew with every other reason for it."""


def unearned_pick_ups(rows: Sequence[JournalRow]) -> Iterator[str]:
    """Who talks with whom routing offered somebody has it by routing's word: an offer taken, or ``AgentEngaged``."""
    rung: dict[str, tuple[str, str]] = {}
    contacts: set[str] = set()
    engaged: set[tuple[str, str]] = set()
    for row in rows:
        match row.entry:
            case OfferContact() as offer:
                rung[offer.offer_id] = offer.agent_id, offer.contact_id
                contacts.add(offer.contact_id)
            case OfferAccepted(offer_id=offer_id) if offer_id in rung:
                engaged.add(rung[offer_id])
            case AgentEngaged(agent_id=agent_id, contact_id=contact_id):
                engaged.add((agent_id, contact_id))
            case CallConnected(offer_id="", agent_id=agent_id) as connected:
                whose = connected.contact_id or connected.call_id
                if whose in contacts and (agent_id, whose) not in engaged:
                    yield f"I3: entry {row.seq}: {agent_id} has {whose}, which rang, by nobody's word"
            case _:
                pass


def floor_breaches(rows: Sequence[JournalRow]) -> Iterator[str]:
    """I4, I5, I7 and I10, by one walk over the journal."""
    book, told = FloorBook(), set[tuple[str, str]]()
    closed: set[str] = set()
    looked_at = 0
    for row in rows:
        if row.at - looked_at >= IDLE_MS:
            looked_at = row.at
            for pair in book.idle_beside(row.at):
                if pair not in told:
                    told.add(pair)
                    yield f"I5: entry {row.seq}: {pair[0]} waits while {pair[1]} idles"
        if isinstance(row.entry, CallClosed):
            closed.add(row.entry.call_id)
        elif isinstance(row.entry, RoutingSnapshot):
            yield from _against_snapshot(book, row, closed)
        else:
            wrong = book.take(row.entry, row.at)
            if wrong:
                yield f"I4: entry {row.seq}: {wrong}"


def _against_snapshot(book: FloorBook, row: JournalRow, closed: set[str]) -> Iterator[str]:
    """I7: states and their beginnings, and so the time spent in each, are those the engine has; I10: nothing is left of
    calls that are over."""
    engine: dict[str, Any] = row.entry.engine
    for agent in engine["agents"]:
        seat = book.seats.get(agent["spec"]["agent_id"])
        if seat is None:
            continue
        name = f"I7: entry {row.seq}: {seat.spec.agent_id}"
        if seat.state != agent["state"]:
            yield f"{name} is {seat.state} by the entries, {agent['state']} in the snapshot"
        elif seat.state in COMPARED and abs(seat.since - agent["since"]) > SINCE_MS:
            yield f"{name} is {seat.state} since {seat.since} by the entries, since {agent['since']} in the snapshot"
    yield from _against_works(book, row, engine)
    for contact in engine["contacts"]:
        if call_of(contact["contact_id"]) in closed:
            yield f"I10: entry {row.seq}: contact {contact['contact_id']} is there though its call is over"
    standing = {offer["offer_id"] for offer in engine["offers"]}
    for offer_id in sorted(standing ^ set(book.offers)):
        where = "in the snapshot" if offer_id in standing else "by the entries"
        yield f"I10: entry {row.seq}: offer {offer_id} stands only {where}"


def _against_works(book: FloorBook, row: JournalRow, engine: dict[str, Any]) -> Iterator[str]:
    """I7: what each agent has of shared channels."""
    for agent in engine["agents"]:
        agent_id = agent["spec"]["agent_id"]
        held = sorted(book.shared.of(agent_id))
        works = sorted(work["contact_id"] for work in agent.get("works", ()))
        if held != works:
            yield f"I7: entry {row.seq}: {agent_id} has items {held} by the entries, {works} in the snapshot"
