"""Unguessable names from the system's generator, fetched in bulk.

A call needs a dozen: tags, branches, ids of legs. Each draw by ``secrets`` is a system call that lets go of the
interpreter, and a thread that was waiting for it may then keep it for milliseconds.
"""

import os
import threading

FETCHED = 4_096
"""Octets of one fetch."""


class Chance:
    """Octets of ``os.urandom``, each given out once. Any thread may ask."""

    def __init__(self) -> None:
        self._octets = b""
        self._used = 0
        self._lock = threading.Lock()

    def octets(self, count: int) -> bytes:
        """So many octets; more than one fetch holds are fetched for themselves."""
        if count > FETCHED:
            return os.urandom(count)
        with self._lock:
            if self._used + count > len(self._octets):
                self._octets, self._used = os.urandom(FETCHED), 0
            begin, self._used = self._used, self._used + count
            return self._octets[begin : self._used]

    def forget(self) -> None:
        """Give out nothing of what was fetched: another process has it, too."""
        self._lock = threading.Lock()
        self._octets, self._used = b"", 0


_CHANCE = Chance()
os.register_at_fork(after_in_child=_CHANCE.forget)


def random_hex(octets: int) -> str:
    """So many random octets in hexadecimal, two digits each."""
    return _CHANCE.octets(octets).hex()


def random_bits(bits: int) -> int:
    """A number from 0 to 2**bits - 1."""
    octets = (bits + 7) // 8
    return int.from_bytes(_CHANCE.octets(octets), "big") >> (octets * 8 - bits)
