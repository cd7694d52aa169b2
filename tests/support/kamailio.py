"""Kamailio in front of an installation, with the configuration that the project ships."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.peers import peer
from tests.support.process_table import udp_sockets
from tests.support.waiting import until

CONFIGURATION = Path(__file__).parents[2] / "sip_configs/kamailio/kamailio.cfg"
HOST = "127.0.0.4"


@dataclass(frozen=True, slots=True)
class Edge:
    """A running Kamailio: where phones and where carriers reach it."""

    phones: tuple[str, int]
    carriers: tuple[str, int]


@asynccontextmanager
async def kamailio(exchange: tuple[str, int], phones: int, carriers: int) -> AsyncIterator[Edge]:
    """Start it in front of ``exchange`` with two UDP ports, and end it."""
    program = peer("kamailio", "/usr/sbin/kamailio")
    with tempfile.TemporaryDirectory(prefix="kamailio-") as name:
        folder = Path(name)
        with (folder / "output.log").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                program, "-f", str(CONFIGURATION), "-DD", "-E", "-m", "32", "-M", "4", "-Y", str(folder),
                "-A", f'EXCHANGE="sip:{exchange[0]}:{exchange[1]}"',
                "-A", f"PHONES=udp:{HOST}:{phones}", "-A", f"CARRIERS=udp:{HOST}:{carriers}",
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip

        def said() -> str:
            return (folder / "output.log").read_text("utf-8", errors="replace")

        def listens() -> bool:
            assert process.returncode is None, said()
            return all(udp_sockets(HOST, port, port) for port in (phones, carriers))

        try:
            await until("Kamailio listens", listens)
            yield Edge((HOST, phones), (HOST, carriers))
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
