"""Plans in the running exchange: the floor shows who does otherwise, by clock and states, also after a restart."""

import pytest

from agent_console.ports import IntentError
from callcenter.workforce.activities import Activity
from callcenter.workforce.shifts import REACH_BACK_MS, Shift, ShiftsPlanned
from tests.support.house import House, open_house
from tests.support.memory_journal import MemoryJournal
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario

MINUTE = 60_000


def plan(house: House, *shifts: tuple[int, int, Activity], agent: str = "anna", reach: int = 60) -> ShiftsPlanned:
    """A plan from now on, in minutes."""
    now = house.clock.now()
    own = tuple(Shift(agent, now + begin * MINUTE, now + end * MINUTE, what) for begin, end, what in shifts)
    return ShiftsPlanned(0, "boss", (agent,), now, now + reach * MINUTE, own)


def shown(house: House) -> tuple[str | None, int | None]:
    """What anna is planned for, and for how many minutes she has done otherwise."""
    view = house.core.floor.agent("anna")
    assert view is not None
    since = view.out_of_schedule_since
    return view.planned, None if since is None else (house.clock.now() - since) // MINUTE


def test_the_floor_follows_the_plan_by_the_clock_and_by_what_the_agent_does() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        await house.core.write_down(plan(house, (0, 10, Activity.ON_QUEUE), (10, 20, Activity.BREAK)))
        await settle()
        assert shown(house) == ("on_queue", None)
        await pass_seconds(600)
        assert shown(house) == ("break", 0)
        await pass_seconds(180)
        assert shown(house) == ("break", 3)
        await house.core.desk.not_ready("anna", "lunch")
        await settle()
        assert shown(house) == ("break", None)
        await pass_seconds(480)
        assert shown(house) == (None, None)

    run_virtual(story)


def test_an_absence_is_out_of_schedule_from_the_beginning_of_the_shift() -> None:
    async def story() -> None:
        house = await open_house()
        await house.core.write_down(plan(house, (5, 30, Activity.ON_QUEUE)))
        await pass_seconds(9 * 60)
        assert shown(house) == ("on_queue", 4)

    run_virtual(story)


def test_a_restart_forgets_no_plan() -> None:
    async def story() -> None:
        house = await open_house()
        await house.core.write_down(plan(house, (0, 30, Activity.ON_QUEUE)))
        await pass_seconds(60)
        again = await open_house(journal=MemoryJournal(house.journal.rows))
        await settle()
        assert shown(again)[0] == "on_queue"
        assert shown(again)[1] is not None

    run_virtual(story)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (lambda house: plan(house, (0, 5, Activity.BREAK), agent="nobody"), "unknown-agent"),
        (lambda house: plan(house, (0, 70, Activity.BREAK)), "invalid-plan"),
        (lambda house: plan(house, (0, 9, Activity.BREAK), (8, 10, Activity.ON_QUEUE)), "invalid-plan"),
        (lambda house: plan(house, (0, 9, Activity.OTHER)), "invalid-plan"),
        (lambda house: ShiftsPlanned(0, "boss", ("anna",), house.clock.now() - REACH_BACK_MS - 1,
                                     house.clock.now(), ()), "too-late"),
        (lambda _: object(), "unknown-order"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_refused_and_not_journaled(wanted, code: str) -> None:  # type: ignore[no-untyped-def]
    async def story() -> None:
        house = await open_house()
        with pytest.raises(IntentError) as refused:
            await house.core.write_down(wanted(house))
        assert refused.value.code == code
        assert not any(isinstance(each, ShiftsPlanned) for each in house.journal.entries)

    run_virtual(story)
