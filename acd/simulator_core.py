"""The same floor, faster: the engine's own matching without the ceremony around it.

Where every agent answers at once, nobody wraps up, pauses or keeps shifts, an offer is accepted in the instant it is
made, and all that the engine adds to ``acd.matching`` is bookkeeping that has no say in who gets whom. Then this loop
asks the matching itself, with the engine's keys, and comes to the same contact with the same agent at the same instant
as ``simulator_floor`` with the whole engine; the digest of both is the same, and tests hold that.

Nobody stands in a line who need not wait: an arrival asks for an agent first, an agent who is free for a contact, and
only who gets nothing lines up.

It is one loop over local names on purpose: what it spends per contact decides how many contacts a second can be
simulated.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from itertools import compress, islice

import numpy as np

from acd.agents import Agent
from acd.contacts import key_of
from acd.events import Channel, QueueSpec
from acd.ids import AgentId, ContactId
from acd.matching import Matching
from acd.queues import Demand, strongest
from acd.simulator_books import Book, Meter
from acd.simulator_floor import Customer
from acd.simulator_scenario import AgentGroup, CustomerClass, FloorRules, Habits, QueuePlan, Scenario

_CHUNK = 4096
_FOR_EVER = 1 << 62


def is_plain(scenario: Scenario) -> bool:
    """Whether nothing but matching decides what happens on this floor."""
    return (
        _is_restful(scenario.habits)
        and scenario.rules == FloorRules(seed=scenario.rules.seed)
        and all(map(_is_plain_queue, scenario.queues))
        and all(map(_is_plain_class, scenario.classes))
        and all(map(_is_plain_group, scenario.groups))
    )


def _is_restful(habits: Habits) -> bool:
    """Whether these agents answer at once, never pause and call nobody."""
    return habits.answers_at_once and habits.pause_share == 0 and habits.own_calls_per_hour == 0


def _is_plain_queue(queue: QueuePlan) -> bool:
    """Whether the queue asks for nothing but the longest idle agent; what has no effect then may be anything."""
    spec, usual = queue.spec(), QueueSpec(queue.queue_id, "")
    without_effect = {
        name: getattr(usual, name)
        for name in (
            "name",
            "ring_timeout_ms",
            "ring_step_ms",
            "otherwise",
            "resume_window_ms",
            "wrap_up_mode",
            "wrap_up_extension_ms",
            "wrap_up_timeout_code",
            "channels",
        )
    }
    return (
        replace(spec, **without_effect) == replace(usual, wrap_up_ms=0)
        and queue.wrap_up is None
        and queue.hours is None
        and not queue.closings
    )


def _is_plain_class(customers: CustomerClass) -> bool:
    """Whether they call, wait, and leave or talk."""
    return (
        customers.channel is Channel.VOICE
        and customers.plan is None
        and customers.redialling is None
        and customers.callback is None
    )


def _is_plain_group(group: AgentGroup) -> bool:
    """Whether these agents are always there, for calls, and like all others."""
    takes_calls = all(each.channel is not Channel.VOICE or each.most for each in group.capacity)
    own = group.habits is None or _is_restful(group.habits)
    return takes_calls and own and not (group.shifts or group.breaks or group.delays)


class CoreFloor:
    """The matching with simulated people around it. Offers the same as ``simulator_floor.Floor``."""

    def __init__(self, scenario: Scenario, customers: Iterator[Customer]) -> None:
        self.scenario = scenario
        self.meter = Meter()
        self.arrived = self.served = self.abandoned = self.sent_away = self.unreached = 0
        self._customers = customers
        self._specs = [spec for group in scenario.groups for spec in group.specs()]
        self._matching = Matching(self._specs)
        self._demands = [Demand(each.queue_id, strongest(each.required_skills)) for each in scenario.classes]
        self._priorities = [each.priority for each in scenario.classes]
        targets = {queue.queue_id: round(1000 * queue.target_s) for queue in scenario.queues}
        self._targets = [targets[each.queue_id] for each in scenario.classes]
        self._numbers = {spec.agent_id: number for number, spec in enumerate(self._specs)}
        self._agenda: list[tuple[int, int, int, AgentId | None]] = []
        """``(at, number, contact, agent)``: the agent's conversation ends; without an agent, the patience does."""
        self._planned = self._seq = 0
        self._queued = self._busy = self._queue_ms = self._busy_ms = self._queue_since = self._busy_since = 0
        self._now = 0
        self._marks: list[int] = []
        self._classes, self._instants, self._handles, self._patiences = (array("q") for _ in range(4))
        self._waits, self._agents = array("q"), array("q")
        self._delayed, self._served, self._abandoned, self._in_time = (bytearray() for _ in range(4))

    def open(self) -> None:
        """Everybody is ready."""
        for spec in self._specs:
            self._seq += 1
            self._matching.idle(Agent(spec, idle_seq=self._seq))
        self.meter.staffed = len(self._specs)

    def mark(self) -> None:
        """A batch begins, or the last one ends."""
        self.meter.mark()
        self._marks.append(self.arrived)

    @property
    def events(self) -> int:
        """How many facts the whole engine would have been told: arrivals, answers, ends and departures."""
        answers = sum(map(bool, map((-1).__lt__, self._agents[: self.arrived])))
        return 1 + 2 * len(self._specs) + self.arrived + answers + self.served + self.abandoned

    @property
    def in_system(self) -> int:
        """How many wait or talk."""
        return self.arrived - self.served - self.abandoned

    def time_of_groups(self) -> list[tuple[int, int]]:
        """For each group its agents' time with contacts, and their time staffed, from the first mark to the last."""
        start, end = self.meter.bounds()
        starts = np.asarray(self._instants[: self.arrived]) + np.asarray(self._waits[: self.arrived])
        ends = np.minimum(starts + np.asarray(self._handles[: self.arrived]), end)
        agents = np.asarray(self._agents[: self.arrived])
        lengths = np.maximum(0, ends - np.maximum(starts, start))
        work = np.bincount(agents[agents >= 0], weights=lengths[agents >= 0], minlength=len(self._specs))
        found, first = [], 0
        for group in self.scenario.groups:
            found.append((int(work[first : first + group.count].sum()), group.count * (end - start)))
            first += group.count
        return found

    def offers_of_groups(self) -> list[tuple[int, int]]:
        """For each group how often its phones rang, and how often in vain: whoever is offered something takes it."""
        agents = np.asarray(self._agents[: self.arrived])
        taken = np.bincount(agents[agents >= 0], minlength=len(self._specs))
        found, first = [], 0
        for group in self.scenario.groups:
            found.append((int(taken[first : first + group.count].sum()), 0))
            first += group.count
        return found

    def settle(self, arrivals: int) -> None:
        """Go on until all who wait now were served or left, or so many have arrived."""
        waiting = self._waiting(range(self.arrived))
        before = -1
        while waiting and before < self.arrived < arrivals:
            before = self.arrived
            self.advance(min(arrivals, before + 1 + len(waiting) // 8))
            waiting = self._waiting(waiting)

    def _waiting(self, contacts: Iterable[int]) -> list[int]:
        return [contact for contact in contacts if not (self._served[contact] or self._abandoned[contact])]

    def advance(self, arrivals: int) -> None:
        """Let things happen until so many have arrived, or nothing is left. The agenda goes before arrivals."""
        agenda, matching, demands, numbers = self._agenda, self._matching, self._demands, self._numbers
        idle, wait, not_waiting = matching.idle, matching.wait, matching.not_waiting
        pick_agent, pick_contact, priorities = matching.pick_another, matching.pick_contact, self._priorities
        classes, instants, handles, patiences = self._classes, self._instants, self._handles, self._patiences
        named: Callable[[int], ContactId] = str  # type: ignore[assignment]  # the call of the type would cost too much
        waits, takers, targets, specs = self._waits, self._agents, self._targets, self._specs
        delayed, served, abandoned, in_time = self._delayed, self._served, self._abandoned, self._in_time
        now, contact, planned, seq = self._now, self.arrived, self._planned, self._seq
        queued, queue_ms, queue_since = self._queued, self._queue_ms, self._queue_since
        busy, busy_ms, busy_since = self._busy, self._busy_ms, self._busy_since
        ended, left = self.served, self.abandoned
        while contact < arrivals:
            if contact == len(instants):
                self._fetch()
            arrives_at = instants[contact] if contact < len(instants) else _FOR_EVER
            if agenda and agenda[0][0] <= arrives_at:
                now, _, who, agent_id = heappop(agenda)
                if agent_id is None:
                    if served[who]:
                        continue
                    not_waiting(named(who))
                    left += 1
                    abandoned[who] = 1
                    waits[who] = now - instants[who]
                    queue_ms += queued * (now - queue_since)
                    queue_since = now
                    queued -= 1
                    continue
                ended += 1
                seq += 1
                next_contact = pick_contact(agent_id)
                if next_contact is None:
                    idle(Agent(specs[numbers[agent_id]], idle_since=now, idle_seq=seq))
                    busy_ms += busy * (now - busy_since)
                    busy_since = now
                    busy -= 1
                    continue
                who = int(next_contact.winner)
                queue_ms += queued * (now - queue_since)
                queue_since = now
                queued -= 1
                served[who] = 1
                waits[who] = waited = now - instants[who]
                in_time[who] = waited <= targets[classes[who]]
                takers[who] = numbers[agent_id]
                planned += 1
                heappush(agenda, (now + handles[who], planned, who, agent_id))
                continue
            if arrives_at == _FOR_EVER:
                break
            now, number = arrives_at, classes[contact]
            seq += 1
            agent = pick_agent(demands[number], (), 0)
            if agent is not None:
                busy_ms += busy * (now - busy_since)
                busy_since = now
                busy += 1
                takers[contact] = numbers[agent.winner]
                planned += 1
                heappush(agenda, (now + handles[contact], planned, contact, agent.winner))
            else:
                wait(named(contact), demands[number], key_of(priorities[number], now, seq, None))
                queue_ms += queued * (now - queue_since)
                queue_since = now
                queued += 1
                delayed[contact] = 1
                served[contact] = in_time[contact] = 0
                if patiences[contact] >= 0:
                    planned += 1
                    heappush(agenda, (now + patiences[contact], planned, contact, None))
            contact += 1
        self._now, self.arrived, self._planned, self._seq = now, contact, planned, seq
        self._queued, self._queue_ms, self._queue_since = queued, queue_ms + queued * (now - queue_since), now
        self._busy, self._busy_ms, self._busy_since = busy, busy_ms + busy * (now - busy_since), now
        self.served, self.abandoned = ended, left
        self.meter.take(now, self._queue_ms, self._busy_ms, now * len(self._specs))

    def _fetch(self) -> None:
        """The next customers, noted as served at once until it turns out otherwise."""
        chunk = list(islice(self._customers, _CHUNK))
        if not chunk:
            return
        instants, classes, handles, patiences = zip(*chunk, strict=True)
        self._instants.extend(instants)
        self._classes.extend(classes)
        self._handles.extend(handles)
        self._patiences.extend(-1 if patience is None else patience for patience in patiences)
        self._waits.frombytes(bytes(8 * len(chunk)))
        self._agents.extend(-1 for _ in chunk)
        for flags, value in ((self._delayed, 0), (self._served, 1), (self._abandoned, 0), (self._in_time, 1)):
            flags.extend(bytes([value]) * len(chunk))

    @property
    def books(self) -> list[Book]:
        """What happened to every contact, by class."""
        if len(self._targets) == 1:
            return [self._book(None)]
        present = self._classes[: self.arrived]
        return [self._book(bytes(each == number for each in present)) for number in range(len(self._targets))]

    def _book(self, own: bytes | None) -> Book:
        """The book of the contacts that ``own`` marks; of all without it."""
        book = Book()
        for name in Book.RECORDS:
            record = getattr(self, f"_{name}")
            if own is None:
                setattr(book, name, record[: self.arrived])
            else:
                getattr(book, name).extend(compress(record, own))
        book.marks.extend(self._marks if own is None else (sum(own[:mark]) for mark in self._marks))
        return book
