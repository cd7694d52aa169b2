"""The live floor as a fold of facts: agents, queues and contacts as consoles see them. Pure.

``apply`` takes one fact and returns the changes it made; a stale view plus these changes equals a fresh ``view()``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace as replace_view

from acd import outcomes as acd
from acd.events import AgentSpec, Channel, FloorConfigured
from agent_console.messages import (
    AgentChanged,
    AgentState,
    AgentView,
    CallbackChanged,
    CallbackRemoved,
    CallbackView,
    Change,
    ChannelLoad,
    ContactView,
    FloorView,
    QueueChanged,
    QueueView,
    RecordingState,
    RingView,
    SupervisionMode,
    SupervisionView,
)
from callcenter.callbacks.book import CallbackGone, CallbackShown
from callcenter.calls import recording_facts as recorded
from callcenter.calls import supervision_facts as supervised
from callcenter.floor.contacts import FloorContacts
from callcenter.floor.items import FloorChannels, FloorItems, loads, takes_calls
from callcenter.service_targets import ServiceTargets
from callcenter.workforce.watch import AdherenceChanged


@dataclass(frozen=True, slots=True)
class PhoneRegistrationChanged:
    """An agent's first phone registered, or the last one is gone."""

    agent_id: str
    registered: bool


QUEUE_FACTS = (acd.ContactQueued, acd.ContactDequeued, acd.ContactAssigned, acd.CustomerCame)
STATES = {state: AgentState(state) for state in acd.AgentState}
"""What the console calls an agent's state."""


class FloorFold:
    """Folds routing outcomes and call facts."""

    def __init__(
        self,
        *,
        time_zone: ZoneInfo,
        targets: ServiceTargets,
        tells_of_supervision: bool = False,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """``tells_of_supervision``: whether agents are shown that somebody listens. ``names`` of people by user id."""
        self._names = names or {}
        self._zone = time_zone
        self._targets = targets
        self._tells_of_supervision = tells_of_supervision
        self._day = (0, 0)
        """When the day of the counts began and ends."""
        self._agents: dict[str, AgentView] = {}
        self._queues: dict[str, QueueView] = {}
        self._changes: list[Change] = []
        """Of the fact that is being folded, as is its instant."""
        self._at = 0
        self._contacts = FloorContacts(self._changes.append, self._holds)
        self._items = FloorItems(self._contacts)
        self._channels = FloorChannels(targets)
        self._specs: dict[str, AgentSpec] = {}
        self._works: dict[str, tuple[str, ...]] = {}
        """By agent: contacts of shared channels, ringing ones and wrap-ups included."""
        self._callbacks: dict[str, CallbackView] = {}
        self._waiting: dict[str, dict[str, int]] = {}
        """Queue to its waiting contacts with the instant each began to wait."""
        self._folds: Mapping[type, Callable[[Any], None]] = {
            FloorConfigured: self._configure,
            PhoneRegistrationChanged: self._register_phone,
            acd.AgentStateChanged: self._take_agent_state,
            **dict.fromkeys(QUEUE_FACTS, self._take_queue_fact),
            acd.QueueDoorChanged: self._turn_door,
            acd.OfferContact: self._ring,
            acd.OfferRings: self._ring,
            acd.OfferEnded: self._end_offer,
            AdherenceChanged: self._take_adherence,
            CallbackShown: self._show_callback,
            CallbackGone: self._drop_callback,
            **dict.fromkeys(self._items.folds, self._take_item_fact),
            **self._contacts.folds,
            recorded.RecordingStarted: self._show_recording,
            recorded.RecordingResumed: self._show_recording,
            recorded.RecordingPaused: self._pause_recording,
            recorded.RecordingImpaired: self._impair_recording,
            recorded.RecordingStopped: self._stop_recording,
            supervised.SupervisionOrdered: self._order_supervision,
            supervised.SupervisionJoined: self._show_supervision,
            supervised.SupervisionChanged: self._show_supervision,
            supervised.SupervisionEnded: self._end_supervision,
        }

    @property
    def shown(self) -> tuple[type, ...]:
        """The facts that change something here."""
        return tuple(self._folds)

    def view(self) -> FloorView:
        """Everything, now."""
        return FloorView(
            tuple(self._agents.values()),
            tuple(self._queues.values()),
            tuple(self._contacts.views.values()),
            tuple(self._callbacks.values()),
        )

    def waiting(self) -> int:
        """Contacts that wait in any queue."""
        return sum(len(each) for each in self._waiting.values())

    def agent(self, agent_id: str) -> AgentView | None:
        """One agent."""
        return self._agents.get(agent_id)

    def contact(self, contact_id: str) -> ContactView | None:
        """One contact on the floor."""
        return self._contacts.views.get(contact_id)

    def counts(self) -> dict[str, list[int]]:
        """The day's counts of each queue for the snapshot: offered, answered, abandoned, answered in target; those of
        other channels than calls under ``QUEUE/CHANNEL``."""
        calls = {q.queue_id: [q.offered, q.answered, q.abandoned, q.answered_in_target] for q in self._queues.values()}
        return calls | self._channels.numbers()

    def restore_counts(self, counts: dict[str, list[int]], *, at: int) -> None:
        """Put back the counts of a snapshot taken at ``at``."""
        if not self._day[0] <= at < self._day[1]:
            self._turn_day(at)
        for queue_id, numbers in counts.items():
            if "/" in queue_id:
                self._show_channels(self._channels.restore(queue_id, numbers))
                continue
            offered, answered, abandoned, in_target = numbers
            if queue_id in self._queues:
                self._queues[queue_id] = replace_view(
                    self._queues[queue_id],
                    offered=offered,
                    answered=answered,
                    abandoned=abandoned,
                    answered_in_target=in_target,
                )

    def restore_waiting(self, contact_id: str, queue_id: str, arrived_at: int, channel: Channel) -> None:
        """Put back a contact of a shared channel that waited when the snapshot was taken."""
        self._channels.of(queue_id, channel).waiting[contact_id] = arrived_at
        self._show_channels(queue_id)

    def apply(self, fact: object, at: int) -> tuple[Change, ...]:
        """Fold one fact that happened at ``at`` (milliseconds). Facts the floor does not show change nothing."""
        self._changes.clear()
        self._at = at
        if not self._day[0] <= at < self._day[1]:
            self._turn_day(at)
        fold = self._folds.get(type(fact))
        if fold is not None:
            fold(fact)
        return tuple(self._changes)

    # Configuration and the turn of the day

    def _configure(self, config: FloorConfigured) -> None:
        for spec in config.queues:
            known = self._queues.get(spec.queue_id)
            target = self._targets.of(spec.queue_id, Channel.VOICE)
            self._put_queue(
                replace_view(
                    known or QueueView(spec.queue_id, spec.name, 0, None, 0, 0, 0, 0, target.within_seconds),
                    name=spec.name,
                    target_seconds=target.within_seconds,
                    target_percent=target.percent,
                )
            )
        for agent in config.agents:
            queue_ids, at = tuple(agent.queue_ids), self._at
            self._specs[agent.agent_id] = agent
            if agent.agent_id not in self._agents:
                self._put_agent(AgentView(agent.agent_id, agent.name, AgentState.OFFLINE, at, queue_ids=queue_ids))
            self._change_agent(
                agent.agent_id,
                name=agent.name,
                queue_ids=queue_ids,
                loads=self._loads(agent.agent_id),
                takes_calls=takes_calls(agent),
            )

    def _turn_day(self, at: int) -> None:
        day = datetime.fromtimestamp(at / 1000, UTC).astimezone(self._zone).date()
        midnights = (datetime.combine(each, time.min, self._zone) for each in (day, day + timedelta(days=1)))
        if self._day[1]:
            self._channels.turn_day()
            for queue in list(self._queues.values()):
                fresh = {"offered": 0, "answered": 0, "abandoned": 0, "answered_in_target": 0}
                self._put_queue(replace_view(queue, channels=self._channels.views(queue.queue_id), **fresh))
        began, will_end = (round(midnight.timestamp() * 1000) for midnight in midnights)
        self._day = (began, will_end)

    # Routing outcomes

    def _register_phone(self, fact: PhoneRegistrationChanged) -> None:
        self._change_agent(fact.agent_id, phone_registered=fact.registered)

    def _take_agent_state(self, fact: acd.AgentStateChanged) -> None:
        left_wrap_up = fact.state is not acd.AgentState.WRAP_UP
        for contact_id in self._contacts.wrapped_up_by(fact.agent_id):
            if left_wrap_up or contact_id != fact.contact_id:
                self._contacts.remove(contact_id)
        before = self._agents.get(fact.agent_id)
        lost = before is not None and before.state is AgentState.OFFERED and fact.state is acd.AgentState.READY
        self._change_agent(
            fact.agent_id,
            answered_by=before.answered_by if before is not None and lost else None,
            state=STATES[fact.state],
            since=fact.since,
            reason=fact.reason,
            until=fact.until,
            pending=fact.pending,
            contact_id=fact.contact_id,
            is_kept=fact.state is acd.AgentState.OFFERED and self._contacts.keeps(fact.contact_id, fact.agent_id),
            **self._worked(fact),
        )
        if not left_wrap_up and fact.contact_id is not None:
            self._contacts.change(fact.contact_id, wrap_up_until=fact.until)

    def _take_queue_fact(
        self, fact: acd.ContactQueued | acd.ContactDequeued | acd.ContactAssigned | acd.CustomerCame
    ) -> None:
        """Calls are counted by queueing and dequeueing; who is called back, when the customer is there."""
        if not isinstance(fact, acd.CustomerCame) and fact.channel is not Channel.VOICE:
            self._channels.take(fact)
            self._show_channels(fact.queue_id)
            return
        if self._contacts.is_named(fact.contact_id):
            return
        waiting, at = self._waiting.setdefault(fact.queue_id, {}), self._at
        match fact:
            case acd.ContactQueued(is_away=False):
                waiting.setdefault(fact.contact_id, fact.arrived_at)
                self._count(fact.queue_id, offered=0 if fact.returned else 1)
            case acd.CustomerCame(connected=True):
                self._count(fact.queue_id, offered=1, answered=1, in_target=1)
            case acd.CustomerCame():
                waiting[fact.contact_id] = at
                self._count(fact.queue_id, offered=1)
            case acd.ContactDequeued(is_away=False):
                since = waiting.pop(fact.contact_id, at - fact.waited_ms)
                in_target = at - since <= self._targets.of(fact.queue_id, Channel.VOICE).within_seconds * 1000
                answered = fact.reason is acd.DequeueReason.ASSIGNED
                self._count(
                    fact.queue_id,
                    answered=int(answered),
                    in_target=int(answered and in_target),
                    abandoned=1 if fact.reason is acd.DequeueReason.ABANDONED else 0,
                )
            case _:
                pass

    def _turn_door(self, fact: acd.QueueDoorChanged) -> None:
        if fact.queue_id in self._queues:
            self._put_queue(replace_view(self._queues[fact.queue_id], closed=not fact.is_open))

    def _take_adherence(self, fact: AdherenceChanged) -> None:
        planned = None if fact.planned is None else str(fact.planned)
        out = {"planned_until": fact.until, "out_of_schedule_since": fact.out_since}
        self._change_agent(fact.agent_id, planned=planned, **out)

    def _show_callback(self, fact: CallbackShown) -> None:
        self._callbacks[fact.view.callback_id] = fact.view
        self._changes.append(CallbackChanged(fact.view))

    def _drop_callback(self, fact: CallbackGone) -> None:
        if self._callbacks.pop(fact.callback_id, None) is not None:
            self._changes.append(CallbackRemoved(fact.callback_id))

    def _ring(self, fact: acd.OfferContact | acd.OfferRings) -> None:
        self._contacts.ring(fact.contact_id, RingView(fact.agent_id, self._at, fact.expires_at))

    def _end_offer(self, fact: acd.OfferEnded) -> None:
        if fact.result is acd.OfferResult.ACCEPTED:
            for loser in self._contacts.answer(fact.contact_id, fact.agent_id):
                self._change_agent(loser, answered_by=fact.agent_id)
        else:
            self._contacts.ring_no_more(fact.contact_id, fact.agent_id)

    def _count(
        self, queue_id: str, *, offered: int = 0, answered: int = 0, abandoned: int = 0, in_target: int = 0
    ) -> None:
        queue = self._queues.get(queue_id)
        if queue is None:
            return
        waiting = self._waiting.get(queue_id, {})
        self._put_queue(
            replace_view(
                queue,
                waiting=len(waiting),
                longest_waiting_since=min(waiting.values(), default=None),
                offered=queue.offered + offered,
                answered=queue.answered + answered,
                abandoned=queue.abandoned + abandoned,
                answered_in_target=queue.answered_in_target + in_target,
            )
        )

    # Recordings and supervision

    def _show_recording(self, fact: recorded.RecordingStarted | recorded.RecordingResumed) -> None:
        self._contacts.change(self._contacts.holder(fact.call_id), recording=RecordingState.RECORDING)

    def _pause_recording(self, fact: recorded.RecordingPaused) -> None:
        self._contacts.change(self._contacts.holder(fact.call_id), recording=RecordingState.PAUSED)

    def _stop_recording(self, fact: recorded.RecordingStopped) -> None:
        self._contacts.change(self._contacts.holder(fact.call_id), recording=None)

    def _order_supervision(self, fact: supervised.SupervisionOrdered) -> None:
        self._supervise(fact.contact_id, fact.supervisor_id, fact.how, is_there=False)

    def _show_supervision(self, fact: supervised.SupervisionJoined | supervised.SupervisionChanged) -> None:
        self._supervise(fact.contact_id, fact.supervisor_id, fact.how, is_there=True)

    def _end_supervision(self, fact: supervised.SupervisionEnded) -> None:
        self._supervise(fact.contact_id, fact.supervisor_id, None, is_there=False)

    def _supervise(self, contact_id: str, supervisor_id: str, how: str | None, *, is_there: bool) -> None:
        contact = self._contacts.views.get(contact_id)
        if contact is None:
            return
        present = tuple(each for each in contact.supervision if each.supervisor_id != supervisor_id)
        if how is not None:
            name = self._names.get(supervisor_id, supervisor_id)
            present = (*present, SupervisionView(supervisor_id, SupervisionMode(how), is_there, name))
        told = self._tells_of_supervision and any(each.is_there for each in present)
        self._contacts.change(contact_id, supervision=present, is_supervised=told)

    def _impair_recording(self, fact: recorded.RecordingImpaired) -> None:
        contact = self._contacts.views.get(self._contacts.holder(fact.call_id))
        if contact is not None and contact.recording is not None:
            failed = fact.reason == "not_started"
            self._contacts.change(
                self._contacts.holder(fact.call_id),
                recording=RecordingState.FAILED if failed else RecordingState.IMPAIRED,
            )

    # Shared channels

    def _take_item_fact(self, fact: Any) -> None:
        self._items.folds[type(fact)](fact)
        self._show_loads()

    def _worked(self, fact: acd.AgentStateChanged) -> dict[str, object]:
        """What the agent's work on shared channels changes in the agent's view; nothing for agents of calls alone."""
        if not fact.works and not self._works.get(fact.agent_id):
            return {}
        self._works[fact.agent_id] = tuple(fact.works)
        return {"loads": self._loads(fact.agent_id)}

    def _loads(self, agent_id: str) -> tuple[ChannelLoad, ...]:
        held = [self._contacts.views.get(contact_id) for contact_id in self._works.get(agent_id, ())]
        return loads(self._specs[agent_id], held) if agent_id in self._specs else ()

    def _show_loads(self) -> None:
        """Items came to the floor, or left it, after their agents were told to have them."""
        for agent_id, works in self._works.items():
            if works:
                self._change_agent(agent_id, loads=self._loads(agent_id))

    def _show_channels(self, queue_id: str) -> None:
        queue = self._queues.get(queue_id)
        if queue is not None:
            self._put_queue(replace_view(queue, channels=self._channels.views(queue_id)))

    # Changes

    def _holds(self, agent_id: str, contact_id: str) -> bool:
        agent = self._agents.get(agent_id)
        return agent is not None and agent.contact_id == contact_id

    def _put_agent(self, agent: AgentView) -> None:
        if self._agents.get(agent.agent_id) != agent:
            self._agents[agent.agent_id] = agent
            self._changes.append(AgentChanged(agent))

    def _change_agent(self, agent_id: str, **fields: object) -> None:
        agent = self._agents.get(agent_id)
        if agent is not None:
            self._put_agent(replace_view(agent, **fields))

    def _put_queue(self, queue: QueueView) -> None:
        if self._queues.get(queue.queue_id) != queue:
            self._queues[queue.queue_id] = queue
            self._changes.append(QueueChanged(queue))
