"""The text under which a customer is found. Pure: a search looks for parts of this text.

It is a row of words, with two spaces before each, so that both databases can tell the beginning of a word by an index
of three characters. Names, numbers and addresses stand in it whole: any part of three characters or more is found
anywhere. What is shorter is found at the beginning of a word, therefore a Chinese name also has each two characters of
it, and its reading in pinyin: whole, and by initials, with the rarer readings that surnames take.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice, product

MAX_WORD = 64
MIN_INFIX = 3
"""A shorter part is only looked for at the beginning of a word."""
MIN_NUMBER_PART = 4
"""Fewer digits describe too many numbers: beside other words they are a part of the name."""
GAP = "  "
"""Before each word."""

WORD = re.compile(r"[^\W_]+")
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]{1,16}")
_NUMBER_LIKE = re.compile(r"[\d\s+().\-/]+")
_MAX_WORDS_OF_NAME = 60
_MAX_WORDS_ASKED = 6
"""A pasted text has hundreds, and each is a part of the question that the database plans."""
_MAX_READINGS = 6


def normalise_name(name: str) -> str:
    """The name as it is compared: one width, no case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def text_of(name_norm: str, values: Iterable[str]) -> str:
    """The search text of a customer: of the normalised name, and of numbers and addresses in their normal form."""
    words = dict.fromkeys(value.removeprefix("+") for value in values)
    return _text_of_name(name_norm) + "".join(GAP + word for word in words)


def asked(typed: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What must all stand in the search text for it to be meant, the longest first, and what must stand in the name.

    A needle that begins with a gap is the beginning of a word. A few digits beside other words are a part of the name
    as well: of numbers, everybody has some. No needles for a text without words.
    """
    text = normalise_name(typed)
    if _NUMBER_LIKE.fullmatch(text) and (digits := re.sub(r"[^0-9]", "", text)):
        significant = digits.lstrip("0")
        return (_needle((significant if len(significant) >= MIN_NUMBER_PART else digits)[:MAX_WORD]),), ()
    if "@" in text:
        return (_needle(text[:MAX_WORD]),), ()
    words = sorted(set(WORD.findall(text)), key=lambda word: (-len(word), word))[:_MAX_WORDS_ASKED]
    few_digits = [word for word in words if word.isdecimal() and len(word) < MIN_NUMBER_PART]
    if len(few_digits) == len(words):
        few_digits = []
    return tuple(_needle(word[:MAX_WORD]) for word in words), tuple(few_digits)


def distinctive_groups(needle: str) -> tuple[str, ...]:
    """Groups of three characters: who has the needle has all of them.

    They cover the needle; but where several have digits, these alone, which few share: groups of letters, as all
    addresses of one provider have them, are long lists to be gone through for nothing.
    """
    starts = {*range(0, len(needle) - 2, 3), len(needle) - 3}
    groups = tuple(needle[start : start + 3] for start in sorted(starts))
    with_digits = tuple(group for group in groups if any(character.isdigit() for character in group))
    return with_digits if len(with_digits) > 1 else groups


@lru_cache(maxsize=8192)
def _text_of_name(name_norm: str) -> str:
    words = dict.fromkeys(islice(_words_of_name(name_norm), _MAX_WORDS_OF_NAME))
    return "".join(GAP + word for word in words)


def _needle(word: str) -> str:
    return word if len(word) >= MIN_INFIX else GAP + word


def _words_of_name(name_norm: str) -> Iterable[str]:
    for word in WORD.findall(name_norm):
        yield word[:MAX_WORD]
        if CJK.search(word):
            yield from (word[start : start + 2] for start in range(1, min(len(word), MAX_WORD)))
        for characters in _HAN.findall(word):
            yield from _readings(characters)


def _readings(characters: str) -> list[str]:
    """Pinyin of Chinese characters: the usual reading, by syllables, other readings of the first one, and initials."""
    syllables = [_syllables(character) for character in characters]
    usual = [each[0] for each in syllables]
    words = ["".join(usual)]
    words += [other + "".join(usual[1:]) for other in syllables[0][1:_MAX_READINGS]]
    first_letters = [tuple(dict.fromkeys(reading[0] for reading in each)) for each in syllables]
    for letters in islice(product(*first_letters), _MAX_READINGS):
        initials = "".join(letters)
        words += [initials, *(initials[start : start + 2] for start in range(1, len(initials) - 1))]
    words += usual[1:]
    return [word[:MAX_WORD] for word in words]


@lru_cache(maxsize=8192)
def _syllables(character: str) -> tuple[str, ...]:
    """The readings of one character without tones, the usual one first; itself when it has none."""
    from pypinyin import Style, pinyin

    found = pinyin(character, style=Style.NORMAL, heteronym=True, v_to_u=False)
    return tuple(dict.fromkeys(found[0])) or (character,)
