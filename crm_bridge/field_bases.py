"""On which legal ground a field is kept, and what for. What an installation says goes before what is usual.

An installation's own field has no usual ground: it has none until somebody says which, and that shows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.catalogue import field_definitions
from crm_bridge.custom_fields import FieldDefinition
from crm_bridge.errors import InvalidField, ItemNotFound
from crm_bridge.models import FieldBasis
from crm_bridge.privacy_rules import LEGAL_BASES
from crm_bridge.profiles import OF_CUSTOMER, OF_PROFILE

PARTS = ("phone", "email", "identity", "preferences", "personal_preference", "tags", "relation", "owner", "level")
"""What of a record is no single field, and can have a ground as well."""
CONTRACTUAL_STAGES = frozenset({"contracted", "prospective_owner", "owner", "member"})
"""At these stages there is a contract, for which name and addresses are needed."""
_FOR_THE_BOOKS = frozenset({"tax_number", "legal_name"})
_CUSTOM = re.compile(r"custom\.[a-z0-9_]{1,48}")
SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Ground:
    """``decided_by``: ``installation``, ``consent`` (the customer's own), ``usual``; ``None`` where nobody has said."""

    legal_basis: str | None
    purpose: str | None
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class Grounds:
    """What is known of the grounds, to ask for many fields. ``stage`` is the customer's lifecycle stage."""

    stated: Mapping[str, FieldBasis]
    custom: Mapping[str, FieldDefinition]
    stage: str | None

    def of(self, field: str) -> Ground:
        """The ground of a field: of the record's own, of one of ``PARTS``, or of ``custom.CODE``. Pure."""
        stated = self.stated.get(field)
        code = field.removeprefix("custom.")
        kept_for = self.custom[code].purpose if field.startswith("custom.") and code in self.custom else None
        if stated is not None:
            return Ground(stated.legal_basis, stated.purpose or kept_for, "installation")
        if field.startswith("custom."):
            return Ground(None, kept_for, None)
        if field in _FOR_THE_BOOKS:
            return Ground("legal_obligation", "accounting", "usual")
        return Ground("contract" if self.stage in CONTRACTUAL_STAGES else "legitimate_interest", SERVICE, "usual")


async def grounds(session: AsyncSession, stage: str | None) -> Grounds:
    """What the installation says."""
    stated = {row.field: row for row in await session.scalars(select(FieldBasis))}
    return Grounds(stated, await field_definitions(session), stage)


async def field_bases(session: AsyncSession) -> Sequence[FieldBasis]:
    """What the installation has said, by field."""
    return (await session.scalars(select(FieldBasis).order_by(FieldBasis.field))).all()


async def state_basis(session: AsyncSession, field: str, legal_basis: str, purpose: str | None) -> FieldBasis:
    """Say on which ground a field is kept. Raises ``InvalidField``."""
    if field not in (*OF_CUSTOMER, *OF_PROFILE, *PARTS) and not _CUSTOM.fullmatch(field):
        raise InvalidField("there is no such field; an own one is custom.CODE", where="path.field")
    if legal_basis not in LEGAL_BASES:
        raise InvalidField(f"a legal basis is one of {', '.join(LEGAL_BASES)}", where="body.legal_basis")
    row = await session.get(FieldBasis, field)
    if row is None:
        row = FieldBasis(field=field)
        session.add(row)
    row.legal_basis, row.purpose = legal_basis, purpose
    await session.flush()
    return row


async def forget_basis(session: AsyncSession, field: str) -> None:
    """Leave it to what is usual again. Raises ``ItemNotFound``."""
    row = await session.get(FieldBasis, field)
    if row is None:
        raise ItemNotFound("nothing is said about this field", where="path.field")
    await session.delete(row)
    await session.flush()
