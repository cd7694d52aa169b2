"""What waiting callers are told, when, and when not."""

import pytest

from acd.outcomes import ContactDequeued, ContactQueued, DequeueReason, OfferContact
from callcenter.calls.audio import ANNOUNCEMENT_PLAY
from callcenter.calls.facts import CallQueued
from callcenter.site.models import Site
from callcenter.waiting_room import AnnouncementRule, WaitingRoom
from tests.support.fake_signalling import FakeLeg
from tests.support.house import House, open_house, small_site
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


def telling_site(**fields: object) -> Site:
    """The small site, whose sales queue tells its callers."""
    site = small_site(ring_seconds=20)
    told = {"announce_position": True, "announce_every_seconds": 30, **fields}
    queues = [{**queue.model_dump(), **(told if queue.id == "sales" else {})} for queue in site.queues]
    return Site.model_validate({**site.model_dump(), "queues": queues})


def announced(house: House, leg: FakeLeg) -> list[tuple[str, ...]]:
    """Everything this caller was told while waiting, oldest first."""
    call_id = house.call_id(leg)
    return [
        order[3]  # type: ignore[misc]
        for name, order in house.media.orders
        if name == "play" and order[0] == call_id and str(order[2]).startswith(ANNOUNCEMENT_PLAY)
    ]


def test_waiting_callers_hear_their_place_at_each_interval() -> None:
    async def live() -> None:
        house = await open_house(site=telling_site())
        first = await house.queue_call("+12025550111")
        await pass_seconds(5)
        second = await house.queue_call("+12025550112")
        await pass_seconds(26)
        assert announced(house, first) == [("en/queue-next.wav",)]
        assert announced(house, second) == []
        await pass_seconds(5)
        assert announced(house, second) == [("en/queue-position-is.wav", "en/number-2.wav")]
        assert "music" in house.session(second).plays
        await house.hang_up(first)
        await pass_seconds(30)
        assert announced(house, second)[1:] == [("en/queue-next.wav",)]

    run_virtual(live)


def test_a_queue_that_tells_nothing_tells_nothing() -> None:
    async def live() -> None:
        house = await open_house(site=telling_site())
        caller = await house.queue_call(digits="12")
        await pass_seconds(120)
        assert announced(house, caller) == []

    run_virtual(live)


def test_nothing_is_told_while_a_phone_rings_and_a_conversation_is_not_talked_over() -> None:
    async def live() -> None:
        house = await open_house(site=telling_site(announce_every_seconds=15))
        caller = await house.queue_call()
        await pass_seconds(16)
        (play,) = [each for each in house.session(caller).plays if each.startswith(ANNOUNCEMENT_PLAY)]
        await house.sign_in("anna")
        await pass_seconds(16)
        assert len(announced(house, caller)) == 1
        await house.answer("anna")
        await settle()
        assert play not in house.session(caller).plays
        await pass_seconds(60)
        assert len(announced(house, caller)) == 1
        await house.hang_up(caller)
        assert house.records()[0].outcome == "answered"

    run_virtual(live)


def test_who_goes_back_to_the_queue_is_told_again() -> None:
    async def live() -> None:
        house = await open_house(site=telling_site())
        await house.sign_in("anna")
        caller = await house.queue_call()
        await pass_seconds(21)  # nobody answered
        assert announced(house, caller) == []
        await pass_seconds(31)
        assert announced(house, caller) == [("en/queue-next.wav",)]

    run_virtual(live)


RULES = {"sales": AnnouncementRule(position=True, wait=True, every_ms=30_000)}


def entered(room: WaitingRoom, call_id: str, at: int, *, priority: int = 0) -> None:
    room.apply(CallQueued(call_id, at, "sales", priority, "zh"), at)
    room.apply(ContactQueued(call_id, "sales", at, priority, returned=False), at)  # type: ignore[arg-type]


def test_nobody_is_told_anything_worse_than_before() -> None:
    """Somebody more important arrives and the estimate grows: the same place and the same wait are told again."""
    room, waits = WaitingRoom(RULES), iter([240_000.0, 600_000.0, 100_000.0])
    entered(room, "c1", 0)
    tell = lambda now: room.due(now=now, expected_wait=lambda _queue, _ahead: next(waits))  # noqa: E731
    (first,) = tell(30_000)
    entered(room, "c2", 40_000, priority=5)
    assert room.position("c1") == 2
    (second,) = [each for each in tell(60_000) if each.call_id == "c1"]
    assert second == first
    assert [part.name for part in first.parts] == ["queue-next", "queue-wait-is", "minutes-4"]
    assert first.parts[0].language == "zh"
    room.apply(ContactDequeued("c2", "sales", DequeueReason.ABANDONED, 21_000), 61_000)  # type: ignore[arg-type]
    (third,) = tell(90_000)
    assert third.parts[-1].name == "minutes-2"


def test_an_unknown_wait_is_not_told_and_ringing_stops_the_clock() -> None:
    room = WaitingRoom({"sales": AnnouncementRule(wait=True, every_ms=30_000)})
    entered(room, "c1", 0)
    assert room.next_deadline() == 30_000
    assert room.due(now=30_000, expected_wait=lambda _queue, _ahead: None) == []
    room.apply(OfferContact("o1", "c1", "anna", "sales", 50_000, None), 35_000)  # type: ignore[arg-type]
    assert room.next_deadline() is None


def test_an_agent_who_waits_for_a_second_party_has_no_place() -> None:
    room = WaitingRoom(RULES)
    room.apply(ContactQueued("c1.2", "sales", 0, 0, returned=False), 0)  # type: ignore[arg-type]
    assert room.next_deadline() is None


def test_after_an_overflow_the_place_and_the_wait_are_those_of_the_other_queue() -> None:
    """What was told in the first queue does not hold in the second: there it may be worse, and is said so."""

    async def live() -> None:
        site = telling_site(longest_wait_seconds=40, otherwise="queue:support", announce_wait=True)
        told = {"announce_position": True, "announce_wait": True, "announce_every_seconds": 30}
        queues = [queue.model_dump() | (told if queue.id == "support" else {}) for queue in site.queues]
        house = await open_house(site=Site.model_validate(site.model_dump() | {"queues": queues}))
        waits = {"sales": 50_000.0, "support": 290_000.0}
        house.core.announcer._expected_wait = lambda queue_id, ahead: waits[queue_id] * (ahead + 1)
        for number in range(2):
            await house.queue_call(f"+120255502{number:02}", digits="12")  # they wait in support
        await pass_seconds(5)
        caller = await house.queue_call("+12025550111", digits="11")
        await pass_seconds(1)
        await house.queue_call("+12025550203", digits="12")
        await pass_seconds(30)
        less = ("en/queue-next.wav", "en/queue-wait-is.wav", "en/queue-wait-less.wav")
        assert announced(house, caller) == [less]
        await pass_seconds(10)
        assert len(announced(house, caller)) == 1, "the clock begins anew"
        await pass_seconds(30)
        (there,) = announced(house, caller)[1:]
        assert there[:2] == ("en/queue-position-is.wav", "en/number-3.wav"), "with the age of the first queue"
        assert there[2] == "en/queue-wait-is.wav"
        assert there[3:] == ("en/minutes-15.wav",), "three times five minutes"
        assert [house.queue(each).waiting for each in ("sales", "support")] == [0, 4]

    run_virtual(live)
