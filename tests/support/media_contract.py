"""What every media plane does, whoever implements it. The tests run it against the fake and against real processes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from callcenter.errors import MediaError, NoCommonCodec
from callcenter.ports import (
    DigitPressed,
    EncryptionPolicy,
    LegProfile,
    MediaEvent,
    MediaPlane,
    PlayFinished,
    RecordingAction,
    RecordingEvent,
    RecordingFinished,
    Route,
)

PROFILE = LegProfile("127.0.0.1")

OFFER = """v=0
o=phone 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 9 RTP/AVP 8 0 96
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:96 telephone-event/8000
m=video 9 RTP/AVP 99
a=rtpmap:99 H264/90000
"""
ANSWER = OFFER.partition("m=video")[0]
OFFERED_KEY = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
"""Of the example in RFC 4568 section 6.1."""
SEALED_OFFER = OFFER.replace(
    "RTP/AVP 8 0 96\n",
    f"RTP/SAVP 8 0 96\na=crypto:5 F8_128_HMAC_SHA1_80 inline:{OFFERED_KEY}\n"
    f"a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:{OFFERED_KEY}|2^20\n",
)
OPUS_ONLY = OFFER.replace("RTP/AVP 8 0 96", "RTP/AVP 111")


@dataclass(slots=True)
class EventSink:
    """Collects media events, apart from those of recordings, and lets a test wait for one."""

    events: list[MediaEvent] = field(default_factory=list)
    recordings: list[RecordingEvent] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, event: MediaEvent) -> None:
        self.events.append(event)
        self._news.set()

    def on_recording(self, event: RecordingEvent) -> None:
        """The sink for recordings."""
        self.recordings.append(event)
        self._news.set()

    @property
    def digits(self) -> list[DigitPressed]:
        """The digits that were told: what is told besides, such as a poor line, a busy machine may add to."""
        return [event for event in self.events if isinstance(event, DigitPressed)]

    async def finished(self, recording_id: str, *, seconds: float = 20.0) -> RecordingFinished:
        """Wait until a recording is on disk; each must be told of exactly once."""
        await self.wait_until(lambda: bool(self._finished(recording_id)), seconds=seconds)
        (event,) = self._finished(recording_id)
        return event

    def _finished(self, recording_id: str) -> list[RecordingFinished]:
        return [
            event
            for event in self.recordings
            if isinstance(event, RecordingFinished) and event.recording_id == recording_id
        ]

    async def wait(self, event: MediaEvent, *, seconds: float = 10.0) -> None:
        """Wait until this event has been told."""
        await self.wait_until(lambda: event in self.events, seconds=seconds)

    async def wait_until(self, is_so: Callable[[], bool], *, seconds: float = 10.0) -> None:
        """Wait until something is so, looking after each event."""
        async with asyncio.timeout(seconds):
            while not is_so():
                self._news.clear()
                await self._news.wait()


PlaneUnderTest = tuple[MediaPlane, EventSink, str]
"""A plane, its sink, and the path of a WAV file that plays for longer than a test."""


class MediaPlaneContract:
    """Inherit this in a test class and give it a fixture ``plane``."""

    async def test_an_offer_is_answered_with_the_first_common_codec(self, plane: PlaneUnderTest) -> None:
        media, _, _ = plane
        await media.create("s")
        answer = await media.answer_offer("s", "a", OFFER, PROFILE)
        assert " RTP/AVP 8 96\r\n" in answer
        assert "a=rtpmap:96 telephone-event/8000" in answer
        assert "m=video 0 RTP/AVP 99" in answer

    async def test_an_offer_without_a_common_codec_is_refused(self, plane: PlaneUnderTest) -> None:
        media, _, _ = plane
        await media.create("s")
        with pytest.raises(NoCommonCodec):
            await media.answer_offer("s", "a", OPUS_ONLY, PROFILE)

    async def test_encrypted_audio_is_taken_when_offered_unless_it_is_off(self, plane: PlaneUnderTest) -> None:
        media, _, _ = plane
        await media.create("s")
        answer = await media.answer_offer("s", "a", SEALED_OFFER, PROFILE)
        assert " RTP/SAVP 8 96\r\n" in answer
        assert "\r\na=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:" in answer
        assert OFFERED_KEY not in answer
        assert await media.answer_offer("s", "a", SEALED_OFFER, PROFILE) == answer
        with pytest.raises(NoCommonCodec):
            await media.answer_offer("s", "b", SEALED_OFFER, replace(PROFILE, encryption=EncryptionPolicy.OFF))

    async def test_where_encryption_is_required_nothing_else_is_offered_or_taken(self, plane: PlaneUnderTest) -> None:
        media, _, _ = plane
        profile = replace(PROFILE, encryption=EncryptionPolicy.REQUIRED)
        await media.create("s")
        with pytest.raises(NoCommonCodec):
            await media.answer_offer("s", "a", OFFER, profile)
        offer = await media.make_offer("s", "b", encryption=EncryptionPolicy.REQUIRED)
        assert " RTP/SAVP 0 8 101\r\n" in offer
        assert offer.count("a=crypto:") == 3
        with pytest.raises(NoCommonCodec):
            await media.accept_answer("s", "b", ANSWER, profile)
        sealed = SEALED_OFFER.partition("m=video")[0].replace("crypto:7", "crypto:2")
        await media.accept_answer("s", "b", sealed, profile)
        assert "RTP/SAVP" in await media.make_offer("s", "b"), "what is encrypted stays so"

    async def test_renegotiation_keeps_the_port(self, plane: PlaneUnderTest) -> None:
        media, _, _ = plane
        await media.create("s")
        first = await media.answer_offer("s", "a", OFFER, PROFILE)
        held = await media.answer_offer("s", "a", OFFER.replace("a=rtpmap:96", "a=sendonly\na=rtpmap:96"), PROFILE)
        assert _port(first) == _port(held)
        assert "a=recvonly" in held

    async def test_our_own_offer_is_the_same_when_asked_for_again(self, plane: PlaneUnderTest) -> None:
        media, _, _ = plane
        await media.create("s")
        offer = await media.make_offer("s", "a")
        assert " RTP/AVP 0 8 101\r\n" in offer
        assert await media.make_offer("s", "a") == offer
        await media.accept_answer("s", "a", ANSWER, PROFILE)

    async def test_a_refused_stream_in_the_answer_is_no_common_codec(self, plane: PlaneUnderTest) -> None:
        media, _, _ = plane
        await media.create("s")
        await media.make_offer("s", "a")
        with pytest.raises(NoCommonCodec):
            await media.accept_answer("s", "a", ANSWER.replace("audio 9", "audio 0"), PROFILE)

    async def test_orders_for_what_is_not_there_raise(self, plane: PlaneUnderTest) -> None:
        media, _, wav = plane
        with pytest.raises(MediaError):
            await media.make_offer("nowhere", "a")
        with pytest.raises(MediaError):
            await media.route("nowhere", [])
        await media.create("s")
        with pytest.raises(MediaError):
            await media.play("s", "nobody", "p", [wav])
        with pytest.raises(MediaError):
            await media.route("s", [Route("nobody", "else")])
        with pytest.raises(MediaError):
            await media.accept_answer("s", "nobody", ANSWER, PROFILE)
        with pytest.raises(MediaError):
            await media.create("s")

    async def test_a_play_that_is_stopped_is_told_once(self, plane: PlaneUnderTest) -> None:
        media, sink, wav = plane
        await media.create("s")
        await media.answer_offer("s", "a", OFFER, PROFILE)
        await media.play("s", "a", "p", [wav])
        await media.stop_play("s", "p")
        await media.stop_play("s", "p")
        await media.stop_play("nowhere", "p")
        assert sink.events == [PlayFinished("s", "p", "stopped")]

    async def test_a_play_may_lower_the_others_and_never_raise_them(self, plane: PlaneUnderTest) -> None:
        media, sink, wav = plane
        await media.create("s")
        await media.answer_offer("s", "a", OFFER, PROFILE)
        with pytest.raises(MediaError):
            await media.play("s", "a", "loud", [wav], duck_db=3.0)
        await media.play("s", "a", "p", [wav, wav], duck_db=-20.0)
        await media.stop_play("s", "p")
        assert sink.events == [PlayFinished("s", "p", "stopped")]

    async def test_digits_are_pressed_towards_a_leg_that_is_described(self, plane: PlaneUnderTest) -> None:
        media, sink, _ = plane
        await media.create("s")
        await media.make_offer("s", "a")
        for leg_id, digits in (("a", "1"), ("nobody", "1")):
            with pytest.raises(MediaError):
                await media.send_digits("s", leg_id, digits)
        await media.accept_answer("s", "a", ANSWER, PROFILE)
        for digits in ("", "12x", "E"):
            with pytest.raises(MediaError):
                await media.send_digits("s", "a", digits)
        await media.send_digits("s", "a", "0123456789*#ABCD")
        await media.destroy("s")
        assert sink.events == [], "nothing is told of digits, also when they are cut off"

    async def test_a_leg_is_secured_and_released_as_often_as_it_is_ordered(self, plane: PlaneUnderTest) -> None:
        media, sink, _ = plane
        await media.create("s")
        with pytest.raises(MediaError):
            await media.secure("s", "nobody", on=True)
        await media.answer_offer("s", "a", OFFER, PROFILE)
        for on in (True, True, False, False):
            await media.secure("s", "a", on=on)
        with pytest.raises(MediaError):
            await media.secure("nowhere", "a", on=True)
        assert sink.events == []

    async def test_removing_a_leg_ends_its_plays_and_routes(self, plane: PlaneUnderTest) -> None:
        media, sink, wav = plane
        await media.create("s")
        await media.answer_offer("s", "a", OFFER, PROFILE)
        await media.make_offer("s", "b")
        await media.route("s", [Route("a", "b"), Route("b", "a")])
        await media.play("s", "b", "p", [wav], loop=True)
        assert await media.remove_leg("s", "b") is not None
        assert await media.remove_leg("s", "b") is None
        assert await media.remove_leg("nowhere", "b") is None
        assert sink.events == [PlayFinished("s", "p", "stopped")]
        await media.route("s", [])

    async def test_destroying_tells_the_figures_and_is_harmless_again(self, plane: PlaneUnderTest) -> None:
        media, sink, wav = plane
        await media.create("s")
        await media.answer_offer("s", "a", OFFER, PROFILE)
        await media.make_offer("s", "b")
        await media.play("s", "a", "p", [wav])
        figures = await media.destroy("s")
        assert set(figures) == {"a", "b"}
        assert await media.destroy("s") == {}
        assert sink.events == [PlayFinished("s", "p", "stopped")]
        with pytest.raises(MediaError):
            await media.make_offer("s", "a")

    async def test_a_recording_that_is_stopped_is_told_once(self, plane: PlaneUnderTest) -> None:
        media, sink, _ = plane
        await media.create("s")
        await media.answer_offer("s", "a", OFFER, PROFILE)
        await media.make_offer("s", "b")
        await media.record("s", "r", RecordingAction.START, left="a", right="b")
        await media.record("s", "r", RecordingAction.PAUSE)
        await media.record("s", "r", RecordingAction.PAUSE)
        await media.record("s", "r", RecordingAction.RESUME)
        await media.record("s", "r", RecordingAction.STOP)
        await media.record("s", "r", RecordingAction.STOP)
        await media.record("nowhere", "r", RecordingAction.STOP)
        finished = await sink.finished("r")
        assert (finished.session_id, finished.truncated) == ("s", None)
        assert sink.events == []

    async def test_destroying_a_session_finishes_its_recordings(self, plane: PlaneUnderTest) -> None:
        media, sink, _ = plane
        await media.create("s")
        await media.make_offer("s", "a")
        await media.make_offer("s", "b")
        await media.record("s", "first", RecordingAction.START, left="a", right="b")
        await media.record("s", "second", RecordingAction.START, left="b", right="a")
        await media.remove_leg("s", "b")
        await media.destroy("s")
        await sink.finished("first")
        await sink.finished("second")

    async def test_orders_for_recordings_that_cannot_be_raise(self, plane: PlaneUnderTest) -> None:
        media, sink, _ = plane
        await media.create("s")
        await media.make_offer("s", "a")
        await media.make_offer("s", "b")
        with pytest.raises(MediaError):
            await media.record("s", "r", RecordingAction.PAUSE)
        with pytest.raises(MediaError):
            await media.record("s", "r", RecordingAction.START, left="a", right="nobody")
        with pytest.raises(MediaError):
            await media.record("s", "r", RecordingAction.START, left="a", right="a")
        with pytest.raises(MediaError):
            await media.record("nowhere", "r", RecordingAction.START, left="a", right="b")
        await media.record("s", "r", RecordingAction.START, left="a", right="b")
        with pytest.raises(MediaError):
            await media.record("s", "r", RecordingAction.START, left="a", right="b")
        await media.record("s", "r", RecordingAction.STOP)
        await sink.finished("r")


def _port(sdp: str) -> str:
    return next(line for line in sdp.splitlines() if line.startswith("m=audio")).split()[1]
