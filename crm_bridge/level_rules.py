"""Which level a customer has by rule. Pure.

A rule is a list of conditions that must all hold; the highest level whose rule holds is the customer's. A condition
about something unknown never holds: nobody becomes a key account because a field is empty.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_bridge.errors import InvalidField

FACTS = ("kind", "party_kind", "lifecycle_stage", "tags", "interactions_365d", "days_as_customer", "days_since_contact")
"""What a condition may ask for, beside ``custom.CODE``."""

MAX_CONDITIONS = 20


@dataclass(frozen=True, slots=True)
class Condition:
    """``fact`` stands to ``value`` as ``op`` says."""

    fact: str
    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class LevelRule:
    """A level; without conditions only people give it."""

    code: str
    rank: int
    conditions: tuple[Condition, ...] | None


def parse_rule(raw: Sequence[Mapping[str, Any]] | None) -> tuple[Condition, ...] | None:
    """The conditions of a rule as it is stored. Raises ``InvalidField``."""
    if raw is None:
        return None
    if not 0 < len(raw) <= MAX_CONDITIONS:
        raise InvalidField("a rule has one to twenty conditions", where="body.rule")
    return tuple(_condition(each, index) for index, each in enumerate(raw))


def level_for(facts: Mapping[str, Any], rules: Iterable[LevelRule]) -> str | None:
    """The code of the highest level whose conditions all hold; ``None`` when there is none."""
    for rule in sorted(rules, key=lambda rule: (-rule.rank, rule.code)):
        if rule.conditions and all(_holds(condition, facts) for condition in rule.conditions):
            return rule.code
    return None


def _condition(raw: Mapping[str, Any], index: int) -> Condition:
    where = f"body.rule.{index}"
    if set(raw) != {"fact", "op", "value"}:
        raise InvalidField("a condition has a fact, an op and a value", where=where)
    fact, op, value = str(raw["fact"]), str(raw["op"]), raw["value"]
    if fact not in FACTS and not fact.startswith("custom."):
        raise InvalidField("there is no such fact", where=f"{where}.fact")
    if op not in _OPS:
        raise InvalidField(f"op is one of {', '.join(_OPS)}", where=f"{where}.op")
    if op == "in" and not isinstance(value, list):
        raise InvalidField("`in` needs a list", where=f"{where}.value")
    return Condition(fact, op, value)


def _holds(condition: Condition, facts: Mapping[str, Any]) -> bool:
    known = facts.get(condition.fact)
    if known is None:
        return False
    try:
        return bool(_OPS[condition.op](known, condition.value))
    except TypeError:  # a text compared with a number: a rule that was written for another type of field
        return False


_OPS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda known, value: known == value,
    "!=": lambda known, value: known != value,
    ">=": lambda known, value: known >= value,
    "<=": lambda known, value: known <= value,
    "in": lambda known, value: known in value,
    "has": lambda known, value: value in known,
}
