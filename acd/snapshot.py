"""The engine's state as plain data, and back.

Only records are saved, never indexes. The form has a version; older forms are brought up to date step by step, a newer
one is refused, and the host replays its journal instead.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from acd.agents import Agent
from acd.board import Board, KeptPlace, Policy
from acd.contacts import Contact
from acd.errors import SnapshotRefused
from acd.events import QueueSpec
from acd.ids import AgentId, ContactId, QueueId
from acd.offers import Offer

VERSION = 2
"""Raised whenever a record's meaning changes; a new field with a default does not raise it."""


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that determines the engine's further behaviour."""

    version: int
    seq: int
    offers_made: int
    queues: tuple[QueueSpec, ...]
    agents: tuple[Agent, ...]
    contacts: tuple[Contact, ...]
    offers: tuple[Offer, ...]
    ended: tuple[ContactId, ...]
    policy: Policy = Policy()
    closed: tuple[tuple[QueueId, str | None], ...] = ()
    kept: tuple[KeptPlace, ...] = ()
    leases: tuple[tuple[AgentId, int], ...] = ()


def _with_places(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 worked places out whenever they were asked for; since 2 they are part of the records."""
    contacts = [
        {**contact, "key": [-contact["priority"], contact["arrived_at"], contact["seq"]]}
        for contact in data["contacts"]
    ]
    agents = [{**agent, "position": position} for position, agent in enumerate(data["agents"])]
    return {**data, "version": 2, "contacts": contacts, "agents": agents}


MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _with_places}
"""From each older version to the next one."""


def save(board: Board) -> dict[str, object]:
    """The board as strings, numbers, sequences and mappings only: ready for JSON or msgpack."""
    saved: dict[str, object] = msgspec.to_builtins(
        Snapshot(
            version=VERSION,
            seq=board.seq,
            offers_made=board.offers_made,
            queues=tuple(board.queues.values()),
            agents=tuple(board.agents.values()),
            contacts=tuple(board.contacts.values()),
            offers=tuple(board.offers.values()),
            ended=tuple(board.ended),
            policy=board.policy,
            closed=tuple(board.closed.items()),
            kept=tuple(board.kept.values()),
            leases=tuple(sorted((agent_id, key[0]) for key, agent_id in board.leases)),
        )
    )
    return saved


def load(data: object) -> Board:
    """The board that was saved. Raises ``SnapshotRefused``."""
    version = data.get("version") if isinstance(data, dict) else None
    if not isinstance(version, int) or not (version == VERSION or version in MIGRATIONS):
        raise SnapshotRefused(f"snapshot version {version!r}, this engine reads {VERSION} and older")
    try:
        saved = msgspec.convert(_brought_up(data, version), Snapshot)
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise SnapshotRefused(str(error)) from error
    board = Board()
    board.policy = saved.policy
    board.closed = dict(saved.closed)
    board.kept = {(kept.queue_id, kept.identity): kept for kept in saved.kept}
    board.seq = saved.seq
    board.offers_made = saved.offers_made
    for agent_id, until in saved.leases:
        board.leases.add((until,), agent_id)
    board.queues = {spec.queue_id: spec for spec in saved.queues}
    board.agents = {agent.agent_id: agent for agent in saved.agents}
    board.contacts = {contact.contact_id: _known_away(contact) for contact in saved.contacts}
    board.offers = {offer.offer_id: offer for offer in saved.offers}
    board.ended = dict.fromkeys(saved.ended)
    board.reindex()
    board.clear_event()
    return board


def _known_away(contact: Contact) -> Contact:
    """Whoever an agent is kept for is away; older snapshots do not say so."""
    return contact if contact.reserve_ms is None else msgspec.structs.replace(contact, is_away=True)


def _brought_up(data: Any, version: int) -> Any:
    while version != VERSION:
        data = MIGRATIONS[version](data)
        version = data["version"]
    return data
