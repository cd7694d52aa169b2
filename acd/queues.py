"""Queues: what a contact demands, what an agent has to give, and how a queue looks from outside."""

from collections.abc import Iterable, Mapping

import msgspec

from acd.contacts import Contact, ContactState
from acd.events import AgentSpec, QueueDelay, QueueSpec, SkillLevel
from acd.ids import QueueId

FOREVER_MS = 1 << 62
"""Longer than any delay."""


class QueueView(msgspec.Struct, frozen=True):
    """One queue at one instant. ``waiting`` counts contacts not yet connected, those that ring at an agent included."""

    spec: QueueSpec
    waiting: int
    longest_waiting_since: int | None
    """The earliest ``arrived_at`` among them, milliseconds."""


class Demand(msgspec.Struct, frozen=True, cache_hash=True):
    """A demand class: all contacts of one queue that ask for the same people."""

    queue_id: QueueId
    required: tuple[SkillLevel, ...]
    expression: str = ""
    min_idle: int = 0
    delay_ms: int = 0
    """Agents with a longer delay for the queue are not asked yet."""


class Profile(msgspec.Struct, frozen=True):
    """A profile: all agents with the same queues and skills."""

    queue_ids: tuple[QueueId, ...]
    skills: tuple[SkillLevel, ...]
    delays: tuple[QueueDelay, ...] = ()


def demand_of(contact: Contact) -> Demand:
    """What a contact demands in the step that holds."""
    step = contact.route_step
    return Demand(contact.queue_id, contact.required_skills, step.demand, step.min_idle, contact.matured_ms)


def strongest(skills: Iterable[SkillLevel]) -> tuple[SkillLevel, ...]:
    """The skills by name, each once at its highest level: one spelling for each meaning."""
    levels: dict[str, int] = {}
    for wanted in skills:
        levels[wanted.skill] = max(wanted.level, levels.get(wanted.skill, wanted.level))
    return tuple(SkillLevel(skill, levels[skill]) for skill in sorted(levels))


def profile_of(spec: AgentSpec) -> Profile:
    """The profile an agent belongs to."""
    return Profile(tuple(sorted(set(spec.queue_ids))), strongest(spec.skills), _longest(spec.delays))


def _longest(delays: Iterable[QueueDelay]) -> tuple[QueueDelay, ...]:
    longest: dict[QueueId, int] = {}
    for delay in delays:
        if delay.delay_ms > longest.get(delay.queue_id, 0):
            longest[delay.queue_id] = delay.delay_ms
    return tuple(QueueDelay(queue_id, longest[queue_id]) for queue_id in sorted(longest))


def meets(levels: Mapping[str, int], required: Iterable[SkillLevel]) -> bool:
    """Whether whoever holds these skills at these levels meets every requirement."""
    return all(levels.get(wanted.skill, wanted.level - 1) >= wanted.level for wanted in required)


def view_queues(specs: Iterable[QueueSpec], contacts: Iterable[Contact]) -> tuple[QueueView, ...]:
    """The queues in their configured order. Costs one pass over the contacts."""
    arrivals: dict[QueueId, list[int]] = {spec.queue_id: [] for spec in specs}
    for contact in contacts:
        if contact.state is not ContactState.CONNECTED:
            arrivals[contact.queue_id].append(contact.arrived_at)
    return tuple(
        QueueView(spec, len(arrivals[spec.queue_id]), min(arrivals[spec.queue_id], default=None)) for spec in specs
    )
