"""Rosters and reports over HTTP: who may, what is refused and how, and that figures are those of the command."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from agent_console.app import create_app
from agent_console.ports import Role
from callcenter.journal import JournalReader, SqliteJournal
from callcenter.reporting.routes import report_router
from callcenter.workforce.activities import Activity
from callcenter.workforce.routes import shifts_router
from callcenter.workforce.shifts import Shift, ShiftsPlanned
from tests.support.console_site import KEY, ORIGIN
from tests.support.fake_desk import SETTINGS, FakeAccounts, FakeDesk, FakeFloor, Ticker, a_principal
from tests.support.written_journal import NINE, WrittenJournal

pytestmark = pytest.mark.unit

HEAD = "agent,from,to,activity\n"
DAY = "anna,2026-03-02T09:00,2026-03-02T17:00,on_queue\n"
PEOPLE = (
    a_principal("user-boss", Role.SUPERVISOR, agent_id=None, queue_ids=()),
    replace(a_principal("user-lead", Role.TEAM_LEAD, agent_id=None, queue_ids=()),
            led_agents=frozenset({"anna"}), led_queues=frozenset({"sales"})),
    a_principal("user-anna", Role.AGENT, agent_id="anna", queue_ids=("sales",)),
)  # fmt: skip


@dataclass
class Web:
    """The application over a journal, and what was to be written down."""

    client: httpx.AsyncClient
    written: list[object] = field(default_factory=list)

    async def sign_in(self, login: str) -> None:
        answer = await self.client.post("/api/session", json={"login": login, "password": FakeAccounts.PASSWORD})
        assert answer.status_code == 200


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    path = tmp_path / "journal.db"
    hand = WrittenJournal()
    hand.floor(0, "anna", "ben")
    hand.queued(1_000, "c")
    hand.connected(5_000, "c")
    hand.ended(65_000, "c")
    journal = SqliteJournal(path)
    await journal.open()
    for row in hand.rows:
        journal.append(row.entry, at=row.at)
    shifts = (
        Shift("anna", NINE, NINE + 3_600_000, Activity.ON_QUEUE),
        Shift("ben", NINE, NINE + 60_000, Activity.LEAVE, False),
    )
    plan = ShiftsPlanned(NINE, "boss", ("anna", "ben"), NINE, NINE + 7_200_000, shifts)
    await journal.committed(journal.append(plan, at=NINE + 65_000))
    await journal.close()
    written: list[object] = []

    async def write_down(entry: object) -> None:
        written.append(entry)

    app = create_app(
        accounts=FakeAccounts(*PEOPLE),
        desk=FakeDesk(),
        floor=FakeFloor(),
        settings=SETTINGS,
        session_key=KEY,
        static_dir=None,
        clock=Ticker(),
        extra_routers=[
            report_router(path),
            shifts_router(JournalReader(path), write_down, time_zone="Europe/Berlin"),
        ],
    )
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN}) as client:
            yield Web(client, written)


async def test_a_supervisor_looks_at_a_roster_and_brings_it_in(web: Web) -> None:
    await web.sign_in("boss")
    looked = await web.client.post("/api/v1/shifts?preview=true", content=HEAD + DAY)
    assert looked.json() == {
        "agents": ["anna"], "shifts": 1, "from": 1_772_406_000_000, "to": 1_772_492_400_000, "planned": False,
    }  # fmt: skip
    assert web.written == []
    assert (await web.client.post("/api/v1/shifts?time_zone=UTC", content=HEAD + DAY)).json()["planned"] is True
    (plan,) = web.written
    assert isinstance(plan, ShiftsPlanned)
    assert (plan.by, plan.shifts[0].start) == ("user-boss", 1_772_442_000_000)


async def test_a_team_lead_plans_for_the_own_agents_and_nobody_else(web: Web) -> None:
    await web.sign_in("lead")
    assert (await web.client.post("/api/v1/shifts", content=HEAD + DAY)).status_code == 200
    both = HEAD + DAY + DAY.replace("anna", "ben")
    assert (await web.client.post("/api/v1/shifts", content=both)).status_code == 403
    assert len(web.written) == 1


async def test_an_agent_plans_nobody_and_sees_the_own_shifts(web: Web) -> None:
    await web.sign_in("anna")
    assert (await web.client.post("/api/v1/shifts", content=HEAD + DAY)).status_code == 403
    own = await web.client.get(f"/api/v1/shifts?from={NINE}&to={NINE + 3_600_000}")
    assert own.json() == [
        {"agent_id": "anna", "from": NINE, "to": NINE + 3_600_000, "activity": "on_queue", "paid": True}
    ]
    assert (await web.client.get("/api/v1/reports/statistics")).status_code == 403


async def test_the_roster_comes_out_as_the_file_it_went_in(web: Web) -> None:
    await web.sign_in("boss")
    text = (await web.client.get(f"/api/v1/shifts?from={NINE}&to={NINE + 7_200_000}&format=csv&time_zone=UTC")).text
    assert list(csv.DictReader(io.StringIO(text)))[1] == {
        "agent": "ben", "from": "2025-10-09T09:00+00:00", "to": "2025-10-09T09:01+00:00", "activity": "leave",
        "paid": "no", "time_zone": "UTC",
    }  # fmt: skip
    assert (await web.client.post("/api/v1/shifts", content=text)).status_code == 200


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (HEAD + DAY.replace("on_queue", "sleep"), 422, "line 2: 'sleep' is no activity"),
        ("\xff".encode("latin-1"), 422, "not in UTF-8"),
        (HEAD + DAY * 100_000, 413, "bytes at most"),
    ],
)
async def test_a_file_that_cannot_be_taken_is_refused_with_its_place(
    web: Web, content: str | bytes, status: int, said: str
) -> None:
    await web.sign_in("boss")
    answer = await web.client.post("/api/v1/shifts", content=content)
    assert (answer.status_code, said in answer.json()["message"]) == (status, True)


async def test_a_report_has_every_figure_with_its_formula(web: Web) -> None:
    await web.sign_in("boss")
    found = (await web.client.get("/api/v1/reports/statistics?from=2025-10-09&to=2025-10-10")).json()
    sales = next(line for line in found["queues"] if line["id"] == "sales")
    assert (sales["metrics"]["offered"], sales["metrics"]["asa"]) == (1, 4_000)
    anna = next(line for line in found["agents"] if line["id"] == "anna")
    assert anna["metrics"]["adherence"] == 0.0
    assert {
        key: value for key, value in next(f for f in found["formulas"] if f["id"] == "adherence").items()
        if key in ("id", "version")
    } == {"id": "adherence", "version": 1}  # fmt: skip
    rows = (await web.client.get("/api/v1/reports/statistics?format=csv")).text.splitlines()
    assert any(",sales,Sales,offered,2,count,1" in row for row in rows)


async def test_a_team_lead_gets_the_own_agents_alone(web: Web) -> None:
    await web.sign_in("lead")
    found = (await web.client.get("/api/v1/reports/statistics")).json()
    assert [line["id"] for line in found["agents"]] == ["anna"]


@pytest.mark.parametrize("query", ["from=soon", "to=2026-03-02T09:07", "time_zone=Mars", "by=week"])
async def test_what_no_report_can_be_about_is_refused(web: Web, query: str) -> None:
    await web.sign_in("boss")
    assert (await web.client.get(f"/api/v1/reports/statistics?{query}")).status_code == 422
