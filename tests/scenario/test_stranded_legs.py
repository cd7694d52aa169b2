"""What phones send to is gone, media is well: every leg is offered another description, at once or when it is up."""

import pytest

from callcenter.errors import MediaError
from tests.support.house import House, open_house
from tests.support.virtual_time import run_virtual, settle

pytestmark = pytest.mark.scenario


def accepted(house: House) -> int:
    """How many answers media was given."""
    return sum(name == "accept_answer" for name, _ in house.media.orders)


def test_who_talks_is_offered_anew_and_the_call_goes_on() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer = await house.queue_call()
        phone = await house.answer("anna")
        before = accepted(house)
        house.media.strand(house.call_id(customer))
        await settle()
        assert sorted(house.signalling.reoffered) == sorted([customer.leg_id, phone.leg_id])
        assert accepted(house) == before + 2
        await house.hang_up(customer)
        (record,) = house.records()
        assert (record.outcome, record.ended_by) == ("answered", "customer")

    run_virtual(story)


def test_a_phone_that_still_rings_is_offered_anew_when_it_is_answered_and_not_before() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer = await house.queue_call()
        house.media.strand(house.call_id(customer))
        await settle()
        assert house.signalling.reoffered == [customer.leg_id]
        before = accepted(house)
        phone = await house.answer("anna")
        assert house.signalling.reoffered == [customer.leg_id, phone.leg_id]
        assert accepted(house) == before + 1, "the answer to what is void is not taken"
        assert house.media.hears("customer", phone_leg(house, phone.leg_id, customer.leg_id))
        await house.hang_up(customer)
        (record,) = house.records()
        assert record.outcome == "answered"

    run_virtual(story)


def test_an_offer_that_media_cannot_make_now_is_made_when_it_is_told_again() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer = await house.queue_call()
        phone = await house.answer("anna")
        house.media.refusal = MediaError("rtpengine does not answer")
        house.media.strand(house.call_id(customer))
        await settle()
        assert house.signalling.reoffered == [phone.leg_id]
        house.media.strand(house.call_id(customer))
        await settle()
        assert customer.leg_id in house.signalling.reoffered
        await house.hang_up(customer)

    run_virtual(story)


def phone_leg(house: House, leg_id: str, customer_leg_id: str) -> str:
    """What media calls a leg of this call."""
    call_id = house.core.switchboard._call_of_leg[customer_leg_id]
    runner = house.core.switchboard._runners[call_id]
    return str(runner._audio.legs[leg_id])
