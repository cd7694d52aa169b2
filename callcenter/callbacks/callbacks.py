"""Callbacks (virtual hold): the customer hangs up, the place in line stays, and the agent whose turn it is calls.

A callback is a contact like any other, with the instant of arrival of the call it came from; so order of service is
that of a line in which everybody had stayed. When routing finds an agent, the customer store is asked whether the
customer still may be called, and then one call goes out: the agent's phone rings first, then the customer's; there can
never be more dials than agents. The same person has one callback, whatever number of calls asked for it, and calling in
again calls it off and takes its place.

What is promised is journaled and survives a restart, and each dial is written down before it goes out: so a customer is
never dialled more often than the queue's attempts, nor twice at once, over any number of deaths of the exchange. One
task owns the callbacks: the event loop of the exchange.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog

from acd.events import (
    AgentMadeNotReady,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    ContactPresent,
    OfferAccepted,
    SkillLevel,
)
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.outcomes import (
    ContactAssigned,
    ContactDequeued,
    ContactOverflowed,
    DequeueReason,
    OfferContact,
    WithdrawOffer,
)
from callcenter.callbacks.book import IN_CALL, TOP_PRIORITY, Callback, CallbackBook, CallbackGone, CallbackShown, person
from callcenter.callbacks.terms import CallbackTerms, Dialling
from callcenter.calls.callback_facts import (
    CallbackClosed,
    CallbackDialled,
    CallbackFact,
    CallbackMoved,
    CallbackRequested,
    CallbackResult,
    CallbackTried,
)
from callcenter.calls.clearance import NOT_CONTACTABLE, CallOutChecked, Way
from callcenter.calls.events import CallBackOrdered, QueueRequested, QueueVanished
from callcenter.calls.facts import CallConnected, CallEnded, Outcome
from callcenter.calls.origin import new_leg_id
from callcenter.calls.queueing import CallbackRule
from callcenter.calls.segments import Target, TargetKind
from callcenter.ports import Answer, Clock, CustomerDirectory, Journal, Leave, Refused
from callcenter.routing import RoutingInbox
from ivr.effects import RequestCallback

log = structlog.get_logger(__name__)

OWN_PHONE = "own_phone"
"""Why a call out ended whose agent's own phone did not answer (``CallEnded.detail``)."""
KEPT_BESIDES_MS = 75_000
"""How much longer than it rings an agent is kept at most for a customer who is called first: until the customer was
greeted, or the end of the call is known."""
LEAVE_MS = 60_000
"""How long the store's leave to call somebody is good."""
RESTART = "system_restart"
"""What became of an attempt that was under way when the exchange died."""
NO_HOURS, NO_ANSWER_OF_STORE, QUEUE_CLOSED = "no_hours", "store_unavailable", "queue_closed"
"""Why a callback does not stand in line, besides ``IN_CALL``: it is no hour to call the customer, the store could not
be asked, the queue lets nobody in."""


@dataclass(slots=True)
class Callbacks:
    """All callbacks that are not over. ``resolve`` says what a number means for an agent, by the rules of calls
    out, ``new_id`` names calls, ``on_fatal`` hears of a journal that cannot be written."""

    clock: Clock
    journal: Journal
    tell: Callable[[object, int], None]
    routing: RoutingInbox
    directory: CustomerDirectory
    resolve: Callable[[str, str, int], Target | Refused]
    new_id: Callable[[int], str]
    terms: CallbackTerms
    on_fatal: Callable[[BaseException], None] = lambda _: None
    dialling: Dialling | None = None
    book: CallbackBook = field(default_factory=CallbackBook)
    _timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    """By promise: when it stands in line again."""
    _asking: set["asyncio.Task[None]"] = field(default_factory=set)

    async def request(self, call_id: str, caller: str, order: RequestCallback, since: int, *, by: str = "") -> bool:
        """Promise a callback with the place of ``since``; whether it is promised. The same person's stays as it was.

        None is promised that could not be kept: to people who do not want to be called, or when no hour to call them
        comes in time.
        """
        if self._is_promised(caller, order.queue_id):
            return True
        if not person(caller) or not self._has_room(order.queue_id):
            return False
        leave = await self.directory.may_call_back(caller)
        now = self.clock.now()
        if self._is_promised(caller, order.queue_id):  # by another call, meanwhile
            return True
        if leave.answer is Answer.NO:
            checked = CallOutChecked(by, now, Way.CALLBACK, NOT_CONTACTABLE, leave.reasons, call_id=call_id)
            self.journal.append(checked, at=now)
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
        if not self.terms.comes_an_hour(asked, leave.zones):
            return False
        callback = self.book.add(asked)
        self._note_leave(callback, leave)
        await self._write(asked)
        self._arrive(callback)
        return True

    def resume(self, facts: Iterable[CallbackFact]) -> None:
        """Take up what an earlier life promised; its facts in order. A dial that it may have made counts, and the next
        one is as far from the last as any."""
        for fact in facts:
            self.book.take(fact)
        for callback in self.book:
            if callback.dialled:
                self._missed(callback, counts=True, detail=RESTART)
            elif callback.tried_at is not None:
                self._wait_until(callback, callback.tried_at + self._rule(callback.asked.queue_id).retry_ms, RESTART)
            else:
                self._arrive(callback)

    def reclaim(self, caller: str, queue_id: str) -> int | None:
        """The customer calls in: the callback that waits is called off, and its instant of arrival handed over.

        One that is being made at this moment is not: the customer's phone may ring already.
        """
        callback = self.book.of_person(caller, queue_id) if person(caller) else None
        if callback is None or callback.call_up:
            return None
        self._withdraw(callback)
        self._close(callback, CallbackResult.CALLED_IN)
        return callback.asked.arrived_at

    def forget(self, callback_id: str) -> None:
        """The person was erased: nothing of the promise stays in memory. A call that is up goes on."""
        callback = self.book.find(callback_id)
        if callback is not None:
            if not callback.call_up:
                self._withdraw(callback)
            self._close(callback, CallbackResult.ERASED)

    # At consoles; who may do what is the desk's business

    def call_off(self, callback: Callback, by: str) -> bool:
        """Make no call; ``False`` when it is being made already."""
        if callback.call_up:
            return False
        self._withdraw(callback)
        self._close(callback, CallbackResult.CALLED_OFF, by=by)
        return True

    def call_now(self, callback: Callback, by: str) -> bool:
        """Wait no longer for the next attempt; ``False`` when it does not wait, or it is no hour to call."""
        now = self.clock.now()
        if callback.next_at is None or self._is_in_call(callback) or self.terms.next_hour(callback, now) != now:
            return False
        self._note(CallbackMoved(callback.asked.call_id, now, "now", by))
        self._arrive(callback)
        return True

    def to_top(self, callback: Callback, by: str) -> bool:
        """Let it go before everybody else of its queue; ``False`` when it is being made already."""
        if callback.call_up:
            return False
        callback.on_top = True
        self._note(CallbackMoved(callback.asked.call_id, self.clock.now(), "top", by))
        if callback.contact_id is not None:
            self._withdraw(callback)
            self._arrive(callback)
        else:
            self._show(callback)
        return True

    def takes(self, outcome: object) -> bool:
        """Carry out a routing outcome about a callback; ``False`` for all others."""
        callback = self.book.of_contact(getattr(outcome, "contact_id", None))
        if callback is None or callback.is_there:
            return False
        if callback.call_up and self._rule(callback.asked.queue_id).customer_first:
            self._follow_kept_agent(callback, outcome)
            return True
        match outcome:
            case OfferContact():
                self._offered(callback, outcome)
            case ContactAssigned(agent_id=agent_id, queue_id=queue_id):
                self._dial(callback, agent_id, queue_id)
            case ContactDequeued(reason=DequeueReason.QUEUE_REMOVED):
                self._close(callback, CallbackResult.EXPIRED)
            case ContactDequeued(reason=DequeueReason.OVERFLOWED):
                self.book.leave_line(callback)  # a closed or full door, or a plan with an end: the promise stands
                self._put_off(callback, QUEUE_CLOSED)
            case WithdrawOffer(offer_id=offer_id):
                if callback.offer is not None and callback.offer.offer_id == offer_id:
                    callback.offer = None
                return not callback.call_up
            case ContactOverflowed() | ContactDequeued():
                return not callback.call_up
            case _:
                return False
        return True

    def _follow_kept_agent(self, callback: Callback, outcome: object) -> None:
        """What routing says of a contact whose customer's phone rings: who is kept for it, and whether it stands."""
        match outcome:
            case OfferContact(agent_id=agent_id):
                callback.agent_id = agent_id
                self._show(callback)
            case WithdrawOffer():
                callback.agent_id = None
                self._show(callback)
            case ContactDequeued(reason=DequeueReason.QUEUE_REMOVED | DequeueReason.OVERFLOWED):
                if self.dialling is not None:
                    self.dialling.tell(callback.contact_id or "", QueueVanished(callback.contact_id or ""))
            case _:
                pass

    def customer_is_there(self, contact_id: str) -> None:
        """The customer who was called first answered: whoever is kept is rung, else the customer waits before all
        others."""
        callback = self.book.of_contact(contact_id)
        if callback is not None:
            callback.is_there = True
            self.routing.post(ContactPresent(ContactId(contact_id), _waiting_priority(callback)))

    def hear(self, fact: object, at: int) -> None:
        """Follow the calls that are made for callbacks."""
        del at
        if not isinstance(fact, CallbackDialled | CallConnected | CallEnded):
            return
        made = fact.contact_id if isinstance(fact, CallbackDialled) else fact.call_id
        promised = self.book.find(made) if isinstance(fact, CallEnded) else None
        if promised is not None and promised.detail == IN_CALL:
            self._arrive(promised)
        callback = self.book.of_contact(made)
        if callback is None:
            return
        if isinstance(fact, CallbackDialled):
            callback.dialled = True
        elif isinstance(fact, CallConnected):
            self.routing.post(ContactPresent(ContactId(made)))
            self._close(callback, CallbackResult.REACHED)
        elif fact.outcome in {Outcome.ABANDONED, Outcome.ABANDONED_IN_FLOW}:
            self._let_go(callback)
            self._close(callback, CallbackResult.ABANDONED)
        else:
            if fact.detail == OWN_PHONE and callback.agent_id is not None:
                self.routing.post(AgentMadeNotReady(AgentId(callback.agent_id), "no_answer"))
            self._let_go(callback)
            self._missed(callback, counts=callback.dialled, detail=fact.detail)

    def _let_go(self, callback: Callback) -> None:
        """The call of a customer who was called first is over: no agent is kept for it any more."""
        if self._rule(callback.asked.queue_id).customer_first and not callback.is_there:
            self.routing.post(ContactLeft(ContactId(callback.contact_id or ""), withdrawn=True))

    def close(self) -> None:
        """The exchange stops; what is promised is in the journal."""
        for timer in self._timers.values():
            timer.cancel()
        for task in self._asking:
            task.cancel()

    # One callback

    def _arrive(self, callback: Callback) -> None:
        """Let the callback stand in line, unless its time is over or it is no hour to call."""
        self._cancel_timer(callback)
        asked, now = callback.asked, self.clock.now()
        if now >= self.terms.ends_at(asked):
            self._close(callback, CallbackResult.EXPIRED)
            return
        if self._is_in_call(callback):
            self._wait_until(callback, None, IN_CALL)
            return
        at = self.terms.next_hour(callback, now)
        if at != now:
            self._wait_until(callback, at, NO_HOURS)
            return
        contact_id = self.new_id(now)
        self.book.stand(callback, contact_id)
        callback.detail = ""
        skills = tuple(SkillLevel(skill, level) for skill, level in asked.required_skills)
        rule = self._rule(asked.queue_id)
        self.routing.post(
            ContactArrived(
                ContactId(contact_id),
                QueueId(asked.queue_id),
                asked.arrived_at,
                callback.priority,
                skills,
                reserve_ms=rule.ring_ms + KEPT_BESIDES_MS if rule.customer_first else None,
                is_away=True,
            )
        )
        self._show(callback)

    def _is_in_call(self, callback: Callback) -> bool:
        """Whether the call in which it was promised goes on: nobody is called who is on the line."""
        return self.dialling is not None and self.dialling.is_up(callback.asked.call_id)

    def _offered(self, callback: Callback, offer: OfferContact) -> None:
        """An agent is there: the call goes out if the customer may be called, now."""
        now = self.clock.now()
        at = self.terms.next_hour(callback, now)
        if at != now:
            self._withdraw(callback)
            self._wait_until(callback, at, NO_HOURS)
        elif callback.cleared_until <= now:
            callback.offer = offer
            if not callback.is_asking:
                callback.is_asking = True
                self._in_background(self._ask(callback))
        elif self._rule(callback.asked.queue_id).customer_first:
            self._dial_first(callback, offer)
        else:
            self.routing.post(OfferAccepted(OfferId(offer.offer_id)))  # the phone rings for the call that follows

    async def _ask(self, callback: Callback) -> None:
        leave = await self.directory.may_call_back(callback.asked.caller)
        callback.is_asking = False
        offer, callback.offer = callback.offer, None
        if callback.call_up or callback.contact_id is None:
            return  # called off, or put off, meanwhile
        if leave.answer is Answer.NO:
            self._withdraw(callback)
            self._close(callback, CallbackResult.NOT_CONTACTABLE, detail=", ".join(leave.reasons))
        elif leave.answer is Answer.UNKNOWN and not self._rule(callback.asked.queue_id).calls_unasked:
            self._withdraw(callback)
            self._put_off(callback, NO_ANSWER_OF_STORE)
        else:
            self._note_leave(callback, leave)
            callback.cleared_until = self.clock.now() + LEAVE_MS
            if offer is not None:
                self._offered(callback, offer)

    def _dial(self, callback: Callback, agent_id: str, queue_id: str) -> None:
        target = self._target(callback, agent_id)
        if target is None or self.dialling is None:
            self.routing.post(ContactFinished(ContactId(callback.contact_id or "")))
            self._close(callback, CallbackResult.FORBIDDEN)
            return
        self._make(callback, agent_id)
        ring_ms = self._rule(callback.asked.queue_id).ring_ms
        self.dialling.call_back(callback.contact_id or "", agent_id, queue_id, target, callback.asked.call_id, ring_ms)

    def _dial_first(self, callback: Callback, offer: OfferContact) -> None:
        """An agent is kept for the customer, whose phone rings now."""
        target, asked = self._target(callback, offer.agent_id), callback.asked
        if target is None or self.dialling is None:
            self._withdraw(callback)
            self._close(callback, CallbackResult.FORBIDDEN)
            return
        self._make(callback, offer.agent_id)
        queue = QueueRequested(
            asked.queue_id, _waiting_priority(callback), asked.required_skills, asked.language or None
        )
        ring_ms = self._rule(asked.queue_id).ring_ms
        order = CallBackOrdered(queue, target, new_leg_id(), asked.call_id, asked.arrived_at, ring_ms)
        self.dialling.call_first(callback.contact_id or "", order)

    def _target(self, callback: Callback, agent_id: str) -> Target | None:
        """What the customer's number is to this agent by the rules of calls out; ``None`` when it may not be called."""
        target = self.resolve(agent_id, callback.asked.caller, self.clock.now())
        return None if isinstance(target, Refused) or target.kind is not TargetKind.NUMBER else target

    def _make(self, callback: Callback, agent_id: str) -> None:
        callback.agent_id, callback.call_up, callback.cleared_until = agent_id, True, 0
        self._show(callback)

    def _missed(self, callback: Callback, *, counts: bool, detail: str) -> None:
        contact_id = self.book.leave_line(callback) or ""
        callback.attempts += counts
        self._note(CallbackTried(callback.asked.call_id, self.clock.now(), contact_id, counts))
        if callback.attempts >= self._rule(callback.asked.queue_id).attempts:
            self._close(callback, CallbackResult.UNREACHED)
        elif counts:
            self._put_off(callback, detail)
        else:
            self._arrive(callback)

    def _put_off(self, callback: Callback, detail: str) -> None:
        """It stands in line again after a while."""
        self._wait_until(callback, self.clock.now() + self._rule(callback.asked.queue_id).retry_ms, detail)

    def _wait_until(self, callback: Callback, at: int | None, detail: str) -> None:
        """It stands in line again at this instant; ``None``: it only waits to be over."""
        ends_at = self.terms.ends_at(callback.asked)
        callback.next_at = ends_at if at is None else min(at, ends_at)
        callback.detail = detail
        seconds = max(0, callback.next_at - self.clock.now()) / 1000
        self._show(callback)
        self._timers[callback.asked.call_id] = asyncio.get_running_loop().call_later(seconds, self._arrive, callback)

    def _withdraw(self, callback: Callback) -> None:
        """Take its contact out of the line; an agent who is offered it is free again."""
        contact_id = self.book.leave_line(callback)
        if contact_id is not None:
            self.routing.post(ContactLeft(ContactId(contact_id), withdrawn=True))

    def _close(self, callback: Callback, result: CallbackResult, *, detail: str = "", by: str = "") -> None:
        self.book.remove(callback)
        self._cancel_timer(callback)
        self.tell(CallbackGone(callback.asked.call_id), self.clock.now())
        self._note(CallbackClosed(callback.asked.call_id, self.clock.now(), result, detail, by))

    def _cancel_timer(self, callback: Callback) -> None:
        timer = self._timers.pop(callback.asked.call_id, None)
        if timer is not None:
            timer.cancel()

    # What may be promised

    def _rule(self, queue_id: str) -> CallbackRule:
        return self.terms.rule(queue_id)

    def _is_promised(self, caller: str, queue_id: str) -> bool:
        return bool(person(caller)) and self.book.of_person(caller, queue_id) is not None

    def _has_room(self, queue_id: str) -> bool:
        return self.book.promised(queue_id) < self._rule(queue_id).most

    def _note_leave(self, callback: Callback, leave: Leave) -> None:
        callback.zones = leave.zones or callback.zones

    def _show(self, callback: Callback) -> None:
        rule = self._rule(callback.asked.queue_id)
        view = callback.view(ends_at=self.terms.ends_at(callback.asked), most_attempts=rule.attempts)
        self.tell(CallbackShown(view), self.clock.now())

    # Writing down

    async def _write(self, fact: CallbackFact) -> None:
        await self.journal.committed(self.journal.append(fact, at=fact.at))
        self.tell(fact, fact.at)

    def _note(self, fact: CallbackFact) -> None:
        """What follows from what is on disk already; a restart before this is would only come to the same."""
        self.journal.append(fact, at=fact.at)
        self.tell(fact, fact.at)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="callback")
        self._asking.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._asking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.on_fatal(error)


def _waiting_priority(callback: Callback) -> int:
    """With what a customer waits who was called, and whose agent went away meanwhile: before all who called."""
    return callback.asked.priority + TOP_PRIORITY
