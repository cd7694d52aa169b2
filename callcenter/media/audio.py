"""Linear audio: WAV files, resampling to telephone rate, tones and levels. Pure arithmetic on bytes and arrays."""

import io
import wave

import numpy as np
from numpy.typing import NDArray

from callcenter.errors import MediaError
from callcenter.media.g711 import Samples
from callcenter.media.law import SAMPLE_RATE

_PASS_BAND = 3400.0
_STOP_BAND = 3900.0
"""Hertz: telephone speech ends at 3400; the filter falls to nothing before half the sample rate."""
_FULL_SCALE = 32768.0


class AudioError(MediaError):
    """An audio file cannot be used; the text says why."""

    code = "audio-error"


def read_wav(content: bytes) -> tuple[Samples, int]:
    """Samples and sample rate of a PCM WAV file; several channels are averaged.

    Raises ``AudioError`` for anything but 16-bit PCM.
    """
    try:
        with wave.open(io.BytesIO(content), "rb") as reader:
            channels, width, rate = reader.getnchannels(), reader.getsampwidth(), reader.getframerate()
            data = reader.readframes(reader.getnframes())
    except (wave.Error, EOFError) as error:
        raise AudioError(f"not a PCM WAV file: {error}") from error
    if width != 2 or channels < 1 or rate < 1:
        raise AudioError("not 16-bit PCM")
    samples = np.frombuffer(data[: len(data) // (2 * channels) * 2 * channels], dtype="<i2")
    if channels > 1:
        samples = samples.reshape(-1, channels).mean(axis=1)
    return samples.astype(np.int16), rate


def write_wav(samples: Samples, rate: int = SAMPLE_RATE) -> bytes:
    """A mono 16-bit WAV file."""
    output = io.BytesIO()
    with wave.open(output, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples.astype("<i2").tobytes())
    return output.getvalue()


def telephone_rate(samples: Samples, rate: int) -> Samples:
    """Resample to 8 kHz, band-limited to 3.4 kHz so that nothing folds back.

    The whole signal is filtered in the frequency domain; meant for prompts of seconds or minutes, not for streams.
    """
    if rate == SAMPLE_RATE or not len(samples):
        return samples
    margin = rate // 50
    padded = np.pad(samples.astype(np.float64), (margin, margin))
    length = max(1, round(len(padded) * SAMPLE_RATE / rate))
    spectrum = np.fft.rfft(padded)
    frequencies = np.fft.rfftfreq(len(padded), 1 / rate)
    fall = np.clip((frequencies - _PASS_BAND) / (_STOP_BAND - _PASS_BAND), 0, 1)
    spectrum *= 0.5 + 0.5 * np.cos(np.pi * fall)
    bins = length // 2 + 1
    spectrum = np.pad(spectrum, (0, max(0, bins - len(spectrum))))[:bins]
    resampled = np.fft.irfft(spectrum, length) * (length / len(padded))
    edge = round(margin * SAMPLE_RATE / rate)
    return clip(resampled[edge : length - edge])


def clip(samples: NDArray[np.float64]) -> Samples:
    """Round to 16 bits with saturation."""
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


def level_db(samples: Samples) -> float:
    """Root mean square level in dB below full scale; -120 for silence."""
    if not len(samples):
        return -120.0
    root = float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))
    return max(-120.0, 20.0 * float(np.log10(max(root, 1e-9) / _FULL_SCALE)))


def normalise(samples: Samples, *, target_db: float = -20.0, peak_db: float = -3.0) -> Samples:
    """Bring speech to a common level: the louder half's RMS to ``target_db``, no peak above ``peak_db``."""
    loud = np.abs(samples.astype(np.float64))
    if not len(loud) or loud.max() < 1:
        return samples
    active = samples[loud > loud.max() * 0.05]
    gain = 10 ** ((target_db - level_db(active)) / 20)
    ceiling = 10 ** (peak_db / 20) * _FULL_SCALE / loud.max()
    return clip(samples.astype(np.float64) * min(gain, ceiling))


def tone(frequency: float, seconds: float, *, level: float = 0.25, rate: int = SAMPLE_RATE) -> Samples:
    """A sine; ``level`` is its amplitude relative to full scale."""
    time = np.arange(round(seconds * rate)) / rate
    return clip(np.sin(2 * np.pi * frequency * time) * level * 32767)


def tone_share(samples: Samples, frequency: float, *, rate: int = SAMPLE_RATE) -> float:
    """How much of the signal's energy is one frequency, 0 to 1 (Goertzel's single bin, as an inner product)."""
    values = samples.astype(np.float64)
    energy = float(np.dot(values, values))
    if energy < 1:
        return 0.0
    phase = 2 * np.pi * frequency / rate * np.arange(len(values))
    power = float(np.dot(values, np.cos(phase)) ** 2 + np.dot(values, np.sin(phase)) ** 2)
    return min(1.0, 2 * power / (len(values) * energy))
