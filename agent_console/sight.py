"""What one person may see of the floor, as a pure filter on snapshots and on numbered changes.

Supervisors and administrators see everything. An agent sees the own seat, the own queues, and the contacts that ring
at or belong to that seat, or that were parked from it. The filter keeps no memory: a recorded change carries what the
contact was before, which is all it takes to tell that a contact has left somebody's sight. So a replay filters exactly
as the first time.
"""

from dataclasses import dataclass

from msgspec.structs import replace

from agent_console.change_log import Entry
from agent_console.messages import (
    AgentChanged,
    Change,
    ContactChanged,
    ContactRemoved,
    ContactView,
    FloorView,
    QueueChanged,
)
from agent_console.ports import Principal


@dataclass(frozen=True, slots=True)
class Sight:
    """A set of things that may be seen. Two people with equal sights see the same frames."""

    everything: bool
    agent_id: str | None
    queue_ids: frozenset[str]

    @classmethod
    def of(cls, principal: Principal) -> "Sight":
        """What this person may see."""
        if principal.may_see_floor():
            return cls(everything=True, agent_id=None, queue_ids=frozenset())
        return cls(everything=False, agent_id=principal.agent_id, queue_ids=principal.queue_ids)

    def of_floor(self, floor: FloorView) -> FloorView:
        """The part of the floor that may be seen."""
        if self.everything:
            return floor
        return FloorView(
            agents=tuple(agent for agent in floor.agents if agent.agent_id == self.agent_id),
            queues=tuple(queue for queue in floor.queues if queue.queue_id in self.queue_ids),
            contacts=tuple(_plain(contact) for contact in floor.contacts if self._includes(contact)),
        )

    def of_change(self, entry: Entry) -> Change | None:
        """The change as it is seen: itself, a removal when the contact leaves this sight, or ``None``."""
        change = entry.change
        if self.everything:
            return change
        match change:
            case AgentChanged(agent=agent):
                return change if agent.agent_id == self.agent_id else None
            case QueueChanged(queue=queue):
                return change if queue.queue_id in self.queue_ids else None
            case ContactChanged(contact=contact) if self._includes(contact):
                return ContactChanged(_plain(contact))
            case ContactChanged(contact=contact):
                return ContactRemoved(contact.contact_id) if self._includes(entry.before) else None
            case ContactRemoved():
                return change if self._includes(entry.before) else None

    def _includes(self, contact: ContactView | None) -> bool:
        return (
            contact is not None and self.agent_id is not None and self.agent_id in (contact.agent_id, contact.parked_by)
        )


def _plain(contact: ContactView) -> ContactView:
    """The contact as an agent sees it: without who listens to it."""
    return replace(contact, supervision=()) if contact.supervision else contact
