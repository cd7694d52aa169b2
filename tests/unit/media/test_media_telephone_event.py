"""Digits as telephone events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.media.telephone_event import DIGITS, LONGEST, PAYLOAD, DigitReceiver, digit_payloads

pytestmark = pytest.mark.unit


def test_a_digit_is_told_at_its_first_packet_and_never_again() -> None:
    receiver = DigitReceiver()
    told = [receiver.receive(1, 1000, payload) for payload in digit_payloads("7")]
    assert told == ["7"] + [None] * (len(told) - 1)


@given(st.data())
def test_whatever_is_lost_repeated_or_late_each_digit_that_left_a_packet_is_told_once(data: st.DataObject) -> None:
    digits = data.draw(st.text(DIGITS, max_size=8))
    receiver = DigitReceiver()
    expected, told = "", ""
    for number, digit in enumerate(digits):
        arrived = data.draw(st.lists(st.sampled_from(digit_payloads(digit)), max_size=12))
        expected += digit if arrived else ""
        for payload in arrived:
            told += receiver.receive(5, 8000 * number, payload) or ""
    assert told == expected


def test_a_late_packet_of_an_older_digit_is_not_a_new_one() -> None:
    receiver = DigitReceiver()
    first, second = digit_payloads("1"), digit_payloads("2")
    assert [receiver.receive(1, 0, first[0]), receiver.receive(1, 1600, second[0])] == ["1", "2"]
    assert receiver.receive(1, 0, first[-1]) is None


def test_the_same_digit_twice_is_two_digits() -> None:
    receiver = DigitReceiver()
    assert [receiver.receive(1, timestamp, digit_payloads("5")[0]) for timestamp in (0, 1600)] == ["5", "5"]


def test_a_digit_held_beyond_the_longest_segment_is_one_digit() -> None:
    """RFC 4733 section 2.5.1.3: the next segment's timestamp is the end of the former one."""
    receiver = DigitReceiver()
    assert receiver.receive(1, 100, PAYLOAD.pack(3, 10, LONGEST)) == "3"
    assert receiver.receive(1, 100 + LONGEST, PAYLOAD.pack(3, 10, 160)) is None
    assert receiver.receive(1, 100 + LONGEST, PAYLOAD.pack(3, 10, 320)) is None


@pytest.mark.parametrize("payload", [b"", b"\0\0\0", PAYLOAD.pack(16, 0, 160), PAYLOAD.pack(255, 0, 160)])
def test_what_is_no_digit_is_ignored(payload: bytes) -> None:
    assert DigitReceiver().receive(1, 0, payload) is None


def test_a_sent_digit_rises_and_ends_three_times() -> None:
    payloads = [PAYLOAD.unpack(payload) for payload in digit_payloads("#", milliseconds=80)]
    assert [duration for _, _, duration in payloads] == [160, 320, 480, 640, 640, 640]
    assert [flags & 0x80 for _, flags, _ in payloads] == [0, 0, 0, 0x80, 0x80, 0x80]
    with pytest.raises(ValueError, match="substring"):
        digit_payloads("x")
