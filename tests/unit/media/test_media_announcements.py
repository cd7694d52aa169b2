"""Positions and waits told in parts, in English and Chinese."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.media.announcements import every_part, number_parts, position_parts, wait_parts

pytestmark = pytest.mark.unit


def said(parts: tuple[object, ...]) -> str:
    return " ".join(getattr(part, "text", "") for part in parts)


@pytest.mark.parametrize(
    ("position", "english", "chinese"),
    [
        (1, "You are next in line.", "下一位就轮到您。"),
        (2, "Your position in the queue is two", "您目前排在第 二 位。"),
        (12, "Your position in the queue is twelve", "您目前排在第 十二 位。"),
        (20, "Your position in the queue is twenty", "您目前排在第 二十 位。"),
        (47, "Your position in the queue is forty-seven", "您目前排在第 四十七 位。"),
        (105, "Your position in the queue is one hundred five", "您目前排在第 一百 零五 位。"),
        (110, "Your position in the queue is one hundred ten", "您目前排在第 一百 一十 位。"),
        (234, "Your position in the queue is two hundred thirty-four", "您目前排在第 二百 三十四 位。"),
        (1000, "There are many callers ahead of you.", "您前面还有很多来电者。"),
    ],
)
def test_a_position_is_told(position: int, english: str, chinese: str) -> None:
    assert said(position_parts(position, "en")) == english
    assert said(position_parts(position, "zh-CN")) == chinese


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0, "less than one minute.", "不到一分钟。"),
        (59.9, "less than one minute.", "不到一分钟。"),
        (60, "one minute.", "一分钟。"),
        (60.5, "two minutes.", "两分钟。"),
        (600, "ten minutes.", "十分钟。"),
        (601, "fifteen minutes.", "十五分钟。"),
        (3600, "sixty minutes.", "六十分钟。"),
        (3601, "more than one hour.", "一小时以上。"),
    ],
)
def test_a_wait_is_told_and_never_too_short(seconds: float, english: str, chinese: str) -> None:
    assert said(wait_parts(seconds, "en")) == f"The expected waiting time is {english}"
    assert said(wait_parts(seconds, "zh")) == f"预计等待时间为 {chinese}"


def test_a_language_without_words_hears_english() -> None:
    assert position_parts(3, "fr") == position_parts(3, "en")


@given(st.integers(1, 2000), st.floats(0, 1e5), st.sampled_from(["en", "zh"]))
def test_every_part_can_be_rendered_beforehand(position: int, seconds: float, language: str) -> None:
    known = set(every_part(language))
    assert set(position_parts(position, language)) <= known
    assert set(wait_parts(seconds, language)) <= known


def test_names_are_unique_and_few() -> None:
    """One name is one text: operators record each name once."""
    for language in ("en", "zh"):
        parts = list(every_part(language))
        assert len({part.name for part in parts}) == len(parts) < 170


@pytest.mark.parametrize("number", [0, 1000, -1])
def test_what_cannot_be_told_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="999"):
        number_parts(number, "en")
