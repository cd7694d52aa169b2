"""The auditor knows shared channels: nothing is wrong with a lively floor, and each promise is seen to be breakable."""

import random
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from acd.events import (
    AgentDeskClosed,
    Channel,
    ContactArrived,
    ContactReturned,
    FloorConfigured,
    Interrupt,
    QueueInterrupts,
    WrapUpFinished,
)
from acd.outcomes import OfferContact
from agent_console.ports import IntentError
from callcenter.audit.recount import audit
from callcenter.calls.facts import RoutingSnapshot
from callcenter.channels.facts import ItemArrived, ItemClosed
from callcenter.journal import JournalRow
from callcenter.replay import replay
from callcenter.reporting.report import Wanted, report
from tests.scenario.test_audit import changed, place, without
from tests.support.house import House
from tests.support.messages_left import a_house, message_arrives, site_with_exit
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario

Rows = list[JournalRow]
AGENTS = {
    "anna": {"capacity": {"message": 2, "chat": 1}},
    "ben": {"capacity": {"message": 1, "task": 2}, "interrupts": {"task": ["voice", "message"]}},
    "chen": {"capacity": {"voice": 0, "message": 3}},
}


async def live_a_while(house: House, dice: random.Random, steps: int = 60) -> None:  # noqa: C901 - a list of deeds
    """Anything that people do with items and calls, at random."""
    desk, core = house.core.desk, house.core
    for agent_id in ("anna", "ben", "chen"):
        with suppress(IntentError):
            await house.sign_in(agent_id)
    for _ in range(steps):
        number, agent_id = dice.randrange(10_000), dice.choice(("anna", "ben", "chen"))
        held = core.items.open.held_by(agent_id)
        ringing = [contact_id for contact_id, (_, rung) in core.items._offers.items() if rung == agent_id]
        with suppress(IntentError):
            match dice.randrange(14):
                case 0 | 1 | 2:
                    channel = dice.choice((Channel.MESSAGE, Channel.MESSAGE, Channel.TASK, Channel.CHAT))
                    await message_arrives(house, number, box=dice.choice(("sales", "support", "ben")), channel=channel)
                case 3:
                    await house.call(f"+1202555{number:04}")
                case 4 | 5 | 6 if ringing:
                    await desk.accept(agent_id, ringing[0])
                case 7 if held:
                    await desk.finish(agent_id, dice.choice(held))
                case 8 if held:
                    await desk.give_back(agent_id, dice.choice(held))
                case 9 if held:
                    await desk.transfer(agent_id, dice.choice(held), "queue", dice.choice(("sales", "support")))
                case 10 if ringing:
                    await desk.decline(agent_id, ringing[0])
                case 11:
                    await desk.ready(agent_id)
                case 12 if house.signalling.ringing_phone(agent_id) is not None:
                    await house.answer(agent_id)
                case 13:
                    present = [each for each in ("anna", "ben", "chen") if dice.random() < 0.7]
                    core.on_seats(tuple(present))
                case _:
                    leave = list(core.items.open.items)
                    if leave and number % 5 == 0:
                        await core.items.leave(dice.choice(leave))
        await pass_seconds(dice.choice((0, 1, 5, 40)))
    await settle()


@pytest.mark.parametrize("seed", range(8))
def test_a_lively_floor_of_several_channels_with_a_kill_breaks_no_promise(seed: int) -> None:
    """And a replay decides the same, and the report's books balance."""

    async def live() -> None:
        words = {"voice": {"message": 1}, "message": ["voice"]} if seed % 2 else None
        site = site_with_exit(agents=AGENTS, wrap_up_seconds=10, interrupts=words)
        dice = random.Random(seed)
        house = await a_house(site=site)
        await live_a_while(house, dice)
        house = await a_house(site=site, journal=house.journal)
        await live_a_while(house, dice)
        house.core._write_snapshot()
        rows = house.journal.rows
        assert audit(rows).breaches == []
        found = replay(rows)
        assert found.divergences == []
        assert found.decisions > 5
        assert house.fatal == []
        assert report(rows, Wanted()) is not None
        items = [entry for entry in house.journal.entries if isinstance(entry, ItemArrived)]
        closed = {entry.contact_id for entry in house.journal.entries if isinstance(entry, ItemClosed)}
        assert len(items) == len(closed) + len(house.core.items.open.items) > 5
        in_engine = {contact.contact_id for contact in house.core.routing.engine.contacts()}
        assert set(house.core.items.open.items) <= in_engine

    run_virtual(live)


def a_worked_message() -> Rows:
    """ben works one of three messages, and takes the next when the wrap-up of the first is over."""

    async def live() -> Rows:
        house = await a_house(site=site_with_exit(wrap_up_seconds=10))
        await house.sign_in("ben")
        for number in range(3):
            await message_arrives(house, number)
            await pass_seconds(2)
        await house.core.desk.accept("ben", "call0-v1")
        await pass_seconds(5)
        await house.core.desk.finish("ben", "call0-v1")
        await pass_seconds(5)
        await house.core.desk.finish_wrap_up("ben", "call0-v1", "solved", "")
        await pass_seconds(2)
        await house.core.desk.accept("ben", "call1-v1")
        await pass_seconds(2)
        house.core._write_snapshot()
        return house.journal.rows

    return run_virtual(live)


def floor_with(rows: Rows, **fields: Any) -> Rows:
    floor: FloorConfigured = rows[place(rows, FloorConfigured)].entry
    return changed(rows, FloorConfigured, agents=tuple(replace(spec, **fields) for spec in floor.agents))


def queues_with(rows: Rows, **fields: Any) -> Rows:
    floor: FloorConfigured = rows[place(rows, FloorConfigured)].entry
    return changed(rows, FloorConfigured, queues=tuple(replace(spec, **fields) for spec in floor.queues))


def inserted(rows: Rows, before: type, number: int, entry: object) -> Rows:
    at = place(rows, before, number)
    new = replace(rows[at], kind="", entry=entry)
    return [replace(row, seq=index + 1) for index, row in enumerate([*rows[:at], new, *rows[at:]])]


def test_nothing_is_wrong_with_it_as_it_was() -> None:
    assert audit(a_worked_message()).breaches == []


BROKEN: list[tuple[str, Any]] = [
    ("I1", lambda rows: [*rows, replace(rows[place(rows, ItemClosed)], seq=len(rows) + 1)]),
    ("I1", lambda rows: without(rows, ItemArrived)),
    ("I2", lambda rows: changed(rows, ItemClosed, record=replace(record(rows), handled_ms=1))),
    ("I2", lambda rows: changed(rows, ItemClosed, record=replace(record(rows), stretches=()))),
    ("I4", lambda rows: floor_with(rows, capacity=())),
    ("I4", lambda rows: inserted(rows, OfferContact, 1, AgentDeskClosed("ben"))),  # type: ignore[arg-type]
    ("I4", lambda rows: without(rows, WrapUpFinished)),
    ("I5", lambda rows: without(rows, OfferContact)),
    ("I6", lambda rows: changed(rows, ContactArrived, 1, arrived_at=rows[-1].at)),
    ("I7", lambda rows: inserted(rows, RoutingSnapshot, 1, ContactReturned("call1-v1"))),  # type: ignore[arg-type]
    ("I10", lambda rows: changed(rows, ItemClosed, contact_id="call1-v1")),
]


def record(rows: Rows) -> Any:
    return rows[place(rows, ItemClosed)].entry.record


@pytest.mark.parametrize(("invariant", "break_it"), BROKEN)
def test_each_promise_about_items_is_seen_to_be_broken(invariant: str, break_it: Any) -> None:
    found = audit(break_it(a_worked_message())).breaches
    assert any(each.startswith(invariant + ":") for each in found), found


def test_a_call_beside_a_message_is_wrong_where_it_may_not_interrupt() -> None:
    async def live() -> Rows:
        house = await a_house()
        await house.sign_in("ben")
        await message_arrives(house)
        await house.core.desk.accept("ben", "call0-v1")
        await house.call()
        await house.answer("ben")
        await pass_seconds(2)
        return house.journal.rows

    rows = run_virtual(live)
    assert audit(rows).breaches == []
    assert [each[:3] for each in audit(floor_with(rows, interrupts=())).breaches] == ["I4:"]
    alone = (QueueInterrupts(Channel.VOICE),)
    assert [each[:3] for each in audit(queues_with(rows, interrupts=alone)).breaches] == ["I4:"]
    one = (QueueInterrupts(Channel.VOICE, (Interrupt(Channel.VOICE, Channel.MESSAGE, 1),)),)
    assert audit(queues_with(rows, interrupts=one)).breaches == []
