"""The disk with the customer store is full. Calls go on; what the store refuses waits, and comes once there is room."""

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.support.floor_people import Seat, calling, hear_each_other
from tests.support.installation import Installation, Plan, running_installation, until_recorded
from tests.support.waiting import until

pytestmark = pytest.mark.faults

CALLERS = ("+12125550141", "+12125550142")
DISK = "24m"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "callcenter-test", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.decode(errors='replace').strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def house(disk: Path) -> Iterator[Installation]:
    with running_installation(Plan(agents=1, store_url=f"sqlite+aiosqlite:///{disk / 'store.sqlite'}")) as house:
        yield house


def fill(disk: Path) -> Path:
    """Take all the room there is, also what the store's log of changes had; the file that has it."""
    ballast, log = disk / "ballast", disk / "store.sqlite-wal"
    while True:
        with ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        if log.stat().st_size == 0:
            return ballast
        with closing(sqlite3.connect(disk / "store.sqlite", isolation_level=None)) as connection:
            connection.execute("PRAGMA busy_timeout = 5000")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def a_call(house: Installation, seat: Seat, number: int) -> str:
    """A customer talks with the agent; the contact's id."""
    async with calling(house, CALLERS[number - 1]) as customer:
        await hear_each_other(customer, await seat.talking(number))
        contact_id = await seat.works_on()
        await customer.hang_up()
    await seat.until_state("ready")
    return contact_id


async def test_surveys_and_transcripts_wait_for_room_and_calls_for_nothing(house: Installation, disk: Path) -> None:
    async with house.signed_in() as http, Seat(house, "agent1") as seat:
        token = (await http.post("/api/v1/tokens", json={"name": "writer", "scopes": ["write"]})).raise_for_status()
        program = {"Authorization": f"Bearer {token.json()['token']}"}
        await seat.go_ready()
        first = await a_call(house, seat, 1)
        await until_recorded(http, 1)

        ballast = fill(disk)
        answered = await http.post(f"/api/v1/interactions/{first}/survey", json={"kind": "csat", "score": 5})
        assert answered.status_code == 204, "the journal has it"
        said = {"segments": [{"start_ms": 0, "end_ms": 900, "text": "elephants " * 300}] * 40}
        async with httpx.AsyncClient(base_url=house.base_url, headers=program, trust_env=False, timeout=20) as writer:
            refused = await writer.put(f"/api/v1/interactions/{first}/transcript", json=said)
            assert (refused.status_code, refused.json()["code"]) == (503, "crm-unavailable")
            assert "retry-after" in refused.headers
            second = await a_call(house, seat, 2)
            await until("the store was found full", lambda: "customer store not written" in house.output)
            (line,) = (await http.get("/api/v1/interactions")).json()["items"]
            assert (line["contact_id"], line["survey"], line["transcripts"]) == (first, None, [])

            ballast.unlink()
            recorded = await until_recorded(http, 2)
            assert [each["contact_id"] for each in recorded] == [second, first]
            kept = await writer.put(f"/api/v1/interactions/{first}/transcript", json=said)
            assert kept.status_code == 201, "brought again"

        async def is_answered() -> bool:
            found = {each["contact_id"]: each for each in (await http.get("/api/v1/interactions")).json()["items"]}
            return bool(found[first]["survey"]) and found[first]["survey"]["score"] == 5

        await until("the answer stands with the interaction", is_answered)
        (transcript,) = (await http.get(f"/api/v1/interactions/{first}/transcript")).json()
        assert len(transcript["segments"]) == 40
        assert house.output.count("customer store not written") == 1
