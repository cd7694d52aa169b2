"""Attention: agents who deal with several contacts at once are slower at each of them.

A contact whose class is slowed by ``s`` gets on, while its agent deals with ``k`` contacts, at the pace of
``1 / (1 + s (k - 1))``: with ``s = 1`` as if they took turns (processor sharing), with 0 as if it were alone. Whenever
one comes or goes, what is left of the others is reckoned anew.
"""

from acd.ids import AgentId
from acd.simulator_people import Caller, Place
from acd.simulator_stage import Action, Stage


class Attention:
    """Who is dealt with by whom. ``through`` is told when an agent is through with somebody."""

    def __init__(self, stage: Stage, through: Action) -> None:
        self._stage = stage
        self._through = through
        self._hands: dict[AgentId, list[Caller]] = {}

    def begin(self, caller: Caller, agent_id: AgentId, slowed_by: float, now: int) -> None:
        """The agent begins to deal with it; alone it would take ``handle_ms``."""
        hand = self._hands.setdefault(agent_id, [])
        self._get_on(hand, now)
        caller.left_ms, caller.slowed_by, caller.agent_id = float(caller.handle_ms), slowed_by, agent_id
        caller.paced_at = now
        hand.append(caller)
        self._pace(hand, now)

    def _get_on(self, hand: list[Caller], now: int) -> None:
        """What was done at the pace that ends here."""
        for caller in hand:
            caller.left_ms -= (now - caller.paced_at) / _pace(caller, len(hand))
            caller.paced_at = now

    def _pace(self, hand: list[Caller], now: int) -> None:
        """When each is through at the pace that begins here."""
        for caller in hand:
            ends_at = now + max(0, round(caller.left_ms * _pace(caller, len(hand))))
            if ends_at != caller.ends_at:
                caller.ends_at = ends_at
                self._stage.plan(ends_at, self._end, caller)

    def _end(self, caller: Caller, now: int) -> None:
        if caller.place is not Place.TALKING or caller.ends_at != now or caller.agent_id is None:
            return
        hand = self._hands[caller.agent_id]
        self._get_on(hand, now)
        hand.remove(caller)
        caller.ends_at = None
        self._pace(hand, now)
        self._through(caller, now)


def _pace(caller: Caller, together: int) -> float:
    """How much longer everything takes with so many at once."""
    return 1.0 + caller.slowed_by * (together - 1)
