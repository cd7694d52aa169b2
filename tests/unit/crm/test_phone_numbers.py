"""Raw text to comparable numbers."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_bridge.phone_numbers import (
    PhoneNumber,
    ShortCode,
    Unparsable,
    national_digits,
    normal_forms,
    parse_phone,
)

pytestmark = pytest.mark.unit

VECTORS = Path(__file__).resolve().parents[4] / "shared/data/crm/phone_vectors.json"
SHANGHAI = PhoneNumber(862161234567, "801")


def vectors() -> list[dict[str, Any]]:
    if not VECTORS.exists():
        return []
    loaded: list[dict[str, Any]] = json.loads(VECTORS.read_text())["vectors"]
    return loaded


def test_reference_vectors_are_read_as_the_library_says_and_invalid_ones_stay_short_codes() -> None:
    if not vectors():
        pytest.skip("the reference data is not here")
    for vector in vectors():
        parsed = parse_phone(vector["raw"], vector["region"])
        if vector.get("valid"):
            assert isinstance(parsed, PhoneNumber), vector
            assert (parsed.normal_form, parsed.ext) == (vector["e164"], vector["ext"])
        elif "e164" in vector:
            assert parsed == ShortCode(vector["raw"]), vector
        elif vector["raw"]:
            assert parsed == SHANGHAI, vector
        else:
            assert parsed == Unparsable("empty")


@pytest.mark.parametrize("raw", ["95588", "1001", "26461234", "110", "sip:1001@pbx.example.com"])
def test_digits_complete_only_at_home_stay_short_codes(raw: str) -> None:
    parsed = parse_phone(raw, "CN")
    assert isinstance(parsed, ShortCode)
    assert parsed.digits in raw


@pytest.mark.parametrize(
    "raw",
    [
        "021 6123 4567 转 801",
        "021-61234567转801",
        "021-61234567转接801",
        "021-61234567 分机:801",
        "021-61234567 分机号801",
        "(021) 6123 4567 內線 801",
        "021-61234567-801",
        "021-61234567－801",
        "021-61234567 ext. 801",
        "021-61234567x801",
        "021-61234567#801",
        "+86 21 6123 4567 ext 801",
        "tel:+86-21-6123-4567;ext=801",
    ],
)
def test_every_way_to_write_an_extension_keeps_it_out_of_the_number(raw: str) -> None:
    assert parse_phone(raw, "CN") == SHANGHAI


@pytest.mark.parametrize(
    "raw",
    [
        "+8613912345678",
        "8613912345678",
        "008613912345678",
        "0086-139-1234-5678",
        "013912345678",
        "１３９１２３４５６７８",
        "＋８６ 139 1234 5678",
        "139–1234–5678",
        "\u202d139 1234 5678\u202c",
        "139\u00a01234\u00a05678",
        "(+86) 13912345678",
        "sip:+8613912345678@trunk.example.com:5060;transport=tcp",
        "sip:+8613912345678;npdi@trunk.example.com;user=phone",
        "<sip:%2B8613912345678@192.0.2.7>",
        '"Someone" <sip:13912345678@192.0.2.7>;tag=abc',
        "+8613912345678@192.0.2.7",
        "+8613912345678;phone-context=example.com",
        "tel:+86-139-1234-5678",
    ],
)
def test_one_number_has_one_form_however_it_is_written_or_signalled(raw: str) -> None:
    assert parse_phone(raw, "CN") == PhoneNumber(8613912345678)


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("030/123456", "DE", 4930123456),
        ("+39 02 3661 8300", "CN", 390236618300),
        ("+44 (0)20 8366 1177", "CN", 442083661177),
        ("00 44 20 8366 1177", "US", 442083661177),
        ("011 44 20 8366 1177", "US", 442083661177),
        ("+1 202 555 0123", None, 12025550123),
        ("12025550123", "US", 12025550123),
        ("+86 12345", "CN", None),
        ("+1 202 555 01", "US", None),
    ],
)
def test_national_habits_are_understood(raw: str, region: str | None, e164: int | None) -> None:
    parsed = parse_phone(raw, region)
    assert parsed == (PhoneNumber(e164) if e164 else Unparsable("invalid"))


def test_an_international_number_of_an_unknown_range_is_kept_when_its_length_is_possible() -> None:
    assert parse_phone("+86 123 4567 8901", "CN") == PhoneNumber(8612345678901)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("sip:@example.com", "empty"),
        ("anonymous", "not_a_number"),
        ("sip:anonymous@anonymous.invalid", "not_a_number"),
        ("unavailable", "not_a_number"),
        ("sip:alice@example.com", "not_a_number"),
        ("order 13912345678 of Monday", "not_a_number"),
        ("13912345678 or 13912345679", "not_a_number"),
        ("1-800-FLOWERS", "not_a_number"),
        ("+", "not_a_number"),
        ("()", "not_a_number"),
        ("转801", "not_a_number"),
        ("13912345678+1", "not_a_number"),
        ("139123456789012345678", "invalid"),
        ("9" * 300, "too_long"),
    ],
)
def test_what_is_no_number_is_told_so_and_never_guessed(raw: str, reason: str) -> None:
    assert parse_phone(raw, "CN") == Unparsable(reason)


def test_without_a_region_only_international_forms_are_numbers() -> None:
    assert parse_phone("020 8366 1177", None) == Unparsable("invalid")
    assert parse_phone("+442083661177", None) == PhoneNumber(442083661177)


def test_own_numbers_are_compared_in_normal_form() -> None:
    assert normal_forms(["021-61234567", "95588", "anonymous"], "CN") == {"+862161234567", "95588"}


def test_national_digits_leave_the_country_code_out() -> None:
    assert national_digits(PhoneNumber(862161234567)) == "2161234567"
    assert national_digits(PhoneNumber(390236618300)) == "0236618300"


@given(st.text(max_size=300), st.sampled_from(["CN", "US", "DE", None, "XX"]))
def test_any_text_is_answered_and_full_numbers_are_stable_and_fit_the_column(raw: str, region: str | None) -> None:
    parsed = parse_phone(raw, region)
    if isinstance(parsed, PhoneNumber):
        assert 0 < parsed.e164_int < 2**63
        assert parse_phone(parsed.normal_form, None) == PhoneNumber(parsed.e164_int)
