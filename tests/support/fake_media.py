"""A media plane without media: keeps the orders, and lets a test press digits and end prompts when it likes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from callcenter.errors import MediaError
from callcenter.media.sdes import KEY_BYTES, SrtpKey, Suite
from callcenter.media.sdp import AgreedAudio, LocalStream, build_answer, build_offer, read_answer, read_offer
from callcenter.media.telephone_event import DIGITS
from callcenter.ports import (
    DigitPressed,
    EncryptionPolicy,
    LegProfile,
    LegQualityTurned,
    LegSilent,
    LegsStranded,
    LegStatistics,
    MediaEvent,
    PlayFinished,
    RecordingAction,
    RecordingEvent,
    RecordingFinished,
    Route,
    SessionLost,
)

_FIRST_PORT = 20000


@dataclass(slots=True)
class FakePlay:
    """A play that is not over."""

    leg_id: str
    paths: tuple[str, ...]
    loop: bool
    barge_in: bool
    duck_db: float | None = None


@dataclass(slots=True)
class FakeRecording:
    """A recording that is not over."""

    left: str
    right: str
    retention: str
    paused: bool = False


@dataclass(slots=True)
class FakeLeg:
    """One leg: its port, and what was agreed upon."""

    port: int
    audio: AgreedAudio | None = None
    profile: LegProfile | None = None
    digits: str = ""
    """What was pressed towards it."""
    is_secured: bool = False
    keys: tuple[SrtpKey, ...] = ()
    """What its last offer of ours was encrypted with."""


@dataclass(slots=True)
class FakeSession:
    """What was ordered for one session."""

    legs: dict[str, FakeLeg] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    plays: dict[str, FakePlay] = field(default_factory=dict)
    recordings: dict[str, FakeRecording] = field(default_factory=dict)


class FakeMedia:
    """Implements ``MediaPlane`` in memory. ``orders`` lists every order as (name, arguments) in the order it came.

    Set ``refusal`` to an error and the next order raises it.
    """

    def __init__(
        self,
        sink: Callable[[MediaEvent], None],
        *,
        recording_sink: Callable[[RecordingEvent], None] | None = None,
    ) -> None:
        self._sink = sink
        self._recording_sink = recording_sink or (lambda _: None)
        self.refuses_recordings = False
        self.sessions: dict[str, FakeSession] = {}
        self.orders: list[tuple[str, tuple[object, ...]]] = []
        self.refusal: MediaError | None = None
        self.statistics = LegStatistics(100, 100, 0, 0, heard=True)
        """What every leg that is closed is said to have carried."""
        self._ports = _FIRST_PORT

    # What a test does.

    def finish_play(self, play_id: str, reason: str = "end", *, of: str | None = None) -> None:
        """Let a prompt come to its end: that of session ``of``, else the first of this name."""
        for session_id, session in self.sessions.items():
            if of in {None, session_id} and session.plays.pop(play_id, None) is not None:
                self._sink(PlayFinished(session_id, play_id, reason))
                return
        raise KeyError(play_id)

    def press(self, leg_id: str, digit: str) -> None:
        """Press a digit on a leg; prompts that allow it stop at once."""
        session_id = self._session_of(leg_id)
        self._sink(DigitPressed(session_id, leg_id, digit, self.sessions[session_id].legs[leg_id].is_secured))
        session = self.sessions.get(session_id)
        if session is not None:
            for play_id in [key for key, play in session.plays.items() if play.leg_id == leg_id and play.barge_in]:
                self.finish_play(play_id, "barge_in", of=session_id)

    def fall_silent(self, leg_id: str) -> None:
        """Let a leg's stream stop for the timeout."""
        self._sink(LegSilent(self._session_of(leg_id), leg_id))

    def turn_quality(self, leg_id: str, *, mos: float, loss_percent: float, is_poor: bool = True) -> None:
        """Let a leg's stream begin to sound poor, or fine again."""
        session_id = self._session_of(leg_id)
        self._sink(LegQualityTurned(session_id, leg_id, is_poor, mos, loss_percent, 5.0, None))

    def strand(self, session_id: str) -> None:
        """Let what every leg of a session sends to be gone."""
        self._sink(LegsStranded(session_id, tuple(self.sessions[session_id].legs)))

    def lose(self, session_id: str) -> None:
        """Lose a session."""
        session = self.sessions.pop(session_id)
        self._end_recordings(session_id, session, truncated="interrupted")
        for play_id in session.plays:
            self._sink(PlayFinished(session_id, play_id, "failed"))
        self._sink(SessionLost(session_id))

    def playing(self, leg_id: str) -> list[tuple[str, ...]]:
        """The paths of what a leg is played now."""
        return [
            play.paths for session in self.sessions.values() for play in session.plays.values() if play.leg_id == leg_id
        ]

    def plays(self, leg_id: str) -> list[str]:
        """The play ids of what a leg is played now."""
        return [
            key for session in self.sessions.values() for key, play in session.plays.items() if play.leg_id == leg_id
        ]

    def hears(self, source: str, destination: str) -> bool:
        """Whether a route leads from one leg to another."""
        return any(
            (route.source, route.destination) == (source, destination)
            for session in self.sessions.values()
            for route in session.routes
        )

    def recording(self, session_id: str) -> dict[str, FakeRecording]:
        """The recordings of a session that are not over."""
        session = self.sessions.get(session_id)
        return {} if session is None else session.recordings

    # The port.

    async def create(self, session_id: str) -> None:
        self._order("create", session_id)
        if session_id in self.sessions:
            raise MediaError("the session exists")
        self.sessions[session_id] = FakeSession()

    async def answer_offer(self, session_id: str, leg_id: str, sdp: str, profile: LegProfile) -> str:
        self._order("answer_offer", session_id, leg_id)
        session = self._session(session_id)
        offer = read_offer(sdp, encryption=profile.encryption or EncryptionPolicy.OPTIONAL)
        leg = self._leg(session, leg_id)
        leg.audio, leg.profile = offer.audio, profile
        key = None if offer.audio.crypto is None else _key(leg, offer.audio.crypto.key.suite)
        return build_answer(offer, LocalStream("127.0.0.1", leg.port, leg.port, 1), key=key)

    async def make_offer(self, session_id: str, leg_id: str, *, encryption: EncryptionPolicy | None = None) -> str:
        self._order("make_offer", session_id, leg_id)
        leg = self._leg(self._session(session_id), leg_id)
        is_sealed = encryption is EncryptionPolicy.REQUIRED or (leg.audio is not None and leg.audio.crypto is not None)
        leg.keys = tuple(_key(leg, suite) for suite in Suite) if is_sealed else ()
        return build_offer(LocalStream("127.0.0.1", leg.port, leg.port, 1), keys=leg.keys)

    async def accept_answer(self, session_id: str, leg_id: str, sdp: str, profile: LegProfile) -> None:
        self._order("accept_answer", session_id, leg_id)
        session = self._session(session_id)
        if leg_id not in session.legs:
            raise MediaError("no such leg")
        leg = session.legs[leg_id]
        leg.audio, leg.profile = read_answer(sdp, keys=leg.keys), profile

    async def remove_leg(self, session_id: str, leg_id: str) -> LegStatistics | None:
        self._order("remove_leg", session_id, leg_id)
        session = self.sessions.get(session_id)
        if session is None or session.legs.pop(leg_id, None) is None:
            return None
        session.routes = tuple(route for route in session.routes if leg_id not in (route.source, route.destination))
        for play_id in [key for key, play in session.plays.items() if play.leg_id == leg_id]:
            self.finish_play(play_id, "stopped", of=session_id)
        return self.statistics

    async def route(self, session_id: str, routes: Sequence[Route]) -> None:
        self._order("route", session_id, tuple(routes))
        session = self._session(session_id)
        if any(leg_id not in session.legs for route in routes for leg_id in (route.source, route.destination)):
            raise MediaError("a route names a leg that is not there")
        session.routes = tuple(routes)

    async def play(
        self,
        session_id: str,
        leg_id: str,
        play_id: str,
        paths: Sequence[str],
        *,
        loop: bool = False,
        barge_in: bool = False,
        duck_db: float | None = None,
    ) -> None:
        self._order("play", session_id, leg_id, play_id, tuple(paths))
        session = self._session(session_id)
        if leg_id not in session.legs:
            raise MediaError("no such leg")
        if play_id in session.plays:
            raise MediaError("the play id is in use")
        if duck_db is not None and not duck_db <= 0:
            raise MediaError("a play cannot make the others louder")
        session.plays[play_id] = FakePlay(leg_id, tuple(paths), loop, barge_in, duck_db)

    async def stop_play(self, session_id: str, play_id: str) -> None:
        self._order("stop_play", session_id, play_id)
        session = self.sessions.get(session_id)
        if session is not None and play_id in session.plays:
            self.finish_play(play_id, "stopped", of=session_id)

    async def send_digits(self, session_id: str, leg_id: str, digits: str) -> None:
        self._order("send_digits", session_id, leg_id, digits)
        leg = self._session(session_id).legs.get(leg_id)
        if leg is None or leg.audio is None or not digits or not set(digits) <= set(DIGITS):
            raise MediaError("no such leg, not described yet, or not digits")
        leg.digits += digits

    async def secure(self, session_id: str, leg_id: str, *, on: bool) -> None:
        self._order("secure", session_id, leg_id, on)
        leg = self._session(session_id).legs.get(leg_id)
        if leg is None:
            raise MediaError("no such leg")
        leg.is_secured = on

    async def record(
        self,
        session_id: str,
        recording_id: str,
        action: RecordingAction,
        *,
        left: str = "",
        right: str = "",
        retention: str = "standard",
    ) -> None:
        self._order("record", session_id, recording_id, action)
        if session_id not in self.sessions and action is RecordingAction.STOP:
            return
        session = self._session(session_id)
        recording = session.recordings.get(recording_id)
        match action:
            case RecordingAction.START if self.refuses_recordings:
                raise MediaError("there is no folder for recordings")
            case RecordingAction.START:
                if recording is not None or left == right or not {left, right or left} <= session.legs.keys():
                    raise MediaError("the recording exists, or a leg is not there")
                session.recordings[recording_id] = FakeRecording(left, right, retention)
            case RecordingAction.STOP if recording is not None:
                del session.recordings[recording_id]
                self._recording_sink(_finished(session_id, recording_id))
            case RecordingAction.STOP:
                pass
            case _ if recording is None:
                raise MediaError("no such recording")
            case _:
                recording.paused = action is RecordingAction.PAUSE

    async def destroy(self, session_id: str) -> Mapping[str, LegStatistics]:
        self._order("destroy", session_id)
        session = self.sessions.get(session_id)
        if session is None:
            return {}
        for play_id in [*session.plays]:
            self.finish_play(play_id, "stopped", of=session_id)
        self._end_recordings(session_id, session)
        del self.sessions[session_id]
        return dict.fromkeys(session.legs, self.statistics)

    def _end_recordings(self, session_id: str, session: FakeSession, truncated: str | None = None) -> None:
        for recording_id in session.recordings:
            self._recording_sink(_finished(session_id, recording_id, truncated))
        session.recordings.clear()

    def _order(self, name: str, *arguments: object) -> None:
        self.orders.append((name, arguments))
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal

    def _session(self, session_id: str) -> FakeSession:
        if session_id not in self.sessions:
            raise MediaError("no such session")
        return self.sessions[session_id]

    def _session_of(self, leg_id: str) -> str:
        return next(key for key, session in self.sessions.items() if leg_id in session.legs)

    def _leg(self, session: FakeSession, leg_id: str) -> FakeLeg:
        if leg_id not in session.legs:
            self._ports += 2
            session.legs[leg_id] = FakeLeg(self._ports)
        return session.legs[leg_id]


def _finished(session_id: str, recording_id: str, truncated: str | None = None) -> RecordingFinished:
    return RecordingFinished(session_id, recording_id, f"/recordings/{recording_id}.wav", "0" * 64, 1000, truncated)


def _key(leg: FakeLeg, suite: str) -> SrtpKey:
    return SrtpKey(suite, bytes([leg.port % 256]) * KEY_BYTES[Suite(suite)])
