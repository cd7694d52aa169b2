"""Asking a SIP server whether it is there (OPTIONS), as a carrier's monitoring does."""

import asyncio
import itertools
import time

from tests.support.waiting import PAUSE_SECONDS


class _Answers(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answered = asyncio.Event()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.startswith(b"SIP/2.0 200"):
            self.answered.set()

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there now."""


async def until_options_answered(server: tuple[str, int], *, host: str = "127.0.0.2", within: float = 30.0) -> float:
    """Ask again and again until a 200 comes; returns the seconds it took. Raises ``TimeoutError``."""
    started = time.monotonic()
    transport, answers = await asyncio.get_running_loop().create_datagram_endpoint(_Answers, local_addr=(host, 0))
    port = transport.get_extra_info("sockname")[1]
    try:
        async with asyncio.timeout(within):
            for number in itertools.count():
                transport.sendto(_options(server, host, port, number), server)
                try:
                    async with asyncio.timeout(PAUSE_SECONDS):
                        await answers.answered.wait()
                        break
                except TimeoutError:
                    continue
    finally:
        transport.close()
    return time.monotonic() - started


def _options(server: tuple[str, int], host: str, port: int, number: int) -> bytes:
    return (
        f"OPTIONS sip:{server[0]}:{server[1]} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bKping{number};rport\r\n"
        f"From: <sip:ping@{host}>;tag=ping{number}\r\nTo: <sip:{server[0]}>\r\n"
        f"Call-ID: ping-{number}-{port}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()
