"""The real speech engine in its own process."""

from pathlib import Path

import pytest

from callcenter.media.audio import level_db, read_wav
from callcenter.media.speech import EspeakEngine, PromptStore, SpeechError, default_engine
from ivr.effects import PromptText

pytestmark = pytest.mark.interop

pytest.importorskip("espeakng_loader", reason="the extra callcenter[speech] is not installed")


def content(path: str) -> bytes:
    """The bytes of a file."""
    return Path(path).read_bytes()


async def test_english_and_chinese_are_spoken_at_a_common_level(tmp_path: Path) -> None:
    store = PromptStore(tmp_path, None, default_engine())
    prompts = [
        PromptText("welcome", "en", "Welcome. Please hold the line, we will be with you shortly."),
        PromptText("welcome", "zh", "您好，请不要挂断，我们马上为您服务。"),
    ]
    await store.prepare(prompts)
    for prompt in prompts:
        samples, rate = read_wav(content(await store.path(prompt)))
        assert rate == 8000
        assert 2 < len(samples) / rate < 8
        assert -30 < level_db(samples) < -18
    await store.close()


async def test_a_language_without_a_voice_is_refused_and_the_engine_goes_on() -> None:
    engine = EspeakEngine()
    with pytest.raises(SpeechError):
        await engine.speak(PromptText("x", "no-such-language", "text"))
    assert len(await engine.speak(PromptText("x", "en", "One.")))
    await engine.close()


async def test_an_engine_that_died_is_started_again() -> None:
    engine = EspeakEngine()
    await engine.version()
    process = engine._process
    assert process is not None
    process.kill()
    await process.wait()
    assert len(await engine.speak(PromptText("x", "en", "Two.")))
    await engine.close()
