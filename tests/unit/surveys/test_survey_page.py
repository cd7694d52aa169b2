"""The page on which customers answer: for who has the link, once, in two languages, and not for who guesses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from agent_console.gate import Gate
from agent_console.ports import IntentError
from callcenter.appraisals.facts import SurveyAnswered
from callcenter.surveys.links import token
from callcenter.surveys.page import survey_router
from tests.support.survey_office import KEY, Office

pytestmark = pytest.mark.unit

LINK = f"/s/{token('c1', KEY)}"


@asynccontextmanager
async def browser(office: Office, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.router.routes.extend(survey_router(office.answers(), KEY, "Quist & Co", office.clock.now).routes)
    app.add_middleware(Gate)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://house", headers=headers) as http:
        yield http


async def asked(office: Office) -> None:
    await office.talked()
    await office.minutes_later()


async def test_a_link_shows_the_question_as_often_as_it_is_opened_and_takes_one_answer(office: Office) -> None:
    await asked(office)
    async with browser(office) as http:
        for _ in range(3):  # as mail programs do by themselves
            page = await http.get(LINK)
            assert page.status_code == 200
            assert page.text.count('type="radio"') == 5
        assert (page.headers["cache-control"], page.headers["x-frame-options"]) == ("no-store", "DENY")
        done = await http.post(LINK, data={"score": "2", "comment": "too <slow>\nand dear"})
        assert (done.status_code, "Thank you for your answer." in done.text) == (200, True)
        again = await http.post(LINK, data={"score": "5"})
        assert (again.status_code, "answered already" in again.text) == (200, True)
        assert "answered already" in (await http.get(LINK)).text
    (answer,) = [each for each in office.told() if isinstance(each, SurveyAnswered)]
    assert (answer.score, answer.comment, answer.how) == (2, "too <slow> and dear", "sms")


async def test_the_page_is_in_the_readers_language_or_the_one_that_is_chosen(office: Office) -> None:
    await asked(office)
    async with browser(office, **{"accept-language": "fr, zh-CN;q=0.9, en;q=0.5"}) as http:
        assert '<html lang="zh">' in (await http.get(LINK)).text
        assert "How satisfied" in (await http.get(f"{LINK}?lang=en")).text


@pytest.mark.parametrize("score", ["", "0", "6", "x", "-1", "99999", "４"])
async def test_what_is_off_the_scale_is_asked_again(office: Office, score: str) -> None:
    await asked(office)
    async with browser(office) as http:
        answer = await http.post(LINK, data={"score": score})
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)
    assert len(office.told()) == 1


async def test_an_expired_question_is_closed(office: Office) -> None:
    await asked(office)
    office.clock.at += 7 * 86_400_000
    async with browser(office) as http:
        assert (await http.get(LINK)).status_code == 410
        assert (await http.post(LINK, data={"score": "5"})).status_code == 410
    assert len(office.told()) == 1


async def test_who_guesses_is_slowed_down_and_learns_nothing(office: Office) -> None:
    await asked(office)
    async with browser(office) as http:
        wrong = [await http.get(f"/s/c1~{each}{'A' * 15}") for each in "0123456789"]
        never = await http.get(f"/s/{token('c9', KEY)}")
    codes = [each.status_code for each in wrong]
    assert codes[:5] == [404] * 5
    assert set(codes[6:]) == {429}
    assert int(wrong[-1].headers["retry-after"]) >= 1
    assert never.status_code == 429, "the right signature of a contact that nobody asked about helps nobody"


async def test_a_page_of_another_site_answers_for_nobody(office: Office) -> None:
    await asked(office)
    async with browser(office, origin="https://elsewhere.example") as http:
        assert (await http.post(LINK, data={"score": "1"})).status_code == 403
    assert len(office.told()) == 1


async def test_an_exchange_that_is_away_loses_no_answer_it_is_asked_for_again(office: Office) -> None:
    await asked(office)
    async with browser(office) as http:
        office.is_away = IntentError("exchange-unavailable", "away")
        assert (await http.post(LINK, data={"score": "4"})).status_code == 503
        assert (await http.post(LINK, data={"score": "4"})).status_code == 200
    assert len([each for each in office.told() if isinstance(each, SurveyAnswered)]) == 1


async def test_a_form_too_large_is_no_answer(office: Office) -> None:
    await asked(office)
    async with browser(office) as http:
        assert (await http.post(LINK, data={"score": "4", "comment": "x" * 20_000})).status_code == 422
