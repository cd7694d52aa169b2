"""The customer store as a projection of the journal.

Closed calls and wrap-ups are read from the journal in order and written into the store in batches, each batch in one
transaction together with the cursor that says how far it reached. Writing is idempotent; while the store is away the
calls go on and the journal waits.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from acd.events import Channel
from callcenter.appraisals.facts import SurveyAnswered, SurveyAsked
from callcenter.calls.effects import CUSTOMER_LEG
from callcenter.calls.facts import CallClosed, CallCorrected, CallRecord, SegmentRecord, WrapUpRecorded
from callcenter.calls.participants import Role
from callcenter.calls.quality_facts import LegMeasured
from callcenter.calls.recording_facts import RecordingStarted, RecordingStored
from callcenter.calls.segments import SegmentKind, SegmentResult
from callcenter.calls.voicemail import NOBODY, RETENTION
from callcenter.calls.voicemail_facts import VoicemailBegun, VoicemailWorked
from callcenter.channels.facts import ItemClosed, ItemCorrected, ItemMoved, ItemRecord, ItemResult
from callcenter.errors import JournalError
from callcenter.journal import JournalReader, JournalRow
from crm_bridge.database import Database
from crm_bridge.errors import CrmError, CrmUnavailable, StaleRow, WriteConflict
from crm_bridge.interactions import (
    InteractionRecord,
    LineQualityRecord,
    Record,
    RecordingStartRecord,
    RecordingStoredRecord,
    SurveyRecord,
    VoicemailMovedRecord,
    VoicemailRecord,
    VoicemailWorkedRecord,
    WrapUpRecord,
    get_cursor,
    record_batch,
    set_cursor,
)
from crm_bridge.levels_after_contacts import follow_contacts

log = structlog.get_logger(__name__)

CURSOR = "interactions"
ITEM_ENDS = {
    ItemResult.HANDLED: ("answered", "agent"),
    ItemResult.LEFT: ("abandoned", "customer"),
    ItemResult.ERASED: ("erased", "system"),
}
"""How an item ended, as the store has it, and by whom."""
KNOWN_MATCHES = frozenset({"none", "one", "many", "manual"})
BATCH = 500
KINDS = (
    "call.closed",
    "call.corrected",
    "wrap_up.recorded",
    "recording.started",
    "recording.stored",
    "voicemail.begun",
    "voicemail.worked",
    "item.moved",
    "item.closed",
    "item.corrected",
    "leg.measured",
    "survey.asked",
    "survey.answered",
)
IDLE_SECONDS = 5.0
"""How often the journal is looked at without a nudge."""
RETRY_SECONDS = (0.5, 1.0)
"""From a failure to the next try. To ask a store that is away costs a millisecond, and one that is back has work."""
MOST_CONTACTED = 5000
"""So many contacts wait at most for a look at their customers' levels; of more at once the daily run takes care."""
BATCH_SECONDS = 60.0
"""A batch that takes longer, from the question where to go on to the commit, waits for a store that has stopped to
answer; it is given up and written again."""
APART_SECONDS = 0.5
"""From the beginning of one batch to that of the next, at least: in a rush one transaction serves many calls, which
spares the processor that the calls need; a single call is written at once."""


class InteractionProjection:
    """Keeps the customer store up with the journal. ``names`` are the agents' names by id."""

    def __init__(
        self,
        reader: JournalReader,
        database: Database,
        *,
        region: str,
        own_numbers: frozenset[str],
        names: Mapping[str, str],
    ) -> None:
        self._reader = reader
        self._database = database
        self._region = region
        self._own_numbers = own_numbers
        self._names = names
        self._nudge = asyncio.Event()
        self._contacted: dict[str, None] = {}

    def nudge(self, seq: int) -> None:
        """The journal has something new."""
        del seq
        self._nudge.set()

    async def run(self) -> None:
        """Follow the journal until cancelled. A failing store is logged once, and once when it is back."""
        failures, loop = 0, asyncio.get_running_loop()
        while True:
            begun = loop.time()
            try:
                while await self.drain() == BATCH:
                    pass
                await self.follow_levels()
            except CrmError as error:
                if not failures:
                    log.warning("customer store not written", error=str(error))
                await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
                failures += 1
                continue
            if failures:
                log.info("customer store written again", tries=failures)
                failures = 0
            await self._wait()
            await asyncio.sleep(begun + APART_SECONDS - loop.time())

    async def drain(self) -> int:
        """Write one batch; returns how many entries it had. Raises ``CrmError`` when the store refuses, or has not
        answered within ``BATCH_SECONDS``."""
        try:
            async with asyncio.timeout(BATCH_SECONDS):
                return await self._write_batch()
        except TimeoutError as error:
            raise CrmUnavailable("the customer store does not answer in time") from error

    async def _write_batch(self) -> int:
        async with self._database.glance() as connection:
            cursor = await get_cursor(connection, CURSOR)
        rows = await asyncio.to_thread(self._reader.read, after=cursor, kinds=KINDS, limit=BATCH)
        if not rows:
            return 0
        records = [record for row in rows for record in self._records(row)]
        async with self._database.begin() as session:
            await record_batch(session, records, region=self._region, own_numbers=self._own_numbers)
            await set_cursor(session, CURSOR, rows[-1].seq)
        self._contacted |= {each.contact_id: None for each in records if isinstance(each, InteractionRecord)}
        if len(self._contacted) > 2 * MOST_CONTACTED:
            self._contacted = dict.fromkeys(list(self._contacted)[-MOST_CONTACTED:])
        return len(rows)

    async def follow_levels(self) -> int:
        """Look at the levels of those whose contacts were written; how many changed. Raises ``CrmError``."""
        if not self._contacted:
            return 0
        waiting, self._contacted = list(self._contacted)[-MOST_CONTACTED:], {}
        try:
            async with asyncio.timeout(BATCH_SECONDS):
                return await follow_contacts(self._database, waiting, datetime.now(UTC))
        except TimeoutError as error:
            raise CrmUnavailable("the customer store does not answer in time") from error
        except (StaleRow, WriteConflict):  # somebody edits one of them at this very moment: with the next contacts
            self._contacted = dict.fromkeys(waiting) | self._contacted
            return 0

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._nudge.wait()
        except TimeoutError:
            pass
        self._nudge.clear()

    def _records(self, row: JournalRow) -> Sequence[Record]:
        """What an entry means for the store: a call is as many interactions as it had agents, one after the other."""
        match row.entry:
            case CallClosed(record=call) | CallCorrected(record=call):
                return self._interactions(call, row.seq)
            case ItemClosed(record=item, by=by, at=at):
                worked = [_worked(item, by, at, row.seq)] if item.channel is Channel.MESSAGE else []
                return [self._item(item, row.seq), *worked]
            case ItemCorrected(record=item):
                return (self._item(item, row.seq),)
            case VoicemailBegun() as begun:
                return _voicemail(begun, row.seq), _message_start(begun, row.seq)
            case _:
                return (self._record(row),)

    def _interactions(self, call: CallRecord, seq: int) -> Sequence[InteractionRecord]:
        """Between colleagues no customer was there, and so nothing is to be kept."""
        if call.direction == SegmentKind.INTERNAL:
            return ()
        whole = self._interaction(call, seq)
        first, later = call.segments[:1], call.segments[1:]
        talked = tuple(segment for segment in later if segment.connected_at is not None and segment.agent_id)
        return [
            *(self._part(whole, segment) for segment in first),
            *(() if first else (whole,)),
            *(self._later_part(whole, segment, call.segments) for segment in talked),
        ]

    def _later_part(
        self, whole: InteractionRecord, segment: SegmentRecord, segments: Sequence[SegmentRecord]
    ) -> InteractionRecord:
        """The interaction of an agent to whom the customer came from another one."""
        parent = _kept_parent(segment, segments)
        return replace(
            self._part(whole, segment),
            flow_path=(),
            waited_ms=segment.waited_ms,
            parent_contact_id=None if parent is None else parent.contact_id,
            parent_relation="" if parent is None else _relation(segment, parent),
        )

    def _part(self, whole: InteractionRecord, segment: SegmentRecord) -> InteractionRecord:
        """The interaction that one segment was; the first one keeps the wait and the outcome of the call."""
        if segment.connected_at is None:
            return whole
        later = segment.contact_id != whole.call_id
        return replace(
            whole,
            contact_id=segment.contact_id,
            started_at=instant(segment.opened_at) if later else whole.started_at,
            answered_at=instant(segment.connected_at),
            ended_at=instant(segment.ended_at),
            queue_id=segment.queue_id or None,
            agent_id=segment.agent_id,
            agent_name=self._names.get(segment.agent_id),
            talk_ms=segment.talk_ms,
        )

    def _item(self, item: ItemRecord, seq: int) -> InteractionRecord:
        """A contact of a shared channel is one interaction, whoever had it on its way."""
        outcome, ended_by = ITEM_ENDS[item.result]
        waited_until = item.ended_at if item.accepted_at is None else item.accepted_at
        return InteractionRecord(
            contact_id=item.contact_id,
            call_id=item.contact_id,
            channel=item.channel,
            outcome=outcome,
            started_at=instant(item.arrived_at),
            answered_at=None if item.accepted_at is None else instant(item.accepted_at),
            ended_at=instant(item.ended_at),
            from_value=item.caller,
            from_name=item.caller_name,
            to_value=item.called,
            customer_id=int(item.customer_id) if item.customer_id is not None else None,
            match_state=item.match_state if item.match_state in KNOWN_MATCHES else "none",
            queue_id=item.queue_id,
            agent_id=item.agent_id or None,
            agent_name=self._names.get(item.agent_id),
            language=item.language or None,
            waited_ms=waited_until - item.arrived_at,
            talk_ms=item.handled_ms,
            ended_by=ended_by,
            journal_seq=seq,
        )

    def _record(self, row: JournalRow) -> Record:
        match row.entry:
            case WrapUpRecorded() as wrap_up:
                return WrapUpRecord(
                    contact_id=wrap_up.contact_id or wrap_up.call_id,
                    disposition=wrap_up.disposition,
                    notes=wrap_up.notes,
                    wrapped_up_at=instant(wrap_up.at),
                    journal_seq=row.seq,
                )
            case RecordingStarted() as started:
                return self._recording_start(started, row.seq)
            case RecordingStored() as stored:
                return _recording_stored(stored, row.seq)
            case LegMeasured() as measured:
                return self._line_quality(measured, row.seq)
            case SurveyAsked() | SurveyAnswered() as survey:
                return _survey(survey, row.seq)
            case ItemMoved() as moved:
                box = moved.agent_id or moved.queue_id
                return VoicemailMovedRecord(recording_id=moved.contact_id, box=box, journal_seq=row.seq)
            case VoicemailWorked() as worked:
                return VoicemailWorkedRecord(
                    recording_id=worked.recording_id,
                    box=worked.box,
                    worked_at=instant(worked.at),
                    worked_by=worked.by,
                    journal_seq=row.seq,
                )
            case _:
                raise JournalError(f"journal entry {row.seq} of kind {row.kind!r} is not for the customer store")

    def _line_quality(self, measured: LegMeasured, seq: int) -> LineQualityRecord:
        return LineQualityRecord(
            call_id=measured.call_id,
            contact_id=measured.contact_id or measured.call_id,
            leg=measured.leg,
            role=measured.role or (Role.CUSTOMER if measured.leg == CUSTOMER_LEG else ""),
            agent_id=measured.agent_id or None,
            agent_name=self._names.get(measured.agent_id),
            measured_at=instant(measured.at),
            codec=measured.codec,
            packets_in=measured.packets_in,
            packets_lost=measured.packets_lost,
            is_heard=measured.heard,
            jitter_ms=measured.jitter_ms,
            round_trip_ms=measured.round_trip_ms,
            far_loss_percent=measured.far_loss_percent,
            mos=measured.mos,
            worst_mos=measured.worst_mos,
            worst_loss_percent=measured.worst_loss_percent,
            journal_seq=seq,
        )

    def _recording_start(self, started: RecordingStarted, seq: int) -> RecordingStartRecord:
        return RecordingStartRecord(
            recording_id=started.recording_id,
            contact_id=started.contact_id or started.call_id,
            started_at=instant(started.at),
            agent_id=started.agent_id,
            agent_name=self._names.get(started.agent_id),
            queue_id=started.queue_id,
            retention=started.retention,
            announced=started.announced,
            journal_seq=seq,
        )

    def _interaction(self, call: CallRecord, seq: int) -> InteractionRecord:
        return InteractionRecord(
            contact_id=call.call_id,
            call_id=call.call_id,
            direction=call.direction,
            outcome=call.outcome,
            started_at=instant(call.arrived_at),
            answered_at=None if call.connected_at is None else instant(call.connected_at),
            ended_at=instant(call.ended_at),
            from_value=call.caller,
            from_name=call.caller_name,
            to_value=call.called,
            diverted_from=call.diverted_from or None,
            customer_id=int(call.customer_id) if call.customer_id is not None else None,
            match_state=call.match_state if call.match_state in KNOWN_MATCHES else "none",
            queue_id=call.queue_id,
            agent_id=call.agent_id,
            agent_name=self._names.get(call.agent_id or ""),
            language=call.language,
            flow_path=call.flow_path,
            waited_ms=call.waited_ms,
            talk_ms=call.talk_ms,
            ended_by=call.ended_by,
            journal_seq=seq,
        )


def _survey(told: SurveyAsked | SurveyAnswered, seq: int) -> SurveyRecord:
    asked = SurveyRecord(
        call_id=told.call_id, agent_id=told.agent_id, kind=told.kind, asked_at=instant(told.at), journal_seq=seq
    )
    if isinstance(told, SurveyAsked):
        return asked
    asked_at, answered_at = instant(told.asked_at or told.at), instant(told.at)
    return replace(asked, asked_at=asked_at, score=told.score, answered_at=answered_at, comment=told.comment)


def _worked(item: ItemRecord, by: str, at: int, seq: int) -> VoicemailWorkedRecord:
    return VoicemailWorkedRecord(
        recording_id=item.contact_id,
        box=item.queue_id,
        worked_at=instant(at),
        worked_by=by or NOBODY,
        journal_seq=seq,
    )


def _voicemail(begun: VoicemailBegun, seq: int) -> VoicemailRecord:
    return VoicemailRecord(
        recording_id=begun.recording_id,
        contact_id=begun.call_id,
        box=begun.box,
        caller=begun.caller,
        caller_name=begun.caller_name,
        language=begun.language,
        left_at=instant(begun.at),
        journal_seq=seq,
    )


def _message_start(begun: VoicemailBegun, seq: int) -> RecordingStartRecord:
    return RecordingStartRecord(
        recording_id=begun.recording_id,
        contact_id=begun.call_id,
        started_at=instant(begun.at),
        agent_id=None,
        queue_id=begun.box,
        retention=RETENTION,
        announced=True,
        journal_seq=seq,
    )


def _recording_stored(stored: RecordingStored, seq: int) -> RecordingStoredRecord:
    return RecordingStoredRecord(
        recording_id=stored.recording_id,
        contact_id=stored.call_id,
        stored_at=instant(stored.at),
        path=stored.path,
        sha256=stored.sha256,
        duration_ms=stored.duration_ms,
        truncated=stored.truncated,
        pauses=stored.pauses,
        journal_seq=seq,
    )


def _kept_parent(segment: SegmentRecord, segments: Sequence[SegmentRecord]) -> SegmentRecord | None:
    """The segment this one came from. One that nobody took is no interaction: then the one before it."""
    by_id = {each.contact_id: each for each in segments}
    parent = by_id.get(segment.parent_id)
    while parent is not None and parent is not segments[0] and (parent.connected_at is None or not parent.agent_id):
        parent = by_id.get(parent.parent_id)
    return parent


def _relation(segment: SegmentRecord, parent: SegmentRecord) -> str:
    """Who was asked and then got the customer had a transfer."""
    handed_on = parent.result == SegmentResult.TRANSFERRED and segment.ended_at > parent.ended_at
    return SegmentKind.TRANSFER if segment.kind == SegmentKind.CONSULT and handed_on else segment.kind


def instant(at: int) -> datetime:
    """Milliseconds since the epoch as an aware UTC datetime."""
    return datetime.fromtimestamp(at / 1000, UTC)
