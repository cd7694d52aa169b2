"""The auditor's own book of the floor, from raw journal entries: who is in which state, waits, rings. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from acd import events as ev
from acd.events import Channel, ContactArrived, FloorConfigured, WrapUpMode
from acd.outcomes import OfferContact
from acd.route_plans import StepGuard
from callcenter.audit.item_book import ItemBook, Seat, Waiting
from callcenter.audit.items import PATIENT, Held
from callcenter.calls.facts import CallOverflowed, TimersFired

IDLE_MS = 1_000
"""How long an agent who fits may idle beside a waiting contact before it is a breach."""


@dataclass(slots=True)
class FloorBook(ItemBook):
    """Everything the entries say about agents, contacts and offers."""

    def take(self, entry: Any, at: int) -> str:
        """Enter one entry; what is wrong with it, empty when nothing is."""
        match entry:
            case FloorConfigured():
                self._configure(entry, at)
            case ContactArrived(contact_id=contact_id):
                self.waiting[contact_id] = Waiting(entry, at)
                self._note_item(self.waiting[contact_id], at)
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
            case ev.ContactReturned():
                self._return(entry, at)
            case CallOverflowed(call_id=call_id):
                self.waiting.pop(call_id, None)
            case ev.QueueClosed() | ev.ContactPresent():
                self._change_line(entry, at)
            case ev.AgentEngaged():
                self._take_up(entry, at)
            case _:
                self._wish(entry, at)
        return ""

    def _change_line(self, entry: ev.QueueClosed | ev.ContactPresent, at: int) -> None:
        if isinstance(entry, ev.ContactPresent):
            self._let_ring(entry.contact_id, at)
        elif entry.send_away:
            self._send_away(entry.queue_id)

    def _send_away(self, queue_id: str) -> None:
        self.waiting = {
            name: each
            for name, each in self.waiting.items()
            if each.arrived.queue_id != queue_id or each.arrived.channel in PATIENT
        }

    def idle_beside(self, at: int) -> Iterator[tuple[str, str]]:
        """Pairs of a contact that waits and an agent who fits and idles, both for longer than ``IDLE_MS``."""
        idle = [
            seat
            for seat in self.seats.values()
            if seat.state == "ready" and at - max(seat.since, seat.worked_at) > IDLE_MS
        ]
        if not idle:
            return
        for contact_id, each in self.waiting.items():
            if at - each.since > IDLE_MS and self._asks_everybody(each.arrived):
                for seat in idle:
                    if self._fits(seat, each) and self._has_room(seat, each):
                        yield contact_id, seat.spec.agent_id

    def _asks_everybody(self, arrived: ContactArrived) -> bool:
        """Whether the contact is for every agent of its queue: what plans and doors want is not second-guessed here."""
        queue = self.queues.get(arrived.queue_id)
        return arrived.plan is None and queue is not None and queue.plan is None and queue.entry is StepGuard.NONE

    def _has_room(self, seat: Seat, each: Waiting) -> bool:
        queue = self.queues.get(each.arrived.queue_id)
        return not self.shared.wrong_with(seat.spec, seat.state, each.arrived.channel, queue)

    def _fits(self, seat: Seat, each: Waiting) -> bool:
        spec, arrived = seat.spec, each.arrived
        if arrived.queue_id not in spec.queue_ids or spec.agent_id in each.refused or spec.delays:
            return False
        held = {skill.skill: skill.level for skill in spec.skills}
        return all(held.get(wanted.skill, wanted.level - 1) >= wanted.level for wanted in arrived.required_skills)

    # What happens to agents.

    def _wish(self, entry: Any, at: int) -> None:
        seat = self.seats.get(getattr(entry, "agent_id", ""))
        if seat is None or self._about_work(seat, entry, at):
            return
        at_work = seat.state in {"busy", "wrap_up"}
        match entry:
            case ev.AgentSignedIn():
                if seat.state == "offline" or seat.is_leaving:
                    self._sit_down(seat, at)
                elif at_work and seat.pending == "offline":
                    seat.pending = "not_ready"
            case ev.AgentSignedOut():
                self._give_back(seat, refused=False, at=at)
                if seat.state == "busy":
                    seat.pending = "offline"
                elif seat.state != "offline":
                    self._leave(seat, at)
            case ev.AgentMadeReady() if not seat.is_leaving:
                if seat.state == "not_ready" or (seat.state == "wrap_up" and not seat.keeps_on):
                    self._enter(seat, "ready", at)
                elif at_work and seat.pending == "not_ready":
                    seat.pending = ""
            case _:
                self._pause_or_wrap_up(seat, entry, at)

    def _sit_down(self, seat: Seat, at: int) -> None:
        if seat.state == "offline":
            self.shared.closed_desks.discard(seat.spec.agent_id)
        self._enter(seat, "not_ready", at)

    def _about_work(self, seat: Seat, entry: Any, at: int) -> bool:
        """Enter what is about an agent's work on shared channels; whether it was."""
        match entry:
            case ev.WrapUpFinished(contact_id=str() as contact_id):
                self._finish_wrap_up(seat, contact_id, at)
            case ev.WrapUpExtended(contact_id=str() as contact_id, by_ms=by_ms):
                self._extend(seat, contact_id, by_ms)
            case ev.AgentDeskClosed():
                self._close_desk(seat, at)
            case ev.AgentDeskOpened():
                self.shared.closed_desks.discard(seat.spec.agent_id)
                seat.worked_at = at
            case _:
                return False
        return True

    def _close_desk(self, seat: Seat, at: int) -> None:
        if seat.state == "offline":
            return
        if seat.state != "offered":
            self._give_back(seat, refused=False, at=at)
        self.shared.closed_desks.add(seat.spec.agent_id)
        seat.worked_at = at

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
        deferred = seat.pending or ("not_ready" if seat.state == "not_ready" else "")
        self._enter(seat, "busy", at)
        seat.contact_id, seat.pending = contact_id, deferred
        self.own_wrap_up_ms[contact_id] = wrap_up_ms

    def _take_up(self, engaged: ev.AgentEngaged, at: int) -> None:
        seat = self.seats.get(engaged.agent_id)
        if seat is None:
            return
        if engaged.contact_id in self.rung:
            self._pick_up(seat, engaged.contact_id, at)
        else:
            self._engage(seat, engaged.contact_id, engaged.wrap_up_ms, at)

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
        known, staying = self.seats, {spec.agent_id for spec in floor.agents}
        for gone in [seat for agent_id, seat in known.items() if agent_id not in staying]:
            self._give_back(gone, refused=False, at=at)
        self.seats = {spec.agent_id: known.get(spec.agent_id) or Seat(spec, since=at) for spec in floor.agents}
        for spec in floor.agents:
            self.seats[spec.agent_id].spec = spec
        self.waiting = {name: each for name, each in self.waiting.items() if each.arrived.queue_id in self.queues}

    def _offer(self, offer: OfferContact, at: int) -> str:
        seat = self.seats.get(offer.agent_id)
        if seat is None:  # of nobody: another check says so
            return ""
        each = self.waiting.pop(offer.contact_id, None) or self.rung.get(offer.contact_id)
        if each is not None:
            self.rung[offer.contact_id] = each
        self.offers[offer.offer_id] = offer
        self.taken_in[offer.contact_id] = offer.queue_id
        channel = self._channel(offer.contact_id)
        wrong = self.shared.wrong_with(seat.spec, seat.state, channel, self.queues.get(offer.queue_id))
        if channel is not Channel.VOICE:
            if seat.state not in {"ready", "busy", "wrap_up"} or seat.pending:
                wrong = f"while {seat.state}{' with something deferred' if seat.pending else ''}"
            self.shared.of(offer.agent_id)[offer.contact_id] = Held(channel, "ringing")
            seat.worked_at = at
            return wrong and f"{offer.agent_id} is offered {offer.contact_id} {wrong}"
        if seat.state != "ready":
            wrong = f"while {seat.state}"
        self._push_aside(seat, offer, at)
        self._enter(seat, "offered", at)
        return wrong and f"{offer.agent_id} is rung {wrong}"

    def _let_ring(self, contact_id: str, at: int) -> None:
        """The customer whom an agent was kept for is there: what stands rings from now on."""
        each = self.waiting.get(contact_id) or self.rung.get(contact_id)
        if each is None or each.arrived.reserve_ms is None:
            return
        each.arrived = replace(each.arrived, reserve_ms=None)
        for offer in [each for each in self.offers.values() if each.contact_id == contact_id]:
            queue = self.queues.get(offer.queue_id)
            rings_ms = 0 if queue is None else queue.ring_timeout_ms
            self.offers[offer.offer_id] = msgspec.structs.replace(offer, expires_at=at + rings_ms)

    def _push_aside(self, seat: Seat, call: OfferContact, at: int) -> None:
        """What rings patiently makes way for a call."""
        if self.shared.rings(seat.spec.agent_id):
            del self.offers[call.offer_id]
            self._give_back(seat, refused=False, at=at)
            self.offers[call.offer_id] = call

    def _accept(self, offer_id: str, at: int) -> None:
        offer = self.offers.pop(offer_id, None)
        if offer is None:
            return
        seat = self.seats[offer.agent_id]
        if self._channel(offer.contact_id) is not Channel.VOICE:
            self.shared.of(offer.agent_id)[offer.contact_id].stage = "connected"
            seat.worked_at = at
            self.rung.pop(offer.contact_id, None)
            return
        self._enter(seat, "busy", at)
        seat.contact_id = offer.contact_id
        self._follow_queue(seat, offer.queue_id)
        self.rung.pop(offer.contact_id, None)
        self._withdraw(offer.contact_id, at)

    def _follow_queue(self, seat: Seat, queue_id: str) -> None:
        queue = self.queues.get(queue_id)
        seat.keeps_on = queue is not None and queue.wrap_up_mode is WrapUpMode.TIMED_NO_EARLY_EXIT
        seat.extension_ms = 0 if queue is None else queue.wrap_up_extension_ms

    def _refuse(self, offer_id: str, at: int) -> None:
        seat = self.seats[self.offers[offer_id].agent_id]
        self._give_back(seat, refused=True, at=at)
        if seat.state in {"busy", "wrap_up"}:  # it was of a shared channel, beside a call
            seat.pending = seat.pending or "not_ready"
        else:
            self._enter(seat, "not_ready", at)

    def _give_back(self, seat: Seat, *, refused: bool, at: int) -> None:
        """The contact that rings at this seat waits again, unless it rings elsewhere too."""
        for offer in [each for each in self.offers.values() if each.agent_id == seat.spec.agent_id]:
            del self.offers[offer.offer_id]
            each = self.rung.get(offer.contact_id)
            if self._channel(offer.contact_id) is not Channel.VOICE:
                self._drop_work(seat, offer.contact_id, at)
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
        if contact_id in self.items:
            self._end_item(contact_id, at)
            return
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
            each = self.rung.get(offer.contact_id)
            if each is not None and each.arrived.reserve_ms is not None:
                self._give_back(self.seats[offer.agent_id], refused=False, at=at)
                self._enter(self.seats[offer.agent_id], "ready", at)
            elif offer.offer_id in self.offers:
                self._refuse(offer.offer_id, at)
        for seat in self.seats.values():
            held = self.shared.of(seat.spec.agent_id)
            for contact_id in [name for name, each in held.items() if each.until is not None and each.until <= at]:
                self._drop_work(seat, contact_id, at)
            if seat.state == "wrap_up" and seat.until is not None and seat.until <= at:
                self._release(seat, at)
