"""A person is erased from a running installation: no file of it holds a byte of them, every figure is as before."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.floor_people import calling, hear_each_other, seats
from tests.support.installation import Installation, Plan, running_installation, until_recorded
from tests.support.waiting import until

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

NUMBER = "+12125550187"
NAME, NOTES = "Ottoline Quagliarello", "collects carnivorous pitcher plants"
SECRETS = (NUMBER[1:], "Quagliarello", "Ottoline", "carnivorous")


@pytest.fixture
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=1, wrap_up_seconds=60)) as house:
        yield house


async def test_after_an_erasure_no_file_holds_a_byte_of_the_person_and_every_figure_is_what_it_was(
    house: Installation,
) -> None:
    async with seats(house) as (seat,), house.signed_in() as http:
        body = {"display_name": NAME, "contact_points": [{"value": NUMBER}]}
        customer = (await http.post("/api/v1/customers", json=body)).raise_for_status().json()
        await http.post(f"/api/v1/customers/{customer['id']}/files?file_name=Ottoline.txt", content=NOTES.encode())
        async with calling(house, NUMBER) as caller:
            await hear_each_other(caller, await seat.talking())
            await caller.hang_up()
        await seat.until_state("wrap_up")
        done = {"contact_id": seat.contact_id, "disposition": "solved", "notes": NOTES}
        await seat.console.intend("wrap_up.finish", **done)

        async def noted() -> bool:
            [found] = await until_recorded(http, 1)
            return found["notes"] == NOTES and found["customer_id"] == customer["id"]

        await until("the wrap-up is in the store", noted)
        assert {secret for secret, _ in traces(house.folder)} == set(SECRETS)
        before = figures(house), await statistics(http)

        erased = await http.post(f"/api/v1/customers/{customer['id']}/erasure", json={"legal_basis": "consent"})
        receipt = erased.raise_for_status().json()

        async def blank() -> bool:
            told = (await http.get(f"/api/v1/erasures/{receipt['id']}")).json()
            return told["is_genuine"] is True and told["journal_waiting"] == 0

        await until("the journal is blank", blank)
        assert traces(house.folder) == []
        assert (figures(house), await statistics(http)) == before
        command(house, "audit")


def traces(folder: Path) -> list[tuple[str, str]]:
    """Secrets in any byte of any file, and where."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_socket()]
    held = {path: path.read_bytes() for path in files}
    return [(secret, str(path)) for secret in SECRETS for path, lying in held.items() if secret.encode() in lying]


def figures(house: Installation) -> str:
    """The report over the journal."""
    return command(house, "report", "--json")


def command(house: Installation, *words: str) -> str:
    """What a command that looks into the journal prints; it ends well."""
    name, *options = words
    line = [sys.executable, "-m", "callcenter", name, str(house.settings.journal_path), *options]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=True).stdout


async def statistics(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The interactions without who it was."""
    personal = {"from_value", "from_name", "notes", "to_value"}
    found = await until_recorded(http, 1)
    return [{key: value for key, value in each.items() if key not in personal} for each in found]
