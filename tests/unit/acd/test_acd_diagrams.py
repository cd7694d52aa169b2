"""The diagrams in the package README are drawn from the tables."""

from pathlib import Path

import pytest

from acd.diagrams import draw_all

pytestmark = pytest.mark.unit

README = Path(__file__).parents[3] / "acd" / "README.md"


def test_readme_shows_the_state_machines_as_they_are() -> None:
    shown = README.read_text(encoding="utf-8").split("<!-- diagrams: begin -->\n")[1].split("<!-- diagrams: end -->")[0]
    assert shown == draw_all(), "run `python -m acd.diagrams` and paste its output between the marks"
