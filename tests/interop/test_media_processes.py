"""Real media processes and real RTP: what callers and agents hear."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from callcenter.media.audio import tone, write_wav
from callcenter.media.endpoint import RtpEndpoint
from callcenter.media.g711 import encode
from callcenter.media.law import SAMPLE_RATE, Law
from callcenter.media.mediad.leg_socket import RATE
from callcenter.media.rtp import RtpPacket, pack, sequence_distance
from callcenter.media.telephone_event import digit_payloads
from callcenter.ports import DigitPressed, LatchPolicy, LegProfile, LegSilent, MediaEvent, PlayFinished, Route
from tests.support.media_contract import OFFER, MediaPlaneContract, PlaneUnderTest
from tests.support.mediad_process import LOOPS, MediaProcess, plane_of_its_own, running_mediad
from tests.support.ports import media_range
from tests.support.waiting import together
from tests.support.who_hears import falls_silent

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

TWO_WAY = [Route("caller", "agent"), Route("agent", "caller")]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=LOOPS)
async def process(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[MediaProcess]:
    options = ("--loop", request.param, "--recordings", str(tmp_path_factory.mktemp("rec")), "--quarantine", "10")
    async with running_mediad("--standby", "0", *options) as process:
        yield process


@pytest_asyncio.fixture(loop_scope="module")
async def media(process: MediaProcess) -> AsyncIterator[MediaProcess]:
    async with plane_of_its_own(process) as media:
        yield media


@pytest.fixture
def prompt(tmp_path: Path) -> str:
    """A 1000 Hz prompt of 0.6 s."""
    path = tmp_path / "prompt.wav"
    path.write_bytes(write_wav(tone(1000, 0.6)))
    return str(path)


@pytest.fixture
def music(tmp_path: Path) -> str:
    """A 1500 Hz loop of 10 s."""
    path = tmp_path / "music.wav"
    path.write_bytes(write_wav(tone(1500, 10.0)))
    return str(path)


class TestEmbeddedMediaPlane(MediaPlaneContract):
    @pytest_asyncio.fixture(loop_scope="module")
    async def plane(self, media: MediaProcess, music: str) -> AsyncIterator[PlaneUnderTest]:
        yield media.plane, media.sink, music


class Call:
    """A caller and an agent in one session."""

    def __init__(self, caller: RtpEndpoint, agent: RtpEndpoint) -> None:
        self.caller = caller
        self.agent = agent


@pytest_asyncio.fixture(loop_scope="module")
async def call(media: MediaProcess) -> AsyncIterator[Call]:
    """A caller who plays 440 Hz and an agent who plays 620 Hz, not yet connected."""
    await media.plane.create("s")
    caller, agent = await media.calling("s", "caller"), await media.called("s", "agent")
    caller.start(440)
    agent.start(620)
    yield Call(caller, agent)
    await caller.close()
    await agent.close()


async def test_two_bridged_phones_hear_each_other(media: MediaProcess, call: Call) -> None:
    await media.plane.route("s", TWO_WAY)
    await call.agent.wait_heard(440, share=0.9)
    await call.caller.wait_heard(620, share=0.9)
    figures = await media.plane.destroy("s")
    assert figures["caller"].heard
    assert figures["agent"].heard
    assert figures["caller"].packets_dropped == 0
    assert figures["agent"].packets_lost == 0


async def test_a_mix_with_gain_and_a_listening_supervisor(media: MediaProcess, call: Call) -> None:
    """Caller and agent stay relayed while a third leg hears both mixed, and whispers to the agent only."""
    supervisor = await media.called("s", "supervisor")
    supervisor.start(2000)
    monitor = [Route("caller", "supervisor"), Route("agent", "supervisor")]
    await media.plane.route("s", [*TWO_WAY, *monitor, Route("supervisor", "agent", -6.0)])
    await supervisor.wait_heard(440, share=0.3)
    await supervisor.wait_heard(620, share=0.3)
    await call.agent.wait_heard(2000, share=0.1)
    await call.agent.wait_heard(440, share=0.5)
    await call.caller.wait_heard(620, share=0.9)
    assert call.caller.heard_tone(2000) < 0.01
    await supervisor.close()


async def test_prompt_then_music_then_bridge_is_one_continuous_stream(
    media: MediaProcess, call: Call, prompt: str, music: str
) -> None:
    began = time.monotonic()
    await together(call.caller.wait_heard(1000), media.plane.play("s", "caller", "p", [prompt]))
    await media.sink.wait(PlayFinished("s", "p", "end"))
    await media.plane.play("s", "caller", "m", [music], loop=True)
    await call.caller.wait_heard(1500)
    await media.plane.stop_play("s", "m")
    await media.plane.route("s", TWO_WAY)
    await call.caller.wait_heard(620)
    await call.caller.wait_frames(20)
    packets = list(call.caller.packets)
    assert len({packet.ssrc for packet in packets}) == 1
    steps = [
        (sequence_distance(later.sequence, earlier.sequence), (later.timestamp - earlier.timestamp) & 0xFFFFFFFF)
        for earlier, later in itertools.pairwise(packets)
    ]
    assert {step for step, _ in steps} == {1}
    assert all(advance > 0 and advance % 160 == 0 for _, advance in steps)
    passed = sum(advance for _, advance in steps) / SAMPLE_RATE
    assert passed <= time.monotonic() - began + 1, "timestamps follow the time"
    assert any(packet.marker for packet in packets[10:]), "the switch to the agent begins a talk spurt"


async def test_music_is_ducked_under_an_announcement(media: MediaProcess, call: Call, prompt: str, music: str) -> None:
    await media.plane.play("s", "caller", "m", [music], loop=True)
    await call.caller.wait_heard(1500, share=0.9)
    await together(call.caller.wait_heard(1000, share=0.6), media.plane.play("s", "caller", "p", [prompt]))
    await media.sink.wait(PlayFinished("s", "p", "end"))
    await call.caller.wait_heard(1500, share=0.9)


async def test_an_announcement_lowers_the_other_party_as_far_as_it_is_told(
    media: MediaProcess, call: Call, prompt: str
) -> None:
    """The agent's 620 Hz falls by 30 dB under a whispered announcement and comes back after it."""
    await media.plane.route("s", TWO_WAY)
    await call.caller.wait_heard(620, share=0.9)
    await together(
        call.caller.wait_heard(1000, share=0.98), media.plane.play("s", "caller", "p", [prompt], duck_db=-30.0)
    )
    await media.sink.wait(PlayFinished("s", "p", "end"))
    await call.caller.wait_heard(620, share=0.9)


async def test_digits_are_told_once_and_reach_the_other_party(media: MediaProcess, call: Call) -> None:
    await media.plane.route("s", TWO_WAY)
    await call.caller.send_digits("19#")
    await call.agent.wait_digits("19#")
    await media.sink.wait_until(lambda: len(media.sink.digits) >= 3)
    assert media.sink.digits == [DigitPressed("s", "caller", digit) for digit in "19#"]


async def test_a_digit_without_its_end_packets_is_told_once(media: MediaProcess, call: Call) -> None:
    """Only the second packet of the event arrives; the next digit is told all the same."""
    agreed = call.caller.audio
    assert agreed is not None
    assert agreed.send_event_type is not None
    await call.caller.wait_frames(5)
    await call.caller.pause()
    for number, (digit, timestamp) in enumerate((("4", 90000), ("4", 94000), ("7", 98000))):
        payload = digit_payloads(digit)[1]
        for repeat in range(2):
            packet = RtpPacket(agreed.send_event_type, 100 * number + repeat, timestamp, call.caller.ssrc, payload)
            call.caller.send_raw(pack(packet))
    await media.sink.wait_until(lambda: len(media.sink.digits) >= 3)
    await call.agent.wait_frames(10)
    assert media.sink.digits == [DigitPressed("s", "caller", digit) for digit in "447"]


async def test_the_first_digit_stops_a_prompt_that_may_be_interrupted(
    media: MediaProcess, call: Call, music: str
) -> None:
    await media.plane.play("s", "caller", "menu", [music], barge_in=True)
    await media.plane.play("s", "caller", "law", [music])
    await call.caller.wait_heard(1500)
    await call.caller.send_digits("2")
    await media.sink.wait(PlayFinished("s", "menu", "barge_in"))
    assert media.sink.events[:2] == [DigitPressed("s", "caller", "2"), PlayFinished("s", "menu", "barge_in")]
    await media.plane.stop_play("s", "law")
    assert media.sink.events[2:] == [PlayFinished("s", "law", "stopped")]


async def test_a_missing_file_fails_the_play(media: MediaProcess, call: Call) -> None:
    await media.plane.play("s", "caller", "p", ["/nowhere/at/all.wav"])
    await media.sink.wait(PlayFinished("s", "p", "failed"))


async def test_packets_of_a_stranger_are_not_forwarded(media: MediaProcess, call: Call) -> None:
    """From the caller's own address but another port, and from another address: nothing is heard and nothing bled."""
    await media.plane.route("s", TWO_WAY)
    await call.agent.wait_heard(440)
    agreed = call.caller.audio
    assert agreed is not None
    async with AsyncExitStack() as stack:
        for host in ("127.0.0.1", "127.0.0.2"):
            stranger = await RtpEndpoint.open(host)
            stack.push_async_callback(stranger.close)
            stranger.audio = agreed
            stranger.start(2500)
            await call.agent.wait_frames(60)
            assert call.agent.heard_tone(2500) < 0.01
            assert stranger.counters.packets_received == 0
    figures = await media.plane.destroy("s")
    assert figures["caller"].packets_in <= call.caller.counters.packets_sent


async def test_only_the_sdp_address_counts_when_the_policy_says_so(media: MediaProcess) -> None:
    await media.plane.create("s")
    phone = await RtpEndpoint.open()
    other = await RtpEndpoint.open()
    offer = phone.sdp_offer()
    other.accept(await media.plane.answer_offer("s", "a", offer, LegProfile("127.0.0.1", LatchPolicy.SDP_ADDRESS)))
    other.start(440)
    await phone_hears_silence(phone, other)
    figures = await media.plane.remove_leg("s", "a")
    assert figures is not None
    assert figures.packets_in == 0
    assert figures.packets_dropped > 0
    await phone.close()
    await other.close()


async def phone_hears_silence(phone: RtpEndpoint, other: RtpEndpoint) -> None:
    """Wait until the described phone has got a second of our stream, while the other one sends."""
    phone.audio = other.audio
    await phone.wait_frames(50)
    assert other.counters.packets_received == 0


async def test_a_phone_behind_nat_is_learned_from_where_it_sends(media: MediaProcess) -> None:
    """The SDP names a port where nobody is; the audio comes from another port of the signalling address."""
    await media.plane.create("s")
    phone, agent = await RtpEndpoint.open(), await media.called("s", "agent")
    answer = await media.plane.answer_offer("s", "caller", OFFER.replace("8 0 96", "0 96"), LegProfile("127.0.0.1"))
    phone.accept(answer)
    await media.plane.route("s", TWO_WAY)
    phone.start(440)
    agent.start(620)
    await agent.wait_heard(440)
    await phone.wait_heard(620)
    await phone.close()
    await agent.close()


async def test_hold_stops_our_stream_and_resuming_brings_it_back(media: MediaProcess, call: Call) -> None:
    await media.plane.route("s", TWO_WAY)
    await call.caller.wait_heard(620)
    held = call.caller.sdp_offer().replace("a=sendrecv", "a=sendonly")
    assert "a=recvonly" in await media.plane.answer_offer("s", "caller", held, LegProfile("127.0.0.1"))
    await falls_silent(call.caller, meanwhile=call.agent)
    await media.plane.answer_offer("s", "caller", call.caller.sdp_offer(), LegProfile("127.0.0.1"))
    await call.caller.wait_heard(620)


async def test_the_two_laws_are_converted_on_the_way(media: MediaProcess, call: Call) -> None:
    """The agent's phone speaks PCMA only."""
    pcma = await RtpEndpoint.open()
    offer = await media.plane.make_offer("s", "pcma")
    answer = pcma.sdp_answer(offer.replace("RTP/AVP 0 8 101", "RTP/AVP 8 101"))
    await media.plane.accept_answer("s", "pcma", answer, LegProfile("127.0.0.1"))
    pcma.start(700)
    await media.plane.route("s", [Route("caller", "pcma"), Route("pcma", "caller")])
    await call.caller.wait_heard(700, share=0.9)
    await pcma.wait_heard(440, share=0.9)
    assert {packet.payload_type for packet in pcma.packets} == {8}
    await pcma.close()


async def test_a_flood_does_not_pass(media: MediaProcess, call: Call) -> None:
    """The caller's own address sends twenty times too much; the agent gets no more than twice the rate."""
    await media.plane.route("s", TWO_WAY)
    await call.agent.wait_heard(440)
    await call.caller.pause()
    began, before = time.monotonic(), call.agent.counters.packets_received
    payload = encode(tone(440, 0.02), Law.PCMU)
    for number in range(2000):
        call.caller.send_raw(pack(RtpPacket(0, number, 160 * number, call.caller.ssrc, payload)))
    await call.caller.wait_frames(40)
    passed = call.agent.counters.packets_received - before
    assert passed < 2 * RATE + RATE * (time.monotonic() - began), "what was saved up, and what the time allows"
    figures = await media.plane.destroy("s")
    assert figures["caller"].packets_dropped > 0


async def test_ports_come_back_and_rest_before_they_are_used_again() -> None:
    first = media_range(8)
    async with running_mediad(
        "--standby", "0", "--port-min", str(first), "--port-max", str(first + 6), "--quarantine", "400"
    ) as media:
        baseline = await media.plane.status()
        assert (baseline.ports_free, baseline.ports_used) == (4, 0)
        for _ in range(2):
            await media.plane.create("s")
            await media.plane.make_offer("s", "a")
            await media.plane.make_offer("s", "b")
            assert (await media.plane.status()).ports_used == 2
            await media.plane.remove_leg("s", "a")
            await media.plane.destroy("s")
        status = await media.plane.status()
        assert (status.sessions, status.ports_used) == (0, 0)
        assert status.ports_free + status.ports_quarantined == 4
        async with asyncio.timeout(10):
            while (await media.plane.status()).ports_free != 4:
                pass


async def test_silence_is_told_once_and_not_while_on_hold() -> None:
    async with running_mediad("--standby", "0", "--silence-timeout", "2500") as media:
        await media.plane.create("s")
        phone, held = await media.calling("s", "caller"), await RtpEndpoint.open()

        def silences() -> list[MediaEvent]:
            return [event for event in media.sink.events if isinstance(event, LegSilent)]

        offer = held.sdp_offer().replace("a=sendrecv", "a=inactive")
        held.accept(await media.plane.answer_offer("s", "held", offer, LegProfile("127.0.0.1")))
        phone.start(440)
        await phone.wait_frames(50)
        assert silences() == []
        await phone.pause()
        await media.sink.wait(LegSilent("s", "caller"))
        await phone.wait_frames(150)
        assert silences() == [LegSilent("s", "caller")]
        await phone.close()
        await held.close()


async def test_a_sender_in_the_wrong_format_cannot_hurt(media: MediaProcess, call: Call) -> None:
    """Garbage of every length from the caller's own port."""
    await media.plane.route("s", TWO_WAY)
    await call.agent.wait_heard(440)
    for size in (*range(64), 500, 1500, 1600, 9000):
        call.caller.send_raw(bytes([0xB0 | size % 16]) * size)
    await call.agent.wait_heard(440)
    await call.caller.wait_frames(10)
