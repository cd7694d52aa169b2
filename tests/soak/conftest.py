"""Long runs are for those who ask for them: ``make soak``, or any path into this folder."""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the folder out unless the command line names it."""
    return None if any("soak" in argument for argument in config.args) else True
