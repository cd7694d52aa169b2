"""Journal rows in their order, each once, whatever way they came. Pure, and of bounded memory."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from callcenter.journal import JournalRow

MOST_HELD = 10_000
"""Rows held back while an earlier one is missing; one more, and the earlier one is given up."""


@dataclass(slots=True)
class InOrder:
    """Brings rows into the order of ``seq``. The counters tell what was wrong with what came.

    A row that comes again, or after its place was given up, is dropped: counting it would count it twice or too late.
    """

    rows: Iterable[JournalRow]
    last_seq: int = 0
    """The newest sequence number handed on; a journal begins with 1."""
    dropped: int = 0
    missing: int = 0
    """Places given up; those before the first row of a journal whose beginning was cut off are not counted."""

    def __iter__(self) -> Iterator[JournalRow]:
        held: list[tuple[int, int, JournalRow]] = []
        for number, row in enumerate(self.rows):
            if not held and row.seq == self.last_seq + 1:  # the ordinary case
                self.last_seq = row.seq
                yield row
            else:
                heapq.heappush(held, (row.seq, number, row))
                yield from self._released(held, MOST_HELD)
        yield from self._released(held, 0)

    def _released(self, held: list[tuple[int, int, JournalRow]], most: int) -> Iterator[JournalRow]:
        while held and (len(held) > most or held[0][0] <= self.last_seq + 1):
            seq, _, row = heapq.heappop(held)
            if seq <= self.last_seq:
                self.dropped += 1
                continue
            self.missing += seq - self.last_seq - 1 if self.last_seq else 0
            self.last_seq = seq
            yield row
