"""The numbered history of the floor: each change counted once, the last few thousand kept for browsers that come back.

Pure: time is an argument. The log also folds the changes, so that a snapshot taken from it stands exactly at its
``seq``, whatever the floor does meanwhile.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from agent_console import envelope
from agent_console.messages import (
    AgentChanged,
    AgentView,
    CallbackChanged,
    CallbackRemoved,
    CallbackView,
    Change,
    ContactChanged,
    ContactRemoved,
    ContactView,
    FloorView,
    QueueChanged,
    QueueView,
)


@dataclass(slots=True)
class Entry:
    """One numbered change; as it was recorded, for good."""

    seq: int
    at: int
    """When the web process learned of it, milliseconds since the epoch."""
    change: Change
    before: ContactView | CallbackView | None
    """For changes of a contact or a callback: what the log knew of it before, ``None`` when nothing."""
    _body: str = field(default="", init=False)

    @property
    def body(self) -> str:
        """The change's own fields, encoded (see ``envelope``) for whoever asks first."""
        if not self._body:
            self._body = envelope.body(self.change)
        return self._body


class ChangeLog:
    """A ring of the last ``history`` changes and the floor they lead to. Numbers start at 1 and never go back."""

    def __init__(self, *, history: int = 5_000) -> None:
        self.seq = 0
        self._entries: deque[Entry] = deque(maxlen=history)
        self._agents: dict[str, AgentView] = {}
        self._queues: dict[str, QueueView] = {}
        self._contacts: dict[str, ContactView] = {}
        self._callbacks: dict[str, CallbackView] = {}

    def reset(self, floor: FloorView) -> None:
        """Start again from this floor. Nobody can resume across it."""
        self.seq += 1
        self._entries.clear()
        self._agents = {agent.agent_id: agent for agent in floor.agents}
        self._queues = {queue.queue_id: queue for queue in floor.queues}
        self._contacts = {contact.contact_id: contact for contact in floor.contacts}
        self._callbacks = {callback.callback_id: callback for callback in floor.callbacks}

    def record(self, change: Change, *, now: int) -> Entry | None:
        """Number a change, fold it and keep it. ``None`` for the removal of what is not there: no change."""
        if isinstance(change, ContactRemoved) and change.contact_id not in self._contacts:
            return None
        if isinstance(change, CallbackRemoved) and change.callback_id not in self._callbacks:
            return None
        before = self._fold(change)
        self.seq += 1
        entry = Entry(self.seq, now, change, before)
        self._entries.append(entry)
        return entry

    def since(self, seq: int) -> Sequence[Entry] | None:
        """The changes after ``seq`` in order; ``None`` when the log does not reach back that far."""
        oldest = self._entries[0].seq if self._entries else self.seq + 1
        if not oldest - 1 <= seq <= self.seq:
            return None
        return list(islice(self._entries, seq - oldest + 1, None))

    def floor(self) -> FloorView:
        """The whole floor as of ``seq``."""
        return FloorView(
            tuple(self._agents.values()),
            tuple(self._queues.values()),
            tuple(self._contacts.values()),
            tuple(self._callbacks.values()),
        )

    def _fold(self, change: Change) -> ContactView | CallbackView | None:
        match change:
            case AgentChanged(agent=agent):
                self._agents[agent.agent_id] = agent
                return None
            case QueueChanged(queue=queue):
                self._queues[queue.queue_id] = queue
                return None
            case ContactChanged(contact=contact):
                before = self._contacts.get(contact.contact_id)
                self._contacts[contact.contact_id] = contact
                return before
            case ContactRemoved(contact_id=contact_id):
                return self._contacts.pop(contact_id, None)
            case CallbackChanged(callback=callback):
                known = self._callbacks.get(callback.callback_id)
                self._callbacks[callback.callback_id] = callback
                return known
            case CallbackRemoved(callback_id=callback_id):
                return self._callbacks.pop(callback_id, None)
