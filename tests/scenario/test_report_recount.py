"""A report equals a recount by brute force, for every metric and every quarter hour; and nobody is ever lost.

Floors live for hours and over restarts, with waits, talks, wrap-ups and pauses that cross many boundaries.
"""

import random
from collections import Counter
from contextlib import suppress
from zoneinfo import ZoneInfo

import pytest

from agent_console.ports import IntentError
from callcenter.journal import JournalRow
from callcenter.ports import LegStatistics
from callcenter.reporting.book import Grain
from callcenter.reporting.intervals import INTERVAL_MS
from callcenter.reporting.metrics import METRICS
from callcenter.reporting.postings import Rules, Subject, SubjectKind
from callcenter.reporting.report import EVERYBODY, Report, RunningReport, Wanted, report
from callcenter.reporting.statistics import Statistics
from callcenter.site.models import Site
from callcenter.workforce.activities import PLANNED, Activity
from callcenter.workforce.shifts import Shift, ShiftsPlanned
from ivr.flows import demo_flow_text
from tests.scenario.test_races import AGENTS, RINGS, Floor
from tests.support.house import House, open_house, small_site
from tests.support.memory_journal import MemoryJournal
from tests.support.recount import Recount
from tests.support.told_day import Told, bus_heard
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario

RULES = Rules(target_ms=20_000, short_abandon_ms=5_000)
STEPS = 110
SEEDS = range(20)
ENDS = ("offered", "answered", "abandoned", "short_abandoned", "flowed_out", "callback_converted", "in_progress")

ADD_UP = {
    metric.id for metric in METRICS if metric.id.endswith(("_split", "_closed")) and not metric.id.endswith("_of_seat")
} - {metric.id for metric in METRICS if "_by_" in metric.id} | {
    "offered", "answered", "handled", "offers", "dials", "live_answers", "dropped", "dropped_after_greeting",
}  # fmt: skip
"""Metrics that add up over intervals."""
Lived = tuple[list[JournalRow], Told]
lived: dict[int, Lived] = {}


CALL_ME = """
[steps.call_me]
type = "callback"
queue = "sales"
next = "promised"
otherwise = "promised"

[steps.promised]
type = "hang_up"
reason = "callback_promised"
"""


class LongDay(Floor):
    """A floor on which much time passes."""

    def __init__(self, house: House, seed: int) -> None:
        super().__init__(house, seed)
        self.happenings = (*self.happenings, self.sign_out, self.wait_on, self.wait_on, self.ready, self.ready)
        self.plans = random.Random(seed)

    async def plan(self) -> None:
        """A plan for some of the agents, of a part of the past, of what is to come, or of both."""
        now, chance = self.house.clock.now(), self.plans
        start = now + chance.randrange(-5_000_000, 2_000_000)
        end = start + chance.randrange(600_000, 9_000_000)
        agents = tuple(chance.sample(AGENTS, chance.randrange(1, 4)))
        shifts = []
        for agent_id in agents:
            there = start
            while there < end and chance.random() < 0.9:
                begin = there + chance.choice((0, 0, 0, 700_000))
                there = min(end, begin + chance.randrange(100_000, 2_500_000))
                if begin < there:
                    activity = chance.choice((*PLANNED, Activity.ON_QUEUE, Activity.ON_QUEUE))
                    shifts.append(Shift(agent_id, begin, there, activity, chance.random() < 0.8))
        await self.house.core.write_down(ShiftsPlanned(0, "boss", agents, start, end, tuple(shifts)))

    async def pause(self) -> None:
        reason = self.chance.choice(("break", "lunch", "training"))
        with suppress(IntentError):
            await self.house.core.desk.not_ready(self.chance.choice(AGENTS), reason)

    async def sign_out(self) -> None:
        if self.chance.random() < 0.3:
            await self.house.core.desk.sign_out(self.chance.choice(AGENTS))

    async def wait_on(self) -> None:
        await settle()
        await pass_seconds(self.chance.choice((0.25, 4, 7, 19.9, 20, 45, 130, 500, 1000, 2000)))

    async def press(self) -> None:
        await settle()
        await super().press()
        await settle()
        await super().press()


def site_of(seed: int, number: int) -> Site:
    """The small site; in every fourth life its queues are left by a key, or after a minute, for a callback."""
    small = small_site(wrap_up_seconds=(seed + number) % 3 * 400, ring=RINGS[seed % 3])
    ways = {"exit_key": "1", "longest_wait_seconds": 60, "callback_most": 50, "callback_retry_seconds": 3_000}
    first = {"callback_order": "customer"}
    queues = [queue.model_dump() | (ways | first if seed % 4 == 3 else {}) for queue in small.queues]
    return Site.model_validate(small.model_dump() | {"queues": queues})


def flow_of(seed: int) -> str:
    """The demo's flow; in every fourth life with a callback for those who leave the queue."""
    flow = demo_flow_text()
    return flow.replace('type = "queue"', 'type = "queue"\notherwise = "call_me"') + CALL_ME if seed % 4 == 3 else flow


def life(seed: int) -> Lived:
    """Two lives of an exchange: its journal, and what it told."""

    async def story() -> Lived:
        with bus_heard() as heard:
            told: Told = []
            journal = MemoryJournal()
            for number in range(2):
                house = await open_house(site=site_of(seed, number), flow=flow_of(seed), journal=journal)
                floor = LongDay(house, seed * 2 + number)
                await house.sign_in(*AGENTS)
                house.media.statistics = LegStatistics(
                    99, 99, 1, 0, heard=True, mos=(3.1, 3.6, 4.27)[(seed + number) % 3]
                )
                for step in range(STEPS):
                    if step % 20 == 0:
                        await floor.plan()
                    await floor.step()
                await settle()
                told += heard[house.core.bus]
                journal = MemoryJournal(house.journal.rows)
                await pass_seconds(700)  # nobody is there: what the dead exchange says and writes is not seen
            return journal.rows, told

    if seed not in lived:
        lived[seed] = run_virtual(story)
    return lived[seed]


def figures(found: Report) -> dict[tuple[str, str, int], dict[str, object]]:
    return {
        (line.subject.kind, line.subject.id, line.period.start): line.values
        for line in found.lines
        if line.subject.id != EVERYBODY
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_every_figure_of_every_interval_equals_the_recount(seed: int) -> None:
    rows, told = life(seed)
    recount = Recount(rows, told, target_ms=RULES.target_ms, short_ms=RULES.short_abandon_ms)
    expected = recount.figures()
    found = report(rows, Wanted(grain=Grain.INTERVAL, rules=RULES))
    mine = figures(found)
    assert (found.divergences, found.missing, found.dropped) == (0, 0, 0)
    assert mine.keys() == expected.keys()
    for place, values in expected.items():
        assert mine[place].keys() == values.keys()
        different = {
            metric: (mine[place][metric], value) for metric, value in values.items() if mine[place][metric] != value
        }
        assert different == {}, place


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_who_was_offered_is_lost_at_any_instant(seed: int) -> None:
    rows, _ = life(seed)
    statistics = Statistics(RULES)
    sums: Counter[tuple[Subject, str]] = Counter()
    queues = [Subject(SubjectKind.QUEUE, "sales"), Subject(SubjectKind.QUEUE, "support")]
    for row in rows:
        for posting in statistics.take(row):
            sums[posting.subject, posting.measure] += posting.amount
        for queue in queues:
            gone = sum(sums[queue, measure] for measure in ENDS[1:-1])
            assert sums[queue, "offered"] == gone + statistics.waits.waiting(queue.id)


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_who_was_offered_is_lost_up_to_any_interval(seed: int) -> None:
    found = report(life(seed)[0], Wanted(grain=Grain.INTERVAL, rules=RULES))
    so_far: Counter[tuple[str, str]] = Counter()
    for line in found.lines:
        if line.subject.kind is SubjectKind.QUEUE:
            for metric in ENDS[:-1]:
                so_far[line.subject.id, metric] += line.values[metric]  # type: ignore[operator]
            gone = sum(so_far[line.subject.id, metric] for metric in ENDS[1:-1])
            assert so_far[line.subject.id, "offered"] == gone + line.values["in_progress"]  # type: ignore[operator]


@pytest.mark.parametrize("seed", SEEDS)
def test_times_in_all_states_add_up_to_the_time_on_the_wall(seed: int) -> None:
    rows, _ = life(seed)
    found = report(rows, Wanted(grain=Grain.INTERVAL))
    for line in found.lines:
        if line.subject.kind is SubjectKind.AGENT and line.subject.id != EVERYBODY:
            start, end = max(line.period.start, rows[0].at), min(line.period.end, found.horizon)
            assert sum(line.values["time_by_state_split"].values()) == end - start  # type: ignore[union-attr]


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_that_come_twice_or_in_any_order_change_nothing(seed: int) -> None:
    rows, _ = life(seed)
    plain = report(rows, Wanted(grain=Grain.INTERVAL))
    mixed = rows + random.Random(seed).choices(rows, k=len(rows) // 3)
    random.Random(seed).shuffle(mixed)
    found = report(mixed, Wanted(grain=Grain.INTERVAL))
    assert found.lines == plain.lines
    assert (found.missing, found.dropped) == (0, len(mixed) - len(rows))


@pytest.mark.parametrize("seed", SEEDS)
def test_counts_and_times_of_the_whole_are_the_sums_of_the_intervals(seed: int) -> None:
    rows, _ = life(seed)
    whole = report(rows, Wanted(grain=Grain.TOTAL))
    for grain in (Grain.INTERVAL, Grain.DAY):
        parts = report(rows, Wanted(grain=grain, zone=ZoneInfo("Asia/Kathmandu")))
        for line in whole.lines:
            of_it = [part.values for part in parts.lines if part.subject == line.subject]
            for metric in ADD_UP & line.values.keys():
                assert line.values[metric] == sum(values[metric] for values in of_it), metric  # type: ignore[misc]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_that_is_read_in_parts_is_the_day(seed: int) -> None:
    rows, _ = life(seed)
    running = RunningReport(Wanted(grain=Grain.INTERVAL))
    cut = random.Random(seed).randrange(1, len(rows))
    running.read(rows[:cut])
    running.report()
    running.read(rows[cut:])
    assert running.report().lines == report(rows, Wanted(grain=Grain.INTERVAL)).lines


def test_the_floors_are_lively_enough_to_prove_anything() -> None:
    seen: Counter[str] = Counter()
    states: Counter[str] = Counter()
    crossing = 0
    for seed in SEEDS:
        rows, told = life(seed)
        for line in report(rows, Wanted(rules=RULES)).lines:
            if line.subject.id != EVERYBODY:
                seen.update({name: value for name, value in line.values.items() if isinstance(value, int)})
                states.update(line.values.get("time_by_state_split") or {})  # type: ignore[arg-type]
        stays = Recount(rows, told, target_ms=RULES.target_ms, short_ms=RULES.short_abandon_ms).stays
        crossing += sum(stay.end is not None and stay.end - stay.start > INTERVAL_MS for stay in stays)
    planned = {f"{name}_split" for name in ("scheduled", "out_of_schedule", "on_queue", "paid_absent", "paid_away")}
    wanted = {*ENDS, *planned, "lost", "handled", "offers_expired", "offers_declined", "offers_withdrawn"}
    assert {name for name in wanted if seen[name] < 5} == set()
    assert states.keys() == {"busy", "wrap_up", "offered", "ready", "not_ready", "offline"}
    assert crossing > 20
