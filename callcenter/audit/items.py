"""The auditor's own count of items, and of what agents have of shared channels; from raw entries. Pure.

An agent's room is told as plainly as it can be: so many of a channel as the configuration says, nothing of a channel
beside work of another that it may not interrupt, one thing ringing at a time, and nothing without a console.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from acd.events import AgentSpec, Channel, QueueSpec, WrapUpMode
from callcenter.calls.facts import RoutingSnapshot
from callcenter.channels.facts import ItemAccepted, ItemArrived, ItemClosed, ItemMoved, ItemRecord, ItemReturned
from callcenter.journal import JournalRow

PATIENT = frozenset({Channel.EMAIL, Channel.SMS, Channel.MESSAGE, Channel.TASK})
"""A call takes the place of one of these that rings."""
ENDLESS = 1 << 30
ON_CALLS = frozenset({"offered", "busy", "wrap_up"})


@dataclass(slots=True)
class Held:
    """A contact of a shared channel at an agent: ``ringing``, ``connected`` or ``wrap_up``."""

    channel: Channel
    stage: str
    until: int | None = None
    """When its wrap-up ends by the clock."""
    mode: WrapUpMode = WrapUpMode.TIMED
    extension_ms: int = 0


@dataclass(slots=True)
class SharedBook:
    """Who has what of shared channels."""

    by_agent: dict[str, dict[str, Held]] = field(default_factory=dict)
    closed_desks: set[str] = field(default_factory=set)

    def of(self, agent_id: str) -> dict[str, Held]:
        """What an agent has, by contact."""
        return self.by_agent.setdefault(agent_id, {})

    def agent_of(self, contact_id: str) -> str:
        """Who has it, empty for nobody."""
        return next((agent_id for agent_id, held in self.by_agent.items() if contact_id in held), "")

    def rings(self, agent_id: str) -> list[Channel]:
        """What rings at an agent on shared channels."""
        return [each.channel for each in self.of(agent_id).values() if each.stage == "ringing"]

    def wrong_with(self, spec: AgentSpec, state: str, channel: Channel, queue: QueueSpec | None) -> str:
        """Why an agent has no room for one more of this queue and channel, empty when there is."""
        most = {Channel.VOICE: 1} | {each.channel: each.most for each in spec.capacity}
        words = {each.channel: each.pairs for each in queue.interrupts} if queue is not None else {}
        pairs = [each for each in words.get(channel, spec.interrupts) if each.channel is channel]
        beside = {each.over: ENDLESS if each.up_to is None else each.up_to for each in pairs}
        runs = Counter(each.channel for each in self.of(spec.agent_id).values())
        runs[Channel.VOICE] += state in ON_CALLS
        ringing = self.rings(spec.agent_id)
        makes_way = channel is Channel.VOICE and all(each in PATIENT and beside.get(each, 0) > 0 for each in ringing)
        runs.subtract(ringing if makes_way else ())
        if channel is not Channel.VOICE and spec.agent_id in self.closed_desks:
            return "without a console"
        if (ringing and not makes_way) or state == "offered":
            return "while something rings"
        if runs[channel] >= most.get(channel, 0):
            return f"with {runs[channel]} of {most.get(channel, 0)} {channel}"
        over = [each for each, number in runs.items() if each is not channel and number > beside.get(each, 0)]
        return f"beside {over[0]}, which {channel} may not interrupt" if over else ""


def item_breaches(rows: Sequence[JournalRow]) -> Iterator[str]:
    """I1, I2 and I10 for items: one end for each, figures that agree with the facts, nothing left of what is over."""
    arrived = Counter(row.entry.contact_id for row in rows if isinstance(row.entry, ItemArrived))
    closed = Counter(row.entry.contact_id for row in rows if isinstance(row.entry, ItemClosed))
    for contact_id in sorted({*arrived, *closed}):
        if (arrived[contact_id], closed[contact_id]) not in {(1, 1), (1, 0)}:
            yield f"I1: item {contact_id} arrived {arrived[contact_id]}, was closed {closed[contact_id]} times"
    over: set[str] = set()
    times: dict[str, list[int]] = {}
    for row in rows:
        match row.entry:
            case ItemArrived(contact_id=contact_id, at=at):
                times[contact_id] = [at, 0, 0]
            case ItemAccepted(contact_id=contact_id, at=at) if contact_id in times:
                times[contact_id][1] = at
            case ItemReturned(contact_id=contact_id, at=at) | ItemMoved(contact_id=contact_id, at=at):
                _add_stretch(times, contact_id, at)
            case ItemClosed(contact_id=contact_id, at=at, record=record) if contact_id in times:
                _add_stretch(times, contact_id, at)
                over.add(contact_id)
                yield from _compare(record, times.pop(contact_id), at)
            case RoutingSnapshot(engine=engine):
                for contact in engine["contacts"]:
                    if contact["contact_id"] in over:
                        yield f"I10: entry {row.seq}: contact {contact['contact_id']} is there though it is dealt with"


def _add_stretch(times: Mapping[str, list[int]], contact_id: str, at: int) -> None:
    book = times.get(contact_id)
    if book is not None and book[1]:
        book[2] += max(0, at - book[1])
        book[1] = 0


def _compare(record: ItemRecord, told: Sequence[int], at: int) -> Iterator[str]:
    if (record.arrived_at, record.ended_at, record.handled_ms) != (told[0], max(at, told[0]), told[2]):
        yield f"I2: record of item {record.contact_id}: {record.handled_ms} ms in work, the facts say {told[2]}"
    if sum(each.ended_at - each.began_at for each in record.stretches) != record.handled_ms:
        yield f"I2: record of item {record.contact_id}: its stretches do not add up"
