"""A site's payment system over real TLS, as odd as a test wants it."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.sip_certificates import new_certificate


@dataclass(slots=True)
class PaymentSite:
    """``requests`` are those that came: headers (lower case), and the body. ``reply`` is sent to each as it is."""

    url: str = ""
    ca_file: Path = Path()
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    reply: bytes = b""
    is_silent: bool = False
    """Take requests and never answer."""

    def answer(self, told: Any, *, status: str = "200 OK", more: str = "") -> None:
        """Answer with JSON from now on."""
        body = json.dumps(told).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}"
        self.reply = f"{head}Connection: close\r\n\r\n".encode() + body

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests.append((headers, body))
            if self.is_silent:
                await reader.read()
                return
            writer.write(self.reply)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def running_payment_site(folder: Path) -> AsyncIterator[PaymentSite]:
    """Serve on loopback with a certificate of its own authority."""
    tls = new_certificate(folder, "127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.certificate, tls.key)
    site = PaymentSite(ca_file=tls.certificate)
    site.answer({"result": "stored", "token": "tok_1", "last4": "1111", "message": "Card stored"})
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=context)
    site.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/cards"
    async with server:
        yield site
