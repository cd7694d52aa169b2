"""What an adapter of a channel needs of the house, and the house of it.

An adapter brings contacts in (``ItemInbox.arrive``) and takes back those whose sender is gone (``leave``). What becomes
of them it hears on the bus: ``ItemAccepted``, ``ItemReturned``, ``ItemClosed``. It knows nothing of agents, queues'
rules or routing, and the house knows nothing of SMTP or sockets.
"""

from dataclasses import dataclass
from typing import Protocol

from acd.events import Channel


@dataclass(frozen=True, slots=True)
class InboundItem:
    """A contact of a shared channel, as its adapter has it. ``contact_id`` is unique for ever, and begins with
    ``parent_id`` and a hyphen where there is one; a second arrival of the same id changes nothing, also over a restart,
    for the last ``open_work.REMEMBERED`` that ended."""

    contact_id: str
    channel: Channel
    box: str
    """Whose it is: a queue's id, or an agent's."""
    caller: str
    """The address it came from."""
    caller_name: str = ""
    language: str = ""
    required_skills: tuple[tuple[str, int], ...] = ()
    parent_id: str = ""
    recording_id: str = ""
    recording_ms: int = 0
    text: str = ""


class ItemInbox(Protocol):
    """Where adapters put contacts; ``callcenter.channels.items.Items``."""

    async def arrive(self, inbound: InboundItem) -> None:
        """Take a contact; it is on disk when this returns, so that whoever sent it may be told. Raises
        ``JournalError``."""
        ...

    async def leave(self, contact_id: str) -> None:
        """Whoever sent it took it back, or is gone; harmless when it is over. Raises ``JournalError``."""
        ...
