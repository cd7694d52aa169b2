"""The board: all records of the floor, and the indexes that always agree with them.

Records change only through ``put_*`` and ``drop_*``. Those keep matching, deadlines and the list of what became
free or began to wait in step, and tell the agent's changes. Indexes are never saved: they follow from the records.
"""

from collections.abc import Collection

from acd.agents import Agent
from acd.contacts import Contact, ContactState
from acd.errors import UnknownAgent, UnknownContact
from acd.events import QueueSpec
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.lines import Line
from acd.matching import Matching
from acd.offers import Offer
from acd.outcomes import AgentState, AgentStateChanged, Outcome
from acd.queues import Demand

ENDED_LIMIT = 1024
"""How many ended contacts are remembered, to tell a late hang-up from an unknown contact."""


class Board:
    """The mutable state of one engine. ``outcomes`` collects what the event in progress has to say."""

    def __init__(self) -> None:
        self.queues: dict[QueueId, QueueSpec] = {}
        self.agents: dict[AgentId, Agent] = {}
        self.contacts: dict[ContactId, Contact] = {}
        self.offers: dict[OfferId, Offer] = {}
        self.ended: dict[ContactId, None] = {}
        self.seq = 0
        self.offers_made = 0
        self.outcomes: list[Outcome] = []
        self.matching = Matching(())
        self.offer_deadlines: Line[OfferId] = Line()
        self.wrap_up_deadlines: Line[AgentId] = Line()
        self.refused: dict[ContactId, None] = {}
        """Waiting contacts that somebody refused."""
        self.freed: list[AgentId] = []
        """Agents that became idle during the event in progress."""
        self.queued: list[ContactId] = []
        """Contacts that began to wait during the event in progress."""
        self.someone_stopped = False
        """Whether somebody ceased to be at work during the event in progress."""

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
        agent_id = agent.agent_id
        old = self.agents[agent_id]
        if agent is old:
            return
        self.agents[agent_id] = agent
        self._index_agent(old, agent)
        self.outcomes.append(
            AgentStateChanged(
                agent_id=agent_id,
                state=agent.state,
                since=agent.since,
                reason=agent.reason,
                contact_id=agent.contact_id,
                until=agent.until,
                pending=agent.pending_text,
            )
        )
        if agent.retiring and agent.state is AgentState.OFFLINE:
            self.drop_agent(agent_id)

    def drop_agent(self, agent_id: AgentId) -> None:
        """Forget an agent who is offline."""
        del self.agents[agent_id]
        self.matching.forget_agent(agent_id)

    def put_contact(self, contact: Contact) -> None:
        """Take the contact's new record."""
        contact_id = contact.contact_id
        self.contacts[contact_id] = contact
        if contact.state is ContactState.WAITING:
            self.matching.wait(contact_id, Demand(contact.queue_id, contact.required_skills), contact.key)
            self.queued.append(contact_id)
            if contact.excluded:
                self.refused[contact_id] = None
        else:
            self._stop_waiting(contact_id)

    def end_contact(self, contact_id: ContactId) -> None:
        """Forget a contact but for its id."""
        del self.contacts[contact_id]
        self._stop_waiting(contact_id)
        self.ended[contact_id] = None
        if len(self.ended) > ENDED_LIMIT:
            del self.ended[next(iter(self.ended))]

    def put_offer(self, offer: Offer) -> None:
        """Take a new standing offer."""
        self.offers[offer.offer_id] = offer
        self.offer_deadlines.add((offer.expires_at, offer.number), offer.offer_id)

    def drop_offer(self, offer_id: OfferId) -> None:
        """Forget an offer that ended."""
        del self.offers[offer_id]
        self.offer_deadlines.remove(offer_id)

    def barred_agents(self, contact: Contact) -> Collection[AgentId]:
        """Who may not be offered this waiting contact: those who refused it, while somebody else may take it."""
        excluded = contact.excluded
        return excluded if excluded and self.matching.others_at_work(contact.contact_id, excluded) else ()

    def barred_contacts(self, agent_id: AgentId) -> Collection[ContactId]:
        """Which waiting contacts this agent may not be offered."""
        asked = (self.contacts[contact_id] for contact_id in self.refused)
        return [contact.contact_id for contact in asked if agent_id in contact.excluded and self.barred_agents(contact)]

    def reindex(self) -> None:
        """Build the indexes anew from the records; everybody idle counts as freed, everything waiting as queued."""
        self.clear_event()
        self.matching = Matching([agent.spec for agent in self.agents.values()])
        self.offer_deadlines, self.wrap_up_deadlines = Line(), Line()
        self.refused = {}
        for agent in self.agents.values():
            self._index_agent(None, agent)
        for contact in self.contacts.values():
            if contact.state is ContactState.WAITING:
                self.put_contact(contact)
        for offer in self.offers.values():
            self.put_offer(offer)

    def clear_event(self) -> None:
        """Forget what the event in progress left to be matched."""
        self.freed.clear()
        self.queued.clear()
        self.someone_stopped = False

    def _stop_waiting(self, contact_id: ContactId) -> None:
        self.matching.not_waiting(contact_id)
        self.refused.pop(contact_id, None)

    def _index_agent(self, old: Agent | None, agent: Agent) -> None:
        agent_id = agent.agent_id
        if agent.state is AgentState.READY:
            self.matching.idle(agent_id, (agent.idle_since, agent.idle_seq))
            self.freed.append(agent_id)
        elif old is not None and old.state is AgentState.READY:
            self.matching.not_idle(agent_id)
        self.matching.set_at_work(agent_id, at_work=agent.at_work)
        self.someone_stopped |= old is not None and old.at_work and not agent.at_work
        if agent.state is AgentState.WRAP_UP and agent.until is not None:
            self.wrap_up_deadlines.add((agent.until, agent.idle_seq), agent_id)
        elif old is not None and old.state is AgentState.WRAP_UP:
            self.wrap_up_deadlines.remove(agent_id)
