"""Callbacks (virtual hold): the customer hangs up, the place in line stays, and the agent whose turn it is calls.

A callback is a contact like any other, with the instant of arrival of the call it came from; so order of service is
that of a line in which everybody had stayed. When routing assigns an agent, and only then, one call goes out: the
agent's phone rings first, then the customer's; there can never be more dials than agents. The same person has one
callback, whatever number of calls asked for it, and calling in again calls it off and takes its place.

What is promised is journaled and survives a restart. One task owns the callbacks: the event loop of the exchange.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from acd.events import AgentMadeNotReady, ContactArrived, ContactFinished, ContactLeft, OfferAccepted, SkillLevel
from acd.ids import AgentId, ContactId, QueueId
from acd.outcomes import (
    ContactAssigned,
    ContactDequeued,
    ContactOverflowed,
    DequeueReason,
    OfferContact,
    WithdrawOffer,
)
from callcenter.calls.facts import (
    CallbackClosed,
    CallbackFact,
    CallbackRequested,
    CallbackResult,
    CallbackTried,
    CallConnected,
    CallEnded,
)
from callcenter.calls.queueing import CallbackRule
from callcenter.calls.segments import Target, TargetKind
from callcenter.ports import Clock, Journal, Refused
from callcenter.routing import RoutingInbox
from ivr.effects import RequestCallback

log = structlog.get_logger(__name__)

OWN_PHONE = "own_phone"
"""Why a call out ended whose agent's own phone did not answer (``CallEnded.detail``)."""


class Dialling(Protocol):
    """What is needed of the switchboard and of whoever knows what may be dialled."""

    def call_back(self, call_id: str, agent_id: str, queue_id: str, target: Target) -> None:
        """Ring the agent, then the customer, as one call of this id."""
        ...


@dataclass(slots=True)
class Callback:
    """One promise. ``contact_id`` is the contact that waits for it, or the call that is made, if any."""

    asked: CallbackRequested
    attempts: int = 0
    contact_id: str | None = None
    agent_id: str | None = None
    """Who calls at this moment."""
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class Callbacks:
    """All callbacks that are not over. ``resolve`` says what a number means for an agent, by the rules of calls
    out, ``new_id`` names calls."""

    clock: Clock
    journal: Journal
    tell: Callable[[object, int], None]
    routing: RoutingInbox
    resolve: Callable[[str, str, int], Target | Refused]
    new_id: Callable[[int], str]
    rules: Mapping[str, CallbackRule]
    dialling: Dialling | None = None
    _open: dict[str, Callback] = field(default_factory=dict)
    _of_contact: dict[str, Callback] = field(default_factory=dict)

    async def request(self, call_id: str, caller: str, order: RequestCallback, since: int) -> bool:
        """Promise a callback with the place of ``since``; whether it is promised. The same person's stays as it was."""
        rule = self.rules.get(order.queue_id, CallbackRule())
        if self._waiting_for(caller, order.queue_id) is not None:
            return True
        promised = sum(each.asked.queue_id == order.queue_id for each in self._open.values())
        now = self.clock.now()
        if not any(letter.isdigit() for letter in caller) or promised >= rule.most:
            return False
        asked = CallbackRequested(
            call_id, now, caller, order.queue_id, min(since, now), order.priority, order.required_skills
        )
        self._open[call_id] = callback = Callback(asked)
        await self._write(asked)
        self._arrive(callback)
        return True

    def resume(self, facts: Iterable[CallbackFact]) -> None:
        """Take up what an earlier life promised; its facts in order."""
        for fact in facts:
            match fact:
                case CallbackRequested():
                    self._open[fact.call_id] = Callback(fact)
                case CallbackTried(call_id=call_id, counts=counts) if call_id in self._open:
                    self._open[call_id].attempts += counts
                case CallbackClosed(call_id=call_id):
                    self._open.pop(call_id, None)
                case _:
                    pass
        for callback in list(self._open.values()):
            self._arrive(callback)

    def reclaim(self, caller: str, queue_id: str) -> int | None:
        """The customer calls in: the callback that waits is called off, and its instant of arrival handed over.

        One that is being made at this moment is not: the customer's phone may ring already.
        """
        callback = self._waiting_for(caller, queue_id)
        if callback is None or callback.agent_id is not None:
            return None
        if callback.contact_id is not None:
            self.routing.post(ContactLeft(ContactId(callback.contact_id)))
        self._close(callback, CallbackResult.CALLED_IN)
        return callback.asked.arrived_at

    def takes(self, outcome: object) -> bool:
        """Carry out a routing outcome about a callback; ``False`` for all others."""
        contact_id = getattr(outcome, "contact_id", None)
        callback = self._of_contact.get(contact_id) if isinstance(contact_id, str) else None
        if callback is None:
            return False
        match outcome:
            case OfferContact(offer_id=offer_id):
                self.routing.post(OfferAccepted(offer_id))  # the phone rings for the call that follows
            case ContactAssigned(agent_id=agent_id, queue_id=queue_id):
                self._dial(callback, agent_id, queue_id)
            case ContactDequeued(reason=DequeueReason.QUEUE_REMOVED):
                self._close(callback, CallbackResult.EXPIRED)
            case ContactDequeued(reason=DequeueReason.OVERFLOWED):
                self._put_off(callback)  # a closed or full door, or a plan with an end: the promise stands
            case WithdrawOffer() | ContactOverflowed() | ContactDequeued():
                return callback.agent_id is None
            case _:
                return False
        return True

    def hear(self, fact: object, at: int) -> None:
        """Follow the calls that are made for callbacks."""
        del at
        if isinstance(fact, CallConnected) and (callback := self._of_contact.get(fact.call_id)) is not None:
            self._close(callback, CallbackResult.REACHED)
        elif isinstance(fact, CallEnded) and (callback := self._of_contact.get(fact.call_id)) is not None:
            self._missed(callback, counts=fact.detail != OWN_PHONE)

    def close(self) -> None:
        """The exchange stops; what is promised is in the journal."""
        for callback in self._open.values():
            if callback.timer is not None:
                callback.timer.cancel()

    # One callback

    def _arrive(self, callback: Callback) -> None:
        """Let the callback stand in line, unless its time is over."""
        callback.timer = None
        asked, now = callback.asked, self.clock.now()
        rule = self.rules.get(asked.queue_id, CallbackRule())
        if now >= asked.at + rule.within_ms or asked.queue_id not in self.rules:
            self._close(callback, CallbackResult.EXPIRED)
            return
        contact_id = self.new_id(now)
        callback.contact_id = contact_id
        self._of_contact[contact_id] = callback
        skills = tuple(SkillLevel(skill, level) for skill, level in asked.required_skills)
        self.routing.post(
            ContactArrived(ContactId(contact_id), QueueId(asked.queue_id), asked.arrived_at, asked.priority, skills)
        )

    def _dial(self, callback: Callback, agent_id: str, queue_id: str) -> None:
        target = self.resolve(agent_id, callback.asked.caller, self.clock.now())
        if isinstance(target, Refused) or target.kind is not TargetKind.NUMBER or self.dialling is None:
            self.routing.post(ContactFinished(ContactId(callback.contact_id or "")))
            self._close(callback, CallbackResult.FORBIDDEN)
            return
        callback.agent_id = agent_id
        self.dialling.call_back(callback.contact_id or "", agent_id, queue_id, target)

    def _missed(self, callback: Callback, *, counts: bool) -> None:
        contact_id, agent_id = callback.contact_id or "", callback.agent_id
        del self._of_contact[contact_id]
        callback.contact_id = callback.agent_id = None
        callback.attempts += counts
        self._note(CallbackTried(callback.asked.call_id, self.clock.now(), contact_id, counts))
        rule = self.rules.get(callback.asked.queue_id, CallbackRule())
        if callback.attempts >= rule.attempts:
            self._close(callback, CallbackResult.UNREACHED)
        elif counts:
            self._put_off(callback)
        else:
            if agent_id is not None:
                self.routing.post(AgentMadeNotReady(AgentId(agent_id), "no_answer"))
            self._arrive(callback)

    def _put_off(self, callback: Callback) -> None:
        """It stands in line again after a while."""
        if callback.contact_id is not None:
            self._of_contact.pop(callback.contact_id, None)
            callback.contact_id = None
        retry_ms = self.rules.get(callback.asked.queue_id, CallbackRule()).retry_ms
        callback.timer = asyncio.get_running_loop().call_later(retry_ms / 1000, self._arrive, callback)

    def _close(self, callback: Callback, result: CallbackResult) -> None:
        self._open.pop(callback.asked.call_id, None)
        if callback.contact_id is not None:
            self._of_contact.pop(callback.contact_id, None)
        if callback.timer is not None:
            callback.timer.cancel()
        self._note(CallbackClosed(callback.asked.call_id, self.clock.now(), result))

    def _waiting_for(self, caller: str, queue_id: str) -> Callback | None:
        for each in self._open.values():
            if caller and (each.asked.caller, each.asked.queue_id) == (caller, queue_id):
                return each
        return None

    # Writing down

    async def _write(self, fact: CallbackFact) -> None:
        await self.journal.committed(self.journal.append(fact, at=fact.at))
        self.tell(fact, fact.at)

    def _note(self, fact: CallbackFact) -> None:
        """What follows from what is on disk already; a restart before this is would only try once more."""
        self.journal.append(fact, at=fact.at)
        self.tell(fact, fact.at)
