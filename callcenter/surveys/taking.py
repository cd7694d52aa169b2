"""Takes answers, whichever way they come: once for each contact, while they count, and journaled by the exchange."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum

from agent_console.ports import IntentError
from callcenter.appraisals.facts import SurveyAnswered, SurveyAsked, SurveyKind
from callcenter.journal import JournalReader
from callcenter.ports import Clock
from callcenter.surveys.answers import Answer, clean_comment, read_answer
from callcenter.surveys.rules import bounds
from crm_bridge.database import Database
from crm_bridge.models import SurveyInvitation
from crm_bridge.survey_invitations import invitation, open_at


class Standing(StrEnum):
    """How it stands with an answer."""

    OPEN = "open"
    """It may be given."""
    TAKEN = "taken"
    """It was given just now."""
    ANSWERED = "answered"
    """It was given before."""
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    """Nobody was asked."""
    INVALID = "invalid"
    """It is off the scale."""


class SurveyAnswers:
    """``write_down`` has the exchange journal an entry, and returns when it is on disk."""

    def __init__(
        self, reader: JournalReader, database: Database, write_down: Callable[[object], Awaitable[None]], clock: Clock
    ) -> None:
        self._reader, self._database, self._write_down, self._clock = reader, database, write_down, clock

    async def standing(self, call_id: str) -> tuple[Standing, str]:
        """How it stands with this contact, and what was asked (``csat``, ``nps``). Raises ``CrmError``."""
        asked, answered = await self._told(call_id)
        if asked is None:
            return Standing.UNKNOWN, ""
        if answered:
            return Standing.ANSWERED, asked.kind
        async with self._database.read() as session:
            row = await invitation(session, call_id)
        return (Standing.EXPIRED if row is None or self._is_over(row) else Standing.OPEN), asked.kind

    async def take(self, call_id: str, score: int, comment: str) -> Standing:
        """Take an answer. Raises ``CrmError``, and ``IntentError`` while the exchange is away."""
        standing, kind = await self.standing(call_id)
        if standing is not Standing.OPEN:
            return standing
        low, high = bounds(kind)
        if not low <= score <= high:
            return Standing.INVALID
        return await self._write(call_id, Answer(score, clean_comment(comment)))

    async def take_reply(self, channel: str, address: str, text: str) -> bool:
        """A message that came back from an address: whether it was an answer to what was asked there last, and is
        taken. Raises as ``take``."""
        now = datetime.fromtimestamp(self._clock.now() / 1000, UTC)
        async with self._database.read() as session:
            rows = await open_at(session, address, channel, now)
            last = rows[0] if rows else None
        answer = None if last is None else read_answer(last.kind, text)
        if last is None or answer is None:
            return False
        told = await self._entries(last.call_id)
        before = next((each for each in told if isinstance(each, SurveyAnswered)), None)
        if before is not None:  # the gateway may bring the same message twice
            return (before.score, before.comment) == (answer.score, answer.comment)
        return await self._write(last.call_id, answer) is Standing.TAKEN

    async def _write(self, call_id: str, answer: Answer) -> Standing:
        asked, _ = await self._told(call_id)
        if asked is None:
            return Standing.UNKNOWN
        try:
            await self._write_down(
                SurveyAnswered(
                    call_id, 0, SurveyKind(asked.kind), answer.score, asked.queue_id, asked.agent_id, asked.how,
                    asked.at, answer.comment,
                )
            )  # fmt: skip
        except IntentError as error:
            if error.code == "already-answered":
                return Standing.ANSWERED
            raise
        return Standing.TAKEN

    async def _told(self, call_id: str) -> tuple[SurveyAsked | None, bool]:
        told = await self._entries(call_id)
        asked = next((each for each in told if isinstance(each, SurveyAsked)), None)
        return asked, any(isinstance(each, SurveyAnswered) for each in told)

    async def _entries(self, call_id: str) -> list[object]:
        return [row.entry for row in await asyncio.to_thread(self._reader.about, call_id)]

    def _is_over(self, row: SurveyInvitation) -> bool:
        now = datetime.fromtimestamp(self._clock.now() / 1000, UTC)
        return row.expires_at is None or now >= row.expires_at
