"""Our side of ICE (RFC 8445): the lite agent of a server whose address is known.

The browser tries pairs and nominates one; we answer its checks and remember what it nominated. A check proves
that the sender knows the password of our description, so media is only taken from addresses that were checked.
The STUN messages (RFC 8489) are those of ``aioice``.
"""

import secrets
import struct
from dataclasses import dataclass, field

from aioice import stun

Address = tuple[str, int]

_MOST_ADDRESSES = 16
"""Addresses a browser may be checked from with one password."""


@dataclass(frozen=True, slots=True)
class IceCredentials:
    """User name fragment and password of one description (RFC 8839 section 5.4)."""

    ufrag: str
    password: str


def new_credentials() -> IceCredentials:
    """Fresh ones, by far above the 24 and 128 bits of randomness that RFC 8445 section 5.3 asks for."""
    return IceCredentials(secrets.token_hex(8), secrets.token_hex(16))


def local_ufrag(datagram: bytes) -> str | None:
    """Whose check this is: our fragment in the user name of a binding request. ``None`` for anything else.

    Reads no more than it needs, since strangers may send anything: nothing is proven yet.
    """
    if len(datagram) < stun.HEADER_LENGTH or datagram[:2] != b"\x00\x01":
        return None
    position, end = stun.HEADER_LENGTH, len(datagram)
    while position + 4 <= end:
        kind, length = struct.unpack_from("!HH", datagram, position)
        if kind == 0x0006:
            name = datagram[position + 4 : position + 4 + length]
            return name.partition(b":")[0].decode("ascii", "replace")
        position += 4 + length + stun.padding_length(length)
    return None


@dataclass(slots=True)
class LiteAgent:
    """The checks of one browser against one pair of credentials."""

    credentials: IceCredentials
    remote_ufrag: str | None = None
    """The browser's fragment once its answer is known; its checks may come before."""
    nominated: Address | None = None
    checked: set[Address] = field(default_factory=set)
    checked_at: int | None = None
    """When the browser last showed that it still wants this (consent, RFC 7675); milliseconds."""

    def receive(self, datagram: bytes, source: Address, *, now: int) -> bytes | None:
        """Answer a check; ``None`` for what is no check, or one whose sender does not know our password."""
        try:
            request = stun.parse_message(datagram)
        except (ValueError, struct.error):
            return None
        if request.message_class is not stun.Class.REQUEST or request.message_method is not stun.Method.BINDING:
            return None
        key = self.credentials.password.encode()
        ours, _, theirs = str(request.attributes.get("USERNAME", "")).partition(":")
        if ours != self.credentials.ufrag or not request.check_message_integrity(key):
            return None
        if self.remote_ufrag is not None and theirs != self.remote_ufrag:
            return None
        if source not in self.checked and len(self.checked) >= _MOST_ADDRESSES:
            return None
        self.checked.add(source)
        self.checked_at = now
        if "USE-CANDIDATE" in request.attributes or self.nominated is None:
            self.nominated = source
        response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = source
        response.add_message_integrity(key)
        return bytes(response)


def binding_request(
    local: IceCredentials, remote: IceCredentials, *, tie_breaker: int, nominate: bool = True, priority: int = 1 << 24
) -> bytes:
    """A check as a controlling peer sends it."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{remote.ufrag}:{local.ufrag}"
    request.attributes["PRIORITY"] = priority
    request.attributes["ICE-CONTROLLING"] = tie_breaker
    if nominate:
        request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(remote.password.encode())
    return bytes(request)


def is_success(datagram: bytes, remote: IceCredentials) -> bool:
    """Whether this answers a check with success, by somebody who knows the password."""
    try:
        response = stun.parse_message(datagram)
    except (ValueError, struct.error):
        return False
    return response.message_class is stun.Class.RESPONSE and response.check_message_integrity(remote.password.encode())
