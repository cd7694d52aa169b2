"""One customer on the simulated floor, and where somebody can be."""

from enum import Enum
from random import Random

from acd.ids import AgentId, ContactId, QueueId
from acd.simulator_books import Book
from acd.simulator_laws import Sampler

NO_DICE = Random(0)  # noqa: S311 - never thrown
"""Stands for the dice of customers who decide nothing."""


class Place(Enum):
    """Where a customer is."""

    ON_LINE = "on_line"
    TALKING = "talking"
    PROMISED = "promised"
    """Has hung up and is to be called back."""
    GONE = "gone"


class Caller:
    """One customer on the simulated floor, from an arrival until the conversation is over or the customer is gone."""

    __slots__ = (
        "agent_id",
        "answer",
        "arrived_at",
        "attempts",
        "book",
        "contact_id",
        "dialling",
        "dice",
        "ends_at",
        "entry",
        "gives_up_at",
        "handle_ms",
        "identity",
        "left_ms",
        "number",
        "on_line_since",
        "paced_at",
        "patience_ms",
        "place",
        "promise_ends_at",
        "queue_id",
        "queued",
        "rang",
        "redials",
        "ringing",
        "slowed_by",
        "visited",
        "waited_ms",
    )

    def __init__(self, contact_id: ContactId, number: int, queue_id: QueueId, book: Book, arrived_at: int) -> None:
        self.contact_id = contact_id
        """As the engine knows the customer now; a callback is another contact."""
        self.number = number
        """Of its class."""
        self.queue_id = queue_id
        self.book = book
        self.entry = 0
        """Its place in the book."""
        self.arrived_at = arrived_at
        self.place = Place.ON_LINE
        self.handle_ms = 0
        self.patience_ms: int | None = None
        self.gives_up_at: int | None = None
        self.on_line_since = arrived_at
        self.waited_ms = 0
        """On the line in all, before ``on_line_since``."""
        self.agent_id: AgentId | None = None
        self.queued = False
        """Whether it is counted among those who wait."""
        self.rang = False
        """Whether an agent's phone has rung for it."""
        self.ringing = 0
        """How many agents' phones do, or are kept."""
        self.visited: frozenset[QueueId] = frozenset()
        self.identity: str | None = None
        self.redials = 0
        self.dice = NO_DICE
        self.answer: Sampler | None = None
        """How long the customer's phone rings."""
        self.attempts = 0
        self.dialling = False
        self.promise_ends_at = 0
        self.slowed_by = self.left_ms = 0.0
        """Of work that is left, in the time that it would take alone; see ``simulator_attention``."""
        self.paced_at = 0
        self.ends_at: int | None = None
        """When it is done at the pace of the moment."""
