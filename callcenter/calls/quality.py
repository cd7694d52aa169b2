"""How the legs of one call sound: whose leg each was, and the facts that say so.

A media leg knows no people. Whoever sat on it is noted while the call goes on, because the figures of a leg come when
its party has left.
"""

from dataclasses import dataclass, field

from callcenter.calls.effects import CUSTOMER_LEG
from callcenter.calls.participants import Role
from callcenter.calls.quality_facts import LegMeasured, LegQualityChanged, LegReturned
from callcenter.calls.segments import Seat
from callcenter.ports import LegQualityTurned, LegStatistics

NOBODY = Seat("", "")


@dataclass(slots=True)
class CallQuality:
    """Owned by the call's runner."""

    call_id: str
    _seats: dict[str, tuple[Role, Seat]] = field(default_factory=dict)
    """Media leg to who has it, or had it last."""
    _agent: Seat = NOBODY
    """Who has the customer, or had last."""

    def note(self, media_leg: str | None, role: Role, seat: Seat) -> None:
        """This party has this leg. ``None`` is a party without media."""
        if role is Role.AGENT:
            self._agent = seat
        if media_leg is not None:
            self._seats[media_leg] = role, seat

    def measured(self, media_leg: str, figures: LegStatistics, now: int) -> LegMeasured:
        """The figures of a leg that was closed. The customer's are those of the whole call, and stand with the agent
        who had the customer last."""
        role, seat = self._who(media_leg)
        return LegMeasured(
            self.call_id,
            now,
            media_leg,
            packets_in=figures.packets_in,
            packets_lost=figures.packets_lost,
            heard=figures.heard,
            jitter_ms=figures.jitter_ms,
            round_trip_ms=figures.round_trip_ms,
            far_loss_percent=figures.far_loss_percent,
            mos=figures.mos,
            contact_id=seat.contact_id,
            role=role,
            agent_id="" if media_leg == CUSTOMER_LEG else seat.agent_id,
            queue_id=seat.queue_id,
            codec=figures.codec,
            worst_mos=figures.worst_mos,
            worst_loss_percent=figures.worst_loss_percent,
        )

    def turned(self, news: LegQualityTurned, now: int) -> LegQualityChanged:
        """A leg began to sound poor, or no longer does."""
        role, seat = self._who(news.leg_id)
        return LegQualityChanged(
            self.call_id,
            now,
            news.leg_id,
            contact_id=seat.contact_id,
            role=role,
            is_poor=news.is_poor,
            mos=news.mos,
            loss_percent=news.loss_percent,
            jitter_ms=news.jitter_ms,
            round_trip_ms=news.round_trip_ms,
        )

    def returned(self, media_leg: str, gap_ms: int, now: int) -> LegReturned:
        """A leg that was away is back."""
        _, seat = self._who(media_leg)
        return LegReturned(self.call_id, now, media_leg, seat.contact_id, seat.agent_id, gap_ms)

    def _who(self, media_leg: str) -> tuple[str, Seat]:
        if media_leg == CUSTOMER_LEG:
            return Role.CUSTOMER, self._agent
        role, seat = self._seats.get(media_leg, (None, NOBODY))
        return role or "", seat
