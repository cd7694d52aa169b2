"""A flow as a Mermaid diagram, for documents and for the eyes of whoever edits it."""

from ivr.flow import (
    AnswerStep,
    BranchStep,
    CallbackStep,
    CollectStep,
    Flow,
    HangUpStep,
    HoursStep,
    MenuStep,
    PlayStep,
    QueueStep,
    SetStep,
    Step,
    SurveyStep,
    VoicemailStep,
)

KINDS: dict[type[Step], tuple[str, str, str]] = {
    AnswerStep: ("answer", "[", "]"),
    PlayStep: ("play", "[", "]"),
    MenuStep: ("menu", "{{", "}}"),
    CollectStep: ("collect", "{{", "}}"),
    SurveyStep: ("survey", "{{", "}}"),
    HoursStep: ("hours", "{", "}"),
    BranchStep: ("branch", "{", "}"),
    SetStep: ("set", "[", "]"),
    CallbackStep: ("callback", "[", "]"),
    QueueStep: ("queue", "([", "])"),
    VoicemailStep: ("voicemail", "[/", "/]"),
    HangUpStep: ("hang_up", "([", "])"),
}
"""Word, opening and closing bracket of each step kind: boxes act, hexagons ask, diamonds decide, rounded ones end."""


def flow_diagram(flow: Flow) -> str:
    """The steps of a flow and the ways between them, as a Mermaid flowchart without a trailing newline."""
    lines = ["flowchart TD"]
    for step in flow.steps.values():
        word, opening, closing = KINDS[type(step)]
        lines.append(f'    {_node(step.name)}{opening}"{step.name}<br>{word}"{closing}')
    for step in flow.steps.values():
        for target in step.targets():
            label = f'|"{_quoted(target.label)}"|' if target.label else ""
            lines.append(f"    {_node(step.name)} -->{label} {_node(target.step)}")
    return "\n".join(lines)


def _node(name: str) -> str:
    """An id that is no word of Mermaid's own, such as ``end``."""
    return f"s_{name}"


def _quoted(text: str) -> str:
    return text.replace("#", "#35;").replace('"', "#quot;")
