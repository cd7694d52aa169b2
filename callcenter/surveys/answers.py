"""What somebody wrote back: an answer with perhaps some words, or something else that is for people. Pure."""

import re
from dataclasses import dataclass

from callcenter.surveys.rules import bounds

LONGEST_COMMENT = 1_000
_DIGIT = "[0-9０-９]"
_ANSWER = re.compile(
    rf"\s*({_DIGIT}{{1,2}})(?!{_DIGIT})(?:\s*/\s*{_DIGIT}{{1,2}}(?!{_DIGIT}))?[\s.,;:!，。；：！-]*(.*)",
    re.DOTALL,
)
_TIME = re.compile(r"o'?clock|am\b|pm\b|a\.m|p\.m|days?\b|hours?\b|weeks?\b|minutes?\b|[点點号號月日天]")
_LINE_OF_QUOTE = re.compile(r"\s*(>|--\s*$|_{5,})")


@dataclass(frozen=True, slots=True)
class Answer:
    """A number on the scale, and what was said beside it."""

    score: int
    comment: str = ""


def read_answer(kind: str, text: str) -> Answer | None:
    """``4``, ``4 thanks``, ``4/5``, ``４。谢谢``; ``None`` for what does not begin with a number of the scale.

    A number that goes on as something else is none: ``4th``, ``4.30 pm``, ``4 o'clock`` is what people write about
    appointments, so that words that begin with a unit of time are not taken for a comment.
    """
    found = _ANSWER.fullmatch(_own_words(text))
    if found is None or _goes_on(found):
        return None
    score = int(found[1])
    low, high = bounds(kind)
    return Answer(score, clean_comment(found[2])) if low <= score <= high else None


def clean_comment(text: str) -> str:
    """Free text as it is kept: without control characters, and not endless."""
    kept = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(kept.split())[:LONGEST_COMMENT]


def _own_words(text: str) -> str:
    """Without what a mail program quotes below."""
    kept = []
    for line in text.splitlines():
        if _LINE_OF_QUOTE.match(line):
            break
        kept.append(line)
    return "\n".join(kept).strip()


def _goes_on(found: re.Match[str]) -> bool:
    between = found.string[found.end(1) : found.start(2)]
    rest = found[2].lower()
    if not between and rest[:1].isascii() and rest[:1].isalnum():
        return True  # 4th, 5pm
    if between.strip() in {".", ",", ":", "-"} and rest[:1].isdigit():
        return True  # 4.30, 4-5
    return _TIME.match(rest) is not None
