"""A live view of the messages: what `callcenter sip trace` reads. Bodies are left out; credentials are masked,
in headers and in URIs.

The socket is a file only its owner may open; while nobody listens, tracing costs one comparison for each message.
"""

import asyncio
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Flow
from callcenter.sip.grammar import clean_text
from callcenter.sip.messages import SipRequest
from callcenter.sip.parser import parse

SECRET_HEADERS = ("authorization", "proxy-authorization")
SECRETS_IN_URIS = (
    re.compile(r'(sips?:[^\s<>"@:]*:)[^\s<>"@]*(?=@)', re.IGNORECASE),  # user:password@host
    re.compile(r'([?&](?:proxy-)?authorization=)[^\s<>"&]*', re.IGNORECASE),  # a header in a URI (RFC 3261 19.1.1)
)
LONGEST_READ = 1_000
"""Characters of a line that are looked at; fewer are shown."""
MAX_BEHIND = 256 * 1_024
"""Octets a listener may be behind before it is dropped."""


@dataclass(frozen=True, slots=True)
class TracedMessage:
    """One message as it may be shown."""

    at: int
    """Milliseconds since the epoch."""
    outgoing: bool
    transport: str
    remote: str
    line: str
    """The start line."""
    cseq: str
    sip_call_id: str
    headers: tuple[str, ...] = ()
    """The header lines, secrets masked."""
    body: str = ""
    """What kind of body it has, and how long it is; never the body."""


def traced(data: bytes, flow: Flow, now: int, *, outgoing: bool) -> TracedMessage:
    """A message as it may be shown; one that cannot be read is shown as that."""
    remote = f"{flow.remote[0]}:{flow.remote[1]}"
    try:
        message = parse(data)
    except BadMessage as bad:
        return TracedMessage(now, outgoing, flow.transport, remote, f"(unreadable: {bad.reason})", "", "")
    lines = bytes(message).split(b"\r\n\r\n", 1)[0].decode("utf-8", "replace").split("\r\n")[1:]
    kept: list[str] = []
    hidden = False
    for line in lines:
        name = line.partition(":")[0].strip().lower()
        folded = line[:1] in {" ", "\t"}
        hidden = hidden if folded else name in SECRET_HEADERS
        if not hidden:
            kept.append(_shown(line, 300))
        elif not folded:
            kept.append(f"{line.partition(':')[0]}: ***")
    body = f"{message.content_type or 'unnamed'}, {len(message.body)} octets" if message.body else ""
    uri = message.uri_text if isinstance(message, SipRequest) else ""
    line = f"{message.method} {uri}" if isinstance(message, SipRequest) else f"{message.status} {message.reason}"
    cseq = f"{message.cseq.number} {message.cseq.method}"
    return TracedMessage(
        now, outgoing, flow.transport, remote, _shown(line, 200), cseq, message.call_id, tuple(kept), body
    )


def _shown(line: str, limit: int) -> str:
    line = line[:LONGEST_READ]
    for secret in SECRETS_IN_URIS:
        line = secret.sub(r"\1***", line)
    return clean_text(line, limit)


class TraceServer:
    """Gives every message to whoever listens on the socket, one JSON object for each line."""

    def __init__(self, path: Path, on_watched: Callable[[bool], None]) -> None:
        """``on_watched`` is told whether anybody listens: ``take`` is called in vain while nobody does."""
        self._path = path
        self._on_watched = on_watched
        self._server: asyncio.Server | None = None
        self._listeners: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen. Raises ``OSError``."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        self._path.chmod(0o600)

    async def stop(self) -> None:
        """Let everybody go."""
        for writer in list(self._listeners):
            writer.close()
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._listeners.add(writer)
        self._on_watched(True)
        with suppress(OSError):
            await reader.read()  # until the listener goes
        self._listeners.discard(writer)
        self._on_watched(bool(self._listeners))
        writer.close()

    def take(self, data: bytes, flow: Flow, now: int, *, outgoing: bool) -> None:
        """A message came or went."""
        message = traced(data, flow, now, outgoing=outgoing)
        line = json.dumps({name: getattr(message, name) for name in TracedMessage.__slots__}).encode() + b"\n"
        for writer in list(self._listeners):
            if writer.transport.get_write_buffer_size() > MAX_BEHIND:
                writer.transport.abort()
                self._listeners.discard(writer)
            else:
                writer.write(line)


def ladder_line(message: TracedMessage, width: int = 24) -> str:
    """One rung: time, far end, direction, what was said."""
    seconds, milliseconds = divmod(message.at, 1_000)
    clock = f"{seconds // 3_600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
    arrow = "<---" if message.outgoing else "--->"
    body = f"  [{message.body}]" if message.body else ""
    return f"{clock}  {message.remote:>{width}} {arrow}  {message.line}  ({message.cseq}){body}"
