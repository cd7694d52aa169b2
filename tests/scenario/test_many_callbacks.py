"""Callbacks by the hundred: none is dialled twice, lost or overtaken. ``make soak`` makes five thousand."""

import pytest

from tests.support.callback_crowd import CallbackCrowd
from tests.support.virtual_time import run_virtual

pytestmark = pytest.mark.scenario


@pytest.mark.parametrize("order", ["agent", "customer"])
def test_of_hundreds_of_callbacks_none_is_dialled_twice_lost_or_overtaken(
    order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.callback_crowd.KILLED_EVERY", 50)
    crowd = CallbackCrowd(seed=7, promises=250, order=order)
    run_virtual(crowd.live)
    assert crowd.faults == [], crowd.summary()
    assert crowd.kills >= 4
    assert sum(crowd.dials.values()) > 250
