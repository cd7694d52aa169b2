"""Calls through our SIP front end and through sippy's, by the same SIPp: ``python -m tests.bench.bench_sip [rates]``.

``plain`` is a bridged call (two legs, no media). Rates are tried one after the other, up to the first that fails.
"""

import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from callcenter.sip.measuring import parse_cost_us
from tests.bench import yardstick
from tests.bench.sipp_load import Load, LoadFigures, called_side, free_port, run_load

ROOT = Path(__file__).parents[2]
RATES = (50, 100, 200, 300, 400)


@contextmanager
def system(command: Sequence[str], port: int) -> Iterator[int]:
    """A program under test, once it answers at this port of 127.0.0.1; yields its process id."""
    environment = {**os.environ, "SIPLOG_BEND": "none"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        await_answer(port)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_answer(port: int, attempts: int = 100) -> None:
    """Ask for its options until it says anything. Raises ``SystemExit`` after 20 seconds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind(("127.0.0.1", 0))
        asking.settimeout(0.2)
        own = f"127.0.0.1:{asking.getsockname()[1]}"
        for attempt in range(attempts):
            request = (
                f"OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{attempt}\r\n"
                f"From: <sip:a@{own}>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: {attempt}@{own}\r\nMax-Forwards: 70\r\n"
                f"CSeq: 1 OPTIONS\r\nContact: <sip:a@{own}>\r\nContent-Length: 0\r\n\r\n"
            )
            try:
                asking.sendto(request.encode(), ("127.0.0.1", port))
                asking.recv(4_096)
                return
            except OSError:
                continue
    raise SystemExit(f"nothing answers at port {port}")


def measure(name: str, rates: Sequence[int], *, ours: bool) -> list[LoadFigures]:
    """Calls at each rate until some fail."""
    rows = []
    for rate in rates:
        port, gateway_port = free_port(), free_port()
        command = (
            [sys.executable, "-m", "tests.bench.plain_bridge", str(port), str(gateway_port)]
            if ours
            else yardstick.command(port, gateway_port)
        )
        with called_side(gateway_port) as notes, system(command, port) as pid:
            rows.append(run_load(Load(rate), port, lambda pid=pid: pid, notes))
        print(f"{name:16} {rows[-1]}", flush=True)
        if rows[-1].failed:
            break
    return rows


def main(rates: Sequence[int] = RATES) -> None:
    """Print every figure."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, load average {os.getloadavg()[0]:.1f}")
    ours = measure("callcenter plain", rates, ours=True)
    if not yardstick.install():
        print("sippy could not be installed; no yardstick")
        return
    theirs = measure("sippy b2bua", rates, ours=False)
    best = [max((row.load.rate for row in rows if not row.failed), default=0) for rows in (ours, theirs)]
    print(f"highest rate without a failed call: ours {best[0]}/s, sippy {best[1]}/s")
    costs = [rows[0].cpu_ms_per_call for rows in (ours, theirs)]
    print(f"CPU of a call at {rates[0]}/s: ours {costs[0]:.2f} ms, sippy {costs[1]:.2f} ms")
    print(f"reading an INVITE: {parse_cost_us():.1f} us")


if __name__ == "__main__":
    main(tuple(int(each) for each in sys.argv[1:]) or RATES)
