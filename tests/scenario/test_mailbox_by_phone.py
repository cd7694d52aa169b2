"""An agent's phone calls its voicemail box: what it hears, the keys, and what stays."""

from typing import Any

import pytest

from callcenter.calls.mailbox import TEXTS, MailboxCalls, mailbox_prompts
from callcenter.errors import MediaError
from callcenter.ports import DigitPressed, RecordingFinished
from tests.support.fake_signalling import FakeLeg
from tests.support.house import FakePrompts, House
from tests.support.messages_left import a_house, begun, key, leave
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


class Shelf:
    """Implements ``MessageShelf`` for messages that are nowhere."""

    def __init__(self, *waiting: str) -> None:
        self.waiting = waiting
        self.deleted: list[str] = []
        self.lent: list[str] = []

    def waiting_for(self, agent_id: str) -> tuple[str, ...]:
        return self.waiting if agent_id == "anna" else ()

    async def audio(self, agent_id: str, recording_id: str) -> str:
        self.lent.append(recording_id)
        return f"{recording_id}.wav"

    async def put_back(self, path: str) -> None:
        self.lent.remove(path.removesuffix(".wav"))

    async def delete(self, agent_id: str, recording_id: str) -> None:
        self.deleted.append(recording_id)


async def with_shelf(shelf: Shelf) -> House:
    house = await a_house()
    house.core.switchboard.mailboxes = MailboxCalls(
        house.signalling,
        house.media,
        FakePrompts(),
        shelf,
        house.core.routing,
        house.fatal.append,
        languages={"chen": "zh"},
    )
    return house


async def dial(house: House, agent_id: str = "anna") -> FakeLeg:
    leg = house.signalling.phone_calls(agent_id, "*97")
    await settle()
    return leg


def heard(house: House, leg: FakeLeg) -> tuple[str, ...]:
    """What plays on the phone now."""
    plays: dict[str, Any] = house.media.sessions[f"mailbox-{leg.leg_id}"].plays
    return next((play.paths for play in plays.values()), ())


async def press(house: House, leg: FakeLeg, digit: str) -> None:
    house.core.switchboard.on_media_event(DigitPressed(f"mailbox-{leg.leg_id}", "phone", digit))
    await settle()


async def hear_out(house: House, leg: FakeLeg) -> None:
    session = f"mailbox-{leg.leg_id}"
    house.media.finish_play(next(iter(house.media.sessions[session].plays)), of=session)
    await settle()


def test_messages_are_heard_again_left_and_deleted_by_keys() -> None:
    async def live() -> None:
        shelf = Shelf("one", "two", "three")
        house = await with_shelf(shelf)
        leg = await dial(house)
        menu = "en/mailbox.menu.wav"
        assert heard(house, leg) == ("one.wav", menu)
        await press(house, leg, "1")
        assert heard(house, leg) == ("one.wav", menu)
        await press(house, leg, "3")
        assert heard(house, leg) == ("en/mailbox.deleted.wav", "en/mailbox.next.wav", "two.wav", menu)
        assert shelf.deleted == ["one"]
        await press(house, leg, "2")
        assert heard(house, leg) == ("en/mailbox.next.wav", "three.wav", menu)
        await hear_out(house, leg)
        await pass_seconds(9)  # no key: it stays
        assert heard(house, leg) == ("en/mailbox.end.wav",)
        await hear_out(house, leg)
        assert (leg.state, shelf.deleted, shelf.lent) == ("ended", ["one"], [])
        assert f"mailbox-{leg.leg_id}" not in house.media.sessions

    run_virtual(live)


def test_who_hangs_up_deletes_nothing_and_leaves_nothing_open() -> None:
    async def live() -> None:
        shelf = Shelf("one")
        house = await with_shelf(shelf)
        leg = await dial(house)
        await house.hang_up(leg)
        assert (shelf.deleted, shelf.lent) == ([], [])
        assert f"mailbox-{leg.leg_id}" not in house.media.sessions

    run_virtual(live)


def test_a_box_offers_what_is_on_disk_to_its_own_agents_also_after_a_restart() -> None:
    async def live() -> None:
        house = await a_house()
        caller = await leave(house)
        (message,) = begun(house)
        assert house.core.voicemail.heard_by("anna") == ()  # still being spoken
        await key(house, caller, "#")
        stored = RecordingFinished(house.call_id(caller), message.recording_id, "/recordings/x.wav", "0", 4000, None)
        house.core.recording_ledger.tell(stored)
        await settle()
        again = await a_house(journal=house.journal)
        for each in (house, again):
            assert each.core.voicemail.heard_by("anna") == (message.recording_id,)
            assert each.core.voicemail.heard_by("chen") == ()
        leg = await dial(again, "chen")
        assert heard(again, leg) == ("en/mailbox.none.wav",)

    run_virtual(live)


def test_who_listens_is_not_rung_meanwhile_and_ready_again_afterwards() -> None:
    async def live() -> None:
        house = await with_shelf(Shelf("one"))
        await house.sign_in("anna")
        leg = await dial(house)
        assert house.agent("anna").state == "busy"
        await house.call("+12025550112")
        assert house.signalling.ringing_phone("anna") is None
        await house.hang_up(leg)
        assert house.signalling.ringing_phone("anna") is not None

    run_virtual(live)


def test_who_is_not_signed_in_or_in_a_call_listens_all_the_same() -> None:
    async def live() -> None:
        house = await with_shelf(Shelf("one"))
        leg = await dial(house)
        assert heard(house, leg) == ("one.wav", "en/mailbox.menu.wav")
        await house.hang_up(leg)
        assert house.agent("anna").state == "offline"
        await house.sign_in("anna")
        await house.call("+12025550112")
        await house.answer("anna")
        leg = await dial(house)
        assert heard(house, leg) == ("one.wav", "en/mailbox.menu.wav")
        await house.hang_up(leg)
        assert house.agent("anna").state == "busy"

    run_virtual(live)


def test_the_box_speaks_its_agents_language() -> None:
    async def live() -> None:
        house = await with_shelf(Shelf())
        assert heard(house, await dial(house, "chen")) == ("zh/mailbox.none.wav",)
        assert heard(house, await dial(house, "ben")) == ("en/mailbox.none.wav",)
        assert {prompt.language for prompt in mailbox_prompts()} == {"en", "zh"}
        assert set(TEXTS["en"]) == set(TEXTS["zh"])

    run_virtual(live)


def test_a_phone_whose_ports_are_gone_is_offered_others_and_hears_the_rest() -> None:
    async def live() -> None:
        shelf = Shelf("one")
        house = await with_shelf(shelf)
        leg = await dial(house)
        house.media.refusal = MediaError("rtpengine does not answer")
        house.media.strand(f"mailbox-{leg.leg_id}")
        await settle()
        assert (house.signalling.reoffered, leg.state) == ([], "answered")
        house.media.strand(f"mailbox-{leg.leg_id}")
        await settle()
        assert house.signalling.reoffered == [leg.leg_id]
        assert house.media.orders[-1][0] == "accept_answer"
        await press(house, leg, "3")
        await hear_out(house, leg)
        assert (leg.state, shelf.deleted) == ("ended", ["one"])

    run_virtual(live)
