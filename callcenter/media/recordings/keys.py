"""The keys that recordings are encrypted with: a small file, kept apart from the recordings.

One line for each key, ``name:64 hexadecimal digits``. The last line is the key for new recordings; the others stay for
reading old ones, so a key is changed by appending a line.
"""

import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from callcenter.errors import MediaError

KEY_BYTES = 32
_LINE = re.compile(r"([a-z0-9][a-z0-9-]{0,31}):([0-9a-f]{64})")


class RecordingKeyError(MediaError):
    """The key file is missing, damaged or lacks the key a recording was made with; the text never shows a key."""

    code = "recording-key-error"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by name; ``current`` names the one for new recordings."""

    current: str
    keys: dict[str, bytes] = field(repr=False)

    def key(self, name: str) -> bytes:
        """The key of this name. Raises ``RecordingKeyError``."""
        try:
            return self.keys[name]
        except KeyError:
            raise RecordingKeyError("the key of this recording is not in the key file") from None


def load_keys(path: Path) -> KeyRing:
    """Read a key file. Raises ``RecordingKeyError``."""
    try:
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingKeyError(f"the key file cannot be read: {type(error).__name__}") from error
    keys: dict[str, bytes] = {}
    for number, line in enumerate(filter(None, (line.strip() for line in text.splitlines())), start=1):
        found = _LINE.fullmatch(line)
        if found is None or found[1] in keys:
            raise RecordingKeyError(f"the key file is damaged in entry {number}")
        keys[found[1]] = bytes.fromhex(found[2])
    if not keys:
        raise RecordingKeyError("the key file is empty")
    return KeyRing([*keys][-1], keys)


def ensure_key_file(path: Path) -> KeyRing:
    """Read a key file, made with one new key (readable by the owner only) when there is none.

    Raises ``RecordingKeyError``. To be called when an installation is set up, never by the recorder: a key made because
    a disk was not mounted would be lost with the recordings.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return load_keys(path)
    except OSError as error:
        raise RecordingKeyError(f"the key file cannot be made: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"key-{secrets.token_hex(4)}:{secrets.token_hex(KEY_BYTES)}\n")
        file.flush()
        os.fsync(file.fileno())
    return load_keys(path)
