"""The leg language: what a signalling stack tells the calls about one leg, free of any SIP detail.

A leg is one dialog with one media stream. Leg ids are strings: the stack makes them for legs that arrive,
the calls make them for legs they start.
"""

from enum import StrEnum

import msgspec


class EndCause(StrEnum):
    """Why a leg is ended, by us or by the far end."""

    NORMAL = "normal"
    """Somebody hung up after the answer."""
    CANCELLED = "cancelled"
    """The caller gave up before the answer."""
    NO_ANSWER = "no_answer"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    REJECTED = "rejected"
    FORBIDDEN = "forbidden"
    """Who calls may not call this."""
    BUSY = "busy"
    NO_SUCH_NUMBER = "no_such_number"
    NOT_ACCEPTABLE = "not_acceptable"
    """No common codec."""
    OVERLOADED = "overloaded"
    MEDIA_LOST = "media_lost"
    TIMEOUT = "timeout"
    """The far end stopped answering (lost ACK, transaction timeout)."""
    SHUTDOWN = "shutdown"
    ERROR = "error"


class Party(msgspec.Struct, frozen=True):
    """Who a leg shows: a number or user name as signalled (not yet E.164), and a display name; both clean text."""

    number: str
    display_name: str = ""


class LegOffered(msgspec.Struct, frozen=True):
    """A new inbound leg. Exactly one of ``trunk_id`` and ``agent_id`` says through which door it came.

    ``sdp`` is the far end's offer, empty for a late offer.
    """

    leg_id: str
    trunk_id: str | None
    agent_id: str | None
    caller: Party
    called: Party
    sdp: str
    sip_call_id: str
    peer_address: str
    """IP address the request came from, for the media latch."""
    diversions: tuple[Party, ...] = ()
    """Whom the call was meant for before it was forwarded here, the latest first (Diversion, History-Info)."""
    asserted: Party | None = None
    """Who the carrier says is calling (P-Asserted-Identity), from trunks that are trusted with it."""
    replaces_leg_id: str | None = None
    """The leg this call is to take over (RFC 3891)."""
    max_forwards: int = 70
    """How often the call may still be passed on; a leg that continues it gets one less: so a ring of exchanges ends."""


class LegRinging(msgspec.Struct, frozen=True):
    """The far end of an outbound leg rings."""

    leg_id: str


class LegEarlyMedia(msgspec.Struct, frozen=True):
    """The far end of an outbound leg sends sound before it answers (early media): a ringing tone, an announcement.

    ``sdp`` answers our offer until ``LegAnswered`` does. Told again when another one sounds.
    """

    leg_id: str
    sdp: str
    peer_address: str


class LegAnswered(msgspec.Struct, frozen=True):
    """The far end of an outbound leg answered with this SDP."""

    leg_id: str
    sdp: str
    peer_address: str


class LegRefused(msgspec.Struct, frozen=True):
    """An outbound leg was refused, not reached or not answered. ``status`` is the final SIP status, 408 for silence."""

    leg_id: str
    status: int
    reason: str


class LegReoffered(msgspec.Struct, frozen=True):
    """The far end renegotiates (hold, resume, refresh), met by ``Signalling.accept_reoffer``; empty SDP: late offer."""

    leg_id: str
    sdp: str
    peer_address: str


class LegReanswered(msgspec.Struct, frozen=True):
    """The far end answered our ``Signalling.reoffer`` with this SDP; its offer when ours was empty."""

    leg_id: str
    sdp: str
    peer_address: str


class LegReofferRefused(msgspec.Struct, frozen=True):
    """The far end refused our ``Signalling.reoffer``; the leg goes on as it was."""

    leg_id: str
    status: int


class TransferRequested(msgspec.Struct, frozen=True):
    """An agent's phone asks us to connect its call elsewhere; ``Signalling.report_transfer`` tells it how that goes.

    ``target`` is a number or user name; ``replaces_leg_id`` names the leg that the target's call is to take over
    (attended transfer), ``None`` for a blind one.
    """

    leg_id: str
    target: str
    replaces_leg_id: str | None = None


class LegDigit(msgspec.Struct, frozen=True):
    """A digit that came in signalling (SIP INFO)."""

    leg_id: str
    digit: str


class LegGapEnded(msgspec.Struct, frozen=True):
    """Audio comes from a leg again that was away: its page was reloaded, or its network changed. The leg was up all
    the time, and the others heard comfort tone."""

    leg_id: str
    gap_ms: int


class LegEnded(msgspec.Struct, frozen=True):
    """The leg is over; nothing follows. Told once for each leg that was answered or offered and not refused by us."""

    leg_id: str
    cause: EndCause
    reason: str = ""
    """The far end's Reason header (RFC 3326), clean text."""


LegEvent = (
    LegOffered
    | LegRinging
    | LegEarlyMedia
    | LegAnswered
    | LegRefused
    | LegReoffered
    | LegReanswered
    | LegReofferRefused
    | TransferRequested
    | LegDigit
    | LegGapEnded
    | LegEnded
)
