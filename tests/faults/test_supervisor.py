"""The supervisor gives up only on an essential process that never came up; everything else is started again."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from callcenter import app
from callcenter.app import Process, ProcessFailed
from callcenter.calls.legs import EndCause
from callcenter.nursery.births import Births
from tests.support.floor_people import calling
from tests.support.installation import Plan, running_installation
from tests.support.waiting import until

pytestmark = pytest.mark.faults

STARTS = 6
"""More than the supervisor forgives a process that never came up."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "RESTART_SECONDS", (0.0,))
    monkeypatch.setattr(app, "MAX_QUICK_DEATHS", 2)


def dying(marks: Path, *, essential: bool, first_life: float = 0.0) -> Process:
    """A process that leaves a mark and dies, the first time after ``first_life`` seconds; its last start stays."""
    script = (
        "import sys, time; marks = open(sys.argv[1], 'a+'); marks.write('x'); marks.flush(); marks.seek(0); "
        "starts = len(marks.read()); time.sleep(float(sys.argv[3]) if starts == 1 else 0); "
        "sys.exit(1) if starts < int(sys.argv[2]) else time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(marks), str(STARTS), str(first_life)]
    return Process("test", command, essential=essential)


def starts(marks: Path) -> int:
    """How often the process was started."""
    return len(marks.read_text()) if marks.exists() else 0


async def started(process: Process, marks: Path) -> int:
    """Supervise until the process stays up, or is given up; how often it was started."""
    supervising = asyncio.create_task(process.supervise(Births()))
    await until("it stays up", lambda: supervising.done() or starts(marks) == STARTS)
    await process.stop()
    await supervising
    return starts(marks)


async def test_essential_process_that_never_comes_up_ends_everything(tmp_path: Path) -> None:
    with pytest.raises(ProcessFailed, match="died 3 times"):
        await started(dying(tmp_path / "marks", essential=True), tmp_path / "marks")


async def test_other_processes_are_started_again_for_ever(tmp_path: Path) -> None:
    assert await started(dying(tmp_path / "marks", essential=False), tmp_path / "marks") == STARTS


async def test_essential_process_that_had_lived_is_started_again_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up in the afternoon must not have ended the house by the time it is emptied."""
    monkeypatch.setattr(app, "QUICK_DEATH_SECONDS", 0.4)
    process = dying(tmp_path / "marks", essential=True, first_life=0.6)
    assert await started(process, tmp_path / "marks") == STARTS


async def test_ctrl_c_in_a_terminal_ends_calls_politely_and_says_nothing_of_dead_processes() -> None:
    """A terminal sends the signal to everybody in the foreground; media must outlive the exchange all the same."""
    with running_installation(Plan(agents=1, executed=True)) as house:
        async with calling(house, "+12125550120") as customer:
            await until("the customer waits", lambda: house.journal.read(kinds=("call.queued",)))
            os.killpg(house.process.pid, signal.SIGINT)
            assert await customer.ended() is EndCause.NORMAL
            await until("everything is over", lambda: house.process.poll() is not None)
        assert house.process.returncode == 0
        alarms = ('"error", "timestamp"', "Traceback", "died", "media session not closed")
        assert [line for line in house.output.splitlines() if any(alarm in line for alarm in alarms)] == []
