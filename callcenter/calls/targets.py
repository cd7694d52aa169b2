"""Whom people mean when they dial, transfer or consult: an agent, a queue, a number outside.

This is the only place where a target is made: every number went through the outbound rules, whoever asked for it and by
whatever means. Whether its owner wants to be called is asked in ``calls.clearance``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callcenter.calls.segments import Target, TargetKind
from callcenter.ports import Allowed, OutboundRules, Refused, TrunkPolicy

UNKNOWN_AGENT = Refused("unknown-agent", "There is no such agent.")
UNKNOWN_QUEUE = Refused("unknown-queue", "There is no such queue.")
UNKNOWN_KIND = Refused("unknown-target", "A target is an agent, a queue or a number.")


class NoCallsOut:
    """The rules of a house that has none: nobody calls outside."""

    def check(self, agent_id: str, number: str, at: int) -> Allowed | Refused:
        """Always no."""
        del agent_id, number, at
        return Refused("no-outbound-rules", "This house makes no calls to the outside.")

    def withdraw(self, policy: TrunkPolicy) -> None:
        """There is nothing to take back."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Who can be reached inside, and by which rules outside."""

    agents: Mapping[str, str] = field(default_factory=dict)
    """Agent id to the first queue the agent serves, empty for none."""
    queues: frozenset[str] = frozenset()
    rules: OutboundRules = field(default_factory=NoCallsOut)
    teams: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Agent id to every queue the agent serves."""

    def queue_of(self, agent_id: str) -> str:
        """The queue under which an agent's own calls come back, empty for none."""
        return self.agents.get(agent_id, "")

    def are_colleagues(self, one: str, other: str) -> bool:
        """Whether two agents serve a queue in common, and so may answer for each other."""
        return one != other and bool(self.teams.get(one, frozenset()) & self.teams.get(other, frozenset()))

    def resolve(self, by_agent_id: str, kind: str, text: str, at: int) -> Target | Refused:
        """What ``text`` means to this agent; ``kind`` is empty for what a phone dialled, which may be any of them."""
        text = text.strip()
        if not kind:
            kind = self._kind_of(text)
        match kind:
            case TargetKind.AGENT:
                found = text in self.agents
                return Target(TargetKind.AGENT, text, self.agents[text]) if found else UNKNOWN_AGENT
            case TargetKind.QUEUE:
                return Target(TargetKind.QUEUE, text, text) if text in self.queues else UNKNOWN_QUEUE
            case TargetKind.NUMBER:
                checked = self.rules.check(by_agent_id, text, at)
                if isinstance(checked, Refused):
                    return checked
                return Target(TargetKind.NUMBER, checked.e164, policy=checked.policy)
            case _:
                return UNKNOWN_KIND

    def _kind_of(self, text: str) -> TargetKind:
        if text in self.agents:
            return TargetKind.AGENT
        return TargetKind.QUEUE if text in self.queues else TargetKind.NUMBER
