"""The demo's verdict can fail: each kind of fault turns it red."""

from typing import Any

import pytest

from callcenter.demo.callers import plan
from callcenter.demo.score import score

pytestmark = pytest.mark.unit


def result(number: str = "+1", **fields: Any) -> dict[str, Any]:
    return {"number": number, "intent": "talk", "answered": True, "heard_agent": True, "failure": "", **fields}


def row(number: str = "+1", outcome: str = "answered") -> dict[str, Any]:
    return {"from_value": number, "outcome": outcome, "agent_name": "Anna"}


HEARD = {"agent": "anna", "caller": "+1", "heard": True}


def test_good_call_is_good() -> None:
    found = score([result()], [row()], [HEARD])
    assert found.good
    assert found.as_dict() == {
        "calls": 1, "answered": 1, "abandoned": 0, "failed": 0, "interactions": 1, "lost": 0, "duplicated": 0,
        "audio_ok": True,
    }  # fmt: skip


def test_no_call_at_all_is_not_good() -> None:
    assert not score([], [], []).good


@pytest.mark.parametrize(
    ("results", "rows", "reports", "field", "value"),
    [
        ([result()], [], [HEARD], "lost", 1),
        ([result()], [row(), row()], [HEARD], "duplicated", 1),
        ([result(failure="refused with 503")], [row()], [HEARD], "failed", 1),
        ([result()], [row()], [], "audio_ok", False),
        ([result(heard_agent=False)], [row()], [HEARD], "audio_ok", False),
        ([result()], [row(), row("+9")], [HEARD], "interactions", 2),
        ([result()], [row(outcome="abandoned")], [HEARD], "abandoned", 1),
        ([result(intent="leave_in_flow", heard_agent=False)], [row(outcome="abandoned")], [], "abandoned", 1),
        ([result(intent="leave_in_queue")], [row(outcome="abandoned")], [], "abandoned", 1),
    ],
)
def test_each_fault_is_seen(results: Any, rows: Any, reports: Any, field: str, value: object) -> None:
    found = score(results, rows, reports)
    assert not found.good
    assert found.as_dict()[field] == value


def test_every_planned_call_has_a_number_of_its_own() -> None:
    calls = plan(["+1", "+2"], 40, seed=3)
    assert len({call.number for call in calls}) == 40
    assert {call.intent for call in calls} == {"talk", "leave_in_flow", "leave_in_queue"}
