"""The daily run: when it is due, what it does, and what it leaves alone."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter import maintenance as shell
from crm_bridge.customers import get_customer
from crm_bridge.database import Database
from crm_bridge.interactions import record
from crm_bridge.maintenance import last_run, maintain, next_run
from tests.support.crm_records import NOON, NUMBER, REGION, call, minutes
from tests.support.crm_web import client_of, enter

pytestmark = pytest.mark.unit

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe")


def due(last: str, hour: int = 3) -> str:
    told = next_run(datetime.fromisoformat(last), now=NOON, zone=BERLIN, hour=hour)
    return told.astimezone(BERLIN).isoformat()


def test_a_run_is_due_when_the_hour_strikes_next_after_the_last_one() -> None:
    assert due("2026-03-02T02:59:59+01:00") == "2026-03-02T03:00:00+01:00"
    assert due("2026-03-02T03:00:00+01:00") == "2026-03-03T03:00:00+01:00"
    assert due("2026-03-02T18:00:00+01:00") == "2026-03-03T03:00:00+01:00"
    assert next_run(None, now=NOON, zone=BERLIN, hour=3) == NOON


def test_an_hour_that_the_clock_leaves_out_or_shows_twice_makes_one_run() -> None:
    """29 March 2026: two o'clock becomes three. 25 October: three becomes two."""
    assert due("2026-03-28T03:00:00+01:00") == "2026-03-29T03:00:00+02:00"
    assert due("2026-03-28T03:00:00+01:00", hour=2) == "2026-03-29T03:00:00+02:00"
    assert due("2026-10-25T02:00:00+02:00", hour=2) == "2026-10-26T02:00:00+01:00"


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - given their zone
    st.sampled_from(ZONES),
    st.integers(0, 23),
)
def test_a_run_is_due_within_a_day_and_never_twice(last: datetime, zone: str, hour: int) -> None:
    told = next_run(last, now=NOON, zone=ZoneInfo(zone), hour=hour)
    assert timedelta(0) < told - last <= timedelta(hours=25)
    again = next_run(told, now=NOON, zone=ZoneInfo(zone), hour=hour)
    assert timedelta(hours=22) <= again - told <= timedelta(hours=26)


async def test_levels_follow_their_rules_and_what_is_old_goes(database: Database) -> None:
    rule = [{"fact": "interactions_365d", "op": ">=", "value": 2}]
    async with client_of(database, at=NOON) as web:
        level = {"name": "Gold", "rank": 2, "colour": "#ffd700"}
        assert (await web.put("/levels/gold", json=level | {"rule": rule})).status_code == 200
        assert (await web.put("/levels/key", json=level | {"rank": 3, "rule": None})).status_code == 200
        busy, quiet = (await enter(web, "Ada", NUMBER))["id"], (await enter(web, "Ben", "13900000002"))["id"]
        chosen = (await enter(web, "Cleo", "13900000003", level="key"))["id"]
        async with database.begin() as session:
            for n in range(3):
                await record(session, call(f"c{n}", started_at=NOON + minutes(n), journal_seq=n + 1), region=REGION)
            await record(session, call("nobody", from_value="13900000009"), region=REGION)
        await web.put("/retention/unmatched_callers", json={"days": 30})
        report = await maintain(database, now=NOON + timedelta(days=31))
        assert without_quality(report) == {"levels": 1, "unmatched_callers": 1}
        assert await levels(web, (busy, quiet, chosen)) == ["gold", None, "key"]
        assert await maintain(database, now=NOON + timedelta(days=31)) == {"levels": 0, "unmatched_callers": 0}
        changes = (await web.get(f"/customers/{busy}/changes?field=level")).json()
        assert [(each["actor_id"], each["new_value"], each["reason"]) for each in changes] == [
            ("system", '"gold"', "daily rules")
        ]
        later = await maintain(database, now=NOON + timedelta(days=400))
        assert (later["levels"], await levels(web, (busy, quiet, chosen))) == (1, [None, None, "key"])
        [latest, *_] = (await web.get("/audit", params={"table": "store"})).json()
        assert (latest["action"], latest["actor_id"]) == ("maintain", "system")
        assert "levels:1" in latest["fields"]
        assert (await web.get("/audit/chain")).json()["is_whole"]


def without_quality(report: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in report.items() if not name.startswith("quality_")}


async def test_what_is_to_be_tidied_up_is_counted_once_a_week(database: Database) -> None:
    async with client_of(database, at=NOON) as web:
        await enter(web, "Ada", NUMBER)
        await enter(web, "Bank", "95588")
        await enter(web, "Cleo")
        address = [{"value": "dora@example.com", "kind": "email"}]
        body = {"display_name": "Dora", "contact_points": address}
        assert (await web.post("/customers", json=body)).status_code == 201
        twin = await enter(web, "Ada", NUMBER)
        async with database.begin() as session:
            (await get_customer(session, int(twin["id"]))).last_contact_at = NOON - timedelta(days=366)
        await web.post("/duplicates/scan")
        first = await maintain(database, now=NOON)
        assert {name: count for name, count in first.items() if name.startswith("quality_")} == {
            "quality_customers": 5,
            "quality_without_phone": 2,
            "quality_doubtful_phone": 1,
            "quality_unreachable": 1,
            "quality_stale": 1,
            "quality_duplicates": 1,
        }
        assert without_quality(await maintain(database, now=NOON + timedelta(days=6))) == {"levels": 0}
        assert "quality_customers" not in await maintain(database, now=NOON + timedelta(days=6))
        await maintain(database, now=NOON + timedelta(days=7, hours=-1))
        told = (await web.get("/data-quality")).json()
        assert [each["customers"] for each in told] == [5, 5]
        assert told[1]["counts"]["doubtful_phone"] == 1
        assert len((await web.get("/data-quality?weeks=1")).json()) == 1
        for problem in ("without_phone", "doubtful_phone", "unreachable", "stale"):
            listed = (await web.get(f"/data-quality/{problem}")).json()
            assert (len(listed["items"]), listed["next_cursor"]) == (told[1]["counts"][problem], None), problem
        assert (await web.get("/data-quality/duplicates")).status_code == 422
        assert (await web.get("/data-quality/stale", headers={"x-roles": "agent"})).status_code == 403


async def test_a_list_of_what_is_rare_is_read_in_pages_that_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page looks at so many customers and no more; each is listed once, and what one may not see is not."""
    monkeypatch.setattr("crm_bridge.data_quality.LOOKED_AT", 4)
    async with client_of(database) as web:
        named = [f"C{index}" for index in range(10)]
        bare = {"C0", "C1", "C2", "C8"}
        ids = {
            name: (await enter(web, name, *([] if name in bare else [f"+86216123{place:04d}"])))["id"]
            for place, name in enumerate(named)
        }
        await web.patch(f"/customers/{ids['C1']}", json={"team_id": "north"}, headers={"if-match": "*"})
        pages, cursor = [], None
        while True:
            page = (await web.get("/data-quality/without_phone", params={"cursor": cursor or "", "limit": 2})).json()
            pages.append([each["display_name"] for each in page["items"]])
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert pages == [["C8"], ["C2"], ["C1", "C0"]]
        lead = {"x-roles": "team_lead", "x-teams": "south"}
        params = {"limit": 2}
        monkeypatch.setattr("crm_bridge.data_quality.LOOKED_AT", 100)
        seen = (await web.get("/data-quality/without_phone", params=params, headers=lead)).json()
        rest = {"limit": 2, "cursor": seen["next_cursor"]}
        more = (await web.get("/data-quality/without_phone", params=rest, headers=lead)).json()
        assert [each["display_name"] for each in seen["items"] + more["items"]] == ["C8", "C2", "C0"]


async def levels(web: Any, ids: Sequence[str]) -> list[str | None]:
    return [(await web.get(f"/customers/{each}")).json()["level"] for each in ids]


async def test_more_customers_than_a_portion_are_all_looked_at(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_bridge.maintenance.PORTION", 2)
    async with client_of(database) as web:
        for n in range(5):
            await enter(web, f"Ada {n}")
        rule = [{"fact": "kind", "op": "=", "value": "person"}]
        await web.put("/levels/basic", json={"name": "Basic", "rank": 1, "colour": "#ffffff", "rule": rule})
    assert (await maintain(database, now=NOON))["levels"] == 5


class Ticking:
    """A clock that stands where it is put."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> int:
        return round(self.at.timestamp() * 1000)


async def test_the_web_process_makes_up_for_a_missed_run_and_then_waits_for_the_hour(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: asyncio.Queue[float] = asyncio.Queue()
    go_on = asyncio.Event()

    async def pause(seconds: float) -> None:
        waits.put_nowait(seconds)
        if seconds:
            await go_on.wait()
            go_on.clear()

    monkeypatch.setattr(shell.asyncio, "sleep", pause)
    clock = Ticking(NOON)
    task = asyncio.create_task(shell.maintain_daily(database, clock=clock, zone=BERLIN, hour=14))
    assert [await waits.get(), await waits.get()] == [0.0, shell.LONGEST_WAIT_SECONDS]
    clock.at = NOON + timedelta(hours=1)  # two o'clock in Berlin
    go_on.set()
    assert [await waits.get(), await waits.get()] == [0.0, shell.LONGEST_WAIT_SECONDS]
    async with database.read() as session:
        run = await last_run(session)
        assert run is not None
        assert run.at == clock.at
    await database.close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
