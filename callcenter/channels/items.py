"""Contacts of shared channels in the running exchange: the one owner of what is not dealt with.

An item is a contact like any other for routing, which knows when an agent has room. What this adds is what no phone
does here: the offer is taken at the desk, the work goes on beside a call or other items, and it survives everything.
Nobody at the other end is gone after a restart, so items keep their agent, or their place.

Facts are journaled first; then routing hears of it. Where the two disagree after a kill, the facts decide.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import structlog

from acd.contacts import Contact, ContactState
from acd.errors import AcdError
from acd.events import (
    Channel,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    ContactReturned,
    DeclineCause,
    Event,
    OfferAccepted,
    OfferDeclined,
    SkillLevel,
    WrapUpFinished,
)
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.outcomes import ContactAssigned, ContactDequeued, DequeueReason, OfferContact, OfferEnded, OfferResult
from acd.route_plans import RoutePlan, RouteStep
from agent_console.ports import IntentError
from callcenter.calls.facts import CustomerIdentified, CustomerMatched
from callcenter.calls.mail import Identified
from callcenter.channels.facts import (
    ItemAccepted,
    ItemArrived,
    ItemClosed,
    ItemCorrected,
    ItemFact,
    ItemMoved,
    ItemOfferFailed,
    ItemRecord,
    ItemResult,
    ItemReturned,
    ReturnReason,
)
from callcenter.channels.inbox import InboundItem
from callcenter.channels.open_items import Item, OpenItems
from callcenter.journal_erasure import tombstone
from callcenter.open_work import OpenWork
from callcenter.ports import Clock, CustomerDirectory, Journal
from callcenter.routing import Routing

log = structlog.get_logger(__name__)

EVERYBODY = RoutePlan((RouteStep(),))
SET_ASIDE_MS = 300_000
"""How long an agent who gave an item back is not asked for it again."""
REMEMBERED = 10_000
"""Records of closed items, for a customer who is named in the wrap-up."""


def offer_gone() -> IntentError:
    """The answer to whoever takes or refuses what rings no more."""
    return IntentError("offer-gone", "This does not ring at your desk any more.")


def gone() -> IntentError:
    """The answer to whoever has it no more."""
    return IntentError("contact-gone", "This is not at your desk any more.")


@dataclass(frozen=True, slots=True)
class ItemRules:
    """What the site says about items."""

    plans: Mapping[str, RoutePlan] = field(default_factory=dict)
    """By queue: whom to ask, without an end."""
    priorities: Mapping[tuple[str, Channel], int] = field(default_factory=dict)
    queue_of: Mapping[str, str] = field(default_factory=dict)
    """By agent: the queue in which what is for the agent alone waits."""
    takers: frozenset[tuple[str, Channel]] = frozenset()
    """Agents, and what they may be given."""

    def plan_of(self, queue_id: str, for_agent: str) -> RoutePlan | None:
        """Whom to ask; ``None`` is everybody of the queue, for ever."""
        if for_agent:
            return RoutePlan((RouteStep(f"agent:{for_agent} and floor"),))
        return self.plans.get(queue_id)

    def plan_without(self, queue_id: str, aside: str) -> RoutePlan:
        """Whom to ask when this agent gave it back a moment ago."""
        plan = self.plans.get(queue_id) or EVERYBODY
        first = RouteStep(f"not agent:{aside}", SET_ASIDE_MS)
        later = tuple(each for each in plan.steps if each.until_ms is None or each.until_ms > SET_ASIDE_MS)
        return RoutePlan((first, *(later or (RouteStep(),))))


class Items:
    """Implements ``ItemInbox`` for adapters and, with ``desk/items``, what desks order. ``tell`` is the bus, once what
    was appended is on disk."""

    def __init__(
        self,
        *,
        clock: Clock,
        journal: Journal,
        tell: Callable[[object, int], None],
        routing: Routing,
        directory: CustomerDirectory,
        rules: ItemRules,
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._tell = tell
        self._routing = routing
        self._directory = directory
        self._rules = rules
        self._open = OpenItems()
        self._offers: dict[str, tuple[str, str]] = {}
        """By contact: the offer that rings, and at whom."""
        self._records: dict[str, ItemRecord] = {}
        self._known: set[str] = set()
        self._noted = 0
        """The newest entry that was written without anybody waiting for it."""
        self._lookups: set[asyncio.Task[None]] = set()

    # What others look at

    @property
    def open(self) -> OpenItems:
        """What is not dealt with; to be read only."""
        return self._open

    def get(self, contact_id: str) -> Item | None:
        """An item that is not dealt with."""
        return self._open.items.get(contact_id)

    def is_one(self, contact_id: str) -> bool:
        """Whether this is an item, or was one lately."""
        return contact_id in self._known

    # Arrival and end, for adapters

    async def arrive(self, inbound: InboundItem) -> None:
        """See ``ItemInbox.arrive``."""
        if inbound.contact_id in self._known:
            return
        for_agent = inbound.box if inbound.box in self._rules.queue_of else ""
        queue_id = self._rules.queue_of[for_agent] if for_agent else inbound.box
        arrived = ItemArrived(
            contact_id=inbound.contact_id,
            at=self._clock.now(),
            channel=inbound.channel,
            queue_id=queue_id,
            caller=inbound.caller,
            caller_name=inbound.caller_name,
            called=inbound.box,
            agent_id=for_agent,
            language=inbound.language,
            priority=self._rules.priorities.get((queue_id, inbound.channel), 0),
            required_skills=inbound.required_skills,
            parent_id=inbound.parent_id,
            recording_id=inbound.recording_id,
            recording_ms=inbound.recording_ms,
            text=inbound.text,
        )
        await self._write(arrived)
        self._post_arrival(self._open.items[arrived.contact_id])
        self._look_up(arrived)

    async def leave(self, contact_id: str) -> None:
        """See ``ItemInbox.leave``."""
        if contact_id in self._open.items:
            await self._close(contact_id, "", ItemResult.LEFT)

    async def forget_person(self, call_id: str) -> None:
        """Whoever left something in this call is to be forgotten: nobody works it any more."""
        for contact_id, item in list(self._open.items.items()):
            if call_id in (contact_id, item.arrived.parent_id):
                await self._close(contact_id, "", ItemResult.ERASED)

    # After a restart

    def resume(self, facts: Iterable[tuple[object, int]], work: OpenWork) -> None:
        """Take up what an earlier life had open; the facts about it in order. Routing has been brought back before."""
        self._open.fold(fact for fact, _ in facts)
        for contact_id in work.heard:
            self._open.hear(contact_id)
        self._known.update(work.items, work.ended_items, self._in_wrap_up())

    def lost_contacts(self) -> list[str]:
        """Contacts of shared channels that routing has and that are no open items."""
        return [
            contact.contact_id
            for contact in self._routing.engine.contacts()
            if contact.channel is not Channel.VOICE and contact.contact_id not in self._open.items
        ]

    def _in_wrap_up(self) -> Iterable[str]:
        return (work.contact_id for agent in self._routing.engine.agents() for work in agent.works)

    def reconcile(self, queues: Iterable[str]) -> None:
        """Bring routing to what the facts say, once it runs: who was rung is rung anew, what it does not know arrives,
        and wrap-ups of an earlier life are over."""
        here = {contact.contact_id: contact for contact in self._routing.engine.contacts()}
        known = frozenset(queues)
        for contact_id, item in self._open.items.items():
            contact = here.get(ContactId(contact_id))
            if contact is not None:
                self._bring_back(item, contact)
            elif item.queue_id in known:
                if item.agent_id:
                    self._note(ItemReturned(contact_id, self._clock.now(), item.agent_id, ReturnReason.DESK_GONE))
                self._post_arrival(self._open.items[contact_id])
            else:
                log.warning("item without a queue", contact_id=contact_id, queue_id=item.queue_id)
        for agent in self._routing.engine.agents():
            for work in agent.works:
                if work.over:
                    self._routing.post(WrapUpFinished(agent.agent_id, work.contact_id))

    def _bring_back(self, item: Item, contact: Contact) -> None:
        contact_id = item.arrived.contact_id
        if contact.state is ContactState.OFFERED:
            self._routing.post(ContactReturned(contact.contact_id))
        elif contact.state is ContactState.CONNECTED and contact.agent_id != item.agent_id:
            self._note(ItemAccepted(contact_id, self._clock.now(), contact.agent_id or "", contact.queue_id))
        elif contact.state is ContactState.WAITING and item.agent_id:
            self._note(ItemReturned(contact_id, self._clock.now(), item.agent_id, ReturnReason.DESK_GONE))

    # What routing says

    def takes(self, outcome: object) -> bool:
        """Carry out a routing outcome about an item; ``False`` for all others."""
        contact_id = getattr(outcome, "contact_id", None)
        if contact_id is None or contact_id not in self._known:
            return False
        match outcome:
            case OfferContact():
                self._offers[contact_id] = (outcome.offer_id, outcome.agent_id)
                if contact_id not in self._open.items:  # closed in the same moment
                    self._routing.post(ContactLeft(ContactId(contact_id)))
            case OfferEnded(offer_id=offer_id, agent_id=agent_id, result=result):
                self._offers.pop(contact_id, None)
                if result is not OfferResult.ACCEPTED:
                    self._note(ItemOfferFailed(contact_id, self._clock.now(), offer_id, agent_id, str(result)))
            case ContactAssigned():
                self._assign(outcome)
            case ContactDequeued(reason=DequeueReason.QUEUE_REMOVED):
                log.warning("item without a queue", contact_id=contact_id, queue_id=outcome.queue_id)
            case _:
                pass
        return True

    def _assign(self, assigned: ContactAssigned) -> None:
        contact_id = assigned.contact_id
        if contact_id not in self._open.items:
            self._routing.post(ContactFinished(contact_id))
            return
        now = self._clock.now()
        self._note(ItemAccepted(contact_id, now, assigned.agent_id, assigned.queue_id, assigned.offer_id))

    # What desks order

    async def accept(self, agent_id: str, contact_id: str) -> None:
        """Take what rings at the desk. Raises ``IntentError``."""
        await self._request(OfferAccepted(OfferId(self._rung(agent_id, contact_id))))
        item = self.get(contact_id)
        if item is None or item.agent_id != agent_id:
            raise offer_gone()

    async def decline(self, agent_id: str, contact_id: str) -> None:
        """Refuse what rings at the desk. Raises ``IntentError``."""
        offer_id = self._rung(agent_id, contact_id)
        await self._request(OfferDeclined(OfferId(offer_id), DeclineCause.DECLINED))

    async def give_back(self, agent_id: str, contact_id: str) -> None:
        """Let somebody else work it. Raises ``IntentError``."""
        item = self._held(agent_id, contact_id)
        if item.for_agent:  # from the own box to the colleagues of the queue
            await self._write(ItemMoved(contact_id, self._clock.now(), agent_id, item.queue_id))
        else:
            await self._write(ItemReturned(contact_id, self._clock.now(), agent_id, ReturnReason.GIVEN_BACK))
        plan = self._rules.plan_without(item.queue_id, agent_id)
        await self._request(ContactReturned(ContactId(contact_id), plan=plan, refused=True))

    async def finish(self, user_id: str, contact_id: str, *, boxes: Callable[[str], bool]) -> None:
        """Somebody dealt with it, at the desk or elsewhere; ``boxes`` says whose items are this person's.

        Raises ``IntentError``.
        """
        item = self.get(contact_id)
        if item is None:
            raise IntentError("message-gone", "Somebody dealt with this already.")
        if item.agent_id != user_id and not boxes(item.box):
            raise IntentError("not-allowed", "This is not for you.")
        await self._close(contact_id, user_id, ItemResult.HANDLED)

    async def move(self, user_id: str, contact_id: str, queue_id: str, for_agent: str = "") -> None:
        """Hand it to another queue, or to an agent. Raises ``IntentError``."""
        item = self.get(contact_id)
        if item is None:
            raise gone()
        if (item.queue_id, item.for_agent) == (queue_id, for_agent):
            raise IntentError("not-callable", "It is there already.")
        await self._write(ItemMoved(contact_id, self._clock.now(), user_id, queue_id, for_agent))
        plan = self._rules.plan_of(queue_id, for_agent) or EVERYBODY
        await self._request(ContactReturned(ContactId(contact_id), QueueId(queue_id), plan))

    async def hand_over(self, user_id: str, contact_id: str, to: str) -> None:
        """Hand it to who takes over from whom it is for; to the colleagues of the queue if that one is given none.

        Raises ``IntentError``.
        """
        item = self.get(contact_id)
        if item is not None:  # else somebody dealt with it meanwhile
            is_taker = (to, item.arrived.channel) in self._rules.takers
            queue_id = self._rules.queue_of.get(to, "") if is_taker else ""
            await self.move(user_id, contact_id, queue_id or item.queue_id, to if queue_id else "")

    async def identify(self, contact_id: str, chosen: Identified) -> None:
        """Say which customer it is from, also in the wrap-up. Raises ``IntentError``."""
        now = self._clock.now()
        identified = chosen.as_fact(contact_id, now)
        item, record = self.get(contact_id), self._records.get(contact_id)
        if item is not None and item.agent_id == chosen.agent_id:
            await self._write(identified)
        elif record is not None and record.agent_id == chosen.agent_id:
            self._records[contact_id] = replace(record, customer_id=chosen.customer_id, match_state="manual")
            await self._write(identified)
            await self._write(ItemCorrected(contact_id, now, self._records[contact_id]))
        else:
            raise gone()

    async def desk_gone(self, agent_id: str, reason: ReturnReason) -> None:
        """The agent is at no desk any more: what the agent has waits for others, with its age."""
        for contact_id in self._open.held_by(agent_id):
            await self._write(ItemReturned(contact_id, self._clock.now(), agent_id, reason))
            self._routing.post(ContactReturned(ContactId(contact_id)))

    def record_of(self, contact_id: str) -> ItemRecord | None:
        """The record of an item that was closed lately."""
        return self._records.get(contact_id)

    # Parts

    def _post_arrival(self, item: Item) -> None:
        arrived = item.arrived
        self._routing.post(
            ContactArrived(
                ContactId(arrived.contact_id),
                QueueId(item.queue_id),
                arrived.at,
                arrived.priority,
                tuple(SkillLevel(skill, level) for skill, level in arrived.required_skills),
                plan=self._rules.plan_of(item.queue_id, item.for_agent),
                channel=arrived.channel,
            )
        )

    def _look_up(self, arrived: ItemArrived) -> None:
        task = asyncio.create_task(self._match(arrived), name=f"lookup {arrived.contact_id}")
        self._lookups.add(task)
        task.add_done_callback(self._lookups.discard)

    async def _match(self, arrived: ItemArrived) -> None:
        found = await self._directory.match(arrived.caller)
        if arrived.contact_id in self._open.items:
            now = self._clock.now()
            await self._write(CustomerMatched(arrived.contact_id, now, found.state, found.customer_ids, found.name))

    async def _close(self, contact_id: str, by: str, result: ItemResult) -> None:
        now = self._clock.now()
        item = self._open.items[contact_id]
        record = item.record(result, by, now)
        if result is ItemResult.ERASED:  # whoever reads this before the journal is blank must not learn it again
            record = replace(record, caller=tombstone(record.caller), caller_name=tombstone(record.caller_name))
        self._records[contact_id] = record
        while len(self._records) > REMEMBERED:
            del self._records[next(iter(self._records))]
        await self._write(ItemClosed(contact_id, now, by, record))
        left = ContactLeft(ContactId(contact_id), withdrawn=result is ItemResult.ERASED)
        await self._request(ContactFinished(ContactId(contact_id)) if item.agent_id else left)
        if item.agent_id and item.agent_id != by:  # who dealt with it elsewhere leaves nobody a wrap-up
            self._routing.post(WrapUpFinished(AgentId(item.agent_id), ContactId(contact_id)))

    def _rung(self, agent_id: str, contact_id: str) -> str:
        offer_id, rung = self._offers.get(contact_id, ("", ""))
        if rung != agent_id:
            raise offer_gone()
        return offer_id

    def _held(self, agent_id: str, contact_id: str) -> Item:
        item = self.get(contact_id)
        if item is None or item.agent_id != agent_id:
            raise gone()
        return item

    async def _request(self, event: Event) -> None:
        try:
            await self._routing.request(event)
            await self._journal.committed(self._noted)  # what it changed is told before whoever asked is answered
        except AcdError as error:
            raise IntentError(error.code, str(error)) from error

    async def _write(self, fact: ItemFact | CustomerMatched | CustomerIdentified) -> None:
        seq = self._journal.append(fact, at=fact.at)
        self._open.apply(fact)
        if isinstance(fact, ItemArrived):
            self._known.add(fact.contact_id)
        await self._journal.committed(seq)
        self._tell(fact, fact.at)

    def _note(self, fact: ItemAccepted | ItemOfferFailed | ItemReturned) -> None:
        """What follows from what is on disk already: a restart before this is comes to the same."""
        self._noted = self._journal.append(fact, at=fact.at)
        self._open.apply(fact)
        self._tell(fact, fact.at)
