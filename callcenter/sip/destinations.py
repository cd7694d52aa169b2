"""Destinations: what a dialled text means, in one form only. Pure.

A text becomes E.164 or a code that stands for itself, and what is checked afterwards is exactly what is dialled. So a
way of writing a number can make it unreadable, but not another number than the one that was judged.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType, shortnumberinfo

MAX_E164 = 16
"""``+`` and fifteen digits (ITU-T E.164 section 6); some national plans know longer numbers, which no carrier takes."""
MAX_DIALLED = 128
"""Characters of a dialled text that are looked at; a longer one is no number."""
_URI = re.compile(r"^\s*(?:<\s*)?(?:sips?|tel|callto)\s*:", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s().\-/]")
_DIGITS = re.compile(r"\+?[0-9]{1,32}")
_CODE = re.compile(r"[0-9*#]{1,16}")
COSTLY = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.PAGER,
    }
)
"""Kinds of numbers whose callers pay their owners; fraud lives of them."""


class DestinationKind(StrEnum):
    """What a destination is to its caller."""

    EMERGENCY = "emergency"
    CODE = "code"
    """A short code, complete only inside a carrier's network; ``*`` and ``#`` are part of it."""
    NATIONAL = "national"
    INTERNATIONAL = "international"
    PREMIUM = "premium"
    UNKNOWN = "unknown"
    """Written in international form, of a possible length, but in no range of its country's plan."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a call would go."""

    kind: DestinationKind
    number: str
    """``+`` and digits, or the code itself: what is dialled."""
    region: str = ""
    """The country (ISO 3166), ``001`` for numbers that belong to none; empty for codes."""


def dialled_digits(text: str) -> str | None:
    """The ``+``, digits, ``*`` and ``#`` that a text consists of, ``None`` when there is anything else in it.

    Takes SIP and tel URIs, separators, and digits of every script (RFC 3966 section 5.1.1 knows but ASCII; people's
    keyboards know more). Letters, pauses and extensions are not taken: what follows them would be dialled unseen.
    """
    if len(text) > MAX_DIALLED:
        return None
    text = "".join(_plain(char) for char in unicodedata.normalize("NFKC", text)).strip()
    scheme = _URI.match(text)
    if scheme is not None:
        text = text[scheme.end() :].rstrip("> ")
    if "phone-context" in text.lower():  # RFC 3966 section 5.1.5: digits that are not ours to complete
        return None
    text, at, _ = text.partition("@")
    if scheme is not None or at:
        text = unquote(text.partition(";")[0])
    text = _SEPARATORS.sub("", text)
    return text if _DIGITS.fullmatch(text) or _CODE.fullmatch(text) else None


def _plain(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(char)
    return "-" if category == "Pd" else " " if category == "Zs" else char


def destination_of(digits: str, region: str, codes: frozenset[str], emergency: frozenset[str]) -> Destination | None:
    """What ``dialled_digits`` means when dialled in ``region``; ``None`` when it is no number at all.

    ``codes`` are the short codes of our carriers, ``emergency`` numbers of this place besides the country's own. ``00``
    is the international prefix everywhere, as people write it, besides the region's own.
    """
    if digits in emergency or (digits.isdigit() and shortnumberinfo.is_emergency_number(digits, region)):
        return Destination(DestinationKind.EMERGENCY, digits)
    if digits in codes:
        return Destination(DestinationKind.CODE, digits)
    international = digits if digits.startswith("+") else f"+{digits[2:]}" if digits.startswith("00") else None
    if not _DIGITS.fullmatch(international or digits):
        return None
    parsed = _parsed(international or digits, region)
    if parsed is None:
        return None
    # The text that goes out is read again: what is judged is what a carrier will see. Where a carrier's code stood in
    # the dialled text (0 12 011 in Brazil), only the second reading takes off the trunk prefix that followed it.
    final = _parsed(_e164(parsed), None)
    number = "" if final is None else _e164(final)
    if final is None or _parsed(number, None) != final:
        return None
    if len(number) > MAX_E164 or not phonenumbers.is_possible_number(final):
        return None
    if not phonenumbers.is_valid_number(final):
        return Destination(DestinationKind.UNKNOWN, number) if international else None
    home = phonenumbers.region_code_for_number(final) or ""
    if phonenumbers.number_type(final) in COSTLY:
        return Destination(DestinationKind.PREMIUM, number, home)
    kind = DestinationKind.NATIONAL if home == region else DestinationKind.INTERNATIONAL
    return Destination(kind, number, home)


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None
