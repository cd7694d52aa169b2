"""Messages through the whole product: left by a caller, seen on a phone of others, listened to, dealt with."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from callcenter.media.endpoint import RtpEndpoint
from callcenter.media.recordings import load_keys
from callcenter.media.recordings.wav import HEADER_BYTES
from callcenter.ports import RecordingFinished
from tests.support.baresip import Account, Baresip, watching_baresip
from tests.support.floor_people import CUSTOMER_HZ, FRESH_FRAMES, AgentPhone, Talk, calling, ready_at_console
from tests.support.heard_recordings import HeardRecording, listen
from tests.support.installation import PASSWORD, PHONE_HOST, Installation, Plan, running_installation
from tests.support.waiting import until

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]

BOX_NUMBER = "+12025550101"
BEEP_HZ = 1000.0
FLOW = """
[flow]
name = "box"
start = "answer"
languages = ["en"]

[prompts.speak]
en = "Speak after the tone."

[steps.answer]
type = "answer"
next = "message"

[steps.message]
type = "voicemail"
box = "sales"
prompt = "speak"
next = "over"

[steps.over]
type = "hang_up"
reason = "left_message"
"""
SITE = """
[[numbers]]
number = "{number}"
flow = "box"

[[flows]]
id = "box"
file = "{file}"
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    file = tmp_path_factory.mktemp("flow") / "box.toml"
    file.write_text(FLOW, "utf-8")
    site = SITE.format(number=BOX_NUMBER, file=file)
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


@asynccontextmanager
async def colleague_calls_box(house: Installation) -> AsyncIterator[RtpEndpoint]:
    """The second agent's phone dials its box; what it hears."""
    async with AgentPhone(house, "agent2") as phone:
        ear = await RtpEndpoint.open(PHONE_HOST)
        try:
            call = await phone._phone.call("*97", ear.sdp_offer())
            async with asyncio.timeout(10):
                ear.accept(await call.answered())
            ear.start(0.0)
            yield ear
            async with asyncio.timeout(10):
                await call.hang_up()
        finally:
            await ear.close()


async def leave_message(caller: Talk, *, frames: int, hangs_up: bool = False) -> None:
    """Wait for the tone, speak, and be silent until the exchange hangs up."""
    caller.sound.start(0.0)
    await caller.sound.wait_heard(BEEP_HZ, timeout=15)
    caller.sound.start(CUSTOMER_HZ)
    await caller.sound.wait_frames(frames, timeout=15)
    if hangs_up:
        await caller.hang_up()
        return
    caller.sound.start(0.0)
    await caller.ended(within=15)


async def messages(http: httpx.AsyncClient, count: int, *, playable: bool = True) -> list[dict[str, Any]]:
    """The waiting messages, once there are so many that can be played."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = (await http.get("/api/v1/voicemail")).json()
        return len(found) == count and all(each["is_playable"] for each in found) >= playable

    await until(f"{count} messages wait", there, within=15)
    return found


def heard_in(house: Installation, recording_id: str) -> HeardRecording:
    """The message as it lies on disk."""
    (entry,) = [
        row.entry
        for row in house.journal.read()
        if row.kind == "recording.stored" and row.entry.recording_id == recording_id
    ]
    folder = house.settings.recordings.folder
    assert folder is not None
    path = str(folder / entry.path)
    finished = RecordingFinished(entry.call_id, recording_id, path, entry.sha256, entry.duration_ms, entry.truncated)
    return listen(finished, load_keys(house.folder / "recording.key"))


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
