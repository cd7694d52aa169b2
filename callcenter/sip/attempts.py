"""An attempt: one INVITE of ours on its way, with the rules of CANCEL and of answers that come too late.

The table is RFC 3261 sections 9.1 and 13.2.2: a CANCEL waits for a provisional answer; an answer that crosses
the CANCEL, or comes from another fork than the one that won, is acknowledged and hung up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from callcenter.sip.dialogs import Dialog
from callcenter.sip.errors import IllegalTransition
from callcenter.sip.flows import Flow
from callcenter.sip.media_keys import MediaRule
from callcenter.sip.messages import SipRequest
from callcenter.sip.transactions import TransactionId


class AttemptState(StrEnum):
    """Where an attempt stands."""

    CALLING = "calling"
    """Nothing heard yet."""
    CANCEL_HELD = "cancel_held"
    """To be cancelled as soon as anything is heard."""
    PROCEEDING = "proceeding"
    CANCELLING = "cancelling"
    """CANCEL is on its way."""
    ANSWERED = "answered"
    OVER = "over"


class AttemptEvent(StrEnum):
    """What can happen to an attempt."""

    PROVISIONAL = "provisional"
    SUCCESS = "success"
    FAILURE = "failure"
    TIMEOUT = "timeout"
    """No final answer came, or the transport broke."""
    CANCEL = "cancel"
    """We no longer want it."""


class AttemptOrder(StrEnum):
    """What a row orders."""

    TELL_PROGRESS = "tell_progress"
    TELL_ANSWER = "tell_answer"
    TELL_REFUSAL = "tell_refusal"
    ACK = "ack"
    """Acknowledge; an answer of another fork is acknowledged and hung up."""
    ACK_AND_BYE = "ack_and_bye"
    SEND_CANCEL = "send_cancel"


_S, _E, _O = AttemptState, AttemptEvent, AttemptOrder
AttemptRow = tuple[AttemptState, tuple[AttemptOrder, ...]]

ATTEMPT_TABLE: Mapping[tuple[AttemptState, AttemptEvent], AttemptRow] = {
    (_S.CALLING, _E.PROVISIONAL): (_S.PROCEEDING, (_O.TELL_PROGRESS,)),
    (_S.CALLING, _E.SUCCESS): (_S.ANSWERED, (_O.ACK, _O.TELL_ANSWER)),
    (_S.CALLING, _E.FAILURE): (_S.OVER, (_O.TELL_REFUSAL,)),
    (_S.CALLING, _E.TIMEOUT): (_S.OVER, (_O.TELL_REFUSAL,)),
    (_S.CALLING, _E.CANCEL): (_S.CANCEL_HELD, ()),
    (_S.CANCEL_HELD, _E.PROVISIONAL): (_S.CANCELLING, (_O.SEND_CANCEL,)),
    (_S.CANCEL_HELD, _E.SUCCESS): (_S.OVER, (_O.ACK_AND_BYE,)),
    (_S.CANCEL_HELD, _E.FAILURE): (_S.OVER, (_O.TELL_REFUSAL,)),
    (_S.CANCEL_HELD, _E.TIMEOUT): (_S.OVER, (_O.TELL_REFUSAL,)),
    (_S.CANCEL_HELD, _E.CANCEL): (_S.CANCEL_HELD, ()),
    (_S.PROCEEDING, _E.PROVISIONAL): (_S.PROCEEDING, (_O.TELL_PROGRESS,)),
    (_S.PROCEEDING, _E.SUCCESS): (_S.ANSWERED, (_O.ACK, _O.TELL_ANSWER)),
    (_S.PROCEEDING, _E.FAILURE): (_S.OVER, (_O.TELL_REFUSAL,)),
    (_S.PROCEEDING, _E.TIMEOUT): (_S.OVER, (_O.TELL_REFUSAL,)),
    (_S.PROCEEDING, _E.CANCEL): (_S.CANCELLING, (_O.SEND_CANCEL,)),
    (_S.CANCELLING, _E.PROVISIONAL): (_S.CANCELLING, ()),
    (_S.CANCELLING, _E.SUCCESS): (_S.OVER, (_O.ACK_AND_BYE,)),
    (_S.CANCELLING, _E.FAILURE): (_S.OVER, (_O.TELL_REFUSAL,)),
    (_S.CANCELLING, _E.TIMEOUT): (_S.OVER, (_O.TELL_REFUSAL,)),
    (_S.CANCELLING, _E.CANCEL): (_S.CANCELLING, ()),
    (_S.ANSWERED, _E.PROVISIONAL): (_S.ANSWERED, ()),
    (_S.ANSWERED, _E.SUCCESS): (_S.ANSWERED, (_O.ACK,)),
    (_S.ANSWERED, _E.FAILURE): (_S.ANSWERED, ()),
    (_S.ANSWERED, _E.TIMEOUT): (_S.ANSWERED, ()),
    (_S.ANSWERED, _E.CANCEL): (_S.ANSWERED, ()),
    (_S.OVER, _E.PROVISIONAL): (_S.OVER, ()),
    (_S.OVER, _E.SUCCESS): (_S.OVER, (_O.ACK_AND_BYE,)),
    (_S.OVER, _E.FAILURE): (_S.OVER, ()),
    (_S.OVER, _E.TIMEOUT): (_S.OVER, ()),
    (_S.OVER, _E.CANCEL): (_S.OVER, ()),
}
"""A provisional answer that comes after the final one, as networks reorder them, changes nothing."""


@dataclass(frozen=True, slots=True)
class Login:
    """What answers a challenge."""

    username: str
    password: str = field(repr=False)


@dataclass(slots=True)
class Attempt:
    """One INVITE of ours and what came of it."""

    leg_id: str
    request: SipRequest
    flow: Flow
    transaction_id: TransactionId
    reason: str = ""
    """Reason header for the CANCEL (RFC 3326), empty for none."""
    binding: str = ""
    """Which registered phone is rung, for dropping one that never answers anything."""
    login: Login | None = None
    """User name and password for challenges, where they are not the endpoint's own."""
    state: AttemptState = AttemptState.CALLING
    acks: dict[str, bytes] = field(default_factory=dict)
    """By remote tag: the ACK sent, repeated for each repeated 2xx."""
    dismissed: set[str] = field(default_factory=set)
    """Remote tags of forks that were hung up."""
    winner: Dialog | None = None
    early: dict[str, Dialog] = field(default_factory=dict)
    """By remote tag: early dialogs in which a PRACK was sent."""
    early_sdp: dict[str, str] = field(default_factory=dict)
    """By remote tag: how a far end that did not answer yet describes its sound."""
    rseq: dict[str, int] = field(default_factory=dict)
    """By remote tag: the RSeq of the last reliable provisional answer."""
    challenged: int = 0
    """How often credentials were sent."""
    media: MediaRule | None = None
    """What holds for the far end's media."""
    sdp: str = ""
    """What was offered, where that is not what the leg was begun with."""
    described_otherwise: Callable[[int], "Attempt"] | None = None
    """Sends the INVITE again with the next description, for when this one is not acceptable."""
    other_way: Callable[[int], "Attempt"] | None = None
    """Tries the same phone over its next flow, at an instant; ``None`` when it has no other."""
    heard: bool = False
    """Whether anything at all came back."""

    def happened(self, event: AttemptEvent) -> tuple[AttemptOrder, ...]:
        """Take one step and return what it orders. Raises ``IllegalTransition``."""
        row = ATTEMPT_TABLE.get((self.state, event))
        if row is None:
            raise IllegalTransition("attempt", self.state, event)
        self.state = row[0]
        return row[1]


def better_refusal(one: tuple[int, str], other: tuple[int, str]) -> tuple[int, str]:
    """The more telling of two final answers: any 6xx, else the lowest class, else the lower number (section 16.7)."""

    def rank(status: int) -> tuple[int, int]:
        return (0 if status >= 600 else status // 100, status)

    return min(one, other, key=lambda refusal: rank(refusal[0]))
