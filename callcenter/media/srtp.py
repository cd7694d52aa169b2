"""SRTP (RFC 3711) for one leg, by libsrtp: packets are sealed on their way out, opened and checked on their way in.

A packet's cipher depends on how often its 16-bit sequence number has wrapped, which no packet tells. A worker that
takes a leg over therefore has to be told, and winds its fresh streams forward (``wind``).
"""

from pylibsrtp import Error, Policy, Session

from callcenter.media.rtp import HEADER, VERSION_2
from callcenter.media.sdes import SrtpKey, Suite

_PROFILES: dict[str, int] = {
    Suite.AEAD_AES_128_GCM.value: Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    Suite.AES_CM_128_HMAC_SHA1_80.value: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    Suite.AES_CM_128_HMAC_SHA1_32.value: Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}
_STRIDE = 0x4000
"""Sequence numbers between two packets of winding; libsrtp follows steps below 2**15."""
_WINDOW = 1024
"""Packets that may come late and are still told from replayed ones."""
LARGEST_SEALED = 1400
"""Bytes of a datagram that libsrtp's binding takes; voice is far below."""


class Seal:
    """Seals what goes out under one key."""

    __slots__ = ("_session",)

    def __init__(self, key: SrtpKey) -> None:
        self._session = Session(_policy(key, Policy.SSRC_ANY_OUTBOUND))

    def rtp(self, datagram: bytes) -> bytes:
        """A sealed RTP packet."""
        return bytes(self._session.protect(datagram))

    def rtcp(self, datagram: bytes) -> bytes:
        """A sealed RTCP packet."""
        return bytes(self._session.protect_rtcp(datagram))

    def wind(self, ssrc: int, extended: int) -> None:
        """Go on after the packet with this extended sequence number (wraps times 65536 and sequence number)."""
        for number in range(0, extended, _STRIDE):
            self._session.protect(_blank(ssrc, number))


class Opener:
    """Opens what comes in under one key; what is forged, replayed or malformed is ``None``."""

    __slots__ = ("_key", "_session")

    def __init__(self, key: SrtpKey) -> None:
        self._key = key
        self._session = Session(_policy(key, Policy.SSRC_ANY_INBOUND))

    def rtp(self, datagram: bytes) -> bytes | None:
        """An RTP packet as it was before sealing."""
        if len(datagram) > LARGEST_SEALED:
            return None
        try:
            return bytes(self._session.unprotect(datagram))
        except Error:
            return None

    def rtcp(self, datagram: bytes) -> bytes | None:
        """An RTCP packet as it was before sealing."""
        if len(datagram) > LARGEST_SEALED:
            return None
        try:
            return bytes(self._session.unprotect_rtcp(datagram))
        except Error:
            return None

    def wind(self, ssrc: int, extended: int) -> None:
        """See ``Seal.wind``: expect this stream to go on near this extended sequence number."""
        twin = Seal(self._key)
        for number in range(0, extended, _STRIDE):
            self.rtp(twin.rtp(_blank(ssrc, number)))


def _policy(key: SrtpKey, direction: int) -> Policy:
    policy = Policy(key=key.material, ssrc_type=direction, srtp_profile=_PROFILES[key.suite])
    policy.window_size = _WINDOW
    return policy


def _blank(ssrc: int, number: int) -> bytes:
    """A packet that is never sent."""
    return HEADER.pack(VERSION_2, 0, number & 0xFFFF, 0, ssrc)
