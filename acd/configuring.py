"""A new configuration on a running floor: what vanished is retired without dropping anybody in mid-sentence."""

from collections import Counter

import msgspec

from acd import planning, seating, waiting
from acd.agents import Agent
from acd.board import Board, Policy
from acd.contacts import ContactState, ContactTrigger
from acd.errors import InvalidFloor, UnknownQueue
from acd.events import FloorConfigured
from acd.lines import Line
from acd.outcomes import AgentState, DequeueReason
from acd.route_plans import check_plan


def configure(board: Board, event: FloorConfigured, now: int) -> None:
    """Take the complete configuration. A wrong one raises ``InvalidFloor``, ``InvalidRoute`` or ``UnknownQueue``.

    Connected contacts go on whatever vanished. Ring timeouts and wrap-up times of a changed queue hold from the next
    offer on; an offer that stands, stands.
    """
    _check(event)
    specs = {spec.agent_id: spec for spec in event.agents}
    _remove_queues(board, event, now)
    board.queues = {spec.queue_id: spec for spec in event.queues}
    for agent in [agent for agent in board.agents.values() if agent.agent_id not in specs]:
        _retire(board, agent, now)
    agents: dict[str, Agent] = {}
    for position, spec in enumerate(event.agents):
        known = board.agents.pop(spec.agent_id, None) or Agent(spec, since=now)
        agents[spec.agent_id] = msgspec.structs.replace(known, spec=spec, position=position, retiring=False)
    board.agents = {agent.agent_id: agent for agent in (*agents.values(), *board.agents.values())}
    board.closed = {queue_id: target for queue_id, target in board.closed.items() if queue_id in board.queues}
    board.policy = Policy(
        event.priority_worth_ms, event.seed, event.presence_lease_ms, event.quarantine_after, event.quarantine_ms
    )
    if event.presence_lease_ms is None:
        board.leases = Line()
    board.reindex()
    planning.place_anew(board, now)
    board.someone_stopped = True


def _check(event: FloorConfigured) -> None:
    for kind, ids in (
        ("queue", [spec.queue_id for spec in event.queues]),
        ("agent", [spec.agent_id for spec in event.agents]),
    ):
        twice = [identity for identity, count in Counter[str](ids).items() if count > 1]
        if twice:
            raise InvalidFloor(f"{kind} {twice[0]!r} is configured twice")
    for queue in event.queues:
        if queue.plan is not None:
            check_plan(queue.plan)
    known = {spec.queue_id for spec in event.queues}
    for spec in event.agents:
        for queue_id in spec.queue_ids:
            if queue_id not in known:
                raise UnknownQueue(f"agent {spec.agent_id!r} serves queue {queue_id!r}, which is not configured")


def _remove_queues(board: Board, event: FloorConfigured, now: int) -> None:
    kept = {spec.queue_id for spec in event.queues}
    homeless = [
        contact
        for contact in board.contacts.values()
        if contact.queue_id not in kept and contact.state is not ContactState.CONNECTED
    ]
    for contact in sorted(homeless, key=lambda contact: contact.key):
        waiting.stop_waiting(board, contact, ContactTrigger.QUEUE_REMOVED, DequeueReason.QUEUE_REMOVED, now)


def _retire(board: Board, agent: Agent, now: int) -> None:
    if agent.state is AgentState.OFFLINE:
        board.drop_agent(agent.agent_id)
        return
    board.agents[agent.agent_id] = retiring = msgspec.structs.replace(agent, retiring=True)
    seating.dismiss(board, retiring, now)
