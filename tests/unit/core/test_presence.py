"""Seats: who is missing for as long as the lease is lost, once; nobody is blamed while nothing is told."""

import pytest

from callcenter.presence import NOTICE_MS, SeatPresence, absence_ms

pytestmark = pytest.mark.unit


def test_a_seat_is_lost_when_its_console_is_away_for_the_lease_and_only_once() -> None:
    presence = SeatPresence(10_000)
    assert presence.report({"anna", "ben"}, now=0) == ()
    assert presence.report({"ben"}, now=2_000) == ()
    assert presence.report({"ben"}, now=11_999) == ()
    assert presence.report({"ben"}, now=12_000) == ("anna",)
    assert presence.report({"ben"}, now=99_000) == ()
    assert presence.report({"anna", "ben"}, now=100_000) == ()
    assert presence.report({"ben"}, now=101_000) == ()
    assert presence.report({"ben"}, now=111_000) == ("anna",)


def test_a_console_that_comes_back_in_time_keeps_its_seat() -> None:
    presence = SeatPresence(10_000)
    presence.report({"anna"}, now=0)
    presence.report(set(), now=5_000)
    presence.report({"anna"}, now=14_000)
    assert presence.report(set(), now=16_000) == ()
    assert presence.report(set(), now=25_999) == ()


def test_nobody_is_blamed_while_the_web_process_is_away() -> None:
    presence = SeatPresence(10_000)
    presence.report({"anna"}, now=0)
    presence.report(set(), now=1_000)
    presence.pause()
    assert presence.report(set(), now=60_000) == ()
    assert presence.report(set(), now=70_000) == ("anna",)


def test_who_never_had_a_console_or_signed_out_is_not_missed() -> None:
    presence = SeatPresence(10_000)
    presence.report({"anna"}, now=0)
    presence.forget("anna")
    assert presence.report(set(), now=1_000) == ()
    assert presence.report(set(), now=60_000) == ()


def test_without_a_lease_nobody_is_watched() -> None:
    presence = SeatPresence(None)
    presence.report({"anna"}, now=0)
    assert presence.report(set(), now=10**9) == ()


@pytest.mark.parametrize(("lease_seconds", "missed_ms"), [(0, None), (2, 2_000), (8, 2_000), (10, 4_000), (60, 54_000)])
def test_what_it_takes_to_notice_counts_towards_the_lease(lease_seconds: float, missed_ms: int | None) -> None:
    assert absence_ms(lease_seconds) == missed_ms
    assert missed_ms is None or missed_ms + NOTICE_MS <= max(lease_seconds, 8) * 1000
