"""Rows are handed on in order and once, and little is held back."""

import itertools
import random

import pytest

from callcenter.calls.facts import TimersFired
from callcenter.journal import JournalRow
from callcenter.reporting import ordering
from callcenter.reporting.ordering import InOrder

pytestmark = pytest.mark.unit


def rows(*numbers: int) -> list[JournalRow]:
    return [JournalRow(number, number, "routing.timers_fired", TimersFired(number)) for number in numbers]


def order(ordered: InOrder) -> list[int]:
    return [row.seq for row in ordered]


def test_rows_in_order_are_handed_on_as_they_come() -> None:
    source = iter(rows(1, 2, 3))
    ordered = iter(InOrder(source))
    assert [next(ordered).seq, next(source).seq, next(ordered).seq] == [1, 2, 3]


def test_shuffled_and_repeated_rows_come_out_once_each_in_order() -> None:
    mixed = rows(*range(1, 500), *range(100, 200))
    random.Random(7).shuffle(mixed)
    ordered = InOrder(mixed)
    assert order(ordered) == list(range(1, 500))
    assert (ordered.dropped, ordered.missing) == (100, 0)


def test_a_place_is_given_up_when_too_much_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "MOST_HELD", 3)
    ordered = InOrder(rows(1, 3, 4, 5, 6, 2))
    assert order(ordered) == [1, 3, 4, 5, 6]
    assert (ordered.dropped, ordered.missing) == (1, 1)


def test_gaps_are_counted_but_not_a_beginning_that_was_cut_off() -> None:
    ordered = InOrder(rows(501, 502, 505))
    assert order(ordered) == [501, 502, 505]
    assert (ordered.dropped, ordered.missing) == (0, 2)


def test_a_row_for_a_place_already_handed_on_is_dropped_even_while_others_wait() -> None:
    ordered = InOrder(rows(1, 2, 4, 1, 2, 3))
    assert order(ordered) == [1, 2, 3, 4]
    assert ordered.dropped == 2


def test_every_order_of_few_rows_gives_the_same() -> None:
    for permutation in itertools.permutations(range(1, 7)):
        assert order(InOrder(rows(*permutation))) == [1, 2, 3, 4, 5, 6]
