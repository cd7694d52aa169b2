"""The sidecar of a recording: one line of JSON for each fact, appended as it happens.

The first line is known from the start, so a recording whose end nobody wrote can still be attributed; the last line
closes it. Positions are samples (8 kHz) from the start.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from callcenter.errors import MediaError
from callcenter.media.law import SAMPLE_RATE


class Opened(msgspec.Struct, frozen=True, tag="opened", omit_defaults=False):
    """The recording began."""

    recording_id: str
    session_id: str
    left: str
    right: str
    """The legs heard in the two channels."""
    started_at: int
    """Milliseconds since the epoch."""
    law: str
    retention: str
    epoch: int
    """Of the exchange that ordered it."""
    key_name: str = ""
    """The key it is encrypted with; empty when it is not."""


class Paused(msgspec.Struct, frozen=True, tag="paused"):
    """From here on nothing is recorded."""

    position: int


class Resumed(msgspec.Struct, frozen=True, tag="resumed"):
    """From here on it is recorded again."""

    position: int


class Missing(msgspec.Struct, frozen=True, tag="missing"):
    """Audio was lost and is silence in the file."""

    position: int
    samples: int
    reason: str


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The recording is closed."""

    samples: int
    sha256: str
    truncated: str | None


Fact = Opened | Paused | Resumed | Missing | Finished

_decoder = msgspec.json.Decoder(Fact)


class SidecarError(MediaError):
    """A sidecar is damaged."""

    code = "recording-sidecar-damaged"


@dataclass(slots=True)
class Sidecar:
    """A sidecar as read."""

    opened: Opened
    pauses: list[tuple[int, int | None]] = field(default_factory=list)
    """From and to, in samples; ``None`` while it lasts."""
    missing: list[Missing] = field(default_factory=list)
    finished: Finished | None = None

    @property
    def is_paused(self) -> bool:
        """Whether a pause has not ended."""
        return bool(self.pauses) and self.pauses[-1][1] is None

    def add(self, fact: Fact) -> None:
        """Take one more line. Raises ``SidecarError``."""
        match fact:
            case Paused(position):
                if not self.is_paused:
                    self.pauses.append((position, None))
            case Resumed(position):
                if self.is_paused:
                    self.pauses[-1] = (self.pauses[-1][0], position)
            case Missing():
                self.missing.append(fact)
            case Finished():
                self.finished = fact
            case Opened():
                raise SidecarError("a second first line")

    @property
    def truncated(self) -> str | None:
        """Why audio is missing, as far as it is known."""
        if self.finished is not None:
            return self.finished.truncated
        return self.missing[0].reason if self.missing else None

    @property
    def duration_ms(self) -> int:
        """Length of a finished recording, else 0."""
        return 0 if self.finished is None else milliseconds(self.finished.samples)


def milliseconds(samples: int) -> int:
    """The duration of so many samples."""
    return samples * 1000 // SAMPLE_RATE


def lines(facts: Sequence[Fact]) -> bytes:
    """Facts as lines."""
    return b"".join(msgspec.json.encode(fact) + b"\n" for fact in facts)


def parse_sidecar(content: bytes) -> Sidecar:
    """Read the lines; a last line that is torn is left out. Raises ``SidecarError``."""
    facts: list[Fact] = []
    rows = content.split(b"\n")
    for number, row in enumerate(rows):
        try:
            if row:
                facts.append(_decoder.decode(row))
        except msgspec.DecodeError:
            if number < len(rows) - 1:
                raise SidecarError("a line cannot be read") from None
    if not facts or not isinstance(facts[0], Opened):
        raise SidecarError("the first line is missing")
    sidecar = Sidecar(facts[0])
    for fact in facts[1:]:
        sidecar.add(fact)
    return sidecar


def read_sidecar(path: Path) -> Sidecar:
    """Read a sidecar. Raises ``OSError`` or ``SidecarError``."""
    return parse_sidecar(path.read_bytes())
