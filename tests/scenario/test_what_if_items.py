"""What another policy would have made of a day with messages in it."""

from dataclasses import replace

import pytest

from callcenter.site.rules import floor_configuration
from callcenter.what_if import live_again
from callcenter.written_day import read_day
from tests.support.messages_left import a_house, message_arrives, site_with_exit
from tests.support.virtual_time import pass_seconds, run_virtual

pytestmark = pytest.mark.scenario


def test_a_message_never_gives_up_in_another_life_either() -> None:
    async def live() -> None:
        site = site_with_exit()
        house = await a_house(site=site)
        for number in range(5):
            await message_arrives(house, number)
        caller = await house.call()
        await pass_seconds(30)
        await house.hang_up(caller)
        await pass_seconds(3_600)
        day = read_day(house.journal.rows)
        figures = live_again(day, replace(floor_configuration(site), agents=())).queues["sales"]
        assert (figures.offered, figures.abandoned) == (6, 1)

    run_virtual(live)
