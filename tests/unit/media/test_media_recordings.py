"""Recordings at rest: encrypted form, reading back, names, sidecars, keys and retention."""

import io
import stat
import wave
from pathlib import Path

import pytest

from callcenter.media.law import Law
from callcenter.media.mediad.recording_file import PlainFile, SealedFile
from callcenter.media.recordings import (
    KeyRing,
    RecordingError,
    RecordingKeyError,
    StoredRecording,
    catalogue,
    ensure_key_file,
    load_keys,
    open_recording,
    overdue,
    sweep,
)
from callcenter.media.recordings.naming import day_folder, is_stem, new_stem, sidecar_of
from callcenter.media.recordings.sidecar import (
    Finished,
    Missing,
    Opened,
    Paused,
    Resumed,
    SidecarError,
    lines,
    parse_sidecar,
)
from callcenter.media.recordings.wav import HEADER_BYTES, interleave, wav_header

pytestmark = pytest.mark.unit

NOON = 1_800_000_000_000
DAY = 86_400_000
KEYS = KeyRing("new", {"old": bytes(range(32)), "new": bytes(range(1, 33))})
FRAMES = bytes(range(256)) * 50
OPENED = Opened("r-1", "s-1", "caller", "agent", NOON, "PCMU", "standard", 7)


def sealed(path: Path, *, keys: KeyRing = KEYS, law: Law = Law.PCMA, finish: bool = True) -> Path:
    """An encrypted recording of three records."""
    file = SealedFile(path, law, keys)
    for start in (0, 5000, 10_000):
        file.append(FRAMES[start : start + 5000])
    if finish:
        file.finish()
    file.close()
    return path


def test_a_plain_recording_is_a_wav_file_that_says_what_it_is(tmp_path: Path) -> None:
    file = PlainFile(tmp_path / "r.wav", Law.PCMU)
    file.append(interleave(Law.PCMU, 3, b"abc", b""))
    file.finish()
    file.close()
    with open_recording(tmp_path / "r.wav") as content:
        data = content.read()
    assert data == wav_header(Law.PCMU, 3) + b"a\xffb\xffc\xff"
    with pytest.raises(wave.Error, match="7"), wave.open(io.BytesIO(data)):
        pass  # the standard library knows PCM only, but reads the format
    assert stat.S_IMODE((tmp_path / "r.wav").stat().st_mode) == 0o600


def test_sizes_in_the_header_are_right_at_every_sync(tmp_path: Path) -> None:
    file = PlainFile(tmp_path / "r.wav", Law.PCMU)
    file.append(FRAMES)
    file.sync()
    file.append(FRAMES)
    assert (tmp_path / "r.wav").read_bytes()[:HEADER_BYTES] == wav_header(Law.PCMU, len(FRAMES) // 2)
    file.close()


def test_a_sealed_recording_reads_as_the_wav_file_it_would_have_been(tmp_path: Path) -> None:
    path = sealed(tmp_path / "r.wav.sealed")
    with open_recording(path, KEYS) as content:
        assert content.read() == wav_header(Law.PCMA, len(FRAMES) // 2) + FRAMES
    assert FRAMES[100:120] not in path.read_bytes()


def test_reading_may_begin_anywhere(tmp_path: Path) -> None:
    path = sealed(tmp_path / "r.wav.sealed")
    whole = wav_header(Law.PCMA, len(FRAMES) // 2) + FRAMES
    with open_recording(path, KEYS) as content:
        for start in (0, 10, 57, 58, 5057, 5058, 12_000, len(whole) - 1, len(whole), len(whole) + 5):
            content.seek(start)
            assert content.read(6000) == whole[start : start + 6000]
        assert content.seek(-4, io.SEEK_END) == len(whole) - 4
        assert content.read() == whole[-4:]


@pytest.mark.parametrize("offset", [6, 20, 60, 100, 5100, -10])
def test_a_single_changed_bit_is_noticed(tmp_path: Path, offset: int) -> None:
    path = sealed(tmp_path / "r.wav.sealed")
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
    with pytest.raises((RecordingError, RecordingKeyError)), open_recording(path, KEYS) as recording:
        recording.read()


def test_a_recording_that_is_cut_off_is_not_taken_for_a_shorter_one(tmp_path: Path) -> None:
    path = sealed(tmp_path / "r.wav.sealed")
    content = path.read_bytes()
    end = len(content) - 33
    for size in (end, end - 1, 40, 3, 0, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(RecordingError):
            open_recording(path, KEYS)
    path.write_bytes(content + b"more")
    with pytest.raises(RecordingError):
        open_recording(path, KEYS)


def test_records_cannot_be_exchanged(tmp_path: Path) -> None:
    path = sealed(tmp_path / "r.wav.sealed")
    content = path.read_bytes()
    record = 5000 + 33
    first = content.index((record - 4).to_bytes(4, "big"))
    swapped = content[first + record : first + 2 * record] + content[first : first + record]
    path.write_bytes(content[:first] + swapped + content[first + 2 * record :])
    with pytest.raises(RecordingError), open_recording(path, KEYS) as recording:
        recording.read()


def test_recordings_of_an_old_key_stay_readable_and_those_of_a_foreign_one_do_not(tmp_path: Path) -> None:
    path = sealed(tmp_path / "r.wav.sealed", keys=KeyRing("old", KEYS.keys))
    with open_recording(path, KEYS) as recording:
        assert recording.read().endswith(FRAMES[-100:])
    with pytest.raises(RecordingKeyError):
        open_recording(path, KeyRing("new", {"new": KEYS.key("new")}))
    with pytest.raises(RecordingError), open_recording(path, KeyRing("old", {"old": bytes(32)})) as recording:
        recording.read()
    with pytest.raises(RecordingError, match="no key"):
        open_recording(path)
    with pytest.raises(RecordingError, match="opened"):
        open_recording(tmp_path / "nowhere.wav")


@pytest.mark.parametrize("torn", [0, 1, 7, 40])
def test_an_encrypted_file_goes_on_after_a_torn_end(tmp_path: Path, torn: int) -> None:
    path = sealed(tmp_path / "r.wav.sealed", finish=False)
    with path.open("ab") as file:
        file.write((5000).to_bytes(4, "big")[:torn] + bytes(max(0, torn - 4)))
    again = SealedFile(path, Law.PCMA, KEYS)
    assert again.samples == len(FRAMES) // 2
    again.append(b"ab")
    again.finish()
    again.close()
    with open_recording(path, KEYS) as recording:
        assert recording.read() == wav_header(Law.PCMA, len(FRAMES) // 2 + 1) + FRAMES + b"ab"


def test_a_plain_file_goes_on_after_a_torn_frame(tmp_path: Path) -> None:
    path = tmp_path / "r.wav"
    path.write_bytes(wav_header(Law.PCMU, 0) + b"abc")
    file = PlainFile(path, Law.PCMU)
    assert file.samples == 1
    file.append(b"de")
    file.finish()
    file.close()
    assert path.read_bytes() == wav_header(Law.PCMU, 2) + b"abde"


def test_names_are_of_the_day_and_of_nothing_else() -> None:
    stem = new_stem(NOON)
    assert is_stem(stem)
    assert stem.startswith("20270115-080000-")
    assert day_folder(Path("/rec"), stem) == Path("/rec/2027/01/15")
    assert sidecar_of(Path("/rec/x.wav.sealed")) == Path("/rec/x.json")
    assert len({new_stem(NOON) for _ in range(100)}) == 100
    for foreign in ("../../etc/passwd", "20270115-080000-..", ""):
        with pytest.raises(ValueError, match="not the name"):
            day_folder(Path("/rec"), foreign)


def test_a_sidecar_tells_pauses_and_what_is_missing() -> None:
    facts = [Paused(800), Paused(900), Resumed(1600), Resumed(1700), Missing(2000, 80, "overflow"), Paused(2400)]
    sidecar = parse_sidecar(lines([OPENED, *facts]))
    assert sidecar.opened == OPENED
    assert sidecar.pauses == [(800, 1600), (2400, None)]
    assert (sidecar.truncated, sidecar.finished, sidecar.duration_ms) == ("overflow", None, 0)
    finished = parse_sidecar(lines([OPENED, Finished(16_000, "ab", None)]))
    assert (finished.truncated, finished.duration_ms) == (None, 2000)


def test_a_torn_last_line_is_left_out_and_a_damaged_one_is_told() -> None:
    whole = lines([OPENED, Paused(800)])
    assert parse_sidecar(whole[:-5]).pauses == []
    for damaged in (b"", b"{}", whole[5:], lines([Paused(1)]), lines([OPENED, OPENED])):
        with pytest.raises(SidecarError):
            parse_sidecar(damaged)


def test_a_key_file_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "recordings.key"
    made = ensure_key_file(path)
    assert ensure_key_file(path) == made == load_keys(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made.key(made.current).hex() not in repr(made)
    path.write_text(path.read_text() + "second:" + "ab" * 32 + "\n")
    assert load_keys(path).current == "second"
    assert load_keys(path).key(made.current) == made.key(made.current)


@pytest.mark.parametrize("content", ["", "x", "a:12\n", "a:" + "0" * 64 + "\na:" + "1" * 64])
def test_a_damaged_key_file_is_refused_without_showing_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    with pytest.raises(RecordingKeyError) as refused:
        load_keys(path)
    assert "0000" not in str(refused.value)
    with pytest.raises(RecordingKeyError):
        load_keys(tmp_path / "nowhere")


def stored(retention: str, age_days: float, *, name: str = "x", root: Path = Path("/rec")) -> StoredRecording:
    audio = root / f"{name}.wav"
    started_at = NOON - round(age_days * DAY) - 60_000
    return StoredRecording(audio, sidecar_of(audio), name, "s", started_at, 60_000, retention, None)


def test_what_is_overdue_depends_on_its_class_alone() -> None:
    keep: dict[str, int | None] = {"standard": 30, "disputed": None, "short": 0}
    kept = [stored("standard", 29.9), stored("disputed", 9999), stored("unknown", 9999)]
    gone = [stored("standard", 30), stored("short", 0)]
    assert overdue([*kept, *gone], keep, now=NOON) == gone
    assert overdue([*kept, *gone], {}, now=NOON) == []


def lay_down(root: Path, retention: str, started_at: int, *, finished: bool = True) -> Path:
    """A recording with its sidecar in the folder of its day."""
    stem = new_stem(started_at)
    folder = day_folder(root, stem)
    folder.mkdir(parents=True, exist_ok=True)
    opened = Opened(stem, "s", "caller", "agent", started_at, "PCMU", retention, 1)
    end = [Finished(8000, "00", None)] if finished else []
    (folder / f"{stem}.wav").write_bytes(b"x")
    (folder / f"{stem}.json").write_bytes(lines([opened, *end]))
    return folder / f"{stem}.wav"


def test_a_sweep_deletes_audio_sidecar_and_empty_days_only(tmp_path: Path) -> None:
    old = lay_down(tmp_path, "standard", NOON - 40 * DAY)
    held = lay_down(tmp_path, "disputed", NOON - 40 * DAY - 3_600_000 * 24)
    fresh = lay_down(tmp_path, "standard", NOON - DAY)
    unfinished = lay_down(tmp_path, "standard", NOON - 50 * DAY, finished=False)
    damaged = lay_down(tmp_path, "standard", NOON - 60 * DAY)
    sidecar_of(damaged).write_text("?")
    stranger = tmp_path / "notes.txt"
    stranger.write_text("mine")
    deleted = sweep(tmp_path, {"standard": 30, "disputed": None}, now=NOON)
    assert [recording.audio for recording in deleted] == [old]
    assert not old.exists()
    assert not sidecar_of(old).exists()
    assert not old.parent.exists()
    for kept in (held, fresh, unfinished, damaged):
        assert kept.exists()
        assert sidecar_of(kept).exists()
    assert stranger.exists()
    assert {recording.audio for recording in catalogue(tmp_path)} == {held, fresh}
