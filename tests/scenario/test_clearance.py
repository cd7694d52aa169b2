"""Calls out ask whether they are wanted: what becomes of them when the answer is no, late, or never comes."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import callcenter
from agent_console.ports import IntentError
from callcenter.calls.clearance import UNASKED, CallOutChecked, Way
from callcenter.calls.legs import EndCause, TransferRequested
from callcenter.entries import decode, encode
from callcenter.ports import Allowed, Answer, Leave, TrunkPolicy
from callcenter.sip.call_caps import Cap
from callcenter.sip.numbering import DialPermissions, NumberingRules, OutboundPlan, TrunkReach
from callcenter.site.models import Site
from ivr.step_tables import STEP_READERS
from tests.support.conversations import both, end_clean, heard, talking
from tests.support.fake_signalling import FakeLeg
from tests.support.house import CUSTOMER, House, open_house, small_site
from tests.support.virtual_time import in_virtual_time, pass_seconds, settle

pytestmark = pytest.mark.scenario

NUMBER = "+12025550177"
NO = Leave(Answer.NO, ("suppressed",), code="not-contactable", text="This number must not be called: suppressed.")
SILENT = Leave()


def checked(house: House) -> list[CallOutChecked]:
    return [entry for entry in house.journal.entries if isinstance(entry, CallOutChecked)]


async def phone_dials(house: House, number: str = NUMBER) -> FakeLeg:
    leg = house.signalling.phone_calls("anna", number)
    await settle()
    return leg


def refusing() -> Site:
    return small_site().model_copy(update={"phones_unanswered": "refuse"})


@in_virtual_time
async def test_a_phone_that_may_not_call_a_number_hears_403_and_why() -> None:
    house = await open_house()
    await house.sign_in("anna")
    house.directory.dial_leaves[NUMBER] = NO
    leg = await phone_dials(house)
    assert (leg.state, leg.cause, house.signalling.reasons[leg.leg_id]) == ("ended", EndCause.FORBIDDEN, NO.text)
    (told,) = checked(house)
    assert (told.way, told.agent_id, told.code, told.reasons) == (Way.PHONE, "anna", NO.code, ("suppressed",))
    assert decode(*encode(told)) == told
    assert not house.signalling.dialled
    leg = await phone_dials(house, "+4930123456")
    assert (leg.cause, checked(house)[-1].code) == (EndCause.FORBIDDEN, "destination_denied")
    assert house.directory.dial_asked == [("anna", NUMBER)], "what the rules bar needs no asking"
    await end_clean(house)


@in_virtual_time
async def test_a_refused_transfer_leaves_the_customer_where_she_is_and_says_why() -> None:
    house = await open_house()
    await house.sign_in("anna")
    house.directory.dial_leaves[NUMBER] = NO
    customer, phone, call = await talking(house)
    house.signalling.sink(TransferRequested(phone.leg_id, NUMBER))
    await settle()
    assert house.signalling.transfers == [(phone.leg_id, 403)]
    assert house.signalling.reasons[phone.leg_id] == NO.text
    assert heard(house, call) == both(CUSTOMER, "anna")
    (told,) = checked(house)
    assert (told.way, told.call_id) == (Way.REFER, call)
    await house.hang_up(customer)
    await end_clean(house)


@pytest.mark.parametrize("ends", ["phone", "transferring phone", "customer"])
@in_virtual_time
async def test_who_hangs_up_while_the_store_thinks_is_not_called_for_afterwards(ends: str) -> None:
    house = await open_house()
    await house.sign_in("anna")
    if ends == "phone":
        house.directory.delay = 0.8
        leg = await phone_dials(house)
    else:
        customer, phone, _ = await talking(house)
        house.directory.delay = 0.8
        house.signalling.sink(TransferRequested(phone.leg_id, NUMBER))
        leg = phone if ends == "transferring phone" else customer
    await pass_seconds(0.3)
    await house.hang_up(leg)
    await pass_seconds(2)
    assert not house.signalling.dialled
    assert house.core.switchboard.in_progress == 0
    await end_clean(house)


@in_virtual_time
async def test_a_call_goes_on_while_the_store_thinks_about_its_transfer() -> None:
    house = await open_house()
    await house.sign_in("anna")
    customer, phone, call = await talking(house)
    house.directory.delay = 0.8
    house.signalling.sink(TransferRequested(phone.leg_id, NUMBER))
    await settle()
    house.signalling.far_end_reoffers(phone, "sendonly")
    await settle()
    assert heard(house, call) == set(), "the phone's hold is served at once"
    house.signalling.far_end_reoffers(phone)
    await pass_seconds(2)
    assert [number for _, number, _ in house.signalling.dialled] == [NUMBER]
    await house.hang_up(customer)
    await end_clean(house)


@pytest.mark.parametrize("rule", ["call", "refuse"])
@in_virtual_time
async def test_while_the_store_is_silent_phones_call_by_the_sites_rule_and_desks_try_again(rule: str) -> None:
    house = await open_house(site=small_site() if rule == "call" else refusing())
    await house.sign_in("anna")
    house.directory.dial_leaves[NUMBER] = SILENT
    with pytest.raises(IntentError, match="try again in a moment") as caught:
        await house.core.desk.dial("anna", "number", NUMBER)
    assert caught.value.code == "not-contactable"
    leg = await phone_dials(house)
    told = [(each.way, each.code, each.went_out) for each in checked(house)]
    assert told == [(Way.DESK, UNASKED, False), (Way.PHONE, UNASKED, rule == "call")]
    assert bool(house.signalling.dialled) is (rule == "call")
    assert leg.cause is (None if rule == "call" else EndCause.FORBIDDEN)
    if rule == "call":
        await house.hang_up(leg)
    await end_clean(house)


@pytest.mark.parametrize("silent", [NO, SILENT])
@in_virtual_time
async def test_a_call_for_help_asks_nobody(silent: Leave) -> None:
    plan = OutboundPlan(house=DialPermissions(national=True), trunks=(TrunkReach("trunk"),))
    house = await open_house(site=refusing(), rules=NumberingRules(plan))
    await house.sign_in("anna")
    house.directory.dial_leaves["911"] = silent
    leg = await phone_dials(house, "911")
    assert ([number for _, number, _ in house.signalling.dialled], house.directory.dial_asked) == (["911"], [])
    await house.hang_up(leg)
    await end_clean(house)


@in_virtual_time
async def test_what_is_refused_takes_no_place_among_the_calls_that_an_agent_may_make() -> None:
    each = Cap(per_day=1, at_a_time=1)
    plan = OutboundPlan(house=DialPermissions(national=True, each_agent=each), trunks=(TrunkReach("trunk"),))
    house = await open_house(rules=NumberingRules(plan))
    await house.sign_in("anna")
    house.directory.dial_leaves[NUMBER] = NO
    for _ in range(3):
        assert (await phone_dials(house)).cause is EndCause.FORBIDDEN
    leg = await phone_dials(house, "+12025550179")
    assert [number for _, number, _ in house.signalling.dialled] == ["+12025550179"]
    await house.hang_up(leg)
    await end_clean(house)


@in_virtual_time
async def test_a_redirect_is_asked_about_under_the_same_rule() -> None:
    house = await open_house()
    allowed = Allowed(NUMBER, TrunkPolicy(("trunk",)))
    for leave, expected in ((Leave(Answer.YES), True), (NO, False), (SILENT, True)):
        house.directory.dial_leaves[NUMBER] = leave
        assert await house.core.clearance.may_be_sent_to("anna", allowed) is expected
    help_ = replace(allowed, policy=TrunkPolicy(("trunk",), is_emergency=True))
    house.directory.dial_leaves[NUMBER] = NO
    assert await house.core.clearance.may_be_sent_to("anna", help_)
    assert [(each.way, each.went_out) for each in checked(house)] == [(Way.REDIRECT, False), (Way.REDIRECT, True)]
    await end_clean(house)


def callers_of(name: str) -> set[str]:
    """The files of the product in which a method is called whose written form ends so."""
    root = Path(callcenter.__file__).parent
    return {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name)
    }


def test_there_is_no_other_way_to_a_number() -> None:
    """A target is made by the rules alone; who may ask them, and dial, is known by name."""
    callbacks = "exchange_core.py"  # their owners were asked before
    assert callers_of("targets.resolve") == {"calls/clearance.py", callbacks}
    assert callers_of("rules.check") == {"calls/targets.py", "sip/exchange.py"}
    assert callers_of("fx.DialNumber") == {"calls/calling_back.py", "calls/dialling.py", "calls/searching.py"}
    assert not {"dial", "transfer", "call", "number"} & set(STEP_READERS), "a flow's step that calls out must ask"
