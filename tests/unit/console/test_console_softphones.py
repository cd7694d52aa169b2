"""Which page has which phone: frames go to the exchange and back to that page, and to no other."""

import pytest

from agent_console.live import ConsoleHub
from agent_console.messages import Hello
from agent_console.sessions import Session
from agent_console.softphone import (
    FromSoftphone,
    SoftphoneAnswer,
    SoftphoneEnded,
    SoftphoneGone,
    SoftphoneReady,
)
from tests.support.fake_desk import ANNA, SOFIA, FakeDesk, FakeFloor, Ticker

pytestmark = pytest.mark.unit

SESSION = Session("user-anna", 0, 0, "s1")


class Line:
    """An exchange that listens."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, FromSoftphone]] = []

    def hear(self, agent_id: str, phone_id: str, frame: FromSoftphone) -> None:
        self.heard.append((agent_id, phone_id, frame))


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
async def hub(floor: FakeFloor, desk: FakeDesk, clock: Ticker, line: Line):
    hub = ConsoleHub(floor, desk, clock=clock, softphones=line)
    await hub.start()
    yield hub
    await hub.stop()


def drained(hub: ConsoleHub, connection) -> str:
    return "\n".join(iter(lambda: hub.take(connection) or "", ""))


async def test_a_phone_is_heard_with_its_agent_and_told_at_its_own_page_only(hub: ConsoleHub, line: Line):
    page, other = hub.connect(ANNA, SESSION), hub.connect(ANNA, SESSION)
    for connection in (page, other):
        hub.receive(connection, Hello())
        drained(hub, connection)
    hub.receive(page, SoftphoneAnswer("leg", "too early"))
    hub.receive(page, SoftphoneReady("p1"))
    hub.receive(page, SoftphoneAnswer("leg", "v=0"))
    assert line.heard == [("anna", "p1", SoftphoneReady("p1")), ("anna", "p1", SoftphoneAnswer("leg", "v=0"))]
    hub.tell_softphone("anna", "p1", SoftphoneEnded("leg"))
    hub.tell_softphone("anna", "p2", SoftphoneEnded("leg"))
    assert '"type":"softphone.ended","leg_id":"leg"' in drained(hub, page)
    assert drained(hub, other) == ""


async def test_a_page_that_leaves_takes_its_phone_along_unless_it_is_back_already(hub: ConsoleHub, line: Line):
    page = hub.connect(ANNA, SESSION)
    hub.receive(page, Hello())
    hub.receive(page, SoftphoneReady("p1"))
    again = hub.connect(ANNA, SESSION)
    hub.receive(again, Hello())
    hub.receive(again, SoftphoneReady("p1"))
    hub.disconnect(page)
    assert [frame for _, _, frame in line.heard] == [SoftphoneReady("p1")] * 2
    hub.disconnect(again)
    assert line.heard[-1] == ("anna", "p1", SoftphoneGone())


async def test_an_exchange_that_is_back_hears_of_every_phone_again(hub: ConsoleHub, floor: FakeFloor, line: Line):
    page = hub.connect(ANNA, SESSION)
    hub.receive(page, Hello())
    hub.receive(page, SoftphoneReady("p1"))
    line.heard.clear()
    floor.set_live(False)
    assert line.heard == []
    floor.set_live(True)
    assert line.heard == [("anna", "p1", SoftphoneReady("p1"))]


@pytest.mark.parametrize("phone_id", ["", "x" * 65])
async def test_odd_names_and_people_without_a_seat_have_no_phone(hub: ConsoleHub, line: Line, phone_id: str):
    page, boss = hub.connect(ANNA, SESSION), hub.connect(SOFIA, SESSION)
    for connection in (page, boss):
        hub.receive(connection, Hello())
    hub.receive(page, SoftphoneReady(phone_id))
    hub.receive(boss, SoftphoneReady("p1"))
    assert line.heard == []
