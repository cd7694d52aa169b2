"""RFC 4475 against a live user agent: every message gets the code the RFC asks for, and the agent goes on."""

import asyncio
import csv
from pathlib import Path

import pytest

from callcenter.calls.legs import LegOffered
from callcenter.sip.digest import answer_challenge
from callcenter.sip.parser import parse
from tests.support.sip_agent import RawPeer, RawStream, live_agent

pytestmark = pytest.mark.interop

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "sip_torture"
if not FOLDER.exists():
    pytest.skip("../shared/data/sip_torture is not here", allow_module_level=True)

with (FOLDER / "rfc4475_expected.csv").open(encoding="utf-8") as table:
    CASES = [(row["file"], row["expected_code"]) for row in csv.DictReader(table)]

CHOICES = {
    "wsinv.dat": {481},  # a To tag of a dialog that nobody knows
    "esc01.dat": {0},
    "lwsdisp.dat": {200},
    "longreq.dat": {0},
    "mpart01.dat": {401},  # texts are taken from phones that say who they are
    "unreason.dat": {0},
    "noreason.dat": {0},
    "inv2543.dat": {0},
    "lwsstart.dat": {400},
    "trws.dat": {400},
    "escruri.dat": {400},
    "baddate.dat": {0},
    "badbranch.dat": {200},
    "zeromf.dat": {200},
}
"""Where the RFC leaves it to us. 0: taken as a call, no final answer until somebody gives one."""

AORS = dict.fromkeys(("null-\x00-null", "null-%00-null", "j.user", "user", "watson", "joe", "+19725552222"), "agent")


def options(n: int, port: int) -> bytes:
    return (
        f"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKalive{n};rport\r\n"
        f"From: <sip:a@b>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: alive-{n}-{port}\r\nCSeq: 1 OPTIONS\r\n"
        "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


async def is_alive(peer: RawPeer, port: int, n: int) -> bool:
    peer.send(options(n, peer.port), port)
    status, _ = await peer.final_status(f"alive-{n}-{peer.port}")
    return status == 200


def with_credentials(data: bytes, challenged: bytes) -> bytes:
    request = parse(data)
    username = request.to.uri.user
    value = answer_challenge(
        parse(challenged).values("www-authenticate"),
        method="REGISTER",
        uri=request.uri_text,
        username=username,
        password=username[::-1],
        cnonce="0a4f113b",
    )
    start, _, rest = data.partition(b"\r\n")
    return start + b"\r\nAuthorization: " + value.encode() + b"\r\n" + rest


ON_A_STREAM = {
    "clerr.dat": {0},  # the rest of the body may still come
    "dblreq.dat": {0},  # the second request is served too: a call that nobody has answered yet
}
"""Where a byte stream differs from a datagram."""


@pytest.mark.parametrize("peer_kind", [RawPeer, RawStream], ids=["udp", "tcp"])
@pytest.mark.parametrize(("name", "expected"), CASES, ids=[name for name, _ in CASES])
async def test_a_torture_message_gets_its_code(name, expected, peer_kind):
    data = (FOLDER / "rfc4475" / name).read_bytes()
    allowed = CHOICES.get(name) or {0 if expected == "drop" else int(expected)}
    if peer_kind is RawStream:
        allowed = ON_A_STREAM.get(name) or allowed
    async with live_agent(trunk="127.0.0.0/8", **AORS) as live:
        peer = await peer_kind.open(port=live.agent.port)
        try:
            peer.send(data, live.agent.port)
            if peer_kind is RawStream:
                await peer.has_been_read()
            other = await RawPeer.open()
            assert await is_alive(other, live.agent.port, 1)
            other.close()
            status, answer = 0, b""
            while not peer.inbox.empty():
                answer = peer.inbox.get_nowait()
                status = int(answer[8:11]) if int(answer[8:11]) >= 200 else 0
            if peer_kind is RawStream and name == "dblreq.dat" and live.told(LegOffered):
                status = 0  # and no 100 either: behind it comes what is no message, and the stream is closed
            if status == 401 and 401 not in allowed:
                peer.send(with_credentials(data, answer), live.agent.port)
                async with asyncio.timeout(15):
                    answer = await peer.inbox.get()
                status = int(answer[8:11])
            assert status in allowed, answer
            assert not [e for e in live.events if status == 0 and expected == "drop"]
            if name == "bext01.dat":
                assert b"Unsupported: nothingSupportsThis, nothingSupportsThisEither" in answer
            if name == "invut.dat":
                assert b"Accept: application/sdp" in answer
            if name == "escnull.dat":
                assert answer.count(b"Contact: ") == 2
        finally:
            peer.close()
