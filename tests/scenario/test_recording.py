"""What is recorded of a call, from the queue's rule to the facts in the journal."""

import pytest

from agent_console.messages import RecordingState
from agent_console.ports import IntentError
from callcenter.calls import recording_facts as recorded
from callcenter.calls.legs import LegDigit
from callcenter.calls.recorder import CONSENT_PLAY
from callcenter.errors import MediaError
from callcenter.ports import DigitPressed, RecordingDegraded
from callcenter.site.models import Site
from tests.support.fake_payments import FakePayments
from tests.support.fake_signalling import FakeLeg
from tests.support.house import CUSTOMER, House, open_house, small_site
from tests.support.virtual_time import run_virtual, settle

pytestmark = pytest.mark.scenario

CONSENT = {"en": "This call is recorded.", "zh": "本次通话将被录音。"}


def recording_site(mode: str = "on", *, consent: dict[str, str] | None = None) -> Site:
    """The small site, whose sales queue records."""
    site = small_site()
    fields = {"recording": mode, "recording_consent": consent or {}, "recording_retention": "long"}
    queues = [{**queue.model_dump(), **(fields if queue.id == "sales" else {})} for queue in site.queues]
    return Site.model_validate({**site.model_dump(), "queues": queues})


async def told(house: House) -> FakeLeg:
    """A customer who is being told that sales records."""
    caller = await house.call()
    await house.press(caller, "1")
    house.core.switchboard.on_media_event(house.digit(caller, "1"))
    await settle()
    while CONSENT_PLAY not in house.media.plays(CUSTOMER):
        house.media.finish_play(house.media.plays(CUSTOMER)[0])
        await settle()
    return caller


def facts(house: House, kind: type | None = None) -> list[object]:
    """What the journal holds of recordings."""
    return [
        entry
        for entry in house.journal.entries
        if type(entry).__module__ == recorded.__name__ and (kind is None or isinstance(entry, kind))
    ]


def kinds(house: House) -> list[str]:
    return [type(fact).__name__ for fact in facts(house)]


def test_a_conversation_is_recorded_from_bridge_to_end() -> None:
    """Left is the customer, right the agent; the journal knows of it before media does."""

    async def live() -> None:
        house = await open_house(site=recording_site(), payments=FakePayments())
        await house.sign_in("anna")
        caller = await house.queue_call()
        assert not house.session(caller).recordings
        phone = await house.answer("anna")
        call_id = house.call_id(caller)
        ((recording_id, recording),) = house.session(caller).recordings.items()
        assert recording.left == CUSTOMER
        assert recording.right == next(leg for leg in house.session(caller).legs if leg != CUSTOMER)
        assert recording.retention == "long"
        assert house.contacts()[0].recording is RecordingState.RECORDING
        await house.hang_up(phone)
        await settle()
        assert kinds(house) == ["RecordingStarted", "RecordingStopped", "RecordingStored"]
        (stored,) = facts(house, recorded.RecordingStored)
        assert stored == recorded.RecordingStored(
            call_id,
            stored.at,
            recording_id,
            f"{recording_id}.wav",
            "0" * 64,
            1000,
            None,  # type: ignore[attr-defined]
        )

    run_virtual(live)


def test_a_queue_that_does_not_record_leaves_nothing() -> None:
    async def live() -> None:
        house = await open_house(site=recording_site(), payments=FakePayments())
        await house.sign_in("anna")
        caller = await house.queue_call(digits="12")
        await house.answer("anna")
        assert not house.session(caller).recordings
        assert house.contacts()[0].recording is None
        await house.hang_up(caller)
        assert kinds(house) == []

    run_virtual(live)


def test_the_customer_is_told_before_the_queue_and_the_record_says_so() -> None:
    async def live() -> None:
        house = await open_house(site=recording_site(consent=CONSENT))
        await house.sign_in("anna")
        await told(house)
        assert house.media.playing(CUSTOMER) == [("en/recording-consent-sales.wav",)]
        assert house.signalling.ringing_phone("anna") is None
        house.media.finish_play(CONSENT_PLAY)
        await settle()
        await house.answer("anna")
        (started,) = facts(house, recorded.RecordingStarted)
        assert kinds(house)[0] == "RecordingAnnounced"
        assert started.announced is True  # type: ignore[attr-defined]

    run_virtual(live)


def test_nothing_is_recorded_of_a_customer_who_was_not_told() -> None:
    """The announcement could not be played: the call goes on, unrecorded, also when the agent asks."""

    async def live() -> None:
        house = await open_house(site=recording_site("on_demand", consent=CONSENT))
        await house.sign_in("anna")
        caller = await told(house)
        house.media.finish_play(CONSENT_PLAY, "failed")
        await settle()
        await house.answer("anna")
        with pytest.raises(IntentError, match="was not told"):
            await house.core.desk.start_recording("anna", house.call_id(caller))
        assert kinds(house) == []

    run_virtual(live)


def test_a_customer_who_leaves_during_the_announcement_never_queued() -> None:
    async def live() -> None:
        house = await open_house(site=recording_site(consent=CONSENT))
        caller = await told(house)
        await house.hang_up(caller)
        (record,) = house.records()
        assert record.outcome == "abandoned_in_flow"
        assert record.queue_id is None

    run_virtual(live)


def test_the_agent_pauses_and_resumes() -> None:
    async def live() -> None:
        house = await open_house(site=recording_site(), payments=FakePayments())
        await house.sign_in("anna")
        caller = await house.queue_call()
        await house.answer("anna")
        call_id, (recording,) = house.call_id(caller), house.session(caller).recordings.values()
        await house.core.desk.pause_recording("anna", call_id)
        assert recording.paused
        assert house.contacts()[0].recording is RecordingState.PAUSED
        await house.core.desk.pause_recording("anna", call_id)
        await house.core.desk.resume_recording("anna", call_id)
        assert not recording.paused
        assert house.contacts()[0].recording is RecordingState.RECORDING
        assert kinds(house) == ["RecordingStarted", "RecordingPaused", "RecordingResumed"]

    run_virtual(live)


def test_a_pause_that_failed_is_told_as_none() -> None:
    """People act on a pause: what could not be done must not look done."""

    async def live() -> None:
        house = await open_house(site=recording_site(), payments=FakePayments())
        await house.sign_in("anna")
        caller = await house.queue_call()
        await house.answer("anna")
        house.media.refusal = MediaError("media is away")
        with pytest.raises(IntentError) as refusal:
            await house.core.desk.pause_recording("anna", house.call_id(caller))
        assert refusal.value.code == "recording-failed"
        assert house.contacts()[0].recording is RecordingState.IMPAIRED
        assert "RecordingPaused" not in kinds(house)
        await house.core.desk.pause_recording("anna", house.call_id(caller))
        assert house.contacts()[0].recording is RecordingState.PAUSED

    run_virtual(live)


def test_others_and_impossible_wishes_are_refused() -> None:
    async def live() -> None:
        house = await open_house(site=recording_site(), payments=FakePayments())
        await house.sign_in("anna")
        caller = await house.queue_call()
        call_id = house.call_id(caller)
        await house.answer("anna")
        desk = house.core.desk
        with pytest.raises(IntentError, match="do not talk"):
            await desk.pause_recording("ben", call_id)
        with pytest.raises(IntentError, match="already"):
            await desk.start_recording("anna", call_id)
        with pytest.raises(IntentError, match="Every call"):
            await desk.stop_recording("anna", call_id)
        with pytest.raises(IntentError, match="over"):
            await desk.pause_recording("anna", "no-such-call")

    run_virtual(live)


def test_on_demand_the_agent_starts_and_stops() -> None:
    async def live() -> None:
        house = await open_house(site=recording_site("on_demand"))
        await house.sign_in("anna")
        caller = await house.queue_call()
        await house.answer("anna")
        call_id, desk = house.call_id(caller), house.core.desk
        assert kinds(house) == []
        await desk.start_recording("anna", call_id)
        await desk.stop_recording("anna", call_id)
        await desk.start_recording("anna", call_id)
        await house.hang_up(caller)
        await settle()
        ids = [fact.recording_id for fact in facts(house, recorded.RecordingStored)]  # type: ignore[attr-defined]
        assert ids == [f"{call_id}-r1", f"{call_id}-r2"]

    run_virtual(live)


def test_a_recording_that_cannot_be_made_never_harms_the_call() -> None:
    async def live() -> None:
        house = await open_house(site=recording_site(), payments=FakePayments())
        await house.sign_in("anna")
        await house.queue_call()
        real = house.media.record

        async def refuse(*_: object, **__: object) -> None:
            raise MediaError("recording is not set up")

        house.media.record = refuse  # type: ignore[method-assign]
        phone = await house.answer("anna")
        house.media.record = real  # type: ignore[method-assign]
        assert house.contacts()[0].recording is RecordingState.FAILED
        await house.hang_up(phone)
        assert house.records()[0].outcome == "answered"
        assert kinds(house) == ["RecordingStarted", "RecordingImpaired"]

    run_virtual(live)


def test_lost_audio_is_seen_on_the_floor() -> None:
    async def live() -> None:
        house = await open_house(site=recording_site(), payments=FakePayments())
        await house.sign_in("anna")
        caller = await house.queue_call()
        await house.answer("anna")
        call_id = house.call_id(caller)
        house.core.recording_ledger.tell(RecordingDegraded(call_id, f"{call_id}-r1", "disk_full"))
        await settle()
        assert house.contacts()[0].recording is RecordingState.IMPAIRED

    run_virtual(live)


def test_each_agent_of_a_call_has_a_recording_of_the_own_stretch() -> None:
    """A transfer ends the first one's; the second one's belongs to the second contact."""

    async def live() -> None:
        house = await open_house(site=recording_site(), payments=FakePayments())
        await house.sign_in("anna", "ben")
        caller = await house.queue_call()
        await house.answer("anna")
        call_id = house.call_id(caller)
        await house.core.desk.transfer("anna", call_id, "agent", "ben")
        await settle()
        await house.answer("ben")
        await house.hang_up(caller)
        await settle()
        started = facts(house, recorded.RecordingStarted)
        assert [(each.agent_id, each.contact_id) for each in started] == [("anna", ""), ("ben", f"{call_id}.2")]  # type: ignore[attr-defined]
        assert len(facts(house, recorded.RecordingStored)) == 2

    run_virtual(live)


def test_card_entry_pauses_the_recording_and_goes_before_what_the_desk_wants() -> None:
    """The recording is paused before the keys are masked, and resumed only after they no longer are."""

    async def live() -> None:
        house = await open_house(site=recording_site(), payments=FakePayments())
        await house.sign_in("anna")
        caller = await house.queue_call()
        await house.answer("anna")
        call_id, desk = house.call_id(caller), house.core.desk
        (recording,) = house.session(caller).recordings.values()
        before = len(house.media.orders)
        await desk.secure("anna", call_id, "on")
        assert [name for name, _ in house.media.orders[before:]] == ["record", "secure"]
        assert recording.paused
        with pytest.raises(IntentError, match="card data"):
            await desk.resume_recording("anna", call_id)
        with pytest.raises(IntentError, match="do not talk"):
            await desk.secure("ben", call_id, "off")
        await desk.secure("anna", call_id, "off")
        assert [name for name, _ in house.media.orders[-2:]] == ["secure", "record"]
        assert not recording.paused
        with pytest.raises(IntentError):
            await desk.secure("anna", call_id, "maybe")

    run_virtual(live)


def test_keys_typed_meanwhile_are_counted_and_kept_nowhere_and_the_floor_shows_it() -> None:
    async def live() -> None:
        house = await open_house(site=recording_site(), payments=FakePayments())
        await house.sign_in("anna")
        caller = await house.queue_call()
        await house.answer("anna")
        call_id, desk = house.call_id(caller), house.core.desk
        board = house.core.switchboard

        def is_shown() -> bool:
            return next(each.is_secured for each in house.contacts() if each.contact_id == call_id)

        await desk.secure("anna", call_id, "on")
        await desk.secure("anna", call_id, "on")  # pressed twice
        assert is_shown()
        for digit in "4111":
            board.on_media_event(DigitPressed(call_id, CUSTOMER, digit, secret=True))
        board.on_leg_event(LegDigit(caller.leg_id, "7"))  # by signalling
        await settle()
        await desk.secure("anna", call_id, "off")
        assert not is_shown()
        board.on_media_event(DigitPressed(call_id, CUSTOMER, "9", secret=True))  # late
        await settle()
        await desk.secure("anna", call_id, "on")
        await desk.secure("anna", call_id, "off")
        told = [each for each in house.journal.entries if isinstance(each, recorded.CardEntryFact)]
        assert [getattr(each, "digits", None) for each in told] == [None, 5, None, 0]
        assert {each.agent_id for each in told} == {"anna"}

    run_virtual(live)
