"""Offers in motion: making them, ending them, and seeing after each event that nobody waits while somebody idles."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from acd import planning
from acd.agents import Agent, AgentTrigger, defer, ring, take
from acd.agents import enter as agent_enters
from acd.board import Board
from acd.capacity import CALLS, lane_of
from acd.contacts import Contact, ContactState, connected, offered, returned, still_offered
from acd.events import AgentOrder, Channel, DeclineCause, OfferAccepted, OfferDeclined, RingStyle
from acd.ids import AgentId, ContactId, OfferId
from acd.matching import Choice
from acd.offers import Offer, OfferState, OfferTrigger, step
from acd.outcomes import (
    AgentState,
    ContactAssigned,
    ContactDequeued,
    ContactQueued,
    Decision,
    DequeueReason,
    OfferContact,
    OfferEnded,
    OfferLapsed,
    OfferResult,
    OfferRings,
    WithdrawOffer,
)
from acd.queues import Demand, demand_of
from acd.shared_work import drop_work, has_room, ring_shared, rung_patiently, take_shared
from acd.wrap_ups import ring_timeout_ms, rule_of, wrap_up_ms

RULES = {order: f"{order}_agent" for order in AgentOrder}
"""The rule when a contact finds several idle agents, by the order of its queue."""
FIRST_CONTACT = "first_contact"
"""The rule when an agent finds several waiting contacts: the smallest ``(-priority, arrived_at, seq)``."""
RESULTS: dict[OfferState, OfferResult] = {
    state: OfferResult(state) for state in OfferState if state is not OfferState.STANDING
}
"""How an offer ended, by the state it is in then."""
NO_ANSWER_REASON = "no_answer"
"""The not-ready reason of an agent who let an offer ring out."""
QUARANTINED_REASON = "quarantined"
"""The not-ready reason of an agent who let too many offers in a row ring out."""
DECLINE_REASONS = {
    DeclineCause.DECLINED: "declined",
    DeclineCause.BUSY: "phone_busy",
    DeclineCause.UNREACHABLE: "phone_unreachable",
}
"""The not-ready reason of an agent who, or whose phone, refused."""


def settle(board: Board, now: int) -> None:
    """Make every offer that the event in progress made possible, so that no waiting contact has an idle agent.

    Contacts choose in their order, each the best agent. A single agent who became free, with nobody held in reserve,
    may as well take the first contact that fits: the same pair, and cheaper.
    """
    if board.someone_stopped:
        board.someone_stopped = False
        if board.guarded:
            planning.recheck_guards(board, now)
        if board.refused:
            board.queued.extend(contact_id for contact_id in board.refused if contact_id not in board.queued)
    if board.freed or board.queued:
        _settle_waiting(board, now)
        board.clear_event()
        while board.pushed_aside:
            pushed, board.pushed_aside = board.pushed_aside, []
            _serve(board, pushed, now)
            board.clear_event()
    if board.ringing_wide:
        _ring_wider(board, now)


def _settle_waiting(board: Board, now: int) -> None:
    if not board.freed:
        _serve(board, board.queued, now)
    elif board.queued or not _agent_may_choose(board):
        _serve_everybody(board, now)
    else:
        _serve_agent(board, board.agents[board.freed[0]], now)


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
    losers = _close_others(board, contact, offer) if contact.further_offers else ()
    channel = contact.channel
    board.put_contact(connected(contact, offer.agent_id, wrap_up_ms(queue, channel), rule_of(queue, channel)))
    board.outcomes.append(
        ContactDequeued(
            contact.contact_id, contact.queue_id, DequeueReason.ASSIGNED, waited_ms, channel, contact.is_away
        ),
    )
    board.outcomes.append(
        ContactAssigned(offer.offer_id, contact.contact_id, offer.agent_id, contact.queue_id, waited_ms, channel),
    )
    agent = board.agents[offer.agent_id]
    if contact.channel is Channel.VOICE:
        board.put_agent(take(agent, now, contact.contact_id))
    else:
        board.put_agent(take_shared(agent, now, contact.contact_id, board.next_seq()))
    for lost in losers:
        board.put_agent(unrung(board.agents[lost.agent_id], contact, now))


def take_from(board: Board, contact: Contact, agent_id: AgentId, now: int) -> None:
    """A contact that rings was picked up by an agent for whom it did not: it is connected, and rings no more."""
    queue = board.queues[contact.queue_id]
    standing = [board.offers[offer_id] for offer_id in contact.standing_offers]
    for offer in standing:
        close(board, offer, OfferTrigger.REVOKED)
    board.put_contact(connected(contact, agent_id, queue.wrap_up_ms, rule_of(queue, contact.channel)))
    waited_ms = max(0, now - contact.arrived_at)
    board.outcomes.append(
        ContactDequeued(contact.contact_id, contact.queue_id, DequeueReason.ASSIGNED, waited_ms),
    )
    for offer in standing:
        board.put_agent(unrung(board.agents[offer.agent_id], contact, now))


def unrung(agent: Agent, contact: Contact, now: int) -> Agent:
    """The agent at whom this contact rings no more, through no doing of the agent's; the idle time is kept."""
    if contact.channel is Channel.VOICE:
        return agent_enters(agent, AgentTrigger.OFFER_WITHDRAWN, now)
    return drop_work(agent, contact.contact_id)


def decline(board: Board, event: OfferDeclined, now: int) -> None:
    """The agent or the phone refused: the contact goes back to its place, the agent is not ready."""
    offer = board.offers.get(event.offer_id)
    if offer is None:
        board.outcomes.append(OfferLapsed(event.offer_id))
        return
    fail(board, offer, OfferTrigger.REFUSED, now, reason=DECLINE_REASONS[event.cause])


def let_ring(board: Board, offer: Offer, now: int) -> None:
    """An agent was kept for a customer who is there now: the phone rings, for as long as any of the queue does."""
    contact, agent = board.contacts[offer.contact_id], board.agents[offer.agent_id]
    expires_at = now + ring_timeout_ms(board.queues[offer.queue_id], contact.channel)
    board.put_offer(replace(offer, expires_at=expires_at))
    board.outcomes.append(
        OfferRings(offer.offer_id, offer.contact_id, offer.agent_id, offer.queue_id, expires_at),
    )
    board.put_agent(replace(agent, until=expires_at))


def expire(board: Board, offer_id: OfferId, now: int) -> None:
    """The ring timeout of a standing offer passed (RONA). Too many in a row end in quarantine. An agent who was only
    kept has missed nothing."""
    offer = board.offers[offer_id]
    if board.contacts[offer.contact_id].reserve_ms is not None:
        close(board, offer, OfferTrigger.REVOKED)
        board.put_agent(unrung(board.agents[offer.agent_id], board.contacts[offer.contact_id], now))
        give_back(board, offer, now, refused_by=None)
        return
    misses = board.agents[offer.agent_id].misses + 1
    limit = board.policy.quarantine_after
    quarantined = limit is not None and misses >= limit
    fail(board, offer, OfferTrigger.RANG_OUT, now, reason=QUARANTINED_REASON if quarantined else NO_ANSWER_REASON)


def fail(board: Board, offer: Offer, trigger: OfferTrigger, now: int, *, reason: str) -> None:
    """End an offer that its agent did not take; the agent has to ask for work again."""
    agent = _refused(board.agents[offer.agent_id], offer, now, reason)
    if trigger is OfferTrigger.RANG_OUT:
        until = now + board.policy.quarantine_ms if reason == QUARANTINED_REASON else None
        agent = replace(agent, misses=agent.misses + 1, quarantined_until=until)
        if agent.state is AgentState.NOT_READY:
            agent = replace(agent, until=until)
    close(board, offer, trigger)
    board.put_agent(agent)
    give_back(board, offer, now, refused_by=offer.agent_id)


def _refused(agent: Agent, offer: Offer, now: int, reason: str) -> Agent:
    """The agent who did not take an offer: not ready, or so after the call that goes on meanwhile."""
    if agent.offer_id == offer.offer_id:
        return agent_enters(agent, AgentTrigger.OFFER_FAILED, now, reason=reason)
    agent = drop_work(agent, offer.contact_id)
    if agent.state is AgentState.READY:
        return agent_enters(agent, AgentTrigger.MADE_NOT_READY, now, reason=reason)
    return defer(agent, AgentTrigger.MADE_NOT_READY, reason)


def close(board: Board, offer: Offer, trigger: OfferTrigger) -> None:
    """End a standing offer: tell it, and unless it was accepted, order the ringing to stop."""
    state = step(offer, trigger)
    result = RESULTS[state]
    board.drop_offer(offer.offer_id)
    board.outcomes.append(OfferEnded(offer.offer_id, offer.contact_id, offer.agent_id, result))
    if state is not OfferState.ACCEPTED:
        board.outcomes.append(WithdrawOffer(offer.offer_id, offer.contact_id, offer.agent_id, result))


def _close_others(board: Board, contact: Contact, answered: Offer) -> list[Offer]:
    losers = [board.offers[offer_id] for offer_id in contact.standing_offers if offer_id != answered.offer_id]
    for lost in losers:
        close(board, lost, OfferTrigger.REVOKED)
    return losers


def give_back(board: Board, offer: Offer, now: int, *, refused_by: AgentId | None) -> None:
    """Put the contact of an ended offer back in its place, in the step of its plan that holds now.

    When other agents ring for it still, it stays with them.
    """
    contact = board.contacts[offer.contact_id]
    standing = tuple(offer_id for offer_id in contact.standing_offers if offer_id != offer.offer_id)
    if standing:
        first = board.offers[standing[0]].agent_id
        board.put_contact(still_offered(contact, standing, first, refused_by=refused_by))
        return
    contact = returned(contact, refused_by=refused_by)
    tell_queued(board, contact, returned=True)
    planning.take_place(board, contact, now)


def tell_queued(board: Board, contact: Contact, *, returned: bool, resumed: bool = False) -> None:
    """Tell that a contact waits."""
    board.outcomes.append(
        ContactQueued(
            contact.contact_id,
            contact.queue_id,
            contact.arrived_at,
            contact.priority,
            returned,
            resumed,
            contact.channel,
            contact.is_away,
        )
    )


def _serve(board: Board, contact_ids: Sequence[ContactId], now: int) -> None:
    """Look for agents for those of the contacts that wait, first in line first."""
    if len(contact_ids) == 1:
        one = board.contacts.get(contact_ids[0])
        if one is not None and one.state is ContactState.WAITING:
            _serve_contact(board, one, board.barred_agents(one) if one.excluded else (), now)
        return
    here = [contact for contact_id in contact_ids if (contact := board.contacts.get(contact_id)) is not None]
    waiting = [contact for contact in here if contact.state is ContactState.WAITING]
    if len(waiting) > 1:
        waiting = sorted({contact.key: contact for contact in waiting}.values(), key=lambda contact: contact.key)
    for contact in waiting:
        _serve_contact(board, contact, board.barred_agents(contact) if contact.excluded else (), now)


def _serve_everybody(board: Board, now: int) -> None:
    """Look for agents for all that wait, first in line first. Costs a look at every demand for each offer."""
    passed_over: list[ContactId] = []
    closed: defaultdict[Channel, set[Demand]] = defaultdict(set)
    while (contact := _first_waiting(board, passed_over, closed)) is not None:
        contact_id = contact.contact_id
        barred = board.barred_agents(contact)
        if _serve_contact(board, contact, barred, now):
            continue
        if barred:
            passed_over.append(contact_id)
        else:  # what this one does not get, nobody of the same demand gets
            closed[contact.channel].add(demand_of(contact))


def _first_waiting(
    board: Board, passed_over: Collection[ContactId], closed: Mapping[Channel, Collection[Demand]]
) -> Contact | None:
    """The first in line over all channels, of those that somebody with room may fit."""
    first = board.matching.first_waiting(passed_over, closed[Channel.VOICE])
    found = [] if first is None else [board.contacts[first]]
    if board.aside:
        heads = [
            matching.first_waiting(passed_over, closed[lane.channel])
            for lane, matching in board.lanes.items()
            if lane != CALLS
        ]
        found += [board.contacts[head] for head in heads if head is not None]
    return min(found, key=lambda contact: contact.key, default=None)


def _agent_may_choose(board: Board) -> bool:
    """Whether the freed agent may simply take the first contact: nobody else is there for it, nor held in reserve.

    This depends on the records alone, so that equal floors decide by the same rule and say so.
    """
    if len(board.freed) > 1 or board.aside:
        return False
    agent = board.agents[board.freed[0]]
    if agent.spec.capacity and not has_room(agent, CALLS):
        return False
    return not (board.matching.reserves and board.matching.reserve_waits(board.freed[0]))


def _serve_contact(board: Board, contact: Contact, barred: Collection[AgentId], now: int) -> bool:
    matching = board.matching_of(contact.queue_id, contact.channel)
    choice = matching.pick_agent(contact.contact_id, barred, board.offers_made)
    if choice is None:
        return False
    _offer(board, contact, board.agents[choice.winner], _decision(_rule(board, contact), choice, contact), now)
    return True


def _ring_wider(board: Board, now: int) -> None:
    """Let further agents, whom nobody waits for, ring for contacts that ring already; first in line first."""
    if not board.matching.anybody_idle and not any(each.anybody_idle for each in board.side_lanes):
        _ring_later(board, now)
        return
    for contact in sorted((board.contacts[contact_id] for contact_id in board.ringing_wide), key=lambda c: c.key):
        _ring_more(board, contact.contact_id, now)
    _ring_later(board, now)


def _ring_more(board: Board, contact_id: ContactId, now: int) -> None:
    """Let as many agents ring for this contact as its queue wants and are idle."""
    contact = board.contacts[contact_id]
    while len(contact.standing_offers) < _width(board, contact, now):
        matching = board.matching_of(contact.queue_id, contact.channel)
        choice = matching.pick_another(demand_of(contact), contact.excluded, board.offers_made)
        if choice is None:
            return
        _offer(board, contact, board.agents[choice.winner], _decision(_rule(board, contact), choice, contact), now)
        contact = board.contacts[contact_id]


def _width(board: Board, contact: Contact, now: int) -> int:
    """How many agents may ring for this contact now."""
    queue = board.queues[contact.queue_id]
    if contact.reserve_ms is not None:  # one agent is kept, however many would ring
        return 1
    if queue.ring is RingStyle.ALL:
        return len(board.agents)
    rung_since = now if contact.rung_since is None else contact.rung_since
    return 1 + (now - rung_since) // max(1, queue.ring_step_ms)


def _ring_later(board: Board, now: int) -> None:
    """Whoever was due and found nobody idle is due again at the next step."""
    while (due := board.ring_deadlines.head) is not None and due[0][0] <= now:
        step_ms = max(1, board.queues[board.contacts[due[1]].queue_id].ring_step_ms)
        overdue = now - due[0][0]
        board.ring_deadlines.add((now + step_ms - overdue % step_ms, due[0][1]), due[1])


def _rule(board: Board, contact: Contact) -> str:
    return RULES[board.queues[contact.queue_id].order]


def _serve_agent(board: Board, agent: Agent, now: int) -> None:
    """Look for a contact for an agent who may choose, unless the same instant took the agent away again."""
    agent_id = agent.spec.agent_id
    if not agent.spec.capacity and not has_room(agent, CALLS):  # who has a capacity may choose only with room
        return
    choice = board.matching.pick_contact(agent_id, board.barred_contacts(agent_id) if board.refused else ())
    if choice is not None:
        contact = board.contacts[choice.winner]
        _offer(board, contact, agent, _decision(FIRST_CONTACT, choice, contact), now)


def _decision(rule: str, choice: Choice[AgentId] | Choice[ContactId], contact: Contact) -> Decision:
    return Decision(
        rule=rule,
        candidates=choice.candidates,
        winner_key=str(choice.winner_key),
        runner_up=choice.runner_up,
        runner_up_key=None if choice.runner_up_key is None else str(choice.runner_up_key),
        step=contact.step,
    )


def _offer(board: Board, contact: Contact, agent: Agent, decision: Decision, now: int) -> None:
    if agent.works and contact.channel is Channel.VOICE:
        agent = _push_aside(board, contact, agent, now)
    board.offers_made += 1
    stands_ms = contact.reserve_ms
    if stands_ms is None:
        stands_ms = ring_timeout_ms(board.queues[contact.queue_id], contact.channel)
    offer = Offer(
        offer_id=OfferId(f"o{board.offers_made}"),
        number=board.offers_made,
        contact_id=contact.contact_id,
        agent_id=agent.spec.agent_id,
        queue_id=contact.queue_id,
        made_at=now,
        expires_at=now + stands_ms,
        decision=decision,
    )
    board.put_offer(offer)
    board.put_contact(offered(contact, offer.offer_id, agent.agent_id, now))
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
    if contact.channel is Channel.VOICE:
        board.put_agent(ring(agent, now, offer.contact_id, offer.offer_id, offer.number, offer.expires_at))
    else:
        board.put_agent(ring_shared(agent, now, offer.contact_id, contact.channel, offer.offer_id, offer.number))


def _push_aside(board: Board, contact: Contact, agent: Agent, now: int) -> Agent:
    """The agent without what rings patiently, which goes back to its place: a caller does not wait for it."""
    work = rung_patiently(agent, lane_of(board.queues[contact.queue_id], contact.channel))
    if work is None or work.offer_id is None:
        return agent
    offer = board.offers[work.offer_id]
    close(board, offer, OfferTrigger.REVOKED)
    board.put_agent(drop_work(agent, work.contact_id))
    give_back(board, offer, now, refused_by=None)
    board.pushed_aside.append(work.contact_id)
    return board.agents[agent.agent_id]
