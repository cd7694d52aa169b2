"""How a stream sounds, five seconds at a time."""

import pytest

from callcenter.media.codecs import Codec
from callcenter.media.stretches import STRETCH_MS, Stretch, StretchJudge, Sum

pytestmark = pytest.mark.unit

FIVE_SECONDS = 250
"""Packets."""


def run(*losses: float, far: float = -1.0) -> tuple[StretchJudge, list[Stretch | None]]:
    """A stream that loses such shares of its packets, stretch by stretch."""
    judge, received, lost, told = StretchJudge(now=0), 0, 0, []
    for number, loss in enumerate(losses, start=1):
        lost += round(loss * FIVE_SECONDS)
        received += FIVE_SECONDS - round(loss * FIVE_SECONDS)
        counted = Sum(received, lost, 2.0, -1.0, far)
        assert judge.judge(Codec.PCMU, counted, now=number * STRETCH_MS - 1) is None
        told.append(judge.judge(Codec.PCMU, counted, now=number * STRETCH_MS))
    return judge, told


def test_a_good_stream_tells_nothing() -> None:
    judge, told = run(0, 0.01, 0)
    assert told == [None] * 3
    assert judge.worst_mos == pytest.approx(4.3, abs=0.1)
    assert judge.worst_loss_percent == pytest.approx(0.8, abs=0.1)


def test_becoming_poor_and_fine_again_is_told_once_each() -> None:
    judge, told = run(0, 0.2, 0.2, 0.06, 0)
    assert [stretch is not None for stretch in told] == [False, True, False, False, True]
    assert told[1] is not None
    assert told[1].mos < 3.6
    assert told[1].loss_percent == 20.0
    assert not judge.is_poor
    assert judge.worst_loss_percent == 20.0


def test_between_the_borders_it_stays_what_it_was() -> None:
    """Six percent of loss (3.77) is neither poor nor fine: no flapping."""
    _, told = run(0.06, 0.06)
    assert told == [None, None]
    judge, _ = run(0.2, 0.06)
    assert judge.is_poor


def test_what_the_far_end_misses_counts_as_well() -> None:
    judge, told = run(0, far=0.25)
    assert told[0] is not None
    assert judge.is_poor


def test_a_stretch_with_hardly_a_packet_tells_nothing() -> None:
    judge = StretchJudge(now=0)
    assert judge.judge(Codec.PCMU, Sum(20, 20, 0.0, -1.0, -1.0), now=STRETCH_MS) is None
    assert judge.worst_mos == 0


def test_a_successor_knows_the_worst_of_before() -> None:
    judge = StretchJudge(now=0, worst_mos=2.0, worst_loss_percent=30.0)
    judge.judge(Codec.PCMU, Sum(FIVE_SECONDS, 0, 0.0, -1.0, -1.0), now=STRETCH_MS)
    assert (judge.worst_mos, judge.worst_loss_percent) == (2.0, 30.0)
