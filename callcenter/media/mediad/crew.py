"""The worker processes as the keeper sees them: started, listened to, and replaced when they die."""

import asyncio
import itertools
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

import msgspec
import structlog

from callcenter.media.mediad.births import Births, StartedNursery
from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.lateness import percentile
from callcenter.media.mediad.settings import Birth, MediaSettings
from callcenter.media.protocol import MOST_SOCKETS, Heartbeat, WorkerOrder, WorkerReply

log = structlog.get_logger(__name__)

_HUNG_AFTER = 3.0
"""Seconds without a heartbeat after which a worker is killed."""
_STARTED_WITHIN = 60.0
"""Seconds a new worker has for its first heartbeat; it may have to compile first."""
_reply = memoryview(bytearray(1 << 20))
"""Where a reply is read into; the largest that there is."""
_Waiting = tuple[WorkerOrder, Sequence[socket.socket], bool]
"""An order, its sockets, and whether these are handed over."""
_MOST_TOGETHER = 16
"""Orders in one message: what the kernel takes at once is ten times as much."""
_LATELY = 16
"""Heartbeats (four seconds) whose figures are told."""
_LONGEST_PAUSE = 5.0


class WorkerProcess:
    """One worker with its socket. Orders wait in an outbox while the worker is slow."""

    def __init__(self, births: Births, birth: Birth, checkpoint: Checkpoint) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        with theirs:
            self.process = births.bear(birth, theirs, checkpoint)
        self.busy = 0.0
        self.loop = ""
        """What relays packets there, once it is known."""
        self.ticks_skipped = 0
        self._late: deque[dict[int, int]] = deque(maxlen=_LATELY)
        self.has_started = False
        self.seen_at = time.monotonic()
        self._outbox: deque[_Waiting] = deque()
        self._is_leaving = False
        """Whether what waits leaves at the end of this turn of the event loop."""
        self._decoder = msgspec.msgpack.Decoder(WorkerReply)

    @property
    def descriptor(self) -> int:
        """The control socket's, for the event loop."""
        return self._control.fileno()

    def send(self, order: WorkerOrder, sockets: Sequence[socket.socket] = (), *, hand_over: bool = False) -> None:
        """Give an order, together with sockets; handed over ones are closed here once the worker has them.

        Orders of one turn of the event loop leave together.
        """
        if not self._is_leaving:
            self._is_leaving = True
            asyncio.get_running_loop().call_soon(self.flush)
        self._outbox.append((order, sockets, hand_over))

    def flush(self) -> bool:
        """Send what waits; true when nothing is left. A dead worker is noticed by ``receive``."""
        self._is_leaving = False
        while self._outbox:
            together = self._next()
            data = msgspec.msgpack.encode([order for order, _, _ in together])
            descriptors = [sock.fileno() for _, sockets, _ in together for sock in sockets]
            try:
                if descriptors:
                    socket.send_fds(self._control, [data], descriptors)
                else:
                    self._control.send(data)
            except BlockingIOError:
                return False
            except OSError:
                self._discard()
                return True
            for _ in together:
                self._done_with(*self._outbox.popleft())
        return True

    def _next(self) -> "list[_Waiting]":
        """The orders that leave with the next message: one at least."""
        together: list[_Waiting] = []
        sockets = 0
        for each in itertools.islice(self._outbox, _MOST_TOGETHER):
            sockets += len(each[1])
            if together and sockets > MOST_SOCKETS:
                break
            together.append(each)
        return together

    def receive(self) -> list[WorkerReply] | None:
        """The next that the worker has told, if it is not just that it lives; ``None`` when it is dead."""
        try:
            size = self._control.recv_into(_reply)
        except BlockingIOError:
            return []
        except OSError:
            size = 0
        if not size:
            return None
        reply = self._decoder.decode(_reply[:size])
        self.seen_at = time.monotonic()
        if not isinstance(reply, Heartbeat):
            return [reply]
        self.has_started = True
        self.busy = 0.7 * self.busy + 0.3 * reply.busy
        self.ticks_skipped, self.loop = reply.ticks_skipped, reply.loop
        self._late.append(reply.late)
        return []

    def lateness(self, share: float) -> float | None:
        """What share of its ticks was not later than so many milliseconds; ``None`` without ticks."""
        counts: Counter[int] = Counter()
        for each in self._late:
            counts.update(each)
        return percentile(counts, share)

    def is_hung(self) -> bool:
        """Whether the sign of life is overdue."""
        return time.monotonic() - self.seen_at > (_HUNG_AFTER if self.has_started else _STARTED_WITHIN)

    def kill(self) -> None:
        """End it now and reap it."""
        self._discard()
        self._control.close()
        self.process.kill()
        self.process.wait()

    def _discard(self) -> None:
        while self._outbox:
            self._done_with(*self._outbox.popleft())

    @staticmethod
    def _done_with(_: WorkerOrder, sockets: Sequence[socket.socket], hand_over: bool) -> None:
        if hand_over:
            for sock in sockets:
                sock.close()


class Crew:
    """The active workers and the ones in reserve."""

    def __init__(
        self,
        settings: MediaSettings,
        checkpoint: Checkpoint,
        slots: int,
        *,
        on_reply: Callable[[WorkerReply], None],
        on_death: Callable[[WorkerProcess], None],
        on_arrival: Callable[[], None],
        on_start: Callable[[WorkerProcess], None],
        nursery: StartedNursery | None = None,
    ) -> None:
        """``nursery``: see ``Births``."""
        self._settings, self._checkpoint = settings, checkpoint
        self._birth = Birth(slots, settings.silence_timeout, settings.loop, settings.realtime)
        self._on_reply, self._on_death, self._on_arrival = on_reply, on_death, on_arrival
        self._on_start = on_start
        self.active: list[WorkerProcess] = []
        self._reserve: list[WorkerProcess] = []
        self._failed_starts = 0
        self.deaths = 0
        self.has_started = asyncio.Event()
        """Set when a worker works for the first time."""
        self._loop = asyncio.get_running_loop()
        self._retry: asyncio.TimerHandle | None = None
        self._births = Births(settings, on_ready=self.fill, nursery=nursery)

    def fill(self) -> None:
        """Bring the crew to strength, from the reserve where there is one; first when the nursery is ready."""
        self._retry = None
        while len(self.active) < self._settings.workers:
            self.active.append(self._reserve.pop(0) if self._reserve else self._start())
        self._on_arrival()
        while len(self._reserve) < self._settings.standby:
            self._reserve.append(self._start())

    def watch(self) -> None:
        """Kill workers that hang and flush what waits; to be called a few times a second."""
        self._births.watch()
        for worker in self.all():
            worker.flush()
            if worker.is_hung():
                log.error("media.worker_hung", pid=worker.process.pid)
                worker.process.kill()

    def all(self) -> list[WorkerProcess]:
        """Every worker, those in reserve too."""
        return [*self.active, *self._reserve]

    def pids(self) -> tuple[int, ...]:
        """Process ids of the active workers."""
        return tuple(worker.process.pid for worker in self.active)

    def standbys(self) -> int:
        """Workers in reserve that can take over at once."""
        return sum(worker.has_started for worker in self._reserve)

    def close(self) -> None:
        """End all workers."""
        if self._retry is not None:
            self._retry.cancel()
        self._births.close()
        for worker in self.all():
            self._loop.remove_reader(worker.descriptor)
            worker.kill()
        self.active, self._reserve = [], []

    def _start(self) -> WorkerProcess:
        worker = WorkerProcess(self._births, self._birth, self._checkpoint)
        self._loop.add_reader(worker.descriptor, self._listen, worker)
        self._on_start(worker)
        return worker

    def _listen(self, worker: WorkerProcess) -> None:
        replies = worker.receive()
        if replies is None:
            self._bury(worker)
            return
        if worker.has_started:
            self._failed_starts = 0
            self.has_started.set()
        for reply in replies:
            self._on_reply(reply)

    def _bury(self, worker: WorkerProcess) -> None:
        self._loop.remove_reader(worker.descriptor)
        worker.kill()
        self.deaths += 1
        log.error("media.worker_died", pid=worker.process.pid)
        was_active = worker in self.active
        (self.active if was_active else self._reserve).remove(worker)
        if was_active:
            self._on_death(worker)
        if worker.has_started:
            self.fill()
        elif self._retry is None:
            self._failed_starts += 1
            pause = min(_LONGEST_PAUSE, 0.1 * 2**self._failed_starts)
            self._retry = self._loop.call_later(pause, self.fill)
