"""Piper voices as a plug-in (https://github.com/OHF-Voice/piper1-gpl): better speech where an operator installs it.

Piper is a program of its own (GPL-3, never imported): it takes text on standard input and writes a WAV file. Voices are
files that the operator downloads; a language without one is spoken by the engine that would speak otherwise.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from callcenter.config import SpeechSection
from callcenter.media.audio import AudioError, normalise, read_wav, telephone_rate
from callcenter.media.g711 import Samples
from callcenter.media.speech import SpeechEngine, SpeechError, default_engine
from callcenter.niceness import SPEECH, go_before
from ivr.effects import PromptText

_PATIENCE = 30.0
"""Seconds for one prompt; a large voice is loaded anew each time."""


class PiperEngine:
    """Runs ``program`` once for each prompt. ``voices`` are model files (``.onnx``) by language."""

    def __init__(self, program: str | Path, voices: Mapping[str, Path], otherwise: SpeechEngine) -> None:
        self._program = str(program)
        self._voices = dict(voices)
        self._otherwise = otherwise

    async def version(self) -> str:
        """See ``SpeechEngine.version``: another voice file, or another engine for the rest, is another version."""
        seen = await asyncio.to_thread(self._fingerprint)
        return f"piper-{seen}-{await self._otherwise.version()}"

    async def speak(self, prompt: PromptText) -> Samples:
        """See ``SpeechEngine.speak``."""
        voice = self._voices.get(prompt.language)
        if voice is None:
            return await self._otherwise.speak(prompt)
        with TemporaryDirectory(prefix="prompt-") as folder:
            path = Path(folder) / "spoken.wav"
            await self._run(prompt.text, "--model", str(voice), "--output_file", str(path))
            return await asyncio.to_thread(_spoken, path)

    async def close(self) -> None:
        """See ``SpeechEngine.close``."""
        await self._otherwise.close()

    async def _run(self, text: str, *options: str) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                self._program,
                *options,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            raise SpeechError(f"piper does not start: {error.strerror}") from error
        go_before(SPEECH, process.pid)
        try:
            async with asyncio.timeout(_PATIENCE):
                await process.communicate(text.encode() + b"\n")
        except TimeoutError:
            raise SpeechError("piper does not come to an end") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode != 0:
            raise SpeechError(f"piper ended with status {process.returncode}")

    def _fingerprint(self) -> str:
        """Of program and voices, by name, size and time of change."""
        digest = hashlib.sha256(self._program.encode())
        for language, path in sorted(self._voices.items()):
            with contextlib.suppress(OSError):
                status = path.stat()
                digest.update(f"{language}\n{path}\n{status.st_size}\n{status.st_mtime_ns}\n".encode())
        return digest.hexdigest()[:16]


def _spoken(path: Path) -> Samples:
    try:
        samples = normalise(telephone_rate(*read_wav(path.read_bytes())))
    except (OSError, AudioError) as error:
        raise SpeechError("piper wrote no WAV file") from error
    if not len(samples):
        raise SpeechError("nothing was spoken")
    return samples


def speech_engine(settings: SpeechSection) -> SpeechEngine:
    """Piper for the languages that have a voice where it is configured, the bundled engine for the rest."""
    bundled = default_engine()
    if settings.piper is None:
        return bundled
    return PiperEngine(settings.piper, settings.piper_voices, bundled)
