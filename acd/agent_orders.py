"""Which of several idle agents goes first: one key for each order, smallest first, constant while the agent is idle.

``most skilled`` puts the levels that a demand asks for before the key, since they depend on the demand; ``random`` has
no key but a draw.
"""

from collections.abc import Callable, Mapping

from acd.agents import Agent
from acd.events import AgentOrder
from acd.lines import Key

_O = AgentOrder


def longest_idle(agent: Agent) -> Key:
    """The instant of becoming ready, then the order of becoming ready."""
    return (agent.idle_since, agent.idle_seq)


KEYS: Mapping[AgentOrder, Callable[[Agent], Key]] = {
    _O.LONGEST_IDLE: longest_idle,
    _O.MOST_SKILLED: longest_idle,
    _O.FEWEST_CALLS: lambda agent: (agent.taken, agent.idle_since, agent.idle_seq),
    _O.LEAST_TALK_TIME: lambda agent: (agent.talked_ms, agent.idle_since, agent.idle_seq),
    _O.ROUND_ROBIN: lambda agent: (agent.last_offer, agent.position),
    _O.TOP_DOWN: lambda agent: (agent.position,),
    _O.RANDOM: lambda agent: (agent.idle_seq,),
}
"""Order -> the key of an idle agent. Every key is unique to its agent."""

WITHOUT_LINE = frozenset({_O.LONGEST_IDLE, _O.MOST_SKILLED, _O.RANDOM})
"""Orders that need no line of their own: the one by idle time serves, or a roster."""

_MASK = (1 << 64) - 1


def draw(seed: int, number: int, count: int) -> int:
    """A place below ``count``, drawn for the decision of this number: uniform, and the same whenever it is replayed.

    SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), scaled by multiplication.
    """
    mixed = (seed + (number + 1) * 0x9E3779B97F4A7C15) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((mixed ^ (mixed >> 31)) * count) >> 64
