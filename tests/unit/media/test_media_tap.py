"""What a worker hands to the recorder, and what it keeps to itself while a recording is paused."""

import pytest

from callcenter.media.law import SILENCE, Law
from callcenter.media.mediad.recorder_protocol import Chunk, TapEnded, TapMessage, TapSwitched
from callcenter.media.mediad.tap import Tap
from callcenter.media.protocol import RecordingSpec, TapOrder

pytestmark = pytest.mark.unit

QUIET = SILENCE[Law.PCMU]
ORIGIN = 50_000
SPEC = RecordingSpec("r", "caller", "agent")
PAUSED = RecordingSpec("r", "caller", "agent", paused=True)


class Stage:
    """A tap, two talkers who send a frame every 20 ms, and the file a recorder would make."""

    def __init__(self, spec: RecordingSpec = SPEC, *, now: int = ORIGIN, switched_at: int = ORIGIN) -> None:
        self.tap = Tap(spec, TapOrder(3, ORIGIN, switched_at, now != ORIGIN), now=now)
        self.begun_at: int | None = None
        self.now = now
        self.left = bytearray()
        self.right = bytearray()
        self.ended_at: int | None = None
        self.switches: list[tuple[int, bool]] = []
        self._take(self.tap.begin(now=now))

    def talk(self, milliseconds: int, left: int | None = 1, right: int | None = 2, *, read_late: int = 0) -> None:
        """Both talk; the worker reads their packets ``read_late`` milliseconds after they arrived."""
        for _ in range(milliseconds // 20):
            self.now += 20
            timestamp = (self.now - ORIGIN) * 8
            for track, value in ((self.tap.left, left), (self.tap.right, right)):
                if value is not None:
                    payload = bytes([value]) * 160
                    self.tap.hear(track, value, timestamp, payload, Law.PCMU, self.now + read_late)
            if self.now >= self.tap.due:
                self._take(self.tap.cut(now=self.now))

    def order(self, spec: RecordingSpec, *, at: int | None = None) -> None:
        """Pause or resume."""
        self._take(self.tap.follow(spec, TapOrder(3, ORIGIN, self.now if at is None else at)))

    def end(self) -> None:
        """Stop."""
        self._take(self.tap.end(now=self.now))

    def _take(self, messages: list[TapMessage]) -> None:
        for message in messages:
            match message:
                case Chunk(_, position, samples, left, right):
                    assert position == len(self.left) or not self.left
                    self.begun_at = position if self.begun_at is None else self.begun_at
                    self.left += bytes([QUIET]) * (position - len(self.left)) + (left or bytes([QUIET]) * samples)
                    self.right += bytes([QUIET]) * (position - len(self.right)) + (right or bytes([QUIET]) * samples)
                case TapSwitched(_, position, paused):
                    self.switches.append((position, paused))
                case TapEnded(_, position):
                    self.ended_at = position


def test_each_party_is_in_its_own_channel_at_its_time() -> None:
    stage = Stage()
    stage.talk(3000)
    stage.talk(1000, right=None)
    stage.end()
    assert stage.ended_at == len(stage.left) == len(stage.right) == 32_000
    assert set(stage.left) == {1}
    assert stage.right == bytes([2]) * 24_000 + bytes([QUIET]) * 8000


@pytest.mark.parametrize("began", range(1000, 1840, 40))
def test_what_a_stall_of_a_third_of_a_second_held_up_is_all_recorded(began: int) -> None:
    """A far end or a network that stalls sends everything at once afterwards, wherever the chunks are cut."""
    stage, held_up = Stage(), 360
    stage.talk(began)
    for _ in range(held_up // 20):
        stage.talk(20, left=None)
    for frame in range(held_up // 20):
        spoken_at = began + 20 * (frame + 1)
        stage.tap.hear(stage.tap.left, 1, spoken_at * 8, bytes([1]) * 160, Law.PCMU, stage.now)
    stage.talk(2000)
    stage.end()
    assert stage.left.count(QUIET) == 0
    assert set(stage.right) == {2}


def test_less_than_a_second_is_kept_back() -> None:
    stage = Stage()
    for _ in range(200):
        stage.talk(20)
        assert (stage.now - ORIGIN) * 8 - len(stage.left) < 8000


def test_a_pause_is_silence_of_equal_length_to_the_sample() -> None:
    stage = Stage()
    stage.talk(1020)
    stage.order(PAUSED)
    stage.talk(2000, 3, 4)
    stage.order(SPEC)
    stage.talk(1000)
    stage.end()
    expected = bytes([1]) * 8160 + bytes([QUIET]) * 16_000 + bytes([1]) * 8000
    assert stage.left == expected
    assert stage.switches == [(0, False), (8160, True), (24_160, False)]


def test_what_is_said_in_a_pause_is_not_kept_in_memory() -> None:
    stage = Stage()
    stage.talk(500)
    stage.order(PAUSED)
    stage.talk(300, 3, 4)
    held = [packet[3] for track in (stage.tap.left, stage.tap.right) for packet in track._packets]
    assert all(payload is None or set(payload) <= {1, 2} for payload in held)


def test_packets_of_the_pause_that_are_read_after_it_are_silenced() -> None:
    """The worker stalls: at the end of the pause its sockets still hold what was said in it."""
    stage = Stage()
    stage.talk(1000)
    stage.order(PAUSED)
    stage.talk(1000)
    stage.order(SPEC, at=stage.now + 200)
    stage.talk(200, 1, 2, read_late=200)
    stage.talk(1000)
    stage.end()
    assert stage.left == bytes([1]) * 8000 + bytes([QUIET]) * 9600 + bytes([1]) * 8000


def test_a_pause_holds_from_when_it_was_ordered_even_if_the_worker_hears_of_it_late() -> None:
    stage = Stage()
    stage.talk(1000)
    ordered_at = stage.now
    stage.talk(60, 3, 4)
    stage.order(PAUSED, at=ordered_at)
    stage.talk(1000, 3, 4)
    stage.end()
    assert stage.left == bytes([1]) * 8000 + bytes([QUIET]) * 8480


def test_a_successor_goes_on_at_the_same_place() -> None:
    """It reads at once what waited in the sockets, up to a second, and tells the state again."""
    now = ORIGIN + 10_000
    stage = Stage(now=now)
    assert stage.switches == [(80_000, False)]
    for age in (3, 2, 1, 0):
        timestamp = (now - ORIGIN) * 8 - age * 160
        stage.tap.hear(stage.tap.left, 1, timestamp, bytes([1]) * 160, Law.PCMU, now)
    stage.talk(1000, right=None)
    stage.end()
    assert len(stage.left) == 88_000
    assert stage.begun_at == 80_000 - 640, "what the predecessor took along is not told as silence"
    assert stage.left[72_000 : 80_000 - 640] == bytes([QUIET]) * (8000 - 640)
    assert stage.left[80_000 - 640 :] == bytes([1]) * 8640


def test_a_successor_that_hears_nothing_begins_where_it_took_over() -> None:
    stage = Stage(now=ORIGIN + 10_000)
    stage.talk(2000, left=None, right=None)
    stage.end()
    assert (stage.begun_at, len(stage.left)) == (80_000, 96_000)


def test_a_successor_records_nothing_from_before_the_last_resume() -> None:
    now = ORIGIN + 10_000
    stage = Stage(now=now, switched_at=now - 30)
    for age in range(20, -1, -1):
        timestamp = (now - ORIGIN) * 8 - age * 160
        stage.tap.hear(stage.tap.left, 1, timestamp, bytes([1]) * 160, Law.PCMU, now)
    stage.end()
    assert stage.left.count(1) == 240


def test_a_paused_successor_is_silent() -> None:
    stage = Stage(PAUSED, now=ORIGIN + 5000, switched_at=ORIGIN + 1000)
    stage.talk(2000)
    stage.end()
    assert set(stage.left) == {QUIET}
    assert stage.switches == [(40_000, True)]


def test_a_stalled_worker_sends_no_chunk_longer_than_a_second() -> None:
    stage = Stage()
    stage.talk(100)
    lengths = [message.samples for message in stage.tap.end(now=ORIGIN + 10_000) if isinstance(message, Chunk)]
    assert max(lengths) == 8000
    assert sum(lengths) + len(stage.left) == 80_000


def test_a_recording_that_ends_at_once_is_empty() -> None:
    stage = Stage()
    stage.end()
    assert (stage.ended_at, stage.left) == (0, b"")


def test_a_message_in_which_nobody_speaks_any_more_is_told_once_and_a_conversation_never() -> None:
    stage = Stage(RecordingSpec("r", "caller", ""))
    stage.talk(2000, right=None)
    stage.talk(4980, left=QUIET, right=None)
    assert not stage.tap.falls_quiet(now=stage.now)
    stage.talk(20, left=QUIET, right=None)
    assert (stage.tap.falls_quiet(now=stage.now), stage.tap.has_spoken) == (True, True)
    assert not stage.tap.falls_quiet(now=stage.now + 60_000)
    dead = Stage(RecordingSpec("r", "caller", ""))  # a far end that sends nothing at all
    assert (dead.tap.falls_quiet(now=ORIGIN + 5_000), dead.tap.has_spoken) == (True, False)
    assert not Stage().tap.falls_quiet(now=ORIGIN + 60_000)
