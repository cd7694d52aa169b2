"""Contacts of shared channels in the running exchange: offered at the desk, worked beside calls, kept over kills."""

from typing import Any

import pytest

from agent_console.messages import Channel, ChannelLoad, ContactState, CustomerMatch, MatchState
from agent_console.ports import IntentError
from callcenter.audit.recount import audit
from callcenter.calls.facts import WrapUpRecorded
from callcenter.channels.facts import ItemAccepted, ItemClosed, ItemResult, ItemReturned
from callcenter.journal_erasure import TOMBSTONE
from callcenter.ports import Match
from callcenter.reporting.report import report
from tests.support.house import House
from tests.support.messages_left import a_house, leave_message, message_arrives, shown, site_with_exit
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario

TWO = {"capacity": {"message": 2}}


def state_of(house: House, contact_id: str) -> tuple[str, str | None] | None:
    view = shown(house, contact_id)
    return None if view is None else (view.state, view.agent_id)


def loads(house: House, agent_id: str) -> list[tuple[int, int]]:
    return [(load.has, load.most) for load in house.agent(agent_id).loads if load.channel is Channel.MESSAGE]


def facts(house: House, kind: type[Any]) -> list[Any]:
    return [entry for entry in house.journal.entries if isinstance(entry, kind)]


def test_a_message_is_offered_at_the_desk_taken_wrapped_up_and_closed_with_a_record() -> None:
    async def live() -> None:
        house = await a_house()
        house.directory.matches["+12025550111"] = Match("one", ("7",), "Quist")
        await house.sign_in("ben")
        message = await leave_message(house)
        view = shown(house, message)
        assert view is not None
        assert (view.state, view.agent_id, view.channel) == ("offered", "ben", "message")
        assert (view.recording_id, view.recording_ms, view.customer.name) == (message, 1_000, "Quist")
        assert view.parent_id is not None
        assert message.startswith(view.parent_id)
        assert house.signalling.ringing_phone("ben") is None, "no phone rings for it"
        assert house.agent("ben").state == "ready"
        await pass_seconds(5)
        await house.core.desk.accept("ben", message)
        assert (state_of(house, message), loads(house, "ben")) == (("connected", "ben"), [(1, 1)])
        await pass_seconds(60)
        await house.core.desk.finish("ben", message)
        wrapping = shown(house, message)
        assert wrapping is not None
        assert wrapping.wrap_up_until is not None
        assert (wrapping.state, loads(house, "ben")) == ("wrap_up", [(1, 1)])
        await pass_seconds(5)
        await house.core.desk.finish_wrap_up("ben", message, "solved", "called back")
        assert (shown(house, message), loads(house, "ben")) == (None, [(0, 1)])
        (closed,) = facts(house, ItemClosed)
        record = closed.record
        assert (record.result, record.agent_id, record.queue_id) == (ItemResult.HANDLED, "ben", "sales")
        assert (record.accepted_at - record.arrived_at, record.handled_ms) == (5_000, 60_000)
        assert (record.match_state, record.customer_id) == ("one", "7")
        assert [(each.call_id, each.disposition) for each in facts(house, WrapUpRecorded)] == [(message, "solved")]
        assert not house.core.routing.engine.contacts()
        queue = house.queue("sales")
        (channel,) = queue.channels
        assert (channel.offered, channel.answered, channel.answered_in_target, channel.waiting) == (1, 1, 1, 0)
        assert queue.answered == 0, "it is no call"

    run_virtual(live)


def test_a_call_comes_beside_a_message_and_a_message_never_beside_a_call() -> None:
    async def live() -> None:
        house = await a_house(site=site_with_exit(agents={"ben": TWO}))
        await house.sign_in("ben")
        first = await leave_message(house)
        await house.core.desk.accept("ben", first)
        caller = await house.call("+12025550112")
        phone = await house.answer("ben")
        assert (house.agent("ben").state, loads(house, "ben")) == ("busy", [(1, 2)])
        second = await leave_message(house, "+12025550113")
        assert state_of(house, second) == ("queued", None)
        await house.hang_up(caller)
        assert phone.state == "ended"
        await house.core.desk.finish_wrap_up("ben", house.agent("ben").contact_id or "", "solved", "")
        assert state_of(house, second) == ("offered", "ben")
        assert state_of(house, first) == ("connected", "ben")

    run_virtual(live)


def test_a_caller_does_not_wait_for_a_card_that_nobody_has_looked_at() -> None:
    async def live() -> None:
        house = await a_house()
        await house.sign_in("ben")
        message = await leave_message(house)
        assert state_of(house, message) == ("offered", "ben")
        await house.call("+12025550112")
        assert house.signalling.ringing_phone("ben") is not None
        assert state_of(house, message) == ("queued", None)
        with pytest.raises(IntentError) as late:
            await house.core.desk.accept("ben", message)
        assert late.value.code == "offer-gone"

    run_virtual(live)


def test_calls_go_first_however_old_the_messages_are() -> None:
    async def live() -> None:
        house = await a_house()
        message = await leave_message(house)
        await pass_seconds(3_600)
        await house.call("+12025550112")
        await house.sign_in("ben")
        assert house.signalling.ringing_phone("ben") is not None
        assert state_of(house, message) == ("queued", None)

    run_virtual(live)


def test_what_waits_is_taken_oldest_first_when_capacity_frees_and_newcomers_pass_nobody() -> None:
    """Chatwoot #10583 and #10376: items that waited were passed over by those that came after capacity had freed."""

    async def live() -> None:
        house = await a_house(site=site_with_exit(wrap_up_seconds=0))
        await house.sign_in("ben")
        held = await message_arrives(house, 0)
        await house.core.desk.accept("ben", held)
        waiting = [await message_arrives(house, number) for number in range(1, 5)]
        taken = []
        for number in range(4):
            await house.core.desk.finish("ben", held)
            newcomer = await message_arrives(house, 20 + number)
            assert state_of(house, newcomer) == ("queued", None)
            (held,) = [each for each in waiting if (state_of(house, each) or ("",))[0] == "offered"]
            await house.core.desk.accept("ben", held)
            taken.append(held)
        assert taken == waiting
        assert house.queue("sales").channels[0].waiting == 4

    run_virtual(live)


def test_a_declined_or_missed_message_goes_to_the_next_and_its_agent_pauses() -> None:
    async def live() -> None:
        house = await a_house()
        await house.sign_in("ben", "anna")
        message = await leave_message(house)
        assert state_of(house, message) == ("offered", "ben")
        await house.core.desk.decline("ben", message)
        assert (house.agent("ben").state, house.agent("ben").reason) == ("not_ready", "declined")
        assert state_of(house, message) == ("offered", "anna")
        await pass_seconds(16)
        assert house.agent("anna").reason == "no_answer"
        assert state_of(house, message) == ("queued", None)

    run_virtual(live)


def test_what_is_given_back_goes_to_others_and_not_at_once_to_the_same() -> None:
    async def live() -> None:
        house = await a_house()
        await house.sign_in("ben")
        message = await leave_message(house)
        await house.core.desk.accept("ben", message)
        await house.core.desk.give_back("ben", message)
        assert (state_of(house, message), house.agent("ben").state) == (("queued", None), "ready")
        await house.sign_in("anna")
        assert state_of(house, message) == ("offered", "anna")
        await house.core.desk.accept("anna", message)
        await house.core.desk.give_back("anna", message)
        assert state_of(house, message) == ("offered", "ben"), "nobody else is left"
        assert [each.reason for each in facts(house, ItemReturned)] == ["given_back", "given_back"]

    run_virtual(live)


def test_a_message_is_handed_to_another_queue_or_to_a_colleague() -> None:
    async def live() -> None:
        house = await a_house()
        await house.sign_in("ben", "chen", "anna")
        message = await leave_message(house)
        await house.core.desk.accept("ben", message)
        await house.core.desk.transfer("ben", message, "queue", "support")
        assert state_of(house, message) == ("offered", "chen")
        assert house.signalling.waiting["ben"] == (0, 0)
        await house.core.desk.accept("chen", message)
        await house.core.desk.transfer("chen", message, "agent", "anna")
        assert state_of(house, message) == ("offered", "anna")
        assert shown(house, message).for_agent == "anna"  # type: ignore[union-attr]
        with pytest.raises(IntentError) as refused:
            await house.core.desk.transfer("chen", message, "queue", "sales")
        assert refused.value.code == "contact-gone"
        await house.core.desk.move("sofia", message, "agent", "ben")
        assert state_of(house, message) == ("offered", "ben")
        with pytest.raises(IntentError) as unknown:
            await house.core.desk.move("sofia", message, "number", "+12025550111")
        assert unknown.value.code == "unknown-target"
        with pytest.raises(IntentError) as not_hers:
            await house.core.desk.move("chen", message, "queue", "support")
        assert not_hers.value.code == "not-allowed"

    run_virtual(live)


def test_who_leaves_hands_over_what_lies_in_the_own_box_and_nothing_is_left_behind() -> None:
    """Waiting or at the leaver's desk, into the box of whoever takes over; to the queue where that one takes none."""

    async def live() -> None:
        site = site_with_exit(agents={"chen": {"capacity": {"message": 0}}})
        house = await a_house(box="ben", site=site)
        await house.sign_in("ben", "anna")
        first, second = await leave_message(house), await leave_message(house, "+12025550112")
        await house.core.desk.accept("ben", first)
        desk, items = house.core.desk, house.core.items.open
        for who in ("ben", "chen"):
            with pytest.raises(IntentError) as refused:
                await desk.hand_over_messages(who, "ben", "anna")
            assert refused.value.code == "not-allowed"
        with pytest.raises(IntentError, match="somebody else"):
            await desk.hand_over_messages("sofia", "ben", "ben")
        await desk.hand_over_messages("sofia", "ben", "anna")
        assert items.for_agent("ben") == []
        assert [item.arrived.contact_id for item in items.for_agent("anna")] == [first, second]
        assert state_of(house, first) == ("offered", "anna")
        assert (house.signalling.waiting["ben"], house.signalling.waiting["anna"]) == ((0, 0), (1, 1))
        house = await a_house(box="ben", site=site, journal=house.journal)
        await settle()
        items = house.core.items.open
        assert [item.arrived.contact_id for item in items.for_agent("anna")] == [first, second]
        await house.core.desk.hand_over_messages("sofia", "anna", "chen")
        assert items.for_agent("anna") == []
        assert [item.box for item in items.items.values()] == ["sales"] * 2, "with the colleagues of the queue"
        assert audit(house.journal.rows).breaches == []

    run_virtual(live)


def test_a_message_for_an_agent_waits_for_that_agent() -> None:
    async def live() -> None:
        house = await a_house(box="anna")
        await house.sign_in("ben")
        message = await leave_message(house)
        assert state_of(house, message) == ("queued", None)
        await house.sign_in("anna")
        assert state_of(house, message) == ("offered", "anna")

    run_virtual(live)


def test_items_survive_a_kill_with_their_agent_or_their_place() -> None:
    async def live() -> None:
        house = await a_house(site=site_with_exit(agents={"ben": TWO}))
        await house.sign_in("ben", "anna")
        names = [await message_arrives(house, number) for number in range(3)]
        await house.core.desk.accept("ben", names[0])
        await house.core.desk.accept("anna", names[1])
        before = [state_of(house, name) for name in names]
        assert before == [("connected", "ben"), ("connected", "anna"), ("offered", "ben")]
        later = await message_arrives(house, 9)
        again = await a_house(site=site_with_exit(agents={"ben": TWO}), journal=house.journal)
        again.signalling.registered |= {"ben", "anna"}
        assert [state_of(again, name) for name in names[:2]] == before[:2]
        assert (loads(again, "ben"), loads(again, "anna")) == ([(1, 2)], [(1, 1)])
        for agent_id in ("ben", "anna"):
            again.core.on_registration(agent_id, True)
        await settle()
        assert [state_of(again, name) for name in (*names[2:], later)] == [("offered", "ben"), ("queued", None)]
        assert again.queue("sales").channels[0].waiting == 2
        await again.core.desk.finish("anna", names[1])
        await again.core.desk.finish_wrap_up("anna", names[1], "solved", "")
        assert state_of(again, later) == ("offered", "anna")
        third = await a_house(site=site_with_exit(agents={"ben": TWO}), journal=again.journal)
        assert shown(third, names[1]) is None
        assert state_of(third, names[0]) == ("connected", "ben")
        assert len(third.core.items.open.items) == 3

    run_virtual(live)


def test_a_message_that_was_stored_and_no_more_is_an_item_after_the_kill() -> None:
    async def live() -> None:
        house = await a_house()
        message = await leave_message(house)
        rows = [row for row in house.journal.rows if not row.kind.startswith(("item.", "contact."))]
        house.journal.rows[:] = rows
        again = await a_house(journal=house.journal)
        await settle()
        assert state_of(again, message) == ("queued", None)

    run_virtual(live)


def test_who_has_no_console_any_more_loses_items_and_keeps_calls() -> None:
    async def live() -> None:
        site = site_with_exit()
        routing = site.routing.model_copy(update={"presence_lease_seconds": 0})
        house = await a_house(site=site.model_copy(update={"routing": routing}))
        await house.sign_in("ben", "anna")
        house.core.on_seats(("anna", "ben"))
        message = await leave_message(house)
        await house.core.desk.accept("ben", message)
        house.core.on_seats(("anna",))
        await pass_seconds(20)
        house.core.on_seats(("anna",))
        assert state_of(house, message) == ("connected", "ben")
        await pass_seconds(20)
        house.core.on_seats(("anna",))
        await settle()
        assert state_of(house, message) == ("offered", "anna")
        assert [(each.agent_id, each.reason) for each in facts(house, ItemReturned)] == [("ben", "desk_gone")]
        await house.core.desk.accept("anna", message)
        second = await leave_message(house, "+12025550113")
        assert (house.agent("ben").state, state_of(house, second)) == ("ready", ("queued", None))
        await house.call("+12025550112")
        assert house.signalling.ringing_phone("ben") is not None
        await house.core.desk.decline("ben", house.agent("ben").contact_id or "")
        house.core.on_seats(("anna", "ben"))
        await house.core.desk.ready("ben")
        await settle()
        assert house.core.routing.engine.agents()[1].desk_closed is False

    run_virtual(live)


def test_who_signs_out_leaves_items_to_others() -> None:
    async def live() -> None:
        house = await a_house()
        await house.sign_in("ben", "anna")
        message = await leave_message(house)
        await house.core.desk.accept("ben", message)
        await house.core.desk.sign_out("ben")
        await settle()
        assert (house.agent("ben").state, state_of(house, message)) == ("offline", ("offered", "anna"))

    run_virtual(live)


def test_who_takes_no_calls_needs_no_phone() -> None:
    async def live() -> None:
        site = site_with_exit(agents={"chen": {"capacity": {"voice": 0, "message": 3}}})
        house = await a_house(site=site, box="chen")
        await house.core.desk.sign_in("chen")
        await house.core.desk.ready("chen")
        await settle()
        message = await leave_message(house)
        assert (house.agent("chen").state, state_of(house, message)) == ("ready", ("offered", "chen"))
        assert house.agent("chen").loads == (ChannelLoad(Channel.MESSAGE, 1, 3),)
        assert house.agent("chen").takes_calls is False

    run_virtual(live)


def test_a_customer_is_named_at_the_desk_and_in_the_wrap_up() -> None:
    async def live() -> None:
        house = await a_house()
        await house.sign_in("ben")
        message = await leave_message(house)
        await house.core.desk.accept("ben", message)
        await house.core.desk.identify("ben", message, "9", "Nora", "gold")
        chosen = CustomerMatch(MatchState.ONE, ("9",), "Nora", "gold")
        assert shown(house, message).customer == chosen  # type: ignore[union-attr]
        await house.core.desk.finish("ben", message)
        assert facts(house, ItemClosed)[0].record.customer_id == "9"
        await house.core.desk.identify("ben", message, "10", "Olga")
        assert shown(house, message).customer.name == "Olga"  # type: ignore[union-attr]
        with pytest.raises(IntentError):
            await house.core.desk.identify("anna", message, "11", "Paul")

    run_virtual(live)


def test_a_wrap_up_ends_by_the_clock_and_is_extended() -> None:
    async def live() -> None:
        site = site_with_exit(wrap_up_extension_seconds=60)
        house = await a_house(site=site)
        await house.sign_in("ben")
        message = await leave_message(house)
        await house.core.desk.accept("ben", message)
        await house.core.desk.finish("ben", message)
        before = shown(house, message)
        await house.core.desk.extend_wrap_up("ben", message)
        after = shown(house, message)
        assert before is not None
        assert after is not None
        assert (after.wrap_up_until or 0) - (before.wrap_up_until or 0) == 30_000
        await pass_seconds(61)
        assert (shown(house, message), loads(house, "ben")) == (None, [(0, 1)])
        await house.core.desk.finish_wrap_up("ben", message, "solved", "late")
        assert [each.notes for each in facts(house, WrapUpRecorded)] == ["late"]

    run_virtual(live)


def test_whoever_is_erased_leaves_no_work_behind() -> None:
    async def live() -> None:
        house = await a_house()
        await house.sign_in("ben")
        message = await leave_message(house)
        await house.core.desk.accept("ben", message)
        await house.core.items.forget_person(message.split("-")[0])
        record = facts(house, ItemClosed)[0].record
        assert record.result is ItemResult.ERASED
        assert record.caller == TOMBSTONE, "the store may read it before the journal is blank"
        await settle()
        assert (shown(house, message), loads(house, "ben")) == (None, [(0, 1)])

    run_virtual(live)


def test_an_erased_persons_message_was_neither_given_up_nor_dealt_with() -> None:
    """Not on the floor, not in the report, whose books balance, and not to the auditor."""

    async def live() -> None:
        house = await a_house()
        for number, end in enumerate((house.core.items.forget_person, house.core.items.leave)):
            message = await message_arrives(house, number)
            await pass_seconds(30)
            await end(message if number else message.split("-")[0])
        await message_arrives(house, 2)
        await pass_seconds(10)
        (channel,) = house.queue("sales").channels
        assert (channel.offered, channel.abandoned, channel.waiting) == (3, 1, 1)
        figures = {line.subject.id: line.values for line in report(house.journal.rows).lines}["sales/message"]
        ends = ("answered", "abandoned", "short_abandoned", "flowed_out", "callback_converted", "in_progress")
        assert [figures[name] for name in ("offered", *ends)] == [3, 0, 1, 0, 1, 0, 1]
        assert (figures["lost"], figures["time_to_abandon"], figures["abandon_rate"]) == (1, 30_000, 1 / 3)
        assert audit(house.journal.rows).breaches == []

    run_virtual(live)


def test_the_floor_is_the_sum_of_its_changes_with_items_on_it() -> None:
    async def live() -> None:
        house = await a_house()
        await house.sign_in("ben")
        message = await leave_message(house)
        await house.core.desk.accept("ben", message)
        assert [each.agent_id for each in facts(house, ItemAccepted)] == ["ben"]
        assert house.contacts()[0].state is ContactState.CONNECTED

    run_virtual(live)
