"""SDP between a plain RTP leg and a browser (JSEP, RFC 8829): pure text in, text and parameters out.

The media plane speaks plain RTP; the browser wants ICE, DTLS and multiplexed RTCP around the same stream. An offer of
the plane becomes one for the browser by keeping its formats and replacing everything about the way; the browser's
answer becomes a plain one again by naming our own inner socket.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from callcenter.media.codecs import FORMS, Codec
from callcenter.media.sdp import EVENT_PAYLOAD_TYPE
from callcenter.media.sdp_lines import MediaLine, SdpError, parse

BROWSER_FORMATS = frozenset(
    {"PCMU/8000", "PCMA/8000", "G722/8000", "OPUS/48000", "TELEPHONE-EVENT/8000", "TELEPHONE-EVENT/48000"}
)
"""What browsers are offered: what the plane offers, and Opus beside wideband (``with_opus``)."""
EVENTS_BESIDE_OPUS = 110
"""What telephone-event at 8 kHz is called where Opus is offered too: the plane's own number goes to the one at 48 kHz,
because events have the clock of the speech they stand beside (RFC 4733 section 2.1)."""
MID = "0"
"""The one media section (RFC 9143)."""
_ALGORITHM = "sha-256"
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_FINGERPRINT = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2}){31}")
_HOST_PRIORITY = 126
"""Type preference of a host candidate (RFC 8445 section 5.1.2.2)."""


@dataclass(frozen=True, slots=True)
class PlainStream:
    """The audio line of a plain description, as the plane wrote it."""

    host: str
    port: int
    formats: tuple[str, ...]
    """Payload types for a browser, in the plane's order."""
    attributes: tuple[str, ...]
    """The ``rtpmap`` and ``fmtp`` lines of these formats."""


@dataclass(frozen=True, slots=True)
class WayIn:
    """How a browser reaches us: credentials (RFC 8839 section 5.4), certificate fingerprint and candidates."""

    ufrag: str
    password: str
    fingerprint: str
    """SHA-256 of our certificate, upper-case hexadecimal with colons (RFC 8122)."""
    addresses: tuple[tuple[str, int], ...]
    """Host candidates, the best first."""


@dataclass(frozen=True, slots=True)
class BrowserAnswer:
    """What a browser answered. ``stream`` has the one codec it will speak, and the events that go with it."""

    ufrag: str
    password: str
    fingerprint: str
    stream: PlainStream
    payload_type: int
    """The one it will send speech with."""
    direction: str


def read_plain(text: str) -> PlainStream:
    """The audio line of the plane's offer. Raises ``SdpError`` when nothing in it suits a browser."""
    line = _audio(text)
    formats, attributes = _kept(line, BROWSER_FORMATS)
    if not formats or line.port == 0:
        raise SdpError("the offer has no audio for a browser")
    return PlainStream(line.address, line.port, formats, attributes)


def with_opus(stream: PlainStream) -> PlainStream:
    """The stream with Opus (RFC 7587) before everything else, where it is wideband at all; else as it is.

    Browsers must speak Opus (RFC 7874), sound best with it, and answer in the order of the offer.
    """
    opus = FORMS[Codec.OPUS]
    if str(FORMS[Codec.G722].payload_type) not in stream.formats:
        return stream
    events = str(EVENT_PAYLOAD_TYPE)
    speech = tuple(each for each in stream.formats if each != events)
    attributes = tuple(each for each in stream.attributes if not _is_about(each, events))
    number, narrow = opus.payload_type, EVENTS_BESIDE_OPUS
    return replace(
        stream,
        formats=(str(number), *speech, events, str(narrow)),
        attributes=(
            f"a=rtpmap:{number} {opus.rtpmap}",
            f"a=fmtp:{number} {opus.fmtp}",
            *attributes,
            f"a=rtpmap:{events} telephone-event/{opus.clock}",
            f"a=fmtp:{events} 0-15",
            f"a=rtpmap:{narrow} telephone-event/8000",
            f"a=fmtp:{narrow} 0-15",
        ),
    )


def browser_offer(stream: PlainStream, way: WayIn, *, sdp_session_id: int, version: int) -> str:
    """The offer for a browser. We are ICE lite (RFC 8445 section 2.5) and leave the DTLS role to the browser."""
    host, port = way.addresses[0]
    lines = [
        "v=0",
        f"o=- {sdp_session_id} {version} IN IP4 {host}",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        f"a=group:BUNDLE {MID}",
        "a=msid-semantic: WMS *",
        f"m=audio {port} UDP/TLS/RTP/SAVPF {' '.join(stream.formats)}",
        f"c=IN IP4 {host}",
        f"a=mid:{MID}",
        *stream.attributes,
        "a=ptime:20",
        "a=sendrecv",
        "a=msid:callcenter audio",
        "a=rtcp-mux",
        f"a=ice-ufrag:{way.ufrag}",
        f"a=ice-pwd:{way.password}",
        f"a=fingerprint:{_ALGORITHM} {way.fingerprint}",
        "a=setup:actpass",
        *(_candidate(number, address) for number, address in enumerate(way.addresses)),
        "a=end-of-candidates",
    ]
    return "\r\n".join(lines) + "\r\n"


def read_browser_answer(text: str, offered: Sequence[str]) -> BrowserAnswer:
    """Read a browser's answer to formats that were offered. Raises ``SdpError``."""
    line = _audio(text)
    common = _session_values(text)

    def value(name: str) -> str:
        return next(line.values(name), common.get(name, ""))

    if line.port == 0 or "rtcp-mux" not in dict(line.attributes):
        raise SdpError("the browser refused the audio, or will not multiplex RTCP")
    if value("setup") != "active":
        raise SdpError("the browser does not begin the DTLS handshake")
    algorithm, _, fingerprint = value("fingerprint").partition(" ")
    fingerprint = fingerprint.strip().upper()
    if algorithm.lower() != _ALGORITHM or not _FINGERPRINT.fullmatch(fingerprint):
        raise SdpError("the browser's certificate has no SHA-256 fingerprint")
    ufrag, password = value("ice-ufrag"), value("ice-pwd")
    if not _UFRAG.fullmatch(ufrag) or not _PASSWORD.fullmatch(password):
        raise SdpError("malformed ICE credentials")
    formats, attributes = _kept(line, BROWSER_FORMATS)
    formats = tuple(each for each in formats if each in offered)
    speech = [each for each in formats if "TELEPHONE-EVENT" not in _encoding(line, each)]
    if not speech:
        raise SdpError("the browser takes none of our codecs")
    direction = next(
        (name for name in ("sendrecv", "sendonly", "recvonly", "inactive") if name in dict(line.attributes)), ""
    )
    number = speech[0]
    events = f"TELEPHONE-EVENT/{_encoding(line, number).partition('/')[2]}"
    chosen = (number, *(each for each in formats if _encoding(line, each) == events))
    attributes = tuple(each for each in attributes if any(_is_about(each, one) for one in chosen))
    stream = PlainStream("", 0, chosen, attributes)
    return BrowserAnswer(ufrag, password, fingerprint, stream, int(number), direction or "sendrecv")


def plain_answer(answer: BrowserAnswer, *, host: str, port: int) -> str:
    """The answer for the plane: the browser's formats at our inner socket."""
    lines = [
        "v=0",
        f"o=- 1 1 IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(answer.stream.formats)}",
        *answer.stream.attributes,
        "a=rtcp-mux",
        f"a={answer.direction}",
    ]
    return "\r\n".join(lines) + "\r\n"


def _audio(text: str) -> MediaLine:
    line = next((line for line in parse(text).media if line.kind == "audio"), None)
    if line is None:
        raise SdpError("no audio line")
    return line


def _kept(line: MediaLine, known: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    formats = tuple(each for each in line.formats if _encoding(line, each) in known)
    attributes = tuple(
        f"a={name}:{value}"
        for name, value in line.attributes
        if name in ("rtpmap", "fmtp") and value.partition(" ")[0] in formats
    )
    return formats, attributes


def _is_about(attribute: str, number: str) -> bool:
    """Whether an ``a=rtpmap`` or ``a=fmtp`` line is about this payload type."""
    return attribute.partition(":")[2].partition(" ")[0] == number


def _encoding(line: MediaLine, number: str) -> str:
    """Name and rate of a payload type, such as ``PCMU/8000``; the static ones need no ``rtpmap`` (RFC 3551)."""
    for value in line.values("rtpmap"):
        first, _, encoding = value.partition(" ")
        if first == number:
            return "/".join(encoding.strip().upper().split("/")[:2])
    return {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000"}.get(number, "")


def _session_values(text: str) -> dict[str, str]:
    """Attributes before the first media line, which hold for all of them."""
    head = text.replace("\r", "").partition("\nm=")[0]
    pairs = (line[2:].partition(":") for line in head.split("\n") if line.startswith("a="))
    return {name: value.strip() for name, _, value in pairs}


def _candidate(number: int, address: tuple[str, int]) -> str:
    priority = (_HOST_PRIORITY << 24) + ((65535 - number) << 8) + 255
    return f"a=candidate:{number + 1} 1 udp {priority} {address[0]} {address[1]} typ host"
