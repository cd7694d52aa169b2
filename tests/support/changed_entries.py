"""Entries of a journal as they were not written: what a recount and a replay have to find."""

from dataclasses import replace
from typing import Any

import msgspec


def with_fields(entry: Any, /, **fields: Any) -> Any:
    """The entry with other values, whichever form its type has."""
    return msgspec.structs.replace(entry, **fields) if isinstance(entry, msgspec.Struct) else replace(entry, **fields)
