"""Calls through our SIP front end and through sippy's, by the same SIPp: ``python -m tests.bench.bench_sip [rates]``.

``plain`` is a bridged call (two legs, no media). Rates are tried one after the other, up to the first that is not
carried: a call failed, or one in a hundred got through by retransmission only. The two take turns at each rate, so that
both meet the machine in the same state.
"""

import os
import platform
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from callcenter.sip.measuring import parse_cost_us
from callcenter.sip.transaction_tables import T1
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


Command = Callable[[int, int], list[str]]
"""What starts a program: calls to the first port go to the second."""


def our_command(port: int, gateway_port: int) -> list[str]:
    """The plain bridge through our front end."""
    return [sys.executable, "-m", "tests.bench.plain_bridge", str(port), str(gateway_port)]


def is_carried(row: LoadFigures) -> bool:
    """Whether no call failed, and callers had no reason to send their INVITE again."""
    return not row.failed and row.delay(0.99) < T1


def measure(programs: Mapping[str, Command], rates: Sequence[int]) -> dict[str, list[LoadFigures]]:
    """Calls at each rate by each program in turn, until it does not carry them."""
    rows: dict[str, list[LoadFigures]] = {name: [] for name in programs}
    for rate in rates:
        for name, command in programs.items():
            if rows[name] and not is_carried(rows[name][-1]):
                continue
            port, gateway_port = free_port(), free_port()
            with called_side(gateway_port) as notes, system(command(port, gateway_port), port) as pid:
                rows[name].append(run_load(Load(rate), port, partial(int, pid), notes))
            print(f"{name:16} {rows[name][-1]}", flush=True)
    return rows


def main(rates: Sequence[int] = RATES) -> None:
    """Print every figure."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, load average {os.getloadavg()[0]:.1f}")
    programs: dict[str, Command] = {"callcenter plain": our_command}
    if yardstick.install():
        programs["sippy b2bua"] = yardstick.command
    else:
        print("sippy could not be installed; no yardstick")
    for name, rows in measure(programs, rates).items():
        best = max((row for row in rows if is_carried(row)), key=lambda row: row.load.rate, default=None)
        if best is None:
            print(f"{name}: not even {rates[0]}/s")
        else:
            print(f"{name}: up to {best.load.rate}/s, there {best.cpu_ms_per_call:.2f} ms CPU for a call")
    print(f"reading an INVITE: {parse_cost_us():.1f} us")


if __name__ == "__main__":
    main(tuple(int(each) for each in sys.argv[1:]) or RATES)
