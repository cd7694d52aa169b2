"""Transcripts over HTTP: read by those who may hear the recording, brought by programs.

Whoever reads is in the store's audit log before a word goes out, as with the recording itself.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent_console.auth import current_principal
from agent_console.ports import Principal
from callcenter.ports import Clock
from callcenter.recordings.player import may_hear
from crm_bridge.api.etags import IfMatch, expected_version
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.audit import ASKING
from crm_bridge.database import Database
from crm_bridge.errors import EtagMismatch, EtagRequired, Forbidden, InteractionNotFound, ItemNotFound, RecordingGone
from crm_bridge.history import find_interaction
from crm_bridge.permissions import Permission, Role, require
from crm_bridge.transcripts import NewTranscript, Segment, TranscriptView, log_reading, put_transcript, transcripts_of

MAX_SEGMENTS = 20_000
LONGEST_MS = 24 * 3_600_000
RecordingQuery = Annotated[str | None, Query(max_length=200, description="Only that of this recording.")]


class SpokenIn(BaseModel):
    """Something a party said, in milliseconds from the start of the recording."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    start_ms: Annotated[int, Field(ge=0, le=LONGEST_MS)]
    end_ms: Annotated[int, Field(ge=0, le=LONGEST_MS)]
    party: Annotated[str, Field(min_length=1, max_length=64)] = "customer"
    text: Annotated[str, Field(min_length=1, max_length=4000)]

    @model_validator(mode="after")
    def _forwards(self) -> "SpokenIn":
        if self.end_ms < self.start_ms:
            raise ValueError("end_ms lies before start_ms")
        return self


class TranscriptIn(BaseModel):
    """What was said in a recording, or without ``recording_id`` in the whole contact."""

    model_config = ConfigDict(extra="forbid")

    recording_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    segments: Annotated[list[SpokenIn], Field(max_length=MAX_SEGMENTS)]


class TranscriptOut(BaseModel):
    """What was said, by whom and when. ``pauses`` are stretches in which nothing was recorded, in milliseconds;
    ``version`` is what ``If-Match`` names."""

    model_config = ConfigDict(from_attributes=True)

    recording_id: str | None
    language: str | None
    source: str
    made_at: datetime | None
    segments: list[SpokenIn]
    pauses: list[tuple[int, int]]
    version: int


class KeptOut(BaseModel):
    """The version that is kept now."""

    version: int


def transcript_router(database: Database, clock: Clock) -> APIRouter:
    """The routes, for the web process."""
    router = routes_about("transcripts")
    _reading(router, database)
    _bringing(router, database, clock)
    return router


def _reading(router: APIRouter, database: Database) -> None:
    @router.get("/interactions/{contact_id}/transcript", responses=responses(InteractionNotFound, ItemNotFound))
    async def get_transcript(
        contact_id: str,
        principal: Annotated[Principal, Depends(current_principal)],
        response: Response,
        recording_id: RecordingQuery = None,
    ) -> list[TranscriptOut]:
        """What was said in a contact, for whoever may hear it; `ETag` where it is one transcript."""
        require(principal, Permission.READ)
        async with database.begin() as session:
            session.info[ASKING] = principal
            await find_interaction(session, contact_id)
            found = [
                each
                for each in await transcripts_of(session, contact_id)
                if recording_id is None or each.recording_id == recording_id
            ]
            if not found:
                raise ItemNotFound("nobody has written this down", where="path.contact_id")
            found = _readable(principal, found)
            log_reading(session, contact_id)
        if len(found) == 1:
            response.headers["ETag"] = f'"{found[0].version}"'
        return [TranscriptOut.model_validate(each) for each in found]


def _bringing(router: APIRouter, database: Database, clock: Clock) -> None:
    @router.put(
        "/interactions/{contact_id}/transcript",
        responses=responses(InteractionNotFound, RecordingGone, EtagRequired, EtagMismatch),
    )
    async def bring_transcript(
        contact_id: str,
        body: TranscriptIn,
        principal: Annotated[Principal, Depends(_program)],
        response: Response,
        if_match: IfMatch = None,
    ) -> KeptOut:
        """Bring a transcript, as a program with a token that may write. One that is there is replaced with `If-Match`;
        the same one again changes nothing."""
        segments = tuple(Segment(each.start_ms, each.end_ms, each.party, each.text) for each in body.segments)
        new = NewTranscript(segments, body.language, principal.user_id)
        expected = expected_version(if_match) if if_match else None
        async with database.begin() as session:
            session.info[ASKING] = principal
            await find_interaction(session, contact_id)
            version, is_new = await put_transcript(
                session,
                contact_id,
                body.recording_id,
                new,
                expected=expected,
                is_any=if_match is not None and expected is None,
                now=datetime.fromtimestamp(clock.now() / 1000, UTC),
            )
        response.status_code = 201 if is_new else 200
        response.headers["ETag"] = f'"{version}"'
        return KeptOut(version=version)


def _program(principal: Annotated[Principal, Depends(current_principal)]) -> Principal:
    """Somebody who is a program and may write. Raises ``Forbidden``."""
    require(principal, Permission.WRITE)
    if Role.INTEGRATION not in {str(role) for role in principal.roles}:
        raise Forbidden("transcripts are brought by programs, which come in with a token")
    return principal


def _readable(principal: Principal, found: Sequence[TranscriptView]) -> list[TranscriptView]:
    """Those that this person may hear. Raises ``Forbidden`` where that is none."""
    readable = [
        each
        for each in found
        if may_hear(principal, agent_id=each.agent_id, queue_id=each.queue_id, is_message=each.is_message)
    ]
    if not readable:
        raise Forbidden("this is somebody else's conversation")
    return readable
