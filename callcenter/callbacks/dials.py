"""The call that keeps a promise: from the agent whom routing found to the end of the attempt.

When routing finds an agent, the customer store is asked whether the customer still may be called, and then one call
goes out: the agent's phone rings first and then the customer's, or the agent is kept while the customer's rings. So
there can never be more dials than agents. A customer who calls in while only the agent's phone rings is not dialled.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from acd.events import AgentMadeNotReady, ContactFinished, ContactLeft, ContactPresent, OfferAccepted
from acd.ids import AgentId, ContactId, OfferId
from acd.outcomes import (
    ContactAssigned,
    ContactDequeued,
    ContactOverflowed,
    DequeueReason,
    OfferContact,
    WithdrawOffer,
)
from callcenter.callbacks.book import Callback, waiting_priority
from callcenter.callbacks.line import CallbackLine
from callcenter.calls.callback_facts import CallbackDialled, CallbackResult
from callcenter.calls.events import CallBackOrdered, HangUpOrdered, QueueRequested, QueueVanished
from callcenter.calls.facts import CallArrived, CallConnected, CallEnded, Outcome
from callcenter.calls.origin import new_leg_id
from callcenter.calls.segments import SegmentKind, Target, TargetKind
from callcenter.ports import Answer, CustomerDirectory, Refused

OWN_PHONE = "own_phone"
"""Why a call out ended whose agent's own phone did not answer (``CallEnded.detail``)."""
LEAVE_MS = 60_000
"""How long the store's leave to call somebody is good."""
NO_ANSWER_OF_STORE, QUEUE_CLOSED = "store_unavailable", "queue_closed"
"""Why a callback is put off: the store could not be asked, the queue lets nobody in."""
HEARD = (CallArrived, CallbackDialled, CallConnected, CallEnded)
"""The facts that ``CallbackDials.hear`` follows."""


@dataclass(slots=True)
class CallbackDials:
    """``resolve`` says what a number means for an agent, by the rules of calls out; ``on_fatal`` hears of a journal
    that cannot be written."""

    line: CallbackLine
    directory: CustomerDirectory
    resolve: Callable[[str, str, int], Target | Refused]
    on_fatal: Callable[[BaseException], None] = lambda _: None
    _asking: set["asyncio.Task[None]"] = field(default_factory=set)

    def takes(self, outcome: object) -> bool:
        """Carry out a routing outcome about a callback; ``False`` for all others."""
        callback = self.line.book.of_contact(getattr(outcome, "contact_id", None))
        if callback is None or callback.is_there:
            return False
        if callback.call_up and callback.is_customer_first:
            self._follow_kept_agent(callback, outcome)
            return True
        match outcome:
            case OfferContact():
                self._offered(callback, outcome)
            case ContactAssigned(agent_id=agent_id, queue_id=queue_id):
                self._dial(callback, agent_id, queue_id)
            case ContactDequeued(reason=DequeueReason.QUEUE_REMOVED):
                self.line.close(callback, CallbackResult.EXPIRED)
            case ContactDequeued(reason=DequeueReason.OVERFLOWED):
                self.line.book.leave_line(callback)  # a closed or full door, or a plan with an end: the promise stands
                self.line.put_off(callback, QUEUE_CLOSED)
            case WithdrawOffer(offer_id=offer_id):
                if callback.offer is not None and callback.offer.offer_id == offer_id:
                    callback.offer = None
                return not callback.call_up
            case ContactOverflowed() | ContactDequeued():
                return not callback.call_up
            case _:
                return False
        return True

    def hear(self, fact: object, at: int) -> None:
        """Follow the calls that are made for callbacks, and those of customers who are to be called."""
        del at
        match fact:
            case CallArrived():
                self._give_up_for(fact)
            case CallbackDialled(contact_id=contact_id):
                if (callback := self.line.book.of_contact(contact_id)) is not None:
                    callback.dialled = True
            case CallConnected(call_id=call_id):
                if (callback := self.line.book.of_contact(call_id)) is not None:
                    self.line.routing.post(ContactPresent(ContactId(call_id)))
                    self.line.close(callback, CallbackResult.REACHED)
            case CallEnded():
                self._ended(fact)
                self.line.call_ended()
            case _:
                pass

    def close(self) -> None:
        """The exchange stops."""
        for task in self._asking:
            task.cancel()

    # Whether the call goes out

    def _offered(self, callback: Callback, offer: OfferContact) -> None:
        """An agent is there: the call goes out if the customer may be called, now."""
        if self.line.puts_off(callback):
            return
        if callback.cleared_until <= self.line.clock.now():
            callback.offer = offer
            if not callback.is_asking:
                callback.is_asking = True
                self._in_background(self._ask(callback))
        elif self.line.rule(callback.asked.queue_id).customer_first:
            self._dial_first(callback, offer)
        else:
            self.line.routing.post(OfferAccepted(OfferId(offer.offer_id)))  # the phone rings for the call that follows

    async def _ask(self, callback: Callback) -> None:
        line = self.line
        leave = await self.directory.may_call_back(callback.asked.caller)
        callback.is_asking = False
        offer, callback.offer = callback.offer, None
        if callback.call_up or callback.contact_id is None:
            return  # called off, or put off, meanwhile
        if leave.answer is Answer.NO:
            line.withdraw(callback)
            line.close(callback, CallbackResult.NOT_CONTACTABLE, detail=", ".join(leave.reasons))
        elif leave.answer is Answer.UNKNOWN and not line.rule(callback.asked.queue_id).calls_unasked:
            line.withdraw(callback)
            line.put_off(callback, NO_ANSWER_OF_STORE)
        else:
            callback.note_zones(leave.zones)
            callback.cleared_until = line.clock.now() + LEAVE_MS
            if offer is not None:
                self._offered(callback, offer)

    # The agent's phone first

    def _dial(self, callback: Callback, agent_id: str, queue_id: str) -> None:
        target, dialling, contact_id = self._target(callback, agent_id), self.line.dialling, callback.contact_id or ""
        if target is None or dialling is None:
            self.line.routing.post(ContactFinished(ContactId(contact_id)))
            self.line.close(callback, CallbackResult.FORBIDDEN)
            return
        self._make(callback, agent_id)
        ring_ms = self.line.rule(callback.asked.queue_id).ring_ms
        dialling.call_back(contact_id, agent_id, queue_id, target, callback.asked.call_id, ring_ms)

    def _give_up_for(self, call: CallArrived) -> None:
        """Somebody is on the line who is about to be called back: the agent's phone stops ringing for that."""
        number = call.caller if call.direction is SegmentKind.INBOUND else call.called
        for callback in self.line.book.all_of_person(number):
            contact_id, dialling = callback.contact_id or "", self.line.dialling
            made = callback.call_up and contact_id != call.call_id and not callback.is_dialling_customer
            if made and dialling is not None:
                dialling.tell(contact_id, HangUpOrdered(contact_id))

    # The customer's phone first

    def _dial_first(self, callback: Callback, offer: OfferContact) -> None:
        """An agent is kept for the customer, whose phone rings now."""
        target, asked, dialling = self._target(callback, offer.agent_id), callback.asked, self.line.dialling
        if target is None or dialling is None:
            self.line.withdraw(callback)
            self.line.close(callback, CallbackResult.FORBIDDEN)
            return
        callback.is_customer_first = True
        self._make(callback, offer.agent_id)
        queue = QueueRequested(
            asked.queue_id, waiting_priority(callback), asked.required_skills, asked.language or None
        )
        ring_ms = self.line.rule(asked.queue_id).ring_ms
        order = CallBackOrdered(queue, target, new_leg_id(), asked.call_id, asked.arrived_at, ring_ms)
        dialling.call_first(callback.contact_id or "", order)

    def _follow_kept_agent(self, callback: Callback, outcome: object) -> None:
        """What routing says of a contact whose customer's phone rings: who is kept for it, and whether it stands."""
        match outcome:
            case OfferContact(agent_id=agent_id):
                callback.agent_id = agent_id
                self.line.show(callback)
            case WithdrawOffer():
                callback.agent_id = None
                self.line.show(callback)
            case ContactDequeued(reason=DequeueReason.QUEUE_REMOVED | DequeueReason.OVERFLOWED):
                if self.line.dialling is not None:
                    self.line.dialling.tell(callback.contact_id or "", QueueVanished(callback.contact_id or ""))
            case _:
                pass

    # Both

    def _target(self, callback: Callback, agent_id: str) -> Target | None:
        """What the customer's number is to this agent by the rules of calls out; ``None`` when it may not be called."""
        target = self.resolve(agent_id, callback.asked.caller, self.line.clock.now())
        return None if isinstance(target, Refused) or target.kind is not TargetKind.NUMBER else target

    def _make(self, callback: Callback, agent_id: str) -> None:
        callback.agent_id, callback.call_up, callback.cleared_until = agent_id, True, 0
        self.line.show(callback)

    def _ended(self, fact: CallEnded) -> None:
        callback = self.line.book.of_contact(fact.call_id)
        if callback is None:
            return
        if callback.is_customer_first and not callback.is_there:  # no agent is kept for it any more
            self.line.routing.post(ContactLeft(ContactId(fact.call_id), withdrawn=True))
        if fact.outcome in {Outcome.ABANDONED, Outcome.ABANDONED_IN_FLOW}:
            self.line.close(callback, CallbackResult.ABANDONED)
            return
        if fact.detail == OWN_PHONE and callback.agent_id is not None:
            self.line.routing.post(AgentMadeNotReady(AgentId(callback.agent_id), "no_answer"))
        self.line.missed(callback, counts=callback.dialled, detail=fact.detail)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="callback")
        self._asking.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._asking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.on_fatal(error)
