"""The journal's writer: a process that puts rows on disk and says so.

In the exchange's own process a thread that writes waits for the interpreter at each step while calls are busy with it,
and calls wait for the disk. Whoever writes here sleeps but for the disk, and goes before others.
"""

import argparse
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

from callcenter.journal_file import JournalFile, Row
from callcenter.journal_line import (
    Blank,
    Blanked,
    Broken,
    Close,
    Committed,
    Frames,
    Open,
    Opened,
    Write,
    framed,
    to_writer,
)
from callcenter.niceness import WRITER, go_before
from callcenter.process_titles import show_command

_MODULE = "callcenter.journal_writer"
_AT_ONCE = 1 << 16
"""Octets read at a time: some 200 rows. For much more each read would be given memory by the kernel."""


@dataclass(frozen=True, slots=True)
class Writer:
    """A writer that was started."""

    line: socket.socket
    """Our end of its line; whoever has it closes it."""
    wait: Callable[[], object]
    """Blocks until it is gone, once its line has ended."""
    pid: int
    """Of its process, which for a thread is this one."""


Writers = Callable[[], Writer]
"""Starts a writer. Raises ``OSError``."""


def in_a_thread(life: Callable[[socket.socket], None] | None = None) -> Writer:
    """A writer in this process: for programs that write a journal and serve nobody meanwhile, as tests and tools.
    ``life``: what it does with its line instead of ``serve``."""
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=life or serve, args=(theirs,), name="journal", daemon=True)
    thread.start()
    return Writer(ours, thread.join, os.getpid())


def in_a_process() -> Writer:
    """A writer in a process of its own, started from nothing. Raises ``OSError``."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", _MODULE, "--line", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    return Writer(ours, process.wait, process.pid)


def beforehand() -> Writers:
    """Writers in processes of their own, the first of them started now: forked, if this process has a single thread and
    so may fork; it must have no event loop yet. Raises ``OSError``."""
    threads = len(list(Path("/proc/self/task").iterdir()))
    first = [_forked() if threads == 1 else in_a_process()]
    return lambda: first.pop() if first else in_a_process()


def _forked() -> Writer:
    ours, theirs = socket.socketpair()
    with theirs:
        pid = os.fork()
        if pid == 0:
            _live_forked(ours, theirs)
    return Writer(ours, partial(os.waitpid, pid, 0), pid)


def _live_forked(ours: socket.socket, theirs: socket.socket) -> NoReturn:
    """A forked writer's life; it ends here, whatever happens."""
    try:
        ours.close()
        show_command([sys.executable, "-m", _MODULE, "--line", str(theirs.fileno())])
        live(theirs)
    except BaseException:  # noqa: BLE001 - told as the interpreter would; the exchange sees the end of the line
        traceback.print_exc()
        os._exit(1)
    finally:
        os._exit(0)


def live(line: socket.socket) -> None:
    """Be the writer of this line: it ends with the line and by nothing else, since the exchange's last words are to be
    written when both are told to end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    go_before(WRITER)
    serve(line)


def serve(line: socket.socket) -> None:
    """Write until the line ends."""
    with line, suppress(ConnectionError):  # who died needs no answer
        _Service(line).run()


class _Service:
    """One line's writer. Blocking."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._file: JournalFile
        """Opened by the first thing that comes."""
        self._closing = ExitStack()

    def run(self) -> None:
        frames, going_on = Frames(), True
        with self._closing:
            try:
                while going_on and (data := self._line.recv(_AT_ONCE)):
                    going_on = self._do([to_writer.decode(body) for body in frames.take(data)])
            except ConnectionError:
                raise
            except (OSError, sqlite3.Error) as error:
                self._say(Broken(str(error)))

    def _do(self, tasks: Sequence[Open | Write | Blank | Close]) -> bool:
        """Rows that follow on each other are one commit; false when it is time to end."""
        rows: list[Row] = []
        for task in tasks:
            if isinstance(task, Write):
                rows += task.rows
                continue
            self._write(rows)
            rows = []
            match task:
                case Open(path):
                    self._file = JournalFile(Path(path))
                    self._closing.callback(self._file.close)
                    self._say(Opened(self._file.open()))
                case Blank(number, call_id):
                    self._say(Blanked(number, self._file.blank(call_id)))
                case Close():
                    return False
        self._write(rows)
        return True

    def _write(self, rows: Sequence[Row]) -> None:
        if rows:
            self._file.write(rows)
            self._say(Committed(rows[-1][0]))

    def _say(self, message: Opened | Committed | Blanked | Broken) -> None:
        self._line.sendall(framed(message))


def main() -> None:
    """Serve the line that was handed over."""
    parser = argparse.ArgumentParser(description="writes the journal of an exchange")
    parser.add_argument("--line", type=int, required=True, help="descriptor of the socket for rows")
    live(socket.socket(fileno=parser.parse_args().line))


if __name__ == "__main__":
    main()
