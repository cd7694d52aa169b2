"""What agents did beside what was planned for them, counted anew."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from callcenter.workforce.shifts import ShiftsPlanned
from tests.support.told_day import Spell, ToldDay, share

_PAUSES = {"break": "break", "lunch": "break", "training": "training", "meeting": "meeting", "leave": "leave"}


def kept_to(day: ToldDay, agent: str, lower: int, upper: int) -> dict[str, Any]:
    """What the agent did beside what was planned, looked at anew for every stretch in which neither changes."""
    plans = [row.entry for row in day.rows if isinstance(row.entry, ShiftsPlanned) and agent in row.entry.agent_ids]
    lower, upper = max(lower, day.first), min(upper, day.horizon)
    spells = [each for each in day.spells if each.agent == agent]
    marks = {lower, upper, *(each.start for each in spells)}
    for plan in plans:
        marks |= {plan.start, plan.end, *(mark for each in plan.shifts for mark in (each.start, each.end))}
    sums: dict[str, int] = defaultdict(int)
    marks_within = sorted(mark for mark in marks if lower <= mark <= upper)
    for start, end in itertools.pairwise(marks_within):
        holds = next((each for each in reversed(plans) if each.start <= start < each.end), None)
        spell = next((each for each in reversed(spells) if each.start <= start), None)
        if holds is None or spell is None:
            continue
        own = [each for each in holds.shifts if each.agent_id == agent and each.start <= start < each.end]
        for name in _counts_as(str(own[0].activity) if own else "off", bool(own) and own[0].paid, spell):
            sums[name] += end - start
    scheduled, paid = sums["scheduled"], sums["paid"]
    return {
        **{f"{name}_split": sums[name] for name in (
            "scheduled", "out_of_schedule", "scheduled_on_queue", "on_queue", "paid", "paid_absent", "paid_away",
            "paid_planned_away",
        )},
        "adherence": share(scheduled - sums["out_of_schedule"], scheduled),
        "conformance": share(sums["on_queue"], sums["scheduled_on_queue"]),
        "shrinkage": share(sums["paid_absent"] + sums["paid_away"], paid),
        "shrinkage_external": share(sums["paid_absent"], paid),
        "shrinkage_internal": share(sums["paid_away"], paid),
        "shrinkage_planned": share(sums["paid_planned_away"], paid),
    }  # fmt: skip


def _counts_as(planned: str, paid: bool, spell: Spell) -> Iterator[str]:
    """What a stretch of time counts as, by the words of the README's table."""
    offline, at_queues = spell.state == "offline", spell.state not in ("offline", "not_ready")
    pause = _PAUSES.get(spell.reason or "", "other") if spell.state == "not_ready" else ""
    away = planned in ("break", "training", "meeting")
    if at_queues:
        yield "on_queue"
    if planned == "on_queue":
        yield "scheduled_on_queue"
    if planned == "on_queue" or away:
        yield "scheduled"
    if (planned == "on_queue" and not at_queues) or (away and pause != planned and not offline):
        yield "out_of_schedule"
    if not paid:
        return
    yield "paid"
    if planned != "on_queue":
        yield "paid_planned_away"
    if not at_queues:
        gone = planned == "leave" or pause == "leave" or (planned == "on_queue" and offline)
        yield "paid_absent" if gone else "paid_away"
