"""What the site file says about channels: defaults that need no configuration, and faults that name their place."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from acd.events import Channel, Interrupt, QueueInterrupts
from callcenter.errors import ConfigError
from callcenter.service_targets import ServiceTarget
from callcenter.site.models import Site
from callcenter.site.repository import load_flows
from callcenter.site.rules import floor_configuration, item_rules
from tests.support.house import small_site
from tests.support.messages_left import FLOW

pytestmark = pytest.mark.unit


def site_with(*, agent: dict[str, Any] | None = None, queue: dict[str, Any] | None = None, **routing: Any) -> Site:
    """The small site, whose first agent and queue have these settings besides."""
    data = small_site().model_dump()
    data["agents"][0].update(agent or {})
    data["queues"][0].update(queue or {})
    data["routing"].update(routing)
    return Site.model_validate(data)


def capacity_of(site: Site, number: int = 0) -> dict[str, int]:
    return {str(each.channel): each.most for each in floor_configuration(site).agents[number].capacity}


def test_without_a_word_agents_take_a_call_or_a_message_and_calls_go_first() -> None:
    site = site_with()
    assert capacity_of(site) == {"voice": 1, "message": 1}
    agent, queue = floor_configuration(site).agents[0], floor_configuration(site).queues[0]
    assert Interrupt(Channel.VOICE, Channel.MESSAGE) in agent.interrupts
    assert all(each.channel is Channel.VOICE for each in agent.interrupts)
    assert item_rules(site).priorities["sales", Channel.MESSAGE] == -100
    assert site.queues[0].target(Channel.MESSAGE) == ServiceTarget("sales", Channel.MESSAGE, 14_400, 80)
    rule = next(rule for rule in queue.channels if rule.channel is Channel.MESSAGE)
    assert (rule.ring_timeout_ms, rule.wrap_up_ms) == (None, 30_000)


def test_agents_and_queues_say_otherwise() -> None:
    message = {
        "service_level_seconds": 600,
        "service_level_percent": 95,
        "ring_seconds": 60,
        "wrap_up_seconds": 5,
        "priority": 3,
    }
    site = site_with(
        agent={"capacity": {"chat": 3, "email": 5, "voice": 0}, "interrupts": {"chat": ["email"]}},
        queue={"channels": {"message": message}, "service_level_percent": 90},
        capacity={"message": 2, "chat": 1},
    )
    assert capacity_of(site) == {"voice": 0, "chat": 3, "email": 5, "message": 2}
    assert capacity_of(site, 1) == {"voice": 1, "chat": 1, "message": 2}
    floor = floor_configuration(site)
    assert floor.agents[0].interrupts == (Interrupt(Channel.CHAT, Channel.EMAIL),)
    rule = next(rule for rule in floor.queues[0].channels if rule.channel is Channel.MESSAGE)
    assert (rule.ring_timeout_ms, rule.wrap_up_ms) == (60_000, 5_000)
    assert site.queues[0].target(Channel.MESSAGE) == ServiceTarget("sales", Channel.MESSAGE, 600, 95)
    assert site.queues[0].target(Channel.VOICE) == ServiceTarget("sales", Channel.VOICE, 20, 90)
    assert site.queues[0].priority_of(Channel.MESSAGE) == 3


def test_a_queue_has_a_word_about_what_its_contacts_come_beside() -> None:
    site = site_with(agent={"capacity": {"chat": 3}}, queue={"interrupts": {"voice": {"chat": 2}, "chat": []}})
    assert Site.model_validate(site.model_dump()) == site
    assert floor_configuration(site).queues[0].interrupts == (
        QueueInterrupts(Channel.VOICE, (Interrupt(Channel.VOICE, Channel.CHAT, 2),)),
        QueueInterrupts(Channel.CHAT),
    )
    assert floor_configuration(site).queues[1].interrupts == ()
    numbered = site_with(agent={"interrupts": {"voice": {"message": 3}}})
    assert floor_configuration(numbered).agents[0].interrupts == (Interrupt(Channel.VOICE, Channel.MESSAGE, 3),)


def test_a_message_is_asked_for_by_the_queues_steps_and_is_never_sent_away() -> None:
    plain = site_with(queue={"longest_wait_seconds": 60, "otherwise": "queue:support"})
    plan = item_rules(plain).plan_of("sales", "")
    assert plan is not None
    assert (plan.otherwise, [step.until_ms for step in plan.steps]) == (None, [None])
    steps = [{"demand": "en >= 2", "until_seconds": 30}, {"demand": "en", "until_seconds": 60}]
    plan = item_rules(site_with(queue={"steps": steps})).plan_of("sales", "")
    assert plan is not None
    assert [(step.demand, step.until_ms) for step in plan.steps] == [("en >= 2", 30_000), ("en", None)]
    assert item_rules(site_with()).plan_of("sales", "") is None
    own = item_rules(site_with()).plan_of("sales", "anna")
    assert own is not None
    assert own.steps[0].demand == "agent:anna and floor"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"agent": {"capacity": {"phone": 1}}}, "'voice', 'chat', 'email', 'sms', 'message' or 'task'"),
        ({"agent": {"capacity": {"voice": 2}}}, "nobody talks in two at once"),
        ({"agent": {"capacity": {"chat": 26}}}, "less than or equal to 25"),
        ({"agent": {"interrupts": {"chat": ["chat"]}}}, "cannot interrupt itself"),
        (
            {"agent": {"interrupts": {"voice": ["chat"]}}},
            "agent anna: interrupts names chat, of which its capacity is 0",
        ),
        ({"queue": {"interrupts": {"voice": ["fax"]}}}, "queues.0.interrupts.voice.fax"),
        ({"queue": {"interrupts": {"voice": {"message": 99}}}}, "less than or equal to 25"),
        (
            {"queue": {"interrupts": {"voice": {"chat": 2}}}},
            "queue sales: interrupts names chat, of which none of its agents takes anything",
        ),
        ({"queue": {"channels": {"voice": {}}}}, "what holds for calls stands at the queue itself"),
        ({"queue": {"channels": {"message": {"ring_seconds": 1}}}}, "greater than or equal to 3"),
    ],
)
def test_what_is_wrong_with_channels_is_said(fault: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        site_with(**fault)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("box", "agent", "said"),
    [
        ("nobody", {}, "no queue or agent is called 'nobody'"),
        ("sales", {"capacity": {"message": 0}}, "no agent of the queue takes messages"),
        ("anna", {"queues": []}, "the agent serves no queue, and so is given no messages"),
        ("anna", {"capacity": {"message": 0}}, "the agent takes no messages"),
    ],
)
def test_a_box_that_nobody_would_work_is_named(box: str, agent: dict[str, Any], said: str, tmp_path: Path) -> None:
    data = small_site().model_dump()
    data["agents"] = [{**each, **agent} if each["id"] in {"anna", "ben"} else each for each in data["agents"]]
    (tmp_path / "main.toml").write_text(FLOW.replace('box = "sales"', f'box = "{box}"'), "utf-8")
    data["flows"] = [{"id": "main", "file": "main.toml"}]
    with pytest.raises(ConfigError) as refused:
        load_flows(Site.model_validate(data), tmp_path / "site.toml")
    assert said in str(refused.value)
