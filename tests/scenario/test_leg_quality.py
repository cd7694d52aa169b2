"""How each leg of a call sounded stands in the journal, whoever hangs up first."""

import pytest

from callcenter.calls.legs import LegGapEnded
from callcenter.calls.quality_facts import LegMeasured, LegQualityChanged, LegReturned
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
        assert {(leg.role, leg.agent_id, leg.contact_id, leg.queue_id) for leg in legs} == {
            ("customer", "", record.call_id, "sales"), ("agent", "anna", record.call_id, "sales")
        }  # fmt: skip
        for leg in legs:
            assert leg.call_id == record.call_id
            assert (leg.mos, leg.jitter_ms, leg.round_trip_ms, leg.packets_lost) == (4.2, 3.5, 40.0, 10)

    run_virtual(story)


def test_after_a_transfer_every_leg_stands_with_its_own_segment() -> None:
    """The agent who handed on keeps the own figures; the customer's are of the whole call, with who had it last."""

    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer = await house.queue_call()
        phone = await house.answer("anna")
        call = house.call_id(customer)
        await house.sign_in("ben")
        await pass_seconds(5)
        await house.core.desk.transfer("anna", call, "agent", "ben")
        await settle()
        await house.answer("ben")
        await house.hang_up(phone)
        await settle()
        await pass_seconds(5)
        await house.hang_up(customer)
        await settle()
        found = {(leg.role, leg.agent_id, leg.contact_id) for leg in measured(house)}
        assert found == {("agent", "anna", call), ("agent", "ben", f"{call}.2"), ("customer", "", f"{call}.2")}

    run_virtual(story)


def test_a_poor_line_is_seen_on_the_floor_until_it_is_fine_again() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer = await house.queue_call()
        await house.answer("anna")
        call = house.call_id(customer)

        async def lines() -> list[tuple[str, float]]:
            await settle()
            (contact,) = house.contacts()
            return [(line.role, line.mos) for line in contact.poor_lines]

        agent_leg = next(leg for leg in house.media.sessions[call].legs if leg != CUSTOMER)
        house.media.turn_quality(CUSTOMER, mos=2.4, loss_percent=22.0)
        assert await lines() == [("customer", 2.4)]
        house.media.turn_quality(agent_leg, mos=3.1, loss_percent=12.0)
        assert await lines() == [("customer", 2.4), ("agent", 3.1)]
        house.media.turn_quality(CUSTOMER, mos=4.2, loss_percent=0.5, is_poor=False)
        assert await lines() == [("agent", 3.1)]
        told = [entry for entry in house.journal.entries if isinstance(entry, LegQualityChanged)]
        assert [(fact.role, fact.is_poor, fact.contact_id) for fact in told] == [
            ("customer", True, call), ("agent", True, call), ("customer", False, call)
        ]  # fmt: skip
        await house.hang_up(customer)
        assert await lines() == []

    run_virtual(story)


def test_a_browser_that_comes_back_is_in_the_journal_with_its_gap() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer = await house.queue_call()
        phone = await house.answer("anna")
        call = house.call_id(customer)
        house.core.switchboard.on_leg_event(LegGapEnded(phone.leg_id, 1_900))
        await settle()
        (fact,) = [entry for entry in house.journal.entries if isinstance(entry, LegReturned)]
        assert (fact.call_id, fact.contact_id, fact.agent_id, fact.gap_ms) == (call, call, "anna", 1_900)

    run_virtual(story)
