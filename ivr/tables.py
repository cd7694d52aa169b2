"""Reading one table of a flow's text: every value checked, everything wrong noted, nothing raised.

A reader hands out a stand-in for a value that is missing or wrong and notes a problem; whoever started the reading
raises when there are any. So one run over the text finds them all.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any, TypeVar

from ivr.errors import Problem

NAME = re.compile(r"[a-z][a-z0-9_]*")
"""Names of steps, prompts, hours and variables."""

LANGUAGE_CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
"""Language codes, the plain part of BCP 47."""


_Kind = TypeVar("_Kind", str, bool, int, list[Any], dict[str, Any])


@dataclass(slots=True)
class TableReader:
    """One table being read. Keys that nobody asked for are reported by ``close``."""

    table: Mapping[str, Any]
    place: str
    problems: list[Problem]
    step: str | None = None
    _known: set[str] = field(default_factory=set)

    def note(self, reason: str, key: str = "") -> None:
        """Note a problem with the table or with one of its keys."""
        text = f"{key}: {reason}" if key else reason
        self.problems.append(Problem(self.step, self.place, None, text))

    def close(self) -> None:
        """Report the keys that have no meaning here."""
        for key in self.table:
            if key not in self._known:
                close = get_close_matches(key, self._known, 1)
                advice = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(sorted(self._known))}"
                self.note(f"unknown key; {advice}", key)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        self._known.add(key)
        return key in self.table

    def text(self, key: str, default: str | None = None, *, pattern: re.Pattern[str] | None = None) -> str:
        """A text; required without a default; never empty unless the default is."""
        value = self._value(key, str, "a text in quotes", default)
        if value == "" and default != "":
            if key in self.table:
                self.note("must not be empty", key)
        elif pattern and value != default and not pattern.fullmatch(value):
            self.note(f"{value!r} is not a good name; it has to look like {pattern.pattern}", key)
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """``true`` or ``false``."""
        return self._value(key, bool, "true or false", default)

    def whole(self, key: str, default: int | None = None, *, low: int, high: int) -> int:
        """A whole number within bounds."""
        value = self._value(key, int, "a whole number", default)
        if key in self.table and not low <= value <= high:
            self.note(f"{value} is out of bounds; allowed is {low} to {high}", key)
        return value

    def milliseconds(self, key: str, default: float, *, high: float = 120.0) -> int:
        """A duration given in seconds, as milliseconds."""
        value = self.table.get(key, default)
        self._known.add(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.1 <= value <= high:
            self.note(f"must be seconds, a number from 0.1 to {high:g}", key)
            return round(default * 1000)
        return round(value * 1000)

    def texts(self, key: str, *, pattern: re.Pattern[str] | None = None) -> tuple[str, ...]:
        """A list of texts, at least one, none twice."""
        values: list[Any] = self._value(key, list, 'a list of texts, such as ["en", "zh"]', None)
        if key in self.table and (not values or len(set(map(str, values))) != len(values)):
            self.note("must hold at least one entry and none twice", key)
        for value in values:
            if not isinstance(value, str) or (pattern and not pattern.fullmatch(value)):
                self.note(f"{value!r} does not belong into this list", key)
        return tuple(value for value in values if isinstance(value, str))

    def dates(self, key: str) -> tuple[date, ...]:
        """A date without quotes, or a list of them."""
        value = self.table.get(key)
        self._known.add(key)
        days = value if isinstance(value, list) else [value]
        if not days or not all(type(day) is date for day in days):
            self.note("must be a date such as 2026-12-25, without quotes, or a list of dates", key)
            return ()
        return tuple(days)

    def inside(self, key: str) -> "TableReader":
        """A table within this one; empty, and noted, when it is not there."""
        return self._reader(self._value(key, dict, "a table", None), key)

    def tables(self, key: str) -> Iterator[tuple[str, "TableReader"]]:
        """The tables within an optional table, by name."""
        for name, value in self._value(key, dict, "a table", {}).items():
            if isinstance(value, dict):
                yield name, self._reader(value, f"{key}.{name}")
            else:
                self.note("must be a table", f"{key}.{name}")

    def rows(self, key: str) -> Iterator["TableReader"]:
        """The tables of an optional list."""
        for number, value in enumerate(self._value(key, list, "a list of tables", []), 1):
            if isinstance(value, dict):
                yield self._reader(value, f"{key}({number})")
            else:
                self.note(f"entry {number} must be a table such as {{ from = ... }}", key)

    def _reader(self, table: Mapping[str, Any], name: str) -> "TableReader":
        return TableReader(table, f"{self.place}.{name}".lstrip("."), self.problems, self.step)

    def _value(self, key: str, kind: type[_Kind], wanted: str, default: _Kind | None) -> _Kind:
        self._known.add(key)
        if key not in self.table:
            if default is None:
                self.note(f"is missing; give {wanted}", key)
                return kind()
            return default
        value: Any = self.table[key]
        if type(value) is not kind:
            self.note(f"must be {wanted}, not {value!r}", key)
            return kind() if default is None else default
        found: _Kind = value
        return found
