"""The media of an agent's phone is made while the journal writes that it will ring; the phone rings when it has."""

import asyncio

import pytest

from acd.events import AgentMadeReady, AgentSignedIn
from acd.ids import AgentId
from callcenter.calls.facts import CallOffered
from callcenter.errors import MediaError
from tests.support.house import House, open_house
from tests.support.virtual_time import run_virtual, settle

pytestmark = pytest.mark.scenario


def offers_made(house: House) -> int:
    """How often media was asked for an offer."""
    return sum(name == "make_offer" for name, _ in house.media.orders)


def test_media_is_made_while_the_disk_writes_and_the_phone_rings_once_it_has() -> None:
    async def story() -> None:
        house = await open_house()
        leg = await house.queue_call()
        house.journal.hold = asyncio.Event()
        house.signalling.registered.add("anna")
        house.core.routing.post(AgentSignedIn(AgentId("anna")))
        house.core.routing.post(AgentMadeReady(AgentId("anna")))
        await settle()
        assert any(isinstance(entry, CallOffered) for entry in house.journal.entries)
        assert (offers_made(house), house.signalling.ringing_phone("anna")) == (1, None)
        house.journal.hold.set()
        await settle()
        phone = await house.answer("anna")
        assert (offers_made(house), phone.state, leg.state) == (1, "answered", "answered")

    run_virtual(story)


def test_media_that_fails_ahead_is_told_when_the_phone_would_ring_and_not_asked_again() -> None:
    async def story() -> None:
        house = await open_house()
        await house.queue_call()
        house.media.refusal = MediaError("media is absent")
        await house.sign_in("anna")
        assert house.signalling.ringing_phone("anna") is None
        assert house.agent("anna").reason == "phone_unreachable"
        assert offers_made(house) == 1

    run_virtual(story)
