"""What this machine carries: calls from a trunk to an agent's phone through our own exchange, both far ends simulated.

The exchange runs in a process of its own, with its collector of cycles as in service, and its CPU time is what is
reported; media is not part of it. One of the edges that read clocks.
"""

import asyncio
import gc
import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from multiprocessing.connection import Connection

import uvloop

from callcenter.calls.legs import EndCause, LegAnswered, LegEnded, LegEvent, LegOffered, LegRefused, Party
from callcenter.clock import SystemClock
from callcenter.collecting import QuietCollector
from callcenter.ports import PhoneTarget
from callcenter.sip.digest import ha1
from callcenter.sip.media_keys import MediaRule
from callcenter.sip.parser import parse
from callcenter.sip.phone import CallRefused, PhoneCall, SoftPhone
from callcenter.sip.settings import SipSettings
from callcenter.sip.trunks import Trunk
from callcenter.sip.user_agent import UserAgent

REALM, AGENT = "bench", "agent"
TRUNK_HOST = "127.0.0.2"
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
    "a=ptime:20\r\na=sendrecv\r\n"
)
INVITE = (
    "INVITE sip:5000@127.0.0.1:5060;user=phone SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK{n:016};rport\r\n"
    "Record-Route: <sip:192.0.2.7;lr>\r\nMax-Forwards: 69\r\nCall-ID: {n:024}@192.0.2.7\r\nCSeq: 102 INVITE\r\n"
    'From: "Caller" <sip:+331{n:08}@carrier.example.net;user=phone>;tag={n:012}\r\nTo: <sip:5000@pbx.example.com>\r\n'
    "Contact: <sip:+331{n:08}@192.0.2.7:5060;transport=udp>\r\nAllow: INVITE, ACK, CANCEL, BYE, INFO\r\n"
    "Supported: timer, replaces, 100rel\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n"
    "P-Asserted-Identity: <sip:+331{n:08}@carrier.example.net>\r\nUser-Agent: Carrier\r\n"
    "Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{sdp}"
)


@dataclass(frozen=True, slots=True)
class SipFigures:
    """What was measured. CPU is the exchange's own, delays are wall-clock time from one process to the other."""

    calls_per_s: float
    failed: int
    cpu_ms_per_call: float
    ring_p50_ms: float
    ring_p99_ms: float
    parse_invite_us: float


class _Bridge:
    """The least that a call needs behind the front end: ring the agent for each caller, end both together."""

    def __init__(self) -> None:
        self.agent = UserAgent(
            clock=SystemClock(),
            sink=self._take,
            settings=SipSettings(port=0, realm=REALM, max_legs=100_000),
            directory=self,
            trunks=[Trunk("bench", (ip_network(f"{TRUNK_HOST}/32"),))],
            secret=b"b" * 32,
        )
        self._others: dict[str, str] = {}

    def ha1(self, username: str, algorithm: str) -> str | None:
        """The one phone's password is its name."""
        return ha1(AGENT, REALM, AGENT, algorithm) if username == AGENT else None

    def agent_of(self, username: str) -> str | None:
        """The one phone's agent."""
        return AGENT if username == AGENT else None

    def media_rule(self, agent_id: str) -> MediaRule:
        """As by default."""
        del agent_id
        return MediaRule()

    def progress(self) -> int:
        """Another number whenever something was heard or said."""
        return sum(self.agent.trunk_messages().values())

    def _take(self, event: LegEvent) -> None:
        if isinstance(event, LegOffered):
            leg_id = f"a-{event.leg_id}"
            self._others[event.leg_id], self._others[leg_id] = leg_id, event.leg_id
            self.agent.ring(event.leg_id)
            self.agent.invite(leg_id, PhoneTarget(AGENT), caller=event.caller, sdp=event.sdp)
        elif isinstance(event, LegAnswered) and event.leg_id in self._others:
            self.agent.answer(self._others[event.leg_id], event.sdp)
        elif isinstance(event, LegEnded | LegRefused) and (other := self._others.pop(event.leg_id, None)):
            self._others.pop(other, None)
            self.agent.end(other, EndCause.NORMAL)


def _serve(control: Connection) -> None:
    """The exchange's process: tells its port, and its CPU time whenever it is asked."""

    async def run() -> None:
        bridge = _Bridge()
        await bridge.agent.start()
        gc.collect()
        gc.freeze()
        collecting = asyncio.create_task(QuietCollector(bridge.progress).run(), name="collector")
        control.send(bridge.agent.port)
        stop = asyncio.Event()

        def answer() -> None:
            if not control.poll():
                return
            if control.recv() == "stop":
                stop.set()
                return
            used = resource.getrusage(resource.RUSAGE_SELF)
            control.send(used.ru_utime + used.ru_stime)

        asyncio.get_running_loop().add_reader(control.fileno(), answer)
        await stop.wait()
        collecting.cancel()
        asyncio.get_running_loop().remove_reader(control.fileno())
        await bridge.agent.stop()

    uvloop.run(run())


async def _generate(
    port: int, rate: float, calls: int, cpu: Callable[[], float]
) -> tuple[float, int, float, list[float]]:
    """Make the calls; returns calls a second, failures, CPU seconds of the exchange and the delays in milliseconds."""
    loop = asyncio.get_running_loop()
    started: dict[str, float] = {}
    delays: list[float] = []

    def on_call(call: PhoneCall) -> None:
        if (at := started.pop(call.caller.number, None)) is not None:
            delays.append((time.monotonic() - at) * 1_000)
        call.ring()
        call.answer(SDP)

    server = ("127.0.0.1", port)
    agent = SoftPhone(host="127.0.0.1", server=server, username=AGENT, password=AGENT, on_call=on_call)
    carrier = SoftPhone(host=TRUNK_HOST, server=server, username="carrier")
    await agent.start()
    await carrier.start()
    await agent.register(3_600)
    failures = 0

    async def one(number: str) -> None:
        nonlocal failures
        started[number] = time.monotonic()
        try:
            async with asyncio.timeout(20):
                call = await carrier.call("5000", SDP, caller=Party(number))
                await call.answered()
                await call.hang_up()
        except (CallRefused, TimeoutError):
            failures += 1

    before, begun = cpu(), loop.time()
    async with asyncio.TaskGroup() as group:
        for n in range(calls):
            await asyncio.sleep(max(0.0, begun + n / rate - loop.time()))
            group.create_task(one(f"+331{n:08}"))
    seconds, used = loop.time() - begun, cpu() - before
    await agent.stop()
    await carrier.stop()
    return (calls - failures) / seconds, failures, used, delays


def parse_cost_us(rounds: int = 40, batch: int = 200) -> float:
    """CPU microseconds to read an INVITE, touch what an exchange reads of it, and write it; the best batch."""
    best = float("inf")
    for turn in range(rounds):
        messages = [INVITE.format(n=turn * batch + n, length=len(SDP), sdp=SDP).encode() for n in range(batch)]
        before = time.process_time_ns()
        for data in messages:
            message = parse(data)
            _ = (message.via, message.from_.tag, message.to.tag, message.cseq, message.call_id, message.contacts)
            message.addresses("record-route")
            bytes(message)
        best = min(best, (time.process_time_ns() - before) / batch / 1_000)
    return best


def measure(*, rate: float, calls: int) -> SipFigures:
    """Make so many calls at this rate and report."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), name="sip-bench")
    process.start()
    try:

        def cpu() -> float:
            ours.send("cpu")
            return float(ours.recv())

        port = int(ours.recv())
        per_second, failed, used, delays = uvloop.run(_generate(port, rate, calls, cpu))
        ours.send("stop")
        process.join(10)
    finally:
        if process.is_alive():
            process.terminate()
            process.join()
        ours.close()
        theirs.close()
    delays.sort()
    return SipFigures(
        calls_per_s=round(per_second, 1),
        failed=failed,
        cpu_ms_per_call=round(used * 1_000 / calls, 3),
        ring_p50_ms=round(delays[len(delays) // 2], 2) if delays else 0.0,
        ring_p99_ms=round(delays[int(len(delays) * 0.99)], 2) if delays else 0.0,
        parse_invite_us=round(parse_cost_us(), 1),
    )
