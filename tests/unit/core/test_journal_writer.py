"""The journal's writer: a process that is replaced when it dies, and the only one that writes its file."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from callcenter.calls.facts import CallArrived
from callcenter.errors import JournalError
from callcenter.journal import QUICK_DEATH_SECONDS, JournalReader, SqliteJournal
from callcenter.journal_file import JournalFile
from callcenter.journal_line import Frames, Open, Opened, Write, framed, to_writer
from callcenter.journal_writer import Writer, Writers, in_a_process, in_a_thread, serve
from tests.support.waiting import until

pytestmark = pytest.mark.unit


def arrived(call_id: str, at: int) -> CallArrived:
    return CallArrived(call_id, at, "+1", "", "+2", "t", "x@y", "main")


class Started:
    """Starts writers and remembers them."""

    def __init__(self, writers: Writers = in_a_process) -> None:
        self._writers = writers
        self.all: list[Writer] = []

    def __call__(self) -> Writer:
        self.all.append(self._writers())
        return self.all[-1]


def written(path: Path) -> list[tuple[int, str]]:
    return [(row.seq, row.entry.call_id) for row in JournalReader(path).read()]


def expected(count: int) -> list[tuple[int, str]]:
    return [(number, f"c{number}") for number in range(1, count + 1)]


@pytest.mark.parametrize("writers", [in_a_thread, in_a_process])
async def test_rows_and_erasures_are_done_in_order_whoever_writes(tmp_path: Path, writers: Writers) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path, writers=writers)
    await journal.open()
    for number in range(1, 51):
        journal.append(arrived(f"c{number}", number), at=number)
    assert await journal.erase("c7") is False, "a call that is not closed"
    assert written(path) == expected(50)
    last = journal.append(arrived("c51", 51), at=51)
    await journal.committed(last)
    assert written(path) == expected(51)
    journal.append(arrived("c52", 52), at=52)
    await journal.close()
    assert written(path) == expected(52)


async def test_a_writer_that_was_killed_is_replaced_and_nothing_is_lost_or_done_twice(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    started = Started()
    journal = SqliteJournal(path, writers=started)
    await journal.open()
    safe: list[int] = []
    for number in range(1, 301):
        journal.append(arrived(f"c{number}", number), at=number)
        journal.once_safe(lambda number=number: safe.append(number))
        if number in {100, 200}:
            await journal.committed(number)
            os.kill(started.all[-1].pid, signal.SIGKILL)
        if number % 10 == 0:
            await asyncio.sleep(0)
    await journal.committed(300)
    assert safe == list(range(1, 301))
    assert written(path) == expected(300)
    assert len(started.all) == 3
    await journal.close()


def mute(line: socket.socket) -> None:
    """A writer that dies between the disk and its word of it."""
    frames, file = Frames(), None
    with line:
        while data := line.recv(1 << 20):
            for task in map(to_writer.decode, frames.take(data)):
                if isinstance(task, Open):
                    file = JournalFile(Path(task.path))
                    line.sendall(framed(Opened(file.open())))
                elif isinstance(task, Write) and file is not None:
                    file.write(task.rows)
                    file.close()
                    return


async def test_what_a_dead_writer_had_written_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    lives = [mute, serve]
    journal = SqliteJournal(path, writers=lambda: in_a_thread(lives.pop(0)))
    await journal.open()
    last = journal.append(arrived("c1", 1), at=1)
    erasing = asyncio.ensure_future(journal.erase("c9"))
    await journal.committed(last)
    last = journal.append(arrived("c2", 2), at=2)
    await journal.committed(last)
    assert await erasing is False
    assert written(path) == expected(2)
    await journal.close()
    assert not lives


async def test_writers_that_die_of_what_they_are_to_write_are_not_replaced_for_ever(tmp_path: Path) -> None:
    def dies(line: socket.socket) -> None:
        frames = Frames()
        with line:
            while data := line.recv(1 << 20):
                for task in map(to_writer.decode, frames.take(data)):
                    if not isinstance(task, Open):
                        return
                    line.sendall(framed(Opened(0)))

    started = Started(lambda: in_a_thread(dies))
    failed = asyncio.get_running_loop().create_future()
    journal = SqliteJournal(tmp_path / "journal.sqlite", writers=started, on_failed=failed.set_result)
    await journal.open()
    with pytest.raises(JournalError, match="its writers die of it"):
        await journal.committed(journal.append(arrived("c1", 1), at=1))
    assert isinstance(await failed, JournalError)
    assert len(started.all) == 2
    await journal.close()


@pytest.mark.parametrize("lived", [QUICK_DEATH_SECONDS + 1, 0.0])
async def test_idle_writers_that_are_killed_are_replaced_unless_they_die_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lived: float
) -> None:
    path = tmp_path / "journal.sqlite"
    started = Started()
    failed: list[JournalError] = []
    journal = SqliteJournal(path, writers=started, on_failed=failed.append)
    await journal.open()
    await journal.committed(journal.append(arrived("c1", 1), at=1))
    clock, later = asyncio.get_running_loop().time, 0.0
    monkeypatch.setattr(journal._loop, "time", lambda: clock() + later)
    for number in range(3):
        os.kill(started.all[-1].pid, signal.SIGKILL)
        await until("another writes, or none", lambda number=number: failed or len(started.all) == number + 2)
        await until("it has the file", lambda: failed or journal._line is not None)
        later += lived
    if lived:
        await journal.committed(journal.append(arrived("c2", 2), at=2))
        assert written(path) == expected(2)
    assert [type(each) for each in failed] == ([] if lived else [JournalError])
    assert len(started.all) == (4 if lived else 2)
    await journal.close()


async def test_no_writer_no_journal(tmp_path: Path) -> None:
    def none() -> Writer:
        raise OSError("no processes left")

    with pytest.raises(JournalError, match=r"journal .*journal\.sqlite cannot be opened: .*no processes left"):
        await SqliteJournal(tmp_path / "journal.sqlite", writers=none).open()
    with pytest.raises(JournalError, match="cannot be opened: its writer died"):
        await SqliteJournal(tmp_path / "journal.sqlite", writers=lambda: in_a_thread(lambda line: line.close())).open()


async def test_one_process_at_a_time_writes_a_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.sqlite"
    first = SqliteJournal(path, writers=in_a_process)
    await first.open()
    monkeypatch.setattr("callcenter.journal_file.PREDECESSOR_SECONDS", 0.0)
    with pytest.raises(JournalError, match=r"cannot be opened: another process writes it \(and holds .*-writer\)"):
        await SqliteJournal(path).open()
    monkeypatch.undo()
    second = SqliteJournal(path)
    opening = asyncio.ensure_future(second.open())
    last = first.append(arrived("c1", 1), at=1)
    await first.committed(last)
    await first.close()
    await opening
    assert second.append(arrived("c2", 2), at=2) == 2
    await second.close()
    assert written(path) == expected(2)


FORKS = """
import asyncio, os, sys
from pathlib import Path
from callcenter.journal import SqliteJournal
from callcenter.journal_writer import beforehand
from callcenter.calls.facts import CallArrived

writers = beforehand()

async def main():
    journal = SqliteJournal(Path(sys.argv[1]), writers=writers)
    await journal.open()
    await journal.committed(journal.append(CallArrived("c1", 1, "+1", "", "+2", "t", "x@y", "main"), at=1))
    pid = journal._writer.pid
    print(pid, Path(f"/proc/{pid}/cmdline").read_bytes().split(bytes(1))[2].decode(), flush=True)
    last = journal.append(CallArrived("c2", 2, "+1", "", "+2", "t", "x@y", "main"), at=2)
    if sys.argv[2] == "killed":
        sys.stdin.readline()
        await journal.committed(last)
        print(journal._writer.pid, flush=True)
        sys.stdin.readline()
    await journal.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("end", ["closed", "killed"])
async def test_a_forked_writer_ends_with_its_exchange_whatever_becomes_of_that(tmp_path: Path, end: str) -> None:
    path = tmp_path / "journal.sqlite"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FORKS, str(path), end, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    pid, module = (await process.stdout.readline()).decode().split()
    assert module == "callcenter.journal_writer"
    writer = os.pidfd_open(int(pid)) if end == "killed" else None
    if writer is not None:
        assert process.stdin is not None
        os.kill(int(pid), signal.SIGTERM)  # told with its exchange to end, it writes what the exchange still has to say
        process.stdin.write(b"\n")
        assert await process.stdout.readline() == f"{pid}\n".encode()
        process.kill()
    assert await process.wait() == (-signal.SIGKILL if end == "killed" else 0)
    if writer is not None:
        gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(writer, gone.set)
        await gone.wait()
        asyncio.get_running_loop().remove_reader(writer)
        os.close(writer)
    assert written(path) == expected(2)
