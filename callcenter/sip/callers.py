"""Who calls: what From, P-Asserted-Identity, Diversion and History-Info of an INVITE say."""

from callcenter.calls.legs import Party
from callcenter.sip.addresses import party_of
from callcenter.sip.errors import BadMessage
from callcenter.sip.messages import SipRequest
from callcenter.sip.uri import Uri

MAX_DIVERSIONS = 10


def caller_of(request: SipRequest, *, trusted: bool) -> tuple[Party, Party | None]:
    """Who calls, and whom the carrier asserts (RFC 3325); the latter from peers that are trusted with it."""
    asserted = request.addresses("p-asserted-identity") if trusted else ()
    shown = party_of(request.from_)
    if not asserted:
        return shown, None
    identity = party_of(asserted[0])
    return Party(identity.number, identity.display_name or shown.display_name), identity


def diversions_of(request: SipRequest) -> tuple[Party, ...]:
    """Whom a call was meant for before it came here, the latest first: Diversion (RFC 5806), else History-Info.

    History-Info (RFC 7044) names every target in order; the last is ourselves. What cannot be read is left out.
    """
    try:
        if request.has("diversion"):
            return tuple(party_of(one) for one in request.addresses("diversion")[:MAX_DIVERSIONS])
        if not request.has("history-info"):
            return ()
        history = [party_of(one) for one in request.addresses("history-info")]
    except BadMessage:
        return ()
    return tuple(reversed(history[:-1]))[:MAX_DIVERSIONS]


def is_own(uri: Uri, username: str) -> bool:
    """Whether a URI is that of this user: nobody may speak for anybody else."""
    return uri.is_sip and username in {uri.username, uri.user}
