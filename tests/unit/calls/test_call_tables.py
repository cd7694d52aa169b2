"""Whatever a call can be told, can order, and hears of routing has somebody who takes it."""

from typing import get_args

import pytest

from acd.outcomes import (
    AgentStateChanged,
    ContactQueued,
    ContactStepEntered,
    CustomerCame,
    Outcome,
    QueueDoorChanged,
    WorkEnded,
    WorkWrapUpBegun,
)
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.mail import Mail
from callcenter.calls.orders import CallOrders
from callcenter.calls.runner import CallRunner
from callcenter.exchange_core import CARRIED_OUT

pytestmark = pytest.mark.unit

ONLY_TOLD = {
    AgentStateChanged,
    ContactQueued,
    ContactStepEntered,
    CustomerCame,
    QueueDoorChanged,
    WorkEnded,
    WorkWrapUpBegun,
}


def test_all_mail_but_the_machines_own_events_has_a_row() -> None:
    assert set(CallRunner.MAIL) == set(get_args(Mail)) - set(get_args(ev.CallEvent))


def test_every_order_of_the_machine_is_carried_out() -> None:
    assert set(CallOrders.ORDERS) == set(get_args(fx.Effect))


def test_every_routing_outcome_is_acted_on_or_only_told() -> None:
    assert set(get_args(Outcome)) == CARRIED_OUT | ONLY_TOLD
