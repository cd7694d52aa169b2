"""Which red tests are run once more, and that red twice stays red."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import second_look
from tests.second_look import refusal

pytestmark = pytest.mark.unit

BROWSER = "tests/interop/test_browser.py::test_it"


@pytest.mark.parametrize(
    ("red", "reason"),
    [
        ([BROWSER], ""),
        ([BROWSER, "tests/faults/test_kill_web.py::test_it[a-b]"], ""),
        ([], "not known"),
        ([BROWSER, f"{BROWSER}_again", f"{BROWSER}_more"], "3 tests were red"),
        ([BROWSER, "tests/unit/sip/test_parser.py::test_it"], "tests/unit/sip/test_parser.py::test_it does not depend"),
        (["tests/scenario/test_races.py::test_it"], "does not depend"),
        (["tests/interop/test_browser.py"], "does not depend"),  # a file that could not be read
    ],
)
def test_few_tests_in_real_time_get_one(red: list[str], reason: str):
    assert (reason in refusal(red)) if reason else not refusal(red)


@pytest.mark.parametrize(("body", "code"), [("pass", 0), ("assert False", 1)])
def test_the_second_result_counts(tmp_path: Path, body: str, code: int):
    file = tmp_path / "tests" / "interop" / "test_sound.py"
    file.parent.mkdir(parents=True)
    file.write_text(f"def test_it():\n    {body}\n")
    record = tmp_path / second_look.LAST_FAILED
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"tests/interop/test_sound.py::test_it": True}))
    ran = subprocess.run(
        [sys.executable, second_look.__file__], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == code, ran.stdout
    assert ("green alone" in ran.stdout) == (code == 0), ran.stdout


def test_nothing_known_is_red(tmp_path: Path):
    ran = subprocess.run([sys.executable, second_look.__file__], cwd=tmp_path, timeout=60, check=False)
    assert ran.returncode == 1
