"""The jitter ring: depth, gaps, lateness, growth and shrinking."""

import random

import pytest

from callcenter.media.g711 import SILENCE, Law
from callcenter.media.jitter import LARGEST_DEPTH, SMALLEST_DEPTH, JitterBuffer

pytestmark = pytest.mark.unit

SILENT = bytes([SILENCE[Law.PCMU]]) * 160


def frame(number: int) -> bytes:
    return bytes([number % 100]) * 160


def ring() -> JitterBuffer:
    return JitterBuffer(Law.PCMU)


def test_it_starts_when_two_frames_are_there() -> None:
    jitter = ring()
    jitter.push(0, frame(1))
    assert jitter.take() is None
    jitter.push(160, frame(2))
    assert [jitter.take(), jitter.take(), jitter.take()] == [frame(1), frame(2), None]


def test_order_is_restored_and_a_lost_frame_is_silence() -> None:
    jitter = ring()
    for number in (1, 0, 3):
        jitter.push(1000 + 160 * number, frame(number + 1))
    assert jitter.take() == frame(2), "what came before the first packet is not waited for"
    assert jitter.take() == SILENT
    assert jitter.take() == frame(4)


def test_a_frame_that_is_too_late_is_dropped_and_counted() -> None:
    jitter = ring()
    for number in range(3):
        jitter.push(160 * number, frame(number))
    jitter.take()
    jitter.take()
    jitter.push(0, frame(9))
    assert jitter.dropped == 1
    assert jitter.take() == frame(2)


def test_other_packet_durations_fit() -> None:
    jitter = ring()
    jitter.push(0, frame(1) + frame(2)[:80])
    jitter.push(240, frame(2)[:80] + frame(3))
    assert [jitter.take() for _ in range(3)] == [frame(1), frame(2), frame(3)]


def test_timestamps_wrap_without_a_seam() -> None:
    jitter = ring()
    start = 0xFFFFFFFF - 200
    for number in range(4):
        jitter.push((start + 160 * number) & 0xFFFFFFFF, frame(number))
    assert [jitter.take() for _ in range(4)] == [frame(number) for number in range(4)]


@pytest.mark.parametrize("pause", [10, 500])
def test_a_pause_that_was_waited_for_is_not_played_back_as_delay(pause: int) -> None:
    jitter = ring()
    for number in range(2):
        jitter.push(160 * number, frame(number))
    for _ in range(3):
        jitter.take()
    for number in range(3):
        jitter.push(160 * (pause + number), frame(number))
    assert jitter.depth == 3 * 160
    assert jitter.take() == frame(0)


def test_underruns_make_it_deeper_up_to_five_frames_and_calm_makes_it_shallow_again() -> None:
    jitter = ring()
    timestamp = 0
    for _ in range(10):
        for _ in range(LARGEST_DEPTH):
            jitter.push(timestamp, frame(1))
            timestamp += 160
        for _ in range(LARGEST_DEPTH + 1):
            jitter.take()
    assert jitter.wanted == LARGEST_DEPTH
    for _ in range(1500):
        jitter.push(timestamp, frame(1))
        timestamp += 160
        jitter.take()
    assert jitter.wanted == SMALLEST_DEPTH
    assert jitter.depth <= (SMALLEST_DEPTH + 1) * 160


def test_a_stall_leaves_no_lasting_delay() -> None:
    """Twenty frames come at once after a stall: the depth is cut at once, then shrinks to what is wanted."""
    jitter = ring()
    for number in range(20):
        jitter.push(160 * number, frame(number))
    jitter.take()
    assert jitter.depth <= LARGEST_DEPTH * 160
    timestamp = 20 * 160
    for _ in range(600):
        jitter.push(timestamp, SILENT)
        timestamp += 160
        jitter.take()
    assert jitter.depth <= (SMALLEST_DEPTH + 1) * 160


def test_depth_stays_bounded_whatever_arrives() -> None:
    chance = random.Random(4)
    jitter = ring()
    for _ in range(5000):
        jitter.push(chance.choice((chance.getrandbits(32), chance.randrange(20000))), bytes(chance.randrange(1, 500)))
        taken = jitter.take()
        assert taken is None or len(taken) == 160
        assert 0 <= jitter.depth <= 4096
