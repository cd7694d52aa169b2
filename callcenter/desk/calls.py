"""Call control at the desk: hold, transfer, consult, park, dial; checked against the call as it is, and brought to it.

An order that does not fit is refused at once and named. What crosses with it after that changes nothing in the call.
"""

from agent_console.messages import AgentState
from agent_console.ports import IntentError
from callcenter.calls import events as ev
from callcenter.calls.clearance import Clearance, Way
from callcenter.calls.mail import DigitsOrdered
from callcenter.calls.origin import new_leg_id
from callcenter.calls.requests import PARK_MS
from callcenter.calls.runner import CallRunner
from callcenter.calls.segments import Target, TargetKind, call_of
from callcenter.calls.switchboard import Switchboard
from callcenter.calls.table import TABLE
from callcenter.calls.targets import Directory
from callcenter.floor.fold import FloorFold
from callcenter.floor.parties import NOT_NOW, NOT_YOURS
from callcenter.ports import Clock, Refused, Signalling

FREE_TO_CALL = frozenset({AgentState.READY, AgentState.NOT_READY, AgentState.WRAP_UP})
"""States from which an agent may take up something that routing did not choose."""
DIGITS = frozenset("0123456789*#")
LONGEST_DIGITS = 32


class CallControl:
    """The part of the desk that moves calls."""

    _clock: Clock
    _signalling: Signalling
    _switchboard: Switchboard
    _floor: FloorFold
    _targets: Directory
    _clearance: Clearance

    async def hold(self, agent_id: str, contact_id: str) -> None:
        """Put the customer on hold."""
        self._order(agent_id, contact_id, ev.HoldOrdered(contact_id))

    async def resume(self, agent_id: str, contact_id: str) -> None:
        """Talk with the customer again."""
        self._order(agent_id, contact_id, ev.ResumeOrdered(contact_id))

    async def transfer(self, agent_id: str, contact_id: str, target_kind: str, target: str) -> None:
        """Hand the customer on."""
        self._check(agent_id, contact_id, ev.TransferOrdered)
        found = await self._target(agent_id, target_kind, target, contact_id)
        self._order(agent_id, contact_id, ev.TransferOrdered(found, new_leg_id(), contact_id))

    async def consult(self, agent_id: str, contact_id: str, target_kind: str, target: str) -> None:
        """Ask somebody, with the customer on hold."""
        self._check(agent_id, contact_id, ev.ConsultOrdered)
        found = await self._target(agent_id, target_kind, target, contact_id)
        self._order(agent_id, contact_id, ev.ConsultOrdered(found, new_leg_id(), contact_id))

    async def complete(self, agent_id: str, contact_id: str) -> None:
        """Connect the customer with the consulted party and leave."""
        self._order(agent_id, contact_id, ev.CompleteOrdered(contact_id))

    async def cancel(self, agent_id: str, contact_id: str) -> None:
        """End the consultation, or the transfer under way."""
        self._order(agent_id, contact_id, ev.CancelOrdered(contact_id))

    async def swap(self, agent_id: str, contact_id: str) -> None:
        """Talk with the other one."""
        self._order(agent_id, contact_id, ev.SwapOrdered(contact_id))

    async def conference(self, agent_id: str, contact_id: str) -> None:
        """Talk with both."""
        self._order(agent_id, contact_id, ev.ConferenceOrdered(contact_id))

    async def park(self, agent_id: str, contact_id: str) -> None:
        """Let the customer wait in a park slot."""
        slot = self._switchboard.free_slot()
        if slot is None:
            raise IntentError("no-park-slot", "Every park slot is taken.")
        self._order(agent_id, contact_id, ev.ParkOrdered(slot, self._clock.now() + PARK_MS, contact_id))

    async def retrieve(self, agent_id: str, slot: str) -> None:
        """Take up the call in this park slot."""
        self._check_free(agent_id)
        runner = self._switchboard.parked(slot)
        if runner is None:
            raise IntentError("park-slot-empty", "Nobody waits in this park slot.")
        runner.tell(ev.RetrieveOrdered(agent_id, self._targets.queue_of(agent_id), new_leg_id()))

    async def dial(self, agent_id: str, target_kind: str, target: str) -> None:
        """Call an agent or a number: the own phone rings first."""
        self._check_free(agent_id)
        if target_kind == TargetKind.QUEUE or target == agent_id:
            raise IntentError("not-callable", "Call a colleague or a number.")
        found = await self._target(agent_id, target_kind, target)
        self._check_free(agent_id)  # something may have come up while the store was asked
        if found.kind is TargetKind.AGENT:
            self._check_callable(found.id)
        self._switchboard.dial(agent_id, found)

    async def override_hours(self, agent_id: str, target: str, reason: str) -> None:
        """Quiet hours are answered for where the customers are known."""
        del agent_id, target, reason
        raise IntentError("unknown-order", "The exchange knows no quiet hours.")

    async def send_digits(self, agent_id: str, contact_id: str, digits: str) -> None:
        """Send digits to whoever the agent talks with."""
        if not digits or len(digits) > LONGEST_DIGITS or not DIGITS.issuperset(digits):
            raise IntentError("bad-digits", f"Digits are 0-9, * and #, at most {LONGEST_DIGITS}.")
        runner = self._call(agent_id, contact_id)
        self._check_say(runner, contact_id)
        runner.tell(DigitsOrdered(contact_id, digits))

    def _order(self, agent_id: str, contact_id: str, order: ev.CallEvent) -> None:
        self._check(agent_id, contact_id, type(order)).tell(order)

    def _check(self, agent_id: str, contact_id: str, order: type[ev.CallEvent]) -> CallRunner:
        """The call, if this agent has its customer, or a colleague in it, and the order fits what it does now."""
        runner = self._call(agent_id, contact_id)
        machine = runner.machine
        self._check_say(runner, contact_id)
        row = TABLE.get((machine.state, order))
        if row is None or row.act is None:
            raise IntentError(NOT_NOW, f"This is not possible while the call is {machine.state.replace('_', ' ')}.")
        return runner

    @staticmethod
    def _check_say(runner: CallRunner, contact_id: str) -> None:
        """Whether the agent of this contact has anything to say in the call; the floor shows the same codes."""
        machine, colleague = runner.machine, runner.machine.colleague
        if machine.seat_of(contact_id) is not None:
            return
        if colleague is not None and colleague.contact_id == contact_id:
            raise IntentError(NOT_NOW, "Your colleague has you on hold, or is asking somebody.")
        raise IntentError(NOT_YOURS, "You were asked to join; the customer is your colleague's.")

    def _call(self, agent_id: str, contact_id: str) -> CallRunner:
        agent = self._floor.agent(agent_id)
        runner = self._switchboard.call_of(contact_id)
        if agent is None or agent.contact_id != contact_id or agent.state is not AgentState.BUSY or runner is None:
            raise IntentError("contact-gone", "This call is over.")
        return runner

    async def _target(self, agent_id: str, kind: str, text: str, contact_id: str = "") -> Target:
        if kind not in frozenset(TargetKind):
            raise IntentError("unknown-target", "A target is an agent, a queue or a number.")
        found = await self._clearance.target(agent_id, kind, text, Way.DESK, call_of(contact_id))
        if isinstance(found, Refused):
            raise IntentError(found.code, found.text)
        if found.kind is TargetKind.AGENT and found.id == agent_id:
            raise IntentError("not-callable", "This is you.")
        if found.kind is TargetKind.AGENT and not found.queue_id:
            raise IntentError("not-callable", "This colleague serves no queue and cannot be given a call.")
        return found

    def _check_free(self, agent_id: str) -> None:
        agent = self._floor.agent(agent_id)
        if agent is None or agent.state not in FREE_TO_CALL:
            raise IntentError("not-free", "Sign in and finish the present call first.")
        if not self._signalling.reachable(agent_id):
            raise IntentError("phone-not-registered", "Your phone is not registered; switch it on first.")

    def _check_callable(self, agent_id: str) -> None:
        agent = self._floor.agent(agent_id)
        if agent is None or agent.state not in FREE_TO_CALL or not self._signalling.reachable(agent_id):
            raise IntentError("colleague-busy", "Your colleague cannot be called now.")
