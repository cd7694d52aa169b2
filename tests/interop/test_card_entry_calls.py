"""A customer types card numbers in every way there is while the agent has card entry on: nothing of them stays.

Neither the agent's phone, nor the recording, nor any byte of any file holds them: log, journal, customer store.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from callcenter.media.audio import tone_share, write_wav
from callcenter.media.g711 import Samples, decode
from callcenter.media.inband import tones_of
from callcenter.media.law import Law
from callcenter.media.masking import MASK_HERTZ
from tests.support.card_numbers import digits_in, loudest_key, the_recording, traces
from tests.support.floor_people import CUSTOMER_HZ, Seat, Talk, calling, hear_each_other
from tests.support.installation import Installation, Plan, running_installation, until_recorded
from tests.support.tracing import Trace, tracing
from tests.support.waiting import until

pytestmark = pytest.mark.interop

BY_EVENT, BY_TONE, BY_INFO = "4929135708246931", "5500947163820574", "4716038295174603"
"""Each number is pressed in one way: RFC 4733, in the sound itself, SIP INFO."""
PRESSED = 6553
"""The amplitude of one tone of a key as it is dialled here."""


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    nobody = (
        ("CALLCENTER_PAYMENTS__URL", "https://127.0.0.1:9/pay"),
        ("CALLCENTER_PAYMENTS__SECRET", "the-secret-of-this-test"),
    )
    with running_installation(
        Plan(agents=1, records=True, queue_lines=('recording = "on"',), environment=nobody)
    ) as house:
        yield house


async def test_card_numbers_reach_neither_agent_nor_recording_nor_any_file(house: Installation, tmp_path: Path) -> None:
    async with house.signed_in() as boss, Seat(house, "agent1") as seat:
        await seat.go_ready()
        async with calling(house, "+12125550165") as customer:
            agent = await seat.talking()
            await hear_each_other(customer, agent)
            contact_id = await seat.works_on()
            await seat.console.intend("contact.secure", contact_id=contact_id, how="on")
            await agent.sound.wait_heard(MASK_HERTZ, share=0.9)
            async with tracing(house) as trace:
                heard = await heard_meanwhile(customer, agent, dialled(tmp_path / "card.wav", BY_TONE))
                await until("every key by INFO is taken", lambda: len(taken_by_info(trace)) >= len(BY_INFO))
            await seat.console.intend("contact.secure", contact_id=contact_id, how="off")
            await agent.sound.wait_heard(CUSTOMER_HZ, share=0.9)
            await customer.hang_up()
        assert (agent.sound.digits, digits_in(heard)) == ("", "")
        assert max(tone_share(heard[at : at + 160], MASK_HERTZ) for at in range(0, len(heard) - 159, 160)) > 0.9
        assert loudest_key(heard) < PRESSED / 10
        await until_recorded(boss, 1)
        recording = await the_recording(house)
        for channel in (recording.left, recording.right):
            assert loudest_key(decode(channel, recording.law)) < PRESSED / 4, "where their own tones begin and end"
            assert digits_in(decode(channel, recording.law)) == ""
        assert max(recording.tones(recording.left, CUSTOMER_HZ)) > 0.9, "before and after it is recorded"
    (ended,) = [row.entry for row in house.journal.read() if row.kind == "card_entry.ended"]
    assert ended.digits == len(BY_EVENT) + len(BY_INFO), "keys are counted; tones in sound with events agreed are none"
    assert traces(house.folder, BY_EVENT, BY_TONE, BY_INFO) == []


def taken_by_info(trace: Trace) -> list[dict[str, object]]:
    """Our answers to keys by INFO."""
    return [each for each in trace.went("200 ") if str(each["cseq"]).endswith("INFO")]


async def heard_meanwhile(customer: Talk, agent: Talk, tones: str) -> Samples:
    """Press all numbers; everything that the agent's phone is sent from their beginning to their end."""
    agent.sound.packets.clear()
    kept: list[Samples] = []

    async def go_on(frames: int) -> None:
        await agent.sound.wait_frames(frames)
        kept.extend(decode(packet.payload, Law.PCMU) for packet in agent.sound.packets if packet.payload_type == 0)
        assert {packet.payload_type for packet in agent.sound.packets} == {0}
        agent.sound.packets.clear()

    await customer.sound.send_digits(BY_EVENT)
    await go_on(25)
    await customer.sound.pause()
    customer.sound.start(tones)
    for _ in range(8):
        await go_on(25)
    await customer.sound.pause()
    customer.sound.start(0)
    for digit in BY_INFO:
        customer.call.send_info_digit(digit)
        await go_on(2)
    customer.sound.start(CUSTOMER_HZ)
    await go_on(25)
    return np.concatenate(kept)


def dialled(path: Path, digits: str) -> str:
    """A sound file in which digits are dialled, with as long a pause after each."""
    pause = np.zeros(800, dtype=np.int16)
    path.write_bytes(write_wav(np.concatenate([pause, *itertools.chain(*((tones_of(d), pause) for d in digits))])))
    return str(path)
