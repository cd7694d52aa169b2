"""The simulated agents: who comes and goes with shifts and breaks, answers or lets it ring, pauses and wraps up."""

from collections.abc import Sequence
from random import Random

from acd.agents import SIGNED_IN_REASON
from acd.errors import AgentQuarantined
from acd.events import (
    AgentEngaged,
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedIn,
    AgentSignedOut,
    AgentSpec,
    Channel,
    ContactFinished,
    OfferAccepted,
    WrapUpFinished,
)
from acd.ids import AgentId, ContactId, OfferId
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactAssigned,
    OfferContact,
    OfferEnded,
    OfferResult,
    OfferRings,
    WorkEnded,
)
from acd.simulator_books import Meter
from acd.simulator_laws import Sampler
from acd.simulator_scenario import Habits, Scenario
from acd.simulator_stage import Stage

PAUSE_REASON = "break"
BREAK_REASON = "scheduled_break"
_TALKS = frozenset({AgentState.BUSY, AgentState.WRAP_UP})
_AWAY = frozenset({AgentState.OFFLINE, AgentState.NOT_READY})


class _Group:
    """Agents who are alike: their habits as dice, and how their time went."""

    __slots__ = ("answer", "habits", "meter", "offers", "own_call", "pause", "rang_out")

    def __init__(self, habits: Habits, dice: Random) -> None:
        self.habits = habits
        self.answer: Sampler | None = None if habits.answer is None else habits.answer.sampler(dice)
        self.pause: Sampler = habits.pause.sampler(dice)
        self.own_call: Sampler = habits.own_call.sampler(dice)
        self.meter = Meter()
        self.offers = self.rang_out = 0


class _Seat:
    """One agent."""

    __slots__ = (
        "agent_id",
        "busy",
        "group",
        "number",
        "on_break",
        "pauses",
        "ready_spells",
        "reason",
        "staffed",
        "state",
        "works",
    )

    def __init__(self, agent_id: AgentId, number: int, group: _Group) -> None:
        self.agent_id = agent_id
        self.number = number
        self.group = group
        self.state = AgentState.OFFLINE
        self.reason: str | None = None
        self.works = 0
        """Contacts of shared channels, those being wrapped up included."""
        self.pauses = 0
        """How many have begun: whoever ends one says which."""
        self.ready_spells = 0
        """The same of being ready."""
        self.on_break = False
        self.busy = False
        """Whether the agent has work, of whatever channel."""
        self.staffed = False
        """Whether there is an agent to have some."""


class SimulatedAgents:
    """Owns the seats. Draws everything from dice of its own, so that customers are the same whatever agents do."""

    def __init__(self, stage: Stage, scenario: Scenario, seed: int) -> None:
        self._stage = stage
        self._dice = Random(f"{seed}/agents")  # noqa: S311 - simulated luck, not a secret
        self._scenario = scenario
        self._groups = [_Group(group.habits or scenario.habits, self._dice) for group in scenario.groups]
        self._seats: dict[AgentId, _Seat] = {}
        self._standing: dict[OfferId, AgentId] = {}
        """Offers that ring, and where."""
        self._own_calls = 0
        self._wrap_ups: dict[str, Sampler] = {
            queue.queue_id: queue.wrap_up.sampler(self._dice)
            for queue in scenario.queues
            if queue.wrap_up is not None and queue.wrap_up_is_drawn
        }

    def specs(self) -> Sequence[AgentSpec]:
        """All agents as the engine is told, and a seat for each."""
        specs: list[AgentSpec] = []
        for group, known in zip(self._scenario.groups, self._groups, strict=True):
            for spec in group.specs():
                self._seats[spec.agent_id] = _Seat(spec.agent_id, len(specs), known)
                specs.append(spec)
        return specs

    def open(self) -> None:
        """Seat everybody who is on duty; the others come with their shift."""
        seats = iter(self._seats.values())
        for group in self._scenario.groups:
            for _ in range(group.count):
                seat = next(seats)
                for start_s, end_s in group.shifts:
                    self._stage.plan(round(1000 * start_s), self._sign_in, seat)
                    self._stage.plan(round(1000 * end_s), self._sign_out, seat)
                for start_s, end_s in group.breaks:
                    self._stage.plan(round(1000 * start_s), self._begin_break, seat)
                    self._stage.plan(round(1000 * end_s), self._end_break, seat)
                if not group.shifts:
                    self._sign_in(seat, 0)

    def number_of(self, agent_id: AgentId) -> int:
        """The agent's number through all groups."""
        return self._seats[agent_id].number

    def mark(self, now: int) -> None:
        """A batch begins, or the last one ends."""
        for group in self._groups:
            group.meter.pass_until(now)
            group.meter.mark()

    def time_of_groups(self) -> list[tuple[int, int]]:
        """For each group its agents' time with contacts and in wrap-up, and their time staffed, in milliseconds."""
        spans = [group.meter.spans() for group in self._groups]
        return [(sum(each.busy_ms for each in own), sum(each.staffed_ms for each in own)) for own in spans]

    def offers_of_groups(self) -> list[tuple[int, int]]:
        """For each group how many offers its agents' phones rang for, and how many of them rang out; all of the run."""
        return [(group.offers, group.rang_out) for group in self._groups]

    def ring(self, offer: OfferContact | OfferRings, now: int) -> bool:
        """An agent's phone rings; it is answered at once (then no is the answer to whether it rings), after a while, or
        not at all."""
        group = self._seats[offer.agent_id].group
        group.offers += 1
        habits = group.habits
        if habits.answers_at_once:
            self._stage.accepting.append(offer.offer_id)
            return False
        self._standing[offer.offer_id] = offer.agent_id
        share = habits.no_answer_share
        if share and self._dice.random() < share:
            return True
        delay = group.answer() if group.answer is not None else 0
        if now + delay < offer.expires_at:
            self._stage.plan(now + delay, self._pick_up, offer.offer_id)
        return True

    def offer_ended(self, ended: OfferEnded) -> None:
        """It rings no more."""
        self._standing.pop(ended.offer_id, None)
        if ended.result is OfferResult.EXPIRED:
            self._seats[ended.agent_id].group.rang_out += 1

    def _pick_up(self, offer_id: OfferId, now: int) -> None:
        if offer_id in self._standing:
            self._stage.tell(OfferAccepted(offer_id), now)

    def assigned(self, assigned: ContactAssigned, now: int) -> None:
        """A contact of a shared channel is work beside the agent's state."""
        if assigned.channel is not Channel.VOICE:
            self._work(self._seats[assigned.agent_id], 1, now)

    def work_ended(self, ended: WorkEnded, now: int) -> None:
        """The agent is through with one."""
        self._work(self._seats[ended.agent_id], -1, now)

    def _work(self, seat: _Seat, change: int, now: int) -> None:
        seat.works += change
        self._count(seat, now)

    def talked(self, agent_id: AgentId, queue_id: str, channel: Channel, now: int) -> None:
        """A conversation is over; a drawn wrap-up of a call lasts as long as it takes."""
        wrap_up = self._wrap_ups.get(queue_id) if channel is Channel.VOICE and self._wrap_ups else None
        if wrap_up is not None:
            self._stage.plan(now + wrap_up(), self._end_wrap_up, agent_id)

    def perhaps_pause(self, agent_id: AgentId, now: int) -> None:
        """The agent may ask for a pause before the conversation ends."""
        seat = self._seats[agent_id]
        share = seat.group.habits.pause_share
        if share and self._dice.random() < share and seat.state is not AgentState.OFFLINE:
            self._stage.tell(AgentMadeNotReady(agent_id, PAUSE_REASON), now)

    def _end_wrap_up(self, agent_id: AgentId, now: int) -> None:
        self._stage.tell(WrapUpFinished(agent_id), now)

    def follow(self, change: AgentStateChanged, now: int) -> None:
        """Keep count of who works, and plan the end of a pause, whatever led to it."""
        seat = self._seats[change.agent_id]
        known = seat.state, seat.reason
        seat.state, seat.reason = change.state, change.reason
        self._count(seat, now)
        if change.state is AgentState.READY and known[0] is not AgentState.READY:
            seat.ready_spells += 1
            self._plan_own_call(seat, now)
        if change.state is not AgentState.NOT_READY or known == (change.state, change.reason):
            return
        if change.reason not in {SIGNED_IN_REASON, BREAK_REASON}:
            seat.pauses += 1
            self._stage.plan(now + seat.group.pause(), self._end_pause, (seat, seat.pauses))

    def _plan_own_call(self, seat: _Seat, now: int) -> None:
        """An agent who stays ready for so long calls somebody."""
        per_hour = seat.group.habits.own_calls_per_hour
        if per_hour:
            gap_ms = round(self._dice.expovariate(per_hour / 3_600_000))
            self._stage.plan(now + gap_ms, self._call_out, (seat, seat.ready_spells))

    def _call_out(self, which: tuple[_Seat, int], now: int) -> None:
        seat, spell = which
        if seat.state is not AgentState.READY or seat.ready_spells != spell:
            return
        if seat.works or seat.agent_id in self._standing.values():
            self._plan_own_call(seat, now)  # not beside other work
            return
        self._own_calls += 1
        contact_id = ContactId(f"own-{self._own_calls}")
        self._stage.tell(AgentEngaged(seat.agent_id, contact_id, wrap_up_ms=0), now)
        self._stage.plan(now + seat.group.own_call(), self._end_own_call, contact_id)

    def _end_own_call(self, contact_id: ContactId, now: int) -> None:
        self._stage.tell(ContactFinished(contact_id), now)

    def _count(self, seat: _Seat, now: int) -> None:
        busy = seat.works > 0 or seat.state in _TALKS
        staffed = busy or seat.state not in _AWAY
        if busy is seat.busy and staffed is seat.staffed:
            return
        own, whole = seat.group.meter, self._stage.meter
        own.pass_until(now)
        for meter in (own, whole):
            meter.busy += busy - seat.busy
            meter.staffed += staffed - seat.staffed
        seat.busy, seat.staffed = busy, staffed

    def _end_pause(self, which: tuple[_Seat, int], now: int) -> None:
        seat, number = which
        if seat.state is AgentState.NOT_READY and seat.pauses == number and not seat.on_break:
            self._make_ready(seat, now)

    def _make_ready(self, seat: _Seat, now: int) -> None:
        try:
            self._stage.tell(AgentMadeReady(seat.agent_id), now)
        except AgentQuarantined:  # asks again when it is over at the latest
            self._stage.plan(now + self._scenario.rules.quarantine_ms, self._end_pause, (seat, seat.pauses))

    def _begin_break(self, seat: _Seat, now: int) -> None:
        seat.on_break = True
        if seat.state is not AgentState.OFFLINE:
            self._stage.tell(AgentMadeNotReady(seat.agent_id, BREAK_REASON), now)

    def _end_break(self, seat: _Seat, now: int) -> None:
        seat.on_break = False
        if seat.state is AgentState.WRAP_UP:  # asking for work now would end it
            self._stage.plan(now + 1_000, self._end_break, seat)
        elif seat.state is not AgentState.OFFLINE:
            self._make_ready(seat, now)

    def _sign_in(self, seat: _Seat, now: int) -> None:
        self._stage.tell(AgentSignedIn(seat.agent_id), now)
        if seat.on_break:
            self._stage.tell(AgentMadeNotReady(seat.agent_id, BREAK_REASON), now)
        else:
            self._make_ready(seat, now)

    def _sign_out(self, seat: _Seat, now: int) -> None:
        self._stage.tell(AgentSignedOut(seat.agent_id), now)
