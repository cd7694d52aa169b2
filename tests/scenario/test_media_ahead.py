"""The media of an agent's phone is made while the journal writes that it will ring; the phone rings when it has."""

import asyncio

import pytest

from callcenter.calls.facts import CallOffered
from callcenter.errors import MediaError
from tests.support.house import House, open_house
from tests.support.virtual_time import run_virtual, settle

pytestmark = pytest.mark.scenario


def offers_made(house: House) -> int:
    """How often media was asked for an offer."""
    return sum(name == "make_offer" for name, _ in house.media.orders)


def test_media_is_ready_when_the_offer_is_on_disk_and_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is slow with the one fact that says whose phone will ring."""

    async def story() -> None:
        house = await open_house()
        leg = await house.queue_call()
        usual = house.journal.append

        def append(entry: object, *, at: int) -> int:
            if isinstance(entry, CallOffered):
                house.journal.hold = asyncio.Event()
            return usual(entry, at=at)

        monkeypatch.setattr(house.journal, "append", append)
        await house.sign_in("anna")
        assert house.journal.hold is not None
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
