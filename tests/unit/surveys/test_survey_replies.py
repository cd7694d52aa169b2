"""Text messages that come in: answers are taken, the others wait for an agent, and what is not signed is nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from twilio.request_validator import RequestValidator

from acd.events import Channel
from agent_console.gate import Gate
from agent_console.ports import IntentError
from callcenter.appraisals.facts import SurveyAnswered
from callcenter.channels.facts import ItemArrived
from callcenter.surveys.replies import PATH, Gateway, sms_router
from tests.support.survey_office import MOBILE, Office

pytestmark = pytest.mark.unit

GATEWAY = Gateway("https://contact.example", "a token of the account", "sales", "US")


class Desk:
    """The gateway's end, and what came to people's desks."""

    def __init__(self, office: Office) -> None:
        self.items: list[ItemArrived] = []
        self.office = office
        self.http: httpx.AsyncClient

    async def write_down(self, entry: object) -> None:
        if isinstance(entry, ItemArrived):
            self.items.append(entry)
        else:
            await self.office.write_down(entry)

    async def comes_in(self, text: str, *, message_id: str = "SM1", token: str = GATEWAY.token) -> int:
        fields = {"From": MOBILE, "To": "+12025550100", "Body": text, "MessageSid": message_id}
        signed = RequestValidator(token).compute_signature(GATEWAY.public_url + PATH, fields)
        return (await self.http.post(PATH, data=fields, headers={"x-twilio-signature": signed})).status_code


@asynccontextmanager
async def desk_of(office: Office) -> AsyncIterator[Desk]:
    desk, app = Desk(office), FastAPI()
    app.router.routes.extend(sms_router(office.answers(), desk.write_down, GATEWAY).routes)
    app.add_middleware(Gate)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://contact.example") as desk.http:
        await office.talked()
        await office.minutes_later()
        yield desk


async def test_an_answer_is_taken_and_is_nobodys_work(office: Office) -> None:
    async with desk_of(office) as desk:
        assert await desk.comes_in("4 thanks") == 200
        assert await desk.comes_in("4 thanks") == 200, "the gateway may bring it twice"
        assert desk.items == []
    answers = [each for each in office.told() if isinstance(each, SurveyAnswered)]
    assert [(each.score, each.comment, each.how) for each in answers] == [(4, "thanks", "sms")]


async def test_everything_else_waits_for_an_agent_with_what_it_says(office: Office) -> None:
    async with desk_of(office) as desk:
        assert await desk.comes_in("Call me at 4, please\x07", message_id="SM/2") == 200
        (item,) = desk.items
    assert (item.contact_id, item.channel, item.queue_id) == ("sms-SM2", Channel.SMS, "sales")
    assert (item.caller, item.text) == (MOBILE, "Call me at 4, please ")
    assert len(office.told()) == 1


async def test_what_the_gateway_did_not_sign_is_nothing(office: Office) -> None:
    async with desk_of(office) as desk:
        assert await desk.comes_in("4", token="another") == 403
        assert (await desk.http.post(PATH, data={"From": MOBILE, "Body": "4"})).status_code == 403
        assert (await desk.http.post(PATH, content=b"x" * 70_000)).status_code == 403
    assert (desk.items, len(office.told())) == ([], 1)


async def test_the_gateway_is_told_to_come_again_while_the_exchange_is_away(office: Office) -> None:
    async with desk_of(office) as desk:
        office.is_away = IntentError("exchange-unavailable", "away")
        assert await desk.comes_in("5") == 503
        assert await desk.comes_in("5") == 200
    assert len([each for each in office.told() if isinstance(each, SurveyAnswered)]) == 1
