"""STUN and TURN servers for browsers, with passwords that soon expire. Pure.

A page is told where the servers are each time it reports its phone. Passwords are made as the TURN REST
convention has it (draft-uberti-behave-turn-rest: user name ``expiry:user``, password the base64 of its HMAC-SHA1
with a secret shared with the server), so that no lasting password ever reaches a browser.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from agent_console.softphone import IceServer

PASSWORD_SECONDS = 12 * 3600
"""A shift; a page asks anew when it connects."""


@dataclass(frozen=True, slots=True)
class IceServers:
    """What an installation has: STUN URLs, TURN URLs and the secret shared with the TURN server."""

    stun_urls: Sequence[str] = ()
    turn_urls: Sequence[str] = ()
    turn_secret: bytes = b""
    password_seconds: float = PASSWORD_SECONDS

    def for_agent(self, agent_id: str, *, now: int) -> tuple[IceServer, ...]:
        """The servers for one agent's page; ``now`` in milliseconds since the Unix epoch."""
        servers = []
        if self.stun_urls:
            servers.append(IceServer(tuple(self.stun_urls)))
        if self.turn_urls:
            name = f"{round(now // 1000 + self.password_seconds)}:{agent_id}"
            digest = hmac.new(self.turn_secret, name.encode(), hashlib.sha1).digest()
            servers.append(IceServer(tuple(self.turn_urls), name, base64.b64encode(digest).decode()))
        return tuple(servers)
