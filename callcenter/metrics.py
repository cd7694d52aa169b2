"""What a monitoring system reads of a running exchange (Prometheus text format), and the small server for it.

Off unless ``[metrics] listen`` names an address. Numbers only: no caller, no agent by name. The server does one scrape
at a time, reads at most a few kilobytes, and never waits longer than a second for the media processes.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from agent_console.messages import FloorView
from callcenter.errors import ConfigError, MediaError
from callcenter.media.protocol import MediaStatus

REQUEST_SECONDS = 5.0
"""A scraper that has not said what it wants by then is let go."""
MEDIA_SECONDS = 1.0
MAX_REQUEST = 8_192
SIP_GAUGES = {
    "legs": "Legs that are open.",
    "transactions": "SIP transactions that are open.",
    "alarms": "Timers of the SIP front end that are set.",
    "subscriptions": "Phones that watch lamps or mailboxes.",
    "sources": "Strangers' addresses that are remembered.",
    "bindings": "Registered phones.",
    "connections": "TCP, TLS and WebSocket connections that are open.",
    "overloaded": "1 while new calls are answered 503.",
}


@dataclass(frozen=True, slots=True)
class Readings:
    """Where the numbers come from; each is asked at each scrape."""

    sip: Callable[[], Mapping[str, int]]
    """``UserAgent.counters``."""
    trunk_messages: Callable[[], Mapping[tuple[str, str], int]]
    """By trunk and name (``in INVITE``, ``out 200``)."""
    trunks: Callable[[], Mapping[str, tuple[bool, int]]]
    """Trunks that take calls of ours: whether each is up, and our calls on it."""
    lag_ms: Callable[[], float]
    floor: Callable[[], FloorView]
    journal: Callable[[], tuple[int, int]]
    """The last sequence number on disk, and entries that wait for it."""


class ExchangeCollector:
    """Turns the readings into metrics."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self.media: MediaStatus | None = None
        """What media said last, ``None`` when it said nothing."""

    def collect(self) -> Iterable[Metric]:
        """Every metric of the exchange."""
        yield from self._sip()
        yield from self._trunks()
        yield from self._floor()
        yield from self._media()
        committed, waiting = self._readings.journal()
        yield _gauge("journal_committed_seq", "Sequence number of the newest journal entry on disk.", committed)
        yield _gauge("journal_waiting_entries", "Journal entries that wait for the disk.", waiting)
        yield _gauge("loop_lag_seconds", "How late the exchange's loop runs.", self._readings.lag_ms() / 1_000)

    def _sip(self) -> Iterable[Metric]:
        values = self._readings.sip()
        requests = _counter("sip_requests", "SIP requests.", "direction", "method")
        responses = _counter("sip_responses", "SIP responses.", "direction", "code")
        events = _counter("sip_events", "Other things that happened, such as drops, bans and redirects.", "event")
        for name, value in values.items():
            direction, _, what = name.partition(" ")
            if direction in {"in", "out"}:
                (responses if what.isdigit() else requests).add_metric([direction, what], value)
            elif name not in SIP_GAUGES and direction not in {"trunk", "lag_ms"}:
                events.add_metric([name.replace(" ", "_")], value)
        yield from (requests, responses, events)
        for name, text in SIP_GAUGES.items():
            yield _gauge(f"sip_{name}", text, values.get(name, 0))

    def _trunks(self) -> Iterable[Metric]:
        requests = _counter("sip_trunk_requests", "SIP requests of trunks.", "trunk", "direction", "method")
        responses = _counter("sip_trunk_responses", "SIP responses of trunks.", "trunk", "direction", "code")
        for (trunk, name), value in self._readings.trunk_messages().items():
            direction, _, what = name.partition(" ")
            (responses if what.isdigit() else requests).add_metric([trunk, direction, what], value)
        up = GaugeMetricFamily("callcenter_trunk_up", "1 for a trunk that is tried first.", labels=["trunk"])
        calls = GaugeMetricFamily("callcenter_trunk_calls", "Our calls on a trunk.", labels=["trunk"])
        for trunk, (is_up, count) in self._readings.trunks().items():
            up.add_metric([trunk], float(is_up))
            calls.add_metric([trunk], count)
        yield from (requests, responses, up, calls)

    def _floor(self) -> Iterable[Metric]:
        view = self._readings.floor()
        waiting = GaugeMetricFamily("callcenter_queue_waiting", "Contacts that wait.", labels=["queue"])
        offered = _counter("queue_offered", "Contacts that came to a queue today.", "queue")
        answered = _counter("queue_answered", "Contacts of a queue that were answered today.", "queue")
        for queue in view.queues:
            waiting.add_metric([queue.queue_id], queue.waiting)
            offered.add_metric([queue.queue_id], queue.offered)
            answered.add_metric([queue.queue_id], queue.answered)
        agents = GaugeMetricFamily("callcenter_agents", "Agents by state.", labels=["state"])
        for state, count in Counter(str(agent.state) for agent in view.agents).items():
            agents.add_metric([state], count)
        yield from (waiting, offered, answered, agents)
        yield _gauge("contacts", "Contacts on the floor.", len(view.contacts))

    def _media(self) -> Iterable[Metric]:
        media = self.media
        yield _gauge("media_up", "1 when the media processes answer.", 0 if media is None else 1)
        if media is None:
            return
        yield _gauge("media_sessions", "Media sessions that are open.", media.sessions)
        yield _gauge("media_workers", "Media workers.", len(media.worker_pids))
        loops = GaugeMetricFamily("callcenter_media_relay_loops", "Media workers by their relay loop.", labels=["loop"])
        for loop, number in Counter(media.loops).items():
            loops.add_metric([loop], number)
        yield loops
        yield _gauge("media_busy_ratio", "Share of a core the busiest media worker uses.", media.busy)
        ports = GaugeMetricFamily("callcenter_media_ports", "RTP ports by use.", labels=["use"])
        for use, count in (
            ("free", media.ports_free),
            ("used", media.ports_used),
            ("quarantined", media.ports_quarantined),
        ):
            ports.add_metric([use], count)
        yield ports
        yield _count("media_ticks_skipped", "Mixing ticks that came too late.", media.ticks_skipped)
        yield _count("media_worker_deaths", "Media workers that died.", media.worker_deaths)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"callcenter_{name}", text, value=value)


def _count(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"callcenter_{name}", text, value=value)


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"callcenter_{name}", text, labels=labels)


def metrics_address(listen: str) -> tuple[str, int]:
    """Host and port of ``[metrics] listen``. Raises ``ConfigError``."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65_535:
        raise ConfigError(f"metrics.listen: {listen!r} is no address; write one such as 127.0.0.1:9464")
    return host.strip("[]"), int(port)


class MetricsServer:
    """Answers ``GET /metrics``."""

    def __init__(self, readings: Readings, media: Callable[[], Awaitable[MediaStatus]] | None = None) -> None:
        self._collector = ExchangeCollector(readings)
        self._media = media
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self._collector)
        ProcessCollector(registry=self._registry)
        self._turn = asyncio.Lock()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen and return the port. Raises ``OSError``."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=MAX_REQUEST)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the socket."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.LimitOverrunError, asyncio.IncompleteReadError):
            async with asyncio.timeout(REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(head.split(b" ", 2)[:2]))
                await writer.drain()
        writer.close()

    async def _answer(self, asked: list[bytes]) -> bytes:
        if asked != [b"GET", b"/metrics"]:
            return _response("404 Not Found", "text/plain", b"GET /metrics\n")
        async with self._turn:
            self._collector.media = await self._ask_media()
            return _response("200 OK", CONTENT_TYPE_LATEST, generate_latest(self._registry))

    async def _ask_media(self) -> MediaStatus | None:
        if self._media is None:
            return None
        try:
            async with asyncio.timeout(MEDIA_SECONDS):
                return await self._media()
        except (MediaError, TimeoutError):
            return None


def _response(status: str, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
