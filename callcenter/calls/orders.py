"""Carries out what the call machine orders: to legs, media, recorder, flow and routing."""

from collections.abc import Callable

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

    async def carry_out(self, effect: fx.Effect) -> ev.CallEvent | None:
        """Do it; returns what it led to when that is known at once."""
        failed: ev.CallEvent | None = None
        match effect:
            case fx.AnswerCustomer() | fx.AnswerAgent() | fx.GreetCustomer():
                failed = await self._meet(effect)
            case fx.EndCustomer(cause=cause):
                self._legs.end_customer(cause)
            case fx.StopFlow():
                self._flow.stop()
            case fx.ReturnToFlow(reason=reason):
                await self._flow.tell(flow_ev.ContactReturned(reason))
            case fx.RingAgent():
                failed = await self._ring_agent(effect)
            case fx.EngageAgent() | fx.PickUp():
                failed = await self._take_up(effect)
            case fx.DialNumber(leg_id=leg_id, number=number, policy=policy):
                refused = await self._legs.dial(leg_id, number, policy, self._origin.shown_outside)
                self._refuse(refused)
            case fx.EndAgent(leg_id=leg_id, cause=cause):
                await self.forget(self._legs.end(leg_id, cause))
            case fx.RingBack() | fx.LetHear() | fx.SaySlot():
                await self._let_hear(effect)
            case fx.Converse():
                await self._converse(effect)
            case _:
                self._tell_others(effect)
        return failed

    async def _meet(self, order: fx.AnswerCustomer | fx.AnswerAgent | fx.GreetCustomer) -> ev.CallEvent | None:
        match order:
            case fx.AnswerCustomer():
                return await self._legs.answer_customer()
            case fx.AnswerAgent(leg_id=leg_id):
                return await self._legs.answer_phone(leg_id)
            case fx.GreetCustomer():
                return await self._greet(order)

    async def _take_up(self, order: fx.EngageAgent | fx.PickUp) -> ev.CallEvent | None:
        refused = await self.engage(order.contact_id, order.agent_id)
        if isinstance(order, fx.EngageAgent):
            return refused
        return ev.PickUpGranted(order.leg_id) if refused is None else ev.PickUpRefused(order.leg_id)

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

    def _tell_others(self, effect: fx.Effect) -> None:
        routing = self._deps.routing
        match effect:
            case fx.ReportTransfer(leg_id=leg_id, status=status):
                self._deps.signalling.report_transfer(leg_id, status)
            case fx.RequestAgent():
                far = self._machine.colleague
                caller = self._origin.customer_number if far is None else far.number
                came_in = effect.contact_id in {"", self._call_id} and self._origin.order is None
                since = self._deps.callbacks.reclaim(caller, effect.queue_id) if came_in else None
                customer = self._customer()
                arrival = self._deps.call_routing.arrival(self._call_id, effect, caller, since=since, customer=customer)
                routing.post(arrival)
            case fx.LeaveQueue(contact_id=contact_id, withdrawn=withdrawn):
                routing.post(ContactLeft(ContactId(contact_id), withdrawn))
            case fx.ReportPresent(contact_id=contact_id):
                self._deps.callbacks.customer_is_there(contact_id)
            case fx.ReportAccepted(offer_id=offer_id, contact_id=contact_id):
                routing.post(OfferAccepted(OfferId(offer_id)), contact_id=contact_id)
            case fx.ReportDeclined(offer_id=offer_id, cause=reason):
                routing.post(OfferDeclined(OfferId(offer_id), reason))
            case fx.ReportFinished(contact_id=contact_id, agent_id=agent_id):
                self._on_finished(contact_id, agent_id)
