"""A survey by message through the whole house: a call, a letter, a link, an answer; and all is killed on the way."""

import re
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from callcenter.appraisals.facts import SurveyAnswered, SurveyAsked
from callcenter.audit.recount import audit
from callcenter.reporting.report import report
from tests.support.floor_people import Seat, calling
from tests.support.installation import Installation, Plan, interactions, running_installation
from tests.support.mail_server import MailServer, mail_server
from tests.support.ports import free_port
from tests.support.waiting import until

pytestmark = pytest.mark.faults

CUSTOMER = "+12125550177"


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def house(mail: MailServer) -> Iterator[Installation]:
    environment = (
        ("CALLCENTER_MESSAGES__PUBLIC_URL", f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}"),
        ("CALLCENTER_MESSAGES__EMAIL__HOST", "127.0.0.1"),
        ("CALLCENTER_MESSAGES__EMAIL__PORT", str(mail.port)),
        ("CALLCENTER_MESSAGES__EMAIL__SECURITY", "none"),
        ("CALLCENTER_MESSAGES__EMAIL__SENDER", "Northwind <service@northwind.example>"),
    )
    rule = 'survey = { after_seconds = 0, channels = ["email"], texts = { en = "How was it? {link}" } }'
    with running_installation(Plan(agents=1, queue_lines=(rule,), environment=environment)) as house:
        yield house


def told(house: Installation, call_id: str) -> list[Any]:
    entries = [row.entry for row in house.journal.about(call_id)]
    return [each for each in entries if isinstance(each, SurveyAsked | SurveyAnswered)]


async def test_a_customer_is_asked_once_and_answers_once_whatever_is_killed(
    house: Installation, mail: MailServer
) -> None:
    async with house.signed_in() as http, Seat(house, "agent1") as seat:
        points = [{"kind": "phone", "value": CUSTOMER}, {"kind": "email", "value": "jo@example.com"}]
        made = await http.post("/api/v1/customers", json={"display_name": "Jo", "contact_points": points})
        made.raise_for_status()
        await seat.go_ready()
        mail.hesitates = True
        async with calling(house, CUSTOMER) as customer:
            await seat.talking()
            await customer.hang_up()
        await until("the letter is handed over", mail.handed_over.is_set, within=30)
        (call_id,) = [each["contact_id"] for each in await interactions(http)]
        assert [type(each) for each in told(house, call_id)] == [SurveyAsked], "the journal knew before"
        await house.kill("web")  # nobody knows whether it was taken
        mail.hesitates = False
        mail.goes_on.set()
    await house.until_up()
    await until("the letter is there", lambda: len(mail.letters) > 0, within=40)
    (letter,) = mail.letters
    assert letter["message-id"] == f"<survey-{call_id}@northwind.example>"
    assert len(told(house, call_id)) == 1, "asked once"

    found = re.search(r"/s/\S+", letter.get_content())
    assert found is not None
    async with httpx.AsyncClient(base_url=house.base_url, trust_env=False, timeout=20) as http:
        page = await http.get(found[0])
        assert (page.status_code, page.text.count('type="radio"')) == (200, 5)
        await house.kill("exchange")
        answer = {"score": "4", "comment": "quick and kind"}

        async def is_taken() -> bool:
            return (await http.post(found[0], data=answer)).status_code == 200

        await until("the answer is taken", is_taken, within=30)
        assert (await http.post(found[0], data={"score": "1"})).status_code == 200
    _, answered = told(house, call_id)
    assert (answered.score, answered.comment, answered.how) == (4, "quick and kind", "email")
    async with house.signed_in() as http:

        async def is_shown() -> bool:
            (shown,) = await interactions(http)
            return shown["survey"] is not None and shown["survey"]["score"] == 4

        await until("the answer stands with the interaction", is_shown)
        (line,) = await interactions(http)
        assert line["survey"]["comment"] == "quick and kind"
    rows = house.journal.read(after=0, limit=100_000)
    lines = {line.subject.id: line.values for line in report(rows).lines}
    assert (lines["agent1"]["csat"], lines["agent1"]["survey_response_rate"]) == (1.0, 1.0)
    assert audit(rows).breaches == []
    assert len(mail.letters) == 1
