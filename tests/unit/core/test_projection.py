"""The customer store as a projection: in order, in batches with their cursor, once, however often it is done."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import func, select

from acd.events import Channel
from callcenter.appraisals.facts import SurveyAnswered, SurveyAsked, SurveyKind
from callcenter.calls.facts import (
    CallClosed,
    CallCorrected,
    CallRecord,
    EndedBy,
    Outcome,
    SegmentRecord,
    WrapUpRecorded,
)
from callcenter.calls.quality_facts import LegMeasured
from callcenter.calls.segments import SegmentKind, SegmentResult, segment_id
from callcenter.calls.voicemail_facts import VoicemailBegun
from callcenter.channels.facts import ItemAccepted, ItemArrived, ItemClosed, ItemResult, ItemReturned, ReturnReason
from callcenter.channels.open_items import Item, OpenItems
from callcenter.journal import JournalReader, JournalRow, SqliteJournal
from callcenter.projection import (
    APART_SECONDS,
    BATCH,
    BATCH_SECONDS,
    CURSOR,
    RETRY_SECONDS,
    InteractionProjection,
    instant,
)
from crm_bridge.catalogue import define_level
from crm_bridge.customers import NewContactPoint, NewCustomer, create_customer
from crm_bridge.database import Database, migrate
from crm_bridge.errors import CrmUnavailable
from crm_bridge.history import find_interaction
from crm_bridge.interactions import get_cursor, set_cursor
from crm_bridge.models import Customer, Interaction, WrapUp
from crm_bridge.parents import ParentView
from crm_bridge.voicemails import page_voicemails
from tests.support.changed_entries import with_fields
from tests.support.virtual_time import in_virtual_time, pass_seconds

pytestmark = pytest.mark.unit

NOON = 1_760_000_000_000
RECORD = CallRecord(
    "c1", "+12025550111", "", "+12025550100", "t", "x@y", "main", Outcome.ANSWERED, EndedBy.CUSTOMER,
    NOON, NOON + 90_000, NOON + 30_000, "sales", "anna", "en", ("English", "Sales"), "none", None,
    10_000, 60_000, 1, 0,
)  # fmt: skip


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'store.sqlite'}"
    await migrate(url)
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    await journal.open()
    yield journal
    await journal.close()


def projection(tmp_path: Path, database: Database) -> InteractionProjection:
    reader = JournalReader(tmp_path / "journal.sqlite")
    return InteractionProjection(reader, database, region="US", own_numbers=frozenset(), names={"anna": "Anna Berg"})


Told = CallClosed | CallCorrected | WrapUpRecorded | LegMeasured | SurveyAsked | SurveyAnswered


async def write(journal: SqliteJournal, *entries: Told) -> None:
    for entry in entries:
        seq = journal.append(entry, at=entry.at)
    await journal.committed(seq)


async def count(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(Interaction)) or 0


async def test_the_number_that_forwarded_a_call_reaches_the_interaction(
    tmp_path: Path, database: Database, journal: SqliteJournal
) -> None:
    forwarded = with_fields(RECORD, call_id="c2", diverted_from="+12025550133")
    await write(journal, CallClosed("c1", NOON, RECORD), CallClosed("c2", NOON, forwarded))
    await projection(tmp_path, database).drain()
    async with database.read() as session:
        assert (await find_interaction(session, "c2")).diverted_from == "+12025550133"
        assert (await find_interaction(session, "c1")).diverted_from is None


async def test_what_the_customer_answered_when_asked_reaches_the_interaction_of_that_agent(
    tmp_path: Path, database: Database, journal: SqliteJournal
) -> None:
    """Whatever comes first, and written twice; the first answer counts."""
    asked = SurveyAsked("c1", NOON + 1_000, SurveyKind.CSAT, "sales", RECORD.agent_id or "", "call")
    answered = SurveyAnswered("c1", NOON + 5_000, SurveyKind.CSAT, 4, "sales", RECORD.agent_id or "", "call", asked.at)
    alone = with_fields(asked, call_id="c2", kind=SurveyKind.NPS)
    elsewhere = with_fields(answered, call_id="c3", agent_id="nobody of this call")
    await write(journal, answered, asked, with_fields(answered, score=1), alone, elsewhere)
    for call_id in ("c1", "c2", "c3", "c4"):
        await write(journal, CallClosed(call_id, NOON, with_fields(RECORD, call_id=call_id)))
    follower = projection(tmp_path, database)
    await follower.drain()
    async with database.begin() as session:
        await set_cursor(session, CURSOR, 0)
    await follower.drain()
    async with database.read() as session:
        found = [(await find_interaction(session, call_id)).survey for call_id in ("c1", "c2", "c3", "c4")]
    assert [each and (each.kind, each.score) for each in found] == [("csat", 4), ("nps", None), None, None]
    assert found[0] is not None
    assert (found[0].asked_at, found[0].answered_at) == (instant(asked.at), instant(answered.at))


async def test_the_quality_of_lines_reaches_the_interaction(
    tmp_path: Path, database: Database, journal: SqliteJournal
) -> None:
    """Also that of a journal from before lines were named, and whichever comes first."""
    old = LegMeasured("c0", NOON, "customer", 100, 0, heard=True, mos=4.3)
    customer = LegMeasured(
        "c1", NOON + 90_001, "customer", 900, 100, heard=True, jitter_ms=4.0, round_trip_ms=80.0, far_loss_percent=1.5,
        mos=3.4, role="customer", contact_id="c1", queue_id="sales", codec="G722", worst_mos=2.1,
        worst_loss_percent=30.0,
    )  # fmt: skip
    agent = with_fields(customer, leg="agent-1", role="agent", agent_id="anna", codec="OPUS", packets_lost=0, mos=None)
    rung = with_fields(agent, leg="agent-2", role="", agent_id="", contact_id="")
    await write(journal, old, customer, agent, rung, CallClosed("c1", NOON, RECORD))
    await write(journal, CallClosed("c0", NOON, with_fields(RECORD, call_id="c0")))
    await projection(tmp_path, database).drain()
    async with database.read() as session:
        found = await find_interaction(session, "c1")
        assert [(line.role, line.agent_name, line.codec) for line in found.lines] == [
            ("customer", None, "G722"), ("agent", "Anna Berg", "OPUS")
        ]  # fmt: skip
        line = found.lines[0]
        assert (line.loss_percent, line.far_loss_percent, line.mos) == (10.0, 1.5, 3.4)
        assert (line.worst_mos, line.worst_loss_percent, line.round_trip_ms) == (2.1, 30.0, 80.0)
        assert [line.role for line in (await find_interaction(session, "c0")).lines] == ["customer"]


async def test_levels_follow_the_contacts_that_were_written(
    tmp_path: Path, database: Database, journal: SqliteJournal
) -> None:
    rule: list[dict[str, object]] = [{"fact": "interactions_365d", "op": ">=", "value": 2}]
    async with database.begin() as session:
        await define_level(session, "regular", name="Regular", rank=1, colour="#336699", rule=rule)
        new = NewCustomer("Ada", contact_points=(NewContactPoint(RECORD.caller),))
        ada = (await create_customer(session, new, region="US", now=datetime.now(UTC))).id
    following, now = projection(tmp_path, database), int(datetime.now(UTC).timestamp() * 1000)
    for name in ("c1", "c2"):
        recent = with_fields(RECORD, call_id=name, arrived_at=now, connected_at=now, ended_at=now, customer_id=None)
        await write(journal, CallClosed(name, now, with_fields(recent, segments=())))
        await following.drain()
        async with database.read() as session:
            level = await session.scalar(select(Customer.level).where(Customer.id == ada))
        assert level is None, "not within the batch"
        assert await following.follow_levels() == (name == "c2")
    async with database.read() as session:
        assert await session.scalar(select(Customer.level).where(Customer.id == ada)) == "regular"
    assert await following.follow_levels() == 0


async def test_call_and_wrap_up_reach_the_store(tmp_path: Path, database: Database, journal: SqliteJournal) -> None:
    await write(
        journal,
        CallClosed("c1", NOON, RECORD),
        WrapUpRecorded("c1", NOON + 99_000, "anna", "solved", "fine", 9_000),
    )
    assert await projection(tmp_path, database).drain() == 2
    async with database.read() as session:
        row = await session.scalar(select(Interaction))
        wrap_up = await session.get(WrapUp, "c1")
    assert row is not None
    assert wrap_up is not None
    assert (row.outcome, row.agent_name, row.waited_ms, row.talk_ms) == ("answered", "Anna Berg", 10_000, 60_000)
    assert row.answered_at is not None
    assert row.answered_at.timestamp() * 1000 == NOON + 30_000
    assert (wrap_up.disposition, wrap_up.notes) == ("solved", "fine")


async def test_second_reading_of_the_same_journal_changes_nothing(
    tmp_path: Path, database: Database, journal: SqliteJournal
) -> None:
    await write(journal, CallClosed("c1", NOON, RECORD))
    await projection(tmp_path, database).drain()
    async with database.begin() as session:
        from crm_bridge.models import ProjectionCursor

        row = await session.get(ProjectionCursor, CURSOR)
        assert row is not None
        row.seq = 0
    assert await projection(tmp_path, database).drain() == 1
    assert await count(database) == 1


async def test_long_backlog_is_written_in_batches(tmp_path: Path, database: Database, journal: SqliteJournal) -> None:
    calls = BATCH + 5
    await write(
        journal,
        *(
            CallClosed(f"c{n}", NOON + n, with_fields(RECORD, call_id=f"c{n}", sip_call_id=f"{n}"))
            for n in range(calls)
        ),
    )
    each = projection(tmp_path, database)
    assert [await each.drain(), await each.drain(), await each.drain()] == [BATCH, 5, 0]
    assert await count(database) == calls
    async with database.read() as session:
        assert await get_cursor(session, CURSOR) == calls


async def test_store_that_is_away_loses_nothing(
    tmp_path: Path, database: Database, journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first tries fail, the journal waits, and everything is written once the store is back."""
    await write(journal, CallClosed("c1", NOON, RECORD))
    each, tries, written = projection(tmp_path, database), 0, asyncio.Event()
    drain = each.drain

    async def away_at_first() -> int:
        nonlocal tries
        tries += 1
        if tries <= 3:
            raise CrmUnavailable("the customer store does not answer")
        done = await drain()
        written.set()
        return done

    monkeypatch.setattr(each, "drain", away_at_first)
    monkeypatch.setattr("callcenter.projection.RETRY_SECONDS", (0.0,))
    following = asyncio.create_task(each.run())
    async with asyncio.timeout(5):
        await written.wait()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert await count(database) == 1


async def test_customer_id_the_store_does_not_know_is_matched_anew(
    tmp_path: Path, database: Database, journal: SqliteJournal
) -> None:
    await write(journal, CallClosed("c1", NOON, with_fields(RECORD, match_state="one", customer_id="12345")))
    assert await projection(tmp_path, database).drain() == 1
    async with database.read() as session:
        row = await session.scalar(select(Interaction))
    assert row is not None
    assert row.customer_id is None


async def test_correction_moves_the_call_to_the_right_customer(
    tmp_path: Path, database: Database, journal: SqliteJournal
) -> None:
    async with database.begin() as session:
        new = NewCustomer(display_name="Bea", contact_points=())
        customer = await create_customer(session, new, region="US", now=datetime.now(UTC))
    corrected = with_fields(RECORD, match_state="manual", customer_id=str(customer.id))
    await write(journal, CallClosed("c1", NOON, RECORD), CallCorrected("c1", NOON + 1, corrected))
    assert await projection(tmp_path, database).drain() == 2
    async with database.read() as session:
        row = await session.scalar(select(Interaction))
    assert row is not None
    assert row.customer_id == customer.id
    assert await count(database) == 1


async def test_a_transferred_call_is_one_interaction_for_each_agent_and_one_among_colleagues_is_none(
    tmp_path: Path, database: Database, journal: SqliteJournal
) -> None:
    def segment(contact_id: str, agent_id: str, connected_at: int | None, ended_at: int, talk_ms: int) -> SegmentRecord:
        kind = SegmentKind.INBOUND if contact_id == "c1" else SegmentKind.TRANSFER
        return SegmentRecord(
            contact_id, kind, "", NOON, ended_at, connected_at, agent_id, "", "support", 0, talk_ms, 0, 0,
            SegmentResult.COMPLETED,
        )  # fmt: skip

    record = with_fields(
        RECORD,
        segments=(
            segment("c1", "anna", NOON + 30_000, NOON + 50_000, 20_000),
            segment("c1.2", "", None, NOON + 50_000, 0),
            segment("c1.3", "ben", NOON + 50_000, NOON + 90_000, 40_000),
        ),
    )
    inside = with_fields(RECORD, call_id="c2", direction="internal")
    await write(
        journal,
        CallClosed("c1", NOON, record),
        CallClosed("c2", NOON, inside),
        WrapUpRecorded("c1", NOON, "ben", "solved", "", 9, "c1.3"),
    )
    await projection(tmp_path, database).drain()
    async with database.read() as session:
        rows = (await session.scalars(select(Interaction).order_by(Interaction.contact_id))).all()
        wrap_up = await session.get(WrapUp, "c1.3")
    assert [(row.contact_id, row.call_id, row.agent_id, row.talk_ms) for row in rows] == [
        ("c1", "c1", "anna", 20_000),
        ("c1.3", "c1", "ben", 40_000),
    ]
    assert wrap_up is not None
    async with database.read() as session:  # a journal of before segments had parents
        assert [(await find_interaction(session, row.contact_id)).parent for row in rows] == [None, None]


async def test_a_contact_knows_the_one_it_came_from(tmp_path: Path, database: Database, journal: SqliteJournal) -> None:
    """Anna asks Ben and gives him the customer; his transfer nobody takes and it comes back; Cem only gives advice."""

    def segment(
        number: int, kind: SegmentKind, parent: int, agent_id: str, ended: int, result: SegmentResult, talk_ms: int = 9
    ) -> SegmentRecord:
        parent_id = segment_id("c1", parent) if parent else ""
        connected_at = NOON + 30_000 if agent_id else None
        return SegmentRecord(
            segment_id("c1", number), kind, parent_id, NOON, NOON + ended, connected_at, agent_id, "", "support", 0,
            talk_ms, 0, 0, result,
        )  # fmt: skip

    completed, transferred, failed = SegmentResult.COMPLETED, SegmentResult.TRANSFERRED, SegmentResult.FAILED
    record = with_fields(
        RECORD,
        segments=(
            segment(1, SegmentKind.INBOUND, 0, "anna", 50_000, transferred),
            segment(2, SegmentKind.CONSULT, 1, "cem", 40_000, completed, talk_ms=0),
            segment(3, SegmentKind.CONSULT, 1, "ben", 70_000, transferred),
            segment(4, SegmentKind.TRANSFER, 3, "", 80_000, failed),
            segment(5, SegmentKind.RECALL, 4, "ben", 90_000, completed),
        ),
    )
    await write(journal, CallClosed("c1", NOON, record), CallCorrected("c1", NOON, record))
    await projection(tmp_path, database).drain()
    parents = {}
    async with database.read() as session:
        for number in (1, 2, 3, 5):
            parents[number] = (await find_interaction(session, segment_id("c1", number))).parent
    assert parents == {
        1: None,
        2: ParentView("c1", "consult", "anna", "Anna Berg"),
        3: ParentView("c1", "transfer", "anna", "Anna Berg"),
        5: ParentView("c1.3", "recall", "ben", None),
    }


async def test_an_item_is_an_interaction_and_its_message_is_dealt_with(
    tmp_path: Path, database: Database, journal: SqliteJournal
) -> None:
    arrived = ItemArrived("c1-v1", NOON, Channel.MESSAGE, "sales", "+12025550111", called="sales", parent_id="c1")
    item = Item(arrived, "sales", "")
    for fact in (
        ItemAccepted("c1-v1", NOON + 5_000, "anna", "sales"),
        ItemReturned("c1-v1", NOON + 9_000, "anna", ReturnReason.GIVEN_BACK),
        ItemAccepted("c1-v1", NOON + 20_000, "anna", "sales"),
    ):
        items = OpenItems({"c1-v1": item})
        items.apply(fact)
        item = items.items["c1-v1"]
    closed = ItemClosed("c1-v1", NOON + 30_000, "anna", item.record(ItemResult.HANDLED, "anna", NOON + 30_000))
    begun = VoicemailBegun("c1", NOON - 9_000, "c1-v1", "sales", "+12025550111", "", "en")
    for entry in (begun, closed, WrapUpRecorded("c1-v1", NOON + 40_000, "anna", "solved", "", 9_000)):
        seq = journal.append(entry, at=entry.at)
    await journal.committed(seq)
    await projection(tmp_path, database).drain()
    async with database.read() as session:
        row = await session.scalar(select(Interaction))
        (message,) = await page_voicemails(session, boxes=None, is_open=False, limit=10)
    assert row is not None
    assert (row.contact_id, row.channel, row.outcome, row.agent_name) == ("c1-v1", "message", "answered", "Anna Berg")
    assert (row.waited_ms, row.talk_ms) == (5_000, 14_000)
    assert (message.recording_id, message.worked_by) == ("c1-v1", "anna")


@pytest.mark.parametrize(
    ("result", "told"),
    [(ItemResult.LEFT, ("abandoned", "customer", 30_000)), (ItemResult.ERASED, ("erased", "system", 30_000))],
)
async def test_how_an_item_ended_that_nobody_dealt_with_is_told(
    tmp_path: Path, database: Database, journal: SqliteJournal, result: ItemResult, told: tuple[str, str, int]
) -> None:
    item = Item(ItemArrived("c1-v1", NOON, Channel.MESSAGE, "sales", "+12025550111"), "sales", "")
    await journal.committed(
        journal.append(ItemClosed("c1-v1", NOON + 30_000, "", item.record(result, "", NOON + 30_000)), at=NOON)
    )
    await projection(tmp_path, database).drain()
    async with database.read() as session:
        row = await session.scalar(select(Interaction))
    assert row is not None
    assert (row.outcome, row.ended_by, row.waited_ms) == told


@in_virtual_time
async def test_in_a_rush_batches_begin_apart_and_a_single_call_is_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nudges that come all the time are served four times a second; after a pause, the first one at once."""
    loop, gap, begun = asyncio.get_running_loop(), APART_SECONDS, []
    each, start = projection(tmp_path, cast("Database", None)), loop.time()

    async def drain() -> int:
        begun.append(loop.time() - start)
        return 1

    monkeypatch.setattr(each, "drain", drain)
    following = asyncio.create_task(each.run())
    for _ in range(10):
        await pass_seconds(gap / 5)
        each.nudge(1)
    await pass_seconds(2 * gap)
    assert begun == pytest.approx([0, gap, 2 * gap, 3 * gap])
    each.nudge(1)
    await pass_seconds(gap / 100)
    assert begun[4:] == pytest.approx([4 * gap])
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


class StoreThatFallsSilent:
    """Takes work and never says anything again, at one of the two places where a batch asks."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.asked_at: list[float] = []

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[None]:
        yield await self._answer("glance")

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[None]:
        yield await self._answer("begin")

    async def _answer(self, place: str) -> None:
        if place == self.place:
            self.asked_at.append(asyncio.get_running_loop().time())
            await asyncio.Event().wait()


@pytest.mark.parametrize("place", ["glance", "begin"])
@in_virtual_time
async def test_a_store_that_falls_silent_in_a_batch_is_asked_again_after_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    async def cursor(*_: object) -> int:
        return 0

    monkeypatch.setattr("callcenter.projection.get_cursor", cursor)
    store = StoreThatFallsSilent(place)
    each, loop = projection(tmp_path, cast("Database", store)), asyncio.get_running_loop()
    row = JournalRow(1, NOON, "call.closed", CallClosed("c1", NOON, RECORD))
    monkeypatch.setattr(each, "_reader", FewRows([row]))
    start = loop.time()
    following = asyncio.create_task(each.run())
    await pass_seconds(3 * BATCH_SECONDS)
    assert [at - start for at in store.asked_at] == pytest.approx(
        [0, BATCH_SECONDS + RETRY_SECONDS[0], 2 * BATCH_SECONDS + sum(RETRY_SECONDS[:2])]
    )
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


class FewRows:
    """A journal of these entries."""

    def __init__(self, rows: list[JournalRow]) -> None:
        self.rows = rows

    def read(self, **_: object) -> list[JournalRow]:
        return self.rows
