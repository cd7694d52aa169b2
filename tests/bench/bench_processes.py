"""What a start of an installation costs, and how long the exchange and the web process are away after a death.

``python -m tests.bench.bench_processes [times]``: a whole installation, each time a new one, executed as an operator
does, and no call in it. CPU of every process from its beginning until the console answers and hears the exchange (the
start), or until the killed one serves again: SIP answers OPTIONS (the exchange), the console answers HTTP (web).
"""

import asyncio
import os
import platform
import socket
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from tests.support.installation import NURSERY, ROLES, Installation, Plan, running_installation
from tests.support.process_table import kill_now

LOOK_SECONDS = 0.005
GIVE_UP_SECONDS = 60.0


def cpu_ms(pid: int) -> float:
    """CPU time of a process and of those it has buried."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) * 1_000 / os.sysconf("SC_CLK_TCK")


def role_of(command: tuple[str, ...]) -> str:
    """What a process is called in the table."""
    words = set(" ".join(command).split())
    found = [name for word, name in ROLES.items() if word in words]
    return found[0] if found else "media nursery and workers" if NURSERY in words else "other"


def spent(house: Installation) -> dict[str, float]:
    """CPU milliseconds so far, by role."""
    found: dict[str, float] = defaultdict(float)
    for row in house.processes():
        found[role_of(row.command)] += cpu_ms(row.pid)
    return dict(found)


def resident_mb(house: Installation) -> float:
    """Memory of all processes, what they share counted once (PSS)."""
    found = 0
    for row in house.processes():
        lines = Path(f"/proc/{row.pid}/smaps_rollup").read_text("ascii").splitlines()
        found += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return found / 1024


def away_ms(look: Callable[[], bool]) -> float:
    """Milliseconds until ``look`` says yes."""
    never = threading.Event()
    began = time.perf_counter()
    while not look():
        if time.perf_counter() - began > GIVE_UP_SECONDS:
            raise TimeoutError("it did not come back")
        never.wait(LOOK_SECONDS)
    return (time.perf_counter() - began) * 1_000


def answers_options(server: tuple[str, int]) -> bool:
    """Whether SIP is served."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.bind(("127.0.0.2", 0))
        sock.settimeout(LOOK_SECONDS * 4)
        host, port = sock.getsockname()
        sock.connect(server)
        asked = (
            f"OPTIONS sip:{server[0]} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{time.monotonic_ns()}\r\n"
            f"From: <sip:a@{host}>;tag=a\r\nTo: <sip:{server[0]}>\r\nCall-ID: {time.monotonic_ns()}\r\n"
            "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
        try:
            sock.send(asked.encode())
            return sock.recv(2_000).startswith(b"SIP/2.0 200")
        except OSError:
            return False


def answers_http(server: tuple[str, int]) -> bool:
    """Whether the console is served."""
    try:
        with closing(socket.create_connection(server, 1)) as sock:
            sock.sendall(b"GET /api/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return sock.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def restarted(house: Installation, role: str, look: Callable[[], bool]) -> tuple[float, float]:
    """Kill the process of a role; milliseconds it was away, CPU milliseconds of its successor until then."""
    pid = house.pid(role)
    kill_now(pid)
    away = away_ms(look)
    return away, cpu_ms(house.pid(role))


def main() -> None:
    """Print the figures."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(times):
        began = time.perf_counter()
        with running_installation(Plan(executed=True)) as house:
            found["start, until it is up"].append((time.perf_counter() - began) * 1_000)
            by_role = spent(house)
            for role, cpu in by_role.items():
                found[f"start, CPU of {role}"].append(cpu)
            found["start, CPU"].append(sum(by_role.values()))
            asyncio.run(house.until_up())
            found["memory, MB"].append(resident_mb(house))
            web = (house.settings.web.host, house.settings.web.port)
            for role, look, where in (("exchange", answers_options, house.sip), ("web", answers_http, web)):
                away, cpu = restarted(house, role, partial(look, where))
                found[f"death of {role}, away"].append(away)
                found[f"death of {role}, CPU"].append(cpu)
            asyncio.run(house.until_up())
            found["memory after both deaths, MB"].append(resident_mb(house))
    print(f"{platform.machine()}, {os.cpu_count()} cores, CPython {platform.python_version()}, {times} times")
    print(f"load average {os.getloadavg()[0]:.1f}\n| ms | median | least | most |\n|---|---|---|---|")
    for name, values in found.items():
        print(f"| {name} | {statistics.median(values):,.0f} | {min(values):,.0f} | {max(values):,.0f} |")


if __name__ == "__main__":
    main()
