"""What was said, written down: kept for a recording or for a whole contact, read, searched, and let go.

A transcript is as personal as the recording it comes from and lives no longer: it goes when the file goes, with an
erasure, or when its own retention class (``transcripts``) says so.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from crm_bridge.audit import ASKING, note
from crm_bridge.errors import EtagMismatch, EtagRequired, InteractionNotFound, RecordingGone
from crm_bridge.models import Customer, Interaction, Recording, Transcript
from crm_bridge.permissions import Permission, allowed_to
from crm_bridge.search_texts import normalise_name
from crm_bridge.vocabulary import CustomerStatus, TranscriptState

_KEYS_IN_A_QUERY = 500


@dataclass(frozen=True, slots=True)
class Segment:
    """Something one party said: from and to in milliseconds from the start of the recording. ``party``: ``customer``,
    ``agent``, or a name that an outside service gives."""

    start_ms: int
    end_ms: int
    party: str
    text: str


@dataclass(frozen=True, slots=True)
class TranscriptSummary:
    """That there is a transcript, or why there is none, without a word of it. Without ``recording_id`` it is of the
    whole contact."""

    recording_id: str | None
    state: TranscriptState
    language: str | None
    source: str
    made_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class TranscriptView:
    """A transcript that is there. ``agent_id`` and ``queue_id`` say whose conversation it is, ``is_message`` that a
    caller left it for a queue or an agent; ``pauses`` are stretches in which nothing was recorded."""

    recording_id: str | None
    language: str | None
    source: str
    made_at: datetime | None
    segments: tuple[Segment, ...]
    pauses: tuple[tuple[int, int], ...]
    version: int
    agent_id: str | None
    queue_id: str | None
    is_message: bool


@dataclass(frozen=True, slots=True)
class NewTranscript:
    """What is to be kept. ``source`` is the engine, or who brought it."""

    segments: Sequence[Segment]
    language: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A finished recording without a transcript. ``path`` is below the folder of the recordings."""

    recording_id: str
    contact_id: str
    path: str
    duration_ms: int
    pauses: tuple[tuple[int, int], ...]
    language: str | None
    attempts: int


async def summaries_of(session: AsyncSession, contact_ids: Iterable[str]) -> dict[str, tuple[TranscriptSummary, ...]]:
    """What is there of the transcripts of contacts."""
    wanted = sorted(set(contact_ids))
    found: dict[str, tuple[TranscriptSummary, ...]] = {}
    columns = (
        Transcript.contact_id, Transcript.recording_id, Transcript.state, Transcript.language, Transcript.source,
        Transcript.made_at, Transcript.error,
    )  # fmt: skip
    for start in range(0, len(wanted), _KEYS_IN_A_QUERY):
        portion = wanted[start : start + _KEYS_IN_A_QUERY]
        rows = await session.execute(
            select(*columns).where(Transcript.contact_id.in_(portion)).order_by(Transcript.recording_id)
        )
        for row in rows:
            told = TranscriptSummary(
                row.recording_id or None, row.state, row.language, row.source, row.made_at, row.error
            )
            found[row.contact_id] = (*found.get(row.contact_id, ()), told)
    return found


async def transcripts_of(session: AsyncSession, contact_id: str) -> tuple[TranscriptView, ...]:
    """The transcripts of a contact that are there, in the order of its recordings."""
    query = (
        select(Transcript, Recording, Interaction.agent_id, Interaction.queue_id)
        .outerjoin(Recording, Recording.recording_id == Transcript.recording_id)
        .outerjoin(Interaction, Interaction.contact_id == Transcript.contact_id)
        .where(Transcript.contact_id == contact_id, Transcript.state == TranscriptState.DONE)
        .order_by(Recording.started_at, Transcript.id)
    )
    return tuple(_view(*row) for row in (await session.execute(query)).all())


async def put_transcript(
    session: AsyncSession,
    contact_id: str,
    recording_id: str | None,
    new: NewTranscript,
    *,
    expected: int | None,
    is_any: bool,
    now: datetime,
) -> tuple[int, bool]:
    """Keep a transcript that somebody brings, in place of what is there; its version, and whether it is a new one.

    ``expected`` is the version that is to be replaced, ``is_any`` waives it. The same words again change nothing.
    Raises ``InteractionNotFound``, ``RecordingGone`` (there is none, it was deleted, or its person was erased),
    ``EtagRequired``, ``EtagMismatch``.
    """
    await _check_there(session, contact_id, recording_id)
    row = await _row(session, contact_id, recording_id or "")
    if row is not None and row.state is TranscriptState.DONE:
        told = [asdict(each) for each in new.segments]
        if (row.segments, row.language, row.source) == (told, new.language, new.source):
            return row.version, False
        if not is_any and expected is None:
            raise EtagRequired(
                "there is a transcript; say with If-Match which one you replace", where="header.if-match"
            )
        if not is_any and expected != row.version:
            raise EtagMismatch("this is not the transcript that is there", where="header.if-match")
        row.version += 1
        _fill(row, new, now)
        await session.flush()
        return row.version, False
    if expected is not None:
        raise EtagMismatch("there is no transcript yet", where="header.if-match")
    row = row or _new(session, contact_id, recording_id or "")
    _fill(row, new, now)
    await session.flush()
    return row.version, True


async def unwritten(session: AsyncSession, *, since: datetime, now: datetime, limit: int) -> Sequence[Unwritten]:
    """Finished recordings since then that nobody has written down, the oldest first; what failed, when its time has
    come."""
    waits = (Transcript.state == TranscriptState.WAITING) & (Transcript.retry_at <= now)
    query = (
        select(Recording, Interaction.language, Transcript.attempts)
        .outerjoin(Transcript, _is_of_recording())
        .outerjoin(Interaction, Interaction.contact_id == Recording.contact_id)
        .where(Recording.stored_at >= since, Recording.path.is_not(None), Recording.duration_ms > 0)
        .where(Recording.deleted_at.is_(None), Recording.erase_at.is_(None), or_(Transcript.id.is_(None), waits))
        .order_by(Recording.stored_at, Recording.id)
        .limit(limit)
    )
    return [
        Unwritten(
            row.recording_id,
            row.contact_id,
            row.path or "",
            row.duration_ms or 0,
            tuple((start, end) for start, end in row.pauses),
            language,
            attempts or 0,
        )
        for row, language, attempts in (await session.execute(query)).all()
    ]


async def keep_written(session: AsyncSession, job: Unwritten, new: NewTranscript, *, now: datetime) -> bool:
    """Keep what an engine wrote; whether it was kept: not when the recording has gone, its person was erased, or
    somebody else brought a transcript meanwhile."""
    row = await _of_job(session, job)
    if row is None:
        return False
    _fill(row, new, now)
    await session.flush()
    return True


async def note_unwritten(
    session: AsyncSession, job: Unwritten, state: TranscriptState, error: str, *, source: str, retry_at: datetime | None
) -> None:
    """Say why there is no transcript of this recording, and when it is tried again."""
    row = await _of_job(session, job)
    if row is None:
        return
    row.state, row.error, row.source, row.retry_at = state, error, source, retry_at
    row.attempts = job.attempts + 1
    await session.flush()


async def delete_with_recordings(session: AsyncSession, recording_ids: Sequence[str]) -> None:
    """The files of these recordings are gone, so are their words, and what was written of the contact as a whole."""
    for start in range(0, len(recording_ids), _KEYS_IN_A_QUERY):
        portion = recording_ids[start : start + _KEYS_IN_A_QUERY]
        contacts = select(Recording.contact_id).where(Recording.recording_id.in_(portion))
        whole = Transcript.contact_id.in_(contacts) & (Transcript.recording_id == "")
        await session.execute(delete(Transcript).where(or_(Transcript.recording_id.in_(portion), whole)))


async def delete_of_customers(session: AsyncSession, customer_ids: Sequence[int]) -> int:
    """Delete the transcripts of these people, but for those of recordings on legal hold, which go when these do; how
    many."""
    contacts = select(Interaction.contact_id).where(Interaction.customer_id.in_(customer_ids))
    held = select(Recording.recording_id).where(Recording.contact_id.in_(contacts), Recording.legal_hold.is_(True))
    theirs = (Transcript.contact_id.in_(contacts), Transcript.recording_id.not_in(held))
    count = await session.scalar(select(func.count()).select_from(Transcript).where(*theirs)) or 0
    await session.execute(delete(Transcript).where(*theirs))
    return count


def read_by(session: AsyncSession) -> ColumnElement[bool] | None:
    """Which transcripts the person of this session may read, as a condition on ``Transcript``: all (``None``), those of
    the agents led, and the own ones. Messages that callers leave are for those who read all."""
    asking = session.info.get(ASKING)
    if asking is None:
        return None
    allowed = allowed_to(asking)
    if {Permission.LISTEN, Permission.ALL_TEAMS} <= allowed:
        return None
    agents = {getattr(asking, "agent_id", None)} - {None}
    if Permission.LISTEN in allowed:
        agents |= set(getattr(asking, "led_agents", ()))
    names = sorted(map(str, agents))
    recording, contact = aliased(Recording), aliased(Interaction)  # whoever asks may have the tables themselves
    heard = exists().where(recording.recording_id == Transcript.recording_id, recording.agent_id.in_(names))
    whole = exists().where(contact.contact_id == Transcript.contact_id, contact.agent_id.in_(names))
    return or_(heard, (Transcript.recording_id == "") & whole)


def contains(column: Any, words: Collection[str]) -> ColumnElement[bool]:
    """Whether all of these are somewhere in a column of texts."""
    found: ColumnElement[bool] = column.contains(next(iter(words)), autoescape=True)
    for word in words:
        found &= column.contains(word, autoescape=True)
    return found


def log_reading(session: AsyncSession, contact_id: str) -> None:
    """Put into the audit log that the person of this session reads what was said."""
    note(session, "read", "transcript", contact_id)


def _is_of_recording() -> ColumnElement[bool]:
    same: ColumnElement[bool] = Transcript.contact_id == Recording.contact_id
    return same & (Transcript.recording_id == Recording.recording_id)


async def _check_there(session: AsyncSession, contact_id: str, recording_id: str | None) -> None:
    query = select(Interaction.id, Customer.status).outerjoin(Customer, Customer.id == Interaction.customer_id)
    found = (await session.execute(query.where(Interaction.contact_id == contact_id))).one_or_none()
    if found is None:
        raise InteractionNotFound("no interaction has this contact id", where="path.contact_id")
    if found.status is CustomerStatus.ERASED:
        raise RecordingGone("the person was erased", where="path.contact_id")
    if recording_id is not None and await _recording(session, contact_id, recording_id) is None:
        raise RecordingGone("there is no such recording any more", where="body.recording_id")


async def _recording(session: AsyncSession, contact_id: str, recording_id: str) -> Recording | None:
    """The recording, unless it has gone or is to go."""
    there = (Recording.deleted_at.is_(None), Recording.erase_at.is_(None), Recording.contact_id == contact_id)
    found: Recording | None = await session.scalar(
        select(Recording).where(Recording.recording_id == recording_id, *there)
    )
    return found


async def _of_job(session: AsyncSession, job: Unwritten) -> Transcript | None:
    """The row to be filled; none where nothing is to be written."""
    if await _recording(session, job.contact_id, job.recording_id) is None:
        return None
    row = await _row(session, job.contact_id, job.recording_id)
    if row is not None and row.state is TranscriptState.DONE:
        return None
    return row or _new(session, job.contact_id, job.recording_id)


async def _row(session: AsyncSession, contact_id: str, recording_id: str) -> Transcript | None:
    here = (Transcript.contact_id == contact_id, Transcript.recording_id == recording_id)
    found: Transcript | None = await session.scalar(select(Transcript).where(*here))
    return found


def _new(session: AsyncSession, contact_id: str, recording_id: str) -> Transcript:
    row = Transcript(contact_id=contact_id, recording_id=recording_id, segments=[], words="", source="", version=1)
    session.add(row)
    return row


def _fill(row: Transcript, new: NewTranscript, now: datetime) -> None:
    row.state, row.error, row.retry_at, row.made_at = TranscriptState.DONE, None, None, now
    row.language, row.source = new.language, new.source
    row.segments = [asdict(each) for each in new.segments]
    row.words = normalise_name(" ".join(each.text for each in new.segments))


def _view(row: Transcript, recording: Recording | None, agent_id: str | None, queue_id: str | None) -> TranscriptView:
    of = recording or None
    return TranscriptView(
        recording_id=row.recording_id or None,
        language=row.language,
        source=row.source,
        made_at=row.made_at,
        segments=tuple(Segment(**each) for each in row.segments),
        pauses=() if of is None else tuple((start, end) for start, end in of.pauses),
        version=row.version,
        agent_id=agent_id if of is None else of.agent_id,
        queue_id=queue_id if of is None else of.queue_id,
        is_message=of is not None and of.agent_id is None,
    )
