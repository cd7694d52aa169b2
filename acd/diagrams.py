"""The state machines as Mermaid diagrams, drawn from the tables: ``python -m acd.diagrams`` prints them."""

import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from acd import agents, contacts, offers
from acd.outcomes import AgentState

State = TypeVar("State", bound=StrEnum)
Trigger = TypeVar("Trigger", bound=StrEnum)


def draw(start: State, table: Mapping[tuple[State, Trigger], State]) -> str:
    """One table as a Mermaid state diagram; triggers with the same effect share an arrow."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for (state, trigger), after in table.items():
        arrows.setdefault((state, after), []).append(trigger)
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {start}"]
    lines += [f"    {state} --> {after}: {', '.join(triggers)}" for (state, after), triggers in arrows.items()]
    ends = dict.fromkeys(after for after in table.values() if all(state != after for state, _ in table))
    lines += [f"    {end} --> [*]" for end in ends]
    return "\n".join([*lines, "```"])


def draw_all() -> str:
    """Every table of the engine, as the package README shows them."""
    parts = [
        ("Agent", draw(AgentState.OFFLINE, agents.TRANSITIONS)),
        ("What an agent defers while busy or in wrap-up", draw(agents.Pending.NONE, agents.DEFERRALS)),
        ("Contact", draw(contacts.ContactState.WAITING, contacts.TRANSITIONS)),
        ("Offer", draw(offers.OfferState.STANDING, offers.TRANSITIONS)),
    ]
    return "\n\n".join(f"### {title}\n\n{diagram}" for title, diagram in parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(draw_all())
