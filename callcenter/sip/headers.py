"""Header names: compact forms, canonical keys, and which headers are lists (RFC 3261 sections 7.3 and 20)."""

from callcenter.sip.grammar import is_token

COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
"""Compact names of RFC 3261 section 7.3.3 and its extensions."""

_KNOWN = [
    "Accept",
    "Accept-Contact",
    "Accept-Encoding",
    "Accept-Language",
    "Alert-Info",
    "Allow",
    "Allow-Events",
    "Authorization",
    "Call-ID",
    "Call-Info",
    "Contact",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Type",
    "CSeq",
    "Date",
    "Diversion",
    "Error-Info",
    "Event",
    "Expires",
    "From",
    "History-Info",
    "Identity",
    "In-Reply-To",
    "Max-Forwards",
    "MIME-Version",
    "Min-Expires",
    "Min-SE",
    "Organization",
    "P-Asserted-Identity",
    "P-Early-Media",
    "P-Preferred-Identity",
    "Path",
    "Priority",
    "Privacy",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Require",
    "RAck",
    "Reason",
    "Record-Route",
    "Refer-To",
    "Referred-By",
    "Remote-Party-ID",
    "Replaces",
    "Reply-To",
    "Require",
    "Retry-After",
    "Route",
    "RSeq",
    "Server",
    "Service-Route",
    "Session-Expires",
    "Subject",
    "Supported",
    "Timestamp",
    "To",
    "Unsupported",
    "User-Agent",
    "User-to-User",
    "Via",
    "Warning",
    "WWW-Authenticate",
]

MAX_LEARNT = 1_000
"""Spellings the table of names may grow to."""
MAX_LEARNT_LENGTH = 40


class HeaderNames(dict[str, str]):
    """Spellings of header names to canonical keys; learns what it meets, up to a limit."""

    def __missing__(self, name: str) -> str:
        """The key of a spelling not met before. Raises ``KeyError`` for what is not a token."""
        if not is_token(name):
            raise KeyError(name)
        key = name.lower()
        key = COMPACT.get(key, key)
        if len(self) < MAX_LEARNT and len(name) <= MAX_LEARNT_LENGTH:
            self[name] = key
        return key


CANONICAL = HeaderNames(
    {
        **{name: name.lower() for name in _KNOWN},
        **{name.lower(): name.lower() for name in _KNOWN},
        **{short.upper(): name for short, name in COMPACT.items()},
        **COMPACT,
    }
)
"""The one table of names; a look-up spares the work for almost every header met."""

SINGLE = frozenset({"from", "to", "call-id", "cseq", "max-forwards", "content-type"})
"""Headers that may stand only once; a second one makes the message unacceptable (RFC 4475 section 3.3.8)."""


def canonical(name: str) -> str:
    """The key of a header name: lower case, compact form resolved. Raises ``KeyError`` for what is not a token."""
    return CANONICAL[name]
