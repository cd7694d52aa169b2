"""A relay between a carrier and the exchange that loses, doubles and reorders datagrams both ways, by a seed."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class BadRelay:
    """Two sockets: what comes at one leaves by the other, or does not. ``share`` of the datagrams is lost, as much is
    carried twice; delays up to ``longest_ms`` reorder them."""

    share: float
    longest_ms: int
    chance: random.Random
    exchange: tuple[str, int]
    near: asyncio.DatagramTransport | None = None
    far: asyncio.DatagramTransport | None = None
    carrier: tuple[str, int] | None = None
    came: list[int] = field(default_factory=lambda: [0, 0])
    """Datagrams that came from the carrier, and from the exchange."""
    lost: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def address(self) -> tuple[str, int]:
        """Where the carrier sends to."""
        assert self.near is not None
        host, port = self.near.get_extra_info("sockname")[:2]
        return str(host), int(port)

    def take(self, data: bytes, source: tuple[str, int], *, from_carrier: bool) -> None:
        """A datagram came."""
        way = 0 if from_carrier else 1
        self.came[way] += 1
        if from_carrier:
            self.carrier = source
        if self.chance.random() < self.share:
            self.lost[way] += 1
            return
        out, to = (self.far, self.exchange) if from_carrier else (self.near, self.carrier)
        assert out is not None
        loop = asyncio.get_running_loop()
        for _ in range(2 if self.chance.random() < self.share else 1):
            loop.call_later(self.chance.uniform(0, self.longest_ms) / 1_000, out.sendto, data, to)


class _Side(asyncio.DatagramProtocol):
    def __init__(self, relay: BadRelay, *, of_carrier: bool) -> None:
        self._relay = relay
        self._of_carrier = of_carrier

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._relay.take(data, addr, from_carrier=self._of_carrier)


@asynccontextmanager
async def bad_relay(
    exchange: tuple[str, int], host: str, *, share: float, seed: int, longest_ms: int = 300
) -> AsyncIterator[BadRelay]:
    """Open it at ``host``, which is where the exchange sees the carrier."""
    relay = BadRelay(share, longest_ms, random.Random(seed), exchange)
    loop = asyncio.get_running_loop()
    relay.near, _ = await loop.create_datagram_endpoint(lambda: _Side(relay, of_carrier=True), local_addr=(host, 0))
    relay.far, _ = await loop.create_datagram_endpoint(lambda: _Side(relay, of_carrier=False), local_addr=(host, 0))
    try:
        yield relay
    finally:
        relay.near.close()
        relay.far.close()
