"""``[hours.NAME]`` of the site file: the same tables as in flows, read by the same reader."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

from ivr.errors import Problem
from ivr.hours import Hours
from ivr.hours_tables import read_hours
from ivr.tables import TableReader


def opening_hours(table: Mapping[str, Any]) -> Hours:
    """The hours that a table says. Raises ``ValueError`` naming every fault in it."""
    problems: list[Problem] = []
    hours = read_hours(TableReader(table, "", problems))
    if problems:
        raise ValueError("; ".join(map(str, problems)))
    return hours


def _checked(table: dict[str, Any]) -> dict[str, Any]:
    opening_hours(table)
    return table


HoursTable = Annotated[dict[str, Any], AfterValidator(_checked)]
"""A table of hours as written, found to be sound."""
