"""The simulated customers: who arrives, waits, is moved or sent away, gives up, dials again, talks."""

from collections.abc import Sequence
from random import Random
from typing import Protocol

from acd.events import ContactArrived, ContactFinished, ContactLeft
from acd.ids import AgentId, ContactId, QueueId
from acd.outcomes import ContactAssigned, ContactOverflowed
from acd.simulator_agents import SimulatedAgents
from acd.simulator_attention import Attention
from acd.simulator_books import Book
from acd.simulator_people import Caller, Place
from acd.simulator_scenario import CallbackWish, CustomerClass, QueuePlan, Scenario
from acd.simulator_stage import Stage


class Promises(Protocol):
    """Who promises callbacks; ``simulator_callbacks``."""

    def offer(self, caller: Caller, now: int) -> None:
        """Who still waits is offered one."""
        ...

    def accepts(self, caller: Caller, now: int) -> bool:
        """Offer one; whether the customer is to be called back now."""
        ...

    def promised_at_the_door(self, caller: Caller, now: int) -> None:
        """Somebody whom the engine let go has accepted one."""
        ...


class SimulatedCustomers:
    """Owns the customers and the books. ``promises`` is set by the floor."""

    promises: Promises

    def __init__(self, stage: Stage, scenario: Scenario, seed: int, agents: SimulatedAgents) -> None:
        self.books = [Book() for _ in scenario.classes]
        self.callers: dict[ContactId, Caller] = {}
        """Who waits or talks, or stands in line to be called back."""
        self.arrived = self.served = self.abandoned = self.sent_away = 0
        self._stage = stage
        self._agents = agents
        self._classes: Sequence[CustomerClass] = scenario.classes
        self._queues: dict[QueueId, QueuePlan] = {queue.queue_id: queue for queue in scenario.queues}
        self._numbers = {queue_id: number for number, queue_id in enumerate(self._queues)}
        self._ways_out = scenario.ways_out
        self._attention = Attention(stage, self._through) if any(each.slowed_by for each in scenario.classes) else None
        self._seed = seed
        self._targets = [round(1000 * self._queues[each.queue_id].target_of(each.channel)) for each in scenario.classes]

    def queue_of(self, caller: Caller) -> QueuePlan:
        """The queue it is in."""
        return self._queues[caller.queue_id]

    def wish_of(self, caller: Caller) -> CallbackWish | None:
        """What it makes of the offer of a callback."""
        return self._classes[caller.number].callback

    def class_of(self, caller: Caller) -> CustomerClass:
        """The customers it is one of."""
        return self._classes[caller.number]

    def arrive(self, now: int, number: int, handle_ms: int, patience_ms: int | None) -> None:
        """A customer calls, or writes."""
        own = self._classes[number]
        contact_id = ContactId(str(self.arrived))
        caller = Caller(contact_id, number, own.queue_id, self.books[number], now)
        caller.handle_ms, caller.patience_ms = handle_ms, patience_ms
        if own.redialling is not None or own.callback is not None or own.kept is not None:
            caller.dice = Random(f"{self._seed}/{own.name}/{contact_id}")  # noqa: S311 - simulated luck
            caller.identity = contact_id if own.redialling is not None else None
            caller.answer = own.callback.answer.sampler(caller.dice) if own.callback is not None else None
        self._enter(caller, now)

    def _enter(self, caller: Caller, now: int) -> None:
        own, again = self._classes[caller.number], caller.redials > 0
        queue = self._numbers[caller.queue_id]
        caller.entry = caller.book.enter(now, caller.handle_ms, caller.patience_ms, queue, again=again)
        self.arrived += 1
        self._stand(caller, now)
        if caller.place is not Place.ON_LINE:
            return
        self.wait(caller, now)
        caller.book.delayed[caller.entry] = not caller.rang
        if own.callback is not None and own.callback.offered_after_s is not None:
            self._stage.plan(now + round(1000 * own.callback.offered_after_s), self._offer_callback, caller)

    def _stand(self, caller: Caller, now: int) -> None:
        """Ask for an agent of the queue the caller is in now."""
        own, queue = self._classes[caller.number], self._queues[caller.queue_id]
        plan = own.plan if not caller.visited else None
        outside = queue.hours is not None and not queue.hours.is_open(now)
        self.callers[caller.contact_id] = caller
        self._stage.tell(
            ContactArrived(
                caller.contact_id,
                caller.queue_id,
                caller.arrived_at,
                own.priority,
                own.required_skills,
                plan,
                caller.identity,
                None if outside else self._expected_wait_ms(caller.queue_id, now),
                own.channel,
                outside,
            ),
            now,
        )

    def _expected_wait_ms(self, queue_id: QueueId, now: int) -> int | None:
        estimates = self._stage.estimates
        estimate = None if estimates is None else estimates.estimate(queue_id, now=now)
        return None if estimate is None else round(estimate.mean_ms)

    def wait(self, caller: Caller, now: int) -> None:
        """The customer is on the line, and waits as long as patience lasts."""
        caller.queued = True
        self._stage.meter.queued += 1
        caller.on_line_since = now
        if caller.patience_ms is not None:
            caller.gives_up_at = now + caller.patience_ms
            self._stage.plan(caller.gives_up_at, self._leave, caller)

    def hang_up(self, caller: Caller, now: int) -> None:
        """The customer is not on the line any more; the books know how long it was."""
        caller.gives_up_at = None
        caller.waited_ms += now - caller.on_line_since
        caller.book.waits[caller.entry] = caller.waited_ms
        if caller.queued:
            caller.queued = False
            self._stage.meter.queued -= 1

    def forget(self, caller: Caller) -> None:
        """The customer is gone for good."""
        caller.place = Place.GONE
        self.callers.pop(caller.contact_id, None)

    def _offer_callback(self, caller: Caller, now: int) -> None:
        if caller.place is Place.ON_LINE:
            self.promises.offer(caller, now)

    def _leave(self, caller: Caller, now: int) -> None:
        """The customer's patience is over."""
        if caller.place is not Place.ON_LINE or caller.gives_up_at != now:
            return
        self.abandoned += 1
        self.hang_up(caller, now)
        self.forget(caller)
        caller.book.abandoned[caller.entry] = 1
        self._stage.tell(ContactLeft(caller.contact_id), now)
        again = self._classes[caller.number].redialling
        if again is not None and caller.redials < again.most and caller.dice.random() < again.share:
            self._stage.plan(now + again.after.sampler(caller.dice)(), self._redial, caller)

    def _redial(self, before: Caller, now: int) -> None:
        """The same customer calls again: another contact, perhaps with the old place."""
        own = self._classes[before.number]
        caller = Caller(ContactId(str(self.arrived)), before.number, own.queue_id, before.book, now)
        caller.handle_ms, caller.patience_ms, caller.redials = before.handle_ms, before.patience_ms, before.redials + 1
        caller.identity, caller.dice, caller.answer = before.identity, before.dice, before.answer
        self._enter(caller, now)

    def overflowed(self, caller: Caller, overflow: ContactOverflowed, now: int) -> None:
        """The engine let a customer on the line go: to another queue, each once, else to whatever the flow says."""
        other = self._ways_out.get(overflow.target)
        if other is not None and other not in caller.visited | {caller.queue_id}:
            caller.visited |= {caller.queue_id}
            self._stage.plan(now, self._move, (caller, other))
            return
        wish = self._classes[caller.number].callback
        if wish is not None and wish.when_sent_away and self.promises.accepts(caller, now):
            self.promises.promised_at_the_door(caller, now)
            return
        self.sent_away += 1
        self.hang_up(caller, now)
        self.forget(caller)
        caller.book.sent_away[caller.entry] = 1

    def _move(self, move: tuple[Caller, QueueId], now: int) -> None:
        caller, queue_id = move
        if caller.place is not Place.ON_LINE:  # gave up in the same instant
            return
        caller.queue_id = queue_id
        caller.book.ends_in[caller.entry] = self._numbers[queue_id]
        self._stand(caller, now)
        if now == caller.arrived_at and (caller.rang or caller.agent_id is not None):
            caller.book.delayed[caller.entry] = 0

    def connected(self, caller: Caller, assigned: ContactAssigned, now: int) -> None:
        """An agent has who waits on the line."""
        caller.agent_id = assigned.agent_id
        self.hang_up(caller, now)
        self.converse(caller, assigned.agent_id, now)

    def converse(self, caller: Caller, agent_id: AgentId, now: int) -> None:
        """The conversation begins."""
        caller.place = Place.TALKING
        book, entry = caller.book, caller.entry
        book.served[entry] = 1
        book.agents[entry] = self._agents.number_of(agent_id)
        book.starts[entry] = now
        book.in_time[entry] = not book.called_back[entry] and caller.waited_ms <= self._targets[caller.number]
        if self._attention is None:
            self._stage.plan(now + caller.handle_ms, self._through, caller)
        else:
            self._attention.begin(caller, agent_id, self._classes[caller.number].slowed_by, now)

    def _through(self, caller: Caller, now: int) -> None:
        """The agent is through with it; some contacts are kept until they are closed by hand."""
        kept = self._classes[caller.number].kept
        if kept is None:
            self._finish(caller, now)
        else:
            self._stage.plan(now + kept.sampler(caller.dice)(), self._finish, caller)

    def _finish(self, caller: Caller, now: int) -> None:
        """The conversation is over; the agent may ask for a pause, and wraps up as long as it takes."""
        self.forget(caller)
        self.served += 1
        if caller.agent_id is not None:
            self._agents.perhaps_pause(caller.agent_id, now)
            self._stage.tell(ContactFinished(caller.contact_id), now)
            own = self._classes[caller.number]
            self._agents.talked(caller.agent_id, caller.queue_id, own.channel, now)
