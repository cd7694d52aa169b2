"""Messages in reports: on lines of their own, with service levels of their own, beside untouched calls."""

import pytest

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
