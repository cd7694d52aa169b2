"""G.711 (ITU-T G.711): the two laws that carry telephone speech, as look-up tables.

A G.711 byte and its 16-bit linear sample are related by 256-entry and 65536-entry tables, built once at import.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 8000
"""Samples per second of everything this package plays, mixes and sends."""
FRAME_SAMPLES = 160
"""Samples, and G.711 bytes, of one 20 ms frame."""
FRAME_MILLISECONDS = 20

Samples = NDArray[np.int16]
"""Linear 16-bit samples."""


class Law(StrEnum):
    """A companding law, by its name in SDP (RFC 3551 table 4)."""

    PCMU = "PCMU"
    PCMA = "PCMA"


def _expand_mu(code: int) -> int:
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return 0x84 - magnitude if code & 0x80 else magnitude - 0x84


def _expand_a(code: int) -> int:
    code ^= 0x55
    segment = (code & 0x70) >> 4
    magnitude = (code & 0x0F) << 4
    magnitude = magnitude + 8 if segment == 0 else (magnitude + 0x108) << (segment - 1)
    return magnitude if code & 0x80 else -magnitude


def _compress_mu(sample: int) -> int:
    magnitude = min(abs(sample), 32635) + 0x84
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~((0x80 if sample < 0 else 0) | exponent << 4 | mantissa) & 0xFF


def _compress_a(sample: int) -> int:
    mask, magnitude = (0xD5, sample >> 3) if sample >= 0 else (0x55, (-sample - 1) >> 3)
    segment = max(0, magnitude.bit_length() - 5)
    mantissa = (magnitude >> max(1, segment)) & 0x0F
    return (segment << 4 | mantissa) ^ mask


def _encode_table(compress: object) -> NDArray[np.uint8]:
    values = (number if number < 32768 else number - 65536 for number in range(65536))
    return np.fromiter((compress(value) for value in values), dtype=np.uint8, count=65536)  # type: ignore[operator]


DECODE: dict[Law, Samples] = {
    Law.PCMU: np.array([_expand_mu(code) for code in range(256)], dtype=np.int16),
    Law.PCMA: np.array([_expand_a(code) for code in range(256)], dtype=np.int16),
}
"""Byte -> linear sample."""

ENCODE: dict[Law, NDArray[np.uint8]] = {
    Law.PCMU: _encode_table(_compress_mu),
    Law.PCMA: _encode_table(_compress_a),
}
"""Linear sample viewed as uint16 -> byte."""

SILENCE: dict[Law, int] = {Law.PCMU: 0xFF, Law.PCMA: 0xD5}
"""The byte of digital silence."""


def encode(samples: Samples, law: Law) -> bytes:
    """Compress linear samples."""
    return ENCODE[law][np.ascontiguousarray(samples).view(np.uint16)].tobytes()


def decode(payload: bytes, law: Law) -> Samples:
    """Expand G.711 bytes."""
    return DECODE[law][np.frombuffer(payload, dtype=np.uint8)]


TRANSCODE: dict[tuple[Law, Law], bytes] = {
    (source, target): ENCODE[target][DECODE[source].view(np.uint16)].tobytes()
    for source in Law
    for target in Law
    if source is not target
}
"""(from, to) -> a table for ``bytes.translate``: a law change costs a packet one call."""

LOUDNESS: dict[Law, bytes] = {
    law: np.minimum(np.abs(table.astype(np.int32)) >> 7, 255).astype(np.uint8).tobytes()
    for law, table in DECODE.items()
}
"""Byte -> magnitude in steps of 128, a table for ``bytes.translate``."""

AUDIBLE = 3
"""From this loudness step (about -38 dBFS peak) on, a frame counts as audible."""


def loudness(payload: bytes, law: Law) -> int:
    """The loudest sample of a payload in steps of 128 of 32768; 0 for an empty one."""
    return max(payload.translate(LOUDNESS[law]), default=0)


def is_audible(samples: Samples) -> bool:
    """Whether linear samples reach what counts as audible."""
    return len(samples) > 0 and int(np.abs(samples.astype(np.int32)).max()) >= AUDIBLE << 7
