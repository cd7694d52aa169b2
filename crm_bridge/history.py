"""Reading interactions: one, a customer's last ones, or page by page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from crm_bridge.errors import InteractionNotFound
from crm_bridge.keyset import Cursor, Page, bounded, older_than
from crm_bridge.line_quality import LineQualityView, lines_of
from crm_bridge.models import ContactParent, Customer, Interaction, WrapUp
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.parents import ParentView
from crm_bridge.recordings import RecordingView, recordings_of
from crm_bridge.row_writing import among
from crm_bridge.survey_responses import SurveyView, surveys_of
from crm_bridge.transcripts import TranscriptSummary, summaries_of
from crm_bridge.visibility import hidden_from
from crm_bridge.vocabulary import Direction, MatchState

_Before = aliased(Interaction)
_Row = tuple[Interaction, WrapUp | None, str | None, str | None, str | None, str | None, str | None]
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class InteractionView:
    """An interaction with its wrap-up, as people read it. Durations are milliseconds."""

    id: int
    contact_id: str
    call_id: str
    channel: str
    direction: Direction
    outcome: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    from_value: str
    from_name: str
    to_value: str
    diverted_from: str | None
    customer_id: int | None
    customer_name: str | None
    match_state: MatchState
    queue_id: str | None
    agent_id: str | None
    agent_name: str | None
    language: str | None
    flow_path: tuple[str, ...]
    waited_ms: int
    ring_ms: int
    talk_ms: int
    ended_by: str
    disposition: str | None
    notes: str | None
    wrapped_up_at: datetime | None
    wrap_up_ms: int | None
    """From the end of the contact to the end of the wrap-up."""
    parent: ParentView | None = None
    recordings: tuple[RecordingView, ...] = ()
    lines: tuple[LineQualityView, ...] = ()
    """How each party was heard, the customer first."""
    survey: SurveyView | None = None
    """Whether the customer was asked afterwards, and the answer."""
    transcripts: tuple[TranscriptSummary, ...] = ()
    """Which recordings were written down."""


async def find_interaction(session: AsyncSession, contact_id: str) -> InteractionView:
    """The interaction of a contact. Raises ``InteractionNotFound``."""
    query = _seen(session, _complete().where(Interaction.contact_id == contact_id))
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise InteractionNotFound("no interaction has this contact id", where="path.contact_id")
    return (await _with_media(session, [_view(*row)]))[0]


async def page_interactions(session: AsyncSession, *, before: Cursor | None, limit: int) -> Page[InteractionView]:
    """All interactions that the person asking may see, newest first."""
    limit = bounded(limit)
    query = _seen(session, _complete().where(Interaction.tenant_id == DEFAULT_TENANT))
    if before is not None:
        query = query.where(older_than(before, Interaction.started_at, Interaction.id))
    rows = (await session.execute(_newest_first(query).limit(limit + 1))).all()
    items = await _with_media(session, [_view(*row) for row in rows[:limit]])
    return Page(items, Cursor(items[-1].started_at, items[-1].id) if len(rows) > limit else None)


@dataclass(frozen=True, slots=True)
class UnmatchedNumber:
    """A number whose contacts belong to nobody yet."""

    number: str
    interactions: int
    first_seen_at: datetime
    last_seen_at: datetime


async def unmatched_numbers(session: AsyncSession, *, since: datetime, limit: int) -> Sequence[UnmatchedNumber]:
    """Who contacted us since then and is no customer, the most frequent first."""
    count = func.count().label("count")
    query = (
        select(Interaction.party_norm, count, func.min(Interaction.started_at), func.max(Interaction.started_at))
        .where(
            Interaction.tenant_id == DEFAULT_TENANT,
            Interaction.started_at >= since,
            Interaction.customer_id.is_(None),
            Interaction.party_norm.is_not(None),
        )
        .group_by(Interaction.party_norm)
        .order_by(count.desc(), Interaction.party_norm)
        .limit(bounded(limit))
    )
    rows = (await session.execute(query)).all()
    return [UnmatchedNumber(number, times, first, last) for number, times, first, last in rows if number]


async def last_interactions(session: AsyncSession, customer_id: int, *, limit: int) -> Sequence[InteractionView]:
    """The customer's last interactions, newest first."""
    query = _newest_first(_complete().where(Interaction.customer_id == customer_id))
    return await _with_surveys(session, [_view(*row) for row in (await session.execute(query.limit(limit))).all()])


async def count_inbound_since(session: AsyncSession, customer_id: int, since: datetime) -> int:
    """How often the customer has contacted us since then."""
    query = select(func.count()).where(
        Interaction.customer_id == customer_id,
        Interaction.started_at >= since,
        Interaction.direction == Direction.INBOUND,
    )
    return (await session.scalar(query)) or 0


async def interactions_by_id(session: AsyncSession, ids: Iterable[int]) -> dict[int, InteractionView]:
    """The interactions with these ids."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = (await session.execute(_complete().where(Interaction.id.in_(wanted)))).all()
    return {each.id: each for each in await _with_media(session, [_view(*row) for row in rows])}


async def interactions_of(session: AsyncSession, contact_ids: Sequence[str]) -> tuple[InteractionView, ...]:
    """The interactions of these contacts, of those that have one."""
    rows = (await session.execute(_complete().where(among(session, Interaction.contact_id, contact_ids)))).all()
    return await _with_media(session, [_view(*row) for row in rows])


def _complete() -> Select[*_Row]:
    """Interactions with wrap-up, customer's name, and the contact they came from, whose own interaction may be
    missing."""
    return (
        select(
            Interaction,
            WrapUp,
            ContactParent.parent_contact_id,
            ContactParent.relation,
            _Before.agent_id,
            _Before.agent_name,
            Customer.display_name,
        )
        .outerjoin(WrapUp, WrapUp.contact_id == Interaction.contact_id)
        .outerjoin(ContactParent, ContactParent.contact_id == Interaction.contact_id)
        .outerjoin(Customer, Customer.id == Interaction.customer_id)
        .outerjoin(_Before, _Before.contact_id == ContactParent.parent_contact_id)
    )


def _seen(session: AsyncSession, query: Select[*_Row]) -> Select[*_Row]:
    """Without the interactions of customers who are hidden from the person asking."""
    hidden = hidden_from(session, Interaction.customer_id)
    return query if hidden is None else query.where(~hidden)


def _newest_first(query: Select[*_Row]) -> Select[*_Row]:
    return query.order_by(Interaction.started_at.desc(), Interaction.id.desc())


async def _with_media(session: AsyncSession, views: Sequence[InteractionView]) -> tuple[InteractionView, ...]:
    """The interactions with what was recorded, measured and answered of them, in one query each."""
    found = await recordings_of(session, [view.contact_id for view in views])
    lines = await lines_of(session, [(view.contact_id, view.call_id) for view in views])
    written = await summaries_of(session, [view.contact_id for view in views])
    return await _with_surveys(
        session,
        [
            replace(
                view,
                recordings=found.get(view.contact_id, ()),
                lines=lines.get(view.contact_id, ()),
                transcripts=written.get(view.contact_id, ()),
            )
            for view in views
        ],
    )


async def _with_surveys(session: AsyncSession, views: Sequence[InteractionView]) -> tuple[InteractionView, ...]:
    """The interactions with what the customer answered when asked about them."""
    found = await surveys_of(session, [(view.contact_id, view.call_id, view.agent_id) for view in views])
    return tuple(replace(view, survey=found.get(view.contact_id)) for view in views)


def _view(
    row: Interaction,
    wrap_up: WrapUp | None,
    came_from: str | None,
    relation: str | None,
    before_id: str | None,
    before_name: str | None,
    customer_name: str | None,
) -> InteractionView:
    return InteractionView(
        id=row.id,
        contact_id=row.contact_id,
        call_id=row.call_id,
        channel=row.channel,
        direction=row.direction,
        outcome=row.outcome,
        started_at=row.started_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        from_value=row.from_value,
        from_name=row.from_name,
        to_value=row.to_value,
        diverted_from=row.diverted_from,
        customer_id=row.customer_id,
        customer_name=customer_name,
        match_state=row.match_state,
        queue_id=row.queue_id,
        agent_id=row.agent_id,
        agent_name=row.agent_name,
        language=row.language,
        flow_path=tuple(row.flow_path),
        waited_ms=row.waited_ms,
        ring_ms=row.ring_ms,
        talk_ms=row.talk_ms,
        ended_by=row.ended_by,
        disposition=wrap_up.disposition if wrap_up else None,
        notes=wrap_up.notes if wrap_up else None,
        wrapped_up_at=wrap_up.wrapped_up_at if wrap_up else None,
        wrap_up_ms=max((wrap_up.wrapped_up_at - row.ended_at) // _MILLISECOND, 0) if wrap_up else None,
        parent=None if came_from is None else ParentView(came_from, relation or "", before_id, before_name),
    )
