"""The 20 ms tick: what every leg hears that is not simply relayed.

Speech is mixed at 8 kHz; only where a wideband leg hears another wideband leg it is mixed at 16 kHz.
"""

from collections.abc import Iterable

import numpy as np

from callcenter.media.codecs import FORMS, Codec
from callcenter.media.g711 import DECODE, ENCODE, Samples, encode
from callcenter.media.law import FRAME_SAMPLES, SILENCE, Law
from callcenter.media.mediad.clips import Playback
from callcenter.media.mediad.keys import KeyPresses
from callcenter.media.mediad.leg import RtpLeg
from callcenter.media.mixer import DUCKED_DB, linear_gain, mix
from callcenter.media.wideband import silent_frame

_DUCKED = linear_gain(DUCKED_DB)
_SILENT_FRAME = {law: bytes([SILENCE[law]]) * FRAME_SAMPLES for law in Law}


def lowered_by(plays: Iterable[Playback]) -> float:
    """The factor by which these plays lower everything else (``PlaySpec.duck_db``); the strongest counts."""
    return min((linear_gain(play.spec.duck_db) for play in plays if play.spec.duck_db is not None), default=1.0)


class _Taken:
    """What the legs said in this tick; each ring is read once, however many hear it and at whatever rate."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._frames: dict[RtpLeg, Samples | None] = {}

    def at(self, source: RtpLeg, *, wide: bool) -> Samples | None:
        """A leg's speech at 16 kHz if ``wide``, else at 8; ``None`` while there is none."""
        if source not in self._frames:
            self._frames[source] = self._take(source)
        frame = self._frames[source]
        if frame is None or wide is source.is_wide:
            return frame
        return source.rates.double.next(frame) if wide else source.rates.halve.next(frame)

    def _take(self, source: RtpLeg) -> Samples | None:
        data = None if source.ring is None else source.ring.take(now=self._now)
        if data is None or source.ring is None:
            return None
        if source.ring.law is None:
            return np.frombuffer(data, dtype=np.int16)
        return DECODE[source.ring.law][np.frombuffer(data, dtype=np.uint8)]


class _Matrix:
    """The gain matrix of one tick at one rate, while it is collected."""

    def __init__(self, taken: _Taken, *, wide: bool) -> None:
        self.is_wide = wide
        self._taken = taken
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
            self._frames.append(play.samples(wide=self.is_wide))
            gain = lowered_by(other for other in playing if other is not play)
            self._enter(len(self._frames) - 1, gain * _DUCKED if announced and play.spec.loop else gain)
        if len(self._sources) == start:
            return False
        self._starts.append(start)
        self.legs.append(leg)
        return True

    def send(self, *, now: int) -> None:
        """Mix and send each leg its row."""
        if not self.legs:
            return
        mixed = mix(np.stack(self._frames), self._sources, self._starts, self._gains)
        unsigned = mixed.view(np.uint16)
        encoded = (
            {} if self.is_wide else {law: ENCODE[law][unsigned] for law in {leg.sender.law for leg in self.legs} if law}
        )
        for row, leg in enumerate(self.legs):
            if leg.sender.law is None:
                leg.sender.frame(leg.sender.encode(mixed[row], wide=self.is_wide), now=now)
            else:
                leg.sender.frame(encoded[leg.sender.law][row].tobytes(), now=now)

    def _enter(self, row: int, gain: float) -> None:
        self._sources.append(row)
        self._gains.append(gain)

    def _row(self, source: RtpLeg) -> int | None:
        """The row of a leg's speech."""
        if source not in self._rows:
            frame = self._taken.at(source, wide=self.is_wide)
            self._rows[source] = None if frame is None else len(self._frames)
            if frame is not None:
                self._frames.append(frame)
        return self._rows[source]


def run_tick(legs: Iterable[RtpLeg], *, now: int) -> None:
    """Send each leg its next 20 ms."""
    taken = _Taken(now)
    narrow, wide = _Matrix(taken, wide=False), _Matrix(taken, wide=True)
    for leg in legs:
        if not leg.sender.may_send:
            continue
        if leg.keys is not None:
            _press(leg, leg.keys, now)
            continue
        ready = None
        if not leg.inputs and len(leg.plays) == 1 and leg.plays[0].current is not None:
            ready = leg.plays[0].encoded(leg.sender.codec)
        matrix = wide if leg.sender.law is None and any(source.is_wide for source, _ in leg.inputs) else narrow
        if ready is not None:
            leg.sender.frame(ready, now=now)
        elif not matrix.add(leg):
            leg.sender.frame(_silence(leg.sender.codec), now=now)
    narrow.send(now=now)
    wide.send(now=now)


def _press(leg: RtpLeg, keys: KeyPresses, now: int) -> None:
    """Send a leg its next packet of a digit, or the pause after one."""
    step = keys.now
    if isinstance(step, bytes):
        leg.sender.event(step, is_first=keys.is_first, now=now)
    elif step is None:
        leg.sender.frame(_silence(leg.sender.codec), now=now)
    elif leg.sender.law is not None:
        leg.sender.frame(encode(step, leg.sender.law), now=now)
    else:
        leg.sender.frame(leg.sender.encode(step, wide=False), now=now)


def _silence(codec: Codec) -> bytes:
    law = FORMS[codec].law
    return silent_frame(codec) if law is None else _SILENT_FRAME[law]
