"""Entering customers, and finding them by number and by text."""

import re
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_bridge.customers import (
    NewContactPoint,
    NewCustomer,
    add_contact_point,
    contact_points_of,
    create_customer,
    get_customer,
    lookup_by_number,
)
from crm_bridge.database import Database
from crm_bridge.errors import ContactPointExists, CustomerNotFound, InvalidContactPoint
from crm_bridge.generate import demo_customers
from crm_bridge.interactions import record
from crm_bridge.keyset import Cursor
from crm_bridge.matching import MAX_CANDIDATES, Match
from crm_bridge.search import normalise_name, search
from crm_bridge.search_texts import asked, distinctive_groups, text_of
from crm_bridge.vocabulary import ContactKind, CustomerStatus, MatchState
from tests.support.crm_records import NOON, NUMBER, REGION, call, person

pytestmark = pytest.mark.unit

LANDLINE = "021 6123 4567 转 801"


async def enter(database: Database, *new: NewCustomer) -> list[int]:
    """Enter customers; their ids in order."""
    async with database.begin() as session:
        return [(await create_customer(session, each, region=REGION, now=NOON)).id for each in new]


async def match(database: Database, raw: str, **options: frozenset[str]) -> Match:
    async with database.read() as session:
        return await lookup_by_number(session, raw, region=REGION, **options)


async def found(database: Database, text: str) -> list[str]:
    async with database.read() as session:
        page = await search(session, text, before=None, limit=50)
        return sorted(customer.display_name for customer in page.items)


async def test_an_unknown_number_matches_nobody(database: Database) -> None:
    await enter(database, person("Ada", NUMBER))
    assert await match(database, "13900009999") == Match(MatchState.NONE, "+8613900009999")


@pytest.mark.parametrize("raw", ["139 0000 1234", "sip:+8613900001234@192.0.2.1", "008613900001234"])
async def test_a_number_in_any_form_finds_its_one_customer(database: Database, raw: str) -> None:
    [ada] = await enter(database, person("Ada", "139-0000-1234", LANDLINE))
    matched = await match(database, raw)
    assert (matched.state, matched.only_customer_id) == (MatchState.ONE, ada)
    assert (await match(database, "021-61234567")).only_customer_id == ada


async def test_a_shared_number_gives_all_its_customers_the_last_contact_first_and_none_alone(
    database: Database,
) -> None:
    ada, ben, clara = await enter(
        database, person("Ada", NUMBER), person("Ben", "13900000001", NUMBER), person("Clara", NUMBER)
    )
    async with database.begin() as session:
        await record(session, call("c1", customer_id=ben), region=REGION)
        await record(session, call("c2", customer_id=clara, started_at=NOON + timedelta(days=1)), region=REGION)
    matched = await match(database, NUMBER)
    assert matched.state is MatchState.MANY
    assert [candidate.customer_id for candidate in matched.candidates] == [clara, ben, ada]
    assert matched.only_customer_id is None


async def test_among_strangers_the_one_whose_primary_number_it_is_comes_first(database: Database) -> None:
    ben, ada = await enter(database, person("Ben", "13900000001", NUMBER), person("Ada", NUMBER))
    matched = await match(database, NUMBER)
    assert [candidate.customer_id for candidate in matched.candidates] == [ada, ben]


async def test_a_switchboard_shared_by_hundreds_is_answered_within_bounds(database: Database) -> None:
    await enter(database, *(person(f"Clerk {index}", NUMBER) for index in range(MAX_CANDIDATES + 5)))
    matched = await match(database, NUMBER)
    assert (len(matched.candidates), matched.more) == (MAX_CANDIDATES, True)


@pytest.mark.parametrize("raw", ["anonymous", "", "sip:anonymous@anonymous.invalid", "order 13900001234"])
async def test_what_is_no_number_matches_nobody(database: Database, raw: str) -> None:
    await enter(database, person("Ada", NUMBER))
    assert await match(database, raw) == Match(MatchState.NONE, None)


async def test_our_own_number_matches_nobody_even_when_somebody_was_entered_with_it(database: Database) -> None:
    await enter(database, person("Company", NUMBER))
    assert await match(database, NUMBER, own_numbers=frozenset({NUMBER})) == Match(MatchState.NONE, None)


async def test_a_short_code_matches_exactly_and_is_never_taken_for_a_full_number(database: Database) -> None:
    [bank] = await enter(database, person("Bank", "95588"))
    assert (await match(database, "95588")).only_customer_id == bank
    assert (await match(database, "+8695588")).state is MatchState.NONE
    assert (await match(database, "9558")).state is MatchState.NONE


async def test_merged_and_erased_customers_are_neither_matched_nor_found(database: Database) -> None:
    ada, ben = await enter(database, person("Ada", NUMBER), person("Ben", NUMBER))
    async with database.begin() as session:
        (await get_customer(session, ada)).status = CustomerStatus.ERASED
        (await get_customer(session, ben)).status = CustomerStatus.MERGED
    assert (await match(database, NUMBER)).state is MatchState.NONE
    assert await found(database, "ada") == []
    async with database.read() as session:
        with pytest.raises(CustomerNotFound):
            await get_customer(session, ada)


async def test_the_same_number_twice_counts_once_and_the_first_point_becomes_primary(database: Database) -> None:
    [ada] = await enter(database, person("Ada", "139 0000 1234", "+8613900001234", "13900000002"))
    async with database.read() as session:
        points = await contact_points_of(session, ada)
    assert [(point.value_raw, point.is_primary) for point in points] == [
        ("139 0000 1234", True),
        ("13900000002", False),
    ]


async def test_only_one_of_several_points_marked_primary_is(database: Database) -> None:
    new = NewCustomer(
        "Ada",
        contact_points=(
            NewContactPoint("13900000001"),
            NewContactPoint("13900000002", is_primary=True),
            NewContactPoint("13900000003", is_primary=True),
            NewContactPoint("Ada@Example.com", ContactKind.EMAIL),
        ),
    )
    [ada] = await enter(database, new)
    async with database.read() as session:
        points = await contact_points_of(session, ada)
    assert {point.value_norm for point in points if point.is_primary} == {"+8613900000002", "ada@example.com"}


async def test_a_new_primary_number_takes_the_mark_and_is_found_at_once(database: Database) -> None:
    [ada] = await enter(database, person("Ada", NUMBER))
    async with database.begin() as session:
        await add_contact_point(session, ada, NewContactPoint("13900000002", is_primary=True), region=REGION)
    async with database.read() as session:
        points = await contact_points_of(session, ada)
    assert [(point.value_norm, point.is_primary) for point in points] == [("+8613900000002", True), (NUMBER, False)]
    assert (await match(database, "13900000002")).only_customer_id == ada
    assert await found(database, "0002") == ["Ada"]


async def test_a_number_the_customer_has_already_is_refused(database: Database) -> None:
    [ada] = await enter(database, person("Ada", NUMBER))
    with pytest.raises(ContactPointExists):
        async with database.begin() as session:
            await add_contact_point(session, ada, NewContactPoint("139-0000-1234"), region=REGION)


@pytest.mark.parametrize(
    "point",
    [
        NewContactPoint("call reception"),
        NewContactPoint(""),
        NewContactPoint("ada", ContactKind.EMAIL),
        NewContactPoint("a b@example.com", ContactKind.EMAIL),
        NewContactPoint("@example.com", ContactKind.EMAIL),
        NewContactPoint("a\0@example.com", ContactKind.EMAIL),
    ],
)
async def test_what_cannot_be_reached_is_refused_with_its_place(database: Database, point: NewContactPoint) -> None:
    with pytest.raises(InvalidContactPoint) as caught:
        await enter(database, NewCustomer("Ada", contact_points=(NewContactPoint(NUMBER), point)))
    assert caught.value.where == "body.contact_points.1.value"


async def test_people_are_found_by_words_of_their_name_and_ends_of_their_number(database: Database) -> None:
    await enter(
        database,
        person("Ada Lovelace", NUMBER),
        person("Adam Löwe", "+1 202 555 0101"),
        person("王小明", "13900005678"),
        NewCustomer("100% Fun_Co", contact_points=(NewContactPoint("Info@fun.example", ContactKind.EMAIL),)),
    )
    expected = {
        "ada": ["Ada Lovelace", "Adam Löwe"],
        "LOVE": ["Ada Lovelace"],
        "lov ad": ["Ada Lovelace"],
        "ＡＤＡＭ": ["Adam Löwe"],
        "löw": ["Adam Löwe"],
        "小明": ["王小明"],
        "明": ["王小明"],
        "王": ["王小明"],
        "1234": ["Ada Lovelace"],
        "139 0000": ["Ada Lovelace", "王小明"],
        "0139-0000-56": ["王小明"],
        "+1 (202)": ["Adam Löwe"],
        "86139": ["Ada Lovelace", "王小明"],
        "info@": ["100% Fun_Co"],
        "ovela": ["Ada Lovelace"],
        "0000 12": ["Ada Lovelace"],
        "wxm": ["王小明"],
        "xm": ["王小明"],
        "wang xiaoming": ["王小明"],
        "xiaom": ["王小明"],
        "%": [],
        "~": [],
        "_": [],
        "zzz": [],
        "100": ["100% Fun_Co"],
        "": ["100% Fun_Co", "Ada Lovelace", "Adam Löwe", "王小明"],
    }
    assert {text: await found(database, text) for text in expected} == expected


async def test_lists_go_page_by_page_newest_first_without_gap_or_repetition(database: Database) -> None:
    ids = await enter(database, *(person(f"Ada {index}") for index in range(7)))
    seen: list[int] = []
    cursor: Cursor | None = None
    async with database.read() as session:
        for _ in range(4):
            page = await search(session, "ada", before=cursor, limit=2)
            seen += [customer.id for customer in page.items]
            cursor = page.next_cursor
    assert seen == sorted(ids, reverse=True)
    assert cursor is None


def test_names_are_compared_without_case_width_and_extra_spaces() -> None:
    assert normalise_name("  ＡＤＡ\tStraße ") == "ada strasse"


def test_a_very_long_name_has_a_bounded_search_text() -> None:
    assert len(text_of("王" * 5000, ()).split()) <= 60
    assert len(text_of(" ".join(f"w{index}" for index in range(5000)), ()).split()) == 60


@settings(deadline=None)
@given(st.text(alphabet="ab王小明 0123@.%_'\"\\", max_size=12), st.text(alphabet="ab王小明 0123@.%_'\"\\", max_size=6))
def test_groups_of_three_are_in_whatever_is_asked_and_cover_it_or_all_have_digits(name: str, typed: str) -> None:
    needles, of_name = asked(typed)
    for needle in needles:
        groups = distinctive_groups(needle)
        assert {len(group) for group in groups} == {3}
        assert all(group in needle for group in groups)
        assert 3 * len(groups) >= len(needle) or all(re.search(r"\d", group) for group in groups)
    assert all(part.isdecimal() for part in of_name)
    for word in text_of(normalise_name(name), ()).split():
        assert all(needle in text_of(normalise_name(name), ()) for needle in asked(word)[0])


@given(st.text(alphabet="王小明李abc", min_size=1, max_size=8), st.data())
def test_any_part_of_a_name_is_asked_for_as_it_is_written(name: str, data: st.DataObject) -> None:
    """Any part of a Chinese name, any three letters of another."""
    start = data.draw(st.integers(0, len(name) - 1))
    part = name[start : data.draw(st.integers(start + 1, len(name)))]
    if len(part) < 3 and not all(each in "王小明李" for each in part):
        part = name
    written = text_of(normalise_name(name), ())
    assert all(needle in written for needle in asked(part)[0]), (part, written)


def test_demonstration_customers_are_the_same_for_a_seed_fictional_and_share_numbers() -> None:
    customers = demo_customers(200, seed=7)
    assert customers == demo_customers(200, seed=7)
    assert customers != demo_customers(200, seed=8)
    numbers = [p.value for each in customers for p in each.contact_points if p.kind is ContactKind.PHONE]
    assert all("-555-01" in number or number.startswith("+86 139 0000 ") for number in numbers)
    assert len(set(numbers)) < len(numbers)
    assert {each.preferred_language for each in customers} == {"en", "zh"}


async def test_demonstration_customers_can_all_be_entered_and_some_share_a_number(database: Database) -> None:
    customers = demo_customers(40, seed=1)
    await enter(database, *customers)
    states = [(await match(database, each.contact_points[0].value)).state for each in customers]
    assert set(states) == {MatchState.ONE, MatchState.MANY}
