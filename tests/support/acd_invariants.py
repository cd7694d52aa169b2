"""What must be true of every floor after every event, checked on the engine's read-only views alone."""

from collections import Counter
from collections.abc import Sequence

from acd.agents import Agent
from acd.contacts import Contact, ContactState
from acd.engine import Acd
from acd.outcomes import AgentState, OfferContact, OfferEnded, Outcome
from tests.support.acd_oracle import may_take


def check_places(acd: Acd) -> None:
    """No agent holds two offers, no contact is in two places, and the three kinds of record agree about each other."""
    offers = {offer.offer_id: offer for offer in acd.offers()}
    assert max(Counter(offer.agent_id for offer in offers.values()).values(), default=0) <= 1, "two offers, one agent"
    assert max(Counter(offer.contact_id for offer in offers.values()).values(), default=0) <= 1, "two offers, a contact"
    contacts = {contact.contact_id: contact for contact in acd.contacts()}
    agents = {agent.agent_id: agent for agent in acd.agents()}
    for offer in offers.values():
        contact, agent = contacts[offer.contact_id], agents[offer.agent_id]
        assert (contact.state, contact.offer_id, contact.agent_id) == ("offered", offer.offer_id, offer.agent_id)
        assert (agent.state, agent.offer_id, agent.contact_id) == ("offered", offer.offer_id, offer.contact_id)
        assert agent.until == offer.expires_at
    for contact in contacts.values():
        assert (contact.offer_id in offers) == (contact.state is ContactState.OFFERED)
        if contact.state is ContactState.CONNECTED:
            assert contact.agent_id is not None
            agent = agents[contact.agent_id]
            assert (agent.state, agent.contact_id) == ("busy", contact.contact_id)
        assert contact.state is not ContactState.ENDED
    assert sum(agent.state is AgentState.OFFERED for agent in agents.values()) == len(offers)
    talking = sum(contact.state is ContactState.CONNECTED for contact in contacts.values())
    assert sum(agent.state is AgentState.BUSY for agent in agents.values()) == talking


def check_work_conservation(acd: Acd) -> None:
    """Nothing waits while an agent who may take it is idle."""
    agents = acd.agents()
    idle = [agent for agent in agents if agent.state is AgentState.READY]
    for contact in acd.contacts():
        if contact.state is ContactState.WAITING:
            for agent in idle:
                assert not may_take(agent, contact, agents), f"{contact.contact_id} waits, {agent.agent_id} idles"


def check_order(acd: Acd, outcomes: Sequence[Outcome]) -> None:
    """Every offer just made went to the longest idle agent, and for the contact first in line."""
    agents = {agent.agent_id: agent for agent in acd.agents()}
    contacts = {contact.contact_id: contact for contact in acd.contacts()}
    for offer in outcomes:
        if isinstance(offer, OfferContact):
            _check_offer(agents[offer.agent_id], contacts[offer.contact_id], acd)


def check_offer_books(outcomes: Sequence[Outcome], standing: int) -> None:
    """Every offer that was made either stands or ended exactly once, and nothing ended that was not made."""
    made = [outcome.offer_id for outcome in outcomes if isinstance(outcome, OfferContact)]
    ended = [outcome.offer_id for outcome in outcomes if isinstance(outcome, OfferEnded)]
    assert len(set(made)) == len(made), "an offer id was used twice"
    assert len(set(ended)) == len(ended), "an offer ended twice"
    assert set(ended) <= set(made)
    assert len(made) == len(ended) + standing


def _place(contact: Contact) -> tuple[int, int, int]:
    return (-contact.priority, contact.arrived_at, contact.seq)


def _check_offer(agent: Agent, contact: Contact, acd: Acd) -> None:
    agents = acd.agents()
    assert may_take(agent, contact, agents), f"{contact.contact_id} must not ring at {agent.agent_id}"
    for other in acd.contacts():
        if other.state is ContactState.WAITING and may_take(agent, other, agents):
            assert _place(other) > _place(contact), f"{contact.contact_id} overtook {other.contact_id}"
    for rival in agents:
        if rival.state is AgentState.READY and may_take(rival, contact, agents):
            assert (rival.idle_since, rival.idle_seq) > (agent.idle_since, agent.idle_seq), "not the longest idle"
