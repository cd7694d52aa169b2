"""What every transcription engine does, whoever implements it."""

import wave
from pathlib import Path

import numpy as np
import pytest

from callcenter.media.audio import tone, write_wav
from callcenter.media.g711 import Samples
from callcenter.transcripts.engine import TranscriptionEngine, TranscriptionError, UnknownLanguage

RATE = 16_000


def wav(path: Path, samples: Samples) -> Path:
    """A file as engines get it."""
    path.write_bytes(write_wav(samples, RATE))
    return path


class TranscriptionEngineContract:
    """Inherit this in a test class and give it fixtures ``engine`` and ``speech``: two sentences with a second of
    silence before, between and after them (16 kHz)."""

    async def test_it_has_a_name_that_stays(self, engine: TranscriptionEngine) -> None:
        name = await engine.name()
        assert name
        assert await engine.name() == name

    async def test_each_sentence_is_a_phrase_where_it_was_said(
        self, engine: TranscriptionEngine, speech: Samples, tmp_path: Path
    ) -> None:
        told = await engine.transcribe(wav(tmp_path / "s.wav", speech), language="en", patience=60)
        first, second = told
        assert 500 < first.start_ms < 1500
        assert first.end_ms < second.start_ms < second.end_ms <= len(speech) * 1000 // RATE
        assert first.text
        assert second.text

    async def test_nothing_is_heard_in_silence(self, engine: TranscriptionEngine, tmp_path: Path) -> None:
        silence = wav(tmp_path / "s.wav", np.zeros(2 * RATE, np.int16))
        assert await engine.transcribe(silence, language=None, patience=60) == ()

    async def test_a_file_that_is_none_is_refused_and_the_next_one_taken(
        self, engine: TranscriptionEngine, tmp_path: Path
    ) -> None:
        broken = tmp_path / "b.wav"
        broken.write_bytes(b"no sound")
        with pytest.raises((TranscriptionError, wave.Error)):
            await engine.transcribe(broken, language="en", patience=60)
        assert (
            await engine.transcribe(wav(tmp_path / "s.wav", np.zeros(RATE, np.int16)), language="en", patience=60) == ()
        )

    async def test_a_language_it_does_not_know_is_said(self, engine: TranscriptionEngine, tmp_path: Path) -> None:
        with pytest.raises(UnknownLanguage):
            await engine.transcribe(wav(tmp_path / "s.wav", tone(500, 0.5, rate=RATE)), language="tlh", patience=60)

    async def test_it_may_be_closed_twice(self, engine: TranscriptionEngine) -> None:
        await engine.name()
        await engine.close()
        await engine.close()
