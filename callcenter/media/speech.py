"""Prompts as audio files: an operator's recording where there is one, otherwise text spoken once and kept.

The engine is a process of its own, so neither its licence nor a crash of it reaches the product.
"""

import asyncio
import contextlib
import hashlib
import importlib.util
import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import structlog

from callcenter.errors import MediaError
from callcenter.media.audio import AudioError, normalise, read_wav, telephone_rate, tone, write_wav
from callcenter.media.g711 import Samples
from callcenter.media.law import SAMPLE_RATE
from callcenter.niceness import SPEECH, go_before
from ivr.effects import PromptText

log = structlog.get_logger(__name__)

_WORDS_PER_MINUTE = 150
_VOICES: dict[str, str] = {"en": "en-us", "zh": "cmn"}
"""Language -> espeak-ng voice; other languages are asked for by their own name."""
_PATIENCE = 20.0
"""Seconds the engine has for one prompt."""
_SAFE_NAME = re.compile(r"[\w-]{1,100}")


class SpeechError(MediaError):
    """The engine did not speak."""

    code = "speech-error"


class SpeechEngine(Protocol):
    """Turns text into speech at 8 kHz."""

    async def version(self) -> str:
        """What a cached prompt depends on besides language and text. Raises ``SpeechError``."""
        ...

    async def speak(self, prompt: PromptText) -> Samples:
        """The spoken text. Raises ``SpeechError``."""
        ...

    async def close(self) -> None:
        """End whatever was started."""
        ...


class ToneEngine:
    """Stands in for a voice: a short tone, another for each text, so that calls work and prompts can be told apart."""

    async def version(self) -> str:
        """See ``SpeechEngine.version``."""
        return "tone-1"

    async def speak(self, prompt: PromptText) -> Samples:
        """See ``SpeechEngine.speak``."""
        digest = hashlib.sha256(f"{prompt.language}\n{prompt.text}".encode()).digest()
        return tone(400 + 10 * (digest[0] % 100), 0.4, level=0.1)

    async def close(self) -> None:
        """See ``SpeechEngine.close``."""


class EspeakEngine:
    """espeak-ng in a process of its own (``callcenter.media.speech_engine``), started when it is first needed."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._version = ""
        self._turn = asyncio.Lock()

    async def version(self) -> str:
        """See ``SpeechEngine.version``."""
        async with self._turn:
            await self._running()
            return f"{self._version}-{_WORDS_PER_MINUTE}"

    async def speak(self, prompt: PromptText) -> Samples:
        """See ``SpeechEngine.speak``."""
        with TemporaryDirectory(prefix="prompt-") as folder:
            path = Path(folder) / "spoken.wav"
            order = {
                "voice": _VOICES.get(prompt.language, prompt.language),
                "words_per_minute": _WORDS_PER_MINUTE,
                "text": prompt.text,
                "path": str(path),
            }
            async with self._turn:
                answer = await self._ask(order)
            if answer.get("ok") is not True:
                raise SpeechError(str(answer.get("error", "the engine refused")))
            return await asyncio.to_thread(_telephone_speech, path)

    async def close(self) -> None:
        """See ``SpeechEngine.close``."""
        async with self._turn:
            await self._end()

    async def _ask(self, order: dict[str, object]) -> dict[str, object]:
        process = await self._running()
        assert process.stdin is not None  # noqa: S101 - opened with pipes
        try:
            process.stdin.write(json.dumps(order).encode() + b"\n")
            await process.stdin.drain()
            return await self._line(process)
        except (OSError, SpeechError):
            await self._end()
            raise

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "callcenter.media.speech_engine",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        go_before(SPEECH, self._process.pid)
        try:
            greeting = await self._line(self._process)
        except SpeechError:
            await self._end()
            raise
        if not greeting.get("engine"):
            await self._end()
            raise SpeechError(str(greeting.get("error", "the engine does not start")))
        self._version = f"{greeting['engine']}-{greeting['version']}"
        return self._process

    async def _line(self, process: asyncio.subprocess.Process) -> dict[str, object]:
        assert process.stdout is not None  # noqa: S101 - opened with pipes
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = json.loads(await process.stdout.readline())
        except (TimeoutError, ValueError) as error:
            raise SpeechError("the engine does not answer") from error
        if not isinstance(answer, dict):
            raise SpeechError("the engine gives no sense")
        return answer

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def default_engine() -> SpeechEngine:
    """espeak-ng where the extra ``speech`` is installed, otherwise tones, with a warning."""
    if importlib.util.find_spec("espeakng_loader") is not None:
        return EspeakEngine()
    log.warning(
        "speech.engine_absent",
        consequence="prompts without a recording are short tones",
        remedy="install the extra callcenter[speech], or record the prompts",
    )
    return ToneEngine()


class PromptStore:
    """Finds or makes the WAV file (8 kHz, mono, 16-bit) of a prompt.

    ``recordings_dir/<language>/<name>.wav`` is an operator's recording and goes first, in any sample rate. Spoken
    prompts are kept in ``cache_dir`` under a hash of engine, language and text, so a changed text is spoken anew.
    """

    def __init__(self, cache_dir: str | Path, recordings_dir: str | Path | None, engine: SpeechEngine) -> None:
        self._cache_dir = Path(cache_dir)
        self._recordings_dir = None if recordings_dir is None else Path(recordings_dir)
        self._engine = engine
        self._tones = ToneEngine()
        self._making: dict[Path, asyncio.Task[None]] = {}
        self._has_failed = False

    async def path(self, prompt: PromptText) -> str:
        """The prompt's file, made when there is none yet. Raises ``OSError`` when the cache cannot be written."""
        recording = await asyncio.to_thread(self._recording, prompt)
        if recording is not None:
            return str(recording)
        engine: SpeechEngine = self._engine
        try:
            return await self._spoken(engine, prompt)
        except SpeechError as error:
            if not self._has_failed:
                log.error("speech.engine_failed", error=str(error))
            self._has_failed = True
            return await self._spoken(self._tones, prompt)

    async def prepare(self, prompts: Iterable[PromptText]) -> None:
        """Make all files beforehand, so that no caller waits for one."""
        for prompt in prompts:
            await self.path(prompt)

    async def close(self) -> None:
        """End the engine."""
        await self._engine.close()

    async def _spoken(self, engine: SpeechEngine, prompt: PromptText) -> str:
        version = await engine.version()
        key = hashlib.sha256(f"{version}\n{prompt.language}\n{prompt.text}".encode()).hexdigest()
        path = self._cache_dir / f"{key}.wav"
        if not await asyncio.to_thread(path.exists):
            await self._make_once(path, engine, prompt)
        return str(path)

    async def _make_once(self, path: Path, engine: SpeechEngine, prompt: PromptText) -> None:
        """Two calls that need the same prompt at the same time wait for one rendering."""
        task = self._making.get(path)
        if task is None:
            task = self._making[path] = asyncio.create_task(self._make(path, engine, prompt), name="render-prompt")
            task.add_done_callback(lambda _: self._making.pop(path, None))
        await asyncio.shield(task)

    async def _make(self, path: Path, engine: SpeechEngine, prompt: PromptText) -> None:
        samples = await engine.speak(prompt)
        await asyncio.to_thread(_write, path, samples)

    def _recording(self, prompt: PromptText) -> Path | None:
        """The operator's recording, converted where its form is another; an unusable one counts as absent."""
        if self._recordings_dir is None:
            return None
        if not (_SAFE_NAME.fullmatch(prompt.name) and _SAFE_NAME.fullmatch(prompt.language)):
            return None
        source = self._recordings_dir / prompt.language / f"{prompt.name}.wav"
        try:
            status = source.stat()
            key = hashlib.sha256(f"{source}\n{status.st_mtime_ns}\n{status.st_size}".encode()).hexdigest()
            converted = self._cache_dir / f"{key}.wav"
            if not converted.exists():
                _write(converted, telephone_rate(*read_wav(source.read_bytes())))
        except FileNotFoundError:
            return None
        except (AudioError, OSError) as error:
            log.error("speech.recording_unusable", prompt=prompt.name, language=prompt.language, error=str(error))
            return None
        return converted


def _telephone_speech(path: Path) -> Samples:
    samples, rate = read_wav(path.read_bytes())
    spoken = normalise(telephone_rate(samples, rate))
    if not len(spoken):
        raise SpeechError("nothing was spoken")
    return spoken


def _write(path: Path, samples: Samples) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(write_wav(samples, SAMPLE_RATE))
    partial.replace(path)
