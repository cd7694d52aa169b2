"""The callbacks that are not over, found by name, by person and by the contact that stands for them. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from acd.outcomes import OfferContact
from agent_console.messages import CallbackState, CallbackView
from callcenter.calls.callback_facts import (
    CallbackClosed,
    CallbackDialled,
    CallbackFact,
    CallbackMoved,
    CallbackRequested,
    CallbackTried,
)
from callcenter.calls.origin import person

IN_CALL = "in_call"
"""Why one does not stand in line: its customer is on the line, in the call in which it was promised or in another."""
TOP_PRIORITY = 1_000
"""What is added to the priority of a callback that somebody moved to the top of its queue."""


@dataclass(frozen=True, slots=True)
class CallbackShown:
    """For consoles: a callback is now this. Told and not journaled; it follows from what is."""

    view: CallbackView


@dataclass(frozen=True, slots=True)
class CallbackGone:
    """For consoles: a callback is over."""

    callback_id: str


@dataclass(slots=True)
class Callback:
    """One promise."""

    asked: CallbackRequested
    attempts: int = 0
    """Calls that went out to the customer and did not reach anybody."""
    tried_at: int | None = None
    """When the last of them was over."""
    on_top: bool = False
    contact_id: str | None = None
    """The contact that stands in line for it, or the call that is made."""
    agent_id: str | None = None
    """Who calls at this moment."""
    dialled: bool = False
    """Whether the customer's phone may be ringing, or may have been when the exchange died."""
    call_up: bool = False
    """Whether the call that keeps the promise is being made."""
    is_customer_first: bool = False
    """Whether that call dials the customer before any agent."""
    is_there: bool = False
    """Whether the customer, called first, answered and waits in line: from then on the call looks after itself."""
    offer: OfferContact | None = None
    """The agent's offer that waits until the customer store has been asked."""
    is_asking: bool = False
    cleared_until: int = 0
    """Until when the store's leave to call is good."""
    zones: tuple[str, ...] = ()
    """Where the customer lives, as far as the store knows."""
    next_at: int | None = None
    """When it stands in line again, unless it does."""
    detail: str = ""
    """Why the last attempt failed, or why it does not stand in line."""

    def view(self, *, ends_at: int, most_attempts: int) -> CallbackView:
        """As consoles show it."""
        if self.call_up:
            state = CallbackState.CALLING
        else:
            state = CallbackState.IN_LINE if self.contact_id is not None else CallbackState.PUT_OFF
        asked = self.asked
        return CallbackView(
            asked.call_id,
            asked.queue_id,
            asked.caller,
            state,
            promised_at=asked.arrived_at,
            ends_at=ends_at,
            attempts=self.attempts,
            most_attempts=most_attempts,
            next_at=None if self.detail == IN_CALL else self.next_at,
            reason=self.detail,
            promised_by=asked.by or None,
            agent_id=self.agent_id,
            is_on_top=self.on_top,
        )

    @property
    def is_dialling_customer(self) -> bool:
        """Whether the customer's phone rings, or will without anybody doing more."""
        return self.dialled or self.is_customer_first

    def become_of(self, user_id: str) -> None:
        """It is somebody else's promise from now on."""
        self.asked = msgspec.structs.replace(self.asked, by=user_id)

    def note_zones(self, zones: tuple[str, ...]) -> None:
        """The store says where the customer lives; nothing where it does not know."""
        self.zones = zones or self.zones

    @property
    def priority(self) -> int:
        """With what it stands in line."""
        return self.asked.priority + (TOP_PRIORITY if self.on_top else 0)


def waiting_priority(callback: Callback) -> int:
    """With what a customer waits who was called, and whose agent went away meanwhile: before all who called."""
    return callback.asked.priority + TOP_PRIORITY


@dataclass(slots=True)
class CallbackBook:
    """Owned by ``callbacks.Callbacks``."""

    _open: dict[str, Callback] = field(default_factory=dict)
    _of_contact: dict[str, Callback] = field(default_factory=dict)
    _of_person: dict[tuple[str, str], Callback] = field(default_factory=dict)
    _queues_of: dict[str, list[str]] = field(default_factory=dict)
    """By person: the queues that promised a callback."""
    _promised: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[Callback]:
        """All of them, the oldest promise first."""
        return iter(list(self._open.values()))

    def find(self, callback_id: str) -> Callback | None:
        """The promise of this name, unless it is over."""
        return self._open.get(callback_id)

    def of_contact(self, contact_id: str | None) -> Callback | None:
        """The promise that this contact stands for."""
        return None if contact_id is None else self._of_contact.get(contact_id)

    def of_person(self, number: str, queue_id: str) -> Callback | None:
        """The one promise to this person in this queue."""
        return self._of_person.get((person(number), queue_id)) if self._of_person else None

    def all_of_person(self, number: str) -> list[Callback]:
        """Every promise to this person, whatever the queue."""
        if not self._of_person:
            return []
        who = person(number)
        return [self._of_person[who, queue_id] for queue_id in self._queues_of.get(who, ())]

    def all_by(self, user_id: str) -> list[Callback]:
        """Every promise that is this person's, the oldest first."""
        return [each for each in self._open.values() if each.asked.by == user_id]

    def promised(self, queue_id: str) -> int:
        """How many a queue has to make."""
        return self._promised[queue_id]

    def add(self, asked: CallbackRequested) -> Callback:
        """A new promise."""
        callback = self._open[asked.call_id] = Callback(asked)
        who = person(asked.caller)
        if (who, asked.queue_id) not in self._of_person:
            self._queues_of.setdefault(who, []).append(asked.queue_id)
        self._of_person[who, asked.queue_id] = callback
        self._promised[asked.queue_id] += 1
        return callback

    def remove(self, callback: Callback) -> None:
        """It is over."""
        asked = callback.asked
        if self._open.pop(asked.call_id, None) is None:
            return
        self._promised[asked.queue_id] -= 1
        who = person(asked.caller)
        if self._of_person.pop((who, asked.queue_id), None) is not None:
            self._queues_of[who].remove(asked.queue_id)
            if not self._queues_of[who]:
                del self._queues_of[who]
        self.leave_line(callback)

    def stand(self, callback: Callback, contact_id: str) -> None:
        """A contact stands for it from here on."""
        callback.contact_id, callback.next_at = contact_id, None
        self._of_contact[contact_id] = callback

    def leave_line(self, callback: Callback) -> str | None:
        """No contact stands for it any more; returns the one that did."""
        contact_id = callback.contact_id
        if contact_id is not None:
            self._of_contact.pop(contact_id, None)
        callback.contact_id = callback.agent_id = callback.offer = None
        callback.dialled = callback.call_up = callback.is_customer_first = callback.is_there = False
        return contact_id

    def take(self, fact: CallbackFact) -> None:
        """Fold a fact of an earlier life; facts of promises that are over change nothing."""
        if isinstance(fact, CallbackRequested):
            self.add(fact)
            return
        callback = self._open.get(fact.call_id)
        if callback is None:
            return
        match fact:
            case CallbackDialled(contact_id=contact_id):
                callback.contact_id, callback.dialled = contact_id, True
            case CallbackTried(counts=counts):
                callback.attempts += counts
                callback.tried_at = fact.at if counts else callback.tried_at
                self.leave_line(callback)
            case CallbackMoved(how="top"):
                callback.on_top = True
            case CallbackMoved(how="handed", to=to):
                callback.become_of(to)
            case CallbackClosed():
                self.remove(callback)
            case _:
                pass
