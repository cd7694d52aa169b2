"""How an inbound leg is refused: the status for each cause, and a reason for people to read. Pure."""

from callcenter.calls.legs import EndCause
from callcenter.sip.grammar import clean_text

REFUSALS = {
    EndCause.BUSY: 486,
    EndCause.NO_SUCH_NUMBER: 404,
    EndCause.NOT_ACCEPTABLE: 488,
    EndCause.OVERLOADED: 503,
    EndCause.REJECTED: 603,
    EndCause.FORBIDDEN: 403,
    EndCause.NO_ANSWER: 480,
    EndCause.NORMAL: 480,
    EndCause.SHUTDOWN: 503,
    EndCause.TIMEOUT: 480,
    EndCause.MEDIA_LOST: 488,
    EndCause.ERROR: 500,
    EndCause.CANCELLED: 487,
    EndCause.ANSWERED_ELSEWHERE: 480,
}
"""The status that refuses an inbound leg, by the reason we have."""
CALL_REJECTED = 21
"""The cause of ITU-T Q.850 for a call that somebody did not want to accept."""
LONGEST_REASON = 200


def call_rejected(text: str) -> str:
    """A Reason header's value that says why a call is refused (RFC 3326, allowed in responses by RFC 6432)."""
    quoted = clean_text(text, LONGEST_REASON).replace("\\", "\\\\").replace('"', '\\"')
    return f'Q.850;cause={CALL_REJECTED};text="{quoted}"'
