"""Keys for SRTP in SDP (RFC 4568, suites also of RFC 7714): reading and writing ``a=crypto``. Pure.

Whoever reads the signalling reads the keys, so they are worth as much as the TLS that carries them.
"""

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Suite(StrEnum):
    """A crypto suite by its name in SDP, the one we like best first."""

    AEAD_AES_128_GCM = "AEAD_AES_128_GCM"
    AES_CM_128_HMAC_SHA1_80 = "AES_CM_128_HMAC_SHA1_80"
    AES_CM_128_HMAC_SHA1_32 = "AES_CM_128_HMAC_SHA1_32"


KEY_BYTES: dict[Suite, int] = {
    Suite.AEAD_AES_128_GCM: 28,
    Suite.AES_CM_128_HMAC_SHA1_80: 30,
    Suite.AES_CM_128_HMAC_SHA1_32: 30,
}
"""Bytes of master key and master salt together (RFC 4568 section 6.2, RFC 7714 section 12)."""

_MOST_LINES = 32


class SrtpKey(msgspec.Struct, frozen=True, array_like=True):
    """One direction's master key and salt. Its text form names the suite only, so that no log ever holds a key."""

    suite: str
    material: bytes

    def __repr__(self) -> str:
        return f"SrtpKey({self.suite})"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class CryptoLine:
    """One ``a=crypto`` that we can use: its tag and its sender's key."""

    tag: int
    key: SrtpKey

    @property
    def value(self) -> str:
        """What stands after ``a=crypto:``."""
        return f"{self.tag} {self.key.suite} inline:{base64.b64encode(self.key.material).decode()}"


def read_crypto(value: str) -> CryptoLine | None:
    """Read one attribute. ``None`` for a suite, an MKI or a parameter that we do not have, and for what is malformed.

    A lifetime is accepted and not watched: ours of 2**31 packets are never reached by speech (section 6.1).
    """
    parts = value.split()
    if len(parts) < 3 or not (parts[0].isascii() and parts[0].isdigit()) or len(parts[0]) > 9:
        return None
    if parts[1] not in set(Suite) or any(not _may_be_ignored(parameter) for parameter in parts[3:]):
        return None
    method, _, info = parts[2].partition(":")
    if method.lower() != "inline" or ";" in info:
        return None
    encoded, *rest = info.split("|")
    if any(":" in field for field in rest):  # an MKI in every packet (section 6.1)
        return None
    try:
        material = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    suite = Suite(parts[1])
    if len(material) != KEY_BYTES[suite]:
        return None
    return CryptoLine(int(parts[0]), SrtpKey(suite.value, material))


def _may_be_ignored(parameter: str) -> bool:
    """Whether a session parameter changes nothing for us (section 6.3): a window hint, or marked optional."""
    return parameter.startswith(("WSH=", "-")) or parameter == "KDR=0"


def usable_lines(values: list[str]) -> tuple[CryptoLine, ...]:
    """The usable attributes of one media line, in their sender's order of preference."""
    read = (read_crypto(value) for value in values[:_MOST_LINES])
    return tuple(line for line in read if line is not None)
