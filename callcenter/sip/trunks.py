"""Trunks: the carriers whose calls are taken on sight, and that carry our calls out. Pure.

A carrier is recognised by where its packets come from; calls to it go to its gateways, the healthy ones first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address

from callcenter.sip.flows import Address, Flow, Transport
from callcenter.sip.media_keys import MediaRule, SrtpPolicy

FAILURES_TO_DOWN = 3
"""Failures in a row after which a trunk is not tried first any more."""
SUCCESSES_TO_UP = 2
"""Successes in a row after which it is again: one lucky answer of a flapping line is not enough."""
FAILOVER_STATUSES = frozenset({408, 500, 502, 503, 504})
"""Final answers that say something of the trunk and nothing of the number: the next trunk is tried."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """One carrier. An address inside ``networks`` is trusted to be this carrier and nobody else."""

    trunk_id: str
    networks: tuple[IPv4Network | IPv6Network, ...]
    ports: frozenset[int] = frozenset()
    """Source ports it sends from; empty for any."""
    trust_identity: bool = True
    """Whether its P-Asserted-Identity names the caller (RFC 3325); else only From is read."""
    gateway: str = ""
    """Where our calls go: a host name (found by DNS, RFC 3263) or an IP address; empty: the trunk takes none."""
    gateway_port: int | None = None
    """Without it DNS chooses, or the transport's usual port."""
    more_gateways: tuple[tuple[str, int | None], ...] = ()
    """Hosts and ports to try after the first."""
    transport: Transport | None = None
    """Without it DNS chooses, or UDP."""
    domain: str = ""
    """The host in the URIs we send; the gateway when empty."""
    username: str = ""
    password: str = field(default="", repr=False)
    """Answers the carrier's digest challenges."""
    registers: bool = False
    """Whether we register with it; it then finds us by that."""
    register_seconds: int = 300
    options_seconds: int = 30
    """How often it is asked whether it lives; 0 for never."""
    max_calls: int = 0
    """Calls of ours at a time, 0 for any number."""
    calls_per_second: float = 0.0
    """New calls of ours, 0 for any number."""

    caller_number: str = ""
    """The number shown where the caller's own may not be; empty: the caller is then withheld."""
    caller_numbers: tuple[str, ...] = ()
    """Beginnings of the numbers that may be shown; empty: any."""
    follow_redirects: bool = False
    """Whether it may send a call of ours to another number, checked like a dialled one."""
    srtp: SrtpPolicy = SrtpPolicy.OPTIONAL
    keys_without_tls: bool = False
    """Whether keys of SRTP may go by UDP and TCP, where everybody on the way reads them along."""

    def shown(self, caller: str) -> str:
        """The number this carrier is told for a caller; empty for none at all."""
        if caller and (not self.caller_numbers or caller.startswith(self.caller_numbers)):
            return caller
        return self.caller_number

    @property
    def media(self) -> MediaRule:
        """What holds for its media."""
        return MediaRule(self.srtp, self.keys_without_tls)

    def owns(self, address: Address) -> bool:
        """Whether a packet from this address is the carrier's."""
        if self.ports and address[1] not in self.ports:
            return False
        try:
            source = ip_address(address[0])
        except ValueError:
            return False
        return any(source in network for network in self.networks)

    @property
    def host(self) -> str:
        """The host in the URIs we send."""
        return self.domain or self.gateway


def trunk_of(trunks: Sequence[Trunk], address: Address) -> Trunk | None:
    """The first trunk that owns the address."""
    return next((trunk for trunk in trunks if trunk.owns(address)), None)


class TrunkCondition(StrEnum):
    """How a trunk does."""

    UP = "up"
    DOWN = "down"


@dataclass(slots=True)
class TrunkState:
    """What is known of one trunk now."""

    trunk: Trunk
    flows: tuple[Flow, ...] = ()
    """Its gateways, in the order to try them."""
    condition: TrunkCondition = TrunkCondition.UP
    failures: int = 0
    successes: int = 0
    quarantined_until: int = 0
    """Milliseconds since the epoch: a 503 asked us to stay away so long."""
    registered: bool = False
    calls: set[str] = field(default_factory=set)
    """Our legs on it."""
    tokens: float = 1.0
    tokens_at: int = 0

    def succeeded(self) -> bool:
        """It answered; tells whether it came up by that."""
        self.failures = 0
        self.successes += 1
        if self.condition is TrunkCondition.DOWN and self.successes >= SUCCESSES_TO_UP:
            self.condition = TrunkCondition.UP
            return True
        return False

    def failed(self, now: int, retry_after_seconds: int = 0) -> bool:
        """It did not answer, or said 503; tells whether it went down by that."""
        self.successes = 0
        self.failures += 1
        if retry_after_seconds:
            self.quarantined_until = now + min(retry_after_seconds, 600) * 1_000
        if self.condition is TrunkCondition.UP and self.failures >= FAILURES_TO_DOWN:
            self.condition = TrunkCondition.DOWN
            return True
        return False

    def is_healthy(self, now: int) -> bool:
        """Whether it is to be tried before those that are not."""
        usable = self.condition is TrunkCondition.UP and now >= self.quarantined_until
        return usable and (self.registered or not self.trunk.registers)

    def has_room(self, now: int) -> bool:
        """Whether its limits allow one more call now; takes one from its rate when they do."""
        trunk = self.trunk
        if trunk.max_calls and len(self.calls) >= trunk.max_calls:
            return False
        if not trunk.calls_per_second:
            return True
        burst = max(1.0, trunk.calls_per_second)
        self.tokens = min(burst, self.tokens + (now - self.tokens_at) / 1_000 * trunk.calls_per_second)
        self.tokens_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True
