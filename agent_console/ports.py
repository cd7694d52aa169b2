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
    """An agent who also assigns and merges the customers of the own teams, and sees and supervises their agents."""
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
    led_agents: frozenset[str] = frozenset()
    """Of a team lead: the seats of the own teams."""
    led_queues: frozenset[str] = frozenset()
    """Of a team lead: the queues that those seats serve."""
    scopes: frozenset[str] | None = None
    """Of a program that came with a token: what it may do of what its role allows. ``None`` for people."""

    def may_see_floor(self) -> bool:
        """Supervisors and administrators see every agent, queue and contact."""
        return bool(self.roles & {Role.SUPERVISOR, Role.ADMINISTRATOR})

    def may_see_team(self) -> bool:
        """Whether there is more on the floor for this person than the own desk: all of it, or the teams led."""
        return self.may_see_floor() or bool(self.led_agents)


class Accounts(Protocol):
    """Who may sign in."""

    async def verify(self, login: str, password: str) -> Principal | None:
        """The person with this login and password, else ``None``, after the same time for known and unknown logins."""
        ...

    async def find(self, user_id: str) -> Principal | None:
        """The person with this id, ``None`` once removed."""
        ...


class TokensAway(Exception):
    """Tokens cannot be looked up at this moment."""


class Tokens(Protocol):
    """Which programs may come in."""

    async def holder(self, token: str) -> Principal | None:
        """The program that holds this token; ``None`` for one that is unknown, expired or revoked.

        Raises ``TokensAway``.
        """
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

    async def hold(self, agent_id: str, contact_id: str) -> None:
        """Put the customer on hold: music until ``resume``."""
        ...

    async def resume(self, agent_id: str, contact_id: str) -> None:
        """Talk with the customer again; a consulted party goes on hold."""
        ...

    async def transfer(self, agent_id: str, contact_id: str, target_kind: str, target: str) -> None:
        """Hand the customer on. To a queue at once; to an agent or a number as soon as somebody answers there, and
        when nobody does, the customer is back. Hanging up meanwhile leaves it to the exchange."""
        ...

    async def consult(self, agent_id: str, contact_id: str, target_kind: str, target: str) -> None:
        """Ask an agent, a queue or a number, with the customer on hold."""
        ...

    async def complete(self, agent_id: str, contact_id: str) -> None:
        """Connect the customer with the consulted party and leave."""
        ...

    async def cancel(self, agent_id: str, contact_id: str) -> None:
        """End the consultation, or the transfer under way, and talk with the customer again."""
        ...

    async def swap(self, agent_id: str, contact_id: str) -> None:
        """Talk with the other of customer and consulted party."""
        ...

    async def conference(self, agent_id: str, contact_id: str) -> None:
        """Talk with customer and consulted party together."""
        ...

    async def park(self, agent_id: str, contact_id: str) -> None:
        """Let the customer wait in a park slot, which the floor shows, and be free."""
        ...

    async def retrieve(self, agent_id: str, slot: str) -> None:
        """Take up the call in this park slot; the own phone rings."""
        ...

    async def dial(self, agent_id: str, target_kind: str, target: str) -> None:
        """Call an agent or a number: the own phone rings first."""
        ...

    async def override_hours(self, agent_id: str, target: str, reason: str) -> None:
        """Answer for calling this number in quiet hours; the call itself is asked for afterwards."""
        ...

    async def send_digits(self, agent_id: str, contact_id: str, digits: str) -> None:
        """Send digits to whoever the agent talks with."""
        ...

    async def identify(self, agent_id: str, contact_id: str, customer_id: str) -> None:
        """Say which customer this is."""
        ...

    async def finish_wrap_up(self, agent_id: str, contact_id: str, disposition: str, notes: str) -> None:
        """Complete the wrap-up."""
        ...

    async def supervise(self, user_id: str, contact_id: str, how: str) -> None:
        """Listen to an agent's conversation, whisper, speak with all, take it over, or leave it again.

        ``how``: ``monitor``, ``whisper``, ``barge``, ``take_over``, ``leave``. To join, the own phone is rung.
        """
        ...

    async def accept(self, agent_id: str, contact_id: str) -> None:
        """Take an item that rings at the desk."""
        ...

    async def give_back(self, agent_id: str, contact_id: str) -> None:
        """Let somebody else work an item."""
        ...

    async def finish(self, user_id: str, contact_id: str) -> None:
        """An item is dealt with, by whoever has it or works its box."""
        ...

    async def move(self, user_id: str, contact_id: str, target_kind: str, target: str) -> None:
        """Hand an item to a queue or an agent, wherever it is."""
        ...

    async def secure(self, agent_id: str, contact_id: str, how: str, target: str = "") -> None:
        """Let the customer type card data, which reaches neither agent nor recording.

        ``how``: ``on``, with the field as ``target`` (``number``, ``expiry`` or ``code``); ``send`` it to the payment
        system; ``off`` to throw it away.
        """
        ...

    async def start_recording(self, agent_id: str, contact_id: str) -> None:
        """Record the conversation from here on, where the queue leaves that to the agent."""
        ...

    async def stop_recording(self, agent_id: str, contact_id: str) -> None:
        """End a recording that was asked for."""
        ...

    async def pause_recording(self, agent_id: str, contact_id: str) -> None:
        """Record nothing until it is resumed; answered once it is so."""
        ...

    async def resume_recording(self, agent_id: str, contact_id: str) -> None:
        """Record again."""
        ...

    async def close_queue(self, user_id: str, queue_id: str) -> None:
        """Let nobody into a queue any more until it is opened; who waits is served."""
        ...

    async def open_queue(self, user_id: str, queue_id: str) -> None:
        """Let people in again."""
        ...

    async def extend_wrap_up(self, agent_id: str, contact_id: str) -> None:
        """Ask for more time to complete the wrap-up of an item, or of the call (empty)."""
        ...

    async def promise_callback(self, agent_id: str, contact_id: str) -> None:
        """Promise the customer at hand, in conversation or wrap-up, a callback from the contact's queue."""
        ...

    async def call_off_callback(self, user_id: str, callback_id: str) -> None:
        """Call a callback off: the own, or one of a queue that the person supervises."""
        ...

    async def call_back_now(self, user_id: str, callback_id: str) -> None:
        """Let a callback that is put off stand in line now, with its old place."""
        ...

    async def move_callback_to_top(self, user_id: str, callback_id: str) -> None:
        """Let a callback go before everybody else of its queue."""
        ...

    async def hand_over_callbacks(self, user_id: str, from_user: str, to_user: str) -> None:
        """Make the callbacks that somebody promised, who leaves, somebody else's: those of teams and queues that the
        person leads."""
        ...

    async def hand_over_messages(self, user_id: str, from_user: str, to_user: str) -> None:
        """Move what lies in the own box of somebody who leaves into somebody else's, as far as the person leads it;
        into the queue's where that person is given no messages."""
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
class WrapUpRule:
    """How the wrap-up after a call of a queue ends, so that the desk can say so beforehand."""

    queue_id: str
    mode: str
    """``optional``, ``mandatory``, ``timed`` or ``timed_no_early_exit``."""
    may_extend: bool
    timeout_code: str = ""
    """The disposition that the clock records for an agent who had not finished; empty for none."""


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What the desk's lists hold."""

    company: str
    not_ready_reasons: tuple[Choice, ...]
    dispositions: tuple[Choice, ...]
    queues: tuple[Choice, ...]
    languages: tuple[str, ...] = ("en", "zh")
    agents: tuple[Choice, ...] = ()
    """The seats calls can be handed to, by name."""
    people: tuple[Choice, ...] = ()
    """Everybody, by name: who takes a call over need not have a seat."""
    recording_on_demand: tuple[str, ...] = ()
    """Queues whose agents begin and end recordings themselves."""
    wrap_up: tuple[WrapUpRule, ...] = ()
