"""The book of one call: facts go to the journal first, then into the record, then to whoever listens."""

import contextlib

from callcenter.calls.dependencies import CallDependencies
from callcenter.calls.facts import CallArrived, CallClosed, CallEnded, CallFact
from callcenter.calls.quality_facts import LegMeasured
from callcenter.calls.record import OpenRecord, open_record
from callcenter.calls.recording_facts import CardEntryFact
from callcenter.errors import JournalError
from callcenter.ports import LegStatistics


class CallBook:
    """Owned by the call's runner, whose task is the only one that calls it."""

    def __init__(self, call_id: str, deps: CallDependencies) -> None:
        self._call_id = call_id
        self._deps = deps
        self._record: OpenRecord

    async def open(self, arrived: CallArrived) -> None:
        """The call is there."""
        self._record = open_record(arrived)
        await self.commit((arrived,), arrived.at)

    async def commit(self, facts: tuple[CallFact, ...], now: int) -> None:
        """Journal facts, wait until they are on disk, then tell them; the end of the call closes its record, too.

        Raises ``JournalError``, after which nothing may be acted on any more.
        """
        told: list[CallFact | CardEntryFact] = []
        for fact in facts:
            self._record = self._record.with_fact(fact)
            told.append(fact)
            if isinstance(fact, CallEnded):
                told.append(
                    CallClosed(self._call_id, now, self._record.closed(fact.outcome, fact.ended_by, ended_at=fact.at))
                )
        await self._tell(told, now)

    async def note(self, fact: CardEntryFact) -> None:
        """Journal and tell what the record does not show."""
        await self._tell([fact], fact.at)

    async def _tell(self, facts: list[CallFact | CardEntryFact], now: int) -> None:
        seq = 0
        for fact in facts:
            seq = self._deps.journal.append(fact, at=now)
        if seq:
            await self._deps.journal.committed(seq)
        for fact in facts:
            self._deps.bus.publish(fact, now)

    def measured(self, media_leg: str, figures: LegStatistics) -> None:
        """Journal what a media leg carried; nothing waits for it."""
        now = self._deps.clock.now()
        fact = LegMeasured(
            self._call_id,
            now,
            media_leg,
            packets_in=figures.packets_in,
            packets_lost=figures.packets_lost,
            heard=figures.heard,
            jitter_ms=figures.jitter_ms,
            round_trip_ms=figures.round_trip_ms,
            far_loss_percent=figures.far_loss_percent,
            mos=figures.mos,
        )
        with contextlib.suppress(JournalError):  # whoever decides something meets it too, and ends the process
            self._deps.journal.append(fact, at=now)
