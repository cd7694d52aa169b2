"""How a call asks routing for an agent, and what follows when its queue has no use for it. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from acd.events import ContactArrived, SkillLevel
from acd.ids import AgentId, ContactId, QueueId
from acd.route_plans import RoutePlan, RouteStep, preferred_agent
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from ivr.effects import EnqueueContact

QUEUE_PREFIX = "queue:"
"""What a target of ``ContactOverflowed`` begins with that names another queue."""


@dataclass(frozen=True, slots=True)
class CallRouting:
    """What the house knows for the routing of its calls."""

    plans: Mapping[str, RoutePlan] = field(default_factory=dict)
    """Route plans that flows may name."""
    queue_plans: Mapping[str, RoutePlan] = field(default_factory=dict)
    """The plans of the queues, for calls that ask a certain agent first and then go by them."""
    identity_key: bytes = b""
    """What callers' identities are keyed with, at most 64 bytes."""

    def arrival(self, call_id: str, order: fx.RequestAgent, caller: str) -> ContactArrived:
        """The contact that this call is."""
        return ContactArrived(
            ContactId(order.contact_id or call_id),
            QueueId(order.queue_id),
            order.arrived_at,
            order.priority,
            tuple(SkillLevel(skill, level) for skill, level in order.required_skills),
            plan=self._plan(order),
            identity=identity_of(caller, self.identity_key),
        )

    def _plan(self, order: fx.RequestAgent) -> RoutePlan | None:
        named = self.plans.get(order.plan)
        if not order.agent:
            return named
        if order.alone:
            return RoutePlan((preferred_agent(AgentId(order.agent), order.agent_ms, anywhere=True),), otherwise="")
        rest = named or self.queue_plans.get(order.queue_id) or RoutePlan((RouteStep(),))
        first = preferred_agent(AgentId(order.agent), order.agent_ms, anywhere=True)
        later = tuple(each for each in rest.steps if each.until_ms is None or each.until_ms > order.agent_ms)
        return RoutePlan((first, *(later or (RouteStep(),))), rest.otherwise if later else None)


def queue_request(order: EnqueueContact) -> ev.QueueRequested:
    """What a flow's order means for the call."""
    return ev.QueueRequested(
        order.queue_id,
        order.priority,
        order.required_skills,
        order.language or None,
        order.plan,
        order.agent,
        order.agent_ms,
        order.may_return,
    )


def identity_of(caller: str, key: bytes) -> str | None:
    """Who calls, as routing may know it: the same for the same number, and of no use without the key."""
    return hashlib.blake2b(caller.encode(), key=key, digest_size=12).hexdigest() if caller else None


def after_overflow(
    queue: ev.QueueRequested | None, visited: frozenset[str], overflow: ev.QueueOverflowed
) -> ev.QueueMoved | ev.QueueLeft | ev.QueueGaveUp:
    """What a queue's way out means for this call: another queue, the flow's own way, else the end.

    A queue that had the call already does not get it again, so that full queues cannot hand it around for ever.
    """
    other = overflow.target.removeprefix(QUEUE_PREFIX) if overflow.target.startswith(QUEUE_PREFIX) else ""
    if other and other not in visited:
        return ev.QueueMoved(other, overflow.reason)
    if queue is not None and queue.may_return:
        return ev.QueueLeft(overflow.reason)
    return ev.QueueGaveUp(overflow.reason)
