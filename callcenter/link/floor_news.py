"""What changed on the floor since it was last told: of each contact, queue, callback and agent how it is now. Pure.

A contact is changed several times by one event of a call. Whoever has an older floor needs the last word only, in an
order in which nobody is ever said to have what is not there: what is new first, then who has it, at last what is gone.
"""

from agent_console.messages import (
    AgentChanged,
    CallbackChanged,
    CallbackRemoved,
    Change,
    ContactChanged,
    ContactRemoved,
    QueueChanged,
)
from callcenter.link.messages import FloorChanged, JournalAdvanced


class FloorNews:
    """Collects changes until they are taken."""

    def __init__(self) -> None:
        self._there: dict[str, Change] = {}
        self._owners: dict[str, Change] = {}
        self._gone: dict[str, Change] = {}
        self._journal_seq = 0

    def add(self, change: Change) -> None:
        """Something is otherwise now."""
        match change:
            case ContactChanged(contact=contact):
                self._gone.pop(contact.contact_id, None)
                self._there[contact.contact_id] = change
            case ContactRemoved(contact_id=key):
                self._there.pop(key, None)
                self._gone[key] = change
            case AgentChanged(agent=agent):
                self._owners[agent.agent_id] = change
            case QueueChanged(queue=queue):
                self._there[f"queue {queue.queue_id}"] = change
            case CallbackChanged(callback=callback):
                key = f"callback {callback.callback_id}"
                self._gone.pop(key, None)
                self._there[key] = change
            case CallbackRemoved(callback_id=callback_id):
                key = f"callback {callback_id}"
                self._there.pop(key, None)
                self._gone[key] = change

    def journal_advanced(self, seq: int) -> None:
        """The journal has something for the customer store, up to this entry."""
        self._journal_seq = seq

    def take(self) -> list[FloorChanged | JournalAdvanced]:
        """All of it; nothing is left."""
        changes = *self._there.values(), *self._owners.values(), *self._gone.values()
        told: list[FloorChanged | JournalAdvanced] = [FloorChanged(changes)] if changes else []
        for each in (self._there, self._owners, self._gone):
            each.clear()
        if self._journal_seq:
            told.append(JournalAdvanced(self._journal_seq))
            self._journal_seq = 0
        return told
