"""Hours of a queue: several periods a day, over midnight, over the change of the clocks, holidays; whoever comes
outside leaves at the door."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from acd.engine import Acd
from acd.events import ContactArrived, FloorConfigured, QueueClosed
from acd.outcomes import ContactOverflowed
from agent_console.messages import ContactState
from callcenter.calls.facts import CallOverflowed, Outcome
from callcenter.site.models import Site
from tests.support.house import House, open_house, small_site
from tests.support.virtual_time import in_virtual_time, pass_seconds, settle
from tests.support.waiting_flows import NO_WAY_BACK, way_back

pytestmark = pytest.mark.scenario

BACK = way_back("closed_hours")

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
OFFICE = {
    "timezone": "Europe/Berlin",
    "weekly": [
        {"days": WEEKDAYS, "from": "09:00", "to": "12:30"},
        {"days": WEEKDAYS, "from": "13:30", "to": "18:00"},
        {"days": ["thu", "sat"], "from": "22:00", "to": "03:00"},
    ],
    "holidays": [
        {"date": date(2025, 10, 10)},
        {"date": date(2025, 10, 13), "periods": [{"from": "10:00", "to": "11:00"}]},
    ],
}


def site(**sales: Any) -> Site:
    """The small site with these hours of *sales*; *support* is always open."""
    values = small_site().model_dump()
    values["queues"][0].update({"hours": "office", **sales})
    return Site.model_validate({**values, "hours": {"office": OFFICE}})


async def until(house: House, instant: str) -> None:
    """Let time pass up to an instant, written in UTC."""
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    await pass_seconds(at.timestamp() - house.clock.now() / 1000)


async def is_let_in(house: House) -> bool:
    """Whether a customer who calls now comes into the queue; the call is over afterwards."""
    before = len(reasons(house))
    customer = await house.call()
    refused = reasons(house)[before:]
    assert refused in ([], ["closed_hours"])
    if customer.state != "ended":
        await house.hang_up(customer)
    return not refused


def reasons(house: House) -> list[str]:
    return [each.reason for each in house.journal.entries if isinstance(each, CallOverflowed)]


@in_virtual_time
async def test_a_caller_outside_the_hours_hears_what_the_flow_says_otherwise() -> None:
    house = await open_house(site=site(), flow=BACK)
    await house.sign_in("anna")
    await until(house, "2025-10-09T10:30:00")  # 12:30 in Berlin: the end is outside
    await house.call("+12025550112")
    assert house.signalling.ringing_phone("anna") is None
    house.media.finish_play("prompt-1")
    await settle()
    (record,) = house.records()
    assert (record.outcome, reasons(house)) == (Outcome.CLOSED_HOURS, ["closed_hours"])
    (arrived,) = [each for each in house.journal.entries if isinstance(each, ContactArrived)]
    assert arrived.outside_hours


@in_virtual_time
async def test_a_call_with_nowhere_to_go_ends_as_closed_hours() -> None:
    house = await open_house(site=site(), flow=NO_WAY_BACK)
    await until(house, "2025-10-09T17:00:00")
    customer = await house.call()
    assert (customer.state, house.records()[0].outcome) == ("ended", Outcome.CLOSED_HOURS)


@in_virtual_time
async def test_periods_of_a_day_midnight_and_holidays() -> None:
    house = await open_house(site=site(), flow=NO_WAY_BACK)
    said = []
    for instant in (
        "2025-10-09T10:29:59",  # Thursday, 12:29:59 in Berlin
        "2025-10-09T10:30:00",
        "2025-10-09T11:30:00",
        "2025-10-09T16:00:00",
        "2025-10-09T20:00:00",  # 22:00: the night shift
        "2025-10-09T22:00:00",  # midnight
        "2025-10-10T00:59:59",  # a holiday, but the shift began the evening before
        "2025-10-10T01:00:00",
        "2025-10-10T08:00:00",
        "2025-10-13T07:30:00",  # a holiday with a period of its own
        "2025-10-13T08:30:00",
    ):
        await until(house, instant)
        said.append(await is_let_in(house))
    assert said == [True, False, True, False, True, True, True, False, False, False, True]


@in_virtual_time
async def test_the_night_in_which_the_clocks_are_set_back_is_an_hour_longer() -> None:
    house = await open_house(site=site(), flow=NO_WAY_BACK)
    said = []
    for instant in (
        "2025-10-25T19:59:59",
        "2025-10-25T20:00:00",  # Saturday, 22:00 summer time
        "2025-10-26T01:00:00",  # 02:00 for the second time
        "2025-10-26T01:59:59",
        "2025-10-26T02:00:00",  # 03:00 winter time
        "2025-10-27T07:59:59",
        "2025-10-27T08:00:00",  # Monday, 09:00 winter time
    ):
        await until(house, instant)
        said.append(await is_let_in(house))
    assert said == [False, True, True, True, False, False, True]


@in_virtual_time
async def test_who_waits_when_the_hours_end_is_served() -> None:
    house = await open_house(site=site(), flow=BACK)
    await until(house, "2025-10-09T15:59:00")
    await house.call()
    await until(house, "2025-10-09T16:05:00")
    await house.sign_in("ben")
    await house.answer("ben")
    assert [each.state for each in house.contacts()] == [ContactState.CONNECTED]


@in_virtual_time
async def test_another_queue_takes_over_outside_the_hours() -> None:
    house = await open_house(site=site(otherwise="queue:support"), flow=BACK)
    await house.sign_in("chen")
    await until(house, "2025-10-09T17:00:00")
    await house.call()
    await house.answer("chen")
    (contact,) = house.contacts()
    assert (contact.queue_id, reasons(house)) == ("support", ["closed_hours"])


@in_virtual_time
async def test_an_emergency_close_goes_before_the_hours_and_a_replay_asks_no_calendar() -> None:
    house = await open_house(site=site(), flow=NO_WAY_BACK)
    await until(house, "2025-10-09T17:00:00")
    await house.call()
    await house.core.desk.close_queue("boss", "sales")
    await house.call("+12025550112")
    assert reasons(house) == ["closed_hours", "queue_closed"]
    engine = Acd()
    events = [
        each for each in house.journal.entries if isinstance(each, FloorConfigured | ContactArrived | QueueClosed)
    ]
    again = [said for event in events for said in engine.receive(event, now=0) if isinstance(said, ContactOverflowed)]
    assert [each.reason for each in again] == reasons(house)


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ({}, "no \\[hours.office\\] is there"),
        ({"office": {"timezone": "Berlin"}}, "'Berlin' is no time zone"),
        ({"office": {**OFFICE, "weekly": [{"days": ["mon"], "from": "9", "to": "12:00"}]}}, "'9' is no time of day"),
        ({"office": {**OFFICE, "holiday": []}}, "did you mean 'holidays'"),
    ],
)
def test_wrong_hours_are_named(hours: dict[str, Any], said: str) -> None:
    values = site().model_dump()
    with pytest.raises(ValueError, match=said):
        Site.model_validate({**values, "hours": hours})
