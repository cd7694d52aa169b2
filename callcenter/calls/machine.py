# ruff: noqa: SLF001 - the table below names this module's own actions
"""The call machine: one customer, at most one agent leg at a time. Pure.

Everything that moves a call is a row of ``TABLE``; nothing else assigns the state. An event without a row raises
``IllegalCallEvent`` and changes nothing. Two kinds of event are told apart before the table is asked, because they
are races of the outside and not errors: what concerns an agent leg that is not the call's present one, and what
concerns an offer that is not the present one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from acd.events import DeclineCause
from acd.outcomes import OfferResult
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.facts import (
    CallAnswered,
    CallConnected,
    CallEnded,
    CallFact,
    CallOffered,
    CallOfferFailed,
    CallOverflowed,
    CallQueued,
    EndedBy,
    Outcome,
)
from callcenter.calls.legs import EndCause
from callcenter.calls.queueing import after_overflow
from callcenter.calls.states import CallState
from callcenter.errors import CallCenterError

S = CallState

FLOW_OUTCOMES: Mapping[str, Outcome] = {
    "closed_hours": Outcome.CLOSED_HOURS,
    "flow_loop": Outcome.FAILED,
    "flow_stalled": Outcome.FAILED,
}
"""Outcome of a call that its flow ended, by the flow's reason; any other reason is ``completed_in_flow``."""

BUSY_STATUSES = frozenset({486, 600})
DECLINE_STATUSES = frozenset({403, 603})


class IllegalCallEvent(CallCenterError):
    """An event that the call's state has no row for; the machine is unchanged."""

    code = "illegal-call-event"


@dataclass(slots=True)
class CallMachine:
    """One call. ``receive`` returns the facts to be journaled and then the orders to be carried out."""

    call_id: str
    state: CallState = S.IN_FLOW
    answered: bool = False
    queue: ev.QueueRequested | None = None
    queued_at: int = 0
    offer: ev.AgentOffered | None = None
    visited: frozenset[str] = frozenset()
    """Queues the call has been in since it left its flow."""
    _facts: list[CallFact] = field(default_factory=list)
    _effects: list[fx.Effect] = field(default_factory=list)

    def receive(self, event: ev.CallEvent, *, now: int) -> tuple[tuple[CallFact, ...], tuple[fx.Effect, ...]]:
        """Take one event at ``now`` (milliseconds). Raises ``IllegalCallEvent`` for one without a row."""
        self._facts, self._effects = [], []
        if self._is_stale(event):
            if isinstance(event, ev.AgentAnswered):
                self._order(fx.EndAgent(event.leg_id, EndCause.ANSWERED_ELSEWHERE))
            return (), tuple(self._effects)
        if isinstance(event, ev.QueueOverflowed):
            event = after_overflow(self.queue, self.visited, event)
        row = TABLE.get((self.state, type(event)))
        if row is None:
            raise IllegalCallEvent(f"call {self.call_id}: {type(event).__name__} does not fit state {self.state}")
        if row.act is not None:
            row.act(self, event, now)
        self.state = row.to
        return tuple(self._facts), tuple(self._effects)

    def _is_stale(self, event: ev.CallEvent) -> bool:
        if isinstance(event, ev.AgentRinging | ev.AgentAnswered | ev.AgentRefused | ev.AgentGone):
            return self.offer is None or event.leg_id != self.offer.leg_id
        if isinstance(event, ev.OfferTakenBack | ev.OfferConfirmed | ev.OfferTooLate):
            return self.offer is None or event.offer_id != self.offer.offer_id
        return False

    def _order(self, *effects: fx.Effect) -> None:
        self._effects.extend(effects)

    def _present_offer(self) -> ev.AgentOffered:
        if self.offer is None:
            raise IllegalCallEvent(f"call {self.call_id}: no offer in state {self.state}")
        return self.offer

    # Actions. Each is named for what happened; the next state stands in the table.

    def _answer(self, _event: ev.AnswerRequested, now: int) -> None:
        if not self.answered:
            self.answered = True
            self._facts.append(CallAnswered(self.call_id, now))
            self._order(fx.AnswerCustomer())

    def _enter_queue(self, event: ev.QueueRequested, now: int) -> None:
        self._answer(ev.AnswerRequested(), now)
        self.queue, self.queued_at, self.visited = event, now, frozenset({event.queue_id})
        self._tell_queued(event, now)
        self._order(fx.StartMusic())
        self._request_agent()

    def _tell_overflow(self, reason: str, now: int, *, to: str = "") -> ev.QueueRequested:
        if self.queue is None:
            raise IllegalCallEvent(f"call {self.call_id}: no queue in state {self.state}")
        self._facts.append(CallOverflowed(self.call_id, now, self.queue.queue_id, reason, to))
        return self.queue

    def _move_on(self, event: ev.QueueMoved, now: int) -> None:
        queue = self._tell_overflow(event.reason, now, to=event.queue_id)
        self.queue = replace(queue, queue_id=event.queue_id, plan="", agent="", agent_ms=0)
        self.visited |= {event.queue_id}
        self._tell_queued(self.queue, now)
        self._request_agent()

    def _return_to_flow(self, event: ev.QueueLeft, now: int) -> None:
        self._tell_overflow(event.reason, now)
        self._order(fx.StopMusic(), fx.ReturnToFlow(event.reason))

    def _turn_away(self, event: ev.QueueGaveUp, now: int) -> None:
        self._tell_overflow(event.reason, now)
        self._end(Outcome.TURNED_AWAY, EndedBy.SYSTEM, now, detail=event.reason)
        self._order(fx.EndCustomer(EndCause.NORMAL))

    def _tell_queued(self, queue: ev.QueueRequested, now: int) -> None:
        self._facts.append(
            CallQueued(self.call_id, now, queue.queue_id, queue.priority, queue.language, queue.required_skills)
        )

    def _request_agent(self) -> None:
        queue = self.queue
        if queue is not None:
            self._order(
                fx.RequestAgent(
                    queue.queue_id,
                    self.queued_at,
                    queue.priority,
                    queue.required_skills,
                    queue.plan,
                    queue.agent,
                    queue.agent_ms,
                )
            )

    def _end_by_flow(self, event: ev.HangUpRequested, now: int) -> None:
        outcome = FLOW_OUTCOMES.get(event.reason, Outcome.COMPLETED_IN_FLOW)
        self._end(outcome, EndedBy.SYSTEM, now, detail=event.reason)
        self._order(fx.EndCustomer(EndCause.NORMAL))

    def _end(self, outcome: Outcome, ended_by: EndedBy, now: int, *, detail: str = "") -> None:
        self._facts.append(CallEnded(self.call_id, now, outcome, ended_by, detail))
        self._order(fx.StopFlow())

    def _abandon_in_flow(self, event: ev.CustomerGone, now: int) -> None:
        self._end(Outcome.ABANDONED_IN_FLOW, EndedBy.CUSTOMER, now, detail=event.cause)

    def _abandon(self, event: ev.CustomerGone, now: int) -> None:
        self._drop_agent(EndCause.CANCELLED)
        self._end(Outcome.ABANDONED, EndedBy.CUSTOMER, now, detail=event.cause)
        self._order(fx.LeaveQueue())

    def _drop_agent(self, cause: EndCause) -> None:
        if self.offer is not None:
            self._order(fx.EndAgent(self.offer.leg_id, cause))
            self.offer = None

    def _take_offer(self, event: ev.AgentOffered, now: int) -> None:
        self.offer = event
        self._facts.append(CallOffered(self.call_id, now, event.offer_id, event.agent_id, event.expires_at))
        self._order(fx.RingAgent(event.leg_id, event.agent_id))

    def _fail_offer(self, cause: str, now: int) -> None:
        offer = self._present_offer()
        self._facts.append(CallOfferFailed(self.call_id, now, offer.offer_id, offer.agent_id, cause))

    def _lose_offer(self, event: ev.OfferTakenBack, now: int) -> None:
        self._fail_offer(event.result, now)
        self._drop_agent(EndCause.NO_ANSWER if event.result is OfferResult.EXPIRED else EndCause.CANCELLED)

    def _come_too_late(self, _event: ev.OfferTooLate, now: int) -> None:
        self._fail_offer(OfferResult.EXPIRED, now)
        self._drop_agent(EndCause.NO_ANSWER)

    def _be_declined(self, _event: ev.DeclineOrdered, now: int) -> None:
        self._refuse_offer(DeclineCause.DECLINED, now)
        self._drop_agent(EndCause.REJECTED)

    def _be_refused(self, event: ev.AgentRefused, now: int) -> None:
        if event.status in BUSY_STATUSES:
            self._refuse_offer(DeclineCause.BUSY, now)
        elif event.status in DECLINE_STATUSES:
            self._refuse_offer(DeclineCause.DECLINED, now)
        else:
            self._refuse_offer(DeclineCause.UNREACHABLE, now)
        self.offer = None

    def _refuse_offer(self, cause: DeclineCause, now: int) -> None:
        self._fail_offer(cause, now)
        self._order(fx.ReportDeclined(self._present_offer().offer_id, cause))

    def _report_answer(self, _event: ev.AgentAnswered, _now: int) -> None:
        self._order(fx.ReportAccepted(self._present_offer().offer_id))

    def _connect(self, _event: ev.OfferConfirmed, now: int) -> None:
        offer = self._present_offer()
        self._facts.append(CallConnected(self.call_id, now, offer.offer_id, offer.agent_id, offer.queue_id))
        self._order(fx.BridgeLegs(offer.leg_id))

    def _return_after_confirmation(self, _event: ev.OfferConfirmed, now: int) -> None:
        self._return_to_queue(now)
        self._order(fx.ReportFinished())
        self._request_agent()

    def _return_after_refusal(self, _event: ev.OfferTakenBack | ev.OfferTooLate, now: int) -> None:
        self._return_to_queue(now)

    def _return_to_queue(self, now: int) -> None:
        self._fail_offer("agent_lost", now)
        self.offer = None

    def _end_by_customer(self, event: ev.CustomerGone, now: int) -> None:
        self._drop_agent(EndCause.NORMAL)
        self._end(Outcome.ANSWERED, EndedBy.CUSTOMER, now, detail=event.cause)
        self._order(fx.ReportFinished())

    def _end_by_agent_leg(self, event: ev.AgentGone, now: int) -> None:
        self.offer = None
        self._end(Outcome.ANSWERED, EndedBy.AGENT, now, detail=event.cause)
        self._order(fx.EndCustomer(EndCause.NORMAL), fx.ReportFinished())

    def _end_by_desk(self, _event: ev.HangUpOrdered, now: int) -> None:
        self._drop_agent(EndCause.NORMAL)
        self._end(Outcome.ANSWERED, EndedBy.AGENT, now, detail="desk")
        self._order(fx.EndCustomer(EndCause.NORMAL), fx.ReportFinished())

    def _break_in_flow(self, event: ev.MediaFailed | ev.ShutdownOrdered, now: int) -> None:
        outcome = Outcome.FAILED if isinstance(event, ev.MediaFailed) else Outcome.SYSTEM_RESTART
        self._end(outcome, EndedBy.SYSTEM, now, detail=_trouble(event))
        self._order(fx.EndCustomer(event.cause if isinstance(event, ev.MediaFailed) else EndCause.SHUTDOWN))

    def _break_in_queue(self, event: ev.MediaFailed | ev.ShutdownOrdered, now: int) -> None:
        self._drop_agent(EndCause.CANCELLED)
        self._break_in_flow(event, now)
        self._order(fx.LeaveQueue())

    def _break_in_talk(self, event: ev.MediaFailed | ev.ShutdownOrdered, now: int) -> None:
        self._drop_agent(EndCause.MEDIA_LOST)
        self._end(Outcome.ANSWERED, EndedBy.SYSTEM, now, detail=_trouble(event))
        self._order(fx.EndCustomer(EndCause.MEDIA_LOST), fx.ReportFinished())

    def _lose_queue(self, _event: ev.QueueVanished, now: int) -> None:
        self._drop_agent(EndCause.CANCELLED)
        self._end(Outcome.NO_QUEUE, EndedBy.SYSTEM, now)
        self._order(fx.EndCustomer(EndCause.NORMAL))


def _trouble(event: ev.MediaFailed | ev.ShutdownOrdered) -> str:
    return event.detail if isinstance(event, ev.MediaFailed) else "shutdown"


@dataclass(frozen=True, slots=True)
class Row:
    """One transition: what is done, and where it leads."""

    to: CallState
    act: Callable[[CallMachine, ev.CallEvent, int], None] | None = None


def _row(to: CallState, act: Callable[..., None] | None = None) -> Row:
    return Row(to, act)


M = CallMachine

TABLE: Mapping[tuple[CallState, type[ev.CallEvent]], Row] = {
    # The flow speaks with the customer.
    (S.IN_FLOW, ev.AnswerRequested): _row(S.IN_FLOW, M._answer),
    (S.IN_FLOW, ev.QueueRequested): _row(S.QUEUED, M._enter_queue),
    (S.IN_FLOW, ev.HangUpRequested): _row(S.ENDED, M._end_by_flow),
    (S.IN_FLOW, ev.CustomerGone): _row(S.ENDED, M._abandon_in_flow),
    (S.IN_FLOW, ev.MediaFailed): _row(S.ENDED, M._break_in_flow),
    (S.IN_FLOW, ev.ShutdownOrdered): _row(S.ENDED, M._break_in_flow),
    # The customer waits.
    (S.QUEUED, ev.AgentOffered): _row(S.OFFERED, M._take_offer),
    (S.QUEUED, ev.CustomerGone): _row(S.ENDED, M._abandon),
    (S.QUEUED, ev.QueueVanished): _row(S.ENDED, M._lose_queue),
    (S.QUEUED, ev.QueueMoved): _row(S.QUEUED, M._move_on),
    (S.QUEUED, ev.QueueLeft): _row(S.IN_FLOW, M._return_to_flow),
    (S.QUEUED, ev.QueueGaveUp): _row(S.ENDED, M._turn_away),
    (S.QUEUED, ev.DeclineOrdered): _row(S.QUEUED),  # the click crossed the end of the offer
    (S.QUEUED, ev.MediaFailed): _row(S.ENDED, M._break_in_queue),
    (S.QUEUED, ev.ShutdownOrdered): _row(S.ENDED, M._break_in_queue),
    # An agent's phone rings.
    (S.OFFERED, ev.AgentRinging): _row(S.OFFERED),
    (S.OFFERED, ev.AgentAnswered): _row(S.CONNECTING, M._report_answer),
    (S.OFFERED, ev.AgentRefused): _row(S.QUEUED, M._be_refused),
    (S.OFFERED, ev.DeclineOrdered): _row(S.QUEUED, M._be_declined),
    (S.OFFERED, ev.OfferTakenBack): _row(S.QUEUED, M._lose_offer),
    (S.OFFERED, ev.CustomerGone): _row(S.ENDED, M._abandon),
    (S.OFFERED, ev.QueueVanished): _row(S.ENDED, M._lose_queue),
    (S.OFFERED, ev.MediaFailed): _row(S.ENDED, M._break_in_queue),
    (S.OFFERED, ev.ShutdownOrdered): _row(S.ENDED, M._break_in_queue),
    # The agent's phone answered; routing has the last word on whether the offer still stood.
    (S.CONNECTING, ev.OfferConfirmed): _row(S.TALKING, M._connect),
    (S.CONNECTING, ev.OfferTooLate): _row(S.QUEUED, M._come_too_late),
    (S.CONNECTING, ev.OfferTakenBack): _row(S.QUEUED, M._lose_offer),
    (S.CONNECTING, ev.AgentGone): _row(S.AGENT_LOST),
    (S.CONNECTING, ev.CustomerGone): _row(S.ENDED, M._abandon),
    (S.CONNECTING, ev.DeclineOrdered): _row(S.CONNECTING),  # the phone was answered first
    (S.CONNECTING, ev.HangUpOrdered): _row(S.CONNECTING),
    (S.CONNECTING, ev.QueueVanished): _row(S.ENDED, M._lose_queue),
    (S.CONNECTING, ev.MediaFailed): _row(S.ENDED, M._break_in_queue),
    (S.CONNECTING, ev.ShutdownOrdered): _row(S.ENDED, M._break_in_queue),
    # The agent answered and vanished before routing confirmed.
    (S.AGENT_LOST, ev.OfferConfirmed): _row(S.QUEUED, M._return_after_confirmation),
    (S.AGENT_LOST, ev.OfferTooLate): _row(S.QUEUED, M._return_after_refusal),
    (S.AGENT_LOST, ev.OfferTakenBack): _row(S.QUEUED, M._return_after_refusal),
    (S.AGENT_LOST, ev.DeclineOrdered): _row(S.AGENT_LOST),
    (S.AGENT_LOST, ev.HangUpOrdered): _row(S.AGENT_LOST),
    (S.AGENT_LOST, ev.CustomerGone): _row(S.ENDED, M._abandon),
    (S.AGENT_LOST, ev.QueueVanished): _row(S.ENDED, M._lose_queue),
    (S.AGENT_LOST, ev.MediaFailed): _row(S.ENDED, M._break_in_queue),
    (S.AGENT_LOST, ev.ShutdownOrdered): _row(S.ENDED, M._break_in_queue),
    # They talk.
    (S.TALKING, ev.CustomerGone): _row(S.ENDED, M._end_by_customer),
    (S.TALKING, ev.AgentGone): _row(S.ENDED, M._end_by_agent_leg),
    (S.TALKING, ev.HangUpOrdered): _row(S.ENDED, M._end_by_desk),
    (S.TALKING, ev.OfferTakenBack): _row(S.TALKING),  # routing tells the accepted offer's end, too
    (S.TALKING, ev.DeclineOrdered): _row(S.TALKING),
    (S.TALKING, ev.MediaFailed): _row(S.ENDED, M._break_in_talk),
    (S.TALKING, ev.ShutdownOrdered): _row(S.ENDED, M._break_in_talk),
    # Over; what crosses the end changes nothing.
    (S.ENDED, ev.AnswerRequested): _row(S.ENDED),
    (S.ENDED, ev.QueueRequested): _row(S.ENDED),
    (S.ENDED, ev.HangUpRequested): _row(S.ENDED),
    (S.ENDED, ev.CustomerGone): _row(S.ENDED),
    (S.ENDED, ev.AgentOffered): _row(S.ENDED),
    (S.ENDED, ev.QueueVanished): _row(S.ENDED),
    (S.ENDED, ev.QueueMoved): _row(S.ENDED),
    (S.ENDED, ev.QueueLeft): _row(S.ENDED),
    (S.ENDED, ev.QueueGaveUp): _row(S.ENDED),
    (S.ENDED, ev.DeclineOrdered): _row(S.ENDED),
    (S.ENDED, ev.HangUpOrdered): _row(S.ENDED),
    (S.ENDED, ev.MediaFailed): _row(S.ENDED),
    (S.ENDED, ev.ShutdownOrdered): _row(S.ENDED),
}
"""Every transition of a call."""
