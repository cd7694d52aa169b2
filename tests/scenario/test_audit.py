"""The auditor finds nothing in what the exchange lived through, and finds each promise that is broken on purpose."""

import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from acd.events import AgentEngaged, AgentMadeReady, ContactArrived, ContactFinished, FloorConfigured
from acd.outcomes import OfferContact
from acd.simulator_journal import FloorSize, large_floor
from callcenter.audit.book import FloorBook
from callcenter.audit.floor import floor_breaches
from callcenter.audit.house import EACH_CONNECTION, QUIET_MS, SPARE
from callcenter.audit.recount import audit
from callcenter.calls.facts import CallClosed, CallConnected, CallEnded, Outcome, RoutingSnapshot, TimersFired
from callcenter.housekeeping import HouseCounted
from callcenter.journal import JournalRow
from callcenter.site.rules import floor_configuration
from tests.scenario.test_replay import lived_through
from tests.support.changed_entries import with_fields
from tests.support.house import open_house, small_site
from tests.support.simulated_journal import simulated_rows
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario

Rows = list[JournalRow]


@pytest.mark.parametrize("seed", range(12))
def test_lively_floor_with_a_restart_breaks_no_promise(seed: int) -> None:
    async def story() -> None:
        house = await lived_through(seed)
        await pass_seconds(3)
        house = await lived_through(seed + 50, house.journal)
        report = audit(house.journal.rows)
        assert report.breaches == []
        assert report.calls == len(house.records()) + report.in_progress
        assert report.calls > 0

    run_virtual(story)


def two_answered_calls() -> Rows:
    """anna takes two calls of the same queue, one after the other, while both wait."""

    async def story() -> Rows:
        house = await open_house()
        first = await house.queue_call("+12025550111")
        second = await house.queue_call("+12025550112")
        await house.sign_in("anna")
        await house.answer("anna")
        await pass_seconds(5)
        await house.hang_up(first)
        await house.core.desk.ready("anna")
        await settle()
        await house.answer("anna")
        await pass_seconds(5)
        await house.hang_up(second)
        await pass_seconds(2)
        house.core._write_snapshot()
        return house.journal.rows

    return run_virtual(story)


def place(rows: Rows, kind: type, number: int = 0) -> int:
    return [index for index, row in enumerate(rows) if isinstance(row.entry, kind)][number]


def changed(rows: Rows, kind: type, number: int = 0, **fields: object) -> Rows:
    at = place(rows, kind, number)
    return [*rows[:at], replace(rows[at], entry=with_fields(rows[at].entry, **fields)), *rows[at + 1 :]]


def without(rows: Rows, kind: type, number: int = 0) -> Rows:
    at = place(rows, kind, number)
    return [replace(row, seq=index + 1) for index, row in enumerate([*rows[:at], *rows[at + 1 :]])]


def record_with(rows: Rows, **fields: object) -> Rows:
    record = rows[place(rows, CallClosed)].entry.record
    return changed(rows, CallClosed, record=with_fields(record, **fields))


def unskilled(rows: Rows) -> Rows:
    floor = rows[place(rows, FloorConfigured)].entry
    return changed(rows, FloorConfigured, agents=tuple(replace(agent, skills=()) for agent in floor.agents))


def second_first(rows: Rows) -> Rows:
    """The second caller is made to have arrived before the first."""
    first = rows[place(rows, ContactArrived)].entry
    return changed(rows, ContactArrived, 1, arrived_at=first.arrived_at - 1)


def snapshot_with(rows: Rows, change: Callable[[dict[str, Any]], object]) -> Rows:
    """The last snapshot says something else."""
    number = sum(isinstance(row.entry, RoutingSnapshot) for row in rows) - 1
    engine = deepcopy(rows[place(rows, RoutingSnapshot, number)].entry.engine)
    change(engine)
    return changed(rows, RoutingSnapshot, number, engine=engine)


def left_open(rows: Rows) -> Rows:
    """The second call never ends, and the day goes on."""
    rows = rows[: place(rows, CallEnded, 1)]
    return [*rows, JournalRow(len(rows) + 1, rows[-1].at + 5 * 3_600_000, "routing.timers_fired", TimersFired(0))]


def counted(rows: Rows, *counts: HouseCounted, after_ms: int = QUIET_MS) -> Rows:
    """The house was counted so long after the last entry, and again as long after that."""
    for count in counts:
        at = rows[-1].at + after_ms
        rows = [*rows, JournalRow(len(rows) + 1, at, "house.counted", replace(count, at=at))]
    return rows


NOTHING_HELD = HouseCounted(0, 0, 0, 0, 0, 2, 0, 0, 30, 40)
LEAKS = {
    "legs": (replace(NOTHING_HELD, legs=1),),
    "sessions": (replace(NOTHING_HELD, sessions=1),),
    "ports": (replace(NOTHING_HELD, ports=2),),
    "tasks": (NOTHING_HELD, replace(NOTHING_HELD, tasks=31 + SPARE)),
    "descriptors": (NOTHING_HELD, replace(NOTHING_HELD, descriptors=41 + SPARE)),
}


@pytest.mark.parametrize(("held", "counts"), LEAKS.items(), ids=LEAKS.keys())
def test_what_is_held_when_nobody_calls_is_a_broken_promise(held: str, counts: tuple[HouseCounted, ...]) -> None:
    (breach,) = audit(counted(two_answered_calls(), *counts)).breaches
    assert breach.startswith("I10:")
    assert held in breach


def test_what_is_held_for_a_reason_is_none() -> None:
    rows = two_answered_calls()
    full = replace(NOTHING_HELD, calls=3, legs=6, sessions=3, ports=12, tasks=500, descriptors=500)
    phones = replace(
        NOTHING_HELD, connections=102, tasks=30 + EACH_CONNECTION * 100, descriptors=40 + EACH_CONNECTION * 100
    )
    unknown = replace(NOTHING_HELD, sessions=-1, ports=-1, descriptors=-1)
    later = replace(full, calls=0, started_at=1, legs=0, sessions=0, ports=0)
    assert audit(counted(rows, NOTHING_HELD, phones, unknown, full)).breaches == []
    assert audit(counted(rows, NOTHING_HELD, later)).breaches == [], "counts of two lives are not compared"
    closed = place(rows, CallClosed, 1)
    soon = rows[: closed + 1]
    assert audit(counted(soon, replace(NOTHING_HELD, legs=1), after_ms=QUIET_MS - 1)).breaches == [], "it just ended"
    up = rows[: place(rows, CallEnded, 1)]
    assert audit(counted(up, replace(NOTHING_HELD, legs=2))).breaches == [], "a call is up"


BREAKS: dict[str, tuple[str, Callable[[Rows], Rows]]] = {
    "a call is closed twice": ("I1", lambda rows: [*rows, replace(rows[place(rows, CallClosed)], seq=len(rows) + 1)]),
    "a call is never closed": ("I1", lambda rows: without(rows, CallClosed)),
    "talk time is wrong": ("I2", lambda rows: record_with(rows, talk_ms=1)),
    "outcome is wrong": ("I2", lambda rows: record_with(rows, outcome=Outcome.ABANDONED)),
    "waited longer than the call": ("I2", lambda rows: record_with(rows, waited_ms=10**9)),
    "agent in two calls": ("I3", lambda rows: without(rows, CallEnded)),
    "agent of another queue": ("I4", lambda rows: changed(rows, OfferContact, agent_id="chen")),
    "agent without the skill": ("I4", unskilled),
    "agent who is not ready": ("I4", lambda rows: without(rows, AgentMadeReady)),
    "caller waits beside an idle agent": ("I5", lambda rows: without(rows, OfferContact)),
    "state is another": ("I7", lambda rows: snapshot_with(rows, lambda e: e["agents"][0].update(state="ready"))),
    "state began another time": ("I7", lambda rows: snapshot_with(rows, lambda e: e["agents"][0].update(since=5))),
    "wrap-up that nobody entered": ("I7", lambda rows: without(rows, ContactFinished, 1)),
    "call that never ends": ("I8", left_open),
    "contact of a closed call": (
        "I10",
        lambda rows: snapshot_with(
            rows, lambda e: e["contacts"].append({"contact_id": rows[place(rows, CallClosed)].entry.call_id})
        ),
    ),
    "offer that stands for nobody": (
        "I10",
        lambda rows: snapshot_with(rows, lambda e: e["offers"].append({"offer_id": "o99"})),
    ),
    "younger caller first": ("I6", second_first),
    "an entry is missing": ("I9", lambda rows: [row for row in rows if row.seq != 5]),
    "time goes back": ("I9", lambda rows: [*rows[:-1], replace(rows[-1], at=rows[-1].at - 10**6)]),
}


def test_each_of_the_ten_promises_is_among_those_that_are_broken_here() -> None:
    assert {invariant for invariant, _ in BREAKS.values()} == {f"I{number}" for number in range(1, 11)}


@pytest.mark.parametrize(("invariant", "damage"), BREAKS.values(), ids=BREAKS.keys())
def test_each_broken_promise_is_named(invariant: str, damage: Callable[[Rows], Rows]) -> None:
    rows = two_answered_calls()
    assert audit(rows).breaches == []
    assert any(breach.startswith(f"{invariant}:") for breach in audit(damage(rows)).breaches)


def test_whatever_is_missing_from_a_journal_it_is_named_and_nothing_breaks() -> None:
    """Also of a journal whose beginning is gone."""
    rows, dice = two_answered_calls(), random.Random(1)
    assert any(audit(rows[start:]).calls for start in range(len(rows)))
    for share in (0.02, 0.1, 0.3) * 20:
        left = [row for row in rows if dice.random() > share]
        missing = {row.seq for row in rows} - {row.seq for row in left}
        inner = any(left[0].seq < seq < left[-1].seq for seq in missing)
        assert any(breach.startswith("I9:") for breach in audit(left).breaches) is inner


def test_who_is_taken_off_the_floor_while_a_phone_rings_there_is_rung_no_more() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        await house.queue_call()
        configured = floor_configuration(small_site())
        left = tuple(each for each in configured.agents if each.agent_id != "anna")
        await house.core.routing.request(replace(configured, agents=left))
        await settle()
        house.core._write_snapshot()
        assert audit(house.journal.rows).breaches == []

    run_virtual(story)


def test_connection_without_an_end_shows_as_in_progress() -> None:
    rows = two_answered_calls()
    report = audit(rows[: place(rows, CallConnected) + 1])
    assert (report.breaches, report.in_progress) == ([], 2)


def test_the_auditors_book_of_the_floor_follows_a_busy_day() -> None:
    """Rings that are answered or not, wrap-ups, pauses, customers who give up: a second telling of the rules agrees."""
    size = FloorSize(agents=24, queues=3, profiles=3, queues_each=2, load=0.98)
    rows = simulated_rows(large_floor(size, seed=5), seed=5, events=8_000)
    assert list(floor_breaches(rows)) == []
    deaf = [row for row in rows if not (isinstance(row.entry, OfferContact) and row.seq % 50 == 0)]
    assert {breach[:2] for breach in floor_breaches(deaf)} >= {"I5"}


def picked_up() -> Rows:
    """anna is rung, ben picks it up, talks, and wraps up; anna is rung by the next caller."""

    async def story() -> Rows:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer = await house.queue_call()
        await pass_seconds(4)
        house.signalling.phone_calls("ben", "*8anna")
        await settle()
        await pass_seconds(20)
        second = await house.queue_call("+12025550112")
        await house.answer("anna")
        house.core._write_snapshot()
        await house.hang_up(customer)
        await pass_seconds(5)
        await house.hang_up(second)
        await pass_seconds(2)
        house.core._write_snapshot()
        return house.journal.rows

    return run_virtual(story)


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda rows: rows, set()),
        (lambda rows: without(rows, AgentEngaged), {"I3", "I4", "I7"}),
        (lambda rows: changed(rows, AgentEngaged, agent_id="anna"), {"I7"}),
        (lambda rows: changed(rows, AgentEngaged, contact_id="another"), {"I7"}),
        (lambda rows: changed(rows, CallConnected, agent_id="chen"), {"I3"}),
    ],
)
def test_a_pick_up_that_the_journal_does_not_bear_out_is_found(damage: Callable[[Rows], Rows], found: set[str]) -> None:
    breaches = audit(damage(picked_up())).breaches
    assert {each.split()[0].rstrip(":") for each in breaches} >= found, breaches
    assert bool(breaches) is bool(found)


def test_an_auditor_that_knew_no_pick_up_would_find_fault_with_a_sound_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the case is not one that any book of the floor would pass."""
    monkeypatch.setattr(FloorBook, "_pick_up", lambda book, seat, contact_id, at: book._engage(seat, contact_id, 0, at))
    assert audit(picked_up()).breaches
