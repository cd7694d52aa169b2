"""The task that owns one call: it feeds the call machine and the flow, journals their facts, carries out their orders.

One runner per call, one mailbox per runner. Facts are on disk before any order that follows from them goes out.
A runner that fails ends its call politely; it never ends the process.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from acd.events import ContactFinished, ContactLeft, OfferAccepted, OfferDeclined
from acd.ids import ContactId, OfferId
from callcenter.bus import Bus
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.facts import (
    CallArrived,
    CallClosed,
    CallEnded,
    CallFact,
    CallStepTaken,
    CustomerIdentified,
    CustomerMatched,
)
from callcenter.calls.legs import (
    EndCause,
    LegAnswered,
    LegDigit,
    LegEnded,
    LegEvent,
    LegOffered,
    LegReanswered,
    LegRefused,
    LegReoffered,
    LegReofferRefused,
    LegRinging,
    Party,
    TransferRequested,
)
from callcenter.calls.machine import CallMachine
from callcenter.calls.queueing import CallRouting, queue_request
from callcenter.calls.record import OpenRecord, open_record
from callcenter.calls.recorder import CONSENT_PLAY, CallRecorder, RecordingAsked
from callcenter.calls.recordings import RecordingRule
from callcenter.calls.states import CallState
from callcenter.errors import JournalError, MediaError
from callcenter.ports import (
    Clock,
    CustomerDirectory,
    DigitPressed,
    Journal,
    LegProfile,
    LegSilent,
    MediaEvent,
    MediaPlane,
    PhoneTarget,
    PlayFinished,
    Prompts,
    Route,
    SessionLost,
    Signalling,
)
from callcenter.routing import RoutingInbox
from ivr import effects as flow_fx
from ivr import events as flow_ev
from ivr.flow import Flow
from ivr.interpreter import FlowRun

log = structlog.get_logger(__name__)

MAILBOX_SIZE = 1_000
CUSTOMER_LEG = "customer"
MUSIC_PLAY = "music"


@dataclass(frozen=True, slots=True)
class Identified:
    """The agent said which customer this is."""

    customer_id: str
    customer_name: str
    agent_id: str


@dataclass(frozen=True, slots=True)
class Matched:
    """The customer store answered."""

    fact: CustomerMatched
    language: str | None


Mail = ev.CallEvent | LegEvent | MediaEvent | Identified | Matched | RecordingAsked


@dataclass(frozen=True, slots=True)
class CallDependencies:
    """What every call needs; one instance serves all runners."""

    clock: Clock
    journal: Journal
    bus: Bus
    signalling: Signalling
    media: MediaPlane
    directory: CustomerDirectory
    prompts: Prompts
    routing: RoutingInbox
    flows: Mapping[str, Flow]
    music: str
    """Path of the WAV file that waiting customers hear."""
    recording_rules: Mapping[str, RecordingRule] = field(default_factory=dict)
    """How each queue records."""
    call_routing: CallRouting = field(default_factory=CallRouting)


@dataclass(slots=True)
class CallRunner:
    """One call's task. ``on_leg`` tells the switchboard which agent legs belong to this call."""

    call_id: str
    flow_name: str
    offered: LegOffered
    deps: CallDependencies
    on_leg: Callable[[str, str], None]
    mailbox: asyncio.Queue[Mail] = field(default_factory=lambda: asyncio.Queue(MAILBOX_SIZE))
    _machine: CallMachine = field(init=False)
    _flow: FlowRun | None = None
    _recorder: CallRecorder = field(init=False)
    _consented: flow_fx.EnqueueContact | None = None
    """The queue that the call goes to once the customer was told that it is recorded."""
    _record: OpenRecord = field(init=False)
    _agent_legs: dict[str, str] = field(default_factory=dict)
    """Agent legs that have media in this call: signalling leg id to media leg id."""
    _answered_legs: set[str] = field(default_factory=set)

    def tell(self, mail: Mail) -> None:
        """Put something into the mailbox. A full one means a flood on one call: the mail is dropped, and logged."""
        try:
            self.mailbox.put_nowait(mail)
        except asyncio.QueueFull:
            log.warning("call mailbox full", call_id=self.call_id, mail=type(mail).__name__)

    async def run(self) -> None:
        """Live the call from its arrival to its end."""
        self._machine = CallMachine(self.call_id)
        self._recorder = CallRecorder(self.call_id, self.deps)
        try:
            await self._live()
        except JournalError:
            raise
        except Exception:  # edge: one failing call ends that call politely and nothing else
            log.exception("call failed", call_id=self.call_id)
            await self._give_up()
        finally:
            await self._close_media()

    async def _live(self) -> None:
        match = asyncio.create_task(self._match_customer(), name=f"match {self.call_id}")
        try:
            await self._arrive()
            while self._machine.state is not CallState.ENDED:
                await self._take(await self._next_mail())
        finally:
            match.cancel()

    async def _next_mail(self) -> Mail | None:
        """The next mail, or ``None`` when the flow's timer is due."""
        deadline = self._flow.next_deadline() if self._flow is not None else None
        if deadline is None:
            return await self.mailbox.get()
        remaining = (deadline - self.deps.clock.now()) / 1000
        if remaining <= 0 and self.mailbox.empty():
            return None
        try:
            async with asyncio.timeout(max(remaining, 0)):
                return await self.mailbox.get()
        except TimeoutError:
            return None

    # Arrival

    async def _arrive(self) -> None:
        now, leg = self.deps.clock.now(), self.offered
        arrived = CallArrived(
            call_id=self.call_id,
            at=now,
            caller=leg.caller.number,
            caller_name=leg.caller.display_name,
            called=leg.called.number,
            trunk_id=leg.trunk_id or "",
            sip_call_id=leg.sip_call_id,
            flow=self.flow_name,
        )
        self._record = open_record(arrived)
        await self._commit((arrived,), now)
        try:
            await self.deps.media.create(self.call_id)
        except MediaError as error:
            await self._feed(ev.MediaFailed(str(error), EndCause.OVERLOADED))
            return
        flow = FlowRun(self.deps.flows[self.flow_name])
        self._flow = flow
        variables = (("caller", leg.caller.number), ("called", leg.called.number))
        await self._obey_flow(flow.receive(flow_ev.CallStarted(variables), now=now))

    async def _match_customer(self) -> None:
        match = await self.deps.directory.match(self.offered.caller.number)
        fact = CustomerMatched(self.call_id, self.deps.clock.now(), match.state, match.customer_ids, match.name)
        self.tell(Matched(fact, match.language))

    # Mail

    async def _take(self, mail: Mail | None) -> None:
        match mail:
            case None:
                if self._flow is not None:
                    await self._obey_flow(self._flow.handle_timer(now=self.deps.clock.now()))
            case Matched(fact=matched, language=language):
                now = self.deps.clock.now()
                await self._commit((replace(matched, at=now),), now)
                known = {"customer_name": matched.name, "customer_language": language}
                await self._tell_flow(flow_ev.VariablesChanged(tuple((k, v) for k, v in known.items() if v)))
            case Identified():
                now = self.deps.clock.now()
                fact = CustomerIdentified(self.call_id, now, mail.customer_id, mail.agent_id, mail.customer_name)
                await self._commit((fact,), now)
            case DigitPressed(digit=digit) | LegDigit(digit=digit):
                if isinstance(mail, LegDigit) or mail.leg_id == CUSTOMER_LEG:
                    await self._tell_flow(flow_ev.DigitPressed(digit))
            case RecordingAsked():
                await self._recorder.take(mail)
            case PlayFinished():
                await self._end_play(mail)
            case SessionLost():
                await self._feed(ev.MediaFailed("media lost"))
            case LegSilent(leg_id=leg_id):
                await self._drop_silent(leg_id)
            case (
                LegOffered()
                | LegRinging()
                | LegAnswered()
                | LegRefused()
                | LegReoffered()
                | LegReanswered()
                | LegReofferRefused()
                | TransferRequested()
                | LegEnded()
            ):
                await self._take_leg_event(mail)
            case _:
                await self._feed(mail)

    async def _end_play(self, over: PlayFinished) -> None:
        if over.play_id == CONSENT_PLAY:
            await self._enter_announced_queue(heard=over.reason == "end")
        elif over.play_id != MUSIC_PLAY:
            await self._tell_flow(flow_ev.PromptFinished(over.play_id))

    async def _take_leg_event(self, event: LegEvent) -> None:
        is_customer = event.leg_id == self.offered.leg_id
        match event:
            case LegReoffered():
                await self._renegotiate(event)
            case LegEnded(cause=cause) if is_customer:
                await self._feed(ev.CustomerGone(cause))
            case LegAnswered() if is_customer:
                await self.deps.media.accept_answer(self.call_id, CUSTOMER_LEG, event.sdp, self._profile(event))
            case LegRinging(leg_id=leg_id):
                await self._feed(ev.AgentRinging(leg_id))
            case LegAnswered(leg_id=leg_id):
                await self._accept_agent_answer(event)
            case LegRefused(leg_id=leg_id, status=status):
                await self._forget_agent_leg(leg_id)
                await self._feed(ev.AgentRefused(leg_id, status))
            case LegEnded(leg_id=leg_id, cause=cause):
                await self._forget_agent_leg(leg_id)
                await self._feed(ev.AgentGone(leg_id, cause))
            case _:
                log.debug("leg event ignored", call_id=self.call_id, leg_event=type(event).__name__)

    async def _accept_agent_answer(self, event: LegAnswered) -> None:
        media_leg = self._agent_legs.get(event.leg_id)
        if media_leg is not None:
            try:
                await self.deps.media.accept_answer(self.call_id, media_leg, event.sdp, self._profile(event))
            except MediaError as error:
                log.warning("agent answer refused by media", call_id=self.call_id, error=str(error))
                self.deps.signalling.end(event.leg_id, EndCause.ERROR)
                await self._feed(ev.AgentRefused(event.leg_id, 488))
                return
        if event.leg_id not in self._answered_legs:  # else it answers our offer to its late re-offer
            self._answered_legs.add(event.leg_id)
            await self._feed(ev.AgentAnswered(event.leg_id))

    async def _renegotiate(self, event: LegReoffered) -> None:
        media_leg = CUSTOMER_LEG if event.leg_id == self.offered.leg_id else self._agent_legs.get(event.leg_id)
        if media_leg is None:
            return
        try:
            if event.sdp:
                sdp = await self.deps.media.answer_offer(self.call_id, media_leg, event.sdp, self._profile(event))
            else:
                sdp = await self.deps.media.make_offer(self.call_id, media_leg)
        except MediaError as error:  # the stack refuses a re-offer that is not accepted; the call goes on as it was
            log.warning("re-offer not accepted", call_id=self.call_id, error=str(error))
            return
        self.deps.signalling.accept_reoffer(event.leg_id, sdp)

    async def _drop_silent(self, media_leg: str) -> None:
        """A leg without audio for the time-out is a leg whose BYE was lost."""
        if media_leg == CUSTOMER_LEG:
            self.deps.signalling.end(self.offered.leg_id, EndCause.TIMEOUT)
        for leg_id, name in self._agent_legs.items():
            if name == media_leg:
                self.deps.signalling.end(leg_id, EndCause.TIMEOUT)

    # The flow

    async def _tell_flow(self, event: flow_ev.Event) -> None:
        if self._flow is not None and not self._flow.finished:
            await self._obey_flow(self._flow.receive(event, now=self.deps.clock.now()))

    async def _obey_flow(self, effects: Sequence[flow_fx.Effect]) -> None:
        for effect in effects:
            match effect:
                case flow_fx.StepEntered(step=step, choice=choice):
                    now = self.deps.clock.now()
                    await self._commit((CallStepTaken(self.call_id, now, step, choice),), now)
                case flow_fx.AnswerCall():
                    await self._feed(ev.AnswerRequested())
                    await self._tell_flow(flow_ev.CallAnswered())
                case flow_fx.PlayPrompt():
                    await self._play(effect)
                case flow_fx.StopPrompt(play_id=play_id):
                    await self.deps.media.stop_play(self.call_id, play_id)
                case flow_fx.EnqueueContact():
                    await self._enqueue(effect)
                case flow_fx.HangUpCall(reason=reason):
                    await self._feed(ev.HangUpRequested(reason))

    async def _enqueue(self, order: flow_fx.EnqueueContact) -> None:
        """Hand the call to a queue; one that records tells the customer first."""
        announcement = self._recorder.needs_announcement(order.queue_id, order.language)
        if announcement is None:
            await self._feed(queue_request(order))
            return
        await self._feed(ev.AnswerRequested())
        if self._machine.state is CallState.ENDED:
            return
        self._consented = order
        path = await self.deps.prompts.path(announcement)
        await self.deps.media.play(self.call_id, CUSTOMER_LEG, CONSENT_PLAY, [path])

    async def _enter_announced_queue(self, *, heard: bool) -> None:
        """The announcement is over. One that was not heard lets the call go on, unrecorded."""
        order, self._consented = self._consented, None
        if order is None or self._machine.state is CallState.ENDED:
            return
        if heard:
            await self._recorder.announced(order.queue_id)
        await self._feed(queue_request(order))

    async def _play(self, order: flow_fx.PlayPrompt) -> None:
        paths = [await self.deps.prompts.path(prompt) for prompt in order.prompts]
        await self.deps.media.play(self.call_id, CUSTOMER_LEG, order.play_id, paths, barge_in=order.barge_in)

    # The call machine

    async def _feed(self, event: ev.CallEvent) -> None:
        now = self.deps.clock.now()
        facts, effects = self._machine.receive(event, now=now)
        await self._commit(facts, now)
        state = self._machine.state
        for effect in effects:
            if self._machine.state is not state:  # an order failed and ended the call; the rest is void
                return
            await self._obey(effect)

    async def _commit(self, facts: tuple[CallFact, ...], now: int) -> None:
        """Journal facts, wait until they are on disk, then tell them; the end of the call closes its record, too."""
        told: list[CallFact] = []
        for fact in facts:
            self._record = self._record.with_fact(fact)
            told.append(fact)
            if isinstance(fact, CallEnded):
                told.append(
                    CallClosed(self.call_id, now, self._record.closed(fact.outcome, fact.ended_by, ended_at=fact.at))
                )
        seq = 0
        for fact in told:
            seq = self.deps.journal.append(fact, at=now)
        if told:
            await self.deps.journal.committed(seq)
        for fact in told:
            self.deps.bus.publish(fact, now)

    async def _obey(self, effect: fx.Effect) -> None:
        match effect:
            case fx.AnswerCustomer():
                await self._answer_customer()
            case fx.EndCustomer(cause=cause):
                self.deps.signalling.end(self.offered.leg_id, cause)
            case fx.StopFlow():
                self._flow = None
            case fx.StartMusic():
                await self.deps.media.play(self.call_id, CUSTOMER_LEG, MUSIC_PLAY, [self.deps.music], loop=True)
            case fx.StopMusic():
                await self.deps.media.stop_play(self.call_id, MUSIC_PLAY)
            case fx.ReturnToFlow(reason=reason):
                await self._tell_flow(flow_ev.ContactReturned(reason))
            case fx.RingAgent(leg_id=leg_id, agent_id=agent_id):
                await self._ring_agent(leg_id, agent_id)
            case fx.EndAgent(leg_id=leg_id, cause=cause):
                self.deps.signalling.end(leg_id, cause)
                await self._forget_agent_leg(leg_id)
            case fx.BridgeLegs(leg_id=leg_id):
                await self._bridge(leg_id)
            case _:
                self._tell_routing(effect)

    def _tell_routing(self, effect: fx.Effect) -> None:
        contact_id, routing = ContactId(self.call_id), self.deps.routing
        match effect:
            case fx.RequestAgent():
                routing.post(self.deps.call_routing.arrival(self.call_id, effect, self.offered.caller.number))
            case fx.LeaveQueue():
                routing.post(ContactLeft(contact_id))
            case fx.ReportAccepted(offer_id=offer_id):
                routing.post(OfferAccepted(OfferId(offer_id)), contact_id=contact_id)
            case fx.ReportDeclined(offer_id=offer_id, cause=reason):
                routing.post(OfferDeclined(OfferId(offer_id), reason))
            case fx.ReportFinished():
                routing.post(ContactFinished(contact_id))

    async def _answer_customer(self) -> None:
        leg = self.offered
        try:
            if leg.sdp:
                sdp = await self.deps.media.answer_offer(self.call_id, CUSTOMER_LEG, leg.sdp, self._profile(leg))
            else:
                sdp = await self.deps.media.make_offer(self.call_id, CUSTOMER_LEG)
        except MediaError as error:
            await self._feed(ev.MediaFailed(str(error), EndCause.NOT_ACCEPTABLE))
            return
        self.deps.signalling.answer(leg.leg_id, sdp)

    async def _ring_agent(self, leg_id: str, agent_id: str) -> None:
        media_leg = f"agent-{secrets.token_hex(4)}"
        self.on_leg(leg_id, self.call_id)
        try:
            sdp = await self.deps.media.make_offer(self.call_id, media_leg)
        except MediaError as error:
            log.warning("no media for the agent leg", call_id=self.call_id, error=str(error))
            self.tell(ev.AgentRefused(leg_id, 500))
            return
        self._agent_legs[leg_id] = media_leg
        caller = Party(self.offered.caller.number, self.offered.caller.display_name)
        self.deps.signalling.invite(leg_id, PhoneTarget(agent_id), caller=caller, sdp=sdp)

    async def _bridge(self, leg_id: str) -> None:
        media_leg = self._agent_legs[leg_id]
        await self.deps.media.stop_play(self.call_id, MUSIC_PLAY)
        await self.deps.media.route(self.call_id, (Route(CUSTOMER_LEG, media_leg), Route(media_leg, CUSTOMER_LEG)))
        offer = self._machine.offer
        if offer is not None:
            await self._recorder.bridged(media_leg, CUSTOMER_LEG, agent_id=offer.agent_id, queue_id=offer.queue_id)

    async def _forget_agent_leg(self, leg_id: str) -> None:
        self._answered_legs.discard(leg_id)
        media_leg = self._agent_legs.pop(leg_id, None)
        if media_leg is not None:
            await self._recorder.unbridged(media_leg)
            await self.deps.media.remove_leg(self.call_id, media_leg)

    def _profile(self, event: LegOffered | LegAnswered | LegReoffered) -> LegProfile:
        return LegProfile(peer_address=event.peer_address)

    # The end

    async def _give_up(self) -> None:
        if self._machine.state is not CallState.ENDED:
            await self._feed(ev.MediaFailed("internal error"))

    async def _close_media(self) -> None:
        try:
            await self.deps.media.destroy(self.call_id)
        except MediaError as error:
            log.warning("media session not closed", call_id=self.call_id, error=str(error))
