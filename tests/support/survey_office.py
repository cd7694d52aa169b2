"""A post office of surveys with a real journal and a real store, and people at the port of senders."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from acd.events import ContactArrived
from acd.ids import ContactId, QueueId
from callcenter.appraisals.facts import SurveyAnswered, SurveyAsked
from callcenter.appraisals.keeper import AppraisalKeeper
from callcenter.calls.facts import CallArrived, CallClosed, CallEnded, CallRecord, EndedBy, Outcome, SegmentRecord
from callcenter.calls.segments import SegmentKind, SegmentResult
from callcenter.journal import JournalReader, SqliteJournal
from callcenter.projection import InteractionProjection
from callcenter.surveys.post import SurveyPlaces, SurveyPost
from callcenter.surveys.rules import SurveyRule
from callcenter.surveys.senders import Message
from callcenter.surveys.taking import SurveyAnswers
from crm_bridge.database import Database
from crm_bridge.models import SurveyInvitation
from crm_bridge.survey_invitations import invitation

NOON = 1_760_030_000_000
"""17:13:20 UTC: early afternoon in New York, where the customers live."""
MOBILE, OTHER_MOBILE = "+12025550111", "+12025550112"
KEY = b"k" * 32
RULE = SurveyRule()


@dataclass(slots=True)
class Hands:
    """Implements ``MessageSender``: keeps what was sent, and fails as it is told."""

    sent: list[Message] = field(default_factory=list)
    fails: list[BaseException] = field(default_factory=list)
    """What the next sendings raise."""
    fails_after: list[BaseException] = field(default_factory=list)
    """The same, once it has gone out."""

    async def send(self, message: Message) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.sent.append(message)
        if self.fails_after:
            raise self.fails_after.pop(0)


@dataclass(slots=True)
class Hour:
    """Implements ``Clock``."""

    at: int = NOON

    def now(self) -> int:
        return self.at


class Killed(BaseException):
    """The process died here."""


@dataclass(slots=True)
class Office:
    """Everything, and whoever the customers are."""

    folder: Path
    database: Database
    journal: SqliteJournal
    clock: Hour
    sms: Hands
    email: Hands
    rules: dict[str, SurveyRule]
    exchange: AppraisalKeeper
    is_away: BaseException | None = None
    """What the next entry meets instead of the exchange."""

    @property
    def reader(self) -> JournalReader:
        return JournalReader(self.folder / "journal.sqlite")

    async def write_down(self, entry: object) -> None:
        """The exchange journals it."""
        if self.is_away is not None:
            error, self.is_away = self.is_away, None
            raise error
        await self.exchange.take(entry)  # type: ignore[arg-type]

    def post(self) -> SurveyPost:
        """A process that has just started."""
        return SurveyPost(
            self.reader,
            self.database,
            self.write_down,
            rules=self.rules,
            senders={"sms": self.sms, "email": self.email},
            places=SurveyPlaces("Quist & Co", "https://contact.example", "US", KEY),
            clock=self.clock,
        )

    def answers(self) -> SurveyAnswers:
        return SurveyAnswers(self.reader, self.database, self.write_down, self.clock)

    async def talked(self, call_id: str = "c1", *, caller: str = MOBILE, language: str | None = "en") -> None:
        """A customer called, talked with anna of sales, and it is in the store."""
        at = self.clock.at
        arrived = CallArrived(call_id, at - 90_000, caller, "", "+12025550100", "t", "x@y", "main")
        await self._over(arrived, language)

    async def called(self, call_id: str, number: str = MOBILE, *, promised: bool) -> None:
        """Anna of sales called a customer: because it was promised and its turn in line, or by herself."""
        at = self.clock.at - 90_000
        if promised:
            self.journal.append(ContactArrived(ContactId(call_id), QueueId("sales"), at), at=at)
        await self._over(CallArrived(call_id, at, "anna", "", number, "", "", "", "outbound", "anna"), None)

    async def _over(self, arrived: CallArrived, language: str | None) -> None:
        call_id, kind, at = arrived.call_id, SegmentKind(arrived.direction), self.clock.at
        part = SegmentRecord(
            call_id, kind, "", at - 90_000, at, at - 60_000, "anna", "", "sales", 30_000, 60_000,
            0, 0, SegmentResult.COMPLETED,
        )  # fmt: skip
        record = CallRecord(
            call_id, arrived.caller, "", arrived.called, "t", "x@y", "main", Outcome.ANSWERED, EndedBy.CUSTOMER,
            at - 90_000, at, at - 60_000, "sales", "anna", language, (), "none", None, 30_000, 60_000, 1, 0,
            arrived.direction, segments=(part,),
        )  # fmt: skip
        ended = CallEnded(call_id, at, Outcome.ANSWERED, EndedBy.CUSTOMER, "")
        for entry in (arrived, ended, CallClosed(call_id, at, record)):
            seq = self.journal.append(entry, at=entry.at)
        await self.journal.committed(seq)
        await self.project()

    async def project(self) -> None:
        """The store has read the journal."""
        own: frozenset[str] = frozenset()
        await InteractionProjection(self.reader, self.database, region="US", own_numbers=own, names={}).drain()

    async def minutes_later(self, minutes: float = 10) -> "Office":
        """Time passes, and the post office, which was just started, looks what is due."""
        self.clock.at += round(minutes * 60_000)
        post = self.post()
        await post.plan()
        await post.send_due()
        return self

    async def row(self, call_id: str = "c1") -> SurveyInvitation:
        async with self.database.read() as session:
            found = await invitation(session, call_id)
        assert found is not None
        return found

    def told(self, call_id: str = "c1") -> list[object]:
        """What the journal has of the survey."""
        entries = [row.entry for row in self.reader.about(call_id)]
        return [each for each in entries if isinstance(each, SurveyAsked | SurveyAnswered)]


@asynccontextmanager
async def open_office(folder: Path, template: Path, **rule: object) -> AsyncIterator[Office]:
    """An office in an empty folder, over a copy of a store with all tables."""
    shutil.copy(template, folder / "store.sqlite")
    database = Database(f"sqlite+aiosqlite:///{folder / 'store.sqlite'}")
    journal = SqliteJournal(folder / "journal.sqlite")
    await journal.open()
    clock = Hour()
    exchange = AppraisalKeeper(clock=clock, journal=journal, forms=())
    rules = {"sales": replace(RULE, **rule)}  # type: ignore[arg-type]
    try:
        yield Office(folder, database, journal, clock, Hands(), Hands(), rules, exchange)
    finally:
        await journal.close()
        await database.close()
