"""Media processes and browsers' ends over real sockets: who hears whom, what a reload, a move and a death cost."""

import os
import signal
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from callcenter.media.rtp import RtpPacket, pack
from callcenter.media.webrtc.connectivity import IceCredentials, binding_request
from callcenter.media.webrtc.protocol import BrowserSilent
from callcenter.ports import DigitPressed
from tests.support.browser_leg import AGENT, BrowserHouse, browser_house, leg_of
from tests.support.waiting import until

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

CLEAR = 0.9
"""Share of the energy from which a tone counts as heard alone."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[BrowserHouse]:
    async with browser_house() as house:
        yield house


async def test_phone_and_browser_hear_each_other_and_a_digit_is_told(house: BrowserHouse):
    phone, peer = await house.call("plain")
    await phone.wait_heard(620, share=CLEAR)
    await until("the agent hears the customer", lambda: peer.heard_tone(440) > CLEAR)
    assert phone.heard_tone(440) < 0.1
    assert peer.heard_tone(620) < 0.1
    peer.press(7)
    await until("digit", lambda: DigitPressed("plain", AGENT, "7") in house.media.sink.events)
    await until("our report", lambda: peer.reports > 0)
    assert peer.heard.lost == 0
    legs = (await house.edge.status()).legs
    house.edge.drop(leg_of("plain"))
    assert (await house.edge.status()).legs == legs - 1


async def test_a_page_that_is_reloaded_comes_back_and_the_customer_hears_comfort_tone_meanwhile(house: BrowserHouse):
    phone, peer = await house.call("reload")
    await phone.wait_heard(620, share=CLEAR)
    peer.close()
    await until("told that nothing comes", lambda: BrowserSilent(leg_of("reload")) in house.events)
    await phone.wait_heard(425)

    page = await house.page()
    await house.attach(leg_of("reload"), "page2", page)
    page.start(700)
    await phone.wait_heard(700, share=CLEAR)
    await until("the agent hears the customer again", lambda: page.heard_tone(440) > CLEAR)
    await until("told that audio comes", lambda: house.gaps("reload") != [])
    (gap,) = house.gaps("reload")
    assert gap >= 1000, "the page was away for more than the second after which that is told"
    assert house.connections("reload") == ["page1", "page2"]
    assert len({packet.ssrc for packet in phone.packets}) == 1, "one stream for the life of the leg"


async def test_a_browser_that_moves_to_another_network_restarts_ice_and_keeps_its_keys(house: BrowserHouse):
    phone, peer = await house.call("move")
    await phone.wait_heard(620, share=CLEAR)
    await peer.move()
    house.take_answer(leg_of("move"), "page1", peer.answer(await house.offer(leg_of("move"), "page1")))
    peer.start(700)
    await phone.wait_heard(700, share=CLEAR)
    so_far = peer.heard.received
    await until("the agent hears the customer at the new address", lambda: peer.heard.received > so_far + 20)
    assert house.connections("move") == ["page1"], "no second handshake"


async def test_a_stranger_on_the_public_port_gets_nothing_in_and_nothing_out(house: BrowserHouse):
    phone, _ = await house.call("stranger")
    await phone.wait_heard(620, share=CLEAR)
    greeted = house.edge.greeted
    assert greeted is not None
    plain = pack(RtpPacket(0, 1, 160, 99, b"\x00" * 160))
    forged = binding_request(IceCredentials("mine", "m" * 22), IceCredentials("theirs", "t" * 22), tie_breaker=1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.setblocking(False)
        before = (await house.edge.status()).refused
        for datagram in (plain, forged, b"\x16\xfe\xfd" + bytes(40), b"\x00\x01", b"\xff" * 1400):
            for _ in range(40):
                stranger.sendto(datagram, greeted.addresses[0])
        await until("all refused", lambda: house.refused_since(before, 200))
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)
    assert phone.heard_tone(620) > CLEAR


async def test_a_browser_with_another_certificate_than_announced_is_not_let_in(house: BrowserHouse):
    await house.caller("forged")
    peer = await house.page()
    answer = peer.answer(await house.offer(leg_of("forged"), "page1"))
    fingerprint = answer.partition("sha-256 ")[2].partition("\r")[0]
    house.take_answer(leg_of("forged"), "page1", answer.replace(fingerprint, fingerprint[::-1]))
    before = (await house.edge.status()).refused
    peer.start(620)
    await until("the handshake is over at the far end", peer.connected.is_set)
    await until("what it sends is refused", lambda: house.refused_since(before, 10))
    assert house.connections("forged") == []


async def test_the_process_for_browsers_dies_and_the_page_comes_again(house: BrowserHouse):
    phone, peer = await house.call("death")
    leg_id = leg_of("death")
    await phone.wait_heard(620, share=CLEAR)
    os.kill((await house.media.plane.status()).browsers_pid, signal.SIGKILL)
    peer.close()
    await until("a successor without legs", lambda: house.returns[1:] == [frozenset()])
    page = await house.page()
    before = house.inner_ports[leg_id]
    await house.attach(leg_id, "page2", page)
    assert house.inner_ports[leg_id] == before
    page.start(700)
    await phone.wait_heard(700, share=CLEAR)
    await until("the agent hears the customer again", lambda: page.heard_tone(440) > CLEAR)
    assert (await house.media.plane.status()).browsers_deaths == 1
