"""From a datagram to a message: hard limits first, then one pass over the head (RFC 3261 section 7).

The mandatory headers are checked here, so that everything behind can rely on them; all other headers are read when
somebody asks. Nothing but ``BadMessage`` leaves this module.
"""

from callcenter.sip.errors import BadMessage
from callcenter.sip.grammar import LWS, is_token, parse_number
from callcenter.sip.headers import CANONICAL, SINGLE, canonical
from callcenter.sip.messages import MAX_FORWARDS, Repeats, SipMessage, SipRequest, SipResponse, index

MAX_MESSAGE = 65_536
"""Octets of a whole message."""
MAX_HEADERS = 256
LENGTH = frozenset({"content-length"})
MAX_LINE = 8_192
"""Characters of one header line, folded parts included."""

KNOWN_METHODS = frozenset(
    [
        "INVITE",
        "ACK",
        "BYE",
        "CANCEL",
        "OPTIONS",
        "REGISTER",
        "INFO",
        "UPDATE",
        "PRACK",
        "REFER",
        "NOTIFY",
        "SUBSCRIBE",
        "MESSAGE",
        "PUBLISH",
    ]
)
"""Methods some RFC defines; anything else is answered 501."""


def parse(datagram: bytes) -> SipRequest | SipResponse:
    """Read one message: a datagram, or one frame of a stream.

    Octets behind Content-Length are ignored (RFC 3261 section 18.3). Raises ``BadMessage`` and nothing else.
    """
    if len(datagram) > MAX_MESSAGE:
        raise BadMessage(513, "Message Too Large")
    if datagram.startswith(b"\r\n"):
        datagram = datagram.lstrip(b"\r\n")
    head, complete, rest = datagram.partition(b"\r\n\r\n")
    text = head.decode("utf-8", "surrogateescape")
    start, *lines = text.split("\r\n")
    message, version = _parse_start_line(start)
    try:
        if not complete:
            raise BadMessage(400, "Header section does not end")
        _read_headers(message, lines, text)
        if isinstance(message, SipRequest):
            _check_request_line(message, version)
        _check_mandatory(message)
        _take_body(message, rest)
    except BadMessage as bad:
        bad.request = message if isinstance(message, SipRequest) else None
        raise
    return message


def _parse_start_line(line: str) -> tuple[SipRequest | SipResponse, str]:
    """A message without headers, and the version its start line names."""
    if len(line) > MAX_LINE:
        raise BadMessage(400, "Start line too long")
    if line.startswith("SIP/2.0 "):
        code, _, reason = line[8:].partition(" ")
        if len(code) != 3 or not (code.isascii() and code.isdigit()) or not "1" <= code[0] <= "6":
            raise BadMessage(400, "Bad status code")
        if "\n" in reason or "\r" in reason:
            raise BadMessage(400, "Line end in reason phrase")
        return SipResponse(int(code), reason, []), "SIP/2.0"
    method, _, rest = line.partition(" ")
    uri, _, version = rest.partition(" ")
    if version != "SIP/2.0" or method not in KNOWN_METHODS:
        last = rest.rpartition(" ")
        known = method in KNOWN_METHODS or is_token(method)
        if not known or not last[1] or (last[2] and last[2][:4].upper() != "SIP/"):
            raise BadMessage(400, "Bad start line")
    # URI and version are checked after the headers were read: only then can their faults be answered.
    return SipRequest(method, uri, []), version


def _read_headers(message: SipMessage, lines: list[str], text: str) -> None:
    # Every CR and LF must belong to a line end; a bare one is a way to smuggle headers past other readers.
    is_bare = text.count("\r") != len(lines) or text.count("\n") != len(lines)
    if len(lines) > MAX_HEADERS:
        lines = _join_folded(lines)
        if len(lines) > MAX_HEADERS:
            raise BadMessage(400, "Too many headers")
    read = _read_odd_headers if len(text) > MAX_LINE else _read_plain_headers
    fault = read(message, lines)
    if is_bare:
        raise BadMessage(400, "Bare line end")
    if fault:
        raise BadMessage(400, fault)


def _read_plain_headers(message: SipMessage, lines: list[str]) -> str:
    """Index lines that all have the form ``Name: value``; anything else goes the long way."""
    last: dict[str, str] = {}
    try:
        for line in lines:
            name, colon, value = line.partition(": ")
            if not colon:
                return _read_odd_headers(message, lines)
            last[CANONICAL[name]] = value.strip()
    except KeyError:
        return _read_odd_headers(message, lines)
    if len(last) == len(lines):  # the first values, too
        message.adopt(lines, last, {})
    else:
        fields = [line.split(": ", 1) for line in lines]
        message.adopt(lines, *index([(CANONICAL[name], value.strip()) for name, value in fields]))
    return ""


def _read_odd_headers(message: SipMessage, lines: list[str]) -> str:
    """Index lines with folding, unusual blanks or faults; returns the fault, empty for none."""
    lines = _join_folded(lines)
    first: dict[str, str] = {}
    repeats: Repeats = {}
    fault = "Header line too long" if max(map(len, lines), default=0) > MAX_LINE else ""
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.rstrip(LWS)
        if not is_token(name):
            fault = "Bad header name"
            continue
        if not colon:
            fault = "Bad header line"
            continue
        key = canonical(name)
        value = value.replace("\r\n", "").strip()
        if key in first:
            repeats.setdefault(key, [first[key]]).append(value)
        else:
            first[key] = value
    message.adopt(lines, first, repeats)
    return fault


def _join_folded(lines: list[str]) -> list[str]:
    groups: list[list[str]] = []
    for line in lines:
        if line[:1] in {" ", "\t"} and groups:
            groups[-1].append(line)
        else:
            groups.append([line])
    return ["\r\n".join(group) for group in groups]


def _check_mandatory(message: SipRequest | SipResponse) -> None:
    if (key := message.repeated(SINGLE)) is not None:
        raise BadMessage(400, f"Several {key}")
    max_forwards = message.read_mandatory()
    if isinstance(message, SipRequest):
        if message.cseq.method != message.method:
            if message.method not in KNOWN_METHODS:
                raise BadMessage(501, "Not Implemented")
            raise BadMessage(400, "CSeq method differs")
        if max_forwards is not None:
            parse_number(max_forwards, "Max-Forwards", MAX_FORWARDS)


def _check_request_line(request: SipRequest, version: str) -> None:
    if version != "SIP/2.0":
        if not version or " " in version:
            raise BadMessage(400, "Bad request line")
        if version.upper() != "SIP/2.0":
            raise BadMessage(505, "Version Not Supported")
    if request.uri.headers:
        raise BadMessage(400, "Headers in Request-URI")


def _take_body(message: SipMessage, rest: bytes) -> None:
    value = message.get("content-length")
    if value is None:
        message.body = rest
        return
    length = parse_number(value, "Content-Length", MAX_MESSAGE)
    if message.repeated(LENGTH) and len(set(message.values("content-length"))) > 1:
        raise BadMessage(400, "Several content-length")
    if length > len(rest):
        raise BadMessage(400, "Body shorter than content-length")
    message.body = rest[:length] if length < len(rest) else rest
