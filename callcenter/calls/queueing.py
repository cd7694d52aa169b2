"""How a call asks routing for an agent, and what follows when its queue has no use for it. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from acd.events import ContactArrived, SkillLevel
from acd.ids import AgentId, ContactId, QueueId
from acd.route_plans import RoutePlan, RouteStep, preferred_agent
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.personal_plans import NOBODY, KnownCustomer, PersonalPlan
from ivr.effects import EnqueueContact, RequestCallback
from ivr.hours import Hours

QUEUE_PREFIX = "queue:"
"""What a target of ``ContactOverflowed`` begins with that names another queue."""


@dataclass(frozen=True, slots=True)
class CallRouting:
    """What the house knows for the routing of its calls."""

    plans: Mapping[str, PersonalPlan] = field(default_factory=dict)
    """Route plans that flows may name."""
    queue_plans: Mapping[str, PersonalPlan] = field(default_factory=dict)
    """The plans of the queues, for calls that ask a certain agent first and then go by them, and for customers whom the
    plan knows."""
    level_priority: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By queue: what a customer's level adds to the priority."""
    agents: frozenset[str] = frozenset()
    """Agents who may be asked for by name."""
    identity_key: bytes = b""
    """What callers' identities are keyed with, at most 64 bytes."""

    def asks_who_calls(self, queue_id: str, plan: str) -> bool:
        """Whether it depends on the customer who is asked, and how soon."""
        personal = self.plans.get(plan) or self.queue_plans.get(queue_id)
        return queue_id in self.level_priority or (personal is not None and personal.is_personal)

    def bonus(self, queue_id: str, customer: KnownCustomer) -> int:
        """What the customer's level adds to the priority in this queue."""
        return self.level_priority.get(queue_id, {}).get(customer.level, 0)

    def arrival(
        self,
        call_id: str,
        order: fx.RequestAgent,
        caller: str,
        *,
        since: int | None = None,
        customer: KnownCustomer = NOBODY,
    ) -> ContactArrived:
        """The contact that this call is; ``since`` is the place of a callback that the customer gave up by calling."""
        return ContactArrived(
            ContactId(order.contact_id or call_id),
            QueueId(order.queue_id),
            order.arrived_at if since is None else min(since, order.arrived_at),
            order.priority + self.bonus(order.queue_id, customer),
            tuple(SkillLevel(skill, level) for skill, level in order.required_skills),
            plan=self._plan(order, customer),
            identity=identity_of(caller, self.identity_key),
        )

    def _plan(self, order: fx.RequestAgent, customer: KnownCustomer) -> RoutePlan | None:
        named, own = self.plans.get(order.plan), self.queue_plans.get(order.queue_id)
        personal = named or own
        whole = None if personal is None else personal.plan(customer, self.agents)
        if not order.agent:
            return whole if named is not None or (own is not None and own.is_personal) else None
        if order.alone:
            return RoutePlan((preferred_agent(AgentId(order.agent), order.agent_ms, anywhere=True),), otherwise="")
        rest = whole or RoutePlan((RouteStep(),))
        first = preferred_agent(AgentId(order.agent), order.agent_ms, anywhere=True)
        later = tuple(each for each in rest.steps if each.until_ms is None or each.until_ms > order.agent_ms)
        return RoutePlan((first, *(later or (RouteStep(),))), rest.otherwise if later else None)


@dataclass(frozen=True, slots=True)
class CallbackRule:
    """How a queue calls back. Durations in milliseconds."""

    most: int = 0
    """So many may be promised at once; 0 promises none."""
    attempts: int = 3
    retry_ms: int = 300_000
    within_ms: int = 14_400_000
    """What was not reached by then is given up."""
    hours: Hours | None = None
    """Days and hours in which customers are called, on their own clocks; ``None``: at any."""
    calls_unasked: bool = True
    """Whether a customer is called while the customer store cannot say that it is still wanted."""
    customer_first: bool = False
    """Whether the customer is dialled first, and an agent kept meanwhile; otherwise the agent's phone rings first."""
    ring_ms: int = 30_000
    """How long the customer's phone rings."""


class CallbackPromises(Protocol):
    """Who promises callbacks; ``callcenter.callbacks.callbacks``."""

    async def request(self, call_id: str, caller: str, order: RequestCallback, since: int) -> bool:
        """Promise one with the place of ``since`` (milliseconds); whether it is promised."""
        ...

    def reclaim(self, caller: str, queue_id: str) -> int | None:
        """Whoever calls in has the place of the callback that waits, which is called off; ``None`` for no such one."""
        ...

    def customer_is_there(self, contact_id: str) -> None:
        """The customer of this contact was called first, answered, and waits from now on."""
        ...


class NoCallbacks:
    """A house that calls nobody back."""

    async def request(self, call_id: str, caller: str, order: RequestCallback, since: int) -> bool:
        """Never."""
        del call_id, caller, order, since
        return False

    def reclaim(self, caller: str, queue_id: str) -> int | None:
        """There is none."""
        del caller, queue_id
        return None

    def customer_is_there(self, contact_id: str) -> None:
        """There is nobody."""


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
        order.surveys,
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
