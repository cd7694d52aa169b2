"""Speech engines keep one contract: the bundled one, the tones without any, and Piper with a program in its place."""

import asyncio
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcenter.media.audio import tone_share
from callcenter.media.piper import PiperEngine
from callcenter.media.speech import EspeakEngine, PromptStore, SpeechEngine, SpeechError, ToneEngine
from ivr.effects import PromptText
from tests.support.speech_contract import SpeechEngineContract

pytestmark = pytest.mark.interop

STAND_IN = '''#!{python}
"""Takes piper's options and its standard input, and speaks 22050 Hz tones."""
import argparse, math, struct, sys, wave
parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--output_file", required=True)
given = parser.parse_args()
text = sys.stdin.read().strip()
open(given.model).close()
if text == "fail":
    sys.exit(3)
with wave.open(given.output_file, "wb") as out:
    out.setnchannels(1)
    out.setsampwidth(2)
    out.setframerate(22050)
    count = 0 if text == "nothing" else 2205 * min(20, 2 + len(text))
    out.writeframes(b"".join(struct.pack("<h", round(9000 * math.sin(i * 0.2))) for i in range(count)))
'''
"""0.2 radians at 22050 Hz are 702 Hz."""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "piper"
    path.write_text(STAND_IN.replace("{python}", sys.executable), "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    path = tmp_path / "voice.onnx"
    path.write_bytes(b"voice")
    return path


class TestPiper(SpeechEngineContract):
    @pytest.fixture
    async def engine(self, program: Path, voice: Path) -> AsyncIterator[SpeechEngine]:
        made: SpeechEngine = PiperEngine(program, {"en": voice}, ToneEngine())
        yield made
        await made.close()


class TestTones(SpeechEngineContract):
    @pytest.fixture
    def engine(self) -> SpeechEngine:
        return ToneEngine()


class TestEspeak(SpeechEngineContract):
    @pytest.fixture
    async def engine(self) -> AsyncIterator[SpeechEngine]:
        pytest.importorskip("espeakng_loader", reason="the extra callcenter[speech] is not installed")
        made = EspeakEngine()
        yield made
        await made.close()


async def test_a_voice_speaks_its_language_and_the_rest_is_spoken_otherwise(program: Path, voice: Path) -> None:
    engine = PiperEngine(program, {"en": voice}, ToneEngine())
    assert tone_share(await engine.speak(PromptText("a", "en", "Hello.")), 702) > 0.9
    chinese = PromptText("a", "zh", "您好。")
    assert (await engine.speak(chinese) == await ToneEngine().speak(chinese)).all()


async def test_another_voice_is_another_version(program: Path, voice: Path, tmp_path: Path) -> None:
    engine = PiperEngine(program, {"en": voice}, ToneEngine())
    before = await engine.version()
    await asyncio.to_thread(voice.write_bytes, b"another voice")
    assert await engine.version() != before


@pytest.mark.parametrize("text", ["fail", "nothing"])
async def test_what_goes_wrong_is_told_and_a_prompt_becomes_a_tone(
    program: Path, voice: Path, tmp_path: Path, text: str
) -> None:
    engine = PiperEngine(program, {"en": voice}, ToneEngine())
    with pytest.raises(SpeechError):
        await engine.speak(PromptText("a", "en", text))
    store = PromptStore(tmp_path / "cache", None, engine)
    path = Path(await store.path(PromptText("a", "en", text)))
    assert (await asyncio.to_thread(path.stat)).st_size > 44


async def test_a_program_that_is_not_there_is_told(voice: Path) -> None:
    with pytest.raises(SpeechError, match="does not start"):
        await PiperEngine("/nowhere/piper", {"en": voice}, ToneEngine()).speak(PromptText("a", "en", "Hello."))
