"""Which pages may act for a signed-in person: the Origin rule, the same for HTTP and for the socket.

Browsers send ``Origin`` with every request that changes state and with every WebSocket handshake (Fetch, section 3.2;
RFC 6455 section 10.2), and send the session cookie along without being asked. Therefore:

- an ``Origin`` that is given must be the console's own or in the allowed list;
- one that is missing is accepted only without the session cookie, as programs with a token of their own come.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110 section 9.2.1): any page may cause them, none can read the answer."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HTTP_SCHEMES = {"ws": "http", "wss": "https"}


def origin_is_allowed(
    origin: str | None, *, scheme: str, host: str, has_cookie: bool, allowed: Collection[str] = ()
) -> bool:
    """Whether a request from ``origin`` may change state. ``scheme`` and ``host`` are those the request came to."""
    if origin is None:
        return not has_cookie
    given = _normal(origin)
    if given is None:
        return False
    own = _normal(f"{_HTTP_SCHEMES.get(scheme, scheme)}://{host}")
    return given == own or given in {_normal(entry) for entry in allowed}


def _normal(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port (RFC 6454 section 4); ``None`` for an opaque origin (``null``) and for nonsense."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.path or parts.query or parts.username:
        return None
    return parts.scheme, parts.hostname, port or _DEFAULT_PORTS[parts.scheme]
