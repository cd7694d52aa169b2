"""Browsers' descriptions, checks, handshakes and reports, without a socket."""

import numpy as np
import pytest

from callcenter.media.audio import tone_share
from callcenter.media.codecs import EVERY, FORMS, TELEPHONE, Codec
from callcenter.media.g711 import decode
from callcenter.media.mediad.browser_leg import comfort_frames
from callcenter.media.rtcp import Heard, Reporter, report_on_behalf
from callcenter.media.rtp import RtpPacket, pack
from callcenter.media.sdp import LocalStream, build_offer, read_answer
from callcenter.media.sdp_lines import SdpError
from callcenter.media.session import acceptable
from callcenter.media.webrtc.connectivity import LiteAgent, binding_request, is_success, local_ufrag, new_credentials
from callcenter.media.webrtc.description import (
    WayIn,
    browser_offer,
    plain_answer,
    read_browser_answer,
    read_plain,
    with_opus,
)
from callcenter.media.webrtc.security import DtlsAssociation, new_certificate
from callcenter.media.webrtc.way import Way
from callcenter.media.wideband import make_decoder

pytestmark = pytest.mark.unit

FINGERPRINT = ":".join(["AB"] * 32)
CHROMIUM_ANSWER = f"""v=0
o=- 4711 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=msid-semantic: WMS
m=audio 9 UDP/TLS/RTP/SAVPF 0 8 101
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:zXcV
a=ice-pwd:oiK3ysHsJSHCWDAtHY+c2Lv9
a=ice-options:trickle
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:active
a=mid:0
a=sendrecv
a=rtcp-mux
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
"""


def plain_offer() -> str:
    return build_offer(LocalStream("127.0.0.1", 20_000, 1, 1))


def test_the_planes_offer_becomes_one_for_a_browser():
    way = WayIn("ufrag", "p" * 32, FINGERPRINT, (("203.0.113.7", 40_000), ("10.0.0.7", 40_000)))
    offer = browser_offer(read_plain(plain_offer()), way, sdp_session_id=7, version=2)
    assert "m=audio 40000 UDP/TLS/RTP/SAVPF 0 8 101\r\n" in offer
    for line in ("a=ice-lite", "a=rtcp-mux", "a=setup:actpass", "a=mid:0", "a=rtpmap:101 telephone-event/8000"):
        assert f"{line}\r\n" in offer
    first, second = (line for line in offer.split("\r\n") if line.startswith("a=candidate:"))
    assert first.endswith("203.0.113.7 40000 typ host")
    assert int(first.split()[3]) > int(second.split()[3])


def test_a_browsers_answer_becomes_a_plain_one_at_our_inner_socket():
    answer = read_browser_answer(CHROMIUM_ANSWER, ("0", "8", "101"))
    assert (answer.ufrag, answer.fingerprint, answer.payload_type) == ("zXcV", FINGERPRINT, 0)
    audio = read_answer(plain_answer(answer, host="127.0.0.1", port=5000))
    assert (audio.address, audio.port, audio.send_payload_type, audio.send_event_type) == ("127.0.0.1", 5000, 0, 101)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a=setup:active", "a=setup:passive"),
        ("a=rtcp-mux\n", ""),
        ("m=audio 9", "m=audio 0"),
        ("sha-256", "sha-1"),
        ("a=ice-ufrag:zXcV", "a=ice-ufrag:z"),
        ("a=ice-pwd:oiK3ysHsJSHCWDAtHY+c2Lv9", "a=ice-pwd:short"),
        ("SAVPF 0 8 101", "SAVPF 101"),
        ("m=audio", "m=video"),
    ],
)
def test_an_answer_that_cannot_work_is_refused(old: str, new: str):
    assert old in CHROMIUM_ANSWER
    with pytest.raises(SdpError):
        read_browser_answer(CHROMIUM_ANSWER.replace(old, new), ("0", "8", "101"))


WIDE_OFFER = build_offer(LocalStream("127.0.0.1", 20_000, 1, 1), codecs=TELEPHONE)


def test_opus_is_offered_to_a_browser_where_the_plane_offers_wideband():
    """First, with events of its own clock under the plane's own number; narrowband offers stay as they are."""
    assert with_opus(read_plain(plain_offer())) == read_plain(plain_offer())
    stream = with_opus(read_plain(WIDE_OFFER))
    assert stream.formats == ("111", "9", "0", "8", "101", "110")
    offer = browser_offer(stream, WayIn("u", "p", FINGERPRINT, (("10.0.0.7", 4),)), sdp_session_id=1, version=1)
    for line in (
        "a=rtpmap:111 opus/48000/2", "a=rtpmap:101 telephone-event/48000", "a=rtpmap:110 telephone-event/8000"
    ):  # fmt: skip
        assert f"{line}\r\n" in offer


@pytest.mark.parametrize(
    ("formats", "codec", "events"), [("111 9 0 8 101 110", Codec.OPUS, 101), ("0 8 101 110", Codec.PCMU, 110)]
)
def test_what_a_browser_chose_of_a_wideband_offer_reaches_the_plane(formats: str, codec: Codec, events: int):
    """One codec, and the events of its clock; ours for events is always the number in the plane's own offer."""
    chosen = CHROMIUM_ANSWER.replace("SAVPF 0 8 101", f"SAVPF {formats}").replace(
        "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:111 opus/48000/2\na=rtpmap:101 telephone-event/48000\na=rtpmap:110 telephone-event/8000",
    )
    answer = read_browser_answer(chosen, with_opus(read_plain(WIDE_OFFER)).formats)
    audio = read_answer(plain_answer(answer, host="127.0.0.1", port=5000), offered=acceptable(TELEPHONE))
    assert audio.send_codec is codec
    assert [each for _, each in audio.receive_codecs] == [codec]
    assert (audio.send_event_type, audio.receive_event_type, audio.has_mux) == (events, 101, True)


def test_a_browser_beside_a_wideband_leg_is_offered_wideband():
    """Its comfort tone is in its own codec, two seconds of 20 ms frames."""
    offer = (
        plain_offer()
        .replace("RTP/AVP 0 8", "RTP/AVP 9 0 8")
        .replace("a=rtpmap:0", "a=rtpmap:9 G722/8000\r\na=rtpmap:0")
    )
    assert read_plain(offer).formats == ("9", "0", "8", "101")
    answer = read_browser_answer(CHROMIUM_ANSWER.replace("SAVPF 0", "SAVPF 9 0"), ("9", "0", "8", "101"))
    assert answer.payload_type == 9
    for codec in EVERY:
        frames = comfort_frames(codec)
        assert codec is Codec.OPUS or {len(frame) for frame in frames} == {160}
        decoder = make_decoder(codec) if FORMS[codec].law is None else None
        heard = [decode(frame, law) if (law := FORMS[codec].law) else decoder.decode(frame) for frame in frames[:12]]
        rate = 16_000 if decoder else 8_000
        assert tone_share(np.concatenate(heard[3:]), 425 * 8_000 / rate) > 0.9
        assert len(frames) == 100


def test_a_check_is_answered_for_those_who_know_the_password():
    ours, theirs = new_credentials(), new_credentials()
    agent = LiteAgent(ours)
    source = ("192.0.2.9", 5000)
    check = binding_request(theirs, ours, tie_breaker=1)
    assert local_ufrag(check) == ours.ufrag
    answer = agent.receive(check, source, now=5)
    assert answer is not None
    assert is_success(answer, ours)
    assert (agent.nominated, agent.checked_at) == (source, 5)

    guessed = binding_request(theirs, type(ours)(ours.ufrag, "x" * 32), tie_breaker=1)
    assert agent.receive(guessed, ("192.0.2.66", 1), now=6) is None
    agent.remote_ufrag = "another"
    assert agent.receive(check, ("192.0.2.66", 1), now=6) is None
    assert agent.nominated == source


@pytest.mark.parametrize("datagram", [b"", b"\x00\x01", b"\x00\x01" + bytes(18), b"\x00\x01\x00\x08" + b"\xff" * 60])
def test_what_is_no_check_is_left(datagram: bytes):
    assert LiteAgent(new_credentials()).receive(datagram, ("192.0.2.9", 5000), now=0) is None
    local_ufrag(datagram)


def test_the_nominated_address_follows_the_browser():
    ours, theirs = new_credentials(), new_credentials()
    agent = LiteAgent(ours)
    agent.receive(binding_request(theirs, ours, tie_breaker=1, nominate=False), ("10.0.0.1", 1), now=0)
    agent.receive(binding_request(theirs, ours, tie_breaker=1, nominate=False), ("10.0.0.2", 2), now=1)
    assert agent.nominated == ("10.0.0.1", 1)
    agent.receive(binding_request(theirs, ours, tie_breaker=1), ("10.0.0.2", 2), now=2)
    assert agent.nominated == ("10.0.0.2", 2)


def shake_hands(way: Way, browser: DtlsAssociation) -> None:
    browser.begin()
    for _ in range(10):
        replies = [reply for datagram in browser.take() for reply in way.receive_handshake(datagram)]
        assert all(len(reply) <= 1200 for reply in replies)
        for reply in replies:
            browser.receive(reply)


def test_keys_open_what_the_other_side_protected_and_nothing_twice():
    certificate = new_certificate()
    way, browser = Way("page", "leg", new_certificate()), DtlsAssociation(certificate, is_server=False)
    way.describe("u", certificate.fingerprint)
    shake_hands(way, browser)
    assert way.keys is not None
    assert browser.keys is not None
    packet = pack(RtpPacket(0, 1, 160, 7, b"x" * 160))
    protected = browser.keys.protect(packet)
    assert packet[12:] not in protected
    assert way.unprotect(protected) == packet
    assert way.unprotect(protected) is None
    assert way.unprotect(protected[:-1] + b"\x00") is None
    browser.close()
    for datagram in browser.take():
        way.receive_handshake(datagram)
    assert way.is_closed


def test_no_audio_before_the_certificate_is_known_to_be_the_announced_one():
    certificate = new_certificate()
    way, browser = Way("page", "leg", new_certificate()), DtlsAssociation(certificate, is_server=False)
    shake_hands(way, browser)
    assert way.keys is None
    way.describe("u", certificate.fingerprint)
    assert way.keys is not None
    other = Way("page", "leg", new_certificate())
    other.describe("u", FINGERPRINT)
    shake_hands(other, DtlsAssociation(certificate, is_server=False))
    assert other.keys is None
    assert other.is_closed


def test_reports_tell_loss_and_round_trip():
    """Two ends: A sends 10 packets of which B gets 8; A learns of the loss and of the 30 ms there and back."""
    a, b = Reporter(), Reporter()
    for number in range(10):
        a.sent(77, number * 160, 160, now=1000 + 20 * number)
        if number not in (3, 4):
            b.received(77, 500 + number, number * 160, now=1010 + 20 * number)
    b.sent(88, 0, 160, now=1200)
    first = a.report(now=1200)
    assert first is not None
    b.take(first, now=1210)
    second = b.report(now=1500)
    assert second is not None
    a.take(second, now=1520)
    assert a.heard is not None
    assert a.heard.fraction_lost == pytest.approx(2 / 10, abs=0.01)
    assert a.heard.round_trip_ms == pytest.approx(30, abs=2)
    assert Reporter().report(now=0) is None


def test_what_a_browser_reports_is_passed_on_as_its_own_line():
    """The worker sent its report at 5 s; the edge tells of a browser 120 ms away two seconds later."""
    worker = Reporter()
    worker.sent(7, 160, 160, now=4_990)
    sender_report = worker.report(now=5_000)
    assert sender_report is not None
    heard = Heard(0.125, 9.0, 120.0)
    assert report_on_behalf(3, sender_report, heard, age=100, rate=8) is None
    assert report_on_behalf(3, b"\x80\xc9" + bytes(40), heard, age=2_000, rate=8) is None
    told = report_on_behalf(3, sender_report, heard, age=2_000, rate=8)
    assert told is not None
    worker.take(told, now=7_000)
    assert worker.heard is not None
    assert worker.heard.round_trip_ms == pytest.approx(120, abs=1)
    assert (worker.heard.fraction_lost, worker.heard.jitter_ms) == (0.125, 9.0)
    unknown = report_on_behalf(3, sender_report, Heard(0.5, 0.0, None), age=2_000, rate=8)
    assert unknown is not None
    worker.take(unknown, now=7_000)
    assert worker.heard.round_trip_ms is None


@pytest.mark.parametrize(
    "packet", [b"", b"\x81\xc9\x00\x07", b"\x81\xc8\x00\x01" + bytes(4), b"\x9f\xc9\x00\x01" + bytes(4)]
)
def test_malformed_reports_are_left(packet: bytes):
    reporter = Reporter()
    reporter.take(packet, now=1)
    assert reporter.heard is None
