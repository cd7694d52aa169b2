"""One session in a worker: legs, who hears whom, and what is played to them."""

import socket
from collections.abc import Mapping

from callcenter.media.codecs import FORMS, Codec, may_relay
from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.clips import ClipStore, Playback
from callcenter.media.mediad.keys import KeyPresses
from callcenter.media.mediad.leg import RtpLeg
from callcenter.media.mixer import linear_gain
from callcenter.media.protocol import LegCounts, PlayEnded, PlaySpec, SessionSpec

_PASSED = "passed-"
"""Begins the ids of digits that one party pressed for another: no order of the exchange, and their end is not told."""


class Conversation:
    """Follows the session's description. ``now`` is in milliseconds of the monotonic clock."""

    def __init__(self, session_id: str, checkpoint: Checkpoint, clips: ClipStore) -> None:
        self.session_id = session_id
        self.legs: dict[str, RtpLeg] = {}
        self.plays: dict[str, Playback | KeyPresses] = {}
        self.ticking: list[RtpLeg] = []
        """Legs that are served every 20 ms; the others hear packets as they arrive."""
        self._checkpoint = checkpoint
        self._clips = clips
        self._spec = SessionSpec(session_id, 0)
        self._over: set[str] = set()
        self._passed = 0

    def converge(
        self, spec: SessionSpec, sockets: Mapping[str, socket.socket], slots: Mapping[str, int], *, now: int
    ) -> dict[str, LegCounts]:
        """Become what ``spec`` says, with sockets for the new legs; the figures of legs that were closed."""
        if spec.version <= self._spec.version:
            for sock in sockets.values():
                sock.close()
            return {}
        closed = {leg.spec.leg_id: self._close(leg.spec.leg_id) for leg in self.leaving(spec)}
        self._spec = spec
        for leg_spec in spec.legs:
            leg = self.legs.get(leg_spec.leg_id)
            if leg is not None:
                leg.update(leg_spec, now=now)
            elif leg_spec.leg_id in sockets:
                self.legs[leg_spec.leg_id] = RtpLeg(
                    leg_spec, sockets[leg_spec.leg_id], self._checkpoint, slots[leg_spec.leg_id], now=now
                )
        self._follow_plays(now=now)
        self.rewire()
        return closed

    def leaving(self, spec: SessionSpec) -> list[RtpLeg]:
        """The legs that will be closed by a description."""
        if spec.version <= self._spec.version:
            return []
        wanted = {leg.leg_id for leg in spec.legs}
        return [leg for leg_id, leg in self.legs.items() if leg_id not in wanted]

    @property
    def version(self) -> int:
        """Of the description that is followed."""
        return self._spec.version

    def advance_plays(self) -> list[PlayEnded]:
        """One tick for everything that is played; what is over now."""
        ended = []
        pressing: set[str] = set()
        for play_id, play in list(self.plays.items()):
            if isinstance(play, KeyPresses):  # orders for one leg follow each other
                if play.spec.leg_id in pressing:
                    continue
                pressing.add(play.spec.leg_id)
            reason = play.advance()
            if reason is not None:
                ended.append(self._end(play_id, reason))
        if ended:
            self.rewire()
        return [each for each in ended if not each.play_id.startswith(_PASSED)]

    def barge_in(self, leg_id: str) -> list[PlayEnded]:
        """A digit came: stop what may be interrupted on this leg."""
        ended = [
            self._end(play_id, "barge_in")
            for play_id, play in list(self.plays.items())
            if play.spec.leg_id == leg_id and play.spec.barge_in
        ]
        if ended:
            self.rewire()
        return ended

    def pass_on(self, source: RtpLeg, digit: str) -> bool:
        """Press a digit anew for everybody who hears this leg alone and not packet by packet, because codecs differ or
        something is played; whether there is anybody. In a mix of several nobody is to hear one's keys, and tones are
        in the speech already."""
        if source.spec.receive_event_type is None:
            return False
        hearers = [leg for leg in self.ticking if [each for each, _ in leg.inputs] == [source]]
        for leg in hearers:
            self._passed += 1
            spec = PlaySpec(f"{_PASSED}{self._passed}", leg.spec.leg_id, (), digits=digit)
            self.plays[spec.play_id] = self._press(spec)
        if hearers:
            self.rewire()
        return bool(hearers)

    def close(self) -> dict[str, LegCounts]:
        """Close all legs; their figures."""
        self.plays.clear()
        return {leg_id: self._close(leg_id) for leg_id in [*self.legs]}

    def rewire(self) -> None:
        """Work out for each leg whether one source can be relayed to it as it is, or whether it takes a tick."""
        for leg in self.legs.values():
            leg.relays, leg.inputs, leg.plays, leg.keys = [], [], [], None
        for play in self.plays.values():
            if play.spec.leg_id not in self.legs:
                continue
            leg = self.legs[play.spec.leg_id]
            if isinstance(play, Playback):
                leg.plays.append(play)
            else:
                leg.keys = leg.keys or play
        heard: dict[str, list[tuple[RtpLeg, float]]] = {}
        for route in self._spec.routes:
            source = self.legs.get(route.source)
            if source is not None and route.destination in self.legs:
                heard.setdefault(route.destination, []).append((source, route.gain_db))
        mixed: set[str] = set()
        self.ticking = []
        for leg_id, leg in self.legs.items():
            inputs = heard.get(leg_id, [])
            leg.hears = [source for source, _ in inputs]
            if self._is_relayed(leg, inputs):
                inputs[0][0].relays.append(leg)
                continue
            leg.inputs = [(source, linear_gain(gain_db)) for source, gain_db in inputs]
            mixed.update(source.spec.leg_id for source, _ in inputs)
            self.ticking.append(leg)
        for leg_id, leg in self.legs.items():
            leg.listen(leg_id in mixed)

    def _follow_plays(self, *, now: int) -> None:
        wanted = {play.play_id: play for play in self._spec.plays}
        self._over &= wanted.keys()
        for play_id in [*self.plays]:
            if play_id not in wanted and not self._is_passed(play_id):
                del self.plays[play_id]
        for play_id, play in wanted.items():
            if play_id not in self.plays and play_id not in self._over:
                self.plays[play_id] = self._press(play) if play.digits else self._play(play, now=now)

    def _is_passed(self, play_id: str) -> bool:
        return play_id.startswith(_PASSED) and self.plays[play_id].spec.leg_id in self.legs

    @staticmethod
    def _is_relayed(leg: RtpLeg, inputs: list[tuple[RtpLeg, float]]) -> bool:
        if leg.plays or leg.keys is not None or len(inputs) != 1 or inputs[0][1] != 0.0:
            return False
        return may_relay(inputs[0][0].speaks, leg.sender.codec)

    def _play(self, play: PlaySpec, *, now: int) -> Playback:
        return Playback(play, self._clips.load(play.paths, wide=self._is_g722(play.leg_id), now=now))

    def _press(self, play: PlaySpec) -> KeyPresses:
        leg = self.legs.get(play.leg_id)
        has_events = leg is None or leg.spec.send_event_type is not None
        return KeyPresses(play, frame_units=FORMS[leg.sender.codec].frame_units if leg and has_events else None)

    def _is_g722(self, leg_id: str) -> bool:
        return leg_id in self.legs and self.legs[leg_id].sender.codec is Codec.G722

    def _end(self, play_id: str, reason: str) -> PlayEnded:
        del self.plays[play_id]
        self._over.add(play_id)
        return PlayEnded(self.session_id, play_id, reason)

    def _close(self, leg_id: str) -> LegCounts:
        leg = self.legs.pop(leg_id)
        counts = leg.save_counts()
        leg.close()
        return counts
