"""Soft phones and a raw peer against a live user agent, over real sockets of both kinds."""

import asyncio
import os
import random

import pytest
import uvloop

from callcenter.calls.legs import EndCause, LegAnswered, LegDigit, LegEnded, LegOffered, LegRefused, LegReoffered, Party
from callcenter.ports import PhoneTarget, Signalling
from callcenter.sip.flows import Transport
from callcenter.sip.phone import CallRefused, RegistrationRefused, SoftPhone
from callcenter.sip.settings import SipSettings
from callcenter.sip.tls import TlsSettings, client_context
from tests.support.sip_agent import SDP, LiveAgent, RawPeer, live_agent
from tests.support.sip_certificates import new_certificate
from tests.support.sip_wire import REALM
from tests.support.waiting import until

pytestmark = pytest.mark.interop

PHONE_TRANSPORTS = [Transport.UDP, Transport.TCP, Transport.TLS]
transports = pytest.mark.parametrize("transport", PHONE_TRANSPORTS)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return new_certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1")


def with_tls(tls: TlsSettings) -> SipSettings:
    return SipSettings(port=0, realm=REALM, tls=tls, tls_port=0)


def soft_phone(
    live: LiveAgent, username: str, transport: Transport, tls: TlsSettings | None = None, *, host: str = "127.0.0.1"
) -> SoftPhone:
    return SoftPhone(
        host=host,
        server=("127.0.0.1", live.agent.port_of(transport)),
        username=username,
        password=username[::-1],
        transport=transport,
        tls=client_context(tls) if tls is not None else None,
    )


@transports
async def test_a_customer_is_connected_to_an_agent_and_everything_is_cleared_away(transport, tls):
    async with live_agent(with_tls(tls), anna="a1") as live, asyncio.timeout(60):
        signalling: Signalling = live.agent
        anna, customer = (
            soft_phone(live, "anna", transport, tls),
            soft_phone(live, "x", transport, tls, host="127.0.0.2"),
        )
        await anna.start()
        await customer.start()
        await anna.register()
        assert live.phones == [("a1", True)]
        assert signalling.reachable("a1")
        call = await customer.call("5000", SDP, caller=Party("+4930123", "Zoë"))
        await live.until(lambda: live.told(LegOffered))
        offered = live.told(LegOffered)[0]
        assert (offered.trunk_id, offered.caller, offered.called.number) == (
            "carrier",
            Party("+4930123", "Zoë"),
            "5000",
        )
        signalling.ring(offered.leg_id)
        await call.ringing.wait()
        signalling.answer(offered.leg_id, SDP + "a=answer\r\n")
        assert (await call.answered()).endswith("a=answer\r\n")
        signalling.invite("agent-leg", PhoneTarget("a1"), caller=offered.caller, sdp=SDP)
        ringing = await anna.next_call()
        assert (ringing.caller, ringing.sdp) == (Party("+4930123", "Zoë"), SDP)
        ringing.ring()
        ringing.answer(SDP + "a=phone\r\n")
        await live.until(lambda: live.told(LegAnswered))
        ringing.send_info_digit("7")
        await live.until(lambda: live.told(LegDigit))
        hold = asyncio.create_task(call.reoffer(SDP + "a=sendonly\r\n"))
        await live.until(lambda: live.told(LegReoffered))
        signalling.accept_reoffer(offered.leg_id, SDP + "a=recvonly\r\n")
        assert (await hold).endswith("a=recvonly\r\n")
        await call.hang_up()
        await live.until(lambda: live.told(LegEnded))
        signalling.end("agent-leg", EndCause.NORMAL)
        assert await ringing.ended() is EndCause.NORMAL
        assert {event.cause for event in live.told(LegEnded)} == {EndCause.NORMAL}
        await until("no leg is left", lambda: live.agent.leg_count == 0)
        await anna.stop()
        await customer.stop()


@transports
async def test_a_wrong_password_and_an_unregistered_caller_are_refused(transport, tls):
    async with live_agent(with_tls(tls), anna="a1") as live, asyncio.timeout(60):
        wrong = soft_phone(live, "anna", transport, tls)
        wrong.endpoint._requests.login = None
        await wrong.start()
        with pytest.raises(RegistrationRefused) as refused:
            await wrong.register()
        assert refused.value.status == 401
        call = await wrong.call("5000", SDP)
        with pytest.raises(CallRefused) as unanswered:
            await call.answered()
        assert unanswered.value.status == 401
        await wrong.stop()
        assert live.events == []


@transports
async def test_an_agent_who_refuses_is_told_busy_and_the_call_can_be_withdrawn(transport, tls):
    async with live_agent(with_tls(tls), anna="a1") as live, asyncio.timeout(60):
        anna = soft_phone(live, "anna", transport, tls)
        await anna.start()
        await anna.register()
        live.agent.invite("one", PhoneTarget("a1"), caller=Party("1"), sdp=SDP)
        (await anna.next_call()).refuse(486)
        await live.until(lambda: live.told(LegRefused))
        assert live.told(LegRefused)[0].status == 486
        live.agent.invite("two", PhoneTarget("a1"), caller=Party("1"), sdp=SDP)
        ringing = await anna.next_call()
        live.agent.end("two", EndCause.ANSWERED_ELSEWHERE)
        await ringing.cancelled.wait()
        assert live.told(LegRefused)[1].status == 487
        await anna.stop()


async def test_a_phone_whose_connection_breaks_is_gone_at_once():
    async with live_agent(anna="a1") as live, asyncio.timeout(60):
        anna = soft_phone(live, "anna", Transport.TCP)
        await anna.start()
        await anna.register()
        await anna.stop()
        await live.until(lambda: ("a1", False) in live.phones)
        assert not live.agent.reachable("a1")


async def test_stopping_hangs_up_what_is_up_and_refuses_what_rings():
    async with live_agent() as live, asyncio.timeout(60):
        customer = soft_phone(live, "x", Transport.UDP, host="127.0.0.2")
        await customer.start()
        talking = await customer.call("1", SDP)
        await live.until(lambda: live.told(LegOffered))
        live.agent.answer(live.told(LegOffered)[0].leg_id, SDP)
        await talking.answered()
        waiting = await customer.call("2", SDP)
        await live.until(lambda: len(live.told(LegOffered)) == 2)
        await live.agent.stop()
        assert await talking.ended() is EndCause.NORMAL
        with pytest.raises(CallRefused) as refused:
            await waiting.answered()
        assert refused.value.status == 503
        assert {event.cause for event in live.told(LegEnded)} == {EndCause.SHUTDOWN}
        await customer.stop()


async def test_a_closed_door_answers_503_and_lets_calls_go_on():
    async with live_agent() as live, asyncio.timeout(60):
        customer = soft_phone(live, "x", Transport.UDP, host="127.0.0.2")
        await customer.start()
        live.answer_everything()
        talking = await customer.call("1", SDP)
        await talking.answered()
        live.agent.admit = False
        refused = await customer.call("2", SDP)
        with pytest.raises(CallRefused) as caught:
            await refused.answered()
        assert caught.value.status == 503
        await talking.hang_up()
        await live.until(lambda: live.told(LegEnded))
        await customer.stop()


def options(call_id: str, more: bytes = b"") -> bytes:
    return (
        b"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK" + call_id.encode() + b"\r\n"
        b"From: <sip:a@b>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: " + call_id.encode() + b"\r\nCSeq: 1 OPTIONS\r\n"
        b"Content-Length: " + str(len(more)).encode() + b"\r\n\r\n" + more
    )


async def test_a_stream_is_served_byte_by_byte_and_in_one_piece_and_kept_alive():
    async with live_agent() as live, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", live.agent.port)
        for octet in options("slow", b"hello"):
            writer.write(bytes([octet]))
            await writer.drain()
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"SIP/2.0 200")
        writer.write(b"\r\n\r\n" + options("one") + options("two"))
        assert await reader.readexactly(2) == b"\r\n"
        for call_id in (b"one", b"two"):
            assert call_id in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"OPTIONS sip:x SIP/2.0\r\n\r\n")  # no length: the stream cannot be cut any more
        assert (await reader.read()).startswith(b"SIP/2.0 400")
        writer.close()


async def test_one_connection_too_many_is_closed():
    settings = SipSettings(port=0, realm=REALM, max_connections=2)
    async with live_agent(settings) as live, asyncio.timeout(60):
        streams = [await asyncio.open_connection("127.0.0.1", live.agent.port) for _ in range(3)]
        assert await streams[2][0].read() == b""
        streams[0][1].write(options("x"))
        assert (await streams[0][0].readuntil(b"\r\n\r\n")).startswith(b"SIP/2.0 200")
        for _, writer in streams:
            writer.close()


async def test_noise_on_both_sockets_leaves_the_agent_alive_and_empty():
    source = random.Random(7)
    async with live_agent() as live, asyncio.timeout(60):
        peer = await RawPeer.open("127.0.0.2")
        for n in range(2_000):
            data = bytearray(options(f"n{n}"))
            for _ in range(source.randint(1, 20)):
                data[source.randrange(len(data))] = source.randrange(256)
            peer.send(bytes(data), live.agent.port)
            if n % 100 == 0:
                _, writer = await asyncio.open_connection("127.0.0.1", live.agent.port)
                writer.write(source.randbytes(5_000))
                writer.close()
        while True:
            peer.send(options("alive"), live.agent.port)
            data = await peer.inbox.get()
            if b"Call-ID: alive" in data:
                break
        assert live.agent.leg_count == 0
        peer.close()


@pytest.mark.skipif(os.name != "posix", reason="uvloop is for POSIX")
def test_everything_works_on_uvloop(tls):
    async def scenario() -> None:
        for transport in PHONE_TRANSPORTS:
            await test_a_customer_is_connected_to_an_agent_and_everything_is_cleared_away(transport, tls)

    uvloop.run(scenario())


async def test_an_answer_without_ack_is_repeated_by_the_real_timer():
    async with live_agent() as live, asyncio.timeout(60):
        live.answer_everything()
        peer = await RawPeer.open("127.0.0.2")
        request = options("again").replace(b"OPTIONS", b"INVITE").replace(b"/TCP 127.0.0.1", b"/UDP 127.0.0.2;rport")
        peer.send(request, live.agent.port)
        answers = [await peer.final_status("again") for _ in range(3)]
        assert len(set(answers)) == 1
        peer.close()
