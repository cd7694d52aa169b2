"""Scenarios as people write them: TOML for the floor, CSV for a recorded day. Takes text, never paths.

```toml
[habits]
answer = { law = "exponential", mean_s = 4 }
no_answer_share = 0.01

[[queues]]
id = "sales"
target_s = 20
order = "most_skilled"                                  # longest_idle unless told
wrap_up = { law = "lognormal", mean_s = 30, cv = 0.8 }

[[classes]]
name = "gold"
queue = "sales"
priority = 1
arrivals_per_hour = 60                                  # or: rates = { interval_s = 900, per_hour = [20, 60, 90] }
handle = { law = "lognormal", mean_s = 240, cv = 1.2 }  # a bare number is an exponential mean
patience = 120                                          # left out: waits for ever
skills = { en = 2 }

[[groups]]
name = "generalists"
agents = 12
queues = ["sales"]
skills = { en = 3 }
shifts = [[0, 14400], [18000, 32400]]                   # seconds from the start; left out: always there
```

Unknown keys are refused with their place, so that a misspelt one is not silently without effect.
"""

import csv
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from io import StringIO
from typing import Any, TypeVar

from acd.events import AgentOrder, SkillLevel
from acd.ids import QueueId
from acd.simulator_laws import (
    Arrivals,
    Deterministic,
    Empirical,
    Exponential,
    Law,
    LogNormal,
    Poisson,
    RateTable,
    Recorded,
    RecordedContact,
)
from acd.simulator_scenario import AgentGroup, CustomerClass, Habits, QueuePlan, Scenario, ScenarioError

Made = TypeVar("Made")
_MISSING = object()

_LAWS: dict[str, tuple[Callable[..., Law], tuple[str, ...]]] = {
    "exponential": (Exponential, ("mean_s",)),
    "lognormal": (LogNormal, ("mean_s", "cv")),
    "deterministic": (Deterministic, ("mean_s",)),
    "empirical": (Empirical, ("values_s",)),
}


class _Table:
    """A TOML table that knows where it stands and which of its keys were asked for."""

    def __init__(self, place: str, content: object) -> None:
        if not isinstance(content, Mapping):
            raise ScenarioError(f"{place} must be a table")
        self.place = place
        self._left: dict[str, Any] = dict(content)

    def take(self, key: str, read: Callable[[str, Any], Made], default: Made | object = _MISSING) -> Made:
        """The value of a key, read; the default when it is absent. Raises ``ScenarioError``."""
        if key in self._left:
            return read(f"{self.place}.{key}", self._left.pop(key))
        if default is _MISSING:
            raise ScenarioError(f"{self.place}.{key} is missing")
        return default  # type: ignore[return-value]  # the caller's own default

    def close(self) -> None:
        """Refuse what nobody asked for."""
        if self._left:
            raise ScenarioError(f"{self.place}.{next(iter(self._left))} is not known")


def parse_scenario(text: str) -> Scenario:
    """The scenario that a TOML text describes. Raises ``ScenarioError`` with the place of what is wrong."""
    try:
        top = _Table("scenario", tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"not TOML: {error}") from None
    habits = top.take("habits", _habits, Habits())
    queues = top.take("queues", _list_of(_queue))
    classes = top.take("classes", _list_of(_class), ())
    groups = top.take("groups", _list_of(_group))
    top.close()
    return Scenario(queues, classes or (_nobody(queues),), groups, habits)


def _nobody(queues: Sequence[QueuePlan]) -> CustomerClass:
    """Stands for the customers of a recorded day that is still to come."""
    return CustomerClass("nobody", queues[0].queue_id, Recorded(()), Exponential(1.0))


def parse_day(text: str, scenario: Scenario) -> Scenario:
    """The scenario with the customers of a recorded day instead of its own.

    ``text`` is CSV with a header: ``at_s`` (seconds from the start, in order), ``queue``, and optionally ``handle_s``
    and ``patience_s``. What is blank is drawn from the laws of the scenario's first class of that queue; without
    one, patience is for ever. Raises ``ScenarioError`` with the line.
    """
    rows: dict[str, list[RecordedContact]] = {}
    for number, row in enumerate(csv.DictReader(StringIO(text)), 2):
        try:
            contact = RecordedContact(
                round(1000 * float(row["at_s"])),
                _milliseconds(row.get("handle_s")),
                _milliseconds(row.get("patience_s")),
            )
            own = rows.setdefault(row["queue"], [])
        except (KeyError, ValueError, TypeError) as error:
            raise ScenarioError(f"line {number}: {error}") from None
        if own and own[-1].at_ms > contact.at_ms:
            raise ScenarioError(f"line {number}: comes before the line above")
        own.append(contact)
    if not rows:
        raise ScenarioError("the recorded day has no contacts")
    return replace(scenario, classes=tuple(_recorded(queue, own, scenario) for queue, own in rows.items()))


def _recorded(queue: str, contacts: list[RecordedContact], scenario: Scenario) -> CustomerClass:
    arrivals = Recorded(tuple(contacts))
    for known in scenario.classes:
        if known.queue_id == queue and known.name != "nobody":
            return replace(known, name=queue, arrivals=arrivals)
    if any(contact.handle_ms is None for contact in contacts):
        raise ScenarioError(f"queue {queue!r} has contacts without handle_s, and no class whose law would give it")
    return CustomerClass(queue, QueueId(queue), arrivals, Exponential(1.0))


def _milliseconds(text: str | None) -> int | None:
    return round(1000 * float(text)) if text else None


def _list_of(read: Callable[[_Table], Made]) -> Callable[[str, Any], tuple[Made, ...]]:
    def read_all(place: str, content: Any) -> tuple[Made, ...]:
        if not isinstance(content, list):
            raise ScenarioError(f"{place} must be a list of tables")
        made = []
        for number, each in enumerate(content):
            table = _Table(f"{place}[{number}]", each)
            made.append(read(table))
            table.close()
        return tuple(made)

    return read_all


def _habits(place: str, content: Any) -> Habits:
    table = _Table(place, content)
    habits = Habits(
        answer=table.take("answer", _law, None),
        no_answer_share=table.take("no_answer_share", _share, 0.0),
        pause_share=table.take("pause_share", _share, 0.0),
        pause=table.take("pause", _law, Habits().pause),
    )
    table.close()
    return habits


def _queue(table: _Table) -> QueuePlan:
    return QueuePlan(
        queue_id=QueueId(table.take("id", _text)),
        target_s=table.take("target_s", _number, 20.0),
        ring_timeout_s=table.take("ring_timeout_s", _positive, 20.0),
        wrap_up=table.take("wrap_up", _law, None),
        order=table.take("order", _order, AgentOrder.LONGEST_IDLE),
        weight=table.take("weight", _integer, 0),
    )


def _class(table: _Table) -> CustomerClass:
    queue = table.take("queue", _text)
    rate = table.take("arrivals_per_hour", _positive, None)
    arrivals: Arrivals | None = table.take("rates", _rates, None) if rate is None else Poisson(rate)
    if arrivals is None:
        raise ScenarioError(f"{table.place} has neither arrivals_per_hour nor rates")
    return CustomerClass(
        name=table.take("name", _text, queue),
        queue_id=QueueId(queue),
        arrivals=arrivals,
        handle=table.take("handle", _law),
        patience=table.take("patience", _law, None),
        priority=table.take("priority", _integer, 0),
        required_skills=table.take("skills", _skills, ()),
    )


def _group(table: _Table) -> AgentGroup:
    return AgentGroup(
        name=table.take("name", _text),
        count=table.take("agents", _integer),
        queue_ids=table.take("queues", _queue_ids),
        skills=table.take("skills", _skills, ()),
        shifts=table.take("shifts", _shifts, ()),
    )


def _law(place: str, content: Any) -> Law:
    if isinstance(content, int | float):
        return Exponential(_positive(place, content))
    table = _Table(place, content)
    name = table.take("law", _text)
    if name not in _LAWS:
        raise ScenarioError(f"{place}.law is {name!r}; known are {', '.join(_LAWS)}")
    make, keys = _LAWS[name]
    if "values_s" in keys:
        values: dict[str, Any] = {"values_s": table.take("values_s", _numbers)}
    else:
        values = {"mean_s": table.take("mean_s", _number if name == "deterministic" else _positive)}
        values |= {"cv": table.take("cv", _positive, 1.0)} if "cv" in keys else {}
    table.close()
    return make(**values)


def _order(place: str, value: Any) -> AgentOrder:
    if value not in list(AgentOrder):
        raise ScenarioError(f"{place} is {value!r}; known are {', '.join(AgentOrder)}")
    return AgentOrder(value)


def _rates(place: str, content: Any) -> RateTable:
    table = _Table(place, content)
    rates = RateTable(table.take("interval_s", _positive), table.take("per_hour", _numbers))
    table.close()
    return rates


def _text(place: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ScenarioError(f"{place} must be a text")
    return value


def _integer(place: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ScenarioError(f"{place} must be a whole number")
    return value


def _number(place: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ScenarioError(f"{place} must be a number, 0 or more")
    return float(value)


def _positive(place: str, value: Any) -> float:
    number = _number(place, value)
    if number == 0:
        raise ScenarioError(f"{place} must be more than 0")
    return number


def _share(place: str, value: Any) -> float:
    number = _number(place, value)
    if number > 1:
        raise ScenarioError(f"{place} is a share, at most 1")
    return number


def _numbers(place: str, value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or not value:
        raise ScenarioError(f"{place} must be a list of numbers")
    return tuple(_number(f"{place}[{number}]", each) for number, each in enumerate(value))


def _queue_ids(place: str, value: Any) -> tuple[QueueId, ...]:
    if not isinstance(value, list):
        raise ScenarioError(f"{place} must be a list of queues")
    return tuple(QueueId(_text(f"{place}[{number}]", each)) for number, each in enumerate(value))


def _skills(place: str, value: Any) -> tuple[SkillLevel, ...]:
    if not isinstance(value, Mapping):
        raise ScenarioError(f"{place} must be a table of skills and levels")
    return tuple(SkillLevel(skill, _integer(f"{place}.{skill}", level)) for skill, level in value.items())


def _shifts(place: str, value: Any) -> tuple[tuple[float, float], ...]:
    pairs = [
        _numbers(f"{place}[{number}]", each) for number, each in enumerate(value if isinstance(value, list) else [])
    ]
    if not pairs or any(len(pair) != 2 or pair[0] >= pair[1] for pair in pairs):
        raise ScenarioError(f"{place} must be a list of [from, until], in seconds from the start")
    return tuple((pair[0], pair[1]) for pair in pairs)
