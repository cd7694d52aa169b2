"""Conversations in a whole exchange: who hears whom, and whether nothing is left of them at the end."""

from callcenter.audit.recount import audit
from callcenter.replay import replay
from tests.support.fake_signalling import FakeLeg
from tests.support.house import CUSTOMER, House
from tests.support.virtual_time import pass_seconds, settle


async def talking(house: House, agent_id: str = "anna") -> tuple[FakeLeg, FakeLeg, str]:
    """A customer talks with an agent: both legs, and the call's id."""
    customer = await house.queue_call()
    phone = await house.answer(agent_id)
    return customer, phone, house.call_id(customer)


def heard(house: House, call_id: str) -> set[tuple[str, str]]:
    """Who hears whom: ``customer``, or the agent id or number of a leg's far end."""
    runner = house.core.switchboard.calls[call_id]
    names = {media: house.signalling.legs[leg].agent_id or leg for leg, media in runner._audio.legs.items()}
    names[CUSTOMER] = CUSTOMER
    return {(names[way.source], names[way.destination]) for way in house.media.sessions[call_id].routes}


def both(one: str, other: str) -> set[tuple[str, str]]:
    """These two hear each other."""
    return {(one, other), (other, one)}


async def consulting(house: House) -> tuple[FakeLeg, FakeLeg, FakeLeg, str]:
    """Anna, who has the customer, talks with ben: the three legs, and the call's id."""
    customer, phone, call = await talking(house)
    await pass_seconds(10)
    await house.core.desk.consult("anna", call, "agent", "ben")
    await settle()
    other = await house.answer("ben")
    assert heard(house, call) == both("anna", "ben")
    return customer, phone, other, call


async def end_clean(house: House) -> None:
    """Nothing is left when everything is over: no leg, no media, no contact, no offer, and the journal is sound."""
    await pass_seconds(400)
    assert house.fatal == []
    assert [leg for leg in house.signalling.legs.values() if leg.state != "ended"] == []
    assert house.core.switchboard.calls == {}
    assert house.media.sessions == {}
    assert house.core.routing.engine.contacts() == ()
    assert house.contacts() == ()
    assert audit(house.journal.rows).breaches == []
    assert replay(house.journal.rows).divergences == []
