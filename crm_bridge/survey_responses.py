"""Answers to surveys, in the store: written from the journal, read with their interactions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, case, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.ids import new_id
from crm_bridge.models import SurveyResponse
from crm_bridge.models.base import DEFAULT_TENANT, utc_now
from crm_bridge.records import SurveyRecord

_KEYS_IN_A_QUERY = 250


@dataclass(frozen=True, slots=True)
class SurveyView:
    """What the customer was asked and answered. ``kind``: ``csat`` (1 to 5) or ``nps`` (0 to 10)."""

    kind: str
    asked_at: datetime
    score: int | None
    answered_at: datetime | None
    comment: str = ""


async def write_surveys(session: AsyncSession, records: Sequence[SurveyRecord]) -> None:
    """Write what the journal tells of surveys, in any order; the first answer stays, whatever comes after it."""
    if not records:
        return
    table: Table = SurveyResponse.__table__  # type: ignore[assignment]
    is_sqlite = (await session.connection()).dialect.name == "sqlite"
    now = utc_now()
    for each in records:  # one by one: an answer and its question may be in one batch
        upsert = (sqlite if is_sqlite else postgresql).insert(table)
        changes: dict[str, Any] = {
            "score": func.coalesce(table.c.score, upsert.excluded.score),
            "answered_at": func.coalesce(table.c.answered_at, upsert.excluded.answered_at),
            "comment": case(
                (table.c.answered_at.is_(None), upsert.excluded.comment), else_=table.c.comment
            ),  # the words of the answer that stays
            "updated_at": upsert.excluded.updated_at,
        }
        values = {
            "id": new_id(),
            "tenant_id": DEFAULT_TENANT,
            "created_at": now,
            "updated_at": now,
            "call_id": each.call_id,
            "agent_id": each.agent_id,
            "kind": each.kind,
            "asked_at": each.asked_at,
            "score": each.score,
            "answered_at": each.answered_at,
            "comment": each.comment or None,
            "journal_seq": each.journal_seq,
        }
        await session.execute(upsert.on_conflict_do_update(index_elements=["call_id"], set_=changes), values)


async def surveys_of(session: AsyncSession, contacts: Iterable[tuple[str, str, str | None]]) -> dict[str, SurveyView]:
    """The surveys of contacts, given as (contact id, call id, agent id): a survey is that of the agent it names."""
    wanted = {(call_id, agent_id or ""): contact_id for contact_id, call_id, agent_id in contacts}
    calls = sorted({call_id for call_id, _ in wanted})
    found: dict[str, SurveyView] = {}
    for start in range(0, len(calls), _KEYS_IN_A_QUERY):
        portion = calls[start : start + _KEYS_IN_A_QUERY]
        for row in await session.scalars(select(SurveyResponse).where(SurveyResponse.call_id.in_(portion))):
            contact_id = wanted.get((row.call_id, row.agent_id))
            if contact_id is not None:
                found[contact_id] = SurveyView(row.kind, row.asked_at, row.score, row.answered_at, row.comment or "")
    return found
