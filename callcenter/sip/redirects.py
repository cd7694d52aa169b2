"""Redirects: where a 3xx sends a call (RFC 3261 section 21.3), as texts to be judged like any dialled number. Pure.

A redirect is followed by number and through our own trunks only. Its host is not looked at: a far end may say whom to
call, never where to send it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from callcenter.ports import Allowed
from callcenter.sip.addresses import NameAddress
from callcenter.sip.attempts import Attempt
from callcenter.sip.errors import BadMessage
from callcenter.sip.messages import SipResponse

REDIRECTS = frozenset({300, 301, 302})
"""Statuses whose Contact names other numbers. 305 asks for another proxy and 380 for another service; neither is ours
to follow."""
MAX_REDIRECTS = 5
"""Redirects of one call that are followed; a ring of forwards ends here."""
MAX_TARGETS = 5
"""Contacts of one redirect that are looked at."""
LEAVE_LIMIT_MS = 5_000
"""How long somebody may think about whether a number may be called, before the redirect is not followed."""


@dataclass(slots=True)
class Redirect:
    """A call that was sent on, while it is asked whether the next number may be called."""

    agent_id: str
    attempt: Attempt
    response: SipResponse
    allowed: Allowed
    rest: Sequence[str]
    """Where it may go if not there."""


def redirect_targets(response: SipResponse) -> list[str]:
    """The URIs a redirect names, those with the highest ``q`` first (RFC 3261 section 20.10); none if unreadable."""
    if response.status not in REDIRECTS:
        return []
    try:
        contacts = [one for one in response.contacts if one.uri.is_sip or one.uri.scheme == "tel"]
    except BadMessage:
        return []
    return [str(one.uri) for one in sorted(contacts, key=_preference, reverse=True)[:MAX_TARGETS]]


def _preference(contact: NameAddress) -> float:
    text = contact.param("q") or "1"
    known = text.isascii() and len(text) <= 5 and text.replace(".", "", 1).isdigit()
    return float(text) if known else 0.0
