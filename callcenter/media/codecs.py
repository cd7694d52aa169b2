"""The codecs we speak, as SDP and RTP see them: names, clocks, payload types. Pure tables; coding is elsewhere.

G.711 carries 8 kHz speech (``g711``), G.722 and Opus carry 16 kHz here (``wideband``).
"""

from dataclasses import dataclass
from enum import StrEnum

from callcenter.media.law import FRAME_MILLISECONDS, Law


class Codec(StrEnum):
    """A codec, by its upper-case name in ``a=rtpmap``."""

    PCMU = "PCMU"
    PCMA = "PCMA"
    G722 = "G722"
    OPUS = "OPUS"


@dataclass(frozen=True, slots=True)
class CodecForm:
    """How a codec is described and clocked."""

    rtpmap: str
    payload_type: int
    """Static (RFC 3551 table 4), or what our own offers call it."""
    clock: int
    """RTP timestamp units per second. G.722 samples at 16 kHz and is clocked at 8000 all the same (section 4.5.2)."""
    law: Law | None = None
    """The G.711 law, ``None`` for a codec of 16 kHz."""
    fmtp: str = ""

    @property
    def frame_units(self) -> int:
        """Timestamp units of 20 ms."""
        return self.clock * FRAME_MILLISECONDS // 1000


FORMS: dict[Codec, CodecForm] = {
    Codec.PCMU: CodecForm("PCMU/8000", 0, 8000, Law.PCMU),
    Codec.PCMA: CodecForm("PCMA/8000", 8, 8000, Law.PCMA),
    Codec.G722: CodecForm("G722/8000", 9, 8000),
    Codec.OPUS: CodecForm("opus/48000/2", 111, 48000, fmtp="minptime=20;useinbandfec=0;stereo=0"),  # RFC 7587
}

NARROWBAND: tuple[Codec, ...] = (Codec.PCMU, Codec.PCMA)
"""What every telephone speaks, and what we offer to a leg whose others are narrowband."""
TELEPHONE: tuple[Codec, ...] = (Codec.G722, *NARROWBAND)
"""What phones and trunks may choose from."""
EVERY: tuple[Codec, ...] = (Codec.OPUS, *TELEPHONE)

STATIC: dict[int, Codec] = {form.payload_type: codec for codec, form in FORMS.items() if form.payload_type < 96}
"""Payload types that need no ``a=rtpmap``."""
BY_ENCODING: dict[tuple[str, int], Codec] = {(codec.value, form.clock): codec for codec, form in FORMS.items()}
"""(Upper-case encoding name, clock) of an ``a=rtpmap`` -> codec."""


def is_wide(codec: Codec) -> bool:
    """Whether the codec carries 16 kHz speech."""
    return FORMS[codec].law is None


def may_relay(source: frozenset[Codec], destination: Codec) -> bool:
    """Whether whatever a source sends reaches the destination without decoding: the same codec, or two G.711 laws."""
    if is_wide(destination):
        return source == {destination}
    return not any(is_wide(codec) for codec in source)
