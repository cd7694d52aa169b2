"""What the exchange and the journal's writer say to each other: MessagePack, four bytes of length before each message.

The line is a pair of connected stream sockets. Rows and erasures are done in the order in which they come; a line that
ends without ``Close`` is an exchange that died, and what had come until then is written.
"""

import struct
from collections.abc import Iterator

import msgspec

from callcenter.journal_file import Row

_LENGTH = struct.Struct(">I")


class Open(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Exchange, first of all: the journal is this file; answered by ``Opened`` or ``Broken``."""

    path: str


class Write(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Exchange: put these rows on disk; answered by ``Committed``, one answer for as many as are there at a time."""

    rows: list[Row]


class Blank(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Exchange: take what is personal out of a closed call; answered by ``Blanked``."""

    number: int
    call_id: str


class Close(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Exchange: close the file and end; answered by the end of the line."""


class Opened(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Writer: the file is open, and this is its newest sequence number, 0 for none."""

    last: int


class Committed(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Writer: everything up to this sequence number is on disk."""

    seq: int


class Blanked(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Writer: whether the call of this ``Blank`` is without what was personal."""

    number: int
    done: bool


class Broken(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Writer, last of all: the file cannot be opened or written, and why."""

    reason: str


ToWriter = Open | Write | Blank | Close
FromWriter = Opened | Committed | Blanked | Broken

to_writer = msgspec.msgpack.Decoder(ToWriter)
from_writer = msgspec.msgpack.Decoder(FromWriter)
_encoded = msgspec.msgpack.Encoder().encode


def framed(message: ToWriter | FromWriter) -> bytes:
    """A message as bytes of the line."""
    body = _encoded(message)
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Takes messages out of what came over the line."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are complete now."""
        data = self._rest + data if self._rest else data
        at = 0
        while len(data) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(data, at)
            end = at + _LENGTH.size + length
            if end > len(data):
                break
            yield data[at + _LENGTH.size : end]
            at = end
        self._rest = data[at:]
