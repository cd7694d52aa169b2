"""The simulated floor: the whole engine with people around it. Who does what is in ``simulator_customers``,
``simulator_callbacks`` and ``simulator_agents``; here they hear of each other.
"""

from collections.abc import Iterator
from math import inf

from acd.events import FloorConfigured, QueueClosed, QueueOpened
from acd.outcomes import (
    AgentStateChanged,
    ContactAssigned,
    ContactOverflowed,
    OfferContact,
    OfferEnded,
    OfferRings,
    WorkEnded,
)
from acd.simulator_agents import SimulatedAgents
from acd.simulator_books import Book, Meter
from acd.simulator_callbacks import SimulatedCallbacks
from acd.simulator_customers import SimulatedCustomers
from acd.simulator_people import Place
from acd.simulator_scenario import Scenario
from acd.simulator_stage import Engine, Stage
from acd.wait_estimates import WaitEstimates

Customer = tuple[int, int, int, int | None]
"""``(arrives_at, class number, handle_ms, patience_ms)``."""


class Floor:
    """The engine, the people, and what they are going to do."""

    def __init__(self, scenario: Scenario, customers: Iterator[Customer], seed: int, engine: Engine) -> None:
        self.scenario = scenario
        specs = [queue.spec() for queue in scenario.queues]
        asked = any(spec.max_expected_wait_ms is not None for spec in specs)
        self._stage = Stage(engine, timed=_is_timed(scenario), estimates=WaitEstimates() if asked else None)
        self._agents = SimulatedAgents(self._stage, scenario, seed)
        self._customers = SimulatedCustomers(self._stage, scenario, seed, self._agents)
        self._callbacks = SimulatedCallbacks(self._stage, self._customers, self._agents)
        self._customers.promises = self._callbacks
        self._stage.reactions = {
            OfferContact: self._offered,
            OfferRings: self._rings,
            OfferEnded: self._offer_ended,
            ContactAssigned: self._assigned,
            ContactOverflowed: self._overflowed,
            AgentStateChanged: self._agents.follow,
            WorkEnded: self._agents.work_ended,
        }
        self._coming = customers
        self._next = next(customers, None)

    def open(self) -> None:
        """Configure the floor and seat everybody who is on duty."""
        rules = self.scenario.rules
        queues = tuple(queue.spec() for queue in self.scenario.queues)
        floor = FloorConfigured(
            queues,
            tuple(self._agents.specs()),
            rules.priority_worth_ms,
            rules.seed,
            quarantine_after=rules.quarantine_after,
            quarantine_ms=rules.quarantine_ms,
        )
        self._stage.tell(floor, 0)
        for queue in self.scenario.queues:
            for start_s, end_s in queue.closings:
                self._stage.plan(round(1000 * start_s), self._stage.tell, QueueClosed(queue.queue_id))
                self._stage.plan(round(1000 * end_s), self._stage.tell, QueueOpened(queue.queue_id))
        self._agents.open()

    def mark(self) -> None:
        """A batch begins, or the last one ends."""
        self.meter.mark()
        self._agents.mark(self.meter.now)
        for book in self.books:
            book.mark()

    @property
    def meter(self) -> Meter:
        """How many waited and worked."""
        return self._stage.meter

    @property
    def books(self) -> list[Book]:
        """What happened to every contact, by class."""
        return self._customers.books

    @property
    def events(self) -> int:
        """How many facts the engine was told."""
        return self._stage.events

    @property
    def arrived(self) -> int:
        """All contacts so far."""
        return self._customers.arrived

    @property
    def served(self) -> int:
        """Conversations that came to their end."""
        return self._customers.served

    @property
    def abandoned(self) -> int:
        """Who gave up."""
        return self._customers.abandoned

    @property
    def sent_away(self) -> int:
        """Who was not let in, or came to the end of a route plan."""
        return self._customers.sent_away

    @property
    def unreached(self) -> int:
        """Who was to be called back and never there."""
        return self._callbacks.unreached

    @property
    def in_system(self) -> int:
        """How many wait, talk, or are to be called back."""
        return len(self._customers.callers) + len(self._callbacks.put_off)

    def time_of_groups(self) -> list[tuple[int, int]]:
        """For each group its agents' time with contacts and in wrap-up, and their time staffed, in milliseconds."""
        return self._agents.time_of_groups()

    def offers_of_groups(self) -> list[tuple[int, int]]:
        """For each group how often its phones rang, and how often in vain."""
        return self._agents.offers_of_groups()

    def advance(self, arrivals: int) -> None:
        """Let things happen until so many have arrived, or nothing is left."""
        customers = self._customers
        while customers.arrived < arrivals and self.step():
            pass

    def settle(self, arrivals: int) -> None:
        """Go on until all who wait now, or are to be called back, were served or left, or so many have arrived."""
        open_places = (Place.ON_LINE, Place.PROMISED)
        waiting = [each for each in self._customers.callers.values() if each.place in open_places]
        waiting += self._callbacks.put_off
        while waiting and self.arrived < arrivals and self.step():
            while waiting and waiting[-1].place not in open_places:
                waiting.pop()

    def step(self) -> bool:
        """Let the next thing happen; ``False`` when there is nothing left. Agenda and timers go before arrivals."""
        coming = self._next
        if self._stage.happen_until(inf if coming is None else coming[0]):
            return True
        if coming is None:
            return False
        self._stage.meter.pass_until(coming[0])
        self._customers.arrive(*coming)
        self._next = next(self._coming, None)
        return True

    def _offered(self, offer: OfferContact, now: int) -> None:
        caller = self._customers.callers[offer.contact_id]
        caller.ringing += 1
        if caller.place is Place.PROMISED and self._callbacks.kept(caller, now):
            return
        caller.rang |= self._agents.ring(offer, now)

    def _rings(self, offer: OfferRings, now: int) -> None:
        self._agents.ring(offer, now)

    def _offer_ended(self, ended: OfferEnded, _: int) -> None:
        self._agents.offer_ended(ended)
        caller = self._customers.callers.get(ended.contact_id)
        if caller is not None:
            caller.ringing -= 1

    def _assigned(self, assigned: ContactAssigned, now: int) -> None:
        self._agents.assigned(assigned, now)
        caller = self._customers.callers[assigned.contact_id]
        if caller.place is Place.PROMISED:
            self._callbacks.agent_there(caller, assigned, now)
        else:
            self._customers.connected(caller, assigned, now)

    def _overflowed(self, overflow: ContactOverflowed, now: int) -> None:
        caller = self._customers.callers[overflow.contact_id]
        if caller.place is Place.PROMISED:
            self._callbacks.sent_away(caller, now)
        else:
            self._customers.overflowed(caller, overflow, now)


def _is_timed(scenario: Scenario) -> bool:
    """Whether a deadline may stand between two events: not where every offer is answered at once, no wrap-up is timed,
    and nothing is asked of the engine but to match."""
    at_once = all((group.habits or scenario.habits).answers_at_once for group in scenario.groups)
    treated = any(queue.treatment is not None or queue.wrap_up is not None for queue in scenario.queues)
    planned = any(each.plan is not None or each.callback is not None for each in scenario.classes)
    return treated or planned or not at_once or any(group.delays for group in scenario.groups)
