"""What goes over the wire.

Ids are strings (JavaScript cannot hold 64 bits), instants RFC 3339 in UTC, durations milliseconds.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from crm_bridge.vocabulary import (
    ContactKind,
    ContactUsage,
    CustomerKind,
    CustomerStatus,
    Direction,
    MatchState,
    PreferenceKind,
    PreferenceSource,
    PromiseState,
    TranscriptState,
)

Id = Annotated[str, BeforeValidator(str)]
OptionalId = Annotated[str | None, BeforeValidator(lambda value: None if value is None else str(value))]


def _text(least: int, most: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=most)


Name = Annotated[str, _text(1, 200)]
Code = Annotated[str, _text(1, 64)]
ContactValue = Annotated[str, _text(1, 254)]
NoteText = Annotated[str, _text(1, 10_000)]


class Out(BaseModel):
    """A response read from the attributes of what the store returns."""

    model_config = ConfigDict(from_attributes=True)


class In(BaseModel):
    """A request; unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """Every error. ``code`` is stable, ``message`` is for people, ``where`` names the part of the request to blame."""

    code: str
    message: str
    where: str


class ContactPointIn(In):
    """A number or address as it was given."""

    value: ContactValue
    kind: ContactKind = ContactKind.PHONE
    usage: ContactUsage = ContactUsage.OTHER
    is_primary: bool = False


class NamedElsewhereIn(In):
    """A name elsewhere: a member number, a messaging id, an identity card (`id_card`, kept as a digest)."""

    provider: Code
    external_id: Code


class CustomerIn(In):
    """A customer to be entered."""

    display_name: Name
    kind: CustomerKind = CustomerKind.PERSON
    preferred_language: Code | None = None
    level: Code | None = None
    contact_points: Annotated[list[ContactPointIn], Field(max_length=50)] = []
    identities: Annotated[list[NamedElsewhereIn], Field(max_length=20)] = []


class NoteIn(In):
    """A note to be written."""

    body: NoteText


class ContactPointOut(Out):
    """A number or address: as typed, and as compared and dialled."""

    id: Id
    kind: ContactKind
    usage: ContactUsage
    value_raw: str
    value_norm: str
    ext: str | None
    is_primary: bool


class CustomerSummary(Out):
    """A customer in a list."""

    id: Id
    kind: CustomerKind
    display_name: str
    preferred_language: str | None
    level: str | None
    status: CustomerStatus
    last_contact_at: datetime | None
    created_at: datetime
    updated_at: datetime
    row_version: int


class CustomerOut(CustomerSummary):
    """A customer with all numbers and addresses."""

    contact_points: list[ContactPointOut]


class SuspectOut(Out):
    """A customer who seems to be the one that was entered, whose it is, and what the two have in common."""

    customer_id: Id
    display_name: str
    owner_id: str | None
    signals: list[str]
    is_strong: bool


class EnteredOut(CustomerOut):
    """The customer that was entered, or the one that was there, with those who may be the same."""

    collisions: list[SuspectOut]


class CustomerPage(BaseModel):
    """Customers, newest first. ``next_cursor`` is null on the last page."""

    items: list[CustomerSummary]
    next_cursor: str | None


class CardBadgeOut(Out):
    """The customer's level as everybody sees it at a glance."""

    name: str
    rank: int
    colour: str


class CandidateOut(Out):
    """A customer who has the number."""

    customer_id: Id
    kind: CustomerKind
    display_name: str
    preferred_language: str | None
    level: str | None
    last_contact_at: datetime | None
    badge: CardBadgeOut | None


class MatchOut(Out):
    """Who has the number, best first. ``number`` is null when the text is no number or one of our own."""

    state: MatchState
    number: str | None
    candidates: list[CandidateOut]
    more: bool


class CardContactOut(Out):
    """A number or address on the card."""

    value: str
    normal_form: str
    ext: str | None
    usage: ContactUsage
    is_primary: bool


class CardSurveyOut(Out):
    """What the customer said when asked: `csat` 1 to 5, `nps` 0 to 10."""

    kind: str
    score: int | None


class CardInteractionOut(Out):
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
    survey: CardSurveyOut | None


class CardPreferenceOut(Out):
    """How the customer likes to be reached."""

    purpose: str
    channel: str
    language: str | None


class CardWishOut(Out):
    """How, or when, the customer likes to be spoken to, in words."""

    kind: PreferenceKind
    value: str
    source: PreferenceSource
    noted_at: datetime


class CardPromiseOut(Out):
    """Something the customer waits for."""

    id: Id
    what: str
    due_at: datetime
    assignee_id: str
    is_overdue: bool


class CardRelatedOut(Out):
    """Another customer this one has to do with. `is_from`: this customer is the `type` of the other one."""

    customer_id: Id
    display_name: str
    type: str
    is_from: bool


class CardOut(Out):
    """The screen pop."""

    customer_id: Id
    kind: CustomerKind
    display_name: str
    preferred_language: str | None
    level: str | None
    customer_since: datetime
    last_contact_at: datetime | None
    numbers: list[CardContactOut]
    emails: list[CardContactOut]
    last_interactions: list[CardInteractionOut]
    contacts_in_window: int
    is_repeat_caller: bool
    badge: CardBadgeOut | None
    preferences: list[CardPreferenceOut]
    wishes: list[CardWishOut]
    promises: list[CardPromiseOut]
    related: list[CardRelatedOut]


class RecordingOut(Out):
    """A recording of a conversation. ``state``: ``recording``, ``stored``, ``lost`` or ``deleted``; a stored one is
    heard at ``/interactions/{contact_id}/recordings/{recording_id}``. ``pauses`` are pairs of milliseconds."""

    recording_id: str
    contact_id: str
    state: str
    started_at: datetime | None
    agent_id: str | None
    agent_name: str | None
    queue_id: str | None
    retention: str | None
    announced: bool | None
    duration_ms: int | None
    truncated: str | None
    pauses: list[tuple[int, int]]
    sha256: str | None
    legal_hold: bool
    hold_reason: str | None
    deleted_at: datetime | None


class ParentOut(Out):
    """The contact this one came from, and who had it. ``relation``: ``transfer``, ``consult``, ``recall`` (nobody took
    the transfer) or ``retrieved`` (from the park)."""

    contact_id: str
    relation: str
    agent_id: str | None
    agent_name: str | None


class LineQualityOut(Out):
    """How one party's line sounded. ``mos`` (estimated, 1 to 4.4) is null when nothing came, ``worst_mos`` (of the
    worst five seconds) also when it was too short. ``far_loss_percent`` is what the party missed of us, if it said so.
    """

    role: str
    agent_name: str | None
    codec: str
    is_heard: bool
    loss_percent: float
    far_loss_percent: float | None
    jitter_ms: float
    round_trip_ms: float | None
    mos: float | None
    worst_mos: float | None
    worst_loss_percent: float | None


class SurveyOut(Out):
    """What the customer was asked afterwards, and the answer once there is one: `csat` 1 to 5, `nps` 0 to 10."""

    kind: str
    asked_at: datetime
    score: int | None
    answered_at: datetime | None
    comment: str
    """What was said beside the number."""


class TranscriptSummaryOut(Out):
    """Whether a recording (null: the whole contact) was written down. ``state``: ``waiting`` (tried again), ``done``,
    ``failed`` or ``skipped`` (a language that the engine does not know), with why in ``error``; the words are at
    ``/interactions/{contact_id}/transcript``."""

    recording_id: str | None
    state: TranscriptState
    language: str | None
    source: str
    made_at: datetime | None
    error: str | None


class InteractionOut(Out):
    """One contact from its arrival to its end, with its wrap-up once there is one."""

    id: Id
    contact_id: str
    call_id: str
    channel: str
    direction: Direction
    outcome: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    from_value: str
    from_name: str
    to_value: str
    diverted_from: str | None
    """The number that forwarded the call to us."""
    customer_id: OptionalId
    customer_name: str | None
    """As the customer's record has it now."""
    match_state: MatchState
    queue_id: str | None
    agent_id: str | None
    agent_name: str | None
    language: str | None
    flow_path: list[str]
    waited_ms: int
    ring_ms: int
    talk_ms: int
    ended_by: str
    disposition: str | None
    notes: str | None
    wrapped_up_at: datetime | None
    wrap_up_ms: int | None
    parent: ParentOut | None
    recordings: list[RecordingOut]
    lines: list[LineQualityOut]
    """How each party was heard, the customer first."""
    survey: SurveyOut | None
    transcripts: list[TranscriptSummaryOut]


class InteractionPage(BaseModel):
    """Interactions, newest first. ``next_cursor`` is null on the last page."""

    items: list[InteractionOut]
    next_cursor: str | None


class UnmatchedOut(Out):
    """A number whose contacts belong to nobody yet."""

    number: str
    interactions: int
    first_seen_at: datetime
    last_seen_at: datetime


class ChangeOut(Out):
    """A field before and after, as JSON texts; both null when the values are not for everybody's eyes."""

    id: Id
    at: datetime
    actor_id: str | None
    field: str
    old_value: str | None
    new_value: str | None
    reason: str | None


class PromiseOut(Out):
    """Something a customer was promised. `is_overdue`: still open, and its time is past."""

    id: Id
    customer_id: Id
    what: str
    due_at: datetime
    assignee_id: str
    state: PromiseState
    is_overdue: bool = False
    promised_at: datetime
    promised_by: str
    contact_id: str | None
    settled_at: datetime | None
    settled_by: str | None
    outcome: str | None

    @classmethod
    def of(cls, promise: Any, now: datetime) -> "PromiseOut":
        """As it stands at ``now``."""
        told = cls.model_validate(promise)
        return told.model_copy(update={"is_overdue": told.state is PromiseState.OPEN and told.due_at < now})


class TimelineItemOut(Out):
    """One entry. ``interaction``, ``note``, ``change`` or ``promise`` is filled according to ``kind``."""

    id: Id
    at: datetime
    kind: str
    actor_id: str | None
    actor_name: str | None
    interaction: InteractionOut | None
    note: str | None
    change: ChangeOut | None
    promise: PromiseOut | None
    parts: list[InteractionOut]
    """Where conversations were asked for: the contacts that followed from `interaction`, in the order they happened."""


class TimelinePage(BaseModel):
    """A customer's history, newest first. ``next_cursor`` is null where nothing is older, ``previous_cursor`` where
    nothing is newer."""

    items: list[TimelineItemOut]
    next_cursor: str | None
    previous_cursor: str | None
