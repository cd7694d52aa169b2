"""rtpengine in front of the embedded plane: the same contract and sounds, no stranger heard, nothing left over."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from callcenter.errors import MediaError
from callcenter.media.audio import tone, write_wav
from callcenter.media.endpoint import RtpEndpoint
from callcenter.media.plane import EmbeddedMediaPlane
from callcenter.media.rtpengine import RtpenginePlane, RtpengineSettings
from callcenter.ports import DigitPressed, LegsStranded, Route
from tests.support.media_contract import OFFER, PROFILE, EventSink, MediaPlaneContract, PlaneUnderTest
from tests.support.rtp_stranger import STRANGER_HZ, Stranger
from tests.support.rtpengine_process import RtpengineHouse, calls_at, fresh_plane, rtpengine_house, running_rtpengine
from tests.support.waiting import until

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RtpengineHouse]:
    async with rtpengine_house("--recordings", str(tmp_path_factory.mktemp("rec"))) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def media(house: RtpengineHouse) -> AsyncIterator[tuple[RtpenginePlane, EventSink]]:
    async with fresh_plane(house) as (plane, sink):
        yield plane, sink


class TestRtpengineInFront(MediaPlaneContract):
    @pytest_asyncio.fixture(loop_scope="module")
    async def plane(self, media: tuple[RtpenginePlane, EventSink], tmp_path: Path) -> PlaneUnderTest:
        path = tmp_path / "music.wav"
        path.write_bytes(write_wav(tone(1500, 10.0)))
        return *media, str(path)


async def test_both_hear_each_other_through_it_digits_are_told_and_a_stranger_is_not_heard(
    house: RtpengineHouse, media: tuple[RtpenginePlane, EventSink]
):
    plane, sink = media
    before = await calls_at(house.control)
    await plane.create("s")
    caller, agent = await RtpEndpoint.open(), await RtpEndpoint.open()
    answered = await plane.answer_offer("s", "caller", caller.sdp_offer(), PROFILE)
    caller.accept(answered)
    answer = agent.sdp_answer(await plane.make_offer("s", "agent"))
    await plane.accept_answer("s", "agent", answer, PROFILE)
    await plane.route("s", [Route("caller", "agent"), Route("agent", "caller")])
    assert caller.audio is not None
    assert caller.audio.port in house.edge_ports, "the far end talks to rtpengine, not to the worker"
    caller.start(440)
    agent.start(620)
    await caller.wait_heard(620, share=0.9)
    await agent.wait_heard(440, share=0.9)
    await caller.send_digits("7")
    await sink.wait(DigitPressed("s", "caller", "7"))

    stranger = await RtpEndpoint.open()
    stranger.accept(answered)
    stranger.start(1000)
    await stranger.send_digits("9")
    for _ in range(5):
        await agent.wait_frames(25)
        assert agent.heard_tone(1000) < 0.05
    await agent.wait_heard(440, share=0.9)
    assert DigitPressed("s", "caller", "9") not in sink.events
    await stranger.close()
    assert await calls_at(house.control) == before + 2
    await plane.destroy("s")
    await until("nothing is left", lambda: _calls_are(house, before))
    await caller.close()
    await agent.close()


async def test_a_flood_on_the_whole_range_is_heard_by_nobody_and_hears_nothing(
    house: RtpengineHouse, media: tuple[RtpenginePlane, EventSink]
):
    """Before there is a call, while it is set up, before the phones speak, and during it."""
    plane, sink = media
    stranger = Stranger("127.0.0.9", house.edge_ports)
    await plane.create("s")
    caller, agent = await RtpEndpoint.open(), await RtpEndpoint.open()
    stranger.attack()
    caller.accept(await plane.answer_offer("s", "caller", caller.sdp_offer(), PROFILE))
    stranger.attack()
    offer = await plane.make_offer("s", "agent")
    stranger.attack()
    await plane.accept_answer("s", "agent", agent.sdp_answer(offer), PROFILE)
    await plane.route("s", [Route("caller", "agent"), Route("agent", "caller")])
    for _ in range(3):
        stranger.attack()
    caller.start(440)
    agent.start(620)
    await agent.wait_heard(440, share=0.9)
    await caller.wait_heard(620, share=0.9)
    for _ in range(5):
        stranger.attack()
        await agent.wait_frames(10)
        await caller.wait_frames(10)
        assert agent.heard_tone(STRANGER_HZ) < 0.01
        assert caller.heard_tone(STRANGER_HZ) < 0.01
    await agent.wait_heard(440, share=0.9)
    await caller.wait_heard(620, share=0.9)
    assert (sink.digits, agent.digits, caller.digits, stranger.bled) == ([], "", "", 0)
    await plane.destroy("s")
    stranger.close()
    await caller.close()
    await agent.close()


async def test_digits_that_a_stranger_pressed_before_the_phone_answered_are_not_told_afterwards(
    house: RtpengineHouse, media: tuple[RtpenginePlane, EventSink]
):
    """rtpengine takes them while it does not know the far end, and passes them on by their timestamps: up to a second
    later, when it does."""
    plane, sink = media
    stranger = Stranger("127.0.0.9", house.edge_ports)
    await plane.create("s")
    caller, agent = await RtpEndpoint.open(), await RtpEndpoint.open()
    caller.accept(await plane.answer_offer("s", "caller", caller.sdp_offer(), PROFILE))
    offer = await plane.make_offer("s", "agent")
    stranger.attack()
    await plane.accept_answer("s", "agent", agent.sdp_answer(offer), PROFILE)
    await plane.route("s", [Route("caller", "agent"), Route("agent", "caller")])
    caller.start(440)
    await agent.wait_frames(60)
    agent.start(620)
    await caller.wait_heard(620, share=0.9)
    await agent.send_digits("7")
    await sink.wait(DigitPressed("s", "agent", "7"))
    assert [event.digit for event in sink.digits] == ["7"]
    await plane.destroy("s")
    stranger.close()
    await caller.close()
    await agent.close()


@pytest.mark.parametrize("way", ["offered", "answered"])
async def test_a_stranger_who_is_faster_than_a_phone_behind_nat_is_left_behind_with_the_ports(
    house: RtpengineHouse, media: tuple[RtpenginePlane, EventSink], way: str
):
    """Its true address is not in its description, so whoever comes first is taken for it, until that is noticed."""
    plane, sink = media
    stranger = Stranger("127.0.0.9", house.edge_ports)
    await plane.create("s")
    caller, agent = await RtpEndpoint.open(), await RtpEndpoint.open()

    def behind_nat(sdp: str) -> str:
        return sdp.replace("IP4 127.0.0.1", "IP4 10.20.30.40").replace("a=rtcp-mux\r\n", "")

    caller.accept(await plane.answer_offer("s", "caller", behind_nat(caller.sdp_offer()), PROFILE))
    await plane.accept_answer("s", "agent", agent.sdp_answer(await plane.make_offer("s", "agent")), PROFILE)
    await plane.route("s", [Route("caller", "agent"), Route("agent", "caller")])
    agent.start(620)
    stranger.attack()
    await sink.wait(LegsStranded("s", ("caller",)))
    told = len(sink.digits)
    if way == "offered":
        answer = behind_nat(caller.sdp_answer(await plane.make_offer("s", "caller")))
        await plane.accept_answer("s", "caller", answer, PROFILE)
    else:
        caller.accept(await plane.answer_offer("s", "caller", behind_nat(caller.sdp_offer()), PROFILE))
    caller.start(440)
    await agent.wait_heard(440, share=0.9)
    await caller.wait_heard(620, share=0.9)
    for _ in range(5):
        stranger.attack()
        await agent.wait_frames(10)
        assert agent.heard_tone(STRANGER_HZ) < 0.01
    await agent.wait_heard(440, share=0.9)
    await plane.destroy("s")
    assert sink.digits[told:] == [], "digits were the stranger's only before that was noticed"
    stranger.close()
    await caller.close()
    await agent.close()


async def test_prompts_and_mixing_are_the_planes_own(media: tuple[RtpenginePlane, EventSink], tmp_path: Path):
    plane, _ = media
    prompt = tmp_path / "prompt.wav"
    prompt.write_bytes(write_wav(tone(1000, 5.0)))
    await plane.create("s")
    ends = {}
    for name, hertz in (("caller", 440), ("agent", 620), ("supervisor", 0)):
        ends[name] = await RtpEndpoint.open()
        ends[name].accept(await plane.answer_offer("s", name, ends[name].sdp_offer(), PROFILE))
        ends[name].start(hertz)
    await plane.route("s", [Route("caller", "supervisor"), Route("agent", "supervisor")])
    await ends["supervisor"].wait_heard(440, share=0.3)
    await ends["supervisor"].wait_heard(620, share=0.3)
    await plane.play("s", "caller", "p", [str(prompt)])
    await ends["caller"].wait_heard(1000, share=0.9)
    await plane.destroy("s")
    for end in ends.values():
        await end.close()


async def test_legs_are_refused_while_rtpengine_is_away(house: RtpengineHouse):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        inner = EmbeddedMediaPlane(house.media.socket_path, EventSink())
        away = RtpenginePlane(inner, RtpengineSettings(("127.0.0.1", nobody.getsockname()[1])), EventSink())
        await away.start()
        await away.create("s")
        with pytest.raises(MediaError, match="does not answer"):
            await away.answer_offer("s", "caller", OFFER, PROFILE)
        await away.destroy("s")
        await away.stop()


async def test_a_leg_that_was_refused_leaves_nothing_behind(
    media: tuple[RtpenginePlane, EventSink], house: RtpengineHouse
):
    plane, _ = media
    before = await calls_at(house.control)
    await plane.create("s")
    with pytest.raises(MediaError):
        await plane.answer_offer("s", "caller", OFFER.replace("RTP/AVP 8 0 96", "RTP/AVP 97"), PROFILE)
    await plane.make_offer("s", "agent")
    await plane.remove_leg("s", "agent")
    await until("nothing is left", lambda: _calls_are(house, before))


async def _calls_are(house: RtpengineHouse, number: int) -> bool:
    return await calls_at(house.control) == number


async def test_legs_of_an_rtpengine_that_was_restarted_are_told_until_they_are_offered_anew(house: RtpengineHouse):
    sink = EventSink()
    inner = EmbeddedMediaPlane(house.media.socket_path, sink, request_timeout=10)
    caller, agent = await RtpEndpoint.open(), await RtpEndpoint.open()
    async with running_rtpengine() as (control, before):
        plane = RtpenginePlane(inner, RtpengineSettings(control), sink)
        await plane.start()
        await plane.create("s")
        caller.accept(await plane.answer_offer("s", "caller", caller.sdp_offer(), PROFILE))
        await plane.accept_answer("s", "agent", agent.sdp_answer(await plane.make_offer("s", "agent")), PROFILE)
        await plane.route("s", [Route("caller", "agent"), Route("agent", "caller")])
        caller.start(440)
        agent.start(620)
        await agent.wait_heard(440, share=0.9)
    async with running_rtpengine(control, but=before):
        await plane.create("new")
        other = await RtpEndpoint.open()
        other.accept(await plane.answer_offer("new", "caller", other.sdp_offer(), PROFILE))
        await until("the session that began before is told to be stranded", lambda: stranded(sink) == BOTH)
        for end, leg_id in ((caller, "caller"), (agent, "agent")):
            answer = end.sdp_answer(await plane.make_offer("s", leg_id))
            await plane.accept_answer("s", leg_id, answer, PROFILE)
        await caller.wait_frames(25)
        await agent.wait_heard(440, share=0.9)
        await caller.wait_heard(620, share=0.9)
        assert caller.audio is not None
        assert caller.audio.port not in before
        assert await calls_at(control) == 3
        await plane.destroy("s")
        await plane.destroy("new")

        async def none_is_left() -> bool:
            return await calls_at(control) == 0

        await until("nothing is left", none_is_left)
        await plane.stop()
    for end in (caller, agent, other):
        await end.close()


BOTH = {("s", "caller"), ("s", "agent")}


def stranded(sink: EventSink) -> set[tuple[str, str]]:
    """The legs that were told as stranded, each with its session."""
    told = [event for event in sink.events if isinstance(event, LegsStranded)]
    return {(event.session_id, leg_id) for event in told for leg_id in event.leg_ids}
