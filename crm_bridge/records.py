"""What the journal tells the store: ended contacts and what agents said about them. Plain data."""

from dataclasses import dataclass
from datetime import datetime

from crm_bridge.vocabulary import Direction, MatchState


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionRecord:
    """One ended contact as the journal tells it. Instants are aware, durations are milliseconds.

    ``answered_at`` is the instant an agent answered. ``outcome``: answered, abandoned, abandoned_in_flow, failed,
    system_restart, closed_hours, erased (an open item of whoever was erased). ``ended_by``: customer, agent, system.
    ``flow_path`` are the menu choices taken.
    """

    contact_id: str
    call_id: str
    channel: str = "voice"
    direction: str = Direction.INBOUND
    outcome: str
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime
    from_value: str
    from_name: str = ""
    to_value: str
    diverted_from: str | None = None
    """The number that forwarded the call to us."""
    customer_id: int | None = None
    match_state: str = MatchState.NONE
    queue_id: str | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    language: str | None = None
    flow_path: tuple[str, ...] = ()
    waited_ms: int = 0
    ring_ms: int = 0
    talk_ms: int = 0
    ended_by: str
    parent_contact_id: str | None = None
    parent_relation: str = ""
    """What this contact came from, when it was one agent's before it was another's, and how: ``transfer``,
    ``consult``, ``recall`` or ``retrieved``."""
    journal_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpRecord:
    """What an agent said about a contact afterwards. May come before the contact's own record."""

    contact_id: str
    disposition: str
    notes: str
    wrapped_up_at: datetime
    journal_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStartRecord:
    """A conversation began to be recorded. ``announced``: the customer was told before."""

    recording_id: str
    contact_id: str
    started_at: datetime
    agent_id: str | None
    """``None`` for a message, which nobody was there to take."""
    agent_name: str | None = None
    queue_id: str
    """Of a message the box."""
    retention: str
    announced: bool
    journal_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStoredRecord:
    """A recording is closed and on disk; ``path`` is relative to the recordings' folder, empty when nothing was
    written. ``pauses`` are pairs of milliseconds from the start."""

    recording_id: str
    contact_id: str
    stored_at: datetime
    path: str
    sha256: str
    duration_ms: int
    truncated: str | None = None
    pauses: tuple[tuple[int, int], ...] = ()
    journal_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailRecord:
    """A caller left a message in a box, a queue's or an agent's."""

    recording_id: str
    contact_id: str
    box: str
    caller: str
    caller_name: str
    language: str
    left_at: datetime
    journal_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailWorkedRecord:
    """Somebody dealt with a message."""

    recording_id: str
    box: str
    worked_at: datetime
    worked_by: str
    journal_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailMovedRecord:
    """A message lies in another box now; of other items, too, which are no messages and change nothing."""

    recording_id: str
    box: str
    journal_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineQualityRecord:
    """How one party's line sounded over the whole of its time in a call. ``role``: ``customer``, ``agent``,
    ``consulted``, or empty. What the far end did not report is ``None``."""

    call_id: str
    contact_id: str
    leg: str
    role: str
    agent_id: str | None
    agent_name: str | None = None
    measured_at: datetime
    codec: str
    packets_in: int
    packets_lost: int
    is_heard: bool
    jitter_ms: float
    round_trip_ms: float | None
    far_loss_percent: float | None
    mos: float | None
    worst_mos: float | None
    worst_loss_percent: float | None
    journal_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyRecord:
    """The customer of a call or message was asked how it was; ``score`` once there is an answer. ``kind``: ``csat`` or
    ``nps``."""

    call_id: str
    agent_id: str
    kind: str
    asked_at: datetime
    score: int | None = None
    answered_at: datetime | None = None
    comment: str = ""
    journal_seq: int

    @property
    def contact_id(self) -> str:
        """The first contact of the call."""
        return self.call_id


Record = (
    InteractionRecord
    | WrapUpRecord
    | RecordingStartRecord
    | RecordingStoredRecord
    | VoicemailRecord
    | VoicemailWorkedRecord
    | VoicemailMovedRecord
    | LineQualityRecord
    | SurveyRecord
)
