"""Every transport against clients of the standard library and of `websockets`: nothing of ours on the far side."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from callcenter.calls.legs import EndCause, LegEnded, LegOffered, LegRefused, Party
from callcenter.errors import ConfigError
from callcenter.ports import TrunkPolicy
from callcenter.sip.digest import answer_challenge
from callcenter.sip.flows import Transport
from callcenter.sip.parser import parse
from callcenter.sip.settings import SipSettings
from callcenter.sip.tls import client_context, load_certificate, server_context
from callcenter.sip.trunks import Trunk
from tests.support.sip_agent import SDP, RawPeer, live_agent
from tests.support.sip_certificates import new_certificate
from tests.support.sip_wire import REALM
from tests.support.waiting import until

pytestmark = pytest.mark.interop


def message(method: str, *lines: str, via: str = "TCP", n: int = 1, body: str = "", user: str = "anna") -> bytes:
    head = [
        f"{method} sip:5000@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/{via} df7jal23ls0d.invalid;branch=z9hG4bK{method}{n};rport",
        f"From: <sip:{user}@127.0.0.1>;tag=f1",
        f"To: <sip:{user if method == 'REGISTER' else '5000'}@127.0.0.1>",
        "Call-ID: one",
        f"CSeq: {n} {method}",
        "Max-Forwards: 70",
        f"Contact: <sip:{user}@df7jal23ls0d.invalid;transport={via.lower()}>",
        *lines,
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


async def answer_on(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(15):
        return await reader.readuntil(b"\r\n\r\n")


@asynccontextmanager
async def stream(host: str, port: int, context: ssl.SSLContext | None = None):
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        yield reader, writer
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def test_a_new_certificate_is_met_by_new_connections_and_old_ones_go_on(tmp_path):
    tls = new_certificate(tmp_path, "127.0.0.1")
    settings = SipSettings(port=0, realm=REALM, tls=tls, tls_port=0)
    async with live_agent(settings) as live:
        port = live.agent.port_of(Transport.TLS)
        old_trust = client_context(tls)
        async with stream("127.0.0.1", port, old_trust) as (reader, writer):
            before = writer.get_extra_info("ssl_object").getpeercert()["serialNumber"]
            new_certificate(tmp_path, "127.0.0.1")
            live.agent.reload_certificates()
            writer.write(message("OPTIONS", via="TLS"))
            assert (await answer_on(reader)).startswith(b"SIP/2.0 200")
            async with stream("127.0.0.1", port, client_context(tls)) as (_, second):
                assert second.get_extra_info("ssl_object").getpeercert()["serialNumber"] != before
            with pytest.raises(ssl.SSLCertVerificationError):
                async with stream("127.0.0.1", port, old_trust):
                    pass


async def test_replaced_files_are_taken_up_by_themselves_and_a_call_that_is_up_goes_on(tmp_path):
    """First only the key is new, which fits nothing: the old certificate stays until its own is there, too."""
    tls = new_certificate(tmp_path, "127.0.0.1")
    settings = SipSettings(port=0, realm=REALM, tls=tls, tls_port=0, certificate_seconds=0.02)
    async with live_agent(settings, trunk="127.0.0.1/32") as live:
        live.answer_everything()
        port, old_trust = live.agent.port_of(Transport.TLS), client_context(tls)
        async with stream("127.0.0.1", port, old_trust) as (reader, writer):
            writer.write(message("INVITE", "Content-Type: application/sdp", via="TLS", body=SDP))
            await live.until(lambda: live.told(LegOffered))
            (tmp_path / "new").mkdir()
            new = new_certificate(tmp_path / "new", "127.0.0.1")
            tls.key.write_bytes(new.key.read_bytes())
            async with stream("127.0.0.1", port, old_trust):
                pass
            tls.certificate.write_bytes(new.certificate.read_bytes())

            async def is_met() -> bool:
                try:
                    async with stream("127.0.0.1", port, client_context(tls)):
                        return True
                except ssl.SSLError:
                    return False

            await until("the new certificate is met", is_met)
            writer.write(message("OPTIONS", via="TLS", n=2))
            async with asyncio.timeout(15):
                await reader.readuntil(b"CSeq: 2 OPTIONS\r\n")
            assert not live.told(LegEnded)


def test_a_certificate_without_its_key_is_refused_and_the_old_one_stays(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, other = new_certificate(tmp_path / "a", "127.0.0.1"), new_certificate(tmp_path / "b", "127.0.0.1")
    context = server_context(first)
    first.key.write_bytes(other.key.read_bytes())
    with pytest.raises(ConfigError):
        load_certificate(context, first)


def test_old_tls_is_not_spoken(tmp_path):
    assert server_context(new_certificate(tmp_path, "127.0.0.1")).minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
async def test_a_browser_phone_registers_and_is_rung_over_its_web_socket(tmp_path, secure):
    tls = new_certificate(tmp_path, "127.0.0.1") if secure else None
    settings = SipSettings(port=0, realm=REALM, tls=tls, tls_port=None, ws_port=0, wss_port=0)
    kind = Transport.WSS if secure else Transport.WS
    async with live_agent(settings, anna="a1") as live:
        uri = f"{kind}://127.0.0.1:{live.agent.port_of(kind)}"
        async with connect(uri, subprotocols=["sip"], ssl=client_context(tls) if secure else None) as phone:
            assert phone.subprotocol == "sip"
            await phone.send(message("REGISTER", via=kind.upper()).decode())
            challenge = parse((await phone.recv()).encode())
            value = answer_challenge(
                challenge.values("www-authenticate"),
                method="REGISTER",
                uri="sip:5000@127.0.0.1",
                username="anna",
                password="anna"[::-1],
                cnonce="c",
            )
            await phone.send(message("REGISTER", f"Authorization: {value}", via=kind.upper(), n=2))
            assert (await phone.recv()).startswith("SIP/2.0 200")
            await live.until(lambda: live.phones == [("a1", True)])
            live.ring("leg", "a1", SDP)
            invite = parse((await phone.recv()).encode())
            assert invite.uri_text == f"sip:anna@df7jal23ls0d.invalid;transport={kind}"
            assert invite.via.transport == kind.upper()
            assert f";transport={kind}" in str(invite.contacts[0].uri)
        await live.until(lambda: live.phones == [("a1", True), ("a1", False)])


async def test_a_web_socket_without_the_sip_subprotocol_is_refused():
    async with live_agent(SipSettings(port=0, ws_port=0)) as live:
        with pytest.raises(InvalidStatus):
            async with connect(f"ws://127.0.0.1:{live.agent.port_of(Transport.WS)}"):
                pass


async def test_fragments_and_keep_alives_on_a_web_socket_are_understood_and_giants_are_refused():
    async with live_agent(SipSettings(port=0, ws_port=0)) as live:
        uri = f"ws://127.0.0.1:{live.agent.port_of(Transport.WS)}"
        async with connect(uri, subprotocols=["sip"]) as phone:
            await phone.send("\r\n\r\n")
            assert await phone.recv() == "\r\n"
            await (await phone.ping())
            text = message("OPTIONS", via="WS").decode()
            await phone.send([text[:50], text[50:60], text[60:]])
            assert (await phone.recv()).startswith("SIP/2.0 200")
            await phone.send("x" * 70_000)
            with pytest.raises(ConnectionClosed):
                await phone.recv()


async def test_a_double_line_end_on_a_stream_is_answered_with_one():
    async with live_agent() as live, stream("127.0.0.1", live.agent.port) as (reader, writer):
        writer.write(b"\r\n\r\n" + message("OPTIONS"))
        assert (await answer_on(reader)).startswith(b"\r\nSIP/2.0 200")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_call_arrives_by_either_internet_protocol(host):
    settings = SipSettings(port=0, realm=REALM, other_hosts=("::1",))
    async with live_agent(settings, trunk=f"{host}/{32 if host[0] == '1' else 128}") as live:
        live.answer_everything()
        async with stream(host, live.agent.port) as (reader, writer):
            writer.write(message("INVITE", "Content-Type: application/sdp", body=SDP))
            answer = b""
            while b"SIP/2.0 200" not in answer:
                answer = await answer_on(reader)
            shown = f"[{host}]" if ":" in host else host
            assert f"Contact: <sip:callcenter@{shown}:{live.agent.port};transport=tcp>".encode() in answer
        udp = await RawPeer.open(host)
        udp.send(message("OPTIONS", via="UDP").replace(b"Call-ID: one", b"Call-ID: two"), live.agent.port, host)
        status, _ = await udp.final_status("two")
        assert status == 200
        udp.close()
        assert isinstance(live.events[0], LegOffered)
        assert live.events[0].peer_address == host


async def test_a_head_that_is_no_message_is_answered_and_the_connection_closed():
    async with live_agent() as live:
        async with stream("127.0.0.1", live.agent.port) as (reader, writer):
            writer.write(message("OPTIONS").replace(b"Content-Length: 0", b"Content-Length: -1"))
            assert (await answer_on(reader)).startswith(b"SIP/2.0 400")
            assert await asyncio.wait_for(reader.read(), 15) == b""
        assert not live.told(LegEnded)


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_carrier_by_tls_is_called_only_with_a_certificate_that_somebody_we_believe_signed(tmp_path, trusted):
    """The carrier's certificate is its own authority; without it among ours there is no call, and no other way is
    tried."""
    for name in ("theirs", "ours"):
        (tmp_path / name).mkdir()
    theirs, ours = (new_certificate(tmp_path / name, "127.0.0.1") for name in ("theirs", "ours"))
    believed = replace(ours, authorities=theirs.authorities if trusted else ours.authorities)
    carrier = SipSettings(port=0, realm=REALM, tls=theirs, tls_port=0)
    async with live_agent(carrier, trunk="127.0.0.1/32") as far:
        port = far.agent.port_of(Transport.TLS)
        gateway = Trunk("far", (), gateway="127.0.0.1", gateway_port=port, transport=Transport.TLS, options_seconds=0)
        settings = SipSettings(port=0, realm=REALM, tls=believed, tls_port=0)
        async with live_agent(settings, trunks=(gateway,)) as near:
            await until("the gateway is found", lambda: near.agent._exchange.trunk_states()["far"].flows)
            near.agent.dial("L", "+12025550177", TrunkPolicy(("far",)), caller=Party("1"), sdp=SDP)
            if trusted:
                await far.until(lambda: far.told(LegOffered))
                near.agent.end("L", EndCause.CANCELLED)
            else:
                await near.until(lambda: near.told(LegRefused))
                assert not far.told(LegOffered)
