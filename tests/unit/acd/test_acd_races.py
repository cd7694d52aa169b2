"""Races of hang-up, answer, transfer, pause, log-out, time-out and RONA: a slice of what the long runs go through."""

import random

import pytest

from acd import offering, seating
from acd.board import Board
from acd.contacts import Contact
from tests.support.acd_races import Races

pytestmark = pytest.mark.unit

SLICE = 2_000


def interleavings(first: int, count: int) -> int:
    """Live through so many; the number of offers made. Raises at the first violation."""
    made = 0
    for seed in range(first, first + count):
        races = Races(random.Random(seed))
        races.live()
        made += races.made
    return made


def test_no_interleaving_leaves_a_zombie_offer_or_a_stuck_agent() -> None:
    assert interleavings(0, SLICE) > 2 * SLICE, "the floors must be busy to prove anything"


def no_release(board: Board, contact: Contact, now: int) -> None:
    """A hang-up that forgets the agent's phone."""
    board.end_contact(contact.contact_id)


def test_forgotten_offers_unfreed_agents_and_lost_contacts_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the ways in which queue engines are known to leave somebody stuck turns the checks red."""
    broken = [
        (seating, "withdraw", lambda board, agent, contact, now: None),
        (seating, "end_contact", lambda board, agent, contact, now: None),
        (offering, "give_back", lambda board, offer, now, refused_by: None),
        (offering, "close", lambda board, offer, trigger: board.drop_offer(offer.offer_id)),
        (Board, "drop_offer", lambda self, offer_id: None),
        (Board, "_index_waiting", lambda self, contact: None),
    ]
    for place, name, wrong in broken:
        with monkeypatch.context() as patch:
            patch.setattr(place, name, wrong)
            with pytest.raises((AssertionError, KeyError)):
                interleavings(0, 200)
