"""Keys of media in descriptions (SDES, RFC 4568): who may send them, over what, and what is told where sides disagree.

A key in a description is as secret as the way it goes: over UDP or TCP everybody on the path reads it along. Pure.
"""

from dataclasses import dataclass
from enum import StrEnum

from callcenter.sip.flows import Flow, Transport

KEY_LINE = "a=crypto:"


class SrtpPolicy(StrEnum):
    """Whether media is encrypted (SRTP)."""

    NEVER = "never"
    OPTIONAL = "optional"
    """Where both sides have it, and keys go over TLS."""
    REQUIRED = "required"


def refusal(sdp: str, policy: SrtpPolicy, *, private: bool) -> str:
    """Why a description cannot be taken, for people; empty when it can. ``private``: keys may travel on this way."""
    if policy is not SrtpPolicy.REQUIRED and "SAVP" not in sdp:
        return ""  # the everyday case
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


def sealed(sdp: str) -> str:
    """A description in which streams with keys are encrypted, and not only may be (``RTP/SAVP``)."""
    return sdp.replace(" RTP/AVP ", " RTP/SAVP ") if KEY_LINE in sdp else sdp


def is_sealed(sdp: str) -> bool:
    """Whether every stream of a description is encrypted, by its profile."""
    if "SAVP" not in sdp:
        return False  # the everyday case
    streams = [_is_sealed(line) for line in sdp.splitlines() if line.startswith("m=")]
    return bool(streams) and all(streams)


@dataclass(frozen=True, slots=True)
class MediaRule:
    """What holds for the media of one phone or trunk."""

    srtp: SrtpPolicy = SrtpPolicy.OPTIONAL
    keys_without_tls: bool = False
    """Whether keys may go by UDP and TCP, where everybody on the way reads them along."""

    def refusal(self, sdp: str, flow: Flow) -> str:
        """Why a far end's description breaks the rule on this way, for people; empty when it does not."""
        if not sdp and self.srtp is SrtpPolicy.REQUIRED:
            return "Media must be encrypted: send an offer (RTP/SAVP)"  # what we would offer ourselves is plain
        return refusal(sdp, self.srtp, private=self.is_private(flow)) if sdp else ""

    def is_private(self, flow: Flow) -> bool:
        """Whether keys may travel on this way."""
        return self.keys_without_tls or is_private(flow)

    def is_keyless(self, flow: Flow) -> bool:
        """Whether keys beside plain media are passed over, and none are offered."""
        return self.srtp is SrtpPolicy.NEVER or not self.is_private(flow)

    def offers(self, sdp: str, flow: Flow) -> tuple[str, ...]:
        """What to offer on this way: the first, and each next one when that is refused as not acceptable (488).

        ``sdp`` is plain, with keys beside plain media, or encrypted. None may be offered: an empty tuple.
        """
        if is_sealed(sdp):
            return () if self.is_keyless(flow) else (sdp,)
        if self.srtp is SrtpPolicy.REQUIRED:
            return (sealed(sdp),) if KEY_LINE in sdp and self.is_private(flow) else ()
        if KEY_LINE not in sdp:
            return (sdp,)
        return (without_keys(sdp),) if self.is_keyless(flow) else (sdp, sealed(sdp), without_keys(sdp))


def is_private(flow: Flow) -> bool:
    """Whether nobody on the way reads along."""
    return flow.transport in {Transport.TLS, Transport.WSS}


def _is_sealed(media_line: str) -> bool:
    words = media_line.split(" ")
    return len(words) > 2 and "SAVP" in words[2]
