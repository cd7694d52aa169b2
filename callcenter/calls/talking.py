"""Actions of a conversation: hold, the second party, handing on, the park slot."""

from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.call import Call
from callcenter.calls.facts import CallConnected, CallParked, NumberConnected, PlacesChanged
from callcenter.calls.legs import EndCause
from callcenter.calls.participants import Conversation
from callcenter.calls.searching import RING_MS, leave_outside, present
from callcenter.calls.segments import Seat, SegmentKind, SegmentResult, Target, TargetKind

TALKED = "talked"
"""Why a call comes back to its flow when its agent has hung up."""

# Hold.


def hold(call: Call, _event: ev.HoldOrdered, now: int) -> None:
    """The customer waits."""
    call.converse(Conversation.HELD, now)


def resume(call: Call, _event: ev.CallEvent, now: int) -> None:
    """Agent and customer talk; a second party waits."""
    call.converse(Conversation.TALK, now)


# Colleagues.


def change_places(call: Call, event: ev.ColleagueOrdered, now: int) -> None:
    """The colleague in the customer's place gives an order, and so has the call from here on; the other one sits in
    the customer's place. What was ordered follows."""
    agent, colleague = present(call.agent), present(call.colleague)
    call.agent, call.colleague = colleague, agent
    call.facts.append(PlacesChanged(call.call_id, now, colleague.contact_id, colleague.agent_id))
    call.following.append(event.order)


# Customer, agent, second party.


def consult(call: Call, _event: ev.CallEvent, now: int) -> None:
    """Agent and second party talk; the customer waits."""
    call.converse(Conversation.CONSULT, now)


def join_all(call: Call, _event: ev.ConferenceOrdered, now: int) -> None:
    """All three talk."""
    call.converse(Conversation.CONFERENCE, now)


def then_complete(call: Call, _event: ev.AgentLeft | ev.HangUpOrdered, _now: int) -> None:
    """An agent who hangs up with both there leaves them to each other."""
    call.following.append(ev.CompleteOrdered())


def complete(call: Call, _event: ev.CompleteOrdered, now: int) -> None:
    """The second party, an agent, has the customer now."""
    leave(call, now)
    call.agent, call.consulted = present(call.consulted), None
    call.converse(Conversation.TALK, now)


def hand_out(call: Call, _event: ev.HandedOut, now: int) -> None:
    """Whoever is left talks with a number outside now: a customer without us, a colleague with every right."""
    leave(call, now)
    leave_outside(call, now)


def have_number(call: Call, _event: ev.LeftWithNumber, now: int) -> None:
    """The colleague has the call, and the number outside sits in the customer's place."""
    colleague, number = present(call.colleague), present(call.consulted)
    call.agent, call.colleague, call.consulted = colleague, number, None
    call.facts.append(PlacesChanged(call.call_id, now, colleague.contact_id, colleague.agent_id, number.number))
    call.converse(Conversation.TALK, now)


def leave_search(call: Call, event: ev.AgentLeft | ev.HangUpOrdered, now: int) -> None:
    """The agent leaves while somebody is sought: it goes on as a blind transfer."""
    del event
    leave(call, now)
    call.converse(Conversation.WAITING, now)
    call.listen()


def leave(call: Call, now: int) -> None:
    """The agent's part is over; the customer goes on with somebody else."""
    agent = present(call.agent)
    call.close_segment(agent.contact_id, SegmentResult.TRANSFERRED, now)
    call.report_transfer(200)
    call.effects.append(fx.EndAgent(agent.leg_id, EndCause.NORMAL))
    call.finish(agent)
    call.home, call.agent = agent, None


def drop_consulted(call: Call, event: ev.CancelOrdered | ev.ConsultedLeft, now: int) -> None:
    """The second party is gone, or is let go; the agent has the customer again."""
    consulted = present(call.consulted)
    if isinstance(event, ev.CancelOrdered):
        call.effects.append(fx.EndAgent(consulted.leg_id, EndCause.NORMAL))
    call.close_segment(consulted.contact_id, SegmentResult.COMPLETED, now)
    call.finish(consulted)
    call.consulted = None
    call.converse(Conversation.TALK, now)


def bring(call: Call, event: ev.PartyBrought, now: int) -> None:
    """The agent's phone brought the far end of another call of its own, and leaves the two to each other."""
    party, agent = event.party, present(call.agent)
    target = Target(TargetKind.AGENT if party.agent_id else TargetKind.NUMBER, party.agent_id or party.number)
    contact_id = call.next_contact(
        SegmentKind.CONSULT, target, now, parent=agent, by=agent.agent_id, contact_id=party.contact_id
    )
    call.refer_leg_id = event.refer_leg_id
    call.consulted = Seat(party.leg_id, contact_id, party.agent_id, agent.queue_id, party.number)
    if party.agent_id:
        call.facts.append(CallConnected(call.call_id, now, "", party.agent_id, agent.queue_id, contact_id))
    else:
        call.facts.append(NumberConnected(call.call_id, now, contact_id, party.number))
    call.following.append(ev.CompleteOrdered())


# The park slot.


def park(call: Call, event: ev.ParkOrdered, now: int) -> None:
    """The customer waits in a slot, the agent is free."""
    agent = present(call.agent)
    call.close_segment(agent.contact_id, SegmentResult.PARKED, now)
    call.facts.append(CallParked(call.call_id, now, event.slot, agent.agent_id, event.until))
    said = event.refer_leg_id == agent.leg_id
    call.effects.append(
        fx.SaySlot(agent.leg_id, event.slot) if said else fx.EndAgent(agent.leg_id, EndCause.NORMAL),
    )
    call.finish(agent)
    call.home, call.agent, call.park = agent, None, event
    call.deadline = (event.until, ev.ParkExpired())
    call.converse(Conversation.WAITING, now)


def go_on_alone(call: Call, event: ev.TalkOver, now: int) -> None:
    """The agent is through with the customer, whom the flow asks something; once, whoever talks with them later."""
    agent = present(call.agent)
    call.surveys = False
    call.close_segment(agent.contact_id, SegmentResult.COMPLETED, now)
    if not event.gone:
        call.effects.append(fx.EndAgent(agent.leg_id, EndCause.NORMAL))
    call.finish(agent)
    call.home, call.agent = agent, None
    call.converse(Conversation.WAITING, now, music=False)
    call.effects.append(fx.ReturnToFlow(TALKED))


def retrieve(call: Call, event: ev.RetrieveOrdered, now: int) -> None:
    """An agent takes the call up: the own phone rings."""
    target = Target(TargetKind.AGENT, event.agent_id, event.queue_id)
    search = call.open_segment(
        SegmentKind.RETRIEVED, target, now, parent=call.home, leg_id=event.leg_id, by=event.agent_id
    )
    call.deadline = (now + RING_MS, ev.SearchFailed(status=408))
    call.effects.append(fx.RingAgent(event.leg_id, event.agent_id, search.contact_id, engage=True))


def take_up(call: Call, _event: ev.AgentAnswered, now: int) -> None:
    """Whoever takes the call up answered the own phone."""
    search = call.search
    if search is None:
        return
    target = search.target
    call.facts.append(CallConnected(call.call_id, now, "", target.id, target.queue_id, search.contact_id))
    call.agent = Seat(search.leg_id, search.contact_id, target.id, target.queue_id)
    call.search = call.park = call.deadline = None
    call.talked = True
    call.converse(Conversation.TALK, now)


def park_again(call: Call, _event: ev.CallEvent, now: int) -> None:
    """Whoever wanted to take the call up did not answer the own phone."""
    search, parked = call.search, call.park
    if search is not None:
        call.close_segment(search.contact_id, SegmentResult.FAILED, now)
    call.drop_search(EndCause.NO_ANSWER)
    if parked is not None:
        call.deadline = (max(parked.until, now), ev.ParkExpired())
