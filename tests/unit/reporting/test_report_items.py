"""Messages in reports: on lines of their own, with service levels of their own, beside untouched calls."""

import pytest

from callcenter.reporting.metrics import Value
from callcenter.reporting.report import Wanted, report
from tests.support.messages_left import a_house, message_arrives, site_with_exit
from tests.support.virtual_time import pass_seconds, run_virtual

pytestmark = pytest.mark.unit


def test_what_became_of_messages_is_told_apart_from_calls() -> None:
    async def live() -> None:
        house = await a_house(site=site_with_exit(wrap_up_seconds=0))
        await house.sign_in("ben")
        for number in range(4):
            await message_arrives(house, number)
        await pass_seconds(10)
        await house.core.desk.accept("ben", "call0-v1")
        await pass_seconds(60)
        await house.core.desk.give_back("ben", "call0-v1")
        await house.core.desk.accept("ben", "call1-v1")
        await pass_seconds(30)
        await house.core.desk.finish("ben", "call1-v1")
        await house.core.items.leave("call3-v1")
        await house.core.desk.finish("anna", "call0-v1")
        found = {line.subject.id: line.values for line in report(house.journal.rows, Wanted()).lines}
        messages = found["sales/message"]
        assert [messages[name] for name in ("offered", "answered", "abandoned", "in_progress")] == [5, 3, 1, 1]
        assert messages["service_level_b"] == 1.0
        assert (messages["handled"], messages["talk_closed"]) == (3, 90_000)
        assert found["ben/message"]["handled"] == 2
        assert (found["sales"]["offered"], found["sales"]["offers"], found[""]["offers"]) == (0, 0, 0)
        assert found["ben"]["answered"] == 0

    run_virtual(live)


async def two_at_once() -> dict[str, dict[str, Value]]:
    """ben works two messages for a minute each, half a minute of it at once, and wraps each up for 20 s."""
    house = await a_house(site=site_with_exit(agents={"ben": {"capacity": {"message": 2}}}, wrap_up_seconds=20))
    await house.sign_in("ben")
    for number, seconds in enumerate((30, 30)):
        await message_arrives(house, number)
        await house.core.desk.accept("ben", f"call{number}-v1")
        await pass_seconds(seconds)
    await house.core.desk.finish("ben", "call0-v1")
    await pass_seconds(30)
    await house.core.desk.finish("ben", "call1-v1")
    await pass_seconds(40)
    await house.core.desk.sign_out("ben")
    return {line.subject.id: line.values for line in report(house.journal.rows, Wanted()).lines}


def test_two_messages_at_once_take_their_time_twice_and_the_seats_once() -> None:
    """30 s with one, 30 s with two, 20 s with one beside a wrap-up, 10 s with one, 20 s of wrap-up, 20 s of nothing."""
    found = run_virtual(two_at_once)
    messages, ben = found["sales/message"], found["ben"]
    assert (messages["handled"], messages["talk_closed"], messages["wrap_up_closed"]) == (2, 120_000, 40_000)
    assert messages["aht"] == 80_000
    assert messages["seat_time_closed"] == messages["seat_time_split"] == ben["occupied_split"] == 110_000
    assert (messages["aht_of_seat"], found["ben/message"]["aht_of_seat"]) == (55_000, 55_000)
    assert ben["concurrency"] == 160 / 110
    assert (ben["idle_split"], ben["occupancy"]) == (20_000, 110 / 130)
    assert ben["utilization_of_signed_in"] == 110 / 130
    assert messages["wrap_up_split"] == 40_000
