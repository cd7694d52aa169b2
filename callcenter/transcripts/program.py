"""An engine that is a program of its own, asked over pipes, one line of JSON each way.

It begins by writing ``{"engine": "name", "version": "1", "languages": ["en"]}`` (no ``languages``: any). Each line
``{"path", "language"}`` is answered by ``{"ok": true, "phrases": [{"start_ms", "end_ms", "text"}]}`` or ``{"ok": false,
"error"}``; ``language`` may be null. It ends with its input. It is behind everybody else in the queue for a processor.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from callcenter.config import TranscriptionSection
from callcenter.transcripts.engine import EngineAway, Phrase, TranscriptionEngine, TranscriptionError, UnknownLanguage
from callcenter.transcripts.engine import checked as checked_phrases
from callcenter.transcripts.sound import duration_of

NICENESS = 19
START_SECONDS = 60.0
"""For the greeting: a large model is loaded."""
LONGEST_LINE = 8 * 1024 * 1024
_LONGEST_ERROR = 200
BUNDLED = (sys.executable, "-m", "callcenter.transcripts.sphinx")


class ProgramEngine:
    """Starts ``command`` when it is first needed, and anew when it has died."""

    def __init__(self, command: Sequence[str], *, start_seconds: float = START_SECONDS) -> None:
        self._command = tuple(command)
        self._start_seconds = start_seconds
        self._process: asyncio.subprocess.Process | None = None
        self._name = ""
        self._languages: frozenset[str] | None = None
        self._turn = asyncio.Lock()

    async def name(self) -> str:
        """See ``TranscriptionEngine.name``."""
        async with self._turn:
            await self._running()
            return self._name

    async def transcribe(self, sound: Path, *, language: str | None, patience: float) -> Sequence[Phrase]:
        """See ``TranscriptionEngine.transcribe``."""
        duration_ms = await asyncio.to_thread(duration_of, sound)
        async with self._turn:
            process = await self._running()
            if language is not None and self._languages is not None and language not in self._languages:
                raise UnknownLanguage(f"{self._name} does not know the language {language}")
            answer = await self._asked(process, {"path": str(sound), "language": language}, patience)
        if answer.get("ok") is not True:
            raise TranscriptionError(str(answer.get("error", "the engine refused"))[:_LONGEST_ERROR])
        return checked_phrases(answer.get("phrases"), duration_ms)

    async def close(self) -> None:
        """See ``TranscriptionEngine.close``."""
        async with self._turn:
            await self._end()

    async def _asked(
        self, process: asyncio.subprocess.Process, order: Mapping[str, object], patience: float
    ) -> Mapping[str, object]:
        """The answer; an engine that gives none is ended, for it would answer the next question with it."""
        assert process.stdin is not None  # noqa: S101 - opened with pipes
        try:
            async with asyncio.timeout(patience):
                process.stdin.write(json.dumps(order).encode() + b"\n")
                await process.stdin.drain()
                return await _line(process)
        except TimeoutError:
            await self._end()
            raise TranscriptionError("the engine took too long") from None
        except OSError:
            await self._end()
            raise TranscriptionError("the engine died") from None
        except BaseException:
            await self._end()
            raise

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self._end()
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=LONGEST_LINE,
            )
        except OSError as error:
            raise EngineAway(f"{self._command[0]} cannot be started: {error.strerror}") from error
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        try:
            async with asyncio.timeout(self._start_seconds):
                greeting = await _line(process)
        except (TimeoutError, TranscriptionError) as error:
            await self._end()
            raise EngineAway(f"{self._command[0]} does not start") from error
        except BaseException:
            await self._end()
            raise
        await self._greeted(greeting)
        return process

    async def _greeted(self, greeting: Mapping[str, object]) -> None:
        if not isinstance(greeting.get("engine"), str) or not greeting["engine"]:
            await self._end()
            raise EngineAway(str(greeting.get("error", "the engine does not say its name"))[:_LONGEST_ERROR])
        self._name = f"{greeting['engine']} {greeting.get('version', '')}".strip()[:_LONGEST_ERROR]
        languages = greeting.get("languages")
        self._languages = frozenset(map(str, languages)) if isinstance(languages, list) else None

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _line(process: asyncio.subprocess.Process) -> Mapping[str, object]:
    assert process.stdout is not None  # noqa: S101 - opened with pipes
    try:
        line = await process.stdout.readline()
    except ValueError as error:  # longer than the limit
        raise TranscriptionError("the engine told a line without end") from error
    if not line:
        raise TranscriptionError("the engine died")
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TranscriptionError("the engine gives no sense") from error
    if not isinstance(answer, dict):
        raise TranscriptionError("the engine gives no sense")
    return answer


def engine_of(settings: TranscriptionSection) -> TranscriptionEngine | None:
    """The configured engine; ``None`` where nothing is written down."""
    if settings.command:
        return ProgramEngine(settings.command)
    return None if settings.engine is None else ProgramEngine(BUNDLED)
