"""What the customer store knows decides who is asked, and how soon: level, language, the agent who knows the customer.
A store that is slow or dead costs a call half a second at most."""

from typing import Any

import pytest

from acd.events import ContactArrived
from callcenter.calls.facts import CustomerMatched
from callcenter.calls.voicemail_facts import VoicemailBegun
from callcenter.ports import Match
from callcenter.site.models import Site
from tests.support.callback_house import consistent, promise
from tests.support.fake_signalling import FakeLeg
from tests.support.house import House, open_house, small_site
from tests.support.virtual_time import in_virtual_time, pass_seconds, settle

pytestmark = pytest.mark.scenario

ADA, BOB = "+12025550111", "+12025550112"
AT_ONCE = """
[flow]
name = "main"
start = "wait"
languages = ["en"]

[steps.wait]
type = "queue"
queue = "support"
"""
BY_LEVEL = """
[flow]
name = "main"
start = "level"
languages = ["en"]

[steps.level]
type = "branch"
variable = "customer_level"
cases = { gold = "fast" }
otherwise = "slow"

[steps.fast]
type = "queue"
queue = "sales"

[steps.slow]
type = "queue"
queue = "support"
agent = "${customer_owner}"
agent_seconds = 10
"""


def customer(**known: Any) -> Match:
    return Match("one", ("17",), "Ada", **known)


def personal_site(*steps: dict[str, Any], **queue: Any) -> Site:
    values = small_site().model_dump()
    values["queues"][1].update({"steps": [*steps, {}]} if steps else {})
    values["queues"][1].update(queue)
    return Site.model_validate(values)


async def house_with(site: Site, flow: str = AT_ONCE) -> House:
    return await open_house(site=site, flow=flow)


async def comes(house: House, number: str = ADA) -> FakeLeg:
    leg = await house.call(number)
    await settle()
    return leg


def arrivals(house: House) -> list[ContactArrived]:
    return [entry for entry in house.journal.entries if isinstance(entry, ContactArrived)]


def rung(house: House) -> set[str]:
    return {each.id for each in small_site().agents if house.signalling.ringing_phone(each.id) is not None}


@in_virtual_time
async def test_a_gold_customer_overtakes_those_who_came_before() -> None:
    house = await house_with(personal_site(level_priority={"gold": 10}))
    house.directory.matches[BOB] = customer(level="gold")
    ada = await comes(house, ADA)
    bob = await comes(house, BOB)
    assert [each.priority for each in arrivals(house)] == [0, 10]
    await house.sign_in("chen")
    (offered,) = [each for each in house.contacts() if each.agent_id == "chen"]
    assert (offered.contact_id, offered.customer.level) == (house.call_id(bob), "gold")
    (matched,) = [each for each in house.journal.entries if isinstance(each, CustomerMatched) and each.state == "one"]
    assert matched.level == "gold"
    await house.hang_up(ada)
    await house.hang_up(bob)
    consistent(house)


@in_virtual_time
async def test_a_step_may_be_for_customers_of_a_level_alone() -> None:
    house = await house_with(personal_site({"demand": "en", "until_seconds": 30, "levels": ["gold"]}))
    house.directory.matches[BOB] = customer(level="gold")
    await house.sign_in("chen")
    await comes(house, BOB)
    assert rung(house) == set(), "gold customers wait for an agent with English"
    await comes(house, ADA)
    assert rung(house) == {"chen"}
    await house.sign_in("anna")
    assert rung(house) == {"anna", "chen"}


@in_virtual_time
async def test_a_customer_who_speaks_chinese_reaches_an_agent_who_does() -> None:
    house = await house_with(personal_site({"demand": "{language}", "until_seconds": 20}))
    house.directory.matches[ADA] = customer(language="zh")
    await house.sign_in("anna")
    await house.sign_in("chen")
    await comes(house)
    assert rung(house) == {"chen"}, "anna idles longer"
    await house.answer("chen")
    await comes(house, BOB)
    assert rung(house) == {"anna"}, "of him nothing is known, so that the wish is none"


@in_virtual_time
async def test_the_wish_for_the_language_relaxes_after_its_time() -> None:
    house = await house_with(personal_site({"demand": "{language}", "until_seconds": 20}))
    house.directory.matches[ADA] = customer(language="zh")
    await house.sign_in("anna")
    ada = await comes(house)
    await pass_seconds(19)
    assert rung(house) == set()
    await pass_seconds(2)
    assert rung(house) == {"anna"}
    await house.hang_up(ada)
    consistent(house)


@in_virtual_time
async def test_the_last_agent_is_asked_first_while_at_work_and_others_after_the_delay() -> None:
    house = await house_with(personal_site({"demand": "{last_agent}", "until_seconds": 15}))
    house.directory.matches[ADA] = house.directory.matches[BOB] = customer(last_agent="chen")
    await house.sign_in("anna")
    await comes(house)
    assert rung(house) == {"anna"}, "who is not at work is not waited for"
    await house.answer("anna")
    await house.sign_in("chen")
    other = await comes(house, "+12025550199")
    await house.answer("chen")
    bob = await comes(house, BOB)
    await house.core.desk.not_ready("anna", "lunch")
    await pass_seconds(16)
    waits = next(each for each in house.core.routing.engine.contacts() if each.contact_id == house.call_id(bob))
    assert waits.step == 1, "whoever is free first"
    await house.hang_up(other)
    await house.hang_up(bob)
    consistent(house)


@in_virtual_time
async def test_the_last_agent_gets_the_customer_when_free_in_time_and_nobody_else_does() -> None:
    house = await house_with(personal_site({"demand": "{last_agent}", "until_seconds": 40}, wrap_up_seconds=5))
    house.directory.matches[ADA] = customer(last_agent="chen")
    await house.sign_in("chen")
    other = await comes(house, BOB)
    await house.answer("chen")
    await house.sign_in("anna")
    await comes(house)
    await pass_seconds(10)
    assert rung(house) == set(), "anna is idle, and not asked yet"
    await house.hang_up(other)
    await pass_seconds(6)
    assert rung(house) == {"chen"}


@in_virtual_time
async def test_an_owner_who_is_no_agent_here_holds_nobody_up() -> None:
    house = await house_with(personal_site({"demand": "{owner}", "until_seconds": 40}))
    house.directory.matches[ADA] = customer(owner="somebody-else")
    await house.sign_in("chen")
    await comes(house)
    assert rung(house) == {"chen"}
    assert arrivals(house)[0].plan is not None
    assert len(arrivals(house)[0].plan.steps) == 1


@pytest.mark.parametrize("delay", [0.3, 1_000.0])
@in_virtual_time
async def test_a_store_that_is_slow_or_dead_costs_half_a_second_at_most(delay: float) -> None:
    house = await house_with(personal_site(level_priority={"gold": 10}))
    house.directory.matches[ADA] = customer(level="gold")
    house.directory.delay = delay
    await house.sign_in("chen")
    began = house.clock.now()
    leg = house.signalling.customer_calls(ADA, "+12025550100")
    await pass_seconds(0.29)
    assert arrivals(house) == []
    await pass_seconds(0.22)
    (arrived,) = arrivals(house)
    waited = arrived.arrived_at - began
    assert (waited, arrived.priority) == ((300, 10) if delay < 1 else (500, 0))
    assert rung(house) == {"chen"}
    await house.hang_up(leg)
    consistent(house)


@in_virtual_time
async def test_where_nothing_depends_on_the_customer_nobody_waits_for_the_store() -> None:
    house = await house_with(personal_site())
    house.directory.delay = 1_000
    await comes(house)
    assert len(arrivals(house)) == 1
    assert arrivals(house)[0].plan is None


@in_virtual_time
async def test_a_flow_goes_by_the_level_and_asks_the_owner_first() -> None:
    house = await house_with(small_site(), BY_LEVEL)
    house.directory.matches[ADA] = customer(level="gold")
    house.directory.matches[BOB] = customer(owner="ben")
    house.directory.delay = 0.2
    leg = house.signalling.customer_calls(ADA, "+12025550100")
    await pass_seconds(0.3)
    await house.sign_in("chen", "ben")
    house.signalling.customer_calls(BOB, "+12025550100")
    await pass_seconds(0.3)
    assert [each.queue_id for each in arrivals(house)] == ["sales", "support"]
    assert rung(house) == {"ben"}, "Ada rings at him; Bob waits for his owner"
    await house.hang_up(leg)
    assert rung(house) == {"ben"}, "who does not serve that queue, and is asked all the same"


LEAVE_A_MESSAGE = """
[flow]
name = "main"
start = "answer"
languages = ["en"]

[prompts]
speak = { en = "Speak." }

[steps.answer]
type = "answer"
next = "owners"

[steps.owners]
type = "voicemail"
box = "${customer_owner}"
prompt = "speak"
next = "end"
otherwise = "houses"

[steps.houses]
type = "voicemail"
box = "sales"
prompt = "speak"
next = "end"

[steps.end]
type = "hang_up"
"""


@in_virtual_time
async def test_a_flow_sends_the_caller_to_the_box_of_the_owner_who_works_here_else_to_the_queues() -> None:
    house = await house_with(small_site(), LEAVE_A_MESSAGE)
    house.directory.matches[ADA] = customer(owner="chen")
    house.directory.matches[BOB] = customer(owner="somebody-else")
    for number in (ADA, BOB):
        leg = await comes(house, number)
        await house.hear_out(leg)
        house.core.switchboard.on_media_event(house.digit(leg, "#"))
        await settle()
        assert leg.state == "ended"
    boxes = [entry.box for entry in house.journal.entries if isinstance(entry, VoicemailBegun)]
    assert boxes == ["chen", "sales"]


@in_virtual_time
async def test_a_callback_has_the_priority_of_the_customers_level() -> None:
    from tests.support.callback_house import FLOW, callback_site

    house = await open_house(site=callback_site(level_priority={"gold": 7}), flow=FLOW)
    house.directory.matches[ADA] = customer(level="gold")
    await promise(house, ADA)
    assert [each.priority for each in arrivals(house)] == [7]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([{"demand": "{shoe_size}", "until_seconds": 5}, {}], "is no blank"),
        ([{"demand": "{language}"}], "the last step must be for everybody"),
        ([{"levels": ["gold"]}, {}], "never ends, so that step 2"),
        ([{"demand": "{language} >="}, {}], "demand"),
    ],
)
def test_a_plan_that_fits_not_every_customer_is_refused(steps: list[dict[str, Any]], said: str) -> None:
    values = small_site().model_dump()
    values["queues"][1]["steps"] = steps
    with pytest.raises(ValueError, match=said):
        Site.model_validate(values)
