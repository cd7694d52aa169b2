"""The hub between the floor and the browsers: one subscription in, one numbered stream out, filtered for each person.

The floor's callbacks, the browsers' frames and the timers all run on one event loop; nothing here awaits while it
changes state, so no browser ever sees half a change.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from agent_console import envelope
from agent_console.change_log import ChangeLog, Entry
from agent_console.connections import CloseCode, Connection
from agent_console.intents import IntentMemory
from agent_console.messages import (
    Change,
    ClaimsChanged,
    ExchangeStatus,
    FromBrowser,
    Hello,
    Intent,
    IntentRefused,
    Ping,
    Pong,
    Resync,
    Snapshot,
    Unnumbered,
    Welcome,
)
from agent_console.outbox import NumberedBody
from agent_console.ports import Desk, Floor, IntentError, Principal, Role
from agent_console.sessions import Session
from agent_console.sight import Sight
from agent_console.softphone import SoftphoneLine
from agent_console.softphone_switch import NoExchange, SoftphoneSwitch

log = structlog.get_logger()


_ASSIGNING = frozenset({Role.TEAM_LEAD, Role.SUPERVISOR, Role.ADMINISTRATOR})
"""Who decides about claims."""


@dataclass(frozen=True, slots=True)
class HubLimits:
    """Everything that is bounded; times in milliseconds."""

    history: int = 5_000
    """Changes kept for browsers that come back."""
    outbox: int = 1_000
    """Numbered frames that may wait for one browser."""
    sockets_per_user: int = 10
    silent_after: int = 25_000
    """A browser pings every 10 s; one that is silent this long is dead."""
    hello_within: int = 10_000
    sweep_every: int = 1_000
    snapshots: int = 64
    """Encoded snapshots kept, one for each sight, as long as nothing changes."""


class ConsoleHub:
    """Follows one floor and feeds every browser. ``start`` and ``stop`` belong to the web application's lifespan."""

    def __init__(
        self,
        floor: Floor,
        desk: Desk,
        *,
        clock: Callable[[], int],
        limits: HubLimits | None = None,
        epoch: str | None = None,
        softphones: SoftphoneLine | None = None,
    ) -> None:
        self.limits = limits or HubLimits()
        self.intents = IntentMemory(desk)
        self._floor = floor
        self._desk = desk
        self._clock = clock
        self._epoch = epoch or secrets.token_urlsafe(8)
        self._log = ChangeLog(history=self.limits.history)
        self._connections: dict[Connection, None] = {}
        self._snapshots: OrderedDict[Sight, NumberedBody] = OrderedDict()
        self._unsubscribe: Callable[[], None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._softphones = SoftphoneSwitch(softphones or NoExchange(), self._reply)
        self.tell_softphone = self._softphones.tell
        self.on_watched: Callable[[bool], None] = lambda watched: None  # noqa: ARG005
        """Hears when the first browser comes and when the last one goes."""

    def seats(self) -> frozenset[str]:
        """Agents who have a console open."""
        return frozenset(each.principal.agent_id for each in self._connections if each.principal.agent_id is not None)

    def tell_claims_changed(self) -> None:
        """Let those who assign customers look again at the claims."""
        for connection in list(self._connections):
            if connection.greeted and connection.principal.roles & _ASSIGNING:
                self._reply(connection, ClaimsChanged())

    def __len__(self) -> int:
        """Open sockets."""
        return len(self._connections)

    # Life

    async def start(self) -> None:
        """Subscribe to the floor, and begin to look for dead sockets."""
        self._unsubscribe = self._floor.subscribe(self._on_change, self._on_reset, self._on_status)
        self._log.reset(self._floor.snapshot())
        self._spawn(self._sweep_forever(), "console sweep")

    async def stop(self) -> None:
        """Close every socket, leave the floor, end every task; harmless when stopped already."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        for connection in list(self._connections):
            self._end(connection, CloseCode.RESTART, "the console restarts")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.intents.close()

    def connect(self, principal: Principal, session: Session) -> Connection:
        """Take in a socket that was let in. An agent's seat is taken with it."""
        theirs = [known for known in self._connections if known.principal.user_id == principal.user_id]
        if len(theirs) >= self.limits.sockets_per_user:
            self._end(theirs[0], CloseCode.SUPERSEDED, "too many windows")
        connection = Connection(principal, session, now=self._clock(), outbox_limit=self.limits.outbox)
        self._connections[connection] = None
        if len(self._connections) == 1:
            self.on_watched(True)
        self._take_seat(principal)
        return connection

    def disconnect(self, connection: Connection) -> None:
        """Forget a socket; harmless when it is forgotten. The agent's seat stays as it is."""
        if connection in self._connections:
            del self._connections[connection]
            if not self._connections:
                self.on_watched(False)
        self._softphones.leave(connection)
        if connection.outbox.resyncs:
            log.info("console.browser_was_slow", resyncs=connection.outbox.resyncs)

    def end_session(self, session: Session) -> Principal | None:
        """Close the sockets of a session that was signed out; the person they belonged to when there were any."""
        principal = None
        for connection in list(self._connections):
            if connection.session.session_id == session.session_id:
                principal = connection.principal
                self._end(connection, CloseCode.SESSION_ENDED, "signed out")
        return principal

    def recognise(self, connection: Connection, principal: Principal) -> None:
        """The person's account was looked up again: see and do from now on what it says now."""
        sight = Sight.of(principal)
        connection.principal = principal
        if sight != connection.sight:
            connection.sight = sight
            if connection.greeted:
                self._greet(connection, Hello())

    # From the browser

    def receive(self, connection: Connection, frame: FromBrowser) -> None:
        """One frame from a browser."""
        connection.heard_at = self._clock()
        match frame:
            case Hello():
                self._greet(connection, frame)
            case Ping():
                self._reply(connection, Pong(self._clock()))
            case _ if not connection.greeted:
                self._end(connection, CloseCode.POLICY, "hello comes first")
            case Resync():
                connection.outbox.start_afresh()
                connection.wake.set()
            case Intent():
                self._queue_intent(connection, frame)
            case _:
                self._softphones.take(connection, frame)

    async def carry_out_next(self, connection: Connection) -> None:
        """Carry out this browser's next intent, in the order it sent them, and answer it."""
        intent = await connection.intents.get()
        self._reply(connection, await self.intents.carry_out(connection.principal, intent))

    def take(self, connection: Connection) -> str | None:
        """The next frame to send to this browser, ``None`` when there is nothing yet."""
        return connection.outbox.take(lambda: self._snapshot(connection.sight))

    def sweep(self, *, now: int) -> None:
        """Close sockets that are silent, never said hello, or sit there without a session."""
        for connection in list(self._connections):
            if now - connection.heard_at >= self.limits.silent_after:
                self._end(connection, CloseCode.SILENT, "nothing was heard")
            elif not connection.greeted and now - connection.opened_at >= self.limits.hello_within:
                self._end(connection, CloseCode.POLICY, "hello did not come")

    # From the floor

    def _on_change(self, change: Change) -> None:
        entry = self._log.record(change, now=self._clock())
        if entry is None:
            return
        for connection in self._connections:
            self._push(connection, entry)

    def _on_reset(self) -> None:
        self._log.reset(self._floor.snapshot())
        self._snapshots.clear()
        for connection in self._connections:
            if connection.greeted:
                connection.outbox.start_afresh()
                connection.wake.set()

    def _on_status(self, up: bool) -> None:
        log.info("console.exchange_status", up=up)
        for connection in list(self._connections):
            if connection.greeted:
                self._reply(connection, ExchangeStatus(up))
            if up:
                self._take_seat(connection.principal)
        if up:
            self._softphones.announce()

    # Inside

    def _greet(self, connection: Connection, hello: Hello) -> None:
        connection.greeted = True
        epoch = self._epoch_for(connection.sight)
        missed = self._missed(connection.sight, hello) if hello.epoch == epoch else None
        self._reply(connection, Welcome(epoch, missed is not None, self._clock()))
        self._reply(connection, ExchangeStatus(self._floor.is_live()))
        if missed is None or hello.seq is None:
            connection.outbox.start_afresh()
            return
        connection.outbox.start_after(hello.seq)
        for entry in missed:
            self._push(connection, entry)

    def _missed(self, sight: Sight, hello: Hello) -> list[Entry] | None:
        """What this browser may see of the changes after its last one; ``None`` when a snapshot is better."""
        entries = self._log.since(hello.seq) if hello.seq is not None else None
        if entries is None:
            return None
        visible = [entry for entry in entries if sight.of_change(entry) is not None]
        return visible if len(visible) <= self.limits.outbox else None

    def _epoch_for(self, sight: Sight) -> str:
        """Numbers of one run of the web process, seen with one sight: only within it can a browser resume."""
        return f"{self._epoch}.{sight.key}"

    def _push(self, connection: Connection, entry: Entry) -> None:
        change = connection.sight.of_change(entry)
        if change is None:
            return
        body = entry.body if change is entry.change else envelope.body(change)
        connection.outbox.push(change, NumberedBody(entry.seq, entry.at, body))
        connection.wake.set()

    def _reply(self, connection: Connection, frame: Unnumbered) -> None:
        if not connection.outbox.reply(frame):
            self._end(connection, CloseCode.POLICY, "answers are not read")
        connection.wake.set()

    def _queue_intent(self, connection: Connection, intent: Intent) -> None:
        try:
            connection.intents.put_nowait(intent)
        except asyncio.QueueFull:
            refusal = IntentRefused(intent.intent_id, "too-many-requests", "Too many requests are under way.")
            self._reply(connection, refusal)

    def _snapshot(self, sight: Sight) -> NumberedBody:
        cached = self._snapshots.get(sight)
        if cached is not None and cached.seq == self._log.seq:
            return cached
        body = envelope.body(Snapshot(sight.of_floor(self._log.floor())))
        fresh = NumberedBody(self._log.seq, self._clock(), body)
        self._snapshots[sight] = fresh
        self._snapshots.move_to_end(sight)
        if len(self._snapshots) > self.limits.snapshots:
            self._snapshots.popitem(last=False)
        return fresh

    def _end(self, connection: Connection, code: CloseCode, reason: str) -> None:
        connection.close(code, reason)
        self.disconnect(connection)

    def _take_seat(self, principal: Principal) -> None:
        if principal.agent_id is not None and Role.AGENT in principal.roles:
            self._spawn(self._sign_in(principal.agent_id), "console seat")

    async def _sign_in(self, agent_id: str) -> None:
        try:
            await self._desk.sign_in(agent_id)
        except IntentError as refusal:
            log.warning("console.seat_refused", agent_id=agent_id, code=refusal.code)
        except Exception as error:  # noqa: BLE001 - the edge of one socket: a seat not taken must not end the console
            log.error("console.seat_failed", agent_id=agent_id, error_type=type(error).__name__, error_pii=str(error))

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(self.limits.sweep_every / 1000)
            self.sweep(now=self._clock())

    def _spawn(self, work: "asyncio._CoroutineLike[None]", name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
