"""How the legs of calls sounded, past tense: journaled when a leg's media is closed, for judging complaints."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LegMeasured:
    """One leg's stream as it was counted, see ``callcenter.ports.LegStatistics``; ``at`` is in ms since the epoch."""

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
