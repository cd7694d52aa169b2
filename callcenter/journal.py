"""The write-ahead journal: appended to on the loop, written by a writer (``journal_writer``) with group commit.

``append`` hands an entry its sequence number at once; ``committed`` returns when it is on disk, and ``once_safe`` holds
back what must not happen before. What follows from one another (``consequences``), and all that is appended while
earlier commits run, goes into one commit, so the cost of a disk flush is shared by all calls of that moment.
What is noted ``patiently`` waits a moment for company.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from callcenter.consequences import Consequences
from callcenter.entries import decode, row_of
from callcenter.errors import JournalError
from callcenter.journal_file import Row, every, newest_of
from callcenter.journal_line import (
    Blank,
    Blanked,
    Broken,
    Close,
    Committed,
    Frames,
    FromWriter,
    Open,
    Opened,
    Write,
    framed,
    from_writer,
)
from callcenter.journal_writer import Writer, Writers, in_a_thread

log = structlog.get_logger(__name__)

MAX_BACKLOG = 100_000
"""Entries waiting for the disk; past this the disk is taken for dead."""
PATIENCE_SECONDS = 0.02
"""How long entries that no order follows from wait for others to share a commit with. At 100 calls a second there are
others every 3 ms."""
UNDER_WAY = 1
"""How many commits the writer has at a time. What comes meanwhile is the next one together: with two under way a call
under load paid for twice as many, and waited no less."""
QUICK_DEATH_SECONDS = 5.0
"""A writer that had nothing to do may die after so long, and is replaced as the first one was."""


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One entry as read back. ``at`` in milliseconds since the epoch."""

    seq: int
    at: int
    kind: str
    entry: Any


class _Line(asyncio.Protocol):
    """Our end of a writer's line."""

    def __init__(self, hear: Callable[[FromWriter], None], lost: Callable[[], None]) -> None:
        self._hear = hear
        self._lost = lost
        self._frames = Frames()

    def data_received(self, data: bytes) -> None:
        for body in self._frames.take(data):
            self._hear(from_writer.decode(body))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's form
        self._lost()


class SqliteJournal:
    """The journal of one exchange; the only writer of its file.

    Used from one asyncio loop. A write error is final: every waiter and every later call gets ``JournalError``, and
    ``on_failed`` is told once, because nothing may be acted on that is not on disk. A writer that dies is replaced by
    another of ``writers``, which gets all that the first one did not confirm.
    """

    def __init__(
        self,
        path: Path,
        *,
        writers: Writers = in_a_thread,
        consequences: Consequences | None = None,
        on_failed: Callable[[JournalError], None] = lambda _: None,
    ) -> None:
        self._path = path
        self._writers = writers
        self._consequences = consequences or Consequences()
        self._on_failed = on_failed
        self._next_seq = 1
        self._committed_seq = 0
        self._writer: Writer
        self._line: asyncio.WriteTransport | None = None
        """To a writer that has the file open."""
        self._line_ended: asyncio.Event
        self._opening: asyncio.Future[int] | None = None
        self._replacing: asyncio.Task[None] | None = None
        self._replaced_at: tuple[int, float] | None = None
        """The newest number that was on disk when a writer was last replaced, and the instant of the loop's clock."""
        self._closing = False
        self._pending: list[Row] = []
        """Rows that the writer has not got yet: of these turns of the loop, or patient ones."""
        self._unconfirmed: deque[list[Row]] = deque()
        """Rows that it got, or will when there is another."""
        self._impatience: asyncio.TimerHandle | None = None
        self._is_due = False
        """Whether rows are pending that go to the writer when nothing more follows, or when it has room."""
        self._last_pressing = 0
        """The newest sequence number that something may follow from."""
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._held: deque[tuple[int, Callable[[], None], bool, bool]] = deque()
        """What waits for an entry; whether it is to be first, and whether it only tells."""
        self._patient: deque[tuple[int, Callable[[], None]]] = deque()
        """What is to be told of entries that wait for company."""
        self._telling: deque[Callable[[], None]] = deque()
        """What is safe and comes behind the acts that became so with it."""
        self._erasures: dict[int, tuple[str, asyncio.Future[bool]]] = {}
        self._erasure = 0
        self._error: JournalError | None = None
        self._loop: asyncio.AbstractEventLoop

    async def open(self) -> None:
        """Create or open the file and start writing. Raises ``JournalError`` when the file cannot be used."""
        self._loop = asyncio.get_running_loop()
        self._line, last = await self._begin()
        self._next_seq, self._committed_seq, self._last_pressing = last + 1, last, last

    @property
    def committed_seq(self) -> int:
        """The newest sequence number that is on disk."""
        return self._committed_seq

    @property
    def waiting(self) -> int:
        """Entries that are not on disk yet."""
        return self._next_seq - 1 - self._committed_seq

    def append(self, entry: object, *, at: int, patiently: bool = False) -> int:
        """Queue an entry for writing and return its sequence number. Raises ``JournalError`` once writing failed.

        ``patiently`` is for an entry that no order follows from: it goes to disk with the next ones, in
        ``PATIENCE_SECONDS`` at the latest, and ``once_safe`` does not wait for it; ``once_written`` does.
        """
        if self._error is not None:
            raise self._error
        seq = self._next_seq
        if seq - self._committed_seq > MAX_BACKLOG:
            raise JournalError(f"journal {self._path}: the disk does not follow, {MAX_BACKLOG} entries wait")
        kind, subject, body = row_of(entry)
        self._next_seq += 1
        self._pending.append((seq, at, kind, subject, body))
        if not patiently:
            self._press()
        elif self._impatience is None and not self._is_due:
            self._impatience = self._loop.call_later(PATIENCE_SECONDS, self._lose_patience)
        return seq

    def _press(self) -> None:
        """What is pending goes to the writer as soon as nothing more follows from it."""
        self._last_pressing = self._next_seq - 1
        if not self._is_due:
            self._is_due = True
            self._consequences.once_quiet(self._hand_over_if_room)

    def _lose_patience(self) -> None:
        self._impatience = None
        self._is_due = True
        self._hand_over_if_room()

    def once_safe(self, act: Callable[[], None], *, first: bool = False, telling: bool = False) -> None:
        """See ``Journal.once_safe``."""
        last = self._last_pressing
        if last > self._committed_seq or self._held:
            self._held.append((last, act, first, telling))
        elif telling and self._telling:
            self._telling.append(act)
        else:
            act()

    def once_settled(self, act: Callable[[], None]) -> None:
        """As ``once_safe``, but behind what follows from what happens now: the routing that agrees, the call that then
        changes. For orders that such changes make void."""
        if self._last_pressing > self._committed_seq:
            self.once_safe(act)
        else:
            self._consequences.once_quiet(partial(self.once_safe, act))

    def once_written(self, seq: int, act: Callable[[], None]) -> None:
        """See ``Journal.once_written``."""
        if seq > self._committed_seq:
            self._patient.append((seq, act))
        elif self._telling:
            self._telling.append(act)
        else:
            act()

    async def committed(self, seq: int) -> None:
        """Return once everything up to ``seq`` is on disk. Raises ``JournalError`` when it never will be."""
        if seq <= self._committed_seq:
            return
        if self._error is not None:
            raise self._error
        if self._pending:
            self._press()
        future = asyncio.get_running_loop().create_future()
        self._waiters.append((seq, future))
        await future

    async def erase(self, call_id: str) -> bool:
        """Take what is personal out of the entries of a closed call, on disk, also out of the write-ahead log.

        ``False`` for a call that is not closed or not there. Entries that were appended before go first; the entries
        of one call are one short transaction. Raises ``JournalError`` once writing failed.
        """
        if self._error is not None:
            raise self._error
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._hand_over()
        self._erasure += 1
        self._erasures[self._erasure] = call_id, future
        if self._line is not None:
            self._line.write(framed(Blank(self._erasure, call_id)))
        return await future

    async def close(self) -> None:
        """Write what is pending and close the file."""
        if self._replacing is not None:
            await self._replacing
        self._hand_over()
        self._closing = True
        if self._line is not None:
            self._line.write(framed(Close()))
        await self._part()

    def _hand_over_if_room(self) -> None:
        if self._is_due and len(self._unconfirmed) < UNDER_WAY:
            self._hand_over()

    def _hand_over(self) -> None:
        self._is_due = False
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None
        if self._pending:
            rows, self._pending = self._pending, []
            self._unconfirmed.append(rows)
            if self._line is not None:
                self._line.write(framed(Write(rows)))

    # The writer

    async def _begin(self) -> tuple[asyncio.WriteTransport, int]:
        """Start a writer; its line, and the newest number on disk. Raises ``JournalError``."""
        self._line_ended, self._opening = asyncio.Event(), self._loop.create_future()
        try:
            self._writer = await asyncio.to_thread(self._writers)
        except OSError as error:
            raise JournalError(f"journal {self._path} cannot be opened: no writer starts: {error}") from error
        line, _ = await self._loop.create_unix_connection(lambda: _Line(self._hear, self._lost), sock=self._writer.line)
        line.write(framed(Open(str(self._path))))
        try:
            return line, await self._opening
        except JournalError:
            await self._part()
            raise
        finally:
            self._opening = None

    async def _part(self) -> None:
        """Until the writer is gone."""
        await self._line_ended.wait()
        await asyncio.to_thread(self._writer.wait)

    def _hear(self, said: FromWriter) -> None:
        match said:
            case Committed(seq):
                self._consequences.do(self._resolve, seq)
            case Blanked(number, done):
                _, future = self._erasures.pop(number)
                if not future.done():
                    future.set_result(done)
            case Opened(last):
                if self._opening is not None:
                    self._opening.set_result(last)
            case Broken(reason):
                done_to = "opened" if self._opening is not None else "written"
                self._fail(JournalError(f"journal {self._path} cannot be {done_to}: {reason}"))

    def _lost(self) -> None:
        """The line has ended: as it should, or because the writer was killed."""
        self._line = None
        self._line_ended.set()
        if self._opening is not None:
            self._fail(JournalError(f"journal {self._path} cannot be opened: its writer died"))
        elif not self._closing and self._error is None:
            self._replacing = self._loop.create_task(self._replace_writer(), name="journal writer")

    async def _replace_writer(self) -> None:
        """Have another one do what the dead one left."""
        log.error("journal writer died", unconfirmed=len(self._unconfirmed))
        try:
            self._see_to_progress()
            await self._part()
            line, last = await self._begin()
        except JournalError as error:
            self._fail(error)
            return
        finally:
            self._replacing = None
        if last > self._committed_seq:
            self._resolve(last)
        for rows in self._unconfirmed:
            line.write(framed(Write(rows)))
        for number, (call_id, _) in self._erasures.items():
            line.write(framed(Blank(number, call_id)))
        self._line = line
        self._hand_over_if_room()

    def _see_to_progress(self) -> None:
        """Raises ``JournalError`` when the last writer died without having done anything, and soon or of its work."""
        now = self._loop.time()
        if self._replaced_at is not None:
            seq, at = self._replaced_at
            if seq == self._committed_seq and (self._unconfirmed or now - at < QUICK_DEATH_SECONDS):
                raise JournalError(f"journal {self._path} cannot be written: its writers die of it")
        self._replaced_at = self._committed_seq, now

    # What is on disk

    def _resolve(self, seq: int) -> None:
        self._committed_seq = seq
        while self._unconfirmed and self._unconfirmed[0][-1][0] <= seq:
            self._unconfirmed.popleft()
        if self._is_due:
            self._consequences.once_quiet(self._hand_over_if_room)
        others: list[Callable[[], None]] = []
        while self._held and self._held[0][0] <= seq:
            last, act, first, telling = self._held.popleft()
            if telling:
                self._tell_patient(last)
                self._tell_soon(act)
            elif first:
                _carry_out(act)
            else:
                others.append(act)
        self._tell_patient(seq)
        for act in others:
            _carry_out(act)
        waiting, self._waiters = self._waiters, []
        for wanted, future in waiting:
            if wanted > seq:
                self._waiters.append((wanted, future))
            elif not future.done():
                future.set_result(None)

    def _tell_patient(self, seq: int) -> None:
        """What waited with entries up to this one; it keeps its place among what is told of the others."""
        while self._patient and self._patient[0][0] <= seq:
            self._tell_soon(self._patient.popleft()[1])

    def _tell_soon(self, act: Callable[[], None]) -> None:
        if not self._telling:
            self._loop.call_soon(self._tell)
        self._telling.append(act)

    def _tell(self) -> None:
        while self._telling:
            _carry_out(self._telling.popleft())

    def _fail(self, error: JournalError) -> None:
        if self._opening is not None:
            if not self._opening.done():
                self._opening.set_exception(error)
            return
        self._error = error
        self._held.clear()
        self._patient.clear()
        waiting, self._waiters = self._waiters, []
        broken: list[asyncio.Future[Any]] = [
            *(each[1] for each in waiting),
            *(each[1] for each in self._erasures.values()),
        ]
        self._erasures.clear()
        for future in broken:
            if not future.done():
                future.set_exception(error)
        self._on_failed(error)


def _carry_out(act: Callable[[], None]) -> None:
    try:
        act()
    except Exception:  # what one call does must not harm the others that were written with it
        log.exception("order failed")


LAST_SEQ = (1 << 63) - 1
"""Past every entry."""


class JournalReader:
    """Reads a journal that another thread or process may be writing. Blocking; use it from a worker thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(
        self,
        *,
        after: int = 0,
        kinds: tuple[str, ...] | None = None,
        limit: int | None = None,
        before: int | None = None,
    ) -> list[JournalRow]:
        """Entries after ``after`` and before ``before``, oldest first. An absent file is an empty journal."""
        return list(self._rows(after, kinds, limit, before))

    def about(self, *subjects: str) -> list[JournalRow]:
        """Every entry about these calls, contacts or agents, oldest first."""
        if not self._path.exists():
            return []
        with self._connected() as connection:
            query = "SELECT seq, at, kind, body FROM entries WHERE subject = ?"
            found = [row for subject in subjects for row in connection.execute(query, (subject,))]
        return [JournalRow(seq, at, kind, decode(kind, body)) for seq, at, kind, body in sorted(found)]

    def last_at(self) -> int:
        """The instant of the newest entry, 0 for an empty journal."""
        if not self._path.exists():
            return 0
        with self._connected() as connection:
            row = connection.execute("SELECT at FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        return 0 if row is None else int(row[0])

    def seq_before(self, at: int) -> int:
        """The newest entry that was written before ``at`` (milliseconds), 0 for none: found by halving, since no entry
        is older than the one before it."""
        if not self._path.exists():
            return 0
        with self._connected() as connection:
            low, high = 0, int(connection.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()[0])
            while low < high:
                middle = (low + high + 1) // 2
                row = connection.execute(
                    "SELECT seq, at FROM entries WHERE seq <= ? ORDER BY seq DESC LIMIT 1", (middle,)
                )
                seq, instant = row.fetchone() or (0, at - 1)
                if instant < at:
                    low = middle
                else:
                    high = seq - 1
        return low

    def last(self, kind: str, *, before: int | None = None) -> JournalRow | None:
        """The newest entry of a kind; of those before ``before``. Kinds that are no landmarks are searched for."""
        if not self._path.exists():
            return None
        with self._connected() as connection:
            row = connection.execute(newest_of(kind), (kind, LAST_SEQ if before is None else before)).fetchone()
        return None if row is None else JournalRow(row[0], row[1], row[2], decode(row[2], row[3]))

    def every(self, kind: str) -> list[JournalRow]:
        """All entries of a kind, oldest first."""
        if not self._path.exists():
            return []
        with self._connected() as connection:
            found = connection.execute(every(kind), (kind,)).fetchall()
        return [JournalRow(seq, at, kind, decode(kind, body)) for seq, at, kind, body in found]

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """The file, to read from. Raises ``JournalError`` when it cannot be read, or is no journal."""
        connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=5.0)
        try:
            yield connection
        except sqlite3.Error as error:
            raise JournalError(f"journal {self._path} cannot be read: {error}") from error
        finally:
            connection.close()

    def _rows(
        self, after: int, kinds: tuple[str, ...] | None, limit: int | None, before: int | None
    ) -> Iterator[JournalRow]:
        if not self._path.exists():
            return
        wanted = "" if kinds is None else f" AND kind IN ({', '.join('?' * len(kinds))})"
        query = f"SELECT seq, at, kind, body FROM entries WHERE seq > ? AND seq < ?{wanted} ORDER BY seq LIMIT ?"  # noqa: S608 - only question marks are added
        with self._connected() as connection:
            for seq, at, kind, body in connection.execute(
                query, (after, LAST_SEQ if before is None else before, *(kinds or ()), -1 if limit is None else limit)
            ):
                yield JournalRow(seq, at, kind, decode(kind, body))
