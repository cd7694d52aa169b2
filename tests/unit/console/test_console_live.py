import asyncio
import random
from collections.abc import Callable

import msgspec
import pytest

from agent_console.connections import CloseCode
from agent_console.live import HubLimits
from agent_console.messages import (
    AgentChanged,
    AgentState,
    Change,
    ContactChanged,
    ContactRemoved,
    ContactState,
    FloorView,
    Intent,
    Ping,
    QueueChanged,
    Resync,
    SupervisionMode,
    SupervisionView,
)
from agent_console.ports import Principal, Role
from agent_console.sight import Sight
from tests.support.browser_model import BrowserModel, keyed
from tests.support.console_site import StartHub
from tests.support.fake_desk import (
    ADAM,
    ANNA,
    BORIS,
    LENA,
    SOFIA,
    FakeDesk,
    FakeFloor,
    Ticker,
    a_contact,
    a_principal,
    a_queue,
    an_agent,
)

pytestmark = pytest.mark.unit

PEOPLE = (
    ANNA,
    BORIS,
    SOFIA,
    ADAM,
    LENA,
    a_principal("user-guest"),
    a_principal("user-both", Role.AGENT, Role.SUPERVISOR),
)


def random_change(dice: random.Random, floor: FakeFloor) -> Change:
    """Any change, also odd ones: contacts jump between agents, and unknown ones are removed."""
    match dice.randrange(4):
        case 0:
            return AgentChanged(
                an_agent(
                    dice.choice(("anna", "boris", "chen")), dice.choice(list(AgentState)), since=dice.randrange(99)
                )
            )
        case 1:
            return QueueChanged(a_queue(dice.choice(("sales", "support")), dice.randrange(50)))
        case 2:
            agent_id = dice.choice(("anna", "boris", "lena", None))
            state, queue_id = dice.choice(list(ContactState)), dice.choice(("sales", "support"))
            contact = a_contact(f"c{dice.randrange(8)}", state, agent_id=agent_id, queue_id=queue_id)
            listening = (SupervisionView("sofia", SupervisionMode.MONITOR),) if dice.randrange(3) == 0 else ()
            return ContactChanged(msgspec.structs.replace(contact, supervision=listening))
        case _:
            return ContactRemoved(f"c{dice.randrange(8)}")


def expected(floor: FakeFloor, person: Principal) -> object:
    """What this person's screen must show."""
    return keyed(Sight.of(person).of_floor(floor.snapshot()))


@pytest.mark.parametrize("seed", range(40))
async def test_stale_snapshot_and_deltas_equal_a_fresh_snapshot_for_everybody(
    start_hub: StartHub, floor: FakeFloor, seed: int
) -> None:
    """Random changes, resets, slow readers, lost connections: whoever has read everything sees the floor as it is."""
    dice = random.Random(seed)
    hub = await start_hub(HubLimits(history=60, outbox=25))
    browsers = [BrowserModel(hub, person) for person in PEOPLE]
    for browser in browsers:
        browser.connect()
    for _ in range(400):
        floor.apply(random_change(dice, floor))
        browser = dice.choice(browsers)
        match dice.randrange(12):
            case 0 if browser.connection:
                browser.disconnect()
            case 0 | 1 if not browser.connection:
                browser.connect()
            case 2 if dice.randrange(20) == 0:
                floor.reset(FloorView((an_agent("anna"),), (a_queue("sales", 3),), (a_contact("c1", agent_id="anna"),)))
            case _ if browser.connection:
                browser.read(dice.randrange(6))
    for browser in browsers:
        if browser.connection is None:
            browser.connect()
        browser.read()
        assert browser.views == expected(floor, browser.principal)
        fresh = BrowserModel(hub, browser.principal)
        fresh.connect()
        fresh.read()
        assert fresh.views == browser.views


async def test_what_a_supervisor_receives_over_many_disconnects_is_the_log_without_gap_or_repetition(
    start_hub: StartHub, floor: FakeFloor
) -> None:
    dice = random.Random(7)
    hub = await start_hub()
    browser = BrowserModel(hub, SOFIA)
    browser.connect()
    browser.read()
    happened: list[Change] = []
    for _ in range(3_000):
        change = random_change(dice, floor)
        unknown = isinstance(change, ContactRemoved) and change.contact_id not in floor.contacts
        if not isinstance(change, QueueChanged) and not unknown:  # queues may be coalesced
            happened.append(change)
            floor.apply(change)
        if dice.randrange(30) == 0:
            browser.disconnect()
            browser.connect()
        browser.read(dice.randrange(3))
    browser.read()
    deltas = [frame for frame in browser.frames if frame["type"].endswith(("changed", "removed"))]
    assert [frame["seq"] for frame in deltas] == list(range(2, 2 + len(happened)))
    assert [frame["type"] for frame in browser.frames].count("snapshot") == 1


async def test_an_agent_sees_the_own_seat_queues_and_contacts_and_nothing_else(
    start_hub: StartHub, floor: FakeFloor
) -> None:
    floor.contacts = {
        "c1": a_contact("c1", agent_id="anna"),
        "c2": a_contact("c2", agent_id="boris"),
        "c3": a_contact("c3"),
    }
    browser = BrowserModel(await start_hub(), ANNA)
    browser.connect()
    browser.read()
    assert {kind: set(views) for kind, views in browser.views.items()} == {
        "agents": {"anna"},
        "queues": {"sales"},
        "contacts": {"c1"},
    }


async def test_a_team_lead_sees_the_team_and_who_waits_for_it_and_no_other_teams_conversations(
    start_hub: StartHub, floor: FakeFloor
) -> None:
    listening = (SupervisionView("sofia", SupervisionMode.MONITOR),)
    theirs = a_contact("c1", agent_id="boris", queue_id="sales")
    own = a_contact("c4", agent_id="lena", queue_id="support")
    floor.contacts = {
        "c1": msgspec.structs.replace(theirs, supervision=listening),
        "c2": a_contact("c2", queue_id="support"),
        "c3": a_contact("c3", agent_id="anna", queue_id="support"),
        "c4": msgspec.structs.replace(own, supervision=listening),
        "c5": a_contact("c5", queue_id="sales"),
    }
    browser = BrowserModel(await start_hub(), LENA)
    browser.connect()
    browser.read()
    assert {kind: set(views) for kind, views in browser.views.items()} == {
        "agents": {"boris"},
        "queues": {"support"},
        "contacts": {"c1", "c2", "c4"},
    }
    assert [len(browser.views["contacts"][each]["supervision"]) for each in ("c1", "c4")] == [1, 0]
    floor.apply(ContactChanged(a_contact("c2", agent_id="anna", queue_id="support")))
    browser.read()
    assert set(browser.views["contacts"]) == {"c1", "c4"}, "rings at another team"
    floor.apply(ContactChanged(a_contact("c2", queue_id="support")))
    browser.read()
    assert set(browser.views["contacts"]) == {"c1", "c2", "c4"}, "waits again"


async def test_a_contact_that_goes_to_another_agent_is_removed_from_the_first_ones_sight(
    start_hub: StartHub, floor: FakeFloor
) -> None:
    hub = await start_hub()
    anna, boris = BrowserModel(hub, ANNA), BrowserModel(hub, BORIS)
    for browser in (anna, boris):
        browser.connect()
        browser.read()
    floor.apply(ContactChanged(a_contact("c1", ContactState.OFFERED, agent_id="anna")))
    floor.apply(ContactChanged(a_contact("c1", ContactState.QUEUED)))
    floor.apply(ContactChanged(a_contact("c1", ContactState.OFFERED, agent_id="boris")))
    floor.apply(ContactRemoved("c1"))
    assert [frame["type"] for frame in anna.read()] == ["contact.changed", "contact.removed"]
    assert [frame["type"] for frame in boris.read()] == ["contact.changed", "contact.removed"]


async def test_resuming_shows_only_what_was_missed(start_hub: StartHub, floor: FakeFloor) -> None:
    hub = await start_hub()
    browser = BrowserModel(hub, ANNA)
    browser.connect()
    browser.read()
    browser.disconnect()
    floor.apply(AgentChanged(an_agent("boris", AgentState.READY)))
    floor.apply(AgentChanged(an_agent("anna", AgentState.READY)))
    browser.connect()
    frames = browser.read()
    assert [frame["type"] for frame in frames] == ["welcome", "exchange.status", "agent.changed"]
    assert frames[0]["resumed"] is True
    assert (frames[2]["after"], frames[2]["seq"]) == (1, 3)


@pytest.mark.parametrize(
    ("epoch", "seq"), [(None, 1), ("another run", 1), ("same", 0), ("same", 999), ("same", -1), ("same", None)]
)
async def test_a_place_that_the_log_does_not_know_gets_a_snapshot(
    start_hub: StartHub, floor: FakeFloor, epoch: str | None, seq: int | None
) -> None:
    hub = await start_hub()
    first = BrowserModel(hub, ANNA)
    first.connect()
    first.read()
    browser = BrowserModel(hub, ANNA, epoch=first.epoch if epoch == "same" else epoch, seq=seq)
    browser.connect()
    frames = browser.read()
    assert [frame["type"] for frame in frames] == ["welcome", "exchange.status", "snapshot"]
    assert frames[0]["resumed"] is False


async def test_a_browser_older_than_the_history_gets_a_snapshot(start_hub: StartHub, floor: FakeFloor) -> None:
    hub = await start_hub(HubLimits(history=3))
    browser = BrowserModel(hub, SOFIA)
    browser.connect()
    browser.read()
    for missed, kind in ((3, "agent.changed"), (4, "snapshot")):
        browser.disconnect()
        for _ in range(missed):
            floor.apply(AgentChanged(an_agent("anna")))
        browser.connect()
        assert browser.read()[-1]["type"] == kind


async def test_whoever_missed_more_than_may_wait_is_told_so_and_gets_a_snapshot(
    start_hub: StartHub, floor: FakeFloor
) -> None:
    hub = await start_hub(HubLimits(outbox=5))
    sofia, anna = BrowserModel(hub, SOFIA), BrowserModel(hub, ANNA)
    for browser in (sofia, anna):
        browser.connect()
        browser.read()
        browser.disconnect()
    for number in range(6):
        floor.apply(ContactChanged(a_contact(f"c{number}")))
    sofia.connect()
    anna.connect()
    assert [frame.get("resumed") for frame in sofia.read()] == [False, None, None]
    assert [frame.get("resumed") for frame in anna.read()] == [True, None]


async def test_nobody_resumes_into_another_persons_sight(start_hub: StartHub) -> None:
    """After a change of person, or of roles, in the same browser, what it held must not live on."""
    hub = await start_hub()
    anna = BrowserModel(hub, ANNA)
    anna.connect()
    anna.read()
    boris = BrowserModel(hub, BORIS, epoch=anna.epoch, seq=anna.seq)
    boris.connect()
    assert boris.read()[0]["resumed"] is False


async def test_a_slow_reader_is_resynced_and_its_memory_stays_bounded(start_hub: StartHub, floor: FakeFloor) -> None:
    hub = await start_hub(HubLimits(outbox=10))
    browser = BrowserModel(hub, SOFIA)
    browser.connect()
    browser.read()
    for number in range(1_000):
        floor.apply(ContactChanged(a_contact(f"c{number % 50}")))
        assert browser.connection is not None
        assert len(browser.connection.outbox) <= 10
    frames = browser.read()
    assert [frame["type"] for frame in frames] == ["snapshot"]
    assert browser.views == expected(floor, SOFIA)
    floor.apply(ContactRemoved("c1"))
    assert browser.read()[0]["after"] == frames[0]["seq"]


async def test_unsent_counts_of_a_queue_are_replaced_by_newer_ones(start_hub: StartHub, floor: FakeFloor) -> None:
    browser = BrowserModel(await start_hub(), SOFIA)
    browser.connect()
    browser.read()
    for waiting in range(5):
        floor.apply(QueueChanged(a_queue("sales", waiting)))
        floor.apply(QueueChanged(a_queue("support", waiting)))
    frames = browser.read()
    assert [(frame["queue"]["queue_id"], frame["queue"]["waiting"]) for frame in frames] == [
        ("sales", 4),
        ("support", 4),
    ]


async def test_asking_for_a_resync_brings_a_snapshot_instead_of_what_waits(
    start_hub: StartHub, floor: FakeFloor
) -> None:
    hub = await start_hub()
    browser = BrowserModel(hub, SOFIA)
    browser.connect()
    browser.read()
    floor.apply(ContactChanged(a_contact("c1")))
    assert browser.connection is not None
    hub.receive(browser.connection, Resync())
    frames = browser.read()
    assert [frame["type"] for frame in frames] == ["snapshot"]
    assert set(browser.views["contacts"]) == {"c1"}


async def test_a_reset_floor_is_a_new_snapshot_for_all_and_a_barrier_for_resuming(
    start_hub: StartHub, floor: FakeFloor
) -> None:
    hub = await start_hub()
    here, away = BrowserModel(hub, SOFIA), BrowserModel(hub, ANNA)
    for browser in (here, away):
        browser.connect()
        browser.read()
    away.disconnect()
    floor.reset(FloorView((an_agent("anna", AgentState.READY),), (), ()))
    away.connect()
    assert [frame["type"] for frame in here.read()] == ["snapshot"]
    assert [frame["type"] for frame in away.read()] == ["welcome", "exchange.status", "snapshot"]
    assert set(here.views["agents"]) == set(away.views["agents"]) == {"anna"}


async def test_the_exchange_going_and_coming_is_told_and_seats_are_taken_again(
    start_hub: StartHub, floor: FakeFloor, desk: FakeDesk
) -> None:
    hub = await start_hub()
    browser = BrowserModel(hub, ANNA)
    browser.connect()
    browser.read()
    floor.set_live(False)
    assert [(frame["type"], frame["up"]) for frame in browser.read()] == [("exchange.status", False)]
    await _wait_for(desk, lambda: desk.orders == [("sign_in", "anna")])
    floor.set_live(True)
    assert [(frame["type"], frame["up"]) for frame in browser.read()] == [("exchange.status", True)]
    await _wait_for(desk, lambda: desk.orders == [("sign_in", "anna")] * 2)


async def test_only_agents_take_a_seat_when_they_connect(start_hub: StartHub, desk: FakeDesk) -> None:
    hub = await start_hub()
    for person in (SOFIA, ADAM, a_principal("user-lead", Role.SUPERVISOR, agent_id="lead"), ANNA):
        BrowserModel(hub, person).connect()
    await _wait_for(desk, lambda: bool(desk.orders))
    assert desk.orders == [("sign_in", "anna")]


async def test_silent_browsers_and_those_that_never_say_hello_are_closed(start_hub: StartHub, clock: Ticker) -> None:
    hub = await start_hub()
    talking, silent, mute = BrowserModel(hub, ANNA), BrowserModel(hub, BORIS), BrowserModel(hub, SOFIA)
    for browser in (talking, silent, mute):
        browser.connect()
    assert mute.connection
    mute.connection.greeted = False
    clock.pass_seconds(10)
    assert talking.connection
    assert silent.connection
    hub.receive(talking.connection, Ping())
    hub.sweep(now=clock())
    assert mute.connection.close_code == CloseCode.POLICY
    assert not silent.connection.closed.is_set()
    clock.pass_seconds(15)
    hub.sweep(now=clock())
    assert silent.connection.close_code == CloseCode.SILENT
    assert not talking.connection.closed.is_set()
    assert len(hub) == 1


async def test_nothing_but_ping_comes_before_hello(start_hub: StartHub) -> None:
    for frame in (Resync(), Intent("i1", "agent.ready")):
        hub = await start_hub()
        browser = BrowserModel(hub, ANNA)
        browser.connect()
        assert browser.connection
        browser.connection.greeted = False
        hub.receive(browser.connection, Ping())
        assert not browser.connection.closed.is_set()
        hub.receive(browser.connection, frame)
        assert browser.connection.close_code == CloseCode.POLICY


async def test_before_hello_no_change_reaches_a_browser(start_hub: StartHub, floor: FakeFloor) -> None:
    hub = await start_hub()
    browser = BrowserModel(hub, SOFIA)
    browser.connect()
    browser.read()
    assert browser.connection
    other = hub.connect(SOFIA, browser.connection.session)
    floor.apply(ContactChanged(a_contact("c1")))
    floor.reset(floor.snapshot())
    floor.set_live(True)
    assert hub.take(other) is None


async def test_too_many_windows_close_the_oldest(start_hub: StartHub) -> None:
    hub = await start_hub(HubLimits(sockets_per_user=2))
    browsers = [BrowserModel(hub, ANNA) for _ in range(3)]
    for browser in browsers:
        browser.connect()
    assert [browser.connection.closed.is_set() for browser in browsers if browser.connection] == [True, False, False]
    assert browsers[0].connection is not None
    assert browsers[0].connection.close_code == CloseCode.SUPERSEDED


async def test_a_browser_that_asks_and_never_reads_is_closed(start_hub: StartHub) -> None:
    hub = await start_hub()
    browser = BrowserModel(hub, ANNA)
    browser.connect()
    assert browser.connection
    for _ in range(1_000):
        hub.receive(browser.connection, Ping())
    assert len(browser.connection.outbox) < 10
    for number in range(1_000):
        hub.receive(browser.connection, Intent(f"i{number}", "agent.ready"))
    assert browser.connection.close_code == CloseCode.POLICY
    assert browser.connection.closed.is_set()
    assert len(browser.connection.outbox) < 300


async def test_a_change_of_roles_is_a_welcome_and_a_snapshot_for_the_new_sight(start_hub: StartHub) -> None:
    hub = await start_hub()
    browser = BrowserModel(hub, SOFIA)
    browser.connect()
    browser.read()
    assert browser.connection
    hub.recognise(browser.connection, SOFIA)
    assert browser.read() == []
    hub.recognise(browser.connection, a_principal("user-sofia", Role.AGENT, agent_id="anna"))
    assert [frame["type"] for frame in browser.read()] == ["welcome", "exchange.status", "snapshot"]
    assert set(browser.views["agents"]) == {"anna"}


async def _wait_for(desk: FakeDesk, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(2):
        while not condition():
            desk.asked.clear()
            await desk.asked.wait()


async def test_who_decides_about_claims_is_told_that_there_are_others_and_nobody_else(start_hub: StartHub) -> None:
    hub = await start_hub()
    browsers = {who.user_id: BrowserModel(hub, who) for who in (ANNA, SOFIA, LENA, ADAM)}
    for browser in browsers.values():
        browser.connect()
        browser.read()
    hub.tell_claims_changed()
    told = {who for who, browser in browsers.items() if [each["type"] for each in browser.read()] == ["claims.changed"]}
    assert told == {each.user_id for each in (ANNA, SOFIA, LENA, ADAM) if each.roles != {Role.AGENT}}
    assert ANNA.user_id not in told


async def test_it_is_told_when_the_first_browser_comes_and_when_the_last_one_goes(
    start_hub: StartHub,
) -> None:
    hub = await start_hub()
    told: list[bool] = []
    hub.on_watched = told.append
    anna, sofia = BrowserModel(hub, ANNA), BrowserModel(hub, SOFIA)
    anna.connect()
    sofia.connect()
    assert told == [True]
    anna.disconnect()
    assert told == [True]
    last = sofia.connection
    sofia.disconnect()
    assert last is not None
    hub.disconnect(last)
    assert told == [True, False]
