"""What the console needs from the rest of the house."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from agent_console.messages import Change, FloorView


class Role(StrEnum):
    """What a person may do."""

    AGENT = "agent"
    TEAM_LEAD = "team_lead"
    """An agent who also assigns and merges the customers of the own teams."""
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    """Reads everything about customers and who did what, changes nothing."""
    INTEGRATION = "integration"
    """A program: reads, writes and imports customers."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking."""

    user_id: str
    name: str
    roles: frozenset[Role]
    agent_id: str | None
    """The seat this person works on, ``None`` for people who take no contacts."""
    queue_ids: frozenset[str]
    """The queues this person may see."""
    language: str = "en"
    teams: frozenset[str] = frozenset()
    """Teams whose customers this person sees besides those of no team."""

    def may_see_floor(self) -> bool:
        """Supervisors and administrators see every agent, queue and contact."""
        return bool(self.roles & {Role.SUPERVISOR, Role.ADMINISTRATOR})


class Accounts(Protocol):
    """Who may sign in."""

    async def verify(self, login: str, password: str) -> Principal | None:
        """The person with this login and password, else ``None``, after the same time for known and unknown logins."""
        ...

    async def find(self, user_id: str) -> Principal | None:
        """The person with this id, ``None`` once removed."""
        ...


class IntentError(Exception):
    """An intent was refused. ``code`` is stable and part of the wire, the text is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Desk(Protocol):
    """What a person at a desk can ask for. Each raises ``IntentError`` when the answer is no."""

    async def sign_in(self, agent_id: str) -> None:
        """Take the seat; harmless when it is taken by the same agent already."""
        ...

    async def sign_out(self, agent_id: str) -> None:
        """Leave the seat."""
        ...

    async def ready(self, agent_id: str) -> None:
        """Ask for contacts."""
        ...

    async def not_ready(self, agent_id: str, reason: str) -> None:
        """Ask for a pause."""
        ...

    async def decline(self, agent_id: str, contact_id: str) -> None:
        """Refuse the contact that rings."""
        ...

    async def hang_up(self, agent_id: str, contact_id: str) -> None:
        """End the conversation."""
        ...

    async def identify(self, agent_id: str, contact_id: str, customer_id: str) -> None:
        """Say which customer this is."""
        ...

    async def finish_wrap_up(self, agent_id: str, contact_id: str, disposition: str, notes: str) -> None:
        """Complete the wrap-up."""
        ...


class Floor(Protocol):
    """The live floor as the web process knows it."""

    def snapshot(self) -> FloorView:
        """Everything, now."""
        ...

    def is_live(self) -> bool:
        """Whether the exchange is connected."""
        ...

    def subscribe(
        self, on_change: Callable[[Change], None], on_reset: Callable[[], None], on_status: Callable[[bool], None]
    ) -> Callable[[], None]:
        """Follow the floor: each change in order; ``on_reset`` when everything must be read again from ``snapshot``;
        ``on_status`` when the exchange comes or goes. Returns the function that ends it."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a list people choose from, with a label in each language."""

    code: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What the desk's lists hold."""

    company: str
    not_ready_reasons: tuple[Choice, ...]
    dispositions: tuple[Choice, ...]
    queues: tuple[Choice, ...]
    languages: tuple[str, ...] = ("en", "zh")
