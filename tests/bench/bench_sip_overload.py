"""Goodput when more is offered than can be carried: ``python -m tests.bench.bench_sip_overload [slower [lag ...]]``.

The plain bridge is offered a half to five times its capacity (calls a second; found by trying). What counts is calls
that were carried to their end; the rest must be told 503. Five times must leave 80 % of the best. The generator shares
the machine and has to come up to five times what the bridge carries, so the bridge works as by a processor ``slower``
times as slow; what was really offered is printed. ``lag`` is how long messages may wait before calls are refused
(milliseconds), one curve for each, instead of ``callcenter.sip.admission.MAX_LAG_MS``.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from callcenter.sip.admission import MAX_LAG_MS
from tests.bench.bench_sip import system
from tests.bench.sipp_load import Load, LoadFigures, called_side, free_port, run_load

STEPS = (0.5, 1, 2, 5)
SHARE = 0.8
SLOWER = 5
RATES = (20, 40, 60, 80, 100, 150, 200, 300, 400, 500, 600)


def offered(rate: int, slower: int, seconds: int = 8, lag_ms: float = MAX_LAG_MS) -> LoadFigures:
    """So many calls a second, each up for half a second."""
    port, gateway_port = free_port(), free_port()
    bridge = [sys.executable, "-m", "tests.bench.plain_bridge", str(port), str(gateway_port)]
    command = [*bridge, f"{lag_ms:.0f}", str(slower)]
    with called_side(gateway_port) as notes, system(command, port) as pid:
        return run_load(Load(rate, seconds, 500, patient=True), port, lambda: pid, notes)


def capacity(slower: int) -> int:
    """The highest rate of a coarse row that is carried without a failure."""
    best = RATES[0]
    for rate in RATES:
        if offered(rate, slower, 4).failed:
            break
        best = rate
    return best


def curve(base: int, slower: int, lag_ms: float) -> float:
    """Print the goodput at each step; returns the last one's share of the best."""
    print(f"calls refused from {lag_ms:.0f} ms of waiting", flush=True)
    goodput = {}
    for step in STEPS:
        figures = offered(int(base * step), slower, lag_ms=lag_ms)
        seconds = max(1.0, figures.offering_s)
        goodput[step] = figures.succeeded / seconds
        really = figures.load.calls / seconds
        print(f"{step:4}x  really {really:6.0f}/s  goodput {goodput[step]:6.1f}/s  {figures}", flush=True)
    share = goodput[STEPS[-1]] / max(goodput.values())
    print(f"goodput at {STEPS[-1]} times capacity: {share:.0%} of the best ({SHARE:.0%} wanted)", flush=True)
    return share


def main(slower: int = SLOWER, lags: Sequence[float] = (MAX_LAG_MS,)) -> bool:
    """Print the curves; tells whether the share is reached."""
    print(f"{Path(__file__).name}: {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}", flush=True)
    base = capacity(slower)
    print(f"capacity taken as {base}/s, by a processor {slower} times slower", flush=True)
    return min([curve(base, slower, lag_ms) for lag_ms in lags]) >= SHARE


if __name__ == "__main__":
    slower_asked = int(sys.argv[1]) if sys.argv[1:] else SLOWER
    main(slower_asked, [float(each) for each in sys.argv[2:]] or (MAX_LAG_MS,))
