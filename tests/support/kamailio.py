"""Kamailio: in front of an installation with the configuration that the project ships, or as its carrier."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from callcenter.sip.tls import TlsSettings
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
async def kamailio(
    exchange: tuple[str, int], phones: int, carriers: int, *, tls: TlsSettings | None = None, ports: Sequence[int] = ()
) -> AsyncIterator[Edge]:
    """Start it in front of ``exchange`` with two UDP ports, and end it. With ``tls`` both doors take TCP and TLS, too,
    at the four ``ports``: phones by TCP and TLS, carriers by TCP and TLS."""
    names = {
        "EXCHANGE": f'"sip:{exchange[0]}:{exchange[1]}"',
        "PHONES": f"udp:{HOST}:{phones}",
        "CARRIERS": f"udp:{HOST}:{carriers}",
    }
    if tls is not None:
        for name, port in zip(("PHONES_TCP", "PHONES_TLS", "CARRIERS_TCP", "CARRIERS_TLS"), ports, strict=True):
            names[name] = f"{name[-3:].lower()}:{HOST}:{port}"
        names |= {"CERTIFICATE": f'"{tls.certificate}"', "KEY": f'"{tls.key}"'}
    async with _running(EDGE, names, (phones, carriers), tuple(ports)):
        yield Edge((HOST, phones), (HOST, carriers))


@asynccontextmanager
async def kamailio_carrier(
    port: int,
    customer: tuple[str, int],
    account: str,
    password: str,
    *,
    stream: tuple[str, int] | None = None,
    tls: TlsSettings | None = None,
) -> AsyncIterator[None]:
    """Start it as a carrier that ``account`` registers with; calls of the account go to ``customer``, calls of the
    customer to the account. ``stream``: ``tcp`` or ``tls`` and a port that it takes them at besides UDP."""
    names = {
        "LISTEN": f"udp:{HOST}:{port}",
        "CUSTOMER": f'"sip:{customer[0]}:{customer[1]}"',
        "ACCOUNT": f'"{account}"',
        "PASSWORD": f'"{password}"',
    }
    if stream is not None:
        names["STREAM"] = f"{stream[0]}:{HOST}:{stream[1]}"
    if tls is not None:
        names |= {"CERTIFICATE": f'"{tls.certificate}"', "KEY": f'"{tls.key}"'}
    async with _running(CARRIER, names, (port,), () if stream is None else (stream[1],)):
        yield


@asynccontextmanager
async def _running(
    configuration: Path, names: dict[str, str], ports: tuple[int, ...], streams: tuple[int, ...] = ()
) -> AsyncIterator[None]:
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

        async def takes_connections() -> bool:
            for each in streams:  # its processes for streams come up after those for datagrams
                try:
                    _, writer = await asyncio.open_connection(HOST, each)
                except OSError:
                    return False
                writer.close()
            return True

        try:
            await until("Kamailio listens", listens)
            await until("Kamailio takes connections", takes_connections)
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
