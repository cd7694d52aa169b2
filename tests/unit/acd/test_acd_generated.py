"""What the random floors and events are made of: everything that the engine can be told and everything it can say.

A generator that leaves something out proves nothing about it, and nobody would notice.
"""

import random
from collections import Counter
from typing import get_args

import pytest

from acd.engine import Acd
from acd.events import (
    AgentOrder,
    Channel,
    ContactArrived,
    DeclineCause,
    Event,
    FloorConfigured,
    OfferDeclined,
    RingStyle,
    WrapUpMode,
)
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactDequeued,
    ContactOverflowed,
    ContactQueued,
    DequeueReason,
    OfferEnded,
    OfferResult,
    Outcome,
    OverflowReason,
)
from acd.route_plans import StepGuard
from tests.support.acd_mixed_floor import CHANNELS, mixed_event, mixed_floor
from tests.support.acd_random_floor import EXPRESSIONS, random_event, random_floor, tell

pytestmark = pytest.mark.unit

INSTANCES, EVENTS = 60, 250


@pytest.fixture(scope="module")
def lived() -> tuple[list[Event], list[Outcome | str]]:
    """All that was told to, and said on, floors of both kinds."""
    told: list[Event] = []
    said: list[Outcome | str] = []
    for floor, event in ((random_floor, random_event), (mixed_floor, mixed_event)):
        for seed in range(INSTANCES):
            dice, acd = random.Random(seed), Acd()
            for now in range(0, EVENTS * 5, 5):
                one = floor(dice) if now == 0 or dice.random() < 0.01 else event(dice, acd, now)
                said += tell(acd, one, now)
                told += [] if one is None else [one]
    return told, said


Lived = tuple[list[Event], list[Outcome | str]]


def test_every_event_is_told_and_every_outcome_is_said(lived: Lived) -> None:
    told, said = lived
    assert {type(event) for event in told} == set(get_args(Event))
    counts = Counter(type(outcome) for outcome in said if not isinstance(outcome, str))
    assert set(counts) == set(get_args(Outcome))
    assert min(counts.values()) >= 10, counts.most_common()[-3:]


def test_every_refusal_that_an_event_can_meet_is_met(lived: Lived) -> None:
    refusals = {each for each in lived[1] if isinstance(each, str)}
    assert refusals == {"agent-quarantined", "illegal-transition", "unknown-agent", "unknown-contact", "unknown-queue"}


def test_floors_have_every_order_ring_style_door_and_wrap_up(lived: Lived) -> None:
    floors = [event for event in lived[0] if isinstance(event, FloorConfigured)]
    queues = [queue for floor in floors for queue in floor.queues]
    agents = [agent for floor in floors for agent in floor.agents]
    assert {queue.order for queue in queues} == set(AgentOrder)
    assert {queue.ring for queue in queues} == set(RingStyle)
    assert {queue.entry for queue in queues} == set(StepGuard)
    assert {queue.wrap_up_mode for queue in queues} == set(WrapUpMode)
    for name in (
        "weight",
        "max_waiting",
        "max_expected_wait_ms",
        "resume_window_ms",
        "wrap_up_extension_ms",
        "channels",
    ):
        assert len({getattr(queue, name) for queue in queues}) > 1, name
    assert any(queue.interrupts for queue in queues)
    for name in ("delays", "skills", "capacity", "interrupts"):
        assert any(getattr(agent, name) for agent in agents), name
    for name in ("priority_worth_ms", "presence_lease_ms", "quarantine_after"):
        assert {getattr(floor, name) is None for floor in floors} == {True, False}, name


def test_contacts_have_every_kind_of_plan_and_come_by_every_sort_of_channel(lived: Lived) -> None:
    arrivals = [event for event in lived[0] if isinstance(event, ContactArrived)]
    assert {event.channel for event in arrivals} == set(CHANNELS) >= {Channel.VOICE}
    steps = [step for event in arrivals if event.plan is not None for step in event.plan.steps]
    assert {step.demand for step in steps} == {"", *EXPRESSIONS}
    assert {step.guard for step in steps} == set(StepGuard)
    assert {step.min_idle for step in steps} == {0, 1, 2}
    assert {event.plan.otherwise for event in arrivals if event.plan is not None} == {None, "voicemail"}
    for name in ("priority", "required_skills", "reserve_ms", "is_away", "expected_wait_ms", "outside_hours"):
        assert len({getattr(event, name) for event in arrivals}) > 1, name


def test_everything_ends_in_every_way(lived: Lived) -> None:
    told, said = lived
    assert {each.reason for each in said if isinstance(each, ContactDequeued)} == set(DequeueReason)
    assert {each.reason for each in said if isinstance(each, ContactOverflowed)} == set(OverflowReason)
    assert {each.result for each in said if isinstance(each, OfferEnded)} == set(OfferResult)
    assert {each.state for each in said if isinstance(each, AgentStateChanged)} == set(AgentState)
    assert {each.cause for each in told if isinstance(each, OfferDeclined)} == set(DeclineCause)
    assert any(each.resumed for each in said if isinstance(each, ContactQueued))
