"""What an installation has defined: custom fields and customer levels."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.custom_fields import FieldDefinition, check_definition
from crm_bridge.errors import InvalidField, ItemNotFound
from crm_bridge.level_rules import LevelRule, parse_rule
from crm_bridge.models import CustomerLevel, CustomField
from crm_bridge.ready_queries import Asked, ReadyQuery


async def field_definitions(session: AsyncSession) -> dict[str, FieldDefinition]:
    """All custom fields by code, in the order of their codes."""
    rows = await session.scalars(select(CustomField).order_by(CustomField.code))
    return {row.code: _definition(row) for row in rows}


async def define_field(session: AsyncSession, field: FieldDefinition) -> FieldDefinition:
    """Add a field or change one. Its type stays what it is, since customers have values of that type.

    Raises ``InvalidField``.
    """
    check_definition(field)
    row = await session.get(CustomField, field.code)
    if row is None:
        row = CustomField(code=field.code)
        session.add(row)
    elif row.type is not field.type:
        raise InvalidField("the type of a field cannot change; define another one", where="body.type")
    for name, value in asdict(field).items():
        setattr(row, name, list(value) if name == "options" else value)
    await session.flush()
    return _definition(row)


async def levels(session: AsyncSession) -> Sequence[CustomerLevel]:
    """All levels, the highest first."""
    query = select(CustomerLevel).order_by(CustomerLevel.rank.desc(), CustomerLevel.code)
    return (await session.scalars(query)).all()


async def level_named(session: AsyncSession, code: str) -> CustomerLevel:
    """The level. Raises ``ItemNotFound``."""
    row = await session.get(CustomerLevel, code)
    if row is None:
        raise ItemNotFound("there is no such level", where="path.code")
    return row


async def define_level(
    session: AsyncSession, code: str, *, name: str, rank: int, colour: str, rule: list[dict[str, object]] | None
) -> CustomerLevel:
    """Add a level or change one. Customers are looked at again by ``apply_level_rules``. Raises ``InvalidField``."""
    parse_rule(rule)
    row = await session.get(CustomerLevel, code)
    if row is None:
        row = CustomerLevel(code=code)
        session.add(row)
    row.name, row.rank, row.colour, row.rule = name, rank, colour, rule
    await session.flush()
    return row


async def level_rules(session: Asked) -> list[LevelRule]:
    """The levels as rules."""
    return [LevelRule(code, rank, parse_rule(rule)) for code, rank, rule in await _RULES.rows(session)]


_RULES = ReadyQuery(
    select(CustomerLevel.code, CustomerLevel.rank, CustomerLevel.rule).order_by(
        CustomerLevel.rank.desc(), CustomerLevel.code
    )
)


def _definition(row: CustomField) -> FieldDefinition:
    return FieldDefinition(
        code=row.code,
        label=row.label,
        type=row.type,
        field_group=row.field_group,
        data_class=row.data_class,
        is_required=row.is_required,
        options=tuple(row.options),
        minimum=row.minimum,
        maximum=row.maximum,
        purpose=row.purpose,
    )
