"""A journal in memory that keeps the real one's promises: encoded entries, order, commits after the loop's turn."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable

from callcenter.entries import decode, encode, subject_of
from callcenter.errors import JournalError
from callcenter.journal import JournalRow


class MemoryJournal:
    """Implements ``Journal``. Set ``failing`` to make the disk say no from then on, ``hold`` to make it slow: commits
    then wait for the event."""

    def __init__(self, rows: Iterable[JournalRow] = ()) -> None:
        self.rows = list(rows)
        self.failing = False
        self.hold: asyncio.Event | None = None
        self._safe_seq = len(self.rows)
        self._held: list[tuple[int, Callable[[], None], bool, bool]] = []
        self._telling: deque[Callable[[], None]] = deque()
        self._releasing: asyncio.Task[None] | None = None

    @property
    def entries(self) -> list[object]:
        """Everything appended, in order."""
        return [row.entry for row in self.rows]

    def append(self, entry: object, *, at: int, patiently: bool = False) -> int:
        """Keep an entry, by way of its encoding; this disk has no use for patience."""
        del patiently
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
        if self.hold is not None:
            await self.hold.wait()
        if self.failing:
            raise JournalError("the disk says no")
        self._safe_seq = max(self._safe_seq, seq)

    def once_safe(self, act: Callable[[], None], *, first: bool = False, telling: bool = False) -> None:
        """Do it after the others had a turn, in order, and never once the disk has said no; tell behind that."""
        if len(self.rows) <= self._safe_seq and not self._held:
            if telling and self._telling:
                self._telling.append(act)
            else:
                act()
            return
        self._held.append((len(self.rows), act, first, telling))
        if self._releasing is None or self._releasing.done():
            self._releasing = asyncio.create_task(self._release())

    def once_written(self, seq: int, act: Callable[[], None]) -> None:
        """As what is told of everything appended so far: this disk knows no patience."""
        assert seq <= len(self.rows)
        self.once_safe(act, telling=True)

    async def _release(self) -> None:
        with contextlib.suppress(JournalError):
            while self._held:
                seq = len(self.rows)
                await self.committed(seq)
                others: list[Callable[[], None]] = []
                while self._held and self._held[0][0] <= seq:
                    _, act, first, telling = self._held.pop(0)
                    if not telling:
                        if first:
                            act()
                        else:
                            others.append(act)
                        continue
                    if not self._telling:
                        asyncio.get_running_loop().call_soon(self._tell)
                    self._telling.append(act)
                for act in others:
                    act()

    def _tell(self) -> None:
        while self._telling:
            self._telling.popleft()()


class MemoryJournalReader:
    """Reads a journal in memory as ``JournalReader`` reads the real one."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._rows = journal.rows

    def read(
        self,
        *,
        after: int = 0,
        kinds: tuple[str, ...] | None = None,
        limit: int | None = None,
        before: int | None = None,
    ) -> list[JournalRow]:
        """Entries after ``after`` and before ``before``, oldest first."""
        rows = self._rows if before is None else self._rows[: before - 1]
        return [row for row in rows if row.seq > after and (kinds is None or row.kind in kinds)][:limit]

    def about(self, *subjects: str) -> list[JournalRow]:
        """Every entry about these calls, contacts or agents."""
        return [row for row in self._rows if subject_of(row.entry) in subjects]

    def last(self, kind: str, *, before: int | None = None) -> JournalRow | None:
        """The newest entry of a kind; of those before ``before``."""
        rows = self._rows if before is None else self._rows[: before - 1]
        return next((row for row in reversed(rows) if row.kind == kind), None)

    def every(self, kind: str) -> list[JournalRow]:
        """All entries of a kind."""
        return [row for row in self._rows if row.kind == kind]

    def last_at(self) -> int:
        """The instant of the newest entry."""
        return self._rows[-1].at if self._rows else 0

    def seq_before(self, at: int) -> int:
        """The newest entry that was written before ``at``."""
        return next((row.seq for row in reversed(self._rows) if row.at < at), 0)
