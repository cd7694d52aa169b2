"""Recordings on disk: their names, their formats, reading them back, and when they are deleted."""

from callcenter.media.recordings.keys import KeyRing, RecordingKeyError, ensure_key_file, load_keys
from callcenter.media.recordings.reading import RecordingError, open_recording
from callcenter.media.recordings.retention import StoredRecording, catalogue, overdue, sweep
from callcenter.media.recordings.sidecar import Sidecar, read_sidecar

__all__ = [
    "KeyRing",
    "RecordingError",
    "RecordingKeyError",
    "Sidecar",
    "StoredRecording",
    "catalogue",
    "ensure_key_file",
    "load_keys",
    "open_recording",
    "overdue",
    "read_sidecar",
    "sweep",
]
