"""A process that speaks: espeak-ng behind a line protocol on standard input and output.

Run as ``python -m callcenter.media.speech_engine``; never imported by the product, because espeak-ng (GPL-3) is a
program of its own with global state. It begins by writing one JSON line ``{"engine", "version", "rate"}``. Each line
``{"voice", "words_per_minute", "text", "path"}`` is answered, when the WAV file is written, by ``{"ok": true}`` or
``{"ok": false, "error"}``. It ends with its input.
"""

import ctypes
import json
import sys
import wave
from collections.abc import Mapping
from typing import Any

_RETRIEVAL = 1
_POSITION_CHARACTER = 1
_UTF8 = 1
_RATE_PARAMETER = 1
_DO_NOT_EXIT = 0x8000
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class EngineError(Exception):
    """espeak-ng refused."""


class Engine:
    """The library with its one global synthesizer."""

    def __init__(self) -> None:
        import espeakng_loader

        library = self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        library.espeak_Info.restype = ctypes.c_char_p
        data_path = str(espeakng_loader.get_data_path()).encode()
        self.rate = library.espeak_Initialize(_RETRIEVAL, 0, data_path, _DO_NOT_EXIT)
        if self.rate <= 0:
            raise EngineError("espeak-ng does not start")
        self.version = library.espeak_Info(None).decode().split()[0]
        self._audio = bytearray()
        self._callback = _CALLBACK(self._collect)
        library.espeak_SetSynthCallback(self._callback)

    def speak(self, voice: str, words_per_minute: int, text: str) -> bytes:
        """16-bit samples at ``rate``. Raises ``EngineError``."""
        self._audio.clear()
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise EngineError("no such voice")
        self._library.espeak_SetParameter(_RATE_PARAMETER, words_per_minute, 0)
        content = text.encode()
        status = self._library.espeak_Synth(
            content, ctypes.c_size_t(len(content) + 1), 0, _POSITION_CHARACTER, 0, _UTF8, None, None
        )
        if status != 0 or self._library.espeak_Synchronize() != 0:
            raise EngineError("the text was not spoken")
        return bytes(self._audio)

    def _collect(self, samples: Any, count: int, _: Any) -> int:
        if samples and count > 0:
            self._audio += ctypes.string_at(samples, 2 * count)
        return 0


def obey(engine: Engine, order: Mapping[str, Any]) -> dict[str, object]:
    """Carry out one line."""
    try:
        audio = engine.speak(str(order["voice"]), int(order["words_per_minute"]), str(order["text"]))
        with wave.open(str(order["path"]), "wb") as writer:
            writer.setnchannels(1)
            writer.setsampwidth(2)
            writer.setframerate(engine.rate)
            writer.writeframes(audio)
    except (EngineError, OSError, KeyError, ValueError) as error:
        return {"ok": False, "error": str(error)}
    return {"ok": True}


def main() -> int:
    """Serve standard input."""
    try:
        engine = Engine()
    except (ImportError, OSError, EngineError) as error:
        _write({"engine": None, "error": str(error)})
        return 1
    _write({"engine": "espeak-ng", "version": engine.version, "rate": engine.rate})
    for line in sys.stdin:
        try:
            order = json.loads(line)
        except ValueError:
            _write({"ok": False, "error": "not JSON"})
            continue
        _write(obey(engine, order))
    return 0


def _write(message: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
