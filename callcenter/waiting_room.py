"""Who waits where, and when each is next told about it: a fold of facts. Pure.

What a caller is told never gets worse: a place never goes up and a wait never grows, however the estimate moves, so
that nobody is made a promise that is taken back. Nobody is told anything while an agent's phone rings for them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from acd.outcomes import ContactAssigned, ContactDequeued, ContactQueued, OfferContact
from callcenter.calls.facts import CallEnded, CallQueued
from callcenter.media.announcements import position_parts, wait_parts
from ivr.effects import PromptText

WAITING_ROOM_FACTS = (CallQueued, CallEnded, ContactQueued, OfferContact, ContactDequeued, ContactAssigned)
"""What ``WaitingRoom.apply`` makes something of."""
ExpectedWait = Callable[[str, int], float | None]
"""Queue and how many are ahead; the expected wait in milliseconds, ``None`` when nothing is known."""


@dataclass(frozen=True, slots=True)
class AnnouncementRule:
    """What a queue tells its waiting callers."""

    position: bool = False
    wait: bool = False
    every_ms: int = 60_000

    @property
    def is_silent(self) -> bool:
        """Whether nothing is told."""
        return not (self.position or self.wait)


@dataclass(frozen=True, slots=True)
class Announcement:
    """One caller is to hear this now."""

    call_id: str
    parts: tuple[PromptText, ...]


@dataclass(slots=True)
class _Waiting:
    queue_id: str
    order: tuple[int, int]
    """Less is earlier: minus the priority, then the instant of arrival."""
    next_at: int | None
    """When something is told next; ``None`` while an agent's phone rings, or when nothing is told here."""
    ringing: bool = False
    position: int | None = None
    """The place that was told last."""
    wait_ms: float | None = None


@dataclass(slots=True)
class WaitingRoom:
    """Everybody who waits where something is told. Instants are milliseconds."""

    rules: Mapping[str, AnnouncementRule]
    _waiting: dict[str, _Waiting] = field(default_factory=dict)
    _languages: dict[str, str] = field(default_factory=dict)
    """By call, until it ends."""
    _deadline: int | None = None
    _deadline_left: bool = False
    """Whether whoever had the deadline is gone, so that it must be looked for."""

    @property
    def is_silent(self) -> bool:
        """Whether nothing is told in any queue, so that nobody need be followed."""
        return all(rule.is_silent for rule in self.rules.values())

    def apply(self, fact: object, at: int) -> str | None:
        """Take a fact; the call that must not hear an announcement any longer, if it says so."""
        match fact:
            case CallQueued(call_id=call_id, language=language):
                self._languages[call_id] = language or "en"
            case CallEnded(call_id=call_id):
                self._languages.pop(call_id, None)
                self._leave(call_id)
            case ContactQueued():
                self._enter(fact, at)
            case OfferContact(contact_id=contact_id) if contact_id in self._waiting:
                self._waiting[contact_id].ringing = True
                self._set_next(self._waiting[contact_id], None)
            case ContactDequeued(contact_id=contact_id) | ContactAssigned(contact_id=contact_id):
                return contact_id if self._leave(contact_id) else None
            case _:
                pass
        return None

    def next_deadline(self) -> int | None:
        """When something is to be told next."""
        if self._deadline_left:
            self._deadline_left = False
            self._deadline = min(
                (each.next_at for each in self._waiting.values() if each.next_at is not None), default=None
            )
        return self._deadline

    def due(self, *, now: int, expected_wait: ExpectedWait) -> Sequence[Announcement]:
        """What is to be told now; each caller's next announcement is set."""
        told = []
        for call_id, waiting in self._waiting.items():
            if waiting.next_at is None or waiting.next_at > now:
                continue
            rule = self.rules[waiting.queue_id]
            self._set_next(waiting, now + rule.every_ms)
            parts = self._parts(call_id, waiting, rule, expected_wait)
            if parts:
                told.append(Announcement(call_id, parts))
        return told

    def position(self, call_id: str) -> int | None:
        """The place of a waiting caller, 1 being the next; who is being offered an agent still has one."""
        waiting = self._waiting.get(call_id)
        if waiting is None:
            return None
        return 1 + sum(
            each.queue_id == waiting.queue_id and each.order < waiting.order for each in self._waiting.values()
        )

    def _enter(self, fact: ContactQueued, at: int) -> None:
        if fact.contact_id not in self._languages:  # not the customer's own place: an agent waits for a second party
            return
        before = self._waiting.get(fact.contact_id)
        self._leave(fact.contact_id)
        rule = self.rules.get(fact.queue_id)
        if rule is None or rule.is_silent:
            return
        entered = _Waiting(fact.queue_id, (-fact.priority, fact.arrived_at), None)
        self._set_next(entered, at + rule.every_ms)
        if before is not None and before.queue_id == fact.queue_id:
            entered.position, entered.wait_ms = before.position, before.wait_ms
        self._waiting[fact.contact_id] = entered

    def _leave(self, contact_id: str) -> bool:
        """Whether it was there."""
        waiting = self._waiting.pop(contact_id, None)
        if waiting is not None:
            self._set_next(waiting, None)
        return waiting is not None

    def _set_next(self, waiting: _Waiting, at: int | None) -> None:
        self._deadline_left |= waiting.next_at is not None and waiting.next_at == self._deadline
        waiting.next_at = at
        if at is not None and (self._deadline is None or at < self._deadline):
            self._deadline = at

    def _parts(
        self, call_id: str, waiting: _Waiting, rule: AnnouncementRule, expected_wait: ExpectedWait
    ) -> tuple[PromptText, ...]:
        language, place = self._languages[call_id], self.position(call_id) or 1
        waiting.position = place if waiting.position is None else min(place, waiting.position)
        parts: tuple[PromptText, ...] = position_parts(waiting.position, language) if rule.position else ()
        wait_ms = expected_wait(waiting.queue_id, place - 1) if rule.wait else None
        if wait_ms is not None:
            waiting.wait_ms = wait_ms if waiting.wait_ms is None else min(wait_ms, waiting.wait_ms)
            parts = (*parts, *wait_parts(waiting.wait_ms / 1000, language))
        return parts
