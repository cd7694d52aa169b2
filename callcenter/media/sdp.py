"""SDP for one audio stream (RFC 8866, offer and answer by RFC 3264): pure text in, decisions and text out.

We speak the codecs of ``codecs`` and telephone-event in 20 ms packets. Every other media line of an offer is answered
with port 0.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import msgspec

from callcenter.errors import NoCommonCodec
from callcenter.media.codecs import BY_ENCODING, FORMS, NARROWBAND, STATIC, TELEPHONE, Codec
from callcenter.media.sdes import CryptoLine, SrtpKey, usable_lines
from callcenter.media.sdp_lines import MediaLine, SdpError, number, parse
from callcenter.ports import EncryptionPolicy

EVENT_PAYLOAD_TYPE = 101
"""What our offers call telephone-event; what the far end calls it is read from its description."""
PTIME = 20
MAX_PTIME, MAX_PAYLOAD_TYPE, MAX_CLOCK = 200, 127, 10**9

_KEPT_FORMATS = 1_000
"""Characters; what is longer is read anew each time, so that strangers can fill a bounded memory only."""
_LONGEST_ADDRESS = 39
NO_HOSTS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - the old hold form in SDP, nothing is bound
_PLAIN = frozenset({"RTP/AVP", "RTP/AVPF"})
_SECURE = frozenset({"RTP/SAVP", "RTP/SAVPF"})
_KNOWN = _PLAIN | _SECURE


_Formats = tuple[tuple[tuple[int, Codec], ...], int | None]


class Direction(StrEnum):
    """A stream's direction, as its describer sees it (RFC 8866 section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"


_DIRECTIONS = {direction.value: direction for direction in Direction}


_MIRRORED: dict[Direction, Direction] = {
    Direction.SENDRECV: Direction.SENDRECV,
    Direction.SENDONLY: Direction.RECVONLY,
    Direction.RECVONLY: Direction.SENDONLY,
    Direction.INACTIVE: Direction.INACTIVE,
}


class AgreedAudio(msgspec.Struct, frozen=True):
    """What an offer and its answer mean for our stream."""

    address: str
    port: int
    send_payload_type: int
    send_codec: Codec
    receive_codecs: tuple[tuple[int, Codec], ...]
    """Payload types that may arrive, with their codecs."""
    send_event_type: int | None
    receive_event_type: int | None
    """Payload types of telephone-event, ``None`` when digits cannot be sent that way."""
    direction: Direction
    """As the far end described it, with the hold form ``c=0.0.0.0`` (RFC 3264 section 8.4) read as ``sendonly``."""
    ptime: int
    """Milliseconds per packet that the far end would like; we always send 20."""
    has_mux: bool = False
    """Whether RTCP shares the port of RTP (RFC 5761)."""
    control: tuple[str, int] | None = None
    """Where the far end takes RTCP when it does not: as it says (RFC 3605), else on the port after that of RTP."""
    is_secure_profile: bool = False
    """Of an answer: whether it is ``RTP/SAVP``, rather than keys beside plain media."""
    crypto: CryptoLine | None = None
    """The far end's key, ``None`` for a plain stream. Ours goes under the same tag and suite (RFC 4568 section 5.1)."""

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


class Offer(msgspec.Struct, frozen=True):
    """A far end's offer, read and decided upon; ``build_answer`` completes it."""

    media: tuple[MediaLine, ...]
    chosen: int
    audio: AgreedAudio


def _rtpmaps(values: Iterable[str]) -> dict[int, tuple[str, int]]:
    """Payload type -> (upper-case encoding name, clock rate)."""
    maps: dict[int, tuple[str, int]] = {}
    for value in values:
        text, _, encoding = value.partition(" ")
        name, clock, *_ = [*encoding.strip().split("/"), ""]
        payload_type, rate = number(text, MAX_PAYLOAD_TYPE), number(clock, MAX_CLOCK)
        if payload_type is not None and rate is not None:
            maps[payload_type] = (name.upper(), rate)
    return maps


def _audio_formats(media: MediaLine, spoken: Sequence[Codec]) -> _Formats:
    """The payload types we speak, in the describer's order, and that of telephone-event.

    Only a telephone-event with the clock of the first codec can go with it (RFC 4733 section 2.1).
    """
    maps = tuple(media.values("rtpmap"))
    short = sum(map(len, maps)) + sum(map(len, media.formats)) <= _KEPT_FORMATS
    return (_formats if short else _read_formats)(media.formats, maps, tuple(spoken))


def _read_formats(formats: tuple[str, ...], rtpmaps: tuple[str, ...], spoken: tuple[Codec, ...]) -> _Formats:
    maps = _rtpmaps(rtpmaps)
    codecs: list[tuple[int, Codec]] = []
    events: dict[int, int] = {}
    for text in formats:
        payload_type = number(text, MAX_PAYLOAD_TYPE)
        if payload_type is None:
            continue
        static = STATIC.get(payload_type)
        name, rate = maps.get(payload_type) or (("", 0) if static is None else (static.value, FORMS[static].clock))
        codec = BY_ENCODING.get((name, rate))
        if codec in spoken and codec is not None:
            codecs.append((payload_type, codec))
        elif name == "TELEPHONE-EVENT":
            events.setdefault(rate, payload_type)
    clock = FORMS[codecs[0][1]].clock if codecs else 8000
    return tuple(codecs), events.get(clock)


_formats = lru_cache(1_024)(_read_formats)
"""For ``_KEPT_FORMATS`` characters at most: the phones of a house say the same few things."""


def puts_on_hold(text: str) -> bool:
    """Whether a description wants no audio from us: ``sendonly``, ``inactive`` or ``c=0.0.0.0`` (RFC 3264 section 8.4).

    Raises ``MediaError`` for one that cannot be read.
    """
    streams = [media for media in parse(text).media if media.kind == "audio" and media.port]
    return bool(streams) and _said(streams[0]).direction in (Direction.SENDONLY, Direction.INACTIVE)


class _Said(NamedTuple):
    """What the attributes of a stream say of it, the first of each kind."""

    direction: Direction
    """With the hold form ``c=0.0.0.0`` (RFC 3264 section 8.4) read as ``sendonly``."""
    ptime: int
    has_mux: bool
    rtcp: str


def _said(media: MediaLine) -> _Said:
    direction: Direction | None = None
    ptime: str | None = None
    rtcp: str | None = None
    has_mux = False
    for name, value in media.attributes:
        if name in _DIRECTIONS:
            direction = direction or _DIRECTIONS[name]
        elif name == "ptime":
            ptime = value if ptime is None else ptime
        elif name == "rtcp":
            rtcp = value if rtcp is None else rtcp
        elif name == "rtcp-mux":
            has_mux = True
    if media.address in NO_HOSTS and direction in (None, Direction.SENDRECV):
        direction = Direction.SENDONLY
    return _Said(direction or Direction.SENDRECV, number(ptime or "", MAX_PTIME) or PTIME, has_mux, rtcp or "")


def ip_version(address: str) -> int:
    """4 or 6, of an address as text."""
    return 6 if ":" in address else 4


def check_reachable(audio: AgreedAudio, ours: str) -> None:
    """Raise ``SdpError`` when a far end is described by an address that a socket on ``ours`` cannot reach."""
    version = ip_version(ours)
    if audio.address not in NO_HOSTS and ip_version(audio.address) != version:
        raise SdpError(f"the connection address is not IPv{version}, as ours is ([media] host)")


def _control(media: MediaLine, said: _Said) -> tuple[str, int] | None:
    if said.has_mux:
        return None
    port, _, where = said.rtcp.partition(" ")
    named = where.split()
    try:
        address = _check_address(named[2] if len(named) == 3 else media.address)
    except SdpError:
        address = media.address
    own = number(port, 65535) if port.isascii() and port.isdigit() else media.port + 1
    return (address, own) if own and own < 65536 else None


@lru_cache(4_096)
def _check_address(address: str) -> str:
    if len(address) > _LONGEST_ADDRESS or "%" in address:
        raise SdpError("the connection address is no IPv4 or IPv6 address")
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        raise SdpError("the connection address is no IPv4 or IPv6 address") from None


def _is_usable(media: MediaLine, spoken: Sequence[Codec]) -> bool:
    if media.kind != "audio" or media.port == 0 or media.protocol not in _KNOWN:
        return False
    return bool(_audio_formats(media, spoken)[0])


def _crypto(media: MediaLine) -> CryptoLine | None:
    """The far end's preferred key that we can use."""
    return next(iter(usable_lines([*media.values("crypto")])), None)


def _choose(media: Sequence[MediaLine], spoken: Sequence[Codec], encryption: EncryptionPolicy) -> int | None:
    """The media line to take: an encrypted one where the policy has it, before a plain one where that is allowed."""
    usable = [index for index, line in enumerate(media) if _is_usable(line, spoken)]
    if encryption is not EncryptionPolicy.OFF:
        sealed = next((index for index in usable if _crypto(media[index]) is not None), None)
        if sealed is not None or encryption is EncryptionPolicy.REQUIRED:
            return sealed
    return next((index for index in usable if media[index].protocol in _PLAIN), None)


def read_offer(
    text: str, *, spoken: Sequence[Codec] = TELEPHONE, encryption: EncryptionPolicy = EncryptionPolicy.OFF
) -> Offer:
    """Decide on a far end's offer: an audio line with a codec of ``spoken``, and the first such codec on it.

    Keys on a plain ``RTP/AVP`` line are taken as "encrypted if you can", as many phones offer it. Raises
    ``NoCommonCodec`` when there is no line to take and ``SdpError`` for a broken description.
    """
    description = parse(text)
    chosen = _choose(description.media, spoken, encryption)
    if chosen is None:
        sealed = "encrypted " if encryption is EncryptionPolicy.REQUIRED else ""
        raise NoCommonCodec(f"the offer has no {sealed}audio stream with {', '.join(spoken)}")
    media = description.media[chosen]
    codecs, event_type = _audio_formats(media, spoken)
    said = _said(media)
    payload_type, codec = codecs[0]
    audio = AgreedAudio(
        address=_check_address(media.address),
        port=media.port,
        send_payload_type=payload_type,
        send_codec=codec,
        receive_codecs=((payload_type, codec),),
        send_event_type=event_type,
        receive_event_type=event_type,
        direction=said.direction,
        ptime=said.ptime,
        crypto=None if encryption is EncryptionPolicy.OFF else _crypto(media),
        has_mux=said.has_mux,
        control=_control(media, said),
    )
    return Offer(description.media, chosen, audio)


def build_answer(offer: Offer, local: LocalStream, *, key: SrtpKey | None = None) -> str:
    """Our answer: the chosen line with one codec, every other line refused with port 0 (RFC 3264 section 6).

    ``key`` is ours, of the suite of ``offer.audio.crypto``, and needed where there is one.
    """
    lines = _head(local)
    for index, media in enumerate(offer.media):
        if index == offer.chosen:
            audio = offer.audio
            codecs = [(audio.send_payload_type, audio.send_codec)]
            lines += _audio_lines(local, media.protocol, codecs, audio.receive_event_type, _MIRRORED[audio.direction])
            if audio.has_mux:
                lines.append("a=rtcp-mux")
            if audio.crypto is not None and key is not None:
                lines.append(f"a=crypto:{CryptoLine(audio.crypto.tag, key).value}")
        else:
            lines.append(f"m={media.kind} 0 {media.protocol} {' '.join(media.formats)}")
    return "\r\n".join(lines) + "\r\n"


def build_offer(
    local: LocalStream,
    *,
    event_type: int = EVENT_PAYLOAD_TYPE,
    codecs: Sequence[Codec] = NARROWBAND,
    keys: Sequence[SrtpKey] = (),
    beside_plain: bool = False,
) -> str:
    """Our offer: ``codecs``, the preferred one first, and telephone-event. With ``keys`` it is ``RTP/SAVP``, or
    ``RTP/AVP`` with the keys beside plain media, for the far end to choose (best effort)."""
    numbered = [(FORMS[codec].payload_type, codec) for codec in codecs]
    protocol = "RTP/SAVP" if keys and not beside_plain else "RTP/AVP"
    lines = _head(local) + _audio_lines(local, protocol, numbered, event_type, Direction.SENDRECV)
    lines.append("a=rtcp-mux")
    lines += [f"a=crypto:{CryptoLine(tag, key).value}" for tag, key in enumerate(keys, 1)]
    return "\r\n".join(lines) + "\r\n"


def read_answer(
    text: str,
    *,
    event_type: int = EVENT_PAYLOAD_TYPE,
    offered: Sequence[Codec] = NARROWBAND,
    keys: Sequence[SrtpKey] = (),
    beside_plain: bool = False,
    may_be_plain: bool = True,
) -> AgreedAudio:
    """Read the answer to ``build_offer``. Where keys stood beside plain media it may be encrypted on either profile, or
    plain unless ``may_be_plain`` says no. Raises ``NoCommonCodec`` when the stream, or its encryption, was refused."""
    description = parse(text)
    if not description.media or not _is_usable(description.media[0], offered):
        raise NoCommonCodec("the answer takes none of our codecs")
    media = description.media[0]
    crypto = _crypto(media) if keys else None
    secure = media.protocol in _SECURE
    if beside_plain and not secure and crypto is None and may_be_plain:
        pass  # the far end has no use for keys
    elif (secure is not bool(keys) and not beside_plain) or (keys and not _is_of_ours(crypto, keys)):
        raise NoCommonCodec("the answer is not encrypted as we offered")
    codecs, their_event_type = _audio_formats(media, offered)
    said = _said(media)
    payload_type, codec = codecs[0]
    return AgreedAudio(
        address=_check_address(media.address),
        port=media.port,
        send_payload_type=payload_type,
        send_codec=codec,
        receive_codecs=tuple((FORMS[codec].payload_type, codec) for _, codec in codecs),
        send_event_type=their_event_type,
        receive_event_type=None if their_event_type is None else event_type,
        direction=said.direction,
        ptime=said.ptime,
        crypto=crypto,
        has_mux=said.has_mux,
        control=_control(media, said),
        is_secure_profile=secure,
    )


def _is_of_ours(crypto: CryptoLine | None, keys: Sequence[SrtpKey]) -> bool:
    """Whether an answer takes one of the keys we offered, by its tag and its suite."""
    return crypto is not None and 1 <= crypto.tag <= len(keys) and keys[crypto.tag - 1].suite == crypto.key.suite


def _head(local: LocalStream) -> list[str]:
    address = f"IN IP{ip_version(local.address)} {local.address}"
    return [
        "v=0",
        f"o=- {local.sdp_session_id} {local.version} {address}",
        "s=-",
        f"c={address}",
        "t=0 0",
    ]


def _audio_lines(
    local: LocalStream,
    protocol: str,
    codecs: list[tuple[int, Codec]],
    event_type: int | None,
    direction: Direction,
) -> list[str]:
    numbers = [str(payload_type) for payload_type, _ in codecs] + ([] if event_type is None else [str(event_type)])
    lines = [f"m=audio {local.port} {protocol} {' '.join(numbers)}"]
    for payload_type, codec in codecs:
        lines.append(f"a=rtpmap:{payload_type} {FORMS[codec].rtpmap}")
        if FORMS[codec].fmtp:
            lines.append(f"a=fmtp:{payload_type} {FORMS[codec].fmtp}")
    if event_type is not None:
        clock = FORMS[codecs[0][1]].clock
        lines += [f"a=rtpmap:{event_type} telephone-event/{clock}", f"a=fmtp:{event_type} 0-15"]
    return [*lines, f"a=ptime:{PTIME}", f"a={direction}"]
