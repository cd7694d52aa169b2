"""Hold, transfer and consultation against the whole exchange, with everybody hanging up everywhere."""

import pytest

from agent_console.messages import AgentState
from agent_console.ports import IntentError
from callcenter.audit.recount import audit
from callcenter.calls.facts import CallClosed, Outcome
from callcenter.calls.legs import TransferRequested
from callcenter.replay import replay
from callcenter.reporting.report import report
from tests.support.changed_entries import with_fields
from tests.support.conversations import both, consulting, end_clean, heard, talking
from tests.support.house import CUSTOMER, open_house, small_site
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


def test_hold_plays_music_to_the_customer_until_resumed() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer, _, call = await talking(house)
        await pass_seconds(10)
        await house.core.desk.hold("anna", call)
        await settle()
        assert heard(house, call) == set()
        assert "music" in house.session(customer).plays
        with pytest.raises(IntentError, match="held"):
            await house.core.desk.hold("anna", call)
        await pass_seconds(5)
        await house.core.desk.resume("anna", call)
        await settle()
        assert heard(house, call) == both(CUSTOMER, "anna")
        assert "music" not in house.session(customer).plays
        await pass_seconds(20)
        await house.hang_up(customer)
        (record,) = house.records()
        assert (record.talk_ms, record.hold_ms, record.outcome) == (30_000, 5_000, Outcome.ANSWERED)

    run_virtual(story)


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_a_hold_by_the_agents_own_phone_is_a_hold_like_any_other(direction: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer, phone, call = await talking(house)
        house.signalling.far_end_reoffers(phone, direction)
        await settle()
        assert heard(house, call) == set()
        assert "music" in house.session(customer).plays
        await pass_seconds(5)
        house.signalling.far_end_reoffers(phone)
        await settle()
        assert heard(house, call) == both(CUSTOMER, "anna")
        await house.core.desk.hold("anna", call)
        house.signalling.far_end_reoffers(phone)  # a session refresh resumes nothing
        await settle()
        assert heard(house, call) == set()
        await house.hang_up(customer)
        (record,) = house.records()
        assert (record.hold_ms, record.outcome) == (5_000, Outcome.ANSWERED)

    run_virtual(story)


def test_blind_transfer_to_an_agent_gives_each_agent_the_own_time() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, call = await talking(house)
        await pass_seconds(10)
        await house.core.desk.transfer("anna", call, "agent", "ben")
        await settle()
        assert phone.state == "answered"
        await pass_seconds(3)
        await house.answer("ben")
        assert phone.state == "ended"
        assert house.agent("anna").state is AgentState.WRAP_UP
        assert heard(house, call) == both(CUSTOMER, "ben")
        assert house.agent("ben").contact_id == f"{call}.2"
        await pass_seconds(7)
        await house.hang_up(customer)
        (record,) = house.records()
        first, second = record.segments
        assert (first.agent_id, first.talk_ms, first.hold_ms) == ("anna", 10_000, 3_000)
        assert (second.agent_id, second.talk_ms, second.waited_ms) == ("ben", 7_000, 3_000)
        assert (record.talk_ms, record.hold_ms) == (17_000, 3_000)
        assert house.agent("ben").state is AgentState.WRAP_UP

    run_virtual(story)


def test_blind_transfer_that_nobody_answers_comes_back_to_the_agent() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, call = await talking(house)
        await house.core.desk.transfer("anna", call, "agent", "ben")
        await settle()
        contact = next(each for each in house.contacts() if each.contact_id == call)
        assert (contact.consult_state, contact.consult_target, contact.consult_kind) == ("seeking", "ben", "transfer")
        rung = house.signalling.ringing_phone("ben")
        assert rung is not None
        house.signalling.refuse(rung, 486)
        await settle()
        assert heard(house, call) == both(CUSTOMER, "anna")
        assert phone.state == "answered"
        assert house.agent("ben").state is AgentState.NOT_READY
        contact = next(each for each in house.contacts() if each.contact_id == call)
        assert (contact.consult_id, contact.held_since) == (None, None)
        await house.hang_up(customer)
        (record,) = house.records()
        assert [segment.result for segment in record.segments] == ["completed", "failed"]
        await end_clean(house)

    run_virtual(story)


def test_agent_who_is_not_at_work_fails_the_transfer_at_once_and_no_queue_counts_it() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer, _, call = await talking(house)
        before = house.core.floor.counts()
        await house.core.desk.transfer("anna", call, "agent", "ben")
        await settle()
        assert heard(house, call) == both(CUSTOMER, "anna")
        assert house.core.floor.counts() == before
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)


def test_who_hangs_up_during_a_blind_transfer_is_free_and_a_failure_rings_back() -> None:
    async def story() -> None:
        house = await open_house(site=small_site(wrap_up_seconds=0))
        await house.sign_in("anna", "ben")
        customer, phone, call = await talking(house)
        await house.core.desk.transfer("anna", call, "agent", "ben")
        await settle()
        await house.hang_up(phone)
        assert house.agent("anna").state is AgentState.READY
        assert "music" in house.session(customer).plays
        rung = house.signalling.ringing_phone("ben")
        assert rung is not None
        house.signalling.refuse(rung, 603)
        await settle()
        await house.answer("anna")
        assert heard(house, call) == both(CUSTOMER, "anna")
        assert house.agent("anna").contact_id == f"{call}.3"
        await house.hang_up(customer)
        (record,) = house.records()
        assert [segment.kind for segment in record.segments] == ["inbound", "transfer", "recall"]
        await end_clean(house)

    run_virtual(story)


def test_transfer_to_a_queue_frees_the_agent_at_once_and_counts_there() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "chen")
        customer, phone, call = await talking(house)
        await pass_seconds(20)
        await house.core.desk.transfer("anna", call, "queue", "support")
        await settle()
        assert phone.state == "ended"
        assert house.agent("anna").state is AgentState.WRAP_UP
        await pass_seconds(4)
        await house.answer("chen")
        await pass_seconds(6)
        await house.hang_up(customer)
        (record,) = house.records()
        assert [(each.agent_id, each.queue_id, each.talk_ms) for each in record.segments] == [
            ("anna", "sales", 20_000),
            ("chen", "support", 6_000),
        ]
        assert house.queue("support").answered == 1
        await end_clean(house)
        lines = {line.subject.id: line.values for line in report(house.journal.rows).lines}
        assert (lines["anna"]["talk_split"], lines["chen"]["talk_split"]) == (20_000, 6_000)
        assert (lines["anna"]["transferred"], lines["chen"]["transferred"]) == (1, 0)
        assert (lines["anna"]["transferred_blind"], lines["sales"]["transferred_to_queue"]) == (1, 1)
        assert (lines["support"]["offered"], lines["support"]["answered"]) == (1, 1)

    run_virtual(story)


@pytest.mark.parametrize("leaver", ["customer", "anna"])
def test_customer_who_waits_after_a_transfer_is_answered_whoever_left(leaver: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer, phone, call = await talking(house)
        await house.core.desk.transfer("anna", call, "queue", "support")
        await settle()
        assert phone.state == "ended"
        await pass_seconds(9)
        await house.hang_up(customer if leaver == "customer" else phone)
        await house.hang_up(customer)
        (record,) = house.records()
        assert record.outcome is Outcome.ANSWERED
        assert record.segments[1].result == "abandoned"
        await end_clean(house)
        lines = {line.subject.id: line.values for line in report(house.journal.rows).lines}
        assert lines["support"]["abandoned"] == 1

    run_virtual(story)


def test_transfer_to_a_number_goes_through_the_rules_and_leaves_customer_and_number_alone() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer, phone, call = await talking(house)
        with pytest.raises(IntentError) as refused:
            await house.core.desk.transfer("anna", call, "number", "+882160000000")
        assert refused.value.code == "destination_denied"
        assert heard(house, call) == both(CUSTOMER, "anna")
        await house.core.desk.transfer("anna", call, "number", "+12025550177")
        await settle()
        ((leg_id, number, trunks),) = house.signalling.dialled
        assert (number, trunks) == ("+12025550177", ("trunk",))
        assert (house.signalling.hops[phone.leg_id], house.signalling.hops[leg_id]) == (69, 69)
        house.signalling.answer_phone(house.signalling.legs[leg_id])
        await settle()
        assert phone.state == "ended"
        assert heard(house, call) == both(CUSTOMER, leg_id)
        assert house.agent("anna").state is AgentState.WRAP_UP
        await pass_seconds(60)
        await house.hang_up(house.signalling.legs[leg_id])
        assert customer.state == "ended"
        (record,) = house.records()
        assert record.segments[1].number == "+12025550177"
        assert record.segments[1].talk_ms == 60_000
        await end_clean(house)

    run_virtual(story)


def test_number_that_is_busy_brings_the_customer_back() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer, _, call = await talking(house)
        await house.core.desk.transfer("anna", call, "number", "+12025550177")
        await settle()
        house.signalling.refuse(house.signalling.legs[house.signalling.dialled[0][0]], 486)
        await settle()
        assert heard(house, call) == both(CUSTOMER, "anna")
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)


def test_consultation_swap_conference_and_complete() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, other, call = await consulting(house)
        desk = house.core.desk
        assert "music" in house.session(customer).plays
        assert house.agent("ben").state is AgentState.BUSY
        await pass_seconds(5)
        await desk.swap("anna", call)
        await settle()
        assert heard(house, call) == both(CUSTOMER, "anna")
        await pass_seconds(2)
        await desk.conference("anna", call)
        await settle()
        everybody = both(CUSTOMER, "anna") | both(CUSTOMER, "ben") | both("anna", "ben")
        assert heard(house, call) == everybody
        await pass_seconds(3)
        with pytest.raises(IntentError, match="colleague's"):
            await desk.hold("ben", f"{call}.2")
        await desk.complete("anna", call)
        await settle()
        assert heard(house, call) == both(CUSTOMER, "ben")
        assert phone.state == "ended"
        await pass_seconds(10)
        await desk.hang_up("ben", f"{call}.2")
        await settle()
        assert {customer.state, other.state} == {"ended"}
        (record,) = house.records()
        first, second = record.segments
        assert (first.talk_ms, first.hold_ms) == (15_000, 5_000)
        assert (second.consult_ms, second.talk_ms) == (7_000, 13_000)
        assert (record.talk_ms, record.hold_ms) == (25_000, 5_000)
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("after", ["swap", "conference", "nothing"])
@pytest.mark.parametrize("leaver", ["customer", "anna", "ben", "cancel"])
def test_whoever_leaves_a_consultation_leaves_the_others_in_order(leaver: str, after: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, other, call = await consulting(house)
        if after != "nothing":
            await getattr(house.core.desk, after)("anna", call)
            await settle()
        if leaver == "cancel":
            await house.core.desk.cancel("anna", call)
            await settle()
        else:
            await house.hang_up({"customer": customer, "anna": phone, "ben": other}[leaver])
        if leaver == "customer":
            assert {phone.state, other.state} == {"ended"}
        elif leaver == "anna":
            assert heard(house, call) == both(CUSTOMER, "ben")
        else:
            assert heard(house, call) == both(CUSTOMER, "anna")
            assert other.state == "ended"
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("leaver", ["customer", "anna", "cancel"])
def test_consultation_that_still_rings_is_taken_back_or_goes_on_as_a_transfer(leaver: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, call = await talking(house)
        await house.core.desk.consult("anna", call, "agent", "ben")
        await settle()
        rung = house.signalling.ringing_phone("ben")
        assert rung is not None
        if leaver == "cancel":
            await house.core.desk.cancel("anna", call)
            await settle()
            assert rung.state == "ended"
            assert heard(house, call) == both(CUSTOMER, "anna")
        elif leaver == "anna":
            await house.hang_up(phone)
            await house.answer("ben")
            assert heard(house, call) == both(CUSTOMER, "ben")
        else:
            await house.hang_up(customer)
            assert {phone.state, rung.state} == {"ended"}
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)


def test_phone_transfers_blind_and_hears_how_it_goes() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, call = await talking(house)
        house.signalling.sink(TransferRequested(phone.leg_id, "+882160000000"))
        await settle()
        assert house.signalling.transfers == [(phone.leg_id, 403)]
        house.signalling.sink(TransferRequested(phone.leg_id, "ben"))
        await settle()
        assert house.signalling.transfers[1:] == [(phone.leg_id, 180)]
        await house.answer("ben")
        assert house.signalling.transfers[2:] == [(phone.leg_id, 200)]
        assert phone.state == "ended"
        assert heard(house, call) == both(CUSTOMER, "ben")
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)


def test_phone_whose_transfer_fails_keeps_its_call() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, call = await talking(house)
        house.signalling.sink(TransferRequested(phone.leg_id, "ben"))
        await pass_seconds(25)
        assert house.signalling.transfers[-1] == (phone.leg_id, 480)
        assert heard(house, call) == both(CUSTOMER, "anna")
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("target", ["ben", "+12025550177"])
def test_phone_joins_its_two_calls(target: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, call = await talking(house)
        await pass_seconds(10)
        second = house.signalling.phone_calls("anna", target)
        await settle()
        far = house.signalling.ringing_phone("ben")
        if far is None:
            far = house.signalling.legs[house.signalling.dialled[0][0]]
        house.signalling.answer_phone(far)
        await pass_seconds(5)
        house.signalling.sink(TransferRequested(phone.leg_id, "", second.leg_id))
        await settle()
        assert house.signalling.transfers == [(phone.leg_id, 200)]
        assert {phone.state, second.state} == {"ended"}
        assert far.state == "answered"
        assert house.agent("anna").state is AgentState.WRAP_UP
        assert heard(house, call) == both(CUSTOMER, "ben" if target == "ben" else far.leg_id)
        await pass_seconds(20)
        if target == "ben":
            await house.core.desk.hang_up("ben", house.agent("ben").contact_id or "")
            await settle()
            assert house.agent("ben").state is AgentState.READY
        else:
            await house.hang_up(far)
        assert customer.state == "ended"
        await end_clean(house)

    run_virtual(story)


def test_exchange_that_dies_in_a_transfer_closes_every_segment() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        _, _, _, call = await consulting(house)
        again = await open_house(journal=house.journal)
        (record,) = again.records()
        assert record.call_id == call
        assert [(each.agent_id, each.talk_ms) for each in record.segments] == [("anna", 10_000), ("ben", 0)]
        assert again.core.routing.engine.contacts() == ()
        assert audit(again.journal.rows).breaches == []
        assert replay(again.journal.rows).divergences == []

    run_virtual(story)


@pytest.mark.parametrize("damage", ["segment", "talk", "hold", "outside"])
def test_auditor_finds_a_transfer_that_corrupts_somebodys_time(damage: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, _, _, call = await consulting(house)
        await pass_seconds(5)
        await house.core.desk.complete("anna", call)
        await pass_seconds(5)
        await house.hang_up(customer)
        rows = list(house.journal.rows)
        at = next(number for number, row in enumerate(rows) if isinstance(row.entry, CallClosed))
        record = rows[at].entry.record
        first, second = record.segments
        bad = {
            "segment": with_fields(record, segments=(with_fields(first, talk_ms=first.talk_ms + 1), second)),
            "talk": with_fields(record, talk_ms=record.talk_ms - 1),
            "hold": with_fields(record, hold_ms=0),
            "outside": with_fields(record, segments=(first, with_fields(second, opened_at=record.arrived_at - 1))),
        }[damage]
        assert audit(rows).breaches == []
        rows[at] = with_fields(rows[at], entry=with_fields(rows[at].entry, record=bad))
        (breach,) = audit(rows).breaches
        assert breach.startswith("I2")

    run_virtual(story)
