"""The 20 ms tick: what every leg hears that is not simply relayed."""

from collections.abc import Iterable

import numpy as np

from callcenter.media.g711 import DECODE, ENCODE, FRAME_SAMPLES, SILENCE, Law, Samples
from callcenter.media.mediad.clips import Playback
from callcenter.media.mediad.leg import RtpLeg
from callcenter.media.mixer import DUCKED_DB, linear_gain, mix

_DUCKED = linear_gain(DUCKED_DB)
_SILENT_FRAME = {law: bytes([SILENCE[law]]) * FRAME_SAMPLES for law in Law}


def lowered_by(plays: Iterable[Playback]) -> float:
    """The factor by which these plays lower everything else (``PlaySpec.duck_db``); the strongest counts."""
    return min((linear_gain(play.spec.duck_db) for play in plays if play.spec.duck_db is not None), default=1.0)


class _Matrix:
    """The gain matrix of one tick while it is collected."""

    def __init__(self) -> None:
        self._frames: list[Samples] = []
        self._rows: dict[RtpLeg, int | None] = {}
        self._sources: list[int] = []
        self._starts: list[int] = []
        self._gains: list[float] = []
        self.legs: list[RtpLeg] = []

    def add(self, leg: RtpLeg) -> bool:
        """Collect what a leg hears; false when there is nothing to hear."""
        start = len(self._sources)
        playing = [play for play in leg.plays if play.current is not None]
        lowered = lowered_by(playing)
        for source, gain in leg.inputs:
            row = self._row(source)
            if row is not None:
                self._enter(row, gain * lowered)
        announced = any(not play.spec.loop and play.spec.duck_db is None for play in playing)
        for play in playing:
            self._frames.append(play.samples())
            gain = lowered_by(other for other in playing if other is not play)
            self._enter(len(self._frames) - 1, gain * _DUCKED if announced and play.spec.loop else gain)
        if len(self._sources) == start:
            return False
        self._starts.append(start)
        self.legs.append(leg)
        return True

    def _enter(self, row: int, gain: float) -> None:
        self._sources.append(row)
        self._gains.append(gain)

    def _row(self, source: RtpLeg) -> int | None:
        """The row of a leg's speech; taken from its ring once per tick however many hear it."""
        if source not in self._rows:
            frame = None if source.ring is None else source.ring.take()
            if frame is None:
                self._rows[source] = None
            else:
                self._rows[source] = len(self._frames)
                self._frames.append(DECODE[source.ring_law][np.frombuffer(frame, dtype=np.uint8)])
        return self._rows[source]

    def mixed(self) -> Samples:
        """One row for each of ``legs``."""
        return mix(np.stack(self._frames), self._sources, self._starts, self._gains)


def run_tick(legs: Iterable[RtpLeg], *, now: int) -> None:
    """Send each leg its next 20 ms."""
    matrix = _Matrix()
    for leg in legs:
        if not leg.may_send:
            continue
        if not leg.inputs and len(leg.plays) == 1 and leg.plays[0].current is not None:
            leg.send_frame(leg.plays[0].encoded(leg.law), now=now)
        elif not matrix.add(leg):
            leg.send_frame(_SILENT_FRAME[leg.law], now=now)
    if matrix.legs:
        mixed = matrix.mixed().view(np.uint16)
        encoded = {law: ENCODE[law][mixed] for law in {leg.law for leg in matrix.legs}}
        for row, leg in enumerate(matrix.legs):
            leg.send_frame(encoded[leg.law][row].tobytes(), now=now)
