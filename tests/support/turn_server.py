"""A real TURN server (coturn) on loopback, with the configuration that is shipped."""

import asyncio
import random
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.peers import peer
from tests.support.ports import free_port
from tests.support.process_table import udp_sockets
from tests.support.waiting import until

CONFIGURATION = Path(__file__).parents[2] / "sip_configs" / "coturn" / "turnserver.conf"
RELAYED_PORTS = 40


@dataclass(frozen=True, slots=True)
class TurnServer:
    """Where it listens, and the secret it shares with the exchange."""

    port: int
    secret: str
    log: Path
    first: int
    """The lowest of its relayed ports."""

    @property
    def url(self) -> str:
        """As pages are told."""
        return f"turn:127.0.0.1:{self.port}?transport=udp"

    @property
    def environment(self) -> tuple[tuple[str, str], ...]:
        """What an installation must be told to use it."""
        return (
            ("CALLCENTER_MEDIA__WEBRTC__TURN_URLS", f'["{self.url}"]'),
            ("CALLCENTER_MEDIA__WEBRTC__TURN_SECRET", self.secret),
        )

    def said(self) -> str:
        """Everything it logged so far."""
        return self.log.read_text("utf-8", errors="replace") if self.log.exists() else ""


@asynccontextmanager
async def running_turn_server(folder: Path, *, after: TurnServer | None = None) -> AsyncIterator[TurnServer]:
    """Start one, and kill it at the end; its relayed ports lie outside of those that the kernel gives out.

    ``after`` is one that was killed: this one is in its place, relays by other ports, and has forgotten its clients.
    """
    program = peer("turnserver", "/usr/bin/turnserver")
    firsts = [*range(61_100, 65_000 - RELAYED_PORTS, RELAYED_PORTS)]
    if after is not None:
        firsts.remove(after.first)
    first = random.SystemRandom().choice(firsts)
    port, secret = (
        (free_port(socket.SOCK_DGRAM), secrets.token_hex(16)) if after is None else (after.port, after.secret)
    )
    server = TurnServer(port, secret, folder / "turn.log", first)
    process = await asyncio.create_subprocess_exec(
        program,
        "-c",
        str(CONFIGURATION),
        "--listening-ip=127.0.0.1",
        "--relay-ip=127.0.0.1",
        f"--listening-port={port}",
        f"--min-port={first}",
        f"--max-port={first + RELAYED_PORTS - 1}",
        f"--static-auth-secret={server.secret}",
        "--allow-loopback-peers",
        "--no-tls",
        "--no-dtls",
        "--verbose",
        "--simple-log",
        f"--log-file={server.log}",
        f"--pidfile={folder / 'turn.pid'}",
        f"--userdb={folder / 'turn.db'}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await until("the TURN server listens", lambda: bool(udp_sockets("127.0.0.1", port, port + 1)))
        yield server
    finally:
        if process.returncode is None:
            process.kill()
        async with asyncio.timeout(10):
            await process.wait()
