"""Call control with real SIP, real sound and a real console: phones transfer, a carrier played by SIPp is called."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callcenter.demo.console_client import IntentRefusedError
from callcenter.media.endpoint import RtpEndpoint
from callcenter.sip.phone import PhoneCall, SoftPhone
from tests.support.floor_people import AGENT_HZ, CUSTOMER_HZ, Seat, Talk, calling, hear_each_other
from tests.support.installation import (
    PHONE_HOST,
    Installation,
    Plan,
    running_installation,
    stored_interactions,
    until_recorded,
)
from tests.support.outside_gateway import OUTSIDE, called_outside, free_gateway, out_to
from tests.support.peers import peer
from tests.support.sipp import SCENARIOS
from tests.support.waiting import until
from tests.support.watching import watching

pytestmark = pytest.mark.interop

GATEWAY = free_gateway()


OUT = out_to(GATEWAY)


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=2, more_site=OUT)) as house:
        yield house


@asynccontextmanager
async def carrier(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """SIPp as the gateway to which one call goes."""
    process = await asyncio.create_subprocess_exec(
        peer("sipp"),
        *("-sf", str(SCENARIOS / "uas-answers-a-dialled-number.xml"), "-i", GATEWAY[0], "-p", str(GATEWAY[1])),
        *("-mi", GATEWAY[0], "-m", "1", "-nostdin", "-timeout", "60", "-trace_err", "-error_file", "errors.log"),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until_over(process: asyncio.subprocess.Process, folder: Path) -> None:
    """The carrier saw its call from the INVITE to the BYE."""
    async with asyncio.timeout(30):
        code = await process.wait()
    errors = folder / "errors.log"
    assert code == 0, errors.read_text("utf-8") if errors.exists() else code


async def until_clear(house: Installation) -> None:
    async with watching(house) as boss:
        await until("no contact is left on the floor", lambda: not boss.contacts)
        await until("every RTP port is given back", lambda: not house.media_sockets())


async def test_a_customer_on_hold_hears_music_and_is_then_handed_on_by_refer(house: Installation):
    async with house.signed_in() as http, Seat(house, "agent1") as one, Seat(house, "agent2") as two:
        before = len(await stored_interactions(house, http))
        await one.go_ready()
        async with calling(house, "+12025550111") as customer:
            first = await one.talking()
            await hear_each_other(customer, first)
            contact_id = await one.works_on()
            await one.console.intend("contact.hold", contact_id=contact_id)
            await until("the hold is shown", lambda: one.contact(contact_id).get("held_since"))
            await until("the customer hears no agent", lambda: customer.sound.heard_tone(AGENT_HZ) < 0.05)
            await until("the agent hears no customer", lambda: first.sound.heard_tone(CUSTOMER_HZ) < 0.05)
            await one.console.intend("contact.resume", contact_id=contact_id)
            await hear_each_other(customer, first)
            await two.go_ready()
            assert await first.call.transfer("agent2") == 200
            await first.ended()
            second = await two.talking()
            await hear_each_other(customer, second)
            await one.until_state("ready")
            await two.until_state("busy")
            await second.hang_up()
            await customer.ended()
        recorded = await until_recorded(http, before + 2)
        parts = recorded[:2]
        assert {each["agent_id"] for each in parts} == {"agent1", "agent2"}
        await until_clear(house)


async def test_a_refer_to_who_is_not_at_work_fails_and_the_call_goes_on(house: Installation):
    async with Seat(house, "agent1") as one:
        await one.go_ready()
        async with calling(house, "+12025550112") as customer:
            first = await one.talking()
            await one.until_state("busy")
            assert await first.call.transfer("agent2") == 480
            await hear_each_other(customer, first)
            assert await first.call.transfer("+33145678901") == 403
            await hear_each_other(customer, first)
            await first.hang_up()
        await until_clear(house)


async def test_a_phone_asks_a_colleague_on_its_second_line_and_joins_the_two(house: Installation):
    async with Seat(house, "agent1") as one, Seat(house, "agent2") as two:
        await one.go_ready()
        async with calling(house, "+12025550113") as customer:
            first = await one.talking()
            await one.until_state("busy")
            await two.go_ready()
            sound = await RtpEndpoint.open(PHONE_HOST)
            aside = await one._phone.call("agent2", sound.sdp_offer())
            async with asyncio.timeout(20):
                sound.accept(await aside.answered())
            sound.start(CUSTOMER_HZ)
            colleague = await two.talking()
            colleague.call.on_reoffer = colleague.sound.sdp_answer
            await hear_each_other(Talk(aside, sound), colleague)
            await two.until_state("busy")
            assert await first.call.transfer("agent2", replaced=aside) == 200
            await first.ended()
            async with asyncio.timeout(20):
                await aside.ended()
            await sound.close()
            await hear_each_other(customer, colleague)
            await one.until_state("ready")
            await customer.hang_up()
            await colleague.ended()
            await two.until_state("ready")
        await until_clear(house)


async def test_an_agent_dials_out_through_a_carrier_and_barred_numbers_are_barred(house: Installation, tmp_path: Path):
    async with house.signed_in() as http, Seat(house, "agent1") as one, carrier(tmp_path) as gateway:
        before = len(await stored_interactions(house, http))
        await until("the console sees the phone", lambda: one.console.exchange_up and one.agent.get("phone_registered"))
        idle = one.state
        with pytest.raises(IntentRefusedError) as barred:
            await one.console.intend("call.dial", target_kind="number", target="+33145678901")
        assert barred.value.code == "international_denied"
        await one.console.intend("call.dial", target_kind="number", target="(202) 555-0177")
        own = await one.talking()
        contact_id = await one.works_on()
        await until("the number answered", lambda: one.contact(contact_id).get("state") == "connected")
        assert one.contact(contact_id)["called"] == OUTSIDE
        await one.until_state("busy")
        await own.hang_up()
        await until_over(gateway, tmp_path)
        recorded = await until_recorded(http, before + 1)
        told = recorded[0]
        assert (told["direction"], told["to_value"], told["outcome"]) == ("outbound", OUTSIDE, "answered")
        await one.until_state(idle)
        await until_clear(house)


async def test_a_customer_is_handed_to_a_number_outside(house: Installation, tmp_path: Path):
    async with Seat(house, "agent1") as one, carrier(tmp_path) as gateway:
        await one.go_ready()
        async with calling(house, "+12025550114") as customer:
            first = await one.talking()
            await one.until_state("busy")
            contact_id = await one.works_on()
            await one.console.intend("contact.transfer", contact_id=contact_id, target_kind="number", target=OUTSIDE)
            await first.ended()
            await one.until_state("ready")
            await customer.hang_up()
        await until_over(gateway, tmp_path)
        await until_clear(house)


@asynccontextmanager
async def colleagues(one: Seat, two: Seat) -> AsyncIterator[tuple[Talk, Talk]]:
    """The first agent's phone called the second one's, and they talk."""
    await one.go_ready()
    await two.go_ready()
    sound = await RtpEndpoint.open(PHONE_HOST)
    call = await one._phone.call("agent2", sound.sdp_offer())
    async with asyncio.timeout(20):
        sound.accept(await call.answered())
    sound.start(CUSTOMER_HZ)
    first, second = Talk(call, sound), await two.talking()
    try:
        await hear_each_other(first, second)
        yield first, second
    finally:
        await sound.close()


async def test_a_colleague_left_with_a_number_by_refer_holds_it_and_hands_it_on(house: Installation, tmp_path: Path):
    async with Seat(house, "agent1") as one, Seat(house, "agent2") as two, carrier(tmp_path) as gateway:
        async with colleagues(one, two) as (first, second):
            assert await first.call.transfer(OUTSIDE) == 200
            await first.ended()
            await one.until_state("ready")
            contact_id = await two.works_on()
            await until("the number is shown", lambda: two.contact(contact_id).get("caller") == OUTSIDE)
            await two.console.intend("contact.hold", contact_id=contact_id)
            await until("the hold is shown", lambda: two.contact(contact_id).get("held_since"))
            await two.console.intend("contact.resume", contact_id=contact_id)
            await two.console.intend("contact.send_digits", contact_id=contact_id, digits="12#")
            assert await second.call.transfer("agent1") == 200
            await second.ended()
            third = await one.talking()
            await one.until_state("busy")
            await third.hang_up()
        await until_over(gateway, tmp_path)
        await until_clear(house)


async def test_a_colleague_left_with_a_number_is_heard_there_and_asks_who_left(house: Installation):
    async with (
        Seat(house, "agent1") as one,
        Seat(house, "agent2") as two,
        called_outside(house, GATEWAY) as answered,
        colleagues(one, two) as (first, second),
    ):
        await one.console.intend(
            "contact.transfer", contact_id=await one.works_on(), target_kind="number", target=OUTSIDE
        )
        far = await answered()
        await first.ended()
        await hear_each_other(far, second)
        contact_id = await two.works_on()
        await one.until_state("ready")
        await two.console.intend("contact.consult", contact_id=contact_id, target_kind="agent", target="agent1")
        asked = await one.talking()
        await until("the number hears nobody", lambda: far.sound.heard_tone(AGENT_HZ) < 0.05)
        await two.console.intend("consult.complete", contact_id=contact_id)
        await second.ended()
        await hear_each_other(far, asked)
        await far.hang_up()
        await asked.ended()
        await until_clear(house)


async def test_a_supervisor_ends_the_call_of_a_customer_who_was_handed_outside(house: Installation, tmp_path: Path):
    async with Seat(house, "agent1") as one, carrier(tmp_path) as gateway, watching(house) as boss:
        await one.go_ready()
        async with calling(house, "+12025550115") as customer:
            first = await one.talking()
            await one.until_state("busy")
            await one.console.intend(
                "contact.transfer", contact_id=await one.works_on(), target_kind="number", target=OUTSIDE
            )
            await first.ended()
            await until("who handed it out is shown", lambda: any(c["handed_out_by"] for c in boss.contacts.values()))
            (handed,) = [each for each in boss.contacts.values() if each["handed_out_by"]]
            assert (handed["agent_id"], handed["handed_out_by"]) == (None, "agent1")
            await boss.intend("contact.supervise", contact_id=handed["contact_id"], how="end")
            await customer.ended()
        await until_over(gateway, tmp_path)
        await until_clear(house)


@asynccontextmanager
async def sounding_carrier(house: Installation) -> AsyncIterator[asyncio.Queue[Talk]]:
    """A gateway that rings each call and sounds before it answers: the calls it was given."""
    taken: asyncio.Queue[Talk] = asyncio.Queue()
    tasks: list[asyncio.Task[None]] = []

    async def sound(call: PhoneCall) -> None:
        call.ring()
        talk = Talk(call, await RtpEndpoint.open(GATEWAY[0]))
        call.own_sdp = talk.sound.sdp_answer(call.sdp)
        call.progress(call.own_sdp)
        talk.sound.start(CUSTOMER_HZ)
        taken.put_nowait(talk)

    gateway = SoftPhone(
        host=GATEWAY[0],
        port=GATEWAY[1],
        server=house.sip,
        username="carrier",
        on_call=lambda call: tasks.append(asyncio.create_task(sound(call))),
    )
    await gateway.start()
    try:
        yield taken
    finally:
        await asyncio.gather(*tasks)
        while not taken.empty():
            await taken.get_nowait().sound.close()
        await gateway.stop()


async def test_who_dials_hears_the_carrier_before_anybody_answers_and_is_not_heard(house: Installation):
    async with house.signed_in() as http, Seat(house, "agent1") as one, sounding_carrier(house) as calls:
        before = len(await stored_interactions(house, http))
        await until("the console sees the phone", lambda: one.console.exchange_up and one.agent.get("phone_registered"))
        await one.console.intend("call.dial", target_kind="number", target=OUTSIDE)
        own = await one.talking()
        async with asyncio.timeout(15):
            far = await calls.get()
        await own.sound.wait_heard(CUSTOMER_HZ, timeout=10)
        await own.sound.wait_frames(25)
        assert far.sound.heard == 0, "nobody hears an agent before the answer"
        far.call.answer(far.call.own_sdp)
        await hear_each_other(far, own)
        await own.hang_up()
        await far.ended()
        await far.sound.close()
        told = (await until_recorded(http, before + 1))[0]
        assert told["outcome"] == "answered"
        await until_clear(house)
