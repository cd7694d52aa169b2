"""The exchange without its sockets: routing, calls, floor and desk around the ports.

The same object serves the real process (``exchange.py``) and the scenario tests, which fill the ports with fakes and
run it under virtual time.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import structlog

from acd.engine import Acd
from acd.errors import AcdError
from acd.events import (
    AgentClientLost,
    AgentDeskClosed,
    AgentDeskOpened,
    AgentMadeNotReady,
    AgentMadeReady,
    Channel,
    Event,
)
from acd.ids import AgentId
from acd.outcomes import AgentState as RoutingState
from acd.outcomes import (
    AgentStateChanged,
    ContactAssigned,
    ContactDequeued,
    ContactOverflowed,
    OfferContact,
    OfferEnded,
    OfferLapsed,
    OfferRings,
    WithdrawOffer,
    WrapUpCodeForced,
)
from agent_console.messages import AgentState, Change
from agent_console.ports import IntentError
from callcenter.appraisals.facts import ConversationScored, SurveyAnswered, SurveyAsked
from callcenter.appraisals.keeper import AppraisalKeeper
from callcenter.bus import Bus
from callcenter.callbacks.callbacks import Callbacks
from callcenter.callbacks.dials import HEARD as HEARD_FOR_CALLBACKS
from callcenter.callbacks.dials import CallbackDials
from callcenter.callbacks.line import CallbackLine
from callcenter.callbacks.terms import CallbackTerms
from callcenter.calls.callback_facts import CallbackFact
from callcenter.calls.clearance import Clearance
from callcenter.calls.dependencies import CallDependencies
from callcenter.calls.facts import (
    CallClosed,
    CallConnected,
    CallCorrected,
    RoutingSnapshot,
    WrapUpRecorded,
)
from callcenter.calls.identity import asks_who_calls
from callcenter.calls.mailbox import MailboxCalls
from callcenter.calls.queueing import CallRouting
from callcenter.calls.record import OpenRecord
from callcenter.calls.recording_facts import RecordingFact, RecordingImpaired, RecordingStored
from callcenter.calls.segments import TargetKind
from callcenter.calls.switchboard import Switchboard, new_call_id
from callcenter.calls.targets import Directory, NoCallsOut
from callcenter.calls.voicemail_facts import VoicemailFact
from callcenter.channels.facts import ItemArrived, ItemFact, ReturnReason
from callcenter.channels.inbox import InboundItem
from callcenter.channels.items import Items
from callcenter.channels.message_shelf import PhoneShelf
from callcenter.channels.voicemail import Voicemail
from callcenter.consequences import Consequences
from callcenter.desk.exchange_desk import ExchangeDesk
from callcenter.floor.fold import FloorFold, PhoneRegistrationChanged
from callcenter.open_work import NotingJournal, OpenWork
from callcenter.payments.fields import CardField
from callcenter.payments.port import Payments
from callcenter.ports import Clock, CustomerDirectory, Journal, MediaPlane, OutboundRules, Prompts, Signalling
from callcenter.presence import SeatPresence, absence_ms
from callcenter.queue_announcer import QueueAnnouncer
from callcenter.recordings.ledger import RecordingLedger
from callcenter.recovery import closing_facts, closing_inputs
from callcenter.routing import Routing
from callcenter.safe_signalling import SafeSignalling
from callcenter.service_targets import ServiceTargets, TargetsConfigured
from callcenter.site.models import Site
from callcenter.site.repository import takes
from callcenter.site.rules import (
    announcement_rules,
    box_watchers,
    callback_greetings,
    callback_rules,
    code_meanings,
    floor_configuration,
    item_rules,
    pause_meanings,
    quality_forms,
    recording_rules,
    route_plans,
    service_targets,
    supervisor_rights,
)
from callcenter.waiting_room import WAITING_ROOM_FACTS, WaitingRoom
from callcenter.workforce.activities import PauseMeanings
from callcenter.workforce.keeper import RosterKeeper
from callcenter.workforce.shifts import ShiftsPlanned
from ivr.flow import Flow

log = structlog.get_logger(__name__)

STOP_SECONDS = 5.0
DESK_LEASE_MS = 30_000
"""How long a console may be away before its agent's items go back, where no presence lease says otherwise."""
PHONE_GONE = "phone_gone"
VOICEMAIL_FACTS = (*get_args(VoicemailFact), *get_args(ItemFact), RecordingStored, RecordingImpaired)
FOR_THE_STORE = (
    CallClosed,
    CallCorrected,
    WrapUpRecorded,
    *get_args(RecordingFact),
    *get_args(VoicemailFact),
    *get_args(ItemFact),
)
"""Facts that the customer store reads."""
CARRIED_OUT = frozenset(
    {
        OfferContact,
        OfferRings,
        WithdrawOffer,
        OfferEnded,
        OfferLapsed,
        ContactAssigned,
        ContactDequeued,
        ContactOverflowed,
        WrapUpCodeForced,
    }
)
"""Routing outcomes on which calls, items or callbacks act; the others are only told."""
PHONE_REASONS = frozenset({PHONE_GONE, "phone_unreachable"})
"""Pauses that end by themselves when the phone registers."""


@dataclass(frozen=True, slots=True)
class ExchangePorts:
    """The outside, as the exchange needs it."""

    clock: Clock
    journal: Journal
    signalling: Signalling
    media: MediaPlane
    directory: CustomerDirectory
    prompts: Prompts
    rules: OutboundRules = field(default_factory=NoCallsOut)
    """Who may call what outside; by default nobody anything."""
    payments: Payments | None = None
    """Where card data goes; by default nowhere, so that none is taken."""


class ExchangeCore:
    """Everything that decides. ``on_changes`` hears each change of the floor, ``on_closed`` that the customer store has
    something new to read, ``on_fatal`` that the process must end. ``identity_key`` hides callers'
    numbers from routing."""

    def __init__(
        self,
        *,
        ports: ExchangePorts,
        site: Site,
        flows: Mapping[str, Flow],
        music: str,
        ringing: str = "",
        beep: str = "",
        engine: Acd,
        floor: FloorFold,
        recordings: Path | None = None,
        recording_key: Path | None = None,
        messages: Sequence[object] = (),
        items: Sequence[tuple[object, int]] = (),
        work: OpenWork | None = None,
        identity_key: bytes = b"",
        card_prompts: Mapping[CardField, Mapping[str, str]] = {},
        consequences: Consequences | None = None,
        on_changes: Callable[[tuple[Change, ...]], None] = lambda _: None,
        on_closed: Callable[[], None] = lambda: None,
        on_fatal: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        self.floor = floor
        self.bus = Bus()
        consequences = consequences or Consequences()
        self._work = OpenWork() if work is None else work
        ports = replace(ports, journal=NotingJournal(ports.journal, self._work))
        self._once_safe = ports.journal.once_safe
        signalling = SafeSignalling(
            ports.signalling,
            self._once_safe,
            lambda leg_id: self.switchboard.is_callers(leg_id),  # noqa: PLW0108 - made below
        )
        self._ports = ports
        self._site = site
        self._on_changes = on_changes
        self._on_closed = on_closed
        self._on_fatal = on_fatal
        self.routing = Routing(
            engine,
            clock=ports.clock,
            journal=ports.journal,
            bus=self.bus,
            consequences=consequences,
            on_outcome=self._on_routing_outcome,
            on_milestone=self._write_snapshot,
            hours=site.queue_hours(),
        )
        targets = Directory(
            {agent.id: next(iter(agent.queues), "") for agent in site.agents},
            frozenset(queue.id for queue in site.queues),
            ports.rules,
            {agent.id: frozenset(agent.queues) for agent in site.agents},
        )
        self.clearance = Clearance(
            ports.clock, ports.journal, targets, ports.directory, calls_unasked=site.phones_unanswered == "call"
        )
        self._callback_line = CallbackLine(
            ports.clock,
            ports.journal,
            self._tell,
            self.routing,
            CallbackTerms(callback_rules(site)),
            new_call_id,
        )
        self.callbacks = Callbacks(self._callback_line, ports.directory)
        self._callback_dials = CallbackDials(
            self._callback_line,
            ports.directory,
            lambda agent_id, number, at: targets.resolve(agent_id, TargetKind.NUMBER, number, at),
            on_fatal,
        )
        deps = CallDependencies(
            clock=ports.clock,
            journal=ports.journal,
            bus=self.bus,
            signalling=signalling,
            media=ports.media,
            directory=ports.directory,
            prompts=ports.prompts,
            routing=self.routing,
            consequences=consequences,
            clearance=self.clearance,
            flows=flows,
            asking_flows=frozenset(name for name, flow in flows.items() if asks_who_calls(flow)),
            music=music,
            ringing=ringing,
            beep=beep,
            recording_rules=recording_rules(site),
            exit_keys={queue.id: queue.exit_key for queue in site.queues if queue.exit_key is not None},
            targets=targets,
            codes=site.feature_codes.codes,
            call_routing=call_routing(site, identity_key),
            callbacks=self.callbacks,
            greetings=callback_greetings(site),
            payments=ports.payments,
            card_prompts=card_prompts,
        )
        self.recording_ledger = RecordingLedger(clock=ports.clock, journal=ports.journal, bus=self.bus, root=recordings)
        self.switchboard = Switchboard(deps, flow_of=site.flow_of, on_fatal=on_fatal)
        self.items = Items(
            clock=ports.clock,
            journal=ports.journal,
            tell=self._tell,
            routing=self.routing,
            directory=ports.directory,
            rules=item_rules(site),
        )
        self.items.resume(items, self._work)
        self._messages = messages
        self.voicemail = Voicemail(
            self.items,
            self.items.open,
            watchers=box_watchers(site),
            clock=ports.clock,
            signalling=signalling,
            in_background=self.recording_ledger.tell,
            on_failure=on_fatal,
        )
        shelf = PhoneShelf(
            self.voicemail,
            self.items,
            clock=ports.clock,
            journal=ports.journal,
            bus=self.bus,
            root=recordings,
            key_file=recording_key,
        )
        self.switchboard.mailboxes = MailboxCalls(
            signalling,
            ports.media,
            ports.prompts,
            shelf,
            self.routing,
            on_fatal,
            languages={agent.id: agent.language for agent in site.agents},
        )
        self._callback_line.dialling = self.switchboard
        self.desk = ExchangeDesk(
            clock=ports.clock,
            journal=ports.journal,
            bus=self.bus,
            signalling=signalling,
            routing=self.routing,
            switchboard=self.switchboard,
            floor=floor,
            targets=targets,
            clearance=self.clearance,
            items=self.items,
            voicemail=self.voicemail,
            callbacks=self.callbacks,
            supervisors=supervisor_rights(site),
        )
        self.roster = RosterKeeper(
            clock=ports.clock,
            journal=ports.journal,
            tell=self._tell,
            agents=[agent.id for agent in site.agents if agent.queues],
            meanings=PauseMeanings(pause_meanings(site)),
        )
        self._appraisals = AppraisalKeeper(clock=ports.clock, journal=ports.journal, forms=quality_forms(site))
        self.bus.subscribe(self._fold, *floor.shown)
        self.bus.subscribe(self._follow_agent, AgentStateChanged)
        self.bus.subscribe(self.roster.hear, AgentStateChanged)
        self.bus.subscribe(self.voicemail.hear, *VOICEMAIL_FACTS)
        self.bus.subscribe(self._tell_closed, *FOR_THE_STORE)
        self.bus.subscribe(self._callback_dials.hear, *HEARD_FOR_CALLBACKS)
        absence = absence_ms(site.routing.presence_lease_seconds)
        self._presence = SeatPresence(absence)
        self._desks = SeatPresence(DESK_LEASE_MS if absence is None else absence)
        self._desks_closed: set[str] = {agent.agent_id for agent in engine.agents() if agent.desk_closed}
        self._leaving_desks: set[asyncio.Task[None]] = set()
        room = WaitingRoom(announcement_rules(site))
        self.announcer = QueueAnnouncer(
            room,
            clock=ports.clock,
            media=ports.media,
            prompts=ports.prompts,
            expected_wait=self.routing.expected_wait_ms,
            leg_of=self.switchboard.waiting_leg,
        )
        if not room.is_silent:
            self.bus.subscribe(self.announcer.hear, *WAITING_ROOM_FACTS, CallConnected)
        self._announcer_task: asyncio.Task[None] | None = None
        self._roster_task: asyncio.Task[None] | None = None
        self._routing_task: asyncio.Task[None] | None = None
        self._ledger_task: asyncio.Task[None] | None = None
        self._forced_codes: set[asyncio.Task[None]] = set()
        self._without_phone = frozenset(
            agent.id for agent in site.agents if agent.queues and not takes(site, agent, Channel.VOICE)
        )

    # Life

    async def start(
        self,
        orphans: Sequence[OpenRecord] = (),
        callbacks: Sequence[CallbackFact] = (),
        plans: Sequence[ShiftsPlanned] = (),
    ) -> None:
        """Close what an earlier life left open, take the present configuration, and serve."""
        now = self._ports.clock.now()
        self._routing_task = asyncio.create_task(self.routing.run(), name="routing")
        self._routing_task.add_done_callback(self._routing_ended)
        self._ledger_task = asyncio.create_task(self.recording_ledger.run(), name="recording ledger")
        self._ledger_task.add_done_callback(self._routing_ended)
        self._announcer_task = asyncio.create_task(self.announcer.run(), name="queue announcer")
        self._announcer_task.add_done_callback(self._routing_ended)
        self._roster_task = asyncio.create_task(self.roster.run(), name="roster")
        self._roster_task.add_done_callback(self._routing_ended)
        for event in closing_inputs(self.routing.engine, self.items.open.items):
            await self._tolerate(event)
        await self._close_orphans(orphans, now)
        configuration = floor_configuration(self._site)
        await self.routing.request(configuration)
        self._fold(configuration, now)
        self._ports.journal.append(TargetsConfigured(now, service_targets(self._site)), at=now)
        self._ports.journal.append(code_meanings(self._site, now), at=now)
        await self._await_phones()
        self.roster.resume(plans, self.floor.view())
        self.items.reconcile(queue.id for queue in self._site.queues)
        self.voicemail.resume(self._messages)
        for agent_id in {item.agent_id for item in self.items.open.items.values() if item.agent_id}:
            self._desks.expect(agent_id)
        self._write_snapshot()
        self.callbacks.resume(callbacks)

    async def write_down(self, entry: object) -> None:
        """Journal what somebody at a screen asked for, and act on it. Raises ``IntentError`` when it may not be."""
        match entry:
            case ShiftsPlanned():
                await self.roster.plan(entry)
            case SurveyAsked() | SurveyAnswered() | ConversationScored():
                await self._appraisals.take(entry)
            case ItemArrived():
                await self._take_in(entry)
            case _:
                raise IntentError("unknown-order", f"Nobody may write down a {type(entry).__name__}.")

    async def _take_in(self, told: ItemArrived) -> None:
        """A written message that the web process was given waits for an agent."""
        if told.queue_id not in {queue.id for queue in self._site.queues}:
            raise IntentError("unknown-queue", f"There is no queue {told.queue_id!r}.")
        await self.items.arrive(
            InboundItem(told.contact_id, told.channel, told.queue_id, told.caller, told.caller_name, text=told.text)
        )

    async def stop(self) -> None:
        """End the calls politely, then the routing."""
        self._callback_line.stop()
        self._callback_dials.close()
        await self.switchboard.close()
        await self._all_out()
        if self._routing_task is not None:
            self._routing_task.cancel()
        for task in (self._ledger_task, self._announcer_task, self._roster_task):
            if task is not None:
                task.cancel()

    async def _all_out(self) -> None:
        """Wait until what the calls ordered at their end has left, unless the journal cannot be written any more."""
        left = asyncio.Event()
        self._once_safe(left.set)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await left.wait()

    def on_registration(self, agent_id: str, registered: bool) -> None:
        """An agent's phone came or went. A ready agent whose phone is gone is paused until it is back."""
        now = self._ports.clock.now()
        self._fold(PhoneRegistrationChanged(agent_id, registered), now)
        if registered:
            self.voicemail.light(agent_id)
        agent = self.floor.agent(agent_id)
        if agent is None:
            return
        if agent_id in self._without_phone:
            return
        if not registered and (agent.state is AgentState.READY or agent.is_kept):
            self.routing.post(AgentMadeNotReady(AgentId(agent_id), PHONE_GONE))
        elif registered and agent.state is AgentState.NOT_READY and agent.reason in PHONE_REASONS:
            self.routing.post(AgentMadeReady(AgentId(agent_id)))

    def on_seats(self, agent_ids: tuple[str, ...] | None) -> None:
        """Which agents have a console open; ``None``: nobody can say. Who is away too long gets no further calls."""
        if agent_ids is None:
            self._presence.pause()
            self._desks.pause()
            return
        now = self._ports.clock.now()
        for agent_id in self._presence.report(agent_ids, now=now):
            log.info("seat lost", agent_id=agent_id)
            self.routing.post(AgentClientLost(AgentId(agent_id)))
        for agent_id in self._desks.report(agent_ids, now=now):
            self._leave_desk(agent_id)
        for agent_id in self._desks_closed.intersection(agent_ids):
            self._desks_closed.discard(agent_id)
            self.routing.post(AgentDeskOpened(AgentId(agent_id)))

    def _leave_desk(self, agent_id: str) -> None:
        """An agent without a console gets calls by phone, and nothing else."""
        agent = self.floor.agent(agent_id)
        if agent is None or agent.state is AgentState.OFFLINE or not agent.loads:
            return
        self._desks_closed.add(agent_id)
        self.routing.post(AgentDeskClosed(AgentId(agent_id)))
        task = asyncio.create_task(self.items.desk_gone(agent_id, ReturnReason.DESK_GONE), name=f"desk {agent_id}")
        self._leaving_desks.add(task)
        task.add_done_callback(self._left_desk)

    def _left_desk(self, task: asyncio.Task[None]) -> None:
        self._leaving_desks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_fatal(error)  # a journal that cannot be written

    def _write_snapshot(self) -> None:
        """Write where routing and the day's counts stand, and what is open: a replay and the next start begin here."""
        now = self._ports.clock.now()
        self._ports.journal.append(
            RoutingSnapshot(now, dict(self.routing.engine.snapshot()), dict(self.floor.counts())), at=now
        )
        self._ports.journal.append(self._work.note(now), at=now)

    async def _await_phones(self) -> None:
        """After a restart phones on connections are gone; agents who were ready are ready again when theirs is back."""
        for agent in self.floor.view().agents:
            phone_needed = agent.state is AgentState.READY and agent.takes_calls
            wanted = agent.takes_calls and _may_be_rung(RoutingState(agent.state), agent.reason)
            self._ports.signalling.expect_calls(agent.agent_id, wanted=wanted)
            if phone_needed and not self._ports.signalling.reachable(agent.agent_id):
                await self._tolerate(AgentMadeNotReady(AgentId(agent.agent_id), PHONE_GONE))

    async def _close_orphans(self, orphans: Sequence[OpenRecord], now: int) -> None:
        journal, seq = self._ports.journal, 0
        for orphan in orphans:
            for fact in closing_facts(orphan, now=now):
                seq = journal.append(fact, at=now)
            log.warning("call closed after restart", call_id=orphan.arrived.call_id)
        if seq:
            await journal.committed(seq)
            self._on_closed()

    async def _tolerate(self, event: Event) -> None:
        try:
            await self.routing.request(event)
        except AcdError as error:
            log.warning("routing refused", routing_event=type(event).__name__, error=str(error))

    def _routing_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_fatal(error)

    # Facts

    def _tell(self, fact: object, at: int) -> None:
        self._once_safe(lambda: self.bus.publish(fact, at), telling=True)

    def _fold(self, fact: object, at: int) -> None:
        changes = self.floor.apply(fact, at)
        if changes:
            self._on_changes(changes)

    def _follow_agent(self, changed: AgentStateChanged, _at: int) -> None:
        """Who becomes ready after the phone went, while it rang or in a call, is paused until it is back."""
        if changed.state is RoutingState.OFFLINE:
            self._presence.forget(changed.agent_id)
            self._desks.forget(changed.agent_id)
            self._desks_closed.discard(changed.agent_id)
        elif changed.agent_id in self._without_phone:
            return
        self._ports.signalling.expect_calls(changed.agent_id, wanted=_may_be_rung(changed.state, changed.reason))
        if changed.state is RoutingState.READY and not self._ports.signalling.reachable(changed.agent_id):
            self.routing.post(AgentMadeNotReady(AgentId(changed.agent_id), PHONE_GONE))

    def _tell_closed(self, fact: object, at: int) -> None:
        del fact, at
        self._on_closed()

    def _recorded(self, task: asyncio.Task[None]) -> None:
        self._forced_codes.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_fatal(error)  # a journal that cannot be written

    def _on_routing_outcome(self, outcome: object, contact_id: str | None) -> None:
        if type(outcome) not in CARRIED_OUT:
            return
        if isinstance(outcome, WrapUpCodeForced):
            self._once_safe(lambda: self._force_code(outcome), telling=True)
        elif not self.items.takes(outcome) and not self._callback_dials.takes(outcome):
            self.switchboard.on_routing_outcome(outcome, contact_id)

    def _force_code(self, forced: WrapUpCodeForced) -> None:
        task = asyncio.create_task(self.desk.record_forced_code(forced), name="forced code")
        self._forced_codes.add(task)
        task.add_done_callback(self._recorded)


def _may_be_rung(state: RoutingState, reason: str | None) -> bool:
    """Whether an agent waits for calls, or would if the phone were there."""
    waits_for_phone = state is RoutingState.NOT_READY and reason in PHONE_REASONS
    return state in {RoutingState.READY, RoutingState.OFFERED} or waits_for_phone


def call_routing(site: Site, identity_key: bytes) -> CallRouting:
    """What the site says about the routing of calls."""
    plans = {queue.id: queue.personal_plan() for queue in site.queues}
    return CallRouting(
        route_plans(site),
        {name: plan for name, plan in plans.items() if plan is not None},
        {queue.id: queue.level_priority for queue in site.queues if queue.level_priority},
        frozenset(agent.id for agent in site.agents if agent.queues),
        identity_key[:64],
    )


def new_floor(site: Site) -> FloorFold:
    """An empty floor for this site."""
    return FloorFold(
        time_zone=ZoneInfo(site.time_zone),
        targets=ServiceTargets(service_targets(site)),
        tells_of_supervision=site.tell_of_supervision,
        names={agent.id: agent.name for agent in site.agents},
    )
