"""A station: an endpoint with real sockets and a real clock. It moves data and keeps one timer armed, nothing more."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

import structlog

from callcenter.ports import Clock
from callcenter.sip.endpoint import Endpoint
from callcenter.sip.flows import Flow, Transmit, Transport
from callcenter.sip.transport import Sockets
from callcenter.sip.wire import EndpointOutcome

log = structlog.get_logger(__name__)

Deliver = Callable[[EndpointOutcome], None]


class Station:
    """Runs one endpoint. Outcomes other than what is to be sent go to ``deliver``, in order, on the loop's thread."""

    def __init__(
        self,
        clock: Clock,
        endpoint: Endpoint,
        deliver: Deliver,
        *,
        max_connections: int = 1_000,
        idle_seconds: float = 900.0,
    ) -> None:
        self._clock = clock
        self._endpoint = endpoint
        self._deliver = deliver
        self._sockets = Sockets(
            self._receive, self._flow_lost, max_connections=max_connections, idle_seconds=idle_seconds
        )
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: int | None = None
        self._quiet = asyncio.Event()
        self._stopping = False
        self._stopped = False

    async def start(self, host: str, port: int, transports: tuple[Transport, ...]) -> int:
        """Bind and return the port. Raises ``OSError``."""
        return await self._sockets.listen(host, port, transports)

    async def stop(self, *, within_seconds: float) -> None:
        """Wait until nothing of ours is open, but no longer than this; then close the sockets."""
        self._stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                while not self._endpoint.is_quiet():
                    self._quiet.clear()
                    await self._quiet.wait()
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        await self._sockets.close()

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self._clock.now()

    def perform(self, outcomes: Iterable[EndpointOutcome]) -> None:
        """Send and tell what the endpoint says, then arm the timer."""
        for outcome in outcomes:
            if isinstance(outcome, Transmit):
                self._sockets.send(outcome.data, outcome.flow)
            else:
                self._deliver(outcome)
        self._arm()
        if self._stopping and self._endpoint.is_quiet():
            self._quiet.set()

    def _receive(self, data: bytes, flow: Flow) -> None:
        self.perform(self._endpoint.receive(data, flow, self._clock.now()))

    def _flow_lost(self, flow: Flow) -> None:
        self.perform(self._endpoint.flow_lost(flow, self._clock.now()))

    def _ring(self) -> None:
        self._timer = None
        self._armed_for = None
        try:
            self.perform(self._endpoint.handle_timer(self._clock.now()))
        except Exception:  # an edge like the datagram's: the timers of all other calls must go on
            log.exception("sip.timer_failed")
            self._arm()

    def _arm(self) -> None:
        deadline = self._endpoint.next_deadline()
        if deadline is None or self._stopped:
            return
        if self._armed_for is not None and self._armed_for <= deadline:
            return
        if self._timer is not None:
            self._timer.cancel()
        delay = max(0, deadline - self._clock.now()) / 1000
        self._armed_for = deadline
        self._timer = asyncio.get_running_loop().call_later(delay, self._ring)
