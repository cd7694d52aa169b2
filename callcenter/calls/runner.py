"""The task that owns one call: it feeds the call machine and the flow, journals their facts, carries out their orders.

One runner per call, one mailbox per runner. Facts are on disk before any order that follows from them goes out.
A runner that fails ends its call politely; it never ends the process.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from acd.errors import AcdError
from acd.events import AgentEngaged, ContactLeft, OfferAccepted, OfferDeclined
from acd.ids import AgentId, ContactId, OfferId, QueueId
from callcenter.bus import Bus
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.audio import CallAudio, is_beside_the_flow
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
from callcenter.calls.legwork import CallLegs
from callcenter.calls.machine import CallMachine
from callcenter.calls.participants import Conversation, Role
from callcenter.calls.quality_facts import LegMeasured
from callcenter.calls.queueing import CallbackPromises, CallRouting, NoCallbacks, queue_request
from callcenter.calls.record import OpenRecord, open_record
from callcenter.calls.recorder import CONSENT_PLAY, CallRecorder, RecordingAsked, SecureAsked
from callcenter.calls.recordings import RecordingRefused, RecordingRule
from callcenter.calls.segments import Seat, SegmentKind, TargetKind
from callcenter.calls.states import CallState
from callcenter.calls.supervision import CallSupervision, SupervisionAsked, SupervisionRefused, SupervisionWish
from callcenter.calls.targets import Directory
from callcenter.calls.voicemail import CallVoicemail
from callcenter.errors import JournalError, MediaError
from callcenter.media.sdp import puts_on_hold
from callcenter.ports import (
    Clock,
    CustomerDirectory,
    DigitPressed,
    Journal,
    LegSilent,
    LegStatistics,
    MediaEvent,
    MediaPlane,
    PlayFinished,
    Prompts,
    Refused,
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
SUPERVISED = frozenset(
    {
        CallState.TALKING, CallState.HELD, CallState.CONSULT_QUEUED, CallState.CONSULT_OFFERED,
        CallState.CONSULT_CONNECTING, CallState.CONSULT_LOST, CallState.CONSULT_DIALLING, CallState.CONSULTING,
        CallState.SWAPPED, CallState.CONFERENCE,
    }
)  # fmt: skip
"""States in which an agent has a customer, so that there is something to listen to."""


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


@dataclass(frozen=True, slots=True)
class DigitsOrdered:
    """The agent sends digits to whom she talks with."""

    contact_id: str
    digits: str


@dataclass(frozen=True, slots=True)
class PartyAsked:
    """Another call of the same phone wants this one's far end; ``leg_id`` is the phone's leg here."""

    leg_id: str
    done: "asyncio.Future[Seat | None]" = field(compare=False)


Mail = (
    ev.CallEvent
    | LegEvent
    | MediaEvent
    | Identified
    | Matched
    | RecordingAsked
    | SecureAsked
    | DigitsOrdered
    | PartyAsked
    | SupervisionAsked
)


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
    exit_keys: Mapping[str, str] = field(default_factory=dict)
    """The key by which who waits in a queue leaves it for the flow's other way."""
    call_routing: CallRouting = field(default_factory=CallRouting)
    callbacks: CallbackPromises = field(default_factory=NoCallbacks)
    targets: Directory = field(default_factory=Directory)
    """Whom people can reach, inside and outside."""


@dataclass(frozen=True, slots=True)
class Origin:
    """How a call began: a customer's leg that came in, or an agent's order to call somebody."""

    offered: LegOffered | None
    """The leg that came in: the customer's, or that of the agent's phone; ``None`` for a call the desk ordered."""
    flow: str = ""
    order: ev.DialOrdered | ev.PhoneDialled | None = None
    """What an agent wants, ``None`` for a customer's call."""

    @property
    def customer_leg_id(self) -> str:
        """The leg that is the customer's, or will be."""
        if self.order is not None:
            return self.order.called_leg_id
        return "" if self.offered is None else self.offered.leg_id

    @property
    def direction(self) -> SegmentKind:
        """What kind of call it is."""
        if self.order is None:
            return SegmentKind.INBOUND
        inside = self.order.target.kind is TargetKind.AGENT
        return SegmentKind.INTERNAL if inside else SegmentKind.OUTBOUND

    def arrived(self, call_id: str, now: int) -> CallArrived:
        """The call's first fact."""
        leg, order = self.offered, self.order
        caller = Party(order.agent_id) if order is not None else Party("")
        return CallArrived(
            call_id=call_id,
            at=now,
            caller=caller.number if leg is None or order is not None else leg.caller.number,
            caller_name="" if leg is None else leg.caller.display_name,
            called=order.target.id if order is not None else "" if leg is None else leg.called.number,
            trunk_id="" if leg is None else leg.trunk_id or "",
            sip_call_id="" if leg is None else leg.sip_call_id,
            flow=self.flow,
            direction=self.direction,
            agent_id="" if order is None else order.agent_id,
        )


@dataclass(slots=True)
class CallRunner:
    """One call's task. ``on_leg`` tells the switchboard which agent legs belong to this call."""

    call_id: str
    origin: Origin
    deps: CallDependencies
    on_leg: Callable[[str, str], None]
    take_party: Callable[[str, str], Awaitable[Seat | None]]
    """Fetches the far end of the call in which a phone has this leg, for this call; ``None`` when there is none."""
    on_finished: Callable[[str, str], None]
    """Tells that a contact's agent is through with it; see ``Switchboard.finish``."""
    on_aside: Callable[[], None]
    """Tells that something changed in a call that an agent makes beside another one."""
    mailbox: asyncio.Queue[Mail] = field(default_factory=lambda: asyncio.Queue(MAILBOX_SIZE))
    machine: CallMachine = field(init=False)
    """For others to look at; only this runner's task feeds it."""
    _audio: CallAudio = field(init=False)
    _legs: CallLegs = field(init=False)
    _flow: FlowRun | None = None
    _recorder: CallRecorder = field(init=False)
    _supervision: CallSupervision = field(init=False)
    _voicemail: CallVoicemail = field(init=False)
    _consented: flow_fx.EnqueueContact | None = None
    """The queue that the call goes to once the customer was told that it is recorded."""
    _holding_leg_id: str = ""
    """The agent's leg whose phone itself put the customer on hold."""
    _record: OpenRecord = field(init=False)

    def __post_init__(self) -> None:
        """Everything is there before the task runs, so that the switchboard may look at it."""
        origin, deps = self.origin, self.deps
        self.machine = CallMachine(self.call_id)
        self._audio = CallAudio(self.call_id, deps.media, deps.music, self._measured)
        customer, phone = (origin.offered, None) if origin.order is None else (None, origin.offered)
        self._legs = CallLegs(
            self.call_id, deps.signalling, self._audio, self.on_leg, origin.customer_leg_id, customer, phone
        )
        self._recorder = CallRecorder(self.call_id, deps)
        self._voicemail = CallVoicemail(self.call_id, deps)
        self._supervision = CallSupervision(self.call_id, deps, self._audio, self.on_leg)

    def tell(self, mail: Mail) -> None:
        """Put something into the mailbox. A full one means a flood on one call: the mail is dropped, and logged."""
        try:
            self.mailbox.put_nowait(mail)
        except asyncio.QueueFull:
            log.warning("call mailbox full", call_id=self.call_id, mail=type(mail).__name__)

    async def run(self) -> None:
        """Live the call from its arrival to its end."""
        try:
            await self._live()
        except JournalError:
            raise
        except Exception:  # edge: one failing call ends that call politely and nothing else
            log.exception("call failed", call_id=self.call_id)
            await self._give_up()
        finally:
            await self._supervision.close("ended")
            self._refuse_rest()
            await self._close_media()

    async def _live(self) -> None:
        match = asyncio.create_task(self._match_customer(), name=f"match {self.call_id}")
        try:
            await self._arrive()
            while self.machine.state is not CallState.ENDED:
                await self._take(await self._next_mail())
        finally:
            match.cancel()

    async def _next_mail(self) -> Mail | None:
        """The next mail, or ``None`` when a timer is due."""
        flow = self._flow.next_deadline() if self._flow is not None else None
        deadline = min((each for each in (flow, self.machine.next_deadline()) if each is not None), default=None)
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
        now, origin = self.deps.clock.now(), self.origin
        arrived = origin.arrived(self.call_id, now)
        self._record = open_record(arrived)
        await self._commit((arrived,), now)
        try:
            await self.deps.media.create(self.call_id)
        except MediaError as error:
            if origin.order is not None:
                await self._feed(origin.order)
            await self._feed(ev.MediaFailed(str(error), EndCause.OVERLOADED))
            return
        if origin.order is not None:
            await self._feed(origin.order)
            return
        flow = FlowRun(self.deps.flows[origin.flow])
        self._flow = flow
        variables = (("caller", arrived.caller), ("called", arrived.called))
        await self._obey_flow(flow.receive(flow_ev.CallStarted(variables), now=now))

    async def _match_customer(self) -> None:
        if self.origin.direction is SegmentKind.INTERNAL:
            return
        match = await self.deps.directory.match(self._customer_number())
        fact = CustomerMatched(self.call_id, self.deps.clock.now(), match.state, match.customer_ids, match.name)
        self.tell(Matched(fact, match.language))

    def _customer_number(self) -> str:
        origin = self.origin
        if origin.order is not None:
            return origin.order.target.id
        return "" if origin.offered is None else origin.offered.caller.number

    # Mail

    async def _take(self, mail: Mail | None) -> None:
        match mail:
            case None:
                await self._run_timers()
            case Matched(fact=matched, language=language):
                now = self.deps.clock.now()
                await self._commit((replace(matched, at=now),), now)
                known = {"customer_name": matched.name, "customer_language": language}
                await self._tell_flow(flow_ev.VariablesChanged(tuple((k, v) for k, v in known.items() if v)))
            case Identified():
                now = self.deps.clock.now()
                fact = CustomerIdentified(self.call_id, now, mail.customer_id, mail.agent_id, mail.customer_name)
                await self._commit((fact,), now)
            case DigitPressed(leg_id=leg_id, digit=digit):
                if leg_id == fx.CUSTOMER_LEG:
                    await self._press(digit)
            case LegDigit(leg_id=leg_id, digit=digit):
                if leg_id == self._legs.customer_leg_id:
                    await self._press(digit)
            case RecordingAsked():
                await self._recorder.take(mail)
            case PlayFinished():
                await self._end_play(mail)
            case SessionLost():
                await self._feed(ev.MediaFailed("media lost"))
            case LegSilent(leg_id=leg_id):
                self._legs.drop_silent(leg_id)
            case _:
                await self._take_news(mail)

    async def _take_news(self, mail: Mail) -> None:
        match mail:
            case DigitsOrdered():
                await self._send_digits(mail)
            case SupervisionAsked():
                await self._be_supervised(mail)
            case SecureAsked():
                await self._secure(mail)
            case PartyAsked():
                await self._give_party(mail)
            case TransferRequested():
                await self._transfer(mail)
            case (
                LegOffered()
                | LegRinging()
                | LegAnswered()
                | LegRefused()
                | LegReoffered()
                | LegReanswered()
                | LegReofferRefused()
                | LegEnded()
            ):
                await self._take_leg_event(mail)
            case _:
                await self._feed(mail)  # type: ignore[arg-type]  # all other mail was taken before

    async def _press(self, digit: str) -> None:
        """A key of the customer: the way out of the queue, else the flow's."""
        queue = self.machine.queue
        waits = self.machine.state in {CallState.QUEUED, CallState.OFFERED} and queue is not None and queue.may_return
        if waits and queue is not None and digit == self.deps.exit_keys.get(queue.queue_id):
            await self._feed(ev.ExitChosen())
        else:
            await self._tell_flow(flow_ev.DigitPressed(digit))

    async def _run_timers(self) -> None:
        now = self.deps.clock.now()
        await self._follow(*self.machine.handle_timer(now=now), now)
        if self._flow is not None:
            await self._obey_flow(self._flow.handle_timer(now=self.deps.clock.now()))

    async def _end_play(self, over: PlayFinished) -> None:
        if over.play_id == CONSENT_PLAY:
            await self._enter_announced_queue(heard=over.reason == "end")
        elif not is_beside_the_flow(over.play_id):
            await self._tell_flow(flow_ev.PromptFinished(over.play_id))

    async def _take_leg_event(self, event: LegEvent) -> None:
        if self._supervision.owns(event.leg_id) and not isinstance(event, LegReoffered):
            await self._supervision.news(event, self.machine.agent)
            return
        meant = await self._legs.news(event)
        if isinstance(event, LegRefused | LegEnded) and event.leg_id != self._legs.customer_leg_id:
            await self._forget(await self._legs.forget(event.leg_id))
        if isinstance(event, LegReoffered):
            meant = self._held_by_phone(event)
        if meant is not None:
            await self._feed(meant)

    def _held_by_phone(self, event: LegReoffered) -> ev.CallEvent | None:
        """A phone's own hold is the agent's: the customer hears music until the phone, not just anybody, resumes."""
        agent, state = self.machine.agent, self.machine.state
        if agent is None or event.leg_id != agent.leg_id or not event.sdp:
            return None
        try:
            held = puts_on_hold(event.sdp)
        except MediaError:
            return None
        before = self._holding_leg_id == event.leg_id
        self._holding_leg_id = event.leg_id if held else ""
        if held and not before and state is CallState.TALKING:
            return ev.HoldOrdered()
        return ev.ResumeOrdered() if before and not held and state is CallState.HELD else None

    # What phones and desks want besides

    async def _secure(self, asked: SecureAsked) -> None:
        """Nothing is recorded before the keys are masked, and they are unmasked before anything is recorded again."""
        agent, media = self.machine.agent, self.deps.media
        try:
            if agent is None or agent.agent_id != asked.agent_id:
                raise RecordingRefused("You do not talk with this customer.")
            if asked.on:
                await self._recorder.secure(True)
            await media.secure(self.call_id, fx.CUSTOMER_LEG, on=asked.on)
            if not asked.on:
                await self._recorder.secure(False)
        except (RecordingRefused, MediaError) as error:
            asked.done.set_exception(error)
        else:
            if not asked.done.done():
                asked.done.set_result(None)

    async def _be_supervised(self, asked: SupervisionAsked) -> None:
        agent = self.machine.agent if self.machine.state in SUPERVISED else None
        if asked.wish is not SupervisionWish.TAKE_OVER:
            await self._supervision.take(asked, agent, Party(agent.agent_id if agent is not None else ""))
            return
        try:
            if self.machine.state not in {CallState.TALKING, CallState.HELD}:
                raise SupervisionRefused("Wait until the agent talks with the customer alone.")
            seat = await self._supervision.hand_over(asked.supervisor_id, agent)
        except (SupervisionRefused, MediaError) as error:
            asked.done.set_exception(error)
            return
        self._legs.note_answered(seat.leg_id)
        refused = await self._engage(seat.contact_id, seat.agent_id)
        if refused is not None:  # a supervisor without a seat is nobody to routing
            await self._feed(refused)
        await self._feed(ev.PartyBrought(seat, ""))
        if not asked.done.done():
            asked.done.set_result(None)

    async def _transfer(self, asked: TransferRequested) -> None:
        """A phone's REFER: only the phone of the agent who has the customer may hand on."""
        agent, now = self.machine.agent, self.deps.clock.now()
        free = self.machine.state in {CallState.TALKING, CallState.HELD}
        if agent is None or asked.leg_id != agent.leg_id or not free:
            self.deps.signalling.report_transfer(asked.leg_id, 403 if free else 491)
            return
        if asked.replaces_leg_id is not None:
            await self._join(asked.leg_id, asked.replaces_leg_id)
            return
        target = self.deps.targets.resolve(agent.agent_id, "", asked.target, now)
        if isinstance(target, Refused):
            log.info("transfer refused", call_id=self.call_id, code=target.code)
            self.deps.signalling.report_transfer(asked.leg_id, 403)
            return
        await self._feed(ev.TransferOrdered(target, new_leg_id(), refer_leg_id=asked.leg_id))

    async def _join(self, refer_leg_id: str, other_leg_id: str) -> None:
        """Attended transfer by a phone: the far end of its other call comes to this one."""
        party = await self.take_party(other_leg_id, self.call_id)
        if party is None:
            self.deps.signalling.report_transfer(refer_leg_id, 481)
        elif self.machine.state in {CallState.TALKING, CallState.HELD} and await self._legs.adopt(party):
            await self._feed(ev.PartyBrought(party, refer_leg_id))
        else:
            self.deps.signalling.end(party.leg_id, EndCause.ERROR)
            self.deps.signalling.report_transfer(refer_leg_id, 500)

    async def _give_party(self, asked: PartyAsked) -> None:
        machine, callee = self.machine, self.machine.callee
        ours = machine.agent is not None and machine.agent.leg_id == asked.leg_id
        if not ours or machine.state not in {CallState.TALKING, CallState.HELD}:
            asked.done.set_result(None)
            return
        number = "" if callee is not None else self._customer_number()
        seat = Seat(self._legs.customer_leg_id, "", number=number) if callee is None else callee
        await self._feed(ev.PartyTaken())
        if not asked.done.done():
            asked.done.set_result(seat)

    async def _send_digits(self, order: DigitsOrdered) -> None:
        """As telephone events in the audio; by signalling only where media cannot."""
        machine = self.machine
        if machine.agent is None or machine.agent.contact_id != order.contact_id:
            return
        apart = machine.consulted is not None and machine.mode is Conversation.CONSULT
        leg_id = machine.consulted.leg_id if apart and machine.consulted is not None else self._legs.customer_leg_id
        is_customer = leg_id == self._legs.customer_leg_id
        media_leg = fx.CUSTOMER_LEG if is_customer else self._audio.legs.get(leg_id, leg_id)
        try:
            await self.deps.media.send_digits(self.call_id, media_leg, order.digits)
        except MediaError as error:
            log.info("digits go by signalling", call_id=self.call_id, error=str(error))
        else:
            return
        for digit in order.digits:
            self.deps.signalling.send_digit(leg_id, digit)

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
                case flow_fx.RecordMessage():
                    await self._take_message(effect)
                case flow_fx.EndMessage():
                    await self._voicemail.end()
                case flow_fx.RequestCallback():
                    since = self.machine.queued_at or self.deps.clock.now()
                    taken = await self.deps.callbacks.request(self.call_id, self._customer_number(), effect, since)
                    await self._tell_flow(flow_ev.CallbackSettled(taken))
                case flow_fx.HangUpCall(reason=reason):
                    await self._feed(ev.HangUpRequested(reason))

    async def _take_message(self, order: flow_fx.RecordMessage) -> None:
        name = self._shown_outside().display_name
        await self._voicemail.begin(
            order.box, caller=self._customer_number(), caller_name=name, language=order.language
        )

    async def _enqueue(self, order: flow_fx.EnqueueContact) -> None:
        """Hand the call to a queue; one that records tells the customer first."""
        announcement = self._recorder.needs_announcement(order.queue_id, order.language)
        if announcement is None:
            await self._feed(queue_request(order))
            return
        await self._feed(ev.AnswerRequested())
        if self.machine.state is CallState.ENDED:
            return
        self._consented = order
        path = await self.deps.prompts.path(announcement)
        await self.deps.media.play(self.call_id, fx.CUSTOMER_LEG, CONSENT_PLAY, [path])

    async def _enter_announced_queue(self, *, heard: bool) -> None:
        """The announcement is over. One that was not heard lets the call go on, unrecorded."""
        order, self._consented = self._consented, None
        if order is None or self.machine.state is CallState.ENDED:
            return
        if heard:
            await self._recorder.announced(order.queue_id)
        await self._feed(queue_request(order))

    async def _play(self, order: flow_fx.PlayPrompt) -> None:
        paths = [await self.deps.prompts.path(prompt) for prompt in order.prompts]
        await self.deps.media.play(self.call_id, fx.CUSTOMER_LEG, order.play_id, paths, barge_in=order.barge_in)

    # The call machine

    async def _feed(self, event: ev.CallEvent) -> None:
        now = self.deps.clock.now()
        await self._follow(*self.machine.receive(event, now=now), now)

    async def _follow(self, facts: tuple[CallFact, ...], effects: tuple[fx.Effect, ...], now: int) -> None:
        await self._commit(facts, now)
        state = self.machine.state
        for effect in effects:
            if self.machine.state is not state:  # an order failed and ended the call; the rest is void
                break
            await self._obey(effect)
        if self.machine.unengaged:
            self.on_aside()
        if self.machine.agent is None:
            await self._supervision.close("agent_gone" if self.machine.state is not CallState.ENDED else "ended")

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
        failed: ev.CallEvent | None = None
        match effect:
            case fx.AnswerCustomer():
                failed = await self._legs.answer_customer()
            case fx.AnswerAgent(leg_id=leg_id):
                failed = await self._legs.answer_phone(leg_id)
            case fx.EndCustomer(cause=cause):
                self._legs.end_customer(cause)
            case fx.StopFlow():
                self._flow = None
            case fx.ReturnToFlow(reason=reason):
                await self._tell_flow(flow_ev.ContactReturned(reason))
            case fx.RingAgent():
                failed = await self._ring_agent(effect)
            case fx.EngageAgent(contact_id=contact_id, agent_id=agent_id):
                failed = await self._engage(contact_id, agent_id)
            case fx.DialNumber(leg_id=leg_id, number=number, policy=policy):
                refused = await self._legs.dial(leg_id, number, policy, self._shown_outside())
                self._tell_if(refused)
            case fx.EndAgent(leg_id=leg_id, cause=cause):
                await self._forget(await self._legs.end(leg_id, cause))
            case fx.Converse(mode=mode, legs=legs):
                await self._converse(mode, legs)
            case _:
                self._tell_others(effect)
        if failed is not None:
            await self._feed(failed)

    async def _ring_agent(self, order: fx.RingAgent) -> ev.CallEvent | None:
        if order.engage and (refused := await self._engage(order.contact_id, order.agent_id)) is not None:
            return refused
        self._tell_if(await self._legs.ring_agent(order.leg_id, order.agent_id, self._shown_inside(order)))
        return None

    def _tell_if(self, refused: LegRefused | None) -> None:
        if refused is not None:
            self.tell(refused)

    async def _engage(self, contact_id: str, agent_id: str) -> ev.CallEvent | None:
        """Ask routing whether the agent may be busy with what it did not choose; returns its refusal."""
        queue_id = self.deps.targets.queue_of(agent_id)
        try:
            await self.deps.routing.request(
                AgentEngaged(AgentId(agent_id), ContactId(contact_id), QueueId(queue_id)),
            )
        except AcdError as error:
            log.info("agent not engaged", call_id=self.call_id, agent_id=agent_id, code=error.code)
            return ev.EngagementRefused(contact_id)
        return None

    def _shown_inside(self, order: fx.RingAgent) -> Party:
        """Whom an agent's phone shows: the customer, or who calls; the own phone of who calls shows who is called."""
        origin = self.origin
        if origin.order is None:
            return Party("") if origin.offered is None else origin.offered.caller
        own = order.agent_id == origin.order.agent_id
        if own or origin.direction is SegmentKind.OUTBOUND:
            return Party(origin.order.target.id)
        return Party(origin.order.agent_id, "" if origin.offered is None else origin.offered.caller.display_name)

    def _shown_outside(self) -> Party:
        """Whom a number outside sees: the customer who is handed on; for an agent's call the trunk's rules decide."""
        origin = self.origin
        return Party("") if origin.offered is None or origin.order is not None else origin.offered.caller

    async def _converse(self, mode: Conversation, legs: tuple[tuple[str, Role], ...]) -> None:
        await self._audio.converse(mode, legs)
        agent = self.machine.agent
        media_leg = None if agent is None else self._audio.legs.get(agent.leg_id)
        if agent is None or media_leg is None:
            return
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

    async def _forget(self, media_leg: str | None) -> None:
        if media_leg is not None:
            await self._recorder.unbridged(media_leg)

    def _tell_others(self, effect: fx.Effect) -> None:
        routing = self.deps.routing
        match effect:
            case fx.RingBack(leg_id=leg_id):
                self._legs.ring_back(leg_id)
            case fx.ReportTransfer(leg_id=leg_id, status=status):
                self.deps.signalling.report_transfer(leg_id, status)
            case fx.RequestAgent():
                caller = self._customer_number()
                came_in = effect.contact_id in {"", self.call_id} and self.origin.order is None
                since = self.deps.callbacks.reclaim(caller, effect.queue_id) if came_in else None
                routing.post(self.deps.call_routing.arrival(self.call_id, effect, caller, since=since))
            case fx.LeaveQueue(contact_id=contact_id):
                routing.post(ContactLeft(ContactId(contact_id)))
            case fx.ReportAccepted(offer_id=offer_id, contact_id=contact_id):
                routing.post(OfferAccepted(OfferId(offer_id)), contact_id=contact_id)
            case fx.ReportDeclined(offer_id=offer_id, cause=reason):
                routing.post(OfferDeclined(OfferId(offer_id), reason))
            case fx.ReportFinished(contact_id=contact_id, agent_id=agent_id):
                self.on_finished(contact_id, agent_id)

    # The end

    async def _give_up(self) -> None:
        if self.machine.state is not CallState.ENDED:
            await self._feed(ev.MediaFailed("internal error"))

    def _refuse_rest(self) -> None:
        """Whoever waits for an answer of this call gets none."""
        while not self.mailbox.empty():
            mail = self.mailbox.get_nowait()
            if isinstance(mail, PartyAsked) and not mail.done.done():
                mail.done.set_result(None)
            elif isinstance(mail, SupervisionAsked) and not mail.done.done():
                mail.done.set_exception(SupervisionRefused("This call is over."))

    def _measured(self, media_leg: str, figures: LegStatistics) -> None:
        now = self.deps.clock.now()
        fact = LegMeasured(
            self.call_id,
            now,
            media_leg,
            packets_in=figures.packets_in,
            packets_lost=figures.packets_lost,
            heard=figures.heard,
            jitter_ms=figures.jitter_ms,
            round_trip_ms=figures.round_trip_ms,
            far_loss_percent=figures.far_loss_percent,
            mos=figures.mos,
        )
        with contextlib.suppress(JournalError):  # whoever decides something meets it too, and ends the process
            self.deps.journal.append(fact, at=now)

    async def _close_media(self) -> None:
        try:
            for media_leg, figures in (await self.deps.media.destroy(self.call_id)).items():
                self._measured(media_leg, figures)
        except MediaError as error:
            log.warning("media session not closed", call_id=self.call_id, error=str(error))


def new_leg_id() -> str:
    """An id for a leg that we start."""
    return f"a-{secrets.token_hex(8)}"
