"""Collecting digits: how many, which one ends them, how long to wait. A machine without a clock.

A menu is the collection of exactly one digit; a number to be typed is the general case.
"""

from dataclasses import dataclass
from enum import StrEnum

ALPHABET = frozenset("0123456789*#ABCD")
"""What a key can send (RFC 4733 section 3.2, events 0 to 15)."""


@dataclass(frozen=True, slots=True)
class DigitRules:
    """What is asked for. Durations are milliseconds."""

    min_digits: int
    max_digits: int
    terminator: str
    """The digit that ends the input and is no part of it; empty for none."""
    timeout_ms: int
    """How long to wait for the first digit."""
    inter_digit_ms: int
    """How long to wait for each further one."""


class Verdict(StrEnum):
    """What became of the input."""

    COMPLETE = "complete"
    TOO_SHORT = "too_short"
    NO_INPUT = "no_input"


@dataclass(frozen=True, slots=True)
class Collected:
    """The input is over."""

    verdict: Verdict
    digits: str


@dataclass(frozen=True, slots=True)
class DigitCollector:
    """What has come so far. Unchanging: ``press`` returns the next one, or the result."""

    rules: DigitRules
    digits: str
    deadline: int

    @classmethod
    def start(cls, rules: DigitRules, *, now: int) -> "DigitCollector":
        """Begin to wait for the first digit."""
        return cls(rules, "", now + rules.timeout_ms)

    def press(self, digit: str, *, now: int) -> "DigitCollector | Collected":
        """Take one digit."""
        if digit == self.rules.terminator:
            return self._judge()
        digits = self.digits + digit
        if len(digits) >= self.rules.max_digits:
            return Collected(Verdict.COMPLETE, digits)
        return DigitCollector(self.rules, digits, now + self.rules.inter_digit_ms)

    def time_out(self) -> Collected:
        """The deadline passed: silence, or what was typed has to do."""
        return self._judge() if self.digits else Collected(Verdict.NO_INPUT, "")

    def _judge(self) -> Collected:
        enough = len(self.digits) >= self.rules.min_digits
        return Collected(Verdict.COMPLETE if enough else Verdict.TOO_SHORT, self.digits)
