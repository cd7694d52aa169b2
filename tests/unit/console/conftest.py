"""A console on fakes: the pieces, a hub, and a whole web application without a port."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent_console.live import ConsoleHub, HubLimits
from tests.support.console_site import Site, StartHub, browser_of, console_app
from tests.support.fake_desk import (
    ADAM,
    ANNA,
    BORIS,
    SOFIA,
    FakeAccounts,
    FakeDesk,
    FakeFloor,
    Ticker,
    a_queue,
    an_agent,
)


@pytest.fixture
def clock() -> Ticker:
    return Ticker()


@pytest.fixture
def floor() -> FakeFloor:
    return FakeFloor(
        agents=[an_agent("anna"), an_agent("boris"), an_agent("chen")], queues=[a_queue("sales"), a_queue("support")]
    )


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def static_dir(tmp_path: Path) -> Path:
    built = tmp_path / "static"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html><title>console</title>")
    (built / "assets" / "main-abc.js").write_text("export {}")
    (tmp_path / "secret.txt").write_text("not for browsers")
    return built


@pytest.fixture
async def start_hub(floor: FakeFloor, desk: FakeDesk, clock: Ticker) -> AsyncIterator[StartHub]:
    """Starts hubs on the same floor; all are stopped at the end."""
    hubs: list[ConsoleHub] = []

    async def start(limits: HubLimits | None = None, epoch: str = "run-1") -> ConsoleHub:
        hub = ConsoleHub(floor, desk, clock=clock, limits=limits, epoch=epoch)
        await hub.start()
        hubs.append(hub)
        return hub

    yield start
    for hub in hubs:
        await hub.stop()


@pytest.fixture
async def site(floor: FakeFloor, desk: FakeDesk, clock: Ticker, static_dir: Path) -> AsyncIterator[Site]:
    accounts = FakeAccounts(ANNA, BORIS, SOFIA, ADAM)
    app = console_app(accounts, desk=desk, floor=floor, clock=clock, static_dir=static_dir)
    async with app.router.lifespan_context(app), browser_of(app) as browser:
        yield Site(app, browser, floor, desk, accounts, clock)
