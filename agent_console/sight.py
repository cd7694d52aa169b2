"""What one person may see of the floor, as a pure filter on snapshots and on numbered changes.

Supervisors and administrators see everything. An agent sees the own seat, the own queues, the contacts that ring at or
belong to that seat or were parked from it, the callbacks promised or made there, and the items that wait in the own
boxes. A team lead sees the same of every seat of the teams led, the queues that those serve, and who waits in them or
for a callback; a contact that another team's agent has is not theirs, though the queue is. The filter keeps no memory:
a recorded change carries what the contact was before, which is all it takes to tell that a contact has left somebody's
sight. So a replay filters exactly as the first time.
"""

from dataclasses import dataclass
from hashlib import sha256

from msgspec.structs import replace

from agent_console.change_log import Entry
from agent_console.messages import (
    AgentChanged,
    CallbackChanged,
    CallbackRemoved,
    CallbackView,
    Change,
    Channel,
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
    """Queues whose figures are seen."""
    led_agents: frozenset[str] = frozenset()
    led_queues: frozenset[str] = frozenset()
    """Queues in which waiting contacts are seen, too."""

    @classmethod
    def of(cls, principal: Principal) -> "Sight":
        """What this person may see."""
        if principal.may_see_floor():
            return cls(everything=True, agent_id=None, queue_ids=frozenset())
        led_agents, led_queues = principal.led_agents, principal.led_queues
        return cls(False, principal.agent_id, principal.queue_ids | led_queues, led_agents, led_queues)

    @property
    def key(self) -> str:
        """Tells sights apart, in twelve characters."""
        parts = (self.queue_ids, self.led_agents, self.led_queues)
        sets = "\n".join(",".join(sorted(each)) for each in parts)
        return sha256(f"{self.everything}\n{self.agent_id}\n{sets}".encode()).hexdigest()[:12]

    def of_floor(self, floor: FloorView) -> FloorView:
        """The part of the floor that may be seen."""
        if self.everything:
            return floor
        return FloorView(
            agents=tuple(agent for agent in floor.agents if self.sees_agent(agent.agent_id)),
            queues=tuple(queue for queue in floor.queues if queue.queue_id in self.queue_ids),
            contacts=tuple(self._shown(contact) for contact in floor.contacts if self.sees_contact(contact)),
            callbacks=tuple(callback for callback in floor.callbacks if self.sees_callback(callback)),
        )

    def of_change(self, entry: Entry) -> Change | None:
        """The change as it is seen: itself, a removal when the contact leaves this sight, or ``None``."""
        change = entry.change
        if self.everything:
            return change
        match change:
            case AgentChanged(agent=agent):
                return change if self.sees_agent(agent.agent_id) else None
            case QueueChanged(queue=queue):
                return change if queue.queue_id in self.queue_ids else None
            case ContactChanged(contact=contact) if self.sees_contact(contact):
                return ContactChanged(self._shown(contact))
            case ContactChanged(contact=contact):
                return ContactRemoved(contact.contact_id) if self._saw(entry.before) else None
            case CallbackChanged(callback=callback) if not self.sees_callback(callback):
                return CallbackRemoved(callback.callback_id) if self._saw(entry.before) else None
            case CallbackChanged():
                return change
            case ContactRemoved() | CallbackRemoved():
                return change if self._saw(entry.before) else None

    def sees_agent(self, agent_id: str | None) -> bool:
        """Whether this seat may be seen."""
        return self.everything or (agent_id is not None and (agent_id == self.agent_id or agent_id in self.led_agents))

    def _may_work(self, contact: ContactView) -> bool:
        """Whether a waiting item is in one of the boxes that this person works."""
        if contact.channel is Channel.VOICE or contact.agent_id is not None or self.agent_id is None:
            return False
        if contact.for_agent is not None:
            return self.sees_agent(contact.for_agent)
        return contact.queue_id in self.queue_ids

    def sees_contact(self, contact: ContactView | None) -> bool:
        """Whether this contact may be seen as it is now."""
        if contact is None or self.everything:
            return contact is not None
        waits = contact.agent_id is None and contact.queue_id in self.led_queues
        rings = any(self.sees_agent(ring.agent_id) for ring in contact.ringing)
        seen = waits or rings or self.sees_agent(contact.agent_id) or self.sees_agent(contact.parked_by)
        return seen or self._may_work(contact)

    def sees_callback(self, callback: CallbackView) -> bool:
        """Whether this callback may be seen."""
        led = callback.queue_id in self.led_queues
        return led or self.sees_agent(callback.promised_by) or self.sees_agent(callback.agent_id)

    def _saw(self, before: ContactView | CallbackView | None) -> bool:
        return self.sees_callback(before) if isinstance(before, CallbackView) else self.sees_contact(before)

    def _shown(self, contact: ContactView) -> ContactView:
        """The contact as it is shown: who listens is told about those who are led, not about oneself."""
        led = contact.agent_id != self.agent_id and contact.agent_id in self.led_agents
        return contact if led or not contact.supervision else replace(contact, supervision=())
