"""The writing side of the recorder, with disks that fail."""

import errno
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from callcenter.media.law import SILENCE, Law
from callcenter.media.mediad.recorder_protocol import (
    Begin,
    Chunk,
    CloseRecording,
    Damage,
    OpenRecording,
    TapEnded,
    TapSwitched,
    Written,
)
from callcenter.media.mediad.recording_writer import ORPHANED_AFTER, SYNC_EVERY, RecordingWriter
from callcenter.media.recordings import KeyRing, Sidecar, open_recording, read_sidecar
from callcenter.media.recordings.naming import new_stem, sidecar_of
from callcenter.media.recordings.sidecar import Missing, Opened
from callcenter.media.recordings.wav import HEADER_BYTES, wav_header

pytestmark = pytest.mark.unit

NOON = 1_800_000_000_000
QUIET = SILENCE[Law.PCMU]
KEYS = KeyRing("k", {"k": bytes(range(32))})


def order(number: int = 1, *, is_ending: bool = False, stem: str = "") -> OpenRecording:
    opened = Opened(f"r-{number}", "s", "caller", "agent", NOON, "PCMU", "standard", 1)
    return OpenRecording(number, stem or new_stem(NOON), opened, is_ending)


def chunk(
    position: int, samples: int = 800, *, number: int = 1, left: int = 1, right: int = 2, lost: bool = False
) -> Chunk:
    return Chunk(number, position, samples, bytes([left]) * samples, bytes([right]) * samples, lost)


class Desk:
    """A writer on a folder, and what it told."""

    def __init__(self, root: Path, keys: KeyRing | None = None, *under_way: OpenRecording) -> None:
        self.root, self.keys = root, keys
        self.written: list[Written] = []
        self.damages: list[tuple[int, Damage]] = []
        self.now = 0
        self.writer = RecordingWriter(
            root,
            keys,
            on_written=self.written.append,
            on_damage=lambda number, damage: self.damages.append((number, damage)),
        )
        self.tell(Begin(under_way))

    def tell(self, *orders: Begin | OpenRecording | CloseRecording | Chunk | TapSwitched | TapEnded) -> None:
        for each in orders:
            self.writer.follow(each, now=self.now)

    def tick(self, milliseconds: int) -> None:
        self.now += milliseconds
        self.writer.tick(now=self.now)

    def audio(self, index: int = 0) -> tuple[bytes, bytes]:
        """The two channels of a finished recording."""
        with open_recording(Path(self.written[index].path), self.keys) as content:
            data = content.read()
        assert data[:HEADER_BYTES] == wav_header(Law.PCMU, self.written[index].samples)
        return data[HEADER_BYTES::2], data[HEADER_BYTES + 1 :: 2]

    def sidecar(self, index: int = 0) -> Sidecar:
        return read_sidecar(sidecar_of(Path(self.written[index].path)))


@pytest.fixture(params=["plain", "sealed"])
def keys(request: pytest.FixtureRequest) -> KeyRing | None:
    return KEYS if request.param == "sealed" else None


Failure = Callable[[int], None]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failure:
    """Lets every write fail with an error number, or succeed again with 0."""
    real, state = os.pwrite, {"error": 0}

    def pwrite(descriptor: int, data: bytes, offset: int) -> int:
        if state["error"]:
            if len(data) > 100:
                real(descriptor, data[:99], offset)  # a torn write
            raise OSError(state["error"], "staged")
        return real(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)

    def fail(error: int) -> None:
        state["error"] = error

    return fail


def test_a_recording_gets_its_name_checksum_and_sidecar(tmp_path: Path, keys: KeyRing | None) -> None:
    desk = Desk(tmp_path, keys)
    desk.tell(order(), TapSwitched(1, 0, False), chunk(0), chunk(800), TapEnded(1, 1600))
    (written,) = desk.written
    assert (written.number, written.session_id, written.recording_id, written.samples) == (1, "s", "r-1", 1600)
    assert written.truncated is None
    assert Path(written.path).parent == tmp_path / "2027" / "01" / "15"
    assert written.sha256 == hashlib.sha256(Path(written.path).read_bytes()).hexdigest()
    assert desk.audio() == (bytes([1]) * 1600, bytes([2]) * 1600)
    sidecar = desk.sidecar()
    assert sidecar.finished is not None
    assert (sidecar.finished.sha256, sidecar.finished.samples) == (written.sha256, 1600)
    assert sidecar.opened.key_name == ("" if keys is None else "k")
    assert sidecar.pauses == []
    assert [path.name for path in (tmp_path / "open").iterdir() if path.name[0] != "."] == []
    assert desk.damages == []


def test_a_gap_is_silence_and_told_an_overlap_is_not_written_twice(tmp_path: Path, keys: KeyRing | None) -> None:
    desk = Desk(tmp_path, keys)
    desk.tell(order(), chunk(0), chunk(400, left=3), chunk(2000, lost=True), TapEnded(1, 4000))
    left, _ = desk.audio()
    quiet = bytes([QUIET])
    assert left == bytes([1]) * 800 + bytes([3]) * 400 + quiet * 800 + bytes([1]) * 800 + quiet * 1200
    assert desk.written[0].truncated == "overflow"
    assert desk.sidecar().missing == [Missing(1200, 800, "overflow"), Missing(2800, 1200, "interrupted")]
    assert desk.damages == [(1, Damage.OVERFLOW), (1, Damage.INTERRUPTED)]


def test_a_silent_channel_costs_no_bytes_on_the_way(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.tell(order(), Chunk(1, 0, 800, b"", bytes([2]) * 800), TapEnded(1, 800))
    assert desk.audio() == (bytes([QUIET]) * 800, bytes([2]) * 800)


def test_pauses_are_noted_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.tell(order(), TapSwitched(1, 0, False), chunk(0), TapSwitched(1, 800, True), TapSwitched(1, 900, True))
    desk.tell(TapSwitched(1, 1600, False), chunk(800), TapEnded(1, 1600))
    assert desk.sidecar().pauses == [(800, 1600)]
    assert desk.written[0].truncated is None


@pytest.mark.parametrize(("error", "reason"), [(errno.ENOSPC, "disk_full"), (errno.EIO, "disk_error")])
def test_a_disk_that_fails_for_a_while_leaves_silence_and_a_mark(
    tmp_path: Path, keys: KeyRing | None, failing: Failure, error: int, reason: str
) -> None:
    desk = Desk(tmp_path, keys)
    desk.tell(order(), chunk(0))
    failing(error)
    (part,) = (tmp_path / "open").glob("*.wav*.part")
    before = part.stat().st_size
    desk.tell(chunk(800), chunk(1600), TapSwitched(1, 2000, True))
    assert part.stat().st_size == before, "nothing torn is left behind"
    failing(0)
    desk.tell(TapSwitched(1, 2200, False), chunk(2400), TapEnded(1, 3200))
    left, _ = desk.audio()
    assert left == bytes([1]) * 800 + bytes([QUIET]) * 1600 + bytes([1]) * 800
    assert desk.written[0].truncated == reason
    assert desk.written[0].sha256
    assert desk.sidecar().missing == [Missing(800, 1600, reason)]
    assert desk.sidecar().pauses == [(2000, 2200)]
    assert {damage for _, damage in desk.damages} == {reason}


def test_a_disk_that_fails_from_the_start_is_tried_again(tmp_path: Path, failing: Failure) -> None:
    desk = Desk(tmp_path)
    failing(errno.ENOSPC)
    desk.tell(order(), chunk(0))
    failing(0)
    desk.tell(chunk(800), TapEnded(1, 1600))
    assert desk.audio()[0] == bytes([QUIET]) * 800 + bytes([1]) * 800
    assert desk.written[0].truncated == "disk_full"


def test_a_disk_that_never_works_is_told_and_the_rest_repaired_later(
    tmp_path: Path, keys: KeyRing | None, failing: Failure
) -> None:
    desk = Desk(tmp_path, keys)
    desk.tell(order(), chunk(0))
    failing(errno.EIO)
    desk.tell(chunk(800), TapEnded(1, 1600))
    (written,) = desk.written
    assert (written.sha256, written.truncated) == ("", "disk_error")
    assert written.path.endswith(".part")
    desk.writer.stop()
    failing(0)
    later = Desk(tmp_path, keys)
    (repaired,) = later.written
    assert (repaired.recording_id, repaired.number) == ("r-1", 0)
    assert later.audio()[0][:800] == bytes([1]) * 800
    later.writer.stop()


def test_a_full_disk_has_a_reserve_to_close_recordings_with(
    tmp_path: Path, keys: KeyRing | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be written until the reserve is given up; it is laid aside again later."""
    desk = Desk(tmp_path, keys)
    reserve = tmp_path / "open" / ".reserve"
    desk.tell(order(), chunk(0))
    desk.tick(1)
    assert reserve.stat().st_size > 0
    real = os.pwrite

    def pwrite(descriptor: int, data: bytes, offset: int) -> int:
        if reserve.exists():
            raise OSError(errno.ENOSPC, "staged")
        return real(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    desk.tell(chunk(800), TapEnded(1, 1600))
    assert desk.written[0].sha256
    assert desk.written[0].truncated == "disk_full"
    assert desk.audio()[0] == bytes([1]) * 800
    assert desk.sidecar().truncated == "disk_full"
    desk.tick(SYNC_EVERY)
    assert reserve.exists()


def test_what_a_crash_left_is_closed_by_the_next_recorder(tmp_path: Path, keys: KeyRing | None) -> None:
    first = Desk(tmp_path, keys)
    first.tell(order(1), order(2), chunk(0), chunk(0, number=2), TapSwitched(1, 800, True))
    first.writer.stop()
    first.written.clear()
    second = Desk(tmp_path, keys)
    assert sorted(written.recording_id for written in second.written) == ["r-1", "r-2"]
    for index, written in enumerate(second.written):
        assert (written.samples, written.truncated) == (800, "interrupted")
        assert second.audio(index) == (bytes([1]) * 800, bytes([2]) * 800)
    second.writer.stop()


def test_a_recording_under_way_goes_on_in_the_same_file(tmp_path: Path, keys: KeyRing | None) -> None:
    going_on = order(1)
    first = Desk(tmp_path, keys)
    first.tell(going_on, chunk(0), TapSwitched(1, 100, True), TapSwitched(1, 200, False))
    first.writer.stop()
    second = Desk(tmp_path, keys, going_on)
    second.tell(chunk(800), TapEnded(1, 1600))
    assert second.audio() == (bytes([1]) * 1600, bytes([2]) * 1600)
    assert second.written[0].truncated is None
    assert second.sidecar().pauses == [(100, 200)]


@pytest.mark.parametrize("moved", ["nothing", "audio"])
def test_a_crash_between_finishing_and_naming_is_made_up_for(tmp_path: Path, moved: str) -> None:
    stem = new_stem(NOON)
    first = Desk(tmp_path)
    first.tell(order(stem=stem), chunk(0), TapEnded(1, 800))
    first.writer.stop()
    audio = Path(first.written[0].path)
    sidecar_of(audio).rename(tmp_path / "open" / f"{stem}.json.part")
    if moved == "nothing":
        audio.rename(tmp_path / "open" / f"{stem}.wav.part")
    second = Desk(tmp_path)
    assert [(written.path, written.sha256, written.truncated) for written in second.written] == [
        (str(audio), first.written[0].sha256, None)
    ]
    assert audio.exists()
    assert sidecar_of(audio).exists()
    second.writer.stop()


def test_the_folder_belongs_to_one_recorder_at_a_time(tmp_path: Path) -> None:
    """A successor waits until its predecessor has let go, or both would write the same files."""
    first = Desk(tmp_path)
    first.tell(order(), chunk(0))
    taken, second = threading.Event(), []

    def follow() -> None:
        second.append(Desk(tmp_path))
        taken.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert not taken.wait(0.2)
    first.writer.stop()
    assert taken.wait(10)
    thread.join()
    assert [written.samples for written in second[0].written] == [800]
    second[0].writer.stop()


def test_one_that_nobody_ends_any_more_is_closed_after_a_while(tmp_path: Path) -> None:
    desk = Desk(tmp_path, None, order(is_ending=True))
    desk.tick(ORPHANED_AFTER - 1)
    desk.tell(chunk(0))
    desk.tick(ORPHANED_AFTER - 1)
    assert desk.written == []
    desk.tick(1)
    assert (desk.written[0].samples, desk.written[0].truncated) == (800, "interrupted")


def test_closing_is_done_once_and_late_chunks_are_ignored(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.tell(order(), chunk(0), TapEnded(1, 800), CloseRecording(1), chunk(800), TapEnded(1, 900))
    assert len(desk.written) == 1


def test_every_recording_is_synced_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    desk = Desk(tmp_path)
    desk.tell(*(order(number) for number in range(3)), *(chunk(0, number=number) for number in range(3)))
    desk.tick(SYNC_EVERY - 1)
    assert synced == []
    desk.tick(1)
    assert len(synced) == 2  # one recording: its audio and its sidecar
    for _ in range(5):
        desk.tick(1)
    assert len(synced) == 6
    desk.tick(SYNC_EVERY)
    assert len(synced) == 6, "nothing new, nothing to sync"
    desk.writer.stop()


def test_a_sealed_recording_without_its_key_is_left_alone(tmp_path: Path) -> None:
    first = Desk(tmp_path, KEYS)
    first.tell(order(), chunk(0))
    first.writer.stop()
    before = {path: path.read_bytes() for path in (tmp_path / "open").iterdir() if ".sealed" in path.name}
    second = Desk(tmp_path, None)
    assert [(written.sha256, written.truncated) for written in second.written] == [("", "disk_error")]
    second.writer.stop()
    assert {path: path.read_bytes() for path in before} == before
    third = Desk(tmp_path, KEYS)
    assert third.audio()[0] == bytes([1]) * 800
    third.writer.stop()


def test_strange_files_in_the_folder_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    for name in ("x.wav.part", "../x.json.part", f"{new_stem(NOON)}.json.part", f"{new_stem(NOON)}.wav.part"):
        (tmp_path / "open" / name).write_bytes(b"?")
    desk = Desk(tmp_path)
    assert desk.written == []
    desk.tell(order(), chunk(0), TapEnded(1, 800))
    assert desk.written[0].truncated is None
