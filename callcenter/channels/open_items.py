"""The items that are not dealt with: a fold of facts, from the journal after a restart as while it runs. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from acd.events import Channel
from callcenter.calls.facts import CustomerIdentified, CustomerMatched
from callcenter.calls.voicemail_facts import VoicemailHeard
from callcenter.channels.facts import (
    ItemAccepted,
    ItemArrived,
    ItemClosed,
    ItemMoved,
    ItemRecord,
    ItemResult,
    ItemReturned,
    ItemStretch,
)


@dataclass(frozen=True, slots=True)
class Item:
    """One of them as it stands."""

    arrived: ItemArrived
    queue_id: str
    for_agent: str
    """The one agent it is for, empty for the queue."""
    agent_id: str = ""
    """Who has it, empty while it waits."""
    began_at: int = 0
    """Since when ``agent_id`` has it."""
    accepted_at: int | None = None
    stretches: tuple[ItemStretch, ...] = ()
    match_state: str = "none"
    customer_id: str | None = None
    is_heard: bool = False
    """Whether somebody listened to it by phone."""

    @property
    def box(self) -> str:
        """Whose it is: an agent's or a queue's id."""
        return self.for_agent or self.queue_id

    @property
    def is_new(self) -> bool:
        """Whether nobody has heard it or had it."""
        return not self.is_heard and self.accepted_at is None

    def let_go(self, at: int) -> "Item":
        """The item after its agent has it no more."""
        if not self.agent_id:
            return self
        stretch = ItemStretch(self.agent_id, self.queue_id, self.began_at, max(at, self.began_at))
        return replace(self, agent_id="", stretches=(*self.stretches, stretch))

    def record(self, result: ItemResult, by: str, at: int) -> ItemRecord:
        """What is kept of it when it ends at ``at``."""
        over = self.let_go(at)
        arrived = self.arrived
        return ItemRecord(
            contact_id=arrived.contact_id,
            channel=arrived.channel,
            caller=arrived.caller,
            caller_name=arrived.caller_name,
            called=arrived.called,
            queue_id=self.queue_id,
            agent_id=by if result is ItemResult.HANDLED else "",
            language=arrived.language,
            parent_id=arrived.parent_id,
            result=result,
            arrived_at=arrived.at,
            accepted_at=self.accepted_at,
            ended_at=max(at, arrived.at),
            handled_ms=sum(each.ended_at - each.began_at for each in over.stretches),
            match_state=self.match_state,
            customer_id=self.customer_id,
            stretches=over.stretches,
        )


@dataclass(slots=True)
class OpenItems:
    """By contact id, in the order of their arrival."""

    items: dict[str, Item] = field(default_factory=dict)

    def fold(self, facts: Iterable[object]) -> None:
        """Take what the journal holds."""
        for fact in facts:
            self.apply(fact)

    def apply(self, fact: object) -> Item | None:
        """Take a fact; the item it is about, as it was before."""
        match fact:
            case ItemArrived():
                self.items[fact.contact_id] = Item(fact, fact.queue_id, fact.agent_id)
                return self.items[fact.contact_id]
            case ItemClosed(contact_id=contact_id):
                return self.items.pop(contact_id, None)
            case ItemMoved() | ItemAccepted() | ItemReturned():
                return self._change(fact.contact_id, fact)
            case CustomerMatched(call_id=contact_id) | CustomerIdentified(call_id=contact_id):
                return self._change(contact_id, fact)
            case VoicemailHeard(recording_id=contact_id):
                return self._change(contact_id, fact)
            case _:
                return None

    def hear(self, contact_id: str) -> None:
        """Somebody listened to one by phone."""
        self.items[contact_id] = replace(self.items[contact_id], is_heard=True)

    def of_box(self, box: str, channel: Channel) -> list[Item]:
        """What is in a box, the oldest first."""
        return [item for item in self.items.values() if item.box == box and item.arrived.channel is channel]

    def for_agent(self, agent_id: str) -> list[Item]:
        """What is for this agent alone, also what the agent has at the desk; the oldest first."""
        return [item for item in self.items.values() if item.for_agent == agent_id]

    def held_by(self, agent_id: str) -> list[str]:
        """The items that an agent has."""
        return [contact_id for contact_id, item in self.items.items() if item.agent_id == agent_id]

    def _change(self, contact_id: str, fact: object) -> Item | None:
        item = self.items.get(contact_id)
        if item is not None:
            self.items[contact_id] = _changed(item, fact)
        return item


def _changed(item: Item, fact: object) -> Item:
    match fact:
        case ItemMoved():
            return replace(item.let_go(fact.at), queue_id=fact.queue_id, for_agent=fact.agent_id)
        case ItemAccepted():
            first = fact.at if item.accepted_at is None else item.accepted_at
            return replace(item, agent_id=fact.agent_id, began_at=fact.at, accepted_at=first)
        case ItemReturned():
            return item.let_go(fact.at)
        case CustomerMatched():
            found = fact.customer_ids[0] if fact.state == "one" and fact.customer_ids else None
            return replace(item, match_state=fact.state, customer_id=found)
        case CustomerIdentified():
            return replace(item, match_state="manual", customer_id=fact.customer_id)
        case _:
            return replace(item, is_heard=True)
