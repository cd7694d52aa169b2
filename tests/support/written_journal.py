"""A journal written by hand: rows for the reports, at instants that a test chooses."""

from datetime import datetime

from acd.engine import Acd
from acd.events import AgentSpec, Event, FloorConfigured, QueueSpec
from acd.ids import AgentId, QueueId
from acd.outcomes import OfferContact
from callcenter.calls.facts import (
    CallConnected,
    CallEnded,
    CallQueued,
    EndedBy,
    Outcome,
    TimersFired,
)
from callcenter.entries import KIND_OF
from callcenter.journal import JournalRow

NINE = 1_760_000_400_000
"""A boundary of quarter hours: 9 October 2025, 09:00 UTC, in milliseconds."""


def instant(text: str) -> int:
    """An ISO instant with its offset, in milliseconds."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


class WrittenJournal:
    """Rows in order. Instants are milliseconds after ``start``."""

    def __init__(self, start: int = NINE) -> None:
        self.rows: list[JournalRow] = []
        self._start = start
        self._engine = Acd()

    def write(self, at: int, entry: object) -> None:
        """Append any entry."""
        self.rows.append(JournalRow(len(self.rows) + 1, self._start + at, KIND_OF[type(entry)], entry))

    def route(self, at: int, event: Event) -> None:
        """Append a routing input and what the engine decides on it, timers that were due first."""
        self.pass_time(at)
        self.write(at, event)
        self._decided(at, self._engine.receive(event, now=self._start + at))

    def pass_time(self, at: int) -> None:
        """Append what timers of routing did until then."""
        while (deadline := self._engine.next_deadline()) is not None and deadline <= self._start + at:
            self.write(deadline - self._start, TimersFired(deadline))
            self._decided(deadline - self._start, self._engine.handle_timer(now=deadline))

    def floor(self, at: int, *agents: str, queues: tuple[str, ...] = ("sales",), wrap_up_ms: int = 30_000) -> None:
        """Append a configuration: every agent serves every queue."""
        ids = tuple(QueueId(queue) for queue in queues)
        specs = tuple(QueueSpec(queue, queue.title(), 20_000, wrap_up_ms) for queue in ids)
        self.route(at, FloorConfigured(specs, tuple(AgentSpec(AgentId(each), each.title(), ids) for each in agents)))

    def queued(self, at: int, call_id: str, queue_id: str = "sales") -> None:
        """A call enters a queue."""
        self.write(at, CallQueued(call_id, self._start + at, queue_id, 0, None))

    def connected(self, at: int, call_id: str, agent_id: str = "anna", queue_id: str = "sales") -> None:
        """Customer and agent are bridged."""
        self.write(at, CallConnected(call_id, self._start + at, f"o-{call_id}", agent_id, queue_id))

    def ended(self, at: int, call_id: str, outcome: Outcome = Outcome.ANSWERED, *, told_at: int | None = None) -> None:
        """A call is over; ``told_at`` when its end was written down later."""
        fact = CallEnded(call_id, self._start + at, outcome, EndedBy.CUSTOMER)
        self.write(at if told_at is None else told_at, fact)

    def _decided(self, at: int, outcomes: object) -> None:
        for outcome in outcomes:  # type: ignore[attr-defined]
            if isinstance(outcome, OfferContact):
                self.write(at, outcome)
