"""Whose datagram is served first: a caller who just came waits for a phone to ring; all else of that moment can wait.

While messages come one by one each is served as it comes. In a burst, what opens no call stands back behind the INVITEs
that do, and is served a little at a time, so that whoever comes meanwhile goes first, too.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter

from callcenter.sip.flows import Flow

TURN_SECONDS = 0.001
"""How much of a turn of the loop what stands back may take: about five messages."""


class Arrivals:
    """Datagrams on their way to ``serve``. ``are_more`` tells whether the kernel holds others."""

    def __init__(self, serve: Callable[[bytes, Flow], None], are_more: Callable[[], bool]) -> None:
        self._serve = serve
        self._are_more = are_more
        self._standing_back: deque[tuple[bytes, Flow]] = deque()

    def __len__(self) -> int:
        return len(self._standing_back)

    def take(self, data: bytes, flow: Flow) -> None:
        """Serve a datagram now, or have it stand back; those that do keep their order."""
        if opens_call(data) or not (self._standing_back or self._are_more()):
            self._serve(data, flow)
            return
        if not self._standing_back:
            asyncio.get_running_loop().call_soon(self._go_on)
        self._standing_back.append((data, flow))

    def _go_on(self) -> None:
        until = perf_counter() + TURN_SECONDS
        while self._standing_back:
            self._serve(*self._standing_back.popleft())
            if perf_counter() > until:
                break
        if self._standing_back:
            asyncio.get_running_loop().call_soon(self._go_on)


def opens_call(data: bytes) -> bool:
    """Whether this is an INVITE outside any dialog, at a first look: one in an unusual form counts as all else."""
    if not data.startswith(b"INVITE "):
        return False
    begin = data.find(b"\nTo:")
    return begin >= 0 and b"tag=" not in data[begin : data.find(b"\n", begin + 1)]
