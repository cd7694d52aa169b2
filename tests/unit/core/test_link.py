"""The link between exchange and web: floor first, orders with answers, lookups with a deadline, loss without harm."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from agent_console.messages import AgentChanged, AgentState, AgentView, FloorView
from agent_console.ports import IntentError
from callcenter.commands.queue_door import order
from callcenter.link.exchange_side import ExchangeLink, Patience
from callcenter.link.messages import FloorChanged, MatchRequested, frame
from callcenter.link.web_side import FloorCopy, LinkDesk, WebLink
from callcenter.ports import Answer, Leave, Match
from tests.support.fake_desk import FakeDesk
from tests.support.waiting import until

pytestmark = pytest.mark.unit

ANNA = AgentView("anna", "Anna", AgentState.READY, 5)


class Ends:
    """Both ends of a link in one loop."""

    def __init__(self, path: Path) -> None:
        self.desk = FakeDesk()
        self.journal: list[int] = []
        self.not_to_be_called: set[str] = set()
        self.overridden: list[tuple[str, str, str]] = []
        self.floor_view = FloorView((ANNA,), (), ())
        self.match: Callable[[str], Awaitable[Match]] = self.found
        self.leave: Callable[[str], Awaitable[Leave]] = self.may_call
        self.copy = FloorCopy()
        self.seats: list[tuple[str, ...] | None] = []
        self.seats_told = asyncio.Event()
        self.live = asyncio.Event()
        self.dead = asyncio.Event()
        self.changed = asyncio.Event()
        self.copy.subscribe(lambda _: self.changed.set(), lambda: None, self.on_status)
        self.exchange = self.new_exchange(path)
        self.web = WebLink(
            path,
            self.copy,
            may_call_back=lambda number: self.leave(number),  # noqa: PLW0108 - tests exchange it later
            may_dial=self.may_dial,
            find_customer=lambda number: self.match(number),  # noqa: PLW0108 - tests exchange it later
            on_journal=self.journal.append,
        )
        self.console_desk = LinkDesk(self.web, who_is=self.who_is, override_hours=self.override)

    def new_exchange(self, path: Path) -> ExchangeLink:
        return ExchangeLink(
            path,
            floor=lambda: self.floor_view,
            journal_seq=lambda: 41,
            desk=lambda: self.desk,
            on_seats=self.take_seats,
        )

    def take_seats(self, agent_ids: tuple[str, ...] | None) -> None:
        self.seats.append(agent_ids)
        self.seats_told.set()

    async def override(self, agent_id: str, number: str, reason: str) -> None:
        self.overridden.append((agent_id, number, reason))

    async def may_dial(self, agent_id: str, number: str) -> Leave:
        if number in self.not_to_be_called:
            return Leave(Answer.NO, ("suppressed",), code="not-contactable", text=f"Not {number}, {agent_id}.")
        return Leave(Answer.YES)

    async def may_call(self, number: str) -> Leave:
        return Leave(Answer.NO if number in self.not_to_be_called else Answer.YES, ("suppressed",), ("Asia/Tokyo",))

    async def found(self, number: str) -> Match:
        return Match("one", ("7",), f"Owner of {number}", "en", "gold", "mia", "lin")

    async def who_is(self, customer_id: str) -> tuple[str, str]:
        return f"Customer {customer_id}", "gold"

    def on_status(self, live: bool) -> None:
        (self.live if live else self.dead).set()


async def watched(ends: Ends, wanted: bool) -> None:
    """The exchange knows whether anybody has a console open."""

    async def heard() -> bool:
        return ends.exchange._watched is wanted

    await until("the exchange knows who looks", heard, within=5)


@pytest.fixture
async def ends(tmp_path: Path) -> AsyncIterator[Ends]:
    ends = Ends(tmp_path / "exchange.sock")
    await ends.exchange.start()
    following = asyncio.create_task(ends.web.run())
    async with asyncio.timeout(5):
        await ends.live.wait()
    await watched(ends, False)
    yield ends
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await ends.exchange.stop()


async def test_whole_floor_comes_first_then_its_changes(ends: Ends) -> None:
    assert ends.copy.snapshot() == ends.floor_view
    assert ends.journal == [41]
    busy = AgentView("anna", "Anna", AgentState.BUSY, 9)
    ends.exchange.tell_changes((AgentChanged(busy),))
    async with asyncio.timeout(5):
        await ends.changed.wait()
    assert ends.copy.snapshot().agents == (busy,)


async def test_order_is_carried_out_at_the_exchange(ends: Ends) -> None:
    await ends.console_desk.finish_wrap_up("anna", "c1", "solved", "notes")
    assert ends.desk.orders == [("finish_wrap_up", "anna", "c1", "solved", "notes")]


@pytest.mark.parametrize(
    ("order", "arguments"),
    [
        ("hold", ("c1",)),
        ("resume", ("c1",)),
        ("transfer", ("c1", "agent", "ben")),
        ("consult", ("c1", "number", "+1")),
        ("complete", ("c1",)),
        ("cancel", ("c1",)),
        ("swap", ("c1",)),
        ("conference", ("c1",)),
        ("park", ("c1",)),
        ("retrieve", ("701",)),
        ("dial", ("number", "+1")),
        ("send_digits", ("c1", "1#")),
    ],
)
async def test_call_control_reaches_the_exchange_with_its_arguments(
    ends: Ends, order: str, arguments: tuple[str, ...]
) -> None:
    await getattr(ends.console_desk, order)("anna", *arguments)
    assert ends.desk.orders == [(order, "anna", *arguments)]


async def test_who_answers_for_the_hour_is_told_to_the_store_and_not_to_the_exchange(ends: Ends) -> None:
    await ends.console_desk.override_hours("anna", "+1", "she asked me to")
    assert (ends.overridden, ends.desk.orders) == ([("anna", "+1", "she asked me to")], [])


async def test_refusal_comes_back_with_its_code(ends: Ends) -> None:
    ends.desk.refuse_with = IntentError("phone-not-registered", "no phone")
    with pytest.raises(IntentError) as caught:
        await ends.console_desk.ready("anna")
    assert (caught.value.code, caught.value.message) == ("phone-not-registered", "no phone")


async def test_lookup_is_answered_by_the_web_process(ends: Ends) -> None:
    assert await ends.exchange.match("+1") == Match("one", ("7",), "Owner of +1", "en", "gold", "mia", "lin")


async def test_the_exchange_hears_whether_somebody_may_be_called_back(ends: Ends) -> None:
    ends.not_to_be_called.add("+1")
    assert await ends.exchange.may_call_back("+1") == Leave(Answer.NO, ("suppressed",), ("Asia/Tokyo",))
    assert (await ends.exchange.may_call_back("+2")).answer is Answer.YES


async def test_the_exchange_hears_whether_an_agent_may_dial_and_what_a_desk_is_told_of_a_no(ends: Ends) -> None:
    ends.not_to_be_called.add("+1")
    told = await ends.exchange.may_dial("anna", "+1")
    assert told == Leave(Answer.NO, ("suppressed",), code="not-contactable", text="Not +1, anna.")
    assert (await ends.exchange.may_dial("", "+2")).answer is Answer.YES


async def test_a_store_that_does_not_say_whether_somebody_may_be_called_is_not_waited_for(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ends.exchange, "_patience", Patience(leave=0.01))
    never = asyncio.Event()

    async def hang(_: str) -> Leave:
        await never.wait()
        return Leave(Answer.YES)

    ends.leave = hang
    assert await ends.exchange.may_call_back("+1") == Leave()
    never.set()


async def test_lookup_that_is_not_answered_in_time_is_unavailable(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends.exchange, "_patience", Patience(match=0.01))
    never = asyncio.Event()

    async def hang(_: str) -> Match:
        await never.wait()
        return Match("none")

    ends.match = hang
    assert (await ends.exchange.match("+1")).state == "unavailable"
    never.set()


async def test_without_a_web_process_lookups_are_unavailable_at_once(tmp_path: Path) -> None:
    ends = Ends(tmp_path / "exchange.sock")
    await ends.exchange.start()
    assert (await ends.exchange.match("+1")).state == "unavailable"
    assert await ends.exchange.may_dial("anna", "+1") == Leave()
    ends.exchange.tell_journal(1)
    await ends.exchange.stop()


async def test_without_an_exchange_orders_are_refused_at_once(tmp_path: Path) -> None:
    ends = Ends(tmp_path / "none.sock")
    desk = ends.console_desk
    with pytest.raises(IntentError) as caught:
        await desk.ready("anna")
    assert caught.value.code == "exchange-unavailable"


async def test_exchange_that_comes_back_brings_a_fresh_floor(ends: Ends, tmp_path: Path) -> None:
    await ends.exchange.stop()
    async with asyncio.timeout(5):
        await ends.dead.wait()
    assert not ends.copy.is_live()
    ends.live.clear()
    ends.floor_view = FloorView((), (), ())
    ends.exchange = ends.new_exchange(tmp_path / "exchange.sock")
    await ends.exchange.start()
    async with asyncio.timeout(5):
        await ends.live.wait()
    assert ends.copy.snapshot() == FloorView((), (), ())


async def test_the_exchange_hears_who_has_a_console_and_that_nobody_can_say(ends: Ends) -> None:
    ends.web.tell_seats({"ben", "anna"})
    async with asyncio.timeout(5):
        await ends.seats_told.wait()
    assert ends.seats == [("anna", "ben")]
    ends.seats_told.clear()
    await ends.exchange.stop()
    async with asyncio.timeout(5):
        await ends.seats_told.wait()
    assert ends.seats == [("anna", "ben"), None]


async def test_the_command_line_gives_an_order_beside_the_web_process(ends: Ends, tmp_path: Path) -> None:
    config = tmp_path / "callcenter.toml"
    config.write_text(f'data_dir = "{tmp_path}"\n', "utf-8")
    assert await asyncio.to_thread(order, config, "close_queue", "sales") is None
    assert ends.desk.orders == [("close_queue", "command line", "sales")]
    ends.desk.refuse_with = IntentError("unknown-queue", "No such queue.")
    assert await asyncio.to_thread(order, config, "open_queue", "sales") == "No such queue."
    assert ends.copy.is_live()


async def test_what_changes_in_one_turn_is_told_with_one_write_and_before_an_orders_answer(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call changes the floor a dozen times; a system call for each would cost more than the changes."""
    writer = ends.exchange._writer
    assert writer is not None
    written: list[bytes] = []
    monkeypatch.setattr(writer, "write", written.append)
    for since in range(3):
        ends.exchange.tell_changes((AgentChanged(AgentView("anna", "Anna", AgentState.BUSY, since)),))
    ends.exchange.tell_journal(42)
    assert written == []
    await asyncio.sleep(0)
    assert len(written) == 1
    ends.exchange.tell_journal(43)
    ends.exchange._flush()
    ends.exchange._flush()
    assert len(written) == 2


async def test_what_changes_soon_after_is_told_together_a_little_later(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 100 calls a second there is a change in every millisecond or two, and nobody at a screen sees them apart."""
    ends.web.tell_watched(True)
    await watched(ends, True)
    writer = ends.exchange._writer
    assert writer is not None
    written: list[bytes] = []
    monkeypatch.setattr(writer, "write", written.append)
    monkeypatch.setattr("callcenter.link.exchange_side.NEWS_SECONDS", 3600.0)
    ends.exchange.tell_journal(42)
    await asyncio.sleep(0)
    assert len(written) == 1
    for since in range(3):
        ends.exchange.tell_changes((AgentChanged(AgentView("anna", "Anna", AgentState.BUSY, since)),))
        await asyncio.sleep(0)
    assert len(written) == 1
    asking = asyncio.ensure_future(ends.exchange.match("+1"))  # what waits for an answer takes along what there is
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert written[1:] == [
        frame(FloorChanged((AgentChanged(AgentView("anna", "Anna", AgentState.BUSY, 2)),)))
        + frame(MatchRequested(1, "+1"))
    ]
    asking.cancel()


async def test_while_nobody_looks_changes_wait_and_who_comes_to_look_has_them_at_once(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callcenter.link.exchange_side.UNWATCHED_SECONDS", 3600.0)
    ends.exchange.tell_journal(42)
    await asyncio.sleep(0)
    busy = AgentView("anna", "Anna", AgentState.BUSY, 9)
    ends.exchange.tell_changes((AgentChanged(busy),))
    assert (await ends.exchange.match("+1")).state == "one"
    assert not ends.changed.is_set(), "a question does not take along what nobody waits for"
    assert ends.copy.snapshot().agents == (ANNA,)
    ends.web.tell_watched(True)
    async with asyncio.timeout(5):
        await ends.changed.wait()
    assert ends.copy.snapshot().agents == (busy,)


async def test_an_order_is_answered_behind_what_it_changed_though_nobody_looks(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callcenter.link.exchange_side.UNWATCHED_SECONDS", 3600.0)
    ends.exchange.tell_journal(42)
    await asyncio.sleep(0)
    ends.exchange.tell_changes((AgentChanged(AgentView("anna", "Anna", AgentState.BUSY, 9)),))
    await ends.console_desk.ready("anna")
    assert ends.copy.snapshot().agents[0].state is AgentState.BUSY


async def test_an_exchange_that_comes_back_hears_again_that_nobody_looks(ends: Ends, tmp_path: Path) -> None:
    await ends.exchange.stop()
    async with asyncio.timeout(5):
        await ends.dead.wait()
    ends.exchange = ends.new_exchange(tmp_path / "exchange.sock")
    await ends.exchange.start()
    await watched(ends, False)
