import pytest

from agent_console.origins import origin_is_allowed

pytestmark = pytest.mark.unit


def allowed(origin: str | None, *, cookie: bool = True, scheme: str = "https", host: str = "desk.example") -> bool:
    return origin_is_allowed(
        origin, scheme=scheme, host=host, has_cookie=cookie, allowed=("https://proxy.example:8443",)
    )


@pytest.mark.parametrize("origin", ["https://desk.example", "https://DESK.example", "https://desk.example:443"])
def test_the_own_origin_may_act(origin: str) -> None:
    assert allowed(origin)
    assert allowed(origin, scheme="wss")


def test_origins_on_the_list_may_act() -> None:
    assert allowed("https://proxy.example:8443")


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://desk.example",
        "https://desk.example:8443",
        "https://desk.example.evil.example",
        "https://evil.example/https://desk.example",
        "https://desk.example@evil.example",
        "https://evil.example#https://desk.example",
        "https://desk.example/",
        "https://desk.example:99999",
        "file://",
        "null",
        "",
        *[f"https://evil{number}.example" for number in range(100)],
    ],
)
def test_every_other_origin_is_refused_with_and_without_a_cookie(origin: str) -> None:
    assert not allowed(origin)
    assert not allowed(origin, cookie=False)


def test_a_missing_origin_is_for_programs_without_the_cookie() -> None:
    assert allowed(None, cookie=False)
    assert not allowed(None, cookie=True)


def test_ports_count_for_plain_http_too() -> None:
    assert allowed("http://127.0.0.1:8080", scheme="ws", host="127.0.0.1:8080")
    assert not allowed("http://127.0.0.1:9090", scheme="ws", host="127.0.0.1:8080")
