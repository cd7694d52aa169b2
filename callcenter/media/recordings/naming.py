"""Where a recording lies: folders by day, names that nobody outside has a say in.

While it is made, its files are in ``open/`` under its name with ``.part``; so what a crash left is found without
looking through years of folders. Names hold the time of day (UTC) and a random part, nothing of the caller, and no
identifier that came from elsewhere.
"""

import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

OPEN_FOLDER = "open"
PLAIN = ".wav"
SEALED = ".wav.sealed"
SIDECAR = ".json"
PART = ".part"
_STEM = re.compile(r"\d{8}-\d{6}-[0-9a-f]{16}")


def new_stem(started_at: int) -> str:
    """The name, without suffix, of a recording that began at this instant (ms since the epoch)."""
    return f"{datetime.fromtimestamp(started_at / 1000, UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(8)}"


def is_stem(stem: str) -> bool:
    """Whether this is a name as ``new_stem`` makes it."""
    return _STEM.fullmatch(stem) is not None


def day_folder(root: Path, stem: str) -> Path:
    """The folder of the day in a name. Raises ``ValueError`` for a name of another form."""
    if not is_stem(stem):
        raise ValueError("not the name of a recording")
    return root / stem[:4] / stem[4:6] / stem[6:8]


def audio_suffix(*, sealed: bool) -> str:
    """The suffix of the audio file."""
    return SEALED if sealed else PLAIN


def sidecar_of(audio: Path) -> Path:
    """The sidecar that belongs to an audio file."""
    return audio.with_name(audio.name.partition(".")[0] + SIDECAR)
