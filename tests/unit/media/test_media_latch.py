"""From where audio is believed."""

import pytest

from callcenter.media.latch import LONG_RUN, QUICK_RUN, SILENCE_BEFORE_CHANGE, WINDOW, SourceLatch
from callcenter.ports import LatchPolicy

pytestmark = pytest.mark.unit

SDP = ("10.0.0.5", 4000)
NAT = ("203.0.113.9", 61000)
REBOUND = ("203.0.113.9", 61999)
STRANGER = ("198.51.100.66", 5555)


def latch(policy: LatchPolicy = LatchPolicy.LEARN) -> SourceLatch:
    return SourceLatch(policy, SDP, NAT[0], now=0)


def run(subject: SourceLatch, source: tuple[str, int], count: int, *, now: int = 10, silent_for: int = 0) -> list[bool]:
    """Consecutive packets of one source."""
    return [
        subject.weigh(source, 1, 65530 + number & 0xFFFF, now=now, silent_for=silent_for) for number in range(count)
    ]


def test_the_described_address_is_believed_at_once() -> None:
    subject = latch()
    assert run(subject, SDP, 1) == [True]
    assert subject.locked == SDP


def test_the_signalling_address_is_believed_after_three_packets_in_a_row() -> None:
    subject = latch()
    assert run(subject, NAT, 3) == [False] * (QUICK_RUN - 1) + [True]
    assert subject.locked == NAT


def test_a_run_with_a_gap_or_another_ssrc_begins_anew() -> None:
    subject = latch()
    verdicts = [
        subject.weigh(NAT, ssrc, sequence, now=1, silent_for=0)
        for ssrc, sequence in ((1, 1), (1, 2), (1, 4), (2, 5), (2, 6))
    ]
    assert verdicts == [False] * 5
    assert subject.weigh(NAT, 2, 7, now=1, silent_for=0)


def test_a_stranger_is_never_believed() -> None:
    subject = latch()
    assert not any(run(subject, STRANGER, 50, silent_for=60_000))
    run(subject, NAT, 3)
    assert not any(run(subject, STRANGER, 50, silent_for=60_000))
    assert subject.locked == NAT


def test_after_the_window_a_longer_run_is_needed() -> None:
    subject = latch()
    assert run(subject, NAT, LONG_RUN, now=WINDOW + 1) == [False] * (LONG_RUN - 1) + [True]


def test_the_described_address_may_replace_a_learned_one_only_by_a_run() -> None:
    subject = latch()
    run(subject, NAT, 3)
    assert run(subject, SDP, LONG_RUN) == [False] * (LONG_RUN - 1) + [True]


def test_another_port_of_the_same_address_takes_over_only_after_silence() -> None:
    subject = latch()
    run(subject, NAT, 3)
    assert not any(run(subject, REBOUND, 50, silent_for=SILENCE_BEFORE_CHANGE - 1))
    assert run(subject, REBOUND, LONG_RUN, silent_for=SILENCE_BEFORE_CHANGE)[-1]
    assert subject.locked == REBOUND


def test_the_strict_policy_believes_only_the_described_address() -> None:
    subject = latch(LatchPolicy.SDP_ADDRESS)
    assert not any(run(subject, NAT, 50))
    assert run(subject, SDP, 1) == [True]
    assert not any(run(subject, (SDP[0], 4002), 50, silent_for=60_000))
