"""What keeper, workers and recorder say to each other about recordings: msgpack messages on SEQPACKET sockets."""

from enum import StrEnum

import msgspec

from callcenter.media.protocol import RecordingHurt
from callcenter.media.recordings.sidecar import Opened

LARGEST_MESSAGE = 1 << 18
"""Bytes; a second of both channels is 16000."""


class Damage(StrEnum):
    """Why audio is missing in a recording."""

    DISK_FULL = "disk_full"
    DISK_ERROR = "disk_error"
    OVERFLOW = "overflow"
    """The disk was slower than the calls for so long that the queue was full."""
    INTERRUPTED = "interrupted"
    """A media process died."""


# Keeper -> recorder.


class OpenRecording(msgspec.Struct, frozen=True, tag="open"):
    """Begin a recording, or go on with one that a former recorder began."""

    number: int
    stem: str
    """The name of its files, see ``recordings.naming``."""
    opened: Opened
    is_ending: bool = False
    """Whether nobody speaks for it any more; it is closed when nothing has come for a while."""


class Begin(msgspec.Struct, frozen=True, tag="begin"):
    """The first order: everything that is under way. What lies in the folder besides is closed as it is."""

    recordings: tuple[OpenRecording, ...]


class TakeFeed(msgspec.Struct, frozen=True, tag="feed"):
    """The socket of one worker comes with this."""


class CloseRecording(msgspec.Struct, frozen=True, tag="close"):
    """The worker that spoke for it is dead: close it with what is there."""

    number: int


RecorderOrder = Begin | OpenRecording | TakeFeed | CloseRecording


# Worker -> recorder. Positions are samples from the start of the recording.


class Chunk(msgspec.Struct, frozen=True, tag="chunk"):
    """Both channels from ``position`` on, in the recording's law; an empty channel is silent."""

    number: int
    position: int
    samples: int
    left: bytes
    right: bytes
    after_loss: bool = False
    """Whether the worker had to drop what came before this."""


class TapSwitched(msgspec.Struct, frozen=True, tag="switched"):
    """The recording is paused, or not, from ``position`` on."""

    number: int
    position: int
    paused: bool


class TapEnded(msgspec.Struct, frozen=True, tag="ended"):
    """The recording ends at ``position``; nothing follows."""

    number: int
    position: int
    after_loss: bool = False


TapMessage = Chunk | TapSwitched | TapEnded


# Recorder -> keeper.


class RecorderBeat(msgspec.Struct, frozen=True, tag="beat"):
    """Sign of life."""

    queued: int
    """Bytes that wait for the disk."""


class Written(msgspec.Struct, frozen=True, tag="written"):
    """A recording is closed. ``number`` is 0 for one of a former ``mediad``."""

    number: int
    session_id: str
    recording_id: str
    path: str
    sha256: str
    samples: int
    truncated: str | None


RecorderReply = RecorderBeat | Written | RecordingHurt
