"""Every way out of the house asks first: nobody on the do-not-call list is called, and each no is written down."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from callcenter.calls.clearance import UNASKED, CallOutChecked, Way
from callcenter.demo.console_client import IntentRefusedError
from callcenter.media.endpoint import RtpEndpoint
from callcenter.sip.doors import Refused
from callcenter.sip.phone import CallRefused, PhoneCall, SoftPhone
from tests.support.floor_people import Seat, Talk, calling
from tests.support.installation import PHONE_HOST, Installation, Plan, running_installation
from tests.support.outside_gateway import free_gateway, out_to
from tests.support.waiting import until

pytestmark = pytest.mark.interop

GATEWAY = free_gateway()
ALLOWED, SUPPRESSED = "+12025550177", "+12025550178"
OUT = out_to(GATEWAY, trunk=["follow_redirects = true"], outbound=["phone_forwards = true"])


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=2, more_site=OUT, queue_lines=("callback_most = 5",))) as house:
        yield house


@dataclass(slots=True)
class World:
    """Two agents at work, and a carrier that notes what it is called for."""

    house: Installation
    one: Seat
    two: Seat
    called: list[str] = field(default_factory=list)
    sends_on: str = ""
    """Where the carrier sends what it is called for; it refuses (486) when that is empty."""

    def written(self) -> list[CallOutChecked]:
        """What the journal holds of calls out that were refused, or left unasked."""
        return [row.entry for row in self.house.journal.read(kinds=("call.out_checked",))]


@pytest.fixture
async def world(house: Installation) -> AsyncIterator[World]:
    async with house.signed_in() as http:
        body = {"value": SUPPRESSED, "reason": "asked to stop", "source": "STOP", "channel": "voice"}
        assert (await http.post("/api/v1/suppressions", json=body)).status_code in {200, 201, 409}
    gateway = SoftPhone(host=GATEWAY[0], port=GATEWAY[1], server=house.sip, username="carrier")
    await gateway.start()
    async with Seat(house, "agent1") as one, Seat(house, "agent2") as two:
        await one.go_ready()
        world = World(house, one, two)

        def judge(request, flow, now) -> Refused:
            world.called.append(request.uri.username)
            return sent_on(world.sends_on) if world.sends_on else Refused(486)

        gateway.endpoint.admit = judge
        yield world
    await gateway.stop()


def sent_on(number: str) -> Refused:
    return Refused(302, (("Contact", f"<sip:{number}@elsewhere.example>"),))


@asynccontextmanager
async def dialled(world: World, number: str) -> AsyncIterator[PhoneCall]:
    """The phone of the first agent calls a number by itself."""
    sound = await RtpEndpoint.open(PHONE_HOST)
    yield await world.one._phone.call(number, sound.sdp_offer())
    await sound.close()


@asynccontextmanager
async def in_a_call(world: World, customer: str = "+12025550111") -> AsyncIterator[Talk]:
    """The first agent talks with a customer."""
    async with calling(world.house, customer) as outside:
        talk = await world.one.talking(len(world.one.talks) + 1)
        await world.one.until_state("busy")
        yield talk
        await outside.hang_up()
        await talk.ended()


async def refused_by(asked: Awaitable[object]) -> str:
    """How an order, or a call, was refused."""
    try:
        await asked
    except IntentRefusedError as error:
        return error.code
    except CallRefused as error:
        return str(error.status)
    return "done"


async def by_desk(world: World) -> str:
    return await refused_by(world.one.console.intend("call.dial", target_kind="number", target=SUPPRESSED))


async def by_desk_transfer(world: World) -> str:
    async with in_a_call(world):
        target = {"contact_id": await world.one.works_on(), "target_kind": "number", "target": SUPPRESSED}
        return await refused_by(world.one.console.intend("contact.transfer", **target))


async def by_desk_consult(world: World) -> str:
    async with in_a_call(world):
        target = {"contact_id": await world.one.works_on(), "target_kind": "number", "target": SUPPRESSED}
        return await refused_by(world.one.console.intend("contact.consult", **target))


async def by_desk_callback(world: World) -> str:
    async with in_a_call(world, SUPPRESSED):
        return await refused_by(world.one.console.intend("callback.promise", contact_id=await world.one.works_on()))


async def by_phone(world: World) -> str:
    async with dialled(world, "(202) 555-0178") as call:
        return await refused_by(call.answered())


async def by_refer(world: World) -> str:
    async with in_a_call(world) as talk:
        status = await talk.call.transfer(SUPPRESSED)
        await world.one.until_state("busy")
        return str(status)


async def by_forwarding_phone(world: World) -> str:
    await world.two.go_ready()
    world.two._phone.endpoint.admit = lambda request, flow, now: sent_on(SUPPRESSED)
    async with dialled(world, "agent2") as call:
        return await refused_by(call.answered())


async def by_carrier(world: World) -> str:
    world.sends_on = SUPPRESSED
    async with dialled(world, ALLOWED) as call:
        return await refused_by(call.answered())


@dataclass(frozen=True, slots=True)
class Out:
    """One way out: what goes it, how that is refused, and what is written down."""

    go: Callable[[World], Awaitable[str]]
    refusal: str
    way: Way
    agent_id: str = "agent1"
    reached: tuple[str, ...] = ()
    """What the carrier is called for, before."""


WAYS = {
    "desk": Out(by_desk, "not-contactable", Way.DESK),
    "transfer at the desk": Out(by_desk_transfer, "not-contactable", Way.DESK),
    "consultation at the desk": Out(by_desk_consult, "not-contactable", Way.DESK),
    "callback": Out(by_desk_callback, "no-callback", Way.CALLBACK),
    "phone": Out(by_phone, "403", Way.PHONE),
    "REFER": Out(by_refer, "403", Way.REFER),
    "302 of a phone": Out(by_forwarding_phone, "480", Way.REDIRECT, "agent2"),
    "302 of a carrier": Out(by_carrier, "480", Way.REDIRECT, reached=(ALLOWED,)),
}


@pytest.mark.parametrize("name", list(WAYS))
async def test_a_number_on_the_do_not_call_list_is_called_by_no_way_and_that_is_written_down(
    world: World, name: str
) -> None:
    out = WAYS[name]
    before = len(world.written())
    assert await out.go(world) == out.refusal
    await until("it is written down", lambda: len(world.written()) > before)
    (told,) = world.written()[before:]
    assert (told.way, told.agent_id, told.code, told.reasons[:1]) == (
        out.way, out.agent_id, "not-contactable", ("suppressed",),
    )  # fmt: skip
    assert not told.went_out
    assert tuple(world.called) == out.reached
    await world.one.until_state("ready", "wrap_up")


def test_every_way_there_is_stands_in_the_table() -> None:
    assert {out.way for out in WAYS.values()} == set(Way)


async def test_a_store_that_hangs_keeps_no_phone_from_calling_and_that_is_written_down(world: World) -> None:
    before, web = len(world.written()), world.house.pid("web")
    os.kill(web, signal.SIGSTOP)
    try:
        async with dialled(world, ALLOWED) as call, asyncio.timeout(10):
            assert await refused_by(call.answered()) == "486"
    finally:
        os.kill(web, signal.SIGCONT)
    assert world.called == [ALLOWED]
    (told,) = world.written()[before:]
    assert (told.way, told.agent_id, told.code, told.went_out) == (Way.PHONE, "agent1", UNASKED, True)
