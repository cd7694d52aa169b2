"""The exchange is killed in the middle of everything. Nothing that happened is lost, and nothing is made up."""

import contextlib
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import pytest

from callcenter.journal import JournalRow
from tests.support.floor_people import Seat, calling, hear_each_other, seats
from tests.support.installation import Installation, Plan, running_installation, until_recorded
from tests.support.sip_ping import until_options_answered
from tests.support.waiting import together, until
from tests.support.watching import watching

pytestmark = pytest.mark.faults

DONE, IN_MENU, WAITING, TALKING, AFTER = (f"+1212555010{number}" for number in range(5))


@pytest.fixture
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=3)) as house:
        yield house


def rows_of_calls(house: Installation, *, until_seq: int | None = None) -> dict[str, list[JournalRow]]:
    """The facts of every call in the journal, by the caller's number."""
    by_call: dict[str, list[JournalRow]] = {}
    for row in house.journal.read():
        if row.kind.startswith("call.") and (until_seq is None or row.seq <= until_seq):
            by_call.setdefault(row.entry.call_id, []).append(row)
    return {rows[0].entry.caller: rows for rows in by_call.values()}


@contextlib.contextmanager
def nobody_started_again(house: Installation) -> Iterator[None]:
    """The supervisor stands still, so that the dead stay dead for as long as this takes."""
    os.kill(house.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(house.process.pid, signal.SIGCONT)


def milliseconds(instant: str) -> int:
    return round(datetime.fromisoformat(instant).timestamp() * 1000)


async def test_a_killed_exchange_closes_every_call_once_with_its_true_end(house: Installation):
    async with (
        contextlib.AsyncExitStack() as stack,
        house.signed_in() as http,
        watching(house) as boss,
        Seat(house, "agent1") as talker,
        Seat(house, "agent2") as pausing,
        Seat(house, "agent3") as finished,
    ):
        # One call is over, one talks, one waits, one is in the menu; one agent pauses.
        await finished.go_ready()
        async with calling(house, DONE) as done:
            await hear_each_other(done, await finished.talking())
            await done.hang_up()
        await until_recorded(http, 1)
        await finished.until_state("ready")
        await finished.console.intend("agent.not_ready", reason="lunch")
        await talker.go_ready()
        talk = await stack.enter_async_context(calling(house, TALKING))
        await hear_each_other(talk, await talker.talking())
        await stack.enter_async_context(calling(house, WAITING))
        await stack.enter_async_context(calling(house, IN_MENU, keys="1"))
        await until(
            "the three calls are where they shall be",
            lambda: sorted(each["state"] for each in boss.contacts.values()) == ["connected", "in_flow", "queued"],
        )
        await until("the menu is entered", lambda: any(c["flow_path"] == ["English"] for c in boss.contacts.values()))

        with nobody_started_again(house):
            killed = await house.kill("exchange")
            last_seq = house.journal.read()[-1].seq
        sys.stdout.write(f"first OPTIONS answered {await until_options_answered(house.sip):.2f} s after the kill\n")
        assert house.pid("exchange") != killed

        # Each call has one interaction; those that nobody saw the end of ended with their last sign of life.
        recorded = {each["from_value"]: each for each in await until_recorded(http, 4)}
        outcomes = {number: each["outcome"] for number, each in recorded.items()}
        assert outcomes == {
            DONE: "answered",
            IN_MENU: "system_restart",
            WAITING: "system_restart",
            TALKING: "system_restart",
        }
        seen = rows_of_calls(house, until_seq=last_seq)
        for number in (IN_MENU, WAITING, TALKING):
            assert "call.ended" not in {row.kind for row in seen[number]}
            assert milliseconds(recorded[number]["ended_at"]) == max(row.entry.at for row in seen[number])
            assert recorded[number]["ended_by"] == "system"
        assert recorded[TALKING]["agent_id"] == "agent1"
        assert recorded[WAITING]["queue_id"] == "support"
        closed = Counter(row.entry.call_id for row in house.journal.read(kinds=("call.closed",)))
        assert set(closed.values()) == {1}

        # The agents are what they were; nothing of the old life is on the floor; the next call is answered.
        await until("the console hears the exchange again", lambda: boss.exchange_up)
        await until("the floor is empty", lambda: not boss.contacts)
        await talker.until_state("ready")  # without registering again: its phone is known from before
        assert talker.agent["phone_registered"]
        await together(pausing.until_state("not_ready"), finished.until_state("not_ready"))
        assert finished.agent["reason"] == "lunch"
        async with calling(house, AFTER) as after:
            await hear_each_other(after, await talker.talking(2))
            await after.hang_up()
        newest = (await until_recorded(http, 5))[0]
        assert (newest["from_value"], newest["outcome"]) == (AFTER, "answered")
        for seat in (pausing, finished):
            await seat.register()


async def test_a_wrap_up_survives_a_killed_exchange(tmp_path):
    with running_installation(Plan(agents=1, wrap_up_seconds=60)) as house:
        async with house.signed_in() as http, seats(house) as (seat,):
            async with calling(house, DONE) as customer:
                await hear_each_other(customer, await seat.talking())
                await customer.hang_up()
            await seat.until_state("wrap_up")
            contact_id = await seat.works_on()
            until_before = seat.agent["until"]
            await house.kill("exchange")
            await until_options_answered(house.sip)
            await house.until_up()
            await until("the console hears the exchange again", lambda: seat.console.exchange_up)
            await seat.until_state("wrap_up")
            assert seat.agent["until"] == until_before
            await seat.console.intend(
                "wrap_up.finish", contact_id=contact_id, disposition="solved", notes="Done after all."
            )
            await seat.until_state("ready")
            (recorded,) = await until_recorded(http, 1)
            await until_disposed(http, "solved")
            assert recorded["outcome"] == "answered"
            await seat.register()


async def until_disposed(http, disposition: str) -> None:
    async def disposed() -> bool:
        (only,) = await until_recorded(http, 1)
        return only["disposition"] == disposition

    await until(f"the store says {disposition}", disposed)
