"""The shared memory in which workers leave what a successor needs to go on where they stopped.

The keeper owns it; every leg has one slot, numbered by its port. A worker notes sequence number and timestamp with
every packet it sends, and the leg's figures a few times a second.
"""

import mmap
import os
import struct

import msgspec

from callcenter.media.protocol import LegCounts

STAMP = struct.Struct("<IHHIq")
"""Where a slot begins: SSRC, sequence number, how often that began anew, timestamp, instant."""
_COUNTS = struct.Struct("<IIII?fff")
_COUNTS_AT = 24
_HEARD = struct.Struct("<II")
_HEARD_AT = 56
_WORST = struct.Struct("<ff")
_WORST_AT = 64
SLOT_BYTES = 72


class Checkpoint:
    """All slots of one ``mediad``."""

    def __init__(self, descriptor: int, slots: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, slots * SLOT_BYTES)

    @classmethod
    def create(cls, slots: int) -> "Checkpoint":
        """New memory without a name; processes that inherit the descriptor share it."""
        descriptor = os.memfd_create("rtp-checkpoint")
        os.ftruncate(descriptor, slots * SLOT_BYTES)
        return cls(descriptor, slots)

    @property
    def memory(self) -> mmap.mmap:
        """All slots, for who writes stamps without ``stamp``; while that one looks, the memory cannot be closed."""
        return self._memory

    def stamp(self, slot: int, ssrc: int, sequence: int, timestamp: int, at: int, wraps: int = 0) -> None:
        """Note the packet just sent; ``wraps`` is how often its sequence number began anew."""
        STAMP.pack_into(self._memory, slot * SLOT_BYTES, ssrc, sequence, wraps & 0xFFFF, timestamp, at)

    def stamped(self, slot: int, ssrc: int) -> tuple[int, int, int] | None:
        """Sequence, timestamp and instant of the stream's last packet; ``None`` when it never sent one."""
        noted, sequence, _, timestamp, at = STAMP.unpack_from(self._memory, slot * SLOT_BYTES)
        return (sequence, timestamp, at) if noted == ssrc else None

    def wraps(self, slot: int) -> int:
        """How often the outgoing sequence number began anew."""
        return int(STAMP.unpack_from(self._memory, slot * SLOT_BYTES)[2])

    def note_heard(self, slot: int, ssrc: int, extended: int) -> None:
        """Note the incoming stream and its highest extended sequence number."""
        _HEARD.pack_into(self._memory, slot * SLOT_BYTES + _HEARD_AT, ssrc, extended & 0xFFFFFFFF)

    def heard(self, slot: int) -> tuple[int, int]:
        """The incoming stream's SSRC and highest extended sequence number, both 0 when nothing came."""
        ssrc, extended = _HEARD.unpack_from(self._memory, slot * SLOT_BYTES + _HEARD_AT)
        return ssrc, extended

    def note(self, slot: int, counts: LegCounts) -> None:
        """Note a leg's figures."""
        _COUNTS.pack_into(
            self._memory,
            slot * SLOT_BYTES + _COUNTS_AT,
            counts.packets_in,
            counts.packets_out,
            counts.packets_lost,
            counts.packets_dropped,
            counts.heard,
            counts.jitter_ms,
            counts.round_trip_ms + 1,  # empty memory means that nothing was reported
            counts.far_loss + 1,
        )
        _WORST.pack_into(self._memory, slot * SLOT_BYTES + _WORST_AT, counts.worst_mos, counts.worst_loss_percent)

    def noted(self, slot: int) -> LegCounts:
        """A leg's figures as last noted."""
        counts = LegCounts(*_COUNTS.unpack_from(self._memory, slot * SLOT_BYTES + _COUNTS_AT))
        worst_mos, worst_loss = _WORST.unpack_from(self._memory, slot * SLOT_BYTES + _WORST_AT)
        return msgspec.structs.replace(
            counts,
            round_trip_ms=counts.round_trip_ms - 1,
            far_loss=counts.far_loss - 1,
            worst_mos=worst_mos,
            worst_loss_percent=worst_loss,
        )

    def clear(self, slot: int) -> None:
        """Make a slot ready for another leg."""
        self._memory[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES] = bytes(SLOT_BYTES)

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()
        os.close(self.descriptor)
