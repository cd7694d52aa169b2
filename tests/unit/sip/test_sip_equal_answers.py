"""Who exists cannot be told from the work an answer takes: the same steps, in the same order, for everybody."""

import gc
import sys
from types import FrameType
from typing import Any

import numpy as np
import pytest

from callcenter.sip.flows import Transmit
from tests.bench.bench_sip_equal_answers import (
    KINDS,
    KNOWN,
    NOBODY,
    UNKNOWN,
    Stored,
    flow,
    joint_p,
    rank_sum_p,
    shift,
)
from tests.support.sip_wire import EPOCH, Network, exchange_on

pytestmark = pytest.mark.unit

METHODS = ("REGISTER", "INVITE", "SUBSCRIBE", "MESSAGE")


def steps(method: str, kind: str, user: str) -> list[str]:
    """Every function that is called, ours and Python's own, from a request's octets to those of its answer; after 50
    questions, so that what is remembered of earlier ones is there for all. The garbage collector rests meanwhile: its
    callbacks and finalisers come by what was allocated before, in whichever question is being counted."""
    exchange = exchange_on(Network(), anna="a1")
    exchange.door._directory = Stored()
    called: list[str] = []

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            called.append(frame.f_code.co_qualname)
        elif event == "c_call":
            called.append(getattr(argument, "__qualname__", repr(argument)))

    for number in range(50):
        for each in (KNOWN, UNKNOWN, NOBODY):
            source = flow(3 * number + (KNOWN, UNKNOWN, NOBODY).index(each))
            exchange.receive(KINDS[kind](method, exchange, each, source), source, EPOCH)
    source = flow(1_000 + (KNOWN, UNKNOWN, NOBODY).index(user))  # each from where nobody asked before
    data = KINDS[kind](method, exchange, user, source)
    gc.disable()
    sys.setprofile(note)
    try:
        said = exchange.receive(data, source, EPOCH)
    finally:
        sys.setprofile(None)
        gc.enable()
    assert any(isinstance(one, Transmit) for one in said)
    return called


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("method", METHODS)
def test_an_answer_takes_the_same_steps_whether_the_user_exists_or_not(method: str, kind: str) -> None:
    """Digests, look-ups and everything else: one call more or less would show here, whatever the clock says."""
    known, unknown = steps(method, kind, KNOWN), steps(method, kind, UNKNOWN)
    assert len(known) > 100
    assert known == unknown
    if kind == "wrong password":
        assert sum("compute_response" in step for step in known) == 1


def test_the_statistic_sees_a_difference_that_is_there_and_none_that_is_not() -> None:
    source = np.random.default_rng(1)
    one, other = (source.lognormal(12, 0.2, 10_000) for _ in range(2))
    assert rank_sum_p(one, other) > 0.01
    assert rank_sum_p(one + 2_000, other) < 1e-4
    assert 1_000 < shift(one + 2_000, other) < 3_000
    fair = [rank_sum_p(source.normal(size=200), source.normal(size=200)) for _ in range(1_000)]
    assert 0.03 < np.mean(np.array(fair) < 0.05) < 0.07, "of a fair coin, one in twenty"


def test_several_tests_of_one_question_are_joined_as_fisher_says() -> None:
    """Chi squared 11.98 with six degrees of freedom: the upper tail is 0.0624."""
    assert joint_p([0.05, 0.25, 0.2]) == pytest.approx(0.0624, abs=5e-4)
    assert joint_p([0.5]) == pytest.approx(0.5)
    assert joint_p([1.0, 1.0]) == pytest.approx(1.0)
    fair = np.random.default_rng(2).uniform(size=(2_000, 3))
    assert 0.035 < np.mean([joint_p(list(row)) < 0.05 for row in fair]) < 0.065
