"""The diagram in the package README is drawn from the table."""

from pathlib import Path

import pytest

from callcenter.calls.diagrams import draw

pytestmark = pytest.mark.unit

README = Path(__file__).parents[3] / "callcenter" / "README.md"


def test_readme_shows_the_call_machine_as_it_is() -> None:
    shown = README.read_text("utf-8").split("<!-- diagram: begin -->\n")[1].split("<!-- diagram: end -->")[0]
    assert shown == draw(), "run `python -m callcenter.calls.diagrams` and paste its output between the marks"
