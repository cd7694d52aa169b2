"""G.711 (ITU-T G.711): the two laws that carry telephone speech, as look-up tables.

A G.711 byte and its 16-bit linear sample are related by 256-entry and 65536-entry tables, built once at import: each
process of the media plane does so before it has work, so they are built by NumPy, a table at a time.
"""

import numpy as np
from numpy.typing import NDArray

from callcenter.media.law import Law

Samples = NDArray[np.int16]
"""Linear 16-bit samples."""

_Numbers = NDArray[np.int32]


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


def _bit_lengths(numbers: _Numbers) -> _Numbers:
    _, exponents = np.frexp(numbers.astype(np.float64))
    return np.asarray(exponents, dtype=np.int32)


def _compress_mu(samples: _Numbers) -> _Numbers:
    magnitude = np.minimum(np.abs(samples), 32635) + 0x84
    exponent = _bit_lengths(magnitude) - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return np.asarray(~(np.where(samples < 0, 0x80, 0) | exponent << 4 | mantissa) & 0xFF)


def _compress_a(samples: _Numbers) -> _Numbers:
    mask, magnitude = np.where(samples < 0, 0x55, 0xD5), np.where(samples < 0, -samples - 1, samples) >> 3
    segment = np.maximum(0, _bit_lengths(magnitude) - 5)
    mantissa = (magnitude >> np.maximum(1, segment)) & 0x0F
    return np.asarray((segment << 4 | mantissa) ^ mask)


_EVERY_SAMPLE = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)

DECODE: dict[Law, Samples] = {
    Law.PCMU: np.array([_expand_mu(code) for code in range(256)], dtype=np.int16),
    Law.PCMA: np.array([_expand_a(code) for code in range(256)], dtype=np.int16),
}
"""Byte -> linear sample."""

ENCODE: dict[Law, NDArray[np.uint8]] = {
    Law.PCMU: _compress_mu(_EVERY_SAMPLE).astype(np.uint8),
    Law.PCMA: _compress_a(_EVERY_SAMPLE).astype(np.uint8),
}
"""Linear sample viewed as uint16 -> byte."""


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
