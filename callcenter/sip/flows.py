"""Flows: the path a message came on and the answer goes back on (RFC 5626's word, used for UDP too)."""

from dataclasses import dataclass
from enum import StrEnum

Address = tuple[str, int]
"""IP address and port."""


class Transport(StrEnum):
    """How messages travel; the value is the URI's transport parameter."""

    UDP = "udp"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Flow:
    """A pair of addresses, or one connection."""

    transport: Transport
    remote: Address
    channel: int = 0
    """UDP: which of our sockets. TCP: number of the connection; 0 asks for any to ``remote``, opened if need be."""

    @property
    def is_reliable(self) -> bool:
        """Whether the transport itself repeats what is lost."""
        return self.transport is not Transport.UDP


@dataclass(frozen=True, slots=True)
class Transmit:
    """Order: send these octets."""

    data: bytes
    flow: Flow
