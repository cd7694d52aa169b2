"""The exchange's end of the link: tells the floor, asks for customers, takes the desk's orders.

Nothing here may slow a call down: a web process that does not read is cut off and may connect again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from agent_console.messages import Change, FloorView
from agent_console.ports import Desk, IntentError
from agent_console.softphone import FromSoftphone, ToSoftphone
from callcenter.awaiting import in_time
from callcenter.entries import decode
from callcenter.errors import JournalError, LinkError
from callcenter.link.floor_news import FloorNews
from callcenter.link.messages import (
    DESK_ORDERS,
    DeskReply,
    DeskRequest,
    EntryRequest,
    ErasureReply,
    ErasureRequest,
    FloorState,
    FloorWatched,
    FromExchange,
    FromWeb,
    LeaveReply,
    LeaveRequested,
    MatchReply,
    MatchRequested,
    SeatsPresent,
    SoftphoneHeard,
    SoftphoneTold,
    frame,
    from_web,
    read_frame,
)
from callcenter.ports import Leave, Match

log = structlog.get_logger(__name__)

NEWS_SECONDS = 0.01
"""How far apart what changed on the floor is told at least; what changes meanwhile is told as it is then."""
UNWATCHED_SECONDS = 0.25
"""The same while nobody has a console open: who opens one is told at once what changed last."""
MAX_UNREAD_BYTES = 8 * 1024 * 1024
"""A web process that leaves more than this unread is cut off."""
UNAVAILABLE = Match(state="unavailable")
AnswerT = TypeVar("AnswerT")


def control_socket(link: Path) -> Path:
    """Where the command line gives its orders to the exchange that serves this link."""
    return link.with_name("control.sock")


async def carry_out(desk: Desk, request: DeskRequest) -> None:
    """Call the desk's method that the request names. Raises ``IntentError`` when the answer is no."""
    fields = DESK_ORDERS.get(request.order)
    if fields is None:
        raise IntentError("unknown-order", f"The exchange knows no order {request.order!r}.")
    order: Callable[..., Awaitable[None]] = getattr(desk, request.order)
    await order(request.agent_id, *(getattr(request, name) for name in fields))


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer of the customer store is worth waiting for, seconds."""

    match: float = 2.0
    """Who calls: it runs beside the greeting and delays nothing."""
    leave: float = 0.5
    """Whether somebody may be called back: an agent, or the customer, waits too."""
    dial_leave: float = 2.0
    """Whether an agent may dial a number, who waits alone and expects it to take a moment."""


class ExchangeLink:
    """Serves the link; implements the ``CustomerDirectory`` port with what the web process answers."""

    def __init__(
        self,
        path: Path,
        *,
        floor: Callable[[], FloorView],
        journal_seq: Callable[[], int],
        desk: Callable[[], Desk],
        on_seats: Callable[[tuple[str, ...] | None], None] = lambda _: None,
        on_softphone: Callable[[str, str, FromSoftphone], None] = lambda agent_id, phone_id, said: None,  # noqa: ARG005
        on_detached: Callable[[], None] = lambda: None,
        erase: Callable[[str], Awaitable[bool]] | None = None,
        write_down: Callable[[object], Awaitable[None]] | None = None,
        patience: Patience = Patience(),
    ) -> None:
        """``on_seats`` hears which agents have a console open, ``None`` when the web process is gone.

        ``on_softphone`` hears the pages' phones, ``on_detached`` that the web process went away with all of them.
        ``erase`` takes what is personal out of the journal's entries of a call. ``write_down`` takes an entry for the
        journal that people asked for, or raises ``IntentError``.
        """
        self._path = path
        self._on_seats = on_seats
        self._erase = erase
        self._write_down = write_down
        self._patience = patience
        self._floor = floor
        self._journal_seq = journal_seq
        self._desk = desk
        self._on_softphone, self._on_detached = on_softphone, on_detached
        self._server: asyncio.Server | None = None
        self._counter: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._news = FloorNews()
        self._news_due = 0.0
        """Before this instant of the loop's clock no more of it is told by itself."""
        self._telling: asyncio.Handle | None = None
        self._watched = True
        self._unsent: list[bytes] = []
        """Frames of this turn of the loop, to be sent with one write."""
        self._matches: dict[int, asyncio.Future[Match]] = {}
        self._leaves: dict[int, asyncio.Future[Leave]] = {}
        self._next_request = 0
        self._orders: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on the socket; the file of an earlier process is replaced."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        self._server = await asyncio.start_unix_server(self._accept, path=str(self._path))
        self._path.chmod(0o600)
        counter = control_socket(self._path)
        with contextlib.suppress(FileNotFoundError):
            counter.unlink()
        self._counter = await asyncio.start_unix_server(self._serve_counter, path=str(counter))
        counter.chmod(0o600)

    async def stop(self) -> None:
        """Close the link."""
        for server in (self._server, self._counter):
            if server is not None:
                server.close()
        if self._telling is not None:
            self._telling.cancel()
        if self._writer is not None:
            self._writer.close()
        for order in self._orders:
            order.cancel()
        await asyncio.gather(*self._orders, *self._serving, return_exceptions=True)

    def tell_changes(self, changes: tuple[Change, ...]) -> None:
        """Tell changes of the floor: at once after a pause, and else once in a while all that changed."""
        if self._writer is not None:
            for change in changes:
                self._news.add(change)
            self._tell_soon()

    def tell_journal(self, seq: int) -> None:
        """Tell that the customer store has something to read."""
        if self._writer is not None:
            self._news.journal_advanced(seq)
            self._tell_soon()

    def tell_softphone(self, agent_id: str, phone_id: str, told: ToSoftphone) -> None:
        """Tell the page that has this phone."""
        self._send(SoftphoneTold(agent_id, phone_id, told))

    async def match(self, number: str) -> Match:
        """Who has this number; ``unavailable`` when the web process does not answer in time."""
        found = await self._ask(self._matches, lambda each: MatchRequested(each, number), self._patience.match)
        return found or UNAVAILABLE

    async def may_call_back(self, number: str) -> Leave:
        """Whether this number may be called back; ``unknown`` when the web process does not answer in time."""
        found = await self._ask(self._leaves, lambda each: LeaveRequested(each, number), self._patience.leave)
        return found or Leave()

    async def may_dial(self, agent_id: str, number: str) -> Leave:
        """Whether this agent may dial this number; ``unknown`` when the web process does not answer in time."""
        found = await self._ask(
            self._leaves, lambda each: LeaveRequested(each, number, agent_id), self._patience.dial_leave
        )
        return found or Leave()

    async def _ask(
        self,
        waiting: "dict[int, asyncio.Future[AnswerT]]",
        question: Callable[[int], FromExchange],
        deadline_seconds: float,
    ) -> "AnswerT | None":
        """Ask the web process; ``None`` when it is away or does not answer in time."""
        if self._writer is None:
            return None
        self._next_request += 1
        request_id = self._next_request
        future: asyncio.Future[AnswerT] = asyncio.get_running_loop().create_future()
        waiting[request_id] = future
        try:
            self._send(question(request_id))
            return await in_time(future, deadline_seconds)
        except TimeoutError:
            log.warning("customer store did not answer", question=type(question(request_id)).__name__)
            return None
        finally:
            waiting.pop(request_id, None)
            del future  # when cancelled it has the error, and the error this frame

    def _tell_soon(self) -> None:
        if self._telling is None:
            loop = asyncio.get_running_loop()
            wait = self._news_due - loop.time()
            self._telling = loop.call_later(wait, self._flush) if wait > 0 else loop.call_soon(self._flush)

    def _send(self, message: FromExchange) -> None:
        if self._writer is None:
            return
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush if self._watched else self._write_unsent)
        self._unsent.append(frame(message))

    def _flush(self) -> None:
        """Tell what changed, and then what else there is to be said."""
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
            apart = NEWS_SECONDS if self._watched else UNWATCHED_SECONDS
            self._news_due = asyncio.get_running_loop().time() + apart
        self._unsent[:0] = [frame(each) for each in self._news.take()]
        self._write_unsent()

    def _write_unsent(self) -> None:
        unsent, self._unsent = self._unsent, []
        writer = self._writer
        if writer is None or writer.is_closing() or not unsent:
            return
        if writer.transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            log.warning("web process does not read; link cut")
            writer.transport.abort()
            self._writer = None
            return
        writer.write(b"".join(unsent))

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name="link")
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._writer is not None:  # a new web process takes over from one that hangs
            self._writer.transport.abort()
        self._writer, self._watched = writer, True
        self._news.take()
        self._unsent.clear()  # the floor that is told now has seen it all
        writer.write(frame(FloorState(self._floor(), self._journal_seq())))
        log.info("web process attached")
        try:
            while (message := await read_frame(reader, from_web)) is not None:
                self._take(message, writer)
        except LinkError as error:
            log.warning("link broken", error=str(error))
        finally:
            if self._writer is writer:
                self._writer = None
                self._on_seats(None)
                self._on_detached()
            writer.close()
            log.info("web process detached")

    async def _serve_counter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take orders of the command line, one connection for each; the web process keeps its link."""
        try:
            message = await read_frame(reader, from_web)
            if isinstance(message, DeskRequest):
                await self._answer(message, writer)
                await writer.drain()
        except (LinkError, ConnectionError) as error:
            log.warning("order not understood", error=str(error))
        finally:
            writer.close()

    def _take(self, message: FromWeb, writer: asyncio.StreamWriter) -> None:
        match message:
            case MatchReply():
                future = self._matches.get(message.request_id)
                if future is not None and not future.done():
                    known = message.level, message.owner, message.last_agent
                    future.set_result(
                        Match(message.state, message.customer_ids, message.name, message.language, *known)
                    )
            case LeaveReply():
                asked = self._leaves.get(message.request_id)
                if asked is not None and not asked.done():
                    said = Leave(message.answer, message.reasons, message.zones, message.code, message.text)
                    asked.set_result(said)
            case SeatsPresent(agent_ids=agent_ids):
                self._on_seats(agent_ids)
            case FloorWatched(watched=watched):
                self._watched = watched
                self._flush()
            case SoftphoneHeard(agent_id=agent_id, phone_id=phone_id, frame=said):
                self._on_softphone(agent_id, phone_id, said)
            case ErasureRequest():
                erasing = asyncio.create_task(self._answer_erasure(message, writer), name="erasure")
                self._orders.add(erasing)
                erasing.add_done_callback(self._orders.discard)
            case EntryRequest():
                writing = asyncio.create_task(self._answer_entry(message, writer), name="entry")
                self._orders.add(writing)
                writing.add_done_callback(self._orders.discard)
            case DeskRequest():
                task = asyncio.create_task(self._answer(message, writer), name=f"desk {message.order}")
                self._orders.add(task)
                task.add_done_callback(self._orders.discard)

    async def _answer_erasure(self, request: ErasureRequest, writer: asyncio.StreamWriter) -> None:
        done = [] if self._erase is None else [each for each in request.call_ids if await self._erase(each)]
        if not writer.is_closing():
            self._flush()
            writer.write(frame(ErasureReply(request.request_id, tuple(done))))

    async def _answer_entry(self, request: EntryRequest, writer: asyncio.StreamWriter) -> None:
        reply = DeskReply(request.request_id)
        try:
            await self._write(request)
        except IntentError as error:
            reply = DeskReply(request.request_id, error.code, error.message)
        if not writer.is_closing():
            self._flush()
            writer.write(frame(reply))

    async def _write(self, request: EntryRequest) -> None:
        try:
            entry = decode(request.kind, request.body)
        except JournalError as error:
            raise IntentError("unknown-order", str(error)) from None
        if self._write_down is None:
            raise IntentError("unknown-order", "Nothing of this kind is written down here.")
        await self._write_down(entry)

    async def _answer(self, request: DeskRequest, writer: asyncio.StreamWriter) -> None:
        try:
            await carry_out(self._desk(), request)
            reply = DeskReply(request.request_id)
        except IntentError as error:
            reply = DeskReply(request.request_id, error.code, error.message)
        if not writer.is_closing():
            self._flush()  # what an order changed is told before its answer, as ever
            writer.write(frame(reply))
