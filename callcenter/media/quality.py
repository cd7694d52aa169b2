"""How a call sounds, estimated from what the network did to it: the E-model (ITU-T G.107) in short form. Pure.

R = 93.2 - Id - Ie,eff with the delay impairment Id = 0.024 d + 0.11 (d - 177.3) H(d - 177.3) (Cole and Rosenbluth,
"Voice over IP performance monitoring", 2001, for G.107's curve) and the effective equipment impairment
Ie,eff = Ie + (95 - Ie) Ppl / (Ppl / BurstR + Bpl) (G.107 section 7.3, BurstR = 1 for losses at random). MOS is G.107
annex B: 1 + 0.035 R + 7e-6 R (R - 60) (100 - R).
"""

from callcenter.media.codecs import Codec

POOR_BELOW = 3.6
"""Many users are dissatisfied (ITU-T G.109: R below 70)."""
_BEST_R = 93.2
_IMPAIRMENT: dict[Codec, tuple[float, float]] = {
    Codec.PCMU: (0.0, 25.1),
    Codec.PCMA: (0.0, 25.1),
    Codec.G722: (0.0, 25.1),
    Codec.OPUS: (0.0, 25.1),
}
"""Ie and Bpl. G.711 with concealment of lost packets: G.113 appendix I. For the others the same is
taken: the figure compares calls, it is no measurement of a codec."""
_BUFFERED_MS = 40.0
"""A far end's jitter buffer and packet time."""


def estimate_mos(codec: Codec, *, loss_percent: float, jitter_ms: float, round_trip_ms: float) -> float:
    """The estimated mean opinion score, 1.0 (unusable) to 4.4 (as good as a telephone gets), of one direction.

    The delay to the ear is taken as half the round trip, twice the jitter, and what a phone buffers anyway.
    """
    delay = round_trip_ms / 2 + 2 * jitter_ms + _BUFFERED_MS
    impairment, robustness = _IMPAIRMENT[codec]
    rating = _BEST_R - 0.024 * delay - 0.11 * max(0.0, delay - 177.3)
    rating -= impairment + (95 - impairment) * loss_percent / (loss_percent + robustness)
    rating = min(100.0, max(0.0, rating))
    return round(max(1.0, 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating)), 2)
