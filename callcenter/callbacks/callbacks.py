"""Callbacks (virtual hold): the customer hangs up, the place in line stays, and the agent whose turn it is calls.

This is the promise: who is promised one, what becomes of it when the customer calls in again, and what people at
consoles may do with it. Where it is meanwhile is ``line.py``, the call that keeps it ``dials.py``. The same person has
one callback for each queue, whatever number of calls asked for it; calling in again calls it off and takes its place.

What is promised is journaled and survives a restart, and each dial is written down before it goes out: so a customer is
never dialled more often than the queue's attempts, nor twice at once, over any number of deaths of the exchange. One
task owns the callbacks: the event loop of the exchange.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from acd.events import ContactPresent
from acd.ids import ContactId
from callcenter.callbacks.book import Callback, CallbackBook, waiting_priority
from callcenter.callbacks.line import CallbackLine
from callcenter.calls.callback_facts import CallbackFact, CallbackMoved, CallbackRequested, CallbackResult
from callcenter.calls.clearance import NOT_CONTACTABLE, CallOutChecked, Way
from callcenter.calls.events import HangUpOrdered
from callcenter.calls.origin import person
from callcenter.ports import Answer, CustomerDirectory
from ivr.effects import RequestCallback

RESTART = "system_restart"
"""What became of an attempt that was under way when the exchange died."""


@dataclass(slots=True)
class Callbacks:
    """All promises that are not over; what is known of them is in the book of the ``line``."""

    line: CallbackLine
    directory: CustomerDirectory

    @property
    def book(self) -> CallbackBook:
        """The callbacks that are not over."""
        return self.line.book

    async def request(self, call_id: str, caller: str, order: RequestCallback, since: int, *, by: str = "") -> bool:
        """Promise a callback with the place of ``since``; whether it is promised. The same person's stays as it was.

        None is promised that could not be kept: to people who do not want to be called, or when no hour to call them
        comes in time.
        """
        line = self.line
        if self._is_promised(caller, order.queue_id):
            return True
        if not person(caller) or not self._has_room(order.queue_id):
            return False
        leave = await self.directory.may_call_back(caller)
        now = line.clock.now()
        if self._is_promised(caller, order.queue_id):  # by another call, meanwhile
            return True
        if leave.answer is Answer.NO:
            checked = CallOutChecked(by, now, Way.CALLBACK, NOT_CONTACTABLE, leave.reasons, call_id=call_id)
            line.journal.append(checked, at=now)
            return False
        if not self._has_room(order.queue_id):
            return False
        asked = CallbackRequested(
            call_id,
            now,
            caller,
            order.queue_id,
            min(since, now),
            order.priority,
            order.required_skills,
            by,
            order.language,
        )
        if not line.terms.comes_an_hour(asked, leave.zones):
            return False
        callback = self.book.add(asked)
        callback.note_zones(leave.zones)
        await line.write(asked)
        line.arrive(callback)
        return True

    def resume(self, facts: Iterable[CallbackFact]) -> None:
        """Take up what an earlier life promised; its facts in order. A dial that it may have made counts, and the next
        one is as far from the last as any."""
        for fact in facts:
            self.book.take(fact)
        for callback in self.book:
            if callback.dialled:
                self.line.missed(callback, counts=True, detail=RESTART)
            elif callback.tried_at is not None:
                again_at = callback.tried_at + self.line.rule(callback.asked.queue_id).retry_ms
                self.line.wait_until(callback, again_at, RESTART)
            else:
                self.line.arrive(callback)

    def reclaim(self, caller: str, queue_id: str) -> int | None:
        """The customer calls in: the callback that waits is called off, and its instant of arrival handed over.

        One for which the customer's phone may ring already is not; while only the agent's rings, that is hung up.
        """
        callback = self.book.of_person(caller, queue_id)
        if callback is None or not person(caller) or not self._is_stopped(callback):
            return None
        self.line.close(callback, CallbackResult.CALLED_IN)
        return callback.asked.arrived_at

    def _is_stopped(self, callback: Callback) -> bool:
        """Whether the customer's phone will not ring for it any more."""
        if not callback.call_up:
            self.line.withdraw(callback)
            return True
        contact_id, dialling = callback.contact_id or "", self.line.dialling
        if callback.is_dialling_customer or dialling is None:
            return False
        return dialling.tell(contact_id, HangUpOrdered(contact_id))

    def forget(self, callback_id: str) -> None:
        """The person was erased: nothing of the promise stays in memory. A call that is up goes on."""
        callback = self.book.find(callback_id)
        if callback is not None:
            if not callback.call_up:
                self.line.withdraw(callback)
            self.line.close(callback, CallbackResult.ERASED)

    def customer_is_there(self, contact_id: str) -> None:
        """The customer who was called first answered: whoever is kept is rung, else the customer waits before all
        others."""
        callback = self.book.of_contact(contact_id)
        if callback is not None:
            callback.is_there = True
            self.line.routing.post(ContactPresent(ContactId(contact_id), waiting_priority(callback)))

    # At consoles; who may do what is the desk's business

    def call_off(self, callback: Callback, by: str) -> bool:
        """Make no call; ``False`` when it is being made already."""
        if callback.call_up:
            return False
        self.line.withdraw(callback)
        self.line.close(callback, CallbackResult.CALLED_OFF, by=by)
        return True

    def call_now(self, callback: Callback, by: str) -> bool:
        """Wait no longer for the next attempt; ``False`` when it does not wait, or it is no time to call."""
        line, now = self.line, self.line.clock.now()
        if callback.next_at is None or line.is_in_call(callback) or line.terms.next_hour(callback, now) != now:
            return False
        line.note(CallbackMoved(callback.asked.call_id, now, "now", by))
        line.arrive(callback)
        return True

    def to_top(self, callback: Callback, by: str) -> bool:
        """Let it go before everybody else of its queue; ``False`` when it is being made already."""
        if callback.call_up:
            return False
        callback.on_top = True
        self.line.note(CallbackMoved(callback.asked.call_id, self.line.clock.now(), "top", by))
        if callback.contact_id is not None:
            self.line.withdraw(callback)
            self.line.arrive(callback)
        else:
            self.line.show(callback)
        return True

    def hand_over(self, callback: Callback, to: str, by: str) -> None:
        """Make it somebody else's promise, also while it is being made: it may fail."""
        callback.become_of(to)
        self.line.note(CallbackMoved(callback.asked.call_id, self.line.clock.now(), "handed", by, to))
        self.line.show(callback)

    # What may be promised

    def _is_promised(self, caller: str, queue_id: str) -> bool:
        return bool(person(caller)) and self.book.of_person(caller, queue_id) is not None

    def _has_room(self, queue_id: str) -> bool:
        return self.book.promised(queue_id) < self.line.rule(queue_id).most
