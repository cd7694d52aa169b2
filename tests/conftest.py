"""Rules of the whole test tree: every module names its category, and a failure shows what the installation said."""

import gc
import os
import sys
import warnings
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests import shifts
from tests.support.installation import Installation
from tests.support.late_console import make_consoles_late

CATEGORIES = frozenset({"unit", "scenario", "interop", "faults"})
SHOWN_CHARACTERS = 12_000
RED = pytest.StashKey[bool]()

settings.register_profile(
    "house",
    deadline=None,  # no test is judged by the clock on the wall, also not while examples are made up
    suppress_health_check=(HealthCheck.too_slow,),
    derandomize=os.environ.get("CI", "").lower() in {"1", "true"},  # the gate of a landing asks everybody the same
    print_blob=True,
)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """Share the files among the testers as ``shifts`` says. ``CONSOLE_LAG``: see ``support/late_console.py``."""
    config.pluginmanager.register(shifts)
    if lag := os.environ.get("CONSOLE_LAG"):
        make_consoles_late(float(lag))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a module that does not say of what kind it is. A single case may bear a second mark: it needs more."""
    modules = {module for item in items if (module := item.getparent(pytest.Module)) is not None}
    wrong = sorted(
        str(module.path) for module in modules if len({mark.name for mark in module.own_markers} & CATEGORIES) != 1
    )
    if wrong:
        raise pytest.UsageError(
            "each test module needs exactly one category, such as `pytestmark = pytest.mark.unit` "
            f"(one of {', '.join(sorted(CATEGORIES))}): {', '.join(wrong)}"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the installation's own words under a failed test."""
    report = yield
    if report.failed:
        item.stash[RED] = True
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Installation) and value.folder.exists():
                report.sections.append((f"output of {name}", value.output[-SHOWN_CHARACTERS:]))
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let go of what a red test left open, lest a later one that happens to collect it be red for that."""
    done = yield
    if item.stash.get(RED, False):
        for name in ("last_type", "last_value", "last_traceback", "last_exc"):
            sys.__dict__.pop(name, None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()
    return done
