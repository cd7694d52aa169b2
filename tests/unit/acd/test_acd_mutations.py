"""Agent orders, overflow, capacity and interrupts: each rule is broken on purpose, and whoever watches it says so.

What is unbroken is green here and at length in ``test_acd_matching.py`` and ``test_acd_channels.py``.
"""

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from acd import admission, agent_orders, agents, board, capacity, matching, planning, profiles, seating, shared_work
from acd.agent_orders import KEYS
from acd.capacity import Lane
from acd.engine import Acd
from acd.events import AgentOrder, AgentSignedIn, Channel, ContactArrived, FloorConfigured
from acd.ids import AgentId
from acd.outcomes import ContactOverflowed, OfferContact, OverflowReason
from tests.support.acd_invariants import check_steps
from tests.support.acd_mixed_floor import check_room, mixed_event, mixed_floor
from tests.support.acd_oracle import BruteForceMatching
from tests.support.acd_plain_orders import PlainOrders, splitmix
from tests.support.acd_random_floor import random_event, random_floor, tell

pytestmark = pytest.mark.unit

STORIES = 12
"""Enough for every mutation; most are noticed in the first."""
_MOST, _BESIDE, _LANE_OF = capacity.most, capacity.beside, capacity.lane_of


def stories_by_order(order: AgentOrder) -> None:
    for seed in range(STORIES):
        PlainOrders(order, random.Random(seed)).live()


@pytest.mark.parametrize("order", AgentOrder)
def test_the_first_by_every_order_is_the_one_that_plain_counting_finds(order: AgentOrder) -> None:
    chosen = 0
    for seed in range(STORIES):
        orders = PlainOrders(order, random.Random(seed))
        orders.live()
        chosen += orders.chosen
    assert chosen > 10 * STORIES, "there must be somebody to choose from"


def test_the_generator_is_the_published_one() -> None:
    """The first outputs of the authors' program from seed 0."""
    assert [hex(splitmix(0, number)) for number in range(3)] == [
        "0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4", "0x6c45d188009454f"]  # fmt: skip


def by_position(agent: agents.Agent) -> tuple[int, ...]:
    return (agent.position,)


def newest_first(agent: agents.Agent) -> tuple[int, ...]:
    return (-agent.idle_since, -agent.idle_seq)


O = AgentOrder  # noqa: E741 - as in the table of keys
ORDERS: dict[str, tuple[AgentOrder, Any, str, Any]] = {
    "longest idle: the newest first": (O.LONGEST_IDLE, matching, "longest_idle", newest_first),
    "longest idle: as configured": (O.LONGEST_IDLE, matching, "longest_idle", by_position),
    "most skilled: levels are not looked at": (O.MOST_SKILLED, profiles.DemandLine, "rank", lambda self, line: ()),
    "most skilled: the least skilled first": (
        O.MOST_SKILLED, profiles.DemandLine, "rank", lambda self, line: (sum(line.levels[a] for a in self.asked),)),
    "most skilled: what nobody asked for counts": (O.MOST_SKILLED, profiles, "asked_of", lambda demand: ("en", "zh")),
    "round robin: as configured": (O.ROUND_ROBIN, KEYS, "", by_position),
    "round robin: whom it rang at last": (O.ROUND_ROBIN, KEYS, "", lambda agent: (-agent.last_offer, agent.position)),
    "round robin: by idle time": (O.ROUND_ROBIN, KEYS, "", agent_orders.longest_idle),
    "random: always the first": (O.RANDOM, matching, "draw", lambda seed, number, count: 0),
    "random: the same draw again and again": (
        O.RANDOM, matching, "draw", lambda seed, number, count: agent_orders.draw(seed, 0, count)),
    "random: another seed": (
        O.RANDOM, matching, "draw", lambda seed, number, count: agent_orders.draw(seed + 1, number, count)),
    "top-down: from below": (O.TOP_DOWN, KEYS, "", lambda agent: (-agent.position,)),
    "top-down: by idle time": (O.TOP_DOWN, KEYS, "", agent_orders.longest_idle),
    "fewest calls: the most": (
        O.FEWEST_CALLS, KEYS, "", lambda agent: (-agent.taken, agent.idle_since, agent.idle_seq)),
    "fewest calls: by idle time": (O.FEWEST_CALLS, KEYS, "", agent_orders.longest_idle),
    "fewest calls: counted over all days": (O.FEWEST_CALLS, seating, "sit_down", lambda agent, now: _seated(
        agent, now, taken=agent.taken)),
    "least talk: the most": (
        O.LEAST_TALK_TIME, KEYS, "", lambda agent: (-agent.talked_ms, agent.idle_since, agent.idle_seq)),
    "least talk: by the number of calls": (
        O.LEAST_TALK_TIME, KEYS, "", lambda agent: (agent.taken, agent.idle_since, agent.idle_seq)),
    "least talk: talk is not counted": (O.LEAST_TALK_TIME, seating, "hang_up", lambda agent, now: agent),
}  # fmt: skip
_SIT_DOWN = agents.sit_down


def _seated(agent: agents.Agent, now: int, **kept: int) -> agents.Agent:
    return msgspec.structs.replace(_SIT_DOWN(agent, now), **kept)


@pytest.mark.parametrize(("order", "place", "name", "wrong"), ORDERS.values(), ids=ORDERS.keys())
def test_each_order_that_is_broken_is_noticed(
    order: AgentOrder, place: Any, name: str, wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place is KEYS:
        monkeypatch.setitem(KEYS, order, wrong)  # type: ignore[arg-type]
    else:
        monkeypatch.setattr(place, name, wrong)
    with pytest.raises(AssertionError, match="is next, but"):
        stories_by_order(order)


def test_every_order_is_broken_in_more_than_one_way() -> None:
    broken = [order for order, *_ in ORDERS.values()]
    assert all(broken.count(order) > 1 for order in AgentOrder)


def live_against_scanning(stories: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Floors with plans: who is asked against scanning everybody, when, and where those go whom nobody took."""
    for seed in range(stories):
        dice, fast = random.Random(seed), Acd()
        with monkeypatch.context() as patch:
            patch.setattr(board, "Matching", BruteForceMatching)
            slow = Acd()
        floor = random_floor(dice)
        plans: dict[str, Any] = {}
        for now in range(0, 1_250, 5):
            event = floor if now == 0 else random_event(dice, fast, now)
            with monkeypatch.context() as patch:
                patch.setattr(board, "Matching", BruteForceMatching)
                expected = tell(slow, event, now)
            before = {contact.contact_id for contact in fast.contacts()}
            said = tell(fast, event, now)
            assert said == expected, f"seed {seed}, now {now}, {event}"
            if isinstance(event, ContactArrived) and event.contact_id not in before:
                plans[event.contact_id] = event.plan
            check_steps(fast, now, floor.priority_worth_ms)
            check_targets(floor, plans, said)


def check_targets(floor: FloorConfigured, plans: dict[str, Any], said: list[Any]) -> None:
    """Whom nobody took goes where the plan says, and whom the queue refuses where the queue says."""
    elsewhere = {queue.queue_id: queue.otherwise for queue in floor.queues}
    for each in said:
        if isinstance(each, ContactOverflowed):
            plan_over = each.reason is OverflowReason.PLAN_OVER
            target = plans[each.contact_id].otherwise if plan_over else elsewhere[each.queue_id]
            assert each.target in ({target, "closed"} if each.reason is OverflowReason.QUEUE_CLOSED else {target})


OVERFLOW: dict[str, tuple[Any, str, Any]] = {
    "nobody of other queues is asked": (matching, "speaks_of_queues", lambda expression: False),
    "other queues' agents do not fit": (profiles, "speaks_of_queues", lambda expression: False),
    "everybody fits, of whatever queue": (profiles, "speaks_of_queues", lambda expression: True),
    "what a step asks for is not looked at": (profiles, "means", lambda expression, person: True),
    "a step lasts longer than it says": (planning, "_until", lambda contact, plan, number: None if (
        plan.steps[number].until_ms is None) else contact.plan_since + plan.steps[number].until_ms + 1_000),
    "steps count from now": (planning, "_until", lambda contact, plan, number: None if (
        plan.steps[number].until_ms is None) else contact.arrived_at + plan.steps[number].until_ms + 7),
    "guards are not looked at": (planning, "_guard_holds", lambda board, contact, number: True),
    "who leaves the plan goes nowhere": (planning, "take_place", None),
    "who is refused goes nowhere": (admission, "_target", lambda board, queue_id: ""),
}  # fmt: skip
_SEND_AWAY = planning.send_away


def send_nowhere(board_: Any, contact: Any, target: str, reason: OverflowReason, now: int) -> None:
    """Without the target, where a plan is over."""
    _SEND_AWAY(board_, contact, "" if reason is OverflowReason.PLAN_OVER else target, reason, now)


@pytest.mark.parametrize(("place", "name", "wrong"), OVERFLOW.values(), ids=OVERFLOW.keys())
def test_each_way_out_that_is_broken_is_noticed(
    place: Any, name: str, wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*(planning, "send_away", send_nowhere) if wrong is None else (place, name, wrong))
    with pytest.raises(AssertionError):
        live_against_scanning(STORIES, monkeypatch)


def test_floors_with_plans_are_sound_when_nothing_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    live_against_scanning(3, monkeypatch)


def live_with_channels(stories: int) -> None:
    """Mixed floors, whose agents' room is counted from contacts and offers; from a seed on in which much is rare."""
    for seed in range(20, 20 + stories):
        dice, acd = random.Random(seed), Acd()
        floor = mixed_floor(dice)
        acd.receive(floor, now=0)
        for spec in floor.agents:
            acd.receive(AgentSignedIn(AgentId(spec.agent_id)), now=0)
        for now in range(5, 1_250, 5):
            said = tell(acd, mixed_event(dice, acd, now), now)
            standing = {offer.offer_id for offer in acd.offers()}
            check_room(acd, [each for each in said if isinstance(each, OfferContact) and each.offer_id in standing])


ROOM: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "capacity: one more than may be": (
        shared_work, "most", lambda spec, channel: _MOST(spec, channel) + (channel is not Channel.VOICE)),
    "capacity: one less than may be": (
        shared_work, "most", lambda spec, channel: max(0, _MOST(spec, channel) - (channel is not Channel.VOICE))),
    "capacity: that of chats for messages": (
        shared_work, "most",
        lambda spec, channel: _MOST(spec, Channel.CHAT if channel is Channel.MESSAGE else channel)),
    "capacity: everybody takes calls": (
        shared_work, "most", lambda spec, channel: 1 if channel is Channel.VOICE else _MOST(spec, channel)),
    "capacity: calls are shared": (
        shared_work, "runs", lambda agent, channel: sum(work.channel is channel for work in agent.works)),
    "interrupts: everything may": (shared_work, "beside", lambda spec, lane, over: 99),
    "interrupts: nothing may": (shared_work, "beside", lambda spec, lane, over: 0),
    "interrupts: the other way round": (
        shared_work, "beside", lambda spec, lane, over: _BESIDE(spec, Lane(over, lane.interrupts), lane.channel)),
    "interrupts: however many": (
        shared_work, "beside", lambda spec, lane, over: 99 * bool(_BESIDE(spec, lane, over))),
    "interrupts: the queue has no word": (board, "lane_of", lambda queue, channel: Lane(channel)),
    "interrupts: a message never makes way": (shared_work, "rung_patiently", lambda agent, lane=None: None),
}  # fmt: skip


@pytest.mark.parametrize(("place", "name", "wrong"), ROOM.values(), ids=ROOM.keys())
def test_each_rule_of_room_that_is_broken_is_noticed(
    place: Any, name: str, wrong: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, name, wrong)
    with pytest.raises((AssertionError, KeyError)):
        live_with_channels(STORIES)


def test_floors_with_channels_are_sound_when_nothing_is_broken() -> None:
    live_with_channels(3)
