"""Delays for guessing: sign-in attempts per login and address, messages per socket, requests per token.

Time is an argument.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

FREE_ATTEMPTS = 5
"""Mistyping this often in a row costs no delay."""
FIRST_DELAY_MS = 1_000
LONGEST_DELAY_MS = 60_000
"""The delay doubles up to this: an attacker gets about one guess a minute, a person is never locked out for longer."""
FORGET_AFTER_MS = 15 * 60_000


@dataclass(slots=True)
class _Attempts:
    count: int
    last_at: int
    free_at: int


class SignInThrottle:
    """Counts sign-in attempts per login and address; an attempt counts as failed until it is told to have succeeded,
    so attempts made side by side are all counted.

    The table is bounded; the entry that was touched longest ago makes room.
    """

    def __init__(self, *, entries: int = 10_000) -> None:
        self._limit = entries
        self._table: OrderedDict[tuple[str, str], _Attempts] = OrderedDict()

    def admit(self, login: str, address: str, *, now: int) -> int:
        """0 when the attempt may be made, and it is counted; otherwise the milliseconds to wait, and it is not."""
        key = _key(login, address)
        attempts = self._table.get(key)
        if attempts is None or now - attempts.last_at >= FORGET_AFTER_MS:
            attempts = _Attempts(0, now, now)
        if now < attempts.free_at:
            return attempts.free_at - now
        attempts.count += 1
        attempts.last_at = now
        attempts.free_at = now + _delay(attempts.count)
        self._table[key] = attempts
        self._table.move_to_end(key)
        if len(self._table) > self._limit:
            self._table.popitem(last=False)
        return 0

    def succeeded(self, login: str, address: str) -> None:
        """The attempt was right: forget the earlier ones."""
        self._table.pop(_key(login, address), None)

    def __len__(self) -> int:
        return len(self._table)


def _delay(count: int) -> int:
    if count < FREE_ATTEMPTS:
        return 0
    doubled: int = FIRST_DELAY_MS << min(count - FREE_ATTEMPTS, 16)
    return min(doubled, LONGEST_DELAY_MS)


def _key(login: str, address: str) -> tuple[str, str]:
    """One key for all spellings of a login, and for all addresses of one IPv6 network, which belongs to one person."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return login.strip().casefold(), address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        address = str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
    return login.strip().casefold(), address


class MessageRate:
    """A token bucket for one socket: ``burst`` messages at once, ``per_second`` in the long run."""

    def __init__(self, *, burst: int = 40, per_second: int = 10, now: int) -> None:
        self._burst = burst
        self._per_second = per_second
        self._tokens = float(burst)
        self._at = now

    def admit(self, *, now: int) -> bool:
        """Whether one more message is within the limit."""
        elapsed = max(0, now - self._at)
        self._at = max(now, self._at)
        self._tokens = min(float(self._burst), self._tokens + elapsed * self._per_second / 1000)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class RequestRates:
    """A token bucket for each of many askers (a program by its token, an address that comes with wrong ones).

    The table is bounded; whoever asked longest ago makes room, and begins anew.
    """

    def __init__(self, *, burst: int, per_second: int, entries: int = 1_000) -> None:
        self._burst = burst
        self._per_second = per_second
        self._limit = entries
        self._rates: OrderedDict[str, MessageRate] = OrderedDict()

    def admit(self, asker: str, *, now: int) -> bool:
        """Whether one more request of this asker is within the limit."""
        rate = self._rates.get(asker)
        if rate is None:
            rate = self._rates[asker] = MessageRate(burst=self._burst, per_second=self._per_second, now=now)
            if len(self._rates) > self._limit:
                self._rates.popitem(last=False)
        self._rates.move_to_end(asker)
        return rate.admit(now=now)

    def __len__(self) -> int:
        return len(self._rates)
