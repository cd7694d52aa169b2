"""Registered phones on disk: after a restart agents are rung at once, and not only when their phones register again.

Only what a restart leaves standing is kept: phones that are reached by datagrams. Connections die with the process, and
their phones come back by themselves. The file holds addresses, no credentials; only its owner may read it.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

log = structlog.get_logger(__name__)


class KeptBinding(msgspec.Struct, frozen=True, array_like=True):
    """One phone as it is written down; see ``registrar.Binding``."""

    aor: str
    contact: str
    host: str
    port: int
    channel: int
    expires_at: int
    call_id: str
    cseq: int
    instance: str = ""
    device: str = ""
    path: tuple[str, ...] = ()
    made_at: int = 0


def load_bindings(path: Path) -> list[KeptBinding]:
    """What was written; nothing where there is no such file or it cannot be read, which is logged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[KeptBinding])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("sip.bindings_unreadable", error=type(error).__name__)
        return []


def save_bindings(path: Path, bindings: Sequence[KeptBinding]) -> None:
    """Write them, whole or not at all. A disk that fails is logged: phones then have to register after a restart."""
    beside = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(list(bindings)))
        beside.replace(path)
    except OSError as error:
        log.warning("sip.bindings_not_written", error=type(error).__name__)
