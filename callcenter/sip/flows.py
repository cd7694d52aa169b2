"""Flows: the path a message came on and the answer goes back on (RFC 5626's word, used for UDP too)."""

from enum import StrEnum

import msgspec

Address = tuple[str, int]
"""IP address and port."""


class Transport(StrEnum):
    """How messages travel; the value is the URI's transport parameter."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    WS = "ws"
    WSS = "wss"


class Flow(msgspec.Struct, frozen=True):
    """A pair of addresses, or one connection."""

    transport: Transport
    remote: Address
    channel: int = 0
    """UDP: which of our sockets. Else: number of the connection; 0 asks for any to ``remote``, opened if need be."""
    name: str = ""
    """TLS connections that we open: whose certificate the far end must show, empty for its IP address."""

    @property
    def is_reliable(self) -> bool:
        """Whether the transport itself repeats what is lost."""
        return self.transport is not Transport.UDP

    @property
    def is_ipv6(self) -> bool:
        """Whether the far end is reached by IPv6."""
        return ":" in self.remote[0]


class Transmit(msgspec.Struct, frozen=True):
    """Order: send these octets."""

    data: bytes
    flow: Flow
