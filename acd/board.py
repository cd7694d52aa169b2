"""The board: all records of the floor, and the indexes that always agree with them.

Records change only through ``put_*`` and ``drop_*``. Those keep matching, deadlines and the list of what became
free or began to wait in step, and tell the agent's changes. Indexes are never saved: they follow from the records.
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from acd.agents import AT_WORK, Agent, Pending
from acd.capacity import CALLS, PATIENT, Lane, Work, beside, channels_of, lane_of
from acd.contacts import Contact, ContactState, place
from acd.errors import UnknownAgent, UnknownContact
from acd.events import AgentSpec, Channel, QueueSpec, RingStyle
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.lines import Line
from acd.matching import Matching
from acd.offers import Offer
from acd.outcomes import AgentState, AgentStateChanged, Outcome
from acd.queues import demand_of
from acd.route_plans import StepGuard
from acd.shared_work import has_room

ENDED_LIMIT = 1024
"""How many ended contacts are remembered, to tell a late hang-up from an unknown contact."""


_OFFLINE, _READY, _WRAP_UP = AgentState.OFFLINE, AgentState.READY, AgentState.WRAP_UP
_NONE = Pending.NONE
# Looked at for every change of every agent: a name is found faster than a member of an enumeration.

_PLAIN = {channel: Lane(channel) for channel in Channel}
"""The lanes of queues that leave it to the agents what their contacts come beside."""

KEPT_LIMIT = 4096
"""How many places are kept for customers who hung up; the oldest are forgotten."""


class Policy(msgspec.Struct, frozen=True):
    """What holds for the whole floor; see ``FloorConfigured``."""

    priority_worth_ms: int | None = None
    seed: int = 0
    presence_lease_ms: int | None = None
    quarantine_after: int | None = None
    quarantine_ms: int = 300_000


class KeptPlace(msgspec.Struct, frozen=True):
    """The place of a customer who hung up while waiting."""

    queue_id: QueueId
    identity: str
    arrived_at: int
    planned_ms: int
    """How long the contact had been in its route plan."""
    until: int


class Board:
    """The mutable state of one engine. ``outcomes`` collects what the event in progress has to say."""

    def __init__(self) -> None:
        self.queues: dict[QueueId, QueueSpec] = {}
        self.agents: dict[AgentId, Agent] = {}
        self.contacts: dict[ContactId, Contact] = {}
        self.offers: dict[OfferId, Offer] = {}
        self.ended: dict[ContactId, None] = {}
        self.policy = Policy()
        self.closed: dict[QueueId, str | None] = {}
        """Queues that let nobody in, with what becomes of those who come."""
        self.kept: dict[tuple[QueueId, str], KeptPlace] = {}
        self.lengths: dict[QueueId, int] = {}
        """How many contacts of each queue wait or ring."""
        self.leases: Line[AgentId] = Line()
        """Agents who gave signs of life, by when they are missed."""
        self.delays: dict[QueueId, tuple[int, ...]] = {}
        """Queues that have second lines, with their different delays."""
        self.seq = 0
        self.offers_made = 0
        self.outcomes: list[Outcome] = []
        self.matching = Matching(())
        """Who is next for whom among calls."""
        self.lanes: dict[Lane, Matching] = {CALLS: self.matching}
        """The same by lane, among the agents who take work of its channel."""
        self.side_lanes: Sequence[Matching] = ()
        """All but that of the calls."""
        self._own_lanes: dict[tuple[QueueId, Channel], Matching] = {}
        """Of queues that have a word about what their contacts come beside."""
        self._calls_only: Sequence[tuple[Lane, Matching]] = ((CALLS, self.matching),)
        self._takes: dict[AgentId, Sequence[tuple[Lane, Matching]]] = {}
        """Of agents with a capacity of their own."""
        self._beside_calls: set[AgentId] = set()  # for membership only, never iterated
        """Agents who may be offered something while they have a call."""
        self.aside: dict[ContactId, None] = {}
        """Waiting contacts of the side lanes."""
        self.offer_deadlines: Line[OfferId] = Line()
        self.wrap_up_deadlines: Line[AgentId] = Line()
        self.work_deadlines: Line[ContactId] = Line()
        """Contacts of shared channels whose wrap-up the clock ends."""
        self.wrapping: dict[ContactId, AgentId] = {}
        """Contacts of shared channels that are being wrapped up, and their agents."""
        self.pushed_aside: list[ContactId] = []
        """Contacts that rang and had to make way for a call during the event in progress."""
        self.step_deadlines: Line[ContactId] = Line()
        self.rings_wide = False
        """Whether any queue lets several agents ring."""
        self.ring_deadlines: Line[ContactId] = Line()
        self.ringing_wide: dict[ContactId, None] = {}
        """Contacts that ring, of queues that let several agents ring."""
        self.guarded: dict[ContactId, None] = {}
        """Waiting contacts whose step ends when nobody is there for it."""
        self.refused: dict[ContactId, None] = {}
        """Waiting contacts that somebody refused."""
        self.freed: list[AgentId] = []
        """Agents that became idle during the event in progress."""
        self.queued: list[ContactId] = []
        """Contacts that began to wait during the event in progress."""
        self.someone_stopped = False
        """Whether somebody ceased to be at work, or left, during the event in progress."""

    def next_seq(self) -> int:
        """The next number of the one order in which things happen here."""
        self.seq += 1
        return self.seq

    def agent(self, agent_id: AgentId) -> Agent:
        """The agent's record. Raises ``UnknownAgent``."""
        agent = self.agents.get(agent_id)
        if agent is None:
            raise UnknownAgent(f"agent {agent_id!r} is not configured")
        return agent

    def open_contact(self, contact_id: ContactId) -> Contact | None:
        """The contact's record, ``None`` when it ended lately. Raises ``UnknownContact``."""
        contact = self.contacts.get(contact_id)
        if contact is None and contact_id not in self.ended:
            raise UnknownContact(f"contact {contact_id!r} never arrived")
        return contact

    def put_agent(self, agent: Agent) -> None:
        """Take the agent's new record and tell it; a retiring agent who went offline is forgotten."""
        agent_id = agent.spec.agent_id
        old = self.agents[agent_id]
        if agent is old:
            return
        self.agents[agent_id] = agent
        self._index_agent(old, agent)
        self.outcomes.append(
            AgentStateChanged(
                agent_id,
                agent.state,
                agent.since,
                agent.reason,
                agent.contact_id,
                agent.until,
                None if agent.pending is _NONE else agent.pending_text,
                tuple(work.contact_id for work in agent.works) if agent.works else (),
            )
        )
        if agent.retiring and agent.state is _OFFLINE:
            self.drop_agent(agent_id)

    def drop_agent(self, agent_id: AgentId) -> None:
        """Forget an agent who is offline."""
        agent = self.agents.pop(agent_id)
        for _, matching in self._lines_of(agent.spec):
            matching.forget_agent(agent_id)
        if agent.spec.delays:
            self._forget_delays()

    def _forget_delays(self) -> None:
        """Let no contact wait for the delay of somebody who is gone."""
        before, self.delays = self.delays, _delays(each.spec for each in self.agents.values())
        for contact in self.contacts.values():
            if contact.matures_at is None or before[contact.queue_id] == self.delays.get(contact.queue_id):
                continue
            left = [delay for delay in self.delays.get(contact.queue_id, ()) if delay > contact.matured_ms]
            matures_at = contact.arrived_at + min(left) if left else None
            self.contacts[contact.contact_id] = changed = msgspec.structs.replace(contact, matures_at=matures_at)
            if contact.state is ContactState.WAITING:
                self._index_step(changed)

    def put_contact(self, contact: Contact) -> None:
        """Take the contact's new record."""
        contact_id, queue_id = contact.contact_id, contact.queue_id
        if contact_id not in self.contacts:
            if contact.channel not in PATIENT:
                self.lengths[queue_id] = self.lengths.get(queue_id, 0) + 1
        elif contact.state is ContactState.CONNECTED and contact.channel not in PATIENT:
            self.lengths[queue_id] -= 1
        self.contacts[contact_id] = contact
        if contact.state is ContactState.WAITING:
            self._index_waiting(contact)
            if self.ringing_wide:
                self._ring_no_more(contact_id)
        else:
            if contact.state is ContactState.OFFERED:  # whoever is connected was offered before
                self._stop_waiting(contact_id)
            if self.rings_wide:
                self._index_ringing(contact)

    def put_engaged(self, contact: Contact) -> None:
        """Take a contact that is connected from the first: it never waits in a queue, nor counts in its length."""
        self.ended.pop(contact.contact_id, None)
        self.contacts[contact.contact_id] = contact

    def matching_of(self, queue_id: QueueId, channel: Channel) -> Matching:
        """Who is next for whom among these contacts of a queue, and others of the same lane."""
        if self._own_lanes and (own := self._own_lanes.get((queue_id, channel))) is not None:
            return own
        return self.matching if channel is Channel.VOICE else self.lanes[_PLAIN[channel]]

    def _lines_of(self, spec: AgentSpec) -> Sequence[tuple[Lane, Matching]]:
        """The lanes an agent takes work of, each with who is next for whom there."""
        return self._takes[spec.agent_id] if spec.capacity else self._calls_only

    def place(self, contact: Contact) -> tuple[int, int, int]:
        """The contact's place in line under the policy of the floor."""
        queue = self.queues.get(contact.queue_id)
        return place(contact, 0 if queue is None else queue.weight, self.policy.priority_worth_ms)

    def forget_contact(self, contact: Contact) -> None:
        """Take a contact off the board; it ends, or comes back in another place."""
        contact_id = contact.contact_id
        del self.contacts[contact_id]
        if contact.state is not ContactState.CONNECTED:
            if contact.channel not in PATIENT:
                self.lengths[contact.queue_id] -= 1
            self._stop_waiting(contact_id)
        if self.ringing_wide:
            self._ring_no_more(contact_id)

    def end_contact(self, contact_id: ContactId) -> None:
        """Forget a contact but for its id."""
        self.forget_contact(self.contacts[contact_id])
        self.ended[contact_id] = None
        if len(self.ended) > ENDED_LIMIT:
            del self.ended[next(iter(self.ended))]

    def put_offer(self, offer: Offer) -> None:
        """Take a new standing offer, or what one is from now on."""
        self.offers[offer.offer_id] = offer
        self.offer_deadlines.add((offer.expires_at, offer.number), offer.offer_id)

    def drop_offer(self, offer_id: OfferId) -> None:
        """Forget an offer that ended."""
        del self.offers[offer_id]
        self.offer_deadlines.remove(offer_id)

    def barred_agents(self, contact: Contact) -> Collection[AgentId]:
        """Who may not be offered this waiting contact: those who refused it, while somebody else may take it."""
        excluded = contact.excluded
        if not excluded:
            return ()
        matching = self.matching_of(contact.queue_id, contact.channel)
        return excluded if matching.others_at_work(contact.contact_id, excluded) else ()

    def barred_contacts(self, agent_id: AgentId) -> Collection[ContactId]:
        """Which waiting contacts this agent may not be offered."""
        asked = (self.contacts[contact_id] for contact_id in self.refused)
        return [contact.contact_id for contact in asked if agent_id in contact.excluded and self.barred_agents(contact)]

    def keep_place(self, kept: KeptPlace, now: int) -> None:
        """Remember a place for a while, and forget those whose time is over."""
        self.kept.pop((kept.queue_id, kept.identity), None)
        self.kept[kept.queue_id, kept.identity] = kept
        while self.kept and (len(self.kept) > KEPT_LIMIT or next(iter(self.kept.values())).until < now):
            del self.kept[next(iter(self.kept))]

    def reindex(self) -> None:
        """Build the indexes anew from the records; everybody idle counts as freed, everything waiting as queued."""
        self.clear_event()
        specs = [agent.spec for agent in self.agents.values()]
        self._build_lanes(specs)
        self.aside = {}
        self.delays = _delays(specs)
        self.rings_wide = any(queue.ring is not RingStyle.ONE for queue in self.queues.values())
        self.offer_deadlines, self.wrap_up_deadlines = Line(), Line()
        self.step_deadlines, self.ring_deadlines = Line(), Line()
        self.work_deadlines, self.wrapping = Line(), {}
        self.refused, self.guarded, self.ringing_wide = {}, {}, {}
        self.lengths = {}
        for contact in self.contacts.values():
            if contact.state is not ContactState.CONNECTED and contact.channel not in PATIENT:
                self.lengths[contact.queue_id] = self.lengths.get(contact.queue_id, 0) + 1
        for agent in self.agents.values():
            self._index_agent(None, agent)
        for contact in self.contacts.values():
            if contact.state is not ContactState.CONNECTED:
                self.put_contact(contact)
        for offer in self.offers.values():
            self.put_offer(offer)

    def _build_lanes(self, specs: Sequence[AgentSpec]) -> None:
        queues, seed = list(self.queues.values()), self.policy.seed
        own = {
            (queue.queue_id, each.channel): lane_of(queue, each.channel)
            for queue in queues
            for each in queue.interrupts
        }
        self.lanes = {
            lane: Matching([spec for spec in specs if lane.channel in channels_of(spec)], queues, seed)
            for lane in dict.fromkeys((*_PLAIN.values(), *own.values()))
        }
        self.matching = self.lanes[CALLS]
        self.side_lanes = [matching for lane, matching in self.lanes.items() if lane != CALLS]
        self._own_lanes = {place: self.lanes[lane] for place, lane in own.items()}
        self._calls_only = [(lane, each) for lane, each in self.lanes.items() if lane.channel is Channel.VOICE]
        self._takes = {
            spec.agent_id: [(lane, each) for lane, each in self.lanes.items() if lane.channel in channels_of(spec)]
            for spec in specs
            if spec.capacity
        }
        self._beside_calls = {
            agent_id
            for agent_id, lines in self._takes.items()
            if any(beside(self.agents[agent_id].spec, lane, Channel.VOICE) for lane, _ in lines if lane != CALLS)
        }

    def clear_event(self) -> None:
        """Forget what the event in progress left to be matched."""
        if self.freed:
            self.freed.clear()
        if self.queued:
            self.queued.clear()
        self.someone_stopped = False

    def _index_waiting(self, contact: Contact) -> None:
        contact_id = contact.contact_id
        matching = self.matching_of(contact.queue_id, contact.channel)
        matching.wait(contact_id, demand_of(contact), contact.key)
        if matching is not self.matching:
            self.aside[contact_id] = None
        self.queued.append(contact_id)
        if contact.excluded:
            self.refused[contact_id] = None
        if contact.plan is None and not self.delays:
            return
        self._index_step(contact)
        if contact.plan is None or contact.route_step.guard is StepGuard.NONE:
            self.guarded.pop(contact_id, None)
        else:
            self.guarded[contact_id] = None

    def _index_step(self, contact: Contact) -> None:
        moves_at = contact.moves_at
        if moves_at is None:
            self.step_deadlines.remove(contact.contact_id)
        else:
            self.step_deadlines.add((moves_at, contact.seq), contact.contact_id)

    def _index_ringing(self, contact: Contact) -> None:
        queue = self.queues.get(contact.queue_id)
        if queue is None or queue.ring is RingStyle.ONE:
            return
        contact_id = contact.contact_id
        if contact.state is not ContactState.OFFERED or contact.rung_since is None:
            self._ring_no_more(contact_id)
            return
        self.ringing_wide[contact_id] = None
        if queue.ring is RingStyle.PROGRESSIVELY:
            rings = len(contact.standing_offers)
            self.ring_deadlines.add((contact.rung_since + rings * queue.ring_step_ms, contact.seq), contact_id)

    def _ring_no_more(self, contact_id: ContactId) -> None:
        self.ringing_wide.pop(contact_id, None)
        self.ring_deadlines.remove(contact_id)

    def _stop_waiting(self, contact_id: ContactId) -> None:
        self.matching.not_waiting(contact_id)
        if contact_id in self.aside:
            del self.aside[contact_id]
            for matching in self.side_lanes:
                matching.not_waiting(contact_id)
        if self.step_deadlines.live:
            self.step_deadlines.remove(contact_id)
        if self.guarded:
            self.guarded.pop(contact_id, None)
        if self.refused:
            self.refused.pop(contact_id, None)

    def _index_agent(self, old: Agent | None, agent: Agent) -> None:
        agent_id, state = agent.spec.agent_id, agent.state
        before = None if old is None else old.state
        if agent.spec.capacity or self._own_lanes or agent.works or (old is not None and old.works):
            self._index_room(old, agent)
            self._index_wrap_ups(() if old is None else old.works, agent)
        elif state is _READY:
            self.matching.idle(agent)
            self.freed.append(agent_id)
        elif before is _READY:
            self.matching.not_idle(agent_id)
        at_work = agent.pending is _NONE and state in AT_WORK
        worked = old is not None and old.pending is _NONE and before in AT_WORK
        if at_work is not worked:
            for _, matching in self._lines_of(agent.spec):
                matching.set_at_work(agent_id, at_work=at_work)
            if worked:
                self.someone_stopped = True
        if state is _OFFLINE or before is _OFFLINE or old is None:
            self._index_seat(old, agent)
        if state is _WRAP_UP:
            if agent.until is not None:
                self.wrap_up_deadlines.add((agent.until, agent.idle_seq), agent_id)
        elif before is _WRAP_UP:
            self.wrap_up_deadlines.remove(agent_id)

    def _index_room(self, old: Agent | None, agent: Agent) -> None:
        """As for idle agents, lane by lane: whoever has room stands in the lines of that lane."""
        agent_id, anywhere = agent.spec.agent_id, False
        alone, ready = not agent.works, agent.state is _READY
        if alone and not ready and agent_id not in self._beside_calls:  # away, or with a call
            if old is None or old.works or old.state is _READY:  # else there was no room before, either
                for _, matching in self._lines_of(agent.spec):
                    matching.not_idle(agent_id)
            return
        free = alone and ready and not agent.desk_closed
        for lane, matching in self._lines_of(agent.spec):
            if free or has_room(agent, lane):
                matching.idle(agent)
                anywhere = True
            else:
                matching.not_idle(agent_id)
        if anywhere:
            self.freed.append(agent_id)

    def _index_wrap_ups(self, before: tuple[Work, ...], agent: Agent) -> None:
        if before is agent.works:
            return
        for work in before:
            if work.over:
                self.work_deadlines.remove(work.contact_id)
                self.wrapping.pop(work.contact_id, None)
        for work in agent.works:
            if work.over:
                self.wrapping[work.contact_id] = agent.agent_id
                if work.until is not None:
                    self.work_deadlines.add((work.until, work.since), work.contact_id)

    def _index_seat(self, old: Agent | None, agent: Agent) -> None:
        signed_in = agent.state is not _OFFLINE
        for _, matching in self._lines_of(agent.spec):
            matching.set_signed_in(agent.agent_id, signed_in=signed_in)
        if not signed_in:
            self.leases.remove(agent.agent_id)
            if old is not None:
                self.someone_stopped = True


def _delays(specs: Iterable[AgentSpec]) -> dict[QueueId, tuple[int, ...]]:
    found: dict[QueueId, set[int]] = {}
    for spec in specs:
        for delay in spec.delays:
            if delay.delay_ms > 0:
                found.setdefault(delay.queue_id, set()).add(delay.delay_ms)
    return {queue_id: tuple(sorted(delays)) for queue_id, delays in found.items()}
