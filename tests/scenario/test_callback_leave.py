"""Whether and when a customer may be called back: consent, do-not-call list, hours on the customer's clock, erasure."""

from dataclasses import replace

import pytest

from acd.events import OfferAccepted
from agent_console.messages import AgentState, CallbackState
from agent_console.ports import IntentError
from callcenter.callbacks.terms import CallbackTerms
from callcenter.calls.callback_facts import (
    CallbackClosed,
    CallbackDialled,
    CallbackMoved,
    CallbackRequested,
    CallbackResult,
    CallbackTried,
)
from callcenter.ports import Answer, Leave
from callcenter.site.models import Site
from tests.support.callback_house import (
    ADA,
    BOB,
    FLOW,
    callback_site,
    consistent,
    dialled,
    numbers,
    promise,
    results,
    wait_in_line,
)
from tests.support.house import House, open_house
from tests.support.virtual_time import in_virtual_time, pass_seconds, settle

pytestmark = pytest.mark.scenario

REFUSED = Leave(Answer.NO, ("consent-denied", "suppressed"))
TOKYO = Leave(Answer.YES, zones=("Asia/Tokyo",))
CARACAS = Leave(Answer.YES, zones=("America/Caracas",))


def hours_site(begin: str, end: str, **rules: object) -> Site:
    """Customers are called between these hours of their own clock."""
    values = callback_site(callback_within_seconds=86_400, **rules).model_dump()
    values["queues"][0]["callback_hours"] = "polite"
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    values["hours"] = {"polite": {"timezone": "UTC", "weekly": [{"days": days, "from": begin, "to": end}]}}
    return Site.model_validate(values)


def closed(house: House) -> CallbackClosed:
    (found,) = [entry for entry in house.journal.entries if isinstance(entry, CallbackClosed)]
    return found


@in_virtual_time
async def test_nothing_is_promised_to_who_does_not_want_to_be_called() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    house.directory.leaves[ADA] = REFUSED
    leg = await house.call(ADA)
    house.core.switchboard.on_media_event(house.digit(leg, "1"))
    await settle()
    assert "music" in house.session(leg).plays, "she waits instead"
    assert not [entry for entry in house.journal.entries if isinstance(entry, CallbackRequested)]


@in_virtual_time
async def test_who_withdraws_consent_while_waiting_is_not_dialled_and_the_agent_is_free() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    house.directory.leaves[ADA] = REFUSED
    await house.sign_in("ben")
    assert dialled(house) == []
    assert house.agent("ben").state is AgentState.READY
    assert (closed(house).result, closed(house).detail) == (
        CallbackResult.NOT_CONTACTABLE,
        "consent-denied, suppressed",
    )
    assert not [entry for entry in house.journal.entries if isinstance(entry, OfferAccepted)]
    await pass_seconds(700)
    assert dialled(house) == []
    consistent(house)


@pytest.mark.parametrize(("default", "dials"), [("call", 1), ("later", 0)])
@in_virtual_time
async def test_while_the_store_is_silent_the_site_decides(default: str, dials: int) -> None:
    house = await open_house(site=callback_site(callback_unanswered=default), flow=FLOW)
    await promise(house, ADA)
    house.directory.leaves[ADA] = Leave()
    await house.sign_in("ben")
    if dials:
        await house.answer("ben")
    assert len(dialled(house)) == dials
    if not dials:
        assert house.agent("ben").state is AgentState.READY
        house.directory.leaves[ADA] = Leave(Answer.YES)
        await pass_seconds(61)
        await house.answer("ben")
        assert numbers(house) == [ADA]
    consistent(house)


@in_virtual_time
async def test_an_agent_who_goes_while_the_store_is_asked_is_not_called_and_the_next_one_is() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    house.directory.delay = 0.4
    await house.sign_in("ben")
    await house.core.desk.not_ready("ben", "lunch")
    await pass_seconds(0.5)
    assert house.signalling.ringing_phone("ben") is None
    assert len(house.directory.asked) == 2, "once for the promise, once before the call"
    await house.sign_in("anna")
    await pass_seconds(0.5)
    await house.answer("anna")
    assert numbers(house) == [ADA]
    consistent(house)


@in_virtual_time
async def test_a_customer_is_called_in_the_hours_of_the_own_clock() -> None:
    """It is 08:53 in London: 17:53 in Tokyo, 04:53 in Caracas."""
    house = await open_house(site=hours_site("08:00", "21:00"), flow=FLOW)
    house.directory.leaves |= {ADA: CARACAS, BOB: TOKYO}
    await promise(house, ADA)
    await promise(house, BOB)
    await house.sign_in("ben")
    out = await house.answer("ben")
    assert numbers(house) == [BOB]
    await house.hang_up(out)
    await pass_seconds(3 * 3600)
    assert numbers(house) == [BOB]
    await pass_seconds(500)  # 08:00 and a little in Caracas
    await house.sign_in("ben")
    await house.answer("ben")
    assert numbers(house)[-1] == ADA


@in_virtual_time
async def test_nobody_is_called_when_the_hours_end_before_an_agent_is_free() -> None:
    house = await open_house(site=hours_site("08:00", "18:00"), flow=FLOW)
    house.directory.leaves[ADA] = TOKYO
    await promise(house, ADA)
    await pass_seconds(500)  # 18:01 there
    await house.sign_in("ben")
    assert house.agent("ben").state is AgentState.READY
    assert dialled(house) == []
    await pass_seconds(14 * 3600 - 90)  # 08:00 there
    await house.answer("ben")
    assert numbers(house) == [ADA]
    consistent(house)


@in_virtual_time
async def test_no_promise_is_made_that_the_hours_cannot_keep() -> None:
    house = await open_house(site=hours_site("01:00", "02:00", callback_most=5), flow=FLOW)
    terms = house.core.callbacks.line.terms
    house.core.callbacks.line.terms = CallbackTerms(
        {queue: replace(rule, within_ms=600_000) for queue, rule in terms.rules.items()}
    )
    leg = await house.call(ADA)
    house.core.switchboard.on_media_event(house.digit(leg, "1"))
    await settle()
    assert "music" in house.session(leg).plays


@in_virtual_time
async def test_an_erased_persons_promise_leaves_memory_at_once() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    (asked,) = [entry for entry in house.journal.entries if isinstance(entry, CallbackRequested)]
    house.core.callbacks.forget(asked.call_id)
    assert closed(house).result is CallbackResult.ERASED
    assert list(house.core.callbacks.book) == []
    await house.sign_in("ben")
    await pass_seconds(700)
    assert dialled(house) == []
    assert house.core.routing.engine.contacts() == ()
    consistent(house)


@in_virtual_time
async def test_the_same_person_is_known_however_the_number_is_written() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    await promise(house, ADA.removeprefix("+"))
    assert len([entry for entry in house.journal.entries if isinstance(entry, CallbackRequested)]) == 1
    await wait_in_line(house, ADA.removeprefix("+"))
    assert results(house) == [CallbackResult.CALLED_IN]


@in_virtual_time
async def test_a_dial_that_a_dying_exchange_made_counts_and_is_not_made_again_at_once() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    await house.answer("ben")
    assert numbers(house) == [ADA]
    house = await open_house(site=callback_site(), flow=FLOW, journal=house.journal)
    await house.sign_in("ben")
    await pass_seconds(59)
    assert dialled(house) == [], "the customer's phone may be ringing still"
    await pass_seconds(2)
    await house.answer("ben")
    assert numbers(house) == [ADA]
    house = await open_house(site=callback_site(), flow=FLOW, journal=house.journal)
    await house.sign_in("ben")
    await pass_seconds(700)
    assert dialled(house) == [], "two attempts, over three lives"
    assert results(house) == [CallbackResult.UNREACHED]
    consistent(house)


@in_virtual_time
async def test_a_death_before_the_customer_was_dialled_costs_no_attempt() -> None:
    house = await open_house(site=callback_site(callback_attempts=1), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    assert house.signalling.ringing_phone("ben") is not None
    house = await open_house(site=callback_site(callback_attempts=1), flow=FLOW, journal=house.journal)
    assert not [entry for entry in house.journal.entries if isinstance(entry, CallbackDialled | CallbackTried)]
    await house.sign_in("ben")
    await house.answer("ben")
    assert numbers(house) == [ADA]


@in_virtual_time
async def test_call_now_is_refused_while_it_is_no_hour_to_call_the_customer() -> None:
    """It is 08:53 UTC on a Thursday; the customer's phone stands in Caracas, where nobody is called before nine."""
    site = hours_site("09:00", "12:00")
    people = site.model_dump()
    people["agents"][1].update({"roles": ["agent", "supervisor"]})
    house = await open_house(site=Site.model_validate(people), flow=FLOW)
    house.directory.leaves[ADA] = CARACAS
    await promise(house, ADA)
    await house.sign_in("ben")
    (shown,) = house.core.floor.view().callbacks
    assert (shown.state, shown.reason) == (CallbackState.PUT_OFF, "no_hours")
    with pytest.raises(IntentError) as refused:
        await house.core.desk.call_back_now("ben", shown.callback_id)
    assert refused.value.code == "not-now"
    await pass_seconds(3_600)
    assert dialled(house) == []
    assert not [entry for entry in house.journal.entries if isinstance(entry, CallbackMoved)]
    await pass_seconds(3 * 3_600 + 405)  # it is nine there
    await house.answer("ben")
    assert numbers(house) == [ADA]
    house.signalling.refuse(dialled(house)[0], 486)
    await settle()
    await house.core.desk.call_back_now("ben", shown.callback_id)
    await pass_seconds(6)
    await house.answer("ben")
    assert numbers(house) == [ADA, ADA], "within the hours it is made"
