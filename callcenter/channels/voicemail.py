"""Voicemail as an adapter: a message that something was said in becomes an item of its box, and phones show the boxes.

What waits is what the items say; this keeps no list of its own but of messages that are still being spoken.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from acd.events import Channel
from callcenter.calls.recording_facts import RecordingImpaired, RecordingStored
from callcenter.calls.voicemail import NOBODY
from callcenter.calls.voicemail_facts import VoicemailBegun, VoicemailHeard, VoicemailWorked
from callcenter.channels.facts import ItemAccepted, ItemArrived, ItemClosed, ItemMoved, ItemReturned
from callcenter.channels.inbox import InboundItem, ItemInbox
from callcenter.channels.open_items import Item, OpenItems
from callcenter.ports import Clock, Signalling

SHORTEST_MS = 1_000
"""What is shorter is a caller who hung up at the tone, not a message."""


class Voicemail:
    """Follows the recordings of messages and the items that come of them; ``hear`` is for the bus.

    ``watchers`` are the agents whose phones show a box, ``in_background`` journals and tells a fact without anybody
    waiting for it, ``on_failure`` hears of a journal that cannot be written.
    """

    def __init__(
        self,
        inbox: ItemInbox,
        items: OpenItems,
        *,
        watchers: Mapping[str, frozenset[str]],
        clock: Clock,
        signalling: Signalling,
        in_background: Callable[[VoicemailWorked], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._inbox = inbox
        self._items = items
        self._watchers = watchers
        self._clock = clock
        self._signalling = signalling
        self._in_background = in_background
        self._on_failure = on_failure
        self._spoken: dict[str, VoicemailBegun] = {}
        """Messages that are not on disk yet."""
        self._paths: dict[str, str] = {}
        """Where messages lie, below the recordings' folder."""
        self._arrivals: set[asyncio.Task[None]] = set()

    def resume(self, facts: Iterable[object]) -> None:
        """Take what the journal holds, oldest first; what was stored and never became an item does so now."""
        stored: dict[str, RecordingStored] = {}
        for fact in facts:
            match fact:
                case VoicemailBegun(recording_id=recording_id):
                    self._spoken[recording_id] = fact
                case VoicemailWorked(recording_id=recording_id):
                    self._spoken.pop(recording_id, None)
                case RecordingStored(recording_id=recording_id) if recording_id in self._spoken:
                    stored[recording_id] = fact
                case RecordingImpaired(recording_id=recording_id, reason="not_started") if self._is_unheard_of(fact):
                    self._arrive(self._spoken.pop(recording_id), "", 0)
                case _:
                    pass
        for each in stored.values():
            self._store(each)

    def hear(self, fact: object, at: int) -> None:
        """Take a fact of the bus."""
        del at
        match fact:
            case VoicemailBegun(recording_id=recording_id):
                self._spoken[recording_id] = fact
            case VoicemailWorked(recording_id=recording_id):
                self._spoken.pop(recording_id, None)
            case RecordingStored(recording_id=recording_id) if recording_id in self._spoken:
                self._store(fact)
            case RecordingImpaired(recording_id=recording_id, reason="not_started") if recording_id in self._spoken:
                self._arrive(self._spoken.pop(recording_id), "", 0)
            case ItemMoved() | ItemClosed():  # it leaves a box, and nobody says which
                self._light_all()
            case ItemArrived(channel=Channel.MESSAGE) | ItemAccepted() | ItemReturned():
                self._light(self._items.items.get(fact.contact_id))
            case VoicemailHeard(recording_id=recording_id):
                self._items.apply(fact)
                self._light(self._items.items.get(recording_id))
            case _:
                pass

    def light(self, agent_id: str) -> None:
        """Tell an agent's phones how many messages wait: those that nobody has heard or had, and the others."""
        mine = [item for _, item in self._of_agent(agent_id)]
        new = sum(item.is_new for item in mine)
        self._signalling.message_waiting(agent_id, new=new, old=len(mine) - new)

    def heard_by(self, agent_id: str) -> tuple[str, ...]:
        """The messages in this agent's boxes that can be heard and that no colleague is working, the oldest first."""
        return tuple(
            contact_id
            for contact_id, item in self._of_agent(agent_id)
            if contact_id in self._paths and item.agent_id in {"", agent_id}
        )

    def path_of(self, recording_id: str) -> str:
        """Where a message lies, empty for nowhere."""
        return self._paths.get(recording_id, "")

    def box_of(self, recording_id: str) -> str:
        """Whose message it is, empty when it is dealt with."""
        item = self._items.items.get(recording_id)
        return "" if item is None else item.box

    def works(self, user_id: str, box: str) -> bool:
        """Whether this person works a box."""
        return user_id in self._watchers.get(box, frozenset())

    def _of_agent(self, agent_id: str) -> list[tuple[str, Item]]:
        return [
            (contact_id, item)
            for contact_id, item in self._items.items.items()
            if item.arrived.channel is Channel.MESSAGE and self.works(agent_id, item.box)
        ]

    def _is_unheard_of(self, impaired: RecordingImpaired) -> bool:
        return impaired.recording_id in self._spoken and impaired.recording_id not in self._items.items

    def _store(self, stored: RecordingStored) -> None:
        begun = self._spoken.pop(stored.recording_id)
        if stored.path:
            self._paths[stored.recording_id] = stored.path
        if stored.recording_id in self._items.items:
            return
        if stored.duration_ms < SHORTEST_MS:
            self._in_background(VoicemailWorked(stored.recording_id, self._clock.now(), NOBODY, begun.box))
        else:
            self._arrive(begun, stored.recording_id, stored.duration_ms)

    def _arrive(self, begun: VoicemailBegun, recording_id: str, duration_ms: int) -> None:
        inbound = InboundItem(
            contact_id=begun.recording_id,
            channel=Channel.MESSAGE,
            box=begun.box,
            caller=begun.caller,
            caller_name=begun.caller_name,
            language=begun.language,
            parent_id=begun.call_id,
            recording_id=recording_id,
            recording_ms=duration_ms,
        )
        task = asyncio.create_task(self._inbox.arrive(inbound), name=f"message {begun.recording_id}")
        self._arrivals.add(task)
        task.add_done_callback(self._arrived)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._arrivals.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(error)

    def _light(self, item: Item | None) -> None:
        if item is not None and item.arrived.channel is Channel.MESSAGE:
            for agent_id in sorted(self._watchers.get(item.box, ())):
                self.light(agent_id)

    def _light_all(self) -> None:
        for agent_id in sorted(frozenset().union(*self._watchers.values())):
            self.light(agent_id)
