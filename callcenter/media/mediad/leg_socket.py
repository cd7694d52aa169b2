"""A leg's socket: whose packets it takes, of which stream, and how many. ``now`` is monotonic, in milliseconds."""

import ctypes
import socket

from callcenter.media.latch import SILENCE_BEFORE_CHANGE, Address, SourceLatch
from callcenter.media.mediad.sockets import empty
from callcenter.media.protocol import LegSpec
from callcenter.ports import LatchPolicy

RATE = 120
"""Packets per second that one leg may send us: twice the nominal rate and some digits."""
LEFT_OVER = 2000
"""Milliseconds after a far end was named in which no stream begins with a digit."""
_SSRC_REST = 1000
"""Milliseconds between accepted changes of a stream's SSRC."""
_UNSPECIFIED = b"\0" * 16
_libc = ctypes.CDLL(None, use_errno=True)


class LegSocket:
    """Once a source is believed the kernel drops everybody else's packets."""

    __slots__ = (
        "_allowance",
        "_allowance_at",
        "_latch",
        "_named_at",
        "_remote",
        "_ssrc_at",
        "heard_at",
        "is_connected",
        "is_private",
        "socket",
        "ssrc",
    )

    def __init__(self, spec: LegSpec, sock: socket.socket, *, now: int) -> None:
        self.socket = sock
        self.ssrc: int | None = None
        """Of the stream that is taken."""
        self.heard_at = now
        """When the last packet was taken."""
        self.is_private = False
        """Whether only the believed source's packets can be read: the kernel sees to it, and older ones are gone."""
        self._ssrc_at = 0
        self._allowance, self._allowance_at = float(RATE), now
        self._remote = spec.remote
        self._latch: SourceLatch | None = None
        self.is_connected = False
        """Whether the kernel lets only one source's packets through."""
        locked = self._connected_peer()
        self._named_at = now if locked is None else now - LEFT_OVER
        self._open_latch(spec, now=now, locked=locked)

    def follow(self, spec: LegSpec, before: LegSpec, *, now: int) -> None:
        """Another description: what was learned for another address counts no more, and what came before the far end
        was named is not its own."""
        if spec.remote != before.remote:
            empty(self.socket)
            self._named_at = now
        self._remote = spec.remote
        if (spec.remote, spec.peer_address, spec.learn) != (before.remote, before.peer_address, before.learn):
            self._disconnect()
            self._open_latch(spec, now=now, locked=None)

    def believes(self, source: Address, ssrc: int, sequence: int, *, now: int) -> bool:
        """Whether a valid packet on the socket that is open for all is the leg's; it may decide for the future."""
        latch = self._latch
        if latch is None or not latch.weigh(source, ssrc, sequence, now=now, silent_for=now - self.heard_at):
            return False
        if not self.is_connected and latch.locked is not None:
            self._connect(latch.locked)
        return True

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that are believed to be the far end's."""
        locked = None if self._latch is None else self._latch.locked
        return frozenset(address[0] for address in (locked, self._remote) if address is not None)

    def tell_emptied(self) -> None:
        """Nothing is left to read: a packet that comes from now on has passed the kernel's filter, if there is one."""
        self.is_private = self.is_connected

    def is_within_rate(self, now: int) -> bool:
        """Whether one more packet may come (a bucket of ``RATE``)."""
        allowance = self._allowance + (now - self._allowance_at) * RATE / 1000
        self._allowance_at = now
        if allowance < 1:
            self._allowance = allowance
            return False
        self._allowance = min(RATE, allowance) - 1
        return True

    @property
    def allowance(self) -> tuple[float, int]:
        """How many packets may come, and when that was so."""
        return self._allowance, self._allowance_at

    @allowance.setter
    def allowance(self, known: tuple[float, int]) -> None:
        self._allowance, self._allowance_at = known

    def is_left_over(self, ssrc: int, *, now: int) -> bool:
        """Whether an event may be older than the far end's description: of a stream that has not spoken since.

        rtpengine passes on what strangers send to a called phone's port until that has answered, and events as late as
        their timestamps say, up to a second: they come from its address, after the answer that keeps strangers out.
        """
        return ssrc != self.ssrc and now - self._named_at < LEFT_OVER

    def may_change_ssrc(self, ssrc: int, *, now: int) -> bool:
        """Take another stream of the same source, once in a while."""
        if self.ssrc is not None and now - self._ssrc_at < _SSRC_REST:
            return False
        self.ssrc, self._ssrc_at = ssrc, now
        return True

    def open_when_silent(self, *, now: int) -> None:
        """After a short silence let a source that moved be learned."""
        if self.is_connected and now - self.heard_at >= SILENCE_BEFORE_CHANGE:
            self._disconnect()

    def send(self, datagram: bytes | memoryview) -> bool:
        """False when a full buffer or an unreachable far end took it: the stream goes on, this packet is lost."""
        try:
            if self.is_connected:
                self.socket.send(datagram)
            else:
                self.socket.sendto(datagram, self._target())
        except OSError:
            return False
        return True

    def _target(self) -> Address:
        remote = (None if self._latch is None else self._latch.locked) or self._remote
        assert remote is not None  # noqa: S101 - nothing is sent before the far end is described
        return remote

    def _open_latch(self, spec: LegSpec, *, now: int, locked: Address | None) -> None:
        if spec.remote is None:
            return
        policy = LatchPolicy.LEARN if spec.learn else LatchPolicy.SDP_ADDRESS
        self._latch = SourceLatch(policy, spec.remote, spec.peer_address, now=now, locked=locked)
        self.is_connected = locked is not None

    def _connected_peer(self) -> Address | None:
        """The source a former worker locked the socket to."""
        try:
            host, port, *_ = self.socket.getpeername()
        except OSError:
            return None
        return str(host), int(port)

    def _connect(self, source: Address) -> None:
        """Let the kernel drop everybody else's packets. What was queued before is still weighed one by one."""
        try:
            self.socket.connect(source)
        except OSError:
            return
        self.is_connected = True

    def _disconnect(self) -> None:
        """Open the socket for other sources again (``connect`` with an address of no family)."""
        if self.is_connected:
            _libc.connect(self.socket.fileno(), _UNSPECIFIED, len(_UNSPECIFIED))
            self.is_connected = self.is_private = False
