"""SIP messages: what was received, read lazily, and what is sent, built from checked values.

A received message keeps its header lines as they came; a header is taken apart when it is asked for, once.
Reading costs time linear in the size of the message. Untouched lines are written back byte for byte: text is UTF-8
with surrogate escapes, so Latin-1 survives the round trip.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from callcenter.sip.addresses import NameAddress, parse_address, parse_addresses
from callcenter.sip.errors import BadMessage
from callcenter.sip.grammar import LWS, check_clean, is_clean, is_token, parse_number, split_outside
from callcenter.sip.headers import CANONICAL
from callcenter.sip.uri import MAX_REMEMBERED, Uri, parse_uri
from callcenter.sip.via import Via, parse_via

Headers = Sequence[tuple[str, str]]
Repeats = dict[str, list[str]]
REMEMBERED_METHODS = frozenset({"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "UPDATE", "INFO"})
"""Methods known to be tokens."""

REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
}


class CSeq(NamedTuple):
    """Sequence number and method of a request and of every answer to it."""

    number: int
    method: str


MAX_FORWARDS = 255
"""What a request may have left at most (RFC 3261 section 20.22)."""
LONGEST_REMEMBERED_CSEQ = 40
"""Characters; bounds what strangers can fill the memory with."""


def _parse_cseq(text: str) -> CSeq:
    parts = text.split()
    if len(parts) != 2 or not (parts[1] in REMEMBERED_METHODS or is_token(parts[1])):
        raise BadMessage(400, "Bad CSeq")
    return CSeq(parse_number(parts[0], "CSeq"), parts[1])


def _read_methods(text: str) -> frozenset[str]:
    return frozenset(method for item in text.split(",") if (method := item.strip(LWS).upper()))


_remembered_methods = lru_cache(1_024)(_read_methods)
_remembered_cseq = lru_cache(1_024)(_parse_cseq)
"""Everybody counts from the same few numbers."""


MANDATORY = {CANONICAL[name]: f"{name}: " for name in ("Via", "From", "To", "Call-ID", "CSeq")}
"""How lines of ours begin of the headers that every message has, by canonical name."""


class SipMessage:
    """What requests and responses share: header lines in order, an index by canonical name, a body."""

    __slots__ = ("_cseq", "_first", "_from", "_lines", "_lists", "_octets", "_repeats", "_to", "_via", "body")

    def __init__(self, lines: list[str], body: bytes) -> None:
        self._lines = lines
        self._first: dict[str, str] | None = None
        """The first value of each header by canonical name; of a message of ours made when somebody asks."""
        self._repeats: Repeats = {}
        """All values of the headers that have more than one line."""
        self._via: Via | None = None
        self._from: NameAddress | None = None
        self._to: NameAddress | None = None
        self._cseq: CSeq | None = None
        self._lists: dict[str, tuple[NameAddress, ...]] | None = None
        self._octets: bytes | None = None
        self.body = body

    def adopt(self, lines: list[str], first: dict[str, str], repeats: Repeats) -> None:
        """Take over header lines and their index; a step of the parser's."""
        self._lines = lines
        self._first = first
        self._repeats = repeats

    def read_mandatory(self) -> str | None:
        """Take apart what every message must have, in one go, and return the value of Max-Forwards; a step of the
        parser's. Raises ``BadMessage`` for what is missing or malformed."""
        first = self._index()
        try:
            cseq, via, from_, to = first["cseq"], first["via"], first["from"], first["to"]
        except KeyError:
            for key in ("cseq", "via", "from", "to"):
                self._required(key)
            raise
        self._cseq = _remembered_cseq(cseq) if len(cseq) <= LONGEST_REMEMBERED_CSEQ else _parse_cseq(cseq)
        self._via = parse_via(via if "," not in via else split_outside(via, ",")[0])
        self._from = parse_address(from_)
        self._to = parse_address(to)
        if not (first.get("call-id") or self._required("call-id")):
            raise BadMessage(400, "Empty call-id")
        return first.get("max-forwards")

    def _index(self) -> dict[str, str]:
        first = self._first
        if first is None:
            pairs = [line.split(": ", 1) for line in self._lines]
            first, self._repeats = index([(CANONICAL[name], value) for name, value in pairs])
            self._first = first
        return first

    def repeated(self, keys: frozenset[str]) -> str | None:
        """One of these canonical names that has more than one line."""
        if not self._repeats or keys.isdisjoint(self._repeats):
            return None
        return min(keys.intersection(self._repeats))

    def has(self, name: str) -> bool:
        """Whether a header is there."""
        return CANONICAL[name] in self._index()

    def values(self, name: str) -> Sequence[str]:
        """Every value of a header as written, one for each line, in order; folded lines joined."""
        key = CANONICAL[name]
        first = self._first
        found = (self._index() if first is None else first).get(key)
        if found is None:
            return ()
        return (self._repeats.get(key) or (found,)) if self._repeats else (found,)

    def get(self, name: str) -> str | None:
        """The first value of a header, ``None`` when it is absent."""
        first = self._first
        return (self._index() if first is None else first).get(CANONICAL[name])

    def listed(self, name: str) -> list[str]:
        """The elements of a comma-separated header, blanks removed. Raises ``BadMessage``."""
        if self.get(name) is None:
            return []
        return [part for value in self.values(name) for item in split_outside(value, ",") if (part := item.strip(LWS))]

    def _required(self, key: str) -> str:
        first = self._first
        found = self._unindexed(key) if first is None else first.get(key)
        if found is None:
            raise BadMessage(400, f"Missing {key}")
        return found

    def _unindexed(self, key: str) -> str | None:
        """What every message has, of one of ours, whose lines are few and begin as we write them."""
        begin = MANDATORY[key]
        for line in self._lines:
            if line.startswith(begin):
                return line[len(begin) :]
        return None

    @property
    def start_line(self) -> str:
        """The first line, without its end."""
        raise NotImplementedError

    @property
    def via(self) -> Via:
        """The topmost Via."""
        cached = self._via
        if cached is None:
            value = self._required("via")
            cached = self._via = parse_via(value if "," not in value else split_outside(value, ",")[0])
        return cached

    def vias(self) -> list[Via]:
        """Every Via, topmost first."""
        if len(values := self.values("via")) == 1 and "," not in values[0]:
            return [self.via]
        return [parse_via(value) for value in self.listed("via")]

    @property
    def from_text(self) -> str:
        """From as written."""
        return self._required("from")

    @property
    def to_text(self) -> str:
        """To as written."""
        return self._required("to")

    @property
    def from_(self) -> NameAddress:
        """The From address (RFC 3261 section 20.20)."""
        cached = self._from
        if cached is None:
            cached = self._from = parse_address(self._required("from"))
        return cached

    @property
    def to(self) -> NameAddress:
        """The To address (RFC 3261 section 20.39)."""
        cached = self._to
        if cached is None:
            cached = self._to = parse_address(self._required("to"))
        return cached

    @property
    def call_id(self) -> str:
        """SIP's Call-ID, compared byte by byte."""
        first = self._first
        return (None if first is None else first.get("call-id")) or self._required("call-id")

    @property
    def cseq(self) -> CSeq:
        """Sequence number and method (RFC 3261 section 20.16)."""
        cached = self._cseq
        if cached is None:
            text = self._required("cseq")
            cached = self._cseq = _remembered_cseq(text) if len(text) <= LONGEST_REMEMBERED_CSEQ else _parse_cseq(text)
        return cached

    def addresses(self, name: str) -> tuple[NameAddress, ...]:
        """The addresses of a list header such as Contact, Route or P-Asserted-Identity. Raises ``BadMessage``."""
        lists = self._lists
        if lists is None:
            lists = self._lists = {}
        key = CANONICAL[name]
        cached = lists.get(key)
        if cached is None:
            only = self._index().get(key)
            if only is None:
                cached = ()
            elif "," in only or key in self._repeats:
                cached = parse_addresses(self.values(key))
            else:
                cached = (parse_address(only),)
            lists[key] = cached
        return cached

    @property
    def contact_is_star(self) -> bool:
        """Whether the one Contact is ``*`` (RFC 3261 section 10.2.2)."""
        return self._index().get("contact") == "*" and "contact" not in self._repeats

    @property
    def contacts(self) -> tuple[NameAddress, ...]:
        """The Contact addresses; empty when absent or ``*``."""
        return () if self._index().get("contact") == "*" and self.contact_is_star else self.addresses("contact")

    @property
    def allowed_methods(self) -> frozenset[str]:
        """The methods that Allow names, in upper case (RFC 3261 section 20.5); every call of a phone repeats them."""
        text = ",".join(self.values("allow"))
        return _remembered_methods(text) if len(text) <= MAX_REMEMBERED else _read_methods(text)

    @property
    def content_type(self) -> str:
        """The media type in lower case without parameters, empty when absent."""
        return (self._index().get("content-type") or "").partition(";")[0].strip(LWS).lower()

    def number(self, name: str) -> int | None:
        """A header that is one number, ``None`` when absent. Raises ``BadMessage``."""
        value = self.get(name)
        return None if value is None else parse_number(value, name)

    @property
    def body_text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def header_count(self) -> int:
        """How many header lines the message has."""
        return len(self._lines)

    def __bytes__(self) -> bytes:
        octets = self._octets
        if octets is None:
            head = "\r\n".join([self.start_line, *self._lines, "", ""])
            octets = self._octets = head.encode("utf-8", "surrogateescape") + self.body
        return octets


class SipRequest(SipMessage):
    """A request."""

    __slots__ = ("_uri", "method", "uri_text")

    def __init__(self, method: str, uri_text: str, lines: list[str], body: bytes = b"") -> None:
        super().__init__(lines, body)
        self.method = method
        self.uri_text = uri_text
        self._uri: Uri | None = None

    @property
    def start_line(self) -> str:
        """``METHOD uri SIP/2.0``."""
        return f"{self.method} {self.uri_text} SIP/2.0"

    @property
    def uri(self) -> Uri:
        """The Request-URI taken apart. Raises ``BadMessage``."""
        cached = self._uri
        if cached is None:
            cached = self._uri = parse_uri(self.uri_text)
        return cached

    @property
    def max_forwards(self) -> int:
        """How many hops are left; 70 when the header is absent (RFC 3261 section 16.6)."""
        value = self._index().get("max-forwards")
        return 70 if value is None else parse_number(value, "Max-Forwards", MAX_FORWARDS)


class SipResponse(SipMessage):
    """A response."""

    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: str, lines: list[str], body: bytes = b"") -> None:
        super().__init__(lines, body)
        self.status = status
        self.reason = reason

    @property
    def start_line(self) -> str:
        """``SIP/2.0 status reason``."""
        return f"SIP/2.0 {self.status} {self.reason}"


def _checked(headers: Headers) -> list[str]:
    """Lines of these headers. Raises ``UnsafeValue`` for a control character."""
    lines = [f"{name}: {value}" for name, value in headers]
    if not is_clean("".join(lines)):
        for name, value in headers:
            check_clean(value, name)
    return lines


def index(pairs: Sequence[tuple[str, str]]) -> tuple[dict[str, str], Repeats]:
    """The first value of each header by canonical name, and all of those that have more than one line."""
    first = dict(reversed(pairs))
    if len(first) == len(pairs):
        return first, {}
    repeats: Repeats = {}
    seen: set[str] = set()
    for key, value in pairs:
        if key not in seen:
            seen.add(key)
        elif key in repeats:
            repeats[key].append(value)
        else:
            repeats[key] = [first[key], value]
    return first, repeats


def build_request(method: str, uri: str, headers: Headers, *, body: bytes = b"", copied: Headers = ()) -> SipRequest:
    """A request from checked values; Content-Length is added.

    ``copied`` are values taken from a message that was parsed (free of line ends by that); they go first. Raises
    ``UnsafeValue`` for control characters in anything else.
    """
    if not is_token(method) or " " in check_clean(uri, "Request-URI"):
        raise ValueError(method)
    lines = [f"{name}: {value}" for name, value in copied]
    lines += _checked(headers)
    lines.append(f"Content-Length: {len(body)}")
    return SipRequest(method, uri, lines, body)


def build_response(
    request: SipRequest,
    status: int,
    reason: str | None = None,
    *,
    source: tuple[str, int] | None = None,
    to_tag: str = "",
    headers: Headers = (),
    body: bytes = b"",
) -> SipResponse:
    """The response to a request: Via, From, To, Call-ID and CSeq are copied (RFC 3261 section 8.2.6).

    ``source`` is where the request came from, for ``received`` and ``rport``; ``to_tag`` is added when To has none.
    Record-Route is copied into answers that make a dialog.
    """
    top, *further = request.values("via") or ("",)
    lines = [f"Via: {top if source is None else _via_with_source(request, top, source)}"] if top else []
    lines += [f"Via: {value}" for value in further]
    if request.method == "INVITE" and 100 < status < 300:
        lines += [f"Record-Route: {value}" for value in request.values("record-route")]
    from_, to, call_id, cseq = map(request.get, ("From", "To", "Call-ID", "CSeq"))
    if from_ is not None:
        lines.append(f"From: {from_}")
    if to is not None:
        lines.append(f"To: {_to_with_tag(request, to, to_tag) if to_tag and status > 100 else to}")
    if call_id is not None:
        lines.append(f"Call-ID: {call_id}")
    if cseq is not None:
        lines.append(f"CSeq: {cseq}")
    if headers:
        lines += _checked(headers)
    lines.append(f"Content-Length: {len(body)}")
    text = REASONS.get(status, "Unknown") if reason is None else check_clean(reason, "reason phrase")
    return SipResponse(status, text, lines, body)


def _via_with_source(request: SipRequest, value: str, source: tuple[str, int]) -> str:
    try:
        top = request.via
    except BadMessage:
        return value
    stamped = top.with_source(*source)
    if stamped is top:
        return value
    rest = split_outside(value, ",")[1:] if "," in value else []
    return ",".join([str(stamped), *rest])


def _to_with_tag(request: SipRequest, value: str, to_tag: str) -> str:
    try:
        return value if request.to.tag else f"{value};tag={check_clean(to_tag, 'tag')}"
    except BadMessage:
        return value
