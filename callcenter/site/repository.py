"""Reading the site file and the flows it names, and telling what is wrong with them."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from acd.events import Channel
from callcenter.config import explain
from callcenter.errors import ConfigError
from callcenter.site.channels import capacities
from callcenter.site.models import AgentModel, Site
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
        raise ConfigError(explain(path, error, values)) from error


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
