"""The worker's end of a recording: what two legs say is put on one time line and cut into chunks for the recorder.

Everything between hearing and sending is kept for less than a second, so a worker that dies takes no more than that
along. Pure: instants are milliseconds of the monotonic clock, given as arguments.
"""

from callcenter.media.g711 import AUDIBLE, loudness
from callcenter.media.law import SAMPLE_RATE, SILENCE, Law
from callcenter.media.mediad.recorder_protocol import Chunk, TapEnded, TapMessage, TapSwitched
from callcenter.media.protocol import RecordingSpec, TapOrder
from callcenter.media.track import Track

INTERVAL = 500
"""Milliseconds between chunks."""
QUIET_AFTER = 5_000
"""Milliseconds without speech after which a message is taken to be over."""
_GUARD = 400
"""Milliseconds that are kept back, because packets of that time may still come."""
_HELD_BACK = 1000
"""Milliseconds of speech that may wait in the sockets of a worker that takes over."""
_LONGEST_CHUNK = SAMPLE_RATE
_PER_MILLISECOND = SAMPLE_RATE // 1000


class Tap:
    """One recording in one worker. ``left`` and ``right`` are fed by the legs, see ``RtpLeg.taps``."""

    def __init__(self, spec: RecordingSpec, order: TapOrder, *, now: int) -> None:
        self.number = order.number
        self.law = Law(spec.law)
        self.left, self.right = Track(self.law), Track(self.law)
        self.is_paused = spec.paused
        self.origin = order.origin
        self.due = now + INTERVAL // 4 + order.number % 40 * (INTERVAL // 40)
        """When the next chunk is to be cut; recordings that began together are spread."""
        self._sent = max(0, self._position(now - _HELD_BACK))
        self._unknown_until = self._position(now) if order.is_taken_over and not spec.paused else 0
        """What is not heard before here went down with the former worker; silence is not told for it."""
        self.speaker = "" if spec.right else spec.left
        """The leg whose message this is, empty for a conversation."""
        self.has_spoken = False
        self._quiet_since: int | None = now if self.speaker else None
        self._wiped: list[tuple[int, int | None]] = [(0, None if spec.paused else self._position(order.switched_at))]

    def begin(self, *, now: int) -> list[TapMessage]:
        """What to tell first: a predecessor may have left the recording in the other state."""
        return [TapSwitched(self.number, self._position(now), self.is_paused)]

    def follow(self, spec: RecordingSpec, order: TapOrder) -> list[TapMessage]:
        """Pause or resume, as of the instant when it was ordered."""
        if spec.paused == self.is_paused:
            return []
        self.is_paused = spec.paused
        position = self._position(order.switched_at)
        if spec.paused:
            self._wiped.append((position, None))
        else:
            self._wiped[-1] = (self._wiped[-1][0], position)
        return [TapSwitched(self.number, position, spec.paused)]

    def hear(self, track: Track, ssrc: int, timestamp: int, payload: bytes, law: Law, now: int) -> None:
        """Take a leg's packet. While paused only its time is noted, its sound is not kept anywhere."""
        if self._quiet_since is not None and loudness(payload, law) >= AUDIBLE:
            self._quiet_since, self.has_spoken = now, True
        arrival = (now - self.origin) * _PER_MILLISECOND
        track.add(ssrc, timestamp, arrival, len(payload), None if self.is_paused else payload, law)

    def falls_quiet(self, *, now: int) -> bool:
        """True once, when nothing was said in a message for a while."""
        if self._quiet_since is None or now - self._quiet_since < QUIET_AFTER:
            return False
        self._quiet_since = None
        return True

    def cut(self, *, now: int) -> list[TapMessage]:
        """The chunks that are complete."""
        self.due = now + INTERVAL
        return self._cut_to(self._position(now - _GUARD))

    def end(self, *, now: int) -> list[TapMessage]:
        """All that is left, and the end."""
        end = max(0, self._position(now))
        return [*self._cut_to(end), TapEnded(self.number, end)]

    def _cut_to(self, end: int) -> list[TapMessage]:
        chunks: list[TapMessage] = []
        while self._sent < end:
            until = min(end, self._sent + _LONGEST_CHUNK)
            left, right = self.left.cut(self._sent, until), self.right.cut(self._sent, until)
            for channel in (left, right):
                if channel is not None:
                    self._wipe(channel, self._sent)
            begin = self._known_from(until)
            skipped = begin - self._sent
            if begin < until:
                heard = [bytes(channel[skipped:]) if channel else b"" for channel in (left, right)]
                chunks.append(Chunk(self.number, begin, until - begin, heard[0], heard[1]))
            self._sent = until
        self._wiped = [wiped for wiped in self._wiped if wiped[1] is None or wiped[1] > self._sent]
        return chunks

    def _known_from(self, until: int) -> int:
        """Where the present chunk begins: after a change of workers with the first sound, so that the gap is seen."""
        if self._sent >= self._unknown_until:
            return self._sent
        heard = [track.earliest for track in (self.left, self.right) if track.earliest is not None]
        begin = min(min(heard, default=until), self._unknown_until, until)
        if heard:
            self._unknown_until = 0
        return max(begin, self._sent)

    def _wipe(self, channel: bytearray, start: int) -> None:
        """Whatever was placed into a pause is silenced."""
        for first, last in self._wiped:
            begin = max(0, first - start)
            end = len(channel) if last is None else min(len(channel), last - start)
            if begin < end:
                channel[begin:end] = bytes([SILENCE[self.law]]) * (end - begin)

    def _position(self, instant: int) -> int:
        return (instant - self.origin) * _PER_MILLISECOND
