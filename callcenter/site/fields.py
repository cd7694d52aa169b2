"""What the parts of the site file have in common: strictness, and the forms of names and of number prefixes."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")]
"""Ids people write: lower-case letters, digits, dot, underscore, hyphen."""
Prefix = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{0,14}$")]
"""The beginning of numbers in international form: ``+`` and digits, nothing else."""
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166."""


class SiteModel(BaseModel):
    """A part of the site: frozen, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
