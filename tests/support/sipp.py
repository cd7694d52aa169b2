"""Running SIPp, an independent SIP implementation, against an installation."""

import asyncio
import csv
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.support.installation import CARRIER_HOST, SERVICE_NUMBER, Installation
from tests.support.peers import missing, peer

SCENARIOS = Path(__file__).parent.parent / "interop" / "sipp"
DIGIT_SOUNDS = (Path("/usr/share/sip-tester"), Path("/usr/share/sipp/pcap"), Path("/usr/local/share/sipp/pcap"))
"""Where packages put the recorded telephone events."""


@dataclass(frozen=True, slots=True)
class SippResult:
    """What a run of SIPp says of itself."""

    exit_code: int
    successful: int
    failed: int
    errors: str
    messages: str
    """The SIP messages as they went over the line, when asked for."""

    @property
    def good(self) -> bool:
        """Whether no call failed and SIPp is content."""
        return self.exit_code == 0 and self.failed == 0


async def run_sipp(
    house: Installation,
    scenario: str,
    folder: Path,
    *,
    calls: int = 1,
    rate: int = 10,
    number: str = SERVICE_NUMBER,
    host: str = CARRIER_HOST,
    within: int = 60,
    keep_messages: bool = False,
    callers: Path | None = None,
    login: tuple[str, str] | None = None,
) -> SippResult:
    """Play a scenario of ``tests/interop/sipp`` (or of a whole path) from ``host``, ``calls`` times, ``rate`` a second.

    ``callers`` is a table of SIPp's own, for scenarios with fields; ``login`` is a user name with its password.
    """
    program = peer("sipp")
    server, port = house.sip
    arguments = [
        *("-sf", str(SCENARIOS / f"{scenario}.xml"), "-s", number, "-i", host, "-mi", host),
        *("-m", str(calls), "-r", str(rate), "-l", "5000", "-mp", str(random.randrange(40_000, 60_000, 4))),
        *("-timeout", str(within), "-timeout_error", "-nostdin", "-trace_err", "-error_file", "errors.log"),
        *("-trace_stat", "-stf", "statistics.csv"),
        *(("-inf", str(callers)) if callers else ()),
        *(("-au", login[0], "-ap", login[1]) if login else ()),
        *(("-trace_msg", "-message_file", "messages.log") if keep_messages else ()),
    ]
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        f"{server}:{port}",
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(within + 10):
            exit_code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    last = _last_row(folder / "statistics.csv")
    return SippResult(
        exit_code,
        int(last.get("SuccessfulCall(C)", -1)),
        int(last.get("FailedCall(C)", -1)),
        _text(folder / "errors.log"),
        _text(folder / "messages.log"),
    )


def bring_digit_sounds(folder: Path, digits: str) -> None:
    """Put the recorded telephone events where SIPp looks for them. Skips the test where there are none."""
    for digit in digits:
        name = f"dtmf_2833_{digit}.pcap"
        found = next((place / name for place in DIGIT_SOUNDS if (place / name).is_file()), None)
        if found is None:
            missing(f"SIPp's {name} is not installed")
        else:
            shutil.copy(found, folder / name)


def _last_row(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines(), delimiter=";"))
    return rows[-1] if rows else {}


def _text(path: Path) -> str:
    return path.read_text("utf-8", errors="replace") if path.exists() else ""
