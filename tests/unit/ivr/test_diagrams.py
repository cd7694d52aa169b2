"""Diagrams, and the README that shows one."""

import re
from pathlib import Path

import pytest

import ivr
from ivr.diagrams import flow_diagram
from ivr.flows import demo_flow_text
from ivr.parser import parse_flow
from ivr.step_tables import STEP_READERS

pytestmark = pytest.mark.unit

README = (Path(ivr.__file__).parent / "README.md").read_text("utf-8")


def test_the_readme_shows_the_demo_flow_as_it_is() -> None:
    """To renew it: paste what ``flow_diagram`` returns for the demo flow between the fences."""
    shown = re.search(r"```mermaid\n(.*?)\n```", README, re.DOTALL)
    assert shown is not None
    assert shown[1] == flow_diagram(parse_flow(demo_flow_text(), source="demo.toml"))


def test_every_example_of_the_readme_is_a_good_text() -> None:
    """The step examples together are one flow; a key that the language does not know would be refused."""
    examples = re.findall(r"```toml\n(.*?)\n```", README, re.DOTALL)
    flow = parse_flow("\n".join(examples), source="README.md")
    assert {type(step).__name__ for step in flow.steps.values()} == {
        f"{word.title().replace('_', '')}Step" for word in STEP_READERS
    }


def test_labels_with_quotes_and_hashes_stay_inside_their_label() -> None:
    text = """
[flow]
name = "x"
start = "end"
languages = ["en"]
[prompts.p]
en = "P"
[steps.end]
type = "menu"
prompt = "p"
on_failure = "end"
choices = { "#" = { next = "end", label = 'a "b"' } }
"""
    diagram = flow_diagram(parse_flow(text, source="x.toml"))
    assert diagram.splitlines() == [
        "flowchart TD",
        '    s_end{{"end<br>menu"}}',
        '    s_end -->|"#35;: a #quot;b#quot;"| s_end',
        '    s_end -->|"no answer"| s_end',
    ]
