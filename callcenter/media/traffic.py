"""RTP of many far ends from one process, for measuring: sends every 20 ms on every leg and times what comes back.

The delay is the kernel's receive time (``SO_TIMESTAMPNS``) minus the clock just before sending, both at the generator,
so that neither its own queue nor its own scheduling counts. Packets carry their send time where they arrive as they
were; speech that is mixed on the way is timed by loud frames among silent ones instead.
"""

import contextlib
import gc
import math
import os
import random
import re
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from callcenter.media.rtp import HEADER, HEADER_BYTES, VERSION_2
from callcenter.media.sdp import AgreedAudio, LocalStream

_STAMP = struct.Struct("!Id")
_MAGIC = 0x5A5A1234
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@qq")
_FRAME = 0.02
_FILLING = b"\xd0" * (160 - _STAMP.size)
_LOUD, _SILENT = b"\x10" * 160, b"\xff" * 160
_LOUD_EVERY = 25
"""Frames (half a second) from one loud one to the next."""
_APART = 0.3
"""Seconds in which a loud frame, split in two by a jitter buffer, is taken for one."""
_LARGEST_BUFFER = 1 << 20


@dataclass(slots=True)
class TrafficLeg:
    """One far end: its socket, where it sends, and who hears it."""

    sock: socket.socket
    target: tuple[str, int] = ("", 0)
    payload_type: int = 0
    partner: "TrafficLeg | None" = None
    sequence: int = 0
    phase: int = field(default_factory=lambda: random.randrange(_LOUD_EVERY))  # noqa: S311 - spreads load
    loud_at: float = 0.0
    heard_loud_at: float = 0.0

    @classmethod
    def open(cls) -> "TrafficLeg":
        """Bind a socket on loopback."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _LARGEST_BUFFER)
        return cls(sock)

    @property
    def local(self) -> LocalStream:
        """For its description."""
        return LocalStream("127.0.0.1", self.sock.getsockname()[1], 1, 1)

    def agree(self, audio: AgreedAudio) -> None:
        """Take what offer and answer said."""
        self.target, self.payload_type = (audio.address, audio.port), audio.send_payload_type


@dataclass(slots=True)
class TrafficFigures:
    """What came back."""

    sent: int = 0
    received: int = 0
    delays: list[float] = field(default_factory=list)
    """Seconds, of each packet or of each loud frame."""

    @property
    def lost(self) -> int:
        """Packets that did not come back; of speech that is made on the way, as many as should have come."""
        return max(0, self.sent - self.received)

    def percentile_ms(self, share: float) -> float | None:
        """A percentile of the delay, ``None`` when nothing was timed."""
        if not self.delays:
            return None
        ordered = sorted(self.delays)
        return round(1000 * ordered[min(len(ordered) - 1, math.ceil(len(ordered) * share) - 1)], 2)


def exchange(
    legs: Sequence[TrafficLeg], *, seconds: float, warm_up: float = 1.0, mixed: bool = False
) -> TrafficFigures:
    """Send from every leg every 20 ms, in random phases, and collect what the others get after ``warm_up`` seconds."""
    figures = TrafficFigures()
    poll = select.epoll()
    by_descriptor = {leg.sock.fileno(): leg for leg in legs}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.EPOLLIN)
    begin = time.time() + 0.1
    counted_from, end = begin + warm_up, begin + warm_up + seconds
    due = sorted((begin + random.random() * _FRAME, index) for index in range(len(legs)))  # noqa: S311
    position = 0
    gc.disable()
    realtime = contextlib.ExitStack()
    try:
        realtime.enter_context(in_real_time())
        while (now := time.time()) < end + 0.3:
            while now < end and due[position][0] <= now:
                at, index = due[position]
                due[position] = (at + _FRAME, index)
                position = (position + 1) % len(due)
                now = time.time()
                _send(legs[index], now, mixed=mixed)
                figures.sent += now >= counted_from
            pause = due[position][0] - now if now < end else 0.05
            for descriptor, _ in poll.poll(max(0.0, min(pause, 0.005)), 512):
                _receive(by_descriptor[descriptor], figures, counted_from, end)
    finally:
        realtime.close()
        gc.enable()
        poll.close()
    return figures


def stamps_in(speech: bytes) -> list[float]:
    """When the packets were sent that are found in speech, such as a channel of a recording."""
    mark = _STAMP.pack(_MAGIC, 0.0)[:4]
    places = [found.start() for found in re.finditer(re.escape(mark), speech)]
    return [_STAMP.unpack_from(speech, place)[1] for place in places if place + _STAMP.size <= len(speech)]


@contextlib.contextmanager
def in_real_time() -> Iterator[None]:
    """Schedule this thread as the worker is, where that is allowed: the generator's own waiting must not count."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    try:
        yield
    finally:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _send(leg: TrafficLeg, now: float, *, mixed: bool) -> None:
    leg.sequence += 1
    if not mixed:
        payload = _STAMP.pack(_MAGIC, now) + _FILLING
    elif leg.sequence % _LOUD_EVERY == leg.phase:
        payload, leg.loud_at = _LOUD, now
    else:
        payload = _SILENT
    header = HEADER.pack(VERSION_2, leg.payload_type, leg.sequence & 0xFFFF, leg.sequence * 160 & 0xFFFFFFFF, 1)
    leg.sock.sendto(header + payload, leg.target)


def _receive(leg: TrafficLeg, figures: TrafficFigures, counted_from: float, end: float) -> None:
    while True:
        try:
            data, ancillary, _, _ = leg.sock.recvmsg(2048, 64)
        except BlockingIOError:
            return
        seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2][: _TIMESPEC.size])
        now = seconds + nanoseconds / 1e9
        if len(data) != HEADER_BYTES + 160:
            continue
        magic, sent_at = _STAMP.unpack_from(data, HEADER_BYTES)
        if magic == _MAGIC:
            if sent_at >= counted_from:
                figures.received += 1
                figures.delays.append(now - sent_at)
        elif counted_from <= now < end:
            figures.received += 1
            if leg.partner is not None and data.count(0xFF, HEADER_BYTES) < 100:
                _time_loud(leg, leg.partner, figures, now)


def _time_loud(leg: TrafficLeg, partner: TrafficLeg, figures: TrafficFigures, now: float) -> None:
    """A loud frame was heard; the delay is known if it is the first of its loudness."""
    if now - leg.heard_loud_at > _APART and 0 <= now - partner.loud_at < _APART:
        figures.delays.append(now - partner.loud_at)
    leg.heard_loud_at = now
