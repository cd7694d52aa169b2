"""Playing recordings: the one route by which a recording's audio leaves the house.

Whoever asks must see the interaction and be allowed to listen; that somebody listened is in the store's audit log
before the first byte goes out. Encrypted files are deciphered while they are sent, so nothing lies around in the clear.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import structlog
from fastapi import APIRouter, Depends, Header
from starlette.responses import Response, StreamingResponse

from agent_console.auth import current_principal
from agent_console.ports import Principal
from callcenter.channels.voicemail_routes import boxes_of
from callcenter.errors import MediaError
from callcenter.media.recordings import KeyRing, load_keys, open_recording
from callcenter.ports import Clock
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.audit import ASKING
from crm_bridge.database import Database
from crm_bridge.errors import Forbidden, InteractionNotFound, RecordingGone, RecordingNotFound
from crm_bridge.history import InteractionView, find_interaction
from crm_bridge.permissions import Permission, allowed_to, require
from crm_bridge.recordings import RecordingView, find_recording, log_listening

log = structlog.get_logger(__name__)

PORTION = 64 * 1024
LISTENING_MS = 10 * 60_000
"""A player asks for a recording in many pieces; within this time they are one listening in the log."""
REMEMBERED_LISTENINGS = 10_000
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a file: the first one and how many."""

    first: int
    length: int


def requested_span(header: str | None, size: int) -> Span | None:
    """What a ``Range`` header asks for (RFC 9110 section 14.2); ``None`` for all of it.

    A form that is not ours (several ranges, another unit) is ignored, as the RFC allows. Raises ``ValueError`` when
    nothing of what is asked for is there.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        first = size - length
    else:
        first = int(found[1])
        length = (min(int(found[2]), size - 1) if found[2] else size - 1) - first + 1
        if found[2] and int(found[2]) < first:
            return None
    if length <= 0 or first >= size:
        raise ValueError("the range lies outside of the file")
    return Span(first, length)


@dataclass(slots=True)
class RecordingShelf:
    """The recordings' folder as the player sees it, and who listens now."""

    root: Path
    key_file: Path | None
    clock: Clock
    _listening: OrderedDict[tuple[str, str], int] = field(default_factory=OrderedDict)

    def open(self, path: str) -> tuple[BinaryIO, int]:
        """A recording's file and its size. Raises ``RecordingGone``; blocks on the disk."""
        try:
            file = (self.root / path).resolve()
            if not file.is_relative_to(self.root.resolve()):
                raise RecordingGone("the recording cannot be played", where="path.recording_id")
            content = open_recording(file, self._keys())
        except (OSError, MediaError) as error:
            log.warning("recording not playable", error=type(error).__name__)
            raise RecordingGone("the recording cannot be read", where="path.recording_id") from error
        size = content.seek(0, 2)
        return content, size

    def is_new_listening(self, user_id: str, recording_id: str) -> bool:
        """Whether this is not just the next piece of what this person listens to already."""
        now, key = self.clock.now(), (user_id, recording_id)
        last = self._listening.pop(key, None)
        self._listening[key] = now
        while len(self._listening) > REMEMBERED_LISTENINGS:
            self._listening.popitem(last=False)
        return last is None or now - last > LISTENING_MS

    def _keys(self) -> KeyRing | None:
        return None if self.key_file is None else load_keys(self.key_file)


def player_router(database: Database, shelf: RecordingShelf | None) -> APIRouter:
    """The route, for the web process; without a shelf nothing was ever recorded and nothing is found."""
    router = routes_about("recordings")
    declared = responses(InteractionNotFound, RecordingNotFound, RecordingGone)
    content: dict[int | str, dict[str, Any]] = {
        200: {"content": {"audio/wav": {}}, "description": "The whole recording: WAV, left the customer."},
        206: {"content": {"audio/wav": {}}, "description": "The part that was asked for."},
        416: {"description": "There is no such part."},
    }

    @router.get(
        "/interactions/{contact_id}/recordings/{recording_id}",
        responses={**declared, **content},
        response_class=Response,
    )
    async def play_recording(
        contact_id: str,
        recording_id: str,
        principal: Annotated[Principal, Depends(current_principal)],
        range_: Annotated[str | None, Header(alias="range")] = None,
    ) -> Response:
        """The audio of a recording, also in parts, for whoever may listen to it."""
        require(principal, Permission.READ)
        async with database.read() as session:
            session.info[ASKING] = principal
            interaction = await find_interaction(session, contact_id)
            recording = await find_recording(session, contact_id, recording_id)
        check_listener(principal, interaction, recording)
        if shelf is None or recording.state != "stored" or recording.path is None:
            raise RecordingGone(f"the recording is not there ({recording.state})", where="path.recording_id")
        file, size = await asyncio.to_thread(shelf.open, recording.path)
        try:
            span = requested_span(range_, size)
        except ValueError:
            file.close()
            return Response(status_code=416, headers={"content-range": f"bytes */{size}"})
        try:
            if shelf.is_new_listening(principal.user_id, recording_id):
                async with database.begin() as session:
                    session.info[ASKING] = principal
                    log_listening(session, recording_id)
        except BaseException:
            file.close()
            raise
        return _audio(file, size, span)

    return router


def check_listener(principal: Principal, interaction: InteractionView, recording: RecordingView) -> None:
    """Whether this person may hear it. Raises ``Forbidden``."""
    is_message = recording.agent_id is None
    agent_id = recording.agent_id or interaction.agent_id
    if not may_hear(principal, agent_id=agent_id, queue_id=recording.queue_id, is_message=is_message):
        raise Forbidden("this is somebody else's conversation")


def may_hear(principal: Principal, *, agent_id: str | None, queue_id: str | None, is_message: bool) -> bool:
    """Whether this person may hear, or read, a conversation: by role, or because it is the own one; a message, because
    it lies in a box that the person works."""
    if is_message:
        boxes = boxes_of(principal)
        return boxes is None or queue_id in boxes or _may_hear(principal, None)
    return (agent_id is not None and agent_id == principal.agent_id) or _may_hear(principal, agent_id)


def _may_hear(principal: Principal, agent_id: str | None) -> bool:
    """Who sees all teams hears everybody; a team lead the agents of the own teams."""
    allowed = allowed_to(principal)
    return Permission.LISTEN in allowed and (Permission.ALL_TEAMS in allowed or agent_id in principal.led_agents)


def _audio(file: BinaryIO, size: int, span: Span | None) -> StreamingResponse:
    headers = {"accept-ranges": "bytes", "content-disposition": "inline", "x-content-type-options": "nosniff"}
    part = span or Span(0, size)
    headers["content-length"] = str(part.length)
    if span is not None:
        headers["content-range"] = f"bytes {span.first}-{span.first + span.length - 1}/{size}"
    return StreamingResponse(
        _portions(file, part), status_code=200 if span is None else 206, media_type="audio/wav", headers=headers
    )


def _portions(file: BinaryIO, span: Span) -> Iterator[bytes]:
    """The bytes, read by a thread of the server; a part that turns out damaged ends the answer short."""
    with file:
        file.seek(span.first)
        left = span.length
        while left > 0 and (portion := file.read(min(PORTION, left))):
            left -= len(portion)
            yield portion
