"""What would have been: the customers and agents of a written day on a floor of another policy. Pure.

``written_day`` says what is taken from the journal. What the day does not tell is filled in so that the same journal
gives the same answer: customers who were served would have gone on waiting for an exponential time of the mean that the
day's own abandonments give (maximum likelihood, censored data); who was never served would have talked, and been
wrapped up, as long as somebody else of the queue. Agents answer after the day's median time to answer. Each lets as
large a share of offers ring out, or refuses them, as on that day, and stays away as long; who was not there that day
does as the others did.

The day is lived twice, once by its own policy: the difference between that and what was recorded is the error of the
model, and only what is clearly larger than it means anything.
"""

import hashlib
import heapq
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from acd.capacity import PATIENT
from acd.engine import Acd
from acd.errors import AcdError, AgentQuarantined
from acd.events import (
    AgentMadeReady,
    AgentSignedIn,
    ContactFinished,
    ContactLeft,
    ContactPresent,
    Event,
    FloorConfigured,
    OfferAccepted,
    OfferDeclined,
    WrapUpFinished,
)
from acd.ids import AgentId, ContactId, QueueId
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactAssigned,
    ContactOverflowed,
    ContactQueued,
    OfferContact,
    OfferEnded,
    OfferResult,
    Outcome,
)
from callcenter.calls.queueing import QUEUE_PREFIX
from callcenter.day_figures import Figures
from callcenter.doorway import Doorway
from callcenter.service_targets import ServiceTargets
from callcenter.written_day import OfferHabits, Refusal, WrittenDay
from ivr.hours import Hours

AWAY_MS = 60_000
"""How long who refused stays away when the whole day does not tell it of anybody."""
TALK_MS = 180_000
"""How long a conversation takes when nobody of the queue had one."""


def live_again(
    day: WrittenDay,
    policy: FloorConfigured,
    hours: Mapping[str, Hours] | None = None,
    targets: ServiceTargets | None = None,
) -> Figures:
    """The day by this policy. Agents the day did not know are there, and ready, from the first deed on.

    ``hours`` are those of the policy's queues that are not always open; ``None`` keeps what the day's arrivals met.
    ``targets`` is what the service level is measured against; ``None``: what was promised on the day.
    """
    return _Life(day, policy, hours, day.targets if targets is None else targets).live()


class _Life:
    """One day under virtual time: a heap of what comes, and the engine."""

    def __init__(
        self, day: WrittenDay, policy: FloorConfigured, hours: Mapping[str, Hours] | None, targets: ServiceTargets
    ) -> None:
        self.day, self.policy = day, policy
        self.engine, self.figures, self.doorway = Acd(), Figures(targets), Doorway(hours)
        self.coming: list[tuple[int, int, Event]] = []
        self.counter = 0
        self.customers = {each.arrived.contact_id: each for each in day.customers}
        self.talking: set[ContactId] = set()
        self.visited: dict[ContactId, set[QueueId]] = {}
        self.refusing: dict[AgentId, Refusal] = {}
        """What an agent who is rung will do, for those who will not answer."""
        self.talks: dict[str, list[int]] = defaultdict(list)
        self.wrap_ups: dict[str, list[int]] = defaultdict(list)
        waiting = gave_up = 0
        for each in day.customers:
            if each.talk_ms is not None:
                self.talks[each.arrived.queue_id].append(each.talk_ms)
            if (wrap_up_ms := day.wrap_ups_ms.get(each.arrived.contact_id)) is not None:
                self.wrap_ups[each.arrived.queue_id].append(wrap_up_ms)
            waiting += each.waited_ms
            gave_up += each.gave_up_ms is not None
        self.patience_ms = waiting / gave_up if gave_up else math.inf
        self.usual = OfferHabits(
            sum(each.offers for each in day.habits.values()),
            [refusal for _, each in sorted(day.habits.items()) for refusal in each.refusals],
        )
        times = [each.away_ms for each in self.usual.refusals if each.away_ms is not None]
        self.away_ms = round(median(times)) if times else AWAY_MS

    def live(self) -> Figures:
        start = min([at for at, _ in self.day.deeds] + [each.at for each in self.day.customers], default=0)
        self._tell(self.policy, start)
        for agent in self.policy.agents:
            if agent.agent_id not in self.day.agents:
                self._later(start, AgentSignedIn(agent.agent_id))
                self._later(start, AgentMadeReady(agent.agent_id))
        for at, event in self.day.deeds:
            self._later(at, event)
        for each in self.day.customers:
            self._later(each.at, each.arrived)
        while self.coming:
            deadline = self.engine.next_deadline()
            if deadline is not None and deadline <= self.coming[0][0]:  # what follows from it may come first of all
                self._take(self.engine.handle_timer(now=deadline), deadline)
                continue
            at, _, event = heapq.heappop(self.coming)
            if not (isinstance(event, ContactLeft) and event.contact_id in self.talking):
                self._tell(event, at)
        self.figures.close(max(self.day.ends_at, start))
        return self.figures

    def _later(self, at: int, event: Event) -> None:
        self.counter += 1
        heapq.heappush(self.coming, (at, self.counter, event))

    def _tell(self, event: Event, at: int) -> None:
        event = self.doorway.look(event, at)
        try:
            self._take(self.engine.receive(event, now=at), at)
        except AgentQuarantined:
            self._when_released(event)
        except AcdError:  # of an agent or a queue that this policy does not have, or too late for this life
            return

    def _when_released(self, event: Event) -> None:
        agent_id = getattr(event, "agent_id", None)
        for agent in self.engine.agents():
            if agent.agent_id == agent_id and agent.quarantined_until is not None:
                self._later(agent.quarantined_until, event)

    def _take(self, outcomes: Sequence[Outcome], at: int) -> None:
        for outcome in outcomes:
            self.figures.take(outcome, at)
            self.doorway.apply(outcome, at)
            match outcome:
                case ContactOverflowed(contact_id=contact_id, target=target) if target.startswith(QUEUE_PREFIX):
                    self._move(contact_id, QueueId(target.removeprefix(QUEUE_PREFIX)), at)
                case ContactQueued(contact_id=contact_id, returned=False, is_away=False) if self._is_new(contact_id):
                    patience_ms = self._patience_ms(contact_id)
                    if patience_ms is not None:
                        self._later(at + patience_ms, ContactLeft(contact_id))
                case OfferContact():
                    self._ring(outcome, at)
                case OfferEnded(agent_id=agent_id, result=result):
                    refusal = self.refusing.pop(agent_id, None)
                    if refusal is not None and result in {OfferResult.EXPIRED, OfferResult.DECLINED}:
                        self._later(at + (refusal.away_ms or self.away_ms), AgentMadeReady(agent_id))
                case ContactAssigned(contact_id=contact_id):
                    if (customer := self.customers[contact_id]).arrived.is_away and customer.came:
                        self._later(at, ContactPresent(contact_id))
                    self.talking.add(contact_id)  # patience is over with waiting
                    self._later(at + self._talk_ms(contact_id), ContactFinished(contact_id))
                case AgentStateChanged(agent_id=agent_id, state=AgentState.WRAP_UP, contact_id=contact_id):
                    wrap_up_ms = self._wrap_up_ms(contact_id) if contact_id is not None else None
                    if wrap_up_ms is not None:
                        self._later(at + wrap_up_ms, WrapUpFinished(agent_id))
                case _:
                    pass

    def _is_new(self, contact_id: ContactId) -> bool:
        return contact_id not in self.visited

    def _ring(self, offer: OfferContact, at: int) -> None:
        """The agent answers, refuses or lets it ring out, as seldom or often as on the day."""
        refusal = self._refusal(offer.agent_id, offer.contact_id)
        if refusal is None:
            if at + self.day.answer_ms < offer.expires_at:
                self._later(at + self.day.answer_ms, OfferAccepted(offer.offer_id))
            return
        self.refusing[offer.agent_id] = refusal
        if refusal.cause is not None:
            self._later(min(at + refusal.after_ms, offer.expires_at), OfferDeclined(offer.offer_id, refusal.cause))

    def _refusal(self, agent_id: AgentId, contact_id: ContactId) -> Refusal | None:
        habits = self.day.habits.get(agent_id, self.usual)
        place = int(_share(f"{contact_id}/{agent_id}") * habits.offers)
        return habits.refusals[place] if place < len(habits.refusals) else None

    def _move(self, contact_id: ContactId, queue_id: QueueId, at: int) -> None:
        """To another queue with the same age, each queue once, as calls do."""
        visited = self.visited.setdefault(contact_id, {self.customers[contact_id].arrived.queue_id})
        if queue_id not in visited:
            visited.add(queue_id)
            self._later(at, replace(self.customers[contact_id].arrived, queue_id=queue_id, plan=None))

    def _patience_ms(self, contact_id: ContactId) -> int | None:
        customer = self.customers[contact_id]
        if customer.gave_up_ms is not None:
            return customer.gave_up_ms
        if math.isinf(self.patience_ms) or customer.arrived.channel in PATIENT:  # nobody is there to give up
            return None
        return customer.waited_ms + 1 + round(-math.log(1.0 - _share(contact_id)) * self.patience_ms)

    def _wrap_up_ms(self, contact_id: ContactId) -> int | None:
        """As on the day; of who was not served then, as after another one of the queue. ``None``: the clock ends it."""
        known = self.day.wrap_ups_ms.get(contact_id)
        if known is not None or contact_id not in self.customers:
            return known
        others = self.wrap_ups[self.customers[contact_id].arrived.queue_id]
        return others[int(_share(contact_id) * len(others))] if others else None

    def _talk_ms(self, contact_id: ContactId) -> int:
        customer = self.customers[contact_id]
        if customer.talk_ms is not None:
            return customer.talk_ms
        others = self.talks[customer.arrived.queue_id] or [TALK_MS]
        return others[int(_share(contact_id) * len(others))]


def _share(name: str) -> float:
    """A number below 1 that is always the same for this name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest(), "big") / (1 << 48)
