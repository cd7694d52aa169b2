"""One queue told by lists: who of several idle agents is next, by each order, from nothing but what happened.

It keeps its own count of everything the orders go by (who became idle when, who took how many, who talked for how
long, whom it rang at last) and has its own generator, so that it can contradict the engine's keys as well as its lines.
"""

import random
from collections import defaultdict
from dataclasses import dataclass, field

from acd.engine import Acd
from acd.events import (
    AgentMadeNotReady,
    AgentMadeReady,
    AgentOrder,
    AgentSignedIn,
    AgentSignedOut,
    AgentSpec,
    ContactArrived,
    ContactFinished,
    DeclineCause,
    Event,
    FloorConfigured,
    OfferAccepted,
    OfferDeclined,
    QueueSpec,
    SkillLevel,
)
from acd.ids import AgentId, ContactId, QueueId
from acd.outcomes import OfferContact

QUEUE = QueueId("q")
AGENTS = tuple(AgentId(name) for name in ("a", "b", "c", "d", "e", "f"))
_GOLDEN, _MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def splitmix(seed: int, number: int) -> int:
    """The ``number``-th output, counted from 0, of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), step by step."""
    state, out = seed, 0
    for _ in range(number + 1):
        state = (state + _GOLDEN) & _MASK
        out = state
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            out = ((out ^ (out >> shift)) * factor) & _MASK
        out ^= out >> 31
    return out


@dataclass
class PlainOrders:
    """A story of six agents and contacts that come while some of them idle. Raises at the first wrong choice."""

    order: AgentOrder
    dice: random.Random
    acd: Acd = field(default_factory=Acd)
    now: int = 1_000
    idle: list[AgentId] = field(default_factory=list)
    """In the order of becoming ready."""
    talking: dict[AgentId, tuple[ContactId, int]] = field(default_factory=dict)
    taken: dict[AgentId, int] = field(default_factory=lambda: defaultdict(int))
    talked: dict[AgentId, int] = field(default_factory=lambda: defaultdict(int))
    rung: list[AgentId] = field(default_factory=list)
    """Whom it rang at, in turn."""
    levels: dict[AgentId, dict[str, int]] = field(default_factory=dict)
    contacts: int = 0
    chosen: int = 0
    """Choices among several."""

    def live(self, steps: int = 60) -> None:
        """The whole story."""
        seed = self.dice.randrange(1 << 32)
        skills = [{"en": self.dice.randint(1, 3), "zh": self.dice.randint(1, 3)} for _ in AGENTS]
        self.levels = dict(zip(AGENTS, skills, strict=True))
        specs = [AgentSpec(each, each, (QUEUE,), _skills(self.levels[each])) for each in AGENTS]
        self._tell(FloorConfigured((QueueSpec(QUEUE, "q", wrap_up_ms=0, order=self.order),), tuple(specs), seed=seed))
        for agent_id in self.dice.sample(AGENTS, len(AGENTS)):
            self._sit_down(agent_id)
        for _ in range(steps):
            self.now += self.dice.choice((0, 1, 500, 1_500))
            self.dice.choice((self._call, self._call, self._hang_up, self._come_and_go))(seed)

    def _tell(self, event: Event) -> list[OfferContact]:
        return [each for each in self.acd.receive(event, now=self.now) if isinstance(each, OfferContact)]

    def _sit_down(self, agent_id: AgentId) -> None:
        self.taken[agent_id] = self.talked[agent_id] = 0
        self._tell(AgentSignedIn(agent_id))
        self._tell(AgentMadeReady(agent_id))
        self.idle.append(agent_id)

    def _call(self, seed: int) -> None:
        """A contact for whom somebody idles; now and then the first refuses, and it is the next one's turn."""
        if not self.idle:
            return
        self.contacts += 1
        contact_id = ContactId(f"k{self.contacts}")
        asked = {name: 1 for name in ("en", "zh") if self.dice.random() < 0.6}
        arrived = ContactArrived(contact_id, QUEUE, self.now, required_skills=_skills(asked))
        offer = self._rings(self._tell(arrived), tuple(asked), seed)
        if len(self.idle) > 1 and self.dice.random() < 0.2:
            refused_by = offer.agent_id
            self.idle.remove(refused_by)
            offer = self._rings(self._tell(OfferDeclined(offer.offer_id, DeclineCause.BUSY)), tuple(asked), seed)
            self._tell(AgentMadeReady(refused_by))
            self.idle.append(refused_by)
        self.idle.remove(offer.agent_id)
        self._answer(offer.agent_id, contact_id, offer)

    def _rings(self, offers: list[OfferContact], asked: tuple[str, ...], seed: int) -> OfferContact:
        (offer,) = offers
        expected = self._next(asked, seed)
        assert offer.agent_id == expected, f"{self.order}: {expected} is next, but {offer.agent_id} rings"
        self.chosen += len(self.idle) > 1
        self.rung.append(expected)
        return offer

    def _answer(self, agent_id: AgentId, contact_id: ContactId, offer: OfferContact) -> None:
        self.now += self.dice.choice((0, 300))
        self._tell(OfferAccepted(offer.offer_id))
        self.taken[agent_id] += 1
        self.talking[agent_id] = (contact_id, self.now)

    def _hang_up(self, _: int) -> None:
        if self.talking:
            agent_id = self.dice.choice(list(self.talking))
            contact_id, since = self.talking.pop(agent_id)
            self.now += self.dice.choice((0, 700, 5_000))
            self._tell(ContactFinished(contact_id))
            self.talked[agent_id] += self.now - since
            self.idle.append(agent_id)

    def _come_and_go(self, _: int) -> None:
        if self.idle and self.dice.random() < 0.5:
            agent_id = self.dice.choice(self.idle)
            self.idle.remove(agent_id)
            if self.dice.random() < 0.3:
                self._tell(AgentSignedOut(agent_id))
                self._sit_down(agent_id)
            else:
                self._tell(AgentMadeNotReady(agent_id, "lunch"))
                self._tell(AgentMadeReady(agent_id))
                self.idle.append(agent_id)

    def _next(self, asked: tuple[str, ...], seed: int) -> AgentId:
        match self.order:
            case AgentOrder.LONGEST_IDLE:
                return self.idle[0]
            case AgentOrder.MOST_SKILLED:
                return max(self.idle, key=lambda each: sum(self.levels[each][name] for name in asked))
            case AgentOrder.FEWEST_CALLS:
                return min(self.idle, key=lambda each: self.taken[each])
            case AgentOrder.LEAST_TALK_TIME:
                return min(self.idle, key=lambda each: self.talked[each])
            case AgentOrder.TOP_DOWN:
                return min(self.idle)
            case AgentOrder.ROUND_ROBIN:
                never = [each for each in AGENTS if each in self.idle and each not in self.rung]
                return never[0] if never else next(each for each in self._least_recently_rung() if each in self.idle)
            case AgentOrder.RANDOM:
                alike = [self.levels[each] for each in AGENTS]
                listed = sorted(self.idle, key=lambda each: alike.index(self.levels[each]))
                return listed[splitmix(seed, len(self.rung)) * len(listed) >> 64]

    def _least_recently_rung(self) -> list[AgentId]:
        return [each for number, each in enumerate(self.rung) if each not in self.rung[number + 1 :]]


def _skills(levels: dict[str, int]) -> tuple[SkillLevel, ...]:
    return tuple(SkillLevel(name, level) for name, level in levels.items())
