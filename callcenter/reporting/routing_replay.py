"""What the routing engine said, by running it again over the journaled inputs. Pure.

The journal holds the engine's inputs and decisions, not the agents' states; those follow from the inputs. Decisions and
snapshots in the journal keep the replay honest: a decision that differs is counted, a snapshot is taken over.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from acd.agents import Agent
from acd.contacts import ContactState
from acd.engine import Acd
from acd.errors import AcdError, SnapshotRefused
from acd.events import NO_QUEUE, Channel
from acd.outcomes import (
    AgentStateChanged,
    ContactDequeued,
    ContactQueued,
    DequeueReason,
    OfferContact,
    Outcome,
    WorkWrapUpBegun,
)
from callcenter.calls.facts import RoutingSnapshot, TimersFired
from callcenter.journal import JournalRow


class RoutingReplay:
    """An engine that lives through the journal. ``divergences`` counts decisions that came out otherwise than then:
    where it is not 0, times in states and offers are not to be trusted, and ``callcenter replay`` says from where on.
    """

    def __init__(self) -> None:
        self._engine = Acd()
        self._expected: deque[OfferContact] = deque()
        self.divergences = 0

    def take(self, row: JournalRow) -> Sequence[Outcome]:
        """What the engine says to this row; nothing for rows that do not concern it."""
        match row.entry:
            case OfferContact():
                self._compare(row.entry)
                return ()
            case RoutingSnapshot():
                return self._restore(row.entry)
            case TimersFired():
                return self._note(self._engine.handle_timer(now=row.at))
            case entry if type(entry).__module__ == "acd.events":
                try:
                    return self._note(self._engine.receive(entry, now=row.at))
                except AcdError:  # an engine of a newer version may refuse what an older one took
                    self.divergences += 1
                    return ()
            case _:
                return ()

    def _note(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        self._expect_nothing_more()
        self._expected.extend(outcome for outcome in outcomes if isinstance(outcome, OfferContact))
        return outcomes

    def _expect_nothing_more(self) -> None:
        self.divergences += len(self._expected)
        self._expected.clear()

    def _compare(self, then: OfferContact) -> None:
        mine = self._expected.popleft() if self._expected else None
        if mine is None or _pair(mine) != _pair(then):
            self.divergences += 1

    def _restore(self, snapshot: RoutingSnapshot) -> Sequence[Outcome]:
        """Go on from what the exchange went on from; the agents' states as if each had just been told."""
        self._expect_nothing_more()
        try:
            self._engine = Acd.restore(snapshot.engine)
        except SnapshotRefused:  # of a newer version; the engine that got here by the inputs goes on
            return ()
        agents = self._engine.agents()
        wrap_ups = [(agent.agent_id, work) for agent in agents for work in agent.works if work.over]
        return [
            *_shared_work(self._engine),
            *(_as_told(agent) for agent in agents),
            *(WorkWrapUpBegun(agent_id, work.contact_id, work.until) for agent_id, work in wrap_ups),
        ]


def _as_told(agent: Agent) -> AgentStateChanged:
    works = tuple(work.contact_id for work in agent.works)
    return AgentStateChanged(
        agent.agent_id, agent.state, agent.since, agent.reason, agent.contact_id, agent.until, works=works
    )


def _shared_work(engine: Acd) -> Iterator[Outcome]:
    """Where the contacts of shared channels are."""
    for contact in engine.contacts():
        place = contact.contact_id, contact.queue_id
        if contact.channel is not Channel.VOICE:
            yield ContactQueued(*place, contact.arrived_at, contact.priority, returned=True, channel=contact.channel)
            if contact.state is ContactState.CONNECTED:
                yield ContactDequeued(*place, DequeueReason.ASSIGNED, 0, contact.channel)
    for agent in engine.agents():
        for work in agent.works:
            if work.over:
                yield ContactDequeued(work.contact_id, NO_QUEUE, DequeueReason.ASSIGNED, 0, work.channel)


def _pair(offer: OfferContact) -> tuple[str, str, str]:
    return offer.offer_id, offer.contact_id, offer.agent_id
