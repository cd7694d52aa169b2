"""What the parts of the site file have in common: strictness, and the forms of names and of number prefixes."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")]
"""Ids people write: lower-case letters, digits, dot, underscore, hyphen."""


def _names_hours(given: object) -> object:
    if isinstance(given, str) and _NAME.fullmatch(given):
        return given
    shown = repr(given) if isinstance(given, str | int | float) else "a table"
    raise ValueError(
        f"{shown} is no name of opening hours: write the times as a table of their own, such as [hours.office], and "
        'name it here, hours = "office" (lower-case letters, digits, dot, underscore, hyphen)'
    )


HoursName = Annotated[str, BeforeValidator(_names_hours)]
"""Which ``[hours.NAME]`` is meant; the times themselves are never written in its place."""
Prefix = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{0,14}$")]
"""The beginning of numbers in international form: ``+`` and digits, nothing else."""
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166."""


class SiteModel(BaseModel):
    """A part of the site: frozen, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
