"""Session timers (RFC 4028): what both ends agree on, and when to refresh or to give up. Pure."""

from dataclasses import dataclass

from callcenter.sip.errors import BadMessage
from callcenter.sip.grammar import param as value_of
from callcenter.sip.grammar import parse_number, parse_params
from callcenter.sip.messages import SipRequest, SipResponse

MIN_SE = 90
"""Seconds: nobody may ask for less (RFC 4028 section 5)."""
SESSION_EXPIRES = 1_800
"""Seconds we ask for."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SessionTimer:
    """What was agreed. ``interval`` is in seconds; ``ours`` tells whether we refresh."""

    interval: int
    ours: bool

    def due_at(self, now: int) -> int:
        """When to refresh, or to hang up when the far end did not (RFC 4028 section 10); milliseconds."""
        if self.ours:
            return now + self.interval * 500
        return now + (self.interval - min(32, self.interval // 3)) * 1_000


def _read(message: SipRequest | SipResponse) -> tuple[int, str] | None:
    value = message.get("session-expires")
    if value is None:
        return None
    seconds, semicolon, params = value.partition(";")
    refresher = value_of(parse_params(params), "refresher") if semicolon else None
    return parse_number(seconds, "Session-Expires"), (refresher or "").lower()


def is_supported_by(message: SipRequest | SipResponse) -> bool:
    """Whether the far end knows session timers."""
    return "timer" in [option.lower() for name in ("supported", "require") for option in message.listed(name)]


def is_too_brief(request: SipRequest) -> bool:
    """Whether a request is to be answered 422 (RFC 4028 section 9)."""
    asked = _read(request)
    return asked is not None and asked[0] < MIN_SE and is_supported_by(request)


def agree_as_server(request: SipRequest) -> tuple[SessionTimer | None, Headers]:
    """What our 2xx agrees to, and its headers. Nothing when the request asks for nothing."""
    try:
        asked = _read(request)
    except BadMessage:
        asked = None
    if asked is None:
        return None, ()
    seconds, refresher = max(asked[0], MIN_SE), asked[1]
    theirs = is_supported_by(request) and refresher != "uas"
    headers: Headers = (("Session-Expires", f"{seconds};refresher={'uac' if theirs else 'uas'}"),)
    if theirs:
        headers += (("Require", "timer"),)
    return SessionTimer(seconds, ours=not theirs), headers


def agree_as_client(response: SipResponse) -> SessionTimer | None:
    """What a 2xx to our request agreed to."""
    try:
        agreed = _read(response)
    except BadMessage:
        return None
    return None if agreed is None else SessionTimer(max(agreed[0], MIN_SE), ours=agreed[1] != "uas")


def asking_headers(seconds: int = SESSION_EXPIRES, refresher: str = "") -> Headers:
    """Headers of a request of ours; ``refresher`` empty leaves it to the far end."""
    suffix = f";refresher={refresher}" if refresher else ""
    return (("Session-Expires", f"{seconds}{suffix}"), ("Min-SE", str(MIN_SE)))


def wanted_minimum(response: SipResponse) -> int | None:
    """What a 422 asks for; ``None`` when it says nothing sound."""
    try:
        seconds = response.number("min-se")
    except BadMessage:
        return None
    return seconds if seconds is not None and MIN_SE <= seconds <= 86_400 else None
