"""Keys in SDP, and streams that a successor takes over under the same keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.errors import NoCommonCodec
from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.sealing import LegSealing
from callcenter.media.protocol import LegCounts, LegSpec
from callcenter.media.rtp import RtpPacket, pack
from callcenter.media.sdes import KEY_BYTES, CryptoLine, SrtpKey, Suite, read_crypto
from callcenter.media.sdp import LocalStream, build_answer, build_offer, read_answer, read_offer
from callcenter.media.srtp import Opener, Seal
from callcenter.ports import EncryptionPolicy

pytestmark = pytest.mark.unit

LOCAL = LocalStream("192.0.2.1", 16384, 77, 3)
EXAMPLE = "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|"
SSRC = 77


def key(suite: Suite, seed: int = 1) -> SrtpKey:
    return SrtpKey(suite.value, bytes(range(seed, seed + KEY_BYTES[suite])))


def packet(number: int) -> bytes:
    return pack(RtpPacket(0, number & 0xFFFF, 160 * number & 0xFFFFFFFF, SSRC, b"speech" * 20))


def test_the_example_of_the_rfc_is_read() -> None:
    line = read_crypto(EXAMPLE + "WSH=0" if EXAMPLE.endswith(" ") else EXAMPLE)
    assert line is not None
    assert line.key.material == b"wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        "x AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        EXAMPLE.replace("SHA1_80", "MD5"),
        EXAMPLE.replace("inline", "urn"),
        EXAMPLE.replace("2^20|", "2^20|1:4"),
        EXAMPLE.replace("d0Rm", "@@@@"),
        EXAMPLE.replace("d0Rm", ""),
        EXAMPLE + " UNENCRYPTED_SRTP",
        EXAMPLE + " UNAUTHENTICATED_SRTP",
        EXAMPLE + " KDR=5",
    ],
)
def test_what_we_cannot_do_is_not_used(value: str) -> None:
    assert read_crypto(value) is None


@given(st.text(max_size=200))
def test_any_text_is_survived(value: str) -> None:
    read_crypto(value)


def test_no_text_form_shows_a_key() -> None:
    secret = key(Suite.AES_CM_128_HMAC_SHA1_80)
    for shown in (secret, CryptoLine(1, secret), LegSpec("a", 1, send_key=secret, receive_key=secret)):
        assert "material" not in repr(shown)
        assert "\\x02" not in repr(shown)


@pytest.mark.parametrize("suite", Suite)
def test_offer_and_answer_agree_on_a_suite_and_two_keys(suite: Suite) -> None:
    ours = tuple(key(each, 10) for each in Suite)
    offer = read_offer(
        build_offer(LOCAL, keys=[each for each in ours if each.suite == suite]), encryption=EncryptionPolicy.OPTIONAL
    )
    assert offer.audio.crypto == CryptoLine(1, key(suite, 10))
    answer = build_answer(offer, LOCAL, key=key(suite, 90))
    agreed = read_answer(answer, keys=[each for each in ours if each.suite == suite])
    assert agreed.crypto == CryptoLine(1, key(suite, 90))


def test_an_encrypted_line_goes_before_a_plain_one_and_keys_on_a_plain_line_are_taken() -> None:
    sealed = build_offer(LOCAL, keys=[key(Suite.AES_CM_128_HMAC_SHA1_80)]).partition("m=audio")[2]
    both = build_offer(LOCAL) + "m=audio" + sealed.replace("16384", "16386")
    assert read_offer(both, encryption=EncryptionPolicy.OPTIONAL).audio.port == 16386
    assert read_offer(both, encryption=EncryptionPolicy.OFF).audio.port == 16384
    hopeful = build_offer(LOCAL, keys=[key(Suite.AES_CM_128_HMAC_SHA1_80)]).replace("RTP/SAVP", "RTP/AVP")
    assert read_offer(hopeful, encryption=EncryptionPolicy.REQUIRED).audio.crypto is not None
    assert read_offer(hopeful).audio.crypto is None


@pytest.mark.parametrize(
    "spoil", [("a=crypto:1", "a=crypto:9"), ("SHA1_80", "SHA1_32"), ("RTP/SAVP", "RTP/AVP"), ("a=crypto", "a=x")]
)
def test_an_answer_that_is_not_encrypted_as_offered_is_refused(spoil: tuple[str, str]) -> None:
    ours = [key(Suite.AES_CM_128_HMAC_SHA1_80)]
    with pytest.raises(NoCommonCodec):
        read_answer(build_offer(LOCAL, keys=ours).replace(*spoil), keys=ours)


@pytest.mark.parametrize("suite", Suite)
def test_what_is_sealed_is_opened_once_and_nothing_forged_is(suite: Suite) -> None:
    seal, opener = Seal(key(suite)), Opener(key(suite))
    sealed = seal.rtp(packet(5))
    assert b"speech" not in sealed
    assert opener.rtp(sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
    assert opener.rtp(packet(6)) is None
    assert opener.rtp(sealed) == packet(5)
    assert opener.rtp(sealed) is None, "a replay"
    assert Opener(key(suite, 50)).rtp(sealed) is None
    assert opener.rtp(b"\x80" * 5000) is None


@pytest.mark.parametrize("wraps", [0, 1, 3])
def test_a_successor_goes_on_after_the_sequence_number_has_wrapped(wraps: int) -> None:
    """Far ends know how often it wrapped; a successor that did not could not be understood, nor understand them."""
    ours, theirs = key(Suite.AEAD_AES_128_GCM), key(Suite.AES_CM_128_HMAC_SHA1_80, 60)
    spec = LegSpec("a", SSRC, send_key=ours, receive_key=theirs)
    far_seal, far_opener = Seal(theirs), Opener(ours)
    checkpoint = Checkpoint.create(2)
    first = LegSealing.of(spec)
    assert first is not None
    assert first.take_over(checkpoint, 1, SSRC) == 0
    last = wraps * 0x10000 + 0x2345
    for number in [*range(0x1000, last, 0x1000), last]:
        assert far_opener.rtp(first.close(packet(number), number & 0xFFFF)) == packet(number)
        assert first.open(far_seal.rtp(packet(number)), SSRC, number & 0xFFFF) == packet(number)
    checkpoint.stamp(1, SSRC, last & 0xFFFF, 0, 0, first.wraps)
    checkpoint.note(1, LegCounts(1, 2, 3, 4, True))
    first.note(checkpoint, 1)
    second = LegSealing.of(spec)
    assert second is not None
    moved = second.take_over(checkpoint, 1, SSRC)
    assert moved > 0, "no number is ever used twice"
    for number in range(last + moved, last + moved + 3):
        assert far_opener.rtp(second.close(packet(number), number & 0xFFFF)) == packet(number)
        assert second.open(far_seal.rtp(packet(number)), SSRC, number & 0xFFFF) == packet(number)
    assert checkpoint.noted(1) == LegCounts(1, 2, 3, 4, True)
    checkpoint.close()


OURS = tuple(key(suite, seed) for seed, suite in enumerate(Suite, 1))
BESIDE = build_offer(LOCAL, keys=OURS, beside_plain=True)


def answered(secure: bool, with_key: bool) -> str:
    answer = BESIDE.replace("RTP/AVP", "RTP/SAVP") if secure else BESIDE
    kept = [line for line in answer.split("\r\n") if not line.startswith("a=crypto:") or (with_key and "GCM" in line)]
    return "\r\n".join(kept)


@pytest.mark.parametrize(
    ("secure", "with_key", "may_be_plain", "taken"),
    [
        (False, True, True, True),
        (True, True, True, True),
        (False, False, True, True),
        (False, False, False, False),
        (True, False, True, False),
    ],
)
def test_keys_beside_plain_media_are_answered_in_three_ways(
    secure: bool, with_key: bool, may_be_plain: bool, taken: bool
) -> None:
    assert " RTP/AVP " in BESIDE
    assert BESIDE.count("a=crypto:") == len(Suite)
    how = {"keys": OURS, "beside_plain": True, "may_be_plain": may_be_plain}
    if not taken:
        with pytest.raises(NoCommonCodec):
            read_answer(answered(secure, with_key), **how)
        return
    audio = read_answer(answered(secure, with_key), **how)
    assert (audio.crypto is not None, audio.is_secure_profile) == (with_key, secure)


def test_a_key_that_was_not_offered_is_no_answer() -> None:
    foreign = answered(False, True).replace("a=crypto:1 ", "a=crypto:9 ")
    with pytest.raises(NoCommonCodec):
        read_answer(foreign, keys=OURS, beside_plain=True)
