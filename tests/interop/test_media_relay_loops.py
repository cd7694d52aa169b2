"""Python's relay loop and the compiled one: for the same packets the same packets and figures."""

import random
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
import pytest

from callcenter.media.audio import tone
from callcenter.media.g711 import encode
from callcenter.media.law import Law
from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.compiled_loop import CompiledLoop
from callcenter.media.mediad.leg_socket import RATE
from callcenter.media.mediad.tap import Tap
from callcenter.media.mediad.worker import Worker
from callcenter.media.protocol import (
    Converge,
    Converged,
    DigitHeard,
    LegCounts,
    LegSpec,
    RecordingSpec,
    Release,
    Released,
    RouteSpec,
    SessionSpec,
    TapOrder,
    WorkerOrder,
    WorkerReply,
)
from callcenter.media.rtp import RtpPacket, pack, parse, sequence_distance, timestamp_distance
from callcenter.media.telephone_event import digit_payloads
from callcenter.media.track import Track
from tests.support.ports import free_port

pytestmark = pytest.mark.interop

ReplyT = TypeVar("ReplyT", bound=WorkerReply)

SPEECH = encode(tone(440, 0.02), Law.PCMU)
WARM_UP = 60
FIRST, TIMESTAMP = 65_440, (1 << 32) - 160 * 100
"""Both numbers begin anew soon after the warm-up."""
LAST = b"\x2a" * 160
"""What nobody says before the end."""


@dataclass(slots=True)
class Outcome:
    """What became of a caller's packets."""

    packets: list[tuple[int, bool, int, int, bytes]] = field(default_factory=list)
    """As the agent got them: payload type, marker, sequence number since the first one, timestamp, payload.

    Timestamps are counted from the last marker: where a source begins anew, the time that has passed goes into them.
    """
    digits: str = ""
    counts: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)
    """By leg: packets in, out, lost, dropped."""


class Desk:
    """A worker in a thread, the keeper's end of its line, and two phones on loopback."""

    def __init__(self, control: socket.socket, worker: Worker) -> None:
        self._control, self._worker = control, worker
        self._decoder = msgspec.msgpack.Decoder(WorkerReply)
        self.outcome = Outcome()
        self.told: list[type[WorkerReply]] = []
        self.caller, self.agent = _udp(), _udp()
        self._inner = {"caller": _udp(), "agent": _udp()}
        for sock in self._inner.values():
            sock.setblocking(False)
        self._first: RtpPacket | None = None
        self._marked: RtpPacket | None = None

    def bridge(self, *, recorded: bool = False, is_awaited: bool = True) -> None:
        """Let both hear each other."""
        legs = tuple(
            LegSpec(
                leg_id, 7, remote=phone.getsockname(), peer_address="127.0.0.1", may_send=True, has_mux=True,
                receive_codecs=((0, "PCMU"), (8, "PCMA")), send_event_type=97, receive_event_type=101,
            )
            for leg_id, phone in (("caller", self.caller), ("agent", self.agent))
        )  # fmt: skip
        routes = (RouteSpec("caller", "agent"), RouteSpec("agent", "caller"))
        spec = SessionSpec(
            "s", 1, legs, routes, recordings=(RecordingSpec("r", "caller", "agent"),) if recorded else ()
        )
        now = time.monotonic_ns() // 1_000_000
        slots, taps = {"caller": 0, "agent": 1}, {"r": TapOrder(1, now, now)} if recorded else {}
        order = Converge(spec, slots, ("caller", "agent"), taps, is_awaited=is_awaited)
        self._order(order, [sock.fileno() for sock in self._inner.values()])
        if is_awaited:
            self._await(Converged)
        for leg_id, phone in (("caller", self.caller), ("agent", self.agent)):
            phone.connect(self._inner[leg_id].getsockname())

    def say(self, datagram: bytes) -> None:
        """Send from the caller's phone."""
        self.caller.send(datagram)

    def hear(self, *, patience: float = 10.0) -> RtpPacket:
        """The agent's next packet."""
        self.agent.settimeout(patience)
        while True:
            packet = parse(self.agent.recv(2048))
            if packet is None:  # our reports
                continue
            first = self._first = self._first or packet
            self._marked = packet if packet.marker or self._marked is None else self._marked
            sequence = sequence_distance(packet.sequence, first.sequence)
            timestamp = timestamp_distance(packet.timestamp, self._marked.timestamp)
            self.outcome.packets.append((packet.payload_type, packet.marker, sequence, timestamp, packet.payload))
            return packet

    def close(self) -> Outcome:
        """End the session and tell what became of everything."""
        self._order(Release("s"))
        released = self._await(Released)
        self.outcome.counts = {leg_id: _counts(counts) for leg_id, counts in released.closed.items()}
        self._worker.stop()
        return self.outcome

    def let_go(self) -> None:
        """Close the phones' sockets and ours, also when a test has failed: a later one would be blamed for them."""
        for sock in (self.caller, self.agent, *self._inner.values()):
            sock.close()

    def _order(self, order: WorkerOrder, descriptors: list[int] | None = None) -> None:
        socket.send_fds(self._control, [msgspec.msgpack.encode([order])], descriptors or [])

    def _await(self, kind: type[ReplyT]) -> ReplyT:
        while True:
            reply = self._decoder.decode(self._control.recv(1 << 20))
            self.told.append(type(reply))
            if isinstance(reply, DigitHeard):
                self.outcome.digits += reply.digit
            if isinstance(reply, kind):
                return reply


def _udp() -> socket.socket:
    """Bound to a port of our choice, as the keeper's are: one that the kernel chose would be lost with a connection."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", free_port(socket.SOCK_DGRAM)))
    return sock


def _counts(counts: LegCounts) -> tuple[int, int, int, int]:
    return counts.packets_in, counts.packets_out, counts.packets_lost, counts.packets_dropped


@contextmanager
def desk(loop: str) -> Iterator[tuple[Desk, CompiledLoop | None]]:
    """A worker with one of the loops."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.setblocking(False)
    ours.settimeout(60)  # compiling takes seconds, the first time
    checkpoint = Checkpoint.create(2)
    compiled = CompiledLoop(checkpoint) if loop == "compiled" else None
    worker = Worker(theirs, checkpoint, silence_timeout=30_000)
    if compiled is not None:
        made = compiled
        worker.settle_in(lambda: made)
    thread = threading.Thread(target=worker.run)
    thread.start()
    at = Desk(ours, worker)
    try:
        yield at, compiled
    finally:
        worker.stop()
        thread.join(10)
        at.let_go()
        ours.close()
        theirs.close()


def script(seed: int) -> list[bytes]:  # noqa: C901 - a flat list of misfortunes
    """A caller's stream with everything that happens to streams: its numbers wrap on the way."""
    chance = random.Random(seed)
    sequence, timestamp = FIRST + WARM_UP, TIMESTAMP + 160 * WARM_UP
    sent: list[bytes] = []

    def speak(kind: int = 0, payload: bytes = SPEECH, *, marker: bool = False) -> None:
        nonlocal sequence, timestamp
        sent.append(pack(RtpPacket(kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 99, payload, marker)))
        sequence, timestamp = sequence + 1, timestamp + 160

    while len(sent) < 90:
        match chance.randrange(14):
            case 0:
                lost = chance.randrange(1, 8)
                sequence, timestamp = sequence + lost, timestamp + 160 * lost
            case 1 if len(sent) > 2:
                sent[-1], sent[-2] = sent[-2], sent[-1]
            case 2 if sent:
                sent.append(sent[-1])
            case 3:
                before = timestamp
                for number, payload in enumerate(digit_payloads(chance.choice("0123456789*#"))):
                    speak(101, payload, marker=number == 0)
                    timestamp = before
                timestamp = before + 1600
            case 4:
                speak(chance.choice([8, 13, 77]), bytes(chance.randrange(1, 200)))
            case 5:
                sent.append(bytes(chance.randrange(256) for _ in range(chance.randrange(1, 40))))
            case 6:
                sent.append(b"\xa0" + pack(RtpPacket(0, sequence & 0xFFFF, 0, 99, SPEECH))[1:] + b"\0\0\0\4")
                sequence, timestamp = sequence + 1, timestamp + 160
            case 7:
                speak(payload=SPEECH[:80])
                timestamp -= 80
            case 8:
                sequence += 5000
                speak()
            case 9:
                sent.append(b"\x80\xc9\x00\x01" + struct.pack("!I", 99))
            case _:
                speak(marker=chance.random() < 0.1)
    speak(payload=LAST)
    return sent


def play(loop: str, datagrams: list[bytes], *, recorded: bool = False) -> Outcome:
    """Let a caller send them, after enough speech for the compiled loop to take over."""
    with desk(loop) as (at, compiled):
        at.bridge(recorded=recorded)
        for number in range(WARM_UP):
            at.say(pack(RtpPacket(0, FIRST + number, TIMESTAMP + 160 * number, 99, SPEECH)))
            at.agent.send(pack(RtpPacket(0, number, 160 * number, 55, SPEECH)))
            at.hear()
            pause(0.02)
        for _ in range(500):
            if compiled is None or compiled.relays_by_itself == 2:
                break
            pause(0.02)
        assert compiled is None or compiled.relays_by_itself == 2
        for datagram in datagrams:
            at.say(datagram)
            pause(0.002)
        while at.hear().payload != LAST:
            pass
        return at.close()


def pause(seconds: float) -> None:
    """A phone's own pace."""
    select.select([], [], [], seconds)


@pytest.mark.parametrize("is_awaited", [True, False])
def test_a_worker_answers_a_description_when_somebody_waits_for_that(is_awaited: bool) -> None:
    with desk("python") as (at, _):
        at.bridge(is_awaited=is_awaited)
        at.close()
        assert (Converged in at.told) is is_awaited
        assert Released in at.told


@pytest.mark.parametrize("seed", range(4))
def test_both_loops_do_the_same_with_the_same_packets(seed: int) -> None:
    """Loss, repeats, changed order, digits, unknown formats, garbage, padding, jumps: byte by byte and in figures."""
    datagrams = script(seed)
    python, compiled = play("python", datagrams), play("compiled", datagrams)
    assert len(python.packets) > WARM_UP + 40
    assert compiled.packets == python.packets
    assert compiled.digits == python.digits
    assert compiled.counts == python.counts


@pytest.mark.parametrize("seed", range(2))
def test_both_loops_record_the_same_and_the_compiled_one_keeps_the_call(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    heard: list[tuple[int, int, bytes]] = []
    keep = Tap.hear

    def hear(tap: Tap, track: Track, ssrc: int, timestamp: int, payload: bytes, law: Law, now: int) -> None:
        heard.append((ssrc, timestamp, payload))
        keep(tap, track, ssrc, timestamp, payload, law, now)

    monkeypatch.setattr(Tap, "hear", hear)
    datagrams, recorded = script(seed), []
    outcomes = []
    for loop in ("python", "compiled"):
        outcomes.append(play(loop, datagrams, recorded=True))
        recorded.append(sorted(each for each in heard if each[0] == 99))
        heard.clear()
    assert outcomes[0].packets == outcomes[1].packets
    assert len(recorded[0]) > WARM_UP + 30
    assert recorded[0] == recorded[1]


@pytest.mark.parametrize("loop", ["python", "compiled"])
def test_a_flood_of_the_far_end_is_cut_to_the_rate(loop: str) -> None:
    """Three thousand packets at once: what may be saved up passes, and what the time allows; the rest is dropped."""
    flood = [pack(RtpPacket(0, FIRST + WARM_UP + number & 0xFFFF, 160 * number, 99, SPEECH)) for number in range(3000)]
    with desk(loop) as (at, _):
        at.bridge()
        for number in range(WARM_UP):
            at.say(pack(RtpPacket(0, FIRST + number, TIMESTAMP + 160 * number, 99, SPEECH)))
            at.agent.send(pack(RtpPacket(0, number, 160 * number, 55, SPEECH)))
            at.hear()
            pause(0.02)
        began = time.monotonic()
        for start in range(0, len(flood), 100):
            for datagram in flood[start : start + 100]:
                at.say(datagram)
            pause(0.005)
        counts = at.close().counts["caller"]
        took = time.monotonic() - began
    passed, dropped = counts[0] - WARM_UP, counts[3]
    assert 100 < passed < RATE * (1 + took) + 1
    assert dropped > 100
