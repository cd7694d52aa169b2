"""The offer: one contact presented to one agent, with one deadline and exactly one end."""

from enum import StrEnum

import msgspec

from acd.errors import IllegalTransition
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.outcomes import Decision


class OfferState(StrEnum):
    """Where an offer stands; all but the first are ends and equal an ``OfferResult``."""

    STANDING = "standing"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class OfferTrigger(StrEnum):
    """What can happen to an offer."""

    ANSWERED = "agent answered"
    REFUSED = "agent or phone refused"
    RANG_OUT = "ring timeout"
    REVOKED = "customer left or agent unavailable"


_S, _T = OfferState, OfferTrigger

TRANSITIONS: dict[tuple[OfferState, OfferTrigger], OfferState] = {
    (_S.STANDING, _T.ANSWERED): _S.ACCEPTED,
    (_S.STANDING, _T.REFUSED): _S.DECLINED,
    (_S.STANDING, _T.RANG_OUT): _S.EXPIRED,
    (_S.STANDING, _T.REVOKED): _S.WITHDRAWN,
}
"""(state, what happened) -> next state."""


class Offer(msgspec.Struct, frozen=True):
    """One standing offer. Ended offers are forgotten; ``number`` counts all offers ever made."""

    offer_id: OfferId
    number: int
    contact_id: ContactId
    agent_id: AgentId
    queue_id: QueueId
    made_at: int
    expires_at: int
    decision: Decision
    state: OfferState = OfferState.STANDING


def step(offer: Offer, trigger: OfferTrigger) -> OfferState:
    """The state after ``trigger``. Raises ``IllegalTransition`` when the table has no row: an offer ends once."""
    after = TRANSITIONS.get((offer.state, trigger))
    if after is None:
        raise IllegalTransition("offer", offer.offer_id, offer.state, trigger)
    return after
