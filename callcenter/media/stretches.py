"""How a stream sounds stretch by stretch, so that a bad minute does not drown in a good hour. Pure.

Every five seconds what was counted since the last look is judged by itself (``quality.estimate_mos``), in the direction
that sounds worse. The worst stretch is remembered; crossing into poor and out of it is told. The borders are those of
ITU-T G.109: below 3.6 many users are dissatisfied.
"""

from dataclasses import dataclass

from callcenter.media.codecs import Codec
from callcenter.media.quality import POOR_BELOW, estimate_mos

STRETCH_MS = 5000
"""As long as the time between two reports, so that each stretch knows something new of the far end."""
FINE_FROM = 3.8
"""A poor stream is fine again from here; in between it stays what it was."""
_FEWEST = 50
"""Packets, lost ones included, below which a stretch tells nothing: one second of speech."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What was counted of one stream since its beginning, and what the far end said last of ours."""

    received: int
    lost: int
    jitter_ms: float
    round_trip_ms: float
    """Below 0: unknown, as for the next."""
    far_loss: float
    """Share of our packets that the far end missed lately, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Five seconds of a stream: its estimated quality and what made it so. ``loss_percent`` is of the worse direction,
    a round trip below 0 unknown."""

    mos: float
    loss_percent: float
    jitter_ms: float
    round_trip_ms: float


class StretchJudge:
    """Judges one stream. ``now`` is in milliseconds of any one clock."""

    def __init__(self, *, now: int, worst_mos: float = 0.0, worst_loss_percent: float = 0.0) -> None:
        """``worst_*`` as an earlier judge of the same stream left them; a MOS of 0 for none."""
        self.worst_mos, self.worst_loss_percent = worst_mos, worst_loss_percent
        self.is_poor = False
        self._due = now + STRETCH_MS
        self._before: Sum | None = None

    def is_due(self, now: int) -> bool:
        """Whether ``judge`` has something to do."""
        return now >= self._due

    def judge(self, codec: Codec, counted: Sum, *, now: int) -> Stretch | None:
        """Close a stretch when it is due; the stretch in which the stream became poor, or fine again."""
        if now < self._due:
            return None
        self._due = now + STRETCH_MS
        before, self._before = self._before or Sum(0, 0, 0.0, -1.0, -1.0), counted
        stretch = _stretch(codec, before, counted)
        if stretch is None:
            return None
        if not self.worst_mos or stretch.mos < self.worst_mos:
            self.worst_mos, self.worst_loss_percent = stretch.mos, stretch.loss_percent
        poor = stretch.mos < (FINE_FROM if self.is_poor else POOR_BELOW)
        turned, self.is_poor = poor != self.is_poor, poor
        return stretch if turned else None


def _stretch(codec: Codec, before: Sum, counted: Sum) -> Stretch | None:
    received = counted.received - before.received
    lost = max(0, counted.lost - before.lost)
    if received + lost < _FEWEST:
        return None
    loss = max(lost / (received + lost), counted.far_loss, 0.0)
    mos = estimate_mos(
        codec,
        loss_percent=100 * loss,
        jitter_ms=counted.jitter_ms,
        round_trip_ms=max(0.0, counted.round_trip_ms),
    )
    return Stretch(mos, round(100 * loss, 1), round(counted.jitter_ms, 1), round(counted.round_trip_ms, 1))
