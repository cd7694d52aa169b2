import re
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, Depends

from agent_console.auth import current_principal, requires
from agent_console.errors import STATUS_AND_CODE, ConsoleError
from agent_console.ports import IntentError, Principal, Role
from agent_console.routes.session import LARGEST_BODY
from agent_console.sessions import HOUR
from tests.support.console_site import ORIGIN, Site, browser_of, console_app
from tests.support.fake_desk import ANNA, SOFIA, FakeAccounts, FakeDesk, FakeFloor, Ticker

pytestmark = pytest.mark.unit

FROM_HERE = {"Origin": ORIGIN}
RIGHT = {"login": "anna", "password": FakeAccounts.PASSWORD}
WRONG = {"login": "anna", "password": "wrong"}


async def test_signing_in_tells_who_one_is_and_opens_everything_else(site: Site) -> None:
    assert (await site.browser.get("/api/session")).status_code == 401
    response = await site.browser.post("/api/session", json=RIGHT, headers=FROM_HERE)
    person = {
        "user_id": "user-anna",
        "name": "Name of user-anna",
        "roles": ["agent"],
        "agent_id": "anna",
        "language": "en",
        "queue_ids": ["sales"],
        "teams": [],
        "sees_floor": False,
    }
    assert (response.status_code, response.json()) == (200, person)
    again = await site.browser.get("/api/session")
    assert (again.status_code, again.json()) == (200, person)


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(site: Site) -> None:
    response = await site.browser.post("/api/session", json=RIGHT, headers=FROM_HERE)
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("callcenter_session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


async def test_the_cookie_is_secure_over_https(site: Site) -> None:
    origin = "https://console.test"
    response = await site.browser.post(f"{origin}/api/session", json=RIGHT, headers={"Origin": origin})
    assert response.headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize("credentials", [WRONG, {"login": "nobody", "password": FakeAccounts.PASSWORD}])
async def test_wrong_credentials_are_one_answer_for_all_causes(site: Site, credentials: dict[str, str]) -> None:
    response = await site.browser.post("/api/session", json=credentials)
    assert response.status_code == 401
    assert response.json() == {"code": "wrong-credentials", "message": "Login or password is wrong."}
    assert "set-cookie" not in response.headers


async def test_guessing_is_delayed_and_the_delay_ends(site: Site) -> None:
    statuses = [(await site.browser.post("/api/session", json=WRONG)).status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    refused = await site.browser.post("/api/session", json=RIGHT)
    assert refused.status_code == 429
    assert refused.json()["code"] == "too-many-attempts"
    assert refused.headers["retry-after"] == "1"
    site.clock.pass_seconds(1)
    assert (await site.browser.post("/api/session", json=RIGHT)).status_code == 200


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"login=anna", "application/x-www-form-urlencoded", 415),
        (b'{"login":"anna","password":"x"}', "text/plain", 415),
        (b'{"login":"anna","password":"x"}', "", 415),
        (b"{", "application/json", 422),
        (b"[]", "application/json", 422),
        (b'{"login":"anna"}', "application/json", 422),
        (b'{"login":1,"password":"x"}', "application/json", 422),
        (b'{"login":"anna","password":"' + b"x" * LARGEST_BODY + b'"}', "application/json; charset=utf-8", 413),
    ],
)
async def test_odd_bodies_are_refused_before_any_password_is_looked_at(
    site: Site, content: bytes, media_type: str, status: int
) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    response = await site.browser.post("/api/session", content=content, headers=headers)
    assert response.status_code == status
    assert set(response.json()) == {"code", "message"}


async def test_signing_out_ends_the_session_clears_the_cookie_and_leaves_the_seat(site: Site) -> None:
    cookie = await site.sign_in("anna")
    response = await site.browser.delete("/api/session", headers=FROM_HERE)
    assert response.status_code == 204
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert ("sign_out", "anna") in site.desk.orders
    stolen = await site.browser.get("/api/session", headers={"Cookie": cookie})
    assert stolen.status_code == 401


async def test_signing_out_twice_or_without_a_session_is_harmless(site: Site) -> None:
    assert (await site.browser.delete("/api/session")).status_code == 204
    assert site.desk.orders == []


async def test_signing_out_works_while_the_exchange_is_down(site: Site) -> None:
    cookie = await site.sign_in("anna")
    site.desk.refuse_with = IntentError("exchange-down", "The exchange is down.")
    assert (await site.browser.delete("/api/session", headers=FROM_HERE)).status_code == 204
    assert (await site.browser.get("/api/session", headers={"Cookie": cookie})).status_code == 401


async def test_an_ageing_session_is_renewed_by_any_request(site: Site) -> None:
    await site.sign_in("anna")
    assert "set-cookie" not in (await site.browser.get("/api/settings")).headers
    for _ in range(5):
        site.clock.at += 2 * HOUR
        assert "set-cookie" in (await site.browser.get("/api/settings")).headers
    site.clock.at += 2 * HOUR
    assert (await site.browser.get("/api/settings")).status_code == 401


async def test_a_removed_account_opens_nothing(site: Site) -> None:
    await site.sign_in("anna")
    del site.accounts.people["user-anna"]
    assert (await site.browser.get("/api/session")).status_code == 401


async def test_sessions_survive_a_restart_of_the_web(site: Site) -> None:
    cookie = await site.sign_in("anna")
    async with browser_of(console_app(site.accounts, clock=site.clock)) as browser:
        assert (await browser.get("/api/session", headers={"Cookie": cookie})).status_code == 200


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://console.test:81", None])
async def test_no_other_site_changes_anything_with_the_persons_cookie(
    site: Site, method: str, origin: str | None
) -> None:
    await site.sign_in("anna")
    headers = {} if origin is None else {"Origin": origin}
    response = await site.browser.request(method, "/api/session", json=RIGHT, headers=headers)
    assert (response.status_code, response.json()["code"]) == (403, "foreign-origin")
    assert (await site.browser.get("/api/session")).status_code == 200


async def test_settings_are_told_to_those_who_are_signed_in(site: Site) -> None:
    assert (await site.browser.get("/api/settings")).status_code == 401
    await site.sign_in("anna")
    settings = (await site.browser.get("/api/settings")).json()
    assert settings["company"] == "Example"
    assert settings["not_ready_reasons"] == [{"code": "lunch", "labels": {"en": "Lunch", "zh": "午餐"}}]
    assert settings["languages"] == ["en", "zh"]


async def test_health_tells_whether_the_exchange_is_heard(site: Site) -> None:
    assert (await site.browser.get("/api/health")).json() == {"status": "ok", "exchange_up": True}
    site.floor.set_live(False)
    assert (await site.browser.get("/api/health")).json() == {"status": "ok", "exchange_up": False}


@pytest.mark.parametrize("path", ["/", "/api/health", "/api/session", "/assets/main-abc.js", "/nothing.js"])
async def test_every_answer_carries_the_security_headers(site: Site, path: str) -> None:
    headers = (await site.browser.get(path)).headers
    policy = headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"script-src[^;]*unsafe", policy)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    if path.startswith("/api/"):
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/desk", "/customers/42", "/index.html"])
async def test_every_address_of_the_console_is_its_one_page(site: Site, path: str) -> None:
    response = await site.browser.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "<title>console</title>" in response.text
    assert response.headers["cache-control"] == "no-cache"


async def test_built_files_are_kept_for_ever_and_have_their_types(site: Site) -> None:
    response = await site.browser.get("/assets/main-abc.js")
    assert response.headers["content-type"].startswith("text/javascript")
    assert "immutable" in response.headers["cache-control"]


@pytest.mark.parametrize("path", ["/assets/gone.js", "/api", "/api/", "/api/nothing", "/api/session/", "/api/v1/x.js"])
async def test_missing_files_and_unknown_api_paths_are_404_and_not_the_page(site: Site, path: str) -> None:
    response = await site.browser.get(path)
    assert (response.status_code, response.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "//etc/hosts.txt",
        "/%00.txt",
        "/" + "x" * 5000 + ".txt",
        "/..%5csecret.txt",
    ],
)
async def test_no_path_leads_out_of_the_built_folder(site: Site, path: str) -> None:
    response = await site.browser.send(httpx.Request("GET", httpx.URL(f"{ORIGIN}/", raw_path=path.encode())))
    assert response.status_code == 404
    assert "not for browsers" not in response.text


async def test_links_out_of_the_built_folder_are_not_followed(site: Site, static_dir: Path) -> None:
    (static_dir / "link.txt").symlink_to(static_dir.parent / "secret.txt")
    assert (await site.browser.get("/link.txt")).status_code == 404


async def test_wrong_methods_are_405(site: Site) -> None:
    for path in ("/api/session", "/desk"):
        response = await site.browser.put(path)
        assert (response.status_code, response.json()["code"]) == (405, "method-not-allowed")


async def test_without_a_build_the_page_says_how_to_build(desk: FakeDesk, floor: FakeFloor, clock: Ticker) -> None:
    async with browser_of(console_app(FakeAccounts(), desk=desk, floor=floor, clock=clock)) as browser:
        response = await browser.get("/")
        assert response.status_code == 200
        assert "npm run build" in response.text


async def test_other_routers_share_the_sign_in_the_roles_and_the_error_form(
    desk: FakeDesk, floor: FakeFloor, clock: Ticker
) -> None:
    router = APIRouter(prefix="/api/v1")

    @router.get("/me")
    async def me(principal: Principal = Depends(current_principal)) -> dict[str, str]:  # noqa: B008
        return {"user_id": principal.user_id}

    @router.post("/floor")
    async def for_supervisors(principal: Principal = Depends(requires(Role.SUPERVISOR))) -> dict[str, str]:  # noqa: B008
        return {"user_id": principal.user_id}

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError("secret detail")

    @router.get("/typed")
    async def typed(limit: int) -> dict[str, int]:
        return {"limit": limit}

    app = console_app(
        FakeAccounts(ANNA, SOFIA),
        desk=desk,
        floor=floor,
        clock=clock,
        extra_routers=[router],
        allowed_origins=["https://proxy.example"],
    )
    async with browser_of(app) as browser:
        assert (await browser.get("/api/v1/me")).status_code == 401
        await browser.post("/api/session", json=RIGHT)
        assert (await browser.get("/api/v1/me")).json() == {"user_id": "user-anna"}
        assert (await browser.post("/api/v1/floor", headers=FROM_HERE)).status_code == 403
        browser.cookies.clear()
        await browser.post("/api/session", json=RIGHT | {"login": "sofia"})
        assert (await browser.post("/api/v1/floor", headers={"Origin": "https://proxy.example"})).status_code == 200
        assert (await browser.post("/api/v1/floor")).json()["code"] == "foreign-origin"
        failed = await browser.get("/api/v1/broken")
        assert (failed.status_code, failed.json()["code"]) == (500, "internal-error")
        assert "secret" not in failed.text
        assert failed.headers["x-content-type-options"] == "nosniff"
        assert (await browser.get("/api/v1/typed?limit=x")).json()["code"] == "malformed-request"


def test_every_error_of_the_console_has_exactly_one_row() -> None:
    assert set(STATUS_AND_CODE) == set(ConsoleError.__subclasses__())
    codes = [code for _, code in STATUS_AND_CODE.values()]
    assert len(codes) == len(set(codes))
