"""The complaints in ``tests/README.md`` name tests that are there: such a table goes stale unnoticed otherwise."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

TESTS = Path(__file__).parents[1]


def missing(table: str) -> list[str]:
    """The tests that a text names as ``folder/file.py::name`` and that are not there."""
    named = re.findall(r"`([a-z_/]+\.py)::(test_\w+)`", table)
    return [f"{path}::{name}" for path, name in named if name not in named_in(TESTS / path)]


def named_in(path: Path) -> set[str]:
    """The test functions of a file; none when it is not there."""
    if not path.exists():
        return set()
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_complaint_is_told_by_a_test_that_is_there() -> None:
    text = (TESTS / "README.md").read_text("utf-8")
    rows = [line for line in text.partition("complain about")[2].splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 25
    assert [row for row in rows if "::test_" not in row] == []
    assert missing(text) == []


def test_a_test_that_is_gone_is_named() -> None:
    here = "unit/test_pains.py::test_a_test_that_is_gone_is_named"
    gone = ["unit/test_pains.py::test_nothing", "unit/test_nowhere.py::test_x"]
    assert missing(" ".join(f"`{each}`" for each in (here, *gone))) == gone
