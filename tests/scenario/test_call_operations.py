"""Hold, transfer, consultation, park and calls out against the whole exchange, with everybody hanging up everywhere."""

import pytest

from agent_console.messages import AgentState
from agent_console.ports import IntentError
from callcenter.calls.facts import Outcome
from tests.support.fake_signalling import FakeLeg
from tests.support.house import CUSTOMER, House, open_house
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


async def talking(house: House, agent_id: str = "anna") -> tuple[FakeLeg, FakeLeg, str]:
    """A customer talks with an agent: both legs, and the call's id."""
    customer = await house.queue_call()
    phone = await house.answer(agent_id)
    return customer, phone, house.call_id(customer)


def heard(house: House, call_id: str) -> set[tuple[str, str]]:
    """Who hears whom: ``customer``, or the agent id or number of a leg's far end."""
    runner = house.core.switchboard.calls[call_id]
    names = {media: house.signalling.legs[leg].agent_id or leg for leg, media in runner._audio.legs.items()}
    names[CUSTOMER] = CUSTOMER
    return {(names[way.source], names[way.destination]) for way in house.media.sessions[call_id].routes}


def both(one: str, other: str) -> set[tuple[str, str]]:
    return {(one, other), (other, one)}


def test_hold_plays_music_to_the_customer_until_resumed() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer, _, call = await talking(house)
        await pass_seconds(10)
        await house.core.desk.hold("anna", call)
        await settle()
        assert heard(house, call) == set()
        assert "music" in house.session(customer).plays
        with pytest.raises(IntentError, match="held"):
            await house.core.desk.hold("anna", call)
        await pass_seconds(5)
        await house.core.desk.resume("anna", call)
        await settle()
        assert heard(house, call) == both(CUSTOMER, "anna")
        assert "music" not in house.session(customer).plays
        await pass_seconds(20)
        await house.hang_up(customer)
        (record,) = house.records()
        assert (record.talk_ms, record.hold_ms, record.outcome) == (30_000, 5_000, Outcome.ANSWERED)

    run_virtual(story)


def test_blind_transfer_to_an_agent_gives_each_agent_the_own_time() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, call = await talking(house)
        await pass_seconds(10)
        await house.core.desk.transfer("anna", call, "agent", "ben")
        await settle()
        assert phone.state == "answered"
        await pass_seconds(3)
        await house.answer("ben")
        assert phone.state == "ended"
        assert house.agent("anna").state is AgentState.WRAP_UP
        assert heard(house, call) == both(CUSTOMER, "ben")
        assert house.agent("ben").contact_id == f"{call}.2"
        await pass_seconds(7)
        await house.hang_up(customer)
        (record,) = house.records()
        first, second = record.segments
        assert (first.agent_id, first.talk_ms, first.hold_ms) == ("anna", 10_000, 3_000)
        assert (second.agent_id, second.talk_ms, second.waited_ms) == ("ben", 7_000, 3_000)
        assert (record.talk_ms, record.hold_ms) == (17_000, 3_000)
        assert house.agent("ben").state is AgentState.WRAP_UP

    run_virtual(story)
