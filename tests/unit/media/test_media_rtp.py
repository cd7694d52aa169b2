"""RTP headers and the continuous outgoing stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.media.outgoing import OutgoingStream
from callcenter.media.rtp import ReceptionCount, RtpPacket, pack, parse, sequence_distance

pytestmark = pytest.mark.unit

U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, 0xFFFFFFFF)


@given(st.integers(0, 63), U16, U32, U32, st.binary(max_size=400), st.booleans())
def test_a_packet_survives_packing(
    payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, marker: bool
) -> None:
    packet = RtpPacket(payload_type, sequence, timestamp, ssrc, payload, marker)
    assert parse(pack(packet)) == packet


@given(st.binary(max_size=1600))
def test_any_datagram_is_read_or_refused(datagram: bytes) -> None:
    parse(datagram)


def test_contributing_sources_extension_and_padding_are_cut_off() -> None:
    plain = bytearray(pack(RtpPacket(0, 1, 2, 3, b"")))
    plain[0] |= 0x10 | 0x20 | 2
    datagram = bytes(plain) + b"\1" * 8 + b"\xbe\xde\0\1" + b"\2" * 4 + b"voice" + b"\0\0\3"
    packet = parse(datagram)
    assert packet is not None
    assert packet.payload == b"voice"


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x80" * 11,
        b"\x40" + b"\0" * 20,
        b"\x80\xc8" + b"\0" * 20,
        b"\x90\x00" + b"\0" * 10,
        b"\x90\x00" + b"\0" * 12 + b"\xff\xff",
        b"\xa0\x00" + b"\0" * 11,
        b"\xa0\x00" + b"\0" * 12 + b"\xff",
        b"\x8f\x00" + b"\0" * 12,
        b"\x80\x00" + b"\0" * 1600,
    ],
    ids=[
        "empty",
        "short",
        "version 1",
        "RTCP",
        "no extension",
        "long extension",
        "no padding",
        "much padding",
        "CSRC",
        "huge",
    ],
)
def test_what_is_no_rtp_is_refused(datagram: bytes) -> None:
    assert parse(datagram) is None


def test_loss_is_counted_over_wraps_reordering_and_a_new_stream() -> None:
    count = ReceptionCount()
    for sequence in (65534, 65535, 1, 0, 3):
        count.count(1, sequence)
    assert (count.received, count.lost) == (5, 1)
    for sequence in (100, 102):
        count.count(2, sequence)
    assert (count.received, count.lost) == (7, 2)


def stream() -> OutgoingStream:
    return OutgoingStream(9, sequence=65534, timestamp=0xFFFFFFF0, at=0)


def test_our_own_frames_count_on() -> None:
    outgoing = stream()
    assert outgoing.next_frame(now=20) == (65535, 0x90, False)
    assert outgoing.next_frame(now=41) == (0, 0x130, False)


def test_a_pause_moves_the_timestamp_and_sets_the_marker() -> None:
    outgoing = stream()
    outgoing.next_frame(now=20)
    assert outgoing.next_frame(now=220) == (0, 0x90 + 10 * 160, True)


def test_a_switch_to_a_relayed_source_is_seamless_and_its_loss_stays_visible() -> None:
    outgoing = stream()
    outgoing.next_frame(now=20)
    assert outgoing.relay("agent", 7, 5000, 800, False, now=40) == (0, 0x90 + 160, True)
    assert outgoing.relay("agent", 7, 5001, 960, False, now=60) == (1, 0x90 + 320, False)
    assert outgoing.relay("agent", 7, 5004, 1440, False, now=120) == (4, 0x90 + 800, False)
    assert outgoing.relay("agent", 7, 5003, 1280, False, now=121) == (3, 0x90 + 640, False)
    assert outgoing.next_frame(now=140) == (5, 0x90 + 960, True)


def test_packets_from_before_the_switch_are_not_sent() -> None:
    outgoing = stream()
    outgoing.relay("agent", 7, 5000, 800, False, now=20)
    assert outgoing.relay("agent", 7, 4999, 640, False, now=21) is None


def test_a_packet_that_is_left_out_leaves_no_gap() -> None:
    outgoing = stream()
    outgoing.relay("agent", 7, 10, 0, False, now=20)
    outgoing.close_up("agent", 7)
    outgoing.close_up("another", 7)
    assert outgoing.relay("agent", 7, 12, 320, False, now=60) == (0, 0x90 + 320, False)


def test_a_new_ssrc_of_the_source_is_a_switch() -> None:
    outgoing = stream()
    outgoing.relay("agent", 7, 10, 0, False, now=20)
    assert outgoing.relay("agent", 8, 40000, 99999, False, now=40) == (0, 0x90 + 160, True)


def test_a_relay_goes_on_over_many_wraps_of_the_sequence_number() -> None:
    outgoing = stream()
    last = None
    for number in range(200_000):
        stamp = outgoing.relay("agent", 7, number & 0xFFFF, number * 160 & 0xFFFFFFFF, False, now=20 * number)
        assert stamp is not None
        assert last is None or sequence_distance(stamp[0], last) == 1
        last = stamp[0]


def test_a_source_that_begins_anew_under_its_old_ssrc_is_relayed_on() -> None:
    """A phone that restarted, or came back by another way, would be silent for minutes otherwise."""
    stream = OutgoingStream(7, sequence=10, timestamp=0, at=0)
    stream.relay("a", 1, 50_000, 0, False, now=20)
    assert stream.relay("a", 1, 50_001, 160, False, now=40) == (12, 320, False)
    restarted = stream.relay("a", 1, 33, 99_999, False, now=60)
    assert restarted is not None
    assert restarted[0] == 13
    assert restarted[2]
    assert stream.relay("a", 1, 34, 99_999 + 160, False, now=80) == (14, restarted[1] + 160, False)
