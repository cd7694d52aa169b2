"""Card data over real TLS: signed, sent once, answered within limits; and neighbours that are slow, dead or lying."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from callcenter.clock import SystemClock
from callcenter.payments.breaker import Breaker
from callcenter.payments.fields import CardField
from callcenter.payments.port import PaymentOrder, Payments
from callcenter.payments.webhook import LARGEST_ANSWER, PaymentWebhook, WebhookSettings
from tests.support.fake_payments import FakePayments
from tests.support.payment_site import PaymentSite, running_payment_site

pytestmark = pytest.mark.interop

SECRET = b"a secret of the site"
NUMBER = "4111111111111111"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[PaymentSite]:
    async with running_payment_site(tmp_path) as site:
        yield site


def webhook(site: PaymentSite, **changed: object) -> PaymentWebhook:
    settings = WebhookSettings(site.url, SECRET, timeout_seconds=20, ca_file=site.ca_file)
    return PaymentWebhook(replace(settings, **changed), SystemClock(not_before=0), breaker=Breaker(failures=3))  # type: ignore[arg-type]


def order() -> PaymentOrder:
    fields = {CardField.NUMBER: bytearray(NUMBER.encode()), CardField.EXPIRY: bytearray(b"0129")}
    return PaymentOrder("r1", "c1", "c1.2", "anna", "sales", fields)


@pytest.mark.parametrize("kind", ["webhook", "fake"])
async def test_every_payment_system_gets_it_once_answers_and_leaves_no_digits(site: PaymentSite, kind: str) -> None:
    """The contract of the port."""
    payments: Payments = webhook(site) if kind == "webhook" else FakePayments()
    given = order()
    answer = await payments.submit(given)
    assert (answer.result, answer.token, answer.last4, answer.message) == ("stored", "tok_1", "1111", "Card stored")
    assert all(digits == bytearray() for digits in given.fields.values())


async def test_the_request_is_complete_and_its_signature_can_be_checked(site: PaymentSite) -> None:
    await webhook(site).submit(order())
    ((headers, body),) = site.requests
    assert json.loads(body) == {
        "version": 1, "request_id": "r1", "call_id": "c1", "contact_id": "c1.2", "agent_id": "anna",
        "queue_id": "sales", "card": {"number": NUMBER, "expiry": "0129"},
    }  # fmt: skip
    assert headers["idempotency-key"] == "r1"
    stamp, _, told = headers["x-signature"].partition(",v1=")
    signed = stamp.removeprefix("t=").encode() + b"." + body
    assert hmac.new(SECRET, signed, hashlib.sha256).hexdigest() == told


async def test_a_redirect_is_not_followed_and_what_is_not_200_is_a_failure(site: PaymentSite, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    async with running_payment_site(tmp_path / "other") as other:
        site.answer({}, status="307 Temporary Redirect", more=f"Location: {other.url}\r\n")
        assert (await webhook(site).submit(order())).result == "failed_status"
        assert other.requests == []
    site.answer({"result": "stored"}, status="500 Oops")
    assert (await webhook(site).submit(order())).result == "failed_status"


async def test_an_answer_without_end_and_one_that_never_comes_are_given_up(site: PaymentSite) -> None:
    site.answer({"result": "stored", "message": "x" * LARGEST_ANSWER})
    assert (await webhook(site).submit(order())).result == "failed_answer"
    site.is_silent = True
    given = order()
    assert (await webhook(site, timeout_seconds=0.2).submit(given)).result == "failed_timeout"
    assert given.fields[CardField.NUMBER] == bytearray()
    assert len(site.requests) <= 2, "nothing is sent a second time; what takes too long may not be sent at all"


async def test_it_is_waited_for_as_long_as_is_set_and_no_other_clock_ends_that(
    site: PaymentSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """httpx has a limit of five seconds of its own, which would be told as a system that cannot be reached."""
    limits: list[httpx.Timeout] = []

    class Watched(httpx.AsyncClient):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            limits.append(self.timeout)

    monkeypatch.setattr(httpx, "AsyncClient", Watched)
    assert (await webhook(site, timeout_seconds=17).submit(order())).result == "stored"
    assert limits == [httpx.Timeout(17)]


async def test_a_stranger_with_another_certificate_gets_nothing(site: PaymentSite, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    async with running_payment_site(tmp_path / "other") as stranger:
        answer = await webhook(site, url=stranger.url).submit(order())
    assert answer.result == "failed_connection"
    assert stranger.requests == []


async def test_after_three_failures_it_is_left_alone(site: PaymentSite) -> None:
    site.answer({}, status="503 Busy")
    payments = webhook(site)
    results = [(await payments.submit(order())).result for _ in range(4)]
    assert results == ["failed_status"] * 3 + ["failed_resting"]
    assert len(site.requests) == 3


async def test_an_answer_that_tells_the_number_is_not_believed_and_nothing_is_logged(
    site: PaymentSite, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    site.answer({"result": "stored", "token": NUMBER})
    answer = await webhook(site).submit(order())
    assert (answer.result, answer.token) == ("failed_answer", "")
    said = capfd.readouterr()
    for text in (said.out, said.err, caplog.text):
        assert NUMBER not in text
