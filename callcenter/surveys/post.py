"""The post office of surveys: plans them as contacts end, and sends what is due.

It follows the journal with a cursor of its own, kept in the store with what is planned; so nothing is planned twice or
lost. Before a message goes out the exchange has journaled that the customer is asked; a death in between is seen by the
journal at the next start, and the same message is sent, under the same id. While exchange, store, mail server or
gateway are away it waits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from agent_console.ports import IntentError
from callcenter.appraisals.facts import SurveyAnswered, SurveyAsked, SurveyKind
from callcenter.journal import JournalReader
from callcenter.ports import Clock
from callcenter.surveys.contacts import KINDS, origin_of, over_contact
from callcenter.surveys.links import PATH, token
from callcenter.surveys.rules import SurveyRule
from callcenter.surveys.senders import Message, MessageSender, NotSent
from crm_bridge.consents import check_contact, clear_for_contact
from crm_bridge.contact_rules import Contactability
from crm_bridge.database import Database
from crm_bridge.errors import CrmError, NotContactable
from crm_bridge.interactions import get_cursor, set_cursor
from crm_bridge.models import SurveyInvitation
from crm_bridge.survey_invitations import (
    PURPOSE,
    Asked,
    PlannedInvitation,
    Way,
    digest_of,
    due_invitations,
    invitation,
    plan_invitations,
    was_asked_since,
    whom_to_ask,
)
from crm_bridge.vocabulary import InvitationState

log = structlog.get_logger(__name__)

CURSOR = "surveys"
BATCH = 500
AT_ONCE = 50
LOOK_SECONDS = 5.0
"""How often it is looked whether something is over, or due."""
AGAIN = timedelta(seconds=30)
"""From a failure to the next try; twice as long after each, up to an hour."""
LONGEST_AGAIN = timedelta(hours=1)
STORE_BEHIND = timedelta(seconds=5)
"""How long a contact that the store does not have yet is waited for at first; twice as long each time."""
MOST_LOOKS = 8
"""So often it is looked for."""


@dataclass(frozen=True, slots=True)
class SurveyPlaces:
    """What is the same in every message. ``key`` signs links and draws the share."""

    company: str
    public_url: str
    region: str
    key: bytes


class SurveyPost:
    """``senders`` by channel; ``write_down`` has the exchange journal an entry, and returns when it is on disk."""

    def __init__(
        self,
        reader: JournalReader,
        database: Database,
        write_down: Callable[[object], Awaitable[None]],
        *,
        rules: Mapping[str, SurveyRule],
        senders: Mapping[str, MessageSender],
        places: SurveyPlaces,
        clock: Clock,
    ) -> None:
        self._reader, self._database, self._write_down = reader, database, write_down
        self._rules, self._senders, self._places, self._clock = rules, senders, places, clock

    async def run(self) -> None:
        """Plan and send until cancelled. A neighbour that fails is logged once, and once when it is back."""
        failing = False
        while True:
            try:
                while await self.plan() == BATCH:
                    pass
                await self.send_due()
            except (CrmError, IntentError) as error:
                if not failing:
                    log.warning("surveys wait", error=type(error).__name__)
                failing = True
            else:
                if failing:
                    log.info("surveys go on")
                failing = False
            await asyncio.sleep(LOOK_SECONDS)

    # What is planned

    async def plan(self) -> int:
        """Take up one batch of the journal; how many entries it had. Raises ``CrmError``."""
        async with self._database.read() as session:
            cursor = await get_cursor(session, CURSOR)
        rows = await asyncio.to_thread(self._reader.read, after=cursor, kinds=KINDS, limit=BATCH)
        if not rows:
            return 0
        planned = [each for row in rows if (each := await self._planned(row.entry)) is not None]
        async with self._database.begin() as session:
            await plan_invitations(session, planned)
            await set_cursor(session, CURSOR, rows[-1].seq)
        return len(rows)

    async def _planned(self, entry: object) -> PlannedInvitation | None:
        over = over_contact(entry)
        rule = None if over is None else self._rules.get(over.queue_id)
        if over is None or rule is None or not rule.chooses(over.call_id, self._places.key):
            return None
        give_up_at = over.ended_at + rule.after_ms + rule.expires_ms
        if give_up_at <= self._clock.now():  # of a time when nobody was asked yet
            return None
        told = await asyncio.to_thread(self._reader.about, over.call_id) if over.is_ours else ()
        if origin_of(over, (row.entry for row in told)) not in rule.origins:
            return None
        return PlannedInvitation(
            call_id=over.call_id,
            queue_id=over.queue_id,
            agent_id=over.agent_id,
            kind=rule.kind,
            due_at=_instant(over.ended_at + rule.after_ms),
            give_up_at=_instant(give_up_at),
        )

    # What is due

    async def send_due(self) -> int:
        """Send what is due now; how many were looked at. Raises ``CrmError`` and, when the exchange is away,
        ``IntentError``."""
        async with self._database.read() as session:
            due = await due_invitations(session, self._now(), AT_ONCE)
        for call_id in due:
            await self._ask(call_id)
        return len(due)

    async def _ask(self, call_id: str) -> None:
        told = [row.entry for row in await asyncio.to_thread(self._reader.about, call_id)]
        asked = next((each for each in told if isinstance(each, SurveyAsked)), None)
        answered = any(isinstance(each, SurveyAnswered) for each in told)
        async with self._database.begin() as session:
            row = await invitation(session, call_id)
            if row is None or row.state not in {InvitationState.PLANNED, InvitationState.ASKING}:
                return
            if answered or (asked is not None and asked.how not in self._senders):
                _close(row, InvitationState.SKIPPED, "asked-otherwise")
                return
            ready = await self._prepare(session, row, None if asked is None else asked.how)
            if ready is None:
                return
            channel, message = ready
            who = SurveyKind(row.kind), row.queue_id, row.agent_id
        if asked is None:
            await self._write_down(SurveyAsked(call_id, 0, *who, channel))
        try:
            await self._senders[channel].send(message)
        except NotSent as error:
            await self._fail(call_id, error)
        else:
            await self._close(call_id, InvitationState.SENT, None)

    async def _prepare(
        self, session: AsyncSession, row: SurveyInvitation, asked_by: str | None
    ) -> tuple[str, Message] | None:
        """The message that goes out now, and its channel; ``None``, and the row says why, when none does. ``asked_by``:
        the channel by which it goes, because the journal says so already."""
        now, rule = self._now(), self._rules.get(row.queue_id)
        if rule is None or now >= row.give_up_at:
            _close(row, InvitationState.SKIPPED, "no-rule" if rule is None else "too-late")
            return None
        channels = tuple(each for each in rule.channels if each in self._senders)
        whom = await whom_to_ask(session, row.call_id, channels if asked_by is None else (asked_by,))
        if whom is None:
            await self._wait_for_store(row, now)
            return None
        person = await digest_of(session, whom.person)
        since = now - timedelta(days=rule.apart_days)
        if row.state is InvitationState.PLANNED and await was_asked_since(session, person, since, row.call_id):
            _close(row, InvitationState.SKIPPED, "asked-lately")
            return None
        way = await self._clear(session, row, whom, now)
        if way is None:
            return None
        row.state, row.channel, row.person_digest, row.reason = InvitationState.ASKING, way.channel, person, None
        row.address_digest = await digest_of(session, way.address)
        row.asked_at = row.asked_at or now
        row.expires_at = row.expires_at or now + timedelta(milliseconds=rule.expires_ms)
        return way.channel, self._message(row, rule, whom, way)

    async def _clear(self, session: AsyncSession, row: SurveyInvitation, whom: Asked, now: datetime) -> Way | None:
        """The first way that nothing speaks against. Where only the clock does, it is put off."""
        later: list[datetime] = []
        against: list[str] = []
        for way in whom.ways:
            where = {"channel": way.channel, "purpose": PURPOSE, "now": now, "region": self._places.region}
            try:
                await clear_for_contact(session, way.address, **where)  # type: ignore[arg-type]
            except NotContactable as refused:
                decision: Contactability = await check_contact(session, way.address, **where)  # type: ignore[arg-type]
                against.append(f"{way.channel}: {refused}")
                later += [decision.again_at] if decision.again_at is not None else []
            else:
                return way
        if later:
            row.due_at, row.reason = min(later), "; ".join(against)
        else:
            _close(row, InvitationState.SKIPPED, "; ".join(against) or "not-reachable")
        return None

    def _message(self, row: SurveyInvitation, rule: SurveyRule, whom: Asked, way: Way) -> Message:
        language = rule.language(whom.language)
        company = self._places.company
        link = f"{self._places.public_url}{PATH}{token(row.call_id, self._places.key)}"
        text = rule.text(language, company=company, link=link)
        return Message(f"survey-{row.call_id}", way.address, rule.subject(language, company), text, language)

    async def _wait_for_store(self, row: SurveyInvitation, now: datetime) -> None:
        """The contact may only just have ended; nobody who can be told is never told."""
        if row.tries >= MOST_LOOKS:
            _close(row, InvitationState.SKIPPED, "nobody-known")
        else:
            row.due_at, row.tries = now + STORE_BEHIND * 2**row.tries, row.tries + 1

    async def _fail(self, call_id: str, error: NotSent) -> None:
        log.warning("survey not sent", call_id=call_id, error=str(error))
        if error.lasting:
            await self._close(call_id, InvitationState.FAILED, str(error))
            return
        async with self._database.begin() as session:
            row = await invitation(session, call_id)
            if row is not None:
                row.due_at = self._now() + min(AGAIN * 2 ** min(row.tries, 10), LONGEST_AGAIN)
                row.tries, row.reason = row.tries + 1, str(error)

    async def _close(self, call_id: str, state: InvitationState, reason: str | None) -> None:
        async with self._database.begin() as session:
            row = await invitation(session, call_id)
            if row is not None:
                _close(row, state, reason)

    def _now(self) -> datetime:
        return _instant(self._clock.now())


def _close(row: SurveyInvitation, state: InvitationState, reason: str | None) -> None:
    row.state, row.reason = state, reason


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
