"""The exchange's user agent: the ``Signalling`` port over real sockets."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

from callcenter.calls.legs import EndCause, LegEvent, Party
from callcenter.ports import Clock, PhoneTarget
from callcenter.sip.exchange import Exchange
from callcenter.sip.flows import Transmit
from callcenter.sip.settings import Credentials, PhoneSink, SipSettings
from callcenter.sip.station import Station
from callcenter.sip.trunks import Trunk
from callcenter.sip.wire import EndpointOutcome, Identity, PhoneReachable, Replied

STOP_SECONDS = 2.0
"""How long ``stop`` waits for the far ends to acknowledge that their calls are over."""


def new_token() -> str:
    """An unguessable name: 96 random bits."""
    return secrets.token_hex(12)


def _ignore(agent_id: str, reachable: bool) -> None:
    """Nobody wants to know which phones come and go."""


class UserAgent:
    """Implements ``callcenter.ports.Signalling``.

    ``sink`` gets every leg event, in order, on the loop's thread; it may give orders from within. ``phones`` is
    told when an agent becomes reachable and when no phone of the agent is left. ``secret`` signs
    the nonces of digest challenges.
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
    ) -> None:
        self._settings = settings
        self._sink = sink
        self._phones = phones
        self._identity = Identity(settings.advertised_host or settings.host, settings.port, "callcenter")
        self._exchange = Exchange(self._identity, settings, directory, trunks, secret, new_token)
        self._station = Station(
            clock,
            self._exchange,
            self._deliver,
            max_connections=settings.max_connections,
            idle_seconds=settings.idle_seconds,
        )

    async def start(self) -> None:
        """Bind the sockets. Raises ``OSError`` when an address is taken."""
        settings = self._settings
        port = await self._station.start(settings.host, settings.port, settings.transports)
        self._exchange.wire.identity = replace(self._identity, port=port)

    async def stop(self) -> None:
        """Refuse what comes, end what is up, and close; takes at most a few seconds."""
        self._exchange.admitting = False
        self._station.perform(self._exchange.end_all(EndCause.SHUTDOWN, self._station.now()))
        await self._station.stop(within_seconds=STOP_SECONDS)

    @property
    def port(self) -> int:
        """The port in use, once started."""
        return self._exchange.wire.identity.port

    @property
    def admit(self) -> bool:
        """Whether new calls are taken. When not, an INVITE is answered 503 with Retry-After; calls go on."""
        return self._exchange.admitting

    @admit.setter
    def admit(self, admitting: bool) -> None:
        self._exchange.admitting = admitting

    @property
    def leg_count(self) -> int:
        """How many legs are open."""
        return len(self._exchange)

    def _deliver(self, outcome: EndpointOutcome) -> None:
        if isinstance(outcome, PhoneReachable):
            self._phones(outcome.agent_id, outcome.reachable)
        elif not isinstance(outcome, Replied | Transmit):
            self._sink(outcome)

    def ring(self, leg_id: str) -> None:
        """Tell the far end of an inbound leg that it rings (180)."""
        self._station.perform(self._exchange.ring(leg_id, self._station.now()))

    def answer(self, leg_id: str, sdp: str) -> None:
        """Answer an inbound leg (200 with our SDP)."""
        self._station.perform(self._exchange.answer(leg_id, sdp, self._station.now()))

    def accept_reoffer(self, leg_id: str, sdp: str) -> None:
        """Answer a ``LegReoffered``."""
        self._station.perform(self._exchange.accept_reoffer(leg_id, sdp, self._station.now()))

    def invite(self, leg_id: str, target: PhoneTarget, *, caller: Party, sdp: str) -> None:
        """Ring every phone of an agent; the first answer wins."""
        outcomes = self._exchange.ring_agent(leg_id, target.agent_id, caller, sdp, self._station.now())
        self._station.perform(outcomes)

    def end(self, leg_id: str, cause: EndCause) -> None:
        """End a leg in whatever state it is: refuse, CANCEL or BYE."""
        self._station.perform(self._exchange.end(leg_id, cause, self._station.now()))

    def reachable(self, agent_id: str) -> bool:
        """Whether a phone of this agent is registered now."""
        return self._exchange.reachable(agent_id, self._station.now())
