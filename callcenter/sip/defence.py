"""What strangers may cost us: a token bucket for each source before anything is parsed, and bans that expire. Pure.

UDP sources can be forged. So nothing that a forged packet can do is held against an address, but for its own rate:
a ban needs credentials made from a nonce that this address received, and neither bucket nor ban touches the flows of
registered phones and trunks, whatever else comes from their address.
"""

from collections import OrderedDict
from dataclasses import dataclass

SCANNERS = (b"friendly-scanner", b"sipvicious", b"sipcli", b"sip-scan", b"sundayddr", b"iWar", b"VaxSIPUserAgent")
"""What the scanners in everybody's logs call themselves; they get no answer at all."""
SCANNED_OCTETS = 2_048
FORGIVEN_AFTER_MS = 6 * 3_600_000
"""After this time without a ban the next one is short again."""


@dataclass(frozen=True, slots=True)
class DefenceLimits:
    """How much a stranger may send. Rates are messages a second."""

    rate: float = 100.0
    burst: float = 400.0
    ban_seconds: int = 60
    """The first ban; each further one is twice as long."""
    max_ban_seconds: int = 3_600
    drop_scanners: bool = True
    """Whether the known scanners are left without any answer. It hides us from the lazy ones, and guards nothing."""
    sources: int = 20_000
    """Sources remembered; the longest unheard one is forgotten for a new one."""


@dataclass(slots=True)
class _Source:
    tokens: float
    at: int
    banned_until: int = 0
    bans: int = 0


class Defence:
    """Judges what strangers send, by the source address."""

    def __init__(self, limits: DefenceLimits | None = None) -> None:
        self._limits = limits or DefenceLimits()
        self._sources: OrderedDict[str, _Source] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sources)

    def admits(self, address: str, data: bytes, now: int) -> str:
        """Why a stranger's message is dropped unread: ``banned``, ``rate`` or ``scanner``; empty when it is not."""
        source = self._source(address, now)
        if now < source.banned_until:
            return "banned"
        limits = self._limits
        source.tokens = min(limits.burst, source.tokens + (now - source.at) * limits.rate / 1_000)
        source.at = now
        if source.tokens < 1:
            return "rate"
        source.tokens -= 1
        if not limits.drop_scanners:
            return ""
        head = data[:SCANNED_OCTETS]
        return "scanner" if any(name in head for name in SCANNERS) else ""

    def ban(self, address: str, now: int) -> None:
        """Hear no stranger at this address for a while; only for what cannot be forged."""
        source = self._source(address, now)
        if now - source.banned_until > FORGIVEN_AFTER_MS:
            source.bans = 0
        seconds = min(self._limits.ban_seconds * 2 ** min(source.bans, 10), self._limits.max_ban_seconds)
        source.bans += 1
        source.banned_until = now + seconds * 1_000

    def _source(self, address: str, now: int) -> _Source:
        source = self._sources.get(address)
        if source is None:
            source = self._sources[address] = _Source(self._limits.burst, now)
            if len(self._sources) > self._limits.sources:
                self._sources.popitem(last=False)
        else:
            self._sources.move_to_end(address)
        return source
