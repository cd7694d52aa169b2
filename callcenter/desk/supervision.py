"""Supervision at the desk: who may listen to whom, checked before the call is asked."""

import asyncio

from agent_console.messages import AgentState
from agent_console.ports import IntentError
from callcenter.calls.reach import SupervisorRights
from callcenter.calls.segments import call_of
from callcenter.calls.supervision import SupervisionAsked, SupervisionRefused, SupervisionWish
from callcenter.calls.switchboard import Switchboard
from callcenter.errors import MediaError
from callcenter.floor.fold import FloorFold

ANSWER_SECONDS = 4.0
"""Longer than media may take; a call that ends meanwhile answers before that."""
AT_WORK = frozenset({AgentState.READY, AgentState.OFFERED, AgentState.BUSY})
"""A supervisor who also takes contacts must not be rung with both."""


class SupervisionDesk:
    """The part of the desk for supervisors."""

    _switchboard: Switchboard
    _floor: FloorFold
    _supervisors: SupervisorRights

    async def supervise(self, user_id: str, contact_id: str, how: str) -> None:
        """Listen to an agent's conversation, whisper, speak with all, take it over, or leave it again; end one that
        no agent is in."""
        wish = self._wish(user_id, contact_id, how)
        done = asyncio.get_running_loop().create_future()
        if not self._switchboard.tell(call_of(contact_id), SupervisionAsked(user_id, wish, done)):
            raise IntentError("contact-gone", "This call is over.")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await done
        except SupervisionRefused as error:
            raise IntentError(error.code, str(error)) from error
        except (MediaError, TimeoutError) as error:
            raise IntentError("supervision-failed", "This could not be done; try again.") from error

    def _wish(self, user_id: str, contact_id: str, how: str) -> SupervisionWish:
        try:
            wish = SupervisionWish(how)
        except ValueError:
            raise IntentError("unknown-supervision", "The console does not know this way to take part.") from None
        if user_id not in self._supervisors:
            raise IntentError("not-allowed", "Your role does not allow this.")
        contact, reach = self._floor.contact(contact_id), self._supervisors[user_id]
        if contact is None:
            raise IntentError("contact-gone", "This call is over.")
        if wish is SupervisionWish.END and contact.handed_out_by is None:
            raise IntentError("supervision-refused", "An agent has this call: listen to it, and take it over.")
        if reach.queues is not None and contact.queue_id not in reach.queues:
            raise IntentError("not-your-queue", "You do not supervise this queue.")
        if reach.agents is not None and (contact.agent_id or contact.handed_out_by) not in reach.agents:
            raise IntentError("not-your-team", "This agent is of another team.")
        seat = self._floor.agent(user_id)
        stays_away = wish in {SupervisionWish.LEAVE, SupervisionWish.END}
        joins = not stays_away and all(each.supervisor_id != user_id for each in contact.supervision)
        if joins and seat is not None and seat.state in AT_WORK:
            raise IntentError("at-work", "You take contacts yourself; pause first.")
        return wish
