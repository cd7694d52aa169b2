"""The write-ahead journal: a SQLite file in WAL mode, written by one thread with group commit.

``append`` hands an entry its sequence number at once; ``committed`` returns when it is on disk. Everything appended
while an earlier commit runs goes into the next one, so the cost of a disk flush is shared by all calls of that moment.
"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callcenter.entries import decode, encode, subject_of
from callcenter.errors import JournalError
from callcenter.journal_erasure import blanked

MAX_BACKLOG = 100_000
"""Entries waiting for the disk; past this the disk is taken for dead."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entries_kind ON entries (kind, seq);
CREATE INDEX IF NOT EXISTS entries_subject ON entries (subject, seq) WHERE subject IS NOT NULL;
"""


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One entry as read back. ``at`` in milliseconds since the epoch."""

    seq: int
    at: int
    kind: str
    entry: Any


class SqliteJournal:
    """The journal of one exchange; the only writer of its file.

    Used from one asyncio loop. A write error is final: every waiter and every later call gets ``JournalError``, because
    nothing may be acted on that is not on disk.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next_seq = 1
        self._committed_seq = 0
        self._pending: list[tuple[int, int, str, str | None, bytes]] = []
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._erasures: deque[tuple[str, asyncio.Future[bool]]] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._error: JournalError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)

    async def open(self) -> None:
        """Create or open the file and start writing. Raises ``JournalError`` when the file cannot be used."""
        self._loop = asyncio.get_running_loop()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA secure_delete = ON")  # what is erased must not lie on in the file
            self._connection.executescript(_SCHEMA)
            (last,) = self._connection.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"journal {self._path} cannot be opened: {error}") from error
        self._next_seq, self._committed_seq = last + 1, last
        self._thread.start()

    @property
    def committed_seq(self) -> int:
        """The newest sequence number that is on disk."""
        return self._committed_seq

    @property
    def waiting(self) -> int:
        """Entries that are not on disk yet."""
        return self._next_seq - 1 - self._committed_seq

    def append(self, entry: object, *, at: int) -> int:
        """Queue an entry for writing and return its sequence number. Raises ``JournalError`` once writing failed."""
        kind, body = encode(entry)
        with self._wake:
            if self._error is not None:
                raise self._error
            if len(self._pending) >= MAX_BACKLOG:
                raise JournalError(f"journal {self._path}: the disk does not follow, {MAX_BACKLOG} entries wait")
            seq = self._next_seq
            self._next_seq += 1
            self._pending.append((seq, at, kind, subject_of(entry), body))
            self._wake.notify()
        return seq

    async def committed(self, seq: int) -> None:
        """Return once everything up to ``seq`` is on disk. Raises ``JournalError`` when it never will be."""
        if seq <= self._committed_seq:
            return
        if self._error is not None:
            raise self._error
        future = asyncio.get_running_loop().create_future()
        self._waiters.append((seq, future))
        await future

    async def erase(self, call_id: str) -> bool:
        """Take what is personal out of the entries of a closed call, on disk, also out of the write-ahead log.

        ``False`` for a call that is not closed or not there. Entries that are being appended go first; the entries of
        one call are one short transaction. Raises ``JournalError`` once writing failed.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        with self._wake:
            if self._error is not None:
                raise self._error
            self._erasures.append((call_id, future))
            self._wake.notify()
        return await future

    async def close(self) -> None:
        """Write what is pending and close the file."""
        if self._thread.is_alive():
            with self._wake:
                self._closing = True
                self._wake.notify()
            await asyncio.to_thread(self._thread.join)
        self._connection.close()

    def _write_all(self) -> None:
        while True:
            with self._wake:
                while not self._pending and not self._erasures and not self._closing:
                    self._wake.wait()
                batch, self._pending = self._pending, []
                erasure = None if batch or not self._erasures else self._erasures.popleft()
            if not batch and erasure is None:
                return
            try:
                if erasure is not None:
                    self._call_loop(self._tell_erased, (erasure[1], self._blank(erasure[0])))
                    continue
                self._write(batch)
            except sqlite3.Error as error:
                self._fail(JournalError(f"journal {self._path} cannot be written: {error}"))
                return
            self._call_loop(self._resolve, batch[-1][0])

    def _blank(self, call_id: str) -> bool:
        rows = self._connection.execute("SELECT seq, kind, body FROM entries WHERE subject = ?", (call_id,)).fetchall()
        if not any(kind == "call.closed" for _, kind, _ in rows):
            return False
        changed = [(told, seq) for seq, kind, body in rows if (told := blanked(kind, body)) is not None]
        self._connection.execute("BEGIN")
        self._connection.executemany("UPDATE entries SET body = ? WHERE seq = ?", changed)
        self._connection.execute("COMMIT")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return True

    def _tell_erased(self, told: tuple[asyncio.Future[bool], bool]) -> None:
        future, done = told
        if not future.done():
            future.set_result(done)

    def _write(self, batch: list[tuple[int, int, str, str | None, bytes]]) -> None:
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO entries (seq, at, kind, subject, body) VALUES (?, ?, ?, ?, ?)", batch)
        self._connection.execute("COMMIT")

    def _fail(self, error: JournalError) -> None:
        with self._wake:
            self._error = error
        self._call_loop(self._reject, error)

    def _call_loop(self, call: Any, argument: Any) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(call, argument)

    def _resolve(self, seq: int) -> None:
        self._committed_seq = seq
        waiting, self._waiters = self._waiters, []
        for wanted, future in waiting:
            if wanted > seq:
                self._waiters.append((wanted, future))
            elif not future.done():
                future.set_result(None)

    def _reject(self, error: JournalError) -> None:
        waiting, self._waiters = self._waiters, []
        for _, future in waiting:
            if not future.done():
                future.set_exception(error)
        while self._erasures:
            _, erasure = self._erasures.popleft()
            if not erasure.done():
                erasure.set_exception(error)


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

    def about(self, subject: str) -> list[JournalRow]:
        """Every entry about one call, contact or agent, oldest first."""
        if not self._path.exists():
            return []
        connection = self._connect()
        try:
            query = "SELECT seq, at, kind, body FROM entries WHERE subject = ? ORDER BY seq"
            return [
                JournalRow(seq, at, kind, decode(kind, body))
                for seq, at, kind, body in connection.execute(query, (subject,))
            ]
        except sqlite3.Error as error:
            raise JournalError(f"journal {self._path} cannot be read: {error}") from error
        finally:
            connection.close()

    def open_calls(self) -> list[list[JournalRow]]:
        """The entries of each call that arrived and was never closed, oldest call first."""
        if not self._path.exists():
            return []
        connection = self._connect()
        try:
            subjects = connection.execute(
                "SELECT subject FROM entries AS arrived WHERE kind = 'call.arrived' AND NOT EXISTS ("
                "SELECT 1 FROM entries AS closed WHERE closed.subject = arrived.subject AND closed.kind = 'call.closed'"
                ") ORDER BY seq"
            ).fetchall()
            return [
                [
                    JournalRow(seq, at, kind, decode(kind, body))
                    for seq, at, kind, body in connection.execute(
                        "SELECT seq, at, kind, body FROM entries WHERE subject = ? AND kind LIKE 'call.%' ORDER BY seq",
                        subject,
                    )
                ]
                for subject in subjects
            ]
        except sqlite3.Error as error:
            raise JournalError(f"journal {self._path} cannot be read: {error}") from error
        finally:
            connection.close()

    def last_at(self) -> int:
        """The instant of the newest entry, 0 for an empty journal."""
        if not self._path.exists():
            return 0
        connection = self._connect()
        try:
            row = connection.execute("SELECT at FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        finally:
            connection.close()
        return 0 if row is None else int(row[0])

    def seq_before(self, at: int) -> int:
        """The newest entry that was written before ``at`` (milliseconds), 0 for none: found by halving, since no entry
        is older than the one before it."""
        if not self._path.exists():
            return 0
        connection = self._connect()
        try:
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
        except sqlite3.Error as error:
            raise JournalError(f"journal {self._path} cannot be read: {error}") from error
        finally:
            connection.close()
        return low

    def last(self, kind: str, *, before: int | None = None) -> JournalRow | None:
        """The newest entry of a kind; of those before ``before``."""
        if not self._path.exists():
            return None
        with self._connect() as connection:
            row = connection.execute(
                "SELECT seq, at, kind, body FROM entries WHERE kind = ? AND seq < ? ORDER BY seq DESC LIMIT 1",
                (kind, LAST_SEQ if before is None else before),
            ).fetchone()
        connection.close()
        return None if row is None else JournalRow(row[0], row[1], row[2], decode(row[2], row[3]))

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=5.0)

    def _rows(
        self, after: int, kinds: tuple[str, ...] | None, limit: int | None, before: int | None
    ) -> Iterator[JournalRow]:
        if not self._path.exists():
            return
        wanted = "" if kinds is None else f" AND kind IN ({', '.join('?' * len(kinds))})"
        query = f"SELECT seq, at, kind, body FROM entries WHERE seq > ? AND seq < ?{wanted} ORDER BY seq LIMIT ?"  # noqa: S608 - only question marks are added
        connection = self._connect()
        try:
            for seq, at, kind, body in connection.execute(
                query, (after, LAST_SEQ if before is None else before, *(kinds or ()), -1 if limit is None else limit)
            ):
                yield JournalRow(seq, at, kind, decode(kind, body))
        except sqlite3.Error as error:
            raise JournalError(f"journal {self._path} cannot be read: {error}") from error
        finally:
            connection.close()
