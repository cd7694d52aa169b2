"""What must be true of every floor after every event, checked on the engine's read-only views alone."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from acd.agents import Agent
from acd.capacity import PATIENT, Lane, lane_of
from acd.contacts import Contact, ContactState, place
from acd.engine import Acd
from acd.events import AgentOrder, Channel
from acd.ids import AgentId, ContactId, OfferId
from acd.outcomes import (
    AgentState,
    ContactDequeued,
    ContactQueued,
    OfferContact,
    OfferEnded,
    OfferResult,
    Outcome,
)
from acd.queues import demand_of
from acd.rules import candidates, guard_holds, has_somebody, may_take, rank
from acd.shared_work import drop_work, has_room, ring_shared


def check_places(acd: Acd) -> None:
    """No agent holds two offers, no contact is in two places, and the three kinds of record agree about each other."""
    offers = {offer.offer_id: offer for offer in acd.offers()}
    assert max(Counter(offer.agent_id for offer in offers.values()).values(), default=0) <= 1, "two offers, one agent"
    _check_works(acd)
    contacts = {contact.contact_id: contact for contact in acd.contacts()}
    agents = {agent.agent_id: agent for agent in acd.agents()}
    for offer in offers.values():
        contact, agent = contacts[offer.contact_id], agents[offer.agent_id]
        assert contact.state is ContactState.OFFERED
        assert offer.offer_id in contact.standing_offers
        if contact.channel is Channel.VOICE:
            assert (agent.state, agent.offer_id, agent.contact_id) == ("offered", offer.offer_id, offer.contact_id)
            assert agent.until == offer.expires_at
    for contact in contacts.values():
        assert bool(contact.standing_offers) == (contact.state is ContactState.OFFERED)
        assert len(set(contact.standing_offers)) == len(contact.standing_offers)
        assert set(contact.standing_offers) <= set(offers)
        if contact.offer_id is not None:
            assert contact.agent_id == offers[contact.offer_id].agent_id
        if contact.state is ContactState.CONNECTED:
            assert contact.agent_id is not None
            agent = agents[contact.agent_id]
        if contact.state is ContactState.CONNECTED and contact.channel is Channel.VOICE:
            assert (agent.state, agent.contact_id) == ("busy", contact.contact_id)
        assert contact.state is not ContactState.ENDED
    called = sum(contacts[offer.contact_id].channel is Channel.VOICE for offer in offers.values())
    assert sum(agent.state is AgentState.OFFERED for agent in agents.values()) == called
    calls = [contact for contact in contacts.values() if contact.channel is Channel.VOICE]
    talking = sum(contact.state is ContactState.CONNECTED for contact in calls)
    assert sum(agent.state is AgentState.BUSY for agent in agents.values()) == talking


def _check_works(acd: Acd) -> None:
    """What an agent has of shared channels is what those contacts and their offers say."""
    expected: set[tuple[AgentId | None, ContactId, Channel, OfferId | None]] = {
        (contact.agent_id, contact.contact_id, contact.channel, None)
        for contact in acd.contacts()
        if contact.channel is not Channel.VOICE and contact.state is ContactState.CONNECTED
    }
    channels = {contact.contact_id: contact.channel for contact in acd.contacts()}
    expected |= {
        (offer.agent_id, offer.contact_id, channels[offer.contact_id], offer.offer_id)
        for offer in acd.offers()
        if channels[offer.contact_id] is not Channel.VOICE
    }
    held = [
        (a.agent_id, work.contact_id, work.channel, work.offer_id)
        for a in acd.agents()
        for work in a.works
        if not work.over
    ]
    over = [work.contact_id for a in acd.agents() for work in a.works if work.over]
    assert not set(over) & set(channels), "it is wrapped up and not over"
    assert len(set(held)) == len(held)
    assert set(held) == expected, "agents and contacts of shared channels disagree"


def check_work_conservation(acd: Acd) -> None:
    """Nothing waits while an agent who may take it is idle and need not stay in reserve."""
    agents = acd.agents()
    for contact in acd.contacts():
        lane = lane_at(acd, contact)
        if contact.state is ContactState.WAITING and has_somebody(contact, lane, agents):
            idle = [agent.agent_id for agent in candidates(contact, lane, agents)]
            raise AssertionError(f"{contact.contact_id} waits, {idle} idle")


def check_steps(acd: Acd, now: int, priority_worth_ms: int | None) -> None:
    """Every waiting contact is in a step that holds, or in the last of a plan that has no way out."""
    agents = acd.agents()
    weights = {queue.spec.queue_id: queue.spec.weight for queue in acd.queues()}
    for contact in acd.contacts():
        if contact.queue_id in weights:
            key = place(contact, weights[contact.queue_id], priority_worth_ms)
            assert contact.key == key, f"{contact.contact_id} is out of its place"
        if contact.state is ContactState.WAITING:
            matured = [
                delay.delay_ms
                for agent in agents
                for delay in agent.spec.delays
                if delay.queue_id == contact.queue_id and delay.delay_ms <= now - contact.arrived_at
            ]
            assert contact.matured_ms == max(matured, default=0), f"{contact.contact_id} is not asked for by its age"
        if contact.state is not ContactState.WAITING or contact.plan is None:
            continue
        plan, step = contact.plan, contact.route_step
        over = step.until_ms is not None and contact.plan_since + step.until_ms <= now
        if over or not guard_holds(contact, agents):
            assert plan.otherwise is None, f"{contact.contact_id} waits though its plan is over"
            assert contact.step == len(plan.steps) - 1, f"{contact.contact_id} stays in step {contact.step}"
        elif step.until_ms is not None and (plan.otherwise is not None or contact.step < len(plan.steps) - 1):
            assert contact.step_until == contact.plan_since + step.until_ms


def lane_at(acd: Acd, contact: Contact) -> Lane:
    """What the contact may come beside, by the queue it is in."""
    return lane_of({each.spec.queue_id: each.spec for each in acd.queues()}.get(contact.queue_id), contact.channel)


def check_contact_books(outcomes: Sequence[Outcome], acd: Acd) -> None:
    """Offered = answered + abandoned + sent away + overflowed + still here, at every instant."""
    arrived = sum(isinstance(outcome, ContactQueued) and not outcome.returned for outcome in outcomes)
    left = sum(isinstance(outcome, ContactDequeued) for outcome in outcomes)
    here = sum(contact.state is not ContactState.CONNECTED for contact in acd.contacts())
    assert arrived == left + here, "a contact got lost, or was counted twice"


def check_order(acd: Acd, outcomes: Sequence[Outcome]) -> None:
    """Every offer just made was allowed, for the contact first in line, and to the first agent by the queue's order."""
    agents = {agent.agent_id: agent for agent in acd.agents()}
    contacts = {contact.contact_id: contact for contact in acd.contacts()}
    orders = {queue.spec.queue_id: queue.spec.order for queue in acd.queues()}
    made_way = {
        each.contact_id: each.agent_id for each in outcomes if isinstance(each, OfferEnded) and not _was_taken(each)
    }
    for offer in [each for each in outcomes if isinstance(each, OfferContact)]:
        contact = contacts.get(offer.contact_id)
        if contact is not None and contact.state is ContactState.OFFERED:  # else it made way itself
            _check_offer(agents[offer.agent_id], contact, orders[contact.queue_id], acd, made_way)


def _was_taken(ended: OfferEnded) -> bool:
    return ended.result is OfferResult.ACCEPTED


def check_offer_books(outcomes: Sequence[Outcome], standing: int) -> None:
    """Every offer that was made either stands or ended exactly once, and nothing ended that was not made."""
    made = [outcome.offer_id for outcome in outcomes if isinstance(outcome, OfferContact)]
    ended = [outcome.offer_id for outcome in outcomes if isinstance(outcome, OfferEnded)]
    assert len(set(made)) == len(made), "an offer id was used twice"
    assert len(set(ended)) == len(ended), "an offer ended twice"
    assert set(ended) <= set(made)
    assert len(made) == len(ended) + standing


def _check_offer(
    agent: Agent, contact: Contact, order: AgentOrder, acd: Acd, made_way: Mapping[ContactId, AgentId]
) -> None:
    agents = acd.agents()
    before = _before(agent, contact)
    for other in acd.contacts():
        if (
            contact.channel is Channel.VOICE
            and other.channel in PATIENT
            and made_way.get(other.contact_id) == agent.agent_id
        ):
            before = ring_shared(before, 0, other.contact_id, other.channel, OfferId("withdrawn"), before.last_offer)
    assert may_take(agent, contact, agents), f"{contact.contact_id} must not ring at {agent.agent_id}"
    for other in acd.contacts():
        if other.state is not ContactState.WAITING or not has_room(before, lane_at(acd, other)):
            continue
        if may_take(agent, other, agents) and not other.route_step.min_idle:
            overtaken = other.key < contact.key and not (
                contact.channel is Channel.VOICE and other.contact_id in made_way
            )
            assert not overtaken, f"{contact.contact_id} overtook {other.contact_id}"
    if order in {AgentOrder.RANDOM, AgentOrder.ROUND_ROBIN}:
        return  # the offer itself changes the key; the oracle follows them
    specs = [agent.spec for agent in agents]
    demand = demand_of(contact)
    for rival in agents:
        if has_room(rival, lane_at(acd, contact)) and may_take(rival, contact, agents):
            assert rank(rival, demand, order, specs) > rank(agent, demand, order, specs), f"not the first by {order}"


def _before(agent: Agent, contact: Contact) -> Agent:
    """The agent before the contact rang."""
    if contact.channel is Channel.VOICE:
        return replace(agent, state=AgentState.READY, offer_id=None, contact_id=None)
    return drop_work(agent, contact.contact_id)
