"""Who has each call on the floor, who sits at its far end, and whose orders count there just now. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent_console.messages import ContactState, ContactView
from callcenter.calls import facts
from callcenter.calls.participants import Conversation

NOT_YOURS = "not-yours"
"""The code of refusals of who was asked to join: the customer is the colleague's."""
NOT_NOW = "not-now"
"""The code of refusals of whom the colleague put on hold, or who waits while the colleague asks somebody."""


@dataclass(slots=True)
class CallParties:
    """By call; owned by ``FloorContacts``."""

    holders: dict[str, str] = field(default_factory=dict)
    """The contact of the agent who has the customer."""
    numbers: dict[str, str] = field(default_factory=dict)
    """The number outside with which a colleague was left."""
    _modes: dict[str, Conversation] = field(default_factory=dict)
    _left: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    """The agent and the queue of who had the customer last and has left."""

    def leave(self, call_id: str, holder: ContactView | None) -> None:
        """Nobody has the customer any more."""
        self.holders.pop(call_id, None)
        if holder is not None:
            self._left[call_id] = holder.agent_id, holder.queue_id

    def left_behind(self, call_id: str) -> Mapping[str, str | None]:
        """What the view of a customer says whom the last agent has left: whose queue's customer that is."""
        return {"queue_id": self._left.get(call_id, (None, None))[1]}

    def converse(self, fact: facts.ConversationChanged) -> None:
        """They are joined otherwise."""
        self._modes[fact.call_id] = fact.mode

    def owner_outside(self, call_id: str) -> Mapping[str, str | None]:
        """What the view of a number says while the customer talks with it alone: who handed it out, whose queue."""
        if self._modes.get(call_id) is not Conversation.PRIVATE:
            return {}
        agent_id, queue_id = self._left.get(call_id, (None, None))
        return {"handed_out_by": agent_id, "queue_id": queue_id}

    def refusal(self, call_id: str, view: ContactView, holder: ContactView | None) -> str:
        """The code by which orders of this contact's agent are refused; empty while they count."""
        is_somebody = view.state is ContactState.CONNECTED and view.agent_id is not None
        if holder is None or not is_somebody or view.contact_id == holder.contact_id:
            return ""
        if view.contact_id == holder.consult_id:
            return NOT_YOURS
        talks = self._modes.get(call_id, Conversation.TALK) is Conversation.TALK and holder.consult_id is None
        return "" if talks else NOT_NOW

    def forget(self, call_id: str) -> None:
        """The call is over."""
        self.holders.pop(call_id, None)
        self.numbers.pop(call_id, None)
        self._modes.pop(call_id, None)
        self._left.pop(call_id, None)
