"""Programs that are not ours: without one a test is skipped on a laptop, and fails where everything must be tested."""

import os
import shutil
from pathlib import Path

import pytest


def peer(program: str, *places: str) -> str:
    """The path of a program, looked for on the path and at ``places``. Skips the test without it; fails if ``CI``."""
    found = shutil.which(program) or next((place for place in places if Path(place).is_file()), None)
    if found is None:
        missing(f"{program} is not installed")
    return str(found)


def missing(reason: str) -> None:
    """Skip the test for want of something; under continuous integration (``CI=true``) that is a failure."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{reason}, and under CI every test must run", pytrace=False)
    pytest.skip(reason)
