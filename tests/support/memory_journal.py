"""A journal in memory that keeps the real one's promises: encoded entries, order, commits after the loop's turn."""

import asyncio

from callcenter.entries import decode, encode
from callcenter.errors import JournalError
from callcenter.journal import JournalRow


class MemoryJournal:
    """Implements ``Journal``. Set ``failing`` to make the disk say no from then on."""

    def __init__(self) -> None:
        self.rows: list[JournalRow] = []
        self.failing = False

    @property
    def entries(self) -> list[object]:
        """Everything appended, in order."""
        return [row.entry for row in self.rows]

    def append(self, entry: object, *, at: int) -> int:
        """Keep an entry, by way of its encoding."""
        if self.failing:
            raise JournalError("the disk says no")
        kind, body = encode(entry)
        seq = len(self.rows) + 1
        self.rows.append(JournalRow(seq, at, kind, decode(kind, body)))
        return seq

    async def committed(self, seq: int) -> None:
        """Return after the others had a turn, as a disk would let them."""
        assert seq <= len(self.rows)
        await asyncio.sleep(0)
        if self.failing:
            raise JournalError("the disk says no")
