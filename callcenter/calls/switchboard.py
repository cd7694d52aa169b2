"""The switchboard: makes a runner for each new call, and brings every event to the runner it belongs to."""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from acd.events import ContactFinished, ContactLeft
from acd.ids import ContactId
from acd.outcomes import (
    ContactAssigned,
    ContactDequeued,
    ContactOverflowed,
    DequeueReason,
    OfferContact,
    OfferLapsed,
    OfferRings,
    WithdrawOffer,
)
from callcenter.calls import events as ev
from callcenter.calls.clearance import Way
from callcenter.calls.dependencies import CallDependencies
from callcenter.calls.effects import CUSTOMER_LEG
from callcenter.calls.feature_codes import Feature
from callcenter.calls.legs import EndCause, LegAnswered, LegEnded, LegEvent, LegOffered
from callcenter.calls.mail import Mail, PartyAsked, PickUpAsked
from callcenter.calls.mailbox import MailboxCalls
from callcenter.calls.origin import Origin, new_leg_id, person
from callcenter.calls.requests import ALONE, PARK_MS
from callcenter.calls.runner import CallRunner
from callcenter.calls.segments import Seat, Target, TargetKind, call_of
from callcenter.calls.spoken_call import slot_said
from callcenter.calls.states import CallState
from callcenter.chance import random_hex
from callcenter.consequences import Starters
from callcenter.errors import JournalError
from callcenter.ports import MediaEvent, Refused

log = structlog.get_logger(__name__)

PARK_SLOTS = range(701, 800)
PARTY_SECONDS = 2.0
"""How long a call waits for the far end of another one."""


class Switchboard:
    """Owns the runners of all calls in progress."""

    def __init__(
        self, deps: CallDependencies, *, flow_of: Callable[[str], str | None], on_fatal: Callable[[BaseException], None]
    ) -> None:
        """``flow_of`` names the flow of a called number (``None``: nobody lives there); ``on_fatal`` hears of a runner
        that could not journal, after which the process must end."""
        self._deps = deps
        self._flow_of = flow_of
        self._on_fatal = on_fatal
        self.mailboxes: MailboxCalls | None = None
        """Who takes the calls of phones to their voicemail boxes; nobody without."""
        self._asking: dict[str, asyncio.Task[None]] = {}
        """By leg: calls of phones of which is being asked whether they may be made."""
        self._starters = Starters(deps.consequences)
        self._runners: dict[str, CallRunner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._call_of_leg: dict[str, str] = {}
        self._legs_of_call: dict[str, list[str]] = {}
        self._finished_with: dict[str, list[str]] = {}
        """By agent: contacts that are over, which routing hears of when the agent's phone has no second call."""
        self._asides: set[str] = set()
        """The few calls that agents may have beside another one; see ``_is_aside``."""
        self._adopted: dict[str, str] = {}
        """Contacts that went over to another call than the one their id names."""

    @property
    def calls(self) -> Mapping[str, CallRunner]:
        """The calls in progress."""
        return self._runners

    @property
    def in_progress(self) -> int:
        """How many calls are in progress, those of phones to their boxes included."""
        return len(self._runners) + (0 if self.mailboxes is None else self.mailboxes.in_progress)

    def on_leg_event(self, event: LegEvent) -> None:
        """Take an event of the signalling stack."""
        if isinstance(event, LegOffered):
            self._open_call(event)
            return
        call_id = self._call_of_leg.get(event.leg_id)
        if call_id is not None:
            self._runners[call_id].tell(event)
        elif event.leg_id in self._asking:
            if isinstance(event, LegEnded):
                self._asking[event.leg_id].cancel()  # the phone gave up
        elif self.mailboxes is not None and self.mailboxes.tell(event.leg_id, event):
            return
        elif isinstance(event, LegAnswered):  # answered in the same moment as its call ended
            self._deps.signalling.end(event.leg_id, EndCause.ANSWERED_ELSEWHERE)

    def on_media_event(self, event: MediaEvent) -> None:
        """Take an event of the media plane; a session is named by its call."""
        runner = self._runners.get(event.session_id)
        if runner is not None:
            runner.tell(event)
        elif self.mailboxes is not None:
            self.mailboxes.tell(event.session_id, event)

    def call_of(self, contact_id: str) -> CallRunner | None:
        """The call that a contact is part of now."""
        return self._runners.get(self._adopted.get(contact_id, call_of(contact_id)))

    def is_callers(self, leg_id: str) -> bool:
        """Whether this is the leg of a caller from outside."""
        runner = self._runners.get(self._call_of_leg.get(leg_id, ""))
        offered = None if runner is None else runner.origin.offered
        return offered is not None and offered.leg_id == leg_id and offered.trunk_id is not None

    def waiting_leg(self, call_id: str) -> str:
        """The media leg of who waits in this call: the customer, or a colleague who was handed on."""
        runner = self._runners.get(call_id)
        return CUSTOMER_LEG if runner is None else runner.far_media()

    def tell(self, contact_id: str, mail: Mail) -> bool:
        """Bring mail to the call of a contact. ``False`` when it is over."""
        runner = self.call_of(contact_id)
        if runner is None:
            return False
        runner.tell(mail)
        return True

    def on_routing_outcome(self, outcome: object, contact_id: str | None) -> None:
        """Bring a routing order or answer to its call; ``contact_id`` is who reported an offer that had lapsed."""
        match outcome:
            case OfferContact():
                self._ring(outcome)
            case OfferRings():
                self._ring(outcome)
            case WithdrawOffer():
                self.tell(outcome.contact_id, ev.OfferTakenBack(outcome.offer_id, outcome.result))
            case ContactAssigned():
                self.tell(outcome.contact_id, ev.OfferConfirmed(outcome.offer_id))
            case OfferLapsed() if contact_id is not None:
                self.tell(contact_id, ev.OfferTooLate(outcome.offer_id))
            case ContactDequeued(reason=DequeueReason.QUEUE_REMOVED):
                self.tell(outcome.contact_id, ev.QueueVanished(outcome.contact_id))
            case ContactOverflowed():
                self.tell(outcome.contact_id, ev.QueueOverflowed(outcome.target, outcome.reason, outcome.contact_id))
            case _:
                pass

    def _ring(self, outcome: OfferContact | OfferRings) -> None:
        offered = ev.AgentOffered(
            outcome.offer_id,
            outcome.agent_id,
            outcome.queue_id,
            outcome.expires_at,
            leg_id=new_leg_id(),
            contact_id=outcome.contact_id,
        )
        if not self.tell(outcome.contact_id, offered):
            self._deps.routing.post(ContactLeft(ContactId(outcome.contact_id)))

    async def close(self) -> None:
        """End every call politely and wait for the runners."""
        for asking in list(self._asking.values()):
            asking.cancel()
        for runner in list(self._runners.values()):
            runner.tell(ev.ShutdownOrdered())
        if self.mailboxes is not None:
            await self.mailboxes.close()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=5)
        self._starters.close()

    # New calls

    def _open_call(self, offered: LegOffered) -> None:
        if offered.agent_id is not None:
            self._open_phones_call(offered, offered.agent_id)
            return
        flow = self._flow_of(offered.called.number)
        if flow is None:
            self._deps.signalling.end(offered.leg_id, EndCause.NO_SUCH_NUMBER)
            return
        self._add_leg(offered.leg_id, self._open(Origin(offered, flow)))

    def _open_phones_call(self, offered: LegOffered, agent_id: str) -> None:
        """An agent's phone calls a colleague or a number."""
        if offered.replaces_leg_id:
            taken = offered.replaces_leg_id
            self._pick_up(offered, agent_id, self._call_of_leg.get(taken, ""), taken)
            return
        asked = self._deps.codes.read(offered.called.number)
        if asked is not None:
            self._serve(offered, agent_id, *asked)
            return
        asking = asyncio.create_task(self._dial_for_phone(offered, agent_id), name=f"phone of {agent_id}")
        self._asking[offered.leg_id] = asking  # the house goes on while the store is asked
        asking.add_done_callback(lambda done: self._asked(offered.leg_id, done))

    async def _dial_for_phone(self, offered: LegOffered, agent_id: str) -> None:
        target = await self._deps.clearance.target(agent_id, "", offered.called.number, Way.PHONE)
        if isinstance(target, Refused):
            self._deps.signalling.end(offered.leg_id, EndCause.FORBIDDEN, target.text)
            return
        if target.kind is TargetKind.QUEUE or target.id == agent_id:
            self._deps.signalling.end(offered.leg_id, EndCause.REJECTED)
            return
        order = ev.PhoneDialled(
            agent_id,
            self._deps.targets.queue_of(agent_id),
            offered.leg_id,
            target,
            new_leg_id(),
            engage=not self._is_in_a_call(agent_id),
        )
        self._add_leg(offered.leg_id, self._open(Origin(offered, order=order)))

    def _asked(self, leg_id: str, done: asyncio.Task[None]) -> None:
        del self._asking[leg_id]
        if not done.cancelled() and (error := done.exception()) is not None:
            self._on_fatal(error)  # a journal that cannot be written

    def _serve(self, offered: LegOffered, agent_id: str, feature: Feature, rest: str) -> None:
        """A phone dialled a feature code."""
        match feature:
            case Feature.MAILBOX if self.mailboxes is not None:
                self.mailboxes.open(offered, agent_id)
            case Feature.RETRIEVE if (parked := self.parked(rest)) is not None:
                self._pick_up(offered, agent_id, parked.call_id)
            case Feature.PICK_UP if (found := self._ringing(agent_id, rest)) is not None:
                self._pick_up(offered, agent_id, *found)
            case Feature.PARK if self.mailboxes is not None and (slot := self._park_of(agent_id)) is not None:
                self.mailboxes.say(offered, agent_id, slot_said(slot))
            case _:
                log.info("feature code without use", agent_id=agent_id, feature=feature)
                self._deps.signalling.end(offered.leg_id, EndCause.NO_SUCH_NUMBER)

    def _ringing(self, agent_id: str, whose: str) -> tuple[str, str] | None:
        """The call and the leg that rings longest at a colleague, or at this one."""
        found = [
            (offer.expires_at, runner.call_id, offer.leg_id)
            for runner in self._runners.values()
            for offer in (each.offer for each in runner.machine.offers.values())
            if (offer.agent_id == whose or not whose) and self._deps.targets.are_colleagues(agent_id, offer.agent_id)
        ]
        found += [
            (machine.deadline[0], machine.call_id, machine.colleague.leg_id)
            for machine in (runner.machine for runner in self._runners.values())
            if machine.state is CallState.CALLING and machine.colleague is not None and machine.deadline is not None
            and (machine.colleague.agent_id == whose or not whose)
            and self._deps.targets.are_colleagues(agent_id, machine.colleague.agent_id)
        ]  # fmt: skip
        return min(found)[1:] if found else None

    def _park_of(self, agent_id: str) -> str | None:
        """Park the customer whom the agent has, on hold by now; the slot, ``None`` when there is nobody or no slot."""
        for runner in self._runners.values():
            machine = runner.machine
            mine = [each for each in (machine.agent, machine.colleague) if each and each.agent_id == agent_id]
            if mine and machine.state in ALONE and machine.seat_of(mine[0].contact_id) is not None:
                slot = self.free_slot()
                if slot is not None:
                    runner.tell(ev.ParkOrdered(slot, self._deps.clock.now() + PARK_MS, mine[0].contact_id))
                return slot
        return None

    def _pick_up(self, offered: LegOffered, agent_id: str, call_id: str, leg_id: str = "") -> None:
        """A phone calls to take over a leg of a call, or the customer who is parked in it."""
        runner = self._runners.get(call_id)
        if runner is None:
            self._deps.signalling.end(offered.leg_id, EndCause.REJECTED)
            return
        self._add_leg(offered.leg_id, call_id)
        runner.tell(PickUpAsked(offered, agent_id, leg_id))

    def dial(self, agent_id: str, target: Target) -> str:
        """Call somebody for an agent, whose own phone rings first. Returns the call's id."""
        queue_id = self._deps.targets.queue_of(agent_id)
        return self._open(Origin(None, order=ev.DialOrdered(agent_id, queue_id, new_leg_id(), target, new_leg_id())))

    def call_back(
        self, call_id: str, agent_id: str, queue_id: str, target: Target, callback_id: str, ring_ms: int
    ) -> None:
        """Call a customer back for the agent whom routing chose for the contact of this id; that phone rings first."""
        legs = new_leg_id(), new_leg_id()
        order = ev.DialOrdered(
            agent_id, queue_id, legs[0], target, legs[1], engage=False, callback_id=callback_id, ring_ms=ring_ms
        )
        self._open(Origin(None, order=order), call_id)

    def is_up(self, call_id: str) -> bool:
        """Whether this call goes on."""
        runner = self._runners.get(call_id)
        return runner is not None and runner.machine.state is not CallState.ENDED

    def is_on_line(self, number: str, besides: str) -> bool:
        """Whether somebody with this number is in a call of ours other than ``besides``, whoever called whom. Looks at
        every call: for the few that are about to be called back."""
        who = person(number)
        there = (
            runner
            for call_id, runner in self._runners.items()
            if call_id != besides and person(runner.origin.customer_number) == who
        )
        return bool(who) and any(runner.machine.state is not CallState.ENDED for runner in there)

    def call_first(self, call_id: str, order: ev.CallBackOrdered) -> None:
        """Call a customer back; an agent is rung once the customer is there."""
        self._open(Origin(None, order=order), call_id)

    def _is_in_a_call(self, agent_id: str) -> bool:
        """Whether the agent takes part in a call; one that is over, and only tidied up after, is none."""
        machines = [runner.machine for runner in self._runners.values()]
        machines = [machine for machine in machines if machine.state is not CallState.ENDED]
        seats = [seat for machine in machines for seat in (machine.agent, machine.consulted, machine.colleague)]
        return any(seat is not None and seat.agent_id == agent_id for seat in seats)

    def _open(self, origin: Origin, call_id: str = "") -> str:
        call_id = call_id or new_call_id(self._deps.clock.now())
        runner = CallRunner(
            call_id,
            origin,
            self._deps,
            on_leg=self._add_leg,
            take_party=self._take_party,
            on_finished=self.finish,
            note_aside=self._asides.add,
            on_aside=self._release,
            free_slot=self.free_slot,
        )
        self._runners[call_id] = runner
        if origin.order is not None:
            self._asides.add(call_id)
        task = self._starters.start(runner.run(), f"call {call_id}")
        self._tasks[call_id] = task
        task.add_done_callback(lambda done: self._close_call(call_id, done))
        return call_id

    def finish(self, contact_id: str, agent_id: str) -> None:
        """The agent is through with a contact. Routing hears of it when the agent's phone is free, too: whoever still
        asks somebody on a second line must not be given the next customer."""
        self._finished_with.setdefault(agent_id, []).append(contact_id)
        self._release()

    def _release(self) -> None:
        """Tell routing of the contacts whose agents have no second call (any more)."""
        for agent_id in list(self._finished_with):
            if not any(_is_aside(self._runners[call_id], agent_id) for call_id in self._asides):
                for contact_id in self._finished_with.pop(agent_id):
                    self._deps.routing.post(ContactFinished(ContactId(contact_id)))

    # Parties that change their call

    async def _take_party(self, leg_id: str, for_call_id: str) -> Seat | None:
        """Fetch the far end of the call in which a phone has this leg. ``None`` when there is none to be had."""
        giver = self._runners.get(self._call_of_leg.get(leg_id, ""))
        if giver is None or giver.call_id == for_call_id:
            return None
        done: asyncio.Future[Seat | None] = asyncio.get_running_loop().create_future()
        giver.tell(PartyAsked(leg_id, done))
        try:
            async with asyncio.timeout(PARTY_SECONDS):
                party = await done
        except TimeoutError:
            return None
        if party is not None:
            self._add_leg(party.leg_id, for_call_id)
            if party.contact_id:
                self._adopted[party.contact_id] = for_call_id
        return party

    # Parking

    def parked(self, slot: str) -> CallRunner | None:
        """The call that waits in a park slot."""
        for runner in self._runners.values():
            park = runner.machine.park
            if park is not None and park.slot == slot and runner.machine.state is CallState.PARKED:
                return runner
        return None

    def free_slot(self) -> str | None:
        """The lowest park slot that nobody waits in; ``None`` when all are taken."""
        taken = {runner.machine.park.slot for runner in self._runners.values() if runner.machine.park is not None}
        return next((str(slot) for slot in PARK_SLOTS if str(slot) not in taken), None)

    # Keeping the books

    def _add_leg(self, leg_id: str, call_id: str) -> None:
        self._call_of_leg[leg_id] = call_id
        self._legs_of_call.setdefault(call_id, []).append(leg_id)

    def _close_call(self, call_id: str, task: asyncio.Task[None]) -> None:
        self._runners.pop(call_id).part()
        self._asides.discard(call_id)
        del self._tasks[call_id]
        for leg_id in self._legs_of_call.pop(call_id, ()):
            if self._call_of_leg.get(leg_id) == call_id:  # else it went over to another call
                del self._call_of_leg[leg_id]
        self._release()
        for contact_id in [contact for contact, now_in in self._adopted.items() if now_in == call_id]:
            del self._adopted[contact_id]
        error = None if task.cancelled() else task.exception()
        if isinstance(error, JournalError):
            self._on_fatal(error)
        elif error is not None:  # the call could not even be ended politely; the others must not suffer for it
            log.error("call lost", call_id=call_id, exc_info=error)


def _is_aside(runner: CallRunner, agent_id: str) -> bool:
    """Whether this is a second call that the agent's phone made beside another one, also before its task began."""
    machine, order = runner.machine, runner.origin.order
    if machine.state is CallState.IN_FLOW and isinstance(order, ev.PhoneDialled):
        return order.agent_id == agent_id and not order.engage
    seats = (machine.agent, machine.colleague)
    return any(seat and seat.agent_id == agent_id and seat.contact_id in machine.unengaged for seat in seats)


def new_call_id(now: int) -> str:
    """A call id that sorts by time and cannot be guessed: 11 hexadecimal digits of milliseconds, 10 of chance."""
    return f"{now:011x}{random_hex(5)}"
