"""A mail server of its own (aiosmtpd) that takes everything, or hesitates as it is told."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.ports import free_port


@dataclass
class MailServer:
    """Implements aiosmtpd's handler. Without slots: aiosmtpd reads every attribute of it, and ``__weakref__`` of a
    dataclass with slots cannot be read before Python 3.11.3."""

    port: int
    letters: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """What the next letters are answered with instead of being taken."""
    hesitates: bool = False
    """Whether a letter that was handed over is neither taken nor refused."""
    handed_over: threading.Event = field(default_factory=threading.Event)
    goes_on: threading.Event = field(default_factory=threading.Event)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        """A letter was handed over."""
        del server, session
        self.handed_over.set()
        if self.hesitates:
            await asyncio.to_thread(self.goes_on.wait, 30)
            return "451 4.3.0 not now"
        if self.answers:
            return self.answers.pop(0)
        content: Any = envelope.content
        self.letters.append(message_from_bytes(content, policy=policy.default))
        return "250 2.0.0 taken"


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """One that listens on this machine."""
    server = MailServer(free_port(socket.SOCK_STREAM))
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    try:
        yield server
    finally:
        server.goes_on.set()
        controller.stop()
