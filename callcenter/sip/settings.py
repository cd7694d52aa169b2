"""What the SIP front end is told at its start."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from callcenter.sip.digest import DEFAULT_OFFER
from callcenter.sip.flows import Transport
from callcenter.sip.registrar import Limits


@dataclass(frozen=True, slots=True)
class SipSettings:
    """Where to listen and what to be. ``port`` 0 takes any free port."""

    host: str = "127.0.0.1"
    port: int = 5060
    transports: tuple[Transport, ...] = (Transport.UDP, Transport.TCP)
    advertised_host: str = ""
    """The address put into Via and Contact; ``host`` when empty."""
    realm: str = "callcenter"
    algorithms: tuple[str, ...] = DEFAULT_OFFER
    nonce_lifetime_ms: int = 300_000
    require_qop: bool = False
    """Refuse credentials without ``qop``. Off, they are taken, each nonce once only."""
    limits: Limits = field(default_factory=Limits)
    max_legs: int = 2_000
    """Above this many legs a new INVITE is answered 503."""
    retry_after_seconds: int = 5
    max_connections: int = 1_000
    idle_seconds: int = 900
    """A TCP connection without traffic is closed after this time."""


class Credentials(Protocol):
    """Who may register and call from a phone."""

    def ha1(self, username: str, algorithm: str) -> str | None:
        """The stored hash of ``username:realm:password`` for ``MD5`` or ``SHA-256``, ``None`` for an unknown name."""
        ...

    def agent_of(self, username: str) -> str | None:
        """The agent whose phone this user name is, ``None`` when it is nobody's."""
        ...


PhoneSink = Callable[[str, bool], None]
"""Told ``(agent_id, reachable)`` when an agent's first phone comes and when the last one goes."""
