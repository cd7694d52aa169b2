"""Keys of media in descriptions (SDES, RFC 4568): who may send them, over what, and what is told where sides disagree.

A key in a description is as secret as the way it goes: over UDP or TCP everybody on the path reads it along. Pure.
"""

from enum import StrEnum

from callcenter.sip.flows import Flow, Transport

KEY_LINE = "a=crypto:"


class SrtpPolicy(StrEnum):
    """Whether media is encrypted (SRTP)."""

    NEVER = "never"
    OPTIONAL = "optional"
    """Where the far end offers it, and its keys come over TLS."""
    REQUIRED = "required"


def refusal(sdp: str, policy: SrtpPolicy, *, private: bool) -> str:
    """Why a description cannot be taken, for people; empty when it can. ``private``: keys may travel on this way."""
    sealed = [_is_sealed(line) for line in sdp.splitlines() if line.startswith("m=")]
    if policy is SrtpPolicy.REQUIRED:
        if not sealed or not all(sealed):
            return "Media must be encrypted (RTP/SAVP)"
        return "" if private else "Keys of SRTP need TLS"
    if sealed and all(sealed):
        if policy is SrtpPolicy.NEVER:
            return "Media is not encrypted here (RTP/AVP)"
        return "" if private else "Keys of SRTP need TLS"
    return ""


def without_keys(sdp: str) -> str:
    """A description in which plain streams offer no keys: the answer is then plain (RFC 4568 section 5.1.2)."""
    if KEY_LINE not in sdp:
        return sdp
    kept, sealed = [], False
    for line in sdp.splitlines(keepends=True):
        if line.startswith("m="):
            sealed = _is_sealed(line)
        if sealed or not line.startswith(KEY_LINE):
            kept.append(line)
    return "".join(kept)


def is_private(flow: Flow) -> bool:
    """Whether nobody on the way reads along."""
    return flow.transport in {Transport.TLS, Transport.WSS}


def _is_sealed(media_line: str) -> bool:
    words = media_line.split(" ")
    return len(words) > 2 and "SAVP" in words[2]
