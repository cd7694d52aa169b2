"""Offer and answer for one audio stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.errors import MediaError, NoCommonCodec
from callcenter.media.codecs import Codec
from callcenter.media.sdp import (
    Direction,
    LocalStream,
    build_answer,
    build_offer,
    check_reachable,
    puts_on_hold,
    read_answer,
    read_offer,
)
from callcenter.media.sdp_lines import SdpError, parse

pytestmark = pytest.mark.unit

LOCAL = LocalStream("192.0.2.1", 16384, 77, 3)
LONG_NUMBER = "1" * 5_000
"""More digits than Python makes an integer of."""


def offer(*lines: str, address: str = "198.51.100.7", media: str = "m=audio 4000 RTP/AVP 0 8 101") -> str:
    """An offer with these lines in its audio section."""
    head = ["v=0", "o=- 1 1 IN IP4 198.51.100.7", "s=-", f"c=IN IP4 {address}", "t=0 0", media]
    return "\r\n".join([*head, "a=rtpmap:101 telephone-event/8000", *lines]) + "\r\n"


def test_the_first_law_of_the_offer_is_taken_and_digits_with_its_payload_type() -> None:
    read = read_offer(offer(media="m=audio 4000 RTP/AVP 18 8 0 101"))
    assert (read.audio.send_codec, read.audio.send_payload_type) == (Codec.PCMA, 8)
    assert read.audio.send_event_type == read.audio.receive_event_type == 101
    assert (read.audio.address, read.audio.port) == ("198.51.100.7", 4000)
    answer = build_answer(read, LOCAL)
    assert "m=audio 16384 RTP/AVP 8 101\r\n" in answer
    assert "o=- 77 3 IN IP4 192.0.2.1\r\n" in answer
    assert answer.endswith("a=ptime:20\r\na=sendrecv\r\n")


def test_a_browser_like_payload_type_for_digits_is_kept() -> None:
    text = offer(media="m=audio 4000 RTP/AVPF 0 126").replace("rtpmap:101", "rtpmap:126")
    answer = build_answer(read_offer(text), LOCAL)
    assert "m=audio 16384 RTP/AVPF 0 126\r\n" in answer
    assert "a=fmtp:126 0-15" in answer


def test_an_offer_without_digits_is_answered_without_them() -> None:
    read = read_offer(offer(media="m=audio 4000 RTP/AVP 0"))
    assert read.audio.send_event_type is None
    assert "telephone-event" not in build_answer(read, LOCAL)


def test_a_law_under_a_dynamic_payload_type_is_understood() -> None:
    read = read_offer(offer("a=rtpmap:97 pcma/8000", media="m=audio 4000 RTP/AVP 97"))
    assert (read.audio.send_payload_type, read.audio.receive_codecs) == (97, ((97, Codec.PCMA),))


def test_other_media_lines_are_refused_in_their_places() -> None:
    text = offer() + "m=video 5000 RTP/AVP 99\r\nm=audio 5002 RTP/AVP 0\r\n"
    lines = [line for line in build_answer(read_offer(text), LOCAL).splitlines() if line.startswith("m=")]
    assert lines == ["m=audio 16384 RTP/AVP 0 101", "m=video 0 RTP/AVP 99", "m=audio 0 RTP/AVP 0"]


def test_the_first_usable_line_is_taken_when_encrypted_audio_comes_first() -> None:
    text = offer(media="m=audio 4000 RTP/SAVP 0") + "m=audio 4002 RTP/AVP 0\r\n"
    read = read_offer(text)
    assert (read.chosen, read.audio.port) == (1, 4002)
    assert "m=audio 0 RTP/SAVP 0" in build_answer(read, LOCAL)


@pytest.mark.parametrize(
    "media", ["m=audio 4000 RTP/AVP 18", "m=audio 0 RTP/AVP 0", "m=audio 4000 RTP/SAVP 0", "m=video 1 RTP/AVP 0"]
)
def test_nothing_in_common_is_an_error_of_its_own(media: str) -> None:
    with pytest.raises(NoCommonCodec):
        read_offer(offer(media=media))


@pytest.mark.parametrize(
    ("lines", "address", "described", "answered", "may_send", "held"),
    [
        ((), "198.51.100.7", Direction.SENDRECV, "sendrecv", True, False),
        (("a=sendonly",), "198.51.100.7", Direction.SENDONLY, "recvonly", False, True),
        (("a=inactive",), "198.51.100.7", Direction.INACTIVE, "inactive", False, True),
        (("a=recvonly",), "198.51.100.7", Direction.RECVONLY, "sendonly", True, True),
        ((), "0.0.0.0", Direction.SENDONLY, "recvonly", False, True),
    ],
)
def test_every_form_of_hold_is_recognised_and_mirrored(
    lines: tuple[str, ...], address: str, described: Direction, answered: str, may_send: bool, held: bool
) -> None:
    read = read_offer(offer(*lines, address=address))
    assert read.audio.direction is described
    assert (read.audio.may_send, read.audio.held) == (may_send, held)
    assert f"a={answered}\r\n" in build_answer(read, LOCAL)
    assert puts_on_hold(offer(*lines, address=address)) is not may_send


def test_a_session_level_direction_holds_unless_the_media_has_its_own() -> None:
    common = offer().replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n")
    assert read_offer(common).audio.direction is Direction.SENDONLY
    own = common.replace("a=rtpmap", "a=sendrecv\r\na=rtpmap")
    assert read_offer(own).audio.direction is Direction.SENDRECV


def test_a_connection_line_of_the_media_goes_before_that_of_the_session() -> None:
    assert read_offer(offer("c=IN IP4 203.0.113.9")).audio.address == "203.0.113.9"


@pytest.mark.parametrize(("line", "ptime"), [("a=ptime:30", 30), ("a=ptime:0", 20), ("a=ptime:x", 20), ("a=x", 20)])
def test_the_wished_packet_duration_is_read(line: str, ptime: int) -> None:
    assert read_offer(offer(line)).audio.ptime == ptime


def test_our_offer_and_its_answer_agree() -> None:
    ours = build_offer(LOCAL, codecs=(Codec.PCMA, Codec.PCMU))
    assert "m=audio 16384 RTP/AVP 8 0 101\r\n" in ours
    audio = read_answer(offer(media="m=audio 4000 RTP/AVP 8 97").replace("rtpmap:101", "rtpmap:97"))
    assert audio.send_codec is Codec.PCMA
    assert (audio.send_event_type, audio.receive_event_type) == (97, 101)


def test_an_answer_that_keeps_both_laws_lets_both_arrive() -> None:
    assert read_answer(offer()).receive_codecs == ((0, Codec.PCMU), (8, Codec.PCMA))


def test_a_refused_stream_is_no_common_codec() -> None:
    with pytest.raises(NoCommonCodec):
        read_answer(offer(media="m=audio 0 RTP/AVP 0"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=1\r\n",
        "garbage",
        offer(media="m=audio x RTP/AVP 0"),
        offer(media="m=audio 70000 RTP/AVP 0"),
        offer(media=f"m=audio {LONG_NUMBER} RTP/AVP 0"),
        offer(media="m=audio"),
        offer(address="example.com"),
        offer(address="2001:db8::1::2"),
        offer(address="fe80::1%eth0"),
        offer().replace("c=IN IP4 198.51.100.7", "c=IN"),
        offer() + "a=x\r\n" * 600,
        offer() + "m=audio 1 RTP/AVP 0\r\n" * 40,
        offer() + "a=" + "x" * 70000,
    ],
)
def test_a_broken_or_monstrous_description_is_refused(text: str) -> None:
    with pytest.raises(SdpError):
        read_offer(text)


@pytest.mark.parametrize(
    "line",
    [
        f"a=rtpmap:{LONG_NUMBER} PCMA/8000",
        f"a=rtpmap:8 PCMA/{LONG_NUMBER}",
        f"a=ptime:{LONG_NUMBER}",
        f"a=rtcp:{LONG_NUMBER}",
    ],
)
def test_a_number_of_thousands_of_digits_is_none(line: str) -> None:
    audio = read_offer(offer(line, media=f"m=audio 4000 RTP/AVP {LONG_NUMBER} 0")).audio
    assert (audio.send_payload_type, audio.ptime) == (0, 20)


def test_a_far_end_of_the_other_ip_version_is_out_of_reach_and_held_ones_are_not() -> None:
    wide = read_offer(offer(address="2001:DB8::1").replace("IN IP4", "IN IP6"))
    assert wide.audio.address == "2001:db8::1"
    check_reachable(wide.audio, "::1")
    with pytest.raises(SdpError, match="not IPv4, as ours is"):
        check_reachable(wide.audio, "192.0.2.1")
    held = read_offer(offer(address="::")).audio
    assert held.held
    check_reachable(held, "192.0.2.1")
    ours = LocalStream("2001:db8::9", 4000, 1, 1)
    assert "c=IN IP6 2001:db8::9\r\n" in build_answer(wide, ours)
    assert build_offer(ours).count("IN IP6 2001:db8::9\r\n") == 2


@given(st.text(max_size=200).map(lambda tail: "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 1 RTP/AVP 0\r\n" + tail))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        parse(text)
        read_offer(text)
    except MediaError:
        pass
