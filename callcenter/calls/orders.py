"""Carries out what the call machine orders: to legs, media, recorder, flow and routing."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

import structlog

from acd.errors import AcdError
from acd.events import AgentEngaged, ContactLeft, OfferAccepted, OfferDeclined
from acd.ids import AgentId, ContactId, OfferId, QueueId
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.audio import GREETING_PLAY, CallAudio
from callcenter.calls.call import Call
from callcenter.calls.dependencies import CallDependencies
from callcenter.calls.flowing import CallFlow
from callcenter.calls.legs import EndCause, LegRefused, Party
from callcenter.calls.legwork import CallLegs
from callcenter.calls.origin import Origin
from callcenter.calls.participants import Conversation
from callcenter.calls.personal_plans import KnownCustomer
from callcenter.calls.recorder import CallRecorder
from callcenter.calls.spoken_call import slot_said
from callcenter.errors import MediaError
from ivr import events as flow_ev

log = structlog.get_logger(__name__)


class CallOrders:
    """Owned by the call's runner, whose task is the only one that calls it.

    ``tell`` is for a leg that was refused before it began, ``on_finished`` hears which agent is through with what,
    ``customer`` says who calls, as far as it is known by now.
    """

    def __init__(
        self,
        machine: Call,
        deps: CallDependencies,
        origin: Origin,
        *,
        legs: CallLegs,
        audio: CallAudio,
        recorder: CallRecorder,
        flow: CallFlow,
        tell: Callable[[LegRefused], None],
        on_finished: Callable[[str, str], None],
        customer: Callable[[], KnownCustomer],
    ) -> None:
        self._call_id = machine.call_id
        self._machine = machine
        self._deps = deps
        self._origin = origin
        self._legs = legs
        self._audio = audio
        self._recorder = recorder
        self._flow = flow
        self._tell = tell
        self._on_finished = on_finished
        self._customer = customer
        self._consent_of = ""
        """The queue whose recording the greeting speaks of."""

    def carry_out(self, effect: fx.Effect) -> Awaitable[ev.CallEvent | None]:
        """Do it; what is awaited is what it led to, when that is known at once."""
        return self.ORDERS[type(effect)](self, effect)

    async def _answer_customer(self, _order: fx.AnswerCustomer) -> ev.CallEvent | None:
        return await self._legs.answer_customer()

    async def _answer_agent(self, order: fx.AnswerAgent) -> ev.CallEvent | None:
        return await self._legs.answer_phone(order.leg_id)

    async def _end_customer(self, order: fx.EndCustomer) -> None:
        self._legs.end_customer(order.cause)

    async def _stop_flow(self, _order: fx.StopFlow) -> None:
        self._flow.stop()

    async def _return_to_flow(self, order: fx.ReturnToFlow) -> None:
        await self._flow.tell(flow_ev.ContactReturned(order.reason))

    async def _engage(self, order: fx.EngageAgent) -> ev.CallEvent | None:
        return await self.engage(order.contact_id, order.agent_id)

    async def _pick_up(self, order: fx.PickUp) -> ev.CallEvent:
        refused = await self.engage(order.contact_id, order.agent_id)
        return ev.PickUpGranted(order.leg_id) if refused is None else ev.PickUpRefused(order.leg_id)

    async def _dial(self, order: fx.DialNumber) -> None:
        shown = self._origin.shown_outside
        self._refuse(await self._legs.dial(order.leg_id, order.number, order.policy, shown))

    async def _end_agent(self, order: fx.EndAgent) -> None:
        await self.forget(self._legs.end(order.leg_id, order.cause))

    async def _say_slot(self, leg_id: str, slot: str) -> None:
        try:
            await self._audio.say_slot(leg_id, [await self._deps.prompts.path(each) for each in slot_said(slot)])
        except MediaError as error:
            log.info("slot not said", call_id=self._call_id, error=str(error))
            await self.parked(leg_id)

    async def parked(self, leg_id: str) -> None:
        """The phone that parked heard where, or cannot: its transfer is done."""
        self._deps.signalling.report_transfer(leg_id, 200)
        await self.forget(self._legs.end(leg_id, EndCause.NORMAL))

    async def _let_hear(self, effect: fx.RingBack | fx.LetHear | fx.SaySlot) -> None:
        """Somebody hears something beside the conversation; a call goes on without, too."""
        try:
            if isinstance(effect, fx.SaySlot):
                await self._say_slot(effect.leg_id, effect.slot)
            elif isinstance(effect, fx.LetHear):
                await self._legs.open_ears(effect.leg_id)
                await self._audio.let_hear(effect.leg_id, effect.source_leg_id)
            elif not (effect.on and self._legs.ring_back(effect.leg_id)):
                await self._audio.ring(effect.leg_id, on=effect.on)
        except MediaError as error:
            log.info("who waits hears nothing", call_id=self._call_id, error=str(error))

    async def _ring_agent(self, order: fx.RingAgent) -> ev.CallEvent | None:
        if order.engage and (refused := await self.engage(order.contact_id, order.agent_id)) is not None:
            return refused
        self._refuse(await self._legs.ring_agent(order.leg_id, order.agent_id, self._shown_to(order)))
        return None

    def _shown_to(self, order: fx.RingAgent) -> Party:
        colleague = self._machine.colleague
        if colleague is None or colleague.leg_id == order.leg_id:
            return self._origin.shown_to(order.agent_id)
        if colleague.number:
            return Party(colleague.number)
        return self._origin.shown_colleague(colleague.agent_id)  # who sits in the customer's place is handed on

    def _refuse(self, refused: LegRefused | None) -> None:
        if refused is not None:
            self._tell(refused)

    async def engage(self, contact_id: str, agent_id: str) -> ev.CallEvent | None:
        """Ask routing whether the agent may be busy with what it did not choose; returns its refusal."""
        queue_id = self._deps.targets.queue_of(agent_id)
        try:
            await self._deps.routing.request(
                AgentEngaged(AgentId(agent_id), ContactId(contact_id), QueueId(queue_id)),
            )
        except AcdError as error:
            log.info("agent not engaged", call_id=self._call_id, agent_id=agent_id, code=error.code)
            return ev.EngagementRefused(contact_id)
        return None

    async def _converse(self, order: fx.Converse) -> None:
        mode = order.mode
        await self._audio.converse(mode, order.legs)
        agent = self._machine.agent
        media_leg = None if agent is None else self._audio.legs.get(agent.leg_id)
        if agent is None or media_leg is None or self._machine.colleague is not None:
            return  # nothing is kept of what colleagues say to each other
        if mode in {Conversation.TALK, Conversation.CONFERENCE}:
            await self._recorder.bridged(
                media_leg,
                fx.CUSTOMER_LEG,
                agent_id=agent.agent_id,
                queue_id=agent.queue_id,
                contact_id=agent.contact_id,
            )
        elif mode is Conversation.CONSULT:
            await self._recorder.unbridged(media_leg)

    async def _greet(self, order: fx.GreetCustomer) -> ev.CallEvent | None:
        """Say who calls; where nothing can be said the call goes on without."""
        prompts = [self._deps.greetings.prompt(order.queue_id, order.language)]
        consent = self._recorder.needs_announcement(order.queue_id, order.language)
        self._consent_of = order.queue_id if consent is not None else ""
        try:
            paths = [await self._deps.prompts.path(each) for each in (*prompts, consent) if each is not None]
            await self._deps.media.play(self._call_id, fx.CUSTOMER_LEG, GREETING_PLAY, paths)
        except MediaError as error:
            log.warning("customer not greeted", call_id=self._call_id, error=str(error))
            self._consent_of = ""
            return ev.Greeted()
        return None

    async def greeted(self, *, heard: bool) -> None:
        """The greeting is over; who was told of recording to the end may be recorded."""
        queue_id, self._consent_of = self._consent_of, ""
        if heard and queue_id:
            await self._recorder.announced(queue_id)

    async def forget(self, media_leg: str | None) -> None:
        """A leg's media is gone, and with it what was recorded of it."""
        if media_leg is not None:
            await self._recorder.unbridged(media_leg)

    # Routing, callbacks, and whoever asked for a transfer

    async def _report_transfer(self, order: fx.ReportTransfer) -> None:
        self._deps.signalling.report_transfer(order.leg_id, order.status)

    async def _request_agent(self, order: fx.RequestAgent) -> None:
        far = self._machine.colleague
        caller = self._origin.customer_number if far is None else far.number
        came_in = order.contact_id in {"", self._call_id} and self._origin.order is None
        since = self._deps.callbacks.reclaim(caller, order.queue_id) if came_in else None
        customer = self._customer()
        arrival = self._deps.call_routing.arrival(self._call_id, order, caller, since=since, customer=customer)
        self._deps.routing.post(arrival)

    async def _leave_queue(self, order: fx.LeaveQueue) -> None:
        self._deps.routing.post(ContactLeft(ContactId(order.contact_id), order.withdrawn))

    async def _report_present(self, order: fx.ReportPresent) -> None:
        self._deps.callbacks.customer_is_there(order.contact_id)

    async def _report_accepted(self, order: fx.ReportAccepted) -> None:
        self._deps.routing.post(OfferAccepted(OfferId(order.offer_id)), contact_id=order.contact_id)

    async def _report_declined(self, order: fx.ReportDeclined) -> None:
        self._deps.routing.post(OfferDeclined(OfferId(order.offer_id), order.cause))

    async def _report_finished(self, order: fx.ReportFinished) -> None:
        self._on_finished(order.contact_id, order.agent_id)

    ORDERS: ClassVar[Mapping[type[fx.Effect], Callable[["CallOrders", Any], Awaitable[ev.CallEvent | None]]]] = {
        fx.AnswerCustomer: _answer_customer,
        fx.EndCustomer: _end_customer,
        fx.Converse: _converse,
        fx.ReturnToFlow: _return_to_flow,
        fx.RingAgent: _ring_agent,
        fx.EngageAgent: _engage,
        fx.PickUp: _pick_up,
        fx.DialNumber: _dial,
        **dict.fromkeys((fx.RingBack, fx.LetHear, fx.SaySlot), _let_hear),
        fx.AnswerAgent: _answer_agent,
        fx.EndAgent: _end_agent,
        fx.ReportTransfer: _report_transfer,
        fx.RequestAgent: _request_agent,
        fx.LeaveQueue: _leave_queue,
        fx.GreetCustomer: _greet,
        fx.ReportPresent: _report_present,
        fx.ReportAccepted: _report_accepted,
        fx.ReportDeclined: _report_declined,
        fx.ReportFinished: _report_finished,
        fx.StopFlow: _stop_flow,
    }
    """How each order is carried out."""
