"""Everybody at every door: the operations are those of the OpenAPI document, what is expected is written down here."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest

from crm_bridge.api_tokens import SCOPES
from crm_bridge.database import Database, migrate
from tests.support.whole_web import WholeWeb, whole_web

pytestmark = [pytest.mark.unit, pytest.mark.timeout(120)]

NEEDS: Mapping[str, str] = {
    "nothing": "GET /health; POST /session; DELETE /session",
    "a session": "GET /session",
    "anybody": """
        GET /settings; GET /v1/interactions/{}/appraisal; POST /v1/interactions/{}/survey;
        POST /v1/interactions/{}/scores""",
    "floor": """
        GET /v1/contacts/{}/why; GET /v1/contacts/{}/why/agents/{}; GET /v1/contacts/{}/why/offers/{};
        GET /v1/queues/{}/hours""",
    "read": """
        GET /v1/attachments/{}/content; GET /v1/contactability; GET /v1/custom-fields; GET /v1/customers;
        GET /v1/customers/by-identity; GET /v1/customers/lookup; GET /v1/customers/{}; GET /v1/customers/{}/attachments;
        GET /v1/customers/{}/card; GET /v1/customers/{}/changes; GET /v1/customers/{}/consents;
        GET /v1/customers/{}/merges; GET /v1/customers/{}/owners; GET /v1/customers/{}/promises;
        GET /v1/customers/{}/provenance; GET /v1/customers/{}/record; GET /v1/field-bases;
        GET /v1/customers/{}/subsidiaries; GET /v1/customers/{}/timeline; GET /v1/interactions;
        GET /v1/interactions/{}; GET /v1/interactions/{}/recordings/{}; GET /v1/interactions/{}/transcript;
        GET /v1/levels; GET /v1/promises;
        GET /v1/shifts; GET /v1/unmatched-numbers; GET /v1/voicemail""",
    "write": """
        POST /v1/customers; POST /v1/customers/check; PATCH /v1/customers/{}; POST /v1/customers/{}/attachments;
        DELETE /v1/customers/{}/attachments/{}; POST /v1/customers/{}/consents; POST /v1/customers/{}/contact-points;
        PATCH /v1/customers/{}/contact-points/{}; DELETE /v1/customers/{}/contact-points/{};
        POST /v1/customers/{}/files; POST /v1/customers/{}/identities; POST /v1/customers/{}/notes;
        PUT /v1/customers/{}/owner; PUT /v1/customers/{}/preferences; POST /v1/customers/{}/promises;
        POST /v1/customers/{}/personal-preferences; DELETE /v1/customers/{}/personal-preferences/{};
        POST /v1/customers/{}/relations; DELETE /v1/customers/{}/relations/{}; PUT /v1/customers/{}/tags;
        PATCH /v1/promises/{}; POST /v1/promises/{}/settle""",
    "to be a program that writes": "PUT /v1/interactions/{}/transcript",
    "sensitive": "POST /v1/customers/{}/sensitive-fields",
    "assign": """
        PUT /v1/customers/{}/level; POST /v1/owners/hand-over; GET /v1/owner-claims; POST /v1/owner-claims/{}/decision;
        GET /v1/owners; GET /v1/owners/{}/holdings""",
    "plan": "POST /v1/shifts",
    "report": "GET /v1/reports/statistics",
    "merge": """
        GET /v1/collisions; GET /v1/data-quality; GET /v1/data-quality/{}; GET /v1/duplicates; POST /v1/duplicates/scan;
        POST /v1/duplicates/{}/reject; POST /v1/merges; POST /v1/merges/{}/undo""",
    "import": """
        GET /v1/imports; POST /v1/imports; POST /v1/imports/preview; GET /v1/imports/{}; POST /v1/imports/{}/undo""",
    "export": "GET /v1/exports/customers.csv; GET /v1/exports/customers.xlsx",
    "privacy": """
        POST /v1/customers/{}/erasure; GET /v1/customers/{}/erasure-preview; GET /v1/customers/{}/export;
        GET /v1/customers/{}/legal-hold; PUT /v1/customers/{}/legal-hold; DELETE /v1/customers/{}/legal-hold;
        GET /v1/legal-holds; GET /v1/erasures; GET /v1/erasures/{}; PUT /v1/interactions/{}/recordings/{}/legal-hold;
        DELETE /v1/interactions/{}/recordings/{}/legal-hold; GET /v1/retention; POST /v1/retention/expire;
        PUT /v1/retention/{}; GET /v1/suppressions; POST /v1/suppressions; DELETE /v1/suppressions/{}""",
    "define": """
        PUT /v1/custom-fields/{}; PUT /v1/field-bases/{}; DELETE /v1/field-bases/{}; PUT /v1/levels/{}""",
    "audit": """
        GET /v1/hours-overrides; GET /v1/access-log; GET /v1/audit; GET /v1/audit/chain;
        GET /v1/customers/{}/access-log""",
    "tokens": "GET /v1/tokens; POST /v1/tokens; DELETE /v1/tokens/{}",
}
"""What each door asks for. A new one that stands nowhere here fails the test."""

_AGENT = {"nothing", "a session", "anybody", "read", "write", "sensitive"}
_LEAD = _AGENT | {"assign", "merge"}
_SUPERVISOR = _LEAD | {"import", "export", "privacy", "floor", "plan", "report"}
_PROGRAM = {"nothing", "anybody"}
HAS: Mapping[str, set[str]] = {
    "nobody": {"nothing"},
    "a forged session": {"nothing"},
    "a wrong token": {"nothing"},
    "an expired token": {"nothing"},
    "a revoked token": {"nothing"},
    "agent": _AGENT,
    "team_lead": _LEAD,
    "supervisor": _SUPERVISOR,
    "administrator": _SUPERVISOR | {"define", "audit", "tokens"},
    "auditor": {"nothing", "a session", "anybody", "read", "report", "audit"},
    "a token to read": _PROGRAM | {"read", "report"},
    "a token to write": _PROGRAM | {"write", "to be a program that writes"},
    "a token to import": _PROGRAM | {"import", "plan"},
    "a token for all": _PROGRAM | {"read", "write", "import", "plan", "report", "to be a program that writes"},
}
KEPT_OUT = {401, 403}


def doors() -> dict[str, str]:
    """What is needed by ``METHOD /path``, with the names of path parameters left out."""
    return {door.strip(): need for need, text in NEEDS.items() for door in text.split(";")}


def nameless(path: str) -> str:
    """The path as it stands in ``NEEDS``."""
    parts = path.removeprefix("/api").split("/")
    return "/".join("{}" if part.startswith("{") else part for part in parts)


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WholeWeb]:
    url = f"sqlite+aiosqlite:///{tmp_path}/store.db"
    await migrate(url)
    database = Database(url)
    async with whole_web(database) as web:
        yield web
    await database.close()


async def who_is(web: WholeWeb, who: str) -> httpx.AsyncClient:
    """A client of somebody in ``HAS``."""
    match who:
        case "nobody":
            return web.client()
        case "a forged session":
            return web.client(cookie="callcenter_session=a1b2c3d4.W10.AAAA")
        case "a wrong token":
            return web.program("cct_" + "A" * 43)
        case "an expired token":
            token = await web.token("old", *SCOPES, days=1)
            web.clock.ticker.pass_seconds(86_400)
            return web.program(token)
        case "a revoked token":
            token = await web.token("gone", *SCOPES)
            administrator = await web.person("administrator")
            newest = (await administrator.get("/api/v1/tokens")).json()[0]
            assert (await administrator.delete(f"/api/v1/tokens/{newest['id']}")).status_code == 200
            await administrator.aclose()
            return web.program(token)
        case "a token for all":
            return web.program(await web.token("all", *SCOPES))
        case _ if who.startswith("a token to "):
            scope = who.removeprefix("a token to ")
            return web.program(await web.token(scope, scope))
        case _:
            return await web.person(who)


async def test_nobody_comes_through_a_door_that_is_not_theirs_and_everybody_through_those_that_are(
    web: WholeWeb,
) -> None:
    """By 401 and 403 alone is anybody kept out; every other answer means that the door was open."""
    operations = [
        (method.upper(), path)
        for path, methods in web.app.openapi()["paths"].items()
        for method in methods
        if (method, path) != ("delete", "/api/session")  # it ends what the others need
    ]
    needed = doors()
    assert {f"{method} {nameless(path)}" for method, path in operations} == set(needed) - {"DELETE /session"}
    wrong = []
    for who, has in HAS.items():
        client = await who_is(web, who)
        for method, path in operations:
            web.clock.ticker.pass_seconds(5)  # nobody is kept out for asking too often
            filled = "/".join("7" if part.startswith("{") else part for part in path.split("/"))
            body = {} if method in {"POST", "PUT", "PATCH"} else None
            answer = await client.request(method, filled, json=body)
            assert answer.status_code < 500, (method, path, answer.text)
            is_theirs = needed[f"{method} {nameless(path)}"] in has
            if is_theirs == (answer.status_code in KEPT_OUT):
                wrong.append(f"{who}: {method} {path}: {answer.status_code}, {'theirs' if is_theirs else 'not theirs'}")
        await client.aclose()
    assert not wrong, "\n".join(wrong)


async def test_the_document_says_how_to_come_in(web: WholeWeb) -> None:
    document = web.app.openapi()
    schemes = document["components"]["securitySchemes"]
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", "callcenter_session")
    assert (schemes["token"]["type"], schemes["token"]["scheme"]) == ("http", "bearer")
    both = [{"session": []}, {"token": []}]
    told = {
        f"{method.upper()} {nameless(path)}": operation.get("security")
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    open_doors = {door for door, need in doors().items() if need == "nothing"} - {"DELETE /session"}
    assert {door for door, security in told.items() if security is None} == open_doors
    about_the_session = {"GET /session", "DELETE /session"}
    assert all(told[door] == [{"session": []}] for door in about_the_session)
    assert all(told[door] == both for door in set(told) - open_doors - about_the_session)
