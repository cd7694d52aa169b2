"""The desk at the exchange: what people at desks may order, checked against the floor and brought to its owner."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

import structlog
from msgspec.structs import replace

from acd.errors import AcdError
from acd.events import (
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedIn,
    AgentSignedOut,
    Event,
    QueueClosed,
    QueueOpened,
    WrapUpExtended,
    WrapUpFinished,
)
from acd.ids import AgentId, ContactId, QueueId
from acd.outcomes import WrapUpCodeForced
from agent_console.messages import AgentState
from agent_console.ports import IntentError
from callcenter.bus import Bus
from callcenter.callbacks.callbacks import Callbacks
from callcenter.calls import events as ev
from callcenter.calls.card_entry import SecureAsked
from callcenter.calls.clearance import Clearance
from callcenter.calls.facts import (
    CallClosed,
    CallConnected,
    CallCorrected,
    CallRecord,
    SegmentEnded,
    SegmentOpened,
    WrapUpRecorded,
)
from callcenter.calls.mail import Identified
from callcenter.calls.reach import SupervisorRights
from callcenter.calls.recorder import RecordingAsked
from callcenter.calls.recordings import RecordingRefused
from callcenter.calls.segments import SegmentKind, call_of
from callcenter.calls.switchboard import Switchboard
from callcenter.calls.targets import Directory
from callcenter.channels.facts import ReturnReason
from callcenter.channels.items import Items
from callcenter.channels.voicemail import Voicemail
from callcenter.desk.callbacks import CallbackDesk
from callcenter.desk.calls import CallControl
from callcenter.desk.items import ItemDesk
from callcenter.desk.supervision import SupervisionDesk
from callcenter.errors import MediaError
from callcenter.floor.fold import FloorFold
from callcenter.payments.fields import CardField
from callcenter.ports import Clock, Journal, RecordingAction, Signalling
from callcenter.routing import RoutingInbox

log = structlog.get_logger(__name__)

REMEMBERED_CONVERSATIONS = 10_000
"""How many conversations are remembered for a wrap-up that is handed in late."""
RECORDING_ANSWER_SECONDS = 4.0
"""Longer than media may take for an order; a call that ends meanwhile never answers."""


WRAP_UP_EXTENSION_MS = 30_000
"""By how much one request extends a wrap-up."""


@dataclass(slots=True)
class _Conversation:
    agent_id: str
    ended_at: int | None = None
    record: CallRecord | None = None
    """The call's record, once it is closed."""


class ExchangeDesk(CallControl, ItemDesk, SupervisionDesk, CallbackDesk):
    """Implements the console's ``Desk`` port where the floor is."""

    def __init__(
        self,
        *,
        clock: Clock,
        journal: Journal,
        bus: Bus,
        signalling: Signalling,
        routing: RoutingInbox,
        switchboard: Switchboard,
        floor: FloorFold,
        targets: Directory,
        clearance: Clearance,
        supervisors: SupervisorRights,
        items: Items,
        voicemail: Voicemail,
        callbacks: Callbacks,
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._bus = bus
        self._signalling = signalling
        self._routing = routing
        self._switchboard = switchboard
        self._floor = floor
        self._targets = targets
        self._clearance = clearance
        self._supervisors = supervisors
        self._items = items
        self._voicemail = voicemail
        self._callbacks = callbacks
        self._conversations: OrderedDict[str, _Conversation] = OrderedDict()
        bus.subscribe(self._remember, CallConnected, SegmentOpened, SegmentEnded, CallClosed)

    async def sign_in(self, agent_id: str) -> None:
        """Take the seat."""
        await self._request(AgentSignedIn(AgentId(agent_id)))

    async def sign_out(self, agent_id: str) -> None:
        """Leave the seat; what the agent has of shared channels waits for others."""
        await self._request(AgentSignedOut(AgentId(agent_id)))
        await self._items.desk_gone(agent_id, ReturnReason.SIGNED_OUT)

    async def ready(self, agent_id: str) -> None:
        """Ask for contacts; refused without a registered phone, because they would only ring in vain."""
        agent = self._floor.agent(agent_id)
        takes_calls = agent is None or agent.takes_calls
        if takes_calls and not self._signalling.reachable(agent_id):
            raise IntentError("phone-not-registered", "Your phone is not registered; switch it on, then go ready.")
        await self._request(AgentMadeReady(AgentId(agent_id)))

    async def not_ready(self, agent_id: str, reason: str) -> None:
        """Ask for a pause."""
        await self._request(AgentMadeNotReady(AgentId(agent_id), reason))

    async def decline(self, agent_id: str, contact_id: str) -> None:
        """Refuse the contact that rings."""
        if self._items.is_one(contact_id):
            await self._items.decline(agent_id, contact_id)
            return
        agent = self._floor.agent(agent_id)
        if agent is None or agent.state is not AgentState.OFFERED or agent.contact_id != contact_id:
            raise IntentError("offer-gone", "This call does not ring at your desk any more.")
        self._switchboard.tell(contact_id, ev.DeclineOrdered(contact_id, agent_id))

    async def transfer(self, agent_id: str, contact_id: str, target_kind: str, target: str) -> None:
        """Hand the customer on, or an item."""
        if self._items.is_one(contact_id):
            await self._hand_on_item(agent_id, contact_id, target_kind, target)
        else:
            await super().transfer(agent_id, contact_id, target_kind, target)

    async def hang_up(self, agent_id: str, contact_id: str) -> None:
        """End the conversation."""
        agent = self._floor.agent(agent_id)
        holds = agent is not None and agent.state is AgentState.BUSY and agent.contact_id == contact_id
        if not holds or not self._switchboard.tell(contact_id, ev.HangUpOrdered(contact_id)):
            raise IntentError("contact-gone", "This call is over.")

    async def identify(
        self, agent_id: str, contact_id: str, customer_id: str, customer_name: str = "", customer_level: str = ""
    ) -> None:
        """Say which customer this is, during the call or its wrap-up; name and level are what the floor shows."""
        chosen = Identified(customer_id, customer_name, customer_level, agent_id)
        if self._items.is_one(contact_id):
            await self._items.identify(contact_id, chosen)
            return
        contact = self._floor.contact(contact_id)
        if contact is None or contact.agent_id != agent_id:
            raise IntentError("contact-gone", "This call is not at your desk.")
        if not self._switchboard.tell(contact_id, chosen):
            await self._correct(contact_id, chosen)

    async def finish_wrap_up(self, agent_id: str, contact_id: str, disposition: str, notes: str) -> None:
        """Complete the wrap-up; one that comes after its time-out is written down all the same."""
        if self._items.is_one(contact_id):
            await self._wrap_up_item(agent_id, contact_id, disposition, notes)
            return
        agent = self._floor.agent(agent_id)
        wraps_up = agent is not None and agent.state is AgentState.WRAP_UP and agent.contact_id == contact_id
        conversation = self._conversations.get(contact_id)
        if not wraps_up and (conversation is None or conversation.agent_id != agent_id):
            raise IntentError("contact-gone", "You had no conversation in this call.")
        now = self._clock.now()
        ended_at = conversation.ended_at if conversation is not None else None
        wrap_up_ms = 0 if ended_at is None else max(0, now - ended_at)
        call_id = call_of(contact_id)
        segment = "" if call_id == contact_id else contact_id
        fact = WrapUpRecorded(call_id, now, agent_id, disposition, notes, wrap_up_ms, segment)
        await self._journal.committed(self._journal.append(fact, at=now))
        self._bus.publish(fact, now)
        if wraps_up:
            await self._request(WrapUpFinished(AgentId(agent_id)))

    async def start_recording(self, agent_id: str, contact_id: str) -> None:
        """Record the conversation from here on, where the queue leaves that to the agent."""
        await self._record(agent_id, contact_id, RecordingAction.START)

    async def stop_recording(self, agent_id: str, contact_id: str) -> None:
        """End a recording that was asked for."""
        await self._record(agent_id, contact_id, RecordingAction.STOP)

    async def pause_recording(self, agent_id: str, contact_id: str) -> None:
        """Record nothing until it is resumed; answered once it is so."""
        await self._record(agent_id, contact_id, RecordingAction.PAUSE)

    async def resume_recording(self, agent_id: str, contact_id: str) -> None:
        """Record again."""
        await self._record(agent_id, contact_id, RecordingAction.RESUME)

    async def secure(self, agent_id: str, contact_id: str, how: str, target: str = "") -> None:
        """Let the customer type card data unheard, send it, or talk on; see ``agent_console.ports.Desk``."""
        if how not in {"on", "off", "send"} or target not in {"", *CardField}:
            raise IntentError("unknown-order", "Card entry is on, off or sent, of number, expiry or code.")
        done = asyncio.get_running_loop().create_future()
        asked = SecureAsked(agent_id, how, CardField(target or CardField.NUMBER), done)
        await self._ask(contact_id, asked, done)

    async def _record(self, agent_id: str, contact_id: str, action: RecordingAction) -> None:
        done = asyncio.get_running_loop().create_future()
        await self._ask(contact_id, RecordingAsked(action, agent_id, done), done)

    async def _ask(self, contact_id: str, mail: RecordingAsked | SecureAsked, done: "asyncio.Future[None]") -> None:
        if not self._switchboard.tell(call_of(contact_id), mail):
            raise IntentError("contact-gone", "This call is over.")
        try:
            async with asyncio.timeout(RECORDING_ANSWER_SECONDS):
                await done
        except RecordingRefused as error:
            raise IntentError(error.code, str(error)) from error
        except (MediaError, TimeoutError) as error:
            raise IntentError("recording-failed", "This could not be done; take it that it is recorded.") from error

    async def close_queue(self, user_id: str, queue_id: str) -> None:
        """Let nobody into a queue any more until it is opened; who waits is served."""
        log.info("queue closed", queue_id=queue_id, by=user_id)
        await self._request(QueueClosed(QueueId(queue_id)))

    async def open_queue(self, user_id: str, queue_id: str) -> None:
        """Let people in again."""
        log.info("queue opened", queue_id=queue_id, by=user_id)
        await self._request(QueueOpened(QueueId(queue_id)))

    async def extend_wrap_up(self, agent_id: str, contact_id: str = "") -> None:
        """Ask for more time to complete the wrap-up, as far as the queue allows."""
        if self._items.is_one(contact_id):
            await self._extend_item(agent_id, contact_id)
            return
        agent = self._floor.agent(agent_id)
        if agent is None or agent.state is not AgentState.WRAP_UP or agent.until is None:
            raise IntentError("no-wrap-up", "You are in no wrap-up that ends by itself.")
        await self._request(WrapUpExtended(AgentId(agent_id), WRAP_UP_EXTENSION_MS))
        after = self._floor.agent(agent_id)
        if after is not None and after.until == agent.until:
            raise IntentError("no-extension", "This queue allows no more time.")

    async def _extend_item(self, agent_id: str, contact_id: str) -> None:
        before = self._floor.contact(contact_id)
        if before is None or before.agent_id != agent_id or before.wrap_up_until is None:
            raise IntentError("no-wrap-up", "You are in no wrap-up that ends by itself.")
        await self._request(WrapUpExtended(AgentId(agent_id), WRAP_UP_EXTENSION_MS, ContactId(contact_id)))
        after = self._floor.contact(contact_id)
        if after is not None and after.wrap_up_until == before.wrap_up_until:
            raise IntentError("no-extension", "This queue allows no more time.")

    async def record_forced_code(self, forced: WrapUpCodeForced) -> None:
        """The clock ended a wrap-up that the agent had not finished: the queue's code stands in the record."""
        now = self._clock.now()
        conversation, item = self._conversations.get(forced.contact_id), self._items.record_of(forced.contact_id)
        ended_at = conversation.ended_at if conversation is not None else None
        ended_at = item.ended_at if item is not None else ended_at
        wrap_up_ms = 0 if ended_at is None else max(0, now - ended_at)
        fact = WrapUpRecorded(forced.contact_id, now, forced.agent_id, forced.code, "", wrap_up_ms)
        await self._journal.committed(self._journal.append(fact, at=now))
        self._bus.publish(fact, now)

    async def _correct(self, contact_id: str, chosen: Identified) -> None:
        conversation = self._conversations.get(contact_id)
        if conversation is None or conversation.record is None:
            raise IntentError("contact-gone", "This call is over.")
        now = self._clock.now()
        conversation.record = replace(conversation.record, customer_id=chosen.customer_id, match_state="manual")
        call_id = conversation.record.call_id
        identified = chosen.as_fact(call_id, now)
        corrected = CallCorrected(call_id, now, conversation.record)
        self._journal.append(identified, at=now)
        await self._journal.committed(self._journal.append(corrected, at=now))
        self._bus.publish(identified, now)
        self._bus.publish(corrected, now)

    async def _request(self, event: Event) -> None:
        try:
            await self._routing.request(event)
        except AcdError as error:
            raise IntentError(error.code, str(error)) from error

    def _remember(self, fact: object, at: int) -> None:
        del at
        match fact:
            case CallConnected():
                self._begin(fact.contact_id or fact.call_id, fact.agent_id)
            case SegmentOpened(kind=SegmentKind.INTERNAL, contact_id=contact_id, target=agent_id):
                self._begin(contact_id, agent_id)
            case SegmentEnded(contact_id=contact_id, at=ended_at) if contact_id in self._conversations:
                self._conversations[contact_id].ended_at = ended_at
            case CallClosed(record=record):
                for segment in record.segments:
                    self._close(segment.contact_id, record)
            case _:
                pass

    def _begin(self, contact_id: str, agent_id: str) -> None:
        self._conversations[contact_id] = _Conversation(agent_id)
        if len(self._conversations) > REMEMBERED_CONVERSATIONS:
            self._conversations.popitem(last=False)

    def _close(self, contact_id: str, record: CallRecord) -> None:
        conversation = self._conversations.get(contact_id)
        if conversation is not None:
            conversation.record = record
            conversation.ended_at = conversation.ended_at or record.ended_at
