"""The recorder as the keeper sees it: started, connected to every worker, and replaced when it dies."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable

import msgspec
import structlog

from callcenter.media.mediad.crew import WorkerProcess
from callcenter.media.mediad.recorder_protocol import (
    LARGEST_MESSAGE,
    Begin,
    OpenRecording,
    RecorderBeat,
    RecorderOrder,
    RecorderReply,
    TakeFeed,
    Written,
)
from callcenter.media.mediad.settings import MediaSettings
from callcenter.media.protocol import RecordingHurt, UseRecorder

log = structlog.get_logger(__name__)

_HUNG_AFTER = 10.0
"""Seconds without a sign of life. The reading thread gives it whatever the disk does."""
_STARTED_WITHIN = 30.0
_LONGEST_PAUSE = 5.0
_GIVEN_UP_AFTER = 2
"""Failed starts after which new recordings are refused until one succeeds."""
_BUFFER = 1 << 20
"""Bytes in the socket between a worker and the recorder."""
_SO_SNDBUFFORCE = 32


class RecorderLine:
    """One recorder at a time. ``on_reply`` gets what it tells, ``under_way`` is asked when a new one begins."""

    def __init__(
        self,
        settings: MediaSettings,
        *,
        on_reply: Callable[[Written | RecordingHurt], None],
        under_way: Callable[[], tuple[OpenRecording, ...]],
        workers: Callable[[], Iterable[WorkerProcess]],
    ) -> None:
        self._settings = settings
        self._on_reply, self._under_way, self._workers = on_reply, under_way, workers
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._outbox: deque[tuple[bytes, socket.socket | None]] = deque()
        self._decoder = msgspec.msgpack.Decoder(RecorderReply)
        self._loop = asyncio.get_running_loop()
        self._retry: asyncio.TimerHandle | None = None
        self._seen_at = 0.0
        self._has_started = False
        self._failed_starts = 0
        self.deaths = 0

    @property
    def is_able(self) -> bool:
        """Whether recording is set up, and not failing again and again."""
        return bool(self._settings.recordings) and self._failed_starts < _GIVEN_UP_AFTER

    @property
    def pid(self) -> int:
        """Its process id, 0 when there is none."""
        return 0 if self._process is None else self._process.pid

    def start(self) -> None:
        """Start a recorder, tell it what is under way and connect the workers to it."""
        self._retry = None
        if not self._settings.recordings:
            return
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        arguments = ["--control", str(theirs.fileno()), "--folder", self._settings.recordings]
        if self._settings.recording_key:
            arguments += ["--key", self._settings.recording_key]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "callcenter.media.mediad.recorder", *arguments],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._seen_at, self._has_started = time.monotonic(), False
        self._loop.add_reader(self._control.fileno(), self._listen)
        self.send(Begin(self._under_way()))
        for worker in self._workers():
            self.connect(worker)

    def connect(self, worker: WorkerProcess) -> None:
        """Lay a socket from a worker to the recorder."""
        if self._control is None:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            ours.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER)
        except PermissionError:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        self.send(TakeFeed(), theirs)
        worker.send(UseRecorder(), [ours], hand_over=True)

    def send(self, order: RecorderOrder, sock: socket.socket | None = None) -> None:
        """Give an order, with a socket that is closed here then. Without a recorder it is not kept: ``Begin`` will
        tell the next one."""
        if self._control is None:
            if sock is not None:
                sock.close()
            return
        self._outbox.append((msgspec.msgpack.encode(order), sock))
        self._flush()

    def watch(self) -> None:
        """Flush what waits and kill a recorder that hangs; to be called a few times a second."""
        self._flush()
        limit = _HUNG_AFTER if self._has_started else _STARTED_WITHIN
        if self._process is not None and time.monotonic() - self._seen_at > limit:
            log.error("media.recorder_hung", pid=self._process.pid)
            self._process.kill()

    async def close(self) -> None:
        """Let the recorder bring its files to the disk and leave; kill it when it takes too long."""
        if self._retry is not None:
            self._retry.cancel()
        process, self._process = self._process, None
        if process is None:
            return
        self._hang_up()
        try:
            await asyncio.to_thread(process.wait, 5)
        except subprocess.TimeoutExpired:
            process.kill()

    def _flush(self) -> None:
        while self._outbox and self._control is not None:
            data, sock = self._outbox[0]
            try:
                if sock is None:
                    self._control.send(data)
                else:
                    socket.send_fds(self._control, [data], [sock.fileno()])
            except BlockingIOError:
                return
            except OSError:  # it died; ``_listen`` will notice
                return
            self._outbox.popleft()
            if sock is not None:
                sock.close()

    def _listen(self) -> None:
        while self._control is not None:
            try:
                data = self._control.recv(LARGEST_MESSAGE)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._bury()
                return
            reply = self._decoder.decode(data)
            self._seen_at, self._has_started, self._failed_starts = time.monotonic(), True, 0
            if not isinstance(reply, RecorderBeat):
                self._on_reply(reply)

    def _bury(self) -> None:
        process, self._process = self._process, None
        self._hang_up()
        if process is not None:
            process.kill()
            process.wait()
            log.error("media.recorder_died", pid=process.pid, code=process.returncode)
        self.deaths += 1
        if self._has_started:
            self.start()
            return
        self._failed_starts += 1
        self._retry = self._loop.call_later(min(_LONGEST_PAUSE, 0.1 * 2**self._failed_starts), self.start)

    def _hang_up(self) -> None:
        if self._control is not None:
            self._loop.remove_reader(self._control.fileno())
            self._control.close()
            self._control = None
        for _, sock in self._outbox:
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.close()
        self._outbox.clear()
