"""Virtual time around an engine: what people are going to do, what the engine has to do, and who hears what it says."""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from math import inf
from typing import Any, Protocol

from acd.events import Event, OfferAccepted
from acd.ids import OfferId
from acd.outcomes import Outcome
from acd.simulator_books import Meter
from acd.wait_estimates import WaitEstimates

Action = Callable[[Any, int], None]
"""What somebody does: whom it is about, and when."""


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


class Stage:
    """Owns the engine and the agenda. ``timed``: whether the engine's deadlines matter. ``estimates`` hear everything
    the engine says, for those who ask how long a wait would be."""

    def __init__(self, engine: Engine, *, timed: bool, estimates: WaitEstimates | None) -> None:
        self.engine = engine
        self.meter = Meter()
        self.events = 0
        """How many facts the engine was told."""
        self.estimates = estimates
        self.reactions: dict[type, Action] = {}
        """What people make of the engine's words, by type."""
        self.accepting: list[OfferId] = []
        """Offers that are answered at once, as soon as all was said."""
        self._timed = timed
        self._agenda: list[tuple[int, int, Action, Any]] = []
        self._planned = 0

    def plan(self, at: int, action: Action, whom: object) -> None:
        """Let something happen at an instant; what was planned first for one instant happens first."""
        self._planned += 1
        heappush(self._agenda, (at, self._planned, action, whom))

    def happen_until(self, instant: float) -> bool:
        """Let the next thing happen that is planned for, or due at the engine, up to this instant; whether there was
        one. What the engine has to do goes first."""
        due = self._agenda[0][0] if self._agenda else inf
        deadline = self.engine.next_deadline() if self._timed else None
        if deadline is not None and deadline <= due and deadline <= instant:
            self.meter.pass_until(deadline)
            self._hear(self.engine.handle_timer(now=deadline), deadline)
            return True
        if due > instant or due == inf:
            return False
        now, _, action, whom = heappop(self._agenda)
        self.meter.pass_until(now)
        action(whom, now)
        return True

    def tell(self, event: Event, now: int) -> None:
        """Tell the engine a fact. Raises what the engine raises."""
        self.events += 1
        self._hear(self.engine.receive(event, now=now), now)

    def _hear(self, said: Sequence[Outcome], now: int) -> None:
        """See what the engine's words mean for the people; who answers at once does so when all was said."""
        reactions, estimates = self.reactions, self.estimates
        for outcome in said:
            if estimates is not None:
                estimates.apply(outcome, now=now)
            reaction = reactions.get(type(outcome))
            if reaction is not None:
                reaction(outcome, now)
        if self.accepting:
            accepting, self.accepting = self.accepting, []
            for offer_id in accepting:
                self.tell(OfferAccepted(offer_id), now)
