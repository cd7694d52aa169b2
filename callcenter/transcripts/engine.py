"""The port of whatever turns recorded speech into text.

An engine gets one party's sound at a time and says what it hears and when. It may be slow, dead or wrong: whoever asks
it gives a time limit, and what it says is checked before anybody believes it.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from callcenter.errors import CallCenterError

MAX_CHARACTERS_PER_SECOND = 60
"""Nobody speaks faster; auctioneers come to 25."""
MAX_PHRASE = 4000


@dataclass(frozen=True, slots=True)
class Phrase:
    """Something that was heard without a longer break, in milliseconds from the start of the sound."""

    start_ms: int
    end_ms: int
    text: str


class TranscriptionError(CallCenterError):
    """The engine could not write this recording down; another one may go well."""

    code = "transcription-error"


class EngineAway(TranscriptionError):
    """There is no engine to ask: it is not installed, or does not start. No recording is to blame."""

    code = "transcription-engine-away"


class UnknownLanguage(TranscriptionError):
    """The engine does not know the language."""

    code = "transcription-language"


class TranscriptionEngine(Protocol):
    """Speech to text."""

    async def name(self) -> str:
        """The engine and its version, as it is told to readers. Raises ``EngineAway``."""
        ...

    async def transcribe(self, sound: Path, *, language: str | None, patience: float) -> Sequence[Phrase]:
        """What is heard in a WAV file (16 kHz, mono, 16-bit), in order; nothing in silence.

        ``language`` is that of the conversation (``en``) where it is known. Raises ``TranscriptionError`` when it does
        not succeed within ``patience`` seconds, ``UnknownLanguage``, ``EngineAway``.
        """
        ...

    async def close(self) -> None:
        """End whatever was started."""
        ...


def checked(told: object, duration_ms: int) -> tuple[Phrase, ...]:
    """What an engine says of so much sound, if it can be true. Raises ``TranscriptionError``."""
    if not isinstance(told, list):
        raise TranscriptionError("the engine told no phrases")
    phrases = tuple(_phrase(each, duration_ms) for each in told)
    if any(later.start_ms < earlier.start_ms for earlier, later in itertools.pairwise(phrases)):
        raise TranscriptionError("the engine told phrases out of order")
    if sum(len(each.text) for each in phrases) > MAX_PHRASE + MAX_CHARACTERS_PER_SECOND * duration_ms // 1000:
        raise TranscriptionError("the engine told more than anybody can have said")
    return tuple(each for each in phrases if each.text)


def _phrase(told: object, duration_ms: int) -> Phrase:
    match told:
        case {"start_ms": int(start), "end_ms": int(end), "text": str(text)} if 0 <= start <= end:
            if start > duration_ms:
                raise TranscriptionError("the engine heard something after the end")
            if len(text) > MAX_PHRASE:
                raise TranscriptionError("the engine told an endless phrase")
            return Phrase(start, min(end, duration_ms), " ".join(text.split()))
        case _:
            raise TranscriptionError("the engine told something that is no phrase")
