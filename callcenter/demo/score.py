"""What a run of demo calls proves: each call against the customer store, told by both sides of the line."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ALLOWED: Mapping[str, frozenset[str]] = {
    "talk": frozenset({"answered"}),
    "leave_in_queue": frozenset({"abandoned", "abandoned_in_flow", "answered"}),
    "leave_in_flow": frozenset({"abandoned_in_flow"}),
}
"""Outcomes that each intent may have. One who gives up early may do so before the flow's last prompt is over, in the
queue, or in the moment an agent answers; a customer who talked with an agent is checked apart."""


@dataclass(slots=True)
class Score:
    """The figures of a run. ``good`` when every call has exactly one interaction with the right outcome and both sides
    of every answered call were heard."""

    calls: int = 0
    answered: int = 0
    abandoned: int = 0
    failed: int = 0
    interactions: int = 0
    lost: int = 0
    duplicated: int = 0
    audio_ok: bool = True
    faults: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return self.calls > 0 and not self.faults

    def as_dict(self) -> dict[str, Any]:
        """The figures alone."""
        return {
            "calls": self.calls,
            "answered": self.answered,
            "abandoned": self.abandoned,
            "failed": self.failed,
            "interactions": self.interactions,
            "lost": self.lost,
            "duplicated": self.duplicated,
            "audio_ok": self.audio_ok,
        }


def score(
    results: Sequence[Mapping[str, Any]],
    interactions: Sequence[Mapping[str, Any]],
    reports: Sequence[Mapping[str, Any]],
) -> Score:
    """Compare what the customers lived through with what the store holds and what the agents' phones heard.

    A customer is told apart by the number; each calls once.
    """
    found = Score(calls=len(results), interactions=len(interactions))
    by_number: dict[str, list[Mapping[str, Any]]] = {}
    for interaction in interactions:
        by_number.setdefault(interaction["from_value"], []).append(interaction)
    heard_by_agent = Counter(report["caller"] for report in reports if report.get("heard"))
    for result in results:
        _score_call(found, result, by_number.get(result["number"], []), heard_by_agent)
    strangers = set(by_number) - {result["number"] for result in results}
    found.faults += [f"{number}: an interaction that nobody called for" for number in sorted(strangers)]
    return found


def _score_call(
    found: Score, result: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], heard_by_agent: Mapping[str, int]
) -> None:
    number, intent = result["number"], result["intent"]
    if result["failure"]:
        found.failed += 1
        found.faults.append(f"{number}: {result['failure']}")
    if len(rows) != 1:
        found.lost += not rows
        found.duplicated += max(0, len(rows) - 1)
        found.faults.append(f"{number}: {len(rows)} interactions instead of one")
        return
    outcome = rows[0]["outcome"]
    found.answered += outcome == "answered"
    found.abandoned += outcome.startswith("abandoned")
    if outcome not in ALLOWED[intent]:
        found.faults.append(f"{number}: meant to {intent}, but the store says {outcome}")
    if result["heard_agent"] and outcome != "answered":
        found.faults.append(f"{number}: talked with an agent, but the store says {outcome}")
    if intent == "talk" and not (result["heard_agent"] and heard_by_agent.get(number)):
        found.audio_ok = False
        found.faults.append(f"{number}: not heard on both sides (agent {rows[0]['agent_name']})")
