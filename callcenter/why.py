"""Why a contact went where it went: read from the journal, explained by the engine led up to the moment in question.

Nothing here touches the running exchange, so that a curious supervisor costs no call a millisecond. Blocking; for
worker threads.
"""

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from acd import explain
from acd.contacts import ContactState
from acd.engine import Acd
from acd.errors import AcdError
from acd.events import Event, FloorConfigured
from acd.ids import AgentId, ContactId, OfferId
from acd.outcomes import AgentState, OfferContact
from agent_console.explanations import (
    CandidateView,
    DecisionTable,
    DecisionView,
    NothingKnown,
    WaitingView,
    WhyView,
)
from callcenter.calls.facts import CallConnected, CallOfferFailed, RoutingSnapshot, TimersFired
from callcenter.channels.facts import ItemAccepted, ItemOfferFailed
from callcenter.entries import encode
from callcenter.journal import JournalRow
from callcenter.recovery import ROUTING_KINDS

SNAPSHOT, CONFIGURED = "routing.snapshot", "floor.configured"
AnswerT = TypeVar("AnswerT")


class WrittenRouting(Protocol):
    """What is read of a journal; ``JournalReader`` reads it from the file."""

    def read(
        self,
        *,
        after: int = 0,
        kinds: tuple[str, ...] | None = None,
        limit: int | None = None,
        before: int | None = None,
    ) -> list[JournalRow]:
        """Entries after ``after`` and before ``before``, oldest first."""
        ...

    def about(self, *subjects: str) -> list[JournalRow]:
        """Every entry about these calls, contacts or agents, oldest first."""
        ...

    def last(self, kind: str, *, before: int | None = None) -> JournalRow | None:
        """The newest entry of a kind; of those before ``before``."""
        ...


class Explainer:
    """Answers from a journal. For the present moment it keeps an engine that follows the journal. Not thread-safe."""

    def __init__(self, journal: WrittenRouting) -> None:
        self._journal = journal
        self._engine: Acd | None = None
        self._seq = 0

    def why(self, contact_id: str) -> WhyView:
        """Every decision about a contact, and why it waits if it does. Raises ``NothingKnown``."""
        rows = self._journal.about(contact_id)
        if not rows:
            raise NothingKnown(f"nothing is known of contact {contact_id!r}")
        return WhyView(contact_id, _decisions(rows, self._policy_at), self._waiting(contact_id))

    def decision(self, contact_id: str, offer_id: str) -> DecisionTable:
        """The full table behind one offer. Raises ``NothingKnown``."""
        rows = self._journal.about(contact_id)
        for row in rows:
            if isinstance(row.entry, OfferContact) and row.entry.offer_id == offer_id:
                found = next(
                    each for each in _decisions(rows, self._policy_at) if (each.offer_id, each.at) == (offer_id, row.at)
                )
                engine = self._engine_at(row)
                table = explain.table(engine, row.entry.contact_id, winner=row.entry.agent_id)
                return DecisionTable(found, _views(table))
        raise NothingKnown(f"contact {contact_id!r} had no offer {offer_id!r}")

    def why_not(self, contact_id: str, agent_id: str) -> CandidateView:
        """Why this agent does not have the contact that waits or rings now. Raises ``NothingKnown``."""
        try:
            return _view(explain.why_not(self._now(), ContactId(contact_id), AgentId(agent_id)))
        except AcdError as error:
            raise NothingKnown(str(error)) from error

    def _policy_at(self, seq: int) -> str:
        """The version of the policy that held at an entry of the journal."""
        configured = self._journal.last(CONFIGURED, before=seq)
        return "" if configured is None else policy_version(configured.entry)

    def _waiting(self, contact_id: str) -> WaitingView | None:
        engine = self._now()
        here = [each for each in engine.contacts() if each.contact_id == contact_id]
        if not here or here[0].state is ContactState.CONNECTED:
            return None
        found = explain.why_waiting(engine, ContactId(contact_id))
        return WaitingView(
            found.queue_id,
            found.step,
            found.demand,
            found.guard_holds,
            found.ahead,
            _by_name(found.fitting),
            _by_name(found.idle_but),
            found.changes_at,
            found.next_free_at,
            _views(explain.table(engine, ContactId(contact_id))),
        )

    def _now(self) -> Acd:
        """The engine as the end of the journal has it; goes on from where it was asked last."""
        engine = self._engine
        if engine is None:
            engine, self._seq = self._restored(None)
        for row in self._journal.read(after=self._seq, kinds=(*ROUTING_KINDS, SNAPSHOT)):
            engine = Acd.restore(row.entry.engine) if isinstance(row.entry, RoutingSnapshot) else _fed(engine, row)
            self._seq = row.seq
        self._engine = engine
        return engine

    def _engine_at(self, decision: JournalRow) -> Acd:
        """The engine as it was when it took this decision: in the middle of the input that led to it."""
        engine, after = self._restored(decision.seq)
        rows = self._journal.read(after=after, kinds=ROUTING_KINDS, before=decision.seq)
        if not rows:
            raise NothingKnown("the journal does not reach back to this decision")
        for row in rows[:-1]:
            engine = _fed(engine, row)
        event: Event | None = None if isinstance(rows[-1].entry, TimersFired) else rows[-1].entry
        engine.live_until(event, now=rows[-1].at, offer_id=OfferId(decision.entry.offer_id))
        return engine

    def _restored(self, before: int | None) -> tuple[Acd, int]:
        snapshot = self._journal.last(SNAPSHOT, before=before)
        return (Acd(), 0) if snapshot is None else (Acd.restore(snapshot.entry.engine), snapshot.seq)


class JournalExplanations:
    """Implements the console's ``Explanations``: one question at a time, each in a worker thread."""

    def __init__(self, journal: WrittenRouting) -> None:
        self._explainer = Explainer(journal)
        self._turn = threading.Lock()

    async def why(self, contact_id: str) -> WhyView:
        """Every decision about a contact, and why it waits if it does."""
        return await asyncio.to_thread(self._in_turn, lambda: self._explainer.why(contact_id))

    async def decision(self, contact_id: str, offer_id: str) -> DecisionTable:
        """The full table behind one offer."""
        return await asyncio.to_thread(self._in_turn, lambda: self._explainer.decision(contact_id, offer_id))

    async def why_not(self, contact_id: str, agent_id: str) -> CandidateView:
        """Why this agent does not have the contact that waits or rings now."""
        return await asyncio.to_thread(self._in_turn, lambda: self._explainer.why_not(contact_id, agent_id))

    def _in_turn(self, work: Callable[[], AnswerT]) -> AnswerT:
        with self._turn:
            return work()


def _fed(engine: Acd, row: JournalRow) -> Acd:
    if isinstance(row.entry, TimersFired):
        engine.handle_timer(now=row.at)
        return engine
    with contextlib.suppress(AcdError):  # an engine of a newer version may refuse what an older one took
        engine.receive(row.entry, now=row.at)
    return engine


def policy_version(policy: FloorConfigured) -> str:
    """Eight hexadecimal digits that are the same for the same queues, agents and rules."""
    return hashlib.blake2b(encode(policy)[1], digest_size=4).hexdigest()


def _decisions(rows: Sequence[JournalRow], policy_at: Callable[[int], str]) -> tuple[DecisionView, ...]:
    results = dict(_results(rows))
    found = []
    for row in rows:
        if isinstance(row.entry, OfferContact):
            offer, why = row.entry, row.entry.decision
            found.append(
                DecisionView(
                    offer.offer_id,
                    row.at,
                    offer.agent_id,
                    offer.queue_id,
                    why.rule,
                    why.step,
                    why.candidates,
                    why.winner_key,
                    why.runner_up,
                    why.runner_up_key,
                    results.get(offer.offer_id),
                    policy_at(row.seq),
                )
            )
    return tuple(found)


def _results(rows: Iterable[JournalRow]) -> Iterable[tuple[str, str]]:
    for row in rows:
        match row.entry:
            case CallOfferFailed(offer_id=offer_id, cause=cause):
                yield offer_id, cause
            case ItemOfferFailed(offer_id=offer_id, cause=cause):
                yield offer_id, cause
            case CallConnected(offer_id=offer_id) | ItemAccepted(offer_id=offer_id):
                yield offer_id, "accepted"


def _views(table: Iterable[explain.Candidate]) -> tuple[CandidateView, ...]:
    return tuple(_view(each) for each in table)


def _view(each: explain.Candidate) -> CandidateView:
    return CandidateView(each.agent_id, each.state.value, tuple(map(str, each.reasons)), each.detail, each.key)


def _by_name(counts: Mapping[AgentState, int] | Mapping[explain.Reason, int]) -> dict[str, int]:
    return {str(name): count for name, count in counts.items()}
