"""The task that owns one call: it feeds the call machine and the flow, journals their facts, carries out their orders.

One runner per call, one mailbox per runner. What is ordered is carried out in ``calls.orders``, the flow runs in
``calls.flowing``, facts are written in ``calls.book``, what phones and desks ask for is done in ``calls.requests``.
A call does not wait for the disk: what leaves the house, does, until the facts it follows from are there.
A runner that fails ends its call politely; it never ends the process.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

import structlog
from msgspec.structs import replace

from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.audio import GREETING_PLAY, CallAudio, slot_leg
from callcenter.calls.book import CallBook
from callcenter.calls.card_entry import CardEntry, SecureAsked
from callcenter.calls.dependencies import CallDependencies
from callcenter.calls.facts import CallFact
from callcenter.calls.flowing import CallFlow
from callcenter.calls.identity import CallerIdentity
from callcenter.calls.legs import (
    EndCause,
    LegDigit,
    LegEnded,
    LegEvent,
    LegGapEnded,
    LegRefused,
    LegReoffered,
)
from callcenter.calls.legwork import CallLegs
from callcenter.calls.machine import CallMachine
from callcenter.calls.mail import DigitsOrdered, Identified, Mail, Matched
from callcenter.calls.orders import CallOrders
from callcenter.calls.origin import Origin
from callcenter.calls.recorder import CallRecorder, RecordingAsked
from callcenter.calls.requests import CallRequests, Request
from callcenter.calls.segments import Seat, SegmentKind
from callcenter.calls.states import CallState
from callcenter.calls.supervision import CallSupervision
from callcenter.errors import JournalError, MediaError
from callcenter.inbox import Inbox
from callcenter.media.sdp import puts_on_hold
from callcenter.ports import (
    DigitPressed,
    LegQualityTurned,
    LegQuiet,
    LegSilent,
    LegsStranded,
    PlayFinished,
    SessionLost,
)
from ivr import events as flow_ev

log = structlog.get_logger(__name__)

MAILBOX_SIZE = 1_000
OVER = frozenset({LegRefused, LegEnded})
"""What ends a leg."""


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
    note_aside: Callable[[str], None]
    """Tells of a call, by its id, that its agent may have it beside another one."""
    on_aside: Callable[[], None]
    """Tells that something changed in a call that an agent makes beside another one."""
    free_slot: Callable[[], str | None]
    """Finds a park slot that nobody waits in; ``None`` when all are taken."""
    mailbox: Inbox[Mail] = field(init=False)
    machine: CallMachine = field(init=False)
    """For others to look at; only this runner's task feeds it."""
    _audio: CallAudio = field(init=False)
    _book: CallBook = field(init=False)
    _cards: CardEntry = field(init=False)
    _legs: CallLegs = field(init=False)
    _flow: CallFlow = field(init=False)
    _identity: CallerIdentity = field(init=False)
    _orders: CallOrders = field(init=False)
    _recorder: CallRecorder = field(init=False)
    _requests: CallRequests = field(init=False)
    _supervision: CallSupervision = field(init=False)
    _holding: set[str] = field(default_factory=set)
    """The legs of agents whose phones themselves put the other one on hold."""

    def __post_init__(self) -> None:
        """Everything is there before the task runs, so that the switchboard may look at it."""
        origin, deps = self.origin, self.deps
        self.mailbox = Inbox(deps.consequences, MAILBOX_SIZE)
        self.machine = CallMachine(self.call_id)
        self._book = CallBook(self.call_id, deps)
        self._audio = CallAudio(self.call_id, deps.media, deps.music, deps.ringing, self._book.measured)
        customer, phone = (origin.offered, None) if origin.order is None else (None, origin.offered)
        self._legs = CallLegs(
            self.call_id, deps.signalling, self._audio, self.on_leg, origin.customer_leg_id, customer, phone
        )
        self._recorder = CallRecorder(self.call_id, deps)
        self._cards = CardEntry(self.call_id, deps, self._recorder, self._book)
        self._supervision = CallSupervision(self.call_id, deps, self._audio, self.on_leg)
        identity = self._identity = CallerIdentity(
            self.call_id, deps.clock, deps.directory, self.tell, deps.call_routing.agents
        )
        self._flow = CallFlow(
            self.call_id,
            deps,
            origin,
            self._recorder,
            feed=self._feed,
            write=self._book.write,
            is_over=self._is_over,
            queued_at=lambda: self.machine.queued_at,
            identity=self._identity,
            talked_with=lambda: self.machine.home,
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
            customer=lambda: identity.customer,
        )
        self._requests = CallRequests(
            self.machine,
            deps,
            origin,
            legs=self._legs,
            audio=self._audio,
            orders=self._orders,
            book=self._book,
            supervision=self._supervision,
            feed=self._feed,
            tell=self.tell,
            take_party=self.take_party,
            free_slot=self.free_slot,
        )

    def tell(self, mail: Mail) -> None:
        """Put something into the mailbox. A full one means a flood on one call: the mail is dropped, and logged."""
        if not self.mailbox.put(mail):
            log.warning("call mailbox full", call_id=self.call_id, mail=type(mail).__name__)

    def far_media(self) -> str:
        """The media leg in the customer's place."""
        leg_id = self.machine.far_leg()
        return self._audio.legs.get(leg_id, leg_id)

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
            self._cards.forget()
            self._refuse_rest()
            await self._close_media()

    async def _live(self) -> None:
        if self.origin.direction is not SegmentKind.INTERNAL:
            self._identity.ask(self.origin.customer_number)
        try:
            await self._arrive()
            while not self._is_over():
                mail = self.mailbox.take() if self.mailbox else await self._wait()
                await (self._run_timers() if mail is None else self._take(mail))
                if self._audio.gone and not self._is_over():
                    await self._audio.sweep()
        finally:
            self._identity.close()

    def _is_over(self) -> bool:
        return self.machine.state is CallState.ENDED

    async def _wait(self) -> Mail | None:
        """The next mail, or ``None`` when a timer is due."""
        deadline, later = self.machine.next_deadline(), self._flow.next_deadline()
        if deadline is None or (later is not None and later < deadline):
            deadline = later
        if deadline is None:
            return await self.mailbox.next()
        remaining = (deadline - self.deps.clock.now()) / 1000
        return await self.mailbox.next(remaining) if remaining > 0 else None

    # Arrival

    async def _arrive(self) -> None:
        now, origin = self.deps.clock.now(), self.origin
        arrived = origin.arrived(self.call_id, now)
        self._book.open(arrived)
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

    # Mail

    def _take(self, mail: Mail) -> Awaitable[None]:
        """Each kind by its row; what has none is news for the machine."""
        return self.MAIL.get(type(mail), CallRunner._feed)(self, mail)

    async def _know_customer(self, mail: Matched) -> None:
        now = self.deps.clock.now()
        self._book.write((replace(mail.fact, at=now),), now, patiently=True)
        if known := self._identity.variables():
            await self._flow.tell(flow_ev.VariablesChanged(known))

    async def _identify(self, mail: Identified) -> None:
        now = self.deps.clock.now()
        self._book.write((mail.as_fact(self.call_id, now),), now)

    async def _hear_digit(self, news: DigitPressed) -> None:
        if news.leg_id == fx.CUSTOMER_LEG:
            await self._press(news.digit, secret=news.secret)

    async def _take_digit(self, news: LegDigit) -> None:
        if news.leg_id == self._legs.customer_leg_id:
            await self._press(news.digit)
        else:
            await self._send_on(news.leg_id, news.digit)

    async def _record(self, asked: RecordingAsked) -> None:
        await self._recorder.take(asked)

    async def _lose_media(self, _news: SessionLost) -> None:
        await self._feed(ev.MediaFailed("media lost"))

    async def _drop_silent(self, news: LegSilent) -> None:
        self._legs.drop_silent(news.leg_id)

    async def _end_play(self, over: PlayFinished) -> None:
        if leg_id := slot_leg(over.play_id):
            await self._orders.parked(leg_id)
        elif over.play_id == GREETING_PLAY:
            await self._orders.greeted(heard=over.reason == "end")
            await self._feed(ev.Greeted())
        else:
            await self._flow.end_play(over)

    async def _fall_silent(self, news: LegQuiet) -> None:
        if news.leg_id == fx.CUSTOMER_LEG:
            await self._flow.fall_silent(has_spoken=news.has_spoken)

    async def _offer_anew(self, news: LegsStranded) -> None:
        await self._legs.offer_anew(news.leg_ids)

    async def _judge_line(self, news: LegQualityTurned) -> None:
        self._book.quality_turned(news)

    async def _end_gap(self, news: LegGapEnded) -> None:
        self._book.leg_returned(self._audio.legs.get(news.leg_id, news.leg_id), news.gap_ms)

    async def _secure(self, asked: SecureAsked) -> None:
        has_customer = self.machine.colleague is None
        await self._cards.switch(asked, self.machine.agent if has_customer else None, self.machine.state)

    async def _serve(self, asked: Request) -> None:
        await self._requests.take(asked)

    async def _press(self, digit: str, *, secret: bool = False) -> None:
        """A key of the customer: card data, the way out of the queue, else the flow's."""
        if self._cards.takes(digit, secret=secret):
            return
        queue = self.machine.queue
        waits = self.machine.state in {CallState.QUEUED, CallState.OFFERED} and queue is not None and queue.may_return
        if waits and queue is not None and digit == self.deps.exit_keys.get(queue.queue_id):
            await self._feed(ev.ExitChosen())
        else:
            await self._flow.tell(flow_ev.DigitPressed(digit))

    async def _send_on(self, leg_id: str, digit: str) -> None:
        """An agent's phone sends a key by signalling: whoever it talks with gets it, as one from the desk."""
        for seat in (self.machine.agent, self.machine.colleague):
            if seat is not None and seat.leg_id == leg_id:
                await self._requests.take(DigitsOrdered(seat.contact_id, digit))

    async def _run_timers(self) -> None:
        now = self.deps.clock.now()
        await self._follow(*self.machine.handle_timer(now=now), now)
        await self._flow.run_timer()

    async def _take_leg_event(self, event: LegEvent) -> None:
        if event.leg_id in self._supervision.supervisors:
            await self._supervision.news(event, self.machine.agent)
            return
        meant = await self._legs.news(event)
        if type(event) in OVER and event.leg_id != self._legs.customer_leg_id:
            await self._orders.forget(self._legs.forget(event.leg_id))
        if meant is not None:
            await self._feed(meant)

    async def _take_reoffer(self, event: LegReoffered) -> None:
        await self._legs.news(event)
        held = self._held_by_phone(event)
        if held is not None:
            await self._feed(held)

    def _held_by_phone(self, event: LegReoffered) -> ev.CallEvent | None:
        """A phone's own hold is the agent's: the customer hears music until the phone, not just anybody, resumes."""
        seats, state = (self.machine.agent, self.machine.colleague), self.machine.state
        seat = next((each for each in seats if each is not None and each.leg_id == event.leg_id), None)
        if seat is None or not event.sdp:
            return None
        try:
            held = puts_on_hold(event.sdp)
        except MediaError:
            return None
        before = event.leg_id in self._holding
        (self._holding.add if held else self._holding.discard)(event.leg_id)
        if held and not before and state is CallState.TALKING:
            return ev.HoldOrdered(seat.contact_id)
        return ev.ResumeOrdered(seat.contact_id) if before and not held and state is CallState.HELD else None

    # The call machine

    def _feed(self, event: ev.CallEvent) -> Awaitable[None]:
        now = self.deps.clock.now()
        return self._follow(*self.machine.receive(event, now=now), now)

    async def _follow(self, facts: tuple[CallFact, ...], effects: tuple[fx.Effect, ...], now: int) -> None:
        machine = self.machine
        if machine.unengaged:
            self.note_aside(self.call_id)
        for role, seat in machine.seated():
            self._book.quality.note(self._audio.legs.get(seat.leg_id), role, seat)
        if facts:
            self._book.write(facts, now)
        state = machine.state
        if self._cards.seat is not None:
            await self._cards.follow(state, machine.agent)
        for effect in effects:
            if machine.state is not state:  # an order failed and ended the call; the rest is void
                break
            failed = await self._orders.carry_out(effect)
            if failed is not None:
                await self._feed(failed)
        if machine.unengaged:
            self.on_aside()
        if machine.agent is None and self._supervision.supervisors:
            await self._supervision.close("agent_gone" if machine.state is not CallState.ENDED else "ended")

    # The end

    def part(self) -> None:
        """The task is over: the parts that hold methods of this runner leave it. So a call is freed at once, and the
        collector of cycles, for which everybody waits, has nothing to do."""
        del self._flow, self._orders, self._requests, self._identity

    async def _give_up(self) -> None:
        if self.machine.state is not CallState.ENDED:
            await self._feed(ev.MediaFailed("internal error"))

    def _refuse_rest(self) -> None:
        """Whoever waits for an answer of this call gets none."""
        while self.mailbox:
            self._requests.refuse(self.mailbox.take())

    async def _close_media(self) -> None:
        try:
            for media_leg, figures in (await self.deps.media.destroy(self.call_id)).items():
                self._book.measured(media_leg, figures)
        except MediaError as error:
            log.warning("media session not closed", call_id=self.call_id, error=str(error))

    MAIL: ClassVar[Mapping[type, Callable[["CallRunner", Any], Awaitable[None]]]] = {
        **dict.fromkeys(get_args(LegEvent), _take_leg_event),
        LegReoffered: _take_reoffer,
        LegDigit: _take_digit,
        LegGapEnded: _end_gap,
        DigitPressed: _hear_digit,
        PlayFinished: _end_play,
        SessionLost: _lose_media,
        LegSilent: _drop_silent,
        LegQuiet: _fall_silent,
        LegsStranded: _offer_anew,
        LegQualityTurned: _judge_line,
        Matched: _know_customer,
        Identified: _identify,
        RecordingAsked: _record,
        SecureAsked: _secure,
        **dict.fromkeys(get_args(Request), _serve),
    }
    """What is done with mail of each kind."""
