"""The schema: migrations up and down with data inside, and their agreement with the models."""

import asyncio
import re
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import StatementError

import crm_bridge
from crm_bridge.customers import create_customer
from crm_bridge.database import Database, migrate
from crm_bridge.erasure import erase
from crm_bridge.errors import CrmUnavailable, StaleRow, WriteConflict
from crm_bridge.held_erasures import held_of
from crm_bridge.interactions import RecordingStoredRecord, complete_wrap_up, record, record_batch, set_cursor
from crm_bridge.models import Base, Customer, ExternalIdentity, Note
from crm_bridge.record_parts import find_identity
from crm_bridge.recordings import files_to_erase, hold
from crm_bridge.timeline import add_note
from crm_bridge.transcripts import NewTranscript, Segment, put_transcript
from tests.support.crm_records import NOON, NUMBER, REGION, call, person
from tests.support.crm_web import client_of

pytestmark = pytest.mark.unit

STEPS = len(list((Path(crm_bridge.__file__).parent / "migrations" / "versions").glob("rev_*.py")))


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def differences(connection: Connection) -> list[object]:
    """But for the index of the search texts, which is a table of its own on SQLite and made by a statement on both."""

    def of_models(name: str | None, *_: object) -> bool:
        return name is None or not name.startswith(("search_index", "ix_search_text_blocks"))

    opts = {"compare_type": True, "include_name": of_models}
    context = MigrationContext.configure(connection, opts=opts)
    return list(compare_metadata(context, Base.metadata))


def parts(statement: str) -> list[str]:
    """What a CREATE statement says, whatever the order of its columns and constraints: a later step adds at the end."""
    head, _, rest = " ".join(statement.split()).partition("(")
    body, _, options = rest.rpartition(")")
    said = re.findall(r"(?:[^,()]|\((?:[^()]|\([^()]*\))*\))+", body)
    return [head.strip(), *sorted(part.strip() for part in said), options.strip()]


async def fill(database: Database) -> None:
    async with database.begin() as session:
        customer = await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON)
        await add_note(session, customer.id, "likes tea", author_id="u1", author_name="Lin", now=NOON)
        await record(session, call(), region=REGION)
        await complete_wrap_up(session, "c1", "solved", "fine", NOON, 11)
        await set_cursor(session, "journal", 11)


async def test_migrations_make_exactly_what_the_models_say(store_url: str, database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_sqlite_tables_are_the_models_word_for_word(sqlite_template: object, tmp_path: object) -> None:
    """The comparison above does not see checks and tables without row ids; the statements themselves show them."""
    query = text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%' AND sql IS NOT NULL")
    statements = []
    for url in (f"sqlite+aiosqlite:///{sqlite_template}", f"sqlite+aiosqlite:///{tmp_path}/models.db"):
        database = Database(url)
        async with database.engine.begin() as connection:
            if "models.db" in url:
                await connection.run_sync(Base.metadata.create_all)
            rows = (await connection.execute(query)).all()
        await database.close()
        statements.append({name: parts(sql) for name, sql in rows})
    assert statements[0] == statements[1]


async def test_migrations_go_up_and_down_and_up_again_with_data_inside(empty_url: str) -> None:
    await migrate(empty_url)
    database = Database(empty_url)
    await fill(database)
    await migrate(empty_url, "base")
    async with database.engine.connect() as connection:
        assert await connection.run_sync(tables) <= {"alembic_version"}
    await migrate(empty_url)
    await fill(database)
    await database.close()


async def test_each_step_goes_down_and_up_again_and_what_it_does_not_concern_stays(empty_url: str) -> None:
    """With data of every step inside; the rows of the first step are there at each of them."""
    await migrate(empty_url)
    database = Database(empty_url)
    await fill(database)
    async with client_of(database) as web:
        [ada] = (await web.get("/customers")).json()["items"]
        headers = {"if-match": "*"}
        await web.patch(f"/customers/{ada['id']}", json={"occupation": "poet"}, headers=headers)
        await web.put(f"/customers/{ada['id']}/tags", json={"tags": [{"tag": "vip"}]}, headers=headers)
        said = {"channel": "sms", "purpose": "*", "status": "denied", "legal_basis": "consent", "source": "call"}
        assert (await web.post(f"/customers/{ada['id']}/consents", json=said)).status_code == 201
        promise = {"what": "call back", "due_at": "2026-03-03T10:00:00Z"}
        assert (await web.post(f"/customers/{ada['id']}/promises", json=promise)).status_code == 201
        assert (await web.post(f"/customers/{ada['id']}/files?file_name=a.txt", content=b"x")).status_code == 201
        taste = {"kind": "hobby", "value": "sailing"}
        assert (await web.post(f"/customers/{ada['id']}/personal-preferences", json=taste)).status_code == 201
        likes = {"preferences": [{"purpose": "service", "channel": "sms", "source": "customer"}]}
        await web.put(f"/customers/{ada['id']}/preferences", json=likes, headers=headers)
        for user, status in (("u1", 200), ("u2", 409)):
            claim = await web.put(f"/customers/{ada['id']}/owner", json={"user_id": user}, headers={"x-user": user})
            assert claim.status_code == status
        assert (await web.put("/field-bases/phone", json={"legal_basis": "contract"})).status_code == 200
        twin = (await web.post("/customers", json={"display_name": "Ada L"}, headers={"idempotency-key": "k"})).json()
        await web.post("/merges", json={"survivor_id": ada["id"], "merged_id": twin["id"]})
        async with database.begin() as session:
            stored = RecordingStoredRecord(
                recording_id="c1-r1", contact_id="c1", stored_at=NOON, path="a.wav", sha256="", duration_ms=1,
                journal_seq=12,
            )  # fmt: skip
            await record_batch(session, [stored], region=REGION)
            said_there = NewTranscript([Segment(0, 1, "customer", "hello")], "en", "engine")
            await put_transcript(session, "c1", "c1-r1", said_there, expected=None, is_any=False, now=NOON)
        other = (await web.post("/customers", json={"display_name": "Ben"})).json()
        assert (await web.post(f"/customers/{other['id']}/erasure", json={"legal_basis": "x"})).status_code == 201
    async with database.engine.connect() as connection:
        names = await connection.run_sync(tables)
        assert {"customer_profile", "consent", "merge_event", "audit_entry", "erasure_receipt"} <= names
    for _ in range(STEPS - 1):
        await migrate(empty_url, "-1")
        async with database.engine.connect() as connection:
            found = await connection.execute(text("SELECT display_name FROM customer WHERE status = 'active'"))
            assert found.scalars().all() == ["Ada"]
            assert await connection.scalar(text("SELECT count(*) FROM interaction")) == 1
    async with database.engine.connect() as connection:
        assert "customer_profile" not in await connection.run_sync(tables)
    await migrate(empty_url)
    async with client_of(database) as web:
        for typed in ("ad", "Ada", "0001234"):
            assert len((await web.get("/customers", params={"q": typed})).json()["items"]) == 1, typed
        assert (await web.get(f"/customers/{ada['id']}/record")).json()["profile"]["occupation"] is None
        response = await web.patch(f"/customers/{ada['id']}", json={"occupation": "poet"}, headers=headers)
        assert response.status_code == 200
        assert (await web.get("/audit/chain")).json()["is_whole"]
    await database.close()


async def test_what_was_on_hold_at_an_erasure_before_holds_were_remembered_is_due_when_they_are_lifted(
    empty_url: str,
) -> None:
    await migrate(empty_url)
    database = Database(empty_url)
    at = {"recording_id": "r1", "contact_id": "c1", "journal_seq": 12}
    async with database.begin() as session:
        customer = await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON)
        stored = RecordingStoredRecord(stored_at=NOON, path="a.wav", sha256="", duration_ms=1, **at)
        await record_batch(session, [call(), stored], region=REGION)
        await hold(session, "c1", "r1", reason="case 7")
    async with database.begin() as session:
        receipt = await erase(session, customer.id, legal_basis="x", actor_id=None, now=NOON)
    await migrate(empty_url, f"-{STEPS - 15}")
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("SELECT erase_at FROM recording")) is None
    await migrate(empty_url)
    async with database.begin() as session:
        [kept] = await held_of(session, receipt)
        assert (kept.recording_id, kept.erased_at) == ("r1", None)
        assert await files_to_erase(session, 10) == {}
        await hold(session, "c1", "r1", reason=None)
        assert await files_to_erase(session, 10) == {"r1": "a.wav"}
    await database.close()


async def test_numbers_of_identity_cards_become_digests_and_are_found_as_before(empty_url: str) -> None:
    await migrate(empty_url)
    database = Database(empty_url)
    number = "110105 19491231 002x"
    async with database.begin() as session:
        ada = await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON)
        ben = await create_customer(session, person("Ben"), region=REGION, now=NOON)
        for customer, provider, external in ((ada, "id_card", number), (ben, "member_no", "M-1")):
            session.add(ExternalIdentity(customer_id=customer.id, provider=provider, external_id=external))
    await migrate(empty_url, f"-{STEPS - 23}")
    for _ in range(2):
        await migrate(empty_url)
        async with database.read() as session:
            [row] = (
                await session.scalars(select(ExternalIdentity).where(ExternalIdentity.provider == "id_card"))
            ).all()
            assert (len(row.external_id), row.customer_id) == (64, ada.id)
            found = await find_identity(session, "id_card", "11010519491231002X")
            member = await find_identity(session, "member_no", "M-1")
            assert found is not None
            assert member is not None
            assert (found.customer_id, member.customer_id) == (ada.id, ben.id)
        await migrate(empty_url, f"-{STEPS - 23}")
    await database.close()


async def test_migrating_twice_changes_nothing(store_url: str, database: Database) -> None:
    await fill(database)
    await migrate(store_url)
    async with database.read() as session:
        assert (await session.scalars(select(Customer.display_name))).all() == ["Ada"]


async def test_instants_come_back_in_utc_to_the_microsecond_and_naive_ones_are_refused(database: Database) -> None:
    far_east = datetime(2026, 3, 2, 12, 0, 0, 123457, tzinfo=timezone(timedelta(hours=8)))
    async with database.begin() as session:
        customer = await create_customer(session, person("Ada"), region=REGION, now=far_east)
    async with database.read() as session:
        found = await session.get_one(Customer, customer.id)
        assert found.created_at == far_east
        assert found.created_at.utcoffset() == timedelta(0)
    with pytest.raises(StatementError, match="time zone"):
        async with database.begin() as session:
            await create_customer(session, person("Bob"), region=REGION, now=datetime(2026, 3, 2))  # noqa: DTZ001


async def test_text_that_a_database_refuses_is_stored_with_marks_in_its_place(database: Database) -> None:
    async with database.begin() as session:
        customer = await create_customer(session, person("A\0da \ud83d 😀"), region=REGION, now=NOON)
    async with database.read() as session:
        found = await session.get_one(Customer, customer.id)
        assert found.display_name == "A\ufffdda \ufffd 😀"


async def test_a_block_that_raises_leaves_nothing_behind(database: Database) -> None:
    async def interrupted() -> None:
        async with database.begin() as session:
            await create_customer(session, person("Ada"), region=REGION, now=NOON)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        await interrupted()
    async with database.read() as session:
        assert (await session.scalars(select(Customer))).all() == []


async def test_two_editors_of_one_customer_are_told_apart(database: Database) -> None:
    async with database.begin() as session:
        ada = await create_customer(session, person("Ada"), region=REGION, now=NOON)

    async def overtaken() -> None:
        async with database.begin() as session:
            mine = await session.get_one(Customer, ada.id)
            await session.execute(text("UPDATE customer SET row_version = row_version + 1"))
            mine.level = "gold"

    with pytest.raises(StaleRow):
        await overtaken()


async def test_a_row_that_points_at_nothing_is_refused(database: Database) -> None:
    with pytest.raises(WriteConflict):
        async with database.begin() as session:
            session.add(Note(customer_id=4711, body="x", author_id="u", author_name="U"))


async def test_a_database_that_cannot_be_opened_is_unavailable_and_worth_a_retry() -> None:
    threads = set(threading.enumerate())
    database = Database("sqlite+aiosqlite:////nonexistent/folder/store.db")
    with pytest.raises(CrmUnavailable) as caught:
        async with database.read() as session:
            await session.execute(text("SELECT 1"))
    assert caught.value.retryable
    await database.close()
    for thread in set(threading.enumerate()) - threads:  # the driver's own, which still reports to this loop
        await asyncio.to_thread(thread.join, 10)
