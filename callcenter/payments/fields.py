"""What customers type of a card: fields, when each is well-formed, and the digits while they are being typed. Pure.

Digits lie in bytes that are overwritten when they are no longer needed, and have no text form.
"""

from dataclasses import dataclass, field
from enum import StrEnum

_ZERO = ord("0")


class CardField(StrEnum):
    """One thing that is on a card."""

    NUMBER = "number"
    """ISO/IEC 7812: 12 to 19 digits, the last one a check digit."""
    EXPIRY = "expiry"
    """Month and year, ``MMYY``."""
    CODE = "code"
    """The security code, 3 or 4 digits."""


LONGEST: dict[CardField, int] = {CardField.NUMBER: 19, CardField.EXPIRY: 4, CardField.CODE: 4}


def is_valid(card_field: CardField, digits: bytes | bytearray) -> bool:
    """Whether ASCII digits are well-formed as this field; not whether there is such a card."""
    match card_field:
        case CardField.NUMBER:
            return 12 <= len(digits) <= LONGEST[card_field] and passes_luhn(digits)
        case CardField.EXPIRY:
            return len(digits) == 4 and b"01" <= bytes(digits[:2]) <= b"12"
        case CardField.CODE:
            return 3 <= len(digits) <= 4


def passes_luhn(digits: bytes | bytearray) -> bool:
    """Whether the check digit of a card number is right (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, byte in enumerate(reversed(digits)):
        value = byte - _ZERO
        doubled = value * 2 if place % 2 else value
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


@dataclass(frozen=True, slots=True)
class FieldProgress:
    """How far a field is: all that anybody is shown of it."""

    field: CardField
    digits: int
    is_valid: bool


@dataclass(slots=True)
class CardDigits:
    """What a customer has typed so far."""

    _typed: dict[CardField, bytearray] = field(default_factory=dict, repr=False)

    def press(self, card_field: CardField, key: str) -> None:
        """Take a key: a digit, ``*`` to begin the field anew; others, and too many digits, are left."""
        typed = self._typed.setdefault(card_field, bytearray())
        if key == "*":
            _wipe(typed)
        elif key.isascii() and key.isdigit() and len(typed) < LONGEST[card_field]:
            typed.append(ord(key))

    def progress(self) -> tuple[FieldProgress, ...]:
        """Each field of which something was typed."""
        return tuple(
            FieldProgress(name, len(self._typed[name]), is_valid(name, self._typed[name]))
            for name in CardField
            if self._typed.get(name)
        )

    @property
    def is_complete(self) -> bool:
        """Whether something was typed, and all of it is well-formed."""
        progress = self.progress()
        return bool(progress) and all(each.is_valid for each in progress)

    def take(self) -> dict[CardField, bytearray]:
        """Hand over what was typed; whoever gets it wipes it. Nothing stays here."""
        typed, self._typed = self._typed, {}
        return {name: digits for name, digits in typed.items() if digits}

    def wipe(self) -> None:
        """Forget everything."""
        wipe(self.take())


def wipe(fields: dict[CardField, bytearray]) -> None:
    """Overwrite digits that were taken."""
    for digits in fields.values():
        _wipe(digits)


def _wipe(digits: bytearray) -> None:
    digits[:] = bytes(len(digits))
    digits.clear()
