"""The book of one call: facts go to the journal first, then into the record, then to whoever listens."""

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial

from callcenter.calls.dependencies import CallDependencies
from callcenter.calls.facts import CallArrived, CallClosed, CallEnded, CallFact
from callcenter.calls.quality import CallQuality
from callcenter.calls.quality_facts import QualityFact
from callcenter.calls.record import OpenRecord, open_record
from callcenter.calls.recording_facts import CardEntryFact, CardEntryShown
from callcenter.calls.supervision_facts import SupervisorHungUp
from callcenter.errors import JournalError
from callcenter.ports import LegQualityTurned, LegStatistics


class CallBook:
    """Owned by the call's runner, whose task is the only one that calls it."""

    def __init__(self, call_id: str, deps: CallDependencies) -> None:
        self._call_id = call_id
        self._deps = deps
        self._record: OpenRecord
        self.quality = CallQuality(call_id)
        """Whose leg each is; the runner keeps it up with the parties."""

    def open(self, arrived: CallArrived) -> None:
        """The call is there."""
        self._record = open_record(arrived)
        self.write((arrived,), arrived.at)

    def write(self, facts: tuple[CallFact, ...], now: int, *, patiently: bool = False) -> None:
        """Journal facts, which are told once they are on disk; the end of the call, its last, closes its record, too.

        ``patiently``: facts that no order follows from go to disk with the next ones, in a moment at the latest.
        Raises ``JournalError``, after which nothing may be acted on any more.
        """
        told: list[CallFact | CardEntryFact | QualityFact] = [*facts]
        for fact in facts:
            self._record.take(fact)
        last = facts[-1]
        if isinstance(last, CallEnded):
            record = self._record.closed(last.outcome, last.ended_by, ended_at=last.at)
            told.append(CallClosed(self._call_id, now, record))
        self._append(told, now, patiently=patiently)

    @property
    def language(self) -> str:
        """In which the customer is spoken to, as far as is known."""
        return self._record.language or ""

    def show(self, fact: CardEntryShown) -> None:
        """Tell, after everything that was noted before, what is kept nowhere."""
        self._deps.journal.once_safe(lambda: self._deps.bus.publish(fact, fact.at), telling=True)

    def note(self, fact: CardEntryFact | SupervisorHungUp) -> None:
        """Journal and tell what the record does not show."""
        self._append([fact], fact.at)

    def _append(
        self,
        facts: Sequence[CallFact | CardEntryFact | QualityFact | SupervisorHungUp],
        now: int,
        *,
        patiently: bool = False,
    ) -> None:
        journal = self._deps.journal
        for fact in facts:
            last = journal.append(fact, at=now, patiently=patiently)
        journal.once_written(last, partial(self._deps.bus.publish_all, facts, now))

    def answer(self, done: "asyncio.Future[None]") -> None:
        """Tell who waits for it that it is so, once it is on disk."""
        self._deps.journal.once_safe(lambda: None if done.done() else done.set_result(None))

    def quality_turned(self, news: LegQualityTurned) -> None:
        """A leg began to sound poor, or no longer does."""
        now = self._deps.clock.now()
        self._append([self.quality.turned(news, now)], now)

    def leg_returned(self, media_leg: str, gap_ms: int) -> None:
        """A leg that was away is back."""
        now = self._deps.clock.now()
        self._append([self.quality.returned(media_leg, gap_ms, now)], now)

    def measured(self, media_leg: str, figures: LegStatistics) -> None:
        """Journal what a media leg carried; nothing waits for it."""
        now = self._deps.clock.now()
        fact = self.quality.measured(media_leg, figures, now)
        with contextlib.suppress(JournalError):  # whoever decides something meets it too, and ends the process
            self._deps.journal.append(fact, at=now, patiently=True)
