"""Fields that an installation adds to its customers, and what may be in them. Pure; ``catalogue`` stores them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from crm_bridge.errors import InvalidField
from crm_bridge.vocabulary import DataClass, FieldGroup, FieldType

CODE = re.compile(r"[a-z][a-z0-9_]{0,47}")
MAX_TEXT = 2000
MAX_CHOICES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDefinition:
    """One custom field. ``minimum`` and ``maximum`` bound numbers and dates, and the length of texts."""

    code: str
    label: str
    type: FieldType
    field_group: FieldGroup = FieldGroup.RELATED
    data_class: DataClass = DataClass.PERSONAL
    is_required: bool = False
    options: tuple[str, ...] = ()
    minimum: str | None = None
    maximum: str | None = None
    purpose: str | None = None


def check_definition(field: FieldDefinition) -> None:
    """Raise ``InvalidField`` for a definition that no value could satisfy."""
    if not CODE.fullmatch(field.code):
        raise InvalidField("a code is lower-case letters, digits and underscores", where="body.code")
    if (field.type in {FieldType.CHOICE, FieldType.CHOICES}) != bool(field.options):
        raise InvalidField("choices need options, and nothing else has them", where="body.options")
    for name, bound in (("minimum", field.minimum), ("maximum", field.maximum)):
        if bound is not None:
            _bound(field, bound, f"body.{name}")


def checked_value(field: FieldDefinition, value: Any) -> Any:
    """The value as it is stored (JSON). ``None`` empties the field. Raises ``InvalidField``."""
    where = f"body.custom.{field.code}"
    if value is None:
        if field.is_required:
            raise InvalidField("this field must not be empty", where=where)
        return None
    stored, measure = _CHECKS[field.type](field, value, where)
    if measure is not None:
        low, high = (None if bound is None else _bound(field, bound, where) for bound in (field.minimum, field.maximum))
        if (low is not None and measure < low) or (high is not None and measure > high):
            raise InvalidField("the value is outside of its bounds", where=where)
    return stored


def checked_custom(fields: Mapping[str, FieldDefinition], given: Mapping[str, Any]) -> dict[str, Any]:
    """All given values as they are stored. Raises ``InvalidField``, also for a field nobody has defined."""
    for code in given:
        if code not in fields:
            raise InvalidField("there is no such field", where=f"body.custom.{code}"[:100])
    return {code: checked_value(fields[code], value) for code, value in given.items()}


def _bound(field: FieldDefinition, text: str, where: str) -> Any:
    try:
        if field.type is FieldType.DATE:
            return date.fromisoformat(text)
        if field.type in {FieldType.NUMBER, FieldType.INTEGER, FieldType.TEXT}:
            return float(text)
    except ValueError:
        pass
    raise InvalidField("this bound does not fit the field", where=where)


def _text(_field: FieldDefinition, value: Any, where: str) -> tuple[Any, Any]:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        raise InvalidField("this is no text, an empty or a too long one", where=where)
    return value.strip(), len(value.strip())


def _number(_field: FieldDefinition, value: Any, where: str) -> tuple[Any, Any]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
        raise InvalidField("this is not a number", where=where)
    return value, value


def _integer(_field: FieldDefinition, value: Any, where: str) -> tuple[Any, Any]:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**53:
        raise InvalidField("this is not a whole number", where=where)
    return value, value


def _boolean(_field: FieldDefinition, value: Any, where: str) -> tuple[Any, Any]:
    if not isinstance(value, bool):
        raise InvalidField("this is neither true nor false", where=where)
    return value, None


def _date(_field: FieldDefinition, value: Any, where: str) -> tuple[Any, Any]:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise InvalidField("this is not a date such as 2026-03-02", where=where) from error
    return day.isoformat(), day


def _choice(field: FieldDefinition, value: Any, where: str) -> tuple[Any, Any]:
    if value not in field.options:
        raise InvalidField("this is not one of the options", where=where)
    return value, None


def _choices(field: FieldDefinition, value: Any, where: str) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) > MAX_CHOICES or any(each not in field.options for each in value):
        raise InvalidField("these are not all options", where=where)
    return [option for option in field.options if option in value], None


_CHECKS: dict[FieldType, Callable[[FieldDefinition, Any, str], tuple[Any, Any]]] = {
    FieldType.TEXT: _text,
    FieldType.NUMBER: _number,
    FieldType.INTEGER: _integer,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.CHOICE: _choice,
    FieldType.CHOICES: _choices,
}
