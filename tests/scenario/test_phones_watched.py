"""Phones are watched while their agents wait for calls; one that falls silent takes its agent out of the pool."""

import pytest

from agent_console.messages import AgentState
from tests.support.callback_house import ADA, FLOW, callback_site, dialled, pick_up, promise
from tests.support.house import House, open_house
from tests.support.virtual_time import in_virtual_time, pass_seconds, settle

pytestmark = pytest.mark.scenario


def falls_silent(house: House, agent_id: str) -> None:
    house.signalling.registered.discard(agent_id)
    house.core.on_registration(agent_id, False)


def is_back(house: House, agent_id: str) -> None:
    house.signalling.registered.add(agent_id)
    house.core.on_registration(agent_id, True)


@in_virtual_time
async def test_phones_are_watched_of_those_who_may_be_rung_and_of_nobody_else() -> None:
    house = await open_house()
    assert house.signalling.watched == set()
    await house.sign_in("anna", "ben")
    assert house.signalling.watched == {"anna", "ben"}
    await house.core.desk.not_ready("anna", "lunch")
    await settle()
    assert house.signalling.watched == {"ben"}
    leg = await house.queue_call()
    assert house.signalling.watched == {"ben"}, "it rings"
    await house.answer("ben")
    assert house.signalling.watched == set(), "who talks shows life by sound"
    await house.hang_up(leg)
    await pass_seconds(31)
    assert house.signalling.watched == {"ben"}
    await house.core.desk.sign_out("ben")
    await settle()
    assert house.signalling.watched == set()


@in_virtual_time
async def test_an_agent_whose_phone_falls_silent_gets_no_calls_until_it_is_back() -> None:
    house = await open_house()
    await house.sign_in("anna")
    falls_silent(house, "anna")
    await settle()
    assert (house.agent("anna").state, house.agent("anna").reason) == (AgentState.NOT_READY, "phone_gone")
    assert house.signalling.watched == {"anna"}, "so that it is seen to be back"
    await house.queue_call()
    assert house.signalling.ringing_phone("anna") is None
    is_back(house, "anna")
    await settle()
    assert house.signalling.ringing_phone("anna") is not None


@in_virtual_time
async def test_who_is_kept_for_a_callback_is_kept_no_more_when_the_phone_falls_silent() -> None:
    house = await open_house(site=callback_site(callback_order="customer"), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    assert house.agent("ben").is_kept
    await house.sign_in("anna")
    falls_silent(house, "ben")
    await settle()
    assert (house.agent("ben").reason, house.agent("anna").is_kept) == ("phone_gone", True)
    await pick_up(house, dialled(house)[0])
    await house.answer("anna")
    assert len(dialled(house)) == 1


@in_virtual_time
async def test_phones_are_watched_again_after_a_restart() -> None:
    house = await open_house()
    await house.sign_in("anna")
    again = await open_house(journal=house.journal)
    assert again.agent("anna").reason == "phone_gone"
    assert again.signalling.watched == {"anna"}
    third = await open_house(journal=again.journal)
    assert third.signalling.watched == {"anna"}, "who waits for the phone already"
