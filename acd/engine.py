"""The routing engine: facts and time in, orders and facts out.

Two engines that were told the same facts at the same instants have said the same things and are in the same state.
The host journals every fact and every fired timer before it passes them on; that is all it needs to come back.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from acd import admission, configuring, offering, planning, seating, snapshot, waiting
from acd.agents import Agent
from acd.board import Board
from acd.contacts import Contact
from acd.events import (
    AgentClientLost,
    AgentDeskClosed,
    AgentDeskOpened,
    AgentEngaged,
    AgentMadeNotReady,
    AgentMadeReady,
    AgentPresenceSeen,
    AgentSignedIn,
    AgentSignedOut,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    ContactPresent,
    ContactReturned,
    Event,
    FloorConfigured,
    OfferAccepted,
    OfferDeclined,
    QueueClosed,
    QueueOpened,
    WrapUpExtended,
    WrapUpFinished,
)
from acd.ids import OfferId, QueueId
from acd.offers import Offer
from acd.outcomes import OfferContact, Outcome
from acd.queues import QueueView, view_queues

_REACTIONS: dict[type[Event], Callable[[Board, Any, int], None]] = {
    FloorConfigured: configuring.configure,
    AgentSignedIn: seating.sign_in,
    AgentSignedOut: seating.sign_out,
    AgentMadeReady: seating.make_ready,
    AgentMadeNotReady: seating.make_not_ready,
    ContactArrived: waiting.arrive,
    ContactPresent: waiting.be_present,
    ContactLeft: waiting.leave,
    OfferAccepted: offering.accept,
    OfferDeclined: offering.decline,
    ContactFinished: waiting.finish,
    ContactReturned: waiting.give_back,
    AgentEngaged: seating.take_up,
    WrapUpFinished: seating.finish_wrap_up,
    WrapUpExtended: seating.extend_wrap_up,
    AgentPresenceSeen: seating.see,
    AgentClientLost: seating.lose_client,
    AgentDeskClosed: seating.close_desk,
    AgentDeskOpened: seating.open_desk,
    QueueClosed: admission.close_queue,
    QueueOpened: admission.open_queue,
}


class OfferReached(Exception):
    """The offer that was looked for is being made."""


class OutcomesUntil(list[Outcome]):
    """Outcomes up to a certain offer; what would follow is not done any more."""

    def __init__(self, offer_id: OfferId) -> None:
        super().__init__()
        self._offer_id = offer_id

    def append(self, outcome: Outcome) -> None:
        """Take an outcome. Raises ``OfferReached``."""
        if isinstance(outcome, OfferContact) and outcome.offer_id == self._offer_id:
            raise OfferReached
        super().append(outcome)


class Acd:
    """One floor. Not for use from several tasks at once: one owner feeds it.

    ``now`` is milliseconds on the host's clock, the one that ``ContactArrived.arrived_at`` is on.
    """

    def __init__(self) -> None:
        self._board = Board()

    def receive(self, event: Event, *, now: int) -> Sequence[Outcome]:
        """Take one fact and say what follows, in order.

        Raises an ``AcdError`` when the fact cannot be true of this floor; then nothing has changed.
        """
        outcomes: list[Outcome] = []
        self._board.outcomes = outcomes
        _REACTIONS[type(event)](self._board, event, now)
        offering.settle(self._board, now)
        return outcomes

    def next_deadline(self) -> int | None:
        """The earliest instant at which ``handle_timer`` has something to do, ``None`` when there is none."""
        board, earliest = self._board, None
        for line in (
            board.offer_deadlines,
            board.wrap_up_deadlines,
            board.work_deadlines,
            board.step_deadlines,
            board.ring_deadlines,
            board.leases,
        ):
            head = line.head
            if head is not None and (earliest is None or head[0][0] < earliest):
                earliest = head[0][0]
        return earliest

    def handle_timer(self, *, now: int) -> Sequence[Outcome]:
        """Let every deadline up to and including ``now`` pass, then match once: offers first, then wrap-ups,
        then steps of route plans, each kind by instant.

        Early or needless calls are harmless. A late call tells what follows as of ``now`` and treats all that is
        overdue as one instant, so the first in line is served first whichever deadline came first.
        """
        outcomes: list[Outcome] = []
        self._board.outcomes = outcomes
        self._pass_deadlines(now)
        return outcomes

    def live_until(self, event: Event | None, *, now: int, offer_id: OfferId) -> None:
        """Live through an event only up to the choice of the agent of this offer, who does not ring yet.

        ``None`` is ``handle_timer``. The engine is then good for explanations and for nothing else. When no such offer
        is made, it has lived through the event.
        """
        self._board.outcomes = OutcomesUntil(offer_id)
        with suppress(OfferReached):
            if event is None:
                self._pass_deadlines(now)
            else:
                _REACTIONS[type(event)](self._board, event, now)
                offering.settle(self._board, now)

    def _pass_deadlines(self, now: int) -> None:
        board = self._board
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            while (offer := board.offer_deadlines.head) is not None and offer[0][0] <= now:
                offering.expire(board, offer[1], now)
            while (wrap_up := board.wrap_up_deadlines.head) is not None and wrap_up[0][0] <= now:
                seating.expire_wrap_up(board, wrap_up[1], now)
            while (worked := board.work_deadlines.head) is not None and worked[0][0] <= now:
                seating.expire_work(board, worked[1], now)
            while (missed := board.leases.head) is not None and missed[0][0] <= now:
                seating.lose(board, missed[1], now)
            while (going_on := board.step_deadlines.head) is not None and going_on[0][0] <= now:
                planning.pass_deadline(board, going_on[1], now)
            offering.settle(board, now)

    def snapshot(self) -> dict[str, object]:
        """The state as plain data, for ``restore``."""
        return snapshot.save(self._board)

    @classmethod
    def restore(cls, data: object) -> "Acd":
        """The engine that gave this snapshot. Raises ``SnapshotRefused``."""
        acd = cls()
        acd._board = snapshot.load(data)
        return acd

    def agents(self) -> tuple[Agent, ...]:
        """Every agent in configured order; those being retired come last."""
        return tuple(self._board.agents.values())

    def contacts(self) -> tuple[Contact, ...]:
        """Every contact that has not ended, in order of arrival at the engine."""
        return tuple(self._board.contacts.values())

    def offers(self) -> tuple[Offer, ...]:
        """Every standing offer, in the order they were made."""
        return tuple(self._board.offers.values())

    def closed_queues(self) -> frozenset[QueueId]:
        """Queues that let nobody in until ``QueueOpened``."""
        return frozenset(self._board.closed)

    def queues(self) -> tuple[QueueView, ...]:
        """Every queue in configured order, with what waits in it. Costs one pass over the contacts."""
        return view_queues(self._board.queues.values(), self._board.contacts.values())
