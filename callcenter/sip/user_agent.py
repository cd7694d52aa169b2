"""The exchange's user agent: the ``Signalling`` port over real sockets."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import structlog

from callcenter.calls.legs import EndCause, LegEvent, Party
from callcenter.chance import random_hex
from callcenter.errors import ConfigError
from callcenter.ports import Clock, EncryptionPolicy, PhoneTarget, TrunkPolicy
from callcenter.sip.admission import Load
from callcenter.sip.binding_file import load_bindings, save_bindings
from callcenter.sip.exchange import Exchange
from callcenter.sip.flows import Transport
from callcenter.sip.numbering import NumberingRules
from callcenter.sip.resolver import DnsNames, NameSystem, gateways
from callcenter.sip.settings import Credentials, LeaveSource, PhoneSink, SipSettings
from callcenter.sip.station import Station, do_it
from callcenter.sip.subscriptions import Mailbox
from callcenter.sip.tls import CertificateWatch, TlsSettings, client_context, load_certificate, server_context
from callcenter.sip.trace import TraceServer
from callcenter.sip.trunks import Trunk, TrunkCondition
from callcenter.sip.wire import (
    EndpointOutcome,
    Identity,
    LeaveAsked,
    PhoneReachable,
    TrunkChanged,
)

log = structlog.get_logger(__name__)

LOOK_UP_SECONDS = 60.0
"""How long a trunk's addresses are believed."""
LATE_MS = 20.0
"""A loop that runs later than this has its callers told that they were heard."""
KEEP_SECONDS = 1.0
"""How long a change of the registered phones may stay unwritten."""
STOP_SECONDS = 2.0
"""How long ``stop`` waits for the far ends to acknowledge that their calls are over."""
LEG_EVENTS = get_args(LegEvent)
"""What the calls are told."""


def new_token() -> str:
    """An unguessable name: 96 random bits."""
    return random_hex(12)


def _ignore(agent_id: str, reachable: bool) -> None:
    """Nobody wants to know which phones come and go."""


class UserAgent:
    """Implements ``callcenter.ports.Signalling``.

    ``sink`` gets every leg event, in order, on the loop's thread; it may give orders from within. ``phones`` is
    told when an agent becomes reachable and when no phone of the agent is left. ``secret`` signs the nonces of digest
    challenges. ``rules`` gets back the places among agents' calls that its check took. ``leave`` says whether a call
    may be sent on to a number (3xx) whose owner may not want that; without it the rules alone decide. ``do``
    does what a message, or a timer, leads to, and may add what follows from it.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        sink: Callable[[LegEvent], None],
        settings: SipSettings,
        directory: Credentials,
        trunks: Sequence[Trunk],
        secret: bytes,
        phones: PhoneSink = _ignore,
        names: NameSystem | None = None,
        queue_depth: Callable[[], int] = lambda: 0,
        rules: NumberingRules | None = None,
        leave: LeaveSource | None = None,
        do: Callable[..., None] = do_it,
    ) -> None:
        self._settings = settings
        self._sink = sink
        self._phones = phones
        self._names = names
        self._dialled = [trunk for trunk in trunks if trunk.gateway]
        self._looking: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._trace: TraceServer | None = None
        host6 = settings.advertised_host6 or next((host for host in settings.hosts if ":" in host), "")
        self._identity = Identity(settings.advertised_host or settings.host, settings.port, "callcenter", host6)
        self._serving = None if settings.tls is None else server_context(settings.tls)
        self._calling = client_context(settings.tls)
        self._exchange = Exchange(self._identity, settings, directory, trunks, secret, new_token, rules)
        self._leave = leave
        self._exchange.asks_leave = leave is not None
        self._asking: set[asyncio.Task[None]] = set()
        self._exchange.door.load = lambda: Load(self._station.standing_ms, 0, queue_depth())
        self._station = Station(
            clock,
            self._exchange,
            self._deliver,
            max_connections=settings.max_connections,
            idle_seconds=settings.idle_seconds,
            calling=self._calling,
            do=do,
        )
        self._exchange.wire.is_late = lambda: self._station.lag_ms > LATE_MS
        self._restored: list[EndpointOutcome] = []
        self._restore_bindings()

    def _restore_bindings(self) -> None:
        """Phones of the time before the restart are within reach at once; they are told when we start."""
        if self._settings.bindings_file is not None:
            kept = load_bindings(self._settings.bindings_file)
            self._restored = self._exchange.restore_bindings(kept, self._station.now())
            log.info("sip.bindings_restored", bindings=len(kept))

    async def _keep_bindings(self, path: Path) -> None:
        """Write the registered phones down, at most once a second and only when they changed."""
        written = self._exchange.binding_changes
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            if self._exchange.binding_changes != written:
                written = self._exchange.binding_changes
                await asyncio.to_thread(save_bindings, path, self._exchange.kept_bindings())

    async def start(self) -> None:
        """Bind the sockets. Raises ``OSError`` when an address is taken."""
        settings = self._settings
        port = await self._station.start(settings.hosts, settings.port, settings.transports)
        others: dict[Transport, int] = {}
        wanted = (
            (Transport.TLS, settings.tls_port, True),
            (Transport.WS, settings.ws_port, False),
            (Transport.WSS, settings.wss_port, True),
        )
        for transport, number, secure in wanted:
            if number is not None and (self._serving is not None or not secure):
                context = self._serving if secure else None
                others[transport] = await self._station.also(settings.hosts, number, transport, context)
        self._exchange.wire.identity = replace(self._identity, port=port, other_ports=others)

        if settings.trace_socket is not None:
            self._trace = TraceServer(settings.trace_socket, self._be_watched)
            await self._trace.start()
        self._station.perform(self._restored)
        if settings.bindings_file is not None:
            self._keeping = asyncio.create_task(self._keep_bindings(settings.bindings_file), name="sip-bindings")
        if settings.tls is not None:
            self._watching = asyncio.create_task(self._watch_certificates(settings.tls), name="sip-certificates")
        if self._dialled:
            self._looking = asyncio.create_task(self._look_for_gateways(), name="sip-gateways")

    def _be_watched(self, watched: bool) -> None:
        self._station.tap = self._trace.take if self._trace is not None and watched else None

    async def _look_for_gateways(self) -> None:
        """Keep the trunks' addresses fresh."""
        names = self._names or DnsNames()
        chance = random.Random()  # noqa: S311 - spreads load, guards nothing
        while True:
            for trunk in self._dialled:
                flows = await gateways(trunk, names, chance)
                self._station.perform(self._exchange.found_gateways(trunk.trunk_id, flows, self._station.now()))
            await asyncio.sleep(LOOK_UP_SECONDS)

    def reload_certificates(self) -> None:
        """Read the certificate files again: new connections meet what is in them, standing ones are not touched.

        Raises ``ConfigError`` when they are unfit; then nothing has changed.
        """
        if self._settings.tls is not None and self._serving is not None:
            load_certificate(self._serving, self._settings.tls)
            load_certificate(self._calling, self._settings.tls)

    async def _watch_certificates(self, tls: TlsSettings) -> None:
        """Take up new certificates soon after somebody put them there; unfit ones leave everything as it was."""
        watch = CertificateWatch(tls)
        while True:
            await asyncio.sleep(self._settings.certificate_seconds)
            if not await asyncio.to_thread(watch.has_news):
                continue
            try:
                self.reload_certificates()
            except ConfigError as error:  # half of the pair may be there already: the other half is news again
                log.warning("sip.certificates_unfit", error=str(error))
            else:
                log.info("sip.certificates_reloaded", certificate=str(tls.certificate))

    async def stop(self) -> None:
        """Refuse what comes, end what is up, and close; takes at most a few seconds."""
        self._exchange.door.admitting = False
        for task in (self._looking, self._keeping, self._watching):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._settings.bindings_file is not None:
            save_bindings(self._settings.bindings_file, self._exchange.kept_bindings())
        self._station.perform(self._exchange.end_all(EndCause.SHUTDOWN, self._station.now()))
        await self._station.stop(within_seconds=STOP_SECONDS)
        if self._trace is not None:
            await self._trace.stop()

    @property
    def port(self) -> int:
        """The port in use, once started."""
        return self._exchange.wire.identity.port

    def port_of(self, transport: Transport) -> int:
        """The port in use for a transport, once started."""
        identity = self._exchange.wire.identity
        return identity.other_ports.get(transport, identity.port)

    @property
    def admit(self) -> bool:
        """Whether new calls are taken. When not, an INVITE is answered 503 with Retry-After; calls go on."""
        return self._exchange.door.admitting

    @admit.setter
    def admit(self, admitting: bool) -> None:
        self._exchange.door.admitting = admitting

    def counters(self) -> dict[str, int]:
        """What happened so far (``in INVITE``, ``out 503``, ``dropped rate`` ...) and what is open now."""
        return {
            **self._exchange.counters(),
            "connections": self._station.connection_count,
            "lag_ms": round(self._station.lag_ms),
        }

    def trunk_messages(self) -> dict[tuple[str, str], int]:
        """Messages of trunks so far, by trunk and name (``in INVITE``, ``out 200``)."""
        return dict(self._exchange.wire.trunk_counts)

    def trunk_load(self) -> dict[str, tuple[bool, int]]:
        """By trunk that takes calls of ours: whether it is up, and our calls on it."""
        up = TrunkCondition.UP
        return {name: (one.condition is up, len(one.calls)) for name, one in self._exchange.trunk_states().items()}

    @property
    def lag_ms(self) -> float:
        """How late the loop runs: the worst of the last moments."""
        return self._station.lag_ms

    @property
    def leg_count(self) -> int:
        """How many legs are open."""
        return len(self._exchange)

    def _deliver(self, outcome: EndpointOutcome) -> None:
        if isinstance(outcome, LEG_EVENTS):
            self._sink(outcome)
        elif isinstance(outcome, PhoneReachable):
            self._phones(outcome.agent_id, outcome.reachable)
        elif isinstance(outcome, LeaveAsked):
            asking = asyncio.create_task(self._ask_leave(outcome), name="sip-redirect")
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
        elif isinstance(outcome, TrunkChanged):
            log.warning("sip.trunk_changed", trunk_id=outcome.trunk_id, up=outcome.up)

    async def _ask_leave(self, asked: LeaveAsked) -> None:
        granted = self._leave is not None and await self._leave(asked.agent_id, asked.allowed)
        self._station.perform(self._exchange.give_leave(asked.leg_id, self._station.now(), granted=granted))

    def ring(self, leg_id: str) -> None:
        """Tell the far end of an inbound leg that it rings (180)."""
        self._station.perform(self._exchange.ring(leg_id, self._station.now()))

    def progress(self, leg_id: str, sdp: str) -> None:
        """Let the far end of an inbound leg hear us before the answer (183 with our SDP)."""
        self._station.perform(self._exchange.progress(leg_id, sdp, self._station.now()))

    def answer(self, leg_id: str, sdp: str) -> None:
        """Answer an inbound leg (200 with our SDP)."""
        self._station.perform(self._exchange.answer(leg_id, sdp, self._station.now()))

    def accept_reoffer(self, leg_id: str, sdp: str) -> None:
        """Answer a ``LegReoffered``."""
        self._station.perform(self._exchange.accept_reoffer(leg_id, sdp, self._station.now()))

    def send_digit(self, leg_id: str, digit: str) -> None:
        """Send a digit by INFO."""
        self._station.perform(self._exchange.send_digit(leg_id, digit, self._station.now()))

    def report_transfer(self, leg_id: str, status: int, reason: str = "") -> None:
        """Tell the far end of a ``TransferRequested`` how it goes (NOTIFY)."""
        self._station.perform(self._exchange.report_transfer(leg_id, status, self._station.now(), reason))

    def message_waiting(self, agent_id: str, *, new: int, old: int) -> None:
        """Say how many voice messages wait for an agent; the lamps of phones that watch it follow."""
        self._station.perform(self._exchange.set_mailbox(agent_id, Mailbox(new, old), self._station.now()))

    def reoffer(self, leg_id: str, sdp: str) -> None:
        """Send a re-INVITE; told by ``LegReanswered`` or ``LegReofferRefused``."""
        self._station.perform(self._exchange.reoffer(leg_id, sdp, "", self._station.now()))

    def acknowledge(self, leg_id: str, sdp: str) -> None:
        """Answer the far end's offer on a leg started without SDP."""
        self._station.perform(self._exchange.acknowledge(leg_id, sdp, self._station.now()))

    def invite(self, leg_id: str, target: PhoneTarget, *, caller: Party, sdp: str) -> None:
        """Ring every phone of an agent; the first answer wins."""
        outcomes = self._exchange.ring_agent(leg_id, target, caller, sdp, self._station.now())
        self._station.perform(outcomes)

    def dial(self, leg_id: str, number: str, policy: TrunkPolicy, *, caller: Party, sdp: str) -> None:
        """Call a number through the first trunk of the policy that works."""
        self._station.perform(self._exchange.dial(leg_id, number, policy, caller, sdp, self._station.now()))

    @property
    def trunk_conditions(self) -> dict[str, str]:
        """``up`` or ``down`` of each trunk that takes calls of ours."""
        return {name: str(state.condition) for name, state in self._exchange.trunk_states().items()}

    def end(self, leg_id: str, cause: EndCause, reason: str = "") -> None:
        """End a leg in whatever state it is: refuse, CANCEL or BYE."""
        self._station.perform(self._exchange.end(leg_id, cause, self._station.now(), reason))

    def expect_calls(self, agent_id: str, *, wanted: bool) -> None:
        """Watch whether the phones of an agent live who may be rung any moment."""
        self._station.perform(self._exchange.expect_calls(agent_id, self._station.now(), wanted=wanted))

    def encryption_for(self, agent_id: str) -> EncryptionPolicy | None:
        """How media to this agent's phones is to be offered; ``None`` for plain."""
        return self._exchange.encryption_for(agent_id, self._station.now())

    def reachable(self, agent_id: str) -> bool:
        """Whether a phone of this agent is registered now."""
        return self._exchange.reachable(agent_id, self._station.now())
