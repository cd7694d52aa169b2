"""Finding words in a customer's timeline: in notes, in what agents wrote after contacts, in what the customer said in
answer to a survey, and in transcripts.

What was said is looked through only where the person asking may read it. A long history is looked through a portion at
a time, so that no page takes long; a page may be empty and still lead on.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.errors import InvalidField
from crm_bridge.models import Interaction, Note, SurveyResponse, TimelineEvent, Transcript, WrapUp
from crm_bridge.search_texts import normalise_name
from crm_bridge.transcripts import contains, read_by
from crm_bridge.vocabulary import TimelineKind, TranscriptState

LOOKED_THROUGH = 1000
"""Entries for one page."""
_MAX_WORDS = 8


def words_of(typed: str) -> tuple[str, ...]:
    """The words that must all be in one text. Raises ``InvalidField`` where there is none."""
    words = tuple(dict.fromkeys(normalise_name(typed).split()))[:_MAX_WORDS]
    if not words:
        raise InvalidField("there is no word to look for", where="query.words")
    return words


async def entries_with(
    session: AsyncSession, wanted: Select[TimelineEvent], words: Collection[str], limit: int
) -> tuple[Sequence[TimelineEvent], TimelineEvent | None]:
    """Of the next entries of ``wanted`` (newest first) those with these words, and the entry after which the next page
    begins; ``None`` when there is none."""
    order = (TimelineEvent.at.desc(), TimelineEvent.id.desc())
    looked = (await session.scalars(wanted.order_by(*order).limit(LOOKED_THROUGH))).all()
    if not looked:
        return (), None
    ids = wanted.with_only_columns(TimelineEvent.id).order_by(*order).limit(LOOKED_THROUGH).subquery()
    found = (
        await session.scalars(
            select(TimelineEvent)
            .where(TimelineEvent.id.in_(select(ids.c.id)), _says(session, words))
            .order_by(*order)
            .limit(limit + 1)
        )
    ).all()
    if len(found) > limit:
        return found[:limit], found[limit - 1]
    return found, looked[-1] if len(looked) == LOOKED_THROUGH else None


def _says(session: AsyncSession, words: Collection[str]) -> ColumnElement[bool]:
    about = TimelineEvent.ref_id == Interaction.id
    spoken = exists().where(
        about,
        Transcript.contact_id == Interaction.contact_id,
        Transcript.state == TranscriptState.DONE,
        contains(Transcript.words, words),
    )
    if (readable := read_by(session)) is not None:
        spoken = spoken.where(readable)
    written = exists().where(
        about, WrapUp.contact_id == Interaction.contact_id, contains(func.lower(WrapUp.notes), words)
    )
    answered = exists().where(
        about,
        SurveyResponse.call_id == Interaction.call_id,
        SurveyResponse.agent_id == func.coalesce(Interaction.agent_id, ""),
        contains(func.lower(SurveyResponse.comment), words),
    )
    noted = exists().where(Note.id == TimelineEvent.ref_id, contains(func.lower(Note.body), words))
    of_contact = TimelineEvent.kind == TimelineKind.INTERACTION
    return or_(of_contact & (spoken | written | answered), (TimelineEvent.kind == TimelineKind.NOTE) & noted)
