"""Doubles of the console's ports: a desk that notes what it is asked, a floor that is told what to be, and accounts."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from agent_console.messages import (
    AgentChanged,
    AgentState,
    AgentView,
    Change,
    ContactChanged,
    ContactRemoved,
    ContactState,
    ContactView,
    CustomerMatch,
    FloorView,
    MatchState,
    QueueChanged,
    QueueView,
)
from agent_console.ports import Choice, DeskSettings, IntentError, Principal, Role

NOON = 1_760_000_000_000
"""An instant, milliseconds since the epoch."""


@dataclass
class Ticker:
    """A clock that stands still until told."""

    at: int = NOON

    def __call__(self) -> int:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += round(seconds * 1000)


def an_agent(agent_id: str, state: AgentState = AgentState.NOT_READY, *, since: int = NOON) -> AgentView:
    return AgentView(agent_id, f"Agent {agent_id}", state, since, queue_ids=("sales",))


def a_queue(queue_id: str, waiting: int = 0) -> QueueView:
    return QueueView(queue_id, queue_id.title(), waiting, NOON if waiting else None, 0, 0, 0, 0, 20)


def a_contact(
    contact_id: str, state: ContactState = ContactState.QUEUED, *, agent_id: str | None = None, queue_id: str = "sales"
) -> ContactView:
    return ContactView(
        contact_id,
        state,
        caller="+862155500123",
        caller_name="",
        called="+862155500000",
        arrived_at=NOON,
        customer=CustomerMatch(MatchState.PENDING),
        queue_id=queue_id,
        agent_id=agent_id,
    )


def a_principal(
    user_id: str, *roles: Role, agent_id: str | None = None, queue_ids: Iterable[str] = ("sales",)
) -> Principal:
    return Principal(user_id, f"Name of {user_id}", frozenset(roles), agent_id, frozenset(queue_ids))


ANNA = a_principal("user-anna", Role.AGENT, agent_id="anna")
BORIS = a_principal("user-boris", Role.AGENT, agent_id="boris", queue_ids=("support",))
SOFIA = a_principal("user-sofia", Role.SUPERVISOR, queue_ids=("sales", "support"))
ADAM = a_principal("user-adam", Role.ADMINISTRATOR, queue_ids=())

LENA = replace(
    a_principal("user-lena", Role.AGENT, Role.TEAM_LEAD, agent_id="lena", queue_ids=()),
    led_agents=frozenset({"boris", "dora"}),
    led_queues=frozenset({"support"}),
)
"""Leads a team of two; boris is on the floor."""

SETTINGS = DeskSettings(
    company="Example",
    not_ready_reasons=(Choice("lunch", {"en": "Lunch", "zh": "午餐"}),),
    dispositions=(Choice("solved", {"en": "Solved", "zh": "已解决"}),),
    queues=(Choice("sales", {"en": "Sales", "zh": "销售"}),),
)


class FakeFloor:
    """Implements ``Floor``: holds views, and tells subscribers of each change after it took effect."""

    def __init__(
        self,
        agents: Iterable[AgentView] = (),
        queues: Iterable[QueueView] = (),
        contacts: Iterable[ContactView] = (),
    ) -> None:
        self.agents = {agent.agent_id: agent for agent in agents}
        self.queues = {queue.queue_id: queue for queue in queues}
        self.contacts = {contact.contact_id: contact for contact in contacts}
        self.live = True
        self.subscribers: list[tuple[Callable[[Change], None], Callable[[], None], Callable[[bool], None]]] = []

    def snapshot(self) -> FloorView:
        return FloorView(tuple(self.agents.values()), tuple(self.queues.values()), tuple(self.contacts.values()))

    def is_live(self) -> bool:
        return self.live

    def subscribe(
        self, on_change: Callable[[Change], None], on_reset: Callable[[], None], on_status: Callable[[bool], None]
    ) -> Callable[[], None]:
        entry = (on_change, on_reset, on_status)
        self.subscribers.append(entry)
        return lambda: self.subscribers.remove(entry)

    def apply(self, change: Change) -> None:
        """Let one change happen."""
        match change:
            case AgentChanged(agent=agent):
                self.agents[agent.agent_id] = agent
            case QueueChanged(queue=queue):
                self.queues[queue.queue_id] = queue
            case ContactChanged(contact=contact):
                self.contacts[contact.contact_id] = contact
            case ContactRemoved(contact_id=contact_id):
                self.contacts.pop(contact_id, None)
        for on_change, _, _ in self.subscribers:
            on_change(change)

    def reset(self, floor: FloorView) -> None:
        """Become another floor at once."""
        self.agents = {agent.agent_id: agent for agent in floor.agents}
        self.queues = {queue.queue_id: queue for queue in floor.queues}
        self.contacts = {contact.contact_id: contact for contact in floor.contacts}
        for _, on_reset, _ in self.subscribers:
            on_reset()

    def set_live(self, live: bool) -> None:
        """Let the exchange come or go."""
        self.live = live
        for _, _, on_status in self.subscribers:
            on_status(live)


@dataclass
class FakeDesk:
    """Implements ``Desk``: notes every order as ``(method, *arguments)``; refuses, breaks or stalls when told to."""

    orders: list[tuple[str, ...]] = field(default_factory=list)
    refuse_with: IntentError | None = None
    break_with: Exception | None = None
    stall: asyncio.Event | None = None
    """When set to an event, orders wait for it."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by every order."""

    async def _note(self, *order: str) -> None:
        self.orders.append(order)
        self.asked.set()
        if self.stall is not None:
            await self.stall.wait()
        if self.refuse_with is not None:
            raise self.refuse_with
        if self.break_with is not None:
            raise self.break_with

    async def sign_in(self, agent_id: str) -> None:
        await self._note("sign_in", agent_id)

    async def sign_out(self, agent_id: str) -> None:
        await self._note("sign_out", agent_id)

    async def ready(self, agent_id: str) -> None:
        await self._note("ready", agent_id)

    async def not_ready(self, agent_id: str, reason: str) -> None:
        await self._note("not_ready", agent_id, reason)

    async def decline(self, agent_id: str, contact_id: str) -> None:
        await self._note("decline", agent_id, contact_id)

    async def hang_up(self, agent_id: str, contact_id: str) -> None:
        await self._note("hang_up", agent_id, contact_id)

    async def hold(self, agent_id: str, contact_id: str) -> None:
        await self._note("hold", agent_id, contact_id)

    async def resume(self, agent_id: str, contact_id: str) -> None:
        await self._note("resume", agent_id, contact_id)

    async def transfer(self, agent_id: str, contact_id: str, target_kind: str, target: str) -> None:
        await self._note("transfer", agent_id, contact_id, target_kind, target)

    async def consult(self, agent_id: str, contact_id: str, target_kind: str, target: str) -> None:
        await self._note("consult", agent_id, contact_id, target_kind, target)

    async def complete(self, agent_id: str, contact_id: str) -> None:
        await self._note("complete", agent_id, contact_id)

    async def cancel(self, agent_id: str, contact_id: str) -> None:
        await self._note("cancel", agent_id, contact_id)

    async def swap(self, agent_id: str, contact_id: str) -> None:
        await self._note("swap", agent_id, contact_id)

    async def conference(self, agent_id: str, contact_id: str) -> None:
        await self._note("conference", agent_id, contact_id)

    async def park(self, agent_id: str, contact_id: str) -> None:
        await self._note("park", agent_id, contact_id)

    async def retrieve(self, agent_id: str, slot: str) -> None:
        await self._note("retrieve", agent_id, slot)

    async def dial(self, agent_id: str, target_kind: str, target: str) -> None:
        await self._note("dial", agent_id, target_kind, target)

    async def override_hours(self, agent_id: str, target: str, reason: str) -> None:
        await self._note("override_hours", agent_id, target, reason)

    async def send_digits(self, agent_id: str, contact_id: str, digits: str) -> None:
        await self._note("send_digits", agent_id, contact_id, digits)

    async def identify(self, agent_id: str, contact_id: str, customer_id: str) -> None:
        await self._note("identify", agent_id, contact_id, customer_id)

    async def finish_wrap_up(self, agent_id: str, contact_id: str, disposition: str, notes: str) -> None:
        await self._note("finish_wrap_up", agent_id, contact_id, disposition, notes)

    async def supervise(self, user_id: str, contact_id: str, how: str) -> None:
        await self._note("supervise", user_id, contact_id, how)

    async def accept(self, agent_id: str, contact_id: str) -> None:
        await self._note("accept", agent_id, contact_id)

    async def give_back(self, agent_id: str, contact_id: str) -> None:
        await self._note("give_back", agent_id, contact_id)

    async def finish(self, user_id: str, contact_id: str) -> None:
        await self._note("finish", user_id, contact_id)

    async def move(self, user_id: str, contact_id: str, target_kind: str, target: str) -> None:
        await self._note("move", user_id, contact_id, target_kind, target)

    async def secure(self, agent_id: str, contact_id: str, how: str, target: str = "") -> None:
        await self._note("secure", agent_id, contact_id, how, target)

    async def start_recording(self, agent_id: str, contact_id: str) -> None:
        await self._note("start_recording", agent_id, contact_id)

    async def stop_recording(self, agent_id: str, contact_id: str) -> None:
        await self._note("stop_recording", agent_id, contact_id)

    async def pause_recording(self, agent_id: str, contact_id: str) -> None:
        await self._note("pause_recording", agent_id, contact_id)

    async def resume_recording(self, agent_id: str, contact_id: str) -> None:
        await self._note("resume_recording", agent_id, contact_id)

    async def close_queue(self, user_id: str, queue_id: str) -> None:
        await self._note("close_queue", user_id, queue_id)

    async def open_queue(self, user_id: str, queue_id: str) -> None:
        await self._note("open_queue", user_id, queue_id)

    async def extend_wrap_up(self, agent_id: str, contact_id: str) -> None:
        await self._note("extend_wrap_up", agent_id, contact_id)

    async def promise_callback(self, agent_id: str, contact_id: str) -> None:
        await self._note("promise_callback", agent_id, contact_id)

    async def call_off_callback(self, user_id: str, callback_id: str) -> None:
        await self._note("call_off_callback", user_id, callback_id)

    async def call_back_now(self, user_id: str, callback_id: str) -> None:
        await self._note("call_back_now", user_id, callback_id)

    async def move_callback_to_top(self, user_id: str, callback_id: str) -> None:
        await self._note("move_callback_to_top", user_id, callback_id)

    async def hand_over_callbacks(self, user_id: str, from_user: str, to_user: str) -> None:
        await self._note("hand_over_callbacks", user_id, from_user, to_user)

    async def hand_over_messages(self, user_id: str, from_user: str, to_user: str) -> None:
        await self._note("hand_over_messages", user_id, from_user, to_user)


class FakeAccounts:
    """Implements ``Accounts``: the login is the user id without ``user-``, every password is ``correct horse``."""

    PASSWORD = "correct horse"

    def __init__(self, *people: Principal) -> None:
        self.people = {person.user_id: person for person in people}
        self.break_with: Exception | None = None

    async def verify(self, login: str, password: str) -> Principal | None:
        person = self.people.get(f"user-{login}")
        return person if person is not None and password == self.PASSWORD else None

    async def find(self, user_id: str) -> Principal | None:
        if self.break_with is not None:
            raise self.break_with
        return self.people.get(user_id)
