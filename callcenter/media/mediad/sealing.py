"""SRTP of one leg in a worker, so that a successor can go on with the same keys."""

from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.protocol import LegSpec
from callcenter.media.rtp import sequence_distance
from callcenter.media.srtp import Opener, Seal

_SKIPPED = 16
"""Sequence numbers that a successor leaves out: the last packets before a death may not have been noted, and no two
packets may ever be sealed under one number."""


class LegSealing:
    """Both directions of one leg. Counts how often sequence numbers wrap, which the packets do not tell."""

    __slots__ = ("_extended", "_opener", "_seal", "_sequence", "_ssrc", "wraps")

    def __init__(self, seal: Seal, opener: Opener) -> None:
        self._seal, self._opener = seal, opener
        self.wraps = 0
        """How often our own sequence number began anew."""
        self._sequence: int | None = None
        self._ssrc, self._extended = 0, 0

    @classmethod
    def of(cls, spec: LegSpec) -> "LegSealing | None":
        """For new keys; ``None`` for a plain leg."""
        if spec.send_key is None or spec.receive_key is None:
            return None
        return cls(Seal(spec.send_key), Opener(spec.receive_key))

    def take_over(self, checkpoint: Checkpoint, slot: int, ssrc: int) -> int:
        """Go on where a former worker stopped; by how many sequence numbers our stream is to be moved on."""
        self._ssrc, self._extended = checkpoint.heard(slot)
        if self._extended:
            self._opener.wind(self._ssrc, self._extended)
        stamp = checkpoint.stamped(slot, ssrc)
        if stamp is None:
            return 0
        self.wraps = checkpoint.wraps(slot)
        self._sequence = stamp[0]
        self._seal.wind(ssrc, self.wraps << 16 | stamp[0])
        return _SKIPPED

    def close(self, datagram: bytes, sequence: int) -> bytes:
        """Seal a packet; ``sequence`` is the highest number sent so far."""
        if self._sequence is not None and sequence < self._sequence - 0x8000:
            self.wraps += 1
        self._sequence = sequence
        return self._seal.rtp(datagram)

    def open(self, datagram: bytes, ssrc: int, sequence: int) -> bytes | None:
        """Open a packet; ``None`` for one that is not of the far end."""
        opened = self._opener.rtp(datagram)
        if opened is None:
            return None
        if ssrc != self._ssrc:
            self._ssrc, self._extended = ssrc, sequence
        else:
            self._extended += max(0, sequence_distance(sequence, self._extended & 0xFFFF))
        return opened

    def close_control(self, datagram: bytes) -> bytes:
        """Seal an RTCP packet."""
        return self._seal.rtcp(datagram)

    def open_control(self, datagram: bytes) -> bytes | None:
        """Open an RTCP packet; ``None`` for one that is not of the far end."""
        return self._opener.rtcp(datagram)

    def note(self, checkpoint: Checkpoint, slot: int) -> None:
        """Leave what a successor needs."""
        checkpoint.note_heard(slot, self._ssrc, self._extended)
