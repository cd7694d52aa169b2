"""Whether somebody may be contacted: the rules alone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_bridge.contact_rules import (
    PURPOSES,
    Against,
    ConsentFact,
    ContactFacts,
    QuietHours,
    WishedHours,
    contactability,
)
from crm_bridge.vocabulary import ConsentStatus

pytestmark = pytest.mark.unit

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
GIVEN, DENIED = ConsentFact(ConsentStatus.GIVEN, NOON), ConsentFact(ConsentStatus.DENIED, NOON)


def facts(**changed: object) -> ContactFacts:
    fields: dict[str, object] = {"channel": "voice", "purpose": "service", "now": NOON, "zones": ["UTC"]}
    return ContactFacts(**(fields | changed))  # type: ignore[arg-type]


def test_service_needs_no_consent_and_marketing_does() -> None:
    assert contactability(facts()).is_allowed
    assert contactability(facts(purpose="marketing")).reasons == (Against.NO_CONSENT,)
    assert contactability(facts(purpose="marketing", consents=[GIVEN])).is_allowed


@pytest.mark.parametrize("status", [ConsentStatus.DENIED, ConsentStatus.WITHDRAWN])
def test_an_objection_of_anybody_who_shares_the_number_counts(status: ConsentStatus) -> None:
    assert contactability(facts(consents=[GIVEN, ConsentFact(status, NOON), None])).reasons == (Against.CONSENT_DENIED,)


def test_a_consent_that_is_pending_or_over_is_none() -> None:
    for fact in (ConsentFact(ConsentStatus.PENDING, NOON), ConsentFact(ConsentStatus.GIVEN, NOON, NOON)):
        assert contactability(facts(purpose="marketing", consents=[fact])).reasons == (Against.NO_CONSENT,)


def test_every_reason_is_named() -> None:
    at_night = NOON.replace(hour=23)
    decision = contactability(facts(purpose="marketing", now=at_night, suppressed=True, consents=[DENIED]))
    assert decision.reasons == (Against.SUPPRESSED, Against.CONSENT_DENIED, Against.QUIET_HOURS)
    assert decision.again_at is None


@pytest.mark.parametrize(
    ("local", "quiet"), [("20:59", False), ("21:00", True), ("23:30", True), ("07:59", True), ("08:00", False)]
)
def test_quiet_hours_are_those_of_the_customers_clock(local: str, quiet: bool) -> None:
    there = datetime.fromisoformat(f"2026-03-02T{local}").replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    decision = contactability(facts(now=there.astimezone(UTC), zones=["Asia/Shanghai"]))
    assert (Against.QUIET_HOURS in decision.reasons) is quiet


def test_waiting_ends_when_the_quiet_hours_do_also_on_the_day_the_clock_changes() -> None:
    zone = ZoneInfo("Europe/Berlin")
    night = datetime(2026, 3, 29, 1, 30, tzinfo=zone)
    decision = contactability(facts(now=night, zones=["Europe/Berlin"]))
    assert decision.again_at == datetime(2026, 3, 29, 8, 0, tzinfo=zone)


def test_where_it_is_not_sure_where_the_customer_is_it_must_be_day_in_all_places() -> None:
    both = ["America/New_York", "America/Los_Angeles"]
    assert not contactability(facts(now=NOON.replace(hour=14), zones=both)).is_allowed
    assert contactability(facts(now=NOON.replace(hour=17), zones=both)).is_allowed


def test_silent_channels_and_callbacks_that_were_asked_for_know_no_night() -> None:
    at_night = NOON.replace(hour=23)
    assert contactability(facts(now=at_night, channel="email")).is_allowed
    assert contactability(facts(now=at_night, purpose="callback")).is_allowed
    assert not contactability(facts(now=at_night, channel="sms")).is_allowed


def test_the_hours_and_days_a_customer_asked_for_are_kept() -> None:
    mondays = WishedHours(13 * 60, 15 * 60, frozenset({0}))
    decision = contactability(facts(wished=mondays))
    assert decision.reasons == (Against.OUTSIDE_WISHED_HOURS,)
    assert decision.again_at == NOON.replace(hour=13)
    assert contactability(facts(now=NOON.replace(hour=14), wished=mondays)).is_allowed
    tuesday = contactability(facts(now=NOON.replace(day=3, hour=14), wished=mondays))
    assert tuesday.again_at == NOON.replace(day=9, hour=13)


def test_a_purpose_nobody_knows_is_never_allowed() -> None:
    assert contactability(facts(purpose="gossip", consents=[GIVEN])).reasons == (Against.UNKNOWN_PURPOSE,)


@given(
    purpose=st.sampled_from(sorted(PURPOSES)),
    channel=st.sampled_from(["voice", "sms", "email", "fax"]),
    hour=st.integers(0, 23),
    suppressed=st.booleans(),
    statuses=st.lists(st.sampled_from([None, *ConsentStatus]), max_size=3),
)
def test_nothing_overrules_the_list_or_an_objection(
    purpose: str, channel: str, hour: int, suppressed: bool, statuses: list[ConsentStatus | None]
) -> None:
    consents = [None if each is None else ConsentFact(each, NOON) for each in statuses]
    decision = contactability(
        facts(purpose=purpose, channel=channel, now=NOON.replace(hour=hour), suppressed=suppressed, consents=consents)
    )
    objects = {ConsentStatus.DENIED, ConsentStatus.WITHDRAWN} & set(statuses)
    if suppressed or objects:
        assert not decision.is_allowed
    if decision.again_at is not None:
        assert decision.again_at - NOON <= timedelta(days=9)
        later = facts(purpose=purpose, channel=channel, now=decision.again_at, consents=consents)
        assert contactability(later, quiet=QuietHours()).is_allowed
