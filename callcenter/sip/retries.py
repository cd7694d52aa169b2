"""A request sent once more: with credentials (RFC 3261 section 22), or with the session interval that was asked for."""

from collections.abc import Mapping

from callcenter.sip.attempts import Login
from callcenter.sip.digest import answer_challenge
from callcenter.sip.flows import Flow
from callcenter.sip.messages import SipRequest, SipResponse, build_request
from callcenter.sip.session_timers import SESSION_EXPIRES, wanted_minimum
from callcenter.sip.wire import Wire

KEPT = (
    "Max-Forwards",
    "From",
    "To",
    "Call-ID",
    "Contact",
    "Allow",
    "Supported",
    "Session-Expires",
    "Min-SE",
    "Expires",
    "P-Asserted-Identity",
    "Route",
    "Reason",
    "Diversion",
    "Privacy",
    "Refer-To",
    "Referred-By",
    "Event",
    "Replaces",
    "RAck",
    "Subscription-State",
    "Require",
    "Content-Type",
)
"""Headers that a request keeps when it is sent again."""


def authorised(
    wire: Wire, request: SipRequest, response: SipResponse, flow: Flow, login: Login | None
) -> SipRequest | None:
    """The request with credentials for the challenge it met; ``None`` when there is nothing to answer it with."""
    if login is None or response.status not in {401, 407}:
        return None
    asked, answered = ("www-authenticate", "Authorization")
    if response.status == 407:
        asked, answered = ("proxy-authenticate", "Proxy-Authorization")
    if request.values(answered) and not any("stale=true" in text.lower() for text in response.values(asked)):
        return None  # the same credentials again would be refused again
    value = answer_challenge(
        response.values(asked),
        method=request.method,
        uri=request.uri_text,
        username=login.username,
        password=login.password,
        cnonce=wire.new_token(),
    )
    if value is None:
        return None
    return again(wire, request, flow, {answered: value})


def longer(wire: Wire, request: SipRequest, response: SipResponse, flow: Flow) -> SipRequest | None:
    """The INVITE again with the session interval a 422 asks for (RFC 4028 section 7.4)."""
    seconds = wanted_minimum(response) if response.status == 422 else None
    if seconds is None:
        return None
    replaced = {"Session-Expires": str(max(seconds, SESSION_EXPIRES)), "Min-SE": str(seconds)}
    return again(wire, request, flow, replaced)


def again(wire: Wire, request: SipRequest, flow: Flow, replaced: Mapping[str, str]) -> SipRequest:
    """A request once more with the next CSeq; headers named in ``replaced`` get these values."""
    number, method = request.cseq
    copied = [("Via", wire.via(flow)), ("CSeq", f"{number + 1} {method}")]
    copied += [(n, value) for n in KEPT if n not in replaced for value in request.values(n)]
    return build_request(method, request.uri_text, tuple(replaced.items()), copied=copied, body=request.body)
