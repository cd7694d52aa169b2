"""A voicemail box of a queue in a running installation: a caller leaves a message, a colleague listens by phone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from callcenter.media.endpoint import RtpEndpoint
from callcenter.media.recordings import load_keys
from callcenter.ports import RecordingFinished
from tests.support.floor_people import CUSTOMER_HZ, AgentPhone, Talk
from tests.support.heard_recordings import HeardRecording, listen
from tests.support.installation import PHONE_HOST, Installation
from tests.support.waiting import until

BOX_NUMBER = "+12025550101"
BEEP_HZ = 1000.0
_FLOW = """
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
_SITE = """
[[numbers]]
number = "{number}"
flow = "box"

[[flows]]
id = "box"
file = "{file}"
"""


def site_with_box(folder: Path, box: str = "sales") -> str:
    """More of a site file: a number whose flow asks for a message. The flow is written to this folder."""
    file = folder / "box.toml"
    file.write_text(_FLOW.replace('box = "sales"', f'box = "{box}"'), "utf-8")
    return _SITE.format(number=BOX_NUMBER, file=file)


@asynccontextmanager
async def colleague_calls_box(house: Installation) -> AsyncIterator[RtpEndpoint]:
    """The second agent's phone dials its box; what it hears."""
    async with AgentPhone(house, "agent2") as phone:
        ear = await RtpEndpoint.open(PHONE_HOST)
        try:
            call = await phone._phone.call("*97", ear.sdp_offer())
            async with asyncio.timeout(20):
                ear.accept(await call.answered())
            call.on_reoffer = ear.sdp_answer
            ear.start(0.0)
            yield ear
            async with asyncio.timeout(20):
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
    await caller.ended()


async def messages(http: httpx.AsyncClient, count: int, *, playable: bool = True) -> list[dict[str, Any]]:
    """The waiting messages, once there are so many that can be played."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = (await http.get("/api/v1/voicemail")).json()
        return len(found) == count and all(each["is_playable"] for each in found) >= playable

    await until(f"{count} messages wait", there)
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
