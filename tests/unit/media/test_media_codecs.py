"""Wideband codecs: negotiated, coded like an independent implementation does, and brought from rate to rate."""

from itertools import pairwise

import av
import numpy as np
import pytest

from callcenter.errors import NoCommonCodec
from callcenter.media.audio import level_db, tone, tone_share
from callcenter.media.codecs import EVERY, NARROWBAND, TELEPHONE, Codec, may_relay
from callcenter.media.g711 import Samples
from callcenter.media.jitter import JitterBuffer
from callcenter.media.mediad.ear import Ear
from callcenter.media.resampling import DoubleRate, HalveRate
from callcenter.media.sdp import LocalStream, build_answer, build_offer, read_answer, read_offer
from callcenter.media.wideband import WIDE_RATE, WIDE_SAMPLES, has_opus, make_decoder, make_encoder, silent_frame

pytestmark = pytest.mark.unit

LOCAL = LocalStream("192.0.2.1", 16384, 77, 3)
WIDE = [
    Codec.G722,
    pytest.param(Codec.OPUS, marks=pytest.mark.skipif(not has_opus(), reason="this machine has no libopus")),
]


def frames(samples: Samples) -> list[Samples]:
    return list(samples.reshape(-1, WIDE_SAMPLES))


def independently_decoded(codec: Codec, payloads: list[bytes]) -> Samples:
    """What FFmpeg makes of a stream, at 16 kHz."""
    context = av.CodecContext.create({Codec.G722: "g722", Codec.OPUS: "libopus"}[codec], "r")
    context.sample_rate = WIDE_RATE
    if codec is Codec.G722:
        context.layout = "mono"
    decoded = [frame.to_ndarray() for payload in payloads for frame in context.decode(av.Packet(payload))]
    samples = np.concatenate([frame.reshape(-1) for frame in decoded])
    return samples if codec is Codec.G722 else samples[::6]  # 48 kHz, both channels interleaved


@pytest.mark.parametrize("codec", WIDE)
def test_what_we_encode_is_understood_by_an_independent_decoder(codec: Codec) -> None:
    encoder = make_encoder(codec)
    payloads = [encoder.encode(frame) for frame in frames(tone(5000, 1.0, rate=WIDE_RATE))]
    heard = independently_decoded(codec, payloads)
    assert tone_share(heard[3200:].astype(np.int16), 5000, rate=WIDE_RATE) > 0.9


def test_what_an_independent_encoder_says_is_understood() -> None:
    context = av.CodecContext.create("g722", "w")
    context.sample_rate, context.layout, context.format, context.bit_rate = WIDE_RATE, "mono", "s16", 64000
    decoder, heard = make_decoder(Codec.G722), []
    for number, frame in enumerate(frames(tone(5000, 0.6, rate=WIDE_RATE))):
        audio = av.AudioFrame.from_ndarray(frame[np.newaxis], "s16", "mono")
        audio.sample_rate, audio.pts = WIDE_RATE, number * WIDE_SAMPLES
        heard += [decoder.decode(bytes(packet)) for packet in context.encode(audio)]
    assert tone_share(np.concatenate(heard)[1600:], 5000, rate=WIDE_RATE) > 0.9


@pytest.mark.parametrize("codec", WIDE)
def test_broken_payloads_are_survived(codec: Codec) -> None:
    decoder = make_decoder(codec)
    for size in (0, 1, 3, 159, 400, 1400):
        decoder.decode(bytes(range(256))[:size] * 1 if size < 256 else b"\xff" * size)
    assert len(decoder.decode(silent_frame(codec))) == WIDE_SAMPLES


def test_rates_are_changed_without_aliases_or_seams() -> None:
    halve, double = HalveRate(), DoubleRate()
    speech = np.concatenate([halve.next(frame) for frame in frames(tone(1000, 1.0, rate=WIDE_RATE))])
    assert tone_share(speech[100:], 1000) > 0.999
    folded = np.concatenate([HalveRate().next(frame) for frame in frames(tone(6000, 1.0, rate=WIDE_RATE))])
    assert level_db(folded[160:]) < -40
    doubled = np.concatenate([double.next(frame) for frame in tone(3000, 1.0).reshape(-1, 160)])
    assert tone_share(doubled[100:], 3000, rate=WIDE_RATE) > 0.995
    assert abs(level_db(doubled[100:]) - level_db(tone(3000, 1.0))) < 0.5


def test_the_first_codec_that_is_spoken_is_taken_and_wideband_is_clocked_as_the_rfc_has_it() -> None:
    text = build_offer(LOCAL, codecs=EVERY)
    assert "m=audio 16384 RTP/AVP 111 9 0 8 101\r\n" in text
    assert "a=rtpmap:9 G722/8000\r\n" in text
    assert "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=20;useinbandfec=0;stereo=0\r\n" in text
    offer = read_offer(text, spoken=TELEPHONE)
    assert (offer.audio.send_codec, offer.audio.send_payload_type) == (Codec.G722, 9)
    assert "m=audio 16384 RTP/AVP 9\r\n" in build_answer(offer, LOCAL), "48 kHz events do not go with an 8 kHz clock"
    narrow = read_offer(text, spoken=NARROWBAND)
    assert narrow.audio.send_codec is Codec.PCMU
    browser = read_offer(text, spoken=EVERY)
    assert (browser.audio.send_codec, browser.audio.send_event_type) == (Codec.OPUS, 101)


def test_a_static_payload_type_needs_no_rtpmap() -> None:
    text = build_offer(LOCAL, codecs=(Codec.G722,)).replace("a=rtpmap:9 G722/8000\r\n", "")
    assert read_offer(text).audio.send_codec is Codec.G722


def test_an_answer_with_a_codec_that_was_not_offered_is_refused() -> None:
    with pytest.raises(NoCommonCodec):
        read_answer(build_offer(LOCAL, codecs=(Codec.G722,)), offered=NARROWBAND)


def test_only_the_same_codec_or_two_laws_are_relayed_undecoded() -> None:
    assert may_relay(frozenset({Codec.PCMU, Codec.PCMA}), Codec.PCMA)
    assert may_relay(frozenset({Codec.G722}), Codec.G722)
    assert not may_relay(frozenset({Codec.G722, Codec.PCMU}), Codec.G722)
    assert not may_relay(frozenset({Codec.G722, Codec.PCMU}), Codec.PCMU)
    assert not may_relay(frozenset({Codec.OPUS}), Codec.G722)


def test_opus_timestamps_run_on_over_the_wrap_of_the_48_khz_clock() -> None:
    if not has_opus():
        pytest.skip("this machine has no libopus")
    ear, payload = Ear(), silent_frame(Codec.OPUS)
    start = 2**32 - 960 * 3
    positions = [ear.hear(Codec.OPUS, (start + 960 * n) % 2**32, payload).timestamp for n in range(6)]
    assert {(later - earlier) % 2**32 for earlier, later in pairwise(positions)} == {160}


def test_the_ring_holds_wideband_samples_by_the_same_timestamps() -> None:
    ring = JitterBuffer(None)
    for number in (0, 2, 1):
        ring.push(2**32 - 160 + 160 * number, np.full(320, number + 1, dtype=np.int16).tobytes(), now=0)
    taken = [ring.take(now=tick) for tick in (20, 40, 60)]
    assert [frame is not None and set(np.frombuffer(frame, np.int16)) for frame in taken] == [{1}, {2}, {3}]
