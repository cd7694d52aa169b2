"""Who may call which number: everything is denied but what is named, and no way of writing a number changes that."""

from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from callcenter.ports import Allowed, EncryptionPolicy, OutboundRules, Refused
from callcenter.sip.call_caps import UNDIALLED_MS, CallCaps, Cap
from callcenter.sip.numbering import DialPermissions, NumberingRules, OutboundPlan, TrunkReach

pytestmark = pytest.mark.unit

NOON = 1_790_000_000_000
TRUNKS = (TrunkReach("cheap", ("+1", "+44")), TrunkReach("any"), TrunkReach("mute", emergency=False))


def rules(zone="UTC", **plan) -> NumberingRules:
    house = plan.pop("house", DialPermissions(national=True))
    return NumberingRules(OutboundPlan(house=house, **{"trunks": TRUNKS, **plan}), ZoneInfo(zone))


def said(judge: OutboundRules, number: str, agent: str = "ann", at: int = NOON) -> str:
    """The number that would be dialled, or the code of the refusal."""
    verdict = judge.check(agent, number, at)
    return verdict.e164 if isinstance(verdict, Allowed) else verdict.code


def test_nothing_may_be_called_where_nothing_is_said():
    judge = rules(house=DialPermissions())
    assert said(judge, "202 555 0123") == "outbound_denied"
    assert said(judge, "+44 20 7946 0958") == "international_denied"


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        ("(202) 555-0123", "+12025550123"),
        ("tel:+1-202-555-0123", "+12025550123"),
        ("+44 20 7946 0958", "international_denied"),
        ("+1 876 555 0123", "international_denied"),  # Jamaica shares the country code
        ("1-900-555-0123", "premium_denied"),
        ("+44 843 123 4567", "premium_denied"),
        ("+979 123456789", "premium_denied"),
        ("+881 6 1234 5678", "international_denied"),  # satellites
        ("*72 2025550123", "number_invalid"),
        ("1-800-FLOWERS", "number_invalid"),
        ("2025550123,,1900", "number_invalid"),
        ("tel:2025550123;phone-context=+44", "number_invalid"),
        ("2025550123;Phone-Context=example.net@home", "number_invalid"),
        ("", "number_invalid"),
        ("+", "number_invalid"),
        ("+12025550123\r\nX: y", "number_invalid"),
    ],
)
def test_national_calls_only(number, verdict):
    assert said(rules(), number) == verdict


def test_countries_and_prefixes_open_what_they_name_and_no_premium_number():
    judge = rules(house=DialPermissions(countries=frozenset({"GB"}), prefixes=("+4930",), premium=("+4484",)))
    assert said(judge, "+44 20 7946 0958") == "+442079460958"
    assert said(judge, "+49 30 123456") == "+4930123456"
    assert said(judge, "+49 89 123456") == "international_denied"
    assert said(judge, "+44 843 123 4567") == "+448431234567"
    assert said(judge, "+44 909 879 0000") == "premium_denied"
    assert said(judge, "202 555 0123") == "outbound_denied"


def test_a_denied_prefix_is_final_for_every_group():
    sales = DialPermissions("sales", countries=frozenset({"GB"}), prefixes=("+44",))
    judge = rules(house=DialPermissions(denied=("+4420",)), groups=(sales,), group_of={"ann": "sales"})
    assert said(judge, "+44 20 7946 0958") == "destination_denied"
    assert said(judge, "+44 161 496 0000") == "+441614960000"


def test_a_range_the_plan_does_not_know_needs_a_prefix():
    assert said(rules(house=DialPermissions(countries=frozenset({"SO"}))), "+252 57112345") == "number_invalid"
    assert said(rules(house=DialPermissions(prefixes=("+25257",))), "+252 57112345") == "+25257112345"


def test_agents_of_a_group_call_by_its_rules_and_the_others_by_those_of_the_house():
    world = DialPermissions("world", national=True, countries=frozenset({"GB"}), trunk_ids=("any",))
    judge = rules(groups=(world,), group_of={"ann": "world"})
    assert said(judge, "+44 20 7946 0958", "ann") == "+442079460958"
    assert said(judge, "+44 20 7946 0958", "ben") == "international_denied"
    assert said(judge, "+44 20 7946 0958", "") == "international_denied"


def test_a_trunk_carries_what_it_reaches_and_the_groups_order_holds():
    gb = DialPermissions(countries=frozenset({"GB", "DE"}), trunk_ids=("any", "cheap"))
    london = rules(house=gb).check("ann", "+442079460958", NOON)
    berlin = rules(house=gb).check("ann", "+4930123456", NOON)
    assert isinstance(london, Allowed)
    assert london.policy.trunk_ids == ("any", "cheap")
    assert isinstance(berlin, Allowed)
    assert berlin.policy.trunk_ids == ("any",)
    assert said(rules(house=gb, trunks=TRUNKS[:1]), "+4930123456") == "no_trunk"


@pytest.mark.parametrize("number", ["911", "tel:911", "9911", "٩١١"])
def test_emergency_numbers_go_out_whatever_is_barred_or_used_up(number):
    nothing = DialPermissions(trunk_ids=("cheap",), each_agent=Cap(1, 1))
    judge = rules(house=nothing, outside_prefix="9")
    for _ in range(3):
        verdict = judge.check("ann", number, NOON)
        assert isinstance(verdict, Allowed)
        assert verdict.e164 == "911"
        assert verdict.policy.trunk_ids == ("cheap", "any")
    assert not len(judge.caps)


def test_digits_behind_an_emergency_number_are_no_emergency():
    assert said(rules(), "911 900 555 0123") == "number_invalid"
    assert said(rules(), "+911") == "number_invalid"


def test_short_codes_are_called_only_where_they_are_named_and_our_own_numbers_never():
    judge = rules(codes=frozenset({"611", "*43"}), inside=frozenset({"5000", "+12025550199"}))
    assert said(judge, "611") == "611"
    assert said(judge, "*43") == "*43"
    assert said(judge, "411") == "number_invalid"
    assert said(judge, "5000") == "inside"
    assert said(judge, "202-555-0199") == "inside"


def test_an_outside_prefix_is_taken_away_and_leads_around_nothing():
    judge = rules(outside_prefix="0")
    assert said(judge, "0 202 555 0123") == "+12025550123"
    assert said(judge, "0 00 44 20 7946 0958") == "international_denied"
    assert said(judge, "0 900 555 0123") == "premium_denied"


# Caps.


def test_the_days_cap_holds_exactly_and_ends_at_the_sites_midnight():
    midnight = 1_790_028_000_000 - 1_790_028_000_000 % 86_400_000  # UTC
    judge = rules("Asia/Shanghai", house=DialPermissions(national=True, each_agent=Cap(per_day=3)))
    shanghai = midnight - 8 * 3_600_000
    for _ in range(3):
        assert said(judge, "2025550123", at=shanghai - 1) == "+12025550123"
    assert said(judge, "2025550123", at=shanghai - 1) == "daily_cap"
    assert said(judge, "2025550123", "ben", shanghai - 1) == "+12025550123"
    assert said(judge, "2025550123", at=shanghai) == "+12025550123"


def test_of_a_hundred_who_ask_at_once_as_many_get_through_as_the_cap_says():
    judge = rules(in_all=Cap(at_a_time=7))
    verdicts = [judge.check(f"agent-{n}", "2025550123", NOON) for n in range(100)]
    granted = [each for each in verdicts if isinstance(each, Allowed)]
    assert len(granted) == 7
    assert {each.code for each in verdicts if isinstance(each, Refused)} == {"concurrent_cap"}
    judge.caps.dialled(granted[0].policy.booking)
    judge.caps.over(granted[0].policy.booking)
    judge.caps.over(granted[0].policy.booking)
    assert said(judge, "2025550123", "last") == "+12025550123"
    assert said(judge, "2025550123", "later") == "concurrent_cap"


def test_a_place_nobody_dials_with_falls_free_and_one_that_is_dialled_does_not():
    caps = CallCaps()
    only = {"ann": Cap(at_a_time=1)}
    first = caps.book(only, NOON)
    assert caps.book(only, NOON + UNDIALLED_MS - 1) == ("ann", False)
    second = caps.book(only, NOON + UNDIALLED_MS)
    assert isinstance(first, str)
    assert isinstance(second, str)
    caps.dialled(second)
    assert caps.book(only, NOON + 10 * UNDIALLED_MS) == ("ann", False)


def test_a_cap_of_the_group_counts_all_of_its_agents_and_refusals_count_nothing():
    sales = DialPermissions("sales", national=True, together=Cap(per_day=2))
    judge = rules(groups=(sales,), group_of={"ann": "sales", "ben": "sales"})
    assert said(judge, "+44 20 7946 0958") == "international_denied"
    assert said(judge, "2025550123", "ann") == "+12025550123"
    assert said(judge, "2025550123", "ben") == "+12025550123"
    assert said(judge, "2025550123", "ann") == "daily_cap"


# However it is written.

BARRED = {
    "+19005550123": "US",
    "+442079460958": "US",
    "+18765550123": "US",
    "+448431234567": "GB",
    "+25261712345": "GB",
    "+8613912345678": "US",
    "+491379123456": "DE",
}
"""Premium and foreign numbers, and where they are dialled from."""
SCRIPTS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "०१२३४५६७८९", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
NOISE = st.sampled_from(["", "", "", " ", "-", "(", ")", ".", "/", "\u00a0", "\u2009", "\u2013"])


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """A barred number as somebody who wants to get through might write it, and the region it is dialled from."""
    number = draw(st.sampled_from(sorted(BARRED)))
    region = BARRED[number]
    exits = {"US": "011", "GB": "00", "DE": "00"}
    parsed = phonenumbers.parse(number)
    forms = ["+" + number[1:], "00" + number[1:], exits[region] + number[1:], number[1:]]
    if phonenumbers.region_code_for_number(parsed) == region:
        national = phonenumbers.national_significant_number(parsed)
        forms += [national, "0" + national, "1" + national]
    digits = draw(st.sampled_from(forms))
    script = draw(st.sampled_from(SCRIPTS))
    text = "".join(
        draw(NOISE) + (script[int(char)] if char.isdigit() and draw(st.booleans()) else char) for char in digits
    )
    head = draw(st.sampled_from(["", "", "tel:", "sip:", "SIPS:", "<tel:", "9", "9,", "+", "*67", "#31#", " "]))
    tail = draw(st.sampled_from(["", "", ";user=phone", "@evil.example", ";ext=5", ",,1", "p2", "#", "?x=y", "\x00"]))
    if draw(st.booleans()):
        text = text.replace("+", "%2B")
    return head + text + tail, region


@settings(max_examples=600, deadline=None)
@given(written())
def test_no_way_of_writing_it_gets_a_barred_number_out(case):
    text, region = case
    judge = rules(region=region, outside_prefix="9", house=DialPermissions(national=True))
    verdict = judge.check("ann", text, NOON)
    if isinstance(verdict, Allowed):
        # Another number than the barred one may have come of the noise; then that one is what is dialled, and allowed.
        dialled = phonenumbers.parse(verdict.e164)
        assert verdict.e164 not in BARRED
        assert phonenumbers.region_code_for_number(dialled) == region
        assert phonenumbers.number_type(dialled) not in {
            phonenumbers.PhoneNumberType.PREMIUM_RATE,
            phonenumbers.PhoneNumberType.SHARED_COST,
        }


@example("+4930000000000000", "DE")
@example("01201120000000", "BR")
@settings(max_examples=600, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.text(alphabet="+0123456789*#;=@:() -teliOs.pwx,%", max_size=40),
        st.from_regex(r"\+?\d{3,15}"),
    ),
    st.sampled_from(["US", "GB", "DE", "CN", "IT", "AR", "BR"]),
)
def test_what_goes_out_is_a_plain_number_that_is_judged_the_same_again(text, region):
    judge = rules(region=region, house=DialPermissions(national=True, countries=frozenset({"GB", "CN", "BR"})))
    verdict = judge.check("ann", text, NOON)
    if isinstance(verdict, Refused):
        return
    number = verdict.e164
    assert number.isascii()
    assert len(number) <= 16
    assert number.lstrip("+").isdigit()
    assert said(judge, number) == number
    assert said(judge, f"tel:{number}") == number


def test_a_carrier_that_takes_srtp_only_is_offered_nothing_else() -> None:
    trunks = (TrunkReach("safe", ("+1",), encryption=EncryptionPolicy.REQUIRED), TrunkReach("any"))
    rules = NumberingRules(
        OutboundPlan(house=DialPermissions(national=True, countries=frozenset({"GB"})), trunks=trunks)
    )
    for number, encryption in (("+12025550123", EncryptionPolicy.REQUIRED), ("+442079460123", None)):
        verdict = rules.check("", number, 0)
        assert isinstance(verdict, Allowed), verdict
        assert verdict.policy.encryption is encryption
