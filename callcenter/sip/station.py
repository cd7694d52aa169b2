"""A station: an endpoint with real sockets and a real clock. It moves data and keeps one timer armed, nothing more."""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Protocol

import structlog

from callcenter.ports import Clock
from callcenter.sip.endpoint import Endpoint
from callcenter.sip.flows import Flow, Transmit, Transport
from callcenter.sip.standing_delay import ServiceTime, StandingDelay
from callcenter.sip.transport import Sockets
from callcenter.sip.wire import EndpointOutcome

log = structlog.get_logger(__name__)

TIMER_GRID_MS = 20
"""Alarms ring at multiples of this and never early: those of many calls together, instead of a turn of the loop for
each. The shortest timer of SIP is T1, half a second."""
LAG_SECONDS = 0.05
"""How often the loop's lag is measured."""
LAG_FADING = 0.8
"""What is left of a measurement at the next one."""

Deliver = Callable[[EndpointOutcome], None]


class Tap(Protocol):
    """Somebody who watches the messages."""

    def __call__(self, data: bytes, flow: Flow, now: int, *, outgoing: bool) -> None:
        """A message came or goes."""
        ...


def do_it(act: Callable[..., object], *arguments: object) -> None:
    """Do this, and nothing else."""
    act(*arguments)


class Station:
    """Runs one endpoint. Outcomes other than what is to be sent go to ``deliver``, in order, on the loop's thread;
    ``do`` does what each message or timer leads to, and may add what follows from it."""

    def __init__(
        self,
        clock: Clock,
        endpoint: Endpoint,
        deliver: Deliver,
        *,
        max_connections: int = 1_000,
        idle_seconds: float = 900.0,
        calling: ssl.SSLContext | None = None,
        do: Callable[..., None] = do_it,
    ) -> None:
        self._clock = clock
        self._endpoint = endpoint
        self._deliver = deliver
        self._do = do
        self._sockets = Sockets(
            self._receive,
            self._flow_lost,
            max_connections=max_connections,
            idle_seconds=idle_seconds,
            calling=calling,
        )
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: int | None = None
        self._lag_timer: asyncio.TimerHandle | None = None
        self._lag_due = 0.0
        self.lag_ms = 0.0
        """How late the loop runs: the worst of the last moments, fading."""
        self.standing_ms = 0.0
        """How long messages wait, in the loop and in the sockets, without a moment in between when they did not."""
        self._standing = StandingDelay()
        self._service = ServiceTime()
        self.tap: Tap | None = None
        """Sees every message that comes or goes."""
        self._quiet = asyncio.Event()
        self._stopping = False
        self._stopped = False

    @property
    def connection_count(self) -> int:
        """How many TCP, TLS and WebSocket connections are open."""
        return self._sockets.connection_count

    async def start(self, hosts: Sequence[str], port: int, transports: Sequence[Transport]) -> int:
        """Bind UDP and TCP as asked and return the port. Raises ``OSError``."""
        bound = await self._sockets.listen(hosts, port, transports)
        self._measure_lag()
        return bound

    def _measure_lag(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._lag_timer is not None:
            late = (now - self._lag_due) * 1_000
            self.lag_ms = max(late, self.lag_ms * LAG_FADING)
            waiting = self._sockets.messages_waiting() * self._service.milliseconds
            self.standing_ms = self._standing.take(max(late, waiting))
        self._lag_due = now + LAG_SECONDS
        self._lag_timer = loop.call_at(self._lag_due, self._measure_lag)

    async def also(
        self, hosts: Sequence[str], port: int, transport: Transport, context: ssl.SSLContext | None = None
    ) -> int:
        """Bind one more transport, after ``start``, and return its port. Raises ``OSError``."""
        return await self._sockets.listen_also(hosts, port, transport, context)

    async def stop(self, *, within_seconds: float) -> None:
        """Wait until nothing of ours is open, but no longer than this; then close the sockets."""
        self._stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                while not self._endpoint.is_quiet():
                    self._quiet.clear()
                    await self._quiet.wait()
        self._stopped = True
        for timer in (self._timer, self._lag_timer):
            if timer is not None:
                timer.cancel()
        await self._sockets.close()

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self._clock.now()

    def perform(self, outcomes: Iterable[EndpointOutcome]) -> None:
        """Send and tell what the endpoint says, then arm the timer."""
        for outcome in outcomes:
            if isinstance(outcome, Transmit):
                if self.tap is not None:
                    self.tap(outcome.data, outcome.flow, self._clock.now(), outgoing=True)
                self._sockets.send(outcome.data, outcome.flow)
            else:
                self._deliver(outcome)
        if self._armed_for is None or self._endpoint.has_sooner():
            self._arm()
        if self._stopping and self._endpoint.is_quiet():
            self._quiet.set()

    def _receive(self, data: bytes, flow: Flow) -> None:
        now = self._clock.now()
        if self.tap is not None:
            self.tap(data, flow, now, outgoing=False)
        begun = perf_counter()
        self._do(self._serve, data, flow, now)
        self._service.took((perf_counter() - begun) * 1_000)

    def _serve(self, data: bytes, flow: Flow, now: int) -> None:
        self.perform(self._endpoint.receive(data, flow, now))

    def _handle_timers(self) -> None:
        self.perform(self._endpoint.handle_timer(self._clock.now()))

    def _flow_lost(self, flow: Flow) -> None:
        self.perform(self._endpoint.flow_lost(flow, self._clock.now()))

    def _ring(self) -> None:
        self._timer = None
        self._armed_for = None
        try:
            self._do(self._handle_timers)
        except Exception:  # an edge like the datagram's: the timers of all other calls must go on
            log.exception("sip.timer_failed")
            self._arm()

    def _arm(self) -> None:
        deadline = self._endpoint.next_deadline()
        if deadline is None or self._stopped:
            return
        deadline += -deadline % TIMER_GRID_MS
        if self._armed_for is not None and self._armed_for <= deadline:
            return
        if self._timer is not None:
            self._timer.cancel()
        delay = max(0, deadline - self._clock.now()) / 1000
        self._armed_for = deadline
        self._timer = asyncio.get_running_loop().call_later(delay, self._ring)
