"""Programs that come with a token: found in the customer store, whose table it is."""

import asyncio
from datetime import timedelta

import structlog

from agent_console.ports import Principal, Role, TokensAway
from callcenter.ports import Clock
from crm_bridge.api_tokens import find_token, note_use
from crm_bridge.database import Database
from crm_bridge.errors import CrmError
from crm_bridge.models import ApiToken
from crm_bridge.models.base import from_micros

log = structlog.get_logger(__name__)

LOOK_UP_SECONDS = 2.0
USE_IS_EXACT_TO = timedelta(minutes=1)


def actor_of(name: str) -> str:
    """What stands in the audit log for a program; no person has such an id."""
    return f"token:{name}"


class StoreTokens:
    """Implements the console's ``Tokens`` port. Each request looks the token up, so that a revoked one ends at once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._notes: dict[int, asyncio.Task[None]] = {}

    async def holder(self, token: str) -> Principal | None:
        """The program that holds this token; see the port."""
        now = from_micros(self._clock.now() * 1000)
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS), self._database.read() as session:
                row = await find_token(session, token, now=now)
        except (CrmError, TimeoutError) as error:
            raise TokensAway(str(error)) from error
        if row is None:
            return None
        if row.last_used_at is None or now - row.last_used_at >= USE_IS_EXACT_TO:
            self._note_soon(row)
        return Principal(
            user_id=actor_of(row.name),
            name=row.name,
            roles=frozenset({Role.INTEGRATION}),
            agent_id=None,
            queue_ids=frozenset(),
            scopes=frozenset(row.scopes),
        )

    def notes(self) -> list[asyncio.Task[None]]:
        """Uses that are being written down."""
        return list(self._notes.values())

    def _note_soon(self, row: ApiToken) -> None:
        """The request does not wait for it: it is a write."""
        if row.id not in self._notes:
            task = asyncio.create_task(self._note(row.id), name="token use")
            self._notes[row.id] = task
            task.add_done_callback(lambda _: self._notes.pop(row.id, None))

    async def _note(self, token_id: int) -> None:
        try:
            async with self._database.begin() as session:
                await note_use(session, token_id, from_micros(self._clock.now() * 1000))
        except CrmError as error:
            log.warning("use of a token not noted", error=str(error))
