"""Speech to text with real parts: a spoken call through the whole product, the bundled engine, and programs that
misbehave."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import expect

from callcenter.media.audio import tone, write_wav
from callcenter.media.g711 import Samples
from callcenter.media.resampling import DoubleRate
from callcenter.media.speech import EspeakEngine
from callcenter.transcripts.engine import EngineAway, TranscriptionError
from callcenter.transcripts.program import BUNDLED, NICENESS, ProgramEngine
from ivr.effects import PromptText
from tests.support.browser_page import console_page
from tests.support.console_looks import LOOKS, Scheme, dress, look_at
from tests.support.floor_people import Seat, calling
from tests.support.installation import BOSS, Installation, Plan, running_installation, until_recorded
from tests.support.sentences import spoken
from tests.support.transcription_contract import RATE, TranscriptionEngineContract, wav
from tests.support.waiting import until

pytestmark = pytest.mark.interop

pytest.importorskip("pocketsphinx", reason="the extra callcenter[transcripts] is not installed")
pytest.importorskip("espeakng_loader", reason="the extra callcenter[speech] is not installed")

CUSTOMER, AGENT = "More money. More money.", "The company will come on Monday."
CALLER = "+12125550188"


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    environment = (("CALLCENTER_TRANSCRIPTION__ENGINE", "pocketsphinx"),)
    plan = Plan(records=True, queue_lines=('recording = "on"',), environment=environment)
    with running_installation(plan) as house:
        yield house


async def test_what_was_said_in_a_call_is_found_at_the_right_customer(house: Installation, tmp_path: Path) -> None:
    said = await spoken({"customer": CUSTOMER, "agent": AGENT}, tmp_path)
    async with house.signed_in() as boss, Seat(house, "agent1") as seat:
        body = {"display_name": "Maria Lopez", "contact_points": [{"value": CALLER}]}
        customer = (await boss.post("/api/v1/customers", json=body)).json()["id"]
        await seat.go_ready()
        async with calling(house, CALLER) as caller:
            agent = await seat.talking()
            caller.sound.start(said.files["customer"])
            agent.sound.start(said.files["agent"])
            contact_id = await seat.works_on()
            await caller.sound.wait_frames(300, timeout=60)
            await caller.hang_up()
        await until_recorded(boss, 1)
        path = f"/api/v1/interactions/{contact_id}"
        told: list[dict[str, Any]] = []

        async def is_written() -> bool:
            told[:] = (await boss.get(path)).json()["transcripts"]
            return bool(told)

        await until("it is written down", is_written, within=60)
        assert told[0]["state"] == "done", told
        (transcript,) = (await boss.get(f"{path}/transcript")).json()
        words = {
            party: {word for each in transcript["segments"] if each["party"] == party for word in each["text"].split()}
            for party in ("customer", "agent")
        }
        assert words["customer"] & {"more", "money"}, words
        assert words["agent"] & {"the", "company", "come", "on", "monday", "will"}, words
        assert not words["agent"] & {"money"}, words
        heard = (words["customer"] & {"more", "money"}).pop()
        found = await boss.get(f"/api/v1/customers/{customer}/timeline", params={"words": heard})
        assert [each["interaction"]["contact_id"] for each in found.json()["items"]] == [contact_id]
        await until("nothing of it is left lying", lambda: not list(house.settings.transcribing.iterdir()))
    for language, scheme in LOOKS:
        await read_in_the_console(house, tmp_path, language, scheme, customer, heard)


async def read_in_the_console(
    house: Installation, folder: Path, language: str, scheme: Scheme, customer: str, heard: str
) -> None:
    """The words stand under the recording; a click on a time plays from there; words find the entry."""
    async with console_page(house, folder) as page:
        await dress(page, language, scheme)
        await page.sign_in(BOSS)
        await page.page.goto(f"{house.base_url}/#/customers/{customer}")
        await page.part("read-transcript").click()
        transcript = page.part("transcript")
        await expect(transcript).to_contain_text(heard)
        await expect(transcript).to_contain_text({"en": "Customer", "zh": "客户"}[language])
        await look_at(page, f"transcript-{language}-{scheme}")
        last = transcript.get_by_role("button").last
        await last.click()
        went = "() => document.querySelector('[data-testid=recording-audio]').currentTime > 0"
        await page.page.wait_for_function(went)
        for typed, count in ((heard, 1), ("hippopotamus", 0)):
            await page.part("timeline-words").fill(typed)
            await page.page.keyboard.press("Enter")
            await expect(page.part("timeline-item")).to_have_count(count)


class TestBundled(TranscriptionEngineContract):
    @pytest.fixture
    async def engine(self) -> AsyncIterator[ProgramEngine]:
        engine = ProgramEngine(BUNDLED)
        yield engine
        await engine.close()

    @pytest.fixture
    async def speech(self) -> Samples:
        voice = EspeakEngine()
        pause = np.zeros(RATE, np.int16)
        said = DoubleRate().next(await voice.speak(PromptText("s", "en", "More money.")))
        await voice.close()
        return np.concatenate([pause, said, pause, said, pause])


GREETING = "import sys, json, os, time\nprint(json.dumps({'engine': 'odd', 'version': 1}), flush=True)\n"


def program(tmp_path: Path, body: str, *, greets: bool = True) -> ProgramEngine:
    """An engine of a few lines of Python; ``line`` is what it was asked."""
    source = (GREETING if greets else "import sys, json, os, time\n") + body
    (tmp_path / "odd.py").write_text(source, "utf-8")
    return ProgramEngine((sys.executable, str(tmp_path / "odd.py")), start_seconds=20)


EACH = "for line in sys.stdin:\n    "


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (EACH + "os._exit(1)", "died"),
        (EACH + "print('no sense', flush=True)", "no sense"),
        (EACH + "print('[' * 100000, flush=True)", "no sense"),
        (EACH + "print('x' * 20_000_000, flush=True)", "without end"),
        (EACH + "print(json.dumps({'ok': False, 'error': 'e' * 9000}), flush=True)", "e"),
        (EACH + "print(json.dumps({'ok': True, 'phrases': 7}), flush=True)", "no phrases"),
        (EACH + "time.sleep(60)", "too long"),
        ("os.close(0)\ntime.sleep(60)", "died|too long"),
    ],
)
async def test_a_program_that_dies_lies_or_is_silent_is_told_and_another_recording_may_go_well(
    tmp_path: Path, body: str, told: str
) -> None:
    engine = program(tmp_path, body)
    sound = wav(tmp_path / "s.wav", tone(400, 0.5, rate=RATE))
    for _ in range(2):
        with pytest.raises(TranscriptionError, match=told) as refused:
            await engine.transcribe(sound, language=None, patience=0.5 if "sleep" in body else 20)
        assert len(str(refused.value)) < 300
    await engine.close()


async def test_an_engine_that_is_none_is_away(tmp_path: Path) -> None:
    for engine in (
        ProgramEngine((str(tmp_path / "missing"),)),
        program(tmp_path, "print(json.dumps({'engine': None, 'error': 'no model'}), flush=True)", greets=False),
        program(tmp_path, "sys.exit(3)", greets=False),
    ):
        with pytest.raises(EngineAway):
            await engine.name()
        await engine.close()


async def test_an_engine_is_behind_everybody_and_ends_with_who_asked(tmp_path: Path) -> None:
    engine = program(tmp_path, EACH + "print(json.dumps({'ok': True, 'phrases': []}), flush=True)")
    sound = tmp_path / "s.wav"
    sound.write_bytes(write_wav(tone(400, 0.2, rate=RATE), RATE))
    assert await engine.transcribe(sound, language="any", patience=20) == ()
    process = engine._process
    assert process is not None
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == NICENESS
    working = asyncio.create_task(engine.transcribe(sound, language="any", patience=20))
    await working
    await engine.close()
    assert process.returncode is not None
