"""A process that was forked is what an executed one is, and whatever becomes of a nursery, processes are born."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from callcenter.nursery import births as births_module
from callcenter.nursery import client, needs
from callcenter.nursery.births import Births, Child
from callcenter.nursery.client import Nursery
from callcenter.nursery.protocol import BORN, READY, Birth
from tests.support.installation import Plan, running_installation
from tests.support.process_table import descendants, is_alive, kill_now, processes_of_session
from tests.support.sip_ping import until_options_answered
from tests.support.waiting import until

pytestmark = pytest.mark.faults

NEWBORN = [sys.executable, "-m", "tests.support.newborn"]


@pytest.fixture
async def births(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Births]:
    """Births by a nursery; executed, since this process has threads."""
    monkeypatch.setattr(births_module, "PAUSE_SECONDS", 0.0)
    nursery = Nursery.executed(())
    nursery.wait_ready()
    found = Births(nursery)
    yield found
    await found.close()


async def born(births: Births, file: Path, *wish: str, env: dict[str, str] | None = None) -> Child:
    """A newborn that has noted what it is."""
    child = await births.start([*NEWBORN, str(file), *wish], env or {}, quiet=True)
    await until("it has noted what it is", file.exists)
    return child


async def ended(child: Child) -> int:
    """End it."""
    child.kill()
    return await child.wait()


async def test_a_forked_process_is_what_an_executed_one_is(births: Births, tmp_path: Path) -> None:
    """Command line, environment, descriptors, signals, parent, group, session, threads: nobody can tell them apart."""
    notes: list[dict[str, Any]] = []
    for way in (Births(), births):
        file = tmp_path / "note"
        child = await born(way, file, "stay", env={"GREETING": "你好", "EMPTY": ""})
        notes.append(json.loads(file.read_text("utf-8")))
        file.unlink()
        assert await ended(child) == -signal.SIGKILL
    executed, forked = notes
    assert (executed.pop("was forked"), forked.pop("was forked")) == (False, True)
    assert executed["environment"]["GREETING"] == "你好"
    assert executed["parent"] == os.getpid()
    assert forked == executed


def births_nursery(births: Births) -> int:
    """The process that is asked."""
    nursery = births._nursery
    assert nursery is not None
    return nursery.process.pid


@pytest.mark.parametrize(("wish", "status"), [(["exit", "3"], 3), (["exit", "0"], 0), (["fail"], 1), ([], 0)])
async def test_its_exit_status_is_told(births: Births, tmp_path: Path, wish: list[str], status: int) -> None:
    child = await born(births, tmp_path / "note", *wish)
    assert await child.wait() == status
    assert child.returncode == status


async def test_what_it_says_last_is_written(births: Births, tmp_path: Path) -> None:
    nursery = births._nursery
    assert nursery is not None
    with (tmp_path / "said").open("wb") as said:
        birth = Birth((*NEWBORN, str(tmp_path / "note"), "say", "a first word, "), dict(os.environ), str(Path.cwd()))
        assert nursery.bear(birth, (said.fileno(),) * 3).wait(20) == 1
    assert sorted((tmp_path / "said").read_text("utf-8").split(", ")) == ["a first word", "a last word\n"]


async def test_a_dead_nursery_keeps_nobody_from_being_born_and_is_replaced(births: Births, tmp_path: Path) -> None:
    children = [await born(births, tmp_path / "first", "stay")]
    killed = births_nursery(births)
    kill_now(killed)
    children.append(await born(births, tmp_path / "second", "stay"))
    await until("there is another nursery", lambda: births._nursery is not None and births_nursery(births) != killed)
    children.append(await born(births, tmp_path / "third", "stay"))
    for child in children:
        assert child.returncode is None
        assert await ended(child) == -signal.SIGKILL


async def test_a_nursery_that_hangs_is_given_up_and_nobody_is_born_twice(
    births: Births, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FORK_SECONDS", 0.3)
    hung = births_nursery(births)
    os.kill(hung, signal.SIGSTOP)
    child = await born(births, tmp_path / "note", "stay")
    await until("the hung one is gone", lambda: not is_alive(hung))
    assert [row.pid for row in descendants(os.getpid()) if str(tmp_path / "note") in row.command] == [child.pid]
    await ended(child)


async def test_nobody_lives_of_whom_the_nursery_could_not_tell(tmp_path: Path) -> None:
    """Who asked is gone when the child is there: it ends before it has begun."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        process = subprocess.Popen(  # noqa: ASYNC220 - it is there at once
            [sys.executable, "-m", "callcenter.nursery", "--line", str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )
        theirs.close()
        assert ours.recv(100) == READY
        birth = Birth((*NEWBORN, str(tmp_path / "note"), "stay"), dict(os.environ), str(Path.cwd()))
        os.kill(process.pid, signal.SIGSTOP)
        with (tmp_path / "output").open("w+b") as output:
            socket.send_fds(ours, [msgspec.msgpack.encode(birth)], [output.fileno()] * 3)
    os.kill(process.pid, signal.SIGCONT)
    process.wait(20)
    marked = [row for row in descendants(1) if str(tmp_path / "note") in row.command]
    assert marked == []
    assert not (tmp_path / "note").exists()


async def test_who_was_born_too_late_for_who_asked_never_begins(tmp_path: Path) -> None:
    """Who asked has executed another one by then: two of a kind would both take the calls."""
    nursery = Nursery.executed(())
    nursery.wait_ready()
    birth = Birth((*NEWBORN, str(tmp_path / "note"), "stay"), dict(os.environ), str(Path.cwd()))
    with (tmp_path / "output").open("w+b") as output:
        socket.send_fds(nursery._line, [msgspec.msgpack.encode(birth)], [output.fileno()] * 3)
        pid = int(nursery._line.recv(100).removeprefix(BORN))
    assert is_alive(pid)
    nursery.close()
    await until("the newborn has ended", lambda: not is_alive(pid))
    assert not (tmp_path / "note").exists()


async def test_a_module_that_starts_a_thread_leads_to_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fork would leave the thread behind, with whatever lock it had."""
    (tmp_path / "threaded.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n", "utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    nursery = Nursery.executed(("threaded",))
    nursery.wait_ready()
    births = Births(nursery)
    try:
        with pytest.raises(ConnectionError, match="threads"):
            nursery.bear(Birth((*NEWBORN, str(tmp_path / "x")), dict(os.environ), str(Path.cwd())), (0, 1, 2))
        await ended(await born(births, tmp_path / "note", "stay"))
    finally:
        await births.close()


async def test_what_our_processes_import_starts_no_thread() -> None:
    """So they can be forked: exchange, web and media."""
    nursery = Nursery.executed(needs.needed(needs.SERVERS))
    nursery.wait_ready()
    try:
        assert "Threads:\t1\n" in Path(f"/proc/{nursery.process.pid}/status").read_text("utf-8")  # noqa: ASYNC240
    finally:
        nursery.close()


async def test_the_processes_of_an_installation_are_forked_and_each_looks_like_itself() -> None:
    """By an operator's command: nothing was imported before."""
    with running_installation(Plan(agents=1, executed=True)) as house:
        rows = {row.pid: row for row in house.processes()}
        for role in ("exchange", "web", "media"):
            row = rows[house.pid(role)]
            assert row.parent == house.process.pid
            assert row.command[0] == sys.executable
        nursery = house.pid("nursery")
        # The nursery is killed, and the exchange: the successor comes all the same.
        kill_now(nursery)
        await house.kill("exchange")
        await until_options_answered(house.sip)
        await until("there is another nursery", lambda: house.pids("nursery") not in ([], [nursery]))
        # Now nobody is left who would forward the supervisor's death: the kernel tells it, to forked and executed.
        kill_now(house.process.pid)
        house.process.wait()
        await until("all have died with the supervisor", lambda: not processes_of_session(house.process.pid))
