"""The media plane as the exchange uses it: describes sessions to ``mediad`` and tells the sink what happens there."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from callcenter.chance import random_hex
from callcenter.errors import MediaError
from callcenter.media.describing import LegDescriptions
from callcenter.media.news import leg_event, recording_event, statistics
from callcenter.media.orders import OrderLine
from callcenter.media.protocol import (
    DropSession,
    MediaStatus,
    OrderRefused,
    PlayEnded,
    PlaySpec,
    PortsGranted,
    Reply,
    RouteSpec,
    SessionGone,
)
from callcenter.media.putting import SessionOrders
from callcenter.media.session import PlaneSession, started
from callcenter.media.stock import PortStock
from callcenter.media.telephone_event import DIGITS
from callcenter.ports import (
    EncryptionPolicy,
    LegProfile,
    LegStatistics,
    MediaEvent,
    PlayFinished,
    RecordingAction,
    RecordingEvent,
    Route,
    SessionLost,
)

log = structlog.get_logger(__name__)


class EmbeddedMediaPlane:
    """Implements ``callcenter.ports.MediaPlane`` over the control socket of a ``mediad``.

    ``sink`` gets media events in the event loop and must not raise; ``recording_sink`` gets what is told of recordings,
    also of sessions that are gone and of recordings that a former ``mediad`` could not finish. ``once_safe`` lets
    orders leave, see ``callcenter.ports.Journal``. Only recording, masking and closing wait for media, and that for
    ``request_timeout`` seconds, then ``MediaError``. A session of which something else is refused is lost.
    """

    def __init__(
        self,
        socket_path: str | Path,
        sink: Callable[[MediaEvent], None],
        *,
        recording_sink: Callable[[RecordingEvent], None] | None = None,
        request_timeout: float = 2.0,
        encryption: EncryptionPolicy = EncryptionPolicy.OPTIONAL,
        once_safe: Callable[[Callable[[], None]], None] = lambda act: act(),
    ) -> None:
        self._sink = sink
        self._recording_sink = recording_sink or (lambda _: None)
        self._sessions: dict[str, PlaneSession] = {}
        self._stock = PortStock()
        self._line = OrderLine(
            str(socket_path),
            epoch=time.time_ns() // 1_000_000,
            timeout=request_timeout,
            on_report=self._hear,
            on_welcome=self._reconcile,
        )
        self._orders = SessionOrders(self._line, once_safe, timeout=request_timeout)
        self._descriptions = LegDescriptions(self._line, self._orders, self._stock, encryption=encryption)

    @property
    def connected(self) -> bool:
        """Whether a ``mediad`` is there."""
        return self._line.connected

    async def start(self, *, patience: float = 5.0) -> None:
        """Connect, and connect again whenever that is needed.

        Waits ``patience`` seconds for a ``mediad``; without one, orders raise ``MediaError`` until it comes.
        """
        self._line.start()
        try:
            await self._line.ready(patience)
        except MediaError:
            log.warning("media.absent")

    async def ready(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - the caller says how long it can wait
        """Wait until a ``mediad`` is connected. Raises ``MediaError`` when none comes in time (seconds)."""
        await self._line.ready(timeout)

    async def stop(self) -> None:
        """Disconnect. Sessions that were not destroyed live on for the grace time of ``mediad``."""
        await self._line.close()

    async def status(self) -> MediaStatus:
        """Ports, workers and load. Raises ``MediaError`` when media is absent."""
        return await self._line.ask_status()

    async def create(self, session_id: str) -> None:
        """See ``MediaPlane.create``. Raises ``MediaError`` also for a session that exists."""
        if session_id in self._sessions:
            raise MediaError("the session exists")
        self._sessions[session_id] = session = PlaneSession(session_id)
        if self._stock.is_open:
            self._orders.post(session)
            return
        try:
            await self._orders.put(session)
        except BaseException:
            self._sessions.pop(session_id, None)
            raise

    async def answer_offer(self, session_id: str, leg_id: str, sdp: str, profile: LegProfile) -> str:
        """See ``MediaPlane.answer_offer``."""
        return await self._descriptions.answer_offer(self._session(session_id), leg_id, sdp, profile)

    async def make_offer(self, session_id: str, leg_id: str, *, encryption: EncryptionPolicy | None = None) -> str:
        """See ``MediaPlane.make_offer``."""
        return await self._descriptions.make_offer(self._session(session_id), leg_id, encryption=encryption)

    async def accept_answer(self, session_id: str, leg_id: str, sdp: str, profile: LegProfile) -> None:
        """See ``MediaPlane.accept_answer``."""
        await self._descriptions.accept_answer(self._session(session_id), leg_id, sdp, profile)

    async def remove_leg(self, session_id: str, leg_id: str) -> LegStatistics | None:
        """See ``MediaPlane.remove_leg``."""
        session = self._sessions.get(session_id)
        leg = session.legs.pop(leg_id, None) if session is not None else None
        if session is None or leg is None:
            return None
        session.routes = tuple(route for route in session.routes if leg_id not in (route.source, route.destination))
        stopped = [play_id for play_id, play in session.plays.items() if play.leg_id == leg_id]
        if leg_id not in session.told:
            self._stock.give_back(leg.port)
        with self._stopping(session, stopped):
            await self._orders.put(session)
        session.forget(leg_id)
        counts = session.closed.pop(leg_id, None)
        return None if counts is None else statistics(counts, leg)

    async def route(self, session_id: str, routes: Sequence[Route]) -> None:
        """See ``MediaPlane.route``. Raises ``MediaError`` for a leg that is not there."""
        session = self._session(session_id)
        if any(leg_id not in session.legs for route in routes for leg_id in (route.source, route.destination)):
            raise MediaError("a route names a leg that is not there")
        session.routes = tuple(RouteSpec(route.source, route.destination, route.gain_db) for route in routes)
        self._orders.post(session)

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
        """See ``MediaPlane.play``. A file that cannot be played ends the play with ``failed``."""
        if duck_db is not None and not duck_db <= 0:
            raise MediaError("a play cannot make the others louder")
        session = self._session(session_id)
        if leg_id not in session.legs:
            raise MediaError("no such leg")
        if play_id in session.plays:
            raise MediaError("the play id is in use")
        session.plays[play_id] = PlaySpec(play_id, leg_id, tuple(paths), loop, barge_in, duck_db)
        self._orders.post(session)

    async def send_digits(self, session_id: str, leg_id: str, digits: str) -> None:
        """See ``MediaPlane.send_digits``."""
        session = self._session(session_id)
        if not digits or not set(digits) <= set(DIGITS):
            raise MediaError("not digits")
        if leg_id not in session.legs or session.legs[leg_id].remote is None:
            raise MediaError("no such leg, or not described yet")
        play_id = f"digits-{random_hex(8)}"
        session.plays[play_id] = PlaySpec(play_id, leg_id, (), digits=digits)
        self._orders.post(session)

    async def secure(self, session_id: str, leg_id: str, *, on: bool) -> None:
        """See ``MediaPlane.secure``. An order to begin that raised must be taken as not done."""
        session = self._session(session_id)
        leg = session.legs.get(leg_id)
        if leg is None:
            raise MediaError("no such leg")

        def mask(on: bool) -> None:
            if leg_id in session.legs:
                session.legs[leg_id] = msgspec.structs.replace(session.legs[leg_id], masked=on)

        mask(on)
        await self._orders.put_or_undo(session, lambda: mask(leg.masked))

    async def stop_play(self, session_id: str, play_id: str) -> None:
        """See ``MediaPlane.stop_play``."""
        session = self._sessions.get(session_id)
        if session is not None and play_id in session.plays:
            with self._stopping(session, [play_id]):
                self._orders.post(session)

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
        """See ``MediaPlane.record``. A pause that raised may still have been carried out."""
        session = self._sessions.get(session_id)
        if session is None and action is RecordingAction.STOP:
            return
        session = self._session(session_id)
        before = session.recordings.get(recording_id)
        if action is RecordingAction.STOP:
            if session.recordings.pop(recording_id, None) is not None:
                await self._orders.put(session)
            return
        if action is RecordingAction.START:
            session.recordings[recording_id] = started(session, recording_id, left, right, retention)
        elif before is None:
            raise MediaError("no such recording")
        else:
            session.recordings[recording_id] = msgspec.structs.replace(before, paused=action is RecordingAction.PAUSE)

        def undo() -> None:
            if before is None:
                session.recordings.pop(recording_id, None)
            elif action is RecordingAction.RESUME and recording_id in session.recordings:
                session.recordings[recording_id] = before

        await self._orders.put_or_undo(session, undo)

    async def destroy(self, session_id: str) -> Mapping[str, LegStatistics]:
        """See ``MediaPlane.destroy``."""
        session = self._sessions.pop(session_id, None)
        if session is None:
            return {}
        for leg_id in session.legs.keys() - session.told:
            self._stock.give_back(session.legs[leg_id].port)
        with self._stopping(session, [*session.plays]):
            reply = await self._orders.drop(session)
        closed = {**session.closed, **reply.closed}
        return {leg_id: statistics(counts, session.legs.get(leg_id)) for leg_id, counts in closed.items()}

    def _session(self, session_id: str) -> PlaneSession:
        try:
            return self._sessions[session_id]
        except KeyError:
            raise MediaError("no such session") from None

    @contextlib.contextmanager
    def _stopping(self, session: PlaneSession, play_ids: Sequence[str]) -> Iterator[None]:
        """Take plays out of the session and tell their end when the order inside is done, however it went."""
        plays = [session.plays.pop(play_id) for play_id in play_ids]
        told = [play.play_id for play in plays if not play.digits]
        try:
            yield
        finally:
            for play_id in told:
                self._sink(PlayFinished(session.session_id, play_id, "stopped"))

    def _hear(self, report: Reply) -> None:
        """Something happened in a session that we hold; news of other sessions come too late and are dropped."""
        match report:
            case PortsGranted():
                self._stock.hear(report)
            case PlayEnded(session_id, play_id, reason) if session_id in self._sessions:
                play = self._sessions[session_id].plays.pop(play_id, None)
                if play is not None and not play.digits:
                    self._sink(PlayFinished(session_id, play_id, reason))
            case SessionGone(session_id):
                self._lose(session_id)
            case OrderRefused(session_id=session_id, text=text):
                self._give_up(session_id, text)
            case _:
                event, recorded = leg_event(report), recording_event(report)
                if event is not None and event.session_id in self._sessions:
                    self._sink(event)
                if recorded is not None:
                    self._recording_sink(recorded)

    def _reconcile(self, alive: frozenset[str]) -> None:
        """A connection begins, or there is none: sessions not alive are lost, the others are described again."""
        self._stock.clear()
        for session_id, session in [*self._sessions.items()]:
            if session_id not in alive:
                self._lose(session_id)
                continue
            self._orders.post(session)

    def _give_up(self, session_id: str, error: str) -> None:
        """What nobody waited for was refused: the session is not what it should be."""
        if session_id not in self._sessions:
            return
        log.error("media.order_refused", session_id=session_id, error=error)
        self._line.order(lambda request: DropSession(request, session_id), lambda _: None)
        self._lose(session_id)

    def _lose(self, session_id: str) -> None:
        session = self._sessions.pop(session_id, None)
        if session is None:
            return
        session.close(MediaError("the session is lost"))
        log.error("media.session_lost", session_id=session_id)
        plays, session.plays = session.plays, {}
        for play_id in [play_id for play_id, play in plays.items() if not play.digits]:
            self._sink(PlayFinished(session_id, play_id, "failed"))
        self._sink(SessionLost(session_id))
