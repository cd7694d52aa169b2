import asyncio

import pytest

from agent_console.console import Console
from agent_console.messages import AgentChanged, AgentState, ContactChanged
from agent_console.ports import Role
from agent_console.routes.socket import LARGEST_FRAME, recheck
from agent_console.sessions import HOUR
from tests.support.console_site import ORIGIN, Site
from tests.support.fake_desk import a_contact, a_principal, an_agent

pytestmark = pytest.mark.unit


async def test_a_browser_says_hello_and_follows_the_floor(site: Site) -> None:
    async with site.socket(await site.sign_in("anna")) as socket:
        socket.send(type="hello", epoch=None, seq=None)
        welcome = await socket.receive()
        assert (welcome["v"], welcome["type"], welcome["resumed"]) == (1, "welcome", False)
        assert await socket.receive() == {"v": 1, "type": "exchange.status", "up": True}
        snapshot = await socket.receive()
        assert (snapshot["type"], snapshot["seq"], snapshot["after"]) == ("snapshot", 1, 0)
        assert [agent["agent_id"] for agent in snapshot["floor"]["agents"]] == ["anna"]
        site.floor.apply(AgentChanged(an_agent("anna", AgentState.READY)))
        delta = await socket.receive()
        assert (delta["type"], delta["seq"], delta["after"], delta["at"]) == ("agent.changed", 2, 1, site.clock())
        assert delta["agent"]["state"] == "ready"
        socket.send(type="ping")
        assert await socket.receive() == {"v": 1, "type": "pong", "server_time": site.clock()}


async def test_intents_are_answered_in_the_order_they_were_sent(site: Site) -> None:
    async with site.socket(await site.sign_in("anna")) as socket:
        socket.send(type="hello")
        await socket.receive_until("snapshot")
        socket.send(type="intent", intent_id="i1", intent="agent.ready")
        socket.send(type="intent", intent_id="i2", intent="agent.not_ready", reason="lunch")
        socket.send(type="intent", intent_id="i3", intent="agent.not_ready")
        socket.send(type="intent", intent_id="i1", intent="agent.ready")
        answers = [await socket.receive() for _ in range(4)]
    assert [(answer["type"], answer["intent_id"]) for answer in answers] == [
        ("intent.accepted", "i1"),
        ("intent.accepted", "i2"),
        ("intent.refused", "i3"),
        ("intent.accepted", "i1"),
    ]
    assert site.desk.orders == [("sign_in", "anna"), ("ready", "anna"), ("not_ready", "anna", "lunch")]


async def test_a_slow_desk_does_not_hold_up_pings(site: Site) -> None:
    async with site.socket(await site.sign_in("anna")) as socket:
        socket.send(type="hello")
        await socket.receive_until("snapshot")
        site.desk.stall = asyncio.Event()
        socket.send(type="intent", intent_id="i1", intent="agent.ready")
        socket.send(type="ping")
        assert (await socket.receive())["type"] == "pong"
        site.desk.stall.set()
        assert (await socket.receive())["type"] == "intent.accepted"


async def test_the_seat_is_taken_with_the_socket_and_stays_when_it_closes(site: Site) -> None:
    cookie = await site.sign_in("anna")
    async with site.socket(cookie) as socket:
        socket.send(type="hello")
        await socket.receive_until("snapshot")
    assert site.desk.orders == [("sign_in", "anna")]
    assert len(site.hub) == 0


async def test_reconnecting_resumes_where_the_browser_was(site: Site) -> None:
    cookie = await site.sign_in("sofia")
    async with site.socket(cookie) as socket:
        socket.send(type="hello")
        epoch = (await socket.receive())["epoch"]
        seq = (await socket.receive_until("snapshot"))["seq"]
    site.floor.apply(ContactChanged(a_contact("c1")))
    async with site.socket(cookie) as socket:
        socket.send(type="hello", epoch=epoch, seq=seq)
        assert (await socket.receive())["resumed"] is True
        delta = await socket.receive_until("contact.changed")
        assert (delta["after"], delta["seq"]) == (seq, seq + 1)


@pytest.mark.parametrize("denial", [True, False])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://console.test:81", None])
async def test_other_sites_get_no_socket(site: Site, origin: str | None, denial: bool) -> None:
    cookie = await site.sign_in("anna")
    async with site.socket(cookie, origin=origin, denial=denial) as socket:
        assert socket.refused == 403
    assert len(site.hub) == 0
    assert site.desk.orders == []


@pytest.mark.parametrize(("denial", "status"), [(True, 401), (False, 403)])
@pytest.mark.parametrize("cookie", ["", "callcenter_session=forged.token.here"])
async def test_without_a_session_there_is_no_socket(site: Site, cookie: str, denial: bool, status: int) -> None:
    async with site.socket(cookie, denial=denial) as socket:
        assert socket.refused == status
    assert len(site.hub) == 0


async def test_signing_out_closes_the_sessions_sockets_and_no_other(site: Site) -> None:
    other = await site.sign_in("anna")
    mine = await site.sign_in("anna")
    async with site.socket(mine) as first, site.socket(mine) as second, site.socket(other) as third:
        for socket in (first, second, third):
            socket.send(type="hello")
            await socket.receive_until("snapshot")
        await site.browser.delete("/api/session", headers={"Origin": ORIGIN, "Cookie": mine})
        assert await first.closed() == 4401
        assert await second.closed() == 4401
        third.send(type="ping")
        assert (await third.receive())["type"] == "pong"
    async with site.socket(mine) as socket:
        assert socket.refused == 401


async def test_a_session_that_expires_closes_its_socket_at_the_next_frame(site: Site) -> None:
    async with site.socket(await site.sign_in("anna")) as socket:
        socket.send(type="hello")
        await socket.receive_until("snapshot")
        site.clock.at += 12 * HOUR
        socket.send(type="intent", intent_id="i1", intent="agent.ready")
        assert await socket.closed() == 4401
    assert ("ready", "anna") not in site.desk.orders


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", 1008),
        ("[]", 1008),
        ('{"type":"snapshot"}', 1008),
        ('{"type":"intent"}', 1008),
        ('{"type":"hello","seq":"1"}', 1008),
        ('{"type":"resync"}', 1008),
        ('"' + "x" * LARGEST_FRAME + '"', 1009),
        ('"' + "语" * (LARGEST_FRAME // 2) + '"', 1009),
    ],
)
async def test_frames_that_make_no_sense_close_the_socket(site: Site, text: str, code: int) -> None:
    async with site.socket(await site.sign_in("anna")) as socket:
        socket.send_text(text)
        assert await socket.closed() == code


async def test_binary_frames_close_the_socket(site: Site) -> None:
    async with site.socket(await site.sign_in("anna")) as socket:
        socket.send_bytes(b"{}")
        assert await socket.closed() == 1003


async def test_too_many_frames_close_the_socket(site: Site) -> None:
    async with site.socket(await site.sign_in("anna")) as socket:
        for _ in range(100):
            socket.send(type="ping")
        assert await socket.closed() == 1008


async def test_unknown_fields_are_ignored_so_that_newer_browsers_may_send_more(site: Site) -> None:
    async with site.socket(await site.sign_in("anna")) as socket:
        socket.send(type="hello", epoch=None, seq=None, colour="green")
        assert (await socket.receive())["type"] == "welcome"


async def test_a_browser_that_stops_reading_costs_little_and_is_resynced(site: Site) -> None:
    async with site.socket(await site.sign_in("sofia")) as socket:
        socket.send(type="hello")
        await socket.receive_until("snapshot")
        socket.reading.clear()
        for number in range(5_000):
            site.floor.apply(ContactChanged(a_contact(f"c{number % 300}")))
        (connection,) = site.hub._connections
        assert len(connection.outbox) <= 1_000
        socket.reading.set()
        snapshot = await socket.receive_until("snapshot")
        assert len(snapshot["floor"]["contacts"]) == 300


async def test_a_dead_browser_is_dropped_even_when_sending_to_it_hangs(site: Site) -> None:
    async with site.socket(await site.sign_in("sofia")) as socket:
        socket.send(type="hello")
        await socket.receive_until("snapshot")
        socket.reading.clear()
        site.floor.apply(ContactChanged(a_contact("c1")))
        site.clock.pass_seconds(25)
        site.hub.sweep(now=site.clock())
        assert len(site.hub) == 0
        socket.reading.set()
        assert await socket.closed() == 4408


async def test_the_account_behind_an_open_socket_is_looked_up_again(site: Site) -> None:
    console: Console = site.app.state.console
    async with site.socket(await site.sign_in("sofia")) as socket:
        socket.send(type="hello")
        await socket.receive_until("snapshot")
        (connection,) = site.hub._connections
        site.accounts.break_with = ConnectionError("database away")
        await recheck(console, connection)
        assert not connection.closed.is_set()
        site.accounts.break_with = None
        site.accounts.people["user-sofia"] = a_principal("user-sofia", Role.AGENT, agent_id="anna")
        await recheck(console, connection)
        snapshot = await socket.receive_until("snapshot")
        assert [agent["agent_id"] for agent in snapshot["floor"]["agents"]] == ["anna"]
        del site.accounts.people["user-sofia"]
        await recheck(console, connection)
        assert await socket.closed() == 4401


async def test_the_handshake_renews_an_ageing_session(site: Site) -> None:
    cookie = await site.sign_in("anna")
    async with site.socket(cookie) as socket:
        assert socket.accepted_headers == []
    site.clock.at += HOUR
    async with site.socket(cookie) as socket:
        ((name, value),) = socket.accepted_headers
        assert name == b"set-cookie"
        assert value.startswith(b"callcenter_session=")


async def test_an_error_inside_ends_this_socket_only(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = await site.sign_in("anna")
    async with site.socket(cookie) as broken, site.socket(cookie) as whole:
        whole.send(type="hello")
        await whole.receive_until("snapshot")

        def fail(*_: object) -> None:
            raise RuntimeError("a bug")

        with monkeypatch.context() as patch:
            patch.setattr(type(site.hub), "receive", fail)
            broken.send(type="ping")
            assert await broken.closed() == 1011
        whole.send(type="ping")
        assert (await whole.receive())["type"] == "pong"


async def test_stopping_the_web_closes_sockets_as_a_restart(site: Site) -> None:
    async with site.socket(await site.sign_in("anna")) as socket:
        socket.send(type="hello")
        await socket.receive_until("snapshot")
        await site.hub.stop()
        assert await socket.closed() == 1012
