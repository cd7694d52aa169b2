"""What happened to calls, past tense: written to the journal before anybody acts on it, then told on the bus.

``at`` is an instant in milliseconds since the epoch. ``call_id`` is also the id of the call's first segment; facts
about a later segment name it in ``contact_id``, which is empty for the first.
"""

from enum import StrEnum
from typing import Any

import msgspec

from callcenter.calls.callback_facts import CallbackDialled
from callcenter.calls.participants import Conversation
from callcenter.calls.segments import SegmentKind, SegmentResult, TargetKind


class Outcome(StrEnum):
    """How a call ended; exactly one for each call."""

    ANSWERED = "answered"
    """An agent talked with the customer."""
    ABANDONED = "abandoned"
    """The customer left while waiting for an agent."""
    ABANDONED_IN_FLOW = "abandoned_in_flow"
    """The customer left in the menu."""
    COMPLETED_IN_FLOW = "completed_in_flow"
    """The flow ended the call by itself."""
    CLOSED_HOURS = "closed_hours"
    NO_QUEUE = "no_queue"
    """The queue was removed while the customer waited."""
    TURNED_AWAY = "turned_away"
    """No queue let the customer in, or all gave up, and the flow had no other way."""
    UNREACHED = "unreached"
    """An agent called somebody and nobody answered."""
    FAILED = "failed"
    """Something of ours broke."""
    SYSTEM_RESTART = "system_restart"
    """The exchange died, or was stopped, while the call was up and nobody talked."""


class EndedBy(StrEnum):
    """Who ended a call."""

    CUSTOMER = "customer"
    AGENT = "agent"
    SYSTEM = "system"


class TimersFired(msgspec.Struct, frozen=True):
    """The routing engine's timers were run at ``at``; replay runs them at the same instant."""

    at: int


class RoutingSnapshot(msgspec.Struct, frozen=True):
    """The routing engine and the day's counts at this point of the journal; replay starts here."""

    at: int
    engine: dict[str, Any]
    counts: dict[str, Any]


class CallArrived(msgspec.Struct, frozen=True):
    """A customer's call reached us."""

    call_id: str
    at: int
    caller: str
    caller_name: str
    called: str
    trunk_id: str
    sip_call_id: str
    flow: str
    direction: str = SegmentKind.INBOUND
    """``inbound``, ``outbound`` or ``internal``."""
    agent_id: str = ""
    """The agent who calls, of a call that did not come in."""
    diverted_from: str = ""
    """The number that the customer dialled, of a call that was forwarded to us; empty otherwise."""


class CallAnswered(msgspec.Struct, frozen=True):
    """The flow answered the call; the customer hears us."""

    call_id: str
    at: int


class CallStepTaken(msgspec.Struct, frozen=True):
    """The flow entered a step; ``choice`` is the label of the menu choice that led to it. Digits are not kept."""

    call_id: str
    at: int
    step: str
    choice: str | None


class CustomerMatched(msgspec.Struct, frozen=True):
    """What the customer store answered about the caller: ``none``, ``one``, ``many`` or ``unavailable``."""

    call_id: str
    at: int
    state: str
    customer_ids: tuple[str, ...] = ()
    name: str | None = None
    level: str = ""
    language: str = ""
    owner: str = ""
    last_agent: str = ""


class CustomerIdentified(msgspec.Struct, frozen=True):
    """The agent said which customer this is."""

    call_id: str
    at: int
    customer_id: str
    agent_id: str
    name: str = ""
    level: str = ""
    """The code of the customer's level; routing has nothing of it, since an agent has the contact."""


class CallQueued(msgspec.Struct, frozen=True):
    """The flow handed the call to a queue; also told when it goes back after an agent was lost while connecting."""

    call_id: str
    at: int
    queue_id: str
    priority: int
    language: str | None
    required_skills: tuple[tuple[str, int], ...] = ()
    contact_id: str = ""


class CallOverflowed(msgspec.Struct, frozen=True):
    """The queue did not let the call in, or gave up on it; ``to`` is the queue it goes to, empty for none."""

    call_id: str
    at: int
    queue_id: str
    reason: str
    to: str = ""
    contact_id: str = ""


class CallOffered(msgspec.Struct, frozen=True):
    """An agent's phone is being rung."""

    call_id: str
    at: int
    offer_id: str
    agent_id: str
    expires_at: int
    contact_id: str = ""


PICKED_UP = "picked_up"
ANSWERED_ELSEWHERE = "answered_elsewhere"
NOBODY_MISSED = frozenset({PICKED_UP, ANSWERED_ELSEWHERE})
"""Why an offer came to nothing when a colleague answered in its place, or where it rang as well: nobody missed it."""


class CallOfferFailed(msgspec.Struct, frozen=True):
    """The agent did not take it; the customer waits on."""

    call_id: str
    at: int
    offer_id: str
    agent_id: str
    cause: str
    contact_id: str = ""


class CallConnected(msgspec.Struct, frozen=True):
    """Customer and agent are bridged; in a consultation, the agent who asks and the one who is asked.

    ``offer_id`` is empty when routing did not choose the agent, ``queue_id`` when it is no queue's call.
    """

    call_id: str
    at: int
    offer_id: str
    agent_id: str
    queue_id: str
    contact_id: str = ""


class NumberConnected(msgspec.Struct, frozen=True):
    """A number outside that was consulted, or that the customer is handed to, answered."""

    call_id: str
    at: int
    contact_id: str
    number: str


class SegmentOpened(msgspec.Struct, frozen=True):
    """Another stretch of the call begins: somebody is sought beside, or instead of, who is there."""

    call_id: str
    at: int
    contact_id: str
    kind: SegmentKind
    parent_id: str
    """The contact it came from."""
    by_agent_id: str
    """Who wanted it, empty for the house."""
    target_kind: TargetKind
    target: str


class SegmentEnded(msgspec.Struct, frozen=True):
    """A stretch ended: before its call, or with it when it was not the first."""

    call_id: str
    at: int
    contact_id: str
    result: SegmentResult


class CallHeld(msgspec.Struct, frozen=True):
    """The customer is on hold: on purpose, or because the agent talks with a second party."""

    call_id: str
    at: int
    contact_id: str
    agent_id: str


class CallResumed(msgspec.Struct, frozen=True):
    """The customer is on hold no more."""

    call_id: str
    at: int
    contact_id: str
    agent_id: str


class PlacesChanged(msgspec.Struct, frozen=True):
    """In a call between colleagues this one has the call from here on, and the other one the customer's place; or the
    number outside that the other one left here."""

    call_id: str
    at: int
    contact_id: str
    agent_id: str
    number: str = ""
    """The number outside that has the customer's place; empty while a colleague has."""


class ConversationChanged(msgspec.Struct, frozen=True):
    """Who hears whom from here on; told from the first hold or second party on, not for the plain beginning."""

    call_id: str
    at: int
    mode: Conversation


class CallParked(msgspec.Struct, frozen=True):
    """The customer waits in a slot; at ``until`` the call comes back to ``agent_id``."""

    call_id: str
    at: int
    slot: str
    agent_id: str
    until: int


class CallEnded(msgspec.Struct, frozen=True):
    """The call is over."""

    call_id: str
    at: int
    outcome: Outcome
    ended_by: EndedBy
    detail: str = ""


class SegmentRecord(msgspec.Struct, frozen=True):
    """One segment as it is kept. Milliseconds; ``talk_ms + hold_ms + consult_ms`` is the time it was connected."""

    contact_id: str
    kind: SegmentKind
    parent_id: str
    opened_at: int
    ended_at: int
    connected_at: int | None
    agent_id: str
    """Empty for a number outside, and for a segment that nobody took."""
    number: str
    queue_id: str
    waited_ms: int
    """From being opened, or queued, to being connected or ended."""
    talk_ms: int
    """In conversation with the customer."""
    hold_ms: int
    """The customer on hold for this agent, consultations included."""
    consult_ms: int
    """Asked by another agent, the customer not there."""
    result: SegmentResult


class CallRecord(msgspec.Struct, frozen=True):
    """One call as the customer store keeps it: the fold of its facts (``calls/record.py``). Milliseconds throughout."""

    call_id: str
    caller: str
    caller_name: str
    called: str
    trunk_id: str
    sip_call_id: str
    flow: str
    outcome: Outcome
    ended_by: EndedBy
    arrived_at: int
    ended_at: int
    connected_at: int | None
    queue_id: str | None
    agent_id: str | None
    language: str | None
    flow_path: tuple[str, ...]
    match_state: str
    customer_id: str | None
    waited_ms: int
    """From entering the queue to being connected, or to the end; 0 when it never queued."""
    talk_ms: int
    """The customer in conversation with an agent, hold excepted."""
    offers: int
    missed_offers: int
    direction: str = SegmentKind.INBOUND
    hold_ms: int = 0
    """The customer on hold for an agent, consultations included."""
    segments: tuple[SegmentRecord, ...] = ()
    """Every segment in the order they began, also of a call that has but one; none in records of older versions."""
    diverted_from: str = ""
    """The number that forwarded the call to us."""


class CallClosed(msgspec.Struct, frozen=True):
    """The call's record is complete. One for each ``CallArrived``; the customer store is a projection of these."""

    call_id: str
    at: int
    record: CallRecord


class CallCorrected(msgspec.Struct, frozen=True):
    """The record of a closed call, changed afterwards: in wrap-up the agent said which customer it was."""

    call_id: str
    at: int
    record: CallRecord


class WrapUpRecorded(msgspec.Struct, frozen=True):
    """What the agent wrote down after the conversation."""

    call_id: str
    at: int
    agent_id: str
    disposition: str
    notes: str
    wrap_up_ms: int
    contact_id: str = ""
    """Which segment it was, empty for the first."""


CallFact = (
    CallArrived
    | CallAnswered
    | CallStepTaken
    | CustomerMatched
    | CustomerIdentified
    | CallQueued
    | CallOverflowed
    | CallOffered
    | CallOfferFailed
    | CallConnected
    | NumberConnected
    | SegmentOpened
    | SegmentEnded
    | CallHeld
    | CallResumed
    | ConversationChanged
    | PlacesChanged
    | CallParked
    | CallEnded
    | CallClosed
    | CallCorrected
    | WrapUpRecorded
    | CallbackDialled
)
