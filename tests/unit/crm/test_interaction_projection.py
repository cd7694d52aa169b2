"""From the journal into the store: any order, any number of times, the same rows."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.customers import NewContactPoint, add_contact_point, create_customer, get_customer
from crm_bridge.database import Database
from crm_bridge.errors import CustomerNotFound, InteractionNotFound
from crm_bridge.history import InteractionView, find_interaction, page_interactions
from crm_bridge.interactions import backfill, complete_wrap_up, get_cursor, record, record_batch, set_cursor
from crm_bridge.keyset import Cursor
from crm_bridge.models import Interaction, TimelineEvent, WrapUp
from crm_bridge.screen_pop import load_card
from crm_bridge.timeline import Start, TimelineItem, add_note, page
from crm_bridge.vocabulary import MatchState, TimelineKind
from tests.support.crm_records import NOON, NUMBER, REGION, call, minutes, person

pytestmark = pytest.mark.unit

Step = Callable[[AsyncSession], Awaitable[object]]


async def enter(database: Database, name: str, *numbers: str) -> int:
    async with database.begin() as session:
        return (await create_customer(session, person(name, *numbers), region=REGION, now=NOON)).id


async def write(database: Database, *records: object) -> None:
    async with database.begin() as session:
        for each in records:
            await record(session, each, region=REGION)  # type: ignore[arg-type]


async def read(database: Database, contact_id: str = "c1") -> InteractionView:
    async with database.read() as session:
        return await find_interaction(session, contact_id)


async def timeline_of(database: Database, customer_id: int) -> list[TimelineItem]:
    async with database.read() as session:
        return list((await page(session, customer_id, limit=100)).items)


async def rows(database: Database) -> tuple[int, int, int]:
    async with database.read() as session:
        counts = [
            await session.scalar(select(func.count()).select_from(t)) for t in (Interaction, WrapUp, TimelineEvent)
        ]
    return counts[0] or 0, counts[1] or 0, counts[2] or 0


async def test_a_record_is_read_back_as_it_was_written(database: Database) -> None:
    await write(database, call())
    view = await read(database)
    written = call()
    assert (view.contact_id, view.call_id, view.outcome, view.direction) == ("c1", "call-c1", "answered", "inbound")
    assert (view.started_at, view.answered_at, view.ended_at) == (NOON, NOON + minutes(1), NOON + minutes(3))
    assert (view.flow_path, view.waited_ms, view.ring_ms, view.talk_ms) == (("Deutsch", "服务"), 40_000, 5_000, 120_000)
    assert (view.from_value, view.from_name, view.to_value) == (written.from_value, "Ada", written.to_value)
    assert (view.match_state, view.customer_id, view.disposition) == (MatchState.NONE, None, None)
    assert view.diverted_from is None


async def test_the_number_that_forwarded_a_call_is_kept_with_it(database: Database) -> None:
    await write(database, call(diverted_from="+12025550133"))
    assert (await read(database)).diverted_from == "+12025550133"


async def test_an_interaction_bears_the_name_that_the_record_has_now_and_not_the_one_the_caller_gave(
    database: Database,
) -> None:
    ada = await enter(database, "Ada Lovelace", NUMBER)
    await write(database, call(customer_id=ada, match_state="one"), call("c2", from_value="+8613900009999"))
    assert (await read(database)).customer_name == "Ada Lovelace"
    assert (await read(database, "c2")).customer_name is None


async def test_the_same_record_any_number_of_times_is_one_interaction_and_one_entry(database: Database) -> None:
    ada = await enter(database, "Ada", NUMBER)
    await write(database, call(customer_id=ada, match_state="one"))
    await write(database, call(customer_id=ada, match_state="one"), call(customer_id=ada, match_state="one"))
    assert await rows(database) == (1, 0, 2)


async def test_a_newer_entry_replaces_and_an_older_one_changes_nothing(database: Database) -> None:
    newer, older = call(outcome="answered", journal_seq=20), call(outcome="system_restart", journal_seq=10)
    await write(database, older, newer, older)
    assert (await read(database)).outcome == "answered"


async def test_every_order_of_replay_gives_the_same_picture(database: Database) -> None:
    """Customer created, interaction, correction, wrap-up: all 24 orders agree."""
    pictures = set()
    for index, order in enumerate(itertools.permutations(range(4))):
        contact_id, number = f"c{index}", f"+86139{index:08d}"
        base = call(contact_id, from_value=number, outcome="system_restart")
        steps: list[Step] = [
            lambda s, n=number: create_customer(s, person("Ada", n), region=REGION, now=NOON),  # type: ignore[misc]
            lambda s, r=base: record(s, r, region=REGION),  # type: ignore[misc]
            lambda s, r=base: record(s, replace(r, outcome="answered", journal_seq=11), region=REGION),  # type: ignore[misc]
            lambda s, c=contact_id: complete_wrap_up(s, c, "solved", "note", NOON + minutes(5), 12),  # type: ignore[misc]
        ]
        async with database.begin() as session:
            for step in order:
                await steps[step](session)
            view = await find_interaction(session, contact_id)
            assert view.customer_id is not None
            items = (await page(session, view.customer_id, limit=10)).items
            customer = await get_customer(session, view.customer_id)
            await session.refresh(customer)
            pictures.add(
                (
                    (view.outcome, view.match_state, view.disposition, view.wrap_up_ms),
                    tuple(sorted(item.kind for item in items)),
                    customer.last_contact_at,
                )
            )
    entries = (TimelineKind.CUSTOMER_CREATED.value, TimelineKind.INTERACTION.value)
    assert pictures == {(("answered", MatchState.ONE, "solved", 120_000), entries, NOON)}


async def test_a_customer_entered_later_gets_the_earlier_calls_of_the_number(database: Database) -> None:
    await write(database, call("c1"), call("c2", started_at=NOON + minutes(9)), call("c3", from_value="13900009999"))
    ada = await enter(database, "Ada", "139-0000-1234")
    assert [item.interaction.contact_id for item in await timeline_of(database, ada) if item.interaction] == [
        "c2",
        "c1",
    ]
    assert (await read(database)).match_state is MatchState.ONE
    assert (await read(database, "c3")).customer_id is None
    async with database.read() as session:
        assert (await get_customer(session, ada)).last_contact_at == NOON + minutes(9)


async def test_a_number_assigned_later_brings_its_earlier_calls(database: Database) -> None:
    ada = await enter(database, "Ada")
    await write(database, call())
    async with database.begin() as session:
        await add_contact_point(session, ada, NewContactPoint(NUMBER), region=REGION)
    assert (await read(database)).customer_id == ada


async def test_calls_of_a_number_that_two_customers_share_stay_open_to_choice(database: Database) -> None:
    await enter(database, "Ada", NUMBER)
    await enter(database, "Ben", NUMBER)
    await write(database, call())
    view = await read(database)
    assert (view.customer_id, view.match_state) == (None, MatchState.MANY)
    await enter(database, "Clara", NUMBER)
    assert (await read(database)).customer_id is None


async def test_a_second_customer_with_the_number_takes_nothing_from_the_first(database: Database) -> None:
    ada = await enter(database, "Ada", NUMBER)
    await write(database, call())
    await enter(database, "Ben", NUMBER)
    assert (await read(database)).customer_id == ada


async def test_withheld_numbers_are_never_anybodys(database: Database) -> None:
    await write(database, call(from_value="anonymous"))
    await enter(database, "Ada", NUMBER)
    assert (await read(database)).customer_id is None


async def test_a_call_that_shows_our_own_number_is_nobodys(database: Database) -> None:
    await enter(database, "Company", NUMBER)
    async with database.begin() as session:
        await record(session, call(), region=REGION, own_numbers=frozenset({NUMBER}))
    assert (await read(database)).customer_id is None


async def test_an_outbound_call_belongs_to_the_one_who_was_called(database: Database) -> None:
    ada = await enter(database, "Ada", NUMBER)
    await write(database, call(direction="outbound", from_value="+862161234567", to_value=NUMBER))
    assert (await read(database)).customer_id == ada


async def test_a_lookup_that_came_too_late_for_the_call_is_made_up_for(database: Database) -> None:
    ada = await enter(database, "Ada", NUMBER)
    await write(database, call(match_state="unavailable"))
    view = await read(database)
    assert (view.customer_id, view.match_state) == (ada, MatchState.ONE)


async def test_who_the_agent_said_it_was_outweighs_the_number(database: Database) -> None:
    await enter(database, "Ada", NUMBER)
    ben = await enter(database, "Ben", "13900000002")
    await write(database, call(customer_id=ben, match_state="manual"))
    view = await read(database)
    assert (view.customer_id, view.match_state) == (ben, MatchState.MANUAL)


async def test_a_correction_moves_the_entry_to_the_right_customer(database: Database) -> None:
    ada = await enter(database, "Ada", NUMBER)
    ben = await enter(database, "Ben", "13900000002")
    await write(database, call(customer_id=ada), call(customer_id=ben, match_state="manual", journal_seq=11))
    assert [item.kind for item in await timeline_of(database, ada)] == ["customer_created"]
    assert [item.kind for item in await timeline_of(database, ben)].count("interaction") == 1


async def test_a_newer_record_without_a_customer_takes_none_away(database: Database) -> None:
    ben = await enter(database, "Ben", "13900000002")
    await write(database, call(customer_id=ben, match_state="manual"), call(journal_seq=11))
    view = await read(database)
    assert (view.customer_id, view.match_state) == (ben, MatchState.MANUAL)


async def test_a_customer_that_does_not_exist_does_not_stop_the_projection(database: Database) -> None:
    await write(database, call(customer_id=4711, match_state="one"))
    assert (await read(database)).match_state is MatchState.NONE


async def test_hostile_text_does_not_stop_the_projection(database: Database) -> None:
    await write(database, call(from_name="x\0\ud800", from_value="\0" * 9000, flow_path=("a\0b", "\udfff")))
    assert (await read(database)).from_name == "x\ufffd\ufffd"


async def test_backfill_takes_the_newest_and_stops_at_its_limit(database: Database) -> None:
    await write(database, *(call(f"c{n}", started_at=NOON + minutes(n)) for n in range(5)))
    ada = await enter(database, "Ada")
    async with database.begin() as session:
        assert await backfill(session, ada, NUMBER, limit=2) == 2
    assert [item.interaction.contact_id for item in await timeline_of(database, ada) if item.interaction] == [
        "c4",
        "c3",
    ]


async def test_a_newer_wrap_up_replaces_and_an_older_one_changes_nothing(database: Database) -> None:
    async with database.begin() as session:
        for disposition, seq in (("first", 12), ("second", 13), ("first", 12), ("third", 13)):
            await complete_wrap_up(session, "c1", disposition, "", NOON + minutes(2), seq)
        await record(session, call(), region=REGION)
    view = await read(database)
    assert (view.disposition, view.wrap_up_ms) == ("second", 0)
    assert await rows(database) == (1, 1, 0)


async def test_an_unknown_contact_is_not_found(database: Database) -> None:
    with pytest.raises(InteractionNotFound):
        await read(database, "nobody")


async def test_the_cursor_commits_or_falls_with_its_batch_and_never_goes_back(database: Database) -> None:
    async def interrupted(count: int) -> None:
        async with database.begin() as session:
            calls = [call(f"c{number}", journal_seq=number) for number in range(1, count + 1)]
            await record_batch(session, calls, region=REGION)
            await set_cursor(session, "journal", 10)
            raise RuntimeError("stop")

    for count in (1, 60):  # so many are copied, past SQLAlchemy, which begins with its own first statement
        with pytest.raises(RuntimeError, match="stop"):
            await interrupted(count)
    async with database.begin() as session:
        assert await get_cursor(session, "journal") == 0
        await set_cursor(session, "journal", 12)
        await set_cursor(session, "journal", 11)
    async with database.read() as session:
        assert await get_cursor(session, "journal") == 12
        assert await get_cursor(session, "other") == 0
    assert await rows(database) == (0, 0, 0)


async def test_the_timeline_goes_page_by_page_even_through_entries_of_one_instant(database: Database) -> None:
    ada = await enter(database, "Ada", NUMBER)
    await write(database, *(call(f"c{n}") for n in range(5)))
    async with database.begin() as session:
        await add_note(session, ada, "likes tea", author_id="u1", author_name="Lin", now=NOON)
    whole = [item.id for item in await timeline_of(database, ada)]
    assert len(set(whole)) == 7
    seen: list[int] = []
    cursor: Cursor | None = None
    async with database.read() as session:
        while cursor is not None or not seen:
            found = await page(session, ada, start=Start(before=cursor), limit=2)
            seen += [item.id for item in found.items]
            cursor = found.next_cursor
    assert seen == whole


async def test_entries_that_come_while_reading_shift_no_page(database: Database) -> None:
    ada = await enter(database, "Ada", NUMBER)
    await write(database, *(call(f"c{n}", started_at=NOON + minutes(n)) for n in range(1, 5)))
    async with database.read() as session:
        first = await page(session, ada, limit=2)
    await write(database, call("c9", started_at=NOON + minutes(9)))
    async with database.read() as session:
        second = await page(session, ada, start=Start(before=first.next_cursor), limit=2)
    contacts = [item.interaction.contact_id for item in (*first.items, *second.items) if item.interaction]
    assert contacts == ["c4", "c3", "c2", "c1"]


async def test_notes_and_wrap_ups_are_shown_where_they_belong(database: Database) -> None:
    ada = await enter(database, "Ada", NUMBER)
    await write(database, call())
    async with database.begin() as session:
        await complete_wrap_up(session, "c1", "solved", "refund sent", NOON + minutes(4), 12)
        await add_note(session, ada, "likes tea", author_id="u1", author_name="Lin", now=NOON + minutes(6))
    note, interaction, _ = await timeline_of(database, ada)
    assert (note.note, note.actor_name) == ("likes tea", "Lin")
    assert interaction.interaction is not None
    assert (interaction.interaction.disposition, interaction.interaction.notes) == ("solved", "refund sent")
    assert interaction.interaction.wrap_up_ms == 60_000


async def test_nobodys_timeline_is_not_found(database: Database) -> None:
    with pytest.raises(CustomerNotFound):
        await timeline_of(database, 4711)


async def test_all_interactions_are_listed_newest_first(database: Database) -> None:
    await write(database, *(call(f"c{n}", started_at=NOON - minutes(n)) for n in range(5)))
    async with database.read() as session:
        first = await page_interactions(session, before=None, limit=3)
        second = await page_interactions(session, before=first.next_cursor, limit=3)
    assert [view.contact_id for view in (*first.items, *second.items)] == ["c0", "c1", "c2", "c3", "c4"]
    assert second.next_cursor is None


async def test_the_card_shows_the_last_five_interactions_and_counts_the_last_seven_days(database: Database) -> None:
    ada = await enter(database, "Ada", NUMBER, "021-61234567-801")
    now = NOON + timedelta(days=30)
    ages = [timedelta(days=days) for days in (0.1, 1, 6.9, 7.1, 8, 20)]
    await write(database, *(call(f"c{n}", started_at=now - age) for n, age in enumerate(ages)))
    await write(database, call("out", direction="outbound", to_value=NUMBER, started_at=now - timedelta(days=2)))
    async with database.read() as session:
        card = await load_card(session, ada, now)
    assert [line.contact_id for line in card.last_interactions] == ["c0", "c1", "out", "c2", "c3"]
    assert (card.contacts_in_window, card.is_repeat_caller) == (3, True)
    assert [(number.normal_form, number.ext) for number in card.numbers] == [(NUMBER, None), ("+862161234567", "801")]
    assert card.last_contact_at == now - ages[0]


async def test_the_card_of_somebody_new_is_empty_and_no_repeat_caller(database: Database) -> None:
    ada = await enter(database, "Ada", NUMBER)
    async with database.read() as session:
        card = await load_card(session, ada, NOON)
    assert (card.last_interactions, card.is_repeat_caller, card.emails) == ((), False, ())
