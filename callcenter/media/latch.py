"""From where a leg's audio is believed (against RTP injection and theft).

Behind NAT a phone's audio comes from another address than its SDP names, so it has to be learned; anybody could send
first, so learning is bound to the address of the signalling peer, to a run of consecutive packets and, once done, to
silence of the old source. The owner connects its socket to the locked source, and the kernel drops everybody else's.
"""

from dataclasses import dataclass

from callcenter.ports import LatchPolicy

Address = tuple[str, int]

WINDOW = 5000
"""Milliseconds after the description was set in which a source is learned quickly."""
QUICK_RUN = 3
"""Consecutive packets that make a source within the window."""
LONG_RUN = 5
"""Consecutive packets that make a source after the window, or after silence of the former one."""
SILENCE_BEFORE_CHANGE = 1500
"""Milliseconds without a packet after which another port of the same address may take over (NAT rebinding)."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A candidate's consecutive packets so far."""

    source: Address
    ssrc: int
    sequence: int
    length: int


class SourceLatch:
    """Decides which packets of an unconnected socket belong to the leg."""

    __slots__ = ("_opened_at", "_peer_address", "_policy", "_run", "_sdp_address", "locked")

    def __init__(
        self,
        policy: LatchPolicy,
        sdp_address: Address,
        peer_address: str,
        *,
        now: int,
        locked: Address | None = None,
    ) -> None:
        self._policy = policy
        self._sdp_address = sdp_address
        self._peer_address = peer_address
        self._opened_at = now
        self._run: _Run | None = None
        self.locked = locked
        """The source that is believed, ``None`` until one is found."""

    def weigh(self, source: Address, ssrc: int, sequence: int, *, now: int, silent_for: int) -> bool:
        """Whether a valid RTP packet is accepted; may lock its source.

        ``silent_for`` is how long the locked source has been quiet, in milliseconds.
        """
        if source == self.locked:
            self._run = None
            return True
        if not self._is_allowed(source, silent_for=silent_for):
            return False
        if source == self._sdp_address and self.locked is None:
            self._lock(source)
            return True
        if self._lengthen_run(source, ssrc, sequence) < self._needed(now=now):
            return False
        self._lock(source)
        return True

    def _is_allowed(self, source: Address, *, silent_for: int) -> bool:
        if source == self._sdp_address:
            return True
        if self._policy is LatchPolicy.SDP_ADDRESS:
            return False
        if self.locked is None:
            return source[0] == self._peer_address
        return source[0] == self.locked[0] and silent_for >= SILENCE_BEFORE_CHANGE

    def _needed(self, *, now: int) -> int:
        return QUICK_RUN if self.locked is None and now - self._opened_at <= WINDOW else LONG_RUN

    def _lengthen_run(self, source: Address, ssrc: int, sequence: int) -> int:
        run = self._run
        goes_on = (
            run is not None and (run.source, run.ssrc) == (source, ssrc) and sequence == (run.sequence + 1) & 0xFFFF
        )
        length = run.length + 1 if goes_on and run is not None else 1
        self._run = _Run(source, ssrc, sequence, length)
        return length

    def _lock(self, source: Address) -> None:
        self.locked = source
        self._run = None
