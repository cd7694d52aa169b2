"""Waiting times as quantiles: right on average, right in their spread, and better than looking at the first in line."""

import heapq
import math
import random
from collections import deque

import msgspec
import pytest

from acd.events import ContactFinished, OfferAccepted
from acd.ids import ContactId, QueueId
from acd.outcomes import ContactDequeued, ContactQueued, CustomerCame, DequeueReason
from acd.wait_estimates import Basis, Calibration, WaitEstimate, WaitEstimates
from tests.support.acd_floor import Floor, agent, queue

pytestmark = pytest.mark.unit

Q = QueueId("q")
MINUTE = 60_000


def queued(number: int, at: int) -> ContactQueued:
    return ContactQueued(ContactId(f"c{number}"), Q, at, 0, returned=False)


def dequeued(number: int, waited_ms: int, reason: DequeueReason = DequeueReason.ASSIGNED) -> ContactDequeued:
    return ContactDequeued(ContactId(f"c{number}"), Q, reason, waited_ms)


def backlogged() -> WaitEstimates:
    """A queue in which one contact is taken every ten seconds while one waits all the time, until 100 s."""
    estimates = WaitEstimates()
    estimates.apply(queued(0, 0), now=0)
    for number in range(1, 11):
        at = number * 10_000
        estimates.apply(queued(number, at), now=at)
        estimates.apply(dequeued(number - 1, 10_000), now=at)
    return estimates


def test_rate_is_what_was_taken_while_somebody_waited() -> None:
    estimates = backlogged()
    assert estimates.rate(Q, now=100_000) == pytest.approx(1 / 10_000)
    estimate = estimates.estimate(Q, now=100_000, ahead=2)
    assert estimate is not None
    assert estimate.basis is Basis.QUEUE_LENGTH
    assert estimate.mean_ms == pytest.approx(30_000)
    assert estimate.deviation_ms == pytest.approx(10_000 * math.sqrt(3))


def test_nobody_waiting_is_no_backlog() -> None:
    estimates = backlogged()
    estimates.apply(dequeued(10, 0), now=100_000)
    assert estimates.rate(Q, now=10 * MINUTE) == pytest.approx(10 / 100_000)


def test_those_who_give_up_shorten_the_wait() -> None:
    estimates = backlogged()
    estimates.apply(dequeued(10, 0, DequeueReason.ABANDONED), now=100_000)
    giving_up = estimates.giving_up(Q, now=100_000)
    assert giving_up == pytest.approx(1 / 100_000)
    estimate = estimates.estimate(Q, now=100_000, ahead=1)
    assert estimate is not None
    assert estimate.mean_ms == pytest.approx(10_000 + 1 / (1 / 10_000 + 1 / 100_000))


def test_first_in_line_says_something_when_no_rate_is_known() -> None:
    estimates = WaitEstimates()
    assert estimates.estimate(Q, now=0) is None
    estimates.apply(queued(1, 0), now=0)
    estimate = estimates.estimate(Q, now=40_000)
    assert estimate == WaitEstimate(Basis.HEAD_OF_LINE, 1, 40_000.0, 0.0)
    assert estimate is not None
    assert estimate.quantile_ms(0.8) == 40_000.0


def test_what_is_older_than_half_an_hour_is_forgotten() -> None:
    assert backlogged().rate(Q, now=31 * MINUTE + 100_000) is None


def test_contact_that_comes_back_from_an_agent_is_no_arrival() -> None:
    estimates = WaitEstimates()
    estimates.apply(queued(1, 0), now=0)
    estimates.apply(ContactQueued(ContactId("c1"), Q, 0, 0, returned=True), now=5)
    estimate = estimates.estimate(Q, now=10)
    assert estimate is not None
    assert estimate.ahead == 1


def test_ringing_is_no_backlog_but_part_of_the_wait() -> None:
    """The engine itself: agents who are free take five seconds to answer."""
    floor = Floor(agent("a"), queues=[queue("q", wrap_up_ms=0)])
    estimates = WaitEstimates()
    floor.ready("a")
    for number in range(6):
        said = [(floor.arrive(f"c{number}"), floor.now)]
        floor.now += 4_999
        said.append((floor.tell(OfferAccepted(floor.offer(f"c{number}").offer_id)), floor.now))
        said.append((floor.tell(ContactFinished(ContactId(f"c{number}"))), floor.now))
        for outcomes, at in said:
            for outcome in outcomes:
                estimates.apply(outcome, now=at)
    assert estimates.rate(Q, now=floor.now) is None
    for number in range(6, 13):
        for outcome in floor.arrive(f"c{number}"):
            estimates.apply(outcome, now=floor.now)
    for number in range(6, 12):
        floor.now += 4_999
        for event in (OfferAccepted(floor.offer(f"c{number}").offer_id), ContactFinished(ContactId(f"c{number}"))):
            for outcome in floor.tell(event):
                estimates.apply(outcome, now=floor.now)
    assert estimates.rate(Q, now=floor.now) == pytest.approx(1 / 5_000, rel=0.01)
    estimate = estimates.estimate(Q, now=floor.now)
    assert estimate is not None
    assert estimate.answer_ms == pytest.approx(5_000, rel=0.01)
    assert estimate.quantile_ms(0.0) == pytest.approx(5_000, rel=0.01)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8, 0.99])
def test_quantile_of_one_step_is_exponential(share: float) -> None:
    estimate = WaitEstimate(Basis.QUEUE_LENGTH, 0, 1_000.0, 1_000.0)
    assert estimate.quantile_ms(share) == pytest.approx(-1_000 * math.log(1 - share), rel=1e-6)


def test_quantiles_of_equal_steps_are_those_of_erlang() -> None:
    """The median of four exponential steps is 3.672 of them (chi-square with 8 degrees, halved)."""
    estimate = WaitEstimate(Basis.QUEUE_LENGTH, 3, 4_000.0, 2_000.0)
    assert estimate.quantile_ms(0.5) == pytest.approx(3_672.06, rel=1e-4)
    assert estimate.quantile_ms(0.0) == pytest.approx(0, abs=1)


def test_calibration_counts_those_who_gave_up_only_where_that_decides() -> None:
    calibration = Calibration(shares=(0.5,))
    for number in range(3):
        calibration.promise(ContactId(f"c{number}"), WaitEstimate(Basis.QUEUE_LENGTH, 0, 1_000.0, 1_000.0))
    calibration.apply(dequeued(0, 500))
    calibration.apply(dequeued(1, 5_000, DequeueReason.ABANDONED))
    calibration.apply(dequeued(2, 100, DequeueReason.ABANDONED))
    assert calibration.coverage(0.5) == 0.5
    assert calibration.bias() == 1.0
    assert calibration.relative_rmse() == 1.0
    assert Calibration().coverage(0.5) is None
    assert Calibration().bias() is None


def test_places_that_nobody_waits_at_say_nothing_of_patience() -> None:
    estimates = WaitEstimates()
    for number in range(9):
        estimates.apply(msgspec.structs.replace(queued(number, 0), is_away=True), now=0)
    estimates.apply(queued(99, 0), now=0)
    estimates.apply(dequeued(99, 60_000, DequeueReason.ABANDONED), now=60_000)
    assert estimates.giving_up(Q, now=60_000) == pytest.approx(1 / 60_000), "one of one, not one of ten"
    estimates.apply(CustomerCame(ContactId("c0"), Q, connected=False), now=60_000)
    assert estimates.giving_up(Q, now=120_000) == pytest.approx(1 / 120_000), "who came may give up, too"


def test_estimates_are_calibrated_and_better_than_the_first_in_line() -> None:
    """M/M/22+M of 360 an hour, 240 s, patience 120 s (case A03 of the reference); judged by the very patient few."""
    calibration, first_in_line = _simulate(servers=22, gap_s=10, talk_s=240, patience_s=120, contacts=40_000, seed=3)
    assert calibration.scored > 1_000
    for share in (0.5, 0.8, 0.9):
        assert calibration.coverage(share) == pytest.approx(share, abs=0.04)
    bias, rmse, other = calibration.bias(), calibration.relative_rmse(), first_in_line.relative_rmse()
    assert bias is not None
    assert rmse is not None
    assert other is not None
    assert abs(bias) <= 0.05
    assert rmse <= 0.9 * other


def _simulate(
    servers: int, gap_s: float, talk_s: float, patience_s: float, contacts: int, seed: int
) -> tuple[Calibration, Calibration]:
    dice = random.Random(seed)
    estimates, calibration, first_in_line = WaitEstimates(), Calibration(), Calibration()
    line: deque[tuple[int, int]] = deque()
    gone: set[int] = set()
    agenda: list[tuple[int, int, str]] = [(0, 0, "arrives")]
    busy = 0
    while agenda:
        now, number, what = heapq.heappop(agenda)
        if what == "arrives" and number < contacts:
            heapq.heappush(agenda, (now + int(dice.expovariate(1 / gap_s) * 1_000), number + 1, "arrives"))
            if busy < servers:
                busy += 1
                heapq.heappush(agenda, (now + int(dice.expovariate(1 / talk_s) * 1_000), number, "ends"))
                continue
            patient = dice.random() < 0.05
            if patient and number > 2_000:
                estimate = estimates.estimate(Q, now=now)
                if estimate is not None:
                    calibration.promise(ContactId(f"c{number}"), estimate)
                if line:
                    head = WaitEstimate(Basis.HEAD_OF_LINE, 0, float(now - line[0][1]), 0.0)
                    first_in_line.promise(ContactId(f"c{number}"), head)
            estimates.apply(queued(number, now), now=now)
            line.append((number, now))
            if not patient:
                heapq.heappush(agenda, (now + int(dice.expovariate(1 / patience_s) * 1_000), number, "gives up"))
        elif what == "gives up" and number not in gone:
            gone.add(number)
            at = next(at for waiting, at in line if waiting == number)
            line.remove((number, at))
            estimates.apply(dequeued(number, now - at, DequeueReason.ABANDONED), now=now)
        elif what == "ends":
            busy -= 1
            if line:
                taken, at = line.popleft()
                gone.add(taken)
                busy += 1
                heapq.heappush(agenda, (now + int(dice.expovariate(1 / talk_s) * 1_000), taken, "ends"))
                for fold in (calibration, first_in_line):
                    fold.apply(dequeued(taken, now - at))
                estimates.apply(dequeued(taken, now - at), now=now)
    return calibration, first_in_line
