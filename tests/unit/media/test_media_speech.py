"""Prompts: recordings first, then speech, each made once."""

import asyncio
from pathlib import Path

import pytest

from callcenter.media.audio import read_wav, tone, tone_share, write_wav
from callcenter.media.g711 import Samples
from callcenter.media.speech import PromptStore, SpeechError, ToneEngine
from ivr.effects import PromptText

pytestmark = pytest.mark.unit

WELCOME = PromptText("welcome", "en", "Welcome.")


class CountingEngine:
    """Speaks a tone, and counts; ``voiceless`` makes it refuse."""

    def __init__(self) -> None:
        self.spoken: list[PromptText] = []
        self.engine_version = "test-1"
        self.voiceless = False

    async def version(self) -> str:
        return self.engine_version

    async def speak(self, prompt: PromptText) -> Samples:
        if self.voiceless:
            raise SpeechError("no voice")
        self.spoken.append(prompt)
        await asyncio.sleep(0)
        return tone(500, 0.1)

    async def close(self) -> None:
        pass


def heard(path: str) -> Samples:
    samples, rate = read_wav(Path(path).read_bytes())
    assert rate == 8000
    return samples


async def test_a_prompt_is_spoken_once_and_kept_over_restarts(tmp_path: Path) -> None:
    engine = CountingEngine()
    first = await PromptStore(tmp_path, None, engine).path(WELCOME)
    assert await PromptStore(tmp_path, None, engine).path(WELCOME) == first
    assert engine.spoken == [WELCOME]
    assert tone_share(heard(first), 500) > 0.9


async def test_another_text_language_or_engine_is_another_file(tmp_path: Path) -> None:
    engine = CountingEngine()
    store = PromptStore(tmp_path, None, engine)
    paths = {
        await store.path(WELCOME),
        await store.path(PromptText("welcome", "en", "Hello.")),
        await store.path(PromptText("welcome", "zh", "Welcome.")),
    }
    engine.engine_version = "test-2"
    paths.add(await store.path(WELCOME))
    assert len(paths) == 4


async def test_calls_that_need_the_same_prompt_at_once_wait_for_one_rendering(tmp_path: Path) -> None:
    engine = CountingEngine()
    store = PromptStore(tmp_path, None, engine)
    paths = await asyncio.gather(*(store.path(WELCOME) for _ in range(5)))
    assert len(set(paths)) == 1
    assert engine.spoken == [WELCOME]


async def test_a_recording_goes_before_speech_and_is_brought_to_telephone_rate(tmp_path: Path) -> None:
    recording = tmp_path / "recordings" / "en" / "welcome.wav"
    recording.parent.mkdir(parents=True)
    recording.write_bytes(write_wav(tone(500, 0.5), 16000))
    engine = CountingEngine()
    store = PromptStore(tmp_path / "cache", tmp_path / "recordings", engine)
    assert tone_share(heard(await store.path(WELCOME)), 1000) > 0.9
    assert engine.spoken == []
    assert await store.path(PromptText("other", "en", "Other."))
    recording.write_bytes(b"no audio")
    assert tone_share(heard(await store.path(WELCOME)), 500) > 0.9


@pytest.mark.parametrize("name", ["../../secret", "a/b", "", "x" * 300, "nul\0"])
async def test_a_prompt_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.wav").write_bytes(write_wav(tone(2000, 0.1)))
    (tmp_path / "recordings" / "en").mkdir(parents=True)
    store = PromptStore(tmp_path / "cache", tmp_path / "recordings", CountingEngine())
    assert tone_share(heard(await store.path(PromptText(name, "en", "text"))), 500) > 0.9


async def test_without_a_voice_a_tone_is_played_until_the_voice_is_back(tmp_path: Path) -> None:
    engine = CountingEngine()
    engine.voiceless = True
    store = PromptStore(tmp_path, None, engine)
    substitute = await store.path(WELCOME)
    assert tone_share(heard(substitute), 500) < 0.5
    engine.voiceless = False
    assert await store.path(WELCOME) != substitute


async def test_tones_tell_prompts_apart() -> None:
    engine = ToneEngine()
    texts = [PromptText("n", "en", text) for text in ("One.", "Two.", "Three.")]
    assert len({(await engine.speak(text)).tobytes() for text in texts}) == 3
