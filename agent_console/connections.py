"""One browser's socket as the hub knows it: who it is, what it may see, what waits for it, and how it is to end."""

import asyncio
from enum import IntEnum

from agent_console.messages import Intent
from agent_console.outbox import Outbox
from agent_console.ports import Principal
from agent_console.sessions import Session
from agent_console.sight import Sight
from agent_console.throttle import MessageRate

INTENTS_WAITING = 16
"""Intents of one socket that may wait for their turn."""


class CloseCode(IntEnum):
    """Why the server closes a socket (RFC 6455 section 7.4; 4000-4999 are the console's own)."""

    UNSUPPORTED = 1003
    """A binary frame."""
    POLICY = 1008
    """Too many messages, a frame that makes no sense, or no ``hello`` in time."""
    TOO_BIG = 1009
    FAILED = 1011
    RESTART = 1012
    """The web process stops; come back soon."""
    SESSION_ENDED = 4401
    """Signed out, expired or removed: sign in again, do not reconnect."""
    SILENT = 4408
    """Nothing was heard for 25 seconds."""
    SUPERSEDED = 4409
    """The same person opened more sockets than allowed; the oldest goes."""


class Connection:
    """State of one socket. Only the event loop's thread touches it."""

    def __init__(self, principal: Principal, session: Session, *, now: int, outbox_limit: int) -> None:
        self.principal = principal
        self.sight = Sight.of(principal)
        self.session = session
        self.opened_at = now
        self.heard_at = now
        self.greeted = False
        self.phone_id = ""
        """Of this page's phone, empty while it has none."""
        self.outbox = Outbox(limit=outbox_limit)
        self.rate = MessageRate(now=now)
        self.intents: asyncio.Queue[Intent] = asyncio.Queue(maxsize=INTENTS_WAITING)
        self.wake = asyncio.Event()
        """Set when something may be sent."""
        self.closed = asyncio.Event()
        """Set when the socket must end, with ``close_code`` and ``close_reason``."""
        self.close_code = CloseCode.RESTART
        self.close_reason = ""

    def close(self, code: CloseCode, reason: str) -> None:
        """End the socket; the first reason given stands."""
        if not self.closed.is_set():
            self.close_code = code
            self.close_reason = reason
            self.closed.set()
