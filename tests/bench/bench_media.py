"""Media of this machine, and rtpengine (userspace, one thread) on the same generator as the yardstick.

Run as ``python -m tests.bench.bench_media [calls ...]``: the figures of ``callcenter bench media``, then so many
relayed calls through our worker with either loop and through rtpengine, one after the other on the same core, and how
many of them each carries within a limit.
"""

import asyncio
import contextlib
import os
import platform
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from callcenter.media.measuring import measure
from callcenter.media.mediad.settings import RelayLoop
from callcenter.media.sdp import build_answer, build_offer, read_answer, read_offer
from callcenter.media.traffic import TrafficFigures, TrafficLeg, exchange

SECONDS = 4.0
CALLS = [100, 200, 300, 400, 600]
LIMITS_MS = (5.0, 20.0)
"""Added delay at the 99th percentile that is compared."""


@dataclass(frozen=True, slots=True)
class Run:
    """So many calls through one relay."""

    calls: int
    p50_ms: float | None
    p99_ms: float | None
    lost: int
    cpu_percent: float

    def is_within(self, limit_ms: float) -> bool:
        """Whether all packets came, and in time."""
        return self.lost == 0 and self.p99_ms is not None and self.p99_ms < limit_ms


def main() -> None:
    """Measure and print."""
    print(f"{platform.platform()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    for what, value in asdict(
        measure(relayed=200, mixed=150, recorded=200, waiting=500, browsers=75, seconds=SECONDS)
    ).items():
        print(f"{what:22} {value}")
    relays: dict[str, Callable[[int], Run]] = {"python": lambda calls: _ours(calls, "python")}
    if find_spec("numba") is not None:
        relays["compiled"] = lambda calls: _ours(calls, "compiled")
    if shutil.which("rtpengine") is not None:
        relays["rtpengine"] = lambda calls: asyncio.run(_yardstick(calls))
    print("calls  relay       CPU %   p50 ms  p99 ms    lost")
    runs: dict[str, list[Run]] = {name: [] for name in relays}
    for calls in [int(number) for number in sys.argv[1:]] or CALLS:
        for name, relay in relays.items():
            run = relay(calls)
            runs[name].append(run)
            print(f"{calls:5}  {name:10} {run.cpu_percent:6.1f} {run.p50_ms!s:>8} {run.p99_ms!s:>7} {run.lost:7}")
    for name, done in runs.items():
        for limit in LIMITS_MS:
            best = max((run for run in done if run.is_within(limit)), key=lambda run: run.calls, default=None)
            told = "none" if best is None else f"{best.calls} calls with {best.cpu_percent} % of a core"
            print(f"{name:10} within {limit:.0f} ms: {told}")


def _ours(calls: int, loop: RelayLoop) -> Run:
    """Relayed calls through one of our workers."""
    done = measure(relayed=calls, mixed=0, recorded=0, waiting=0, browsers=0, seconds=SECONDS, loop=loop)
    return Run(calls, done.relayed_p50_ms, done.relayed_p99_ms, done.lost_packets, done.relayed_cpu_percent)


async def _yardstick(calls: int) -> Run:
    """Relayed calls through an rtpengine that is given what our worker is given: a core, and real time."""
    with _rtpengine() as (process, ask):
        legs: list[TrafficLeg] = []
        for number in range(calls):
            legs += _call(ask, f"call-{number}")
        cores = sorted(os.sched_getaffinity(0))
        _favour(process.pid, cores[-1])
        os.sched_setaffinity(0, set(cores[:-1]) or set(cores))
        before, wall = _cpu_seconds(process.pid), time.monotonic()
        figures: TrafficFigures = await asyncio.to_thread(exchange, legs, seconds=SECONDS)
        cpu = (_cpu_seconds(process.pid) - before) / (time.monotonic() - wall)
        os.sched_setaffinity(0, set(cores))
        for leg in legs:
            leg.sock.close()
        return Run(calls, figures.percentile_ms(0.5), figures.percentile_ms(0.99), figures.lost, round(100 * cpu, 1))


def _favour(pid: int, core: int) -> None:
    """Give every thread of a process this core, in real time."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(int(task.name), os.SCHED_RR, os.sched_param(10))


@contextlib.contextmanager
def _rtpengine() -> Iterator[tuple[subprocess.Popen[bytes], Callable[[dict[str, object]], dict[str, object]]]]:
    """A running rtpengine and a way to ask it."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(2.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        "rtpengine", "--table=-1", "--num-threads=1", "--interface=127.0.0.1", f"--listen-ng=127.0.0.1:{port}",
        "--port-min=20000", "--port-max=29999", "--foreground", "--log-stderr", "--log-level=3", "--pidfile=/dev/null",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(order: dict[str, object]) -> dict[str, object]:
        cookie = secrets.token_hex(6).encode()
        for _ in range(20):
            try:
                sock.sendto(cookie + b" " + _bencoded(order), ("127.0.0.1", port))
                data = sock.recv(65536)
            except (TimeoutError, ConnectionError):
                continue
            echoed, _, body = data.partition(b" ")
            if echoed == cookie:
                answer, _ = _bdecoded(body, 0)
                assert isinstance(answer, dict)
                assert answer.get("result") in {"ok", "pong"}, answer
                return answer
        raise TimeoutError("rtpengine does not answer")

    try:
        ask({"command": "ping"})
        yield process, ask
    finally:
        process.terminate()
        process.wait()
        sock.close()


def _call(ask: Callable[[dict[str, object]], dict[str, object]], call_id: str) -> list[TrafficLeg]:
    caller, agent = TrafficLeg.open(), TrafficLeg.open()
    common: dict[str, object] = {"call-id": call_id, "from-tag": "a", "rtcp-mux": ["accept"], "ICE": "remove"}
    offered = ask({**common, "command": "offer", "sdp": build_offer(caller.local)})
    offer = read_offer(str(offered["sdp"]))
    agent.agree(offer.audio)
    answer = build_answer(offer, agent.local)
    answered = ask({**common, "command": "answer", "to-tag": "b", "sdp": answer})
    caller.agree(read_answer(str(answered["sdp"])))
    return [caller, agent]


def _bencoded(value: object) -> bytes:
    match value:
        case dict():
            inner = b"".join(_bencoded(key) + _bencoded(each) for key, each in sorted(value.items()))
            return b"d" + inner + b"e"
        case list():
            return b"l" + b"".join(_bencoded(each) for each in value) + b"e"
        case int():
            return b"i%de" % value
        case _:
            text = str(value).encode()
            return b"%d:%b" % (len(text), text)


def _bdecoded(data: bytes, at: int) -> tuple[object, int]:
    if data[at : at + 1] == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1 : end]), end + 1
    if data[at : at + 1] in (b"l", b"d"):
        kind, items, at = data[at : at + 1], [], at + 1
        while data[at : at + 1] != b"e":
            item, at = _bdecoded(data, at)
            items.append(item)
        if kind == b"l":
            return items, at + 1
        return dict(zip([str(key) for key in items[::2]], items[1::2], strict=True)), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1 : end].decode(errors="replace"), end


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
