"""The engine's state as plain data, and back.

Only records are saved, never indexes. The form has a version; a snapshot of another version is refused, and the host
replays its journal instead.
"""

import msgspec

from acd.agents import Agent
from acd.board import Board
from acd.contacts import Contact
from acd.errors import SnapshotRefused
from acd.events import QueueSpec
from acd.ids import ContactId
from acd.offers import Offer

VERSION = 1
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
        )
    )
    return saved


def load(data: object) -> Board:
    """The board that was saved. Raises ``SnapshotRefused``."""
    version = data.get("version") if isinstance(data, dict) else None
    if version != VERSION:
        raise SnapshotRefused(f"snapshot version {version!r}, this engine reads {VERSION}")
    try:
        saved = msgspec.convert(data, Snapshot)
    except msgspec.ValidationError as error:
        raise SnapshotRefused(str(error)) from error
    board = Board()
    board.seq = saved.seq
    board.offers_made = saved.offers_made
    board.queues = {spec.queue_id: spec for spec in saved.queues}
    board.agents = {agent.agent_id: agent for agent in saved.agents}
    board.contacts = {contact.contact_id: contact for contact in saved.contacts}
    board.offers = {offer.offer_id: offer for offer in saved.offers}
    board.ended = dict.fromkeys(saved.ended)
    board.reindex()
    board.clear_event()
    return board
