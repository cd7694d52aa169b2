"""Five thousand callbacks through the whole exchange, with everything going wrong at random and the exchange killed."""

import pytest

from tests.support.callback_crowd import CallbackCrowd
from tests.support.virtual_time import run_virtual

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(3_600)]

PROMISES = 5_000


def test_of_five_thousand_callbacks_none_is_dialled_twice_lost_or_overtaken() -> None:
    crowd = CallbackCrowd(seed=1, promises=PROMISES)
    run_virtual(crowd.live)
    print(crowd.summary())  # noqa: T201 - figures of the run
    assert crowd.faults == []
    assert crowd.asked >= PROMISES
