"""A customer's call from the first ring to the record, under virtual time."""

import pytest

from acd.events import AgentOrder
from agent_console.messages import AgentState, ContactState, CustomerMatch, MatchState
from agent_console.ports import IntentError
from callcenter.calls.facts import CallCorrected, EndedBy, Outcome
from callcenter.calls.legs import LegReoffered
from callcenter.errors import MediaError, NoCommonCodec
from callcenter.ports import Match, Route
from callcenter.replay import replay
from tests.support.fake_signalling import PHONE_ADDRESS
from tests.support.house import CUSTOMER, open_house, small_site
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


def test_call_is_answered_queued_offered_bridged_wrapped_up_and_recorded() -> None:
    async def story() -> None:
        house = await open_house()
        house.directory.matches["+12025550111"] = Match("one", ("7",), "Ada Abbot", "en")
        await house.sign_in("anna")
        customer = await house.call()
        assert customer.state == "answered"
        await house.press(customer, "11")
        # The ring card is complete before anybody answers.
        (contact,) = house.contacts()
        assert (contact.state, contact.agent_id, contact.queue_id) == (ContactState.OFFERED, "anna", "sales")
        assert contact.customer.name == "Ada Abbot"
        assert contact.flow_path[0] == "English"
        assert "music" in house.session(customer).plays
        await pass_seconds(4)
        phone = await house.answer("anna")
        session = house.session(customer)
        (other,) = [leg for leg in session.legs if leg != CUSTOMER]
        assert set(session.routes) == {Route(CUSTOMER, other), Route(other, CUSTOMER)}
        assert "music" not in session.plays
        await pass_seconds(60)
        await house.hang_up(customer)
        assert phone.state == "ended"
        assert house.agent("anna").state is AgentState.WRAP_UP
        (record,) = house.records()
        assert (record.outcome, record.ended_by, record.talk_ms) == (Outcome.ANSWERED, EndedBy.CUSTOMER, 60_000)
        assert (record.waited_ms, record.customer_id, record.agent_id) == (4_000, "7", "anna")
        await house.core.desk.finish_wrap_up("anna", record.call_id, "solved", "All good.")
        await settle()
        assert house.agent("anna").state is AgentState.READY
        assert house.contacts() == ()
        assert house.media.sessions == {}

    run_virtual(story)


def test_caller_who_leaves_the_queue_is_abandoned_and_the_phone_stops_ringing() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer = await house.queue_call()
        phone = house.signalling.ringing_phone("anna")
        assert phone is not None
        await pass_seconds(3)
        await house.hang_up(customer)
        assert phone.state == "ended"
        assert house.agent("anna").state is AgentState.READY
        (record,) = house.records()
        assert (record.outcome, record.waited_ms) == (Outcome.ABANDONED, 3_000)
        assert house.queue("sales").abandoned == 1

    run_virtual(story)


def test_caller_who_leaves_in_the_menu_never_reaches_a_queue() -> None:
    async def story() -> None:
        house = await open_house()
        customer = await house.call()
        await house.press(customer, "1")
        await house.hang_up(customer)
        (record,) = house.records()
        assert (record.outcome, record.queue_id, record.waited_ms) == (Outcome.ABANDONED_IN_FLOW, None, 0)
        assert house.media.sessions == {}

    run_virtual(story)


def test_agent_who_lets_it_ring_becomes_not_ready_and_the_caller_keeps_the_place() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        first = await house.queue_call("+12025550111")
        second = await house.queue_call("+12025550112")
        await pass_seconds(16)
        anna = house.agent("anna")
        assert (anna.state, anna.reason) == (AgentState.NOT_READY, "no_answer")
        assert house.signalling.ringing_phone("anna") is None
        await house.sign_in("ben")
        ben = house.agent("ben")
        assert ben.contact_id == house.call_id(first)
        await house.answer("ben")
        assert [each.state for each in house.contacts()] == [ContactState.CONNECTED, ContactState.QUEUED]
        await house.hang_up(second)
        await house.hang_up(first)
        assert [record.missed_offers for record in house.records()] == [0, 1]

    run_virtual(story)


@pytest.mark.parametrize(("status", "reason"), [(486, "phone_busy"), (603, "declined"), (408, "phone_unreachable")])
def test_refusing_phone_sends_the_caller_to_the_next_agent(status: int, reason: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        await house.queue_call()
        phone = house.signalling.ringing_phone("anna")
        assert phone is not None
        house.signalling.refuse(phone, status)
        await settle()
        assert (house.agent("anna").state, house.agent("anna").reason) == (AgentState.NOT_READY, reason)
        assert house.signalling.ringing_phone("ben") is not None

    run_virtual(story)


def test_agent_who_declines_at_the_desk_frees_the_caller_for_others() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer = await house.queue_call()
        await house.core.desk.decline("anna", house.call_id(customer))
        await settle()
        assert house.agent("anna").reason == "declined"
        await house.answer("ben")
        assert house.agent("ben").state is AgentState.BUSY

    run_virtual(story)


def test_agent_hangs_up_at_the_desk() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer = await house.queue_call()
        phone = await house.answer("anna")
        await house.core.desk.hang_up("anna", house.call_id(customer))
        await settle()
        assert (customer.state, phone.state) == ("ended", "ended")
        assert house.records()[0].ended_by is EndedBy.AGENT

    run_virtual(story)


def test_wrap_up_that_nobody_finishes_ends_by_itself() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer = await house.queue_call()
        await house.answer("anna")
        await house.hang_up(customer)
        await pass_seconds(29)
        assert house.agent("anna").state is AgentState.WRAP_UP
        await pass_seconds(2)
        assert house.agent("anna").state is AgentState.READY
        late = house.records()[0].call_id
        await house.core.desk.finish_wrap_up("anna", late, "solved", "written late")

    run_virtual(story)


def test_chinese_speaking_caller_goes_to_the_agent_with_the_language() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "chen")
        await house.queue_call(digits="22")
        assert house.agent("chen").state is AgentState.OFFERED
        assert house.agent("anna").state is AgentState.READY
        (contact,) = house.contacts()
        assert contact.language == "zh"

    run_virtual(story)


def test_customer_store_that_answers_late_attaches_late_and_delays_nothing() -> None:
    async def story() -> None:
        house = await open_house()
        house.directory.delay = 5.0
        house.directory.matches["+12025550111"] = Match("one", ("7",), "Ada Abbot")
        await house.sign_in("anna")
        await house.queue_call()
        (contact,) = house.contacts()
        assert (contact.state, contact.customer.state) == (ContactState.OFFERED, "pending")
        await pass_seconds(6)
        assert house.contacts()[0].customer.name == "Ada Abbot"

    run_virtual(story)


def test_unknown_number_is_refused_and_leaves_no_trace() -> None:
    async def story() -> None:
        house = await open_house()
        leg = house.signalling.customer_calls("+1", "+19995550100")
        await settle()
        assert leg.state == "ended"
        assert house.contacts() == ()
        assert house.records() == []

    run_virtual(story)


def test_agent_without_a_phone_cannot_go_ready_and_one_who_loses_it_is_taken_out() -> None:
    async def story() -> None:
        house = await open_house()
        await house.core.desk.sign_in("anna")
        with pytest.raises(Exception, match="phone is not registered"):
            await house.core.desk.ready("anna")
        await house.sign_in("anna")
        house.signalling.registered.discard("anna")
        house.core.on_registration("anna", False)
        await settle()
        assert (house.agent("anna").state, house.agent("anna").reason) == (AgentState.NOT_READY, "phone_gone")

    run_virtual(story)


def test_a_phone_that_goes_while_it_rings_leaves_nobody_ready() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer = await house.queue_call()
        assert house.agent("anna").state is AgentState.OFFERED
        house.signalling.registered.discard("anna")
        house.core.on_registration("anna", False)
        await house.hang_up(customer)
        assert (house.agent("anna").state, house.agent("anna").reason) == (AgentState.NOT_READY, "phone_gone")
        house.signalling.registered.add("anna")
        house.core.on_registration("anna", True)
        await settle()
        assert house.agent("anna").state is AgentState.READY

    run_virtual(story)


def test_phone_that_renegotiates_is_answered() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer = await house.queue_call()
        await house.answer("anna")
        house.signalling.far_end_reoffers(customer)
        await settle()
        assert house.media.orders[-1][0] == "answer_offer"

    run_virtual(story)


def test_agent_may_say_which_customer_it_was_during_the_call_and_in_wrap_up() -> None:
    async def story() -> None:
        house = await open_house()
        house.directory.matches["+12025550111"] = Match("many", ("7", "8"))
        await house.sign_in("anna")
        customer = await house.queue_call()
        call_id = house.call_id(customer)
        await house.answer("anna")
        routed = house.core.routing.engine.snapshot()
        await house.core.desk.identify("anna", call_id, "7", "Ada Abbot", "gold")
        await settle()
        assert house.contacts()[0].customer == CustomerMatch(MatchState.ONE, ("7",), "Ada Abbot", "gold")
        assert house.core.routing.engine.snapshot() == routed, "whom an agent has waits for nobody any more"
        await house.hang_up(customer)
        assert house.records()[0].customer_id == "7"
        await house.core.desk.identify("anna", call_id, "8", "Bea Abbot")
        assert house.contacts()[0].customer == CustomerMatch(MatchState.ONE, ("8",), "Bea Abbot")
        corrected = house.journal.entries[-1]
        assert isinstance(corrected, CallCorrected)
        assert (corrected.record.customer_id, corrected.record.match_state) == ("8", "manual")
        assert len(house.records()) == 1
        with pytest.raises(IntentError, match="not at your desk"):
            await house.core.desk.identify("ben", call_id, "9", "")
        assert replay(house.journal.rows).divergences == []

    run_virtual(story)


def test_late_offer_of_an_agents_phone_in_mid_call_changes_nothing_but_its_media() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer = await house.queue_call()
        phone = await house.answer("anna")
        house.signalling.sink(LegReoffered(phone.leg_id, "", PHONE_ADDRESS))
        await settle()
        house.signalling.answer_phone(phone)
        await settle()
        assert house.agent("anna").state is AgentState.BUSY
        assert customer.state == "answered"

    run_virtual(story)


def test_re_offer_that_media_cannot_meet_does_not_end_the_call() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer = await house.queue_call()
        await house.answer("anna")
        house.media.refusal = NoCommonCodec("video only")
        house.signalling.far_end_reoffers(customer)
        await settle()
        assert house.agent("anna").state is AgentState.BUSY
        await house.hang_up(customer)
        assert house.records()[0].outcome is Outcome.ANSWERED

    run_virtual(story)


def test_call_without_media_is_refused_and_recorded_as_failed() -> None:
    async def story() -> None:
        house = await open_house()
        house.media.refusal = MediaError("overloaded")
        leg = await house.call()
        assert leg.state == "ended"
        assert house.records()[0].outcome is Outcome.FAILED
        other = await house.call("+12025550112")
        assert other.state == "answered"

    run_virtual(story)


def test_call_whose_own_code_breaks_ends_politely_and_harms_no_other() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        victim = await house.call("+12025550111")
        other = await house.queue_call("+12025550112")
        house.media.refusal = RuntimeError("a bug")  # type: ignore[assignment]
        house.core.switchboard.on_media_event(house.digit(victim, "1"))
        await settle()
        house.media.refusal = None
        await settle()
        assert victim.state == "ended"
        assert [record.outcome for record in house.records()] == [Outcome.FAILED]
        await house.answer("anna")
        assert other.state == "answered"
        assert house.fatal == []

    run_virtual(story)


def test_queue_may_ring_the_most_skilled_agent_first() -> None:
    async def story() -> None:
        site = small_site()
        queues = tuple(each.model_copy(update={"agent_order": AgentOrder.MOST_SKILLED}) for each in site.queues)
        house = await open_house(site=site.model_copy(update={"queues": queues}))
        await house.sign_in("ben", "anna")  # ben is idle longer, anna speaks better English
        await house.queue_call()
        assert house.signalling.ringing_phone("anna") is not None
        assert house.signalling.ringing_phone("ben") is None

    run_virtual(story)
