"""How a worker waits for packets: in Python, or, where numba is, in a compiled loop that relays by itself."""

import select
import time
from typing import Protocol

import structlog

from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.leg import RtpLeg
from callcenter.media.mediad.settings import RelayLoop

log = structlog.get_logger(__name__)

GATHER = 1.0
"""Milliseconds for which a crowded loop lets packets gather: one wake-up for all costs less than one for each."""
CROWD = 64
"""Legs that make a crowd: together they bring a packet every third of a millisecond."""
ENOUGH = 32
"""Packets in one wake-up after which nothing is waited for: they gather by themselves while these are served."""
_MOST_READY = 256


class PacketLoop(Protocol):
    """Waits for packets. Every leg is told to it, and every change of a leg before and after."""

    @property
    def name(self) -> str:
        """What it is called in settings and in health."""
        ...

    def register(self, descriptor: int) -> None:
        """Watch a socket that belongs to no leg."""
        ...

    def unregister(self, descriptor: int) -> None:
        """Watch such a socket no more."""
        ...

    def add(self, leg: RtpLeg) -> None:
        """Watch a leg."""
        ...

    def remove(self, leg: RtpLeg) -> None:
        """Watch it no more; its figures are up to date then."""
        ...

    def look_at(self, leg: RtpLeg, *, now: int) -> None:
        """Something about a leg may have changed."""
        ...

    def withdraw(self, leg: RtpLeg) -> None:
        """A leg is about to change in a way that only its objects know of; ``look_at`` it afterwards."""
        ...

    def refresh(self, leg: RtpLeg) -> None:
        """Bring a leg's figures up to date."""
        ...

    def wait(self, deadline: int) -> list[tuple[int, bytes]]:
        """Wait until ``deadline`` (monotonic milliseconds): sockets to be read, some with a datagram that was read."""
        ...


class PythonLoop:
    """Tells of every packet."""

    name = "python"

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._legs = self._last = 0

    def register(self, descriptor: int) -> None:
        """See ``PacketLoop``."""
        self._epoll.register(descriptor, select.EPOLLIN)

    def unregister(self, descriptor: int) -> None:
        """See ``PacketLoop``."""
        self._epoll.unregister(descriptor)

    def add(self, leg: RtpLeg) -> None:
        """See ``PacketLoop``."""
        self._epoll.register(leg.socket.fileno(), select.EPOLLIN)
        self._legs += 1

    def remove(self, leg: RtpLeg) -> None:
        """See ``PacketLoop``."""
        self._epoll.unregister(leg.socket.fileno())
        self._legs -= 1

    def look_at(self, leg: RtpLeg, *, now: int) -> None:
        """See ``PacketLoop``."""

    def withdraw(self, leg: RtpLeg) -> None:
        """See ``PacketLoop``."""

    def refresh(self, leg: RtpLeg) -> None:
        """See ``PacketLoop``."""

    def wait(self, deadline: int) -> list[tuple[int, bytes]]:
        """See ``PacketLoop``."""
        left = max(0.0, deadline / 1000 - time.monotonic())
        if self._legs >= CROWD and self._last < ENOUGH and left:
            pause = min(left, GATHER / 1000)
            time.sleep(pause)
            left -= pause
        found = [(descriptor, b"") for descriptor, _ in self._epoll.poll(left, _MOST_READY)]
        self._last = len(found)
        return found


def make_loop(wanted: RelayLoop, checkpoint: Checkpoint) -> PacketLoop:
    """The loop that is wanted. The compiled one takes a third of a second, several when nothing is cached yet, and
    where it cannot be had Python's is given."""
    if wanted == "python":
        return PythonLoop()
    try:
        from callcenter.media.mediad.compiled_loop import CompiledLoop

        loop = CompiledLoop(checkpoint)
        loop.wait(0)
    except ImportError as error:
        tell = log.info if wanted == "auto" and error.name == "numba" else log.warning
        tell("media.loop_not_compiled", error=f"{error}; the extra callcenter[fast] brings numba")
    except Exception as error:  # noqa: BLE001 - whatever a compiler may not like here must not cost calls
        log.warning("media.loop_not_compiled", error=f"{type(error).__name__}: {error}")
    else:
        return loop
    return PythonLoop()
