"""Everybody in a call says a sentence again and again; here is who hears which, word for word, and that it is no other.

A sentence is found by its normalised cross-correlation with what is heard, at whatever place of it: 1 when nothing else
is heard, about 0.7 of two that are equally loud, below 0.18 of two and a half seconds that hold none of it (seen over
60 random places of each).
"""

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pytest

from callcenter.media.audio import write_wav
from callcenter.media.endpoint import RtpEndpoint
from callcenter.media.g711 import Samples
from callcenter.media.speech import EspeakEngine
from ivr.effects import PromptText
from tests.support.waiting import until

PRESENT, ABSENT = 0.4, 0.22
SECONDS = 2.5
_FRAME = 160
_QUIET_SHARE = 0.05
"""Of a sentence's mean power: a stretch that has less is a pause, and like anything."""


class Sentences:
    """What everybody says, by who says it."""

    def __init__(self, spoken: Mapping[str, Samples], folder: Path) -> None:
        self._spoken = {who: np.pad(each, (0, -len(each) % _FRAME)).astype(float) for who, each in spoken.items()}
        self.files = {who: folder / f"{who}.wav" for who in spoken}
        for who, samples in spoken.items():
            self.files[who].write_bytes(write_wav(samples))

    async def hears_only(self, sound: RtpEndpoint, *speakers: str) -> None:
        """All of these sentences, and none of the others, are in sound that comes after this moment."""
        seen: dict[str, float] = {}

        async def is_so() -> bool:
            heard = await sound.hear(SECONDS)
            seen.update({who: likeness(heard, sentence) for who, sentence in self._spoken.items()})
            return _fits(seen, speakers)

        try:
            await until(f"only {speakers} are heard", is_so, within=60)
        except AssertionError as error:
            error.add_note(f"heard last: {seen}")
            raise


def _fits(seen: Mapping[str, float], speakers: Collection[str]) -> bool:
    return all(share > PRESENT if who in speakers else share < ABSENT for who, share in seen.items())


def likeness(heard: Samples, sentence: Samples) -> float:
    """The largest normalised cross-correlation of what is heard with a sentence that begins anew at its end, 0 to 1."""
    size = len(sentence)
    heard = heard[:size].astype(float)
    energy = float(np.sum(heard**2))
    if not energy:
        return 0.0
    products = np.fft.irfft(np.fft.rfft(sentence) * np.conj(np.fft.rfft(heard, size)), size)
    sums = np.concatenate([[0.0], np.cumsum(np.tile(sentence**2, 2))])
    own = sums[len(heard) : len(heard) + size] - sums[:size]
    least = _QUIET_SHARE * len(heard) * float(np.mean(sentence**2))
    return float(np.max(np.abs(products) / np.sqrt(np.maximum(own, least) * energy)))


async def spoken(texts: Mapping[str, str], folder: Path) -> Sentences:
    """Have the bundled engine speak them."""
    pytest.importorskip("espeakng_loader", reason="the extra callcenter[speech] is not installed")
    engine = EspeakEngine()
    try:
        said = {who: await engine.speak(PromptText(who, "en", text)) for who, text in texts.items()}
    finally:
        await asyncio.shield(engine.close())
    return Sentences(said, folder)
