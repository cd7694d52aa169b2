"""Under which texts a customer is found. Pure: a search is a range of the index of these terms.

Whatever is typed is the beginning of some term, so each term is the rest of a name, number or address from one of its
places on: any part is found. A Chinese name also has its reading in pinyin, whole and by syllables, and the initials
of the reading; a character with several readings has them all, since a surname often takes the rarer one.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import islice, product

from crm_bridge.phone_numbers import PhoneNumber

MAX_TERM = 64
MIN_WORD_PART = 3
"""Shorter ends of words, and of addresses, are no terms of their own."""
MIN_NUMBER_PART = 4
"""Fewer last digits are typed by nobody and describe too many."""

WORD = re.compile(r"[^\W_]+")
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]{1,16}")
_MAX_TERMS_OF_NAME = 60
_MAX_TERMS_OF_TEXT = 40
_MAX_READINGS = 6


def normalise_name(name: str) -> str:
    """The name as it is compared: one width, no case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def terms_of_name(name_norm: str) -> frozenset[str]:
    """The search terms of a normalised name."""
    terms: dict[str, None] = {}
    for word in WORD.findall(name_norm):
        least = 1 if CJK.search(word) else MIN_WORD_PART
        terms |= dict.fromkeys(_ends(word, least))
        for characters in _HAN.findall(word):
            terms |= dict.fromkeys(_readings(characters))
        if len(terms) >= _MAX_TERMS_OF_NAME:
            break
    return frozenset(islice(terms, _MAX_TERMS_OF_NAME))


def terms_of_number(number: PhoneNumber) -> frozenset[str]:
    """The search terms of a phone number: its digits from each place on, with and without country code alike."""
    return frozenset(_ends(str(number.e164_int), MIN_NUMBER_PART))


def terms_of_text(value_norm: str) -> frozenset[str]:
    """The search terms of an address or a short code."""
    return frozenset(islice(_ends(value_norm, MIN_WORD_PART), _MAX_TERMS_OF_TEXT))


def _ends(text: str, least: int) -> list[str]:
    """The text from each of its places on, the whole first, none shorter than ``least`` but the text itself."""
    return [text[start : start + MAX_TERM] for start in range(max(len(text) - least + 1, 1))]


def _readings(characters: str) -> list[str]:
    """Pinyin of Chinese characters: initials, and the reading from each syllable on."""
    syllables = [_syllables(character) for character in characters]
    usual = [each[0] for each in syllables]
    terms = ["".join(usual[start:])[:MAX_TERM] for start in range(len(usual))]
    first_letters = [tuple(dict.fromkeys(reading[0] for reading in each)) for each in syllables]
    for letters in islice(product(*first_letters), _MAX_READINGS):
        terms += _ends("".join(letters), 2)
    terms += [other + "".join(usual[1:]) for other in syllables[0][1:_MAX_READINGS]]
    return terms


@lru_cache(maxsize=8192)
def _syllables(character: str) -> tuple[str, ...]:
    """The readings of one character without tones, the usual one first; itself when it has none."""
    from pypinyin import Style, pinyin

    found = pinyin(character, style=Style.NORMAL, heteronym=True, v_to_u=False)
    return tuple(dict.fromkeys(found[0])) or (character,)
