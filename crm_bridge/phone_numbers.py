"""Phone numbers as people write them and as SIP delivers them, turned into one comparable form.

Pure. A raw text becomes a ``PhoneNumber`` (E.164, stored as an integer), a ``ShortCode`` (digits that mean something
only inside one network: ``95588``, ``1001``, a local number without its area code) or ``Unparsable``. Text is never
searched for digits that might be a number: "order 13912345678" is not one.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

_MAX_RAW = 256
_MAX_SHORT_CODE = 8

_NAME_ADDR = re.compile(r"<([^<>]*)>")
_SCHEME = re.compile(r"^(?:sips?|tel|callto):", re.IGNORECASE)
_EXT_PARAMETER = re.compile(r";(?:ext|isub)=(\d{1,7})(?=;|$)", re.IGNORECASE)
_EXT_MARK = re.compile(
    r"(?:转接?|轉接?|分机号?|分機號?|内线|內線|ext(?:ension)?\.?|x|#)[\s:.\-]*(?P<ext>\d{1,7})$", re.IGNORECASE
)
_TRAILING_EXT = re.compile(r"^(?P<number>.*\d.*)-\s*(?P<ext>\d{1,6})$")
_BODY = re.compile(r"^\(?\+?[\d().\-/\s]+$")


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number that can be dialled from anywhere. ``e164_int`` is E.164 without the plus sign; fits 64 bits."""

    e164_int: int
    ext: str | None = None

    @property
    def normal_form(self) -> str:
        """``+8613912345678``; the extension is not part of it."""
        return f"+{self.e164_int}"


@dataclass(frozen=True, slots=True)
class ShortCode:
    """Digits that are complete only inside one network or area."""

    digits: str

    @property
    def normal_form(self) -> str:
        """The digits."""
        return self.digits


@dataclass(frozen=True, slots=True)
class Unparsable:
    """Not a number. ``reason``: ``empty``, ``too_long``, ``not_a_number`` or ``invalid``."""

    reason: str

    @property
    def normal_form(self) -> None:
        """Nothing to compare by."""


Parsed = PhoneNumber | ShortCode | Unparsable


@lru_cache(8192)
def parse_phone(raw: str, region: str | None) -> Parsed:
    """What ``raw`` means when dialled in ``region`` (ISO 3166-1 alpha-2); without one, only international forms count.

    Understands SIP and tel URIs and their user parts, Chinese and Western extension marks, full-width digits,
    ``00`` as international prefix everywhere, and slashes. An international number in a range the library does not
    know yet is kept when its length is possible: numbering plans grow faster than installations are updated. The last
    ones are remembered: a call is looked up when it begins, and written when it is over.
    """
    if len(raw) > _MAX_RAW:
        return Unparsable("too_long")
    body, ext = _split_extension(*_user_part(_plain(raw)))
    if not body:
        return Unparsable("empty")
    if not _BODY.match(body) or not any(char.isdigit() for char in body):
        return Unparsable("not_a_number")
    return _number(body, ext, region) or _short_code(body)


def normal_forms(raws: Iterable[str], region: str | None) -> frozenset[str]:
    """The normal forms of those that are numbers: for telling one's own numbers from customers' numbers."""
    forms = (parse_phone(raw, region).normal_form for raw in raws)
    return frozenset(form for form in forms if form is not None)


def national_digits(number: PhoneNumber) -> str:
    """The digits after the country code, as people at home know the number (without trunk prefix)."""
    parsed = phonenumbers.parse(number.normal_form, None)
    return phonenumbers.national_significant_number(parsed)


def _plain(raw: str) -> str:
    """Full-width forms to ASCII, every dash to a hyphen, every space to a space, invisible marks away."""
    out = []
    for char in unicodedata.normalize("NFKC", raw):
        category = unicodedata.category(char)
        if category == "Pd":
            out.append("-")
        elif category in {"Zs", "Cc"}:
            out.append(" ")
        elif category != "Cf":
            out.append(char)
    return "".join(out).strip()


def _user_part(text: str) -> tuple[str, str | None]:
    """The user part of a URI and the extension its parameters name; other text unchanged."""
    if inner := _NAME_ADDR.search(text):
        text = inner[1].strip()
    scheme = _SCHEME.match(text)
    if scheme:
        text = unquote(text[scheme.end() :])
    if scheme or "@" in text or ";" in text:
        text = text.partition("@")[0].strip()
        ext = _EXT_PARAMETER.search(text)
        return text.partition(";")[0].strip(), ext[1] if ext else None
    return text, None


def _split_extension(body: str, ext: str | None) -> tuple[str, str | None]:
    mark = _EXT_MARK.search(body)
    if mark and mark.start() > 0:
        return body[: mark.start()].rstrip(" -,;"), mark["ext"]
    return body, ext


def _number(body: str, ext: str | None, region: str | None) -> PhoneNumber | None:
    """The readings of ``body`` as a full number, the most certain first."""
    international = _international(body)
    from_anywhere = _parse(international, None) if international else None
    is_written_so = from_anywhere is not None and international == body  # and means the same in every region
    from_here = from_anywhere if is_written_so else _parse(body, region)
    if number := _valid(from_here):
        return PhoneNumber(number, ext)
    if not is_written_so and (number := _valid(from_anywhere)):
        return PhoneNumber(number, ext)
    trailing = _TRAILING_EXT.match(body) if ext is None else None
    if trailing and (number := _valid(_parse(trailing["number"], region))):
        return PhoneNumber(number, trailing["ext"])
    if number := _possible(from_anywhere):
        return PhoneNumber(number, ext)
    return None


def _international(body: str) -> str | None:
    """``+...`` when the text is written in international form."""
    if body.lstrip("( ").startswith("+"):
        return body
    digits = _digits(body)
    return f"+{digits[2:]}" if digits.startswith("00") and len(digits) > 2 + _MAX_SHORT_CODE else None


def _valid(reading: phonenumbers.PhoneNumber | None) -> int | None:
    return _e164_int(reading) if reading and phonenumbers.is_valid_number(reading) else None


def _possible(reading: phonenumbers.PhoneNumber | None) -> int | None:
    if reading and phonenumbers.is_possible_number_with_reason(reading) == ValidationResult.IS_POSSIBLE:
        return _e164_int(reading)
    return None


def _parse(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _e164_int(parsed: phonenumbers.PhoneNumber) -> int:
    return int(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164).removeprefix("+"))


def _short_code(body: str) -> ShortCode | Unparsable:
    digits = _digits(body)
    if "+" in body or len(digits) > _MAX_SHORT_CODE:
        return Unparsable("invalid")
    return ShortCode(digits)


def _digits(body: str) -> str:
    return "".join(char for char in body if char.isascii() and char.isdigit())
