"""What a call knows, and how it says something: the plain data that the actions of the table work on. Pure."""

from dataclasses import dataclass, field

import msgspec

from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.facts import CallFact, CallHeld, CallResumed, ConversationChanged, SegmentEnded, SegmentOpened
from callcenter.calls.legs import EndCause
from callcenter.calls.participants import Conversation, Role
from callcenter.calls.segments import Seat, SegmentKind, SegmentResult, Target, TargetKind, segment_id
from callcenter.calls.states import CallState

ON_HOLD = frozenset({Conversation.HELD, Conversation.CONSULT})
"""Modes in which an agent is there and the customer waits."""
RECALLED = frozenset({SegmentKind.INBOUND, SegmentKind.RECALL})
"""Searches whose failure is the end: there is nobody else to go back to."""


class Search(msgspec.Struct, frozen=True):
    """Who is being sought. ``leg_id`` is the leg of a number, or of an agent whom routing did not choose."""

    contact_id: str
    kind: SegmentKind
    target: Target
    leg_id: str = ""

    @property
    def is_routed(self) -> bool:
        """Whether routing looks for somebody."""
        return not self.leg_id


class Standing(msgspec.Struct, frozen=True):
    """An offer that stands: the agent's phone rings, or was ``answered`` and routing has yet to confirm it; ``lost``
    when the phone went away meanwhile."""

    offer: ev.AgentOffered
    answered: bool = False
    lost: bool = False


@dataclass(slots=True)
class Call:
    """One call's data. What an action notes here is handed out by ``CallMachine.receive``."""

    call_id: str
    state: CallState = CallState.IN_FLOW
    answered: bool = False
    talked: bool = False
    """Whether an agent, or whoever an agent called, ever talked here."""
    mode: Conversation = Conversation.WAITING
    queue: ev.QueueRequested | None = None
    """What is asked of the queue in which somebody is sought."""
    surveys: bool = False
    """Whether the flow goes on when the agent hangs up and the customer stays."""
    queued_at: int = 0
    visited: frozenset[str] = frozenset()
    """Queues the search has been in."""
    offers: dict[str, Standing] = field(default_factory=dict)
    """The offers that stand, by id, in the order they were made: one, or as many as the queue rings at once."""
    search: Search | None = None
    agent: Seat | None = None
    rings: bool = False
    """Whether it rings at whoever is called or sought."""
    sounds: bool = False
    """Whether they sound before they answer (early media)."""
    picking: ev.PickedUp | None = None
    """Whose phone wants to take over what rings or waits here; routing has yet to agree."""
    consulted: Seat | None = None
    colleague: Seat | None = None
    """In a call that began between colleagues: who sits in the customer's place. It was the one who was called, and is
    whoever the other one put on hold or hands on (``talking.change_places``), or the number outside with which one of
    them is left (``talking.have_number``)."""
    home: Seat | None = None
    """The last agent who had the customer, to whom the call comes back."""
    segments: int = 1
    refer_leg_id: str = ""
    """The phone's leg that waits to hear how its transfer goes."""
    dial: ev.DialOrdered | None = None
    """The call out that waits for the agent's own phone."""
    back: ev.CallBackOrdered | None = None
    """The promise that this call keeps by calling the customer first."""
    park: ev.ParkOrdered | None = None
    deadline: tuple[int, ev.CallEvent] | None = None
    """What happens by itself, and when."""
    facts: list[CallFact] = field(default_factory=list)
    effects: list[fx.Effect] = field(default_factory=list)
    unengaged: frozenset[str] = frozenset()
    """Contacts that routing does not know of: it did not agree, or the agent is busy with another one anyhow."""
    following: list[ev.CallEvent] = field(default_factory=list)
    """Events that follow at once from the one that is being taken."""

    def named(self, contact_id: str) -> str:
        """A contact id as facts hold it: empty for the first segment."""
        return "" if contact_id == self.call_id else contact_id

    def open_segment(
        self, kind: SegmentKind, target: Target, now: int, *, parent: Seat | None, leg_id: str = "", by: str = ""
    ) -> Search:
        """A new segment, whose party is being sought from here on."""
        search = Search(self.next_contact(kind, target, now, parent=parent, by=by), kind, target, leg_id)
        self.search = search
        return search

    def next_contact(
        self, kind: SegmentKind, target: Target, now: int, *, parent: Seat | None, by: str, contact_id: str = ""
    ) -> str:
        """The id of a new segment, and its fact. ``contact_id``: one that came with an agent from another call."""
        if not contact_id:
            self.segments += 1
            contact_id = segment_id(self.call_id, self.segments)
        parent_id = self.call_id if parent is None else parent.contact_id
        self.facts.append(
            SegmentOpened(self.call_id, now, contact_id, kind, parent_id, by, target.kind, target.id),
        )
        return contact_id

    def close_segment(self, contact_id: str, result: SegmentResult, now: int) -> None:
        """A segment is over."""
        self.facts.append(SegmentEnded(self.call_id, now, contact_id, result))

    def converse(self, mode: Conversation, now: int, *, plain: bool = False, music: bool = True) -> None:
        """Join the legs that are there; ``plain`` is the ordinary beginning, which needs no fact. Without ``music``
        whoever waits hears nothing, because the flow speaks."""
        was_held, held = self.mode in ON_HOLD, mode in ON_HOLD
        agent = self.agent
        if agent is not None and was_held is not held:
            told = CallHeld if held else CallResumed
            self.facts.append(told(self.call_id, now, agent.contact_id, agent.agent_id))
        if mode is not self.mode and not plain:
            self.facts.append(ConversationChanged(self.call_id, now, mode))
        self.mode = mode
        self.effects.append(fx.Converse(mode, self.legs() if music else ()))

    def standing_at(self, leg_id: str) -> Standing | None:
        """The offer that rings, or was answered, at this leg."""
        for standing in self.offers.values():
            if standing.offer.leg_id == leg_id:
                return standing
        return None

    def declined_by(self, agent_id: str) -> Standing | None:
        """The ringing offer that this agent may decline; without an id the one there is."""
        ringing = [each for each in self.offers.values() if not each.answered]
        if agent_id:
            return next((each for each in ringing if each.offer.agent_id == agent_id), None)
        return ringing[0] if len(ringing) == 1 else None

    def legs(self) -> tuple[tuple[str, Role], ...]:
        """Who is there, the customer first."""
        found = [(self.far_leg(), Role.CUSTOMER)]
        if self.agent is not None:
            found.append((self.agent.leg_id, Role.AGENT))
        if self.consulted is not None:
            found.append((self.consulted.leg_id, Role.CONSULTED))
        return tuple(found)

    def seated(self) -> list[tuple[Role, Seat]]:
        """Who is there beside a customer, and as what."""
        found = []
        if self.agent is not None:
            found.append((Role.AGENT, self.agent))
        if self.consulted is not None:
            found.append((Role.CONSULTED, self.consulted))
        if self.colleague is not None:
            found.append((Role.AGENT if self.colleague.agent_id else Role.CONSULTED, self.colleague))
        return found

    def far_leg(self) -> str:
        """The leg in the customer's place: a customer's, or in a call between colleagues the other one's."""
        return fx.CUSTOMER_LEG if self.colleague is None else self.colleague.leg_id

    def end_far_leg(self, cause: EndCause) -> None:
        """Whoever sits in the customer's place is let go."""
        if self.colleague is None:
            self.effects.append(fx.EndCustomer(cause))
        else:
            self.effects.append(fx.EndAgent(self.colleague.leg_id, cause))

    def seat_of(self, contact_id: str) -> Seat | None:
        """Whose orders those of this contact are: the agent's or, while colleagues talk, the other one's."""
        seats = (self.agent, self.colleague if self.state is CallState.TALKING else None)
        return next((seat for seat in seats if seat is not None and seat.contact_id == contact_id), None)

    def finish(self, seat: Seat) -> None:
        """Tell routing that an agent's part is over; a number outside has none."""
        if seat.agent_id:
            self.finish_contact(seat.contact_id, seat.agent_id)

    def finish_contact(self, contact_id: str, agent_id: str = "") -> None:
        """Tell routing that nobody is busy with this contact any more."""
        if contact_id not in self.unengaged:
            self.effects.append(fx.ReportFinished(contact_id, agent_id))

    def listen(self) -> None:
        """Who waits for somebody hears what there is to hear of them: their own sound before a ringing tone. An agent
        who talks with the customer meanwhile hears nothing of it; a customer who waits alone keeps the music."""
        agent, search = self.agent, self.search
        if search is not None and agent is not None and self.mode is Conversation.TALK:
            return
        if self.sounds:
            listener = self.far_leg() if agent is None else agent.leg_id
            self.effects.append(fx.LetHear(listener, self.far_leg() if search is None else search.leg_id))
        elif self.rings and agent is not None:
            self.effects.append(fx.RingBack(agent.leg_id))

    def fall_silent(self) -> None:
        """It does not ring there any more, and somebody else is sought."""
        if self.rings and self.agent is not None:
            self.effects.append(fx.RingBack(self.agent.leg_id, on=False))
        self.rings = self.sounds = False

    def report_transfer(self, status: int) -> None:
        """Tell the phone that asked for it; a final status ends the matter."""
        if self.refer_leg_id:
            self.effects.append(fx.ReportTransfer(self.refer_leg_id, status))
            if status >= 200:
                self.refer_leg_id = ""

    def drop_search(self, cause: EndCause, *, leave: bool = True, withdrawn: bool = False) -> None:
        """Stop looking: no phone rings on, and routing is told unless it knows. ``withdrawn``: the customer did not
        give up waiting."""
        search = self.search
        self.effects += [fx.EndAgent(each.offer.leg_id, cause) for each in self.offers.values() if not each.lost]
        if search is not None and search.leg_id:
            self.effects.append(fx.EndAgent(search.leg_id, cause))
        if leave and search is not None:
            if search.is_routed:
                self.effects.append(fx.LeaveQueue(search.contact_id, withdrawn))
            elif search.target.kind is TargetKind.AGENT:
                self.finish_contact(search.contact_id)
        self.search = self.deadline = None
        self.offers.clear()
        self.rings = self.sounds = False
