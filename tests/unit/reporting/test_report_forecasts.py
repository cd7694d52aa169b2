"""What was expected on arrival is held against what came, for whoever had to wait."""

from collections import Counter

import pytest

from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.outcomes import ContactDequeued, ContactQueued, Decision, DequeueReason, OfferContact
from acd.simulator_journal import FloorSize, large_floor
from callcenter.reporting.forecasts import Forecasts
from callcenter.reporting.metrics import evaluate
from callcenter.reporting.postings import Measure, SubjectKind
from callcenter.reporting.routing_replay import RoutingReplay
from tests.support.simulated_journal import simulated_rows

pytestmark = pytest.mark.unit

Q = QueueId("q")
DECISION = Decision("first_contact", 1, "()", None, None)


def queued(name: str, at: int) -> ContactQueued:
    return ContactQueued(ContactId(name), Q, at, 0, returned=False)


def left(name: str, reason: DequeueReason = DequeueReason.ASSIGNED) -> ContactDequeued:
    return ContactDequeued(ContactId(name), Q, reason, 0)


def backlogged() -> Forecasts:
    """A queue in which one is taken every ten seconds while somebody waits, until 100 s; c10 waits since then."""
    forecasts = Forecasts()
    for number in range(11):
        forecasts.take(queued(f"c{number}", number * 10_000), number * 10_000)
        if number:
            forecasts.take(left(f"c{number - 1}"), number * 10_000)
    return forecasts


def sums(forecasts: Forecasts, *said: tuple[object, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for outcome, at in said:
        for posting in forecasts.take(outcome, at):  # type: ignore[arg-type]
            found[posting.measure] += posting.amount
    return found


X = (queued("x", 100_000), 100_000)
"""Comes with one ahead, ten seconds each."""


def test_a_wait_is_held_against_every_quantile_and_the_mean() -> None:
    found = sums(backlogged(), X, (left("x"), 125_000))
    assert [found[each] for each in (Measure.FORETOLD_50, Measure.KEPT_50, Measure.FORETOLD_90, Measure.KEPT_90)] == [
        1, 0, 1, 1,
    ]  # fmt: skip
    assert found[Measure.FORETOLD_WAITED_MS] == 25_000
    assert found[Measure.FORETOLD_ERROR_MS] == pytest.approx(20_000 - 25_000, abs=2_500)
    values = evaluate(SubjectKind.QUEUE, found)
    assert (values["expected_wait_p50_kept"], values["expected_wait_p90_kept"]) == (0.0, 1.0)


def test_who_gives_up_decides_only_what_was_waited_beyond() -> None:
    gone = DequeueReason.ABANDONED
    early = sums(backlogged(), X, (left("x", gone), 105_000))
    assert (early[Measure.FORETOLD_50], early[Measure.FORETOLD_90], early[Measure.FORETOLD_WAITED_MS]) == (0, 0, 0)
    late = sums(backlogged(), X, (left("x", gone), 300_000))
    assert (late[Measure.FORETOLD_90], late[Measure.KEPT_90]) == (1, 0)
    assert sums(backlogged(), X, (left("x", DequeueReason.MOVED), 300_000)) == {}


def test_nobody_is_judged_for_whom_somebody_was_free() -> None:
    offer = OfferContact(OfferId("o"), ContactId("x"), AgentId("a"), Q, 120_000, DECISION)
    assert sums(backlogged(), X, (offer, 100_000), (left("x"), 104_000)) == {}
    assert sums(backlogged(), X, (offer, 100_001), (left("x"), 104_000))[Measure.FORETOLD_50] == 1


def test_on_a_busy_day_the_quantiles_hold_about_as_often_as_they_say() -> None:
    floor = large_floor(FloorSize(agents=24, queues=3, profiles=3, queues_each=2, load=1.0), seed=3)
    replay, forecasts = RoutingReplay(), Forecasts()
    found: Counter[str] = Counter()
    for row in simulated_rows(floor, seed=3, events=20_000):
        for outcome in replay.take(row):
            for posting in forecasts.take(outcome, row.at):
                found[posting.measure] += posting.amount
    kept = {share: found[f"kept_{share}"] / found[f"foretold_{share}"] for share in (50, 80, 90)}
    assert found[Measure.FORETOLD_90] > 500
    assert kept[50] < kept[80] < kept[90], kept
    assert kept[90] > 0.75, kept
