from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.shifts import LONGEST, SOUNDLESS, Shifts, only_computes, waits

pytestmark = pytest.mark.unit

LONG_CALLS, SIPP = "tests/interop/test_carrier_kamailio.py", "tests/interop/test_sip_sipp.py"
KILL = "tests/faults/test_kill_web.py"
LONG_SUMS, SUMS = "tests/unit/acd/test_sim_reference.py", "tests/unit/acd/test_acd_pains.py"


class Hand:
    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.shutting_down = False
        self.given: list[str] = []

    def send_runtest_some(self, numbers: list[int]) -> None:
        self.given += [FILES[number] for number in numbers]

    def shutdown(self) -> None:
        self.shutting_down = True


FILES = [SIPP, SUMS, LONG_CALLS, LONG_SUMS, KILL]


def handed_out(*turns: str, testers: int) -> dict[str, Hand]:
    """Who is given what when they ask in this order; each file has one test, which is done at once."""
    crew = {f"gw{number}": Hand(f"gw{number}") for number in range(testers)}
    shifts = object.__new__(Shifts)
    shifts.numnodes, shifts.log = testers, lambda *_: None
    shifts.workqueue = OrderedDict((file, {file: False}) for file in FILES)
    shifts.assigned_work = {each: {} for each in crew.values()}
    shifts.registered_collections = dict.fromkeys(crew.values(), FILES)
    for name in turns:
        shifts._reschedule(crew[name])
        for work in shifts.assigned_work[crew[name]].values():
            work.update(dict.fromkeys(work, True))
    return crew


def test_the_long_ones_and_those_that_wait_begin_first():
    assert {LONG_CALLS, LONG_SUMS} <= set(LONGEST)
    crew = handed_out("gw0", "gw1", "gw0", "gw1", "gw0", testers=2)
    assert crew["gw0"].given == [LONG_CALLS, KILL, SUMS]
    assert crew["gw1"].given == [SIPP, LONG_SUMS]


def test_the_third_tester_only_computes_and_goes_when_nothing_of_that_is_left():
    crew = handed_out("gw2", "gw0", "gw2", "gw2", "gw1", "gw0", testers=3)
    assert crew["gw2"].given == [LONG_SUMS, SUMS]
    assert crew["gw2"].shutting_down
    assert not crew["gw0"].shutting_down
    assert [*crew["gw0"].given, *crew["gw1"].given] == [LONG_CALLS, KILL, SIPP]


def test_files_in_which_nobody_listens_are_for_the_third_tester_too():
    assert all((Path(__file__).parents[3] / file).exists() for file in (*SOUNDLESS, *LONGEST))
    assert not any(waits(file) for file in SOUNDLESS)
    assert waits(LONG_CALLS)
    assert not waits(SUMS)


def test_without_a_third_tester_everybody_takes_everything():
    assert not only_computes("gw1", 2)
    assert [only_computes(f"gw{number}", 4) for number in range(4)] == [False, False, True, True]
