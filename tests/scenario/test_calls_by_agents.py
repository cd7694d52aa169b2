"""Calls that agents make: out, by the desk or by phone, and to each other."""

import pytest

from agent_console.messages import AgentState, ContactState
from agent_console.ports import IntentError
from callcenter.calls.facts import Outcome
from callcenter.calls.legs import EndCause, LegDigit
from callcenter.errors import MediaError
from tests.support.conversations import both, end_clean, heard, talking
from tests.support.house import CUSTOMER, open_house
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


def test_click_to_dial_rings_the_own_phone_first() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        desk = house.core.desk
        with pytest.raises(IntentError) as refused:
            await desk.dial("anna", "number", "+33123456789")
        assert refused.value.code == "destination_denied"
        await desk.dial("anna", "number", "+12025550177")
        await settle()
        assert house.agent("anna").state is AgentState.BUSY
        assert house.signalling.dialled == []
        phone = await house.answer("anna")
        ((leg_id, number, _),) = house.signalling.dialled
        assert number == "+12025550177"
        (contact,) = house.contacts()
        assert (contact.state, contact.kind, contact.called) == (ContactState.DIALLING, "outbound", "+12025550177")
        await pass_seconds(8)
        far = house.signalling.legs[leg_id]
        house.signalling.answer_phone(far)
        await settle()
        call = house.call_id(far)
        assert heard(house, call) == both(CUSTOMER, "anna")
        await pass_seconds(12)
        await desk.send_digits("anna", call, "1#")
        await settle()
        assert house.media.sessions[call].legs[CUSTOMER].digits == "1#"
        assert house.signalling.digits == []
        house.signalling.sink(LegDigit(phone.leg_id, "9"))  # a phone that sends its keys by INFO
        await settle()
        assert house.media.sessions[call].legs[CUSTOMER].digits == "1#9"
        house.media.refusal = MediaError("media is absent")
        await desk.send_digits("anna", call, "25")
        await settle()
        assert house.signalling.digits == [(leg_id, "2"), (leg_id, "5")]
        await house.hang_up(far)
        assert phone.state == "ended"
        assert house.agent("anna").state is AgentState.READY
        (record,) = house.records()
        assert (record.outcome, record.direction, record.talk_ms) == (Outcome.ANSWERED, "outbound", 12_000)
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("how", ["own phone refuses", "gives up", "number busy", "rings out", "desk"])
def test_call_out_that_reaches_nobody_leaves_the_agent_as_before(how: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        await house.core.desk.not_ready("anna", "lunch")
        await house.core.desk.dial("anna", "number", "+12025550177")
        await settle()
        phone = house.signalling.ringing_phone("anna")
        assert phone is not None
        if how == "own phone refuses":
            house.signalling.refuse(phone, 486)
        else:
            await house.answer("anna")
            far = house.signalling.legs[house.signalling.dialled[0][0]]
            if how == "gives up":
                house.signalling.far_end_hangs_up(phone)
            elif how == "number busy":
                house.signalling.refuse(far, 486)
            elif how == "desk":
                await house.core.desk.hang_up("anna", house.agent("anna").contact_id or "")
            else:
                await pass_seconds(46)
        await settle()
        (record,) = house.records()
        assert record.outcome is Outcome.UNREACHED
        assert (house.agent("anna").state, house.agent("anna").reason) == (AgentState.NOT_READY, "lunch")
        await end_clean(house)

    run_virtual(story)


def test_phone_dials_out_and_hears_it_ring() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        phone = house.signalling.phone_calls("anna", "+12025550177")
        await settle()
        ((leg_id, _, _),) = house.signalling.dialled
        assert phone.leg_id in house.signalling.rung_back
        assert phone.state == "offered"
        house.signalling.answer_phone(house.signalling.legs[leg_id])
        await settle()
        assert phone.state == "answered"
        assert heard(house, house.call_id(phone)) == both(CUSTOMER, "anna")
        await house.hang_up(phone)
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("number", ["+882160000000", "sales", "anna", "nobody"])
def test_phone_may_not_call_just_anything(number: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        phone = house.signalling.phone_calls("anna", number)
        await settle()
        assert phone.state == "ended"
        assert house.signalling.dialled == []
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("leaver", ["caller", "callee", "callee's desk"])
def test_agents_call_each_other_and_both_are_busy(leaver: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        phone = house.signalling.phone_calls("anna", "ben")
        await settle()
        assert house.agent("ben").state is AgentState.BUSY
        other = await house.answer("ben")
        call = house.call_id(phone)
        assert heard(house, call) == both("ben", "anna")
        mine = [each for each in house.contacts() if each.agent_id == "ben"]
        assert [(each.contact_id, each.state, each.kind) for each in mine] == [
            (f"{call}.2", ContactState.CONNECTED, "internal")
        ]
        customer = await house.queue_call()
        assert house.signalling.ringing_phone("anna") is None
        await pass_seconds(4)
        if leaver == "callee's desk":
            await house.core.desk.hang_up("ben", f"{call}.2")
            await settle()
        else:
            await house.hang_up(phone if leaver == "caller" else other)
        record = house.records()[0]
        assert (record.direction, [each.talk_ms for each in record.segments]) == ("internal", [4_000, 4_000])
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)


def test_busy_colleague_is_busy() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("ben", "anna")
        customer, _, _ = await talking(house, "ben")
        phone = house.signalling.phone_calls("anna", "ben")
        await settle()
        assert (phone.state, phone.cause) == ("ended", EndCause.BUSY)
        assert house.agent("anna").state is AgentState.READY
        with pytest.raises(IntentError) as refused:
            await house.core.desk.dial("anna", "agent", "ben")
        assert refused.value.code == "colleague-busy"
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)
