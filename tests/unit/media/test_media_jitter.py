"""The jitter ring: margin, gaps, lateness, growth and shrinking. Ticks are at whole multiples of 20 ms."""

import random

import pytest

from callcenter.media.jitter import LARGEST_DEPTH, LARGEST_MARGIN, LEAST_MARGIN, JitterBuffer
from callcenter.media.law import SILENCE, Law

pytestmark = pytest.mark.unit

SILENT = bytes([SILENCE[Law.PCMU]]) * 160


def frame(number: int) -> bytes:
    return bytes([number % 100]) * 160


def ring() -> JitterBuffer:
    return JitterBuffer(Law.PCMU)


def full(*numbers: int, start: int = 0) -> JitterBuffer:
    """Frames that came long ago."""
    jitter = ring()
    for number in numbers:
        jitter.push((start + 160 * number) & 0xFFFFFFFF, frame(number), now=0)
    return jitter


def delays(lateness: list[int]) -> list[int | None]:
    """For packets that are so late against a 20 ms beat: milliseconds until each is heard, ``None`` if it is not."""
    jitter, heard = ring(), dict[int, int]()
    arrivals = sorted((20 * number + late, number) for number, late in enumerate(lateness))
    for tick in range(0, 20 * len(lateness) + 400, 20):
        while arrivals and arrivals[0][0] <= tick:
            at, number = arrivals.pop(0)
            jitter.push(160 * number, bytes([number % 100]) * 160, now=at)
        taken = jitter.take(now=tick)
        if taken is not None and taken != SILENT:
            newest = max((n for n in range(len(lateness)) if n % 100 == taken[0] and 20 * n <= tick), default=0)
            heard[newest] = tick - 20 * newest
    return [heard.get(number) for number in range(len(lateness))]


@pytest.mark.parametrize(("phase", "delay"), [(1, 20), (9, 20), (11, 40), (19, 40)])
def test_it_starts_at_the_first_tick_that_leaves_half_a_frame(phase: int, delay: int) -> None:
    """A packet that comes 11 ms before a tick starts with it, one that comes 9 ms before waits for the next."""
    heard = delays([phase] * 50)
    assert set(heard[1:]) == {delay}


def test_order_is_restored_and_a_lost_frame_is_silence() -> None:
    jitter = ring()
    for number in (1, 0, 3):
        jitter.push(1000 + 160 * number, frame(number + 1), now=0)
    assert jitter.take(now=20) == frame(2), "what came before the first packet is not waited for"
    assert jitter.take(now=40) == SILENT
    assert jitter.take(now=60) == frame(4)


def test_a_frame_that_is_too_late_is_dropped_and_counted() -> None:
    jitter = full(0, 1, 2)
    jitter.take(now=20)
    jitter.take(now=40)
    jitter.push(0, frame(9), now=41)
    assert jitter.dropped == 1
    assert jitter.take(now=60) == frame(2)


def test_other_packet_durations_fit() -> None:
    jitter = ring()
    jitter.push(0, frame(1) + frame(2)[:80], now=0)
    jitter.push(240, frame(2)[:80] + frame(3), now=0)
    assert [jitter.take(now=tick) for tick in (20, 40, 60)] == [frame(1), frame(2), frame(3)]


def test_timestamps_wrap_without_a_seam() -> None:
    jitter = full(0, 1, 2, 3, start=0xFFFFFFFF - 200)
    assert [jitter.take(now=tick) for tick in (20, 40, 60, 80)] == [frame(number) for number in range(4)]


@pytest.mark.parametrize("pause", [10, 500])
def test_a_pause_that_was_waited_for_is_not_played_back_as_delay(pause: int) -> None:
    jitter = full(0, 1)
    for tick in (20, 40, 60):
        jitter.take(now=tick)
    for number in range(3):
        jitter.push(160 * (pause + number), frame(number), now=61)
    assert jitter.depth == 3 * 160
    assert jitter.take(now=80) == frame(0)


def test_a_steady_stream_is_heard_within_one_frame_and_a_half() -> None:
    """Whatever its phase, and with two milliseconds of jitter."""
    chance = random.Random(7)
    for phase in range(20):
        heard = delays([phase + chance.randrange(3) for _ in range(500)])
        assert None not in heard[1:]
        assert max(each for each in heard[1:] if each is not None) - phase <= 30


def test_underruns_ask_for_more_margin_and_calm_for_less() -> None:
    """The line stalls for 75 ms again and again: nothing is lost, the delay stays up, and goes down when it is over."""
    late = [max(5, 75 - 20 * (number % 40 - 36)) if number % 40 >= 36 else 5 for number in range(400)] + [5] * 3000
    heard = delays(late)
    assert None not in heard[:450]
    assert heard.count(None) <= 4, "what is left out to get the delay down"
    assert heard[35] == 20
    assert min(each for each in heard[36:400] if each is not None) >= 60
    assert heard[-1] == 20


def test_margins_are_bounded() -> None:
    jitter = ring()
    now = 0
    for number in range(20):
        jitter.push(16_000 * number, frame(1), now=now)
        for _ in range(9):
            now += 20
            jitter.take(now=now)
    assert jitter.wanted == LARGEST_MARGIN
    for number in range(3000):
        now += 20
        jitter.push(16_000 * 20 + 160 * number, frame(1), now=now - 5)
        jitter.take(now=now)
    assert jitter.wanted == LEAST_MARGIN
    assert jitter.depth <= 160


def test_a_stall_leaves_no_lasting_delay() -> None:
    """Twenty frames come at once after a stall: the depth is cut at once, then shrinks to what is wanted."""
    jitter = full(*range(20))
    jitter.take(now=20)
    assert jitter.depth <= LARGEST_DEPTH * 160
    for number in range(20, 620):
        now = 20 * (number - 18)
        jitter.push(160 * number, SILENT, now=now - 5)
        jitter.take(now=now)
    assert jitter.depth <= 160


def test_depth_stays_bounded_whatever_arrives() -> None:
    chance = random.Random(4)
    jitter = ring()
    for number in range(5000):
        timestamp = chance.choice((chance.getrandbits(32), chance.randrange(20000)))
        jitter.push(timestamp, bytes(chance.randrange(1, 500)), now=20 * number)
        taken = jitter.take(now=20 * number + chance.randrange(20))
        assert taken is None or len(taken) == 160
        assert 0 <= jitter.depth <= 4096
