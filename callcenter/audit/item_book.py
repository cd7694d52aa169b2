"""The auditor's book of seats and of contacts of shared channels; ``audit/book`` has the rest. Pure."""

from dataclasses import dataclass, field, replace

from acd import events as ev
from acd.events import AgentSpec, Channel, ContactArrived, QueueSpec, WrapUpMode
from acd.outcomes import OfferContact
from callcenter.audit.items import SharedBook


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
    worked_at: int = 0
    """When something of a shared channel last came or went."""

    @property
    def is_leaving(self) -> bool:
        """Signed out, and there for contacts of shared channels only."""
        return self.state == "not_ready" and self.pending == "offline"


@dataclass(slots=True)
class Waiting:
    """One contact that was let in, as the entries have it."""

    arrived: ContactArrived
    since: int
    refused: set[str] = field(default_factory=set)


@dataclass(slots=True)
class ItemBook:
    """What the entries say about seats, and about contacts of shared channels."""

    queues: dict[str, QueueSpec] = field(default_factory=dict)
    seats: dict[str, Seat] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    rung: dict[str, Waiting] = field(default_factory=dict)
    offers: dict[str, OfferContact] = field(default_factory=dict)
    own_wrap_up_ms: dict[str, int] = field(default_factory=dict)
    """Contacts that agents took up by themselves."""
    taken_in: dict[str, str] = field(default_factory=dict)
    """Contact to the queue it was offered in last."""
    shared: SharedBook = field(default_factory=SharedBook)
    items: dict[str, Waiting] = field(default_factory=dict)
    """Contacts of shared channels that are not over, whether they wait or not."""

    def _enter(self, seat: Seat, state: str, at: int) -> None:
        seat.state, seat.since, seat.until = state, at, None
        if state not in {"busy", "wrap_up"}:
            seat.contact_id, seat.pending = "", ""

    def _release(self, seat: Seat, at: int) -> None:
        if seat.pending == "offline":
            self._leave(seat, at)
        else:
            self._enter(seat, seat.pending or "ready", at)

    def _leave(self, seat: Seat, at: int) -> None:
        """Who signed out is gone, or there until the last contact of a shared channel is over."""
        if not self.shared.of(seat.spec.agent_id):
            self._enter(seat, "offline", at)
        elif not seat.is_leaving:
            self._enter(seat, "not_ready", at)
            seat.pending = "offline"

    def _channel(self, contact_id: str) -> Channel:
        item = self.items.get(contact_id)
        return Channel.VOICE if item is None else item.arrived.channel

    def _withdraw(self, contact_id: str, at: int) -> None:
        for offer in [each for each in self.offers.values() if each.contact_id == contact_id]:
            del self.offers[offer.offer_id]
            if self._channel(contact_id) is Channel.VOICE:
                self._enter(self.seats[offer.agent_id], "ready", at)
            else:
                self._drop_work(self.seats[offer.agent_id], contact_id, at)

    def _note_item(self, arrived: Waiting, at: int) -> None:
        if arrived.arrived.channel is not Channel.VOICE:
            self._finish_work(arrived.arrived.contact_id, at)
            self.items[arrived.arrived.contact_id] = arrived

    def _return(self, returned: ev.ContactReturned, at: int) -> None:
        contact_id = returned.contact_id
        each = self.items.get(contact_id)
        if each is None:
            return
        if contact_id in self.waiting and returned.queue_id in {None, each.arrived.queue_id} and returned.plan is None:
            return
        had_it = self.shared.agent_of(contact_id)
        self._withdraw(contact_id, at)
        self.rung.pop(contact_id, None)
        if had_it in self.seats:
            self._drop_work(self.seats[had_it], contact_id, at)
        queue_id = returned.queue_id or each.arrived.queue_id
        arrived = replace(each.arrived, queue_id=queue_id, plan=returned.plan or each.arrived.plan)
        refused = {*each.refused, had_it} if returned.refused and had_it else each.refused
        self.items[contact_id] = self.waiting[contact_id] = Waiting(arrived, at, refused)

    def _end_item(self, contact_id: str, at: int) -> None:
        each = self.items.pop(contact_id)
        seat = self.seats.get(self.shared.agent_of(contact_id))
        if seat is None:
            return
        queue = self.queues.get(self.taken_in.get(contact_id, ""))
        rule = next((rule for rule in queue.channels if rule.channel is each.arrived.channel), None) if queue else None
        held = self.shared.of(seat.spec.agent_id)[contact_id]
        if (
            held.stage != "connected"
            or queue is None
            or rule is None
            or not rule.wrap_up_ms
            or seat.pending == "offline"
        ):
            self._drop_work(seat, contact_id, at)
            return
        held.stage, held.mode, held.extension_ms = "wrap_up", queue.wrap_up_mode, queue.wrap_up_extension_ms
        held.until = None if queue.wrap_up_mode is WrapUpMode.MANDATORY else at + rule.wrap_up_ms

    def _finish_wrap_up(self, seat: Seat, contact_id: str, at: int) -> None:
        held = self.shared.of(seat.spec.agent_id).get(contact_id)
        if held is not None and held.stage == "wrap_up" and held.mode is not WrapUpMode.TIMED_NO_EARLY_EXIT:
            self._drop_work(seat, contact_id, at)

    def _extend(self, seat: Seat, contact_id: str, by_ms: int) -> None:
        held = self.shared.of(seat.spec.agent_id).get(contact_id)
        if held is not None and held.until is not None:
            by_ms = min(max(0, by_ms), held.extension_ms)
            held.until += by_ms
            held.extension_ms -= by_ms

    def _finish_work(self, contact_id: str, at: int) -> None:
        """It is back before its agent was through with it."""
        seat = self.seats.get(self.shared.agent_of(contact_id))
        if seat is not None:
            self._drop_work(seat, contact_id, at)

    def _drop_work(self, seat: Seat, contact_id: str, at: int) -> None:
        held = self.shared.of(seat.spec.agent_id)
        held.pop(contact_id, None)
        seat.worked_at = at
        if seat.is_leaving and not held:
            self._enter(seat, "offline", at)
