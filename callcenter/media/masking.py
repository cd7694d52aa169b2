"""What others hear of a leg whose speech is masked: a flat tone in place of everything it says.

The tone is 400 Hz, so that a frame of 20 ms holds whole periods and frames follow each other without a seam.
"""

import functools

from callcenter.media.audio import tone
from callcenter.media.codecs import FORMS, Codec
from callcenter.media.g711 import encode
from callcenter.media.wideband import WIDE_RATE, WIDE_SAMPLES, make_encoder

MASK_HERTZ = 400.0
_LEVEL = 0.05
_PERIOD = 20
"""G.711 bytes of one period."""


def masked_payload(codec: Codec, timestamp: int, size: int) -> bytes:
    """A payload of the tone in place of one of ``size`` bytes; in Opus it is always 20 ms."""
    frame = _frame(codec)
    if codec is Codec.OPUS or size == len(frame):
        return frame
    offset = timestamp % _PERIOD if FORMS[codec].law is not None else 0
    return (frame * (size // len(frame) + 2))[offset : offset + size]


@functools.cache
def _frame(codec: Codec) -> bytes:
    law = FORMS[codec].law
    if law is not None:
        return encode(tone(MASK_HERTZ, 0.02, level=_LEVEL), law)
    encoder = make_encoder(codec)
    samples = tone(MASK_HERTZ, 0.4, level=_LEVEL, rate=WIDE_RATE).reshape(-1, WIDE_SAMPLES)
    return [encoder.encode(frame) for frame in samples][-1]
