"""The call machine as a Mermaid diagram, drawn from its table: ``python -m callcenter.calls.diagrams`` prints it."""

import re
import sys

from callcenter.calls.machine import TABLE
from callcenter.calls.states import CallState


def draw() -> str:
    """The table as a state diagram; rows that lead back without doing anything are left out."""
    arrows: dict[tuple[CallState, CallState], list[str]] = {}
    for (state, event), row in TABLE.items():
        if state is not row.to or row.act is not None:
            arrows.setdefault((state, row.to), []).append(_words(event.__name__))
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {CallState.IN_FLOW}"]
    lines += [f"    {state} --> {to}: {', '.join(events)}" for (state, to), events in arrows.items()]
    return "\n".join([*lines, f"    {CallState.ENDED} --> [*]", "```"]) + "\n"


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


if __name__ == "__main__":
    sys.stdout.write(draw())
