"""Where the packets of one channel come to lie in a recording."""

import random

import pytest

from callcenter.media.g711 import TRANSCODE
from callcenter.media.law import SILENCE, Law
from callcenter.media.track import Track

pytestmark = pytest.mark.unit

FRAME = 160
QUIET = SILENCE[Law.PCMU]


class Sender:
    """Sends numbered frames: frame n consists of the byte n + 1 and is said from ``start + 160 n`` on."""

    def __init__(self, track: Track, *, start: int = 0, ssrc: int = 7, timestamp: int = 1000) -> None:
        self.track, self.start, self.ssrc, self.timestamp = track, start, ssrc, timestamp

    def send(self, number: int, *, delay: int = 0, payload: bool = True, law: Law = Law.PCMU) -> None:
        arrival = self.start + (number + 1) * FRAME + delay
        content = bytes([number % 250 + 1]) * FRAME
        timestamp = (self.timestamp + number * FRAME) & 0xFFFFFFFF
        self.track.add(self.ssrc, timestamp, arrival, FRAME, content if payload else None, law)


def onset(samples: bytearray | None, number: int) -> int:
    """Where frame ``number`` begins."""
    assert samples is not None
    return samples.index(number % 250 + 1)


def test_a_steady_stream_lies_where_it_was_said() -> None:
    track = Track(Law.PCMU)
    sender = Sender(track, start=480)
    for number in range(20):
        sender.send(number)
    samples = track.cut(0, 4000)
    assert samples is not None
    assert samples[:480] == bytes([QUIET]) * 480
    assert samples[480 : 480 + 20 * FRAME] == b"".join(bytes([n + 1]) * FRAME for n in range(20))
    assert samples[480 + 20 * FRAME :] == bytes([QUIET]) * (4000 - 480 - 20 * FRAME)


def test_cuts_join_without_a_seam_wherever_they_fall() -> None:
    track = Track(Law.PCMU)
    sender = Sender(track)
    joined = bytearray()
    for number in range(100):
        sender.send(number)
        if number % 7 == 6:
            end = (number + 1) * FRAME - 100
            joined += track.cut(len(joined), end) or b""
    joined += track.cut(len(joined), 100 * FRAME) or b""
    assert joined == b"".join(bytes([n + 1]) * FRAME for n in range(100))


def test_nothing_at_all_is_told_as_such() -> None:
    assert Track(Law.PCMU).cut(0, 8000) is None


def test_a_burst_after_a_stall_comes_out_evenly() -> None:
    """A worker that was away for 240 ms reads twelve packets at once; also as the very first packets."""
    for first in (0, 20):
        track = Track(Law.PCMU)
        sender = Sender(track)
        for number in range(first):
            sender.send(number)
        for number in range(first, first + 12):
            sender.send(number, delay=(first + 11 - number) * FRAME)
        samples = track.cut(0, 8000)
        assert [onset(samples, number) for number in range(first + 12)] == [n * FRAME for n in range(first + 12)]


def test_jitter_neither_moves_nor_tears_the_stream() -> None:
    chance = random.Random(4)
    track = Track(Law.PCMU)
    sender = Sender(track)
    joined = bytearray()
    for number in range(250):
        sender.send(number, delay=chance.randrange(400) if number else 400)
        if number % 40 == 39:
            joined += track.cut(len(joined), (number - 4) * FRAME) or b""
    for number in range(60, 200):
        assert abs(onset(joined, number) - number * FRAME) <= FRAME
    assert joined.count(QUIET) <= 3 * FRAME


def test_lost_packets_are_silence_of_their_length_and_late_ones_find_their_place() -> None:
    track = Track(Law.PCMU)
    sender = Sender(track)
    for number in (0, 1, 4, 3, 6, 7):
        sender.send(number)
    samples = track.cut(0, 8 * FRAME)
    assert samples is not None
    assert onset(samples, 3) == 3 * FRAME
    assert onset(samples, 4) == 4 * FRAME
    for lost in (2, 5):
        assert samples[lost * FRAME : (lost + 1) * FRAME] == bytes([QUIET]) * FRAME


def test_timestamps_may_wrap() -> None:
    track = Track(Law.PCMU)
    sender = Sender(track, timestamp=0xFFFFFFFF - 300)
    for number in range(10):
        sender.send(number)
    samples = track.cut(0, 10 * FRAME)
    assert [onset(samples, number) for number in range(10)] == [n * FRAME for n in range(10)]


def test_a_new_stream_is_placed_by_its_own_arrival() -> None:
    """The far end changes SSRC and timestamps in the middle, or timestamps alone."""
    for ssrc in (7, 8):
        track = Track(Law.PCMU)
        for number in range(10):
            Sender(track).send(number)
        for number in range(10, 20):
            Sender(track, ssrc=ssrc, timestamp=3_000_000_000).send(number)
        samples = track.cut(0, 20 * FRAME)
        assert [onset(samples, number) for number in range(20)] == [n * FRAME for n in range(20)]


def test_a_pause_in_which_timestamps_stand_still_is_kept() -> None:
    """Some phones stop their clock while muted; what they say afterwards still lies where it was said."""
    track = Track(Law.PCMU)
    sender = Sender(track)
    for number in range(10):
        sender.send(number)
    sender.start = 2000
    for number in range(10, 30):
        sender.send(number)
    samples = track.cut(0, 8000)
    assert onset(samples, 9) == 9 * FRAME
    assert onset(samples, 10) == 2000 + 10 * FRAME


def test_silence_suppression_keeps_its_length() -> None:
    track = Track(Law.PCMU)
    sender = Sender(track)
    sender.send(0)
    sender.send(200)
    joined = (track.cut(0, 100 * FRAME) or bytearray()) + (track.cut(100 * FRAME, 202 * FRAME) or bytearray())
    assert onset(joined, 200) == 200 * FRAME


def test_a_slow_clock_is_followed() -> None:
    """A phone whose clock is 0.1 % slow: after a minute its speech is not 60 ms early."""
    track = Track(Law.PCMU)
    sender = Sender(track)
    cut = 0
    for number in range(3000):
        sender.send(number, delay=number * FRAME // 1000)
        if number % 40 == 39:
            track.cut(cut, (number - 10) * FRAME)
            cut = (number - 10) * FRAME
    said_at = 3005 * FRAME + 3005 * FRAME // 1000
    for number in range(3000, 3020):
        sender.send(number, delay=number * FRAME // 1000)
    samples = track.cut(cut, 3020 * FRAME)
    assert abs(cut + onset(samples, 3005) - said_at) <= 161


def test_another_law_is_converted() -> None:
    track = Track(Law.PCMU)
    Sender(track).send(0, law=Law.PCMA)
    samples = track.cut(0, FRAME)
    assert samples == bytes([1]).translate(TRANSCODE[Law.PCMA, Law.PCMU]) * FRAME


def test_packets_without_sound_help_to_place_the_others() -> None:
    track = Track(Law.PCMU)
    sender = Sender(track)
    for number in range(5):
        sender.send(number, payload=False)
    sender.send(5, delay=800)
    samples = track.cut(0, 8000)
    assert onset(samples, 5) == 5 * FRAME + 800
    assert samples is not None
    assert samples.count(QUIET) == 8000 - FRAME


def test_a_flood_is_not_kept() -> None:
    track = Track(Law.PCMU)
    for number in range(5000):
        track.add(1, number, 0, 1, b"x", Law.PCMU)
    assert len(track._packets) == 500
