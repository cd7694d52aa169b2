"""The auditor's own book of the floor, kept from raw journal entries: who is in which state, who waits, who rings.

A second telling of the rules, on purpose: it knows nothing of the routing engine and is held against what the engine
did (offers), what it said of itself (snapshots) and what it left undone (work conservation). Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from acd import events as ev
from acd.events import AgentSpec, ContactArrived, FloorConfigured, QueueSpec, WrapUpMode
from acd.outcomes import OfferContact
from acd.route_plans import StepGuard
from callcenter.calls.facts import CallClosed, CallOverflowed, RoutingSnapshot, TimersFired
from callcenter.calls.segments import call_of
from callcenter.journal import JournalRow

IDLE_MS = 1_000
"""How long an agent who fits may idle beside a waiting contact before it is a breach."""
SINCE_MS = 1_000
"""By how much the beginning of a state may differ between book and snapshot."""
COMPARED = frozenset({"ready", "busy", "wrap_up"})
"""States whose beginning is compared, too; a pause begins anew with every other reason for it."""


@dataclass(slots=True)
class Seat:
    """One agent as the entries have it."""

    spec: AgentSpec
    state: str = "offline"
    since: int = 0
    until: int | None = None
    """When a wrap-up ends by itself."""
    pending: str = ""
    """What follows the contact or the wrap-up: ``not_ready``, ``offline``, or empty for ready."""
    contact_id: str = ""
    keeps_on: bool = False
    """Whether the wrap-up cannot be ended early."""
    extension_ms: int = 0


@dataclass(slots=True)
class Waiting:
    """One contact that was let in, as the entries have it."""

    arrived: ContactArrived
    since: int
    refused: set[str] = field(default_factory=set)


@dataclass(slots=True)
class FloorBook:
    """Everything the entries say about agents, contacts and offers."""

    queues: dict[str, QueueSpec] = field(default_factory=dict)
    seats: dict[str, Seat] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    rung: dict[str, Waiting] = field(default_factory=dict)
    offers: dict[str, OfferContact] = field(default_factory=dict)
    own_wrap_up_ms: dict[str, int] = field(default_factory=dict)
    """Contacts that agents took up by themselves."""
    taken_in: dict[str, str] = field(default_factory=dict)
    """Contact to the queue it was offered in last."""

    def take(self, entry: Any, at: int) -> str:
        """Enter one entry; what is wrong with it, empty when nothing is."""
        match entry:
            case FloorConfigured():
                self._configure(entry, at)
            case ContactArrived(contact_id=contact_id):
                self.waiting[contact_id] = Waiting(entry, at)
            case OfferContact():
                return self._offer(entry, at)
            case ev.OfferAccepted(offer_id=offer_id):
                self._accept(offer_id, at)
            case ev.OfferDeclined(offer_id=offer_id) if offer_id in self.offers:
                self._refuse(offer_id, at)
            case TimersFired():
                self._pass_time(at)
            case ev.ContactLeft(contact_id=contact_id) | ev.ContactFinished(contact_id=contact_id):
                self._end(contact_id, at)
            case CallOverflowed(call_id=call_id):
                self.waiting.pop(call_id, None)
            case ev.QueueClosed(queue_id=queue_id, send_away=True):
                self.waiting = {name: each for name, each in self.waiting.items() if each.arrived.queue_id != queue_id}
            case ev.AgentEngaged(agent_id=agent_id, contact_id=contact_id) if contact_id in self.rung:
                self._pick_up(self.seats[agent_id], contact_id, at)
            case ev.AgentEngaged(agent_id=agent_id, contact_id=contact_id, wrap_up_ms=wrap_up_ms):
                self._engage(self.seats[agent_id], contact_id, wrap_up_ms, at)
            case _:
                self._wish(entry, at)
        return ""

    def idle_beside(self, at: int) -> Iterator[tuple[str, str]]:
        """Pairs of a contact that waits and an agent who fits and idles, both for longer than ``IDLE_MS``."""
        idle = [seat for seat in self.seats.values() if seat.state == "ready" and at - seat.since > IDLE_MS]
        if not idle:
            return
        for contact_id, each in self.waiting.items():
            if at - each.since > IDLE_MS and self._asks_everybody(each.arrived):
                for seat in idle:
                    if self._fits(seat, each):
                        yield contact_id, seat.spec.agent_id

    def _asks_everybody(self, arrived: ContactArrived) -> bool:
        """Whether the contact is for every agent of its queue: what plans and doors want is not second-guessed here."""
        queue = self.queues.get(arrived.queue_id)
        return arrived.plan is None and queue is not None and queue.plan is None and queue.entry is StepGuard.NONE

    def _fits(self, seat: Seat, each: Waiting) -> bool:
        spec, arrived = seat.spec, each.arrived
        if arrived.queue_id not in spec.queue_ids or spec.agent_id in each.refused or spec.delays:
            return False
        held = {skill.skill: skill.level for skill in spec.skills}
        return all(held.get(wanted.skill, wanted.level - 1) >= wanted.level for wanted in arrived.required_skills)

    # What happens to agents.

    def _enter(self, seat: Seat, state: str, at: int) -> None:
        seat.state, seat.since, seat.until = state, at, None
        if state not in {"busy", "wrap_up"}:
            seat.contact_id, seat.pending = "", ""

    def _release(self, seat: Seat, at: int) -> None:
        self._enter(seat, seat.pending or "ready", at)

    def _wish(self, entry: Any, at: int) -> None:
        seat = self.seats.get(getattr(entry, "agent_id", ""))
        if seat is None:
            return
        at_work = seat.state in {"busy", "wrap_up"}
        match entry:
            case ev.AgentSignedIn():
                if seat.state == "offline":
                    self._enter(seat, "not_ready", at)
                elif at_work and seat.pending == "offline":
                    seat.pending = "not_ready"
            case ev.AgentSignedOut():
                self._give_back(seat, refused=False, at=at)
                if seat.state == "busy":
                    seat.pending = "offline"
                elif seat.state != "offline":
                    self._enter(seat, "offline", at)
            case ev.AgentMadeReady():
                if seat.state == "not_ready" or (seat.state == "wrap_up" and not seat.keeps_on):
                    self._enter(seat, "ready", at)
                elif at_work and seat.pending == "not_ready":
                    seat.pending = ""
            case _:
                self._pause_or_wrap_up(seat, entry, at)

    def _pause_or_wrap_up(self, seat: Seat, entry: Any, at: int) -> None:
        match entry:
            case ev.AgentMadeNotReady() | ev.AgentClientLost():
                self._give_back(seat, refused=isinstance(entry, ev.AgentMadeNotReady), at=at)
                if seat.state in {"busy", "wrap_up"}:
                    seat.pending = seat.pending or "not_ready"
                elif seat.state not in {"offline", "not_ready"}:
                    self._enter(seat, "not_ready", at)
            case ev.WrapUpFinished() if seat.state == "wrap_up" and not seat.keeps_on:
                self._release(seat, at)
            case ev.WrapUpExtended(by_ms=by_ms) if seat.until is not None:
                by_ms = min(max(0, by_ms), seat.extension_ms)
                seat.until += by_ms
                seat.extension_ms -= by_ms
            case _:
                pass

    def _engage(self, seat: Seat, contact_id: str, wrap_up_ms: int, at: int) -> None:
        before = "not_ready" if seat.state == "not_ready" else ""
        self._enter(seat, "busy", at)
        seat.contact_id, seat.pending = contact_id, before
        self.own_wrap_up_ms[contact_id] = wrap_up_ms

    def _pick_up(self, seat: Seat, contact_id: str, at: int) -> None:
        """What rang at a colleague is this agent's, with the queue's own wrap-up."""
        queue_id = self.taken_in.get(contact_id, "")
        self.rung.pop(contact_id, None)
        self._withdraw(contact_id, at)
        self._engage(seat, contact_id, 0, at)
        del self.own_wrap_up_ms[contact_id]
        self._follow_queue(seat, queue_id)

    # What happens to offers and contacts.

    def _configure(self, floor: FloorConfigured, at: int) -> None:
        self.queues = {queue.queue_id: queue for queue in floor.queues}
        known = self.seats
        self.seats = {spec.agent_id: known.get(spec.agent_id) or Seat(spec, since=at) for spec in floor.agents}
        for spec in floor.agents:
            self.seats[spec.agent_id].spec = spec
        self.waiting = {name: each for name, each in self.waiting.items() if each.arrived.queue_id in self.queues}

    def _offer(self, offer: OfferContact, at: int) -> str:
        seat = self.seats.get(offer.agent_id)
        each = self.waiting.pop(offer.contact_id, None) or self.rung.get(offer.contact_id)
        if each is not None:
            self.rung[offer.contact_id] = each
        self.offers[offer.offer_id] = offer
        self.taken_in[offer.contact_id] = offer.queue_id
        if seat is None:
            return ""
        wrong = "" if seat.state == "ready" else f"{offer.agent_id} is rung while {seat.state}"
        self._enter(seat, "offered", at)
        return wrong

    def _accept(self, offer_id: str, at: int) -> None:
        offer = self.offers.pop(offer_id, None)
        if offer is None:
            return
        seat = self.seats[offer.agent_id]
        self._enter(seat, "busy", at)
        seat.contact_id = offer.contact_id
        self._follow_queue(seat, offer.queue_id)
        self.rung.pop(offer.contact_id, None)
        self._withdraw(offer.contact_id, at)

    def _follow_queue(self, seat: Seat, queue_id: str) -> None:
        queue = self.queues.get(queue_id)
        seat.keeps_on = queue is not None and queue.wrap_up_mode is WrapUpMode.TIMED_NO_EARLY_EXIT
        seat.extension_ms = 0 if queue is None else queue.wrap_up_extension_ms

    def _withdraw(self, contact_id: str, at: int) -> None:
        for offer in [each for each in self.offers.values() if each.contact_id == contact_id]:
            del self.offers[offer.offer_id]
            self._enter(self.seats[offer.agent_id], "ready", at)

    def _refuse(self, offer_id: str, at: int) -> None:
        seat = self.seats[self.offers[offer_id].agent_id]
        self._give_back(seat, refused=True, at=at)
        self._enter(seat, "not_ready", at)

    def _give_back(self, seat: Seat, *, refused: bool, at: int) -> None:
        """The contact that rings at this seat waits again, unless it rings elsewhere too."""
        for offer in [each for each in self.offers.values() if each.agent_id == seat.spec.agent_id]:
            del self.offers[offer.offer_id]
            each = self.rung.get(offer.contact_id)
            if each is None:
                continue
            if refused:
                each.refused.add(seat.spec.agent_id)
            if all(other.contact_id != offer.contact_id for other in self.offers.values()):
                each.since = at
                self.waiting[offer.contact_id] = self.rung.pop(offer.contact_id)

    def _end(self, contact_id: str, at: int) -> None:
        self.waiting.pop(contact_id, None)
        self.rung.pop(contact_id, None)
        self._withdraw(contact_id, at)
        for seat in self.seats.values():
            if seat.state == "busy" and seat.contact_id == contact_id:
                self._wrap_up(seat, at)

    def _wrap_up(self, seat: Seat, at: int) -> None:
        wrap_up_ms = self.own_wrap_up_ms.pop(seat.contact_id, None)
        mode = WrapUpMode.TIMED
        if wrap_up_ms is None:
            queue = self.queues.get(self.taken_in.get(seat.contact_id, ""))
            wrap_up_ms, mode = (0, mode) if queue is None else (queue.wrap_up_ms, queue.wrap_up_mode)
        if seat.pending == "offline" or (wrap_up_ms == 0 and mode is not WrapUpMode.MANDATORY):
            self._release(seat, at)
            return
        pending, contact_id = seat.pending, seat.contact_id
        self._enter(seat, "wrap_up", at)
        seat.pending, seat.contact_id = pending, contact_id
        seat.until = None if mode is WrapUpMode.MANDATORY else at + wrap_up_ms

    def _pass_time(self, at: int) -> None:
        for offer in [each for each in self.offers.values() if each.expires_at <= at]:
            if offer.offer_id in self.offers:
                self._refuse(offer.offer_id, at)
        for seat in self.seats.values():
            if seat.state == "wrap_up" and seat.until is not None and seat.until <= at:
                self._release(seat, at)


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
    for contact in engine["contacts"]:
        if call_of(contact["contact_id"]) in closed:
            yield f"I10: entry {row.seq}: contact {contact['contact_id']} is there though its call is over"
    standing = {offer["offer_id"] for offer in engine["offers"]}
    for offer_id in sorted(standing ^ set(book.offers)):
        where = "in the snapshot" if offer_id in standing else "by the entries"
        yield f"I10: entry {row.seq}: offer {offer_id} stands only {where}"
