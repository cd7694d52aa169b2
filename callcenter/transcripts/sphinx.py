"""A process that listens: PocketSphinx (English) behind a line protocol on standard input and output.

Run as ``python -m callcenter.transcripts.sphinx``; the protocol is that of ``program.py``. A program of its own,
because decoding takes a processor for as long as the speech lasts, and because a crash of native code must end nothing
else.
"""

import json
import sys
import wave
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import IO, Any

RATE = 16000
_LONGEST_PHRASE_SECONDS = 20.0


class Listener:
    """The decoder, and the detector of speech that cuts a recording into phrases."""

    def __init__(self) -> None:
        import pocketsphinx

        self._sphinx = pocketsphinx
        self._decoder = pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL")

    def phrases(self, path: str) -> list[dict[str, object]]:
        """What is heard in a WAV file. Raises ``OSError``, ``ValueError``, ``wave.Error``."""
        with wave.open(path, "rb") as sound:
            if (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) != (1, 2, RATE):
                raise ValueError("not mono, 16-bit and 16 kHz")
            found = [self._heard(start, pcm) for start, pcm in self._stretches(sound)]
        return [each for each in found if each["text"]]

    def _stretches(self, sound: wave.Wave_read) -> Iterator[tuple[float, bytes]]:
        """Speech between silences, from when on; what is very long, cut."""
        endpointer = self._sphinx.Endpointer(sample_rate=RATE)
        size = endpointer.frame_bytes // 2
        start, speech = 0.0, bytearray()
        while True:
            frame = sound.readframes(size)
            is_last = len(frame) < endpointer.frame_bytes
            heard = (
                endpointer.end_stream(frame) if is_last and frame else None if is_last else endpointer.process(frame)
            )
            if heard is not None:
                if not speech:
                    start = endpointer.speech_start
                speech += heard
            ended = is_last or not endpointer.in_speech
            if speech and (ended or len(speech) >= 2 * RATE * _LONGEST_PHRASE_SECONDS):
                yield start, bytes(speech)
                start += len(speech) / (2 * RATE)
                speech.clear()
            if is_last:
                return

    def _heard(self, start: float, pcm: bytes) -> dict[str, object]:
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, False, True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        end = start + len(pcm) / (2 * RATE)
        text = "" if hypothesis is None else hypothesis.hypstr
        return {"start_ms": round(start * 1000), "end_ms": round(end * 1000), "text": text}


def obey(listener: Listener, order: Mapping[str, Any]) -> dict[str, object]:
    """Carry out one line."""
    try:
        return {"ok": True, "phrases": listener.phrases(str(order["path"]))}
    except (OSError, KeyError, ValueError, RuntimeError, EOFError, wave.Error) as error:
        return {"ok": False, "error": type(error).__name__}


def main(given: IO[str] = sys.stdin) -> int:
    """Serve standard input."""
    try:
        listener = Listener()
    except (ImportError, RuntimeError) as error:
        _write({"engine": None, "error": f"{error}; install callcenter[transcripts]"})
        return 1
    _write({"engine": "pocketsphinx", "version": version("pocketsphinx"), "languages": ["en"]})
    for line in given:
        try:
            order = json.loads(line)
        except ValueError:
            _write({"ok": False, "error": "not JSON"})
            continue
        _write(obey(listener, order))
    return 0


def _write(message: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
