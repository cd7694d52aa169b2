"""Reading the site file, and what the parts of the house need of it."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from acd.events import AgentSpec, Channel, FloorConfigured, QueueDelay, SkillLevel
from acd.ids import AgentId, QueueId
from callcenter.calls.greetings import Greetings
from callcenter.calls.personal_plans import PersonalPlan
from callcenter.calls.queueing import CallbackRule
from callcenter.calls.reach import Reach, SupervisorRights
from callcenter.calls.recordings import RecordingRule
from callcenter.channels.items import ItemRules
from callcenter.config import explain
from callcenter.errors import ConfigError
from callcenter.service_targets import ServiceTarget
from callcenter.site.channels import DEFAULT_PRIORITY, capacities, interrupts
from callcenter.site.models import AgentModel, Site
from callcenter.site.opening_hours import opening_hours
from callcenter.site.queues import milliseconds
from callcenter.waiting_room import AnnouncementRule
from ivr.effects import PromptText
from ivr.errors import IvrError
from ivr.flow import Flow
from ivr.flows import demo_flow_text
from ivr.lint import Severity, lint
from ivr.parser import parse_flow

DEMO_FLOW_FILE = "builtin:demo"
"""The value of a flow's ``file`` that names the flow shipped with the product."""


def load_site(path: Path) -> Site:
    """Read and check the site file. Raises ``ConfigError`` naming file, place and remedy."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); `callcenter init` makes one to start from"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    try:
        return Site.model_validate(values)
    except ValidationError as error:
        raise ConfigError(explain(path, error)) from error


def load_flows(site: Site, path: Path) -> Mapping[str, Flow]:
    """Every flow of the site, parsed and linted. Raises ``ConfigError`` naming the flow's file, step and fault."""
    flows = {}
    for each in site.flows:
        try:
            if each.file == DEMO_FLOW_FILE:
                flows[each.id] = parse_flow(demo_flow_text(), source=each.file)
            else:
                file = path.parent / each.file
                flows[each.id] = parse_flow(file.read_text("utf-8"), source=str(file))
        except OSError as error:
            raise ConfigError(f"{path}: flow {each.id}: {each.file} cannot be read ({error.strerror})") from error
        except IvrError as error:
            raise ConfigError(str(error)) from error
    faults = [
        f"flow {flow_id}: [steps.{finding.step}] {finding.reason}"
        if finding.step
        else f"flow {flow_id}: {finding.reason}"
        for flow_id, flow in flows.items()
        for finding in lint(flow)
        if finding.severity is Severity.ERROR
    ]
    queues = {queue.id for queue in site.queues}
    plans = {plan.id for plan in site.route_plans}
    for flow_id, flow in flows.items():
        faults += [f"flow {flow_id}: no queue is called {each!r}" for each in sorted(set(flow.queue_ids()) - queues)]
        faults += [f"flow {flow_id}: {fault}" for fault in _box_faults(site, flow.box_ids())]
        faults += [f"flow {flow_id}: no route plan is called {each!r}" for each in sorted(flow.plan_ids() - plans)]
    if faults:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults))
    return flows


def takes(site: Site, agent: AgentModel, channel: Channel) -> bool:
    """Whether an agent takes contacts of a channel at all."""
    return any(each.channel is channel and each.most for each in capacities(site.routing.capacity, agent.capacity))


def _box_faults(site: Site, boxes: Iterable[str]) -> Iterable[str]:
    """Boxes that do not exist, and such that nobody would work."""
    queues, agents = {queue.id for queue in site.queues}, {agent.id: agent for agent in site.agents}
    for box in sorted(boxes):
        if box not in queues and box not in agents:
            yield f"no queue or agent is called {box!r}, whose box that would be"
        elif box in queues:
            serving = [agent for agent in site.agents if box in agent.queues]
            if serving and not any(takes(site, agent, Channel.MESSAGE) for agent in serving):
                yield f"box {box!r}: no agent of the queue takes messages; give one a capacity of message = 1"
        elif not agents[box].queues:
            yield f"box {box!r}: the agent serves no queue, and so is given no messages; give the agent one"
        elif not takes(site, agents[box], Channel.MESSAGE):
            yield f"box {box!r}: the agent takes no messages; its capacity says message = 0"


def floor_configuration(site: Site) -> FloorConfigured:
    """The site as the routing engine sees it."""
    routing = site.routing
    return FloorConfigured(
        queues=tuple(queue.spec() for queue in site.queues),
        agents=tuple(
            AgentSpec(
                AgentId(agent.id),
                agent.name,
                tuple(QueueId(each) for each in agent.queues),
                tuple(SkillLevel(skill, level) for skill, level in sorted(agent.skills.items())),
                tuple(
                    QueueDelay(QueueId(each), round(wait * 1000)) for each, wait in sorted(agent.second_line.items())
                ),
                capacities(routing.capacity, agent.capacity),
                interrupts(routing.interrupts, agent.interrupts),
            )
            for agent in site.agents
            if agent.queues
        ),
        priority_worth_ms=milliseconds(routing.priority_worth_seconds),
        seed=routing.seed,
        quarantine_after=routing.quarantine_after,
        quarantine_ms=round(routing.quarantine_seconds * 1000),
    )


def service_targets(site: Site) -> tuple[ServiceTarget, ...]:
    """What each queue promises, for calls and for all other channels."""
    return tuple(queue.target(channel) for queue in site.queues for channel in Channel)


def recording_rules(site: Site) -> Mapping[str, RecordingRule]:
    """How each queue records."""
    return {
        queue.id: RecordingRule(queue.recording, queue.recording_consent, queue.recording_retention)
        for queue in site.queues
    }


def announcement_rules(site: Site) -> Mapping[str, AnnouncementRule]:
    """What each queue tells its waiting callers."""
    return {
        queue.id: AnnouncementRule(queue.announce_position, queue.announce_wait, queue.announce_every_seconds * 1000)
        for queue in site.queues
    }


def supervisor_rights(site: Site) -> SupervisorRights:
    """Who may listen to whom: supervisors to all, team leads to their teams, both only in the queues they are given."""
    rights = {}
    for person in site.agents:
        queues = frozenset(person.supervises) or None
        if {"supervisor", "administrator"} & set(person.roles):
            rights[person.id] = Reach(queues)
        elif led := site.led_by(person):
            rights[person.id] = Reach(queues, led)
    return rights


def item_rules(site: Site) -> ItemRules:
    """Whom items are offered to, and how they stand in line."""
    plans = {queue.id: queue.lasting_plan() for queue in site.queues}
    return ItemRules(
        {queue_id: plan for queue_id, plan in plans.items() if plan is not None},
        {(queue.id, channel): queue.priority_of(channel) for queue in site.queues for channel in DEFAULT_PRIORITY},
        {agent.id: agent.queues[0] for agent in site.agents if agent.queues},
    )


def box_watchers(site: Site) -> Mapping[str, frozenset[str]]:
    """Whose phones show which voicemail box: a queue's those of its agents, an agent's the own."""
    boxes = {queue.id: frozenset(each.id for each in site.agents if queue.id in each.queues) for queue in site.queues}
    return {**boxes, **{agent.id: frozenset({agent.id}) for agent in site.agents}}


def consent_prompts(site: Site) -> list[PromptText]:
    """What is said before recording, in every language, to be rendered beforehand."""
    found = [
        rule.announcement(queue_id, language)
        for queue_id, rule in recording_rules(site).items()
        for language in rule.consent
    ]
    return [prompt for prompt in found if prompt is not None]


def callback_rules(site: Site) -> Mapping[str, CallbackRule]:
    """How each queue calls back."""
    return {
        queue.id: CallbackRule(
            queue.callback_most,
            queue.callback_attempts,
            round(queue.callback_retry_seconds * 1000),
            round(queue.callback_within_seconds * 1000),
            None if queue.callback_hours is None else opening_hours(site.hours[queue.callback_hours]),
            queue.callback_unanswered == "call",
            queue.callback_order == "customer",
            queue.callback_ring_seconds * 1000,
        )
        for queue in site.queues
    }


def callback_greetings(site: Site) -> Greetings:
    """What customers who are called back first hear."""
    return Greetings({queue.id: queue.callback_greeting for queue in site.queues if queue.callback_order == "customer"})


def route_plans(site: Site) -> Mapping[str, PersonalPlan]:
    """The route plans that flows may name."""
    return {each.id: each.plan() for each in site.route_plans}
