"""An engine that hears that something is said, and says what it was told to have heard."""

import asyncio
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from callcenter.transcripts.engine import Phrase, TranscriptionError, UnknownLanguage
from callcenter.transcripts.sound import duration_of

_WINDOW_MS = 50


class FakeTranscriber:
    """Passes the contract. ``refusals`` are raised, one for each question, before it answers; ``asked`` are the names
    of the files."""

    def __init__(self, *refusals: Exception) -> None:
        self.refusals = list(refusals)
        self.asked: list[str] = []
        self.on_question = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_closed = False

    async def name(self) -> str:
        return "fake 1"

    async def transcribe(self, sound: Path, *, language: str | None, patience: float) -> Sequence[Phrase]:
        self.asked.append(sound.name)
        self.on_question.set()
        await self.may_answer.wait()
        if self.refusals:
            raise self.refusals.pop(0)
        if language not in {None, "en"}:
            raise UnknownLanguage(f"fake does not know {language}")
        try:
            duration_of(sound)
            with wave.open(str(sound), "rb") as content:
                samples = np.frombuffer(content.readframes(content.getnframes()), "<i2")
                window = content.getframerate() * _WINDOW_MS // 1000
        except (OSError, EOFError, wave.Error) as error:
            raise TranscriptionError("not a sound") from error
        return tuple(
            Phrase(start * _WINDOW_MS, end * _WINDOW_MS, f"{sound.stem} says purple elephants {start * _WINDOW_MS}")
            for start, end in _stretches(
                [int(samples[at : at + window].max()) > 500 for at in range(0, len(samples), window)]
            )
        )

    async def close(self) -> None:
        self.is_closed = True


def _stretches(loud: Sequence[bool]) -> list[tuple[int, int]]:
    """From and to of what is loud, in windows; a break of fewer than ten is none."""
    found: list[tuple[int, int]] = []
    for at in (at for at, each in enumerate(loud) if each):
        if found and at - found[-1][1] < 10:
            found[-1] = (found[-1][0], at + 1)
        else:
            found.append((at, at + 1))
    return found
