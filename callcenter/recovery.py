"""Coming back after a restart: the routing engine and the floor from the journal, and the orphaned calls closed.

Calls are not taken back yet: every call that was up when the exchange died is closed with the outcome
``system_restart`` and the instant of its last fact. Agents keep their state.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from acd.contacts import ContactState
from acd.engine import Acd
from acd.errors import AcdError
from acd.events import Channel, ContactFinished, ContactLeft, Event, FloorConfigured
from acd.outcomes import AgentStateChanged, QueueDoorChanged
from callcenter.calls.callback_facts import CallbackFact
from callcenter.calls.facts import CallClosed, CallEnded, CallFact, EndedBy, Outcome, RoutingSnapshot, TimersFired
from callcenter.calls.record import OpenRecord, fold
from callcenter.calls.recording_facts import RecordingImpaired, RecordingStored
from callcenter.calls.voicemail_facts import VoicemailBegun
from callcenter.entries import ENTRY_KINDS, KIND_OF, subject_of
from callcenter.floor.fold import FloorFold
from callcenter.journal import JournalRow
from callcenter.open_work import TAKEN, OpenWork, WorkNoted
from callcenter.open_work import fold as open_work_after
from callcenter.workforce.shifts import REACH_BACK_MS, ShiftsPlanned

ROUTING_KINDS = tuple(
    kind for kind, entry in ENTRY_KINDS.items() if entry.__module__ == "acd.events" or entry is TimersFired
)
"""Kinds of entries that the engine is replayed from."""


ITEM_KINDS = (
    "item.arrived",
    "item.moved",
    "item.accepted",
    "item.returned",
    "call.customer_matched",
    "call.customer_identified",
)
"""What open items are folded from."""
MESSAGE_KINDS = ("voicemail.begun", "recording.stored", "recording.impaired")
WORK_KINDS = tuple(KIND_OF[entry] for entry in TAKEN)
CALLBACK_KINDS = (
    "callback.requested",
    "callback.dialled",
    "callback.tried",
    "callback.moved",
    "callback.closed",
)


class JournalRows(Protocol):
    """What is read from a journal at the start; ``JournalReader`` reads it from the file."""

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

    def every(self, kind: str) -> list[JournalRow]:
        """All entries of a kind, oldest first."""
        ...

    def last_at(self) -> int:
        """The instant of the newest entry."""
        ...

    def seq_before(self, at: int) -> int:
        """The newest entry that was written before ``at``, 0 for none."""
        ...


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the journal gave back."""

    engine: Acd
    orphans: tuple[OpenRecord, ...]
    """Calls that nobody saw the end of."""
    inputs_replayed: int
    last_at: int
    """The newest instant that the journal knows; time goes on from there."""
    work: OpenWork
    """What is open."""
    messages: tuple[object, ...] = ()
    """What the voicemail boxes are folded from, oldest first."""
    callbacks: tuple[CallbackFact, ...] = ()
    """Everything about callbacks that are promised."""
    items: tuple[tuple[object, int], ...] = ()
    """Everything about open items, with its instants."""
    plans: tuple[ShiftsPlanned, ...] = ()
    """What was planned, as far as it may still matter, oldest first."""

    @property
    def unfinished(self) -> frozenset[str]:
        """Recordings that were begun and whose end the journal does not know."""
        return frozenset(self.work.recordings)


def recover(reader: JournalRows, floor: FloorFold) -> Recovered:
    """Replay the journal from its last routing snapshot. Blocking; for the start of the process."""
    snapshot = reader.last("routing.snapshot")
    engine, after = Acd(), 0
    if snapshot is not None:
        engine, after = _restore(snapshot, floor)
    rows = reader.read(after=after, kinds=ROUTING_KINDS)
    replay(engine, rows, floor)
    work = open_work(reader)
    about = reader.about(*work.subjects())
    last_at = reader.last_at()
    return Recovered(
        engine,
        _orphans(work, about),
        len(rows),
        last_at,
        work,
        tuple(row.entry for row in about if row.kind in MESSAGE_KINDS and _is_open_message(work, row.entry)),
        tuple(row.entry for row in about if row.kind in CALLBACK_KINDS and row.entry.call_id in work.callbacks),
        _show_items(work, about, floor),
        tuple(row.entry for row in reader.every(KIND_OF[ShiftsPlanned]) if row.entry.end > last_at - REACH_BACK_MS),
    )


def open_work(reader: JournalRows) -> OpenWork:
    """What is open, from the newest note on; journals from before there were notes are read from their beginning."""
    noted = reader.last(KIND_OF[WorkNoted])
    after, note = (0, None) if noted is None else (noted.seq, noted.entry)
    return open_work_after(note, (row.entry for row in reader.read(after=after, kinds=WORK_KINDS)))


def _orphans(work: OpenWork, about: Sequence[JournalRow]) -> tuple[OpenRecord, ...]:
    calls: dict[str, list[CallFact]] = {call_id: [] for call_id in work.calls}
    for row in about:
        if row.kind.startswith("call.") and row.entry.call_id in calls:
            calls[row.entry.call_id].append(row.entry)
    folded = (fold(entries) for entries in calls.values())
    return tuple(each for each in folded if isinstance(each, OpenRecord))


def _is_open_message(work: OpenWork, entry: VoicemailBegun | RecordingStored | RecordingImpaired) -> bool:
    return entry.recording_id in work.items or entry.recording_id in work.spoken


def _show_items(work: OpenWork, about: Sequence[JournalRow], floor: FloorFold) -> tuple[tuple[object, int], ...]:
    """What became of the items that are open, which are put on the floor."""
    told = [(row.entry, row.at) for row in about if row.kind in ITEM_KINDS and subject_of(row.entry) in work.items]
    for entry, at in told:
        floor.apply(entry, at)
    return tuple(told)


def replay(engine: Acd, rows: Sequence[JournalRow], floor: FloorFold) -> None:
    """Feed journaled inputs to the engine at their instants, and what it says to the floor."""
    for row in rows:
        if isinstance(row.entry, TimersFired):
            outcomes = engine.handle_timer(now=row.at)
        else:
            floor.apply(row.entry, row.at)
            try:
                outcomes = engine.receive(row.entry, now=row.at)
            except AcdError:  # an engine of a newer version may refuse what an older one took
                continue
        for outcome in outcomes:
            floor.apply(outcome, row.at)


def closing_inputs(engine: Acd, kept: Collection[str] = ()) -> tuple[Event, ...]:
    """What the engine must be told so that no contact of an earlier life is left in it but for those ``kept``, whose
    senders do not wait at the other end of a line."""
    return tuple(
        ContactFinished(contact.contact_id)
        if contact.state is ContactState.CONNECTED
        else ContactLeft(contact.contact_id, withdrawn=contact.is_away)
        for contact in engine.contacts()
        if contact.contact_id not in kept
    )


def closing_facts(orphan: OpenRecord, *, now: int) -> tuple[CallEnded, CallClosed]:
    """The end of an orphaned call: it ended when it gave its last sign of life."""
    call_id = orphan.arrived.call_id
    record = orphan.closed(Outcome.SYSTEM_RESTART, EndedBy.SYSTEM, ended_at=orphan.last_at)
    ended = CallEnded(call_id, orphan.last_at, Outcome.SYSTEM_RESTART, EndedBy.SYSTEM)
    return ended, CallClosed(call_id, now, record)


def _restore(snapshot: JournalRow, floor: FloorFold) -> tuple[Acd, int]:
    entry: RoutingSnapshot = snapshot.entry
    engine = Acd.restore(entry.engine)
    floor.apply(_configuration(engine), snapshot.at)
    floor.restore_counts(entry.counts, at=entry.at)
    for queue_id in engine.closed_queues():
        floor.apply(QueueDoorChanged(queue_id, is_open=False), snapshot.at)
    for agent in engine.agents():
        floor.apply(
            AgentStateChanged(
                agent.agent_id,
                agent.state,
                agent.since,
                agent.reason,
                agent.contact_id,
                agent.until,
                agent.pending_text,
                tuple(work.contact_id for work in agent.works),
            ),
            snapshot.at,
        )
    for contact in engine.contacts():
        if contact.channel is not Channel.VOICE and contact.state is not ContactState.CONNECTED:
            floor.restore_waiting(contact.contact_id, contact.queue_id, contact.arrived_at, contact.channel)
    return engine, snapshot.seq


def _configuration(engine: Acd) -> FloorConfigured:
    return FloorConfigured(
        queues=tuple(queue.spec for queue in engine.queues()), agents=tuple(agent.spec for agent in engine.agents())
    )
