"""The contacts on the floor as a fold of call facts: every segment of a call is a contact of its own. Pure.

``FloorFold`` owns one and gives it the facts; what it changes it tells through ``tell``. The present agent's contact
also shows the second party (``consult_*``), because that is what the agent's own screen needs.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace as replace_view

from agent_console.messages import (
    CardAnswerView,
    CardFieldView,
    Change,
    ConsultState,
    ContactChanged,
    ContactKind,
    ContactRemoved,
    ContactState,
    ContactView,
    CustomerMatch,
    MatchState,
    PoorLine,
    RingView,
    TargetKind,
)
from callcenter.appraisals.facts import SurveyAsked
from callcenter.calls import facts
from callcenter.calls import recording_facts as recorded
from callcenter.calls.participants import Conversation, Role
from callcenter.calls.quality_facts import LegQualityChanged
from callcenter.calls.segments import SegmentKind, call_of
from callcenter.calls.segments import TargetKind as Sought
from callcenter.floor.parties import CallParties

PENDING = CustomerMatch(state=MatchState.PENDING)
PARKED_SUFFIX = ".parked"
"""Ends the id under which a call in a park slot is shown; it is nobody's contact."""
FLOW_SUFFIX = ".flow"
"""The same of a customer who is back in the flow after the agent has hung up, and whose contact is wrapped up."""

CONSULT_STATES: Mapping[Conversation, ConsultState] = {
    Conversation.CONSULT: ConsultState.TALKING,
    Conversation.TALK: ConsultState.HELD,
    Conversation.CONFERENCE: ConsultState.CONFERENCE,
}
NAMED_LIMIT = 4_096
BESIDE = frozenset({SegmentKind.TRANSFER, SegmentKind.CONSULT})
"""Segments that begin while an agent has the customer."""
NO_RINGING: Mapping[str, object] = {"offered_at": None, "offer_expires_at": None, "ringing": ()}
CARD_FACTS = (recorded.CardEntryBegun, recorded.CardEntryShown, recorded.CardEntryEnded, recorded.CardEntryAnswered)
NO_CONSULT = {
    "consult_id": None,
    "consult_state": None,
    "consult_kind": None,
    "consult_target_kind": None,
    "consult_target": None,
}


class FloorContacts:
    """Every contact from its arrival to the end of its wrap-up."""

    def __init__(self, tell: Callable[[Change], None], holds: Callable[[str, str], bool]) -> None:
        """``holds`` says whether routing has this agent busy with this contact; only then a wrap-up can follow."""
        self._tell = tell
        self._holds = holds
        self._views: dict[str, ContactView] = {}
        self._of_call: dict[str, dict[str, None]] = {}
        """The contacts that are there, by the call their id names."""
        self._live: dict[str, dict[str, None]] = {}
        """Calls that are not over, with their contacts."""
        self._bases: dict[str, ContactView] = {}
        """By call that is not over: a view that knows who calls."""
        self._named: dict[str, None] = {}
        """Contacts for one certain agent, the newest ``NAMED_LIMIT``: routing queues them, but they are no queue's."""
        self._wrapping: dict[str, dict[str, None]] = {}
        """By agent: calls that are being wrapped up."""
        self._parties = CallParties()
        self._kept: dict[str, str] = {}
        """By contact that is not here yet: the agent who is kept for it."""
        self._securing: dict[str, str] = {}
        """By call: the contact in which card data is typed."""
        self._of_segments: Mapping[type, Callable[[Any], None]] = {
            facts.SegmentOpened: self._open,
            facts.CallConnected: self._connect,
            facts.NumberConnected: self._connect_number,
            facts.CallHeld: self._hold,
            facts.CallResumed: self._resume,
            facts.ConversationChanged: self._show_second_party,
            facts.PlacesChanged: self._change_places,
            facts.SegmentEnded: self._end_segment,
            facts.CallParked: self._park,
            LegQualityChanged: self._judge_line,
        }
        """Those after which somebody else's orders may count."""
        self.folds: Mapping[type, Callable[[Any], None]] = {
            facts.CallArrived: self._arrive,
            facts.CallStepTaken: self._step,
            SurveyAsked: self._survey,
            facts.CustomerMatched: self._match,
            facts.CustomerIdentified: self._identify,
            facts.CallQueued: self._queue,
            facts.CallOverflowed: self._overflow,
            facts.CallEnded: self._end_call,
            **dict.fromkeys(self._of_segments, self._take_segment_fact),
            **dict.fromkeys(CARD_FACTS, self._take_card_entry),
        }
        """How each fact about a call is folded; those that are not here the floor does not show."""

    @property
    def views(self) -> Mapping[str, ContactView]:
        """By contact id."""
        return self._views

    def holder(self, call_id: str) -> str:
        """The contact of the agent who has the customer, else the call's first."""
        return self._parties.holders.get(call_id, call_id)

    def keeps(self, contact_id: str | None, agent_id: str) -> bool:
        """Whether this agent is only kept for a customer who is not there yet."""
        view = self._views.get(contact_id or "")
        if view is None:
            return self._kept.get(contact_id or "") == agent_id
        return view.state is ContactState.DIALLING and view.agent_id == agent_id

    def wrapped_up_by(self, agent_id: str) -> tuple[str, ...]:
        """The calls that this agent wraps up."""
        return tuple(self._wrapping.get(agent_id, ()))

    def is_named(self, contact_id: str) -> bool:
        """Whether this contact asks for one certain agent, so that it counts in no queue."""
        return contact_id in self._named

    def _take_segment_fact(self, fact: Any) -> None:
        self._of_segments[type(fact)](fact)
        self._show_whose_orders_count(fact.call_id)

    def _show_whose_orders_count(self, call_id: str) -> None:
        holder = self._views.get(self._parties.holders.get(call_id, ""))
        for contact_id in tuple(self._live.get(call_id, ())):
            view = self._views.get(contact_id)
            if view is not None:
                refused = self._parties.refusal(call_id, view, holder)
                if refused != view.orders_refused:
                    self.change(contact_id, orders_refused=refused)

    # Where it rings

    def ring(self, contact_id: str, ring: RingView) -> None:
        """It rings at an agent, perhaps beside others; an agent is only kept for a customer who is being called."""
        view = self._views.get(contact_id)
        if view is None:
            self._kept[contact_id] = ring.agent_id
        elif view.state is ContactState.DIALLING:
            self.change(contact_id, agent_id=ring.agent_id)
        else:
            self._ring_at(view, (*view.ringing, ring))

    def answer(self, contact_id: str, agent_id: str) -> tuple[str, ...]:
        """An agent was the first to answer; returns those at whom it rang besides."""
        self._kept.pop(contact_id, None)
        view = self._views.get(contact_id)
        if view is None:
            return ()
        self._ring_at(view, tuple(each for each in view.ringing if each.agent_id == agent_id))
        return tuple(each.agent_id for each in view.ringing if each.agent_id != agent_id)

    def ring_no_more(self, contact_id: str, agent_id: str) -> None:
        """It does not ring at this agent any more; where it rings nowhere it waits."""
        self._kept.pop(contact_id, None)
        view = self._views.get(contact_id)
        if view is not None and view.state is ContactState.DIALLING and view.agent_id == agent_id:
            self.change(contact_id, agent_id=None)
        if view is None or all(each.agent_id != agent_id for each in view.ringing):
            return
        left = tuple(each for each in view.ringing if each.agent_id != agent_id)
        if left:
            self._ring_at(view, left)
        elif view.state is ContactState.OFFERED:
            self.change(contact_id, state=ContactState.QUEUED, agent_id=None, **NO_RINGING)

    def _ring_at(self, view: ContactView, ringing: tuple[RingView, ...]) -> None:
        if ringing:
            first = ringing[0]
            self.change(
                view.contact_id,
                state=ContactState.OFFERED,
                agent_id=first.agent_id,
                offered_at=first.offered_at,
                offer_expires_at=first.expires_at,
                ringing=ringing,
            )

    # What happens

    def _arrive(self, fact: facts.CallArrived) -> None:
        called = fact.direction != SegmentKind.INBOUND
        view = ContactView(
            contact_id=fact.call_id,
            state=ContactState.DIALLING if called else ContactState.IN_FLOW,
            caller=fact.caller,
            caller_name=fact.caller_name,
            diverted_from=fact.diverted_from,
            called=fact.called,
            arrived_at=fact.at,
            customer=PENDING,
            kind=ContactKind(fact.direction),
            agent_id=fact.agent_id or self._kept.pop(fact.call_id, None),
        )
        self._live[fact.call_id], self._bases[fact.call_id] = {}, view
        if called:
            self._parties.holders[fact.call_id] = fact.call_id
        self._put(fact.call_id, view)

    def _step(self, fact: facts.CallStepTaken) -> None:
        """A step of the flow; where nobody has the customer any more, that is where the call is."""
        call_id = fact.call_id
        base, contact = self._bases.get(call_id), self._views.get(call_id)
        if base is not None and not self._live.get(call_id):
            left_behind = self._parties.left_behind(call_id)
            there = call_id + FLOW_SUFFIX
            self._put(
                call_id,
                replace_view(base, contact_id=there, state=ContactState.IN_FLOW, parent_id=call_id, **left_behind),
            )
        elif contact is not None and fact.choice is not None:
            self.change(call_id, flow_path=(*contact.flow_path, fact.choice))

    def _survey(self, fact: SurveyAsked) -> None:
        self.change(fact.call_id + FLOW_SUFFIX, state=ContactState.SURVEY)

    def _match(self, fact: facts.CustomerMatched) -> None:
        found = CustomerMatch(MatchState(fact.state), fact.customer_ids, fact.name, fact.level or None)
        self._know_customer(fact.call_id, found)

    def _identify(self, fact: facts.CustomerIdentified) -> None:
        chosen = CustomerMatch(MatchState.ONE, (fact.customer_id,), fact.name or None, fact.level or None)
        self._know_customer(fact.call_id, chosen)

    def _queue(self, fact: facts.CallQueued) -> None:
        self._remove(fact.call_id, fact.call_id + FLOW_SUFFIX)
        self.change(
            fact.contact_id or fact.call_id,
            state=ContactState.QUEUED,
            queue_id=fact.queue_id,
            queued_at=fact.at,
            language=fact.language,
            agent_id=None,
            ringing=(),
        )

    def _overflow(self, fact: facts.CallOverflowed) -> None:
        """The queue did not let the customer in, or gave up; where the call goes on is for its flow to say."""
        call_id = fact.call_id
        view = self._views.get(call_id) if not fact.contact_id and not fact.to else None
        if view is not None and view.state in {ContactState.QUEUED, ContactState.OFFERED}:
            nowhere = {"queue_id": None, "queued_at": None, "agent_id": None}
            self.change(call_id, state=ContactState.IN_FLOW, **nowhere, **NO_RINGING)

    def _open(self, fact: facts.SegmentOpened) -> None:
        base = self._bases.get(fact.call_id)
        if base is None:
            return
        if fact.kind in BESIDE and fact.target_kind is Sought.AGENT:
            self._named[fact.contact_id] = None
            if len(self._named) > NAMED_LIMIT:
                del self._named[next(iter(self._named))]
        rung = fact.kind in {SegmentKind.INTERNAL, SegmentKind.RETRIEVED}
        dialled = fact.target_kind is Sought.NUMBER
        view = ContactView(
            contact_id=fact.contact_id,
            state=ContactState.OFFERED if rung else ContactState.DIALLING if dialled else ContactState.QUEUED,
            caller=self._handed_on(fact) or base.caller,
            caller_name=base.caller_name,
            diverted_from=base.diverted_from,
            called=base.called,
            arrived_at=fact.at,
            customer=base.customer,
            language=base.language,
            flow_path=base.flow_path,
            poor_lines=base.poor_lines,
            kind=ContactKind(fact.kind),
            parent_id=fact.parent_id,
            agent_id=fact.target if rung else None,
            queue_id=fact.target if fact.target_kind is Sought.QUEUE else None,
            queued_at=None if rung or dialled else fact.at,
        )
        self._put(fact.call_id, view)
        if fact.kind in BESIDE and fact.call_id in self._parties.holders:
            self.change(
                self._parties.holders[fact.call_id],
                consult_id=fact.contact_id,
                consult_state=ConsultState.SEEKING,
                consult_kind=ContactKind(fact.kind),
                consult_target_kind=TargetKind(fact.target_kind),
                consult_target=fact.target,
            )
        elif fact.kind is SegmentKind.RECALL:
            self._remove(fact.call_id, fact.call_id + PARKED_SUFFIX)

    def _handed_on(self, fact: facts.SegmentOpened) -> str:
        """Who is in the customer's place of a call between colleagues; empty where it is a customer, or nobody yet."""
        if number := self._parties.numbers.get(fact.call_id):
            return number
        holder = self._parties.holders.get(fact.call_id)
        views = [self._views[each] for each in self._live.get(fact.call_id, {}) if each != holder]
        there = [view for view in views if view.kind is ContactKind.INTERNAL and view.state is ContactState.CONNECTED]
        return (there[0].agent_id or "") if there else ""

    def _connect(self, fact: facts.CallConnected) -> None:
        call_id, contact_id = fact.call_id, fact.contact_id or fact.call_id
        self.change(contact_id, state=ContactState.CONNECTED, connected_at=fact.at, agent_id=fact.agent_id, ringing=())
        self._remove(call_id, call_id + PARKED_SUFFIX)
        if self._parties.holders.setdefault(call_id, contact_id) != contact_id:
            return
        for each in self._live.get(call_id, {}):  # the colleague who was called
            view = self._views[each]
            if view.kind is ContactKind.INTERNAL and view.state is ContactState.OFFERED:
                self.change(each, state=ContactState.CONNECTED, connected_at=fact.at)
                self.change(contact_id, called=view.agent_id)

    def _connect_number(self, fact: facts.NumberConnected) -> None:
        self.change(fact.contact_id, state=ContactState.CONNECTED, connected_at=fact.at)

    def _hold(self, fact: facts.CallHeld) -> None:
        self.change(fact.contact_id, held_since=fact.at)

    def _resume(self, fact: facts.CallResumed) -> None:
        self.change(fact.contact_id, held_since=None)

    def _change_places(self, fact: facts.PlacesChanged) -> None:
        self._parties.holders[fact.call_id] = fact.contact_id
        if not fact.number:
            return
        self._parties.numbers[fact.call_id] = fact.number
        for each in tuple(self._live.get(fact.call_id, ())):  # the number is shown with the agent who has it now
            if self._views[each].state is ContactState.CONNECTED and self._views[each].agent_id is None:
                self._remove(fact.call_id, each)
        view = self._views.get(fact.contact_id or fact.call_id)
        if view is not None:
            self.change(view.contact_id, **{"caller" if view.parent_id else "called": fact.number})

    def _show_second_party(self, fact: facts.ConversationChanged) -> None:
        self._parties.converse(fact)
        for each in tuple(self._live.get(fact.call_id, ())):
            if self._views[each].state is ContactState.CONNECTED and self._views[each].agent_id is None:
                self.change(each, **self._parties.owner_outside(fact.call_id))
        holder = self._views.get(self._parties.holders.get(fact.call_id, ""))
        second = None if holder is None else self._views.get(holder.consult_id or "")
        state = CONSULT_STATES.get(fact.mode)
        # One who is still sought stays so, though the agent talks with the customer meanwhile.
        there = second is not None and second.state is ContactState.CONNECTED
        if holder is not None and there and state is not None:
            self.change(holder.contact_id, consult_state=state)

    def _end_segment(self, fact: facts.SegmentEnded) -> None:
        call_id, contact_id = fact.call_id, fact.contact_id
        view = before = self._views.get(contact_id)
        consult_id = None if view is None else view.consult_id
        holder_id = self._parties.holders.get(call_id)
        self._let_go(call_id, contact_id, fact.at)
        if holder_id is None:
            return
        if contact_id != holder_id:
            holder = self._views.get(holder_id)
            if holder is not None and holder.consult_id == contact_id:
                self.change(holder_id, **NO_CONSULT)
            return
        follower = self._views.get(consult_id or "")
        if follower is not None and follower.state is ContactState.CONNECTED and follower.agent_id is not None:
            self._parties.holders[call_id] = follower.contact_id
        else:
            self._parties.leave(call_id, before)

    def _let_go(self, call_id: str, contact_id: str, at: int) -> None:
        """The contact's part of the call is over: its agent may wrap up."""
        view = self._views.get(contact_id)
        connected = view is not None and view.state is ContactState.CONNECTED
        if view is not None and connected and view.agent_id is not None and self._holds(view.agent_id, contact_id):
            self.change(
                contact_id, state=ContactState.WRAP_UP, ended_at=at, held_since=None, poor_lines=(), **NO_CONSULT
            )
            self._wrapping.setdefault(view.agent_id, {})[contact_id] = None
            self._live.get(call_id, {}).pop(contact_id, None)
        elif view is not None and view.state is not ContactState.WRAP_UP:
            self._remove(call_id, contact_id)

    def _park(self, fact: facts.CallParked) -> None:
        base = self._bases.get(fact.call_id)
        if base is not None:
            parked = replace_view(
                base,
                contact_id=fact.call_id + PARKED_SUFFIX,
                caller=self._parties.numbers.get(fact.call_id) or base.caller,
                state=ContactState.PARKED,
                agent_id=None,
                parent_id=fact.call_id,
                park_slot=fact.slot,
                parked_by=fact.agent_id,
                parked_until=fact.until,
                held_since=fact.at,
            )
            self._put(fact.call_id, parked)

    def _judge_line(self, fact: LegQualityChanged) -> None:
        """A customer's line goes with the call from agent to agent, everybody else's is of one contact."""
        if not fact.role:
            return
        if fact.role != Role.CUSTOMER:
            self._show_line(fact.contact_id or fact.call_id, fact)
            return
        base = self._bases.get(fact.call_id)
        if base is not None:
            self._bases[fact.call_id] = replace_view(base, poor_lines=_with_line(base.poor_lines, fact))
        for contact_id in [*self._live.get(fact.call_id, ())]:
            self._show_line(contact_id, fact)

    def _show_line(self, contact_id: str, fact: LegQualityChanged) -> None:
        view = self._views.get(contact_id)
        if view is not None and view.state is not ContactState.WRAP_UP:
            self.change(contact_id, poor_lines=_with_line(view.poor_lines, fact))

    def _take_card_entry(
        self,
        fact: recorded.CardEntryBegun | recorded.CardEntryShown | recorded.CardEntryEnded | recorded.CardEntryAnswered,
    ) -> None:
        """Card entry belongs to the contact in which it was begun, also when the call has moved on."""
        call_id = fact.call_id
        match fact:
            case recorded.CardEntryBegun():
                self._securing[call_id] = self.holder(call_id)
                self.change(self._securing[call_id], is_secured=True, card_answer=None)
            case recorded.CardEntryShown(field=field, typed=typed):
                views = tuple(CardFieldView(*each) for each in typed)
                self.change(self._securing.get(call_id, ""), card_field=field, card_typed=views)
            case recorded.CardEntryEnded(reason=reason):
                contact_id = self._securing.pop(call_id, self.holder(call_id))
                sending = reason == "sent"
                self.change(contact_id, is_secured=False, card_field=None, card_typed=(), card_sending=sending)
            case recorded.CardEntryAnswered():
                answer = CardAnswerView(fact.result, fact.token, fact.last4, fact.message)
                self.change(fact.contact_id or call_id, card_sending=False, card_answer=answer)

    def _end_call(self, fact: facts.CallEnded) -> None:
        for contact_id in list(self._live.get(fact.call_id, ())):
            self._let_go(fact.call_id, contact_id, fact.at)
        self._live.pop(fact.call_id, None)
        self._bases.pop(fact.call_id, None)
        self._parties.forget(fact.call_id)

    def _know_customer(self, call_id: str, customer: CustomerMatch) -> None:
        base = self._bases.get(call_id)
        if base is not None:
            self._bases[call_id] = replace_view(base, customer=customer)
        for contact_id in tuple(self._of_call.get(call_id, ())):
            self.change(contact_id, customer=customer)

    # Changes

    def change(self, contact_id: str, **fields: object) -> None:
        """Change a contact's view; nothing when it is not on the floor."""
        view = self._views.get(contact_id)
        if view is None:
            return
        changed = replace_view(view, **fields)
        if changed != view:
            self._views[contact_id] = changed
            self._tell(ContactChanged(changed))
            base = self._bases.get(contact_id)  # language and path become known while the flow speaks
            if base is not None and (base.language, base.flow_path) != (changed.language, changed.flow_path):
                self._bases[contact_id] = replace_view(base, language=changed.language, flow_path=changed.flow_path)

    def show(self, view: ContactView) -> None:
        """Put a contact on the floor that is no part of a call; it is its own."""
        self._of_call.setdefault(view.contact_id, {})[view.contact_id] = None
        if self._views.get(view.contact_id) != view:
            self._views[view.contact_id] = view
            self._tell(ContactChanged(view))

    def remove(self, contact_id: str) -> None:
        """Take a contact off the floor."""
        view = self._views.pop(contact_id, None)
        if view is not None:
            wrapping = self._wrapping.get(view.agent_id or "", {})
            if wrapping.pop(contact_id, view) is None and not wrapping:
                del self._wrapping[view.agent_id or ""]
            call_id = call_of(contact_id)
            del self._of_call[call_id][contact_id]
            if not self._of_call[call_id]:
                del self._of_call[call_id]
            self._tell(ContactRemoved(contact_id))

    def _put(self, call_id: str, view: ContactView) -> None:
        self._live.setdefault(call_id, {})[view.contact_id] = None
        if self._views.get(view.contact_id) != view:
            self._views[view.contact_id] = view
            self._of_call.setdefault(call_of(view.contact_id), {})[view.contact_id] = None
            self._tell(ContactChanged(view))

    def _remove(self, call_id: str, contact_id: str) -> None:
        self._live.get(call_id, {}).pop(contact_id, None)
        self.remove(contact_id)


def _with_line(lines: tuple[PoorLine, ...], fact: LegQualityChanged) -> tuple[PoorLine, ...]:
    others = tuple(line for line in lines if line.role != fact.role)
    if not fact.is_poor:
        return others
    return (*others, PoorLine(fact.role, fact.mos, fact.loss_percent, fact.jitter_ms, fact.round_trip_ms))
