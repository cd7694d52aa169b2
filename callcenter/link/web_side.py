"""The web process's end of the link: keeps a copy of the floor, and carries the desk's orders to the exchange."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any

import structlog

from agent_console.messages import (
    AgentChanged,
    AgentView,
    CallbackChanged,
    CallbackRemoved,
    CallbackView,
    Change,
    ContactChanged,
    ContactRemoved,
    ContactView,
    FloorView,
    QueueChanged,
    QueueView,
)
from agent_console.ports import IntentError
from agent_console.softphone import FromSoftphone, ToSoftphone
from callcenter.entries import encode
from callcenter.errors import LinkError
from callcenter.link.messages import (
    DeskReply,
    DeskRequest,
    EntryRequest,
    ErasureReply,
    ErasureRequest,
    FloorChanged,
    FloorState,
    FloorWatched,
    FromExchange,
    FromWeb,
    JournalAdvanced,
    LeaveReply,
    LeaveRequested,
    MatchReply,
    MatchRequested,
    SeatsPresent,
    SoftphoneHeard,
    SoftphoneTold,
    frame,
    from_exchange,
    read_frame,
)
from callcenter.ports import Leave, Match

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 0.5
QUIET_FAILURES = 10
"""Tries before an absent exchange is worth a word: both start at the same moment."""
ORDER_DEADLINE_SECONDS = 5.0
ERASURE_DEADLINE_SECONDS = 30.0


class FloorCopy:
    """The floor as last told; implements the console's ``Floor`` port."""

    def __init__(self) -> None:
        self._agents: dict[str, AgentView] = {}
        self._queues: dict[str, QueueView] = {}
        self._contacts: dict[str, ContactView] = {}
        self._callbacks: dict[str, CallbackView] = {}
        self._live = False
        self._listeners: list[tuple[Callable[[Change], None], Callable[[], None], Callable[[bool], None]]] = []

    def snapshot(self) -> FloorView:
        """Everything, now."""
        return FloorView(
            tuple(self._agents.values()),
            tuple(self._queues.values()),
            tuple(self._contacts.values()),
            tuple(self._callbacks.values()),
        )

    def is_live(self) -> bool:
        """Whether the exchange is connected."""
        return self._live

    def subscribe(
        self, on_change: Callable[[Change], None], on_reset: Callable[[], None], on_status: Callable[[bool], None]
    ) -> Callable[[], None]:
        """Follow the floor; see the port."""
        listener = (on_change, on_reset, on_status)
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def replace(self, floor: FloorView) -> None:
        """Start over from a fresh floor."""
        self._agents = {agent.agent_id: agent for agent in floor.agents}
        self._queues = {queue.queue_id: queue for queue in floor.queues}
        self._contacts = {contact.contact_id: contact for contact in floor.contacts}
        self._callbacks = {callback.callback_id: callback for callback in floor.callbacks}
        for _, on_reset, _ in self._listeners:
            on_reset()

    def apply(self, change: Change) -> None:
        """Take one change."""
        match change:
            case AgentChanged(agent=agent):
                self._agents[agent.agent_id] = agent
            case QueueChanged(queue=queue):
                self._queues[queue.queue_id] = queue
            case ContactChanged(contact=contact):
                self._contacts[contact.contact_id] = contact
            case ContactRemoved(contact_id=contact_id):
                self._contacts.pop(contact_id, None)
            case CallbackChanged(callback=callback):
                self._callbacks[callback.callback_id] = callback
            case CallbackRemoved(callback_id=callback_id):
                self._callbacks.pop(callback_id, None)
        for on_change, _, _ in self._listeners:
            on_change(change)

    def set_live(self, live: bool) -> None:
        """Tell that the exchange came or went."""
        if live != self._live:
            self._live = live
            for _, _, on_status in self._listeners:
                on_status(live)


class WebLink:
    """Connects to the exchange again and again; one instance for the life of the web process."""

    def __init__(
        self,
        path: Path,
        floor: FloorCopy,
        *,
        find_customer: Callable[[str], Awaitable[Match]],
        may_call_back: Callable[[str], Awaitable[Leave]],
        may_dial: Callable[[str, str], Awaitable[Leave]],
        on_journal: Callable[[int], None],
        on_softphone: Callable[[str, str, ToSoftphone], None] = lambda agent_id, phone_id, told: None,  # noqa: ARG005
    ) -> None:
        """``find_customer``, ``may_call_back`` and ``may_dial`` (agent, number) answer the exchange's questions;
        ``on_journal`` hears that there is something new in the journal."""
        self._path = path
        self._floor = floor
        self._find_customer = find_customer
        self._may_call_back = may_call_back
        self._may_dial = may_dial
        self._on_journal = on_journal
        self._on_softphone = on_softphone
        self._writer: asyncio.StreamWriter | None = None
        self._replies: dict[int, asyncio.Future[DeskReply]] = {}
        self._erasures: dict[int, asyncio.Future[tuple[str, ...]]] = {}
        self._next_request = 0
        self._lookups: set[asyncio.Task[None]] = set()
        self._watched = False

    async def run(self) -> None:
        """Keep the link up until cancelled. An exchange that stays away is logged once, and so is its return."""
        failures = 0
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._path))
            except OSError:
                failures += 1
                if failures == QUIET_FAILURES:
                    log.warning("exchange not reachable")
            else:
                failures = 0
                await self._follow(reader, writer)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def order(self, order: str, agent_id: str, **fields: str) -> None:
        """Have the exchange carry out a desk's order. Raises ``IntentError`` when the answer is no or there is none."""
        await self._ask(lambda request_id: DeskRequest(request_id, order, agent_id, **fields))

    async def write_down(self, entry: object) -> None:
        """Have the exchange journal an entry and act on it. Raises ``IntentError`` as ``order``."""
        kind, body = encode(entry)
        await self._ask(lambda request_id: EntryRequest(request_id, kind, body))

    async def _ask(self, question: Callable[[int], FromWeb]) -> None:
        writer = self._writer
        if writer is None:
            raise IntentError("exchange-unavailable", "The exchange is not reachable; try again in a moment.")
        self._next_request += 1
        request_id, future = self._next_request, asyncio.get_running_loop().create_future()
        self._replies[request_id] = future
        try:
            writer.write(frame(question(request_id)))
            async with asyncio.timeout(ORDER_DEADLINE_SECONDS):
                reply = await future
        except (TimeoutError, LinkError):
            raise IntentError("exchange-unavailable", "The exchange did not answer; try again in a moment.") from None
        finally:
            self._replies.pop(request_id, None)
        if reply.code is not None:
            raise IntentError(reply.code, reply.message)

    async def erase(self, call_ids: Sequence[str]) -> tuple[str, ...]:
        """Have the exchange blank the journal's entries of closed calls; which it has. Raises ``LinkError``."""
        writer = self._writer
        if writer is None:
            raise LinkError("the exchange is not reachable")
        self._next_request += 1
        request_id = self._next_request
        future: asyncio.Future[tuple[str, ...]] = asyncio.get_running_loop().create_future()
        self._erasures[request_id] = future
        try:
            writer.write(frame(ErasureRequest(request_id, tuple(call_ids))))
            async with asyncio.timeout(ERASURE_DEADLINE_SECONDS):
                return await future
        except TimeoutError:
            raise LinkError("the exchange did not answer in time") from None
        finally:
            self._erasures.pop(request_id, None)

    def tell_seats(self, agent_ids: Iterable[str]) -> None:
        """Tell who has a console open; nothing happens while the exchange is away."""
        if self._writer is not None:
            self._writer.write(frame(SeatsPresent(tuple(sorted(agent_ids)))))

    def tell_watched(self, watched: bool) -> None:
        """Tell whether anybody has a console open; an exchange that is away hears it when it is back."""
        self._watched = watched
        if self._writer is not None:
            self._writer.write(frame(FloorWatched(watched)))

    def hear(self, agent_id: str, phone_id: str, said: FromSoftphone) -> None:
        """Implements the console's ``SoftphoneLine``."""
        if self._writer is not None:
            self._writer.write(frame(SoftphoneHeard(agent_id, phone_id, said)))

    async def _follow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.tell_watched(self._watched)
        try:
            while (message := await read_frame(reader, from_exchange)) is not None:
                self._take(message)
        except LinkError as error:
            log.warning("link broken", error=str(error))
        finally:
            self._writer = None
            writer.close()
            self._floor.set_live(False)
            waiting: list[asyncio.Future[Any]] = [*self._replies.values(), *self._erasures.values()]
            for future in waiting:
                if not future.done():
                    future.set_exception(LinkError("the exchange went away"))

    def _take(self, message: FromExchange) -> None:
        match message:
            case FloorState():
                self._floor.replace(message.floor)
                self._floor.set_live(True)
                self._on_journal(message.journal_seq)
                log.info("attached to the exchange")
            case FloorChanged(changes=changes):
                for change in changes:
                    self._floor.apply(change)
            case JournalAdvanced(seq=seq):
                self._on_journal(seq)
            case DeskReply():
                future = self._replies.get(message.request_id)
                if future is not None and not future.done():
                    future.set_result(message)
            case SoftphoneTold(agent_id=agent_id, phone_id=phone_id, frame=told):
                self._on_softphone(agent_id, phone_id, told)
            case ErasureReply(request_id=request_id, call_ids=call_ids):
                waiting = self._erasures.get(request_id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(call_ids)
            case MatchRequested():
                self._answer(self._look_up(message))
            case LeaveRequested():
                self._answer(self._ask_leave(message))

    def _answer(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="customer lookup")
        self._lookups.add(task)
        task.add_done_callback(self._lookups.discard)

    async def _ask_leave(self, request: LeaveRequested) -> None:
        by, number = request.agent_id, request.number
        leave = await (self._may_call_back(number) if by is None else self._may_dial(by, number))
        if self._writer is not None:
            told = leave.answer, leave.reasons, leave.zones, leave.code, leave.text
            self._writer.write(frame(LeaveReply(request.request_id, *told)))

    async def _look_up(self, request: MatchRequested) -> None:
        match = await self._find_customer(request.number)
        if self._writer is not None:
            reply = MatchReply(
                request.request_id,
                match.state,
                match.customer_ids,
                match.name,
                match.language,
                match.level,
                match.owner,
                match.last_agent,
            )
            self._writer.write(frame(reply))


class LinkDesk:
    """Implements the console's ``Desk`` port over the link. ``who_is`` finds a customer's name and
    level in the store; ``override_hours`` is how an agent answers for the hour."""

    def __init__(
        self,
        link: WebLink,
        *,
        who_is: Callable[[str], Awaitable[tuple[str, str]]],
        override_hours: Callable[[str, str, str], Awaitable[None]],
    ) -> None:
        self._link = link
        self._who_is = who_is
        self._override_hours = override_hours

    async def override_hours(self, agent_id: str, target: str, reason: str) -> None:
        """Answer for calling a number in quiet hours."""
        await self._override_hours(agent_id, target, reason)

    async def sign_in(self, agent_id: str) -> None:
        """Take the seat."""
        await self._link.order("sign_in", agent_id)

    async def sign_out(self, agent_id: str) -> None:
        """Leave the seat."""
        await self._link.order("sign_out", agent_id)

    async def ready(self, agent_id: str) -> None:
        """Ask for contacts."""
        await self._link.order("ready", agent_id)

    async def not_ready(self, agent_id: str, reason: str) -> None:
        """Ask for a pause."""
        await self._link.order("not_ready", agent_id, reason=reason)

    async def decline(self, agent_id: str, contact_id: str) -> None:
        """Refuse the contact that rings."""
        await self._link.order("decline", agent_id, contact_id=contact_id)

    async def hang_up(self, agent_id: str, contact_id: str) -> None:
        """End the conversation."""
        await self._link.order("hang_up", agent_id, contact_id=contact_id)

    async def hold(self, agent_id: str, contact_id: str) -> None:
        """Put the customer on hold: music until ``resume``."""
        await self._link.order("hold", agent_id, contact_id=contact_id)

    async def resume(self, agent_id: str, contact_id: str) -> None:
        """Talk with the customer again; a consulted party goes on hold."""
        await self._link.order("resume", agent_id, contact_id=contact_id)

    async def transfer(self, agent_id: str, contact_id: str, target_kind: str, target: str) -> None:
        """Hand the customer on."""
        await self._link.order("transfer", agent_id, contact_id=contact_id, target_kind=target_kind, target=target)

    async def consult(self, agent_id: str, contact_id: str, target_kind: str, target: str) -> None:
        """Ask an agent, a queue or a number, with the customer on hold."""
        await self._link.order("consult", agent_id, contact_id=contact_id, target_kind=target_kind, target=target)

    async def complete(self, agent_id: str, contact_id: str) -> None:
        """Connect the customer with the consulted party and leave."""
        await self._link.order("complete", agent_id, contact_id=contact_id)

    async def cancel(self, agent_id: str, contact_id: str) -> None:
        """End the consultation, or the transfer under way, and talk with the customer again."""
        await self._link.order("cancel", agent_id, contact_id=contact_id)

    async def swap(self, agent_id: str, contact_id: str) -> None:
        """Talk with the other of customer and consulted party."""
        await self._link.order("swap", agent_id, contact_id=contact_id)

    async def conference(self, agent_id: str, contact_id: str) -> None:
        """Talk with customer and consulted party together."""
        await self._link.order("conference", agent_id, contact_id=contact_id)

    async def park(self, agent_id: str, contact_id: str) -> None:
        """Let the customer wait in a park slot, which the floor shows, and be free."""
        await self._link.order("park", agent_id, contact_id=contact_id)

    async def retrieve(self, agent_id: str, slot: str) -> None:
        """Take up the call in this park slot; the own phone rings."""
        await self._link.order("retrieve", agent_id, slot=slot)

    async def dial(self, agent_id: str, target_kind: str, target: str) -> None:
        """Call an agent or a number: the own phone rings first."""
        await self._link.order("dial", agent_id, target_kind=target_kind, target=target)

    async def send_digits(self, agent_id: str, contact_id: str, digits: str) -> None:
        """Send digits to whoever the agent talks with."""
        await self._link.order("send_digits", agent_id, contact_id=contact_id, digits=digits)

    async def identify(self, agent_id: str, contact_id: str, customer_id: str) -> None:
        """Say which customer this is."""
        name, level = await self._who_is(customer_id)
        who = {"customer_id": customer_id, "customer_name": name, "customer_level": level}
        await self._link.order("identify", agent_id, contact_id=contact_id, **who)

    async def finish_wrap_up(self, agent_id: str, contact_id: str, disposition: str, notes: str) -> None:
        """Complete the wrap-up."""
        await self._link.order("finish_wrap_up", agent_id, contact_id=contact_id, disposition=disposition, notes=notes)

    async def supervise(self, user_id: str, contact_id: str, how: str) -> None:
        """Take part in an agent's conversation."""
        await self._link.order("supervise", user_id, contact_id=contact_id, how=how)

    async def accept(self, agent_id: str, contact_id: str) -> None:
        """Take an item that rings."""
        await self._link.order("accept", agent_id, contact_id=contact_id)

    async def give_back(self, agent_id: str, contact_id: str) -> None:
        """Let somebody else work an item."""
        await self._link.order("give_back", agent_id, contact_id=contact_id)

    async def finish(self, user_id: str, contact_id: str) -> None:
        """An item is dealt with."""
        await self._link.order("finish", user_id, contact_id=contact_id)

    async def move(self, user_id: str, contact_id: str, target_kind: str, target: str) -> None:
        """Hand an item to a queue or an agent."""
        await self._link.order("move", user_id, contact_id=contact_id, target_kind=target_kind, target=target)

    async def secure(self, agent_id: str, contact_id: str, how: str, target: str = "") -> None:
        """Let the customer type card data unheard, send it, or talk on."""
        await self._link.order("secure", agent_id, contact_id=contact_id, how=how, target=target)

    async def start_recording(self, agent_id: str, contact_id: str) -> None:
        """Record the conversation from here on, where the queue leaves that to the agent."""
        await self._link.order("start_recording", agent_id, contact_id=contact_id)

    async def stop_recording(self, agent_id: str, contact_id: str) -> None:
        """End a recording that was asked for."""
        await self._link.order("stop_recording", agent_id, contact_id=contact_id)

    async def pause_recording(self, agent_id: str, contact_id: str) -> None:
        """Record nothing until it is resumed; answered once it is so."""
        await self._link.order("pause_recording", agent_id, contact_id=contact_id)

    async def resume_recording(self, agent_id: str, contact_id: str) -> None:
        """Record again."""
        await self._link.order("resume_recording", agent_id, contact_id=contact_id)

    async def close_queue(self, user_id: str, queue_id: str) -> None:
        """Let nobody into a queue any more until it is opened."""
        await self._link.order("close_queue", user_id, target=queue_id)

    async def open_queue(self, user_id: str, queue_id: str) -> None:
        """Let people in again."""
        await self._link.order("open_queue", user_id, target=queue_id)

    async def extend_wrap_up(self, agent_id: str, contact_id: str) -> None:
        """Ask for more time to complete the wrap-up."""
        await self._link.order("extend_wrap_up", agent_id, contact_id=contact_id)

    async def promise_callback(self, agent_id: str, contact_id: str) -> None:
        """Promise the customer at hand a callback."""
        await self._link.order("promise_callback", agent_id, contact_id=contact_id)

    async def call_off_callback(self, user_id: str, callback_id: str) -> None:
        """Call a callback off."""
        await self._link.order("call_off_callback", user_id, target=callback_id)

    async def call_back_now(self, user_id: str, callback_id: str) -> None:
        """Let a callback stand in line now."""
        await self._link.order("call_back_now", user_id, target=callback_id)

    async def move_callback_to_top(self, user_id: str, callback_id: str) -> None:
        """Let a callback go before everybody else."""
        await self._link.order("move_callback_to_top", user_id, target=callback_id)

    async def hand_over_callbacks(self, user_id: str, from_user: str, to_user: str) -> None:
        """Make the callbacks that somebody promised somebody else's."""
        await self._link.order("hand_over_callbacks", user_id, from_user=from_user, to_user=to_user)

    async def hand_over_messages(self, user_id: str, from_user: str, to_user: str) -> None:
        """Move what lies in somebody's own box into somebody else's."""
        await self._link.order("hand_over_messages", user_id, from_user=from_user, to_user=to_user)
