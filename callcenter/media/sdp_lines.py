"""The lines of an SDP description (RFC 8866): which media it has, and what belongs to each. Pure.

Limits come first; what every call of a phone repeats is remembered, within limits.
"""

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from callcenter.errors import MediaError

DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
"""Attributes that say a stream's direction (RFC 8866 section 6.7)."""
_LARGEST = 65536
_MOST_MEDIA = 32
_MOST_ATTRIBUTES = 512
_LONGEST_NUMBER = 10
"""Digits."""
_KEPT_LINE = 120
"""Characters; a longer line is read anew each time, so that strangers can fill a bounded memory only."""


class SdpError(MediaError):
    """A description breaks the format, or asks for something that can never work."""

    code = "sdp-error"


class MediaLine(msgspec.Struct, frozen=True):
    """One ``m=`` line with what belongs to it."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    address: str
    attributes: tuple[tuple[str, str], ...]

    def values(self, name: str) -> Iterator[str]:
        """The values of an attribute, in order."""
        return (value for key, value in self.attributes if key == name)


class SessionDescription(msgspec.Struct, frozen=True):
    """A parsed description: its media lines, with session-level address and direction already handed down."""

    media: tuple[MediaLine, ...]


def number(text: str, most: int) -> int | None:
    """A decimal number of ASCII digits up to ``most``, ``None`` for anything else; long texts never become integers."""
    if not text.isdigit() or not text.isascii() or len(text) > _LONGEST_NUMBER:
        return None
    found = int(text)
    return found if found <= most else None


def parse(text: str) -> SessionDescription:
    """Read a description. Raises ``SdpError`` with what is wrong."""
    if len(text) > _LARGEST:
        raise SdpError("description too large")
    lines = [line for raw in text.split("\n") if (line := raw.strip("\r"))]
    if not lines or lines[0] != "v=0":
        raise SdpError("not SDP version 0")
    if len([1 for line in lines if line[:2] == "a="]) > _MOST_ATTRIBUTES:
        raise SdpError("too many attributes")
    starts = [index for index, line in enumerate(lines) if line.startswith("m=")]
    if len(starts) > _MOST_MEDIA:
        raise SdpError("too many media lines")
    bounds = [*starts, len(lines)]
    common = lines[: bounds[0]]
    return SessionDescription(
        tuple(_media_line(lines[start:end], common) for start, end in zip(starts, bounds[1:], strict=True))
    )


def _media_line(lines: list[str], common: list[str]) -> MediaLine:
    parts = lines[0][2:].split()
    if len(parts) < 4:
        raise SdpError("malformed media line")
    kind, port_text, protocol, *formats = parts
    port = number(port_text.partition("/")[0], 65535)
    if port is None:
        raise SdpError("malformed port")
    address = _connection(lines) or _connection(common) or ""
    attributes = _attributes(lines)
    if not any(name in DIRECTIONS for name, _ in attributes):
        attributes += tuple(pair for pair in _attributes(common) if pair[0] in DIRECTIONS)
    return MediaLine(kind, port, protocol, tuple(formats), address, attributes)


def _connection(lines: list[str]) -> str | None:
    for line in lines:
        if line.startswith("c="):
            parts = line[2:].split()
            if len(parts) != 3:
                raise SdpError("malformed connection line")
            return parts[2].partition("/")[0]
    return None


def _attributes(lines: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        [_attribute(line) if len(line) <= _KEPT_LINE else _read_attribute(line) for line in lines if line[:2] == "a="]
    )


def _read_attribute(line: str) -> tuple[str, str]:
    name, _, value = line[2:].partition(":")
    return name.strip().lower(), value.strip()


_attribute = lru_cache(4_096)(_read_attribute)
"""For lines of ``_KEPT_LINE`` characters at most: every call of a phone repeats the same ones."""
