"""pyVoIP, an independent and sloppy phone: registers, is rung, calls, hangs up. It runs in threads of its own."""

import asyncio
import importlib.util
import socket

import pytest

from callcenter.calls.legs import EndCause, LegAnswered, LegEnded, LegOffered, LegRefused, LegRinging, Party
from callcenter.ports import PhoneTarget
from tests.support.ports import free_port, media_range
from tests.support.sip_agent import live_agent
from tests.support.waiting import until

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(importlib.util.find_spec("pyVoIP") is None, reason="pyVoIP is not installed"),
    pytest.mark.filterwarnings("ignore"),
]

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 34000 RTP/AVP 0 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
)


async def test_pyvoip_registers_is_rung_and_calls(monkeypatch: pytest.MonkeyPatch):
    from pyVoIP.VoIP import CallState, VoIPPhone

    from callcenter.demo.foreign_phone import unblocked_while_locked

    monkeypatch.setattr("pyVoIP.SIP.acquired_lock_and_unblocked_socket", unblocked_while_locked)
    loop = asyncio.get_running_loop()

    async with live_agent(pyphone="a1") as live, asyncio.timeout(60):
        phone = VoIPPhone(
            "127.0.0.1",
            live.agent.port,
            "pyphone",
            "enohpyp",
            myIP="127.0.0.1",
            callCallback=lambda call: call.answer(),
            sipPort=free_port(socket.SOCK_DGRAM),
            rtpPortLow=(sound := media_range(100)),
            rtpPortHigh=sound + 99,
        )
        await asyncio.to_thread(phone.start)
        try:
            await live.until(lambda: ("a1", True) in live.phones)
            live.agent.invite("leg", PhoneTarget("a1"), caller=Party("+4930123", "Zoe"), sdp=SDP)
            await live.until(lambda: live.told(LegAnswered))
            assert live.told(LegRinging)
            live.agent.end("leg", EndCause.NORMAL)
            await live.until(lambda: live.told(LegEnded))

            call = await asyncio.to_thread(phone.call, "5000")
            await live.until(lambda: live.told(LegOffered))
            offered = live.told(LegOffered)[0]
            assert (offered.agent_id, offered.called.number) == ("a1", "5000")
            answered = asyncio.Event()
            taken = call.answered

            def tell(request) -> None:
                taken(request)
                loop.call_soon_threadsafe(answered.set)

            call.answered = tell
            live.agent.answer(offered.leg_id, SDP)
            await answered.wait()
            assert call.state == CallState.ANSWERED
            leg = live.agent._exchange._legs.get(offered.leg_id)
            assert leg is not None
            await until("the ACK with the wrong tag is understood", lambda: leg.answer is None)
            await asyncio.to_thread(call.hangup)
            await live.until(lambda: len(live.told(LegEnded)) == 2)
            assert live.told(LegEnded)[1] == LegEnded(offered.leg_id, EndCause.NORMAL)
        finally:
            await asyncio.to_thread(phone.stop)


@pytest.mark.parametrize("how", ["refuses", "is cancelled"])
async def test_pyvoip_refuses_and_is_cancelled(monkeypatch: pytest.MonkeyPatch, how: str):
    """It answers a CANCEL and never the INVITE (no 487): the agent is free at once, and the next call is taken."""
    from pyVoIP.VoIP import VoIPPhone

    from callcenter.demo.foreign_phone import unblocked_while_locked

    monkeypatch.setattr("pyVoIP.SIP.acquired_lock_and_unblocked_socket", unblocked_while_locked)
    calls = []

    def rung(call) -> None:
        calls.append(call)
        if len(calls) > 1:
            call.answer()
        elif how == "refuses":
            call.deny()

    async with live_agent(pyphone="a1") as live, asyncio.timeout(60):
        phone = VoIPPhone(
            "127.0.0.1", live.agent.port, "pyphone", "enohpyp", myIP="127.0.0.1", callCallback=rung,
            sipPort=free_port(socket.SOCK_DGRAM), rtpPortLow=(sound := media_range(100)),
            rtpPortHigh=sound + 99,
        )  # fmt: skip
        await asyncio.to_thread(phone.start)
        try:
            await live.until(lambda: ("a1", True) in live.phones)
            live.agent.invite("leg", PhoneTarget("a1"), caller=Party("+4930123"), sdp=SDP)
            if how == "is cancelled":
                await live.until(lambda: live.told(LegRinging))
                await until("pyVoIP rings", lambda: calls)
                live.agent.end("leg", EndCause.CANCELLED)
            await live.until(lambda: live.told(LegRefused))
            (refused,) = live.told(LegRefused)
            assert refused.status == (487 if how == "is cancelled" else 486)
            live.agent.invite("again", PhoneTarget("a1"), caller=Party("+4930124"), sdp=SDP)
            await live.until(lambda: [one for one in live.told(LegAnswered) if one.leg_id == "again"])
            live.agent.end("again", EndCause.NORMAL)
        finally:
            await asyncio.to_thread(phone.stop)
