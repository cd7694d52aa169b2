"""How many wrong passwords an address may try (token bucket). Pure, bounded in memory.

Nonces are bound to the address they were sent to, so only somebody who receives there can use up its guesses:
forging a source address locks nobody out.
"""

from collections import OrderedDict


class GuessLimit:
    """Each address has ``burst`` wrong guesses, and one more every ``refill_ms`` milliseconds."""

    def __init__(self, *, burst: int = 20, refill_ms: int = 3_000, capacity: int = 10_000) -> None:
        self._burst = burst
        self._refill = refill_ms
        self._capacity = capacity
        self._spent: OrderedDict[str, tuple[float, int]] = OrderedDict()
        """By address: guesses spent, and as of when."""

    def _spent_by(self, address: str, now: int) -> float:
        spent, at = self._spent.get(address, (0.0, now))
        return max(0.0, spent - (now - at) / self._refill)

    def allows(self, address: str, now: int) -> bool:
        """Whether a credential from this address is looked at."""
        return self._spent_by(address, now) <= self._burst - 1

    def failed(self, address: str, now: int) -> None:
        """Note a wrong guess."""
        self._spent[address] = (self._spent_by(address, now) + 1, now)
        self._spent.move_to_end(address)
        if len(self._spent) > self._capacity:
            self._spent.popitem(last=False)
