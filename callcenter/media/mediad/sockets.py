"""The RTP sockets of a ``mediad``: opened on ports of the pool, some of them granted to the exchange ahead."""

import errno
import socket
import time

from callcenter.errors import MediaError, NoFreePorts
from callcenter.media.mediad.ports import PortPool

_BIND_TRIES = 50
_NO_MORE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_EXPEDITED = 0xB8
"""Type of service: DSCP EF (RFC 3246), voice before anything else."""
_BY_VERSION = {
    4: (socket.AF_INET, socket.IPPROTO_IP, socket.IP_TOS),
    6: (socket.AF_INET6, socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
}
"""Address family, and where the type of service is set."""
_LARGEST_GRANT = 256
_FEWEST_GRANTED = 16
"""Ports granted at once: opening each takes time in which no order is followed."""
_GRANTED_SHARE = 8
"""One port of so many may be granted ahead."""
_MOST_WAITING = 2_000
"""Packets that a socket's buffer may hold, roughly."""


class RtpSockets:
    """Opens and closes sockets; an owner of an open one has it until ``close``."""

    def __init__(self, host: str, pool: PortPool) -> None:
        self._host = host
        self._pool = pool
        self._granted: dict[int, socket.socket] = {}
        self._most = min(_LARGEST_GRANT, pool.size // _GRANTED_SHARE)

    def grant(self) -> tuple[int, ...]:
        """More ports for the exchange to choose from, once it has used some of the last ones."""
        if self._most - len(self._granted) < min(_FEWEST_GRANTED, (self._most + 1) // 2):
            return ()
        opened: dict[int, socket.socket] = {}
        try:
            while len(self._granted) + len(opened) < self._most:
                port, sock = self.open()
                opened[port] = sock
        except MediaError:
            pass  # those that were found are granted
        self._granted |= opened
        return tuple(opened)

    def revoke(self) -> None:
        """The exchange that was granted ports is gone."""
        for port, sock in self._granted.items():
            self.close(port, sock)
        self._granted = {}

    def take(self, port: int) -> tuple[int, socket.socket]:
        """A granted port, or any when ``port`` is 0. Raises ``MediaError`` for one that was not granted.

        What came to a granted one was meant for nobody, and is not kept for the leg that gets it now.
        """
        if not port:
            return self.open()
        sock = self._granted.pop(port, None)
        if sock is None:
            raise MediaError("the port was not granted")
        empty(sock)
        return port, sock

    def open(self) -> tuple[int, socket.socket]:
        """A socket on a free port. Raises ``MediaError``."""
        for _ in range(_BIND_TRIES):
            port = self._pool.take(now=now_ms())
            if port is None:
                break
            try:
                return port, self._bound(port)
            except OSError as error:
                self._pool.give_back(port, now=now_ms())
                if error.errno in _NO_MORE:
                    raise MediaError("no more sockets") from error
        raise NoFreePorts("every RTP port is taken or resting")

    def open_control(self, port: int) -> socket.socket | None:
        """A socket for the reports of the leg with this port; ``None`` when somebody else has their port."""
        try:
            return self._bound(port + 1)
        except OSError:
            return None

    def _bound(self, port: int) -> socket.socket:
        family, level, option = _BY_VERSION[6 if ":" in self._host else 4]
        sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            sock.bind((self._host, port))
        except OSError:
            sock.close()
            raise
        sock.setsockopt(level, option, _EXPEDITED)
        return sock

    def close(self, port: int, sock: socket.socket) -> None:
        """Close a socket; its port rests."""
        sock.close()
        self._pool.give_back(port, now=now_ms())

    def counts(self) -> tuple[int, int, int]:
        """Ports free (the granted ones are), in use and resting."""
        free, used, resting = self._pool.counts(now=now_ms())
        return free + len(self._granted), used - len(self._granted), resting


def empty(sock: socket.socket) -> None:
    """Throw away what waits to be read."""
    for _ in range(_MOST_WAITING):
        try:
            sock.recv(1)
        except BlockingIOError:
            return
        except OSError:  # told of somebody who listens no more
            continue


def now_ms() -> int:
    """Milliseconds of the monotonic clock of this machine."""
    return time.monotonic_ns() // 1_000_000
