"""Nobody is called back who is on the line with us, whatever the call is about and whoever called whom."""

import pytest

from agent_console.messages import AgentState, CallbackState
from callcenter.calls.callback_facts import CallbackResult, CallbackTried
from callcenter.calls.origin import person
from callcenter.site.models import Site
from tests.support.callback_house import (
    ADA,
    FLOW,
    callback_site,
    consistent,
    dialled,
    numbers,
    pick_up,
    promise,
    results,
    wait_in_line,
)
from tests.support.fake_signalling import FakeLeg
from tests.support.house import House, open_house
from tests.support.virtual_time import in_virtual_time, pass_seconds, settle

pytestmark = pytest.mark.scenario

OTHER_QUEUE = (
    FLOW.replace('2 = { next = "wait", label = "Wait" }', '2 = { next = "help", label = "Help" }')
    + """
[steps.help]
type = "queue"
queue = "support"
"""
)
"""Key 2 leads to another queue than the one that calls back."""


async def at_support(house: House, caller: str) -> FakeLeg:
    """A customer waits for support."""
    return await wait_in_line(house, caller)


def put_off(house: House) -> tuple[str, str]:
    (shown,) = house.core.floor.view().callbacks
    return shown.state, shown.reason


async def keep_promise(house: House, order: str, agent_id: str) -> FakeLeg:
    """The agent and the customer are connected; the customer's leg."""
    if order == "agent":
        await house.answer(agent_id)
        house.signalling.answer_phone(dialled(house)[-1])
    else:
        await pick_up(house, dialled(house)[-1])
        await house.answer(agent_id)
    await settle()
    return dialled(house)[-1]


@pytest.mark.parametrize("order", ["agent", "customer"])
@in_virtual_time
async def test_who_waits_for_another_queue_is_not_called_until_that_is_over(order: str) -> None:
    house = await open_house(site=callback_site(callback_order=order), flow=OTHER_QUEUE)
    await promise(house, ADA)
    ada = await at_support(house, ADA)
    await house.sign_in("ben")
    assert house.signalling.ringing_phone("ben") is None
    assert (dialled(house), house.agent("ben").state) == ([], AgentState.READY)
    assert put_off(house) == (CallbackState.PUT_OFF, "in_call")
    await pass_seconds(100)
    assert dialled(house) == []
    await house.hang_up(ada)
    await keep_promise(house, order, "ben")
    assert (numbers(house), results(house)) == ([ADA], [CallbackResult.REACHED])
    consistent(house)


@pytest.mark.parametrize("order", ["agent", "customer"])
@in_virtual_time
async def test_who_talks_with_an_agent_who_called_is_not_called_by_another(order: str) -> None:
    house = await open_house(site=callback_site(callback_order=order), flow=FLOW)
    await promise(house, ADA)
    house.signalling.registered.add("anna")
    house.core.on_registration("anna", True)
    await house.core.desk.sign_in("anna")
    await house.core.desk.dial("anna", "number", ADA)
    await settle()
    await house.answer("anna")
    house.signalling.answer_phone(dialled(house)[0])
    await settle()
    await house.sign_in("ben")
    await pass_seconds(30)
    assert (numbers(house), house.agent("ben").state) == ([ADA], AgentState.READY)
    await house.hang_up(dialled(house)[0])
    await keep_promise(house, order, "ben")
    assert numbers(house) == [ADA, ADA]
    consistent(house)


@in_virtual_time
async def test_who_calls_in_while_the_agents_phone_rings_for_it_has_the_place_and_is_not_dialled() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    await pass_seconds(50)
    await house.sign_in("ben")
    ringing = house.signalling.ringing_phone("ben")
    assert ringing is not None
    ada = await wait_in_line(house, ADA)
    assert ringing.state == "ended"
    assert results(house) == [CallbackResult.CALLED_IN]
    await pass_seconds(6)  # the wrap-up of what came to nothing
    await house.answer("ben")
    assert (dialled(house), house.agent("ben").contact_id) == ([], house.call_id(ada))
    await house.hang_up(ada)
    consistent(house)


@in_virtual_time
async def test_who_is_in_the_queue_before_the_agents_phone_was_hung_up_has_the_place_all_the_same() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    assert house.core.callbacks.reclaim(ADA, "sales") is not None
    assert results(house) == [CallbackResult.CALLED_IN]
    await settle()
    assert house.signalling.ringing_phone("ben") is None
    await promise(house, ADA)
    await pass_seconds(6)
    await house.answer("ben")
    assert house.core.callbacks.reclaim(ADA, "sales") is None, "the customer's phone rings"
    assert numbers(house) == [ADA]


@in_virtual_time
async def test_who_calls_somebody_else_meanwhile_is_called_after_that_and_has_lost_no_attempt() -> None:
    house = await open_house(site=callback_site(), flow=OTHER_QUEUE)
    await promise(house, ADA)
    await house.sign_in("ben")
    assert house.signalling.ringing_phone("ben") is not None
    ada = await at_support(house, ADA)
    assert house.signalling.ringing_phone("ben") is None
    assert put_off(house) == (CallbackState.PUT_OFF, "in_call")
    (tried,) = [entry for entry in house.journal.entries if isinstance(entry, CallbackTried)]
    assert not tried.counts
    await pass_seconds(10)
    assert house.agent("ben").state is AgentState.READY
    await house.hang_up(ada)
    await keep_promise(house, "agent", "ben")
    assert results(house) == [CallbackResult.REACHED]
    consistent(house)


@pytest.mark.parametrize("order", ["agent", "customer"])
@in_virtual_time
async def test_two_queues_that_promised_one_person_do_not_dial_at_once(order: str) -> None:
    values = callback_site(callback_order=order).model_dump()
    rules = {name: value for name, value in values["queues"][0].items() if name.startswith("callback_")}
    values["queues"][1].update(rules)
    flow = OTHER_QUEUE.replace(
        'type = "queue"\nqueue = "support"',
        'type = "callback"\nqueue = "support"\nnext = "promised"\notherwise = "end"',
    )
    house = await open_house(site=Site.model_validate(values), flow=flow)
    await promise(house, ADA)
    leg = await wait_in_line(house, ADA)  # which is a callback of support, in this flow
    house.media.finish_play("prompt-2", of=house.call_id(leg))
    await settle()
    assert len(house.core.floor.view().callbacks) == 2
    await house.sign_in("ben", "chen")
    if order == "agent":
        await house.answer("ben")
        assert house.signalling.ringing_phone("chen") is None
    assert numbers(house) == [ADA]
    house.signalling.refuse(dialled(house)[0], 486)
    await settle()
    if order == "agent":
        await house.answer("chen")
    assert numbers(house) == [ADA, ADA], "the other queue's, when the first attempt is over"
    consistent(house)


def test_a_person_is_known_by_the_digits() -> None:
    assert person("+1 (202) 555-0111") == person(ADA) == "12025550111"
