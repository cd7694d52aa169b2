"""G.711, mixing and linear audio."""

import warnings
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from callcenter.media.audio import (
    AudioError,
    level_db,
    normalise,
    read_wav,
    telephone_rate,
    tone,
    tone_share,
    write_wav,
)
from callcenter.media.g711 import DECODE, ENCODE, TRANSCODE, decode, encode, loudness
from callcenter.media.law import Law
from callcenter.media.mixer import linear_gain, mix
from callcenter.media.music import compose, music_path

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("law", Law)
def test_the_tables_agree_with_an_independent_implementation(law: Law) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop")
    expand, compress = {
        Law.PCMU: (audioop.ulaw2lin, audioop.lin2ulaw),
        Law.PCMA: (audioop.alaw2lin, audioop.lin2alaw),
    }[law]
    codes = bytes(range(256))
    assert DECODE[law].tobytes() == expand(codes, 2)
    linear = np.arange(65536, dtype=np.uint16).tobytes()
    ours, theirs = DECODE[law][ENCODE[law]], DECODE[law][np.frombuffer(compress(linear, 2), dtype=np.uint8)]
    samples = np.arange(65536, dtype=np.uint16).view(np.int16).astype(int)
    assert (np.abs(ours - samples) <= np.abs(theirs - samples) + 16).all()


@pytest.mark.parametrize("law", Law)
def test_a_byte_survives_expanding_and_compressing(law: Law) -> None:
    codes = bytes(range(256))
    again = encode(decode(codes, law), law)
    assert (DECODE[law][np.frombuffer(again, dtype=np.uint8)] == DECODE[law]).all()


@pytest.mark.parametrize("law", Law)
def test_speech_level_noise_of_companding_is_small(law: Law) -> None:
    samples = tone(440, 1.0)
    noise = decode(encode(samples, law), law).astype(float) - samples
    assert 20 * np.log10(np.std(samples) / np.std(noise)) > 35


def test_a_change_of_law_costs_little() -> None:
    samples = tone(440, 0.5)
    there = encode(samples, Law.PCMU).translate(TRANSCODE[Law.PCMU, Law.PCMA])
    assert tone_share(decode(there, Law.PCMA), 440) > 0.999


def test_loudness_tells_silence_from_sound() -> None:
    assert loudness(encode(np.zeros(160, dtype=np.int16), Law.PCMA), Law.PCMA) == 0
    assert loudness(encode(tone(440, 0.02), Law.PCMU), Law.PCMU) > 50
    assert loudness(b"", Law.PCMU) == 0


def test_mixing_is_a_sparse_product_with_clipping() -> None:
    frames = np.array([[1000] * 160, [30000] * 160, [-30000] * 160], dtype=np.int16)
    mixed = mix(frames, [0, 1, 1, 2, 2], [0, 1, 3], [1.0, 1.0, 1.0, 0.5, 1.0])
    assert mixed[:, 0].tolist() == [1000, 32767, -32768]


def test_mix_minus_leaves_ones_own_voice_out() -> None:
    """Three parties, each hears the two others."""
    pitches = (400, 700, 1100)
    frames = np.stack([tone(pitch, 0.02) for pitch in pitches])
    mixed = mix(frames, [1, 2, 0, 2, 0, 1], [0, 2, 4], [1.0] * 6)
    for row, own in enumerate(pitches):
        assert tone_share(mixed[row], own) < 0.05


def test_six_decibel_are_about_a_half() -> None:
    assert linear_gain(0.0) == 1.0
    assert linear_gain(-6.0) == pytest.approx(0.501, abs=0.001)


def test_resampling_keeps_a_tone_and_removes_what_would_fold_back() -> None:
    rate = 22050
    time = np.arange(rate) / rate
    speech = (8000 * np.sin(2 * np.pi * 1000 * time)).astype(np.int16)
    hiss = (8000 * np.sin(2 * np.pi * 7000 * time)).astype(np.int16)
    clean = telephone_rate((speech + hiss).astype(np.int16), rate)
    assert len(clean) == pytest.approx(8000, abs=2)
    assert tone_share(clean[400:-400], 1000) > 0.999
    assert level_db(telephone_rate(hiss, rate)[400:-400]) < -60
    assert level_db(clean) == pytest.approx(level_db(speech), abs=0.3)


def test_a_lower_rate_is_raised() -> None:
    low = (8000 * np.sin(2 * np.pi * 500 * np.arange(6000) / 6000)).astype(np.int16)
    assert tone_share(telephone_rate(low, 6000)[400:-400], 500) > 0.999


def test_wav_files_survive_writing_and_reading() -> None:
    samples = tone(440, 0.1)
    read, rate = read_wav(write_wav(samples, 16000))
    assert rate == 16000
    assert (read == samples).all()


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVEfmt ", b"ID3" * 50])
def test_what_is_no_wav_file_is_an_audio_error(content: bytes) -> None:
    with pytest.raises(AudioError):
        read_wav(content)


def test_levels_are_brought_together() -> None:
    for level in (0.01, 0.9):
        assert level_db(normalise(tone(440, 0.5, level=level))) == pytest.approx(-20, abs=0.5)
    assert level_db(tone(440, 0.5, level=1.0)) == pytest.approx(20 * np.log10(1 / sqrt(2)), abs=0.01)
    assert level_db(np.zeros(10, dtype=np.int16)) == -120.0
    assert (normalise(np.zeros(10, dtype=np.int16)) == 0).all()


def test_a_tone_is_told_from_another() -> None:
    assert tone_share(tone(440, 0.4), 440) > 0.99
    assert tone_share(tone(440, 0.4), 620) < 0.01
    assert tone_share(np.zeros(100, dtype=np.int16), 440) == 0.0


def test_the_music_is_twenty_quiet_seconds_that_loop_without_a_seam(tmp_path: Path) -> None:
    music = compose()
    assert len(music) == 20 * 8000
    assert -40 < level_db(music) < -15
    steps = np.abs(np.diff(music.astype(int)))
    assert abs(int(music[0]) - int(music[-1])) <= steps.max()
    path = music_path(tmp_path)
    assert music_path(tmp_path) == path
    assert (read_wav(Path(path).read_bytes())[0] == music).all()
