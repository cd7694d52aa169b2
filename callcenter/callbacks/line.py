"""Where a promised callback is while nobody is called: in line, put off until an instant, or over.

A callback in line is a contact of routing like any other, with the instant of arrival of the call it came from; so the
order of service is that of a line in which everybody had stayed. Nobody is called who is on the line: whose call with
us goes on, whatever it is about, is put off until it is over.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from acd.events import ContactArrived, ContactLeft, SkillLevel
from acd.ids import ContactId, QueueId
from callcenter.callbacks.book import IN_CALL, Callback, CallbackBook, CallbackGone, CallbackShown
from callcenter.callbacks.terms import CallbackTerms, Dialling
from callcenter.calls.callback_facts import CallbackClosed, CallbackFact, CallbackResult, CallbackTried
from callcenter.calls.queueing import CallbackRule
from callcenter.ports import Clock, Journal
from callcenter.routing import RoutingInbox

KEPT_BESIDES_MS = 75_000
"""How much longer than it rings an agent is kept at most for a customer who is called first: until the customer was
greeted, or the end of the call is known."""
NO_HOURS = "no_hours"
"""Why a callback does not stand in line, besides ``IN_CALL``: it is no hour to call the customer."""


@dataclass(slots=True)
class CallbackLine:
    """Owns the callbacks that are not over. ``tell`` brings facts to the bus, ``new_id`` names calls; ``dialling`` is
    what calls go out by, and knows who is on the line."""

    clock: Clock
    journal: Journal
    tell: Callable[[object, int], None]
    routing: RoutingInbox
    terms: CallbackTerms
    new_id: Callable[[int], str]
    dialling: Dialling | None = None
    book: CallbackBook = field(default_factory=CallbackBook)
    _timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    """By promise: when it stands in line again."""
    _in_call: dict[str, Callback] = field(default_factory=dict)
    """Those put off until their customer is no longer on the line."""

    def rule(self, queue_id: str) -> CallbackRule:
        """How a queue calls back."""
        return self.terms.rule(queue_id)

    def is_in_call(self, callback: Callback) -> bool:
        """Whether the customer is on the line: in the call in which it was promised, or in any other of ours."""
        if self.dialling is None:
            return False
        asked = callback.asked
        return self.dialling.is_up(asked.call_id) or self.dialling.is_on_line(asked.caller, callback.contact_id or "")

    def arrive(self, callback: Callback) -> None:
        """Let the callback stand in line, unless its time is over or it is no time to call."""
        self._cancel_timer(callback)
        asked, now = callback.asked, self.clock.now()
        if now >= self.terms.ends_at(asked):
            self.close(callback, CallbackResult.EXPIRED)
        elif not self.puts_off(callback):
            self._stand(callback, now)

    def puts_off(self, callback: Callback) -> bool:
        """Whether it is no time to call the customer; it is put off then, until that is over."""
        now = self.clock.now()
        if self.is_in_call(callback):
            self.withdraw(callback)
            self.wait_until(callback, None, IN_CALL)
            self._in_call[callback.asked.call_id] = callback
            return True
        at = self.terms.next_hour(callback, now)
        if at != now:
            self.withdraw(callback)
            self.wait_until(callback, at, NO_HOURS)
        return at != now

    def call_ended(self) -> None:
        """Some call of ours is over: whoever was in it may be called."""
        for callback in [each for each in self._in_call.values() if not self.is_in_call(each)]:
            self.arrive(callback)

    def _stand(self, callback: Callback, now: int) -> None:
        asked, contact_id, rule = callback.asked, self.new_id(now), self.rule(callback.asked.queue_id)
        self.book.stand(callback, contact_id)
        callback.detail = ""
        self.routing.post(
            ContactArrived(
                ContactId(contact_id),
                QueueId(asked.queue_id),
                asked.arrived_at,
                callback.priority,
                tuple(SkillLevel(skill, level) for skill, level in asked.required_skills),
                reserve_ms=rule.ring_ms + KEPT_BESIDES_MS if rule.customer_first else None,
                is_away=True,
            )
        )
        self.show(callback)

    def put_off(self, callback: Callback, detail: str) -> None:
        """It stands in line again after a while."""
        self.wait_until(callback, self.clock.now() + self.rule(callback.asked.queue_id).retry_ms, detail)

    def wait_until(self, callback: Callback, at: int | None, detail: str) -> None:
        """It stands in line again at this instant; ``None``: it only waits to be over."""
        ends_at = self.terms.ends_at(callback.asked)
        callback.next_at = ends_at if at is None else min(at, ends_at)
        callback.detail = detail
        seconds = max(0, callback.next_at - self.clock.now()) / 1000
        self.show(callback)
        self._timers[callback.asked.call_id] = asyncio.get_running_loop().call_later(seconds, self.arrive, callback)

    def missed(self, callback: Callback, *, counts: bool, detail: str) -> None:
        """The call that was made for it reached nobody; ``counts``: it was an attempt at the customer."""
        contact_id = self.book.leave_line(callback) or ""
        callback.attempts += counts
        self.note(CallbackTried(callback.asked.call_id, self.clock.now(), contact_id, counts))
        if callback.attempts >= self.rule(callback.asked.queue_id).attempts:
            self.close(callback, CallbackResult.UNREACHED)
        elif counts:
            self.put_off(callback, detail)
        else:
            self.arrive(callback)

    def withdraw(self, callback: Callback) -> None:
        """Take its contact out of the line; an agent who is offered it is free again."""
        contact_id = self.book.leave_line(callback)
        if contact_id is not None:
            self.routing.post(ContactLeft(ContactId(contact_id), withdrawn=True))

    def close(self, callback: Callback, result: CallbackResult, *, detail: str = "", by: str = "") -> None:
        """It is over."""
        self.book.remove(callback)
        self._cancel_timer(callback)
        self.tell(CallbackGone(callback.asked.call_id), self.clock.now())
        self.note(CallbackClosed(callback.asked.call_id, self.clock.now(), result, detail, by))

    def stop(self) -> None:
        """The exchange stops; what is promised is in the journal."""
        for timer in self._timers.values():
            timer.cancel()

    def _cancel_timer(self, callback: Callback) -> None:
        self._in_call.pop(callback.asked.call_id, None)
        timer = self._timers.pop(callback.asked.call_id, None)
        if timer is not None:
            timer.cancel()

    # Telling and writing down

    def show(self, callback: Callback) -> None:
        """Tell consoles how it stands with it."""
        rule = self.rule(callback.asked.queue_id)
        view = callback.view(ends_at=self.terms.ends_at(callback.asked), most_attempts=rule.attempts)
        self.tell(CallbackShown(view), self.clock.now())

    async def write(self, fact: CallbackFact) -> None:
        """Wait until a fact is on disk, and tell it."""
        await self.journal.committed(self.journal.append(fact, at=fact.at))
        self.tell(fact, fact.at)

    def note(self, fact: CallbackFact) -> None:
        """Write down what follows from what is on disk already: a restart before this is would come to the same."""
        self.journal.append(fact, at=fact.at)
        self.tell(fact, fact.at)
