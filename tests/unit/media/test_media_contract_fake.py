"""The fake keeps the contract that the real media plane keeps."""

import pytest

from callcenter.ports import DigitPressed, MediaPlane, PlayFinished
from tests.support.fake_media import FakeMedia
from tests.support.media_contract import OFFER, PROFILE, EventSink, MediaPlaneContract, PlaneUnderTest

pytestmark = pytest.mark.unit


class TestFakeMedia(MediaPlaneContract):
    @pytest.fixture
    def plane(self) -> PlaneUnderTest:
        sink = EventSink()
        media: MediaPlane = FakeMedia(sink, recording_sink=sink.on_recording)
        return media, sink, "/nowhere/long.wav"

    async def test_a_pressed_digit_stops_what_may_be_interrupted(self) -> None:
        sink = EventSink()
        media = FakeMedia(sink, recording_sink=sink.on_recording)
        await media.create("s")
        await media.answer_offer("s", "a", OFFER, PROFILE)
        await media.play("s", "a", "menu", ["menu.wav"], barge_in=True)
        await media.play("s", "a", "music", ["music.wav"], loop=True)
        media.press("a", "5")
        assert sink.events == [DigitPressed("s", "a", "5"), PlayFinished("s", "menu", "barge_in")]
        assert media.plays("a") == ["music"]
