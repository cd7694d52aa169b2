"""Messages out of a byte stream: by Content-Length (RFC 3261 section 18.3), with keep-alives (RFC 5626)."""

from callcenter.sip.errors import BadMessage
from callcenter.sip.grammar import parse_number
from callcenter.sip.parser import MAX_MESSAGE

PING = b"\r\n\r\n"
"""What a peer sends to ask whether the connection is alive; answered by ``PONG``."""
PONG = b"\r\n"


class StreamFramer:
    """Cuts a stream into whole messages. Each octet is looked at a bounded number of times, however it is chunked."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._needed = 0
        """Length of the message being collected once its head is known, else 0."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take octets, return the whole messages now known, and ``PING`` for each keep-alive between them.

        Raises ``BadMessage`` when the stream can no longer be cut into messages: the connection is to be closed
        once ``remainder`` was answered. Whole messages before that point are returned by the call before.
        """
        self._buffer += data
        frames: list[bytes] = []
        while (frame := self._next(frames)) is not None:
            frames.append(frame)
        return frames

    def remainder(self) -> bytes:
        """What is left when the stream ends or cannot be cut, with its head whole; empty when there is no such thing.

        A fault in it can still be answered, as that of a datagram.
        """
        whole = b"\r\n\r\n" in self._buffer
        return bytes(self._buffer[:MAX_MESSAGE]) if whole else b""

    def _next(self, before: list[bytes]) -> bytes | None:
        buffer = self._buffer
        if not self._needed:
            if buffer.startswith(PING):
                return self._cut(4)
            if PING.startswith(buffer):
                return None
            if buffer.startswith(b"\r\n"):
                self._cut(2)
            end = buffer.find(b"\r\n\r\n", max(0, self._scanned - 3))
            if end < 0:
                self._scanned = len(buffer)
                if len(buffer) > MAX_MESSAGE:
                    raise BadMessage(513, "Message Too Large")
                return None
            try:
                self._needed = end + 4 + self._content_length(bytes(buffer[:end]))
            except BadMessage:
                if before:
                    return None  # the messages before it first; the fault is found again
                raise
            if self._needed > MAX_MESSAGE:
                raise BadMessage(513, "Message Too Large")
        if len(buffer) < self._needed:
            return None
        return self._cut(self._needed)

    def _cut(self, length: int) -> bytes:
        frame = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._scanned = self._needed = 0
        return frame

    @staticmethod
    def _content_length(head: bytes) -> int:
        """The length of the body. Raises ``BadMessage``: on a stream a message without a sound one has no end."""
        found: str | None = None
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.rstrip().lower() in {b"content-length", b"l"}:
                text = value.decode("latin-1").strip()
                if found is not None and found != text:
                    raise BadMessage(400, "Several content-length")
                found = text
        if found is None:
            raise BadMessage(400, "Missing content-length")
        return parse_number(found, "Content-Length", MAX_MESSAGE)
