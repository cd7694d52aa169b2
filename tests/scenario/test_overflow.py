"""What becomes of callers whom a queue does not let in, gives up on, or lets wait by its route plan."""

from typing import Any

import pytest

from acd.events import ContactArrived
from agent_console.messages import AgentState, ContactState
from agent_console.ports import IntentError
from callcenter.calls.facts import CallOverflowed, CallQueued, Outcome, WrapUpRecorded
from callcenter.site.models import Site
from tests.support.house import House, open_house, small_site
from tests.support.virtual_time import in_virtual_time, pass_seconds, settle
from tests.support.waiting_flows import NO_WAY_BACK, way_back

pytestmark = pytest.mark.scenario

BACK = way_back("was_sorry")


def site(routing: dict[str, Any] | None = None, wrap_up_codes: tuple[str, ...] = (), **sales: Any) -> Site:
    """The small site with these fields of its queue *sales*; validated as a whole."""
    values = small_site().model_dump()
    values["queues"][0].update(sales)
    values["dispositions"] = [{"code": code, "labels": {}} for code in wrap_up_codes]
    return Site.model_validate({**values, "routing": routing or {}})


def overflows(house: House) -> list[tuple[str, str, str]]:
    return [(e.queue_id, e.reason, e.to) for e in house.journal.entries if isinstance(e, CallOverflowed)]


@in_virtual_time
async def test_a_call_that_waited_too_long_goes_to_the_other_queue_and_keeps_its_age() -> None:
    house = await open_house(site=site(longest_wait_seconds=60, otherwise="queue:support"), flow=BACK)
    await house.sign_in("chen")  # serves support only
    await house.call()
    await pass_seconds(59)
    assert house.signalling.ringing_phone("chen") is None
    await pass_seconds(2)
    await house.answer("chen")
    (contact,) = house.contacts()
    assert (contact.state, contact.agent_id, contact.queue_id) == (ContactState.CONNECTED, "chen", "support")
    assert overflows(house) == [("sales", "plan_over", "support")]
    first, second = [each for each in house.journal.entries if isinstance(each, ContactArrived)]
    assert second.arrived_at == first.arrived_at
    assert [each.queue_id for each in house.journal.entries if isinstance(each, CallQueued)] == ["sales", "support"]


@in_virtual_time
async def test_a_caller_whom_the_full_queue_does_not_let_in_hears_the_flow_go_on() -> None:
    house = await open_house(site=site(max_waiting=1), flow=BACK)
    first = await house.call("+12025550111")
    second = await house.call("+12025550112")
    assert "music" not in house.session(second).plays
    house.media.finish_play("prompt-1", of=house.call_id(second))
    await settle()
    (record,) = house.records()
    assert (record.caller, record.outcome) == ("+12025550112", Outcome.COMPLETED_IN_FLOW)
    assert overflows(house) == [("sales", "queue_full", "")]
    assert first.state == "answered"


@in_virtual_time
async def test_a_caller_without_any_way_on_is_turned_away() -> None:
    house = await open_house(site=site(entry="signed_in"), flow=NO_WAY_BACK)
    customer = await house.call()
    assert customer.state == "ended"
    (record,) = house.records()
    assert record.outcome is Outcome.TURNED_AWAY
    assert overflows(house) == [("sales", "nobody_there", "")]


@in_virtual_time
async def test_full_queues_do_not_hand_a_caller_around_for_ever() -> None:
    values = site(entry="signed_in", otherwise="queue:support").model_dump()
    values["queues"][1].update(entry="signed_in", otherwise="queue:sales")
    house = await open_house(site=Site.model_validate(values), flow=NO_WAY_BACK)
    await house.call()
    assert overflows(house) == [("sales", "nobody_there", "support"), ("support", "nobody_there", "")]


@in_virtual_time
async def test_who_hangs_up_and_calls_again_has_the_old_place() -> None:
    house = await open_house(site=site(resume_seconds=60), flow=NO_WAY_BACK)
    first = await house.call("+12025550111")
    await pass_seconds(5)
    await house.call("+12025550112")
    await house.hang_up(first)
    await pass_seconds(20)
    again = await house.call("+12025550111")
    await house.sign_in("anna")
    (offered,) = [each for each in house.contacts() if each.state is ContactState.OFFERED]
    assert offered.contact_id == house.call_id(again)
    assert "+1202555" not in repr([each for each in house.journal.entries if isinstance(each, ContactArrived)])


@in_virtual_time
async def test_wishes_are_relaxed_while_the_caller_waits() -> None:
    steps = [{"demand": "en >= 2", "until_seconds": 30}, {}]
    house = await open_house(site=site(steps=steps), flow=NO_WAY_BACK)
    await house.sign_in("ben")  # en = 1
    await house.call()
    await pass_seconds(29)
    assert house.signalling.ringing_phone("ben") is None
    await pass_seconds(2)
    assert house.signalling.ringing_phone("ben") is not None


@in_virtual_time
async def test_the_agent_a_flow_names_is_asked_first_and_then_everybody() -> None:
    flow = NO_WAY_BACK + 'agent = "ben"\nagent_seconds = 20\n'
    house = await open_house(site=site(), flow=flow)
    await house.sign_in("anna", "ben")  # anna idles longer
    await house.call()
    phone = house.signalling.ringing_phone("ben")
    assert phone is not None
    assert house.signalling.ringing_phone("anna") is None
    house.signalling.refuse(phone, 486)  # ben is not at work any more
    await settle()
    assert house.signalling.ringing_phone("anna") is not None


@in_virtual_time
async def test_a_wrap_up_is_extended_as_far_as_the_queue_allows_and_its_end_forces_the_code() -> None:
    extra = {"wrap_up_seconds": 30, "wrap_up_extension_seconds": 30, "wrap_up_timeout_code": "no_code"}
    house = await open_house(site=site(wrap_up_codes=("no_code",), **extra), flow=NO_WAY_BACK)
    await house.sign_in("anna")
    customer = await house.call()
    await house.answer("anna")
    await house.hang_up(customer)
    await house.core.desk.extend_wrap_up("anna")
    with pytest.raises(IntentError, match="no more time"):
        await house.core.desk.extend_wrap_up("anna")
    await pass_seconds(59)
    assert house.agent("anna").state is AgentState.WRAP_UP
    await pass_seconds(2)
    assert house.agent("anna").state is AgentState.READY
    (written,) = [each for each in house.journal.entries if isinstance(each, WrapUpRecorded)]
    assert (written.disposition, written.agent_id, written.wrap_up_ms) == ("no_code", "anna", 60_000)


@in_virtual_time
async def test_who_would_wait_too_long_is_not_let_in() -> None:
    house = await open_house(site=site(max_expected_wait_seconds=30), flow=BACK)
    await house.sign_in("ben")
    for number in range(8):  # nothing is known yet: all are let in
        await house.call(f"+1202555020{number}")
    assert overflows(house) == []
    for _ in range(6):  # every call takes a minute while others wait
        phone = await house.answer("ben")
        await pass_seconds(60)
        await house.hang_up(phone)
        await house.core.desk.ready("ben")
        await settle()
    await house.call("+12025550301")
    assert overflows(house) == [("sales", "wait_too_long", "")]


@in_virtual_time
async def test_a_closed_queue_lets_nobody_in_until_it_is_opened_also_over_a_restart() -> None:
    house = await open_house(site=site(), flow=BACK)
    await house.core.desk.close_queue("boss", "sales")
    await settle()
    assert house.queue("sales").closed
    await house.call()
    assert overflows(house) == [("sales", "queue_closed", "")]
    house = await open_house(site=site(), flow=BACK, journal=house.journal)
    assert house.queue("sales").closed
    await house.core.desk.open_queue("boss", "sales")
    await house.sign_in("anna")
    await house.call("+12025550113")
    assert house.signalling.ringing_phone("anna") is not None
    assert not house.queue("sales").closed
    with pytest.raises(IntentError):
        await house.core.desk.close_queue("boss", "nowhere")


@in_virtual_time
async def test_a_seat_whose_console_is_gone_gets_no_further_calls_and_keeps_the_present_one() -> None:
    house = await open_house(site=site({}), flow=NO_WAY_BACK)
    await house.sign_in("anna", "ben")
    house.core.on_seats(("anna", "ben"))
    await house.call("+12025550111")
    phone = await house.answer("anna")
    house.core.on_seats(())
    await pass_seconds(3)
    house.core.on_seats(())
    await settle()
    assert house.agent("ben").state is AgentState.READY
    await pass_seconds(1)
    house.core.on_seats(())
    await settle()
    assert (house.agent("ben").state, house.agent("ben").reason) == (AgentState.NOT_READY, "lost_client")
    assert (phone.state, house.agent("anna").state) == ("answered", AgentState.BUSY)
    assert house.agent("anna").pending == "not_ready:lost_client"
    await house.call("+12025550112")
    assert house.signalling.ringing_phone("ben") is None


@in_virtual_time
async def test_a_ringing_call_of_a_lost_seat_goes_to_the_next_without_being_refused() -> None:
    house = await open_house(site=site({}), flow=NO_WAY_BACK)
    await house.sign_in("anna", "ben")
    house.core.on_seats(("anna",))
    house.core.on_seats(())
    await pass_seconds(2)
    await house.call()
    assert house.signalling.ringing_phone("anna") is not None
    await pass_seconds(2)
    house.core.on_seats(())
    await settle()
    assert house.signalling.ringing_phone("anna") is None
    assert house.signalling.ringing_phone("ben") is not None
