"""The browsers' process as the keeper sees it: started with the public socket, and again when it dies.

The socket belongs to the keeper, so a successor gets the same port. Its calls are not lost by a death: the
exchange asks the browsers to come again, and meanwhile their legs wait at the RTP workers.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time

import structlog

from callcenter.media.mediad.settings import MediaSettings

log = structlog.get_logger(__name__)

_LONGEST_PAUSE = 5.0
_QUICK_DEATH = 10.0
_EXPEDITED = 0xB8
"""Type of service: DSCP EF (RFC 3246)."""
_BUFFER = 1 << 20
STOP_WITHIN = 3.0
"""Seconds it has to leave by itself."""


def browsers_socket(media_socket: str) -> str:
    """Where the browsers' process listens for the exchange, beside the socket of ``mediad``."""
    return f"{media_socket}.browsers"


class BrowsersLine:
    """One process at a time. Without ``browser_port`` in the settings there is none."""

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._sock: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._tether: int | None = None
        """Our end of a pipe; the process leaves when it closes, even if we are killed."""
        self._started_at = 0.0
        self._due_at: float | None = None
        self._quick_deaths = 0
        self.deaths = 0

    @property
    def pid(self) -> int:
        """Its process id, 0 when there is none."""
        return 0 if self._process is None else self._process.pid

    def start(self) -> None:
        """Bind the port and start the process. A port that is taken costs the browsers, not the phones."""
        port = self._settings.browser_port
        if port is None:
            return
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        try:
            self._sock.bind((self._settings.browser_host or self._settings.host, port))
        except OSError as error:
            log.error("media.browser_port_taken", port=port, error=error.strerror)
            self._sock.close()
            self._sock = None
            return
        self._begin()

    def watch(self) -> None:
        """Replace a process that died; to be called a few times a second."""
        if self._process is not None and self._process.poll() is not None:
            self._bury(self._process)
        if self._due_at is not None and time.monotonic() >= self._due_at:
            self._begin()

    async def close(self) -> None:
        """End it."""
        process, self._process, self._due_at = self._process, None, None
        self._let_go()
        if process is not None:
            try:
                await asyncio.to_thread(process.wait, STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._sock is not None:
            self._sock.close()

    def _begin(self) -> None:
        if self._sock is None:
            return
        self._due_at = None
        self._started_at = time.monotonic()
        settings = self._settings
        host = settings.browser_host or settings.host
        theirs, self._tether = os.pipe()
        arguments = [
            "--descriptor", str(self._sock.fileno()),
            "--tether", str(theirs),
            "--socket", browsers_socket(settings.socket_path),
            "--addresses", ",".join(settings.browser_addresses or (host,)),
            "--inner-host", settings.host,
        ]  # fmt: skip
        if settings.realtime:
            arguments.append("--realtime")
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "callcenter.media.mediad.browsers", *arguments],
            stdin=subprocess.DEVNULL,
            pass_fds=[self._sock.fileno(), theirs],
        )
        os.close(theirs)

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        log.error("media.browsers_died", pid=process.pid, code=process.returncode)
        self._process = None
        self._let_go()
        self.deaths += 1
        quick = time.monotonic() - self._started_at < _QUICK_DEATH
        self._quick_deaths = self._quick_deaths + 1 if quick else 0
        pause = 0.0 if not quick else min(_LONGEST_PAUSE, 0.1 * 2**self._quick_deaths)
        self._due_at = time.monotonic() + pause

    def _let_go(self) -> None:
        if self._tether is not None:
            os.close(self._tether)
            self._tether = None
