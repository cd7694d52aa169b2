"""What of a journal entry is about a person, and the entry without it. Pure.

An erased person's entries stay where they are: every sequence number, every instant, every figure. Only names, numbers
and what agents wrote become a tombstone; what was empty stays empty. Whatever replays, recounts or explains the journal
afterwards comes to the same results. (The identity by which routing keeps a place is a keyed digest and stays:
decisions were taken on it.)
"""

from typing import Any

import msgspec

TOMBSTONE = "erased"
KINDS = (
    "call.",
    "callback.",
    "wrap_up.recorded",
    "voicemail.",
    "item.",
    "card_entry.",
    "conversation.scored",
    "survey.",
)
"""Beginnings of the kinds of entries that tell of people; those of routing know contacts and agents only."""
PERSONAL = frozenset(
    {
        "caller",
        "caller_name",
        "name",
        "notes",
        "number",
        "dialled",
        "token",
        "last4",
        "diverted_from",
        "comment",
        "text",
    }
)
"""Fields that tell who it was, wherever they stand in an entry."""
_INBOUND = "inbound"


def tombstone(value: str) -> str:
    """What stands in the place of a personal text; what was empty stays empty."""
    return TOMBSTONE if value else ""


def blanked(kind: str, body: bytes) -> bytes | None:
    """The body of an entry (MessagePack) without what is personal; ``None`` when nothing in it is."""
    if not kind.startswith(KINDS):
        return None
    entry = msgspec.msgpack.decode(body)
    told = _blank(entry)
    return msgspec.msgpack.encode(told) if told != entry else None


def _blank(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _field(key, each, value) for key, each in value.items()}
    return [_blank(each) for each in value] if isinstance(value, list) else value


def _field(key: str, value: Any, within: dict[str, Any]) -> Any:
    if isinstance(value, str) and _is_personal(key, within):
        return tombstone(value)
    return _blank(value)


def _is_personal(key: str, within: dict[str, Any]) -> bool:
    if key == "called":
        return bool(within.get("direction", _INBOUND) != _INBOUND)
    if key == "target":
        return bool(within.get("target_kind") == "number")
    return key in PERSONAL
