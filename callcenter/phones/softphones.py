"""Agents' phones in browsers: the ``Signalling`` orders for them, over the console's socket and the media edge.

To the calls a browser is one more phone: it is offered the plane's description, rings, answers and ends. What is
different stays here: a page may be reloaded or change its network in mid-call. Then its leg stays up, the customer
hears comfort tone, and the page is offered a new way; only when it stays away for the grace time the leg is lost.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import structlog

from agent_console.softphone import (
    FromSoftphone,
    SoftphoneAnswer,
    SoftphoneEnded,
    SoftphoneGone,
    SoftphoneOffer,
    SoftphoneReady,
    SoftphoneReconnect,
    SoftphoneReplaced,
    SoftphoneWelcome,
    ToSoftphone,
)
from callcenter.calls.legs import (
    EndCause,
    LegAnswered,
    LegEnded,
    LegEvent,
    LegGapEnded,
    LegReanswered,
    LegRefused,
    LegRinging,
)
from callcenter.errors import MediaError
from callcenter.media.webrtc.description import (
    PlainStream,
    WayIn,
    browser_offer,
    plain_answer,
    read_browser_answer,
    read_plain,
    with_opus,
)
from callcenter.media.webrtc.edge import EdgeEvent
from callcenter.media.webrtc.protocol import BrowserConnected, BrowserHeard, BrowserSilent, Greeted, WayOpened
from callcenter.media.webrtc.servers import IceServers
from callcenter.ports import Clock

log = structlog.get_logger(__name__)

LOST_AFTER_SECONDS = 30.0
"""How long a browser may be silent in a call before the leg counts as lost."""
AWAY_AFTER_SECONDS = 8.0
"""How long a page may be away before the agent counts as unreachable: a reload takes less."""
CONNECT_SECONDS = 10.0
"""From the agent's accepting to audio."""
RESTART_AFTER_SECONDS = 1.0
"""Silence told is a second old already; then the page is offered another way."""
RESTART_EVERY_SECONDS = 2.5
"""And again as often as this: what is back is found within three seconds, and a slow relay has the time it takes."""


class Edge(Protocol):
    """The media edge, as far as it is needed here (``media.webrtc.edge.BrowserEdge``)."""

    @property
    def greeted(self) -> Greeted | None:
        """What the process said of itself last."""
        ...

    async def open_way(self, leg_id: str, way_id: str, media: tuple[str, int], *, inner_port: int = 0) -> WayOpened:
        """Make a way for a page, or restart its ICE. Raises ``MediaError``."""
        ...

    def describe(self, leg_id: str, way_id: str, *, ufrag: str, fingerprint: str, payload_type: int) -> None:
        """Pass a browser's answer on."""
        ...

    def move(self, leg_id: str, media: tuple[str, int]) -> None:
        """The plane's RTP socket of this leg is another one now."""
        ...

    def drop(self, leg_id: str) -> None:
        """Close a leg."""
        ...


class _State(StrEnum):
    RINGING = "ringing"
    CONNECTING = "connecting"
    UP = "up"


@dataclass(slots=True)
class _Leg:
    leg_id: str
    agent_id: str
    stream: PlainStream
    state: _State = _State.RINGING
    phone_id: str = ""
    """The page it was offered to last."""
    way_id: str = ""
    ways: int = 0
    inner_port: int = 0
    version: int = 0
    answer: str = ""
    """The plain answer, once there is one."""
    silent: bool = False
    has_rung: bool = False
    timer: asyncio.TimerHandle | None = None
    """Until the leg counts as lost, or as not to be connected."""
    prod: asyncio.TimerHandle | None = None
    """Until a silent page is offered another way."""

    def calm(self) -> None:
        """Stop the timers."""
        for timer in (self.timer, self.prod):
            if timer is not None:
                timer.cancel()
        self.timer = self.prod = None


@dataclass(slots=True)
class _Phone:
    phone_id: str
    present: bool = True
    timer: asyncio.TimerHandle | None = None


class Softphones:
    """``sink`` gets leg events; ``presence`` which agents have a phone in a browser; ``tell`` reaches the pages."""

    def __init__(
        self,
        *,
        clock: Clock,
        edge: Edge,
        sink: Callable[[LegEvent], None],
        presence: Callable[[str, bool], None],
        tell: Callable[[str, str, ToSoftphone], None],
        servers: IceServers | None = None,
        opus: bool = False,
    ) -> None:
        """``opus``: offer it to pages of wideband calls; the media plane must be able to take it."""
        self._clock, self._edge, self._sink = clock, edge, sink
        self._presence, self._tell = presence, tell
        self._servers = servers or IceServers()
        self._opus = opus
        self._phones: dict[str, _Phone] = {}
        self._legs: dict[str, _Leg] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def reachable(self, agent_id: str) -> bool:
        """Whether a page of this agent takes calls, or was there a moment ago, and there is media for it at all."""
        return agent_id in self._phones and self._edge.greeted is not None

    def has(self, leg_id: str) -> bool:
        """Whether this leg is one of ours."""
        return leg_id in self._legs

    async def stop(self) -> None:
        """End every leg and forget every phone."""
        for leg_id in [*self._legs]:
            self.end(leg_id, EndCause.SHUTDOWN)
        for phone in self._phones.values():
            if phone.timer is not None:
                phone.timer.cancel()
        self._phones.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Orders of the calls

    def invite(self, leg_id: str, agent_id: str, *, sdp: str) -> None:
        """Ring the agent's page."""
        try:
            stream = with_opus(read_plain(sdp)) if self._opus else read_plain(sdp)
        except MediaError as error:
            self._later(LegRefused(leg_id, 488, str(error)))
            return
        if agent_id not in self._phones:
            self._later(LegRefused(leg_id, 480, "no page has the phone"))
            return
        leg = self._legs[leg_id] = _Leg(leg_id, agent_id, stream)
        self._offer_if_present(leg)

    def reoffer(self, leg_id: str, sdp: str) -> None:
        """The plane changed its side: nothing of that concerns the browser, so the edge's answer stands; where the
        plane is found is for the edge."""
        leg = self._legs.get(leg_id)
        if leg is not None and leg.state is _State.UP:
            self._follow(leg, sdp)
            self._later(LegReanswered(leg_id, leg.answer, self._inner_host()))

    def end(self, leg_id: str, cause: EndCause) -> None:
        """End a leg in whatever state it is."""
        self._finish(leg_id, cause, "")

    def _follow(self, leg: _Leg, sdp: str) -> None:
        try:
            there = read_plain(sdp)
        except MediaError as error:
            log.warning("softphone.offer_not_followed", leg_id=leg.leg_id, error=str(error))
            return
        if (there.host, there.port) != (leg.stream.host, leg.stream.port):
            leg.stream = replace(leg.stream, host=there.host, port=there.port)
            self._edge.move(leg.leg_id, (there.host, there.port))

    # From the pages

    def hear(self, agent_id: str, phone_id: str, frame: FromSoftphone) -> None:
        """A page said this."""
        match frame:
            case SoftphoneReady():
                self._arrive(agent_id, phone_id)
            case SoftphoneGone():
                self._leave(agent_id, phone_id)
            case SoftphoneAnswer(leg_id=leg_id, sdp=sdp):
                leg = self._leg_of(agent_id, phone_id, leg_id)
                if leg is not None:
                    self._take_answer(leg, sdp)
            case SoftphoneReconnect(leg_id=leg_id, fresh=fresh):
                leg = self._leg_of(agent_id, phone_id, leg_id)
                if leg is not None and leg.state is not _State.RINGING:
                    self._spawn(self._offer(leg, fresh=fresh))

    def all_leave(self) -> None:
        """The web process is gone, and with it every page's socket."""
        for agent_id, phone in [*self._phones.items()]:
            self._leave(agent_id, phone.phone_id)

    def _arrive(self, agent_id: str, phone_id: str) -> None:
        known = self._phones.get(agent_id)
        if known is not None:
            if known.timer is not None:
                known.timer.cancel()
            if known.present and known.phone_id != phone_id:
                self._tell(agent_id, known.phone_id, SoftphoneReplaced())
        self._phones[agent_id] = _Phone(phone_id)
        servers = self._servers.for_agent(agent_id, now=self._clock.now())
        self._tell(agent_id, phone_id, SoftphoneWelcome(servers))
        if known is None:
            self._presence(agent_id, True)
        for leg in [*self._legs.values()]:
            if leg.agent_id == agent_id and (leg.phone_id != phone_id or leg.silent or leg.state is _State.RINGING):
                self._spawn(self._offer(leg, fresh=leg.phone_id != phone_id))

    def _leave(self, agent_id: str, phone_id: str) -> None:
        phone = self._phones.get(agent_id)
        if phone is None or phone.phone_id != phone_id or not phone.present:
            return
        phone.present = False
        phone.timer = asyncio.get_running_loop().call_later(AWAY_AFTER_SECONDS, self._forget, agent_id)

    def _forget(self, agent_id: str) -> None:
        self._phones.pop(agent_id, None)
        for leg in [*self._legs.values()]:
            if leg.agent_id == agent_id and leg.state is not _State.UP:
                self._finish(leg.leg_id, EndCause.NO_ANSWER, "the page is gone", status=480)
        self._presence(agent_id, False)

    def _leg_of(self, agent_id: str, phone_id: str, leg_id: str) -> _Leg | None:
        """The leg, when this page may speak for it; one that is over is told so again."""
        leg = self._legs.get(leg_id)
        if leg is None:
            self._tell(agent_id, phone_id, SoftphoneEnded(leg_id))
            return None
        return leg if (leg.agent_id, leg.phone_id) == (agent_id, phone_id) else None

    def _take_answer(self, leg: _Leg, sdp: str) -> None:
        try:
            answer = read_browser_answer(sdp, leg.stream.formats)
        except MediaError as error:
            log.warning("softphone.answer_refused", leg_id=leg.leg_id, error=str(error))
            if leg.state is not _State.UP:
                self._finish(leg.leg_id, EndCause.NOT_ACCEPTABLE, "no common codec", status=488)
            return
        self._edge.describe(
            leg.leg_id,
            leg.way_id,
            ufrag=answer.ufrag,
            fingerprint=answer.fingerprint,
            payload_type=answer.payload_type,
        )
        leg.answer = plain_answer(answer, host=self._inner_host(), port=leg.inner_port)
        if leg.state is _State.RINGING:
            leg.state = _State.CONNECTING
            self._set_timer(leg, CONNECT_SECONDS, EndCause.MEDIA_LOST, "no audio path to the browser")

    # From the edge

    def on_edge_event(self, event: EdgeEvent) -> None:
        """What the media edge tells of a leg."""
        leg = self._legs.get(event.leg_id)
        if leg is None:
            return
        match event:
            case BrowserConnected() if leg.state is _State.CONNECTING:
                leg.calm()
                leg.state = _State.UP
                self._later(LegAnswered(leg.leg_id, leg.answer, self._inner_host()))
            case BrowserConnected() | BrowserHeard():
                leg.silent = False
                leg.calm()
                if isinstance(event, BrowserHeard) and leg.state is _State.UP and event.gap_ms:
                    log.info("softphone.back", leg_id=leg.leg_id, agent_id=leg.agent_id, gap_ms=event.gap_ms)
                    self._later(LegGapEnded(leg.leg_id, event.gap_ms))
            case BrowserSilent():
                self._miss(leg)

    def on_edge_return(self, alive: frozenset[str]) -> None:
        """A connection to the edge begins: what is not alive there needs a new way."""
        for agent_id in self._phones:
            self._presence(agent_id, True)
        for leg in [*self._legs.values()]:
            if leg.leg_id in alive:
                continue
            if leg.state is _State.UP:
                self._miss(leg)
            self._offer_if_present(leg, fresh=True)

    def _miss(self, leg: _Leg) -> None:
        leg.silent = True
        log.info("softphone.silent", leg_id=leg.leg_id, agent_id=leg.agent_id)
        self._set_timer(leg, LOST_AFTER_SECONDS, EndCause.MEDIA_LOST, "nothing came from the browser")
        self._prod(leg, RESTART_AFTER_SECONDS)

    def _prod(self, leg: _Leg, seconds: float) -> None:
        leg.prod = asyncio.get_running_loop().call_later(seconds, self._offer_again, leg)

    def _offer_again(self, leg: _Leg) -> None:
        if leg.silent and leg.leg_id in self._legs:
            self._offer_if_present(leg)
            self._prod(leg, RESTART_EVERY_SECONDS)

    # Inside

    def _offer_if_present(self, leg: _Leg, *, fresh: bool = False) -> None:
        phone = self._phones.get(leg.agent_id)
        if phone is not None and phone.present:
            self._spawn(self._offer(leg, fresh=fresh))

    async def _offer(self, leg: _Leg, *, fresh: bool) -> None:
        """Open a way for the agent's present page and describe it there."""
        phone = self._phones.get(leg.agent_id)
        if phone is None or leg.leg_id not in self._legs:
            return
        restarts = leg.way_id != "" and leg.phone_id == phone.phone_id and not fresh and leg.state is not _State.RINGING
        if not restarts:
            leg.ways += 1
            leg.way_id, leg.phone_id = f"{phone.phone_id}.{leg.ways}", phone.phone_id
        way_id, media = leg.way_id, (leg.stream.host, leg.stream.port)
        try:
            way = await self._edge.open_way(leg.leg_id, way_id, media, inner_port=leg.inner_port)
        except MediaError as error:
            log.warning("softphone.no_way", leg_id=leg.leg_id, error=str(error))
            if leg.state is not _State.UP:
                self._finish(leg.leg_id, EndCause.ERROR, "no media for browsers", status=500)
            return
        greeted = self._edge.greeted
        if leg.leg_id not in self._legs:
            self._edge.drop(leg.leg_id)
            return
        if greeted is None or leg.way_id != way_id:
            return
        leg.inner_port = way.inner_port
        leg.version += 1
        where = WayIn(way.ufrag, way.password, greeted.fingerprint, greeted.addresses)
        sdp = browser_offer(leg.stream, where, sdp_session_id=secrets.randbits(31), version=leg.version)
        ringing = leg.state is _State.RINGING
        purpose = "ring" if ringing else "restart" if restarts else "attach"
        self._tell(leg.agent_id, leg.phone_id, SoftphoneOffer(leg.leg_id, purpose, sdp))
        if ringing and not leg.has_rung:
            leg.has_rung = True
            self._later(LegRinging(leg.leg_id))

    def _finish(self, leg_id: str, cause: EndCause, reason: str, *, status: int = 487) -> None:
        leg = self._legs.pop(leg_id, None)
        if leg is None:
            return
        leg.calm()
        self._edge.drop(leg_id)
        if leg.phone_id:
            self._tell(leg.agent_id, leg.phone_id, SoftphoneEnded(leg_id))
        if leg.state is _State.UP:
            self._later(LegEnded(leg_id, cause, reason))
        else:
            self._later(LegRefused(leg_id, status, reason or str(cause)))

    def _set_timer(self, leg: _Leg, seconds: float, cause: EndCause, reason: str) -> None:
        leg.calm()
        loop = asyncio.get_running_loop()
        leg.timer = loop.call_later(seconds, lambda: self._finish(leg.leg_id, cause, reason, status=480))

    def _inner_host(self) -> str:
        greeted = self._edge.greeted
        return "127.0.0.1" if greeted is None else greeted.inner_host

    def _later(self, event: LegEvent) -> None:
        """Tell it after the order that caused it has returned."""
        asyncio.get_running_loop().call_soon(self._sink, event)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="softphone")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
