"""How much of what is worth knowing about a customer is known, for each of three groups. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crm_bridge.custom_fields import FieldDefinition
from crm_bridge.vocabulary import CustomerKind, FieldGroup

_VISIBLE_OF_PERSON = ("birth_date", "gender", "occupation", "address", "phone", "email")
_VISIBLE_OF_ORG = ("legal_name", "industry", "address", "phone", "email")
_RELATED = ("lifecycle_stage", "level", "owner_id")
_EXTENDED = ("relations", "preferences", "tags")


@dataclass(frozen=True, slots=True)
class Completeness:
    """Filled fields among all fields of a group, and the names of those that are missing."""

    filled: int
    total: int
    missing: tuple[str, ...]

    @property
    def percent(self) -> int:
        """0 to 100; a group without fields is complete."""
        return 100 * self.filled // self.total if self.total else 100


def completeness(
    kind: CustomerKind, known: Collection[str], custom: Mapping[str, Any], definitions: Iterable[FieldDefinition]
) -> dict[FieldGroup, Completeness]:
    """By group. ``known`` names the built-in fields that hold something; custom fields count in their own group."""
    wanted: dict[FieldGroup, list[str]] = {
        FieldGroup.VISIBLE: list(_VISIBLE_OF_ORG if kind is CustomerKind.ORG else _VISIBLE_OF_PERSON),
        FieldGroup.RELATED: list(_RELATED),
        FieldGroup.EXTENDED: list(_EXTENDED),
    }
    for field in definitions:
        wanted[field.field_group].append(f"custom.{field.code}")
    filled = set(known) | {f"custom.{code}" for code, value in custom.items() if value not in (None, "", [])}
    return {group: _of(names, filled) for group, names in wanted.items()}


def _of(names: list[str], filled: set[str]) -> Completeness:
    missing = tuple(name for name in names if name not in filled)
    return Completeness(len(names) - len(missing), len(names), missing)
