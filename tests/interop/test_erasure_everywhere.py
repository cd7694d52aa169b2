"""A person is erased from a running installation: no file of it holds a byte of them, every figure is as before.

Conversations are recorded there, and the person has left a message; somebody else's recording and message stay. One
recording is on legal hold, and goes when the hold is lifted.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from callcenter.reporting.report import report
from tests.support.floor_people import calling, hear_each_other, seats
from tests.support.installation import Installation, Plan, running_installation, stored_interactions, until_recorded
from tests.support.waiting import until

pytestmark = pytest.mark.interop

NUMBER = "+12125550187"
NAME, NOTES = "Ottoline Quagliarello", "collects carnivorous pitcher plants"
SECRETS = (NUMBER[1:], "Quagliarello", "Ottoline", "carnivorous")


OTHER = "+12125550188"
LINES = 4
"""Of two callers who leave a message, and of a caller and an agent who talk."""
MESSAGE_NUMBER = "+12025550177"
MESSAGE_FLOW = """
[flow]
name = "message"
start = "answer"
languages = ["en"]

[prompts.greeting]
en = "Please speak."

[steps.answer]
type = "answer"
next = "message"

[steps.message]
type = "voicemail"
box = "support"
prompt = "greeting"
max_seconds = 20
next = "end"

[steps.end]
type = "hang_up"
reason = "left_message"
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    (tmp_path / "message.toml").write_text(MESSAGE_FLOW, "utf-8")
    more = (
        f'[[numbers]]\nnumber = "{MESSAGE_NUMBER}"\nflow = "message"\n\n'
        f'[[flows]]\nid = "message"\nfile = "{tmp_path / "message.toml"}"\n'
    )
    plan = Plan(agents=1, wrap_up_seconds=60, records=True, queue_lines=('recording = "on"',), more_site=more)
    with running_installation(plan) as house:
        yield house


async def test_after_an_erasure_no_file_holds_a_byte_of_the_person_and_every_figure_is_what_it_was(
    house: Installation,
) -> None:
    async with seats(house) as (seat,), house.signed_in() as http:
        body = {"display_name": NAME, "contact_points": [{"value": NUMBER}]}
        customer = (await http.post("/api/v1/customers", json=body)).raise_for_status().json()
        await http.post(f"/api/v1/customers/{customer['id']}/files?file_name=Ottoline.txt", content=NOTES.encode())
        for number in (NUMBER, OTHER):
            await leave_message(house, number)
        async with calling(house, NUMBER) as caller:
            await hear_each_other(caller, await seat.talking())
            await caller.hang_up()
        await seat.until_state("wrap_up")
        done = {"contact_id": await seat.works_on(), "disposition": "solved", "notes": NOTES}
        await seat.console.intend("wrap_up.finish", **done)

        async def noted() -> bool:
            found = (await until_recorded(http, 3))[0]
            return (found["notes"], found["customer_id"]) == (NOTES, customer["id"])

        await until("the wrap-up is in the store", noted)
        await until("three recordings are on disk", lambda: len(sounds(house)) == 3)
        await until("both messages wait", lambda: messages(http, 2))
        assert {secret for secret, _ in traces(house.folder)} == set(SECRETS)
        await until("every line is measured", lambda: len(house.journal.read(kinds=("leg.measured",))) == LINES)
        await stored_interactions(house, http)
        newest = house.journal.read()[-1].seq
        before = figures(house, newest), await statistics(http)

        [talk] = (await until_recorded(http, 3))[0]["recordings"]
        hold = f"/api/v1/interactions/{talk['contact_id']}/recordings/{talk['recording_id']}/legal-hold"
        (await http.put(hold, json={"reason": "case 7"})).raise_for_status()
        erased = await http.post(f"/api/v1/customers/{customer['id']}/erasure", json={"legal_basis": "consent"})
        receipt = erased.raise_for_status().json()

        async def blank() -> bool:
            told = (await http.get(f"/api/v1/erasures/{receipt['id']}")).json()
            assert told["is_genuine"] is True
            return [told["journal_waiting"], told["recordings_waiting"]] == [0, 0]

        await until("the journal is blank and the files are gone", blank)
        assert (receipt["erased"]["recording"], receipt["erased"]["recording_on_hold"]) == (1, 1)
        assert len(sounds(house)) == 2, "what is on hold stays"
        (await http.delete(hold)).raise_for_status()

        async def amended() -> bool:
            [held] = (await http.get(f"/api/v1/erasures/{receipt['id']}")).json()["held"]
            return bool(held["is_genuine"])

        await until("what was on hold is gone, and the receipt says so", amended)
        with naming(lambda: traces(house.folder)):
            await until("no byte of the person is left", lambda: traces(house.folder) == [], within=60)
        [left] = sounds(house)
        [message] = await waiting(http)
        assert (message["caller"], message["is_playable"]) == (OTHER, True), "that of an erased person is nobody's work"
        others = {path.name.partition(".")[0] for path in recorded(house) if not path.name.startswith(".")}
        assert others == {left.name.partition(".")[0]}, "sidecars go with their sound"
        after = await statistics(http, 4)
        [ended] = [each for each in after if each not in before[1]]
        assert (ended["channel"], ended["customer_id"]) == ("message", customer["id"])
        assert (ended["outcome"], ended["ended_by"]) == ("erased", "system")
        assert [each for each in after if each != ended] == before[1]
        assert figures(house, newest) == before[0]
        whole = {line.subject.id: line.values for line in report(house.journal.read()).lines}["support/message"]
        ends = ("answered", "abandoned", "short_abandoned", "flowed_out", "in_progress")
        assert [whole[name] for name in ("offered", *ends)] == [2, 0, 0, 0, 1, 1], "nobody gave up"
        command(house, "audit")


async def leave_message(house: Installation, number: str) -> None:
    """Call the number that records what is said, and speak for two seconds."""
    async with calling(house, number, "", called=MESSAGE_NUMBER) as caller:
        await caller.sound.wait_frames(150)
        await caller.hang_up()


async def waiting(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The messages that wait."""
    found: list[dict[str, Any]] = (await http.get("/api/v1/voicemail")).raise_for_status().json()
    return found


async def messages(http: httpx.AsyncClient, count: int) -> bool:
    """Whether so many messages wait and can be heard."""
    return [each["is_playable"] for each in await waiting(http)] == [True] * count


def recorded(house: Installation) -> list[Path]:
    """Every file that recording has left."""
    folder = house.settings.recordings.folder
    assert folder is not None
    return [path for path in folder.rglob("*") if path.is_file()]


def sounds(house: Installation) -> list[Path]:
    """The recordings that are closed."""
    return [path for path in recorded(house) if path.name.endswith(".wav.sealed")]


@contextmanager
def naming(look: Callable[[], object]) -> Iterator[None]:
    """Add to an error what is seen when it happens."""
    try:
        yield
    except AssertionError as error:
        error.add_note(f"seen then: {look()}")
        raise


def traces(folder: Path) -> list[tuple[str, str]]:
    """Secrets in any byte of any file, and where."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_socket()]
    held = {path: path.read_bytes() for path in files}
    return [(secret, str(path)) for secret in SECRETS for path, lying in held.items() if secret.encode() in lying]


def figures(house: Installation, newest: int) -> list[tuple[object, ...]]:
    """Every figure of a report that goes as far as this entry: counts, times, shares, service levels."""
    found = report(row for row in house.journal.read() if row.seq <= newest)
    assert (found.divergences, found.missing) == (0, 0)
    assert sum(line.subject.id.endswith("/message") for line in found.lines) == 1
    return [(line.subject, line.name, line.period, line.values, line.target) for line in found.lines]


def command(house: Installation, *words: str) -> str:
    """What a command that looks into the journal prints; it ends well."""
    name, *options = words
    line = [sys.executable, "-m", "callcenter", name, str(house.settings.journal_path), *options]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=True).stdout


async def statistics(http: httpx.AsyncClient, count: int = 3) -> list[dict[str, Any]]:
    """The interactions without who it was; of their recordings, that there were some and how long."""
    personal = {"from_value", "from_name", "customer_name", "notes", "to_value", "recordings"}
    found = await until_recorded(http, count)
    return [
        {key: value for key, value in each.items() if key not in personal}
        | {"recorded": [(one["recording_id"], one["duration_ms"]) for one in each["recordings"]]}
        for each in found
    ]
