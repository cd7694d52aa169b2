"""SDP for one audio stream (RFC 8866, offer and answer by RFC 3264): pure text in, decisions and text out.

We speak PCMU, PCMA and telephone-event in 20 ms packets. Every other media line of an offer is answered with port 0.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from callcenter.errors import MediaError, NoCommonCodec
from callcenter.media.g711 import Law

EVENT_PAYLOAD_TYPE = 101
"""What our offers call telephone-event; what the far end calls it is read from its description."""
PTIME = 20

_LARGEST = 65536
_MOST_MEDIA = 32
_MOST_ATTRIBUTES = 512
_STATIC: dict[int, Law] = {0: Law.PCMU, 8: Law.PCMA}
_PAYLOAD_TYPE: dict[Law, int] = {law: number for number, law in _STATIC.items()}
_PROFILES = frozenset({"RTP/AVP", "RTP/AVPF"})


class SdpError(MediaError):
    """A description breaks the format, or asks for something that can never work."""

    code = "sdp-error"


class Direction(StrEnum):
    """A stream's direction, as its describer sees it (RFC 8866 section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"


_MIRRORED: dict[Direction, Direction] = {
    Direction.SENDRECV: Direction.SENDRECV,
    Direction.SENDONLY: Direction.RECVONLY,
    Direction.RECVONLY: Direction.SENDONLY,
    Direction.INACTIVE: Direction.INACTIVE,
}


@dataclass(frozen=True, slots=True)
class MediaLine:
    """One ``m=`` line with what belongs to it."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    address: str
    attributes: tuple[tuple[str, str], ...]

    def values(self, name: str) -> Iterator[str]:
        """The values of an attribute, in order."""
        return (value for key, value in self.attributes if key == name)


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A parsed description: its media lines, with session-level address and direction already handed down."""

    media: tuple[MediaLine, ...]


@dataclass(frozen=True, slots=True)
class AgreedAudio:
    """What an offer and its answer mean for our stream."""

    address: str
    port: int
    send_payload_type: int
    send_law: Law
    receive_laws: tuple[tuple[int, Law], ...]
    """Payload types that may arrive, with their laws."""
    send_event_type: int | None
    receive_event_type: int | None
    """Payload types of telephone-event, ``None`` when digits cannot be sent that way."""
    direction: Direction
    """As the far end described it, with the hold form ``c=0.0.0.0`` (RFC 3264 section 8.4) read as ``sendonly``."""
    ptime: int
    """Milliseconds per packet that the far end would like; we always send 20."""

    @property
    def may_send(self) -> bool:
        """Whether the far end wants to hear us."""
        return self.direction in (Direction.SENDRECV, Direction.RECVONLY)

    @property
    def held(self) -> bool:
        """Whether the far end put us on hold, so that its silence means nothing."""
        return self.direction is not Direction.SENDRECV


@dataclass(frozen=True, slots=True)
class LocalStream:
    """Our side of a description. ``version`` goes up with every change (RFC 3264 section 8)."""

    address: str
    port: int
    sdp_session_id: int
    version: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A far end's offer, read and decided upon; ``build_answer`` completes it."""

    media: tuple[MediaLine, ...]
    chosen: int
    audio: AgreedAudio


def parse(text: str) -> SessionDescription:
    """Read a description. Raises ``SdpError`` with what is wrong."""
    if len(text) > _LARGEST:
        raise SdpError("description too large")
    lines = [line for line in (raw.strip("\r") for raw in text.split("\n")) if line]
    if not lines or lines[0] != "v=0":
        raise SdpError("not SDP version 0")
    if sum(line.startswith("a=") for line in lines) > _MOST_ATTRIBUTES:
        raise SdpError("too many attributes")
    starts = [index for index, line in enumerate(lines) if line.startswith("m=")]
    if len(starts) > _MOST_MEDIA:
        raise SdpError("too many media lines")
    bounds = [*starts, len(lines)]
    common = lines[: bounds[0]]
    return SessionDescription(
        tuple(_media_line(lines[start:end], common) for start, end in zip(starts, bounds[1:], strict=True))
    )


def _media_line(lines: list[str], common: list[str]) -> MediaLine:
    parts = lines[0][2:].split()
    if len(parts) < 4:
        raise SdpError("malformed media line")
    kind, port_text, protocol, *formats = parts
    port_text = port_text.partition("/")[0]
    if not (port_text.isascii() and port_text.isdigit()) or int(port_text) > 65535:
        raise SdpError("malformed port")
    address = _connection(lines) or _connection(common) or ""
    attributes = _attributes(lines)
    if not any(name in set(Direction) for name, _ in attributes):
        attributes += tuple(pair for pair in _attributes(common) if pair[0] in set(Direction))
    return MediaLine(kind, int(port_text), protocol, tuple(formats), address, attributes)


def _connection(lines: list[str]) -> str | None:
    for line in lines:
        if line.startswith("c="):
            parts = line[2:].split()
            if len(parts) != 3:
                raise SdpError("malformed connection line")
            return parts[2].partition("/")[0]
    return None


def _attributes(lines: list[str]) -> tuple[tuple[str, str], ...]:
    split = (line[2:].partition(":") for line in lines if line.startswith("a="))
    return tuple((name.strip().lower(), value.strip()) for name, _, value in split)


def _rtpmaps(media: MediaLine) -> dict[int, tuple[str, int]]:
    """Payload type -> (upper-case encoding name, clock rate)."""
    maps: dict[int, tuple[str, int]] = {}
    for value in media.values("rtpmap"):
        number, _, encoding = value.partition(" ")
        name, rate, *_ = [*encoding.strip().split("/"), ""]
        if number.isascii() and number.isdigit() and rate.isascii() and rate.isdigit():
            maps[int(number)] = (name.upper(), int(rate))
    return maps


def _audio_formats(media: MediaLine) -> tuple[list[tuple[int, Law]], int | None]:
    """The payload types we speak, in the describer's order, and that of telephone-event."""
    maps = _rtpmaps(media)
    laws: list[tuple[int, Law]] = []
    event_type = None
    for text in media.formats:
        if not (text.isascii() and text.isdigit()) or int(text) > 127:
            continue
        number = int(text)
        fallback = (_STATIC[number].value, 8000) if number in _STATIC else ("", 0)
        name, rate = maps.get(number, fallback)
        if rate == 8000 and name in set(Law):
            laws.append((number, Law(name)))
        elif rate == 8000 and name == "TELEPHONE-EVENT" and event_type is None:
            event_type = number
    return laws, event_type


def _direction(media: MediaLine) -> Direction:
    named = next((Direction(name) for name, _ in media.attributes if name in set(Direction)), Direction.SENDRECV)
    if media.address == "0.0.0.0" and named is Direction.SENDRECV:  # noqa: S104 - the old hold form, nothing is bound
        return Direction.SENDONLY
    return named


def _ptime(media: MediaLine) -> int:
    value = next(media.values("ptime"), "")
    return int(value) if value.isascii() and value.isdigit() and 0 < int(value) <= 200 else PTIME


def _check_address(address: str) -> str:
    try:
        return str(ipaddress.IPv4Address(address))
    except ValueError:
        raise SdpError("the connection address is not IPv4") from None


def _is_usable(media: MediaLine) -> bool:
    return media.kind == "audio" and media.port > 0 and media.protocol in _PROFILES and bool(_audio_formats(media)[0])


def read_offer(text: str) -> Offer:
    """Decide on a far end's offer: the first audio line with a law we speak.

    Raises ``NoCommonCodec`` when there is none and ``SdpError`` for a broken description.
    """
    description = parse(text)
    chosen = next((index for index, media in enumerate(description.media) if _is_usable(media)), None)
    if chosen is None:
        raise NoCommonCodec("the offer has no audio stream with PCMU or PCMA")
    media = description.media[chosen]
    laws, event_type = _audio_formats(media)
    number, law = laws[0]
    audio = AgreedAudio(
        address=_check_address(media.address),
        port=media.port,
        send_payload_type=number,
        send_law=law,
        receive_laws=((number, law),),
        send_event_type=event_type,
        receive_event_type=event_type,
        direction=_direction(media),
        ptime=_ptime(media),
    )
    return Offer(description.media, chosen, audio)


def build_answer(offer: Offer, local: LocalStream) -> str:
    """Our answer: the chosen line with one law, every other line refused with port 0 (RFC 3264 section 6)."""
    lines = _head(local)
    for index, media in enumerate(offer.media):
        if index == offer.chosen:
            audio = offer.audio
            laws = [(audio.send_payload_type, audio.send_law)]
            lines += _audio_lines(local, media.protocol, laws, audio.receive_event_type, _MIRRORED[audio.direction])
        else:
            lines.append(f"m={media.kind} 0 {media.protocol} {' '.join(media.formats)}")
    return "\r\n".join(lines) + "\r\n"


def build_offer(local: LocalStream, *, event_type: int = EVENT_PAYLOAD_TYPE, first: Law = Law.PCMU) -> str:
    """Our offer: both laws, ``first`` preferred, and telephone-event."""
    laws = [(_PAYLOAD_TYPE[law], law) for law in sorted(Law, key=lambda law: law is not first)]
    lines = _head(local) + _audio_lines(local, "RTP/AVP", laws, event_type, Direction.SENDRECV)
    return "\r\n".join(lines) + "\r\n"


def read_answer(text: str, *, event_type: int = EVENT_PAYLOAD_TYPE) -> AgreedAudio:
    """Read the answer to ``build_offer``. Raises ``NoCommonCodec`` when the stream was refused."""
    description = parse(text)
    if not description.media or not _is_usable(description.media[0]):
        raise NoCommonCodec("the answer takes none of our codecs")
    media = description.media[0]
    laws, their_event_type = _audio_formats(media)
    number, law = laws[0]
    return AgreedAudio(
        address=_check_address(media.address),
        port=media.port,
        send_payload_type=number,
        send_law=law,
        receive_laws=tuple((_PAYLOAD_TYPE[law], law) for _, law in laws),
        send_event_type=their_event_type,
        receive_event_type=None if their_event_type is None else event_type,
        direction=_direction(media),
        ptime=_ptime(media),
    )


def _head(local: LocalStream) -> list[str]:
    return [
        "v=0",
        f"o=- {local.sdp_session_id} {local.version} IN IP4 {local.address}",
        "s=-",
        f"c=IN IP4 {local.address}",
        "t=0 0",
    ]


def _audio_lines(
    local: LocalStream,
    protocol: str,
    laws: list[tuple[int, Law]],
    event_type: int | None,
    direction: Direction,
) -> list[str]:
    numbers = [str(number) for number, _ in laws] + ([] if event_type is None else [str(event_type)])
    lines = [f"m=audio {local.port} {protocol} {' '.join(numbers)}"]
    lines += [f"a=rtpmap:{number} {law}/8000" for number, law in laws]
    if event_type is not None:
        lines += [f"a=rtpmap:{event_type} telephone-event/8000", f"a=fmtp:{event_type} 0-15"]
    return [*lines, f"a=ptime:{PTIME}", f"a={direction}"]
