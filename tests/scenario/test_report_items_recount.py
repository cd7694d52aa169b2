"""What agents have in hand, in reports, equals a count by brute force from what the living exchange told.

Floors with calls, messages, chats and tasks at random, over a kill: every stretch of work is laid on one time line, and
every instant between two changes is looked at.
"""

import random
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

import pytest

from acd.events import Channel
from acd.outcomes import AgentStateChanged, WorkEnded
from agent_console.ports import IntentError
from callcenter.channels.facts import ItemAccepted, ItemClosed, ItemMoved, ItemReturned
from callcenter.journal import JournalRow
from callcenter.reporting.book import Grain
from callcenter.reporting.metrics import Value
from callcenter.reporting.postings import SubjectKind
from callcenter.reporting.report import Wanted, report
from tests.support.house import House
from tests.support.memory_journal import MemoryJournal
from tests.support.messages_left import a_house, message_arrives, site_with_exit
from tests.support.recount import QUARTER
from tests.support.told_day import Told, bus_heard
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario

Stretch = tuple[str, str, int, int]
"""Agent, contact, beginning and end."""


AGENTS = {
    "anna": {"capacity": {"message": 3, "chat": 2}, "interrupts": {"voice": ["message", "chat"], "chat": ["message"]}},
    "ben": {"capacity": {"message": 2, "task": 2}, "interrupts": {"task": ["voice", "message"], "message": ["task"]}},
    "chen": {"capacity": {"voice": 0, "message": 3}},
}
CHANNELS = (Channel.MESSAGE, Channel.MESSAGE, Channel.CHAT, Channel.TASK)


async def live_busily(house: House, dice: random.Random) -> None:
    """Agents take most of what rings, work several things at once, and are called meanwhile."""
    desk, core = house.core.desk, house.core
    await house.sign_in(*AGENTS)
    for _ in range(90):
        agent_id = dice.choice(tuple(AGENTS))
        held, ringing = core.items.open.held_by(agent_id), dict(core.items._offers)
        with suppress(IntentError):
            if dice.random() < 0.4:
                await message_arrives(house, dice.randrange(10_000), channel=dice.choice(CHANNELS))
            if dice.random() < 0.1:
                await house.call(f"+1202555{dice.randrange(10_000):04}")
            for contact_id, (_, rung) in ringing.items():
                if dice.random() < 0.8:
                    await desk.accept(rung, contact_id)
            if held and dice.random() < 0.3:
                await (desk.give_back if dice.random() < 0.3 else desk.finish)(agent_id, dice.choice(held))
            if house.signalling.ringing_phone(agent_id) is not None:
                await house.answer(agent_id)
            elif dice.random() < 0.1:
                await desk.hang_up(agent_id, house.core.floor.agent(agent_id).contact_id or "")  # type: ignore[union-attr]
            await desk.ready(agent_id)
        await pass_seconds(dice.choice((0.25, 3, 20, 70)))
    await settle()


def life(seed: int) -> tuple[list[JournalRow], Told]:
    async def story() -> tuple[list[JournalRow], Told]:
        told: Told = []
        journal, dice = MemoryJournal(), random.Random(seed)
        site = site_with_exit(agents=AGENTS, wrap_up_seconds=90)
        with bus_heard() as heard:
            for _ in range(2):
                house = await a_house(site=site, journal=journal)
                await live_busily(house, dice)
                told += heard[house.core.bus]
                journal = MemoryJournal(house.journal.rows)
        return journal.rows, told

    return run_virtual(story)


def stretches(told: Told, horizon: int) -> tuple[list[Stretch], list[Stretch]]:
    """What was in hand, and the wrap-ups of items among it."""
    begun: dict[tuple[str, str], int] = {}
    wrapped: dict[str, int] = {}
    hand: list[Stretch] = []
    wraps: list[Stretch] = []
    calls: dict[str, tuple[str, int]] = {}
    for at, fact in told:
        match fact:
            case ItemAccepted(agent_id=agent_id, contact_id=contact_id):
                begun.setdefault((agent_id, contact_id), at)
            case ItemClosed(contact_id=contact_id):
                wrapped[contact_id] = at
            case ItemReturned(contact_id=contact_id) | ItemMoved(contact_id=contact_id):
                wrapped.pop(contact_id, None)
            case WorkEnded(agent_id=agent_id, contact_id=contact_id) if (agent_id, contact_id) in begun:
                hand.append((agent_id, contact_id, begun.pop((agent_id, contact_id)), at))
                if contact_id in wrapped:
                    wraps.append((agent_id, contact_id, wrapped.pop(contact_id), at))
            case AgentStateChanged(agent_id=agent_id, state=state, contact_id=contact_id):
                now = contact_id if state in {"busy", "wrap_up"} else None
                known = calls.get(agent_id)
                if known is not None and known[0] != now:
                    hand.append((agent_id, known[0], known[1], at))
                    del calls[agent_id]
                if now is not None:
                    calls.setdefault(agent_id, (now, at))
    hand += [(agent_id, contact_id, at, horizon) for (agent_id, contact_id), at in begun.items()]
    wraps += [(agent_id, c, wrapped[c], horizon) for (agent_id, c) in begun if c in wrapped]
    hand += [(agent_id, contact_id, at, horizon) for agent_id, (contact_id, at) in calls.items()]
    return hand, wraps


@dataclass
class Work:
    """An item at one agent: talk until it is over or goes elsewhere, then perhaps a wrap-up, until it is let go."""

    agent_id: str
    began: int
    ended: int | None = None
    released: int | None = None


def works(told: Told) -> list[Work]:
    """Every stretch of an item at an agent."""
    found: list[Work] = []
    here: dict[str, Work] = {}
    going: dict[tuple[str, str], Work] = {}
    for at, fact in told:
        match fact:
            case ItemAccepted(agent_id=agent_id, contact_id=contact_id):
                here[contact_id] = going[agent_id, contact_id] = Work(agent_id, at)
                found.append(here[contact_id])
            case (
                ItemClosed(contact_id=contact_id)
                | ItemReturned(contact_id=contact_id)
                | ItemMoved(contact_id=contact_id)
            ):
                if contact_id in here:
                    here.pop(contact_id).ended = at
            case WorkEnded(agent_id=agent_id, contact_id=contact_id) if (agent_id, contact_id) in going:
                going.pop((agent_id, contact_id)).released = at
    return found


@pytest.mark.parametrize("seed", range(6))
def test_handle_times_of_items_are_as_counted(seed: int) -> None:
    """Cut at each boundary, and whole in the interval in which the agent was done; wrap-up is what follows the talk."""
    rows, told = life(seed)
    found = report(rows, Wanted(grain=Grain.INTERVAL))
    expected = works(told)
    assert sum(work.ended is not None for work in expected) > 15
    for start in {line.period.start for line in found.lines}:
        for agent_id in AGENTS:
            lines = [
                line.values
                for line in found.lines
                if line.period.start == start and line.subject.id.startswith(f"{agent_id}/")
            ]
            own = [work for work in expected if work.agent_id == agent_id]
            talk = sum(within(work.began, found.horizon if work.ended is None else work.ended, start) for work in own)
            assert sum(figure(each, "talk_split") for each in lines) == talk
            done = [
                (work.began, work.ended, work.released)
                for work in own
                if work.ended is not None and work.released is not None
                if start <= max(work.ended, work.released) < start + QUARTER
            ]
            others = handled_elsewhere(told, agent_id, start)
            assert sum(figure(each, "handled") for each in lines) == len(done) + others
            assert sum(figure(each, "talk_closed") for each in lines) == sum(end - begin for begin, end, _ in done)
            wraps = sum(released - end for _, end, released in done)
            assert sum(figure(each, "wrap_up_closed") for each in lines) == wraps


def handled_elsewhere(told: Told, agent_id: str, start: int) -> int:
    """Items that this agent dealt with though nobody had them at that moment."""
    had: set[str] = set()
    count = 0
    for at, fact in told:
        match fact:
            case ItemAccepted(contact_id=contact_id):
                had.add(contact_id)
            case ItemReturned(contact_id=contact_id) | ItemMoved(contact_id=contact_id):
                had.discard(contact_id)
            case ItemClosed(contact_id=contact_id, by=by) if by == agent_id and contact_id not in had:
                count += start <= at < start + QUARTER
    return count


class Sweep:
    """Every instant of one agent in one quarter of an hour, stretch by stretch between two changes."""

    def __init__(self, hand: list[Stretch], agent_id: str, start: int) -> None:
        self.occupied = self.in_hand = self.most = 0
        self.shares: dict[str, float] = defaultdict(float)
        own = [(c, max(begin, start), min(end, start + QUARTER)) for a, c, begin, end in hand if a == agent_id]
        marks = sorted({mark for _, begin, end in own if begin < end for mark in (begin, end)})
        for begin, end in pairwise(marks):
            there = [contact_id for contact_id, first, last in own if first <= begin and end <= last]
            self.occupied += (end - begin) * bool(there)
            self.in_hand += (end - begin) * len(there)
            self.most = max(self.most, len(there))
            for contact_id in there:
                self.shares[contact_id] += (end - begin) / len(there)


def figure(values: dict[str, Value], metric: str) -> int:
    value = values[metric]
    assert isinstance(value, int)
    return value


@pytest.mark.parametrize("seed", range(6))
def test_what_is_in_hand_at_once_is_as_counted(seed: int) -> None:
    rows, told = life(seed)
    found = report(rows, Wanted(grain=Grain.INTERVAL))
    hand, wraps = stretches(told, found.horizon)
    items = {fact.contact_id for _, fact in told if isinstance(fact, ItemAccepted)}
    most = 0
    for start in {line.period.start for line in found.lines}:
        for agent_id in AGENTS:
            lines = {
                line.subject.id: line.values
                for line in found.lines
                if line.period.start == start and line.subject.kind is SubjectKind.AGENT
                if line.subject.id.partition("/")[0] == agent_id
            }
            sweep, whole = Sweep(hand, agent_id, start), lines[agent_id]
            assert whole["occupied_split"] == sweep.occupied
            assert whole["concurrency"] == (sweep.in_hand / sweep.occupied if sweep.occupied else None)
            assert sum(figure(each, "seat_time_split") for each in lines.values()) == sweep.occupied
            calls = sum(share for contact_id, share in sweep.shares.items() if contact_id not in items)
            assert whole["seat_time_split"] == pytest.approx(calls, abs=20), "but for what is rounded"
            known = sum(figure(whole, f"{name}_split") for name in ("occupied", "idle", "rung"))
            assert known <= figure(whole, "signed_in")
            wrapped = sum(within(begin, end, start) for a, _, begin, end in wraps if a == agent_id)
            assert sum(figure(each, "wrap_up_split") for each in lines.values() if each is not whole) == wrapped
            most = max(most, sweep.most)
    assert most >= 2, "somebody must have had several at once"


def within(begin: int, end: int, start: int) -> int:
    return max(0, min(end, start + QUARTER) - max(begin, start))
