"""Who is asked after a contact, once and by which way, whatever dies in between."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent_console.ports import IntentError
from callcenter.appraisals.facts import SurveyAnswered, SurveyAsked, SurveyKind
from callcenter.audit.opinions import opinion_breaches
from callcenter.site.surveys import SurveyModel
from callcenter.surveys.links import contact_of
from callcenter.surveys.senders import NotSent
from crm_bridge.consents import NewConsent, record_consent, suppress
from crm_bridge.customers import NewContactPoint, NewCustomer, create_customer
from crm_bridge.history import find_interaction
from crm_bridge.models import ContactPreference
from crm_bridge.models.base import utc_now
from crm_bridge.vocabulary import ConsentStatus, ContactKind, InvitationState
from tests.support.survey_office import KEY, MOBILE, OTHER_MOBILE, Killed, Office

pytestmark = pytest.mark.unit


async def customer(office: Office, *, email: str | None = "jo@example.com", prefers: str | None = None) -> int:
    points = [NewContactPoint(MOBILE), *([NewContactPoint(email, ContactKind.EMAIL)] if email else [])]
    async with office.database.begin() as session:
        made = await create_customer(
            session, NewCustomer("Jo", contact_points=tuple(points)), region="US", now=utc_now()
        )
        if prefers:
            session.add(ContactPreference(customer_id=made.id, purpose="service", channel=prefers, rank=1))
        return made.id


async def test_a_caller_is_asked_when_the_contact_is_over_for_a_while_and_the_journal_knows_before(
    office: Office,
) -> None:
    await office.talked()
    await office.minutes_later(9)
    assert (office.sms.sent, office.told()) == ([], [])
    await office.minutes_later(1)
    ((message,), (asked,)) = office.sms.sent, office.told()
    assert message.address == MOBILE
    assert message.text.startswith("Quist & Co: how satisfied were you with our service? 1 (not at all) to 5 (very): ")
    link = message.text.rpartition("/s/")[2]
    assert contact_of(link, KEY) == "c1"
    assert asked == SurveyAsked("c1", office.clock.at, SurveyKind.CSAT, "sales", "anna", "sms")
    assert (await office.row()).state is InvitationState.SENT
    await office.minutes_later(10)
    assert len(office.sms.sent) == 1, "and once only"


async def test_who_was_called_back_is_asked_and_whom_an_agent_called_is_not(office: Office) -> None:
    await office.called("c1", MOBILE, promised=True)
    await office.called("c2", OTHER_MOBILE, promised=False)
    await office.minutes_later()
    assert [each.address for each in office.sms.sent] == [MOBILE]
    assert office.told("c2") == []


async def test_a_queue_may_ask_about_calls_out_and_not_about_callbacks(office: Office) -> None:
    office.rules["sales"] = SurveyModel(callbacks=False, calls_out=True).rule()
    await office.called("c1", MOBILE, promised=True)
    await office.called("c2", OTHER_MOBILE, promised=False)
    await office.minutes_later()
    assert [each.address for each in office.sms.sent] == [OTHER_MOBILE]
    assert office.told("c1") == []


async def test_the_answer_of_a_reply_reaches_store_and_audit_with_what_was_said_beside_it(office: Office) -> None:
    await office.talked()
    await office.minutes_later()
    assert not await office.answers().take_reply("sms", MOBILE, "Who is this?")
    assert not await office.answers().take_reply("sms", OTHER_MOBILE, "4")
    assert not await office.answers().take_reply("email", MOBILE, "4")
    assert await office.answers().take_reply("sms", MOBILE, "4 thanks, Jo")
    assert not await office.answers().take_reply("sms", MOBILE, "5"), "the first one counts; this one is for people"
    asked, answered = office.told()
    assert answered == SurveyAnswered(
        "c1",
        office.clock.at,
        SurveyKind.CSAT,
        4,
        "sales",
        "anna",
        "sms",
        asked.at,
        "thanks, Jo",  # type: ignore[attr-defined]
    )
    await office.project()
    async with office.database.read() as session:
        survey = (await find_interaction(session, "c1")).survey
    assert survey is not None
    assert (survey.kind, survey.score, survey.comment) == ("csat", 4, "thanks, Jo")
    rows = office.reader.read(after=0, limit=100)
    assert list(opinion_breaches(rows)) == []
    again = replace(rows[-1], seq=rows[-1].seq + 1, entry=asked)
    assert list(opinion_breaches([*rows, again])) == [f"I11: entry {again.seq} asks about c1 again"]


async def test_the_way_is_the_customers_wish_and_else_the_rules_order(office: Office) -> None:
    await customer(office, prefers="email")
    await office.talked()
    await office.minutes_later()
    assert ([each.address for each in office.email.sent], office.sms.sent) == (["jo@example.com"], [])
    assert office.email.sent[0].subject == "Quist & Co: How was it?"


async def test_a_number_that_takes_no_text_messages_is_passed_over(office: Office) -> None:
    london = "+442079460991"
    async with office.database.begin() as session:
        points = (NewContactPoint(london), NewContactPoint("al@example.com", ContactKind.EMAIL))
        await create_customer(session, NewCustomer("Al", contact_points=points), region="US", now=utc_now())
    await office.talked("c1", caller=london, language="zh")
    await office.talked("c2", caller="+442079460992")
    await office.minutes_later()
    assert [each.address for each in office.email.sent] == ["al@example.com"]
    assert "满意" in office.email.sent[0].text
    assert ((await office.row("c2")).state, (await office.row("c2")).reason) == ("skipped", "not-reachable")


async def test_a_person_is_asked_once_in_so_many_days_whatever_number_is_used(office: Office) -> None:
    async with office.database.begin() as session:
        points = (NewContactPoint(MOBILE), NewContactPoint(OTHER_MOBILE))
        await create_customer(session, NewCustomer("Jo", contact_points=points), region="US", now=utc_now())
    await office.talked("c1", caller=MOBILE)
    await office.talked("c2", caller=OTHER_MOBILE)
    await office.minutes_later()
    assert len(office.sms.sent) == 1
    assert {(await office.row(each)).reason for each in ("c1", "c2")} == {None, "asked-lately"}
    office.clock.at += 31 * 86_400_000
    await office.talked("c3", caller=OTHER_MOBILE)
    await office.minutes_later()
    assert len(office.sms.sent) == 2


async def test_who_objects_or_is_on_the_list_is_asked_by_no_way_and_who_objects_to_one_by_the_other(
    office: Office,
) -> None:
    jo = await customer(office)
    no = NewConsent(
        channel="sms", purpose="survey", status=ConsentStatus.DENIED, legal_basis="objection", source="call"
    )
    async with office.database.begin() as session:
        await record_consent(session, jo, no, now=utc_now(), region="US", actor_id=None)
    await office.talked("c1")
    await office.minutes_later()
    assert ([each.address for each in office.email.sent], office.sms.sent) == (["jo@example.com"], [])
    async with office.database.begin() as session:
        await suppress(
            session, OTHER_MOBILE, channel=None, purpose=None, reason="asked", source="call", until_at=None,
            region="US", actor_id=None,
        )  # fmt: skip
    await office.talked("c2", caller=OTHER_MOBILE)
    await office.minutes_later()
    assert ((await office.row("c2")).state, (await office.row("c2")).reason) == ("skipped", "sms: suppressed")
    assert office.told("c2") == []


async def test_nobody_is_woken_up_the_message_waits_for_the_morning(office: Office) -> None:
    office.clock.at += 8 * 3_600_000 + 60_000  # after nine in the evening in New York
    await office.talked()
    await office.minutes_later()
    row = await office.row()
    assert (office.sms.sent, row.state, row.reason) == ([], InvitationState.PLANNED, "sms: quiet-hours")
    due = row.due_at.astimezone(UTC)
    assert datetime.fromtimestamp(office.clock.at / 1000, UTC) < due
    office.clock.at = round(due.timestamp() * 1000)
    await office.minutes_later(0)
    assert len(office.sms.sent) == 1


async def test_who_was_asked_on_the_line_is_not_asked_again(office: Office) -> None:
    await office.talked()
    await office.write_down(SurveyAsked("c1", 0, SurveyKind.CSAT, "sales", "anna", "call"))
    await office.minutes_later()
    assert (office.sms.sent, (await office.row()).reason) == ([], "asked-otherwise")


@pytest.mark.parametrize("when", ["before the journal", "between journal and sending", "after sending"])
async def test_a_death_at_any_time_leaves_one_question_and_one_message(office: Office, when: str) -> None:
    await office.talked()
    if when == "before the journal":
        office.is_away = Killed()
    elif when == "between journal and sending":
        office.sms.fails = [Killed()]
    else:
        office.sms.fails_after = [Killed()]
    with pytest.raises(Killed):
        await office.minutes_later()
    assert (await office.row()).state is InvitationState.ASKING
    await office.minutes_later(1)
    assert len(office.told()) == 1
    assert len({each.id for each in office.sms.sent}) == 1, "what goes out twice is the same message to who looks"
    assert len(office.sms.sent) == (2 if when == "after sending" else 1)
    assert (await office.row()).state is InvitationState.SENT
    await office.minutes_later(60)
    assert len(office.told()) == 1


async def test_an_exchange_that_is_away_is_waited_for(office: Office) -> None:
    await office.talked()
    office.is_away = IntentError("exchange-unavailable", "away")
    with pytest.raises(IntentError):
        await office.minutes_later()
    assert office.sms.sent == []
    await office.minutes_later(1)
    assert (len(office.sms.sent), len(office.told())) == (1, 1)


async def test_a_gateway_that_is_away_is_tried_again_ever_later_and_what_it_refuses_is_not(office: Office) -> None:
    await office.talked("c1")
    await office.talked("c2", caller=OTHER_MOBILE)
    office.sms.fails = [NotSent("away", lasting=False), NotSent("no such number", lasting=True)]
    await office.minutes_later()
    rows = {each: await office.row(each) for each in ("c1", "c2")}
    assert {row.state for row in rows.values()} == {InvitationState.ASKING, InvitationState.FAILED}
    await office.minutes_later(0.4)
    assert office.sms.sent == []
    await office.minutes_later(0.2)
    assert len(office.sms.sent) == 1


async def test_contacts_of_before_and_of_other_queues_and_calls_out_are_left_alone(office: Office) -> None:
    await office.talked()
    office.clock.at += 8 * 86_400_000
    await office.minutes_later()
    office.rules["support"] = office.rules.pop("sales")
    await office.talked("c2", caller=OTHER_MOBILE)
    await office.minutes_later()
    async with office.database.read() as session:
        from crm_bridge.survey_invitations import invitation

        assert [await invitation(session, each) for each in ("c1", "c2")] == [None, None]


async def test_an_erased_customer_is_not_asked_and_what_was_said_goes(office: Office) -> None:
    from callcenter.journal_erasure import blanked

    await office.talked()
    await office.minutes_later()
    await office.answers().take("c1", 2, "I am Jo of 5 Elm Street")
    (answered,) = [row for row in office.reader.about("c1") if isinstance(row.entry, SurveyAnswered)]
    from callcenter.entries import decode, encode

    kind, body = encode(answered.entry)
    told = blanked(kind, body)
    assert told is not None
    assert decode(kind, told) == replace(answered.entry, comment="erased")
