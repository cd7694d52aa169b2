"""Messages that callers leave, and the key that leads out of a queue to them."""

import pytest

from agent_console.ports import IntentError
from callcenter.calls.voicemail_facts import VoicemailBegun, VoicemailWorked
from callcenter.ports import LegQuiet, RecordingFinished
from callcenter.site.models import Site
from tests.support.fake_signalling import FakeLeg
from tests.support.house import CUSTOMER, House, open_house, small_site
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario

FLOW = """
[flow]
name = "line"
start = "greet"
languages = ["en"]

[prompts.hello]
en = "Hello."

[prompts.speak]
en = "Leave a message, and end it with the hash key."

[steps.greet]
type = "answer"
next = "wait"

[steps.wait]
type = "queue"
queue = "sales"
otherwise = "message"

[steps.message]
type = "voicemail"
box = "sales"
prompt = "speak"
max_seconds = 60
next = "bye"

[steps.bye]
type = "play"
prompt = "hello"
next = "end"

[steps.end]
type = "hang_up"
reason = "left_message"
"""


def site_with_exit() -> Site:
    site = small_site()
    queues = [{**queue.model_dump(), "exit_key": "9"} for queue in site.queues]
    return Site.model_validate({**site.model_dump(), "queues": queues})


async def a_house(**more: object) -> House:
    return await open_house(site=site_with_exit(), flow=FLOW, **more)  # type: ignore[arg-type]


async def leave(house: House, caller: str = "+12025550111") -> FakeLeg:
    """A caller who leaves the queue by its key and is asked to speak."""
    leg = await house.call(caller)
    await key(house, leg, "9")
    await house.hear_out(leg)
    return leg


async def key(house: House, leg: FakeLeg, digit: str) -> None:
    house.core.switchboard.on_media_event(house.digit(leg, digit))
    await settle()


def begun(house: House) -> list[VoicemailBegun]:
    return [entry for entry in house.journal.entries if isinstance(entry, VoicemailBegun)]


def worked(house: House) -> list[VoicemailWorked]:
    return [entry for entry in house.journal.entries if isinstance(entry, VoicemailWorked)]


def test_the_key_leads_out_of_the_queue_and_the_message_is_recorded_until_the_hash() -> None:
    async def live() -> None:
        house = await a_house()
        caller = await leave(house)
        call_id = house.call_id(caller)
        assert house.queue("sales").waiting == 0
        ((recording_id, recording),) = house.session(caller).recordings.items()
        assert (recording.left, recording.right, recording.retention) == (CUSTOMER, "", "voicemail")
        await key(house, caller, "5")
        assert house.session(caller).recordings
        await key(house, caller, "#")
        assert not house.session(caller).recordings
        house.media.finish_play(house.media.plays(CUSTOMER)[0])
        await settle()
        assert caller.state == "ended"
        (message,) = begun(house)
        assert (message.recording_id, message.box, message.caller) == (recording_id, "sales", "+12025550111")
        assert recording_id.startswith(call_id)
        assert house.core.voicemail.boxes.count("sales") == 1

    run_virtual(live)


def test_a_message_ends_with_its_time_or_with_the_call_and_is_kept_both_ways() -> None:
    async def live() -> None:
        house = await a_house()
        patient = await leave(house, "+12025550111")
        await pass_seconds(61)
        assert not house.session(patient).recordings
        hasty = await leave(house, "+12025550112")
        await house.hang_up(hasty)
        await settle()
        assert house.core.voicemail.boxes.count("sales") == 2

    run_virtual(live)


def test_the_key_takes_the_caller_from_under_a_ringing_phone() -> None:
    """The agent is free again at once, and nobody counts as having missed the call."""

    async def live() -> None:
        house = await a_house()
        await house.sign_in("anna")
        caller = await house.call()
        assert house.signalling.ringing_phone("anna") is not None
        await key(house, caller, "9")
        assert house.signalling.ringing_phone("anna") is None
        assert house.agent("anna").state == "ready"
        await house.hear_out(caller)
        assert house.session(caller).recordings

    run_virtual(live)


def test_another_key_changes_nothing() -> None:
    async def live() -> None:
        house = await a_house()
        caller = await house.call()
        await key(house, caller, "8")
        assert house.queue("sales").waiting == 1

    run_virtual(live)


def test_phones_of_the_box_show_it_until_somebody_dealt_with_it() -> None:
    async def live() -> None:
        house = await a_house()
        await leave(house)
        (message,) = begun(house)
        lamps = house.signalling.waiting
        assert (lamps["anna"], lamps["ben"], "chen" in lamps) == ((1, 0), (1, 0), False)
        with pytest.raises(IntentError) as refused:
            await house.core.desk.finish_voicemail("chen", message.recording_id)
        assert refused.value.code == "not-allowed"
        await house.core.desk.finish_voicemail("ben", message.recording_id)
        assert (lamps["anna"], lamps["ben"]) == ((0, 0), (0, 0))
        assert [(each.by, each.box) for each in worked(house)] == [("ben", "sales")]
        with pytest.raises(IntentError) as late:
            await house.core.desk.finish_voicemail("anna", message.recording_id)
        assert late.value.code == "message-gone"

    run_virtual(live)


def test_who_said_nothing_is_nobodys_work() -> None:
    async def live() -> None:
        house = await a_house()
        caller = await leave(house)
        (message,) = begun(house)
        empty = RecordingFinished(house.call_id(caller), message.recording_id, "/recordings/x.wav", "0", 400, None)
        house.core.recording_ledger.tell(empty)
        await settle()
        assert [each.by for each in worked(house)] == ["system"]
        assert house.core.voicemail.boxes.count("sales") == 0

    run_virtual(live)


def test_a_tone_says_when_to_speak_and_silence_ends_the_message() -> None:
    async def live() -> None:
        house = await a_house()
        caller = await house.call()
        await key(house, caller, "9")
        house.media.finish_play(house.media.plays(CUSTOMER)[-1])  # the prompt
        await settle()
        assert house.media.plays(CUSTOMER) == ["message-tone-1"]
        assert house.session(caller).recordings
        await house.hear_out(caller)
        assert house.session(caller).recordings
        house.core.switchboard.on_media_event(LegQuiet(house.call_id(caller), CUSTOMER, has_spoken=True))
        await settle()
        assert not house.session(caller).recordings
        assert worked(house) == []
        assert house.core.voicemail.boxes.count("sales") == 1

    run_virtual(live)


def test_who_never_speaks_leaves_nothing_and_silence_elsewhere_means_nothing() -> None:
    async def live() -> None:
        house = await a_house()
        caller = await house.call()
        quiet = LegQuiet(house.call_id(caller), CUSTOMER, has_spoken=False)
        house.core.switchboard.on_media_event(quiet)  # in the queue
        await key(house, caller, "9")
        await house.hear_out(caller)
        house.core.switchboard.on_media_event(quiet)
        await settle()
        house.core.switchboard.on_media_event(quiet)  # at the farewell
        await settle()
        assert not house.session(caller).recordings
        assert [each.by for each in worked(house)] == ["system"]
        assert house.core.voicemail.boxes.count("sales") == 0

    run_virtual(live)


def test_no_message_is_forgotten_by_a_restart() -> None:
    async def live() -> None:
        house = await a_house()
        first = await leave(house, "+12025550111")
        await key(house, first, "#")
        await leave(house, "+12025550112")
        done, waiting = begun(house)
        await house.core.desk.finish_voicemail("ben", done.recording_id)
        again = await a_house(journal=house.journal)
        assert again.core.voicemail.boxes.waiting == {waiting.recording_id: "sales"}
        again.signalling.registered.add("anna")
        again.core.on_registration("anna", True)
        await settle()
        assert again.signalling.waiting["anna"] == (1, 0)

    run_virtual(live)
