"""The journal's file: SQLite in WAL mode, as its one writer (``journal_writer``) sees it. Blocking.

Each commit writes the pages it touched as a whole, so an index costs a page for each place that an entry goes to. There
is one by subject, whose newest places lie together, and one of the few landmarks.
"""

import fcntl
import sqlite3
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

from callcenter.journal_erasure import blanked

Row = tuple[int, int, str, str | None, bytes]
"""Sequence number, instant, kind, subject, body."""

LANDMARKS = "kind IN ('floor.configured', 'routing.snapshot', 'work.noted')"
"""Of which kinds the newest entry is looked up."""
KEPT = "kind = 'shifts.planned'"
"""Kinds of which every entry is looked up: few, and needed whole."""
CLOSED = frozenset({"call.closed", "item.closed"})

_BUSY_MS = 5000
"""How long a commit waits for somebody who has the file locked, which only a tool from outside would."""
_ROWS_AT_ONCE = 64
"""Rows of one statement."""
PREDECESSOR_SECONDS = 10.0
"""How long an earlier writer may take for its last rows: its exchange may have been killed a moment ago."""
_LOOK_SECONDS = 0.02
_ABOUT = "SELECT seq, kind, body FROM entries WHERE subject = ?1 OR (subject > ?2 AND subject < ?3)"
"""The entries of a call, and of the items that came of it, whose ids begin with the call's and a hyphen."""
_SETTINGS = f"""
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA busy_timeout = {_BUSY_MS};
PRAGMA secure_delete = ON; -- what is erased must not lie on in the file
PRAGMA temp_store = MEMORY; -- what a statement might have to undo needs no file
"""
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS entries (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT,
  body BLOB NOT NULL
) STRICT;
DROP INDEX IF EXISTS entries_kind; -- of every entry, in journals of before
CREATE INDEX IF NOT EXISTS entries_landmarks ON entries (kind, seq) WHERE {LANDMARKS};
CREATE INDEX IF NOT EXISTS entries_kept ON entries (kind, seq) WHERE {KEPT};
CREATE INDEX IF NOT EXISTS entries_subject ON entries (subject, seq) WHERE subject IS NOT NULL;
"""


def newest_of(kind: str) -> str:
    """The query for the newest entry of a kind (first parameter) before a sequence number (second): by the index of
    landmarks, which SQLite takes for a query with the same condition, else by going back from there."""
    landmark = f" AND {LANDMARKS}" if f"'{kind}'" in LANDMARKS else ""
    return f"SELECT seq, at, kind, body FROM entries WHERE kind = ?{landmark} AND seq < ? ORDER BY seq DESC LIMIT 1"  # noqa: S608 - a constant


def every(kind: str) -> str:
    """The query for all entries of a kind (first parameter), by the index of kept ones where it is one."""
    kept = f" AND {KEPT}" if f"'{kind}'" in KEPT else ""
    return f"SELECT seq, at, kind, body FROM entries WHERE kind = ?{kept} ORDER BY seq"  # noqa: S608 - a constant


class JournalFile:
    """The file. Failures raise ``sqlite3.Error``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection
        self._open = ExitStack()
        """What is to be closed."""

    def open(self) -> int:
        """Create or open it; the newest sequence number, 0 for none. Raises ``OSError`` for a folder it cannot make,
        and when an earlier writer still has the file after ``PREDECESSOR_SECONDS``."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._be_the_only_one()
        self._connection = sqlite3.connect(self._path, isolation_level=None)
        self._open.callback(self._connection.close)
        self._connection.executescript(_SETTINGS)
        self._connection.executescript(_SCHEMA)
        return int(self._connection.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()[0])

    def close(self) -> None:
        """Close it."""
        self._open.close()

    def _be_the_only_one(self) -> None:
        """Lock a file beside the journal, which is let go of with this process at the latest."""
        beside = self._path.with_name(f"{self._path.name}-writer")
        lock = self._open.enter_context(beside.open("ab"))
        until = time.monotonic() + PREDECESSOR_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise OSError(f"another process writes it (and holds {beside.name})") from None
                time.sleep(_LOOK_SECONDS)
            else:
                return

    def write(self, rows: Sequence[Row]) -> None:
        """Put rows on disk, all of them or none."""
        parts = [rows[start : start + _ROWS_AT_ONCE] for start in range(0, len(rows), _ROWS_AT_ONCE)]
        if len(parts) > 1:  # one statement is a transaction of its own
            self._connection.execute("BEGIN")
        for part in parts:
            values = ", ".join(["(?, ?, ?, ?, ?)"] * len(part))
            self._connection.execute(
                f"INSERT INTO entries (seq, at, kind, subject, body) VALUES {values}",  # noqa: S608 - only question marks
                tuple(chain.from_iterable(part)),
            )
        if len(parts) > 1:
            self._connection.execute("COMMIT")

    def blank(self, call_id: str) -> bool:
        """Take what is personal out of a call that is closed, as one short transaction, also out of the write-ahead
        log. ``False`` for a call that is not closed or not there, and while somebody reads what was in the log: then it
        is to be asked for again. Nobody is waited for: calls wait for this thread."""
        rows = self._connection.execute(_ABOUT, (call_id, f"{call_id}-", f"{call_id}.")).fetchall()
        if not any(kind in CLOSED for _, kind, _ in rows):
            return False
        changed = [(told, seq) for seq, kind, body in rows if (told := blanked(kind, body)) is not None]
        self._connection.execute("BEGIN")
        self._connection.executemany("UPDATE entries SET body = ? WHERE seq = ?", changed)
        self._connection.execute("COMMIT")
        return self._empty_log()

    def _empty_log(self) -> bool:
        self._connection.execute("PRAGMA busy_timeout = 0")
        try:
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        return not busy
