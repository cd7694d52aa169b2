"""The language itself, by example: texts that are flows, and texts that are not, each saying why at its top."""

import re
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from ivr.errors import FlowSyntaxError
from ivr.flow import Step
from ivr.flows import demo_flow_text
from ivr.lint import Severity, lint
from ivr.parser import parse_flow

pytestmark = pytest.mark.unit

FLOWS = Path(__file__).parents[2] / "fixtures" / "flows"
GOOD = sorted((FLOWS / "good").glob("*.toml"))
ERRORS = [path for path in sorted((FLOWS / "bad").glob("*.toml")) if "# error: " in path.read_text("utf-8")]
FINDINGS = [path for path in sorted((FLOWS / "bad").glob("*.toml")) if "# finding: " in path.read_text("utf-8")]


def expected(path: Path, kind: str) -> list[str]:
    return re.findall(rf"^# {kind}: (.+)$", path.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_flow_has_nothing_to_be_said_about(path: Path) -> None:
    assert lint(parse_flow(path.read_text("utf-8"), source=path.name)) == ()


def test_the_demo_flow_has_nothing_to_be_said_about() -> None:
    assert lint(parse_flow(demo_flow_text(), source="demo.toml")) == ()


def test_the_good_flows_use_every_step_kind() -> None:
    flow = parse_flow((FLOWS / "good" / "every_step.toml").read_text("utf-8"), source="every_step.toml")
    kinds = {type(step) for step in flow.steps.values()}
    assert kinds == set(get_args(Step))


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: path.stem)
def test_a_bad_text_is_refused_with_everything_that_is_wrong_with_it(path: Path) -> None:
    with pytest.raises(FlowSyntaxError) as caught:
        parse_flow(path.read_text("utf-8"), source=path.name)
    lines = str(caught.value).splitlines()
    for wanted in expected(path, "error"):
        assert any(wanted in line for line in lines), (wanted, lines)
    assert all(line.startswith(f"{path.name}:") for line in lines)


def test_every_step_mistake_is_told_and_no_other() -> None:
    """The count holds the parser to its promise: all of them, none invented."""
    path = FLOWS / "bad" / "steps.toml"
    with pytest.raises(FlowSyntaxError) as caught:
        parse_flow(path.read_text("utf-8"), source=path.name)
    told = [str(problem) for problem in caught.value.problems]
    unforeseen = [text for text in told if not any(wanted in text for wanted in expected(path, "error"))]
    assert unforeseen == ["[steps.keyless] prompt: must not be empty"]
    assert max(Counter(told).values()) == 1


def test_the_error_names_source_line_step_and_reason() -> None:
    text = '[flow]\nname = "x"\nstart = "a"\nlanguages = ["en"]\n\n[steps.a]\ntype = "answer"\n'
    with pytest.raises(FlowSyntaxError) as caught:
        parse_flow(text, source="x.toml")
    error = caught.value
    assert (error.source, error.step, error.code) == ("x.toml", "a", "flow-syntax-error")
    assert error.problems[0].line == 6
    assert str(error) == "x.toml:6: [steps.a] next: is missing; give a text in quotes"


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000], ids=["nested", "digits"])
def test_a_text_made_to_hurt_the_reader_is_refused_like_any_other(text: str) -> None:
    with pytest.raises(FlowSyntaxError, match="not TOML"):
        parse_flow(text, source="x.toml")


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: path.stem)
def test_a_flow_that_does_not_fit_together_is_found_out(path: Path) -> None:
    findings = lint(parse_flow(path.read_text("utf-8"), source=path.name))
    told = {f"{finding.severity} {finding.code} {finding.step or '(flow)'}" for finding in findings}
    assert told == set(expected(path, "finding"))


def test_findings_come_errors_first_and_say_where_and_what_to_do() -> None:
    path = FLOWS / "bad" / "unknown_names.toml"
    findings = lint(parse_flow(path.read_text("utf-8"), source=path.name))
    assert [finding.severity for finding in findings] == sorted(finding.severity for finding in findings)
    assert findings[0].severity is Severity.ERROR
    assert "start: there is no step 'mneu'; did you mean 'menu'? (unknown-step)" in str(findings[0])
    assert any(str(finding).startswith("error: [steps.office] there is no [hours.office]") for finding in findings)


def test_everything_a_flow_can_say_is_known_beforehand() -> None:
    flow = parse_flow(demo_flow_text(), source="demo.toml")
    texts = flow.prompt_texts()
    assert {text.language for text in texts} == {"en", "zh"}
    assert len(texts) == 2 * len(flow.prompts)
    assert flow.queue_ids() == {"sales", "support"}
