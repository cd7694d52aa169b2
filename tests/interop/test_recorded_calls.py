"""Calls through the whole product, recorded as the site says: what is in the files, and who may listen."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from callcenter.media.recordings import load_keys, open_recording
from callcenter.media.recordings.wav import HEADER_BYTES
from callcenter.ports import RecordingFinished
from tests.support.browser_page import console_page
from tests.support.floor_people import AGENT_HZ, CUSTOMER_HZ, Seat, calling, hear_each_other
from tests.support.heard_recordings import HeardRecording, listen
from tests.support.installation import (
    BOSS,
    Installation,
    Plan,
    running_installation,
    stored_interactions,
    until_recorded,
)
from tests.support.waiting import until

pytestmark = pytest.mark.interop

CALLER = "+12125550177"
ELSE_HZ = 1000.0
"""What both say while the recording is paused."""


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    consent = 'recording_consent = { en = "This call will be recorded.", zh = "本次通话将被录音。" }'
    with running_installation(Plan(agents=2, records=True, queue_lines=('recording = "on"', consent))) as house:
        yield house


async def the_recording(http: httpx.AsyncClient, contact_id: str) -> dict[str, Any]:
    """The one recording of a contact, once it is on disk."""
    found: list[dict[str, Any]] = []

    async def stored() -> bool:
        found[:] = (await http.get(f"/api/v1/interactions/{contact_id}")).json()["recordings"]
        return bool(found) and found[0]["state"] == "stored"

    await until("the recording is in the store", stored, within=30)
    (only,) = found
    return only


def heard_in(house: Installation, recording_id: str) -> HeardRecording:
    """The recording as it lies on disk."""
    (entry,) = [
        row.entry
        for row in house.journal.read()
        if row.kind == "recording.stored" and row.entry.recording_id == recording_id
    ]
    folder = house.settings.recordings.folder
    assert folder is not None
    finished = RecordingFinished(
        entry.call_id, recording_id, str(folder / entry.path), entry.sha256, entry.duration_ms, entry.truncated
    )
    return listen(finished, load_keys(house.folder / "recording.key"))


def is_only(heard: HeardRecording, channel: bytes, frequency: float, *others: float, first: float, last: float) -> bool:
    """All that is said is this tone, and none of the others ever; a phone that stalls is silent for a moment."""
    return heard.clear(channel, frequency, first=first, last=last) > 0.9 and all(
        max(heard.tones(channel, other)) < 0.02 for other in others
    )


async def test_a_call_is_announced_recorded_paused_stored_encrypted_and_played(house: Installation) -> None:
    async with house.signed_in() as boss, Seat(house, "agent1") as seat:
        await seat.go_ready()
        async with calling(house, CALLER) as customer:
            agent = await seat.talking()
            await hear_each_other(customer, agent)
            contact_id = await seat.works_on()
            await customer.sound.wait_frames(50)
            await seat.console.intend("recording.pause", contact_id=contact_id)
            customer.sound.start(ELSE_HZ)
            agent.sound.start(ELSE_HZ)
            await customer.sound.wait_frames(100)
            customer.sound.start(CUSTOMER_HZ)
            agent.sound.start(AGENT_HZ)
            await hear_each_other(customer, agent)  # nothing else is on its way
            await seat.console.intend("recording.resume", contact_id=contact_id)
            await customer.sound.wait_frames(75)
            await customer.hang_up()
        await until_recorded(boss, 1)
        recording = await the_recording(boss, contact_id)
        assert recording["announced"] is True
        assert recording["truncated"] is None
        assert recording["agent_id"] == "agent1"

        # Left the customer, right the agent; nothing of what was said in the pause is anywhere in it.
        heard = heard_in(house, recording["recording_id"])
        assert heard.path.name.endswith(".sealed")
        ((start, end),) = recording["pauses"]
        pause = {"first": start / 1000 + 0.1, "last": end / 1000 - 0.1}
        assert end - start > 1000
        assert heard.is_silent(heard.left, **pause)
        assert heard.is_silent(heard.right, **pause)
        for stretch in (
            {"first": 0.2, "last": start / 1000 - 0.2},
            {"first": end / 1000 + 0.2, "last": heard.seconds - 0.2},
        ):
            assert is_only(heard, heard.left, CUSTOMER_HZ, AGENT_HZ, ELSE_HZ, **stretch)
            assert is_only(heard, heard.right, AGENT_HZ, CUSTOMER_HZ, ELSE_HZ, **stretch)
        assert hashlib.sha256(heard.file).hexdigest() == recording["sha256"]

        # The player gives the deciphered file, whole and in parts, and the log says who listened: once.
        path = f"/api/v1/interactions/{contact_id}/recordings/{recording['recording_id']}"
        whole = await boss.get(path)
        assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/wav")
        with open_recording(heard.path, load_keys(house.folder / "recording.key")) as plain:
            assert whole.content == plain.read()
        size = len(whole.content)
        part = await boss.get(path, headers={"Range": f"bytes={HEADER_BYTES}-{HEADER_BYTES + 99}"})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes {HEADER_BYTES}-{HEADER_BYTES + 99}/{size}"
        assert part.content == whole.content[HEADER_BYTES : HEADER_BYTES + 100]
        tail = await boss.get(path, headers={"Range": "bytes=-10"})
        assert tail.content == whole.content[-10:]
        beyond = await boss.get(path, headers={"Range": f"bytes={size}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
        log = (await boss.get("/api/v1/audit")).json()
        listened = [(each["actor_id"], each["row_key"]) for each in log if each["action"] == "listen"]
        assert listened == [("boss", recording["recording_id"])]

        # The agent may hear the own conversation; another agent may not, and a stranger sees nothing at all.
        async with house.signed_in("agent1") as own, house.signed_in("agent2") as other:
            assert (await own.get(path)).content == whole.content
            refused = await other.get(path)
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        async with httpx.AsyncClient(base_url=house.base_url, trust_env=False) as stranger:
            assert (await stranger.get(path)).status_code == 401
        missing = await boss.get(path[:-1] + "9")
        assert (missing.status_code, missing.json()["code"]) == (404, "recording-not-found")


async def test_a_recording_survives_the_death_of_the_exchange(house: Installation) -> None:
    """The call ends as a restart; what was said before is on disk, told to the new exchange, and playable."""
    async with house.signed_in() as boss, Seat(house, "agent1") as seat:
        before = len(await stored_interactions(house, boss))
        await seat.go_ready()
        async with calling(house, CALLER) as customer:
            await hear_each_other(customer, await seat.talking(1))
            contact_id = await seat.works_on()
            await customer.sound.wait_frames(100)
            await house.kill("exchange")
            await until_recorded(boss, before + 1)
            recording = await the_recording(boss, contact_id)
        assert recording["duration_ms"] > 1500
        path = f"/api/v1/interactions/{contact_id}/recordings/{recording['recording_id']}"
        heard = heard_in(house, recording["recording_id"])
        inside = {"first": 0.2, "last": 1.2}
        assert is_only(heard, heard.left, CUSTOMER_HZ, AGENT_HZ, **inside)
        content = io.BytesIO((await boss.get(path)).content)
        assert content.read(4) == b"RIFF"


PLAY = """async (path) => {
  const audio = new Audio(path);
  audio.preload = 'auto';
  await new Promise((ok, no) => {
    audio.onloadedmetadata = ok;
    audio.onerror = () => no(new Error(audio.error.message));
  });
  const sought = new Promise((ok) => (audio.onseeked = ok));
  audio.currentTime = audio.duration / 2;
  await sought;
  return [audio.duration, audio.currentTime];
}"""


async def until_interaction(http: httpx.AsyncClient, contact_id: str) -> None:
    async def there() -> bool:
        return (await http.get(f"/api/v1/interactions/{contact_id}")).status_code == httpx.codes.OK

    await until("the interaction is in the store", there, within=30)


async def test_a_browser_plays_it_and_may_jump_about_in_it(house: Installation, tmp_path: Path) -> None:
    """The real decoder of a real browser: length and place are what the file says, under the console's own policies."""
    async with house.signed_in() as boss, Seat(house, "agent1") as seat:
        await seat.go_ready()
        async with calling(house, "+12125550178") as customer:
            await hear_each_other(customer, await seat.talking())
            contact_id = await seat.works_on()
            await customer.sound.wait_frames(100)
            await customer.hang_up()
        await until_interaction(boss, contact_id)
        recording = await the_recording(boss, contact_id)
        async with console_page(house, tmp_path) as desk:
            await desk.sign_in(BOSS)
            await expect(desk.part("nav-floor")).to_be_visible()
            path = f"/api/v1/interactions/{contact_id}/recordings/{recording['recording_id']}"
            length, place = await desk.page.evaluate(PLAY, path)
    assert abs(length * 1000 - recording["duration_ms"]) < 50
    assert abs(place - length / 2) < 0.1
