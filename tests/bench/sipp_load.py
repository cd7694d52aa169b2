"""Calls made and taken by SIPp on loopback, and what they say of whatever stands between the two.

The generator shares the machine with what it measures. So the CPU time of the process under test is the figure to
compare, and delays are worse than on machines of their own.
"""

import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

SCENARIOS = Path(__file__).parent / "sipp"
CALLER_HOST = "127.0.0.2"
TICKS = os.sysconf("SC_CLK_TCK")
_ARRIVED = re.compile(r"arrived \+?1646(\d+) \S+\s+\S+\s+(\d+\.\d+)")


@dataclass(frozen=True, slots=True)
class Load:
    """What to make: calls a second for so many seconds, each up for ``hold_ms``."""

    rate: int
    seconds: int = 6
    hold_ms: int = 1_000
    number: str = "5000"
    patient: bool = False
    """Whether a 503 is taken as what it is: acknowledged and counted as failed, without any fuss."""

    @property
    def calls(self) -> int:
        """Calls in all."""
        return self.rate * self.seconds


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """What came of it."""

    load: Load
    succeeded: int
    failed: int
    calls_per_s: float
    cpu_ms_per_call: float
    """Of the process under test, for each call that succeeded."""
    generator_cpu_ms_per_call: float
    offering_s: float
    """From the first call's INVITE to the last one's: how long it took the generator to make them."""
    delays_ms: tuple[float, ...] = field(repr=False)
    """From the caller's INVITE on the line to the INVITE on the other side, sorted."""

    def delay(self, share: float) -> float:
        """The delay that this share of the calls did not pass."""
        return self.delays_ms[min(len(self.delays_ms) - 1, int(len(self.delays_ms) * share))] if self.delays_ms else -1

    def __str__(self) -> str:
        return (
            f"{self.load.rate:5}/s offered  {self.succeeded:5} ok {self.failed:4} failed  {self.calls_per_s:6.1f}/s  "
            f"{self.cpu_ms_per_call:6.2f} ms CPU/call  "
            f"delay p50 {self.delay(0.5):7.2f} p99 {self.delay(0.99):7.2f} ms  "
            f"(generator {self.generator_cpu_ms_per_call:.2f} ms CPU/call)"
        )


def free_port() -> int:
    """A port that nobody has now, for UDP or TCP. The highest ones: from the others come the ports of connections."""
    while True:
        port = random.randrange(61_000, 65_000)
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in RAM."""
    return int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1]) * resource.getpagesize()


@contextmanager
def called_side(port: int) -> Iterator[Path]:
    """SIPp answering calls at 127.0.0.1; yields the folder of its notes."""
    program = shutil.which("sipp")
    if program is None:
        raise SystemExit("SIPp is not installed; see .ci/setup")
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["-sf", str(SCENARIOS / "uas.xml"), "-i", "127.0.0.1", "-p", str(port), "-nostdin", "-trace_logs"]
        arguments += ["-log_file", "arrived.log", "-buff_size", "4194304"]
        process = subprocess.Popen(
            [program, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield Path(folder)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def run_load(load: Load, port: int, pid: Callable[[], int], notes: Path) -> LoadFigures:
    """Make the calls to 127.0.0.1:``port`` and put the figures together. ``notes`` is the folder of the called side."""
    program = shutil.which("sipp")
    assert program is not None
    with tempfile.TemporaryDirectory() as folder:
        arguments = [
            "-sf",
            str(SCENARIOS / ("uac_patient.xml" if load.patient else "uac.xml")),
            "-s",
            load.number,
            "-i",
            CALLER_HOST,
            "-p",
            str(free_port()),
        ]
        arguments += ["-r", str(load.rate), "-m", str(load.calls), "-d", str(load.hold_ms), "-l", "100000", "-nostdin"]
        arguments += ["-timeout", str(load.seconds + 40), "-buff_size", "4194304", "-trace_shortmsg"]
        arguments += ["-shortmessage_file", "sent.csv", "-trace_stat", "-stf", "statistics.csv", "-fd", "1"]
        before, generator_before, begun = cpu_seconds(pid()), _children_cpu(), time.monotonic()
        with suppress(subprocess.TimeoutExpired):  # it may wait for ever for calls that were lost
            subprocess.run(
                [program, *arguments, f"127.0.0.1:{port}"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=load.seconds + 60,
            )
        took = time.monotonic() - begun
        used, generator = cpu_seconds(pid()) - before, _children_cpu() - generator_before
        succeeded, failed = _outcome(Path(folder) / "statistics.csv")
        if load.patient:
            refused = _refused(Path(folder) / "sent.csv")
            succeeded, failed = succeeded - refused, failed + refused
        sent = _sent(Path(folder) / "sent.csv")
        delays = _delays(sent, notes / "arrived.log")
    lasted = max(0.001, took - load.hold_ms / 1_000)
    per_call = 1_000 / max(1, succeeded)
    offering = max(sent.values(), default=0.0) - min(sent.values(), default=0.0)
    return LoadFigures(
        load,
        succeeded,
        failed,
        succeeded / lasted,
        used * per_call,
        generator * per_call,
        offering,
        tuple(sorted(delays)),
    )


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _outcome(path: Path) -> tuple[int, int]:
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    if len(lines) < 2:
        return 0, 0
    last = dict(zip(lines[0].split(";"), lines[-1].split(";"), strict=False))
    return int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])


def _refused(sent: Path) -> int:
    lines = sent.read_text("utf-8", errors="replace").splitlines() if sent.exists() else []
    calls = {line.split("\t")[4] for line in lines if "\tSIP/2.0 503" in line}
    return len(calls)


def _sent(path: Path) -> dict[str, float]:
    """When each call's INVITE first went out, seconds since the epoch, by its number."""
    sent: dict[str, float] = {}
    for line in path.read_text("utf-8", errors="replace").splitlines() if path.exists() else ():
        fields = line.split("\t")
        if len(fields) > 6 and fields[3] == "S" and fields[6].startswith("INVITE"):
            sent.setdefault(fields[4].partition("-")[0], float(fields[2]))
    return sent


def _delays(sent: dict[str, float], arrived: Path) -> list[float]:
    """Milliseconds by call: what the caller's side noted of its INVITEs against what the called side did."""
    came: dict[str, float] = {}
    if arrived.exists():
        for number, at in _ARRIVED.findall(arrived.read_text("utf-8", errors="replace")):
            came.setdefault(number, float(at))
    return [(came[number] - at) * 1_000 for number, at in sent.items() if number in came]
