"""The exchange dies at the worst moments; what the journal says is what comes back."""

import asyncio

import pytest

from acd.events import ContactFinished, ContactLeft
from agent_console.messages import AgentState
from agent_console.ports import IntentError
from callcenter.calls.facts import CallArrived, EndedBy, NumberConnected, Outcome, RoutingSnapshot, SegmentOpened
from callcenter.calls.segments import SegmentKind, TargetKind
from callcenter.calls_out import calls_out
from callcenter.errors import JournalError
from callcenter.journal import JournalRow
from callcenter.sip.call_caps import Cap
from callcenter.sip.numbering import DialPermissions, NumberingRules, OutboundPlan, TrunkReach
from tests.support.house import House, open_house
from tests.support.memory_journal import MemoryJournal
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


async def busy_house() -> House:
    """One call in the menu, one waiting, one talking, one that is over; anna talks, ben pauses."""
    house = await open_house()
    await house.sign_in("anna", "ben")
    await house.core.desk.not_ready("ben", "lunch")
    over = await house.queue_call("+12025550101")
    await house.answer("anna")
    await pass_seconds(5)
    await house.hang_up(over)
    await house.core.desk.ready("anna")
    await house.queue_call("+12025550102")
    await house.answer("anna")
    await pass_seconds(7)
    await house.queue_call("+12025550103")
    await pass_seconds(2)
    await house.call("+12025550104")
    return house


def test_calls_that_were_up_are_closed_once_with_their_true_last_instant() -> None:
    async def story() -> None:
        before = await busy_house()
        died_at = before.clock.now()
        await pass_seconds(30)
        after = await open_house(journal=before.journal)
        records = {record.caller: record for record in after.records()}
        assert len(after.records()) == 4
        assert records["+12025550101"].outcome is Outcome.ANSWERED
        for caller in ("+12025550102", "+12025550103", "+12025550104"):
            record = records[caller]
            facts = [entry for entry in before.journal.entries if getattr(entry, "call_id", "") == record.call_id]
            lived_until = max(fact.at for fact in facts if fact.at <= died_at)  # type: ignore[attr-defined]
            assert (record.outcome, record.ended_by) == (Outcome.SYSTEM_RESTART, EndedBy.SYSTEM)
            assert record.ended_at == lived_until
        assert records["+12025550102"].agent_id == "anna"
        assert records["+12025550103"].queue_id == "sales"

    run_virtual(story)


def test_third_life_closes_nothing_a_second_time() -> None:
    async def story() -> None:
        first = await busy_house()
        second = await open_house(journal=first.journal)
        third = await open_house(journal=second.journal)
        assert len(third.records()) == 4

    run_virtual(story)


def test_agents_come_back_as_they_were_and_take_the_next_call() -> None:
    async def story() -> None:
        before = await busy_house()
        after = await open_house(journal=before.journal)
        await settle()
        assert after.agent("anna").state is AgentState.WRAP_UP
        assert (after.agent("ben").state, after.agent("ben").reason) == (AgentState.NOT_READY, "lunch")
        assert after.contacts() == ()
        assert after.queue("sales").waiting == 0
        after.signalling.registered |= {"anna", "ben"}
        await after.core.desk.ready("anna")
        await after.queue_call("+12025550109")
        await after.answer("anna")
        assert after.agent("anna").state is AgentState.BUSY

    run_virtual(story)


def test_days_counts_survive_two_restarts() -> None:
    async def story() -> None:
        first = await busy_house()
        counted = first.queue("sales")
        assert (counted.offered, counted.answered) == (3, 2)
        second = await open_house(journal=first.journal)
        third = await open_house(journal=second.journal)
        sales = third.queue("sales")
        assert (sales.offered, sales.answered, sales.abandoned) == (3, 2, 1)

    run_virtual(story)


def test_every_start_leaves_a_snapshot_and_no_contact_of_an_earlier_life() -> None:
    async def story() -> None:
        before = await busy_house()
        seen = len(before.journal.rows)
        after = await open_house(journal=before.journal)
        new = [row.entry for row in after.journal.rows[seen:]]
        assert sum(isinstance(entry, RoutingSnapshot) for entry in new) == 1
        assert sum(isinstance(entry, ContactFinished | ContactLeft) for entry in new) == 2
        assert after.core.routing.engine.contacts() == ()

    run_virtual(story)


def test_journal_that_cannot_be_written_ends_the_process_and_nothing_is_acted_on() -> None:
    async def story() -> None:
        house = await open_house()
        house.journal.failing = True
        leg = await house.call()
        assert leg.state == "offered"  # not answered: the arrival is not on disk
        assert [type(error) for error in house.fatal] == [JournalError]

    run_virtual(story)


def test_routing_that_cannot_journal_ends_the_process() -> None:
    async def story() -> None:
        house = await open_house(journal=MemoryJournal())
        await house.sign_in("anna")
        await house.queue_call()
        house.journal.failing = True
        await pass_seconds(20)  # the ring time-out cannot be journaled
        assert any(isinstance(error, JournalError) for error in house.fatal)
        assert house.signalling.ringing_phone("anna") is not None

    run_virtual(story)


def test_nothing_is_done_before_it_is_on_disk() -> None:
    """A slow disk delays the answer to the caller and the ring at the agent; it never lets them go ahead."""

    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        house.journal.hold = asyncio.Event()
        leg = await house.call()
        await pass_seconds(3)
        assert leg.state == "offered"
        house.journal.hold.set()
        await settle()
        assert leg.state == "answered"
        await house.press(leg, "1")
        house.journal.hold = asyncio.Event()
        await house.press(leg, "1")
        await pass_seconds(3)
        assert house.signalling.ringing_phone("anna") is None
        house.journal.hold.set()
        await settle()
        await house.hear_out(leg)
        assert house.signalling.ringing_phone("anna") is not None

    run_virtual(story)


def test_exchange_that_is_stopped_ends_its_calls_politely() -> None:
    """Nobody is left in silence: every leg is ended, every call recorded, before the process goes."""

    async def story() -> None:
        house = await busy_house()
        await house.core.stop()
        await settle()
        outcomes = {record.caller: record.outcome for record in house.records()}
        assert outcomes["+12025550102"] is Outcome.ANSWERED
        assert outcomes["+12025550103"] is outcomes["+12025550104"] is Outcome.SYSTEM_RESTART
        assert {leg.state for leg in house.signalling.legs.values()} == {"ended"}
        assert house.media.sessions == {}
        after = await open_house(journal=house.journal)
        assert len(after.records()) == 4

    run_virtual(story)


def test_ready_agent_is_ready_again_when_the_phone_is_back() -> None:
    """Nobody is rung on a phone that is not there yet, and nobody has to press a button after a restart."""

    async def story() -> None:
        before = await open_house()
        await before.sign_in("anna", "ben")
        await before.core.desk.not_ready("ben", "lunch")
        after = await open_house(journal=before.journal)
        assert (after.agent("anna").state, after.agent("anna").reason) == (AgentState.NOT_READY, "phone_gone")
        await after.queue_call()
        assert after.signalling.ringing_phone("anna") is None
        for agent_id in ("anna", "ben"):
            after.signalling.registered.add(agent_id)
            after.core.on_registration(agent_id, True)
        await settle()
        assert after.signalling.ringing_phone("anna") is not None
        assert after.agent("ben").reason == "lunch"

    run_virtual(story)


def rules_for(per_day: int) -> NumberingRules:
    """Each agent may call so many numbers in a day; the trunk carries them, and help is always called."""
    house = DialPermissions(national=True, each_agent=Cap(per_day=per_day))
    return NumberingRules(OutboundPlan(house=house, trunks=(TrunkReach("trunk"),)))


async def call_out(house: House, number: str = "+12025550177") -> None:
    """Anna calls a number, which answers, and hangs up."""
    await house.core.desk.dial("anna", "number", number)
    await settle()
    await house.answer("anna")
    far = house.signalling.legs[house.signalling.dialled[-1][0]]
    house.signalling.answer_phone(far)
    await settle()
    await house.hang_up(far)


def test_calls_out_of_this_day_count_after_a_restart_and_those_of_yesterday_do_not() -> None:
    async def story() -> None:
        first = await open_house(rules=rules_for(4))
        await first.sign_in("anna")
        await call_out(first)
        await pass_seconds(24 * 3_600)
        for _ in range(2):
            await call_out(first)
        await call_out(first, "911")
        await first.queue_call()
        await first.answer("anna")
        contact = first.agent("anna").contact_id or ""
        await first.core.desk.consult("anna", contact, "number", "+12025550188")  # a segment is a call out, too
        await settle()

        second = await open_house(journal=first.journal, rules=rules_for(4))
        await second.sign_in("anna")
        await call_out(second)
        with pytest.raises(IntentError) as refused:
            await second.core.desk.dial("anna", "number", "+12025550177")
        assert refused.value.code == "daily_cap"
        third = await open_house(journal=second.journal, rules=rules_for(4))
        await third.sign_in("anna")
        with pytest.raises(IntentError):
            await third.core.desk.dial("anna", "number", "+12025550177")
        await pass_seconds(24 * 3_600)
        await call_out(third)

    run_virtual(story)


def test_two_calls_that_a_phone_joined_are_counted_as_the_calls_they_were() -> None:
    opened = SegmentOpened("c1", 50, "c1.2", SegmentKind.CONSULT, "c1", "anna", TargetKind.NUMBER, "+12025550177")
    called = CallArrived("c2", 10, "anna", "", "+12025550177", "", "", "", SegmentKind.OUTBOUND, "anna")
    rows = [JournalRow(1, 10, "", called), JournalRow(2, 50, "", opened)]
    joined = JournalRow(3, 50, "", NumberConnected("c1", 50, "c1.2", "+12025550177"))
    assert len(list(calls_out(rows))) == 2
    assert list(calls_out([*rows, joined])) == [("anna", "+12025550177")]
