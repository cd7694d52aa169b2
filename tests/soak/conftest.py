"""Long runs are for those who ask for them: ``make soak``, or any path into this folder."""

from itertools import pairwise
from pathlib import Path

import pytest

PARTS = 10
"""What is counted in the options runs in so many tests of equal length, for several testers (``-n``)."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long is long, and which seeds nobody has seen yet."""
    group = parser.getgroup("soak")
    group.addoption("--interleavings", type=int, default=1_000_000, help="races on the engine (default: a million)")
    group.addoption("--stories", type=int, default=1_000, help="days of the whole exchange, of each kind")
    group.addoption("--first-seed", type=int, default=0, help="seed of the first race and the first story")
    group.addoption("--examples", type=int, default=2_000, help="runs of the engine's state machine")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the folder out unless the command line names it."""
    return None if any("soak" in argument for argument in config.args) else True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Share out among the parts: ``interleavings`` and ``stories`` are ranges of seeds."""
    first = metafunc.config.getoption("--first-seed")
    for name in {"interleavings", "stories"} & set(metafunc.fixturenames):
        count = metafunc.config.getoption(f"--{name}")
        ends = [first + count * part // PARTS for part in range(PARTS + 1)]
        seeds = [range(*each) for each in pairwise(ends)]
        metafunc.parametrize(name, seeds, ids=[f"{each.start}-{each.stop}" for each in seeds])
