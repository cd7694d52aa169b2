"""What a player may ask for, when the day's sweep comes, and what it takes."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callcenter.app import prepare_recordings, server_processes
from callcenter.config import load_settings
from callcenter.errors import ConfigError
from callcenter.media.recordings.retention import StoredRecording, overdue
from callcenter.recordings.player import RecordingShelf, Span, requested_span
from callcenter.recordings.sweep import next_sweep
from crm_bridge.errors import RecordingGone
from tests.support.house import small_site

pytestmark = pytest.mark.unit

DAY = 86_400_000
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-", Span(0, 100)),
        ("bytes=10-19", Span(10, 10)),
        ("bytes=90-500", Span(90, 10)),
        ("bytes=-30", Span(70, 30)),
        ("bytes=-500", Span(0, 100)),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("bytes=9-3", None),
        ("lines=1-2", None),
        ("bytes=٣-٤", None),
    ],
)
def test_a_range_is_read_as_the_rfc_says(header: str | None, span: Span | None) -> None:
    assert requested_span(header, 100) == span


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_of_the_file_cannot_be_met(header: str) -> None:
    with pytest.raises(ValueError, match="outside"):
        requested_span(header, 100)


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../secret", "missing.wav"])
def test_nothing_outside_of_the_folder_is_ever_opened(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret").write_bytes(b"x" * 100)
    (tmp_path / "calls").mkdir()
    with pytest.raises(RecordingGone):
        RecordingShelf(tmp_path / "calls", None, Ticks()).open(path)


def test_many_pieces_are_one_listening() -> None:
    shelf = RecordingShelf(Path("/"), None, clock := Ticks())
    assert shelf.is_new_listening("boss", "r1")
    clock.at += 60_000
    assert not shelf.is_new_listening("boss", "r1")
    assert shelf.is_new_listening("other", "r1")
    clock.at += 10 * 60_000 + 1
    assert shelf.is_new_listening("boss", "r1")


class Ticks:
    """A clock that stands still until told."""

    at = 0

    def now(self) -> int:
        return self.at


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-02T01:59:59+00:00", "2026-03-02T02:00:00+00:00"),
        ("2026-03-02T02:00:00+00:00", "2026-03-03T02:00:00+00:00"),
        # The clocks go forward on 29 March: the same hour of the wall is an hour earlier in UTC.
        ("2026-03-28T12:00:00+00:00", "2026-03-29T01:00:00+00:00"),
        ("2026-10-24T12:00:00+00:00", "2026-10-25T02:00:00+00:00"),
    ],
)
def test_the_sweep_comes_at_its_hour_of_the_wall(now: str, due: str) -> None:
    found = next_sweep(datetime.fromisoformat(now), zone=BERLIN, hour=3)
    assert found == datetime.fromisoformat(due)
    assert found.tzinfo is UTC


def stored(recording_id: str, *, age_days: int, retention: str = "standard") -> StoredRecording:
    return StoredRecording(Path("a"), Path("b"), recording_id, "s", -age_days * DAY, 0, retention, None)


def test_a_hold_is_stronger_than_every_reason_to_delete() -> None:
    kept = [stored("young", age_days=9), stored("named-nowhere", age_days=999, retention="odd")]
    old, held, erased = stored("old", age_days=11), stored("held", age_days=99), stored("erased", age_days=1)
    found = overdue([*kept, old, held, erased], {"standard": 10}, now=0, held={"held"}, at_once={"erased", "held"})
    assert found == [old, erased]


def test_media_is_told_where_recordings_go(tmp_path: Path) -> None:
    settings = load_settings(None, recordings={"folder": tmp_path / "calls", "key_file": tmp_path / "key"})
    command = [*server_processes(settings, tmp_path / "c.toml")[0].command]
    assert command[command.index("--recordings") + 1] == str(tmp_path / "calls")
    assert command[command.index("--recording-key") + 1] == str(tmp_path / "key")
    prepare_recordings(settings, small_site())
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_what_cannot_record_is_told_before_the_start(tmp_path: Path) -> None:
    site = small_site()
    queues = [{**site.queues[0].model_dump(), "recording": "on"}, site.queues[1].model_dump()]
    recording = site.model_validate({**site.model_dump(), "queues": queues})
    with pytest.raises(ConfigError, match=r"queue sales records; set recordings\.folder"):
        prepare_recordings(load_settings(None), recording)
    with pytest.raises(ConfigError, match="who takes one would have both"):
        load_settings(None, recordings={"folder": tmp_path, "key_file": tmp_path / "key"})
    with pytest.raises(ConfigError, match="set both"):
        load_settings(None, recordings={"key_file": tmp_path / "key"})
