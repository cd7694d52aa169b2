"""What phones and desks ask of one call: to hand it on, join two, give up a party, be listened to, send digits."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from msgspec.structs import replace

from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.audio import CallAudio
from callcenter.calls.book import CallBook
from callcenter.calls.clearance import Way
from callcenter.calls.dependencies import CallDependencies
from callcenter.calls.feature_codes import Feature
from callcenter.calls.legs import EndCause, Party, TransferRequested
from callcenter.calls.legwork import CallLegs
from callcenter.calls.machine import CallMachine
from callcenter.calls.mail import DigitsOrdered, Mail, PartyAsked, PickUpAsked, TransferChecked
from callcenter.calls.orders import CallOrders
from callcenter.calls.origin import Origin, new_leg_id
from callcenter.calls.participants import Conversation
from callcenter.calls.segments import Seat
from callcenter.calls.states import CallState
from callcenter.calls.supervision import CallSupervision, SupervisionAsked, SupervisionRefused, SupervisionWish
from callcenter.calls.supervision_facts import SupervisorHungUp
from callcenter.calls.table import TABLE
from callcenter.errors import MediaError
from callcenter.ports import Refused

log = structlog.get_logger(__name__)

PARK_MS = 180_000
"""How long a call stays in its slot before it comes back."""
ALONE = frozenset({CallState.TALKING, CallState.HELD})
"""States in which an agent has the customer and nobody else takes part or is sought."""
SUPERVISED = ALONE | {
    CallState.CONSULT_QUEUED, CallState.CONSULT_OFFERED, CallState.CONSULT_CONNECTING, CallState.CONSULT_LOST,
    CallState.CONSULT_DIALLING, CallState.CONSULTING, CallState.SWAPPED, CallState.CONFERENCE,
}  # fmt: skip
"""States in which an agent has a customer, so that there is something to listen to."""

RINGS = frozenset({CallState.OFFERED, CallState.CONSULT_OFFERED})
"""States in which the phone of an agent rings whom routing chose."""

Request = PickUpAsked | DigitsOrdered | SupervisionAsked | PartyAsked | TransferRequested | TransferChecked


class CallRequests:
    """Owned by the call's runner, whose task is the only one that calls it.

    ``feed`` takes an event of the call, ``tell`` puts mail into its mailbox. ``take_party`` fetches the far end of the
    call in which a phone has this leg, for this call; ``None`` when there is none.
    """

    def __init__(
        self,
        machine: CallMachine,
        deps: CallDependencies,
        origin: Origin,
        *,
        legs: CallLegs,
        audio: CallAudio,
        orders: CallOrders,
        book: CallBook,
        supervision: CallSupervision,
        feed: Callable[[ev.CallEvent], Awaitable[None]],
        tell: Callable[[Mail], None],
        take_party: Callable[[str, str], Awaitable[Seat | None]],
        free_slot: Callable[[], str | None],
    ) -> None:
        self._call_id = machine.call_id
        self._machine = machine
        self._deps = deps
        self._origin = origin
        self._legs = legs
        self._audio = audio
        self._orders = orders
        self._book = book
        self._supervision = supervision
        self._feed = feed
        self._tell = tell
        self._asking: set[asyncio.Task[None]] = set()
        self._take_party = take_party
        self._free_slot = free_slot

    async def take(self, asked: Request) -> None:
        """Do it, or say to who asked why not."""
        match asked:
            case DigitsOrdered():
                await self._send_digits(asked)
            case SupervisionAsked():
                await self._be_supervised(asked)
            case PickUpAsked():
                await self._pick_up(asked)
            case PartyAsked():
                await self._give_party(asked)
            case TransferRequested():
                await self._transfer(asked)
            case TransferChecked():
                await self._hand_on(asked)

    def refuse(self, asked: object) -> None:
        """The call is over: whoever waits for an answer of it gets none."""
        if isinstance(asked, PickUpAsked):
            self._deps.signalling.end(asked.offered.leg_id, EndCause.REJECTED)
        elif isinstance(asked, PartyAsked) and not asked.done.done():
            asked.done.set_result(None)
        elif isinstance(asked, SupervisionAsked) and not asked.done.done():
            asked.done.set_exception(SupervisionRefused("This call is over."))

    async def _be_supervised(self, asked: SupervisionAsked) -> None:
        if asked.wish is SupervisionWish.END:
            await self._end_outside(asked)
            return
        agent = self._machine.agent if self._machine.state in SUPERVISED else None
        if asked.wish is not SupervisionWish.TAKE_OVER:
            await self._supervision.take(asked, agent, Party(agent.agent_id if agent is not None else ""))
            return
        try:
            if self._machine.state not in ALONE:
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
        self._book.answer(asked.done)

    async def _end_outside(self, asked: SupervisionAsked) -> None:
        """A customer and a number outside belong to nobody at a desk; so a supervisor may end it."""
        outside = self._machine.consulted
        if self._machine.state is not CallState.PRIVATE or outside is None:
            asked.done.set_exception(SupervisionRefused("An agent has this call: listen to it, and take it over."))
            return
        now = self._deps.clock.now()
        self._book.note(SupervisorHungUp(self._call_id, now, asked.supervisor_id, outside.contact_id))
        await self._feed(ev.HangUpOrdered())
        self._book.answer(asked.done)

    async def _pick_up(self, asked: PickUpAsked) -> None:
        """A phone calls to take over a leg of ours (RFC 3891), or the customer out of the slot."""
        order = self._taking_over(asked)
        if order is None:
            self._deps.signalling.end(asked.offered.leg_id, EndCause.REJECTED)
        elif not await self._legs.receive(asked.offered):
            self._deps.signalling.end(asked.offered.leg_id, EndCause.NOT_ACCEPTABLE)
        else:
            await self._feed(order)

    def _taking_over(self, asked: PickUpAsked) -> ev.CallEvent | None:
        """What a phone may take over: the slot, a colleague's ringing or the customer whom a colleague put on hold, and
        any leg of a phone of the own agent."""
        machine, agent_id = self._machine, asked.agent_id
        state, leg_id, standing = machine.state, asked.offered.leg_id, machine.standing_at(asked.leg_id)
        picked = ev.PickedUp(leg_id, agent_id, self._deps.targets.queue_of(agent_id))
        if not asked.leg_id:
            return picked if state is CallState.PARKED else None
        for seat in (machine.agent, machine.consulted, machine.colleague):
            if seat is not None and seat.leg_id == asked.leg_id:
                if seat.agent_id == agent_id:
                    may_move = TABLE[state, ev.LegMoved].act is not None
                    return ev.LegMoved(asked.leg_id, leg_id) if may_move else None
                if seat is machine.colleague and state is CallState.CALLING:
                    return picked if self._deps.targets.are_colleagues(agent_id, seat.agent_id) else None
                held = seat is machine.agent and state is CallState.HELD
                return picked if held and self._deps.targets.are_colleagues(agent_id, seat.agent_id) else None
        if standing is None or state not in RINGS:
            return None
        return picked if self._deps.targets.are_colleagues(agent_id, standing.offer.agent_id) else None

    async def _transfer(self, asked: TransferRequested) -> None:
        """A phone's REFER: only the phone of the agent who has the customer may hand on, or of either colleague."""
        agent = self._handing_on(asked.leg_id)
        if agent is None:
            return
        if asked.replaces_leg_id is not None:
            await self._join(agent, asked.replaces_leg_id)
            return
        if self._deps.codes.read(asked.target) == (Feature.PARK, ""):
            await self._park(agent, self._deps.clock.now())
            return
        asking = asyncio.create_task(self._check(asked, agent.agent_id), name=f"transfer {self._call_id}")
        self._asking.add(asking)  # the call goes on while the store is asked
        asking.add_done_callback(self._asking.discard)

    def _handing_on(self, leg_id: str) -> Seat | None:
        """Who hands on by this leg; ``None``, and the phone is told, when that cannot be now."""
        machine, is_free = self._machine, self._machine.state in ALONE
        for seat in (machine.agent, machine.colleague):
            if seat is not None and seat.leg_id == leg_id and is_free and machine.seat_of(seat.contact_id) is seat:
                return seat
        if machine.colleague is not None and machine.colleague.leg_id == leg_id:
            is_free = False  # the other one has the call just now
        self._deps.signalling.report_transfer(leg_id, 403 if is_free else 491)
        return None

    async def _check(self, asked: TransferRequested, agent_id: str) -> None:
        found = await self._deps.clearance.target(agent_id, "", asked.target, Way.REFER, self._call_id)
        self._tell(TransferChecked(asked.leg_id, found))

    async def _hand_on(self, checked: TransferChecked) -> None:
        leg_id, target = checked.leg_id, checked.target
        seat = self._handing_on(leg_id)
        if seat is None:
            return
        if isinstance(target, Refused):
            self._deps.signalling.report_transfer(leg_id, 403, target.text)
        else:
            await self._feed(ev.TransferOrdered(target, new_leg_id(), seat.contact_id, refer_leg_id=leg_id))

    async def _park(self, seat: Seat, now: int) -> None:
        """A phone transfers to the code for parking."""
        slot = self._free_slot()
        if slot is None:
            self._deps.signalling.report_transfer(seat.leg_id, 486)
        else:
            await self._feed(ev.ParkOrdered(slot, now + PARK_MS, seat.contact_id, refer_leg_id=seat.leg_id))

    async def _join(self, seat: Seat, other_leg_id: str) -> None:
        """Attended transfer by a phone: the far end of its other call comes to this one."""
        refer_leg_id = seat.leg_id
        party = await self._take_party(other_leg_id, self._call_id)
        if party is None:
            self._deps.signalling.report_transfer(refer_leg_id, 481)
        elif self._is_free(seat) and await self._legs.adopt(party):
            await self._feed(ev.PartyBrought(party, refer_leg_id, seat.contact_id))
        else:
            self._deps.signalling.end(party.leg_id, EndCause.ERROR)
            self._deps.signalling.report_transfer(refer_leg_id, 500)

    def _is_free(self, seat: Seat) -> bool:
        """Whether this one still may hand on whom there is."""
        machine = self._machine
        return machine.state in ALONE and machine.seat_of(seat.contact_id) is not None

    async def _give_party(self, asked: PartyAsked) -> None:
        """The other one of who sits on that leg: the customer, or a colleague."""
        machine = self._machine
        seats = (machine.agent, machine.colleague)
        mine = next((each for each in seats if each is not None and each.leg_id == asked.leg_id), None)
        if mine is None or not self._is_free(mine):
            asked.done.set_result(None)
            return
        colleague = machine.agent if mine is machine.colleague else machine.colleague
        seat = Seat(self._legs.customer_leg_id, "", number=self._origin.customer_number)
        if colleague is not None:  # a number's stretch ends here and begins anew there, an agent's contact goes along
            seat = colleague if colleague.agent_id else replace(colleague, contact_id="")
        await self._feed(ev.PartyTaken(mine.contact_id))
        if not asked.done.done():
            asked.done.set_result(seat)

    async def _send_digits(self, order: DigitsOrdered) -> None:
        """As telephone events in the audio; by signalling only where media cannot."""
        machine = self._machine
        agent, colleague = machine.agent, machine.colleague
        if agent is None or machine.seat_of(order.contact_id) is None:
            return
        consulted, search = machine.consulted, machine.search
        leg_id = self._legs.customer_leg_id if colleague is None else colleague.leg_id
        if agent.contact_id != order.contact_id:
            leg_id = agent.leg_id
        elif consulted is not None and machine.mode is Conversation.CONSULT:
            leg_id = consulted.leg_id
        elif search is not None and machine.sounds and machine.mode is Conversation.HELD:
            leg_id = search.leg_id  # an announcement before the answer may ask for keys
        is_customer = colleague is None and leg_id == self._legs.customer_leg_id
        media_leg = fx.CUSTOMER_LEG if is_customer else self._audio.legs.get(leg_id, leg_id)
        try:
            await self._deps.media.send_digits(self._call_id, media_leg, order.digits)
        except MediaError as error:
            log.info("digits go by signalling", call_id=self._call_id, error=str(error))
        else:
            return
        for digit in order.digits:
            self._deps.signalling.send_digit(leg_id, digit)
