"""The task that owns one call: it feeds the call machine and the flow, journals their facts, carries out their orders.

One runner per call, one mailbox per runner. What is ordered is carried out in ``calls.orders``, the flow runs in
``calls.flowing``. Facts are on disk before any order that follows from them goes out.
A runner that fails ends its call politely; it never ends the process.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import structlog

from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.audio import CallAudio
from callcenter.calls.dependencies import CallDependencies
from callcenter.calls.facts import (
    CallClosed,
    CallEnded,
    CallFact,
    CustomerIdentified,
    CustomerMatched,
)
from callcenter.calls.flowing import CallFlow
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
from callcenter.calls.mail import DigitsOrdered, Identified, Mail, Matched, PartyAsked
from callcenter.calls.orders import CallOrders
from callcenter.calls.origin import Origin, new_leg_id
from callcenter.calls.participants import Conversation
from callcenter.calls.quality_facts import LegMeasured
from callcenter.calls.record import OpenRecord, open_record
from callcenter.calls.recorder import CallRecorder, RecordingAsked, SecureAsked
from callcenter.calls.recording_facts import CardEntryBegun, CardEntryEnded, CardEntryFact
from callcenter.calls.recordings import RecordingRefused
from callcenter.calls.segments import Seat, SegmentKind
from callcenter.calls.states import CallState
from callcenter.calls.supervision import CallSupervision, SupervisionAsked, SupervisionRefused, SupervisionWish
from callcenter.errors import JournalError, MediaError
from callcenter.media.sdp import puts_on_hold
from callcenter.ports import (
    DigitPressed,
    LegQuiet,
    LegSilent,
    LegStatistics,
    PlayFinished,
    Refused,
    SessionLost,
)
from ivr import events as flow_ev

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
    _flow: CallFlow = field(init=False)
    _orders: CallOrders = field(init=False)
    _recorder: CallRecorder = field(init=False)
    _supervision: CallSupervision = field(init=False)
    _holding_leg_id: str = ""
    """The agent's leg whose phone itself put the customer on hold."""
    _entering: bool = False
    """Whether the customer types card data now."""
    _entered: int = 0
    """Keys pressed meanwhile."""
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
        self._supervision = CallSupervision(self.call_id, deps, self._audio, self.on_leg)
        self._flow = CallFlow(
            self.call_id,
            deps,
            origin,
            self._recorder,
            feed=self._feed,
            commit=self._commit,
            is_over=lambda: self.machine.state is CallState.ENDED,
            queued_at=lambda: self.machine.queued_at,
        )
        self._orders = CallOrders(
            self.machine,
            deps,
            origin,
            legs=self._legs,
            audio=self._audio,
            recorder=self._recorder,
            flow=self._flow,
            tell=self.tell,
            on_finished=self.on_finished,
        )

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
        deadlines = (self._flow.next_deadline(), self.machine.next_deadline())
        deadline = min((each for each in deadlines if each is not None), default=None)
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
        await self._flow.start(origin.flow, arrived.caller, arrived.called)

    async def _match_customer(self) -> None:
        if self.origin.direction is SegmentKind.INTERNAL:
            return
        match = await self.deps.directory.match(self.origin.customer_number)
        fact = CustomerMatched(self.call_id, self.deps.clock.now(), match.state, match.customer_ids, match.name)
        self.tell(Matched(fact, match.language))

    # Mail

    async def _take(self, mail: Mail | None) -> None:
        match mail:
            case None:
                await self._run_timers()
            case Matched(fact=matched, language=language):
                now = self.deps.clock.now()
                await self._commit((replace(matched, at=now),), now)
                known = {"customer_name": matched.name, "customer_language": language}
                await self._flow.tell(flow_ev.VariablesChanged(tuple((k, v) for k, v in known.items() if v)))
            case Identified():
                now = self.deps.clock.now()
                fact = CustomerIdentified(self.call_id, now, mail.customer_id, mail.agent_id, mail.customer_name)
                await self._commit((fact,), now)
            case DigitPressed(leg_id=leg_id, digit=digit):
                if leg_id == fx.CUSTOMER_LEG:
                    await self._press(digit, secret=mail.secret)
            case LegDigit(leg_id=leg_id, digit=digit):
                if leg_id == self._legs.customer_leg_id:
                    await self._press(digit)
            case RecordingAsked():
                await self._recorder.take(mail)
            case PlayFinished():
                await self._flow.end_play(mail)
            case SessionLost():
                await self._feed(ev.MediaFailed("media lost"))
            case LegSilent(leg_id=leg_id):
                self._legs.drop_silent(leg_id)
            case _:
                await self._take_news(mail)

    async def _take_news(self, mail: Mail) -> None:
        match mail:
            case LegQuiet(leg_id=leg_id, has_spoken=has_spoken):
                if leg_id == fx.CUSTOMER_LEG:
                    await self._flow.fall_silent(has_spoken=has_spoken)
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

    async def _press(self, digit: str, *, secret: bool = False) -> None:
        """A key of the customer: the way out of the queue, else the flow's. A secret one is counted and forgotten:
        here is where a payment connector would be handed it, and nowhere else."""
        if secret or self._entering:
            self._entered += 1
            return
        queue = self.machine.queue
        waits = self.machine.state in {CallState.QUEUED, CallState.OFFERED} and queue is not None and queue.may_return
        if waits and queue is not None and digit == self.deps.exit_keys.get(queue.queue_id):
            await self._feed(ev.ExitChosen())
        else:
            await self._flow.tell(flow_ev.DigitPressed(digit))

    async def _run_timers(self) -> None:
        now = self.deps.clock.now()
        await self._follow(*self.machine.handle_timer(now=now), now)
        await self._flow.run_timer()

    async def _take_leg_event(self, event: LegEvent) -> None:
        if self._supervision.owns(event.leg_id) and not isinstance(event, LegReoffered):
            await self._supervision.news(event, self.machine.agent)
            return
        meant = await self._legs.news(event)
        if isinstance(event, LegRefused | LegEnded) and event.leg_id != self._legs.customer_leg_id:
            await self._orders.forget(await self._legs.forget(event.leg_id))
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
            await self._note_entry(agent.agent_id, on=asked.on)
        except (RecordingRefused, MediaError) as error:
            asked.done.set_exception(error)
        else:
            if not asked.done.done():
                asked.done.set_result(None)

    async def _note_entry(self, agent_id: str, *, on: bool) -> None:
        if on == self._entering:
            return
        now = self.deps.clock.now()
        fact: CardEntryFact = CardEntryBegun(self.call_id, now, agent_id)
        if not on:
            fact = CardEntryEnded(self.call_id, now, agent_id, self._entered)
        self._entering, self._entered = on, 0
        await self.deps.journal.committed(self.deps.journal.append(fact, at=now))
        self.deps.bus.publish(fact, now)

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
        refused = await self._orders.engage(seat.contact_id, seat.agent_id)
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
        number = "" if callee is not None else self.origin.customer_number
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

    # The call machine

    async def _feed(self, event: ev.CallEvent) -> None:
        now = self.deps.clock.now()
        await self._follow(*self.machine.receive(event, now=now), now)

    async def _follow(self, facts: tuple[CallFact, ...], effects: tuple[fx.Effect, ...], now: int) -> None:
        match effects:
            case (fx.RingAgent(leg_id=leg_id, engage=False),):
                # Nobody outside learns of the media, and the offer itself is on disk since routing made it.
                await asyncio.gather(self._commit(facts, now), self._legs.prepare(leg_id))
            case _:
                await self._commit(facts, now)
        state = self.machine.state
        for effect in effects:
            if self.machine.state is not state:  # an order failed and ended the call; the rest is void
                break
            failed = await self._orders.carry_out(effect)
            if failed is not None:
                await self._feed(failed)
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
