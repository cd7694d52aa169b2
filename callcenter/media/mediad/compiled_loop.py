"""The relay loop compiled to machine code, for worker loops with many calls (extra ``fast``).

It waits, reads, stamps and sends with the C library's own functions and returns to Python at the deadline, or earlier
with sockets that are not enrolled in ``relay_rows`` and with datagrams that are not plain. It does to a plain packet
exactly what ``leg`` and ``sender`` do to it.
"""

import platform
import select
from typing import Any

import numpy as np
from numba import njit, types

from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.leg import RtpLeg
from callcenter.media.mediad.leg_socket import RATE
from callcenter.media.mediad.packet_loop import CROWD, ENOUGH, GATHER
from callcenter.media.mediad.relay_rows import NOBODY, RelayRows
from callcenter.media.outgoing import MOST_MISORDERED, MOST_MISSING
from callcenter.media.rtp import HEADER_BYTES, LARGEST_PACKET

_MOST_READY = 256
_MOST_ODD = 32
_ROW_BYTES = LARGEST_PACKET + 1
_MOST_TAPPED = 128
"""Packets of recorded legs that are kept until Python has its turn: few at a time, so that nobody waits long for it."""
_DONT_WAIT = 0x40
_MONOTONIC = 1
_EVENT = np.dtype(
    {
        "names": ["descriptor"],
        "formats": ["<i4"],
        "offsets": [4 if platform.machine() == "x86_64" else 8],
        "itemsize": 12 if platform.machine() == "x86_64" else 16,
    }
)
"""``struct epoll_event``, which is packed on x86-64 only."""

_recv: Any = types.ExternalFunction("recv", types.intp(types.intc, types.uintp, types.uintp, types.intc))
_send: Any = types.ExternalFunction("send", types.intp(types.intc, types.uintp, types.uintp, types.intc))
_epoll_wait: Any = types.ExternalFunction("epoll_wait", types.intc(types.intc, types.uintp, types.intc, types.intc))
_clock_gettime: Any = types.ExternalFunction("clock_gettime", types.intc(types.intc, types.uintp))
_usleep: Any = types.ExternalFunction("usleep", types.intc(types.uintc))


@njit(cache=True)
def _distance(later: Any, earlier: Any) -> Any:
    return ((later - earlier + 0x8000) & 0xFFFF) - 0x8000


@njit(cache=True)
def _milliseconds(clock: Any) -> Any:
    _clock_gettime(_MONOTONIC, clock.ctypes.data)
    return clock[0] * 1000 + clock[1] // 1_000_000


@njit(cache=True)
def _count(row: Any, sequence: Any, timestamp: Any, now: int) -> None:
    """Count a packet as ``rtcp.Reception`` does."""
    row["heard_at"] = now
    row["received"] += 1
    further = _distance(sequence, row["highest"] & 0xFFFF)
    if further > 0:
        row["highest"] += further
    transit = (now * row["rate"] - timestamp) & 0xFFFFFFFF
    if row["transit"] >= 0:
        change = ((transit - row["transit"] + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        row["jitter"] += (abs(change) - row["jitter"]) / 16
    row["transit"] = transit


@njit(cache=True)
def _is_within_rate(row: Any, now: int) -> bool:
    """See ``LegSocket.is_within_rate``."""
    allowance = row["allowance"] + (now - row["allowance_at"]) * RATE / 1000
    row["allowance_at"] = now
    if allowance < 1:
        row["allowance"] = allowance
        row["dropped"] += 1
        return False
    row["allowance"] = min(float(RATE), allowance) - 1
    return True


@njit(cache=True)
def _tap(
    taps: Any, speech: Any, count: int, data: Any, size: int, index: int, ssrc: Any, timestamp: Any, now: int
) -> int:
    """Keep a packet for a recording; how many are kept then."""
    taps[count, 0] = index
    taps[count, 1] = ssrc
    taps[count, 2] = timestamp
    taps[count, 3] = size - HEADER_BYTES
    taps[count, 4] = now
    speech[count, : size - HEADER_BYTES] = data[HEADER_BYTES:size]
    return count + 1


@njit(cache=True)
def _take(
    incoming: Any, outgoing: Any, stamps: Any, taps: Any, speech: Any, tapped: Any,
    index: int, data: Any, size: int, now: int,
) -> bool:  # fmt: skip
    """Count and relay one datagram, or drop one too many; false, and nothing done, for one that is not plain."""
    row = incoming[index]
    if size < HEADER_BYTES or size > LARGEST_PACKET or data[0] != 0x80 or (data[1] & 0x7F) != row["number"]:
        return False
    ssrc = np.int64(data[8]) << 24 | np.int64(data[9]) << 16 | np.int64(data[10]) << 8 | np.int64(data[11])
    if ssrc != row["ssrc"]:
        return False
    sequence = np.int64(data[2]) << 8 | np.int64(data[3])
    timestamp = np.int64(data[4]) << 24 | np.int64(data[5]) << 16 | np.int64(data[6]) << 8 | np.int64(data[7])
    if row["hearer"] == NOBODY:
        if _is_within_rate(row, now):
            _count(row, sequence, timestamp, now)
            if row["tapped"]:
                tapped[0] = _tap(taps, speech, tapped[0], data, size, index, ssrc, timestamp, now)
        return True
    out = outgoing[row["hearer"]]
    stamped = (sequence + out["sequence_offset"]) & 0xFFFF
    ahead = _distance(stamped, out["sequence"])
    if ahead <= -MOST_MISORDERED or ahead >= MOST_MISSING or _distance(sequence, out["first"]) < 0:
        return False
    if not _is_within_rate(row, now):
        return True
    _count(row, sequence, timestamp, now)
    if row["tapped"]:
        tapped[0] = _tap(taps, speech, tapped[0], data, size, index, ssrc, timestamp, now)
    timestamp = (timestamp + out["timestamp_offset"]) & 0xFFFFFFFF
    if ahead > 0:
        out["sequence"] = stamped
        out["timestamp"] = timestamp
        if _distance(sequence, out["first"]) > 0x4000:
            out["first"] = (sequence - 0x2000) & 0xFFFF
    out["at"] = now
    _send_on(out, stamps, data, size, stamped, timestamp, now)
    return True


@njit(cache=True)
def _send_on(out: Any, stamps: Any, data: Any, size: int, sequence: Any, timestamp: Any, now: int) -> None:
    """Write the header of our own stream over a packet's, send it and note it."""
    data[1] = (data[1] & 0x80) | out["number"]
    data[2] = sequence >> 8
    data[3] = sequence & 0xFF
    for place in range(4):
        data[4 + place] = (timestamp >> (24 - 8 * place)) & 0xFF
        data[8 + place] = (out["ssrc"] >> (24 - 8 * place)) & 0xFF
    if _send(out["descriptor"], data.ctypes.data, size, _DONT_WAIT) >= 0:
        out["sent"] += 1
        out["octets"] += size - HEADER_BYTES
    stamp = stamps[out["slot"]]
    stamp["ssrc"] = out["ssrc"]
    stamp["sequence"] = out["sequence"]
    stamp["wraps"] = 0
    stamp["timestamp"] = out["timestamp"]
    stamp["at"] = now


@njit(cache=True, nogil=True)
def _run(
    epoll: int,
    events: Any,
    by_descriptor: Any,
    incoming: Any,
    outgoing: Any,
    stamps: Any,
    taps: Any,
    speech: Any,
    tapped: Any,
    odd: Any,
    clock: Any,
    ready: Any,
    deadline: int,
    gather: int,
) -> int:
    """Relay until ``deadline`` (milliseconds) or until Python is needed.

    ``ready`` gets (descriptor, bytes in ``odd``) of what is left to do, 0 bytes for sockets that are yet to be read;
    the number of them is returned. ``taps`` gets (row, SSRC, timestamp, size, instant) of each packet of a recorded
    leg, ``speech`` its payload, ``tapped`` how many there are.
    """
    left = 0
    tapped[0] = 0
    oddities = 0
    count = 0
    now = _milliseconds(clock)
    while True:
        if gather > 0 and count < ENOUGH and now < deadline:
            _usleep(gather)
            now = _milliseconds(clock)
        count = _epoll_wait(epoll, events.ctypes.data, len(events), max(0, deadline - now))
        now = _milliseconds(clock)
        for position in range(count):
            descriptor = events[position]["descriptor"]
            index = by_descriptor[descriptor]
            if index == NOBODY:
                ready[left, 0] = descriptor
                ready[left, 1] = 0
                left += 1
                continue
            if oddities == len(odd) or tapped[0] == len(taps):
                continue
            data = odd[oddities]
            size = _recv(descriptor, data.ctypes.data, len(data), _DONT_WAIT)
            if size <= 0 or _take(incoming, outgoing, stamps, taps, speech, tapped, index, data, size, now):
                continue
            ready[left, 0] = descriptor
            ready[left, 1] = size
            left += 1
            oddities += 1
        if left > 0 or now >= deadline or tapped[0] == len(taps):
            return left


def was_compiled_now() -> bool:
    """Whether this process compiled anything itself instead of finding it on disk."""
    return bool(_run.stats.cache_misses)


class CompiledLoop:
    """Relays what is plain and tells of the rest, see ``PacketLoop``."""

    name = "compiled"

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._epoll = select.epoll()
        self._table = RelayRows(checkpoint)
        self._events: Any = np.zeros(_MOST_READY, _EVENT)
        self._odd: Any = np.zeros((_MOST_ODD, _ROW_BYTES), np.uint8)
        self._clock: Any = np.zeros(2, np.int64)
        self._ready: Any = np.zeros((_MOST_READY, 2), np.int64)
        self._taps: Any = np.zeros((_MOST_TAPPED, 5), np.int64)
        self._speech: Any = np.zeros((_MOST_TAPPED, LARGEST_PACKET), np.uint8)
        self._tapped: Any = np.zeros(1, np.int64)
        self._legs = 0

    @property
    def relays_by_itself(self) -> int:
        """How many legs' packets are relayed without Python."""
        return self._table.enrolled

    def register(self, descriptor: int) -> None:
        """See ``PacketLoop``."""
        self._epoll.register(descriptor, select.EPOLLIN)

    def unregister(self, descriptor: int) -> None:
        """See ``PacketLoop``."""
        self._epoll.unregister(descriptor)

    def add(self, leg: RtpLeg) -> None:
        """See ``PacketLoop``."""
        self._epoll.register(leg.socket.fileno(), select.EPOLLIN)
        self._table.add(leg)
        self._legs += 1

    def remove(self, leg: RtpLeg) -> None:
        """See ``PacketLoop``."""
        self._epoll.unregister(leg.socket.fileno())
        self._table.remove(leg)
        self._legs -= 1

    def look_at(self, leg: RtpLeg, *, now: int) -> None:
        """See ``PacketLoop``."""
        self._table.look_at(leg, now=now)

    def withdraw(self, leg: RtpLeg) -> None:
        """See ``PacketLoop``."""
        self._table.withdraw(leg)

    def refresh(self, leg: RtpLeg) -> None:
        """See ``PacketLoop``."""
        self._table.refresh(leg)

    def wait(self, deadline: int) -> list[tuple[int, bytes]]:
        """See ``PacketLoop``."""
        table = self._table
        left = _run(
            self._epoll.fileno(), self._events, table.by_descriptor, table.incoming, table.outgoing, table.stamps,
            self._taps, self._speech, self._tapped, self._odd, self._clock, self._ready, deadline,
            round(1000 * GATHER) if self._legs >= CROWD else 0,
        )  # fmt: skip
        self._record(int(self._tapped[0]))
        found = []
        oddities = 0
        for descriptor, size in self._ready[:left].tolist():
            found.append((descriptor, self._odd[oddities, :size].tobytes() if size else b""))
            oddities += size > 0
        return found

    def _record(self, count: int) -> None:
        """Hand what recorded legs said to their recordings."""
        for number, (row, ssrc, timestamp, size, instant) in enumerate(self._taps[:count].tolist()):
            self._table.hear(row, ssrc, timestamp, self._speech[number, :size].tobytes(), now=instant)
