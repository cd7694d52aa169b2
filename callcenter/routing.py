"""The owner of the routing engine: one task, one mailbox, journal first.

The engine takes each input, and what follows from it leaves the process once the input is on disk: facts are told and
who asked is answered then. Calls hear of outcomes at once, because what they make of them waits in the same way. An
input that the engine refuses changed nothing and is not journaled.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Protocol

import structlog

from acd.engine import Acd
from acd.errors import AcdError
from acd.events import Event
from acd.outcomes import OfferContact, Outcome
from callcenter.bus import Bus
from callcenter.calls.facts import TimersFired
from callcenter.consequences import Consequences
from callcenter.doorway import Doorway
from callcenter.inbox import Inbox
from callcenter.ports import Clock, Journal
from ivr.hours import Hours

log = structlog.get_logger(__name__)

SNAPSHOT_EVERY = 20_000
"""Inputs between two snapshots in the journal: what a restart, or a question about the past, has to replay at most."""
BATCH = 256
"""Inputs taken together, so that they share one flush of the journal."""


class RoutingInbox(Protocol):
    """Where calls and desks put what routing must know."""

    def post(self, event: Event, *, contact_id: str | None = None) -> None:
        """Tell routing. ``contact_id`` is who is told when the event is an answer to an offer that has lapsed."""
        ...

    async def request(self, event: Event) -> None:
        """Tell routing and wait until it is done. Raises ``AcdError`` when the engine refuses."""
        ...


OutcomeSink = Callable[[Outcome, str | None], None]


@dataclass(slots=True)
class _Posted:
    event: Event
    contact_id: str | None
    done: asyncio.Future[None] | None


@dataclass(slots=True)
class _Decided:
    """Outcomes of one input."""

    outcomes: Sequence[Outcome]
    posted: _Posted | None
    at: int


class Routing:
    """Runs the engine. ``on_outcome`` carries out orders and must hold back what leaves the process; facts go to the
    bus. ``on_milestone`` is called after every ``SNAPSHOT_EVERY`` inputs, when all that was decided has been told.
    ``hours`` are those of the queues that are not always open."""

    def __init__(
        self,
        engine: Acd,
        *,
        clock: Clock,
        journal: Journal,
        bus: Bus,
        consequences: Consequences,
        on_outcome: OutcomeSink,
        on_milestone: Callable[[], None] = lambda: None,
        hours: Mapping[str, Hours] = MappingProxyType({}),
    ) -> None:
        self.engine = engine
        self._clock = clock
        self._journal = journal
        self._bus = bus
        self._on_outcome = on_outcome
        self._on_milestone = on_milestone
        self._doorway = Doorway(hours)
        self._taken = 0
        self._mailbox: Inbox[_Posted] = Inbox(consequences)

    def post(self, event: Event, *, contact_id: str | None = None) -> None:
        """Tell routing; what the engine refuses is logged."""
        self._mailbox.put(_Posted(event, contact_id, None))

    async def request(self, event: Event) -> None:
        """Tell routing and wait until it is done. Raises ``AcdError`` when the engine refuses."""
        done = asyncio.get_running_loop().create_future()
        self._mailbox.put(_Posted(event, None, done))
        await done

    def expected_wait_ms(self, queue_id: str, ahead: int) -> float | None:
        """How long one more contact would wait behind so many others; ``None`` when nothing is known."""
        return self._doorway.expected_wait_ms(queue_id, ahead, self._clock.now())

    async def run(self) -> None:
        """Serve the mailbox and the engine's timers. An error here ends the process; the journal brings it back."""
        while True:
            batch = await self._next_batch()
            now = self._clock.now()
            decided, seq = self._apply(batch, now)
            self._journal.once_safe(partial(self._tell, decided), telling=True)
            for each in decided:
                self._carry_out(each)
            self._taken += len(decided)
            if self._taken >= SNAPSHOT_EVERY:
                self._taken = 0
                await self._journal.committed(seq)
                self._on_milestone()

    async def _next_batch(self) -> list[_Posted]:
        batch: list[_Posted] = []
        if not self._mailbox:
            first = await self._wait()
            batch.extend([first] if first is not None else [])
        while len(batch) < BATCH and self._mailbox:
            batch.append(self._mailbox.take())
        return batch

    async def _wait(self) -> _Posted | None:
        deadline = self.engine.next_deadline()
        return await self._mailbox.next(None if deadline is None else (deadline - self._clock.now()) / 1000)

    def _apply(self, batch: list[_Posted], now: int) -> tuple[list[_Decided], int]:
        decided: list[_Decided] = []
        seq = 0
        deadline = self.engine.next_deadline()
        if deadline is not None and deadline <= now:
            outcomes = self.engine.handle_timer(now=now)
            seq = self._record(TimersFired(now), outcomes, now)
            decided.append(_Decided(outcomes, None, now))
        for posted in batch:
            event = self._doorway.look(posted.event, now)
            try:
                outcomes = self.engine.receive(event, now=now)
            except AcdError as error:
                self._refuse(posted, error)
                continue
            seq = self._record(event, outcomes, now)
            decided.append(_Decided(outcomes, posted, now))
        return decided, seq

    def _record(self, entry: object, outcomes: Sequence[Outcome], now: int) -> int:
        """Journal an input and the decisions it led to; returns the last sequence number."""
        seq = self._journal.append(entry, at=now)
        for outcome in outcomes:
            self._doorway.apply(outcome, now)
            if isinstance(outcome, OfferContact):
                seq = self._journal.append(outcome, at=now)
        return seq

    def _refuse(self, posted: _Posted, error: AcdError) -> None:
        if posted.done is not None and not posted.done.done():
            posted.done.set_exception(error)
        elif posted.done is None:
            log.warning("routing refused", routing_event=type(posted.event).__name__, error=str(error))

    def _carry_out(self, decided: _Decided) -> None:
        contact_id = decided.posted.contact_id if decided.posted is not None else None
        for outcome in decided.outcomes:
            self._on_outcome(outcome, contact_id)

    def _tell(self, decided: Sequence[_Decided]) -> None:
        for each in decided:
            self._bus.publish_all(each.outcomes, each.at)
            if each.posted is not None and each.posted.done is not None and not each.posted.done.done():
                each.posted.done.set_result(None)
