"""Floors and events at random, every feature among them, from a seeded source: the same seed, the same story."""

import random

from acd.engine import Acd
from acd.errors import AcdError
from acd.events import (
    AgentClientLost,
    AgentEngaged,
    AgentMadeNotReady,
    AgentMadeReady,
    AgentOrder,
    AgentPresenceSeen,
    AgentSignedIn,
    AgentSignedOut,
    AgentSpec,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    ContactPresent,
    DeclineCause,
    Event,
    FloorConfigured,
    OfferAccepted,
    OfferDeclined,
    QueueClosed,
    QueueDelay,
    QueueOpened,
    QueueSpec,
    RingStyle,
    SkillLevel,
    WrapUpExtended,
    WrapUpFinished,
    WrapUpMode,
)
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.outcomes import Outcome
from acd.route_plans import RoutePlan, RouteStep, StepGuard

EXPRESSIONS = [
    "en",
    "en >= 2",
    "en or zh",
    "not zh",
    "agent:a3",
    "not agent:a1",
    "agent:a2 or en >= 3",
    "queue:q1",
    "queue:q0 or queue:q2",
    "floor",
    "agent:a4 and floor",
    "not agent:a0 and queue:q0",
]


def tell(acd: Acd, event: Event | None, now: int) -> list[Outcome | str]:
    """Timers, then the event; a refusal by its code. ``None`` is no event."""
    said: list[Outcome | str] = list(acd.handle_timer(now=now))
    try:
        return said if event is None else [*said, *acd.receive(event, now=now)]
    except AcdError as error:
        return [*said, error.code]


def random_floor(dice: random.Random) -> FloorConfigured:
    """Any floor: every order, ring style, door, wrap-up, lease, quarantine and second line."""
    queues = [QueueId(f"q{n}") for n in range(dice.randint(1, 5))]
    agents = [AgentId(f"a{n}") for n in range(12) if dice.random() < 0.9]
    return FloorConfigured(
        tuple(_queue(dice, queue_id) for queue_id in queues),
        tuple(_agent(dice, agent_id, queues) for agent_id in agents),
        dice.choice([None, 30]),
        dice.randrange(1_000),
        presence_lease_ms=dice.choice([None, None, 70]),
        quarantine_after=dice.choice([None, 1, 2]),
        quarantine_ms=100,
    )


def _queue(dice: random.Random, queue_id: QueueId) -> QueueSpec:
    return QueueSpec(
        queue_id,
        queue_id,
        ring_timeout_ms=60,
        wrap_up_ms=dice.choice([0, 40]),
        wrap_up_mode=dice.choice([WrapUpMode.TIMED, WrapUpMode.TIMED, *WrapUpMode]),
        wrap_up_timeout_code=dice.choice([None, "none"]),
        order=dice.choice(list(AgentOrder)),
        ring=dice.choice([RingStyle.ONE, RingStyle.ONE, RingStyle.ALL, RingStyle.PROGRESSIVELY]),
        ring_step_ms=20,
        weight=dice.choice([0, 0, 1]),
        max_waiting=dice.choice([None, None, 6]),
        entry=dice.choice([StepGuard.NONE, StepGuard.NONE, *StepGuard]),
        resume_window_ms=dice.choice([0, 50, 400]),
        max_expected_wait_ms=dice.choice([None, None, 30]),
        otherwise=dice.choice(["", "elsewhere"]),
        wrap_up_extension_ms=dice.choice([0, 25]),
    )


def _agent(dice: random.Random, agent_id: AgentId, queues: list[QueueId]) -> AgentSpec:
    served = tuple(dice.sample(queues, dice.randint(1, len(queues))))
    delays = tuple(QueueDelay(queue_id, dice.choice([15, 40])) for queue_id in queues if dice.random() < 0.15)
    return AgentSpec(agent_id, agent_id, served, _skills(dice), delays)


def _plan(dice: random.Random) -> RoutePlan | None:
    """Up to three steps of anything."""
    if dice.random() < 0.5:
        return None
    steps = [
        RouteStep(
            dice.choice(["", *EXPRESSIONS]),
            20 * (number + 1),
            dice.choice([0, 0, 1]),
            dice.choice(list(StepGuard)),
            dice.choice([0, 0, 0, 1, 2]),
        )
        for number in range(dice.randint(1, 3))
    ]
    return RoutePlan(tuple(steps), dice.choice([None, None, "voicemail"]))


def _skills(dice: random.Random) -> tuple[SkillLevel, ...]:
    return tuple(SkillLevel(skill, dice.randint(1, 3)) for skill in ("en", "zh") if dice.random() < 0.5)


def random_event(dice: random.Random, acd: Acd, now: int) -> Event | None:
    """Anything that may be told a floor, at an instant when it may matter."""
    agent_id = AgentId(f"a{dice.randrange(12)}")
    contact_id = ContactId(f"c{dice.randrange(40)}")
    offers = acd.offers()
    offer_id = dice.choice(offers).offer_id if offers else OfferId("o1")
    talking = [contact.contact_id for contact in acd.contacts() if contact.state == "connected"]
    kept = [contact.contact_id for contact in acd.contacts() if contact.state == "offered" and contact.is_away]
    queue_id = QueueId(f"q{dice.randrange(5)}")
    arrived_at = now - dice.randint(0, 50)
    choices: list[tuple[int, Event | None]] = [
        (
            30,
            ContactArrived(
                contact_id,
                queue_id,
                arrived_at,
                dice.choice([0, 0, 1]),
                _skills(dice)[:1],
                _plan(dice),
                contact_id[-1],
                reserve_ms=dice.choice([None, None, None, 30]),
                is_away=arrived_at % 10 == 0,
                expected_wait_ms=dice.choice([None, None, 20, 40]),
                outside_hours=dice.random() < 0.04,
            ),
        ),
        (8, ContactPresent(dice.choice(kept) if kept else contact_id, dice.choice([None, 2]))),
        (8, ContactLeft(contact_id, withdrawn=dice.random() < 0.2)),
        (15, OfferAccepted(offer_id)),
        (8, OfferDeclined(offer_id, dice.choice(list(DeclineCause)))),
        (15, ContactFinished(dice.choice(talking) if talking else contact_id)),
        (12, AgentSignedIn(agent_id)),
        (40, AgentMadeReady(agent_id, released=dice.random() < 0.1)),
        (10, AgentPresenceSeen(agent_id)),
        (3, WrapUpExtended(agent_id, dice.choice([5, 30]))),
        (3, AgentMadeNotReady(agent_id, "lunch")),
        (2, AgentSignedOut(agent_id)),
        (8, WrapUpFinished(agent_id)),
        (2, AgentClientLost(agent_id)),
        (2, AgentEngaged(agent_id, ContactId(f"own{dice.randrange(6)}"), wrap_up_ms=dice.choice([0, 40]))),
        (1, QueueClosed(queue_id, send_away=dice.random() < 0.5)),
        (3, QueueOpened(queue_id)),
        (10, None),
    ]
    return dice.choices([event for _, event in choices], [weight for weight, _ in choices])[0]
