"""What telephone speech is made of: the two companding laws of G.711 by name, its rate and its frames.

Apart from the tables (``g711.py``), which need NumPy: whoever only names a law starts without it.
"""

from enum import StrEnum

SAMPLE_RATE = 8000
"""Samples per second of everything this package plays, mixes and sends."""
FRAME_SAMPLES = 160
"""Samples, and G.711 bytes, of one 20 ms frame."""
FRAME_MILLISECONDS = 20


class Law(StrEnum):
    """A companding law, by its name in SDP (RFC 3551 table 4)."""

    PCMU = "PCMU"
    PCMA = "PCMA"


SILENCE: dict[Law, int] = {Law.PCMU: 0xFF, Law.PCMA: 0xD5}
"""The byte of digital silence."""
