"""Callbacks at consoles: who sees which, who may do what with them, and that it is written down who did."""

import pytest

from agent_console.messages import CallbackState, CallbackView
from agent_console.ports import IntentError
from callcenter.calls.callback_facts import CallbackClosed, CallbackMoved, CallbackRequested, CallbackResult
from callcenter.link.web_side import FloorCopy
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
    wait_in_line,
)
from tests.support.house import House, open_house
from tests.support.virtual_time import in_virtual_time, pass_seconds, settle

pytestmark = pytest.mark.scenario


def staffed_site() -> Site:
    """With somebody above for each queue, and one for all."""
    values = callback_site(callback_most=5).model_dump()
    pattern = {**values["agents"][0], "queues": [], "roles": ["supervisor"]}
    for name, supervises in (("boss", []), ("lead", ["support"])):
        values["agents"] += ({**pattern, "id": name, "login": name, "supervises": supervises},)
    return Site.model_validate(values)


async def staffed() -> House:
    return await open_house(site=staffed_site(), flow=FLOW)


def shown(house: House) -> tuple[CallbackView, ...]:
    return house.core.floor.view().callbacks


def the_one(house: House) -> CallbackView:
    (view,) = shown(house)
    return view


async def refused(house: House, order: str, user_id: str, callback_id: str) -> str:
    with pytest.raises(IntentError) as caught:
        await getattr(house.core.desk, order)(user_id, callback_id)
    return caught.value.code


@in_virtual_time
async def test_the_floor_shows_where_each_callback_stands_from_promise_to_end() -> None:
    house = await staffed()
    copy, tell = FloorCopy(), house.core._on_changes
    copy.replace(house.core.floor.view())
    house.core._on_changes = lambda changes: (tell(changes), [copy.apply(change) for change in changes])[0]
    await promise(house, ADA)
    view = the_one(house)
    assert (view.state, view.number, view.queue_id, view.attempts, view.most_attempts) == (
        CallbackState.IN_LINE, ADA, "sales", 0, 2,
    )  # fmt: skip
    assert view.ends_at - view.promised_at == 600_000
    await house.sign_in("ben")
    assert (the_one(house).state, the_one(house).agent_id) == (CallbackState.CALLING, "ben")
    await house.answer("ben")
    house.signalling.refuse(dialled(house)[0], 486)
    await settle()
    view = the_one(house)
    assert (view.state, view.attempts, view.reason, view.agent_id) == (CallbackState.PUT_OFF, 1, "486", None)
    assert view.next_at == house.clock.now() + 60_000
    assert copy.snapshot() == house.core.floor.view()
    house = await open_house(site=staffed_site(), flow=FLOW, journal=house.journal)
    await settle()
    assert (the_one(house).state, the_one(house).attempts) == (CallbackState.PUT_OFF, 1)
    await pass_seconds(61)
    await house.sign_in("ben")
    await house.answer("ben")
    house.signalling.answer_phone(dialled(house)[0])
    await settle()
    assert shown(house) == ()


@in_virtual_time
async def test_a_supervisor_calls_off_what_is_of_the_own_queues_and_an_agent_what_is_the_own() -> None:
    house = await staffed()
    await promise(house, ADA)
    callback_id = the_one(house).callback_id
    assert await refused(house, "call_off_callback", "lead", callback_id) == "not-allowed"
    assert await refused(house, "call_off_callback", "anna", callback_id) == "not-allowed"
    assert await refused(house, "move_callback_to_top", "anna", callback_id) == "not-allowed"
    await house.core.desk.call_off_callback("boss", callback_id)
    (closed,) = [entry for entry in house.journal.entries if isinstance(entry, CallbackClosed)]
    assert (closed.result, closed.by) == (CallbackResult.CALLED_OFF, "boss")
    assert shown(house) == ()
    assert await refused(house, "call_off_callback", "boss", callback_id) == "contact-gone"
    await house.sign_in("ben")
    await pass_seconds(700)
    assert dialled(house) == []
    consistent(house)


@in_virtual_time
async def test_one_that_is_put_off_is_made_now_when_somebody_says_so() -> None:
    house = await staffed()
    await promise(house, ADA)
    callback_id = the_one(house).callback_id
    assert await refused(house, "call_back_now", "boss", callback_id) == "not-now"
    await house.sign_in("ben")
    await house.answer("ben")
    assert await refused(house, "call_off_callback", "boss", callback_id) == "not-now"
    house.signalling.refuse(dialled(house)[0], 486)
    await pass_seconds(10)
    await house.core.desk.call_back_now("boss", callback_id)
    await settle()
    await house.answer("ben")
    assert numbers(house) == [ADA, ADA]
    (moved,) = [entry for entry in house.journal.entries if isinstance(entry, CallbackMoved)]
    assert (moved.how, moved.by) == ("now", "boss")
    consistent(house)


@in_virtual_time
async def test_one_is_moved_before_all_others_of_its_queue_also_over_a_restart() -> None:
    house = await staffed()
    await promise(house, ADA)
    await pass_seconds(5)
    await promise(house, BOB)
    await wait_in_line(house, EVE)
    bob = next(view for view in shown(house) if view.number == BOB)
    await house.core.desk.move_callback_to_top("boss", bob.callback_id)
    await settle()
    assert next(view for view in shown(house) if view.number == BOB).is_on_top
    house = await open_house(site=staffed_site(), flow=FLOW, journal=house.journal)
    await house.sign_in("ben")
    await house.answer("ben")
    assert numbers(house) == [BOB]
    consistent(house)


@in_virtual_time
async def test_an_agent_promises_the_customer_at_hand_a_callback_and_may_call_it_off() -> None:
    house = await staffed()
    await house.sign_in("ben")
    ada = await wait_in_line(house, ADA)
    contact_id = house.call_id(ada)
    assert await refused(house, "promise_callback", "ben", contact_id) == "contact-gone"
    await house.answer("ben")
    assert await refused(house, "promise_callback", "anna", contact_id) == "contact-gone"
    await house.core.desk.promise_callback("ben", contact_id)
    view = the_one(house)
    assert (view.number, view.promised_by, view.queue_id) == (ADA, "ben", "sales")
    assert view.promised_at == house.clock.now(), "who was helped already has no older place"
    (asked,) = [entry for entry in house.journal.entries if isinstance(entry, CallbackRequested)]
    assert asked.by == "ben"
    await house.core.desk.call_off_callback("ben", view.callback_id)
    assert shown(house) == ()
    await house.hang_up(ada)
    await house.core.desk.promise_callback("ben", contact_id)
    assert the_one(house).number == ADA, "in the wrap-up, too"
    await pass_seconds(6)
    await house.answer("ben")
    assert numbers(house) == [ADA]
    consistent(house)


@in_virtual_time
async def test_who_leaves_hands_over_every_callback_and_it_is_kept_over_a_restart() -> None:
    house = await staffed()
    await house.sign_in("ben")
    ada = await wait_in_line(house, ADA)
    await house.answer("ben")
    await house.core.desk.promise_callback("ben", house.call_id(ada))
    await promise(house, BOB)
    mine = next(view for view in shown(house) if view.number == ADA)
    for who in ("lead", "anna", "ben"):
        with pytest.raises(IntentError, match="nobody whom you lead"):
            await house.core.desk.hand_over_callbacks(who, "ben", "cleo")
    with pytest.raises(IntentError, match="somebody else"):
        await house.core.desk.hand_over_callbacks("boss", "ben", "ben")
    await house.core.desk.hand_over_callbacks("boss", "ben", "cleo")
    await settle()
    assert [(view.number, view.promised_by) for view in shown(house)] == [(ADA, "cleo"), (BOB, None)]
    (moved,) = [entry for entry in house.journal.entries if isinstance(entry, CallbackMoved)]
    assert (moved.call_id, moved.how, moved.by, moved.to) == (mine.callback_id, "handed", "boss", "cleo")
    assert house.core.desk._callbacks.book.all_by("ben") == []
    assert await refused(house, "call_off_callback", "ben", mine.callback_id) == "not-allowed"
    house = await open_house(site=staffed_site(), flow=FLOW, journal=house.journal)
    await settle()
    assert [(view.number, view.promised_by) for view in shown(house)] == [(ADA, "cleo"), (BOB, None)]
    assert house.core.desk._callbacks.book.all_by("ben") == []
    await house.core.desk.hand_over_callbacks("boss", "ben", "cleo")
    await house.core.desk.call_off_callback("cleo", mine.callback_id)
    consistent(house)


@in_virtual_time
async def test_a_queue_that_promises_none_lets_agents_promise_none() -> None:
    house = await open_house(site=callback_site(callback_most=0), flow=FLOW)
    await house.sign_in("ben")
    ada = await wait_in_line(house, ADA)
    await house.answer("ben")
    assert await refused(house, "promise_callback", "ben", house.call_id(ada)) == "no-callback"
