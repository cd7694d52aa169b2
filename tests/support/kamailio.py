"""Kamailio: in front of an installation with the configuration that the project ships, or as its carrier."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.peers import peer
from tests.support.process_table import udp_sockets
from tests.support.waiting import until

EDGE = Path(__file__).parents[2] / "sip_configs/kamailio/kamailio.cfg"
CARRIER = Path(__file__).parents[1] / "interop/kamailio/carrier.cfg"
HOST = "127.0.0.4"


@dataclass(frozen=True, slots=True)
class Edge:
    """A running Kamailio: where phones and where carriers reach it."""

    phones: tuple[str, int]
    carriers: tuple[str, int]


@asynccontextmanager
async def kamailio(exchange: tuple[str, int], phones: int, carriers: int) -> AsyncIterator[Edge]:
    """Start it in front of ``exchange`` with two UDP ports, and end it."""
    names = {
        "EXCHANGE": f'"sip:{exchange[0]}:{exchange[1]}"',
        "PHONES": f"udp:{HOST}:{phones}",
        "CARRIERS": f"udp:{HOST}:{carriers}",
    }
    async with _running(EDGE, names, (phones, carriers)):
        yield Edge((HOST, phones), (HOST, carriers))


@asynccontextmanager
async def kamailio_carrier(port: int, customer: tuple[str, int], account: str, password: str) -> AsyncIterator[None]:
    """Start it as a carrier that ``account`` registers with; calls of the account go to ``customer``, calls of the
    customer to the account."""
    names = {
        "LISTEN": f"udp:{HOST}:{port}",
        "CUSTOMER": f'"sip:{customer[0]}:{customer[1]}"',
        "ACCOUNT": f'"{account}"',
        "PASSWORD": f'"{password}"',
    }
    async with _running(CARRIER, names, (port,)):
        yield


@asynccontextmanager
async def _running(configuration: Path, names: dict[str, str], ports: tuple[int, ...]) -> AsyncIterator[None]:
    program = peer("kamailio", "/usr/sbin/kamailio")
    defined = [word for name, value in names.items() for word in ("-A", f"{name}={value}")]
    with tempfile.TemporaryDirectory(prefix="kamailio-") as name:
        folder = Path(name)
        with (folder / "output.log").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                program, "-f", str(configuration), "-DD", "-E", "-m", "32", "-M", "4", "-Y", str(folder), *defined,
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip

        def said() -> str:
            return (folder / "output.log").read_text("utf-8", errors="replace")

        def listens() -> bool:
            assert process.returncode is None, said()
            return all(udp_sockets(HOST, port, port) for port in ports)

        try:
            await until("Kamailio listens", listens)
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
