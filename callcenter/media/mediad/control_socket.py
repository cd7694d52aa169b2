"""The socket of a leg's reports where they have a port of their own, the one after that of speech (RFC 3550, 11).

Far ends that share the port (``a=rtcp-mux``) have none. What comes here is only figures, so a report is believed when
its host is that of the leg's speech.
"""

import ctypes
import socket

from callcenter.media.latch import Address
from callcenter.media.protocol import LegSpec
from callcenter.media.rtcp import is_control

_MOST_AT_ONCE = 8
_LARGEST_REPORT = 1500
_UNSPECIFIED = b"\0" * 16
_libc = ctypes.CDLL(None, use_errno=True)


class ControlSocket:
    """Sends to where the far end's description says, or to where its reports come from behind NAT."""

    def __init__(self, sock: socket.socket, spec: LegSpec) -> None:
        self.socket = sock
        self._target: Address | None = None
        self.follow(spec)

    def follow(self, spec: LegSpec) -> None:
        """Another description. One that names the address it is signalled from lets nobody else be read."""
        if spec.control is None or spec.control == self._target:
            return
        if self._target is not None:
            _libc.connect(self.socket.fileno(), _UNSPECIFIED, len(_UNSPECIFIED))
        self._target = spec.control
        if not spec.learn or spec.control[0] == spec.peer_address:
            self._connect(spec.control)

    def receive(self, hosts: frozenset[str]) -> list[bytes]:
        """The reports that wait, of these hosts only; the first one decides where ours go, if that is open."""
        found: list[bytes] = []
        for _ in range(_MOST_AT_ONCE):
            try:
                data, source = self.socket.recvfrom(_LARGEST_REPORT)
            except BlockingIOError:
                break
            except OSError:  # the far end's host told that nobody listens there
                continue
            if len(data) < 8 or not is_control(data[1]) or source[0] not in hosts:
                continue
            if source[:2] != self._target:
                self._target = source[:2]
                self._connect(source[:2])
            found.append(data)
        return found

    def send(self, report: bytes) -> None:
        """Send one; a far end that takes none loses it."""
        if self._target is None:
            return
        try:
            self.socket.sendto(report, self._target)
        except OSError:
            return

    def _connect(self, target: Address) -> None:
        try:
            self.socket.connect(target)
        except OSError:
            return
