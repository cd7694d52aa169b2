"""The figures of a report counted anew, by brute force: every list is kept whole, every interval scans all of it.

Written from the definitions in the package's README and from the facts; it shares nothing with
``callcenter.reporting``, so that it can contradict it. States of agents are taken from what the living exchange told on
its bus, not from a replay.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from acd.events import FloorConfigured
from acd.outcomes import (
    AgentStateChanged,
    ContactDequeued,
    ContactQueued,
    CustomerCame,
    DequeueReason,
    OfferContact,
    OfferEnded,
)
from acd.wait_estimates import WaitEstimate, WaitEstimates
from callcenter.bus import Bus
from callcenter.calls.callback_facts import CallbackDialled, CallbackRequested
from callcenter.calls.facts import (
    CallAnswered,
    CallConnected,
    CallEnded,
    CallHeld,
    CallOverflowed,
    CallQueued,
    CallResumed,
    Outcome,
)
from callcenter.calls.quality_facts import LegMeasured
from callcenter.journal import JournalRow
from callcenter.workforce.shifts import ShiftsPlanned

QUARTER = 900_000
OF_CALLS = (
    CallQueued, CallConnected, CallHeld, CallResumed, CallEnded, CallOverflowed, CallbackRequested,
)  # fmt: skip
Figures = dict[tuple[str, str, int], dict[str, Any]]
"""(``queue`` or ``agent``, id, start of the quarter hour) to metric id and figure."""
Told = list[tuple[int, object]]


@contextmanager
def bus_heard() -> Iterator[dict[Bus, Told]]:
    """While this is open: everything that is told on any bus, by bus."""
    heard: dict[Bus, Told] = defaultdict(list)
    publish = Bus.publish

    def listen(self: Bus, fact: object, at: int) -> None:
        heard[self].append((at, fact))
        publish(self, fact, at)

    Bus.publish = listen  # type: ignore[method-assign]
    try:
        yield heard
    finally:
        Bus.publish = publish  # type: ignore[method-assign]


@dataclass
class Stay:
    """A contact in a queue."""

    queue: str
    start: int
    end: int | None = None
    how: str = "waiting"
    agent: str = ""


@dataclass
class Talk:
    """Customer and agent, bridged."""

    call: str
    queue: str
    agent: str
    start: int
    end: int | None = None
    transferred: bool = False
    holds: list[tuple[int, int | None]] = field(default_factory=list)
    """From and to."""


@dataclass
class Spell:
    """An agent in a state."""

    agent: str
    state: str
    reason: str | None
    contact: str | None
    start: int
    end: int | None = None
    queue: str = ""
    """Whose work the contact is."""


class Recount:
    """All figures of one journal. ``told`` are the instants and facts of the bus, in order."""

    def __init__(self, rows: Sequence[JournalRow], told: Told, *, target_ms: int, short_ms: int) -> None:
        self.rows, self.told = rows, told
        self.target, self.short = target_ms, short_ms
        self.first = rows[0].at
        self.horizon = max(row.at for row in rows)
        self.stays: list[Stay] = []
        self.talks: list[Talk] = []
        self._read_calls()
        self.spells = self._read_states(told)
        self.made = [(at, fact) for at, fact in told if isinstance(fact, OfferContact)]
        self.closed = [(at, fact) for at, fact in told if isinstance(fact, OfferEnded)]

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

    # Reading

    def _read_calls(self) -> None:
        calls: dict[str, list[Any]] = defaultdict(list)
        for row in self.rows:
            if isinstance(row.entry, CallbackDialled):
                calls[row.entry.contact_id].append(row.entry)
            elif isinstance(
                row.entry,
                CallHeld | CallResumed | CallQueued | CallConnected | CallEnded | CallOverflowed | CallbackRequested,
            ):
                calls[row.entry.call_id].append(row.entry)
        for facts in calls.values():
            self._read_call([fact for fact in facts if not isinstance(fact, CallHeld | CallResumed)])
            self._read_holds(facts)

    def _read_holds(self, facts: list[Any]) -> None:
        """Each hold, in the talk that was going on, until it was resumed or all was over."""
        talks = [talk for talk in self.talks if talk.call == facts[0].call_id]
        for place, fact in enumerate(facts):
            if isinstance(fact, CallHeld):
                after = (each.at for each in facts[place:] if isinstance(each, CallResumed | CallEnded | CallQueued))
                talk = [each for each in talks if each.start <= fact.at][-1]
                talk.holds.append((fact.at, next(after, None)))

    @staticmethod
    def _entering(facts: list[Any]) -> list[Any]:
        """The facts of a call; who is called back after an agent was there enters the queue on being connected."""
        first = next((each for each in facts if isinstance(each, CallQueued | CallConnected)), None)
        if not isinstance(first, CallConnected) or not any(isinstance(each, CallbackDialled) for each in facts):
            return facts
        place = facts.index(first)
        return [*facts[:place], CallQueued(first.call_id, first.at, first.queue_id, 0, None), *facts[place:]]

    def _read_call(self, facts: list[Any]) -> None:
        stay: Stay | None = None
        talk: Talk | None = None
        left: Stay | None = None
        for fact in self._entering(facts):
            if isinstance(fact, CallQueued):
                if stay is not None and stay.queue == fact.queue_id:
                    continue
                left = None
                if stay is not None:
                    stay.end, stay.how = fact.at, "flowed"
                if talk is not None:
                    talk.end, talk.transferred, talk = fact.at, True, None
                stay = Stay(fact.queue_id, fact.at)
                self.stays.append(stay)
            elif isinstance(fact, CallConnected) and stay is not None:
                stay.end, stay.how, stay.agent, stay = fact.at, "answered", fact.agent_id, None
                talk = Talk(fact.call_id, fact.queue_id, fact.agent_id, fact.at)
                self.talks.append(talk)
            elif isinstance(fact, CallOverflowed) and stay is not None:
                stay.end, stay.how, left, stay = fact.at, "flowed", stay, None
            elif isinstance(fact, CallbackRequested) and left is not None:
                left.how, left = "converted", None
            elif isinstance(fact, CallEnded):
                if stay is not None:
                    stay.end, stay.how = fact.at, "abandoned" if fact.outcome is Outcome.ABANDONED else "lost"
                if talk is not None:
                    talk.end = fact.at

    def _read_states(self, told: Told) -> list[Spell]:
        found: list[Spell] = []
        present: dict[str, Spell] = {}
        for row in self.rows:
            if isinstance(row.entry, FloorConfigured):
                for spec in row.entry.agents:
                    if spec.agent_id not in present:
                        present[spec.agent_id] = Spell(spec.agent_id, "offline", None, None, row.at)
                        found.append(present[spec.agent_id])
        given: dict[str, str] = {}
        for at, fact in told:
            if isinstance(fact, ContactDequeued) and fact.reason is DequeueReason.ASSIGNED:
                given[fact.contact_id] = fact.queue_id
            if isinstance(fact, AgentStateChanged):
                before = present[fact.agent_id]
                after = Spell(fact.agent_id, str(fact.state), fact.reason, fact.contact_id, at)
                if (before.state, before.reason, before.contact) != (after.state, after.reason, after.contact):
                    before.end = at
                    if after.state in ("busy", "wrap_up") and after.contact is not None:
                        same = before.contact == after.contact and before.state in ("busy", "wrap_up")
                        after.queue = before.queue if same else given.pop(after.contact, "")
                    present[fact.agent_id] = after
                    found.append(after)
        return found

    # Working out

    def _within(self, start: int, end: int | None, lower: int, upper: int) -> int:
        """How much of a time lies in an interval."""
        return max(0, min(self.horizon if end is None else end, upper) - max(start, lower))

    def _handling(self, talk: Talk) -> tuple[list[Spell], int, int | None]:
        """The wrap-ups of a conversation, and when the agent took it and was done with it."""
        spells = [spell for spell in self.spells if spell.agent == talk.agent]
        taken = [
            number
            for number, spell in enumerate(spells)
            if spell.state == "busy" and spell.contact == talk.call and spell.start <= talk.start
        ]
        wraps: list[Spell] = []
        for spell in spells[taken[-1] :]:
            if spell.contact != talk.call or spell.state not in ("busy", "wrap_up"):
                return wraps, spells[taken[-1]].start, spell.start
            if spell.state == "wrap_up":
                wraps.append(spell)
        return wraps, spells[taken[-1]].start, None

    def _work(self, kind: str, who: str, lower: int, upper: int) -> dict[str, Any]:
        """What queues and agents both have."""
        talks = [talk for talk in self.talks if (talk.queue if kind == "queue" else talk.agent) == who]
        hold_closed = handled = transferred = talk_closed = wrap_closed = wrap_split = seat_closed = 0
        for talk in talks:
            wraps, taken, released = self._handling(talk)
            wrap_split += sum(self._within(wrap.start, wrap.end, lower, upper) for wrap in wraps)
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
            "talk_split": sum(self._within(talk.start, talk.end, lower, upper) for talk in talks),
            "talk_closed": talk_closed,
            "hold_split": sum(self._within(*each, lower, upper) for talk in talks for each in talk.holds),
            "hold_closed": hold_closed,
            "wrap_up_split": wrap_split,
            "wrap_up_closed": wrap_closed,
            "aht": _share(talk_closed + wrap_closed, handled),
            "seat_time_split": sum(self._within(each.start, each.end, lower, upper) for each in own),
            "seat_time_closed": seat_closed,
            "aht_of_seat": _share(seat_closed, handled),
            "transferred": transferred,
            "transferred_blind": transferred,
            "transferred_consulted": 0,
            "transferred_to_queue": 0,
            "transfer_rate": _share(transferred, handled),
            "offers": len(made),
            **{f"offers_{name}": results.count(name) for name in ("accepted", "declined", "expired", "withdrawn")},
            "rona_rate": _share(results.count("expired"), len(results)),
            **self._lines(kind, who, lower, upper),
            **self._out(kind, who, lower, upper),
            **_asked_nobody(talk_closed + wrap_closed, handled),
            **_undecided(),
        }

    def _out(self, kind: str, who: str, lower: int, upper: int) -> dict[str, Any]:
        """Callbacks that were dialled, each looked up in the whole journal; agents of these floors dial nobody."""
        queue_of = {
            row.entry.call_id: row.entry.queue_id for row in self.rows if isinstance(row.entry, CallbackRequested)
        }
        dials = live = dropped = after_greeting = 0
        for dial in (row.entry for row in self.rows if isinstance(row.entry, CallbackDialled)):
            facts = [row.entry for row in self.rows if getattr(row.entry, "call_id", "") == dial.contact_id]
            met = next((each for each in facts if isinstance(each, CallConnected)), None)
            there = min((each.at for each in facts if isinstance(each, CallAnswered | CallConnected)), default=None)
            greeted = min((each.at for each in facts if isinstance(each, CallQueued)), default=there)
            ended = any(isinstance(each, CallEnded) for each in facts)
            mine = queue_of[dial.call_id] == who if kind == "queue" else met is not None and met.agent_id == who
            dialled_at = dial.at if kind == "queue" else there
            if not mine or dialled_at is None:
                continue
            dials += lower <= dialled_at < upper
            if there is None or not lower <= there < upper:
                continue
            live += 1
            if met is not None or ended:
                dropped += met is None or met.at - there > 2_000
                after_greeting += met is None or met.at - (greeted or there) > 2_000
        return {
            "dials": dials, "live_answers": live, "dropped": dropped, "dropped_after_greeting": after_greeting,
            "drop_rate": _share(dropped, live), "drop_rate_after_greeting": _share(after_greeting, live),
            "right_party": 0, "right_party_rate": _share(0, dials),
        }  # fmt: skip

    def _lines(self, kind: str, who: str, lower: int, upper: int) -> dict[str, Any]:
        """How the lines of a queue's customers, or an agent's own, sounded."""
        connected: dict[str, CallConnected] = {}
        found: list[float] = []
        for row in self.rows:
            fact = row.entry
            if isinstance(fact, CallConnected):
                connected[fact.call_id] = fact
            if not isinstance(fact, LegMeasured) or fact.mos is None or not lower <= fact.at < upper:
                continue
            last = connected.get(fact.call_id)
            if last is None or not fact.role or (fact.leg == "customer") != (kind == "queue"):
                continue
            if (last.queue_id if kind == "queue" else fact.agent_id) == who:
                found.append(fact.mos)
        poor = sum(mos < 3.6 for mos in found)
        return {
            "lines_measured": len(found),
            "lines_poor": poor,
            "poor_line_rate": _share(poor, len(found)),
            "mean_mos": _share(sum(round(mos * 100) for mos in found) / 100, len(found)),
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
        waited = [(stay, self._within(stay.start, stay.end, lower, upper)) for stay in stays]
        return work | {
            "offered": len(came),
            "answered": len(answered),
            "abandoned": len(gave_up) - shorts,
            "short_abandoned": shorts,
            "flowed_out": flowed,
            "lost": sum(stay.how == "lost" for stay in left),
            "blocked": self._blocked(queue, lower, upper),
            "blockage": _share(self._blocked(queue, lower, upper), len(came)),
            **self._foretold(queue, lower, upper),
            "callback_converted": sum(stay.how == "converted" for stay in left),
            "in_progress": self._there(stays, upper),
            "abandon_rate": _share(len(gave_up), len(came)),
            "abandon_rate_without_short": _share(len(gave_up) - shorts, len(came) - shorts),
            "service_level_a": _share(came_in_time, len(came)),
            "service_level_b": _share(in_time, len(answered)),
            "service_level_c": _share(in_time + gave_up_in_time, len(answered) + len(gave_up)),
            "service_level_d": _share(in_time, len(answered) + len(gave_up) - shorts),
            "service_level_d_flow": _share(in_time, len(answered) + len(gave_up) - shorts + flowed),
            "service_level_e": _share(in_time, len(answered) + len(gave_up) - gave_up_in_time),
            "asa": _share(sum(answered), len(answered)),
            "time_to_abandon": _share(sum(gave_up), len(gave_up)),
            "max_wait": max((self._within(stay.start, stay.end, 0, upper) for stay, part in waited if part), default=0),
            "mean_queue": _share(sum(part for _, part in waited), length),
            "offered_load": None if work["aht"] is None or not length else len(came) * work["aht"] / length,
            "carried_load": _share(work["talk_split"] + work["wrap_up_split"], length),
            "seat_load": _share(work["seat_time_split"], length),
        }

    def _blocked(self, queue: str, lower: int, upper: int) -> int:
        turned = (each.entry for each in self.rows if isinstance(each.entry, CallOverflowed))
        own = [each for each in turned if each.queue_id == queue and each.reason not in ("plan_over", "exit_key")]
        return sum(lower <= each.at < upper for each in own)

    def _foretold(self, queue: str, lower: int, upper: int) -> dict[str, Any]:
        """The expected wait of each who had to wait, against the wait."""
        kept: dict[int, list[bool]] = {50: [], 80: [], 90: []}
        error = waits = 0
        for estimate, since, end, how in self._waited_for(queue):
            if not lower <= end < upper:
                continue
            for share, found in kept.items():
                within = end - since <= estimate.quantile_ms(share / 100)
                found += [within] if how == "assigned" or not within else []
            if how == "assigned":
                error += round(estimate.mean_ms) - (end - since)
                waits += end - since
        shares = {f"expected_wait_p{share}_kept": _share(sum(found), len(found)) for share, found in kept.items()}
        return {**shares, "expected_wait_bias": _share(error, waits)}

    def _waited_for(self, queue: str) -> list[tuple[WaitEstimate, int, int, str]]:
        estimates, found = WaitEstimates(), []
        expected: dict[str, tuple[WaitEstimate, int]] = {}
        for at, fact in self.told:
            if isinstance(fact, ContactQueued) and not fact.returned and not fact.is_away:
                if (now := estimates.estimate(fact.queue_id, now=at)) is not None:
                    expected[fact.contact_id] = now, at
            elif isinstance(fact, OfferContact) and expected.get(fact.contact_id, (None, 0))[1] == at:
                del expected[fact.contact_id]
            elif isinstance(fact, ContactDequeued) and fact.contact_id in expected:
                estimate, since = expected.pop(fact.contact_id)
                if fact.queue_id == queue and fact.reason in ("assigned", "abandoned"):
                    found.append((estimate, since, at, str(fact.reason)))
            if isinstance(fact, ContactQueued | ContactDequeued | CustomerCame | OfferContact):
                estimates.apply(fact, now=at)
        return found

    def _kept_to(self, agent: str, lower: int, upper: int) -> dict[str, Any]:
        """What the agent did beside what was planned, looked at anew for every stretch in which neither changes."""
        plans = [
            row.entry for row in self.rows if isinstance(row.entry, ShiftsPlanned) and agent in row.entry.agent_ids
        ]
        lower, upper = max(lower, self.first), min(upper, self.horizon)
        spells = [each for each in self.spells if each.agent == agent]
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
            "adherence": _share(scheduled - sums["out_of_schedule"], scheduled),
            "conformance": _share(sums["on_queue"], sums["scheduled_on_queue"]),
            "shrinkage": _share(sums["paid_absent"] + sums["paid_away"], paid),
            "shrinkage_external": _share(sums["paid_absent"], paid),
            "shrinkage_internal": _share(sums["paid_away"], paid),
            "shrinkage_planned": _share(sums["paid_planned_away"], paid),
        }  # fmt: skip

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
            part = self._within(spell.start, spell.end, lower, upper)
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
        kept = self._kept_to(agent, lower, upper)
        return (
            work
            | kept
            | {
                "consulted": 0,
                "consulted_split": 0,
                "utilization_of_paid": _share(busy, kept["paid_split"]),
                "utilization_of_scheduled_on_queue": _share(busy, kept["scheduled_on_queue_split"]),
                "talk_utilization_of_signed_in": _share(work["talk_split"], signed_in),
                "answered": sum(
                    stay.how == "answered" and stay.agent == agent and lower <= (stay.end or 0) < upper
                    for stay in self.stays
                ),
                "signed_in": signed_in,
                "occupied_split": busy,
                "idle_split": ready,
                "rung_split": ringing,
                "concurrency": 1.0 if busy else None,
                "occupancy": _share(busy, busy + ready),
                "occupancy_with_ringing": _share(busy + ringing, busy + ready + ringing),
                "utilization_of_signed_in": _share(busy, signed_in),
                "contacts_per_hour": _share(work["handled"] * 3_600_000, signed_in),
                "time_by_state_split": dict(split),
                "time_by_state_closed": dict(closed),
                "not_ready_by_reason_split": dict(reasons_split),
                "not_ready_by_reason_closed": dict(reasons_closed),
            }
        )


def _waited(stay: Stay) -> int:
    assert stay.end is not None
    return stay.end - stay.start


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


_PAUSES = {"break": "break", "lunch": "break", "training": "training", "meeting": "meeting", "leave": "leave"}


def _asked_nobody(closed: int, handled: int) -> dict[str, Any]:
    """On these floors nobody consults; see the races of operations for that."""
    names = ("consultations", "consulting_split", "consulting_closed", "consulted_closed", "handled_consulted")
    return dict.fromkeys(names, 0) | {"aht_without_consultation": _share(closed, handled)}


def _undecided() -> dict[str, Any]:
    """These floors do not live for a day, and nobody is asked what they thought."""
    counts = ("surveys_asked", "surveys_answered", "csat_answers", "nps_answers", "qa_scored", "qa_fatal")
    shares = ("survey_response_rate", "csat", "csat_mean", "nps", "qa_score")
    found: dict[str, Any] = dict.fromkeys(counts, 0) | dict.fromkeys(shares)
    for days in (1, 7, 30):
        found |= {f"fcr_{days}d_contacts": 0, f"fcr_{days}d": None, f"fcr_{days}d_same_channel": None}
    return found


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
