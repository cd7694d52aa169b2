"""Messages that callers leave, and the key that leads out of a queue to them."""

import pytest

from acd.events import Channel
from agent_console.ports import IntentError
from callcenter.calls.voicemail_facts import VoicemailWorked
from callcenter.channels.facts import ItemClosed
from callcenter.ports import LegQuiet, RecordingFinished
from tests.support.house import CUSTOMER, House
from tests.support.messages_left import a_house, begun, key, leave, leave_message
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


def closed(house: House) -> list[ItemClosed]:
    return [entry for entry in house.journal.entries if isinstance(entry, ItemClosed)]


def waiting(house: House) -> int:
    """How many messages the queue's box holds."""
    return len(house.core.items.open.of_box("sales", Channel.MESSAGE))


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
        assert waiting(house) == 1

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
        assert waiting(house) == 2

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
        message = await leave_message(house)
        lamps = house.signalling.waiting
        assert (lamps["anna"], lamps["ben"], "chen" in lamps) == ((1, 0), (1, 0), False)
        with pytest.raises(IntentError) as refused:
            await house.core.desk.finish("chen", message)
        assert refused.value.code == "not-allowed"
        await house.core.desk.finish("ben", message)
        assert (lamps["anna"], lamps["ben"]) == ((0, 0), (0, 0))
        assert [(each.by, each.record.queue_id) for each in closed(house)] == [("ben", "sales")]
        with pytest.raises(IntentError) as late:
            await house.core.desk.finish("anna", message)
        assert late.value.code == "message-gone"

    run_virtual(live)


def test_phones_tell_what_was_heard_or_is_in_work_from_what_is_new() -> None:
    """New, and old, are those of RFC 3842: the list, the desk, `*97` and the lamp tell the same."""

    async def live() -> None:
        house = await a_house()
        lamps = house.signalling.waiting
        heard, taken = [await leave_message(house, f"+1202555011{number}") for number in range(2)]
        assert lamps["anna"] == (2, 0)
        leg = house.signalling.phone_calls("anna", "*97")
        await settle()
        assert lamps["anna"] == lamps["ben"] == (1, 1)
        await house.hang_up(leg)
        await house.core.desk.finish("ben", heard)
        await house.sign_in("ben")
        await house.core.desk.accept("ben", taken)
        assert lamps["anna"] == (0, 1)
        assert house.core.voicemail.heard_by("anna") == (), "a colleague is working it"
        assert house.core.voicemail.heard_by("ben") == (taken,)
        await house.core.desk.finish("ben", taken)
        assert lamps["anna"] == (0, 0)

    run_virtual(live)


def test_what_is_deleted_by_phone_leaves_the_desk_without_a_wrap_up() -> None:
    async def live() -> None:
        house = await a_house()
        await house.sign_in("ben")
        message = await leave_message(house)
        await house.core.desk.finish("anna", message)  # as a phone's key does
        assert house.agent("ben").state == "ready"
        second = await leave_message(house, "+12025550112")
        await house.core.desk.accept("ben", second)
        await house.core.desk.finish("anna", second)
        await settle()
        assert house.contacts() == ()

    run_virtual(live)


def test_who_said_nothing_is_nobodys_work() -> None:
    async def live() -> None:
        house = await a_house()
        await leave(house)
        (message,) = begun(house)
        call_id = message.recording_id.partition("-")[0]
        empty = RecordingFinished(call_id, message.recording_id, "/recordings/x.wav", "0", 400, None)
        house.core.recording_ledger.tell(empty)
        await settle()
        assert [each.by for each in worked(house)] == ["system"]
        assert waiting(house) == 0

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
        assert waiting(house) == 1

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
        assert waiting(house) == 0

    run_virtual(live)


def test_no_message_is_forgotten_by_a_restart() -> None:
    async def live() -> None:
        house = await a_house()
        done = await leave_message(house, "+12025550111")
        left = await leave_message(house, "+12025550112")
        await house.core.desk.finish("ben", done)
        again = await a_house(journal=house.journal)
        assert list(again.core.items.open.items) == [left]
        again.signalling.registered.add("anna")
        again.core.on_registration("anna", True)
        await settle()
        assert again.signalling.waiting["anna"] == (1, 0)

    run_virtual(live)


def test_a_message_that_could_not_be_recorded_says_who_called() -> None:
    async def live() -> None:
        house = await a_house()
        house.media.refuses_recordings = True
        caller = await leave(house)
        await house.hang_up(caller)
        await settle()
        (item,) = house.core.items.open.items.values()
        assert (item.arrived.caller, item.arrived.recording_id) == ("+12025550111", "")

    run_virtual(live)
