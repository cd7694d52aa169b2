"""The desk's orders about callbacks: whose they are decides who may give them. Mixed into ``ExchangeDesk``.

Each of them is journaled with the name of who gave it (``callback.requested``, ``callback.moved``,
``callback.closed``).
"""

from collections.abc import Callable

from agent_console.messages import ContactKind, ContactState
from agent_console.ports import IntentError
from callcenter.callbacks.book import Callback
from callcenter.callbacks.callbacks import Callbacks
from callcenter.calls.reach import SupervisorRights
from callcenter.calls.segments import call_of
from callcenter.floor.fold import FloorFold
from callcenter.ports import Clock
from ivr.effects import RequestCallback

AT_HAND = frozenset({ContactState.CONNECTED, ContactState.WRAP_UP})
"""States of a contact whose customer its agent may promise a callback."""


class CallbackDesk:
    """Needs of the desk it is part of what stands below."""

    _clock: Clock
    _floor: FloorFold
    _callbacks: Callbacks
    _supervisors: SupervisorRights

    async def promise_callback(self, agent_id: str, contact_id: str) -> None:
        """Promise the customer at hand a callback from the contact's queue, with a place as of now."""
        contact = self._floor.contact(contact_id)
        if contact is None or contact.agent_id != agent_id or contact.state not in AT_HAND:
            raise IntentError("contact-gone", "This call is not at your desk.")
        agent = self._floor.agent(agent_id)
        queue_id = contact.queue_id or next(iter(() if agent is None else agent.queue_ids), "")
        number = contact.called if contact.kind is ContactKind.OUTBOUND else contact.caller
        order = RequestCallback(queue_id, 0, (), contact.language or "")
        if not await self._callbacks.request(call_of(contact_id), number, order, self._clock.now(), by=agent_id):
            text = (
                "No callback can be promised: the number, the customer's wishes or the queue's rules do not allow it."
            )
            raise IntentError("no-callback", text)

    async def call_off_callback(self, user_id: str, callback_id: str) -> None:
        """Make no call: one's own promise, or one of a queue that one supervises."""
        self._do(self._callbacks.call_off, self._own(user_id, callback_id), user_id)

    async def call_back_now(self, user_id: str, callback_id: str) -> None:
        """Wait no longer for the next attempt."""
        self._do(self._callbacks.call_now, self._own(user_id, callback_id), user_id)

    async def move_callback_to_top(self, user_id: str, callback_id: str) -> None:
        """Let it go before everybody else of its queue; for those who supervise that."""
        callback = self._own(user_id, callback_id)
        if not self._supervises(user_id, callback.asked.queue_id):
            raise IntentError("not-allowed", "Only who supervises the queue may change its order.")
        self._do(self._callbacks.to_top, callback, user_id)

    async def hand_over_callbacks(self, user_id: str, from_user: str, to_user: str) -> None:
        """Make the callbacks of somebody who leaves somebody else's; those that the person may not touch stay."""
        if from_user == to_user:
            raise IntentError("malformed-intent", "Somebody who leaves hands over to somebody else.")
        theirs = self._callbacks.book.all_by(from_user)
        mine = [
            each for each in theirs if self._leads(user_id, from_user) or self._supervises(user_id, each.asked.queue_id)
        ]
        if theirs and not mine:
            raise IntentError("not-allowed", "These callbacks are of nobody whom you lead.")
        for callback in mine:
            self._callbacks.hand_over(callback, to_user, user_id)

    def _do(self, deed: Callable[[Callback, str], bool], callback: Callback, user_id: str) -> None:
        if not deed(callback, user_id):
            raise IntentError("not-now", "This cannot be done now: it is being made, stands in line, or it is no hour.")

    def _own(self, user_id: str, callback_id: str) -> Callback:
        callback = self._callbacks.book.find(callback_id)
        if callback is None:
            raise IntentError("contact-gone", "This callback is over.")
        if user_id != callback.asked.by and not self._supervises(user_id, callback.asked.queue_id):
            raise IntentError("not-allowed", "This callback is not yours.")
        return callback

    def _leads(self, user_id: str, agent_id: str) -> bool:
        reach = self._supervisors.get(user_id)
        return reach is not None and reach.agents is not None and agent_id in reach.agents

    def _supervises(self, user_id: str, queue_id: str) -> bool:
        """Whether the whole queue is the person's, not only a team's agents in it."""
        reach = self._supervisors.get(user_id)
        if reach is None or reach.agents is not None:
            return False
        return reach.queues is None or queue_id in reach.queues
