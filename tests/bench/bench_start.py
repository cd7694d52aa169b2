"""What a start of the exchange reads of its journal, by how much is past.

``python -m tests.bench.bench_start [calls ...]``: journals of so many closed calls, each with a recording and every
second with a message that was dealt with; read with a note of what is open at the end, and without one. CPU time.
"""

import asyncio
import platform
import sys
import tempfile
import time
from pathlib import Path
from zoneinfo import ZoneInfo

from acd.events import Channel
from callcenter.calls.facts import CallArrived, CallClosed, CallRecord, CustomerMatched, EndedBy, Outcome
from callcenter.calls.recording_facts import RecordingStarted, RecordingStored
from callcenter.channels.facts import ItemAccepted, ItemArrived, ItemClosed, ItemRecord, ItemResult
from callcenter.floor.fold import FloorFold
from callcenter.journal import JournalReader, SqliteJournal
from callcenter.open_work import fold
from callcenter.recovery import recover
from callcenter.service_targets import ServiceTargets

CALLER = "+12025550111"


def a_call(number: int) -> list[object]:
    """Every entry about a call that a start might ask for, and about the message that came of it."""
    call_id, at = f"call{number}", number * 1000
    record = CallRecord(
        call_id, CALLER, "", "+12025550100", "carrier", "x", "main", Outcome.ANSWERED, EndedBy.CUSTOMER,
        at, at + 900, None, None, None, None, (), "none", None, 0, 0, 0, 0,
    )  # fmt: skip
    recording_id = f"{call_id}-r1"
    found: list[object] = [
        CallArrived(call_id, at, CALLER, "", "+12025550100", "carrier", "x", "main"),
        CustomerMatched(call_id, at, "one", ("17",), "Ada"),
        RecordingStarted(call_id, at, recording_id, "anna", "sales", "standard", True),
        RecordingStored(call_id, at, recording_id, f"{recording_id}.wav", "0" * 64, 900, None),
        CallClosed(call_id, at, record),
    ]
    if number % 2:
        item_id = f"{call_id}-v1"
        kept = ItemRecord(
            item_id, Channel.MESSAGE, CALLER, "", "sales", "sales", "anna", "en", call_id, ItemResult.HANDLED,
            at, at, at, 0,
        )  # fmt: skip
        found += [
            ItemArrived(item_id, at, Channel.MESSAGE, "sales", CALLER, parent_id=call_id),
            ItemAccepted(item_id, at, "anna", "sales"),
            ItemClosed(item_id, at, "anna", kept),
        ]
    return found


async def written(path: Path, calls: int) -> int:
    """A journal of so many calls, all of them over; how many entries it has."""
    journal = SqliteJournal(path)
    await journal.open()
    seq = 0
    for number in range(calls):
        for entry in a_call(number):
            seq = journal.append(entry, at=number * 1000)
        if number % 2000 == 0:
            await journal.committed(seq)
    await journal.close()
    return seq


async def noted(path: Path) -> None:
    """A note of what is open after all that."""
    work = fold(None, (row.entry for row in JournalReader(path).read()))
    journal = SqliteJournal(path)
    await journal.open()
    journal.append(work.note(0), at=10**9)
    await journal.close()


def cpu_ms(path: Path) -> float:
    """CPU milliseconds of what the exchange does with its journal before it serves."""
    began = time.process_time()
    recover(JournalReader(path), FloorFold(time_zone=ZoneInfo("UTC"), targets=ServiceTargets()))
    return (time.process_time() - began) * 1000


def main() -> None:
    sizes = [int(each) for each in sys.argv[1:]] or [1_000, 10_000, 50_000]
    sys.stdout.write(f"CPython {platform.python_version()}, {platform.machine()}\n")
    sys.stdout.write("| calls that are over | entries | without a note, ms | with a note, ms |\n|---|---|---|---|\n")
    for calls in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "journal.sqlite"
            entries = asyncio.run(written(path, calls))
            without = cpu_ms(path)
            asyncio.run(noted(path))
            sys.stdout.write(f"| {calls:,} | {entries:,} | {without:.0f} | {cpu_ms(path):.1f} |\n")


if __name__ == "__main__":
    main()
