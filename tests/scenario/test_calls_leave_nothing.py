"""A call that is over is freed at once: the collector of cycles stops everything, and has nothing to do."""

import gc

import pytest

from callcenter.calls.runner import CallRunner
from tests.support.house import open_house
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


def runners() -> int:
    """Calls in memory, reachable or not."""
    return sum(isinstance(each, CallRunner) for each in gc.get_objects())


@pytest.mark.parametrize("answers_after", [0.0, 60.0], ids=["the store answers", "the store is too slow"])
def test_a_call_is_freed_without_the_collector(answers_after: float) -> None:
    async def story() -> None:
        house = await open_house()
        house.directory.delay = answers_after
        await house.sign_in("anna")
        gc.collect()
        before = runners()
        gc.disable()
        try:
            customer = await house.queue_call()
            await house.answer("anna")
            await pass_seconds(5)
            assert runners() == before + 1
            await house.hang_up(customer)
            await settle()
            assert house.core.switchboard.in_progress == 0
            assert runners() == before
        finally:
            gc.enable()

    run_virtual(story)
