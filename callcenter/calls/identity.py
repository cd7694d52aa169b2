"""Who calls, as the customer store says beside the call: asked at its beginning, waited for a moment at most."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from callcenter.calls.facts import CustomerMatched
from callcenter.calls.mail import Matched
from callcenter.calls.personal_plans import NOBODY, KnownCustomer
from callcenter.ports import Clock, CustomerDirectory
from ivr.flow import BranchStep, Flow, QueueStep, SetStep, VoicemailStep

MOMENT_SECONDS = 0.5
"""How long a call may wait where the store's answer decides how it goes on."""
PREFIX = "customer_"
"""What the flow's variables about the customer begin with."""


@dataclass(slots=True)
class CallerIdentity:
    """Owned by the call's runner, whose task is the only one that calls it. ``tell`` brings mail to the call."""

    call_id: str
    clock: Clock
    directory: CustomerDirectory
    tell: Callable[[Matched], None]
    agents: frozenset[str] = frozenset()
    """Agents who work here; of others a flow is told nothing, since it could not ask them, nor take them messages."""
    customer: KnownCustomer = NOBODY
    """What is known by now."""
    _name: str = ""
    _asking: "asyncio.Task[None] | None" = field(default=None)

    def ask(self, number: str) -> None:
        """Let the store look who has this number; the call goes on meanwhile."""
        self._asking = asyncio.create_task(self._ask(number), name=f"match {self.call_id}")

    def close(self) -> None:
        """The call is over. The task that is cut off keeps where it was, and with it whatever it can reach."""
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()

    async def until_known(self) -> None:
        """Wait until the store has answered, for a moment at most."""
        if self._asking is not None and not self._asking.done():
            await asyncio.wait({self._asking}, timeout=MOMENT_SECONDS)

    def variables(self) -> tuple[tuple[str, str], ...]:
        """What a flow may read of the customer; nothing of what is not known."""
        known = self.customer
        told = {
            "name": self._name,
            "language": known.language,
            "level": known.level,
            "owner": known.owner if known.owner in self.agents else "",
            "last_agent": known.last_agent if known.last_agent in self.agents else "",
        }
        return tuple((PREFIX + name, value) for name, value in told.items() if value)

    async def _ask(self, number: str) -> None:
        match = await self.directory.match(number)
        self._name = match.name or ""
        self.customer = KnownCustomer(
            match.level or "", match.language or "", match.owner or "", match.last_agent or ""
        )
        known = self.customer
        fact = CustomerMatched(
            self.call_id,
            self.clock.now(),
            match.state,
            match.customer_ids,
            match.name,
            level=known.level,
            language=known.language,
            owner=known.owner,
            last_agent=known.last_agent,
        )
        self.tell(Matched(fact))


def asks_who_calls(flow: Flow) -> bool:
    """Whether the flow goes by what the store knows of the customer."""
    return any(PREFIX in text for step in flow.steps.values() for text in _read_by(step))


def _read_by(step: object) -> Iterator[str]:
    match step:
        case BranchStep(variable=variable):
            yield variable
        case SetStep(values=values):
            yield from (value for _, value in values)
        case QueueStep(agent=agent):
            yield agent
        case VoicemailStep(box=box):
            yield box
        case _:
            pass
