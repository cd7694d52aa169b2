"""The installation's own key, made on first use."""

import os
import secrets
from pathlib import Path

from callcenter.errors import ConfigError

KEY_BYTES = 32


def installation_key(path: Path) -> bytes:
    """The key in ``path``, made there (readable by the owner only) when it is missing. Raises ``ConfigError``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_bytes()
        else:
            key = secrets.token_bytes(KEY_BYTES)
            with os.fdopen(descriptor, "wb") as file:
                file.write(key)
    except OSError as error:
        raise ConfigError(f"{path}: the installation key cannot be read or made: {error.strerror}") from error
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"{path}: is damaged ({len(key)} bytes instead of {KEY_BYTES}); remove it to have a new one made"
        )
    return key
