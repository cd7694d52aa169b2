"""Card data: well-formedness, what stays of digits, the circuit breaker, and which answers are believed."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.errors import ConfigError
from callcenter.payments.breaker import Breaker
from callcenter.payments.fields import CardDigits, CardField, FieldProgress, is_valid, passes_luhn, wipe
from callcenter.payments.port import PaymentOrder
from callcenter.payments.webhook import PaymentWebhook, WebhookSettings, read_answer
from tests.support.virtual_time import FakeClock

pytestmark = pytest.mark.unit

NUMBER = "4111111111111111"
"""A number that payment providers give out for testing."""
SECRET = b"a secret of the site"


def typed(card_field: CardField, keys: str) -> CardDigits:
    digits = CardDigits()
    for key in keys:
        digits.press(card_field, key)
    return digits


@pytest.mark.parametrize(
    ("card_field", "digits", "valid"),
    [
        (CardField.NUMBER, NUMBER, True),
        (CardField.NUMBER, "4111111111111112", False),
        (CardField.NUMBER, "378282246310005", True),
        (CardField.NUMBER, "00000000000", False),
        (CardField.EXPIRY, "0129", True),
        (CardField.EXPIRY, "1329", False),
        (CardField.EXPIRY, "0029", False),
        (CardField.EXPIRY, "129", False),
        (CardField.CODE, "123", True),
        (CardField.CODE, "1234", True),
        (CardField.CODE, "12", False),
    ],
)
def test_which_digits_are_well_formed(card_field: CardField, digits: str, valid: bool) -> None:
    assert is_valid(card_field, digits.encode()) is valid
    assert typed(card_field, digits).is_complete is valid


@given(st.text("0123456789", min_size=11, max_size=18), st.integers(1, 9), st.data())
def test_exactly_one_check_digit_is_right_and_no_wrong_digit_passes(digits: str, off: int, data: st.DataObject) -> None:
    right = [number for number in "0123456789" if passes_luhn((digits + number).encode())]
    assert len(right) == 1
    number = digits + right[0]
    place = data.draw(st.integers(0, len(number) - 1))
    wrong = number[:place] + str((int(number[place]) + off) % 10) + number[place + 1 :]
    assert not passes_luhn(wrong.encode())


def test_a_star_begins_a_field_anew_and_keys_beyond_it_are_left() -> None:
    digits = typed(CardField.CODE, "99*12#A34567")
    assert digits.progress() == (FieldProgress(CardField.CODE, 4, True),)
    assert {name: bytes(each) for name, each in digits.take().items()} == {CardField.CODE: b"1234"}


def test_what_was_taken_is_gone_and_what_was_wiped_is_overwritten() -> None:
    digits = typed(CardField.NUMBER, NUMBER)
    taken = digits.take()
    assert digits.progress() == ()
    number = taken[CardField.NUMBER]
    wipe(taken)
    assert number == bytearray()
    again = typed(CardField.NUMBER, NUMBER)
    assert NUMBER not in repr(again)
    order = PaymentOrder("r", "c", "c", "a", "q", again.take())
    assert NUMBER not in repr(order)


def test_a_neighbour_that_keeps_failing_is_left_alone_and_then_tried_once() -> None:
    breaker = Breaker(failures=2, rest_ms=1_000)
    for _ in range(2):
        assert breaker.allows(now=0)
        breaker.failed(now=0)
    assert not breaker.allows(now=999)
    assert breaker.allows(now=1_000)
    assert not breaker.allows(now=1_000), "one is enough to find out"
    breaker.failed(now=1_500)
    assert not breaker.allows(now=2_400)
    assert breaker.allows(now=2_500)
    breaker.succeeded()
    assert breaker.allows(now=2_500)


FIELDS = {CardField.NUMBER: bytearray(NUMBER.encode()), CardField.CODE: bytearray(b"737")}


def test_an_answer_is_read_and_cleaned() -> None:
    told = {"result": "stored", "token": "tok_8f.1~x", "last4": "1111", "message": "Fine\u0007.", "more": [1]}
    answer = read_answer(json.dumps(told).encode(), FIELDS)
    assert (answer.result, answer.token, answer.last4, answer.message) == ("stored", "tok_8f.1~x", "1111", "Fine.")
    assert not answer.has_failed
    odd = read_answer(b'{"result": "declined", "token": "a b", "last4": "12345", "message": null}', FIELDS)
    assert (odd.result, odd.token, odd.last4, odd.message) == ("declined", "", "1234", "")


@pytest.mark.parametrize(
    "said",
    [
        b"not json", b"[]", b"{}", b'{"result": ""}', b'{"result": "Not A Word"}', b'{"result": "failed_timeout"}',
        b'{"result": "stored", "token": "4111111111111111"}', b'{"result": "stored", "message": "4111 1111-1111 1111"}',
        b'{"result": "stored", "code": "737"}', b'{"result": "stored", "code":737}',
    ],
)  # fmt: skip
def test_an_answer_that_is_none_or_tells_what_was_typed_is_thrown_away(said: bytes) -> None:
    answer = read_answer(said, FIELDS)
    assert (answer.result, answer.token, answer.last4) == ("failed_answer", "", "")
    assert "737" not in answer.message
    assert NUMBER not in answer.message


@pytest.mark.parametrize(
    "settings",
    [
        WebhookSettings("http://pay.example.net/cards", SECRET),
        WebhookSettings("https://user@pay.example.net/cards", SECRET),
        WebhookSettings("https://pay.example.net/cards", b"short"),
        WebhookSettings("https://pay.example.net/cards", SECRET, ca_file=Path("/nowhere.pem")),
    ],
)
def test_card_data_goes_nowhere_that_is_not_safe(settings: WebhookSettings) -> None:
    with pytest.raises(ConfigError, match="payments"):
        PaymentWebhook(settings, FakeClock(None))  # type: ignore[arg-type]
    assert SECRET.decode() not in repr(settings)
