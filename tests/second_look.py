"""What a red test says when nothing else runs: ``make test`` asks this after a run in which few were red.

Tests of ``interop/`` and ``faults/`` meet real programs in real time. Four testers on two cores may keep such a program
from the processor for longer than its test can wait. So those that were red are run once more, one after the other with
the machine to themselves, and both results are printed: red twice is red. A test that is green only alone is a defect
of the test or of the product all the same; its name stands at the end of the output until somebody has mended it.
Nothing that only computes gets a second look, nor does a run with more than ``MOST`` red tests, or that broke off.
"""

import json
import subprocess
import sys
from pathlib import Path

LAST_FAILED = Path(".pytest_cache/v/cache/lastfailed")
"""Where pytest keeps the names of what was red, as the keys of a JSON object."""
MOST = 2
IN_REAL_TIME = ("tests/interop/", "tests/faults/")


def refusal(red: list[str]) -> str:
    """Why these tests get no second look; empty when they do. Names as pytest's, ``file::test[case]``."""
    if not red:
        return "it is not known which tests were red"
    if len(red) > MOST:
        return f"{len(red)} tests were red, and more than {MOST} are no accident"
    for name in red:
        if not name.startswith(IN_REAL_TIME) or "::" not in name:
            return f"{name} does not depend on the machine's load"
    return ""


def last_failed(file: Path = LAST_FAILED) -> list[str]:
    """The tests that were red in the last run; none when pytest left no record."""
    return sorted(json.loads(file.read_text())) if file.exists() else []


def main() -> int:
    """Look again at what was red; the exit code is that of ``make test``."""
    red = last_failed()
    if reason := refusal(red):
        print(f"no second look: {reason}")
        return 1
    print(f"\nred beside other tests, now alone: {', '.join(red)}", flush=True)
    again = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *red], check=False).returncode
    verdict = "green alone, red beside others (to be mended)" if again == 0 else "red alone, too"
    print(f"{verdict}: {', '.join(red)}", flush=True)
    return again


if __name__ == "__main__":
    sys.exit(main())
