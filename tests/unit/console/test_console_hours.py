"""Opening hours over HTTP: who may ask, and what comes back."""

import httpx
import pytest

from agent_console.opening_hours import QueueHoursView
from agent_console.ports import Principal
from tests.support.console_site import browser_of, console_app, sign_in
from tests.support.fake_desk import ANNA, LENA, SOFIA, FakeAccounts

pytestmark = pytest.mark.unit


class FakeHours:
    """Knows one queue."""

    def of(self, queue_id: str, now: int) -> QueueHoursView | None:
        return QueueHoursView(queue_id, "UTC", is_open=now > 0, next_change_at=None) if queue_id == "sales" else None


async def ask(person: Principal, queue_id: str, *, kept: bool = True) -> httpx.Response:
    app = console_app(FakeAccounts(ANNA, SOFIA, LENA), opening_hours=FakeHours() if kept else None)
    async with browser_of(app) as client:
        await sign_in(client, person.user_id.removeprefix("user-"))
        return await client.get(f"/api/v1/queues/{queue_id}/hours")


@pytest.mark.parametrize("person", [SOFIA, LENA])
async def test_who_sees_more_than_the_own_desk_is_told_the_hours(person: Principal) -> None:
    answer = await ask(person, "sales")
    assert (answer.status_code, answer.json()["timezone"], answer.json()["is_open"]) == (200, "UTC", True)


async def test_others_are_not_told() -> None:
    assert (await ask(ANNA, "sales")).status_code == 403


@pytest.mark.parametrize(("queue_id", "kept"), [("nowhere", True), ("sales", False)])
async def test_an_unknown_queue_is_not_found(queue_id: str, kept: bool) -> None:
    assert (await ask(SOFIA, queue_id, kept=kept)).status_code == 404
