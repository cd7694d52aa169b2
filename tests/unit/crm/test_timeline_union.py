"""Property: the timelines are the union of the logs of all channels, whatever is corrected, transferred or merged.

Random histories are lived by the store and by a model of it; afterwards each customer's timeline, read page by page,
must be what the model says: nothing missing, nothing twice, nobody else's.
"""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from crm_bridge.changes import Editing
from crm_bridge.customers import create_customer
from crm_bridge.database import Database
from crm_bridge.interactions import InteractionRecord, record_batch
from crm_bridge.merging import merge, undo_merge
from crm_bridge.timeline import Start, TimelineItem, add_note, page
from tests.support.crm_records import NOON, REGION, call, minutes, person
from tests.support.timeline_model import Line, TimelineModel

pytestmark = pytest.mark.unit

CHANNELS = ("voice", "sms", "email", "webchat", "letter")
EDITING = Editing(NOON, "u1", "Lin")
ANNE, BEN, CLEO, SHARED, LATER = (f"+861390000000{n}" for n in range(1, 6))
CALLERS = (ANNE, BEN, CLEO, SHARED, LATER, "anonymous")

STEPS = 60
KINDS = {"told": 8, "corrected": 3, "transferred": 2, "repeated": 3, "note": 2, "merge": 3, "undo": 2, "enter": 1}
"""What happens in a history, and how often."""


def history(seed: int) -> list[tuple[object, ...]]:
    """What happens, one thing after the other."""
    rng = random.Random(seed)
    steps: list[tuple[object, ...]] = []
    for kind in rng.choices(list(KINDS), list(KINDS.values()), k=STEPS):
        numbers = (rng.randrange(100), rng.randrange(100))
        told = (rng.choice(CHANNELS), rng.randrange(30), rng.choice(CALLERS), rng.random() < 0.3, rng.randrange(100))
        steps.append((kind, *{"told": told, "enter": ()}.get(kind, numbers)))
    return steps


@dataclass
class Life:
    """One history, told to the store and to the model alike."""

    database: Database
    batch: int
    model: TimelineModel = field(default_factory=TimelineModel)
    people: list[int] = field(default_factory=list)
    merge_ids: list[int] = field(default_factory=list)
    said: list[InteractionRecord] = field(default_factory=list)
    waiting: list[InteractionRecord] = field(default_factory=list)
    notes: int = 0

    async def enter(self, name: str, *numbers: str) -> None:
        await self.flush()
        async with self.database.begin() as session:
            created = await create_customer(session, person(name, *numbers), region=REGION, now=NOON)
        self.people.append(created.id)
        self.model.enter(created.id, *numbers)

    async def tell(self, record: InteractionRecord) -> None:
        """Records wait until a batch is full, or until something happens that must come after them."""
        self.said.append(record)
        self.waiting.append(record)
        self.model.tell(record)
        if len(self.waiting) >= self.batch:
            await self.flush()

    async def flush(self) -> None:
        async with self.database.begin() as session:
            await record_batch(session, self.waiting, region=REGION)
        self.waiting.clear()

    def living(self, index: int) -> int:
        found = [each for each in self.people if each not in self.model.part_of]
        return found[index % len(found)]

    async def step(self, kind: str, *given: object) -> None:
        match kind, given:
            case "told", (str(channel), int(at), str(caller), bool(is_named), int(who)):
                named = self.people[who % len(self.people)] if is_named else None
                await self.tell(
                    call(
                        f"c{len(self.said)}",
                        channel=channel,
                        started_at=NOON + minutes(at),
                        from_value=caller,
                        customer_id=named,
                        journal_seq=len(self.said) + 1,
                    )
                )
            case (("corrected" | "transferred" | "repeated"), (int(which), int(who))) if self.said:
                await self.again(kind, self.said[which % len(self.said)], who)
            case "note", (int(who), int(at)):
                await self.note(self.living(who), at)
            case "merge", (int(one), int(other)) if self.living(one) != self.living(other):
                await self.merge(self.living(one), self.living(other))
            case "undo", (int(which), int()) if self.model.can_be_undone():
                places = self.model.can_be_undone()
                await self.undo(places[which % len(places)])
            case "enter", () if len(self.people) == 3:
                await self.enter("Dora", LATER)
            case _:
                pass

    async def again(self, kind: str, record: InteractionRecord, who: int) -> None:
        """What the journal said before: said otherwise, gone on with somebody else, or simply again."""
        seq, person_at = len(self.said) + 1, self.people[who % len(self.people)]
        match kind:
            case "corrected":
                later = record.started_at + timedelta(seconds=who)
                record = replace(record, customer_id=person_at, started_at=later, talk_ms=who, journal_seq=seq)
            case "transferred":
                contact = f"{record.call_id}-{seq}"
                agent = f"agent{who % 3}"
                link = {"parent_contact_id": record.contact_id, "parent_relation": "transfer"}
                record = replace(
                    record, contact_id=contact, agent_id=agent, talk_ms=1000 + who, journal_seq=seq, **link
                )
        await self.tell(record)

    async def note(self, customer_id: int, at: int) -> None:
        await self.flush()
        self.notes += 1
        body, now = f"note {self.notes}", NOON + minutes(at)
        async with self.database.begin() as session:
            await add_note(session, customer_id, body, author_id="u1", author_name="Lin", now=now)
        self.model.note(customer_id, body, (now, "note", body))

    async def merge(self, survivor: int, merged: int) -> None:
        await self.flush()
        async with self.database.begin() as session:
            self.merge_ids.append((await merge(session, survivor, merged, EDITING)).id)
        self.model.merge(survivor, merged)

    async def undo(self, place: int) -> None:
        await self.flush()
        async with self.database.begin() as session:
            await undo_merge(session, self.merge_ids[place], EDITING)
        self.model.undo(place)


@pytest.mark.parametrize("seed", range(5))
async def test_timelines_are_the_union_of_the_logs_of_all_channels(database: Database, seed: int) -> None:
    batch, size = 1 + seed % 6, 1 + seed % 4
    life = Life(database, batch)
    for name, numbers in (("Anne", (ANNE, SHARED)), ("Ben", (BEN, SHARED)), ("Cleo", (CLEO,))):
        await life.enter(name, *numbers)
    for kind, *given in history(seed):
        await life.step(str(kind), *given)
    await life.flush()
    for customer_id in life.people:
        shown = await read(database, customer_id, size)
        assert [item.at for item in shown] == sorted((item.at for item in shown), reverse=True)
        assert Counter(filter(None, map(line, shown))) == Counter(life.model.timeline(customer_id))
        folded = await read(database, customer_id, size, conversations=True)
        parts = [replace(item, at=part.started_at, interaction=part) for item in folded for part in item.parts]
        assert Counter(filter(None, map(line, [*folded, *parts]))) == Counter(life.model.timeline(customer_id))
        for channel in CHANNELS:
            of_channel = Counter(filter(None, map(line, await read(database, customer_id, size, channel))))
            assert of_channel == Counter(each for each in life.model.timeline(customer_id) if each[3:4] == (channel,))


async def read(
    database: Database, customer_id: int, size: int, channel: str | None = None, *, conversations: bool = False
) -> list[TimelineItem]:
    """A whole timeline, or that of one channel, in pages of this size."""
    wanted = {"channel": channel, "conversations": conversations}
    shown: list[TimelineItem] = []
    cursor = None
    async with database.read() as session:
        while True:
            found = await page(session, customer_id, start=Start(before=cursor), limit=size, **wanted)
            assert 0 < len(found.items) <= size or not shown
            shown += found.items
            cursor = found.next_cursor
            if cursor is None:
                return shown


def line(item: TimelineItem) -> Line | None:
    """What the model knows of an entry; ``None`` for kinds it does not keep."""
    if item.kind == "interaction":
        assert item.interaction is not None
        view = item.interaction
        return item.at, "interaction", view.contact_id, view.channel, view.agent_id, view.talk_ms
    return (item.at, "note", item.note) if item.kind == "note" else None
