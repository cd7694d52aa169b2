"""What agents do as a roster sees it, and which states of routing are which. Pure.

A roster knows few activities; the site says which reason of a pause is which (``activity`` of ``not_ready_reasons``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from acd.outcomes import AgentState


class Activity(StrEnum):
    """What somebody does, or is planned to do."""

    ON_QUEUE = "on_queue"
    """Working for the queues: ready, rung, talking, wrapping up."""
    BREAK = "break"
    TRAINING = "training"
    MEETING = "meeting"
    LEAVE = "leave"
    """Not at work, and not expected: holidays, illness."""
    OTHER = "other"
    """Not ready for a reason that is none of these; never planned."""
    OFF = "off"
    """Signed out; of a plan: no shift."""


PLANNED = (Activity.ON_QUEUE, Activity.BREAK, Activity.TRAINING, Activity.MEETING, Activity.LEAVE)
"""What a shift may be for."""
_BY_NAME: Mapping[str, Activity] = {each.value: each for each in PLANNED} | {"lunch": Activity.BREAK}
"""Reasons that say by themselves what they are."""


@dataclass(frozen=True, slots=True)
class PauseMeaning:
    """What a reason of a pause means to the roster."""

    reason: str
    activity: Activity


class PauseMeanings:
    """What the reasons of pauses mean at some point of the journal."""

    def __init__(self, said: Iterable[PauseMeaning] = ()) -> None:
        self._said = {each.reason: each.activity for each in said}

    def doing(self, state: AgentState, reason: str | None) -> Activity:
        """What an agent in this state of routing does."""
        if state is AgentState.OFFLINE:
            return Activity.OFF
        if state is not AgentState.NOT_READY:
            return Activity.ON_QUEUE
        return self._said.get(reason or "") or _BY_NAME.get(reason or "", Activity.OTHER)


def is_away(planned: Activity) -> bool:
    """Whether the plan has the agent away from the queues."""
    return planned in {Activity.BREAK, Activity.TRAINING, Activity.MEETING}


def keeps_to(planned: Activity, doing: Activity) -> bool:
    """Whether somebody does as planned. Who is planned away from the queues may be signed out meanwhile; on leave, and
    outside of shifts, nothing is asked."""
    if planned in {Activity.LEAVE, Activity.OFF}:
        return True
    return doing is planned or (is_away(planned) and doing is Activity.OFF)
