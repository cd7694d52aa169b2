"""From a datagram to a message: hard limits first, then one pass over the head (RFC 3261 section 7).

The mandatory headers are checked here, so that everything behind can rely on them; all other headers are read when
somebody asks. Nothing but ``BadMessage`` leaves this module.
"""

from callcenter.sip.errors import BadMessage
from callcenter.sip.grammar import LWS, TOKEN, is_token, parse_number
from callcenter.sip.headers import CANONICAL, SINGLE, canonical
from callcenter.sip.messages import SipMessage, SipRequest, SipResponse

MAX_MESSAGE = 65_536
"""Octets of a whole message."""
MAX_HEADERS = 256
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

Index = dict[str, list[str]]


def parse(datagram: bytes) -> SipRequest | SipResponse:
    """Read one message: a datagram, or one frame of a stream.

    Octets behind Content-Length are ignored (RFC 3261 section 18.3). Raises ``BadMessage`` and nothing else.
    """
    if len(datagram) > MAX_MESSAGE:
        raise BadMessage(513, "Message Too Large")
    if datagram.startswith(b"\r\n"):
        datagram = datagram.lstrip(b"\r\n")
    end = datagram.find(b"\r\n\r\n")
    complete = end >= 0
    head = datagram[:end] if complete else datagram
    text = head.decode("utf-8", "surrogateescape")
    lines = text.split("\r\n")
    message = _parse_start_line(lines.pop(0))
    try:
        if not complete:
            raise BadMessage(400, "Header section does not end")
        _read_headers(message, lines, text)
        _check_mandatory(message)
        _take_body(message, datagram[end + 4 :])
    except BadMessage as bad:
        bad.request = message if isinstance(message, SipRequest) else None
        raise
    return message


def _parse_start_line(line: str) -> SipRequest | SipResponse:
    if len(line) > MAX_LINE:
        raise BadMessage(400, "Start line too long")
    if line.startswith("SIP/2.0 "):
        code, _, reason = line[8:].partition(" ")
        if len(code) != 3 or not (code.isascii() and code.isdigit()) or not "1" <= code[0] <= "6":
            raise BadMessage(400, "Bad status code")
        if "\n" in reason or "\r" in reason:
            raise BadMessage(400, "Line end in reason phrase")
        return SipResponse(int(code), reason, [], {})
    parts = line.split(" ")
    method = parts[0]
    if not is_token(method) or len(parts) < 3 or (parts[-1] and not parts[-1].upper().startswith("SIP/")):
        raise BadMessage(400, "Bad start line")
    # The URI is checked after the headers were read: only then can its fault be answered.
    return SipRequest(method, line[len(method) + 1 :], [], {})


def _read_headers(message: SipMessage, lines: list[str], text: str) -> None:
    line_ends = len(lines)
    folded = "\r\n " in text or "\r\n\t" in text
    if folded:
        lines = _join_folded(lines)
    if len(lines) > MAX_HEADERS:
        raise BadMessage(400, "Too many headers")
    index: Index = {}
    fault = "Header line too long" if len(text) > MAX_LINE and max(map(len, lines), default=0) > MAX_LINE else ""
    for line in lines:
        name, colon, value = line.partition(":")
        key = CANONICAL.get(name)
        if key is None:
            name = name.rstrip(LWS)
            if not name or name.strip(TOKEN):
                fault = "Bad header name"
                continue
            key = canonical(name)
        if not colon:
            fault = "Bad header line"
            continue
        value = value.strip()
        found = index.get(key)
        if found is None:
            index[key] = [value]
        else:
            found.append(value)
    if folded:
        _unfold(index)
    message.adopt(lines, index)
    # Every CR and LF must belong to a line end; a bare one is a way to smuggle headers past other readers.
    if text.count("\r") != line_ends or text.count("\n") != line_ends:
        raise BadMessage(400, "Bare line end")
    if fault:
        raise BadMessage(400, fault)


def _join_folded(lines: list[str]) -> list[str]:
    groups: list[list[str]] = []
    for line in lines:
        if line[:1] in {" ", "\t"} and groups:
            groups[-1].append(line)
        else:
            groups.append([line])
    return ["\r\n".join(group) for group in groups]


def _unfold(index: Index) -> None:
    for values in index.values():
        values[:] = [value.replace("\r\n", "") if "\r" in value else value for value in values]


def _check_mandatory(message: SipRequest | SipResponse) -> None:
    if isinstance(message, SipRequest):
        _check_request_line(message)
    if (key := message.repeated(SINGLE)) is not None:
        raise BadMessage(400, f"Several {key}")
    cseq = message.cseq
    _ = (message.via, message.from_, message.to)
    if not message.call_id:
        raise BadMessage(400, "Empty call-id")
    if isinstance(message, SipRequest):
        if cseq.method != message.method:
            if message.method not in KNOWN_METHODS:
                raise BadMessage(501, "Not Implemented")
            raise BadMessage(400, "CSeq method differs")
        _ = message.max_forwards


def _check_request_line(request: SipRequest) -> None:
    parts = request.uri_text.split(" ")
    version = parts[-1]
    if len(parts) != 2 or not version:
        request.uri_text = parts[0]
        raise BadMessage(400, "Bad request line")
    request.uri_text = parts[0]
    if version.upper() != "SIP/2.0":
        raise BadMessage(505, "Version Not Supported")
    if request.uri.headers:
        raise BadMessage(400, "Headers in Request-URI")


def _take_body(message: SipMessage, rest: bytes) -> None:
    lengths = message.values("content-length")
    if not lengths:
        message.body = rest
        return
    length = parse_number(lengths[0], "Content-Length", MAX_MESSAGE)
    if any(other != lengths[0] for other in lengths[1:]):
        raise BadMessage(400, "Several content-length")
    if length > len(rest):
        raise BadMessage(400, "Body shorter than content-length")
    message.body = rest[:length] if length < len(rest) else rest
