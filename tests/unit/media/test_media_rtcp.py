"""The fields of our RTCP reports, byte by byte as RFC 3550 has them, and how much each SRTP suite adds to a packet."""

import struct

import pytest

from callcenter.media.rtcp import SENDER_REPORT, Reporter
from callcenter.media.rtp import RtpPacket, pack
from callcenter.media.sdes import KEY_BYTES, SrtpKey, Suite
from callcenter.media.srtp import Seal

pytestmark = pytest.mark.unit


def test_a_sender_report_tells_the_time_on_the_streams_clock_and_what_was_sent() -> None:
    """Section 6.4.1: the timestamp is that of the report's own instant, 25 ms (200 units) after the last packet."""
    reporter = Reporter()
    reporter.sent(7, 1000, 160, now=10_000)
    reporter.sent(7, 1160, 480, now=10_020, packets=3)
    report = reporter.report(now=10_045)
    assert report is not None
    first, kind, _, ssrc, _, _, timestamp, packets, octets = struct.unpack_from("!BBHIIIIII", report)
    assert (first, kind, ssrc) == (0x80, SENDER_REPORT, 7)
    assert timestamp == 1160 + 200
    assert (packets, octets) == (4, 640)


def test_jitter_follows_the_formula() -> None:
    """Appendix A.8: one packet is 16 ms (128 units) late: 128 / 16 = 8 units are a millisecond; then it fades."""
    reporter = Reporter()
    for number, late in enumerate((0, 0, 16)):
        reporter.received(9, number, 160 * number, now=1000 + 20 * number + late)
    assert reporter.jitter_ms == pytest.approx(1.0)
    reporter.received(9, 3, 480, now=1000 + 60 + 16)
    assert reporter.jitter_ms == pytest.approx(15 / 16)


@pytest.mark.parametrize(
    ("suite", "added"),
    [(Suite.AES_CM_128_HMAC_SHA1_80, 10), (Suite.AES_CM_128_HMAC_SHA1_32, 4), (Suite.AEAD_AES_128_GCM, 16)],
)
def test_each_suite_adds_its_own_tag(suite: Suite, added: int) -> None:
    """RFC 4568 section 6.2 and RFC 7714 section 5."""
    packet = pack(RtpPacket(0, 1, 160, 9, bytes(160)))
    assert len(Seal(SrtpKey(suite, bytes(KEY_BYTES[suite]))).rtp(packet)) == len(packet) + added
