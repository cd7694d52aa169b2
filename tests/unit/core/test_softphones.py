"""Phones in browsers, with a media edge and pages that a test plays: rings, answers, reloads, losses."""

import asyncio
import base64
import hashlib
import hmac
from dataclasses import dataclass, field

import pytest

from agent_console.softphone import (
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
from callcenter.media.sdp import LocalStream, build_offer, read_answer
from callcenter.media.webrtc.protocol import BrowserConnected, BrowserHeard, BrowserSilent, Greeted, WayOpened
from callcenter.media.webrtc.servers import IceServers
from callcenter.phones.softphones import AWAY_AFTER_SECONDS, CONNECT_SECONDS, LOST_AFTER_SECONDS, Softphones
from tests.support.virtual_time import FakeClock, in_virtual_time, pass_seconds

pytestmark = pytest.mark.unit

FINGERPRINT = ":".join(["AB"] * 32)
GREETED = Greeted(FINGERPRINT, (("203.0.113.7", 40_000),), "127.0.0.1", ())
OFFER = build_offer(LocalStream("127.0.0.1", 20_000, 1, 1))
ANSWER = f"""v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
m=audio 9 UDP/TLS/RTP/SAVPF 0 101
a=ice-ufrag:page
a=ice-pwd:{"p" * 24}
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:active
a=rtcp-mux
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
"""


@dataclass(slots=True)
class FakeEdge:
    """Keeps the orders; ``broken`` makes it refuse ways."""

    opened: list[tuple[str, str, int]] = field(default_factory=list)
    described: list[tuple[str, str]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    moved: list[tuple[str, tuple[str, int]]] = field(default_factory=list)
    broken: bool = False
    greeted: Greeted | None = GREETED

    async def open_way(self, leg_id: str, way_id: str, media: tuple[str, int], *, inner_port: int = 0) -> WayOpened:
        if self.broken:
            raise MediaError("no process serves browsers")
        assert media == ("127.0.0.1", 20_000)
        self.opened.append((leg_id, way_id, inner_port))
        return WayOpened(1, f"ufrag{len(self.opened)}", "p" * 32, 5_000)

    def describe(self, leg_id: str, way_id: str, *, ufrag: str, fingerprint: str, payload_type: int) -> None:
        assert (ufrag, fingerprint, payload_type) == ("page", FINGERPRINT, 0)
        self.described.append((leg_id, way_id))

    def move(self, leg_id: str, media: tuple[str, int]) -> None:
        self.moved.append((leg_id, media))

    def drop(self, leg_id: str) -> None:
        self.dropped.append(leg_id)


class Desk:
    """Softphones with everything around them in the hands of a test."""

    def __init__(self) -> None:
        self.edge = FakeEdge()
        self.events: list[LegEvent] = []
        self.presence: list[tuple[str, bool]] = []
        self.told: list[tuple[str, ToSoftphone]] = []
        self.phones = Softphones(
            clock=FakeClock(asyncio.get_running_loop()),
            edge=self.edge,
            sink=self.events.append,
            presence=lambda agent_id, present: self.presence.append((agent_id, present)),
            tell=lambda agent_id, phone_id, frame: self.told.append((f"{agent_id}/{phone_id}", frame)),
        )

    def ready(self, phone_id: str) -> None:
        self.phones.hear("anna", phone_id, SoftphoneReady(phone_id))

    def gone(self, phone_id: str) -> None:
        self.phones.hear("anna", phone_id, SoftphoneGone())

    def answer(self, phone_id: str, sdp: str = ANSWER) -> None:
        self.phones.hear("anna", phone_id, SoftphoneAnswer("leg", sdp))

    def offers(self) -> list[tuple[str, str]]:
        """Which page was offered what."""
        return [(page, frame.purpose) for page, frame in self.told if isinstance(frame, SoftphoneOffer)]

    async def ring(self) -> None:
        self.phones.invite("leg", "anna", sdp=OFFER)
        await pass_seconds(0.1)

    async def talk(self) -> None:
        """A call that is up at page p1."""
        self.ready("p1")
        await self.ring()
        self.answer("p1")
        self.phones.on_edge_event(BrowserConnected("leg", "p1.1"))
        await pass_seconds(0.1)
        self.events.clear()


@in_virtual_time
async def test_a_page_rings_and_its_answer_counts_once_audio_can_flow():
    desk = Desk()
    desk.ready("p1")
    assert desk.presence == [("anna", True)]
    assert desk.told[0] == ("anna/p1", SoftphoneWelcome(()))
    await desk.ring()
    assert desk.events == [LegRinging("leg")]
    assert desk.offers() == [("anna/p1", "ring")]
    desk.answer("p1")
    await pass_seconds(0.1)
    assert desk.events == [LegRinging("leg")], "not before the handshake"
    desk.phones.on_edge_event(BrowserConnected("leg", "p1.1"))
    await pass_seconds(0.1)
    answered = desk.events[-1]
    assert isinstance(answered, LegAnswered)
    assert (read_answer(answered.sdp).address, read_answer(answered.sdp).port) == ("127.0.0.1", 5_000)
    desk.phones.end("leg", EndCause.NORMAL)
    await pass_seconds(0.1)
    assert desk.events[-1] == LegEnded("leg", EndCause.NORMAL)
    assert desk.told[-1] == ("anna/p1", SoftphoneEnded("leg"))
    assert desk.edge.dropped == ["leg"]


@in_virtual_time
async def test_an_agent_without_a_page_is_refused_and_so_is_a_broken_edge():
    desk = Desk()
    await desk.ring()
    assert desk.events == [LegRefused("leg", 480, "no page has the phone")]
    desk.ready("p1")
    desk.edge.broken = True
    await desk.ring()
    assert desk.events[-1] == LegRefused("leg", 500, "no media for browsers")


@in_virtual_time
async def test_an_answer_that_cannot_work_and_audio_that_never_comes_refuse_the_leg():
    desk = Desk()
    desk.ready("p1")
    await desk.ring()
    desk.answer("p1", ANSWER.replace("active", "passive"))
    await pass_seconds(0.1)
    assert desk.events[-1] == LegRefused("leg", 488, "no common codec")
    await desk.ring()
    desk.answer("p1")
    await pass_seconds(CONNECT_SECONDS + 1)
    assert desk.events[-1] == LegRefused("leg", 480, "no audio path to the browser")


@in_virtual_time
async def test_a_page_reloaded_in_mid_call_is_offered_a_new_way_and_the_calls_never_notice():
    desk = Desk()
    await desk.talk()
    desk.gone("p1")
    desk.phones.on_edge_event(BrowserSilent("leg"))
    await pass_seconds(1.5)
    desk.ready("p2")
    await pass_seconds(0.1)
    assert desk.offers()[-1] == ("anna/p2", "attach")
    assert desk.edge.opened[-1] == ("leg", "p2.2", 5_000)
    desk.answer("p2")
    assert desk.edge.described[-1] == ("leg", "p2.2")
    desk.phones.on_edge_event(BrowserConnected("leg", "p2.2"))
    await pass_seconds(LOST_AFTER_SECONDS * 2)
    assert desk.events == []
    assert desk.presence == [("anna", True)], "a reload is no absence"


@in_virtual_time
async def test_a_silent_page_that_is_there_is_offered_other_paths_until_it_is_heard():
    desk = Desk()
    await desk.talk()
    desk.phones.on_edge_event(BrowserSilent("leg"))
    await pass_seconds(5)
    assert desk.offers()[1:] == [("anna/p1", "restart")] * 2
    assert {way for _, way, _ in desk.edge.opened} == {"p1.1"}
    desk.phones.on_edge_event(BrowserHeard("leg", 2_300))
    await pass_seconds(LOST_AFTER_SECONDS * 2)
    assert len(desk.offers()) == 3
    assert desk.events == [LegGapEnded("leg", 2_300)], "the call learns how long it was, and nothing else"


@in_virtual_time
async def test_a_page_is_offered_its_way_back_well_within_three_seconds_however_it_was_lost():
    """Reloaded: in the moment it reports. Its network changed: a second after the second of silence, if it does not
    ask by itself. What comes of it is told to the call with the length of the gap."""
    desk = Desk()
    await desk.talk()
    loop = asyncio.get_running_loop()

    desk.gone("p1")
    lost = loop.time()
    desk.ready("p2")
    await pass_seconds(0.1)
    assert desk.offers()[-1] == ("anna/p2", "attach")
    assert loop.time() - lost < 0.2
    desk.answer("p2")
    desk.phones.on_edge_event(BrowserConnected("leg", "p2.2"))

    lost = loop.time()
    offers = len(desk.offers())
    await pass_seconds(1.0)
    desk.phones.on_edge_event(BrowserSilent("leg"))
    while len(desk.offers()) == offers:
        await pass_seconds(0.1)
    assert desk.offers()[-1] == ("anna/p2", "restart")
    assert loop.time() - lost < 2.2

    desk.phones.on_edge_event(BrowserHeard("leg", 2_150))
    await pass_seconds(0.1)
    assert desk.events == [LegGapEnded("leg", 2_150)]


@in_virtual_time
async def test_a_page_that_never_comes_back_loses_the_leg():
    desk = Desk()
    await desk.talk()
    desk.gone("p1")
    desk.phones.on_edge_event(BrowserSilent("leg"))
    await pass_seconds(LOST_AFTER_SECONDS - 1)
    assert desk.events == []
    assert desk.presence[-1] == ("anna", False)
    await pass_seconds(2)
    assert desk.events == [LegEnded("leg", EndCause.MEDIA_LOST, "nothing came from the browser")]


@in_virtual_time
async def test_a_page_away_while_it_rings_gets_the_ring_again_or_the_leg_is_refused():
    desk = Desk()
    desk.ready("p1")
    await desk.ring()
    desk.gone("p1")
    desk.ready("p2")
    await pass_seconds(0.1)
    assert desk.offers() == [("anna/p1", "ring"), ("anna/p2", "ring")]
    desk.gone("p2")
    await pass_seconds(AWAY_AFTER_SECONDS + 1)
    assert desk.events == [LegRinging("leg"), LegRefused("leg", 480, "the page is gone")]


@in_virtual_time
async def test_the_newest_page_has_the_phone_and_others_cannot_speak_for_its_legs():
    desk = Desk()
    await desk.talk()
    desk.ready("p2")
    await pass_seconds(0.1)
    assert ("anna/p1", SoftphoneReplaced()) in desk.told
    desk.answer("p1")
    desk.phones.hear("ben", "p9", SoftphoneAnswer("leg", ANSWER))
    assert [way for _, way in desk.edge.described] == ["p1.1"]
    desk.phones.hear("anna", "p2", SoftphoneReconnect("long-gone"))
    assert desk.told[-1] == ("anna/p2", SoftphoneEnded("long-gone"))


@in_virtual_time
async def test_a_page_may_ask_for_another_path_or_for_a_beginning_from_nothing():
    desk = Desk()
    await desk.talk()
    for fresh in (False, True):
        desk.phones.hear("anna", "p1", SoftphoneReconnect("leg", fresh))
        await pass_seconds(0.1)
    assert desk.offers()[1:] == [("anna/p1", "restart"), ("anna/p1", "attach")]
    assert [way for _, way, _ in desk.edge.opened] == ["p1.1", "p1.1", "p1.2"]


@in_virtual_time
async def test_a_new_edge_process_gets_its_legs_anew_and_the_web_process_may_go():
    desk = Desk()
    await desk.talk()
    desk.phones.on_edge_return(frozenset({"leg"}))
    await pass_seconds(0.1)
    assert len(desk.offers()) == 1
    desk.phones.on_edge_return(frozenset())
    await pass_seconds(0.1)
    assert desk.offers()[1:] == [("anna/p1", "attach")]
    desk.phones.on_edge_event(BrowserConnected("leg", "p1.2"))
    desk.phones.all_leave()
    await pass_seconds(3)
    desk.ready("p1")
    await pass_seconds(LOST_AFTER_SECONDS * 2)
    assert ("anna", False) not in desk.presence
    assert len(desk.offers()) == 2, "audio flowed all the time"
    assert desk.events == []


@in_virtual_time
async def test_nobody_is_reachable_in_a_browser_before_there_is_media_for_browsers():
    desk = Desk()
    desk.edge.greeted = None
    desk.ready("p1")
    assert not desk.phones.reachable("anna")
    desk.presence.clear()
    desk.edge.greeted = GREETED
    desk.phones.on_edge_return(frozenset())
    assert desk.phones.reachable("anna")
    assert desk.presence == [("anna", True)]


@in_virtual_time
async def test_a_new_description_of_the_plane_is_answered_without_the_browser():
    desk = Desk()
    await desk.talk()
    desk.phones.reoffer("leg", OFFER)
    await pass_seconds(0.1)
    (event,) = desk.events
    assert isinstance(event, LegReanswered)
    assert read_answer(event.sdp).port == 5_000
    assert desk.edge.moved == []
    desk.phones.reoffer("leg", OFFER.replace("m=audio 20000", "m=audio 20444"))
    assert desk.edge.moved == [("leg", ("127.0.0.1", 20_444))], "the edge is told where the plane is now"
    await desk.phones.stop()


def test_turn_passwords_are_for_one_agent_and_one_shift():
    servers = IceServers(("stun:stun.example.net",), ("turns:turn.example.net:443",), b"secret")
    stun, turn = servers.for_agent("anna", now=1_000_000)
    assert stun.urls == ("stun:stun.example.net",)
    assert turn.username == f"{1000 + 12 * 3600}:anna"
    expected = hmac.new(b"secret", turn.username.encode(), hashlib.sha1).digest()
    assert turn.credential == base64.b64encode(expected).decode()
    assert IceServers().for_agent("anna", now=0) == ()
