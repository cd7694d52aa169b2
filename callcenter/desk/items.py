"""Items at the desk: taken, refused, given back, handed on, dealt with, wrapped up."""

from acd.errors import AcdError
from acd.events import WrapUpFinished
from acd.ids import AgentId, ContactId
from agent_console.ports import IntentError
from callcenter.bus import Bus
from callcenter.calls.facts import WrapUpRecorded
from callcenter.calls.reach import SupervisorRights
from callcenter.calls.segments import TargetKind
from callcenter.calls.targets import Directory
from callcenter.channels.items import Items
from callcenter.channels.voicemail import Voicemail
from callcenter.ports import Clock, Journal
from callcenter.routing import RoutingInbox


class ItemDesk:
    """The part of the desk that is about items."""

    _clock: Clock
    _journal: Journal
    _bus: Bus
    _routing: RoutingInbox
    _items: Items
    _voicemail: Voicemail
    _targets: Directory
    _supervisors: SupervisorRights

    async def accept(self, agent_id: str, contact_id: str) -> None:
        """Take an item that rings."""
        await self._items.accept(agent_id, contact_id)

    async def give_back(self, agent_id: str, contact_id: str) -> None:
        """Let somebody else work an item."""
        await self._items.give_back(agent_id, contact_id)

    async def finish(self, user_id: str, contact_id: str) -> None:
        """An item is dealt with, by whoever has it or works its box."""
        leads = self._leads(user_id, contact_id)
        await self._items.finish(user_id, contact_id, boxes=lambda box: leads or self._voicemail.works(user_id, box))

    def _leads(self, user_id: str, contact_id: str) -> bool:
        """Whether an item is in the reach of somebody who supervises."""
        reach, item = self._supervisors.get(user_id), self._items.get(contact_id)
        if reach is None or item is None:
            return False
        if reach.queues is not None and item.queue_id not in reach.queues:
            return False
        agent_id = item.agent_id or item.for_agent
        return reach.agents is None or not agent_id or agent_id in reach.agents

    async def move(self, user_id: str, contact_id: str, target_kind: str, target: str) -> None:
        """Hand an item to a queue or an agent, wherever it is, as somebody who supervises."""
        if self._items.get(contact_id) is not None and not self._leads(user_id, contact_id):
            raise IntentError("not-allowed", "This is not for you to move.")
        await self._move(user_id, contact_id, target_kind, target)

    async def hand_over_messages(self, user_id: str, from_user: str, to_user: str) -> None:
        """Move what lies in the own box of somebody who leaves; those that the person may not touch stay.

        Into the box of whoever takes over, or to the colleagues of the queue where that one is given no messages.
        """
        if from_user == to_user:
            raise IntentError("malformed-intent", "Somebody who leaves hands over to somebody else.")
        theirs = [each.arrived.contact_id for each in self._items.open.for_agent(from_user)]
        mine = [contact_id for contact_id in theirs if self._leads(user_id, contact_id)]
        if theirs and not mine:
            raise IntentError("not-allowed", "These messages are of nobody whom you lead.")
        for contact_id in mine:
            await self._items.hand_over(user_id, contact_id, to_user)

    async def _move(self, user_id: str, contact_id: str, target_kind: str, target: str) -> None:
        queue_id = target if target_kind == TargetKind.QUEUE else self._targets.queue_of(target)
        known = target in (self._targets.queues if target_kind == TargetKind.QUEUE else self._targets.agents)
        if target_kind not in {TargetKind.QUEUE, TargetKind.AGENT} or not known or not queue_id:
            raise IntentError("unknown-target", "An item goes to a queue, or to an agent who serves one.")
        await self._items.move(user_id, contact_id, queue_id, target if target_kind == TargetKind.AGENT else "")

    async def _hand_on_item(self, agent_id: str, contact_id: str, target_kind: str, target: str) -> None:
        item = self._items.get(contact_id)
        if item is None or item.agent_id != agent_id:
            raise IntentError("contact-gone", "This is not at your desk any more.")
        await self._move(agent_id, contact_id, target_kind, target)

    async def _wrap_up_item(self, agent_id: str, contact_id: str, disposition: str, notes: str) -> None:
        """One that comes after its time-out is written down all the same."""
        record = self._items.record_of(contact_id)
        if record is None or record.agent_id != agent_id:
            raise IntentError("contact-gone", "This was not your work.")
        now = self._clock.now()
        fact = WrapUpRecorded(contact_id, now, agent_id, disposition, notes, max(0, now - record.ended_at))
        await self._journal.committed(self._journal.append(fact, at=now))
        self._bus.publish(fact, now)
        try:
            await self._routing.request(WrapUpFinished(AgentId(agent_id), ContactId(contact_id)))
        except AcdError as error:
            raise IntentError(error.code, str(error)) from error
