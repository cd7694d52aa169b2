"""Virtual hold: the place stays, one call goes out when an agent is there for it, and never a second one."""

import random

import pytest

from acd.events import ContactArrived, OfferAccepted
from agent_console.messages import AgentState
from callcenter.calls.callback_facts import CallbackRequested, CallbackResult, CallbackTried
from callcenter.calls.facts import Outcome
from callcenter.replay import replay
from callcenter.site.models import Site
from tests.support.callback_house import (
    ADA,
    BOB,
    EVE,
    FLOW,
    callback_site,
    consistent,
    dialled,
    numbers,
    promise,
    results,
    wait_in_line,
)
from tests.support.callback_turmoil import CallbackTurmoil
from tests.support.house import open_house
from tests.support.virtual_time import in_virtual_time, pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


@in_virtual_time
async def test_the_customer_is_called_in_turn_by_the_agent_whom_routing_chose() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    await pass_seconds(30)
    bob = await wait_in_line(house, BOB)
    await house.sign_in("ben")
    assert house.agent("ben").state is AgentState.BUSY
    assert dialled(house) == [], "not before the agent is on the phone"
    await house.answer("ben")
    (out,) = dialled(house)
    assert numbers(house) == [ADA]
    house.signalling.answer_phone(out)
    await settle()
    assert results(house) == [CallbackResult.REACHED]
    await pass_seconds(20)
    await house.hang_up(out)
    assert house.agent("ben").state is AgentState.WRAP_UP
    await pass_seconds(6)
    assert house.signalling.ringing_phone("ben") is not None, "and then whoever came later"
    record = house.records()[-1]
    assert (record.outcome, record.talk_ms, record.agent_id) == (Outcome.ANSWERED, 20_000, "ben")
    await house.hang_up(bob)
    consistent(house)


@in_virtual_time
async def test_a_customer_who_does_not_answer_is_called_again_later_and_then_no_more() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    await house.answer("ben")
    house.signalling.refuse(dialled(house)[0], 486)
    await settle()
    await pass_seconds(10)
    assert house.agent("ben").state is AgentState.READY, "no agent waits for a customer who is not there"
    await pass_seconds(45)
    assert len(dialled(house)) == 1
    await pass_seconds(10)
    await house.answer("ben")
    house.signalling.refuse(dialled(house)[1], 480)
    await settle()
    await pass_seconds(700)
    assert len(dialled(house)) == 2
    assert results(house) == [CallbackResult.UNREACHED]
    consistent(house)


@in_virtual_time
async def test_an_agent_whose_own_phone_is_silent_costs_the_customer_no_attempt() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    phone = house.signalling.ringing_phone("ben")
    assert phone is not None
    await pass_seconds(61)
    assert dialled(house) == []
    assert (house.agent("ben").state, house.agent("ben").reason) == (AgentState.NOT_READY, "no_answer")
    (tried,) = [entry for entry in house.journal.entries if isinstance(entry, CallbackTried)]
    assert not tried.counts
    await house.sign_in("anna")
    await house.answer("anna")
    assert numbers(house) == [ADA]
    consistent(house)


@in_virtual_time
async def test_calling_in_calls_it_off_and_takes_its_place() -> None:
    """Genesys: not cancelled when the customer calls in; FreePBX: several dials to the same number."""
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    await pass_seconds(30)
    await wait_in_line(house, BOB)
    await pass_seconds(30)
    ada = await wait_in_line(house, ADA)
    assert results(house) == [CallbackResult.CALLED_IN]
    await house.sign_in("ben")
    (offered,) = [contact for contact in house.contacts() if contact.agent_id == "ben"]
    assert offered.contact_id == house.call_id(ada), "before whoever came between"
    await house.answer("ben")
    assert dialled(house) == []
    consistent(house)


@in_virtual_time
async def test_one_person_has_one_callback_and_no_more_are_promised_than_the_queue_wants() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    for caller in (ADA, ADA, BOB):
        await promise(house, caller)
    asked = [entry for entry in house.journal.entries if isinstance(entry, CallbackRequested)]
    assert [each.caller for each in asked] == [ADA, BOB]
    eve = await house.call(EVE)
    house.core.switchboard.on_media_event(house.digit(eve, "1"))
    await settle()
    assert eve.state == "answered", "a third is not promised; she waits"
    assert "music" in house.session(eve).plays
    await promise(house, ADA)  # what is promised stays promised, also when there is no room for another
    asked = [entry for entry in house.journal.entries if isinstance(entry, CallbackRequested)]
    assert [each.caller for each in asked] == [ADA, BOB]


@in_virtual_time
async def test_there_are_never_more_dials_than_agents() -> None:
    """FreePBX 621: more callbacks are injected than there are agents, and they jump all live callers."""
    house = await open_house(site=callback_site(callback_most=50), flow=FLOW)
    for number in range(12):
        await promise(house, f"+120255502{number:02}")
    await house.sign_in("anna", "ben")
    assert len([leg for leg in house.signalling.legs.values() if leg.agent_id and leg.state == "offered"]) == 2
    await house.answer("anna")
    await house.answer("ben")
    assert numbers(house) == ["+12025550200", "+12025550201"]


@in_virtual_time
async def test_a_promise_survives_a_restart_with_its_place() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    await pass_seconds(30)
    house = await open_house(site=callback_site(), flow=FLOW, journal=house.journal)
    await wait_in_line(house, BOB)
    await house.sign_in("ben")
    await house.answer("ben")
    assert numbers(house) == [ADA]
    consistent(house)


@in_virtual_time
async def test_what_was_not_reached_in_time_is_given_up_and_a_closed_queue_only_puts_it_off() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await house.core.desk.close_queue("boss", "sales")
    await promise(house, ADA)
    await house.sign_in("ben")
    await pass_seconds(100)
    assert dialled(house) == []
    assert results(house) == []
    await house.core.desk.open_queue("boss", "sales")
    await pass_seconds(60)
    assert house.signalling.ringing_phone("ben") is not None
    late = await open_house(site=callback_site(), flow=FLOW)
    await promise(late, ADA)
    await pass_seconds(700)
    late = await open_house(site=callback_site(), flow=FLOW, journal=late.journal)
    assert results(late) == [CallbackResult.EXPIRED]


@in_virtual_time
async def test_a_queue_that_promises_none_lets_the_caller_wait() -> None:
    house = await open_house(site=callback_site(callback_most=0), flow=FLOW)
    leg = await house.call(ADA)
    house.core.switchboard.on_media_event(house.digit(leg, "1"))
    await settle()
    assert "music" in house.session(leg).plays
    accepted = [entry for entry in house.journal.entries if isinstance(entry, OfferAccepted | ContactArrived)]
    assert len(accepted) == 1


def test_no_accident_leads_to_a_second_dial_or_a_forgotten_promise() -> None:
    asked = reached = 0
    for seed in range(25):
        turmoil = CallbackTurmoil(random.Random(seed), callback_site(callback_most=5), FLOW)
        run_virtual(turmoil.live)
        found = replay(turmoil.house.journal.rows)
        assert found.divergences == [], f"seed {seed}"
        asked += turmoil.asked()
        reached += turmoil.reached()
    assert asked > 100
    assert reached > 10


@in_virtual_time
async def test_a_second_attempt_still_goes_before_whoever_came_after_the_first_call() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    await house.answer("ben")
    house.signalling.refuse(dialled(house)[0], 486)
    await settle()
    await house.core.desk.not_ready("ben", "lunch")
    await pass_seconds(1)
    await wait_in_line(house, BOB)
    await pass_seconds(61)
    await house.core.desk.ready("ben")
    await settle()
    await house.answer("ben")
    assert numbers(house) == [ADA, ADA]


@in_virtual_time
async def test_who_waited_before_asking_keeps_the_instant_of_the_queue() -> None:
    """The caller waits 20 s in the queue, is sent back to the flow, and asks; whoever came meanwhile comes after."""
    flow = FLOW.replace('type = "queue"\nqueue = "sales"', 'type = "queue"\nqueue = "sales"\notherwise = "call_me"')
    house = await open_house(site=callback_site(longest_wait_seconds=20), flow=flow)
    ada = await wait_in_line(house, ADA)
    await pass_seconds(15)
    await wait_in_line(house, BOB)
    await pass_seconds(6)
    (asked,) = [entry for entry in house.journal.entries if isinstance(entry, CallbackRequested)]
    assert asked.at - asked.arrived_at >= 20_000
    house.media.finish_play("prompt-2", of=house.call_id(ada))
    await house.sign_in("ben")
    await house.answer("ben")
    assert numbers(house) == [ADA]


@in_virtual_time
async def test_nobody_is_called_back_outside_the_hours_of_the_queue() -> None:
    values = callback_site(callback_within_seconds=3600).model_dump()
    values["queues"][0]["hours"] = "shift"
    thursday = [{"days": ["thu"], "from": "08:00", "to": "08:54"}, {"days": ["thu"], "from": "09:10", "to": "12:00"}]
    values["hours"] = {"shift": {"timezone": "UTC", "weekly": thursday}}
    house = await open_house(site=Site.model_validate(values), flow=FLOW)
    await promise(house, ADA)  # at 08:53:20
    await house.sign_in("ben")
    await house.answer("ben")
    house.signalling.refuse(dialled(house)[0], 486)
    await settle()
    await pass_seconds(900)  # the second attempt falls into the break, and is put off
    assert house.signalling.ringing_phone("ben") is None
    assert house.agent("ben").state is AgentState.READY
    await pass_seconds(161)
    await house.answer("ben")
    assert numbers(house) == [ADA, ADA]
