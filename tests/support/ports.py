"""Ports for what tests start: each tester of a run has its own, and the kernel gives none of them out by itself.

A port that was free when somebody looked may be taken by the time it is bound, which is minutes later where a module
chooses it as it is imported. Linux gives out 32768 to 60999 to whoever asks for any.
"""

import contextlib
import os
import random
import socket
from collections import deque
from itertools import islice

from tests.support.process_table import udp_sockets

TESTERS = 4
"""More testers than these share ports."""
_TESTER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % TESTERS
_chance = random.SystemRandom()  # hypothesis seeds the ordinary one, alike in all testers
_left: list[int] = [*range(2_000, 10_000), *range(61_000, 65_536)][_TESTER::TESTERS]
_chance.shuffle(_left)
MEDIA_FIRST, MEDIA_SPAN = 10_000, 22_000 // TESTERS
MOST_TRIED = 200
"""Ranges that are looked at before the one is taken of which least is bound."""
_given: deque[range] = deque()
"""The last ranges that were given out: a program binds the ports of its range one by one, when it needs them."""


def _is_free(kind: socket.SocketKind, host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
        probe.bind((host, port))
        return True
    return False


def _next(host: str, *kinds: socket.SocketKind) -> int:
    while True:
        port: int = _left.pop()
        _left.insert(0, port)
        if all(_is_free(kind, host, port) for kind in kinds):
            return port


def free_port(kind: socket.SocketKind, host: str = "127.0.0.1") -> int:
    """A port of this machine that is free now."""
    return _next(host, kind)


def free_sip_port(host: str = "127.0.0.1") -> int:
    """A port that is free for UDP and TCP alike."""
    return _next(host, socket.SOCK_DGRAM, socket.SOCK_STREAM)


def media_range(size: int) -> int:
    """The first, even port of a range of which as little as possible is bound, below those that the kernel gives out.

    Programs with many ports to choose from may have some anywhere; whoever gets a range passes over what is taken.
    """
    own = MEDIA_FIRST + _TESTER * MEDIA_SPAN
    bound = [each.port for each in udp_sockets("127.0.0.1", own, own + MEDIA_SPAN)]
    ranges = [range(first, first + size) for first in range(own, own + MEDIA_SPAN - size, 2)]
    _chance.shuffle(ranges)
    while not (fresh := list(islice((each for each in ranges if _is_fresh(each)), MOST_TRIED))):
        _given.popleft()
    found = min(fresh, key=lambda each: sum(port in each for port in bound))
    _given.append(found)
    while sum(map(len, _given)) > MEDIA_SPAN // 2:
        _given.popleft()
    return found[0]


def _is_fresh(ports: range) -> bool:
    return not any(ports[0] <= given[-1] and given[0] <= ports[-1] for given in _given)
