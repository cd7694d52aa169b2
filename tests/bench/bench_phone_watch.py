"""What it costs to know that phones live, and how soon it is known that they do not:
``python -m tests.bench.bench_phone_watch [phones]``.

Real datagrams on loopback: so many phones in another process answer each OPTIONS, then all of them lose their power at
once. CPU time is that of the process that asks, sockets and loop included; the yardstick is the same process with
nobody to be asked.
"""

import asyncio
import multiprocessing
import selectors
import socket
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from callcenter.calls.legs import LegEvent
from callcenter.clock import SystemClock
from callcenter.sip.binding_file import KeptBinding
from callcenter.sip.media_keys import MediaRule
from callcenter.sip.settings import SipSettings
from callcenter.sip.user_agent import UserAgent

PHONES = 1_000
SECONDS = 20
LIMIT_SECONDS = 12
HOUR_MS = 3_600_000


class _Everybody:
    """Whoever is called u1, u2 and so on is an agent."""

    def ha1(self, username: str, algorithm: str) -> str | None:
        del username, algorithm
        return None

    def agent_of(self, username: str) -> str | None:
        return username

    def media_rule(self, agent_id: str) -> MediaRule:
        del agent_id
        return MediaRule()


def _phones(control: Connection, count: int) -> None:
    """Phones that answer everything with 200, as most phones do; a message from the other side ends them."""
    chosen = selectors.DefaultSelector()
    ports = []
    for _ in range(count):
        phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        phone.bind(("127.0.0.1", 0))
        phone.setblocking(False)
        ports.append(phone.getsockname()[1])
        chosen.register(phone, selectors.EVENT_READ)
    control.send(ports)
    chosen.register(control, selectors.EVENT_READ)
    while True:
        for key, _ in chosen.select():
            if key.fileobj is control:
                return
            data, source = key.fileobj.recvfrom(4_096)  # type: ignore[union-attr]
            lines = data.decode().split("\r\n")
            kept = [line for line in lines if line.startswith(("Via:", "From:", "Call-ID:", "CSeq:"))]
            to = next(line for line in lines if line.startswith("To:"))
            answer = ["SIP/2.0 200 OK", *kept, f"{to};tag=1", "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY"]
            answer += ["Accept: application/sdp", "Supported: replaces, 100rel", "User-Agent: Desk Phone 1.0"]
            text = "\r\n".join([*answer, "Content-Length: 0", "", ""])
            key.fileobj.sendto(text.encode(), source)  # type: ignore[union-attr]


async def _measure(count: int) -> None:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_phones, args=(theirs, count), daemon=True)
    process.start()
    ports: list[int] = await asyncio.to_thread(ours.recv)
    gone: dict[str, float] = {}

    def heard(agent_id: str, reachable: bool) -> None:
        if not reachable:
            gone[agent_id] = time.monotonic()

    def nobody(event: LegEvent) -> None:
        del event

    agent = UserAgent(
        clock=SystemClock(),
        sink=nobody,
        settings=SipSettings(port=0, realm="bench", max_lag_ms=60_000),
        directory=_Everybody(),
        trunks=[],
        secret=b"b" * 32,
        phones=heard,
    )
    await agent.start()
    idle = await _cpu_ms_per_s(SECONDS / 4)
    now = SystemClock().now()
    kept = [
        KeptBinding(f"u{n}", f"<sip:u{n}@127.0.0.1:{port}>", "127.0.0.1", port, 0, now + HOUR_MS, f"c{n}", 1)
        for n, port in enumerate(ports)
    ]
    agent._station.perform(agent._exchange.restore_bindings(kept, now))
    for n in range(count):
        agent.expect_calls(f"u{n}", wanted=True)
        if n % 20 == 0:
            await _pass(0.05)
    await _pass(5)
    before = agent.counters()["out OPTIONS"]
    busy = await _cpu_ms_per_s(SECONDS)
    asked = (agent.counters()["out OPTIONS"] - before) / SECONDS
    print(f"{count} phones: {asked:.0f} questions a second, {busy:.1f} ms CPU a second ({idle:.1f} with nobody to ask)")
    print(f"{1_000 * (busy - idle) / max(1.0, asked):.0f} microseconds for each question, sockets and answer included")
    ours.send("off")
    off = time.monotonic()
    await _pass(LIMIT_SECONDS)
    waits = sorted(at - off for at in gone.values())
    if waits:
        middle = waits[len(waits) // 2]
        print(f"{len(waits)} known to be gone, half of them within {middle:.1f} s, the last after {waits[-1]:.1f} s")
    process.join(5)
    await agent.stop()


async def _pass(seconds: float) -> None:
    """Let the phones be asked for so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()


async def _cpu_ms_per_s(seconds: float) -> float:
    before = time.process_time()
    await _pass(seconds)
    return 1_000 * (time.process_time() - before) / seconds


if __name__ == "__main__":
    asyncio.run(_measure(int(sys.argv[1]) if len(sys.argv) > 1 else PHONES))
