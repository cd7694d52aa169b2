"""Legs as the SIP stack sees them: one table of states, and what is remembered of each leg."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from callcenter.sip.attempts import Attempt
from callcenter.sip.dialogs import Dialog
from callcenter.sip.errors import IllegalTransition
from callcenter.sip.flows import Flow
from callcenter.sip.media_keys import MediaRule, without_keys
from callcenter.sip.messages import SipRequest
from callcenter.sip.session_timers import SessionTimer
from callcenter.sip.transactions import TransactionId

MAX_EARLY_DIALOGS = 20
"""Of one leg: what forks beyond is not found by its tags."""


class LegState(StrEnum):
    """Where a leg stands."""

    ARRIVED = "arrived"
    """Inbound, nothing said but 100."""
    RINGING = "ringing"
    ANSWERED = "answered"
    """Inbound, 200 sent, no ACK yet."""
    CALLING = "calling"
    """Outbound, nothing rings yet."""
    ALERTING = "alerting"
    """Outbound, a phone rings."""
    UP = "up"
    LEAVING = "leaving"
    """Hung up before the ACK came: the BYE waits for it (RFC 3261 section 15)."""
    OVER = "over"


class LegInput(StrEnum):
    """What can happen to a leg."""

    RING = "ring"
    ANSWER = "answer"
    REFUSE = "refuse"
    ACK = "ack"
    ACK_LOST = "ack_lost"
    CANCEL = "cancel"
    FAR_RING = "far_ring"
    FAR_ANSWER = "far_answer"
    FAR_REFUSE = "far_refuse"
    HANG_UP = "hang_up"
    FAR_BYE = "far_bye"


_S, _I = LegState, LegInput

LEG_TABLE: Mapping[tuple[LegState, LegInput], LegState] = {
    (_S.ARRIVED, _I.RING): _S.RINGING,
    (_S.ARRIVED, _I.ANSWER): _S.ANSWERED,
    (_S.ARRIVED, _I.REFUSE): _S.OVER,
    (_S.ARRIVED, _I.CANCEL): _S.OVER,
    (_S.RINGING, _I.RING): _S.RINGING,
    (_S.RINGING, _I.ANSWER): _S.ANSWERED,
    (_S.RINGING, _I.REFUSE): _S.OVER,
    (_S.RINGING, _I.CANCEL): _S.OVER,
    (_S.ANSWERED, _I.ACK): _S.UP,
    (_S.ANSWERED, _I.ACK_LOST): _S.OVER,
    (_S.ANSWERED, _I.HANG_UP): _S.LEAVING,
    (_S.ANSWERED, _I.FAR_BYE): _S.OVER,
    (_S.CALLING, _I.FAR_RING): _S.ALERTING,
    (_S.CALLING, _I.FAR_ANSWER): _S.UP,
    (_S.CALLING, _I.FAR_REFUSE): _S.OVER,
    (_S.CALLING, _I.HANG_UP): _S.OVER,
    (_S.ALERTING, _I.FAR_RING): _S.ALERTING,
    (_S.ALERTING, _I.FAR_ANSWER): _S.UP,
    (_S.ALERTING, _I.FAR_REFUSE): _S.OVER,
    (_S.ALERTING, _I.HANG_UP): _S.OVER,
    (_S.UP, _I.ACK): _S.UP,
    (_S.UP, _I.ACK_LOST): _S.OVER,
    (_S.UP, _I.HANG_UP): _S.OVER,
    (_S.UP, _I.FAR_BYE): _S.OVER,
    (_S.LEAVING, _I.ACK): _S.OVER,
    (_S.LEAVING, _I.ACK_LOST): _S.OVER,
    (_S.LEAVING, _I.FAR_BYE): _S.OVER,
}


@dataclass(slots=True)
class PendingInvite:
    """An INVITE or re-INVITE of the far end that has no final answer yet."""

    transaction_id: TransactionId
    request: SipRequest


@dataclass(slots=True)
class PendingAnswer:
    """A 200 that is repeated until its ACK comes (RFC 3261 section 13.3.1.4)."""

    data: bytes
    flow: Flow
    cseq: int
    interval: int
    give_up_at: int
    """When nobody waits for the ACK any more."""
    late_offer: bool
    """Whether the 200 carried our offer, so that the ACK brings the far end's answer."""


@dataclass(slots=True)
class PendingProvisional:
    """A reliable 180 or 183 that is repeated until its PRACK comes (RFC 3262 section 3)."""

    data: bytes
    flow: Flow
    rseq: int
    interval: int


@dataclass(slots=True)
class Wanted:
    """A re-INVITE of ours that has not gone through yet."""

    sdp: str
    token: str
    tries: int = 0


@dataclass(slots=True)
class Leg:
    """One leg. ``told`` is what the outside knows as over: nothing more is reported of such a leg."""

    leg_id: str
    state: LegState
    flow: Flow
    dialog: Dialog | None = None
    invite: PendingInvite | None = None
    answer: PendingAnswer | None = None
    attempts: list[Attempt] = field(default_factory=list)
    refusal: tuple[int, str] | None = None
    """The best final answer so far while other phones still ring."""
    local_sdp: str = ""
    """What we said last; a refresh by re-INVITE says it again."""
    offering: bool = False
    """Whether a re-INVITE of ours waits for its answer."""
    wanted: Wanted | None = None
    """The re-INVITE that goes out next."""
    tries: int = 0
    """How often the one under way was tried."""
    provisional: PendingProvisional | None = None
    rseq: int = 0
    """Of our latest reliable provisional answer, 0 for none."""
    held_answer: str | None = None
    """Our 200's description, held back until the PRACK to the 183 that carried it (RFC 3262 section 5)."""
    early_dialogs: list[tuple[str, str, str]] = field(default_factory=list)
    """Call-ID, our tag and the far end's of each early dialog, the first that rang first."""
    has_rung: bool = False
    """Whether it was told that it rings at the far end."""
    is_heard: bool = False
    """Whether a 183 of ours carried a description: the far end hears us already."""
    session: SessionTimer | None = None
    far_allows: frozenset[str] = frozenset()
    """Methods the far end's Allow names."""
    may_refer: bool = False
    """Whether its far end, an agent's phone, may transfer its calls."""
    refer_cseq: int | None = None
    """The REFER that is being carried out."""
    media: MediaRule | None = None
    """What holds for its media; ``None`` for whatever comes."""
    is_limited: bool = False
    """Whether an alarm is set for an INVITE of the far end that has no final answer."""
    told: bool = False

    def happened(self, what: LegInput) -> None:
        """Take one step of the table. Raises ``IllegalTransition`` and changes nothing when there is no row."""
        following = LEG_TABLE.get((self.state, what))
        if following is None:
            raise IllegalTransition("leg", self.state, what)
        self.state = following

    def offer_of(self, sdp: str) -> str:
        """The far end's offer as the calls are told it."""
        return without_keys(sdp) if self.media is not None and self.media.is_keyless(self.flow) else sdp

    def media_refusal(self, sdp: str) -> str:
        """Why the far end's new description breaks the rule, for people; empty when it does not."""
        return self.media.refusal(sdp, self.flow) if sdp and self.media is not None else ""

    def allows(self, what: LegInput) -> bool:
        """Whether the table has a row for this now."""
        return (self.state, what) in LEG_TABLE


class Legs:
    """Every leg that is not over, by its id and by its dialog."""

    def __init__(self) -> None:
        self._by_id: dict[str, Leg] = {}
        self._by_dialog: dict[tuple[str, str], Leg] = {}
        self._by_call_id: dict[str, list[Leg]] = {}
        self._early: dict[tuple[str, str, str], Leg] = {}
        """Legs that we started, by Call-ID, our tag and that of a far end that did not answer yet."""

    def __len__(self) -> int:
        return len(self._by_id)

    def all(self) -> list[Leg]:
        """The legs now, in order of their arrival."""
        return list(self._by_id.values())

    def add(self, leg: Leg) -> None:
        """Begin to keep a leg."""
        self._by_id[leg.leg_id] = leg
        if leg.dialog is not None:
            self.adopt_dialog(leg, leg.dialog)

    def adopt_dialog(self, leg: Leg, dialog: Dialog) -> None:
        """Find the leg by this dialog from now on."""
        leg.dialog = dialog
        self._by_dialog[(dialog.call_id, dialog.local_tag)] = leg
        self._by_call_id.setdefault(dialog.call_id, []).append(leg)

    def adopt_early(self, leg: Leg, call_id: str, local_tag: str, remote_tag: str) -> None:
        """Find the leg by this early dialog of its, too, until it is answered or over."""
        key = (call_id, local_tag, remote_tag)
        if key not in self._early and len(leg.early_dialogs) < MAX_EARLY_DIALOGS:
            leg.early_dialogs.append(key)
            self._early[key] = leg

    def of_early(self, call_id: str, local_tag: str, remote_tag: str) -> Leg | None:
        """The leg of an early dialog."""
        return self._early.get((call_id, local_tag, remote_tag))

    def get(self, leg_id: str) -> Leg | None:
        """A leg by its id."""
        return self._by_id.get(leg_id)

    def of_call(self, call_id: str) -> tuple[Leg, ...]:
        """The legs with this SIP Call-ID."""
        return tuple(self._by_call_id.get(call_id, ()))

    def of_dialog(self, request: SipRequest) -> Leg | None:
        """The leg an in-dialog request belongs to, ``None`` when tags do not match any."""
        leg = self._by_dialog.get((request.call_id, request.to.tag))
        if leg is None or leg.dialog is None:
            return None
        return leg if leg.dialog.remote_tag in {"", request.from_.tag} else None

    def of_tags(self, call_id: str, to_tag: str, from_tag: str) -> Leg | None:
        """The leg that a Replaces header names (RFC 3891 section 3)."""
        leg = self._by_dialog.get((call_id, to_tag))
        found = leg if leg is not None and leg.dialog is not None and leg.dialog.remote_tag == from_tag else None
        return found or self._early.get((call_id, to_tag, from_tag))

    def drop_early(self, leg: Leg) -> None:
        """It was answered, or is over."""
        for key in leg.early_dialogs:
            self._early.pop(key, None)
        leg.early_dialogs.clear()

    def awaiting_ack(self, request: SipRequest, flow: Flow) -> Leg | None:
        """The leg an ACK with a wrong To tag must mean: same Call-ID, CSeq and source address."""
        for leg in self._by_call_id.get(request.call_id, ()):
            answer = leg.answer
            if answer is not None and answer.cseq == request.cseq.number and leg.flow.remote[0] == flow.remote[0]:
                return leg
        return None

    def remove(self, leg: Leg) -> None:
        """Forget a leg."""
        self._by_id.pop(leg.leg_id, None)
        self.drop_early(leg)
        if leg.dialog is not None:
            self._by_dialog.pop((leg.dialog.call_id, leg.dialog.local_tag), None)
            others = [one for one in self._by_call_id.pop(leg.dialog.call_id, []) if one is not leg]
            if others:
                self._by_call_id[leg.dialog.call_id] = others
