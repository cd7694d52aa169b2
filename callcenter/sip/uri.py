"""URIs: SIP and SIPS in full, tel by its number, any other scheme kept as it came (RFC 3261 section 19.1, RFC 3966)."""

import string
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from callcenter.sip.errors import BadMessage
from callcenter.sip.grammar import Params, check_clean, param, parse_number, parse_params, render_params

HOST_CHARS = string.ascii_letters + string.digits + "-._"
"""Host labels; underscores are not in the RFC but in every container network."""

USER_CHARS = string.ascii_letters + string.digits + "-_.!~*'()&=+$,;?/%#"
"""What a user part we write may hold unescaped; ``#`` is outside the RFC's set and escaped on writing."""

SCHEME_CHARS = string.ascii_letters + string.digits + "+-."
MAX_REMEMBERED = 200
"""Characters of a URI worth keeping; bounds what strangers can fill the memory with."""
COMPARED_PARAMS = ("user", "ttl", "method", "maddr", "transport")
"""The parameters that distinguish two URIs even when only one of them has it (RFC 3261 section 19.1.4)."""


class Uri(NamedTuple):
    """A URI taken apart. ``host`` is empty for schemes other than sip and sips; ``opaque`` then holds the rest."""

    scheme: str
    user: str = ""
    """As written, escapes kept; the number for a tel URI."""
    host: str = ""
    """Lower case; IPv6 without brackets."""
    port: int | None = None
    params: Params = ()
    headers: str = ""
    """What follows the question mark, as written."""
    password: str | None = None
    opaque: str = ""

    @property
    def is_sip(self) -> bool:
        """Whether requests can be sent to it by SIP."""
        return self.scheme in {"sip", "sips"}

    @property
    def username(self) -> str:
        """The user part with its escapes resolved once."""
        return unescape(self.user)

    def param(self, name: str) -> str | None:
        """A URI parameter, ``None`` when absent, empty when it has no value."""
        return param(self.params, name)

    def __str__(self) -> str:
        if self.scheme == "tel":
            return f"tel:{self.user}{render_params(self.params)}"
        if not self.is_sip:
            return f"{self.scheme}:{self.opaque}"
        credentials = f":{self.password}" if self.password is not None else ""
        user = f"{self.user}{credentials}@" if self.user or self.password is not None else ""
        tail = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{user}{format_host(self.host, self.port)}{render_params(self.params)}{tail}"

    def identity(self) -> tuple[object, ...]:
        """A value equal for URIs that name the same place, by the rules of RFC 3261 section 19.1.4."""
        if not self.is_sip:
            return (self.scheme, str(self))
        compared = tuple(sorted((n, (v or "").lower()) for n, v in self.params if n in COMPARED_PARAMS))
        return (self.scheme, self.username, self.password, self.host, self.port, compared, self.headers)


def format_host(host: str, port: int | None = None) -> str:
    """``host`` or ``host:port`` as it stands in a URI or Via, IPv6 in brackets."""
    text = f"[{host}]" if ":" in host else host
    return f"{text}:{port}" if port is not None else text


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Host (lower case, no brackets) and port. Raises ``BadMessage``."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or host.strip("0123456789abcdefABCDEF:.") or ":" not in host:
            raise BadMessage(400, "Bad IPv6 reference")
        if not rest:
            return host.lower(), None
        if rest[0] != ":":
            raise BadMessage(400, "Bad port")
        port_text, has_port = rest[1:], True
    else:
        host, colon, port_text = text.partition(":")
        has_port = bool(colon)
        if not host or host.strip(HOST_CHARS):
            raise BadMessage(400, "Bad host")
    if not has_port:
        return host.lower(), None
    port = parse_number(port_text, "port", 65535)
    if port == 0:
        raise BadMessage(400, "Bad port")
    return host.lower(), port


def parse_uri(text: str) -> Uri:
    """Take a URI apart. Raises ``BadMessage`` when a sip, sips or tel URI is malformed or any URI holds white space.

    The seven messages of a call repeat the same few URIs, so short ones are remembered.
    """
    return _remembered(text) if len(text) <= MAX_REMEMBERED else parse_new_uri(text)


def parse_new_uri(text: str) -> Uri:
    """``parse_uri`` without looking whether the text was met before."""
    scheme, colon, rest = text.partition(":")
    if scheme != "sip" and (not scheme or scheme.strip(SCHEME_CHARS) or not scheme[0].isalpha()):
        raise BadMessage(400, "Bad URI")
    if not colon or not rest:
        raise BadMessage(400, "Bad URI")
    if " " in text or "<" in text or ">" in text or '"' in text or "\t" in text:
        raise BadMessage(400, "Bad character in URI")
    scheme = scheme.lower()
    if scheme in {"sip", "sips"}:
        return _parse_sip(scheme, rest)
    if scheme == "tel":
        number, semicolon, params = rest.partition(";")
        return Uri("tel", user=number, params=parse_params(params) if semicolon else ())
    return Uri(scheme, opaque=rest)


_remembered = lru_cache(maxsize=2_048)(parse_new_uri)


def _parse_sip(scheme: str, rest: str) -> Uri:
    userinfo, at, hostpart = rest.rpartition("@")
    user, password = userinfo, None
    if at:
        user, colon, secret = userinfo.partition(":")
        password = secret if colon else None
        if not user or "@" in userinfo:
            raise BadMessage(400, "Bad user in URI")
    read = _remembered_place if len(hostpart) <= MAX_REMEMBERED else _parse_place
    host, port, parameters, headers = read(hostpart)
    return tuple.__new__(Uri, (scheme, user, host, port, parameters, headers, password, ""))


def _parse_place(text: str) -> tuple[str, int | None, Params, str]:
    """What follows the user part; callers differ, their carrier's host does not."""
    text, _, headers = text.partition("?")
    hostport, semicolon, params = text.partition(";")
    host, port = parse_host_port(hostport)
    return host, port, parse_params(params) if semicolon else (), headers


_remembered_place = lru_cache(maxsize=1_024)(_parse_place)


def unescape(text: str) -> str:
    """Resolve ``%HH`` once, as UTF-8; what is not an escape stays (RFC 4475 section 3.1.1.5)."""
    if "%" not in text:
        return text
    return unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def escape_user(text: str) -> str:
    """A user name or number as a user part. Raises ``UnsafeValue`` for control characters."""
    check_clean(text, "user part")
    if not text.strip(string.ascii_letters + string.digits + "-_.!~*'()&=+$,;?/"):
        return text
    safe = set(USER_CHARS) - set("%#")
    encoded = text.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if chr(byte) in safe else f"%{byte:02X}" for byte in encoded)
