"""Digits through real media processes: pressed towards a leg, heard as tones, kept secret while a leg is secured."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from callcenter.media.audio import tone_share, write_wav
from callcenter.media.endpoint import RtpEndpoint
from callcenter.media.g711 import Samples, decode
from callcenter.media.inband import ToneDigits, tones_of
from callcenter.media.law import Law
from callcenter.media.masking import MASK_HERTZ
from callcenter.media.rtp import sequence_distance
from callcenter.media.speech import EspeakEngine
from callcenter.ports import DigitPressed, RecordingAction, Route
from ivr.effects import PromptText
from tests.support.heard_recordings import listen
from tests.support.media_contract import PROFILE
from tests.support.mediad_process import LOOPS, MediaProcess, running_mediad
from tests.support.waiting import until

pytestmark = pytest.mark.interop

TWO_WAY = [Route("caller", "agent"), Route("agent", "caller")]
CARD = "4111111111111111"
TONES = (697, 770, 852, 941, 1209, 1336, 1477, 1633)


@pytest.fixture(params=LOOPS)
async def media(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MediaProcess]:
    options = ("--standby", "0", "--loop", request.param, "--recordings", str(tmp_path / "rec"))
    async with running_mediad(*options) as process:
        await process.plane.create("s")
        yield process


async def without_events(media: MediaProcess, leg_id: str) -> RtpEndpoint:
    """A phone that knows no telephone events."""
    phone = await RtpEndpoint.open()
    offer = "\r\n".join(line for line in phone.sdp_offer().split("\r\n") if "101 " not in line).replace(" 101", "")
    phone.accept(await media.plane.answer_offer("s", leg_id, offer, PROFILE))
    assert phone.audio is not None
    assert phone.audio.send_event_type is None
    return phone


def dialled(path: Path, digits: str) -> str:
    """A sound file in which digits are dialled."""
    pause = np.zeros(800, dtype=np.int16)
    path.write_bytes(write_wav(np.concatenate([pause, *itertools.chain(*((tones_of(d), pause) for d in digits))])))
    return str(path)


def sound(phone: RtpEndpoint) -> Samples:
    """Everything that the phone has been sent."""
    heard = [decode(packet.payload, Law.PCMU) for packet in phone.packets if packet.payload_type == 0]
    return np.concatenate([np.zeros(0, np.int16), *heard])


def loudest_tone(samples: Samples) -> float:
    """The greatest amplitude that any of the eight tones has in any 40 ms; keys are pressed with 6553 here."""
    frames = [samples[at : at + 320].astype(float) for at in range(0, len(samples) - 319, 160)]
    powers = (tone_share(frame, pitch) * 2 * np.mean(frame**2) for frame in frames for pitch in TONES)
    return float(np.sqrt(max(powers, default=0.0)))


def digits_in(samples: Samples) -> str:
    """What a decoder makes of it."""
    return ToneDigits().hear(samples)


async def test_digits_are_pressed_towards_a_leg_in_the_middle_of_a_call(media: MediaProcess) -> None:
    """Events where they are understood; speech stops for them, goes on after them, and it is one stream."""
    caller, agent = await media.calling("s", "caller"), await media.called("s", "agent")
    caller.start(440)
    agent.start(620)
    await media.plane.route("s", TWO_WAY)
    await caller.wait_heard(620, share=0.9)
    await media.plane.send_digits("s", "caller", "15")
    await media.plane.send_digits("s", "caller", "9#")
    await caller.wait_digits("159#")
    await caller.wait_heard(620, share=0.9)
    steps = {sequence_distance(b.sequence, a.sequence) for a, b in itertools.pairwise(caller.packets)}
    assert steps == {1}
    assert agent.digits == ""
    assert media.sink.digits == []
    await caller.close()
    await agent.close()


async def test_a_far_end_without_events_is_heard_and_dialled_by_tones(media: MediaProcess, tmp_path: Path) -> None:
    phone = await without_events(media, "caller")
    phone.start(dialled(tmp_path / "dialled.wav", "2580"))
    await media.sink.wait_until(lambda: len(media.sink.digits) >= 4)
    assert media.sink.digits[:4] == [DigitPressed("s", "caller", digit) for digit in "2580"]
    await phone.pause()
    phone.packets.clear()
    await media.plane.send_digits("s", "caller", "31")
    await until("both digits are heard", lambda: len(digits_in(sound(phone))) >= 2)
    await phone.wait_frames(25)
    assert digits_in(sound(phone)) == "31"
    await phone.close()


@pytest.mark.parametrize("by_tones", [False, True])
async def test_a_card_number_reaches_the_sink_and_nobody_else(
    media: MediaProcess, tmp_path: Path, capfd: pytest.CaptureFixture[str], by_tones: bool
) -> None:
    """Neither the agent's leg, nor the recording, nor any log has anything of it; the sink has all."""
    caller = await without_events(media, "caller") if by_tones else await media.calling("s", "caller")
    agent = await media.called("s", "agent")
    caller.start(0)
    agent.start(620)
    await media.plane.route("s", TWO_WAY)
    await media.plane.record("s", "r", RecordingAction.START, left="caller", right="agent")
    await caller.wait_heard(620)
    await media.plane.secure("s", "caller", on=True)
    await agent.wait_heard(MASK_HERTZ, share=0.9)
    agent.packets.clear()
    if by_tones:
        await caller.pause()
        caller.start(dialled(tmp_path / "card.wav", CARD))
    else:
        caller.start(1000)
        await caller.send_digits(CARD)
    await media.sink.wait_until(lambda: len(media.sink.digits) >= len(CARD), seconds=40)
    assert media.sink.digits[: len(CARD)] == [DigitPressed("s", "caller", digit, secret=True) for digit in CARD]
    await caller.pause()
    await media.plane.secure("s", "caller", on=False)
    caller.start(2500)
    await agent.wait_heard(2500, share=0.9)
    assert {packet.payload_type for packet in agent.packets} == {0}
    assert agent.digits == ""
    assert loudest_tone(sound(agent)) < 600, "the mask and speech that comes back, with their edges; no key"
    assert digits_in(sound(agent)) == ""
    await media.plane.record("s", "r", RecordingAction.STOP)
    recording = listen(await media.sink.finished("r"))
    assert max(recording.tones(recording.left, MASK_HERTZ)) > 0.9
    assert loudest_tone(decode(recording.left, recording.law)) < 600
    assert digits_in(decode(recording.left, recording.law)) == ""
    assert max(recording.tones(recording.right, 620)) > 0.9
    said = "".join(capfd.readouterr())
    assert CARD not in said
    assert "digit" not in said
    await caller.close()
    await agent.close()


async def test_speech_is_not_taken_for_digits(tmp_path: Path) -> None:
    """Talk-off: what an engine says in two languages and several voices has no digit in it."""
    pytest.importorskip("espeakng_loader", reason="the extra callcenter[speech] is not installed")
    engine, ear = EspeakEngine(), ToneDigits()
    seconds = 0.0
    texts = {
        "en": "Thank you for calling. Seven out of eleven people were even sleeping; please press nothing at all.",
        "zh": "感谢您的来电，我们的工作人员正在为其他客户服务，请您稍等，谢谢。",
        "es": "Gracias por su llamada, siete personas esperan, por favor no cuelgue.",
        "fr": "Merci de votre appel, un conseiller va vous répondre dans quelques instants.",
    }
    for language, text in texts.items():
        samples = await engine.speak(PromptText("x", language, text * 4))
        seconds += len(samples) / 8000
        assert ear.hear(samples) == ""
    assert seconds > 60
    await engine.close()
