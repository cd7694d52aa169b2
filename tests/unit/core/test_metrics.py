"""What Prometheus reads of an exchange: every message by method, code and trunk, and what is open now."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent_console.messages import AgentState, AgentView, FloorView, QueueView
from callcenter.calls.legs import EndCause, LegOffered, Party
from callcenter.config import load_settings
from callcenter.errors import ConfigError, MediaError
from callcenter.media.protocol import MediaStatus
from callcenter.metrics import MetricsServer, Readings, metrics_address
from callcenter.ports import TrunkPolicy
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.trunks import Trunk
from tests.support.sip_wire import EXCHANGE, Network, exchange_on, phone_on, register

pytestmark = pytest.mark.unit

SDP = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
GATEWAY, PHONE = ("10.0.1.1", 5060), ("10.0.2.1", 5060)
VIEW = FloorView(
    (AgentView("a1", "Ann", AgentState.READY, 0), AgentView("a2", "Ben", AgentState.READY, 0)),
    (QueueView("sales", "Sales", 3, None, 9, 5, 1, 4, 20),),
    (),
)


def readings(exchange) -> Readings:
    return Readings(
        sip=exchange.counters,
        trunk_messages=lambda: exchange.wire.trunk_counts,
        trunks=lambda: {name: (True, len(state.calls)) for name, state in exchange.trunk_states().items()},
        lag_ms=lambda: 250.0,
        floor=lambda: VIEW,
        journal=lambda: (41, 2),
    )


async def no_media() -> MediaStatus:
    raise MediaError("away")


async def slow_media() -> MediaStatus:
    await asyncio.Event().wait()
    raise AssertionError


async def media() -> MediaStatus:
    return MediaStatus(1, 4, 90, 8, 2, (11, 12), 0.25, 7, 1, loops=("compiled", "compiled"))


async def asked(server: MetricsServer, request: bytes) -> bytes:
    port = await server.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    await server.stop()
    return answer


async def scraped(server: MetricsServer) -> dict[tuple[str, ...], float]:
    """By name and label values, these in the order of the labels' names."""
    answer = await asked(server, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    text = answer.split(b"\r\n\r\n", 1)[1].decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def busy_exchange():
    """An exchange with a registered phone and one call up on its trunk."""
    network = Network()
    trunk = Trunk("carrier", (), gateway=GATEWAY[0], options_seconds=0)
    exchange = exchange_on(network, trunks=(trunk,), anna="a1")
    network.perform(EXCHANGE, exchange.found_gateways("carrier", [Flow(Transport.UDP, GATEWAY)], network.now))
    register(network, PHONE, phone_on(network, PHONE, "anna"), "anna")
    far = phone_on(network, GATEWAY, "carrier")
    network.reactions[GATEWAY] = lambda event: (
        network.perform(GATEWAY, far.answer(event.leg_id, SDP, network.now)) if isinstance(event, LegOffered) else None
    )
    policy = TrunkPolicy(("carrier",))
    network.perform(EXCHANGE, exchange.dial("L", "+1202", policy, Party("1"), SDP, network.now))
    network.run(200)
    return network, exchange


async def test_messages_are_counted_by_method_code_and_trunk():
    network, exchange = busy_exchange()
    found = await scraped(MetricsServer(readings(exchange), media))
    assert found["callcenter_sip_requests_total", "out", "INVITE"] == 1
    assert found["callcenter_sip_responses_total", "200", "in"] == 1
    assert found["callcenter_sip_requests_total", "in", "REGISTER"] == 2
    assert found["callcenter_sip_responses_total", "401", "out"] == 1
    assert found["callcenter_sip_trunk_requests_total", "out", "INVITE", "carrier"] == 1
    assert found["callcenter_sip_trunk_responses_total", "200", "in", "carrier"] == 1
    assert ("callcenter_sip_trunk_responses_total", "401", "out", "carrier") not in found
    network.perform(EXCHANGE, exchange.end("L", EndCause.NORMAL, network.now))
    network.run(200)
    found = await scraped(MetricsServer(readings(exchange), media))
    assert found["callcenter_sip_trunk_requests_total", "out", "BYE", "carrier"] == 1


async def test_what_is_open_now_is_shown():
    network, exchange = busy_exchange()
    found = await scraped(MetricsServer(readings(exchange), media))
    assert found[("callcenter_sip_legs",)] == 1
    assert found[("callcenter_sip_bindings",)] == 1
    assert found[("callcenter_sip_transactions",)] > 0
    assert found[("callcenter_sip_alarms",)] > 0
    assert found["callcenter_trunk_up", "carrier"] == 1
    assert found["callcenter_trunk_calls", "carrier"] == 1
    assert found[("callcenter_loop_lag_seconds",)] == 0.25
    assert found[("callcenter_journal_committed_seq",)] == 41
    assert found[("callcenter_journal_waiting_entries",)] == 2
    assert found["callcenter_queue_waiting", "sales"] == 3
    assert found["callcenter_queue_offered_total", "sales"] == 9
    assert found["callcenter_agents", "ready"] == 2
    assert found[("callcenter_media_sessions",)] == 4
    assert found["callcenter_media_ports", "free"] == 90
    assert found["callcenter_media_relay_loops", "compiled"] == 2
    assert found[("process_resident_memory_bytes",)] > 0
    network.run(100_000)
    network.perform(EXCHANGE, exchange.end("L", EndCause.NORMAL, network.now))
    network.run(100_000)
    found = await scraped(MetricsServer(readings(exchange), media))
    assert (found[("callcenter_sip_legs",)], found[("callcenter_sip_transactions",)]) == (0, 0)
    assert found["callcenter_trunk_calls", "carrier"] == 0


@pytest.mark.parametrize("source", [no_media, slow_media])
async def test_media_that_is_away_or_slow_leaves_the_rest_readable(source, monkeypatch):
    monkeypatch.setattr("callcenter.metrics.MEDIA_SECONDS", 0.05)
    found = await scraped(MetricsServer(readings(busy_exchange()[1]), source))
    assert found[("callcenter_media_up",)] == 0
    assert found[("callcenter_sip_legs",)] == 1


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 404"),
        (b"GET /etc/passwd HTTP/1.1\r\n\r\n", b"HTTP/1.1 404"),
        (b"\r\n\r\n", b"HTTP/1.1 404"),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 20_000, b""),
    ],
)
async def test_other_requests_get_nothing(request_, status):
    answer = await asked(MetricsServer(readings(busy_exchange()[1])), request_)
    assert answer.startswith(status) if status else not answer


async def test_half_a_request_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("callcenter.metrics.REQUEST_SECONDS", 0.05)
    assert not await asked(MetricsServer(readings(busy_exchange()[1])), b"GET /metr")


def test_the_address_is_checked_with_the_configuration(tmp_path: Path):
    assert metrics_address("127.0.0.1:9464") == ("127.0.0.1", 9464)
    assert metrics_address("[::1]:9464") == ("::1", 9464)
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:9464"):
        metrics_address("host:99999")
    file = tmp_path / "callcenter.toml"
    file.write_text('[metrics]\nlisten = "9464"\n', "utf-8")
    with pytest.raises(ConfigError, match=r"metrics\.listen"):
        load_settings(file)
    assert load_settings(None).metrics.listen is None
