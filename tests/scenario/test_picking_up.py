"""A colleague's phone takes over what rings, waits on hold or is parked; an agent goes on at another phone."""

import pytest

from agent_console.messages import AgentState
from callcenter.calls.facts import CallOfferFailed, Outcome
from callcenter.calls.legs import EndCause, TransferRequested
from tests.support.conversations import both, end_clean, heard, talking
from tests.support.fake_signalling import FakeLeg
from tests.support.house import CUSTOMER, House, open_house, small_site
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


async def ringing(house: House) -> tuple[FakeLeg, FakeLeg, str]:
    """A customer waits, and it has rung at anna for four seconds: the customer, anna's phone, the call's id."""
    customer = await house.queue_call()
    await pass_seconds(4)
    phone = house.signalling.ringing_phone("anna")
    assert phone is not None
    return customer, phone, house.call_id(customer)


async def takes(house: House, agent_id: str, leg: FakeLeg) -> FakeLeg:
    """A phone of this agent calls with Replaces."""
    mine = house.signalling.phone_calls(agent_id, "anna", replaces=leg.leg_id)
    await settle()
    return mine


async def dials(house: House, agent_id: str, text: str) -> FakeLeg:
    """A phone of this agent dials."""
    mine = house.signalling.phone_calls(agent_id, text)
    await settle()
    return mine


@pytest.mark.parametrize("by", ["replaces", "*8", "*8anna"])
def test_a_colleague_picks_up_what_rings_and_has_it_as_if_it_had_rung_there(by: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, rung, call = await ringing(house)
        mine = await takes(house, "ben", rung) if by == "replaces" else await dials(house, "ben", by)
        assert mine.state == "answered"
        assert (rung.state, rung.cause) == ("ended", EndCause.ANSWERED_ELSEWHERE)
        assert heard(house, call) == both(CUSTOMER, "ben")
        assert (house.agent("anna").state, house.agent("ben").state) == (AgentState.READY, AgentState.BUSY)
        assert house.agent("ben").contact_id == call
        await pass_seconds(30)
        await house.hang_up(customer)
        (record,) = house.records()
        assert (record.outcome, record.agent_id, record.talk_ms, record.waited_ms) == (
            Outcome.ANSWERED,
            "ben",
            30_000,
            4_000,
        )
        assert (record.offers, record.missed_offers) == (1, 0), "nobody missed it"
        assert house.agent("ben").state is AgentState.WRAP_UP
        assert [entry.cause for entry in house.journal.entries if isinstance(entry, CallOfferFailed)] == ["picked_up"]
        await end_clean(house)

    run_virtual(story)


def test_a_second_party_that_rings_is_picked_up_and_becomes_who_picked_it_up() -> None:
    async def story() -> None:
        site = small_site()
        everywhere = [each.model_copy(update={"queues": ("sales", "support")}) for each in site.agents]
        house = await open_house(site=site.model_copy(update={"agents": tuple(everywhere)}))
        await house.sign_in("anna", "ben", "chen")
        customer, _, call = await talking(house)
        await pass_seconds(10)
        await house.core.desk.consult("anna", call, "agent", "ben")
        await settle()
        rung = house.signalling.ringing_phone("ben")
        assert rung is not None
        mine = await takes(house, "chen", rung)
        assert (mine.state, rung.state) == ("answered", "ended")
        assert heard(house, call) == both("anna", "chen")
        await pass_seconds(5)
        await house.core.desk.complete("anna", call)
        await pass_seconds(20)
        await house.hang_up(customer)
        (record,) = house.records()
        assert [(each.agent_id, each.talk_ms) for each in record.segments] == [("anna", 10_000), ("chen", 20_000)]
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("why", ["busy", "over", "own", "talking", "customer"])
def test_what_may_not_be_picked_up_is_refused_and_nothing_changes(why: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, rung, call = await ringing(house)
        who, whom = "ben", rung
        if why == "busy":
            house.signalling.phone_calls("ben", "+12025550177")
            await settle()
        elif why == "own":
            who = "anna"
        elif why == "customer":
            whom = customer
        elif why in {"over", "talking"}:
            await house.answer("anna")
            if why == "over":
                await house.hang_up(customer)
        mine = await takes(house, who, whom)
        assert mine.state == "ended"
        assert mine.cause in {EndCause.REJECTED, EndCause.BUSY}
        if why == "busy":
            assert mine.cause is EndCause.BUSY
        if why not in {"over", "talking"}:
            assert rung.state == "offered", "it rings on"
            await house.answer("anna")
        if why != "over":
            assert heard(house, call) == both(CUSTOMER, "anna")
            await house.hang_up(customer)
        for leg in list(house.signalling.legs.values()):
            await house.hang_up(leg)
        await end_clean(house)

    run_virtual(story)


def test_who_serves_no_queue_in_common_may_not_pick_up() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("ben", "chen")
        customer = await house.queue_call()
        rung = house.signalling.ringing_phone("ben")
        assert rung is not None
        assert (await takes(house, "chen", rung)).cause is EndCause.REJECTED
        assert (await dials(house, "chen", "*8")).cause is EndCause.NO_SUCH_NUMBER
        assert rung.state == "offered"
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)


def test_a_customer_on_hold_is_taken_over_by_a_colleague_and_each_has_its_own_figures() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, call = await talking(house)
        await pass_seconds(10)
        await house.core.desk.hold("anna", call)
        await pass_seconds(6)
        mine = await takes(house, "ben", phone)
        assert (mine.state, phone.state) == ("answered", "ended")
        assert heard(house, call) == both(CUSTOMER, "ben")
        assert house.agent("anna").state is AgentState.WRAP_UP
        await pass_seconds(20)
        await house.hang_up(customer)
        (record,) = house.records()
        assert [(each.agent_id, each.talk_ms, each.hold_ms) for each in record.segments] == [
            ("anna", 10_000, 6_000),
            ("ben", 20_000, 0),
        ]
        await end_clean(house)

    run_virtual(story)


def test_a_refused_take_over_leaves_the_customer_on_hold() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        _, phone, call = await talking(house)
        await house.core.desk.hold("anna", call)
        house.signalling.phone_calls("ben", "+12025550177")
        await settle()
        mine = await takes(house, "ben", phone)
        assert mine.cause is EndCause.BUSY
        await house.core.desk.resume("anna", call)
        await settle()
        assert heard(house, call) == both(CUSTOMER, "anna")
        for leg in list(house.signalling.legs.values()):
            await house.hang_up(leg)
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("state", ["talking", "held", "consulting"])
def test_an_agent_goes_on_at_another_phone_and_no_figure_changes(state: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, call = await talking(house)
        await pass_seconds(10)
        if state == "held":
            await house.core.desk.hold("anna", call)
        elif state == "consulting":
            await house.core.desk.consult("anna", call, "agent", "ben")
            await settle()
            await house.answer("ben")
        mine = await takes(house, "anna", phone)
        assert (mine.state, phone.state) == ("answered", "ended")
        expected = both("anna", "ben") if state == "consulting" else both(CUSTOMER, "anna")
        assert heard(house, call) == expected
        assert house.agent("anna").state is AgentState.BUSY
        if state == "consulting":
            await house.core.desk.cancel("anna", call)
        await pass_seconds(5)
        await house.hang_up(mine)
        assert customer.state == "ended"
        (record,) = house.records()
        assert (record.segments[0].agent_id, record.segments[0].talk_ms) == ("anna", 15_000)
        await end_clean(house)

    run_virtual(story)


# Parking by phone.


def slot_heard(house: House, session: str) -> tuple[str, ...]:
    (play,) = [each for each in house.media.sessions[session].plays.values() if each.paths[0].startswith("en/park")]
    return play.paths


def test_a_transfer_to_the_code_parks_and_says_where_and_another_phone_takes_it_up() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, call = await talking(house)
        await pass_seconds(10)
        house.core.switchboard.on_leg_event(TransferRequested(phone.leg_id, "*68"))
        await settle()
        assert slot_heard(house, call) == ("en/park.slot.wav", "en/digit.7.wav", "en/digit.0.wav", "en/digit.1.wav")
        assert phone.state == "answered"
        assert "music" in house.session(customer).plays
        assert house.signalling.transfers == []
        house.media.finish_play(f"slot-{phone.leg_id}", of=call)
        await settle()
        assert house.signalling.transfers[-1] == (phone.leg_id, 200)
        assert phone.state == "ended"
        await pass_seconds(20)
        assert (await dials(house, "ben", "*69702")).cause is EndCause.NO_SUCH_NUMBER
        mine = await dials(house, "ben", "*69701")
        assert mine.state == "answered"
        assert heard(house, call) == both(CUSTOMER, "ben")
        assert (await dials(house, "anna", "*69701")).cause is EndCause.NO_SUCH_NUMBER
        await pass_seconds(5)
        await house.hang_up(mine)
        (record,) = house.records()
        assert [(each.kind, each.agent_id, each.talk_ms) for each in record.segments] == [
            ("inbound", "anna", 10_000),
            ("retrieved", "ben", 5_000),
        ]
        await end_clean(house)

    run_virtual(story)


def test_a_second_line_that_dials_the_code_parks_the_first_and_hears_where() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer, phone, call = await talking(house)
        house.signalling.far_end_reoffers(phone, "sendonly")
        await settle()
        second = await dials(house, "anna", "*68")
        assert (second.state, phone.state) == ("answered", "ended")
        session = f"spoken-{second.leg_id}"
        assert slot_heard(house, session)[1:] == ("en/digit.7.wav", "en/digit.0.wav", "en/digit.1.wav")
        house.media.strand(session)
        await settle()
        assert (second.state, house.signalling.reoffered[-1:]) == ("answered", [second.leg_id])
        house.media.finish_play("spoken", of=session)
        await settle()
        assert second.state == "ended"
        assert session not in house.media.sessions
        await pass_seconds(181)
        back = await house.answer("anna")
        assert heard(house, call) == both(CUSTOMER, "anna"), "a parked call comes back to who parked it"
        await house.hang_up(back)
        assert customer.state == "ended"
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("dialled", ["*68", "*69701", "*8", "*8ben"])
def test_codes_without_anybody_there_are_refused(dialled: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        assert (await dials(house, "anna", dialled)).cause is EndCause.NO_SUCH_NUMBER
        assert house.core.switchboard.calls == {}
        await end_clean(house)

    run_virtual(story)


def test_an_agent_who_may_not_take_a_parked_call_up_leaves_it_in_its_slot() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, _, call = await talking(house)
        await house.core.desk.park("anna", call)
        await settle()
        house.signalling.phone_calls("ben", "+12025550177")
        await settle()
        mine = await dials(house, "ben", "*69701")
        assert mine.state == "ended"
        assert house.core.switchboard.parked("701") is not None
        await house.hang_up(customer)
        for leg in list(house.signalling.legs.values()):
            await house.hang_up(leg)
        await end_clean(house)

    run_virtual(story)
