"""How lines sounded, in the store: written from the journal, read with their interactions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.ids import new_id
from crm_bridge.models import LineQuality
from crm_bridge.models.base import DEFAULT_TENANT, utc_now
from crm_bridge.records import LineQualityRecord
from crm_bridge.row_writing import Upsert

CUSTOMER = "customer"
_KEYS_IN_A_QUERY = 250
_TOLD = (
    "contact_id", "role", "agent_id", "agent_name", "measured_at", "codec", "packets_in", "packets_lost", "is_heard",
    "jitter_ms", "round_trip_ms", "far_loss_percent", "mos", "worst_mos", "worst_loss_percent", "journal_seq",
)  # fmt: skip
_LINES = Upsert(
    LineQuality,
    ("id", "tenant_id", "created_at", "updated_at", "call_id", "leg", *_TOLD),
    key=("call_id", "leg"),
    changes=(*_TOLD, "updated_at"),
)


@dataclass(frozen=True, slots=True)
class LineQualityView:
    """How one party's line sounded. ``mos`` is 1 to 4.4, ``None`` when nothing came; ``worst_mos`` that of the worst
    five seconds. ``far_loss_percent`` is what the party missed of us, as far as it said so."""

    role: str
    agent_name: str | None
    codec: str
    is_heard: bool
    loss_percent: float
    far_loss_percent: float | None
    jitter_ms: float
    round_trip_ms: float | None
    mos: float | None
    worst_mos: float | None
    worst_loss_percent: float | None


async def write_line_quality(session: AsyncSession, records: Sequence[LineQualityRecord]) -> None:
    """Write what the journal tells of lines; writing it again changes nothing."""
    now = utc_now()
    await _LINES.write(
        session,
        [
            {"id": new_id(), "tenant_id": DEFAULT_TENANT, "created_at": now, "updated_at": now}
            | {"call_id": each.call_id, "leg": each.leg}
            | {name: getattr(each, name) for name in _TOLD}
            for each in records
        ],
    )


async def lines_of(
    session: AsyncSession, contacts: Iterable[tuple[str, str]]
) -> dict[str, tuple[LineQualityView, ...]]:
    """The lines of contacts, given as (contact id, call id): the customer's first, then who was in that contact."""
    wanted = sorted(set(contacts))
    found: dict[str, tuple[LineQualityView, ...]] = {}
    for start in range(0, len(wanted), _KEYS_IN_A_QUERY):
        portion = wanted[start : start + _KEYS_IN_A_QUERY]
        ids, calls = [contact_id for contact_id, _ in portion], {call_id for _, call_id in portion}
        of_customer = (LineQuality.role == CUSTOMER) & LineQuality.call_id.in_(sorted(calls))
        of_others = LineQuality.contact_id.in_(ids) & LineQuality.role.not_in((CUSTOMER, ""))
        rows = (await session.scalars(select(LineQuality).where(or_(of_customer, of_others)))).all()
        rows = sorted(rows, key=lambda row: (row.measured_at, row.id))  # a few: an index would only be in the way
        for contact_id, call_id in portion:
            lines = [row for row in rows if row.role == CUSTOMER and row.call_id == call_id]
            lines += [row for row in rows if row.role != CUSTOMER and row.contact_id == contact_id]
            if lines:
                found[contact_id] = tuple(_view(row) for row in lines)
    return found


def _view(row: LineQuality) -> LineQualityView:
    sent = row.packets_in + row.packets_lost
    return LineQualityView(
        role=row.role,
        agent_name=row.agent_name,
        codec=row.codec,
        is_heard=row.is_heard,
        loss_percent=round(100 * row.packets_lost / sent, 1) if sent else 0.0,
        far_loss_percent=row.far_loss_percent,
        jitter_ms=row.jitter_ms,
        round_trip_ms=row.round_trip_ms,
        mos=row.mos,
        worst_mos=row.worst_mos,
        worst_loss_percent=row.worst_loss_percent,
    )
