"""Doors: what judges a new INVITE, what it says, and which INVITEs no door needs to see."""

from dataclasses import dataclass
from typing import Protocol

from callcenter.calls.legs import Party
from callcenter.sip.flows import Flow
from callcenter.sip.media_keys import MediaRule
from callcenter.sip.messages import SipRequest
from callcenter.sip.session_timers import MIN_SE, is_too_brief
from callcenter.sip.wire import SDP


@dataclass(frozen=True, slots=True)
class Admitted:
    """A new INVITE may become a leg. Exactly one of the ids is set for an exchange; a phone sets none."""

    trunk_id: str | None
    agent_id: str | None
    caller: Party
    called: Party
    diversions: tuple[Party, ...] = ()
    asserted: Party | None = None
    replaces_leg_id: str | None = None
    media: MediaRule | None = None
    """What holds for its media; ``None`` for whatever comes."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A request gets this answer and nothing else."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


class Door(Protocol):
    """Who may come in."""

    def admit(self, request: SipRequest, flow: Flow, now: int) -> Admitted | Refused:
        """Judge an INVITE that starts a dialog. Nothing about it is remembered yet. May raise ``BadMessage``."""
        ...


def not_acceptable(why: str) -> Refused:
    """A description breaks a rule; ``why`` is for people."""
    return Refused(488, (("Warning", f'399 callcenter "{why}"'),))


def content_refusal(request: SipRequest) -> Refused | None:
    """Why the body of an INVITE cannot be taken (RFC 3261 section 8.2.3)."""
    if request.body and (request.content_type != SDP or (request.get("content-encoding") or "identity") != "identity"):
        return Refused(415, (("Accept", SDP), ("Accept-Encoding", "identity")))
    if request.has("accept"):
        accepted = [item.partition(";")[0].strip().lower() for item in request.listed("accept")]
        if not {SDP, "application/*", "*/*"}.intersection(accepted):
            return Refused(406)
    return None


def session_refusal(request: SipRequest) -> Refused | None:
    """Why the session timer of an INVITE cannot be taken (RFC 4028 section 9)."""
    return Refused(422, (("Min-SE", str(MIN_SE)),)) if is_too_brief(request) else None
