"""Bencoding, the form of rtpengine's control messages: integers, byte strings, lists, dictionaries. Pure."""

from collections.abc import Mapping, Sequence

Value = int | str | bytes | Sequence["Value"] | Mapping[str, "Value"]
Decoded = int | bytes | list["Decoded"] | dict[str, "Decoded"]

_DEEPEST = 16


class MalformedBencode(ValueError):
    """A message breaks the form; the text says how."""


def encode(value: Value) -> bytes:
    """A value as bytes; dictionaries in the order of their keys, as the form asks for."""
    match value:
        case int():
            return b"i%de" % value
        case str():
            return encode(value.encode())
        case bytes():
            return b"%d:%s" % (len(value), value)
        case Mapping():
            return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"
        case _:
            return b"l" + b"".join(encode(each) for each in value) + b"e"


def decode(data: bytes) -> Decoded:
    """The one value that ``data`` holds. Raises ``MalformedBencode``."""
    value, end = _decode(data, 0, _DEEPEST)
    if end != len(data):
        raise MalformedBencode("something follows the value")
    return value


def _decode(data: bytes, at: int, depth: int) -> tuple[Decoded, int]:
    first = data[at : at + 1]
    if depth == 0 or not first:
        raise MalformedBencode("too deep or too short")
    if first == b"i":
        end = data.find(b"e", at)
        return _integer(data[at + 1 : end] if end > 0 else b""), end + 1
    if first == b"l":
        values, at = [], at + 1
        while data[at : at + 1] != b"e":
            value, at = _decode(data, at, depth - 1)
            values.append(value)
        return values, at + 1
    if first == b"d":
        return _dictionary(data, at + 1, depth)
    return _string(data, at)


def _dictionary(data: bytes, at: int, depth: int) -> tuple[Decoded, int]:
    values: dict[str, Decoded] = {}
    while data[at : at + 1] != b"e":
        key, at = _string(data, at)
        values[key.decode("utf-8", "replace")], at = _decode(data, at, depth - 1)
    return values, at + 1


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    colon = data.find(b":", at, at + 12)
    size = _integer(data[at:colon]) if colon > 0 else -1
    end = colon + 1 + size
    if size < 0 or end > len(data):
        raise MalformedBencode("a string that is none, or is cut off")
    return data[colon + 1 : end], end


def _integer(text: bytes) -> int:
    digits = text[1:] if text[:1] == b"-" else text
    if not digits.isdigit() or len(digits) > 20:
        raise MalformedBencode("not an integer")
    return int(text)
