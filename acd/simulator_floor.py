"""The simulated people around the engine: customers who arrive, wait and leave, agents who answer, talk and pause."""

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from math import inf
from random import Random
from typing import Any, Protocol

from acd.agents import SIGNED_IN_REASON
from acd.events import (
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedIn,
    AgentSignedOut,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    Event,
    FloorConfigured,
    OfferAccepted,
    WrapUpFinished,
)
from acd.ids import AgentId, ContactId, OfferId
from acd.outcomes import AgentState, AgentStateChanged, ContactAssigned, OfferContact, Outcome
from acd.simulator_books import Book, Meter
from acd.simulator_laws import Deterministic
from acd.simulator_scenario import Scenario

PAUSE_REASON = "break"
_BUSY = {state: int(state in {AgentState.BUSY, AgentState.WRAP_UP}) for state in AgentState}
_STAFFED = {state: int(state not in {AgentState.OFFLINE, AgentState.NOT_READY}) for state in AgentState}

Customer = tuple[int, int, int, int | None]
"""``(arrives_at, class number, handle_ms, patience_ms)``."""


class Engine(Protocol):
    """What is simulated: the routing engine, or something that stands in for it."""

    def receive(self, event: Event, *, now: int) -> Sequence[Outcome]:
        """Take one fact."""
        ...

    def next_deadline(self) -> int | None:
        """When ``handle_timer`` has something to do."""
        ...

    def handle_timer(self, *, now: int) -> Sequence[Outcome]:
        """Let deadlines pass."""
        ...


class Caller:
    """One contact on the simulated floor, until its conversation is over or it left."""

    __slots__ = ("agent_id", "arrived_at", "book", "contact_id", "handle_ms", "number", "place", "queued", "rang")

    def __init__(self, contact_id: ContactId, number: int, book: Book, place: int, arrived_at: int) -> None:
        self.contact_id = contact_id
        self.number = number
        """Of its class."""
        self.book = book
        self.place = place
        self.arrived_at = arrived_at
        self.handle_ms = 0
        self.agent_id: AgentId | None = None
        self.queued = False
        """Whether it is counted among those who wait."""
        self.rang = False
        """Whether an agent's phone has rung for it."""


class Floor:
    """The engine, the people, and the agenda of what they are going to do."""

    def __init__(self, scenario: Scenario, customers: Iterator[Customer], seed: int, engine: Engine) -> None:
        self.scenario = scenario
        self.engine = engine
        self.meter = Meter()
        self.books = [Book() for _ in scenario.classes]
        self.callers: dict[ContactId, Caller] = {}
        """Who waits or talks."""
        self.arrived = self.served = self.abandoned = self.events = 0
        self._customers = customers
        self._next = next(customers, None)
        self._agenda: list[tuple[int, int, Callable[[Any, int], None], Any]] = []
        self._planned = 0
        self._answers: list[OfferId] = []
        self._states: dict[AgentId, AgentState] = {}
        self._agent_numbers: dict[AgentId, int] = {}
        self._reactions: dict[type, Callable[[Any, int], None]] = {
            OfferContact: self._ring,
            ContactAssigned: self._connect,
            AgentStateChanged: self._follow_agent,
        }
        self._learn_habits(seed)

    def _learn_habits(self, seed: int) -> None:
        scenario, habits = self.scenario, self.scenario.habits
        queues = {queue.queue_id: queue for queue in scenario.queues}
        self._targets = [round(1000 * queues[each.queue_id].target_s) for each in scenario.classes]
        self._dice = Random(f"{seed}/agents")  # noqa: S311 - simulated luck, not a secret
        self._answer = habits.answer.sampler(self._dice) if habits.answer is not None else None
        self._pause = habits.pause.sampler(self._dice)
        self._at_once = self._answer is None and habits.no_answer_share == 0
        self._wrap_ups = {
            queue.queue_id: queue.wrap_up.sampler(self._dice)
            for queue in scenario.queues
            if queue.wrap_up is not None and not isinstance(queue.wrap_up, Deterministic)
        }
        # Where every offer is answered at once and no wrap-up is timed, no deadline ever stands between two events.
        self._timed = not self._at_once or any(queue.wrap_up is not None for queue in scenario.queues)

    def open(self) -> None:
        """Configure the floor and seat everybody who is on duty; the others come with their shift."""
        specs = [(group, spec) for group in self.scenario.groups for spec in group.specs()]
        self._states = {spec.agent_id: AgentState.OFFLINE for _, spec in specs}
        self._agent_numbers = {agent_id: number for number, agent_id in enumerate(self._states)}
        queues = tuple(queue.spec() for queue in self.scenario.queues)
        self._tell(FloorConfigured(queues, tuple(spec for _, spec in specs)), 0)
        for group, spec in specs:
            for start_s, end_s in group.shifts:
                self._plan(round(1000 * start_s), self._sign_in, spec.agent_id)
                self._plan(round(1000 * end_s), self._sign_out, spec.agent_id)
            if not group.shifts:
                self._sign_in(spec.agent_id, 0)

    def mark(self) -> None:
        """A batch begins, or the last one ends."""
        self.meter.mark()
        for book in self.books:
            book.mark()

    @property
    def in_system(self) -> int:
        """How many wait or talk."""
        return len(self.callers)

    def advance(self, arrivals: int) -> None:
        """Let things happen until so many have arrived, or nothing is left."""
        while self.arrived < arrivals and self.step():
            pass

    def settle(self, arrivals: int) -> None:
        """Go on until all who wait now were served or left, or so many have arrived."""
        waiting = [caller for caller in self.callers.values() if caller.queued]
        while waiting and self.arrived < arrivals and self.step():
            while waiting and not waiting[-1].queued:
                waiting.pop()

    def step(self) -> bool:
        """Let the next thing happen; ``False`` when there is nothing left. Agenda and timers go before arrivals."""
        due = self._agenda[0][0] if self._agenda else inf
        arrives_at = self._next[0] if self._next is not None else inf
        deadline = self.engine.next_deadline() if self._timed else None
        if deadline is not None and deadline <= due and deadline <= arrives_at:
            self.meter.pass_until(deadline)
            self._hear(self.engine.handle_timer(now=deadline), deadline)
        elif due <= arrives_at:
            if not self._agenda:
                return False
            now, _, action, whom = heappop(self._agenda)
            self.meter.pass_until(now)
            action(whom, now)
        elif self._next is not None:
            self.meter.pass_until(self._next[0])
            self._arrive(*self._next)
            self._next = next(self._customers, None)
        return True

    def _plan(self, at: int, action: Callable[[Any, int], None], whom: object) -> None:
        self._planned += 1
        heappush(self._agenda, (at, self._planned, action, whom))

    def _tell(self, event: Event, now: int) -> None:
        self.events += 1
        self._hear(self.engine.receive(event, now=now), now)

    def _hear(self, said: Sequence[Outcome], now: int) -> None:
        """See what the engine's words mean for the people; who answers at once does so when all was said."""
        reactions = self._reactions
        for outcome in said:
            reaction = reactions.get(type(outcome))
            if reaction is not None:
                reaction(outcome, now)
        if self._answers:
            answers, self._answers = self._answers, []
            for offer_id in answers:
                self._tell(OfferAccepted(offer_id), now)

    def _arrive(self, now: int, number: int, handle_ms: int, patience_ms: int | None) -> None:
        customers = self.scenario.classes[number]
        contact_id = ContactId(str(self.arrived))
        self.arrived += 1
        book = self.books[number]
        caller = Caller(contact_id, number, book, book.enter(now, handle_ms, patience_ms), now)
        caller.handle_ms = handle_ms
        self.callers[contact_id] = caller
        self._tell(
            ContactArrived(contact_id, customers.queue_id, now, customers.priority, customers.required_skills), now
        )
        if caller.agent_id is None:
            caller.queued = True
            self.meter.queued += 1
            caller.book.delayed[caller.place] = not caller.rang
            if patience_ms is not None:
                self._plan(now + patience_ms, self._leave, caller)

    def _leave(self, caller: Caller, now: int) -> None:
        """The customer's patience is over."""
        if caller.agent_id is not None:
            return
        del self.callers[caller.contact_id]
        self.abandoned += 1
        self.meter.queued -= 1
        caller.queued = False
        caller.book.abandoned[caller.place] = 1
        caller.book.waits[caller.place] = now - caller.arrived_at
        self._tell(ContactLeft(caller.contact_id), now)

    def _ring(self, offer: OfferContact, now: int) -> None:
        """An agent's phone rings; it is answered at once, after a while, or not at all."""
        if self._at_once:
            self._answers.append(offer.offer_id)
            return
        self.callers[offer.contact_id].rang = True
        share = self.scenario.habits.no_answer_share
        if share and self._dice.random() < share:
            return
        delay = self._answer() if self._answer is not None else 0
        if now + delay < offer.expires_at:
            self._plan(now + delay, self._pick_up, offer.offer_id)

    def _pick_up(self, offer_id: OfferId, now: int) -> None:
        self._tell(OfferAccepted(offer_id), now)

    def _connect(self, assigned: ContactAssigned, now: int) -> None:
        """The conversation begins."""
        caller, agent_id = self.callers[assigned.contact_id], assigned.agent_id
        book, place, waited_ms = caller.book, caller.place, now - caller.arrived_at
        caller.agent_id = agent_id
        if caller.queued:
            caller.queued = False
            self.meter.queued -= 1
            book.waits[place] = waited_ms
        book.served[place] = 1
        book.agents[place] = self._agent_numbers[agent_id]
        book.in_time[place] = waited_ms <= self._targets[caller.number]
        self._plan(now + caller.handle_ms, self._finish, caller)

    def _finish(self, caller: Caller, now: int) -> None:
        """The conversation is over; the agent may ask for a pause, and wraps up as long as it takes."""
        del self.callers[caller.contact_id]
        self.served += 1
        share = self.scenario.habits.pause_share
        if caller.agent_id is not None and share and self._dice.random() < share:
            self._tell(AgentMadeNotReady(caller.agent_id, PAUSE_REASON), now)
        self._tell(ContactFinished(caller.contact_id), now)
        wrap_up = self._wrap_ups.get(self.scenario.classes[caller.number].queue_id) if self._wrap_ups else None
        if wrap_up is not None:
            self._plan(now + wrap_up(), self._end_wrap_up, caller.agent_id)

    def _end_wrap_up(self, agent_id: AgentId, now: int) -> None:
        self._tell(WrapUpFinished(agent_id), now)

    def _follow_agent(self, change: AgentStateChanged, now: int) -> None:
        """Keep count of who works, and plan the end of a pause, whatever led to it."""
        agent_id, state = change.agent_id, change.state
        before = self._states[agent_id]
        self._states[agent_id] = state
        self.meter.busy += _BUSY[state] - _BUSY[before]
        self.meter.staffed += _STAFFED[state] - _STAFFED[before]
        if state is AgentState.NOT_READY and change.reason != SIGNED_IN_REASON:
            self._plan(now + self._pause(), self._end_pause, agent_id)

    def _end_pause(self, agent_id: AgentId, now: int) -> None:
        if self._states[agent_id] is AgentState.NOT_READY:
            self._tell(AgentMadeReady(agent_id), now)

    def _sign_in(self, agent_id: AgentId, now: int) -> None:
        self._tell(AgentSignedIn(agent_id), now)
        self._tell(AgentMadeReady(agent_id), now)

    def _sign_out(self, agent_id: AgentId, now: int) -> None:
        self._tell(AgentSignedOut(agent_id), now)
