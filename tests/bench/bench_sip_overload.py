"""Goodput when more is offered than can be carried: ``python -m tests.bench.bench_sip_overload [capacity [lag]]``.

The plain bridge is offered a half to five times its capacity (calls a second; found by trying when not given). What
counts is calls that were carried to their end; the rest must be told 503. Five times must leave 80 % of the best. The
generator shares the machine, and may not come up to the rate: what it really offered is printed. ``lag`` is how long
messages may wait before calls are refused (milliseconds), instead of ``callcenter.sip.admission.MAX_LAG_MS``.
"""

import os
import sys
from pathlib import Path

from callcenter.sip.admission import MAX_LAG_MS
from tests.bench.bench_sip import system
from tests.bench.sipp_load import Load, LoadFigures, called_side, free_port, run_load

STEPS = (0.5, 1, 2, 5)
SHARE = 0.8


def offered(rate: int, seconds: int = 8, lag_ms: float = MAX_LAG_MS) -> LoadFigures:
    """So many calls a second, each up for half a second."""
    port, gateway_port = free_port(), free_port()
    command = [sys.executable, "-m", "tests.bench.plain_bridge", str(port), str(gateway_port), f"{lag_ms:.0f}"]
    with called_side(gateway_port) as notes, system(command, port) as pid:
        return run_load(Load(rate, seconds, 500, patient=True), port, lambda: pid, notes)


def capacity() -> int:
    """The highest rate of a coarse row that is carried without a failure, from 100 up."""
    best = 100
    for rate in (200, 300, 400, 500, 600):
        if offered(rate, 4).failed:
            return best
        best = rate
    return best


def main(known: int = 0, lag_ms: float = MAX_LAG_MS) -> bool:
    """Print the curve; tells whether the share is reached."""
    print(f"{Path(__file__).name}: {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}", flush=True)
    base = known or capacity()
    print(f"capacity taken as {base}/s, calls refused from {lag_ms:.0f} ms of waiting", flush=True)
    goodput = {}
    for step in STEPS:
        figures = offered(int(base * step), lag_ms=lag_ms)
        seconds = max(1.0, figures.offering_s)
        goodput[step] = figures.succeeded / seconds
        really = figures.load.calls / seconds
        print(f"{step:4}x  really {really:6.0f}/s  goodput {goodput[step]:6.1f}/s  {figures}", flush=True)
    share = goodput[STEPS[-1]] / max(goodput.values())
    print(f"goodput at {STEPS[-1]} times capacity: {share:.0%} of the best ({SHARE:.0%} wanted)")
    return share >= SHARE


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
