"""Numbers and addresses as they are given, and in the form in which they are compared. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from crm_bridge.errors import InvalidContactPoint
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.phone_numbers import PhoneNumber, ShortCode, parse_phone
from crm_bridge.vocabulary import ContactKind, ContactUsage


@dataclass(frozen=True, slots=True)
class NewContactPoint:
    """A number or address as it was given."""

    value: str
    kind: ContactKind = ContactKind.PHONE
    usage: ContactUsage = ContactUsage.OTHER
    is_primary: bool = False


@dataclass(frozen=True, slots=True)
class NormalPoint:
    """A contact point in comparable form. ``number`` only when it is a full phone number."""

    given: NewContactPoint
    value_norm: str
    number: PhoneNumber | None = None

    def columns(self, is_primary: bool) -> dict[str, Any]:
        """The values of its row, but for whose it is."""
        return {
            "tenant_id": DEFAULT_TENANT,
            "kind": self.given.kind,
            "usage": self.given.usage,
            "value_raw": self.given.value.strip(),
            "value_norm": self.value_norm,
            "phone_e164_int": self.number.e164_int if self.number else None,
            "ext": self.number.ext if self.number else None,
            "is_primary": is_primary,
        }


def distinct_points(points: Iterable[NewContactPoint], region: str | None) -> list[NormalPoint]:
    """The points in comparable form; the same number twice counts once, as it was given first.

    Raises ``InvalidContactPoint`` for a phone number or address that is none.
    """
    found: dict[tuple[ContactKind, str], NormalPoint] = {}
    for index, point in enumerate(points):
        normal = normalise_point(point, region, f"body.contact_points.{index}.value")
        found.setdefault((point.kind, normal.value_norm), normal)
    return list(found.values())


def normalise_point(point: NewContactPoint, region: str | None, where: str) -> NormalPoint:
    """The point in comparable form. Raises ``InvalidContactPoint``, which names ``where`` it was given."""
    if point.kind is ContactKind.EMAIL:
        address = point.value.strip().casefold()
        local, at, domain = address.rpartition("@")
        if not (local and at and domain) or not address.isprintable() or " " in address:
            raise InvalidContactPoint("this is not an e-mail address", where=where)
        return NormalPoint(point, address)
    match parse_phone(point.value, region):
        case PhoneNumber() as number:
            return NormalPoint(point, number.normal_form, number)
        case ShortCode(digits=digits):
            return NormalPoint(point, digits)
        case _:
            raise InvalidContactPoint("this is not a phone number", where=where)


def primary_marks(points: Sequence[NormalPoint]) -> list[bool]:
    """Which of the points are primary: of each kind the first one marked, else the first one."""
    marks = [False] * len(points)
    first: list[int] = []  # of each kind, there are few
    for place, point in enumerate(points):
        for at, other in enumerate(first):
            if points[other].given.kind is point.given.kind:
                if point.given.is_primary and not points[other].given.is_primary:
                    first[at] = place
                break
        else:
            first.append(place)
    for place in first:
        marks[place] = True
    return marks
