"""A start of an installation is half a dozen processes: each loads what it needs, and the first ones little."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

HEAVY = ("numpy", "sqlalchemy", "fastapi", "alembic", "callcenter.calls.runner", "acd.engine")


def loaded_by(module: str) -> set[str]:
    """What is in a fresh process after it has imported ``module``."""
    code = f"import sys, {module}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize(
    ("module", "not_needed"),
    [
        ("callcenter.cli", (*HEAVY, "pydantic", "callcenter.entries", "callcenter.config")),
        ("callcenter.app", HEAVY),
        ("callcenter.media.mediad.keeper", (*HEAVY, "pydantic")),
        ("callcenter.media.recordings", HEAVY),
    ],
)
def test_a_process_loads_nothing_that_only_others_need(module, not_needed):
    loaded = loaded_by(module)
    assert module in loaded
    assert not loaded & set(not_needed)
