"""The card an agent sees while the phone rings. Pure; ``screen_pop`` reads what goes onto it.

A card shows nothing that is not named here: fields that later carry a data class get onto it by name or not at all.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_bridge.vocabulary import ContactUsage, CustomerKind, PreferenceKind, PreferenceSource

LAST_INTERACTIONS = 5
PROMISES_SHOWN = 5
WISHES_SHOWN = 5
RELATED_SHOWN = 5
REPEAT_WINDOW = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CardContact:
    """A number or address, as it was typed and as it is dialled."""

    value: str
    normal_form: str
    ext: str | None
    usage: ContactUsage
    is_primary: bool


@dataclass(frozen=True, slots=True)
class CardSurvey:
    """What a customer said when asked; ``score`` is ``None`` while there is no answer."""

    kind: str
    score: int | None


@dataclass(frozen=True, slots=True)
class CardInteraction:
    """One line of the recent history."""

    contact_id: str
    started_at: datetime
    channel: str
    direction: str
    outcome: str
    queue_id: str | None
    agent_name: str | None
    disposition: str | None
    notes: str | None
    talk_ms: int
    survey: CardSurvey | None = None
    """What the customer said of it when asked."""


@dataclass(frozen=True, slots=True)
class CardBadge:
    """The customer's level as everybody sees it at a glance."""

    name: str
    rank: int
    colour: str


@dataclass(frozen=True, slots=True)
class CardPreference:
    """How the customer likes to be reached."""

    purpose: str
    channel: str
    language: str | None


@dataclass(frozen=True, slots=True)
class CardWish:
    """How, or when, the customer likes to be spoken to, in words; since when that is known, and from whom."""

    kind: PreferenceKind
    value: str
    source: PreferenceSource
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class CardPromise:
    """Something the customer waits for."""

    id: int
    what: str
    due_at: datetime
    assignee_id: str
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class CardRelated:
    """Another customer this one has to do with. ``is_from``: this customer is the ``type`` of the other one."""

    customer_id: int
    display_name: str
    type: str
    is_from: bool


@dataclass(frozen=True, slots=True)
class Card:
    """The screen pop. ``contacts_in_window`` counts how often the customer came to us in the last seven days, the
    present contact not included as long as it has not ended."""

    customer_id: int
    kind: CustomerKind
    display_name: str
    preferred_language: str | None
    level: str | None
    customer_since: datetime
    last_contact_at: datetime | None
    numbers: tuple[CardContact, ...]
    emails: tuple[CardContact, ...]
    last_interactions: tuple[CardInteraction, ...]
    contacts_in_window: int
    badge: CardBadge | None = None
    preferences: tuple[CardPreference, ...] = ()
    wishes: tuple[CardWish, ...] = ()
    """The latest of each kind first."""
    promises: tuple[CardPromise, ...] = ()
    """What was promised and is open, the most urgent first."""
    related: tuple[CardRelated, ...] = ()
    """Active customers whom the person asking may see, in the order in which the relations were entered."""

    @property
    def is_repeat_caller(self) -> bool:
        """Whether this contact is not the first within the window."""
        return self.contacts_in_window > 0


def repeat_window_start(now: datetime) -> datetime:
    """From when on earlier contacts make a repeat caller."""
    return now - REPEAT_WINDOW
