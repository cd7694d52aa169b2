"""The legs of one call: orders to signalling with the media they need, and news of legs in the machine's words."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

import structlog

from callcenter.calls import events as ev
from callcenter.calls.audio import CallAudio
from callcenter.calls.legs import (
    EndCause,
    LegAnswered,
    LegEarlyMedia,
    LegEnded,
    LegEvent,
    LegOffered,
    LegReanswered,
    LegRefused,
    LegReoffered,
    LegReofferRefused,
    LegRinging,
    Party,
)
from callcenter.calls.segments import Seat
from callcenter.errors import MediaError
from callcenter.ports import EncryptionPolicy, LegProfile, PhoneTarget, Signalling, TrunkPolicy

log = structlog.get_logger(__name__)


FIRST_HOPS = 70
"""What a call that begins here may be passed on (RFC 3261 section 8.1.1.6)."""


@dataclass(slots=True)
class CallLegs:
    """Owned by the call's runner, whose task is the only one that calls it."""

    call_id: str
    signalling: Signalling
    audio: CallAudio
    on_leg: Callable[[str, str], None]
    """Tells the switchboard which legs belong to this call."""
    customer_leg_id: str
    customer: LegOffered | None = None
    """The customer's leg when it came in; ``None`` when it is called from here."""
    phone: LegOffered | None = None
    """The agent's leg when the agent's phone called."""
    visitors: dict[str, LegOffered] = field(default_factory=dict)
    """Legs of phones that called to take over something of this call."""
    _answered: set[str] = field(default_factory=set)
    _early: dict[str, str] = field(default_factory=dict)
    """Legs that sound, or hear us, before the answer; with what we told the phone that called."""
    _started: set[str] = field(default_factory=set)
    """Legs that are there, or were."""
    _stranded: set[str] = field(default_factory=set)
    """Legs that are to be offered anew once they are up: what they were told of us is void."""

    # Orders

    async def answer_customer(self) -> ev.CallEvent | None:
        """Answer the customer's leg; returns what went wrong."""
        return None if self.customer is None else await self._answer(self.customer, customer=True)

    async def answer_phone(self, leg_id: str) -> ev.CallEvent | None:
        """Answer the agent's own phone, which called; nothing for one that was rung."""
        phone = self._waiting_phone(leg_id)
        if phone is None:
            return None
        self._answered.add(leg_id)
        return await self._answer(phone, customer=False)

    async def receive(self, phone: LegOffered) -> bool:
        """A phone calls to take over something: make its media, say nothing yet. ``False``: no media for it."""
        try:
            if phone.sdp:
                self._early[phone.leg_id] = await self.audio.meet(phone.leg_id, phone.sdp, _profile(phone))
            else:
                self._early[phone.leg_id] = await self.audio.offer(phone.leg_id)
        except MediaError as error:
            log.info("no media for a phone", call_id=self.call_id, error=str(error))
            return False
        self.visitors[phone.leg_id] = phone
        return True

    async def _answer(self, leg: LegOffered, *, customer: bool) -> ev.CallEvent | None:
        try:
            if leg.leg_id in self._early:  # what was said once stands (RFC 3261 section 13.2.1)
                sdp = self._early[leg.leg_id]
            elif leg.sdp:
                sdp = await self.audio.meet(leg.leg_id, leg.sdp, _profile(leg), customer=customer)
            else:
                sdp = await self.audio.offer(leg.leg_id, customer=customer)
        except MediaError as error:
            return ev.MediaFailed(str(error), EndCause.NOT_ACCEPTABLE)
        self.signalling.answer(leg.leg_id, sdp)
        await self._offer_if_stranded(leg.leg_id)
        return None

    async def ring_agent(self, leg_id: str, agent_id: str, caller: Party) -> LegRefused | None:
        """Ring an agent's phones; returns the refusal when there is no media for it."""
        sdp = await self._offer(leg_id, encryption=self.signalling.encryption_for(agent_id))
        if sdp is None:
            return LegRefused(leg_id, 500, "No media")
        self.signalling.invite(leg_id, PhoneTarget(agent_id, self._hops_left), caller=caller, sdp=sdp)
        return None

    async def dial(self, leg_id: str, number: str, policy: TrunkPolicy, caller: Party) -> LegRefused | None:
        """Call a number outside; returns the refusal when there is no media for it."""
        sdp = await self._offer(leg_id, encryption=policy.encryption)
        if sdp is None:
            return LegRefused(leg_id, 500, "No media")
        onward = replace(policy, max_forwards=self._hops_left)
        self.signalling.dial(leg_id, number, onward, caller=caller, sdp=sdp)
        return None

    @property
    def _hops_left(self) -> int:
        """How often the call may still be passed on: so exchanges that pass it around in a ring come to an end."""
        came = self.customer or self.phone
        return FIRST_HOPS if came is None else max(0, came.max_forwards - 1)

    async def _offer(self, leg_id: str, *, encryption: EncryptionPolicy | None = None) -> str | None:
        self.on_leg(leg_id, self.call_id)
        try:
            sdp = await self.audio.offer(leg_id, customer=leg_id == self.customer_leg_id, encryption=encryption)
        except MediaError as error:
            log.warning("no media for a leg", call_id=self.call_id, error=str(error))
            return None
        self._started.add(leg_id)
        return sdp

    def ring_back(self, leg_id: str) -> bool:
        """Tell the agent's phone that it rings there; ``False`` when it did not call, or is up, and needs a tone."""
        phone = self._waiting_phone(leg_id)
        if phone is not None:
            self.signalling.ring(leg_id)
        return phone is not None

    async def open_ears(self, leg_id: str) -> None:
        """Let the phone that called hear us before the answer. One that let us make the offer hears ringing instead."""
        phone = self._waiting_phone(leg_id)
        if phone is None or leg_id in self._early:
            return
        if not phone.sdp:
            self.signalling.ring(leg_id)
            return
        self._early[leg_id] = await self.audio.meet(leg_id, phone.sdp, _profile(phone))
        self.signalling.progress(leg_id, self._early[leg_id])

    def _waiting_phone(self, leg_id: str) -> LegOffered | None:
        mine = self.phone if self.phone is not None and self.phone.leg_id == leg_id else self.visitors.get(leg_id)
        return None if leg_id in self._answered else mine

    async def adopt(self, party: Seat) -> bool:
        """Take over the far end of another call: its media moves here by a new offer. ``False``: no media for it."""
        sdp = await self._offer(party.leg_id)
        if sdp is None:
            return False
        self._answered.add(party.leg_id)
        self.signalling.reoffer(party.leg_id, sdp)
        return True

    async def offer_anew(self, media_legs: Collection[str]) -> None:
        """What these legs send to is gone: those that are up are offered another description, the others once they
        are."""
        for leg_id in [leg_id for leg_id, name in self.audio.legs.items() if name in media_legs]:
            self._stranded.add(leg_id)
            if leg_id in self._answered or leg_id not in self._started | self._early.keys():
                await self._offer_if_stranded(leg_id)

    async def _offer_if_stranded(self, leg_id: str) -> None:
        """Failing that, media tells of it again."""
        if leg_id not in self._stranded:
            return
        self._stranded.discard(leg_id)
        try:
            sdp = await self.audio.offer(leg_id)
        except MediaError as error:
            log.warning("leg not offered anew", call_id=self.call_id, error=str(error))
            return
        self.signalling.reoffer(leg_id, sdp)

    def note_answered(self, leg_id: str) -> None:
        """A leg that was up before it became a party's."""
        self._answered.add(leg_id)

    def end(self, leg_id: str, cause: EndCause) -> str | None:
        """End a leg other than the customer's; returns the name of its media."""
        self.signalling.end(leg_id, cause)
        return self.forget(leg_id)

    def end_customer(self, cause: EndCause) -> None:
        """End the customer's leg, if there ever was one."""
        if self.customer is not None or self.customer_leg_id in self._started:
            self.signalling.end(self.customer_leg_id, cause)

    def forget(self, leg_id: str) -> str | None:
        """The leg is over; returns the name of its media."""
        self._answered.discard(leg_id)
        self._early.pop(leg_id, None)
        self._stranded.discard(leg_id)
        self.visitors.pop(leg_id, None)
        return self.audio.forget(leg_id)

    def drop_silent(self, media_leg: str) -> None:
        """A leg without audio for the time-out is a leg whose BYE was lost; one that did not answer may be silent."""
        for leg_id, name in list(self.audio.legs.items()):
            if name == media_leg and (leg_id in self._answered or leg_id not in self._early):
                self.signalling.end(leg_id, EndCause.TIMEOUT)

    # News

    async def news(self, event: LegEvent) -> ev.CallEvent | None:
        """What a leg event means for the machine; ``None`` when it is a matter of media alone."""
        match event:
            case LegRinging() | LegAnswered() | LegRefused() | LegEnded():
                is_customer = event.leg_id == self.customer_leg_id
                return await (self._of_customer(event) if is_customer else self._of_other(event))
            case LegReoffered():
                await self._renegotiate(event)
                return None
            case LegReanswered(leg_id=leg_id, sdp=sdp):
                return await self._take_answer(event, leg_id, sdp)
            case LegReofferRefused(leg_id=leg_id):
                self.signalling.end(leg_id, EndCause.NOT_ACCEPTABLE)
                return None
            case LegEarlyMedia():
                return await self._hear(event)
            case _:
                log.debug("leg event ignored", call_id=self.call_id, leg_event=type(event).__name__)
                return None

    async def _hear(self, event: LegEarlyMedia) -> ev.CallEvent | None:
        """Somebody sounds before the answer. What media cannot take is ringing all the same."""
        leg_id, is_customer = event.leg_id, event.leg_id == self.customer_leg_id
        if leg_id in self._answered:
            return None
        try:
            await self.audio.accept(leg_id, event.sdp, _profile(event))
        except MediaError as error:
            log.info("early media refused by media", call_id=self.call_id, error=str(error))
            return ev.CustomerRinging() if is_customer else ev.AgentRinging(leg_id)
        self._early[leg_id] = ""
        return ev.CustomerEarlyMedia() if is_customer else ev.NumberEarlyMedia(leg_id)

    async def _of_customer(self, event: LegRinging | LegAnswered | LegRefused | LegEnded) -> ev.CallEvent | None:
        match event:
            case LegRinging():
                return ev.CustomerRinging()
            case LegAnswered(leg_id=leg_id):
                refused = await self._take_answer(event, leg_id, event.sdp)
                if self.customer is not None or refused is not None or leg_id in self._answered:
                    return None if refused is None else ev.CustomerRefused(488)
                self._answered.add(leg_id)
                await self._offer_if_stranded(leg_id)
                return ev.CustomerAnswered()
            case LegRefused(status=status):
                return ev.CustomerRefused(status)
            case LegEnded(cause=cause):
                called = self.customer is None and event.leg_id not in self._answered
                return ev.CustomerRefused(480) if called else ev.CustomerGone(cause)

    async def _of_other(self, event: LegRinging | LegAnswered | LegRefused | LegEnded) -> ev.CallEvent | None:
        match event:
            case LegRinging(leg_id=leg_id):
                return ev.AgentRinging(leg_id)
            case LegAnswered(leg_id=leg_id):
                refused = await self._take_answer(event, leg_id, event.sdp)
                if refused is not None or leg_id in self._answered:  # the latter answers our offer to a late re-offer
                    return refused
                self._answered.add(leg_id)
                await self._offer_if_stranded(leg_id)
                return ev.AgentAnswered(leg_id)
            case LegRefused(leg_id=leg_id, status=status):
                return ev.AgentRefused(leg_id, status)
            case LegEnded(leg_id=leg_id, cause=cause):
                return ev.AgentGone(leg_id, cause)

    async def _take_answer(self, event: LegAnswered | LegReanswered, leg_id: str, sdp: str) -> ev.CallEvent | None:
        if leg_id in self._stranded:  # an answer to what is void
            return None
        try:
            await self.audio.accept(leg_id, sdp, _profile(event))
        except MediaError as error:
            log.warning("answer refused by media", call_id=self.call_id, error=str(error))
            self.signalling.end(leg_id, EndCause.ERROR)
            return ev.AgentRefused(leg_id, 488)
        return None

    async def _renegotiate(self, event: LegReoffered) -> None:
        if event.leg_id not in self.audio.legs:
            return
        try:
            if event.sdp:
                sdp = await self.audio.meet(event.leg_id, event.sdp, _profile(event))
            else:
                sdp = await self.audio.offer(event.leg_id)
        except MediaError as error:  # the stack refuses a re-offer that is not accepted; the call goes on as it was
            log.warning("re-offer not accepted", call_id=self.call_id, error=str(error))
            return
        self.signalling.accept_reoffer(event.leg_id, sdp)


def _profile(event: LegOffered | LegEarlyMedia | LegAnswered | LegReoffered | LegReanswered) -> LegProfile:
    return LegProfile(peer_address=event.peer_address)
