"""The figures of a report counted anew, by brute force: every list is kept whole, every interval scans all of it.

Written from the definitions in the package's README and from the facts; it shares nothing with
``callcenter.reporting``, so that it can contradict it. What happened is read in ``told_day``.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from acd.events import FloorConfigured
from callcenter.calls.facts import CallOverflowed
from callcenter.journal import JournalRow
from tests.support.recounted_calls import dialled, sounded
from tests.support.recounted_forecasts import foretold
from tests.support.recounted_rosters import kept_to
from tests.support.told_day import Stay, Told, ToldDay, share

QUARTER = 900_000
Figures = dict[tuple[str, str, int], dict[str, Any]]
"""(``queue`` or ``agent``, id, start of the quarter hour) to metric id and figure."""


class Recount(ToldDay):
    """All figures of one journal. ``told`` are the instants and facts of the bus, in order."""

    def __init__(self, rows: Sequence[JournalRow], told: Told, *, target_ms: int, short_ms: int) -> None:
        super().__init__(rows, told)
        self.target, self.short = target_ms, short_ms

    def quarters(self) -> list[int]:
        """Every interval that the journal touches."""
        return list(range(self.first // QUARTER * QUARTER, self.horizon + 1, QUARTER))

    def figures(self) -> Figures:
        """Every metric of every queue and agent in every interval."""
        specs = [row.entry for row in self.rows if isinstance(row.entry, FloorConfigured)]
        queues = {queue.queue_id for spec in specs for queue in spec.queues}
        agents = {agent.agent_id for spec in specs for agent in spec.agents}
        found: Figures = {}
        for start in self.quarters():
            for queue in queues:
                found["queue", queue, start] = self._queue(queue, start, start + QUARTER)
            for agent in agents:
                found["agent", agent, start] = self._agent(agent, start, start + QUARTER)
        return found

    def _work(self, kind: str, who: str, lower: int, upper: int) -> dict[str, Any]:
        """What queues and agents both have."""
        talks = [talk for talk in self.talks if (talk.queue if kind == "queue" else talk.agent) == who]
        hold_closed = handled = transferred = talk_closed = wrap_closed = wrap_split = seat_closed = 0
        for talk in talks:
            wraps, taken, released = self.handling(talk)
            wrap_split += sum(self.within(wrap.start, wrap.end, lower, upper) for wrap in wraps)
            transferred += talk.transferred and lower <= (talk.end or 0) < upper
            if talk.end is not None and released is not None and lower <= max(talk.end, released) < upper:
                handled += 1
                talk_closed += talk.end - talk.start
                hold_closed += sum((end or 0) - begin for begin, end in talk.holds)
                wrap_closed += sum((wrap.end or 0) - wrap.start for wrap in wraps)
                seat_closed += released - taken
        seats = [each for each in self.spells if each.state in ("busy", "wrap_up") and each.contact is not None]
        own = [each for each in seats if (each.queue if kind == "queue" else each.agent) == who]
        made = [fact for at, fact in self.made if lower <= at < upper and self._of(fact, kind) == who]
        results = [str(fact.result) for at, fact in self.closed if lower <= at < upper and self._of(fact, kind) == who]
        return {
            "handled": handled,
            "talk_split": sum(self.within(talk.start, talk.end, lower, upper) for talk in talks),
            "talk_closed": talk_closed,
            "hold_split": sum(self.within(*each, lower, upper) for talk in talks for each in talk.holds),
            "hold_closed": hold_closed,
            "wrap_up_split": wrap_split,
            "wrap_up_closed": wrap_closed,
            "aht": share(talk_closed + wrap_closed, handled),
            "seat_time_split": sum(self.within(each.start, each.end, lower, upper) for each in own),
            "seat_time_closed": seat_closed,
            "aht_of_seat": share(seat_closed, handled),
            "transferred": transferred,
            "transferred_blind": transferred,
            "transferred_consulted": 0,
            "transferred_to_queue": 0,
            "transfer_rate": share(transferred, handled),
            "offers": len(made),
            **{f"offers_{name}": results.count(name) for name in ("accepted", "declined", "expired", "withdrawn")},
            "rona_rate": share(results.count("expired"), len(results)),
            **sounded(self.rows, kind, who, lower, upper),
            **dialled(self.rows, kind, who, lower, upper),
            **_asked_nobody(talk_closed + wrap_closed, handled),
            **_undecided(),
        }

    def _of(self, fact: Any, kind: str) -> str:
        if kind == "agent":
            return str(fact.agent_id)
        return next(str(each.queue_id) for _, each in self.made if each.offer_id == fact.offer_id)

    def _queue(self, queue: str, lower: int, upper: int) -> dict[str, Any]:
        stays = [stay for stay in self.stays if stay.queue == queue]
        left = [stay for stay in stays if stay.end is not None and lower <= stay.end < upper]
        came = [stay for stay in stays if lower <= stay.start < upper]
        answered = [_waited(stay) for stay in left if stay.how == "answered"]
        gave_up = [_waited(stay) for stay in left if stay.how == "abandoned"]
        shorts = sum(wait < self.short for wait in gave_up)
        flowed = sum(stay.how in ("flowed", "lost") for stay in left)
        in_time = sum(wait <= self.target for wait in answered)
        gave_up_in_time = sum(wait <= self.target for wait in gave_up)
        came_in_time = sum(stay.how == "answered" and _waited(stay) <= self.target for stay in came)
        length = min(upper, self.horizon) - max(lower, self.first)
        work = self._work("queue", queue, lower, upper)
        waited = [(stay, self.within(stay.start, stay.end, lower, upper)) for stay in stays]
        return work | {
            "offered": len(came),
            "answered": len(answered),
            "abandoned": len(gave_up) - shorts,
            "short_abandoned": shorts,
            "flowed_out": flowed,
            "lost": sum(stay.how == "lost" for stay in left),
            "blocked": self._blocked(queue, lower, upper),
            "blockage": share(self._blocked(queue, lower, upper), len(came)),
            **foretold(self.told, queue, lower, upper),
            "callback_converted": sum(stay.how == "converted" for stay in left),
            "in_progress": self._there(stays, upper),
            "abandon_rate": share(len(gave_up), len(came)),
            "abandon_rate_without_short": share(len(gave_up) - shorts, len(came) - shorts),
            "service_level_a": share(came_in_time, len(came)),
            "service_level_b": share(in_time, len(answered)),
            "service_level_c": share(in_time + gave_up_in_time, len(answered) + len(gave_up)),
            "service_level_d": share(in_time, len(answered) + len(gave_up) - shorts),
            "service_level_d_flow": share(in_time, len(answered) + len(gave_up) - shorts + flowed),
            "service_level_e": share(in_time, len(answered) + len(gave_up) - gave_up_in_time),
            "asa": share(sum(answered), len(answered)),
            "time_to_abandon": share(sum(gave_up), len(gave_up)),
            "max_wait": max((self.within(stay.start, stay.end, 0, upper) for stay, part in waited if part), default=0),
            "mean_queue": share(sum(part for _, part in waited), length),
            "offered_load": None if work["aht"] is None or not length else len(came) * work["aht"] / length,
            "carried_load": share(work["talk_split"] + work["wrap_up_split"], length),
            "seat_load": share(work["seat_time_split"], length),
        }

    def _blocked(self, queue: str, lower: int, upper: int) -> int:
        turned = (each.entry for each in self.rows if isinstance(each.entry, CallOverflowed))
        own = [each for each in turned if each.queue_id == queue and each.reason not in ("plan_over", "exit_key")]
        return sum(lower <= each.at < upper for each in own)

    def _there(self, stays: list[Stay], upper: int) -> int:
        if upper > self.horizon:
            return sum(stay.end is None for stay in stays)
        return sum(stay.start < upper and (stay.end is None or stay.end >= upper) for stay in stays)

    def _agent(self, agent: str, lower: int, upper: int) -> dict[str, Any]:
        spells = [spell for spell in self.spells if spell.agent == agent]
        split: dict[str, int] = defaultdict(int)
        closed: dict[str, int] = defaultdict(int)
        reasons_split: dict[str, int] = defaultdict(int)
        reasons_closed: dict[str, int] = defaultdict(int)
        for spell in spells:
            part = self.within(spell.start, spell.end, lower, upper)
            if part:
                split[spell.state] += part
                if spell.state == "not_ready":
                    reasons_split[spell.reason or "none"] += part
            if spell.end is not None and lower <= spell.end < upper:
                closed[spell.state] += spell.end - spell.start
                if spell.state == "not_ready":
                    reasons_closed[spell.reason or "none"] += spell.end - spell.start
        signed_in = sum(amount for state, amount in split.items() if state != "offline")
        busy, ready, ringing = (split.get(state, 0) for state in ("busy", "ready", "offered"))
        busy += split.get("wrap_up", 0)
        work = self._work("agent", agent, lower, upper)
        kept = kept_to(self, agent, lower, upper)
        return (
            work
            | kept
            | {
                "consulted": 0,
                "consulted_split": 0,
                "utilization_of_paid": share(busy, kept["paid_split"]),
                "utilization_of_scheduled_on_queue": share(busy, kept["scheduled_on_queue_split"]),
                "talk_utilization_of_signed_in": share(work["talk_split"], signed_in),
                "answered": sum(
                    stay.how == "answered" and stay.agent == agent and lower <= (stay.end or 0) < upper
                    for stay in self.stays
                ),
                "signed_in": signed_in,
                "occupied_split": busy,
                "idle_split": ready,
                "rung_split": ringing,
                "concurrency": 1.0 if busy else None,
                "occupancy": share(busy, busy + ready),
                "occupancy_with_ringing": share(busy + ringing, busy + ready + ringing),
                "utilization_of_signed_in": share(busy, signed_in),
                "contacts_per_hour": share(work["handled"] * 3_600_000, signed_in),
                "time_by_state_split": dict(split),
                "time_by_state_closed": dict(closed),
                "not_ready_by_reason_split": dict(reasons_split),
                "not_ready_by_reason_closed": dict(reasons_closed),
            }
        )


def _waited(stay: Stay) -> int:
    assert stay.end is not None
    return stay.end - stay.start


def _asked_nobody(closed: int, handled: int) -> dict[str, Any]:
    """On these floors nobody consults; see the races of operations for that."""
    names = ("consultations", "consulting_split", "consulting_closed", "consulted_closed", "handled_consulted")
    return dict.fromkeys(names, 0) | {"aht_without_consultation": share(closed, handled)}


def _undecided() -> dict[str, Any]:
    """These floors do not live for a day, and nobody is asked what they thought."""
    counts = ("surveys_asked", "surveys_answered", "csat_answers", "nps_answers", "qa_scored", "qa_fatal")
    shares = ("survey_response_rate", "csat", "csat_mean", "nps", "qa_score")
    found: dict[str, Any] = dict.fromkeys(counts, 0) | dict.fromkeys(shares)
    for days in (1, 7, 30):
        found |= {f"fcr_{days}d_contacts": 0, f"fcr_{days}d": None, f"fcr_{days}d_same_channel": None}
    return found
