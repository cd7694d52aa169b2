"""Offers in motion: making them, ending them, and seeing after each event that nobody waits while somebody idles."""

from collections.abc import Iterable

from acd.agents import Agent, AgentTrigger
from acd.agents import enter as agent_enters
from acd.board import Board
from acd.contacts import Contact, ContactState, connected, offered, returned
from acd.events import DeclineCause, OfferAccepted, OfferDeclined
from acd.ids import AgentId, ContactId, OfferId
from acd.lines import Key
from acd.matching import Choice
from acd.offers import Offer, OfferState, OfferTrigger, step
from acd.outcomes import (
    ContactAssigned,
    ContactDequeued,
    ContactQueued,
    Decision,
    DequeueReason,
    OfferContact,
    OfferEnded,
    OfferLapsed,
    OfferResult,
    WithdrawOffer,
)

LONGEST_IDLE_AGENT = "longest_idle_agent"
"""The rule when a contact finds several idle agents: the smallest ``(idle_since, seq)``."""
FIRST_CONTACT = "first_contact"
"""The rule when an agent finds several waiting contacts: the smallest ``(-priority, arrived_at, seq)``."""
NO_ANSWER_REASON = "no_answer"
"""The not-ready reason of an agent who let an offer ring out."""
DECLINE_REASONS = {
    DeclineCause.DECLINED: "declined",
    DeclineCause.BUSY: "phone_busy",
    DeclineCause.UNREACHABLE: "phone_unreachable",
}
"""The not-ready reason of an agent who, or whose phone, refused."""


def settle(board: Board, now: int) -> None:
    """Make every offer that the event in progress made possible, so that no waiting contact has an idle agent.

    Both sides are ranked alike by everybody, so serving contacts in their order or agents in theirs leads to the same
    pairs; what is cheaper is done.
    """
    unbarred = board.refused if board.someone_stopped else {}
    if board.freed and (board.queued or unbarred):
        _serve(board, board.contacts, now)
    elif board.queued or unbarred:
        _serve(board, dict.fromkeys([*board.queued, *unbarred]), now)
    else:
        freed = [board.agents[agent_id] for agent_id in board.freed]
        if len(freed) > 1:
            freed.sort(key=lambda agent: (agent.idle_since, agent.idle_seq))
        for agent in freed:
            _serve_agent(board, agent, now)
    board.clear_event()


def accept(board: Board, event: OfferAccepted, now: int) -> None:
    """The agent answered: connect the two, or release whoever answered too late."""
    offer = board.offers.get(event.offer_id)
    if offer is None:
        board.outcomes.append(OfferLapsed(event.offer_id))
        return
    contact = board.contacts[offer.contact_id]
    waited_ms = max(0, now - contact.arrived_at)
    queue = board.queues[contact.queue_id]
    close(board, offer, OfferTrigger.ANSWERED)
    board.put_contact(connected(contact, queue.wrap_up_ms))
    board.outcomes.append(
        ContactDequeued(contact.contact_id, contact.queue_id, DequeueReason.ASSIGNED, waited_ms),
    )
    board.outcomes.append(
        ContactAssigned(offer.offer_id, contact.contact_id, offer.agent_id, contact.queue_id, waited_ms),
    )
    agent = board.agents[offer.agent_id]
    board.put_agent(agent_enters(agent, AgentTrigger.OFFER_ACCEPTED, now, contact_id=contact.contact_id))


def decline(board: Board, event: OfferDeclined, now: int) -> None:
    """The agent or the phone refused: the contact goes back to its place, the agent is not ready."""
    offer = board.offers.get(event.offer_id)
    if offer is None:
        board.outcomes.append(OfferLapsed(event.offer_id))
        return
    fail(board, offer, OfferTrigger.REFUSED, now, reason=DECLINE_REASONS[event.cause])


def expire(board: Board, offer_id: OfferId, now: int) -> None:
    """The ring timeout of a standing offer passed (RONA)."""
    fail(board, board.offers[offer_id], OfferTrigger.RANG_OUT, now, reason=NO_ANSWER_REASON)


def fail(board: Board, offer: Offer, trigger: OfferTrigger, now: int, *, reason: str) -> None:
    """End an offer that its agent did not take; the agent has to ask for work again."""
    agent = agent_enters(board.agents[offer.agent_id], AgentTrigger.OFFER_FAILED, now, reason=reason)
    close(board, offer, trigger)
    board.put_agent(agent)
    give_back(board, offer, refused_by=offer.agent_id)


def close(board: Board, offer: Offer, trigger: OfferTrigger) -> None:
    """End a standing offer: tell it, and unless it was accepted, order the ringing to stop."""
    state = step(offer, trigger)
    result = OfferResult(state)
    board.drop_offer(offer.offer_id)
    board.outcomes.append(OfferEnded(offer.offer_id, offer.contact_id, offer.agent_id, result))
    if state is not OfferState.ACCEPTED:
        board.outcomes.append(WithdrawOffer(offer.offer_id, offer.contact_id, offer.agent_id, result))


def give_back(board: Board, offer: Offer, *, refused_by: AgentId | None) -> None:
    """Put the contact of an ended offer back in its place."""
    contact = returned(board.contacts[offer.contact_id], refused_by=refused_by)
    board.put_contact(contact)
    tell_queued(board, contact, returned=True)


def tell_queued(board: Board, contact: Contact, *, returned: bool) -> None:
    """Tell that a contact waits."""
    board.outcomes.append(
        ContactQueued(contact.contact_id, contact.queue_id, contact.arrived_at, contact.priority, returned)
    )


def _serve(board: Board, contact_ids: Iterable[ContactId], now: int) -> None:
    """Look for agents for those of the contacts that wait, first in line first."""
    contacts = [board.contacts[contact_id] for contact_id in contact_ids]
    waiting = [contact for contact in contacts if contact.state is ContactState.WAITING]
    if len(waiting) > 1:
        waiting.sort(key=lambda contact: contact.key)
    for contact in waiting:
        choice = board.matching.pick_agent(contact.contact_id, board.barred_agents(contact))
        if choice is not None:
            _offer(board, contact, board.agents[choice.winner], _decision(LONGEST_IDLE_AGENT, choice), now)


def _serve_agent(board: Board, agent: Agent, now: int) -> None:
    """Look for a contact for an agent who became idle."""
    barred = board.barred_contacts(agent.agent_id) if board.refused else ()
    choice = board.matching.pick_contact(agent.agent_id, barred)
    if choice is not None:
        _offer(board, board.contacts[choice.winner], agent, _decision(FIRST_CONTACT, choice), now)


def _decision(rule: str, choice: Choice[AgentId] | Choice[ContactId]) -> Decision:
    return Decision(
        rule=rule,
        candidates=choice.candidates,
        winner_key=_text(choice.winner_key),
        runner_up=choice.runner_up,
        runner_up_key=None if choice.runner_up_key is None else _text(choice.runner_up_key),
    )


def _text(key: Key) -> str:
    return str(key)


def _offer(board: Board, contact: Contact, agent: Agent, decision: Decision, now: int) -> None:
    board.offers_made += 1
    offer = Offer(
        offer_id=OfferId(f"o{board.offers_made}"),
        number=board.offers_made,
        contact_id=contact.contact_id,
        agent_id=agent.agent_id,
        queue_id=contact.queue_id,
        made_at=now,
        expires_at=now + board.queues[contact.queue_id].ring_timeout_ms,
        decision=decision,
    )
    board.put_offer(offer)
    board.put_contact(offered(contact, offer.offer_id, agent.agent_id))
    board.outcomes.append(
        OfferContact(
            offer_id=offer.offer_id,
            contact_id=offer.contact_id,
            agent_id=offer.agent_id,
            queue_id=offer.queue_id,
            expires_at=offer.expires_at,
            decision=decision,
        )
    )
    ringing = agent_enters(
        agent,
        AgentTrigger.OFFER_MADE,
        now,
        contact_id=offer.contact_id,
        offer_id=offer.offer_id,
        until=offer.expires_at,
    )
    board.put_agent(ringing)
