"""The one stream a far end hears for the whole life of its leg.

Prompts, music, mixes and relayed speech come from different sources, but phones want one SSRC, sequence numbers without
unexplained gaps and timestamps that follow the time (RFC 3550 section 5.1). The stream also keeps loss visible:
the gaps of a relayed source are passed on, so that the receiver can conceal them.
"""

from callcenter.media.law import FRAME_MILLISECONDS, FRAME_SAMPLES
from callcenter.media.rtp import sequence_distance

_PAUSE = 100
"""Milliseconds without a frame after which the next one starts a new talk spurt."""

MOST_MISORDERED, MOST_MISSING = 100, 3000
"""Packets that a source may be behind or ahead before it counts as begun anew (MAX_MISORDER, MAX_DROPOUT)."""

Stamp = tuple[int, int, bool]
"""Sequence number, timestamp and marker of the next packet."""


class OutgoingStream:
    """Sequence numbers and timestamps of one leg's outgoing packets; ``now`` is in milliseconds of any one clock."""

    __slots__ = (
        "_at",
        "_event_at",
        "_first",
        "_sequence_offset",
        "_source",
        "_timestamp_offset",
        "frame_units",
        "sequence",
        "ssrc",
        "timestamp",
    )

    def __init__(self, ssrc: int, *, sequence: int, timestamp: int, at: int) -> None:
        self.ssrc = ssrc
        self.sequence = sequence
        self.timestamp = timestamp
        self.frame_units = FRAME_SAMPLES
        """Timestamp units of 20 ms in the codec that is sent."""
        self._at = at
        self._source: tuple[str, int] | None = None
        self._first = 0
        self._event_at = timestamp
        self._sequence_offset = 0
        self._timestamp_offset = 0

    def next_frame(self, *, now: int) -> Stamp:
        """Stamp a 20 ms frame that we made ourselves."""
        fresh = self._source is not None or now - self._at >= _PAUSE
        self._source = None
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + (self._units_since(now) if fresh else self.frame_units)) & 0xFFFFFFFF
        self._at = now
        return self.sequence, self.timestamp, fresh

    def next_event(self, *, is_first: bool, now: int) -> Stamp:
        """Stamp a packet of a telephone event: time goes on, but all carry the timestamp of the first (RFC 4733)."""
        sequence, timestamp, _ = self.next_frame(now=now)
        if is_first:
            self._event_at = timestamp
        return sequence, self._event_at, is_first

    def relay(self, source: str, ssrc: int, sequence: int, timestamp: int, marker: bool, *, now: int) -> Stamp | None:
        """Stamp a packet of another leg. ``None`` for one from before the source was switched in."""
        if self._source != (source, ssrc) or self._is_elsewhere(sequence):
            self._source = (source, ssrc)
            self._first = sequence
            self._sequence_offset = self.sequence + 1 - sequence
            self._timestamp_offset = self.timestamp + self._units_since(now) - timestamp
            marker = True
        elif sequence_distance(sequence, self._first) < 0:
            return None
        stamped = (sequence + self._sequence_offset) & 0xFFFF
        timestamp = (timestamp + self._timestamp_offset) & 0xFFFFFFFF
        if sequence_distance(stamped, self.sequence) > 0:
            self.sequence, self.timestamp = stamped, timestamp
            if sequence_distance(sequence, self._first) > 0x4000:
                self._first = (sequence - 0x2000) & 0xFFFF
        self._at = now
        return stamped, timestamp, marker

    def _is_elsewhere(self, sequence: int) -> bool:
        """Whether the present source began anew under its old SSRC (RFC 3550 appendix A.1)."""
        ahead = sequence_distance((sequence + self._sequence_offset) & 0xFFFF, self.sequence)
        return not -MOST_MISORDERED < ahead < MOST_MISSING

    def relays(self, source: str, ssrc: int) -> bool:
        """Whether packets of this source follow each other here."""
        return self._source == (source, ssrc)

    @property
    def relaying(self) -> tuple[int, int, int]:
        """The present source's first sequence number that is taken, and the offsets of sequence and timestamp."""
        return self._first, self._sequence_offset, self._timestamp_offset

    def catch_up(self, sequence: int, timestamp: int, first: int, *, at: int) -> None:
        """Packets of the present source were relayed elsewhere; where they left the stream."""
        self.sequence, self.timestamp, self._first, self._at = sequence, timestamp, first, at

    @property
    def at(self) -> int:
        """When the last packet was stamped."""
        return self._at

    def close_up(self, source: str, ssrc: int) -> None:
        """Tell that one packet of the present source is not relayed, so that it leaves no gap."""
        if self._source == (source, ssrc):
            self._sequence_offset -= 1

    def _units_since(self, now: int) -> int:
        """Timestamp units between the last packet and ``now`` in whole frames, one at least."""
        return max(1, round((now - self._at) / FRAME_MILLISECONDS)) * self.frame_units
