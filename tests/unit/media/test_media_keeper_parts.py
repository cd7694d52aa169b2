"""The parts of the media processes that need no process."""

from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from callcenter.media.audio import AudioError, tone, write_wav
from callcenter.media.g711 import decode
from callcenter.media.law import Law
from callcenter.media.mediad.__main__ import read_arguments
from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.clips import Clip, ClipStore, Playback, make_clip
from callcenter.media.mediad.held import HeldSession
from callcenter.media.mediad.ports import PortPool
from callcenter.media.mediad.settings import MediaSettings
from callcenter.media.protocol import FrameBuffer, LegCounts, LegSpec, PlaySpec, PutSession, SessionSpec, frame

pytestmark = pytest.mark.unit


def test_ports_are_even_random_and_rest_after_use() -> None:
    pool = PortPool(16385, 16395, quarantine=30_000, seed=1)
    taken = [pool.take(now=0) for _ in range(6)]
    assert sorted(port for port in taken if port is not None) == [16386, 16388, 16390, 16392, 16394]
    assert taken[-1] is None
    assert taken[:5] != sorted(taken[:5], key=str)
    pool.give_back(16390, now=1000)
    assert pool.counts(now=30_999) == (0, 4, 1)
    assert pool.take(now=30_999) is None
    assert pool.take(now=31_000) == 16390


def test_a_checkpoint_is_believed_only_for_the_same_stream() -> None:
    memory = Checkpoint.create(3)
    memory.stamp(1, 0xABCDEF01, 65535, 0xFFFFFFFF, 123_456_789_012)
    memory.note(1, LegCounts(1, 2, 3, 4, True))
    assert memory.stamped(1, 0xABCDEF01) == (65535, 0xFFFFFFFF, 123_456_789_012)
    assert memory.stamped(1, 7) is None
    assert memory.noted(1) == LegCounts(1, 2, 3, 4, True)
    assert memory.noted(0) == memory.noted(2) == LegCounts()
    memory.clear(1)
    assert memory.noted(1) == LegCounts()
    memory.close()


def playback(*clips: Clip, loop: bool = False) -> Playback:
    future: Future[list[Clip]] = Future()
    future.set_result(list(clips))
    return Playback(PlaySpec("p", "a", (), loop), future)


def test_files_are_played_one_after_the_other_to_the_last_frame() -> None:
    first, second = make_clip(tone(400, 0.04)), make_clip(tone(800, 0.03))
    play = playback(first, second)
    heard = []
    while (reason := play.advance()) is None:
        assert (decode(play.encoded(Law.PCMU), Law.PCMU) - play.samples()).max() < 600
        heard.append(play.samples())
    assert reason == "end"
    assert (np.concatenate(heard) == np.concatenate([first.samples, second.samples])).all()


def test_a_loop_begins_again_and_an_empty_one_ends() -> None:
    play = playback(make_clip(tone(400, 0.04)), loop=True)
    assert [play.advance() for _ in range(9)] == [None] * 9
    assert playback(loop=True).advance() == "end"
    assert playback(make_clip(np.zeros(0, dtype=np.int16)), loop=True).advance() == "end"


def test_a_play_waits_for_its_files_and_fails_with_them() -> None:
    future: Future[list[Clip]] = Future()
    play = Playback(PlaySpec("p", "a", ()), future)
    assert play.advance() is None
    assert play.current is None
    future.set_exception(OSError())
    assert play.advance() == "failed"


def test_clips_are_kept_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    store = ClipStore()

    def load(name: str, *, now: int) -> list[Clip]:
        clips = store.load((str(tmp_path / name),), now=now)
        return clips.result(5) if isinstance(clips, Future) else clips

    path.write_bytes(write_wav(tone(400, 0.1)))
    first = load("a.wav", now=0)[0]
    assert load("a.wav", now=1_000)[0] is first
    path.write_bytes(write_wav(tone(400, 0.2)))
    assert load("a.wav", now=2_000)[0].frames == 10
    path.write_bytes(write_wav(tone(400, 0.3), 16000))
    with pytest.raises(AudioError):
        load("a.wav", now=3_000)
    with pytest.raises(FileNotFoundError):
        load("b.wav", now=3_000)
    store.close()


def test_a_file_that_was_looked_at_a_moment_ago_is_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(write_wav(tone(400, 0.1)))
    store = ClipStore()
    read = store.load((str(path),), now=0)
    assert isinstance(read, Future)
    clips = read.result(5)
    assert store.load((str(path),), now=999) == clips
    assert isinstance(store.load((str(path),), now=1_000), Future)
    assert isinstance(store.load((str(path),), wide=True, now=999), Future)
    assert isinstance(store.load((str(path), str(tmp_path / "b.wav")), now=999), Future)
    store.close()


def test_a_play_that_is_over_is_not_begun_again_by_an_older_description() -> None:
    play = PlaySpec("p", "a", ("x.wav",))
    session = HeldSession(SessionSpec("s", 0))
    assert session.adopt(SessionSpec("s", 1, (LegSpec("a", 1),), (), (play,))) == set()
    session.end_play("p")
    assert session.spec.plays == ()
    assert session.adopt(SessionSpec("s", 2, (LegSpec("a", 1),), (), (play,))) == {"p"}
    assert session.spec.plays == ()
    assert session.adopt(SessionSpec("s", 3, (LegSpec("a", 1),))) == set()


def test_two_deaths_in_a_minute_are_held_against_a_session() -> None:
    session = HeldSession(SessionSpec("s", 0))
    assert session.lose_worker(now=0)
    assert session.lose_worker(now=60_001)
    assert not session.lose_worker(now=61_000)


def test_frames_are_cut_out_of_any_pieces() -> None:
    stream = b"".join(frame(PutSession(number, SessionSpec("s", number))) for number in range(3))
    buffer = FrameBuffer()
    bodies = [body for index in range(len(stream)) for body in buffer.feed(stream[index : index + 1])]
    assert len(bodies) == 3
    with pytest.raises(ValueError, match="too large"):
        list(FrameBuffer().feed(b"\xff\xff\xff\xff"))


def test_the_command_line_has_the_defaults_of_the_settings() -> None:
    assert read_arguments(["--socket", "/run/x"]) == MediaSettings("/run/x")
    given = read_arguments(["--socket", "x", "--port-min", "20000", "--advertise", "192.0.2.1", "--no-realtime"])
    assert (given.port_min, given.sdp_address, given.realtime) == (20000, "192.0.2.1", False)
