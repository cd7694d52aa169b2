"""The customer is asked on the line after the agent has hung up: one answer, in the figures, and nobody is kept."""

from dataclasses import replace

import pytest

from agent_console.messages import AgentState, ContactState
from agent_console.ports import IntentError
from callcenter.appraisals.facts import SurveyAnswered, SurveyAsked, SurveyKind
from callcenter.audit.recount import audit
from callcenter.calls.facts import EndedBy, Outcome
from callcenter.replay import replay
from callcenter.reporting.postings import of_agent, of_queue
from callcenter.reporting.report import report
from callcenter.surveys.contacts import Origin, origin_of, over_contact
from tests.support.callback_house import ADA, BOB, FLOW, callback_site, dialled, pick_up, promise
from tests.support.fake_signalling import FakeLeg
from tests.support.house import House, open_house, small_site
from tests.support.surveys import surveying_flow
from tests.support.virtual_time import in_virtual_time, pass_seconds, settle

pytestmark = pytest.mark.scenario


async def talking(house: House) -> FakeLeg:
    """A customer who talks with ben."""
    await house.sign_in("ben")
    leg = await house.queue_call()
    await house.answer("ben")
    await pass_seconds(60)
    return leg


async def key(house: House, leg: FakeLeg, digits: str) -> None:
    """The customer hears the question out and presses keys; the call may be over then."""
    await house.hear_out(leg)
    for digit in digits:
        house.core.switchboard.on_media_event(house.digit(leg, digit))
        await settle()


def consistent(house: House) -> None:
    assert house.fatal == []
    assert audit(house.journal.rows).breaches == []
    assert replay(house.journal.rows).divergences == []


def facts(house: House) -> list[SurveyAsked | SurveyAnswered]:
    return [each for each in house.journal.entries if isinstance(each, SurveyAsked | SurveyAnswered)]


@pytest.mark.parametrize("by_desk", [True, False])
def test_the_agent_hangs_up_and_the_customer_answers(by_desk: bool) -> None:
    @in_virtual_time
    async def story() -> None:
        house = await open_house(site=small_site(wrap_up_seconds=20), flow=surveying_flow())
        leg = await talking(house)
        contact_id = house.agent("ben").contact_id
        assert contact_id is not None
        if by_desk:
            await house.core.desk.hang_up("ben", contact_id)
        else:
            phones = (each for each in house.signalling.legs.values() if each.agent_id == "ben")
            house.signalling.far_end_hangs_up(next(each for each in phones if each.state == "answered"))
        await settle()
        assert house.agent("ben").state is AgentState.WRAP_UP, "whoever talked is through with it"
        assert leg.state == "answered", "and the customer is still there"
        asked_view, talked_view = sorted(house.contacts(), key=lambda each: each.state)
        assert (talked_view.state, talked_view.contact_id) == (ContactState.WRAP_UP, contact_id)
        assert (asked_view.state, asked_view.parent_id, asked_view.queue_id) == (
            ContactState.SURVEY,
            contact_id,
            "sales",
        )
        assert (asked_view.agent_id, asked_view.caller) == (None, talked_view.caller)
        await pass_seconds(30)
        assert house.agent("ben").state is AgentState.READY
        await key(house, leg, "4")
        assert leg.state == "ended"
        assert house.contacts() == (), "the floor is empty again"
        asked, answered = facts(house)
        assert (asked.kind, asked.queue_id, asked.agent_id) == (SurveyKind.CSAT, "sales", "ben")
        assert isinstance(answered, SurveyAnswered)
        assert (answered.score, answered.asked_at, answered.how) == (4, asked.at, "call")
        (record,) = house.records()
        assert (record.outcome, record.ended_by, record.talk_ms, record.agent_id) == (
            Outcome.ANSWERED,
            EndedBy.SYSTEM,
            60_000,
            "ben",
        )
        consistent(house)
        for subject in (of_queue("sales"), of_agent("ben")):
            values = next(line.values for line in report(house.journal.rows).lines if line.subject == subject)
            assert (values["csat"], values["survey_response_rate"], values["handled"]) == (1.0, 1.0, 1)
            assert values["talk_closed"] == 60_000, "the survey is no talk"

    story()


def test_who_hangs_up_instead_has_not_answered() -> None:
    @in_virtual_time
    async def story() -> None:
        house = await open_house(flow=surveying_flow())
        leg = await talking(house)
        await house.core.desk.hang_up("ben", house.agent("ben").contact_id or "")
        await settle()
        await house.hang_up(leg)
        assert [type(each) for each in facts(house)] == [SurveyAsked]
        (record,) = house.records()
        assert (record.outcome, record.ended_by) == (Outcome.ANSWERED, EndedBy.CUSTOMER)
        consistent(house)

    story()


def test_a_customer_who_hangs_up_first_is_asked_nothing() -> None:
    @in_virtual_time
    async def story() -> None:
        house = await open_house(flow=surveying_flow())
        leg = await talking(house)
        await house.hang_up(leg)
        assert facts(house) == []
        consistent(house)

    story()


def test_ten_is_typed_with_two_keys_and_what_is_no_answer_is_asked_again() -> None:
    @in_virtual_time
    async def story() -> None:
        house = await open_house(flow=surveying_flow("nps"))
        leg = await talking(house)
        await house.core.desk.hang_up("ben", house.agent("ben").contact_id or "")
        await settle()
        await key(house, leg, "99")
        await key(house, leg, "10")
        assert [each.score for each in facts(house) if isinstance(each, SurveyAnswered)] == [10]
        assert leg.state == "ended"
        consistent(house)

    story()


def test_a_customer_who_was_handed_on_is_asked_after_the_last_agent() -> None:
    @in_virtual_time
    async def story() -> None:
        house = await open_house(flow=surveying_flow())
        leg = await talking(house)
        await house.sign_in("chen")
        await house.core.desk.transfer("ben", house.agent("ben").contact_id or "", "queue", "support")
        await settle()
        await house.answer("chen")
        await pass_seconds(10)
        await house.core.desk.hang_up("chen", house.agent("chen").contact_id or "")
        await settle()
        await key(house, leg, "2")
        answered = facts(house)[-1]
        assert isinstance(answered, SurveyAnswered)
        assert (answered.agent_id, answered.queue_id, answered.score) == ("chen", "support", 2)
        consistent(house)

    story()


def test_of_two_answers_at_once_one_is_taken_and_a_wrong_one_is_none() -> None:
    @in_virtual_time
    async def story() -> None:
        house = await open_house()
        leg = await talking(house)
        call_id = house.call_id(leg)
        await house.hang_up(leg)
        answer = SurveyAnswered(call_id, 0, SurveyKind.CSAT, 9, "sales", "ben", "sms", 0)
        with pytest.raises(IntentError, match="1 to 5"):
            await house.core.write_down(answer)
        await house.core.write_down(replace(answer, score=5))
        with pytest.raises(IntentError, match="has answered"):
            await house.core.write_down(replace(answer, score=1))
        assert [each.score for each in facts(house) if isinstance(each, SurveyAnswered)] == [5]
        consistent(house)

    story()


@pytest.mark.parametrize("order", ["agent", "customer"])
def test_a_callback_is_told_from_a_call_out_by_what_the_journal_has(order: str) -> None:
    @in_virtual_time
    async def story() -> None:
        house = await open_house(site=callback_site(callback_order=order), flow=FLOW)
        await promise(house, ADA)
        await house.sign_in("ben")
        if order == "agent":
            await house.answer("ben")
            house.signalling.answer_phone(dialled(house)[0])
        else:
            await pick_up(house, dialled(house)[0])
            await house.answer("ben")
        await pass_seconds(5)
        await house.hang_up(dialled(house)[0])
        await pass_seconds(20)
        await house.core.desk.dial("ben", "number", BOB)
        await settle()
        await house.answer("ben")
        far = dialled(house)[-1]
        house.signalling.answer_phone(far)
        await pass_seconds(5)
        await house.hang_up(far)
        called = [each for each in map(over_contact, house.journal.entries) if each is not None]
        assert [(each.queue_id, each.agent_id) for each in called] == [("sales", "ben")] * 2
        origins = [origin_of(each, house.journal.entries) for each in called]
        assert origins == [Origin.CALLBACK, Origin.CALL_OUT]

    story()
