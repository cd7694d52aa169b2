"""A worker: one process, one core, one loop that moves audio and does nothing else.

It waits for packets until the next deadline. Deadlines are absolute, so a late tick is made up and never shifts
the following ones; more than three late ticks are skipped, because a burst of old audio helps nobody. Conversations are
served in four phases of 5 ms, so that nobody waits until all others are served.
"""

import argparse
import gc
import os
import resource
import signal
import socket
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Sequence

import msgspec

from callcenter.media.law import FRAME_MILLISECONDS
from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.clips import ClipStore
from callcenter.media.mediad.control_socket import ControlSocket
from callcenter.media.mediad.conversation import Conversation
from callcenter.media.mediad.feed import RecorderFeed
from callcenter.media.mediad.lateness import Lateness
from callcenter.media.mediad.leg import RtpLeg
from callcenter.media.mediad.packet_loop import PacketLoop, PythonLoop, make_loop
from callcenter.media.mediad.phases import PHASES, Phase, place
from callcenter.media.mediad.settings import Birth, RelayLoop
from callcenter.media.mediad.taps import Taps
from callcenter.media.mediad.tick import run_tick
from callcenter.media.protocol import (
    MOST_SOCKETS,
    Converge,
    Converged,
    DigitHeard,
    Heartbeat,
    QualityTurned,
    RecordingHurt,
    Release,
    Released,
    SilenceNoticed,
    UseRecorder,
    WorkerOrder,
    WorkerReply,
    sockets_with,
)

HEARTBEAT = 250
"""Milliseconds between signs of life."""
_ROUND = 12
"""Ticks in which every conversation is looked at once (240 ms)."""
_MOST_LATE = 3
"""Ticks that are made up; more are skipped."""
_PHASE_MILLISECONDS = FRAME_MILLISECONDS // PHASES
_ROOM_FOR_SOCKETS = socket.CMSG_SPACE(MOST_SOCKETS * array("i").itemsize)
_MOST_ROUNDS = 50
"""Rounds of reading after which a socket that never gets empty is left alone."""
_AS_BOUND = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
"""What the keeper's sockets are (``RtpSockets``)."""
_LARGEST_MESSAGE = 1 << 20
_COLLECT_EVERY = 500
"""Ticks between runs of the garbage collector, which is otherwise off."""


class Worker:
    """The loop. Instants are milliseconds of the monotonic clock."""

    def __init__(self, control: socket.socket, checkpoint: Checkpoint, *, silence_timeout: int) -> None:
        self._control = control
        self._loop: PacketLoop = PythonLoop()
        self._checkpoint = checkpoint
        self._silence_timeout = silence_timeout
        self._clips = ClipStore()
        self._conversations: dict[str, Conversation] = {}
        self._by_descriptor: dict[int, tuple[Conversation, RtpLeg]] = {}
        self._reporting: dict[int, RtpLeg] = {}
        """Legs by the sockets of their reports, where these have one."""
        self._phases = [Phase() for _ in range(PHASES)]
        self._lateness = Lateness()
        self._stale = False
        self._round: list[Conversation] = []
        self._turns = 0
        self._feed = RecorderFeed(lambda number, damage: self._tell(RecordingHurt(number, damage)))
        self._taps = Taps(self._feed)
        self._outbox: deque[bytes] = deque()
        self._orders = memoryview(bytearray(_LARGEST_MESSAGE))
        """Where orders are read into."""
        self._decoder = msgspec.msgpack.Decoder(list[WorkerOrder])
        self._skipped = 0
        self._stopping = False
        self._busy_since = (time.monotonic(), time.process_time())

    def settle_in(self, make_loop: Callable[[], PacketLoop], *, at_once: bool = False) -> None:
        """Make the loop to work with. Unless that goes ``at_once`` it may take seconds, and is left where there are
        sessions to be taken over."""
        if at_once:
            self._loop = make_loop()
            return
        self._take_orders()
        if not self._conversations:
            self._loop = make_loop()

    def run(self) -> None:
        """Work until the keeper goes away or ``stop`` is called."""
        self._loop.register(self._control.fileno())
        due = _now() + FRAME_MILLISECONDS
        next_beat = _now()
        ticks = 0
        while not self._stopping:
            if self._conversations or self._feed.is_behind:
                self._wait(due)
            else:  # nobody to serve
                self._wait(next_beat)
                due = _now() + FRAME_MILLISECONDS
            now = _now()
            if now >= due:
                late = (now - due) // FRAME_MILLISECONDS
                if late > _MOST_LATE:
                    self._skipped += late
                    due += late * FRAME_MILLISECONDS
                number = ticks % PHASES
                self._tick(self._phases[number], due, now)
                if number == 0:
                    self._take_care(now, ticks // PHASES)
                step = self._until_next_phase(number)
                due += step * _PHASE_MILLISECONDS
                ticks += step
            if now >= next_beat:
                next_beat = now + HEARTBEAT
                self._beat()
            self._feed.flush()
            self._flush()

    def stop(self) -> None:
        """Leave the loop soon."""
        self._stopping = True

    def _wait(self, deadline: int) -> None:
        control = self._control.fileno()
        ready = self._loop.wait(deadline)
        now = _now()
        for descriptor, datagram in ready:
            if descriptor == control:
                self._take_orders()
                continue
            found = self._by_descriptor.get(descriptor)
            if found is not None:
                self._receive(*found, datagram, now=now)
            elif descriptor in self._reporting:
                self._reporting[descriptor].receive_reports(now=now)

    def _receive(
        self, conversation: Conversation, leg: RtpLeg, datagram: bytes = b"", *, now: int, thorough: bool = False
    ) -> None:
        if datagram:
            self._loop.withdraw(leg)
            digits = leg.take(datagram, now=now)
        else:
            digits = leg.receive(now=now, thorough=thorough)
        for digit in digits:
            self._tell(DigitHeard(conversation.session_id, leg.spec.leg_id, digit, leg.is_masked(now)))
            if not leg.is_masked(now):
                conversation.pass_on(leg, digit)
            for ended in conversation.barge_in(leg.spec.leg_id):
                self._tell(ended)
            self._note_change(conversation, now)
        if datagram:
            self._loop.look_at(leg, now=now)

    def _note_change(self, conversation: Conversation, now: int) -> None:
        """The routes of a conversation may be others than before."""
        self._stale = True
        for leg in conversation.legs.values():
            self._loop.look_at(leg, now=now)

    def _tick(self, phase: Phase, due: int, now: int) -> None:
        """Serve the conversations of a phase with 20 ms."""
        for conversation in phase.conversations:
            if conversation.plays:
                ended = conversation.advance_plays()
                for play in ended:
                    self._tell(play)
                if ended:
                    self._note_change(conversation, now)
        if self._stale:
            for each in self._phases:
                each.gather()
            self._stale = False
        if phase.ticking:
            run_tick(phase.ticking, now=now)
            self._lateness.note(_now() - due)

    def _until_next_phase(self, number: int) -> int:
        """How many phases it is to the next one that has work; the first is always served."""
        ahead = 1
        while number + ahead < PHASES and not self._phases[number + ahead].has_work:
            ahead += 1
        return ahead

    def _take_care(self, now: int, frames: int) -> None:
        """What is to be done every 20 ms beside speech."""
        for quiet in self._taps.tick(now=now):
            self._tell(quiet)
        self._look_round(now)
        if frames % _COLLECT_EVERY == _COLLECT_EVERY - 1:
            gc.collect(1)

    def _look_round(self, now: int) -> None:
        """Look at a part of the conversations, so that each has its turn a few times a second and none waits for it."""
        if not self._round:
            self._round = list(self._conversations.values())
            self._turns = -(-len(self._round) // _ROUND)
        for conversation in self._round[-self._turns :]:
            for leg in conversation.legs.values():
                self._loop.refresh(leg)
                leg.sender.report(now=now)
                self._judge(conversation, leg, now)
                leg.save_counts()
                if leg.notice_silence(now=now, timeout=self._silence_timeout):
                    self._tell(SilenceNoticed(conversation.session_id, leg.spec.leg_id))
            for leg in conversation.legs.values():
                self._loop.look_at(leg, now=now)
        del self._round[-self._turns :]

    def _judge(self, conversation: Conversation, leg: RtpLeg, now: int) -> None:
        turned = leg.judge(now=now)
        if turned is not None:
            stretch, is_poor = turned
            figures = (stretch.mos, stretch.loss_percent, stretch.jitter_ms, stretch.round_trip_ms)
            self._tell(QualityTurned(conversation.session_id, leg.spec.leg_id, is_poor, *figures))

    def _beat(self) -> None:
        wall, used = self._busy_since
        self._busy_since = (time.monotonic(), time.process_time())
        busy = (self._busy_since[1] - used) / max(0.001, self._busy_since[0] - wall)
        self._tell(Heartbeat(busy, self._skipped, self._loop.name, self._lateness.take()))

    def _take_orders(self) -> None:
        while True:
            try:
                size, beside, _, _ = self._control.recvmsg_into([self._orders], _ROOM_FOR_SOCKETS)
            except BlockingIOError:
                return
            except ConnectionError:
                size, beside = 0, []
            if not size:
                self._stopping = True
                return
            descriptors = array("i")
            for _, _, data in beside:
                descriptors.frombytes(data)
            for order in self._decoder.decode(self._orders[:size]):
                count = sockets_with(order)
                self._follow(order, descriptors[:count])
                del descriptors[:count]

    def _follow(self, order: WorkerOrder, descriptors: Sequence[int]) -> None:
        self._stale = True
        match order:
            case Converge():
                self._converge(order, descriptors)
            case Release(session_id):
                conversation = self._conversations.pop(session_id, None)
                closed = {}
                if conversation is not None:
                    for phase in self._phases:
                        phase.drop(conversation)
                    self._taps.end_session(session_id, now=_now())
                    self._forget(conversation.legs.values())
                    closed = conversation.close()
                self._tell(Released(session_id, closed))
            case UseRecorder():
                sock = socket.socket(fileno=descriptors[0])
                sock.setblocking(False)
                self._feed.use(sock)

    def _converge(self, order: Converge, descriptors: Sequence[int]) -> None:
        spec = order.spec
        conversation = self._conversations.get(spec.session_id)
        if conversation is None:
            conversation = Conversation(spec.session_id, self._checkpoint, self._clips)
            self._conversations[spec.session_id] = conversation
            place(self._phases).conversations.append(conversation)
        received = [socket.socket(-1, _AS_BOUND, 0, descriptor) for descriptor in descriptors]
        legs = len(order.new_legs)
        sockets = dict(zip(order.new_legs, received[:legs], strict=True))
        for leg in conversation.legs.values():
            self._loop.withdraw(leg)
        self._forget(conversation.leaving(spec))
        closed = conversation.converge(spec, sockets, order.slots, now=_now())
        if conversation.version == spec.version:
            if self._taps.must_forget(spec, order.taps, now=_now()):
                self._read_out(conversation)
            self._taps.follow(conversation, spec, order.taps, now=_now())
        for leg_id, sock in sockets.items():
            if leg_id in conversation.legs and conversation.legs[leg_id].socket is sock:
                self._by_descriptor[sock.fileno()] = (conversation, conversation.legs[leg_id])
                self._loop.add(conversation.legs[leg_id])
        for leg_id, sock in zip(order.new_controls, received[legs:], strict=True):
            if leg_id in conversation.legs:
                self._hear_reports(conversation.legs[leg_id], sock)
            else:
                sock.close()
        if order.is_awaited:
            self._tell(Converged(spec.session_id, spec.version, closed))

    def _hear_reports(self, leg: RtpLeg, sock: socket.socket) -> None:
        leg.adopt_control(ControlSocket(sock, leg.spec))
        self._reporting[sock.fileno()] = leg
        self._loop.register(sock.fileno())

    def _read_out(self, conversation: Conversation) -> None:
        """Read what waits in a conversation's sockets, before something begins that must not hear it."""
        for leg in conversation.legs.values():
            for _ in range(_MOST_ROUNDS):
                self._receive(conversation, leg, now=_now(), thorough=True)
                if leg.is_emptied:
                    break
        for leg in conversation.legs.values():
            self._loop.withdraw(leg)

    def _forget(self, legs: Iterable[RtpLeg]) -> None:
        """Wait for packets of these legs no more, before their sockets are closed."""
        for leg in legs:
            self._loop.remove(leg)
            del self._by_descriptor[leg.socket.fileno()]
            if leg.control is not None:
                del self._reporting[leg.control.socket.fileno()]
                self._loop.unregister(leg.control.socket.fileno())

    def _tell(self, message: WorkerReply) -> None:
        self._outbox.append(msgspec.msgpack.encode(message))

    def _flush(self) -> None:
        while self._outbox:
            try:
                self._control.send(self._outbox[0])
            except BlockingIOError:
                return
            except OSError:
                self._stopping = True
                return
            self._outbox.popleft()


def _now() -> int:
    return time.monotonic_ns() // 1_000_000


def ask_for_real_time() -> str:
    """Ask for prompt scheduling: real time, else a better niceness, else nothing; what was granted.

    A limit on uninterrupted real-time use keeps a runaway loop from taking the core for good.
    """
    try:
        resource.setrlimit(resource.RLIMIT_RTTIME, (2_000_000, 2_000_000))
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    except (OSError, ValueError):
        try:
            os.nice(-10)
        except OSError:
            return "normal"
        return "nice"
    return "real_time"


def warm_up(loop: RelayLoop) -> RelayLoop:
    """Load what a worker with this loop needs; processes forked from here have it at once. The loop that there is."""
    return "compiled" if make_loop(loop, Checkpoint.create(1)).name == "compiled" else "python"


def was_compiled_now() -> bool:
    """Whether ``warm_up`` had to compile, because there was nothing on disk."""
    from callcenter.media.mediad.compiled_loop import was_compiled_now

    return was_compiled_now()


def work(control: socket.socket, checkpoint: Checkpoint, birth: Birth, *, warm: bool = False) -> None:
    """Work as a worker until the keeper goes away. ``warm``: ``warm_up`` was called before."""
    control.setblocking(False)
    worker = Worker(control, checkpoint, silence_timeout=birth.silence_timeout)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if birth.loop != "python":
        worker.settle_in(lambda: make_loop(birth.loop, checkpoint), at_once=warm)
    if birth.realtime:
        ask_for_real_time()
    if not warm:  # after a fork it would copy all memory, while callers hear nothing
        gc.collect()
    gc.freeze()
    gc.disable()
    worker.run()


def main() -> None:
    """Run a worker by itself; started by the keeper where nothing can be forked."""
    parser = argparse.ArgumentParser(description="RTP worker, started by mediad")
    parser.add_argument("--control", type=int, required=True)
    parser.add_argument("--checkpoint", type=int, required=True)
    parser.add_argument("--birth", required=True)
    given = parser.parse_args()
    birth = msgspec.json.decode(given.birth, type=Birth)
    work(socket.socket(fileno=given.control), Checkpoint(given.checkpoint, birth.slots), birth)


if __name__ == "__main__":
    main()
