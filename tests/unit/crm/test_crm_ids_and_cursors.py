"""Ids and paging cursors."""

import base64
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_bridge.errors import BadCursor
from crm_bridge.ids import EPOCH_MS, MAX_ID, IdMaker, parse_id
from crm_bridge.keyset import Cursor, decode_cursor

pytestmark = pytest.mark.unit


def test_ids_of_later_milliseconds_sort_later_whatever_the_random_part() -> None:
    clock = iter([EPOCH_MS + 1, EPOCH_MS + 2])
    randoms = iter([2**21 - 1, 0])
    make = IdMaker(lambda: next(clock), lambda bits: next(randoms))
    assert make() < make()


def test_ids_of_one_millisecond_count_up_and_a_clock_going_back_repeats_nothing() -> None:
    clock = iter([EPOCH_MS + 50, EPOCH_MS + 50, EPOCH_MS + 3, EPOCH_MS - 99])
    make = IdMaker(lambda: next(clock), lambda bits: 7)
    made = [make() for _ in range(4)]
    assert made == [made[0], made[0] + 1, made[0] + 2, made[0] + 3]


def test_many_ids_go_on_from_the_last_one_and_the_next_one_goes_on_from_them() -> None:
    make = IdMaker(lambda: EPOCH_MS + 50, lambda bits: 7)
    first = make()
    assert list(make.many(3)) == [first + 1, first + 2, first + 3]
    assert list(make.many(0)) == []
    assert make() > first + 3


def test_ids_fit_a_signed_column_until_the_last_millisecond_of_the_layout() -> None:
    make = IdMaker(lambda: EPOCH_MS + 2**41 - 1, lambda bits: 2**bits - 1)
    assert 0 < make() <= MAX_ID


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "abc", "９", "9223372036854775808", "1" * 5000, " 1", "1_0"])
def test_text_that_no_row_can_have_as_id_is_none(text: str) -> None:
    assert parse_id(text) is None


def test_the_greatest_id_is_one() -> None:
    assert parse_id(str(MAX_ID)) == MAX_ID


@given(st.datetimes(timezones=st.just(UTC)), st.integers(1, MAX_ID))
def test_a_cursor_survives_its_text_to_the_microsecond(at: datetime, row_id: int) -> None:
    assert decode_cursor(Cursor(at, row_id).encode()) == Cursor(at, row_id)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "!!!!",
        "ünï",
        base64.urlsafe_b64encode(b"2:1:1").decode(),
        base64.urlsafe_b64encode(b"1:1:0").decode(),
        base64.urlsafe_b64encode(b"1:1:9223372036854775808").decode(),
        base64.urlsafe_b64encode(b"1:999999999999999999:1").decode(),
        base64.urlsafe_b64encode(b"1:1:1\n").decode(),
        base64.urlsafe_b64encode("1:١:1".encode()).decode(),
        "A" * 5000,
    ],
)
def test_a_cursor_made_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        decode_cursor(text)


@given(st.text(max_size=120))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with suppress(BadCursor):
        assert decode_cursor(text).id > 0
