"""What the SIP front end is told at its start."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from callcenter.ports import Allowed
from callcenter.sip.admission import MAX_LAG_MS
from callcenter.sip.defence import DefenceLimits
from callcenter.sip.digest import DEFAULT_OFFER
from callcenter.sip.flows import Transport
from callcenter.sip.media_keys import MediaRule
from callcenter.sip.registrar import Limits
from callcenter.sip.tls import TlsSettings


@dataclass(frozen=True, slots=True)
class SipSettings:
    """Where to listen and what to be. ``port`` 0 takes any free port."""

    host: str = "127.0.0.1"
    port: int = 5060
    other_hosts: tuple[str, ...] = ()
    """More addresses to listen on, of IPv4 or IPv6, by the same ports."""
    transports: tuple[Transport, ...] = (Transport.UDP, Transport.TCP)
    advertised_host: str = ""
    """The address put into Via and Contact; ``host`` when empty."""
    advertised_host6: str = ""
    """The same for far ends on IPv6; the first address of IPv6 we listen on when empty."""
    tls: TlsSettings | None = None
    certificate_seconds: float = 10.0
    """How often it is looked whether the certificate files were replaced."""
    tls_port: int | None = 5061
    """TLS, with ``tls`` set; ``None`` for none, 0 for any free port. So for the two below."""
    ws_port: int | None = None
    """WebSocket without TLS, for a proxy on this machine that ends TLS."""
    wss_port: int | None = None
    realm: str = "callcenter"
    algorithms: tuple[str, ...] = DEFAULT_OFFER
    nonce_lifetime_ms: int = 300_000
    require_qop: bool = False
    """Refuse credentials without ``qop``. Off, they are taken, each nonce once only."""
    limits: Limits = field(default_factory=Limits)
    max_legs: int = 2_000
    """Above this many legs a new INVITE is answered 503."""
    max_lag_ms: float = MAX_LAG_MS
    """When messages wait longer than this and go on doing so, new calls are answered 503."""
    max_queue_depth: int = 10_000
    """The same for contacts waiting, where the exchange says how many there are."""
    defence: DefenceLimits = field(default_factory=DefenceLimits)
    trace_socket: Path | None = None
    """Where ``callcenter sip trace`` listens; ``None`` for nowhere."""
    bindings_file: Path | None = None
    """Where registered phones are written down for the next start; ``None`` for nowhere."""
    max_connections: int = 1_000
    watch_phones_ms: int = 4_000
    """How often a phone reached by UDP is asked whether it lives while its agent waits for calls; 0: never."""
    idle_seconds: int = 900
    """A TCP connection without traffic is closed after this time."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every address to listen on."""
        return (self.host, *self.other_hosts)


class Credentials(Protocol):
    """Who may register and call from a phone."""

    def ha1(self, username: str, algorithm: str) -> str | None:
        """The stored hash of ``username:realm:password`` for ``MD5`` or ``SHA-256``, ``None`` for an unknown name."""
        ...

    def agent_of(self, username: str) -> str | None:
        """The agent whose phone this user name is, ``None`` when it is nobody's."""
        ...

    def media_rule(self, agent_id: str) -> MediaRule:
        """What holds for the media of this agent's phones."""
        ...


PhoneSink = Callable[[str, bool], None]
"""Told ``(agent_id, reachable)`` when an agent's first phone comes and when the last one goes."""
LeaveSource = Callable[[str, Allowed], Awaitable[bool]]
"""Asked ``(agent_id, allowed)`` whether a call that the rules allow may be sent on to that number."""
