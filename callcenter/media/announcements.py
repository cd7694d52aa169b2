"""What waiting callers are told, composed of parts that can all be rendered beforehand. Pure.

A position or an expected wait is a handful of prompts played one after the other (``MediaPlane.play`` takes them as a
list), so nothing has to be spoken while a caller listens, and an operator's own recordings of the same names
(``<language>/queue-position-is.wav``, ``<language>/number-7.wav`` ...) replace the voice part by part.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ivr.effects import PromptText

LARGEST_POSITION = 999
"""Positions beyond are told as "more than"."""
LONGEST_WAIT = 60
"""Minutes; longer waits are told as "more than an hour"."""

_EXACT_MINUTES = 10
_MINUTE_STEP = 5


@dataclass(frozen=True, slots=True)
class _Words:
    """The fixed parts of one language."""

    next_in_line: str
    position_is: str
    position_ends: str
    """After the number; empty where the language needs nothing there."""
    many_ahead: str
    wait_is: str
    less_than_a_minute: str
    more_than_an_hour: str


_WORDS: dict[str, _Words] = {
    "en": _Words(
        next_in_line="You are next in line.",
        position_is="Your position in the queue is",
        position_ends="",
        many_ahead="There are many callers ahead of you.",
        wait_is="The expected waiting time is",
        less_than_a_minute="less than one minute.",
        more_than_an_hour="more than one hour.",
    ),
    "zh": _Words(
        next_in_line="下一位就轮到您。",
        position_is="您目前排在第",
        position_ends="位。",
        many_ahead="您前面还有很多来电者。",
        wait_is="预计等待时间为",
        less_than_a_minute="不到一分钟。",
        more_than_an_hour="一小时以上。",
    ),
}
LANGUAGES = frozenset(_WORDS)
"""Languages with words of their own; others hear English."""

_ONES_EN = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS_EN = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ONES_ZH = "零一二三四五六七八九"


def position_parts(position: int, language: str) -> tuple[PromptText, ...]:
    """Tell a caller's place in the queue, 1 being the next. Raises ``ValueError`` below 1."""
    if position < 1:
        raise ValueError("a position counts from 1")
    words, language = _words(language)
    if position == 1:
        return (PromptText("queue-next", language, words.next_in_line),)
    if position > LARGEST_POSITION:
        return (PromptText("queue-many", language, words.many_ahead),)
    parts = [PromptText("queue-position-is", language, words.position_is), *number_parts(position, language)]
    if words.position_ends:
        parts.append(PromptText("queue-position-ends", language, words.position_ends))
    return tuple(parts)


def wait_parts(seconds: float, language: str) -> tuple[PromptText, ...]:
    """Tell an expected wait: never less than it is, exact up to ten minutes, in steps of five up to an hour."""
    words, language = _words(language)
    opening = PromptText("queue-wait-is", language, words.wait_is)
    if seconds < 60:
        return opening, PromptText("queue-wait-less", language, words.less_than_a_minute)
    minutes = -int(-seconds // 60)
    if minutes > _EXACT_MINUTES:
        minutes = -(-minutes // _MINUTE_STEP) * _MINUTE_STEP
    if minutes > LONGEST_WAIT:
        return opening, PromptText("queue-wait-more", language, words.more_than_an_hour)
    return opening, _minutes(minutes, language)


def number_parts(number: int, language: str) -> tuple[PromptText, ...]:
    """A number from 1 to 999: one part up to 99, hundreds and rest above."""
    if not 1 <= number <= LARGEST_POSITION:
        raise ValueError("only 1 to 999 can be told")
    _, language = _words(language)
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return (PromptText(f"number-{number}", language, _spelled(number, language)),)
    head = PromptText(f"number-{hundreds}00", language, _spelled(100 * hundreds, language))
    return (head, _after_hundreds(rest, language)) if rest else (head,)


def every_part(language: str) -> Iterator[PromptText]:
    """All parts that any announcement in this language may need, for rendering them beforehand."""
    seen: dict[str, PromptText] = {}
    for position in range(1, LARGEST_POSITION + 2):
        seen.update((part.name, part) for part in position_parts(position, language))
    for minutes in range(LONGEST_WAIT + 2):
        seen.update((part.name, part) for part in wait_parts(60 * minutes, language))
    yield from seen.values()


def _words(language: str) -> tuple[_Words, str]:
    base = language.partition("-")[0].lower()
    base = base if base in _WORDS else "en"
    return _WORDS[base], base


def _minutes(minutes: int, language: str) -> PromptText:
    """Minutes as one part, because the word beside the number changes with it (two is 两 before a measure word)."""
    if language == "zh":
        text = ("两" if minutes == 2 else _spelled(minutes, language)) + "分钟。"
    else:
        text = f"{_spelled(minutes, language)} minute{'' if minutes == 1 else 's'}."
    return PromptText(f"minutes-{minutes}", language, text)


def _after_hundreds(rest: int, language: str) -> PromptText:
    """What follows the hundreds: Chinese says 零 before a single digit and 一十 instead of 十."""
    if language == "zh" and rest < 20:
        tens = "一" if rest >= 10 else "零"
        return PromptText(f"number-and-{rest}", language, tens + _spelled(rest, language))
    return PromptText(f"number-{rest}", language, _spelled(rest, language))


def _spelled(number: int, language: str) -> str:
    return _spelled_zh(number) if language == "zh" else _spelled_en(number)


def _spelled_en(number: int) -> str:
    if number >= 100:
        return f"{_ONES_EN[number // 100]} hundred"
    if number < 20:
        return _ONES_EN[number]
    tens, ones = divmod(number, 10)
    return _TENS_EN[tens - 2] + (f"-{_ONES_EN[ones]}" if ones else "")


def _spelled_zh(number: int) -> str:
    if number >= 100:
        return f"{_ONES_ZH[number // 100]}百"
    tens, ones = divmod(number, 10)
    if not tens:
        return _ONES_ZH[ones]
    return ("" if tens == 1 else _ONES_ZH[tens]) + "十" + (_ONES_ZH[ones] if ones else "")
