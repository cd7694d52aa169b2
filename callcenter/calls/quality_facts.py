"""How the legs of calls sounded, past tense: journaled for judging complaints, for the floor and for the store."""

import msgspec


class LegMeasured(msgspec.Struct, frozen=True):
    """One leg's stream as it was counted, see ``callcenter.ports.LegStatistics``; ``at`` is in ms since the epoch.

    Journaled when the leg's media is closed, which may be after the call's end. The later fields have defaults: older
    journals do not have them.
    """

    call_id: str
    at: int
    leg: str
    """The leg as the media plane knows it: ``customer``, or one of the others."""
    packets_in: int
    packets_lost: int
    heard: bool
    """Whether anything audible came in: one-way audio shows here."""
    jitter_ms: float = 0.0
    round_trip_ms: float | None = None
    far_loss_percent: float | None = None
    mos: float | None = None
    contact_id: str = ""
    """The segment the leg's party was in last, empty for the first, and for who never was in the conversation."""
    role: str = ""
    """``callcenter.calls.participants.Role``, empty for who never was in the conversation."""
    agent_id: str = ""
    """Empty for customers and numbers outside."""
    queue_id: str = ""
    """Of the segment, empty for none."""
    codec: str = ""
    worst_mos: float | None = None
    """Of the worst five seconds, in the worse direction."""
    worst_loss_percent: float | None = None


class LegQualityChanged(msgspec.Struct, frozen=True):
    """A leg began to sound poor, or is fine again. The figures are those of the last five seconds."""

    call_id: str
    at: int
    leg: str
    contact_id: str
    """As in ``LegMeasured``."""
    role: str
    is_poor: bool
    mos: float
    loss_percent: float
    jitter_ms: float
    round_trip_ms: float | None = None


class LegReturned(msgspec.Struct, frozen=True):
    """An agent's browser is back in the conversation; nothing had come from it for ``gap_ms``."""

    call_id: str
    at: int
    leg: str
    contact_id: str
    agent_id: str
    gap_ms: int


QualityFact = LegMeasured | LegQualityChanged | LegReturned
