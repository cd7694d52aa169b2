"""Digits as tones: heard when they are there, not heard in speech, masked by a flat tone."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.media.audio import tone, tone_share
from callcenter.media.codecs import Codec
from callcenter.media.g711 import Samples, decode, encode
from callcenter.media.inband import ToneDigits, key_of, tones_of
from callcenter.media.law import Law
from callcenter.media.masking import MASK_HERTZ, masked_payload
from callcenter.media.mediad.keys import KeyPresses
from callcenter.media.outgoing import OutgoingStream
from callcenter.media.protocol import PlaySpec
from callcenter.media.telephone_event import DIGITS, DigitReceiver

pytestmark = pytest.mark.unit


def heard(samples: Samples) -> str:
    """What is heard of samples that come in frames of 20 ms, as a far end's G.711."""
    ear = ToneDigits()
    lawful = decode(encode(samples, Law.PCMA), Law.PCMA)
    return "".join(ear.hear(lawful[at : at + 160]) for at in range(0, len(lawful), 160))


def dialled(digits: str, *, milliseconds: int = 80, pause: int = 60, level: float = 0.2) -> Samples:
    silence = np.zeros(8 * pause, dtype=np.int16)
    parts = [(tones_of(digit, milliseconds=milliseconds, level=level), silence) for digit in digits]
    return np.concatenate([silence, *itertools.chain.from_iterable(parts)])


@pytest.mark.parametrize("milliseconds", [50, 80, 400])
@pytest.mark.parametrize("level", [0.02, 0.2, 0.45])
def test_every_key_is_heard_once_however_long_and_loud(milliseconds: int, level: float) -> None:
    assert heard(dialled(DIGITS + "11", milliseconds=milliseconds, level=level)) == DIGITS + "11"


@given(st.text("0123456789*#", min_size=1, max_size=8), st.integers(0, 159), st.integers(0, 2**32 - 1))
def test_digits_are_heard_in_noise_wherever_the_frames_begin(digits: str, offset: int, seed: int) -> None:
    samples = np.concatenate((np.zeros(offset, dtype=np.int16), dialled(digits)))
    noise = np.random.default_rng(seed).normal(0, 150, len(samples))
    assert heard((samples + noise).astype(np.int16)) == digits


def test_a_drop_out_in_a_tone_does_not_make_two_digits() -> None:
    samples = dialled("7", milliseconds=300)
    samples[1500:1600] = 0
    assert heard(samples) == "7"


def test_what_is_not_a_digit_is_not_heard() -> None:
    """Single tones, a dial tone, a fax tone, noise, chords, and too great a difference of levels."""
    random = np.random.default_rng(1)
    assert heard(tone(770, 1.0)) == ""
    assert heard(tone(1100, 1.0)) == ""
    assert heard((tone(350, 1.0) // 2 + tone(440, 1.0) // 2).astype(np.int16)) == ""
    assert heard(random.normal(0, 6000, 40000).astype(np.int16)) == ""
    chord = sum(tone(pitch, 1.0, level=0.1).astype(int) for pitch in (697, 941, 1209, 1477))
    assert heard(np.asarray(chord, dtype=np.int16)) == ""
    twisted = tone(770, 1.0, level=0.4).astype(int) + tone(1336, 1.0, level=0.05)
    assert heard(np.asarray(twisted, dtype=np.int16)) == ""
    assert heard(np.zeros(8000, dtype=np.int16)) == ""


def test_a_voice_with_gliding_formants_is_no_digit() -> None:
    """A minute of a synthetic voice: harmonics of a wandering pitch under wandering resonances, in syllables."""
    random = np.random.default_rng(7)
    time = np.arange(60 * 8000) / 8000
    pitch = 130 + 60 * np.interp(time, np.arange(61), random.uniform(-1, 1, 61))
    phase = 2 * np.pi * np.cumsum(pitch) / 8000
    first = np.interp(time, np.arange(0, 61, 0.25)[: 60 * 4 + 1], random.uniform(300, 900, 60 * 4 + 1))
    second = np.interp(time, np.arange(0, 61, 0.25)[: 60 * 4 + 1], random.uniform(900, 2300, 60 * 4 + 1))
    voice = np.zeros_like(time)
    for harmonic in range(1, 26):
        frequency = harmonic * pitch
        weight = np.exp(-(((frequency - first) / 120) ** 2)) + 0.6 * np.exp(-(((frequency - second) / 150) ** 2))
        voice += (0.02 + weight) * np.sin(harmonic * phase)
    syllables = np.clip(np.sin(2 * np.pi * 4 * time) + 0.3, 0, 1)
    samples = (voice / np.abs(voice).max() * syllables * 12000).astype(np.int16)
    assert heard(samples) == ""


def test_a_window_is_a_key_only_with_both_its_tones() -> None:
    assert key_of(tones_of("5")[:205]) == "5"
    assert key_of(tone(770, 0.05)[:205]) == ""


@pytest.mark.parametrize("codec", Codec)
def test_the_mask_is_one_flat_tone_whatever_is_masked(codec: Codec) -> None:
    if codec is Codec.OPUS:
        pytest.importorskip("ctypes")
        assert masked_payload(codec, 0, 3) == masked_payload(codec, 960, 99)
        return
    payload = b"".join(masked_payload(codec, 160 * number, 160) for number in range(20))
    assert len(payload) == 3200
    if codec is Codec.G722:
        return
    assert tone_share(decode(payload, Law(codec.value)), MASK_HERTZ) > 0.99
    odd = b"".join(masked_payload(codec, 80 * number, 80) for number in range(40))
    assert odd == payload


def test_pressed_digits_are_events_of_one_timestamp_each_and_the_stream_goes_on() -> None:
    keys = KeyPresses(PlaySpec("d", "a", (), digits="42"), frame_units=160)
    stream, receiver = OutgoingStream(1, sequence=5, timestamp=1000, at=0), DigitReceiver()
    digits, stamps, now = "", [], 0
    while keys.advance() is None:
        now += 20
        if isinstance(keys.now, bytes):
            stamp = stream.next_event(is_first=keys.is_first, now=now)
            digits += receiver.receive(1, stamp[1], keys.now) or ""
            stamps.append((stamp[1], stamp[2]))
        else:
            stream.next_frame(now=now)
    assert digits == "42"
    assert len({timestamp for timestamp, _ in stamps}) == 2
    assert sum(marker for _, marker in stamps) == 2
    assert stream.timestamp == 1000 + 160 * now // 20
    assert stream.sequence == 5 + now // 20


def test_without_events_digits_are_pressed_as_tones() -> None:
    keys = KeyPresses(PlaySpec("d", "a", (), digits="1#D"), frame_units=None)
    parts = []
    while keys.advance() is None:
        parts.append(keys.now if isinstance(keys.now, np.ndarray) else np.zeros(160, dtype=np.int16))
    assert heard(np.concatenate(parts)) == "1#D"
