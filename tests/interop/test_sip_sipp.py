"""SIPp, an independent implementation, calls the user agent and is called through it."""

import asyncio
import re

import pytest

from callcenter.calls.legs import EndCause, LegEnded, LegOffered
from tests.support.peers import peer
from tests.support.sip_agent import RawPeer, live_agent
from tests.support.waiting import until

pytestmark = pytest.mark.interop


async def run_sipp(*arguments: str, folder) -> tuple[int, str]:
    program = await asyncio.create_subprocess_exec(
        peer("sipp"),
        *arguments,
        "-nostdin",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    try:
        async with asyncio.timeout(60):
            out, _ = await program.communicate()
    except TimeoutError:
        program.kill()
        await program.wait()
        raise
    return program.returncode or 0, out.decode(errors="replace")


def counted(output: str, what: str) -> int:
    found = re.findall(rf"{what}\s*\|\s*\d+\s*\|\s*(\d+)", output)
    return int(found[-1]) if found else -1


@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_two_hundred_sipp_calls_succeed(transport, tmp_path):
    async with live_agent() as live:
        live.answer_everything()
        code, out = await run_sipp(
            *("-sn", "uac", "-i", "127.0.0.2", "-r", "50", "-m", "200", "-d", "300", "-l", "1000", "-t", transport),
            *("-timeout", "40", f"127.0.0.1:{live.agent.port}"),
            folder=tmp_path,
        )
        assert code == 0, out[-3000:]
        assert counted(out, "Successful call") == 200
        assert counted(out, "Failed call") == 0
        await live.until(lambda: len(live.told(LegEnded)) == 200)
        assert len(live.told(LegOffered)) == 200
        assert {event.cause for event in live.told(LegEnded)} == {EndCause.NORMAL}
        await until("no leg is left", lambda: live.agent.leg_count == 0)


async def test_sipp_calls_succeed_although_it_loses_a_tenth_of_the_packets(tmp_path):
    async with live_agent() as live:
        live.answer_everything()
        code, out = await run_sipp(
            *("-sn", "uac", "-i", "127.0.0.2", "-r", "50", "-m", "100", "-d", "100", "-l", "1000", "-lost", "10"),
            *("-timeout", "50", f"127.0.0.1:{live.agent.port}"),
            folder=tmp_path,
        )
        assert code == 0, out[-3000:]
        assert counted(out, "Failed call") == 0


async def test_sipsak_finds_the_agent_alive(tmp_path):
    async with live_agent() as live:
        program = await asyncio.create_subprocess_exec(
            peer("sipsak"),
            "-s",
            f"sip:ping@127.0.0.1:{live.agent.port}",
            cwd=tmp_path,
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(30):
            assert await program.wait() == 0


async def test_a_stranger_is_challenged_and_the_answer_is_small():
    async with live_agent(anna="a1") as live:
        peer = await RawPeer.open()
        for method in ("INVITE", "REGISTER"):
            answers = []
            for user in ("anna", "nobody"):
                request = (
                    f"{method} sip:5000@127.0.0.1 SIP/2.0\r\n"
                    f"Via: SIP/2.0/UDP 127.0.0.1:{peer.port};branch=z9hG4bK{user}{method};rport\r\n"
                    f"From: <sip:{user}@127.0.0.1>;tag=1\r\nTo: <sip:{user}@127.0.0.1>\r\nCall-ID: {user}-{method}\r\n"
                    f"CSeq: 1 {method}\r\nContact: <sip:{user}@127.0.0.1:{peer.port}>\r\nMax-Forwards: 70\r\n"
                    "Content-Length: 0\r\n\r\n"
                ).encode()
                peer.send(request, live.agent.port)
                status, answer = await peer.final_status(f"{user}-{method}")
                assert status == 401
                assert len(answer) <= 3 * len(request)
                masked = re.sub(rb'nonce="[^"]*"|tag=[0-9a-f]+', b"", answer)
                answers.append(masked.replace(user.encode(), b"USER"))
            assert answers[0] == answers[1]
        peer.close()
        assert not live.events
        assert live.agent.leg_count == 0
