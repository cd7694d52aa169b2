"""A run of a flow can be saved and taken up; one that does not fit is refused."""

import pytest

from ivr.effects import (
    EnqueueContact,
)
from ivr.errors import BadSnapshot, UnknownStep
from ivr.flows import demo_flow_text
from ivr.interpreter import FlowRun
from ivr.parser import parse_flow
from tests.support.flow_caller import FlowCaller
from tests.unit.ivr.test_collecting_numbers import NUMBER
from tests.unit.ivr.test_interpreter import MENU, caller

pytestmark = pytest.mark.unit


def test_a_run_can_be_saved_and_taken_up_at_any_point() -> None:
    def course(*, restarting: bool) -> FlowCaller:
        someone = caller(NUMBER)
        turns = [
            someone.call,
            lambda: someone.press("1"),
            lambda: someone.wait(2000),
            lambda: someone.press("98"),
            lambda: someone.press("7#"),
            someone.listen,
            lambda: someone.press("1"),
        ]
        for turn in turns:
            turn()
            if restarting:
                someone.restart()
        return someone

    plain, restarted = course(restarting=False), course(restarting=True)
    assert restarted.effects == plain.effects
    assert plain.end == restarted.end
    assert isinstance(plain.end, EnqueueContact)


def test_a_snapshot_does_not_change_with_the_run() -> None:
    someone = caller(MENU + '[steps.second]\ntype = "hang_up"')
    someone.call()
    before = someone.run.snapshot()
    again = FlowRun.restore(someone.flow, before)
    someone.learn(level="gold")
    assert again.snapshot() == before


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"flow": "other"}, {"phase": "dancing"}, {"colour": "red"}, {"variables": None}]
)
def test_a_foreign_or_damaged_snapshot_is_refused(change: dict[str, object]) -> None:
    someone = caller(MENU + '[steps.second]\ntype = "hang_up"')
    someone.call()
    with pytest.raises(BadSnapshot):
        FlowRun.restore(someone.flow, {**someone.run.snapshot(), **change})


def test_a_snapshot_in_a_step_that_has_gone_is_refused() -> None:
    someone = caller(MENU + '[steps.second]\ntype = "hang_up"')
    assert not FlowRun.restore(someone.flow, someone.run.snapshot()).finished, "a run that has not begun is in no step"
    someone.call()
    with pytest.raises(UnknownStep):
        FlowRun.restore(someone.flow, {**someone.run.snapshot(), "step": "gone"})


def test_runs_of_one_flow_do_not_touch_each_other() -> None:
    flow = parse_flow(demo_flow_text(), source="demo.toml")
    one, other = FlowCaller(flow), FlowCaller(flow)
    one.call({"language": "zh"})
    other.call()
    one.press("2")
    assert other.path == ["answer", "greeting"]
