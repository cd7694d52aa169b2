"""The keeper: owns every RTP socket and every session's description, so that a worker is replaceable at any moment.

It follows the exchange's orders by handing descriptions and sockets to workers, and knows nothing of audio itself.
"""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections import deque
from pathlib import Path

import msgspec
import structlog

from callcenter.errors import MediaError
from callcenter.media.mediad.births import StartedNursery
from callcenter.media.mediad.browsers_line import BrowsersLine
from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.crew import Crew, WorkerProcess
from callcenter.media.mediad.door import Door
from callcenter.media.mediad.held import HeldSession
from callcenter.media.mediad.ledger import RecordingLedger
from callcenter.media.mediad.ports import PortPool
from callcenter.media.mediad.recorder_line import RecorderLine
from callcenter.media.mediad.recorder_protocol import Written
from callcenter.media.mediad.settings import MediaSettings
from callcenter.media.mediad.sockets import RtpSockets, now_ms
from callcenter.media.protocol import (
    AskStatus,
    Converge,
    Converged,
    DigitHeard,
    DropSession,
    Heartbeat,
    Hello,
    LegCounts,
    LegSpec,
    MediaStatus,
    Order,
    OrderRefused,
    PlayEnded,
    PortsGranted,
    PutSession,
    QualityTurned,
    QuietNoticed,
    RecordingDone,
    RecordingHurt,
    Release,
    Released,
    Reply,
    SessionDropped,
    SessionGone,
    SessionPut,
    SessionSpec,
    SilenceNoticed,
    Welcome,
    WorkerReply,
)
from callcenter.niceness import MEDIA, go_before

log = structlog.get_logger(__name__)

_WATCH = 0.25
"""Seconds between looks at the workers, the parent and the grace time."""
_MOST_UNTOLD = 10_000


class Keeper:
    """Sessions, sockets and workers of one ``mediad``."""

    def __init__(self, settings: MediaSettings, nursery: StartedNursery | None = None) -> None:
        """``nursery``: see ``Births``."""
        self._settings = settings
        self._ports = PortPool(settings.port_min, settings.port_max, quarantine=settings.quarantine)
        self._sockets = RtpSockets(settings.host, self._ports)
        self._told_busy = False
        self._checkpoint = Checkpoint.create(max(1, self._ports.size))
        self._sessions: dict[str, HeldSession] = {}
        self._door: Door[Hello, Order, Reply] = Door(
            "media",
            msgspec.msgpack.Decoder(Order),
            Hello,
            on_order=self._follow,
            on_epoch=self._clear,
            on_present=self._receive_exchange,
            greeting=lambda is_new: Welcome(settings.sdp_address, () if is_new else tuple(self._sessions)),
            refusal=OrderRefused(0, MediaError.code, "a newer exchange is in charge"),
        )
        self._recorder = RecorderLine(
            settings,
            on_reply=self._hear_recorder,
            under_way=lambda: self._ledger.under_way(),  # noqa: PLW0108 - made below
            workers=lambda: self._crew.all(),  # noqa: PLW0108 - made below
        )
        self._ledger = RecordingLedger(self._recorder.send)
        self._untold: deque[RecordingDone] = deque(maxlen=_MOST_UNTOLD)
        """Finished recordings of which no exchange has been told."""
        self._crew = Crew(
            settings,
            self._checkpoint,
            max(1, self._ports.size),
            on_reply=self._hear,
            on_death=self._mourn,
            on_arrival=self._place_all,
            on_start=self._recorder.connect,
            nursery=nursery,
        )
        self._browsers = BrowsersLine(settings)
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, or until the parent is gone."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        if self._settings.realtime:
            go_before(MEDIA)  # callers hear nothing until it notices a dead worker
        self._recorder.start()
        self._browsers.start()
        opening = asyncio.create_task(self._open())
        try:
            await self._watch()
        finally:
            opening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await opening
            _unlink(self._settings.socket_path)
            await self._door.close()
            self._crew.close()
            await self._browsers.close()
            await self._recorder.close()
            self._sockets.revoke()
            for session in self._sessions.values():
                for sock in session.sockets.values():
                    sock.close()
            self._checkpoint.close()
            log.info("media.stopped")

    async def _open(self) -> None:
        """Let the exchange in once a worker works, so that no call waits for one that still compiles."""
        await self._crew.has_started.wait()
        await self._door.open(self._settings.socket_path)
        loop = next((worker.loop for worker in self._crew.all() if worker.loop), "")
        log.info("media.started", workers=self._settings.workers, ports=self._ports.size, loop=loop)

    async def _watch(self) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), _WATCH)
            self._crew.watch()
            self._recorder.watch()
            self._browsers.watch()
            self._grant()
            if self._sessions and self._door.absent_for() * 1000 > self._settings.grace:
                log.error("media.exchange_gone", sessions=len(self._sessions))
                self._clear()
            if self._settings.parent_pid is not None and not _is_alive(self._settings.parent_pid):
                return

    def _clear(self) -> None:
        """Close every session: nobody wants them any more."""
        for session_id in [*self._sessions]:
            self._drop(session_id)

    # Orders of the exchange.

    def _follow(self, order: Order) -> None:
        match order:
            case PutSession(request, spec):
                try:
                    self._put(request, spec)
                except MediaError as error:
                    self._door.tell(OrderRefused(request, error.code, str(error), spec.session_id))
            case DropSession(request, session_id):
                self._drop(session_id, request)
            case AskStatus(request):
                self._door.tell(self._status(request))
            case _:
                log.error("media.unexpected_order", order=type(order).__name__)

    def _put(self, request: int, spec: SessionSpec) -> None:
        session = self._sessions.get(spec.session_id)
        if session is not None and session.is_closing:
            raise MediaError("the session is being closed")
        recorded = {recording.recording_id for recording in session.spec.recordings} if session is not None else set()
        if not self._recorder.is_able and any(new.recording_id not in recorded for new in spec.recordings):
            raise MediaError("there is no recorder")
        if session is None:
            worker = self._least_busy()
            session = HeldSession(SessionSpec(spec.session_id, 0), worker=worker)
        self._open_sockets(session, [leg for leg in spec.legs if leg.leg_id not in session.sockets])
        self._sessions[spec.session_id] = session
        for play_id in session.adopt(spec):
            self._door.tell(PlayEnded(spec.session_id, play_id, "end"))
        if request:
            session.waiting.append((spec.version, request))
        self._hand_over(session)
        self._grant()

    def _least_busy(self) -> WorkerProcess | None:
        """The worker for a new session, ``None`` while all are replaced. Raises ``MediaError`` if all are busy."""
        if not self._crew.active:
            return None
        if len(self._crew.active) == 1 and not self._is_busy():
            return self._crew.active[0]
        load: dict[int, int] = {}
        for session in self._sessions.values():
            if session.worker is not None:
                load[id(session.worker)] = load.get(id(session.worker), 0) + 1
        if self._is_busy():
            raise MediaError("media is overloaded")
        return min(self._crew.active, key=lambda worker: (round(worker.busy, 1), load.get(id(worker), 0)))

    def _is_busy(self) -> bool:
        """Whether no worker can take one more session."""
        return min((worker.busy for worker in self._crew.active), default=0.0) > self._settings.most_busy

    def _grant(self) -> None:
        """Tell the exchange of more ports, and when media becomes overloaded or is no more."""
        if not self._door.is_attended:
            return
        ports, is_busy = self._sockets.grant(), self._is_busy()
        if ports or is_busy is not self._told_busy:
            self._told_busy = is_busy
            self._door.tell(PortsGranted(ports, is_busy))

    def _open_sockets(self, session: HeldSession, legs: list[LegSpec]) -> None:
        """Sockets for new legs, for all of them or none."""
        opened: dict[str, tuple[int, socket.socket]] = {}
        try:
            for leg in legs:
                opened[leg.leg_id] = self._sockets.take(leg.port)
        except MediaError:
            for port, sock in opened.values():
                self._sockets.close(port, sock)
            raise
        for leg_id, (port, sock) in opened.items():
            self._checkpoint.clear(self._slot(port))
            session.hold(leg_id, port, sock)

    def _slot(self, port: int) -> int:
        return (port - self._ports.first) // 2

    def _hand_over(self, session: HeldSession) -> None:
        """Tell the session's worker what the session shall be; nothing happens while there is no worker."""
        worker = session.worker
        taps = self._ledger.follow(
            session.spec.session_id,
            session.spec.recordings,
            worker,
            epoch=self._door.epoch,
            now=now_ms(),
            wall=time.time_ns() // 1_000_000,
        )
        if worker is None:
            return
        legs = {leg.leg_id for leg in session.spec.legs}
        new = tuple(leg.leg_id for leg in session.spec.legs if leg.leg_id not in session.known_to_worker)
        slots = {leg_id: self._slot(session.ports[leg_id]) for leg_id in new}
        controls = self._new_controls(session)
        is_awaited = bool(session.waiting) or session.sockets.keys() != legs
        worker.send(
            Converge(session.spec, slots, new, taps, tuple(controls), is_awaited),
            [*(session.sockets[leg_id] for leg_id in new), *controls.values()],
        )
        session.known_to_worker = legs

    def _new_controls(self, session: HeldSession) -> dict[str, socket.socket]:
        """Sockets for reports that the worker does not have yet, opened when they are needed for the first time."""
        new: dict[str, socket.socket] = {}
        for leg in session.spec.legs:
            if leg.control is None or leg.leg_id in session.controls_known:
                continue
            if leg.leg_id not in session.controls:
                session.controls[leg.leg_id] = self._sockets.open_control(session.ports[leg.leg_id])
            control = session.controls[leg.leg_id]
            if control is not None:
                new[leg.leg_id] = control
        session.controls_known |= new.keys()
        return new

    def _drop(self, session_id: str, request: int | None = None) -> None:
        session = self._sessions.get(session_id)
        if session is None:
            if request is not None:
                self._door.tell(SessionDropped(request, {}))
            return
        if request is not None:
            session.drop_requests.append(request)
        if session.worker is None:
            self._finish(session_id, {})
        elif not session.is_closing:
            session.is_closing = True
            session.worker.send(Release(session_id))

    def _status(self, request: int) -> MediaStatus:
        free, used, resting = self._sockets.counts()
        active = self._crew.active
        return MediaStatus(
            request,
            sessions=len(self._sessions),
            ports_free=free,
            ports_used=used,
            ports_quarantined=resting,
            worker_pids=self._crew.pids(),
            busy=max((worker.busy for worker in active), default=0.0),
            ticks_skipped=sum(worker.ticks_skipped for worker in active),
            worker_deaths=self._crew.deaths,
            recorder_pid=self._recorder.pid,
            recorder_deaths=self._recorder.deaths,
            browsers_pid=self._browsers.pid,
            browsers_deaths=self._browsers.deaths,
            standbys=self._crew.standbys(),
            loops=tuple(worker.loop for worker in active),
            late_p50_ms=max((late for worker in active if (late := worker.lateness(0.5)) is not None), default=None),
            late_p99_ms=max((late for worker in active if (late := worker.lateness(0.99)) is not None), default=None),
        )

    # What the workers tell.

    def _hear(self, reply: WorkerReply) -> None:
        match reply:
            case Converged(session_id, version, closed):
                session = self._sessions.get(session_id)
                if session is not None:
                    session.closed.update(closed)
                    self._settle(session, version)
            case Released(session_id, closed):
                self._finish(session_id, closed)
            case PlayEnded(session_id, play_id):
                session = self._sessions.get(session_id)
                if session is not None:
                    session.end_play(play_id)
                    self._door.tell(reply)
            case DigitHeard() | SilenceNoticed() | QuietNoticed() | QualityTurned():
                self._door.tell(reply)
            case RecordingHurt():
                self._hear_recorder(reply)
            case Heartbeat():
                pass

    def _hear_recorder(self, reply: Written | RecordingHurt) -> None:
        """News of recordings; that one is on disk is kept until there is an exchange to be told."""
        match reply:
            case RecordingHurt(number, reason):
                suffers = self._ledger.suffer(number, reason)
                if suffers is not None:
                    log.error("media.recording_degraded", session_id=suffers.session_id, reason=reason)
                    self._door.tell(suffers)
            case Written():
                done = self._ledger.finish(reply)
                if not self._door.tell(done):
                    self._untold.append(done)

    def _receive_exchange(self) -> None:
        """An exchange is there: it gets ports of its own, and is told of recordings finished in its absence."""
        self._sockets.revoke()
        self._told_busy = False
        self._grant()
        while self._untold and self._door.tell(self._untold[0]):
            self._untold.popleft()

    def _settle(self, session: HeldSession, version: int) -> None:
        """The worker follows this version: close what left, answer who waits."""
        if version == session.spec.version:
            for leg_id in session.sockets.keys() - session.known_to_worker:
                session.closed.setdefault(leg_id, self._last_counts(session, leg_id))
                self._sockets.close(*session.let_go(leg_id))
        answered = [request for waited, request in session.waiting if waited <= version]
        session.waiting = [(waited, request) for waited, request in session.waiting if waited > version]
        ports = dict(session.ports)
        for request in answered:
            self._door.tell(SessionPut(request, ports, session.closed))
            session.closed = {}

    def _finish(self, session_id: str, closed: dict[str, LegCounts]) -> None:
        """A session is closed: free its ports and answer who waits."""
        session = self._sessions.pop(session_id, None)
        if session is None:
            return
        self._ledger.end_session(session_id)
        counts = {leg_id: closed.get(leg_id) or self._last_counts(session, leg_id) for leg_id in session.sockets}
        for leg_id in [*session.sockets]:
            self._sockets.close(*session.let_go(leg_id))
        for _, request in session.waiting:
            self._door.tell(OrderRefused(request, MediaError.code, "the session is closed"))
        for request in session.drop_requests:
            self._door.tell(SessionDropped(request, counts | closed))

    def _last_counts(self, session: HeldSession, leg_id: str) -> LegCounts:
        """A leg's figures as its last worker left them."""
        return self._checkpoint.noted(self._slot(session.ports[leg_id]))

    def _mourn(self, worker: WorkerProcess) -> None:
        """A worker died: its sessions wait for another, except those that were there when it happened before."""
        now = now_ms()
        self._ledger.lose_feeder(worker)
        for session_id, session in list(self._sessions.items()):
            if session.worker is not worker:
                continue
            may_live = session.lose_worker(now=now)
            if session.is_closing or not may_live:
                if not session.is_closing:
                    log.error("media.session_dropped", session_id=session_id)
                    self._door.tell(SessionGone(session_id))
                self._finish(session_id, {})

    def _place_all(self) -> None:
        """Workers arrived: hand them the sessions that have none."""
        for number, session in enumerate(session for session in self._sessions.values() if session.worker is None):
            session.worker = self._crew.active[number % len(self._crew.active)]
            self._hand_over(session)


def _unlink(path: str) -> None:
    Path(path).unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
