"""Mixing arithmetic: who hears whom, how loud, for many conversations at once.

The routes of all conversations form one sparse gain matrix. Monitoring, whispering, barging in, conferences without
one's own echo and music under an announcement are all just entries of it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from callcenter.media.g711 import Samples

DUCKED_DB = -14.0
"""Gain of looping music while an announcement is played over it."""


def linear_gain(gain_db: float) -> float:
    """Amplitude factor of a gain in decibel."""
    return float(10.0 ** (gain_db / 20.0))


def mix(frames: Samples, sources: Sequence[int], starts: Sequence[int], gains: Sequence[float]) -> Samples:
    """Mix rows of ``frames`` (one 20 ms frame each) into one row per destination.

    Entry ``i`` of the matrix takes row ``sources[i]`` with the factor ``gains[i]``; the entries of one destination
    stand together and ``starts`` tells where each begin (every destination has at least one). Sums are clipped.
    """
    weighted: NDArray[np.float32] = frames[np.asarray(sources)].astype(np.float32)
    weighted *= np.asarray(gains, dtype=np.float32)[:, np.newaxis]
    summed = np.add.reduceat(weighted, np.asarray(starts), axis=0)
    return np.clip(np.rint(summed), -32768, 32767).astype(np.int16)
