"""Callbacks in the figures: a customer is offered, waits and is answered from the instant the customer is there, and a
callback for which nobody came is no figure at all; on the floor, in reports and in what another policy would have made.
"""

import pytest

from agent_console.messages import QueueView
from callcenter.calls.callback_facts import CallbackResult
from callcenter.reporting.book import Grain
from callcenter.reporting.postings import SubjectKind
from callcenter.reporting.report import Wanted, report
from callcenter.what_if import live_again
from callcenter.written_day import read_day
from tests.support.callback_house import (
    ADA,
    BOB,
    FLOW,
    callback_site,
    consistent,
    dialled,
    pick_up,
    promise,
    results,
    wait_in_line,
)
from tests.support.house import House, open_house
from tests.support.virtual_time import in_virtual_time, pass_seconds, settle

pytestmark = pytest.mark.scenario

FIGURES = ("offered", "answered", "abandoned", "answered_in_target", "waiting")
NOTHING = (0, 0, 0, 0, 0)


def shown(house: House) -> tuple[int, ...]:
    queue: QueueView = house.queue("sales")
    return tuple(getattr(queue, figure) for figure in FIGURES)


def reported(house: House) -> dict[str, object]:
    """The same, of the report of everything so far."""
    found = report(house.journal.rows, Wanted(grain=Grain.TOTAL))
    (line,) = [line for line in found.lines if line.subject == (SubjectKind.QUEUE, "sales")]
    return {name: line.values[name] for name in ("offered", "answered", "abandoned", "flowed_out", "service_level_a")}


@in_virtual_time
async def test_who_is_called_by_an_agent_is_answered_when_connected_and_not_when_the_agent_is_there() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    assert shown(house) == NOTHING, "a place in line is no customer who waits"
    await pass_seconds(200)
    await house.sign_in("ben")
    await house.answer("ben")
    assert shown(house) == NOTHING, "the agent is there, the customer is not"
    house.signalling.answer_phone(dialled(house)[0])
    await settle()
    assert shown(house) == (1, 1, 0, 1, 0)
    await house.hang_up(dialled(house)[0])
    assert reported(house) == {"offered": 1, "answered": 1, "abandoned": 0, "flowed_out": 0, "service_level_a": 1.0}
    recorded = read_day(house.journal.rows).recorded.total()
    assert (recorded.offered, recorded.answered, recorded.in_target) == (1, 1, 1)
    consistent(house)


@in_virtual_time
async def test_a_callback_that_nobody_answers_is_no_figure_of_the_queue() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    await house.sign_in("ben")
    await house.answer("ben")
    house.signalling.refuse(dialled(house)[0], 486)
    await settle()
    assert shown(house) == NOTHING
    await promise(house, BOB)
    await house.core.desk.not_ready("ben", "lunch")
    bob = await wait_in_line(house, BOB)
    assert results(house) == [CallbackResult.CALLED_IN]
    assert shown(house) == (1, 0, 0, 0, 1), "he waits himself now, and once"
    await house.hang_up(bob)
    assert shown(house) == (1, 0, 1, 0, 0)
    consistent(house)


@pytest.mark.parametrize("order", ["agent", "customer"])
@in_virtual_time
async def test_a_restart_abandons_no_callback_and_forgets_no_answer(order: str) -> None:
    house = await open_house(site=callback_site(callback_order=order), flow=FLOW)
    await promise(house, ADA)
    await promise(house, BOB)
    house = await open_house(site=callback_site(callback_order=order), flow=FLOW, journal=house.journal)
    assert shown(house) == NOTHING, "nobody has given up: both are called all the same"
    await house.sign_in("ben")
    if order == "agent":
        await house.answer("ben")
        house.signalling.answer_phone(dialled(house)[0])
        await settle()
    else:
        await pick_up(house, dialled(house)[0])
        await house.answer("ben")
    assert shown(house) == (1, 1, 0, 1, 0)
    house = await open_house(site=callback_site(callback_order=order), flow=FLOW, journal=house.journal)
    assert shown(house) == (1, 1, 0, 1, 0)


@in_virtual_time
async def test_who_is_called_first_waits_from_being_there_and_not_from_the_promise() -> None:
    house = await open_house(site=callback_site(callback_order="customer", service_level_seconds=30), flow=FLOW)
    await promise(house, ADA)
    await pass_seconds(300)
    await house.sign_in("ben")
    await house.core.desk.not_ready("ben", "lunch")
    await pick_up(house, dialled(house)[0])
    assert shown(house) == (1, 0, 0, 0, 1)
    await pass_seconds(25)
    await house.sign_in("anna")
    await house.answer("anna")
    assert shown(house) == (1, 1, 0, 1, 0), "25 seconds of 30, not 325"
    assert read_day(house.journal.rows).recorded.total().waits == [25_000]
    assert reported(house)["service_level_a"] == 1.0
    consistent(house)


@in_virtual_time
async def test_a_call_that_a_colleague_picks_up_is_an_answered_call_of_the_queue() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await wait_in_line(house, BOB)
    await house.sign_in("ben")
    house.signalling.registered.add("anna")
    await house.core.desk.sign_in("anna")
    leg = house.signalling.phone_calls("anna", "*8")
    await settle()
    assert shown(house) == (1, 1, 0, 1, 0)
    await house.hang_up(leg)


@in_virtual_time
async def test_another_policy_connects_those_who_answered_and_keeps_agents_busy_with_the_others() -> None:
    house = await open_house(site=callback_site(), flow=FLOW)
    await promise(house, ADA)
    await promise(house, BOB)
    await house.sign_in("ben")
    await house.answer("ben")
    house.signalling.refuse(dialled(house)[0], 486)
    await settle()
    await pass_seconds(6)
    await house.answer("ben")
    house.signalling.answer_phone(dialled(house)[1])
    await settle()
    await pass_seconds(20)
    await house.hang_up(dialled(house)[1])
    day = read_day(house.journal.rows)
    again = live_again(day, day.policy).total()
    assert (again.offered, again.answered, again.in_target, again.abandoned, again.sent_away) == (1, 1, 1, 0, 0)
