"""rtpengine is killed in the middle of calls through the whole exchange: they go on at the one that comes after it."""

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from callcenter.calls.legs import EndCause
from callcenter.media.endpoint import RtpEndpoint
from tests.support.browser_phone import BROWSER_HZ, browser_phone
from tests.support.floor_people import CUSTOMER_HZ, FRESH_FRAMES, Talk, calling, hear_each_other, seats
from tests.support.installation import Plan, running_installation, until_recorded
from tests.support.message_box import (
    BEEP_HZ,
    BOX_NUMBER,
    colleague_calls_box,
    heard_in,
    leave_message,
    messages,
    site_with_box,
)
from tests.support.rtpengine_process import running_rtpengine
from tests.support.waiting import until

pytestmark = pytest.mark.faults

CALLER = "+12125550141"
AFTERWARDS_HZ = 880.0
"""What is said after rtpengine was restarted."""


def plan_for(control: tuple[str, int], *, browsers: bool = False) -> Plan:
    """An installation with this rtpengine as its edge."""
    environment = (("CALLCENTER_MEDIA__EDGE", "rtpengine"), ("CALLCENTER_MEDIA__RTPENGINE__PORT", str(control[1])))
    return Plan(agents=1, ring_seconds=60, browsers=browsers, environment=environment)


def plan_with_box(control: tuple[str, int], folder: Path) -> Plan:
    """The same with a voicemail box."""
    return replace(plan_for(control), agents=2, records=True, more_site=site_with_box(folder))


def far_port(talk: Talk) -> int:
    """Where this end sends its sound."""
    return port_of(talk.sound)


def port_of(sound: RtpEndpoint) -> int:
    """Where it goes."""
    assert sound.audio is not None
    return sound.audio.port


async def test_a_call_goes_on_at_the_ports_of_the_next_rtpengine_and_ends_as_any_other():
    async with AsyncExitStack() as first:
        control, before = await first.enter_async_context(running_rtpengine())
        with running_installation(plan_for(control)) as house:
            async with house.signed_in() as http, seats(house) as (seat,):
                async with calling(house, CALLER) as customer:
                    agent = await seat.talking()
                    await hear_each_other(customer, agent)
                    assert {far_port(customer), far_port(agent)} <= {*before}

                    await first.aclose()
                    async with running_rtpengine(control, but=before) as (_, after):
                        await until("both are offered other ports", lambda: far_port(customer) in after)
                        await until("both are offered other ports", lambda: far_port(agent) in after)
                        await hear_each_other(customer, agent)
                        await customer.hang_up()
                        assert await agent.ended() is EndCause.NORMAL
                        (recorded,) = await until_recorded(http, 1)
                assert (recorded["outcome"], recorded["ended_by"]) == ("answered", "customer")


async def test_a_phone_that_takes_no_other_ports_is_let_go_and_all_of_it_is_recorded():
    async with AsyncExitStack() as first:
        control, before = await first.enter_async_context(running_rtpengine())
        with running_installation(plan_for(control)) as house:
            async with house.signed_in() as http, seats(house) as (seat,):
                async with calling(house, CALLER) as customer:
                    agent = await seat.talking()
                    await hear_each_other(customer, agent)
                    customer.call.on_reoffer = lambda _: "no description"
                    await first.aclose()
                    async with running_rtpengine(control, but=before):
                        await customer.ended(within=60)
                        await agent.ended(within=60)
                        (recorded,) = await until_recorded(http, 1)
                assert (recorded["outcome"], recorded["ended_by"]) == ("answered", "customer")


async def test_an_agent_at_a_browser_stays_in_the_call(tmp_path: Path):
    async with AsyncExitStack() as first:
        control, before = await first.enter_async_context(running_rtpengine())
        with running_installation(plan_for(control, browsers=True)) as house:
            async with browser_phone(house, tmp_path) as phone:
                await phone.ready("agent1")
                async with calling(house, CALLER) as customer:
                    await phone.accept()
                    await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)
                    await phone.hears(CUSTOMER_HZ)
                    peers = await phone.desk.page.evaluate("window.peers.length")

                    await first.aclose()
                    async with running_rtpengine(control, but=before) as (_, after):
                        await until("the customer is offered another port", lambda: far_port(customer) in after)
                        await customer.sound.wait_frames(FRESH_FRAMES, timeout=15)
                        await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)
                        await phone.hears(CUSTOMER_HZ)
                        assert await phone.desk.page.evaluate("window.peers.length") == peers
                        await customer.hang_up()


async def test_a_message_being_left_goes_on(tmp_path: Path):
    async with AsyncExitStack() as first:
        control, before = await first.enter_async_context(running_rtpengine())
        with running_installation(plan_with_box(control, tmp_path)) as house:
            async with house.signed_in("agent1") as http, calling(house, CALLER, "", called=BOX_NUMBER) as caller:
                await caller.sound.wait_heard(BEEP_HZ, timeout=15)
                await caller.sound.wait_frames(FRESH_FRAMES)
                await first.aclose()
                async with running_rtpengine(control, but=before) as (_, after):
                    await until("the caller is offered another port", lambda: far_port(caller) in after)
                    caller.sound.start(AFTERWARDS_HZ)
                    await caller.sound.wait_frames(4 * FRESH_FRAMES, timeout=15)
                    await caller.hang_up()
                    (message,) = await messages(http, 1)
                heard = heard_in(house, message["recording_id"])
                assert max(heard.tones(heard.left, CUSTOMER_HZ)) > 0.9, "what was said before is in it"
                assert max(heard.tones(heard.left, AFTERWARDS_HZ)) > 0.9, "and what was said afterwards"


async def test_a_message_being_listened_to_is_heard_to_its_end(tmp_path: Path):
    async with AsyncExitStack() as first:
        control, before = await first.enter_async_context(running_rtpengine())
        with running_installation(plan_with_box(control, tmp_path)) as house:
            async with house.signed_in("agent1") as http:
                async with calling(house, CALLER, "", called=BOX_NUMBER) as caller:
                    await leave_message(caller, frames=100, hangs_up=True)
                await messages(http, 1)
                async with colleague_calls_box(house) as ear:
                    await ear.wait_heard(CUSTOMER_HZ, timeout=15)
                    await first.aclose()
                    async with running_rtpengine(control, but=before) as (_, after):
                        await until("the listener is offered another port", lambda: port_of(ear) in after)
                        await ear.wait_frames(FRESH_FRAMES, timeout=15)
                        await ear.send_digits("1")
                        await ear.wait_heard(CUSTOMER_HZ, timeout=15)
                        await ear.send_digits("3")
                        await messages(http, 0)
