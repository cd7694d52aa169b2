"""Callbacks that dial the customer first: an agent is kept meanwhile, rung once the customer is there, and never blamed
for customers who are not."""

import random
from typing import Any

import pytest

from acd.events import ContactPresent
from acd.outcomes import OfferContact
from agent_console.messages import AgentState, CallbackState, ContactState
from callcenter.calls.audio import GREETING_PLAY
from callcenter.calls.callback_facts import CallbackClosed, CallbackDialled, CallbackResult
from callcenter.calls.facts import CallOffered, CallQueued, Outcome
from callcenter.ports import Answer, Leave
from callcenter.replay import replay
from callcenter.site.models import Site
from callcenter.what_if import live_again
from callcenter.written_day import read_day
from tests.support.callback_house import (
    ADA,
    BOB,
    EVE,
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
from tests.support.callback_turmoil import CallbackTurmoil
from tests.support.house import open_house
from tests.support.virtual_time import in_virtual_time, pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


def first_site(**changes: Any) -> Site:
    return callback_site(**({"callback_order": "customer"} | changes))


@in_virtual_time
async def test_the_customer_is_dialled_while_an_agent_is_kept_and_then_that_agent_is_rung() -> None:
    house = await open_house(site=first_site(), flow=FLOW)
    await promise(house, ADA)
    await pass_seconds(30)
    bob = await wait_in_line(house, BOB)
    await house.sign_in("ben")
    (out,) = dialled(house)
    assert numbers(house) == [ADA]
    assert (house.agent("ben").state, house.agent("ben").is_kept) == (AgentState.OFFERED, True)
    assert house.signalling.ringing_phone("ben") is None, "and not rung"
    (shown,) = [each for each in house.contacts() if each.called == ADA]
    assert (shown.state, shown.agent_id) == (ContactState.DIALLING, "ben"), "the agent sees whom the call is for"
    house.signalling.answer_phone(out)
    await settle()
    assert GREETING_PLAY in house.session(out).plays
    assert house.signalling.ringing_phone("ben") is None, "the customer is greeted first"
    house.media.finish_play(GREETING_PLAY, of=house.call_id(out))
    await settle()
    await pass_seconds(4)
    assert (house.agent("ben").state, house.agent("ben").is_kept) == (AgentState.OFFERED, False), "now it rings"
    await house.answer("ben")
    assert results(house) == [CallbackResult.REACHED]
    await pass_seconds(20)
    await house.hang_up(out)
    record = house.records()[-1]
    assert (record.outcome, record.talk_ms, record.waited_ms, record.agent_id) == (
        Outcome.ANSWERED,
        20_000,
        4_000,
        "ben",
    )
    await pass_seconds(6)
    assert house.signalling.ringing_phone("ben") is not None, "and then whoever came later"
    await house.hang_up(bob)
    consistent(house)


@in_virtual_time
async def test_a_customer_who_does_not_answer_costs_the_agent_neither_state_nor_idle_time() -> None:
    house = await open_house(site=first_site(), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    since = house.core.routing.engine.agents()[1].idle_since
    await pass_seconds(29)
    assert len([leg for leg in dialled(house) if leg.state != "ended"]) == 1
    await pass_seconds(2)
    assert dialled(house)[0].state == "ended", "it rang for thirty seconds"
    assert house.agent("ben").state is AgentState.READY
    assert house.core.routing.engine.agents()[1].idle_since == since
    shown = house.queue("sales")
    assert (shown.offered, shown.abandoned, shown.waiting) == (0, 0, 0), "nobody came, and nobody gave up waiting"
    await pass_seconds(61)
    house.signalling.refuse(dialled(house)[1], 486)
    await settle()
    assert results(house) == [CallbackResult.UNREACHED]
    assert house.agent("ben").state is AgentState.READY
    consistent(house)


@in_virtual_time
async def test_there_are_never_more_dials_than_agents_who_are_kept() -> None:
    house = await open_house(site=first_site(callback_most=50), flow=FLOW)
    for number in range(12):
        await promise(house, f"+120255502{number:02}")
    assert dialled(house) == [], "nobody is dialled while no agent is there"
    await house.sign_in("anna", "ben")
    await pass_seconds(10)
    assert numbers(house) == ["+12025550200", "+12025550201"]
    house.signalling.refuse(dialled(house)[0], 486)
    await settle()
    assert numbers(house) == ["+12025550200", "+12025550201", "+12025550202"]


@in_virtual_time
async def test_whose_agent_went_away_meanwhile_waits_before_everybody_and_the_wait_is_counted() -> None:
    house = await open_house(site=first_site(), flow=FLOW + "priority = 5\n")
    await promise(house, ADA)
    await house.sign_in("ben")
    (out,) = dialled(house)
    await house.core.desk.not_ready("ben", "lunch")
    await settle()
    await wait_in_line(house, BOB)
    await pick_up(house, out)
    assert "music" in house.session(out).plays
    assert len(dialled(house)) == 1
    assert house.queue("sales").waiting == 2
    await pass_seconds(15)
    await house.sign_in("anna")
    await house.answer("anna")
    assert results(house) == [CallbackResult.REACHED], "she, not Bob"
    await house.hang_up(out)
    assert house.records()[-1].waited_ms == 15_000
    queued = [each.priority for each in house.journal.entries if isinstance(each, CallQueued)]
    assert queued == [5, 1_000], "Bob's priority is higher than the callback's own"
    consistent(house)


@in_virtual_time
async def test_keeping_an_agent_has_an_end_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.callbacks.line.KEPT_BESIDES_MS", -20_000)
    house = await open_house(site=first_site(), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    await pass_seconds(5)
    await house.sign_in("anna")
    await pass_seconds(7)
    assert [house.agent(each).state for each in ("anna", "ben")] == [AgentState.READY, AgentState.OFFERED], "kept on"
    assert len([each for each in house.journal.entries if isinstance(each, OfferContact)]) == 2
    assert len(dialled(house)) == 1, "and nobody is dialled anew"
    await pick_up(house, dialled(house)[0])
    await house.answer("ben")
    assert results(house) == [CallbackResult.REACHED]
    consistent(house)


@in_virtual_time
async def test_the_agent_who_lets_it_ring_then_has_missed_it_and_the_customer_goes_to_the_next() -> None:
    house = await open_house(site=first_site(), flow=FLOW + "priority = 5\n")
    await promise(house, ADA)
    await house.sign_in("ben")
    (out,) = dialled(house)
    await pass_seconds(20)
    await pick_up(house, out)
    await pass_seconds(14)
    assert house.signalling.ringing_phone("ben") is not None, "the ring time counts from the ringing"
    await pass_seconds(2)
    assert (house.agent("ben").state, house.agent("ben").reason) == (AgentState.NOT_READY, "no_answer")
    await wait_in_line(house, BOB)
    await house.sign_in("anna")
    await house.answer("anna")
    assert results(house) == [CallbackResult.REACHED], "she, and not Bob with his priority"
    consistent(house)


@in_virtual_time
async def test_a_customer_who_hangs_up_before_an_agent_is_there_is_not_called_again() -> None:
    house = await open_house(site=first_site(), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    (out,) = dialled(house)
    await pick_up(house, out)
    await pass_seconds(8)
    await house.hang_up(out)
    assert results(house) == [CallbackResult.ABANDONED]
    assert house.agent("ben").state is AgentState.READY
    assert (house.queue("sales").abandoned, house.records()[-1].outcome) == (1, Outcome.ABANDONED)
    await promise(house, BOB)
    house.signalling.answer_phone(dialled(house)[1])
    await settle()
    await house.hang_up(dialled(house)[1])  # in the greeting
    assert results(house) == [CallbackResult.ABANDONED] * 2
    assert house.agent("ben").state is AgentState.READY
    await pass_seconds(700)
    assert len(dialled(house)) == 2
    consistent(house)


@in_virtual_time
async def test_calling_in_calls_it_off_unless_the_phone_rings_already() -> None:
    house = await open_house(site=first_site(), flow=FLOW)
    await promise(house, ADA)
    await wait_in_line(house, ADA)
    assert results(house) == [CallbackResult.CALLED_IN]
    await promise(house, EVE)
    await house.sign_in("anna", "ben")
    await house.answer("anna")
    assert numbers(house) == [EVE]
    eve = await wait_in_line(house, EVE)
    assert results(house) == [CallbackResult.CALLED_IN], "her phone rings: that dial is made, and not a second one"
    await pass_seconds(40)
    assert house.signalling.ringing_phone("ben") is not None, "who called in waits like everybody"
    await house.answer("ben")
    await house.hang_up(eve)
    consistent(house)


@in_virtual_time
async def test_consent_is_asked_before_the_dial_and_no_leaves_the_agent_free() -> None:
    house = await open_house(site=first_site(), flow=FLOW)
    await promise(house, ADA)
    house.directory.leaves[ADA] = Leave(Answer.NO, ("consent-denied",))
    await house.sign_in("ben")
    assert dialled(house) == []
    assert results(house) == [CallbackResult.NOT_CONTACTABLE]
    assert house.agent("ben").state is AgentState.READY
    await promise(house, "+44205550000")
    await settle()
    assert results(house)[1:] == [CallbackResult.FORBIDDEN], "a number that the rules of calls out do not allow"
    assert house.agent("ben").state is AgentState.READY
    consistent(house)


@in_virtual_time
async def test_a_death_while_the_customers_phone_rings_costs_an_attempt_and_no_second_dial_at_once() -> None:
    house = await open_house(site=first_site(), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    assert numbers(house) == [ADA]
    house = await open_house(site=first_site(), flow=FLOW, journal=house.journal)
    await house.sign_in("ben")
    assert house.agent("ben").state is AgentState.READY
    await pass_seconds(59)
    assert dialled(house) == [], "the customer's phone may be ringing still"
    await pass_seconds(2)
    (out,) = dialled(house)
    await pick_up(house, out)
    house = await open_house(site=first_site(), flow=FLOW, journal=house.journal)
    assert house.core.routing.engine.contacts() == ()
    await house.sign_in("ben")
    await pass_seconds(700)
    assert dialled(house) == [], "two attempts, over three lives"
    assert results(house) == [CallbackResult.UNREACHED]
    consistent(house)


@in_virtual_time
async def test_what_is_written_down_comes_before_what_is_done() -> None:
    house = await open_house(site=first_site(), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    kinds = [type(entry) for entry in house.journal.entries]
    assert kinds.index(OfferContact) < kinds.index(CallbackDialled)
    await pick_up(house, dialled(house)[0])
    kinds = [type(entry) for entry in house.journal.entries]
    assert (
        kinds.index(CallbackDialled) < kinds.index(CallQueued) < kinds.index(ContactPresent) < kinds.index(CallOffered)
    )


@in_virtual_time
async def test_supervisors_see_who_is_being_called_and_a_call_that_is_made_is_not_called_off() -> None:
    house = await open_house(site=first_site(), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    (shown,) = house.core.floor.view().callbacks
    assert (shown.state, shown.agent_id) == (CallbackState.CALLING, "ben")
    callback = house.core.callbacks.book.find(shown.callback_id)
    assert callback is not None
    assert not house.core.callbacks.call_off(callback, "boss")
    assert not house.core.callbacks.to_top(callback, "boss")
    house.signalling.refuse(dialled(house)[0], 486)
    await settle()
    (shown,) = house.core.floor.view().callbacks
    assert (shown.state, shown.attempts, shown.agent_id) == (CallbackState.PUT_OFF, 1, None)


@in_virtual_time
async def test_a_queue_that_is_taken_away_while_it_rings_ends_the_call() -> None:
    house = await open_house(site=first_site(longest_wait_seconds=20), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    (out,) = dialled(house)
    await house.core.desk.not_ready("ben", "lunch")
    await pass_seconds(21)
    assert out.state == "ended", "the wait of the contact is over before the customer was there"
    assert [each for each in house.journal.entries if isinstance(each, CallbackClosed)] == []
    (shown,) = house.core.floor.view().callbacks
    assert (shown.state, shown.attempts) == (CallbackState.PUT_OFF, 1)
    consistent(house)


@in_virtual_time
async def test_every_phone_of_a_queue_that_rings_all_rings_only_when_the_customer_is_there() -> None:
    house = await open_house(site=first_site(ring="all"), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("anna", "ben")
    assert [house.agent(each).state for each in ("anna", "ben")] == [AgentState.OFFERED, AgentState.READY]
    await pick_up(house, dialled(house)[0])
    assert None not in [house.signalling.ringing_phone(each) for each in ("anna", "ben")]
    await house.answer("ben")
    assert house.agent("anna").state is AgentState.READY
    assert results(house) == [CallbackResult.REACHED]
    consistent(house)


@in_virtual_time
async def test_another_policy_is_told_of_those_who_answered_and_of_nobody_else() -> None:
    house = await open_house(site=first_site(), flow=FLOW)
    await promise(house, ADA)
    await promise(house, BOB)
    await house.sign_in("ben")
    house.signalling.refuse(dialled(house)[0], 486)
    await settle()
    await pick_up(house, dialled(house)[1])
    await house.answer("ben")
    await pass_seconds(20)
    await house.hang_up(dialled(house)[1])
    day = read_day(house.journal.rows)
    (bob,) = day.customers
    assert (bob.talk_ms, bob.arrived.reserve_ms) == (20_000, None)
    again = live_again(day, day.policy).total()
    assert (again.offered, again.answered) == (1, 1)


@pytest.mark.parametrize("order", ["agent", "customer"])
@in_virtual_time
async def test_nobody_is_called_back_who_is_still_on_the_line(order: str) -> None:
    """An agent promises it by hand while a colleague idles, who would call the customer in the middle of the call."""
    house = await open_house(site=first_site(callback_order=order), flow=FLOW)
    await house.sign_in("ben")
    ada = await wait_in_line(house, ADA)
    await house.answer("ben")
    await house.sign_in("anna")
    await house.core.desk.promise_callback("ben", house.call_id(ada))
    await pass_seconds(30)
    assert house.agent("anna").state is AgentState.READY
    (shown,) = house.core.floor.view().callbacks
    assert (shown.state, shown.reason, shown.next_at) == (CallbackState.PUT_OFF, "in_call", None)
    callback = house.core.callbacks.book.find(shown.callback_id)
    assert callback is not None
    assert not house.core.callbacks.call_now(callback, "ben")
    await house.hang_up(ada)
    if order == "agent":
        await house.answer("anna")
    assert numbers(house) == [ADA]
    consistent(house)


def test_no_accident_leads_to_a_second_dial_or_a_forgotten_promise() -> None:
    asked = reached = 0
    for seed in range(35):
        turmoil = CallbackTurmoil(random.Random(seed), first_site(callback_most=5), FLOW)
        run_virtual(turmoil.live)
        found = replay(turmoil.house.journal.rows)
        assert found.divergences == [], f"seed {seed}"
        asked += turmoil.asked()
        reached += turmoil.reached()
    assert asked > 100
    assert reached > 10
