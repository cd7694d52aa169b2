"""Virtual hold on the simulated floor: customers who hang up, keep their place, and are called when it is their turn.

As the exchange does it (``callcenter/callbacks``): a callback is a contact like any other with the instant of arrival
of the call it came from. Agent first: the agent is busy with it while the customer's phone rings. Customer first: the
engine keeps an agent meanwhile, who rings once the customer is there; should that agent be gone by then, the customer
waits before everybody.
"""

from collections import Counter
from itertools import count

from acd.events import ContactArrived, ContactFinished, ContactLeft, ContactPresent
from acd.ids import ContactId, QueueId
from acd.outcomes import ContactAssigned
from acd.simulator_agents import SimulatedAgents
from acd.simulator_customers import SimulatedCustomers
from acd.simulator_people import Caller, Place
from acd.simulator_scenario import CallbackPlan
from acd.simulator_stage import Stage

KEPT_BESIDES_S = 75
"""How much longer than it rings an agent is kept at most."""
BEFORE_EVERYBODY = 1_000
"""Added to the priority of a customer who answered when the kept agent was gone."""


class SimulatedCallbacks:
    """Owns the promises. The customers' own dice say who accepts and who is reached."""

    def __init__(self, stage: Stage, customers: SimulatedCustomers, agents: SimulatedAgents) -> None:
        self.unreached = 0
        self.put_off: set[Caller] = set()
        """Promised, and not in line at the moment."""
        self.dials = 0
        self._stage = stage
        self._customers = customers
        self._agents = agents
        self._open: Counter[QueueId] = Counter()
        self._numbers = count()

    def offer(self, caller: Caller, now: int) -> None:
        """Who waits on the line, and for whom nobody rings, is offered a callback."""
        if not caller.ringing and self.accepts(caller, now):
            self._customers.callers.pop(caller.contact_id, None)
            self._stage.tell(ContactLeft(caller.contact_id, withdrawn=True), now)
            self._stand(caller, now)

    def accepts(self, caller: Caller, now: int) -> bool:
        """Offer a callback to somebody on the line, if the queue has one left; who accepts hangs up.

        The customer then stands in line again, if not yet then in the next breath.
        """
        plan, wish = self._customers.queue_of(caller).callbacks, self._customers.wish_of(caller)
        if plan is None or wish is None or caller.book.called_back[caller.entry]:
            return False
        if self._open[caller.queue_id] >= plan.most or caller.dice.random() >= wish.accept_share:
            return False
        self._open[caller.queue_id] += 1
        self._customers.hang_up(caller, now)
        caller.place = Place.PROMISED
        caller.promise_ends_at = now + round(1000 * plan.within_s)
        caller.book.called_back[caller.entry] = 1
        return True

    def sent_away(self, caller: Caller, now: int) -> None:
        """Somebody who is promised a callback is not, or no longer, in line: after a while again, or, when the phone
        rings already, once it has rung."""
        self._customers.callers.pop(caller.contact_id, None)
        if caller.dialling:
            self.put_off.add(caller)
            return
        self._put_off(caller, now + self._retry_ms(caller), now)

    def promised_at_the_door(self, caller: Caller, now: int) -> None:
        """Somebody was sent away and promised a callback instead."""
        self._customers.callers.pop(caller.contact_id, None)
        self._put_off(caller, now, now)

    def _plan_of(self, caller: Caller) -> CallbackPlan:
        plan = self._customers.queue_of(caller).callbacks
        assert plan is not None  # noqa: S101 - promised by it
        return plan

    def _retry_ms(self, caller: Caller) -> int:
        return round(1000 * self._plan_of(caller).retry_s)

    def _put_off(self, caller: Caller, at: int, now: int) -> None:
        self.put_off.add(caller)
        self._stage.plan(min(at, max(now, caller.promise_ends_at)), self._stand, caller)

    def _stand(self, caller: Caller, now: int) -> None:
        """Stand in line, unless the promise is over or nobody is called at this hour."""
        self.put_off.discard(caller)
        plan = self._plan_of(caller)
        if now >= caller.promise_ends_at:
            self._close(caller)
            return
        if plan.hours is not None and not plan.hours.is_open(now):
            opens_at = plan.hours.opens_at(now)
            self._put_off(caller, caller.promise_ends_at if opens_at is None else opens_at, now)
            return
        own = self._customers.class_of(caller)
        caller.contact_id = ContactId(f"callback-{next(self._numbers)}")
        caller.ringing = 0
        self._customers.callers[caller.contact_id] = caller
        keep_ms = round(1000 * (plan.ring_s + KEPT_BESIDES_S)) if plan.customer_first else None
        self._stage.tell(
            ContactArrived(
                caller.contact_id,
                caller.queue_id,
                caller.arrived_at,
                own.priority,
                own.required_skills,
                reserve_ms=keep_ms,
                is_away=True,
            ),
            now,
        )

    def kept(self, caller: Caller, now: int) -> bool:
        """Whether an offer only keeps an agent for a customer who is called first; then the call goes out."""
        if caller.place is not Place.PROMISED or not self._plan_of(caller).customer_first:
            return False
        if not caller.dialling:
            self._dial(caller, now)
        return True

    def agent_there(self, caller: Caller, assigned: ContactAssigned, now: int) -> None:
        """An agent has a callback: now the customer's phone rings."""
        caller.agent_id = assigned.agent_id
        self._dial(caller, now)

    def _dial(self, caller: Caller, now: int) -> None:
        wish, plan = self._customers.wish_of(caller), self._plan_of(caller)
        assert wish is not None  # noqa: S101 - who wishes none is promised none
        self.dials += 1
        caller.dialling = True
        ring_ms = round(1000 * plan.ring_s)
        answer_ms = caller.answer() if caller.answer is not None else 0
        if caller.dice.random() < wish.reached_share and answer_ms < ring_ms:
            self._stage.plan(now + answer_ms, self._answered, caller)
        else:
            self._stage.plan(now + ring_ms, self._missed, caller)

    def _answered(self, caller: Caller, now: int) -> None:
        """The customer is there."""
        if caller.contact_id not in self._customers.callers:
            self._missed(caller, now)
            return
        caller.dialling = False
        self._settle(caller)
        if caller.agent_id is not None:
            self._customers.converse(caller, caller.agent_id, now)
            self._stage.tell(ContactPresent(caller.contact_id), now)
            return
        caller.place = Place.ON_LINE
        priority = None
        if not caller.ringing:
            priority = self._customers.class_of(caller).priority + BEFORE_EVERYBODY
        self._customers.wait(caller, now)
        self._stage.tell(ContactPresent(caller.contact_id, priority), now)

    def _missed(self, caller: Caller, now: int) -> None:
        """Nobody answered, or nobody is to be connected with."""
        caller.dialling = False
        caller.attempts += 1
        self.put_off.discard(caller)
        contact_id, agent_id = caller.contact_id, caller.agent_id
        in_line = self._customers.callers.pop(contact_id, None) is not None
        caller.agent_id = None
        if agent_id is not None:
            self._stage.tell(ContactFinished(contact_id), now)
            self._agents.talked(agent_id, caller.queue_id, self._customers.class_of(caller).channel, now)
        elif in_line:
            self._stage.tell(ContactLeft(contact_id, withdrawn=True), now)
        if caller.attempts >= self._plan_of(caller).attempts:
            self._close(caller)
        else:
            self._put_off(caller, now + self._retry_ms(caller), now)

    def _close(self, caller: Caller) -> None:
        """The promise is over, and the customer was never there."""
        self._settle(caller)
        self.unreached += 1
        caller.book.unreached[caller.entry] = 1
        self._customers.forget(caller)

    def _settle(self, caller: Caller) -> None:
        self._open[caller.queue_id] -= 1
