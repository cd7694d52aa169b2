"""The WAV header of a stereo G.711 file (RIFF with ``fmt``, ``fact`` and ``data`` chunks). Pure."""

import struct

from callcenter.media.law import SAMPLE_RATE, SILENCE, Law

FORMAT = {Law.PCMU: 7, Law.PCMA: 6}
"""``wFormatTag`` of the two laws (RFC 2361 appendix A)."""
CHANNELS = 2
HEADER_BYTES = 58
_HEADER = struct.Struct("<4sI4s4sIHHIIHHH4sII4sI")
_AFTER_RIFF = HEADER_BYTES - 8
_LARGEST_DATA = 0xFFFFFFFF - HEADER_BYTES


def wav_header(law: Law, samples: int) -> bytes:
    """The header of a file with so many samples in each channel. Sizes that do not fit are left at the greatest."""
    data = min(samples * CHANNELS, _LARGEST_DATA)
    return _HEADER.pack(
        b"RIFF", data + _AFTER_RIFF, b"WAVE",
        b"fmt ", 18, FORMAT[law], CHANNELS, SAMPLE_RATE, SAMPLE_RATE * CHANNELS, CHANNELS, 8, 0,
        b"fact", 4, data // CHANNELS,
        b"data", data,
    )  # fmt: skip


def interleave(law: Law, samples: int, left: bytes, right: bytes) -> bytes:
    """Two channels of so many samples as stereo frames; an empty channel is silent."""
    stereo = bytearray([SILENCE[law]]) * (samples * CHANNELS)
    if left:
        stereo[0::2] = left
    if right:
        stereo[1::2] = right
    return bytes(stereo)


def silence(law: Law, samples: int) -> bytes:
    """Silent stereo frames."""
    return bytes([SILENCE[law]]) * (samples * CHANNELS)
