"""Parked calls: taken up by a colleague, or back to who parked them, and then to the queue."""

import pytest

from agent_console.messages import AgentState, ContactState
from agent_console.ports import IntentError
from tests.support.conversations import both, end_clean, heard, talking
from tests.support.house import CUSTOMER, open_house, small_site
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


def test_parked_call_is_taken_up_by_a_colleague() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, call = await talking(house)
        await house.core.desk.park("anna", call)
        await settle()
        assert phone.state == "ended"
        assert house.agent("anna").state is AgentState.WRAP_UP
        (parked,) = [each for each in house.contacts() if each.state is ContactState.PARKED]
        assert (parked.park_slot, parked.parked_by) == ("701", "anna")
        await pass_seconds(30)
        with pytest.raises(IntentError, match="Nobody"):
            await house.core.desk.retrieve("ben", "702")
        await house.core.desk.retrieve("ben", "701")
        await settle()
        await house.answer("ben")
        assert heard(house, call) == both(CUSTOMER, "ben")
        assert house.agent("ben").state is AgentState.BUSY
        await pass_seconds(5)
        await house.hang_up(customer)
        (record,) = house.records()
        assert [(each.kind, each.talk_ms) for each in record.segments] == [("inbound", 0), ("retrieved", 5_000)]
        await end_clean(house)

    run_virtual(story)


def test_parked_call_that_nobody_takes_up_comes_back_to_who_parked_it_then_to_the_queue() -> None:
    async def story() -> None:
        house = await open_house(site=small_site(wrap_up_seconds=0))
        await house.sign_in("anna", "ben")
        customer, _, call = await talking(house)
        await house.core.desk.park("anna", call)
        await pass_seconds(181)
        rung = house.signalling.ringing_phone("anna")
        assert rung is not None
        house.signalling.refuse(rung, 486)
        await settle()
        await house.answer("ben")
        assert heard(house, call) == both(CUSTOMER, "ben")
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("how", ["refuses", "leaves", "hangs up"])
def test_call_whose_retriever_does_not_answer_stays_parked(how: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, _, call = await talking(house)
        await house.core.desk.park("anna", call)
        await settle()
        await house.core.desk.retrieve("ben", "701")
        await settle()
        rung = house.signalling.ringing_phone("ben")
        assert rung is not None
        if how == "refuses":
            house.signalling.refuse(rung, 486)
        elif how == "leaves":
            house.signalling.far_end_hangs_up(customer)
        else:
            await house.core.desk.hang_up("ben", f"{call}.2")
        await settle()
        assert house.agent("ben").state is AgentState.READY
        assert rung.state == "ended"
        if how != "leaves":
            assert house.core.switchboard.parked("701") is not None
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)
