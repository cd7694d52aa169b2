"""The tools that people run: the trace of a live exchange, and the measurement of this machine."""

import asyncio
import json

import pytest

from callcenter.sip.measuring import measure
from callcenter.sip.settings import SipSettings
from tests.support.sip_agent import RawPeer, live_agent
from tests.support.sip_wire import REALM

pytestmark = pytest.mark.interop


OPTIONS = (
    b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{n};rport\r\nFrom: <sip:a@b>;tag=1\r\n"
    b"To: <sip:x@b>\r\nCall-ID: one\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


async def test_a_listener_sees_the_messages_of_a_running_exchange(tmp_path):
    path = tmp_path / "trace.sock"
    async with live_agent(SipSettings(port=0, realm=REALM, trace_socket=path)) as live, asyncio.timeout(40):
        assert path.stat().st_mode & 0o777 == 0o600
        reader, writer = await asyncio.open_unix_connection(path)
        peer = await RawPeer.open()
        lines = []
        while len(lines) < 2:  # the first may go by before the listener is known
            peer.send(OPTIONS.replace(b"{n}", str(len(lines)).encode()), live.agent.port)
            await peer.inbox.get()
            try:
                async with asyncio.timeout(0.2):
                    lines.append(json.loads(await reader.readline()))
            except TimeoutError:
                continue
        assert {line["outgoing"] for line in lines} <= {True, False}
        assert lines[0]["cseq"].endswith("OPTIONS")
        writer.close()
        peer.close()


def test_this_machine_carries_some_calls():
    figures = measure(rate=50, calls=50)
    assert figures.failed == 0
    assert figures.cpu_ms_per_call > 0
    assert figures.ring_p50_ms > 0
    assert figures.parse_invite_us > 0
