"""How each leg of a call sounded stands in the journal, whoever hangs up first."""

import pytest

from callcenter.calls.quality_facts import LegMeasured
from callcenter.ports import LegStatistics
from tests.support.house import CUSTOMER, House, open_house
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


def measured(house: House) -> list[LegMeasured]:
    return [entry for entry in house.journal.entries if isinstance(entry, LegMeasured)]


@pytest.mark.parametrize("first", ["customer", "agent"])
def test_every_leg_of_a_conversation_is_measured_once(first: str) -> None:
    async def story() -> None:
        house = await open_house()
        house.media.statistics = LegStatistics(
            1000, 990, 10, 2, heard=True, jitter_ms=3.5, round_trip_ms=40.0, far_loss_percent=0.5, mos=4.2
        )
        await house.sign_in("anna")
        customer = await house.queue_call()
        phone = await house.answer("anna")
        await pass_seconds(10)
        assert measured(house) == []
        await house.hang_up(customer if first == "customer" else phone)
        await settle()
        legs = measured(house)
        assert len({leg.leg for leg in legs}) == len(legs) == 2
        assert CUSTOMER in {leg.leg for leg in legs}
        (record,) = house.records()
        for leg in legs:
            assert leg.call_id == record.call_id
            assert (leg.mos, leg.jitter_ms, leg.round_trip_ms, leg.packets_lost) == (4.2, 3.5, 40.0, 10)

    run_virtual(story)
