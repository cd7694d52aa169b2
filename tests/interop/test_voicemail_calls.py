"""Messages through the whole product: left by a caller, seen on a phone of others, listened to, dealt with."""

import re
from collections.abc import Iterator

import pytest

from callcenter.media.recordings.wav import HEADER_BYTES
from tests.support.baresip import Account, Baresip, watching_baresip
from tests.support.floor_people import CUSTOMER_HZ, FRESH_FRAMES, calling, ready_at_console
from tests.support.installation import PASSWORD, Installation, Plan, running_installation
from tests.support.message_box import (
    BEEP_HZ,
    BOX_NUMBER,
    colleague_calls_box,
    heard_in,
    leave_message,
    messages,
    site_with_box,
)
from tests.support.waiting import until

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    site = site_with_box(tmp_path_factory.mktemp("flow"))
    lines = ('digest_algorithms = ["MD5"]',)  # as baresip knows no other
    with running_installation(Plan(agents=2, records=True, more_site=site, sip_lines=lines)) as house:
        yield house


def phone_of(house: Installation, login: str) -> Account:
    return Account(login, PASSWORD, house.sip, watches_messages=True)


async def until_lamp(phone: Baresip, count: int) -> None:
    """The phone was told last that so many messages wait."""

    def told() -> list[str]:
        return re.findall(r"Voice-Message: (\d+)/", phone.output)[-1:]

    await until(f"the lamp tells of {count} messages", lambda: told() == [str(count)], within=15)


async def test_a_message_is_left_shown_by_a_phone_played_and_dealt_with(house: Installation) -> None:
    async with watching_baresip(phone_of(house, "agent1")) as phone, house.signed_in("agent1") as http:
        await until_lamp(phone, 0)
        async with calling(house, "+12125550161", "", called=BOX_NUMBER) as caller:
            await leave_message(caller, frames=100)
        (message,) = await messages(http, 1)
        await until_lamp(phone, 1)
        assert (message["box"], message["caller"]) == ("sales", "+12125550161")

        # What was said is in it, and the tone that asked for it is not.
        heard = heard_in(house, message["recording_id"])
        assert max(heard.tones(heard.left, CUSTOMER_HZ)) > 0.9
        assert max(heard.tones(heard.left, BEEP_HZ)) < 0.05
        played = await http.get(f"/api/v1/interactions/{message['contact_id']}/recordings/{message['recording_id']}")
        assert (played.status_code, played.content[:4]) == (200, b"RIFF")
        assert len(played.content) == len(heard.left) + len(heard.right) + HEADER_BYTES

        # The phone of a colleague, who serves the box, too, hears it, hears it again, and leaves it.
        async with colleague_calls_box(house) as ear:
            await ear.wait_heard(CUSTOMER_HZ, timeout=10)
            await ear.send_digits("1")
            await ear.wait_frames(FRESH_FRAMES)
            await ear.wait_heard(CUSTOMER_HZ, timeout=10)
            await ear.send_digits("2")
        heard_by = [row.entry.by for row in house.journal.read() if row.kind == "voicemail.heard"]
        assert heard_by == ["agent2"]
        await messages(http, 1)

        async with ready_at_console(house, "agent1") as console:
            await console.intend("contact.finish", contact_id=message["recording_id"])
        await until_lamp(phone, 0)
        await messages(http, 0)

        # Another one is deleted by phone.
        async with calling(house, "+12125550162", "", called=BOX_NUMBER) as caller:
            await leave_message(caller, frames=100, hangs_up=True)
        await messages(http, 1)
        async with colleague_calls_box(house) as ear:
            await ear.wait_heard(CUSTOMER_HZ, timeout=10)
            await ear.send_digits("3")
            await until_lamp(phone, 0)
        await messages(http, 0)
