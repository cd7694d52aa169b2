"""What must hold for long: 100,000 deformed messages, and a million transactions, in virtual time."""

import gc
import itertools
import random
import resource
import sys
import time
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path

import pytest

from callcenter.calls.legs import EndCause, LegAnswered, LegOffered, Party
from callcenter.ports import TrunkPolicy
from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Flow, Transmit, Transport
from callcenter.sip.measuring import SDP
from callcenter.sip.messages import build_response
from callcenter.sip.parser import parse
from callcenter.sip.trunks import Trunk
from tests.support.sip_mutations import mutations
from tests.support.sip_wire import CARRIER, EPOCH, Network, exchange_on
from tests.unit.sip.test_sip_mutations import read_everything

pytestmark = [pytest.mark.unit, pytest.mark.timeout(3_600)]

MUTATIONS = 100_000
STALL_SECONDS = 0.05
ENDED_EVERY = 200
TRANSACTIONS = 1_000_000
TRANSACTIONS_OF_A_CALL = 4
GATEWAY = ("10.0.7.1", 5060)
CALL = (
    "{method} sip:5000@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bK{method}{n};rport\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:1@10.0.1.1>;tag={n}\r\nTo: <sip:5000@10.0.0.1>{tag}\r\nCall-ID: {n}\r\n"
    "CSeq: {cseq} {method}\r\nContact: <sip:1@10.0.1.1:5060>\r\nContent-Type: application/sdp\r\n"
    "Content-Length: {length}\r\n\r\n{body}"
)


def test_deformed_messages_raise_nothing_and_none_stalls_the_loop():
    """CPU time, because the machine may have other work."""
    exchange, worst = exchange_on(Network(), anna="a1"), 0.0
    flow = Flow(Transport.UDP, CARRIER)
    for n, data in enumerate(itertools.islice(mutations(random.Random(2026)), MUTATIONS)):
        begun = time.thread_time()
        with suppress(BadMessage):
            read_everything(parse(data))
        exchange.receive(data, flow, EPOCH + n)
        exchange.handle_timer(EPOCH + n)
        if not n % ENDED_EVERY:  # else it is full of calls soon, and reads no new ones
            exchange.end_all(EndCause.NORMAL, EPOCH + n)
        worst = max(worst, time.thread_time() - begun)
    sys.stderr.write(f"{MUTATIONS} deformed messages, the slowest took {worst * 1_000:.1f} ms\n")
    assert worst < STALL_SECONDS


class Calls:
    """Calls that come by one trunk and leave by another; both far ends answer from templates."""

    def __init__(self) -> None:
        trunk = Trunk("out", (), gateway=GATEWAY[0], options_seconds=0)
        trunks = (Trunk("in", (ip_network("10.0.1.0/24"),)), trunk)
        self.exchange = exchange_on(Network(), trunks=trunks)
        self.now = EPOCH
        self.exchange.found_gateways("out", [Flow(Transport.UDP, GATEWAY)], self.now)
        self.tags: dict[str, str] = {}

    def one(self, n: int) -> None:
        """INVITE to BYE: four transactions."""
        self._in(CALL.format(method="INVITE", n=n, tag="", cseq=1, length=len(SDP), body=SDP))
        tag = self.tags.pop(str(n))
        self._in(CALL.format(method="ACK", n=n, tag=f";tag={tag}", cseq=1, length=0, body=""))
        self._in(CALL.format(method="BYE", n=n, tag=f";tag={tag}", cseq=2, length=0, body=""))
        self.now += 20
        self._take(self.exchange.handle_timer(self.now))

    def _in(self, text: str, source=CARRIER) -> None:
        self._take(self.exchange.receive(text.encode(), Flow(Transport.UDP, source), self.now))

    def _take(self, outcomes) -> None:
        for outcome in outcomes:
            if isinstance(outcome, LegOffered):
                policy = TrunkPolicy(("out",))
                dialled = self.exchange.dial(f"o{outcome.leg_id}", "1", policy, Party("2"), SDP, self.now)
                self._take(dialled)
            elif isinstance(outcome, LegAnswered):
                self._take(self.exchange.answer(outcome.leg_id[1:], SDP, self.now))
            elif isinstance(outcome, Transmit):
                self._far_end(outcome)
            elif type(outcome).__name__ == "LegEnded" and not outcome.leg_id.startswith("o"):
                self._take(self.exchange.end(f"o{outcome.leg_id}", EndCause.NORMAL, self.now))

    def _far_end(self, sent: Transmit) -> None:
        if sent.flow.remote == GATEWAY and sent.data.startswith((b"INVITE", b"BYE")):
            request = parse(sent.data)
            headers = (("Contact", "<sip:g@10.0.7.1>"), ("Content-Type", "application/sdp"))
            body = SDP.encode() if request.method == "INVITE" else b""
            answer = build_response(request, 200, to_tag="g", headers=headers if body else (), body=body)
            self._in(str(bytes(answer), "utf-8"), GATEWAY)
        elif sent.data.startswith(b"SIP/2.0 200") and b"1 INVITE" in sent.data and sent.flow.remote != GATEWAY:
            answer = parse(sent.data)
            self.tags[answer.call_id] = answer.to.tag


def test_a_million_transactions_leave_memory_where_it_started():
    calls = Calls()
    numbers = itertools.count()
    for _ in range(5_000):
        calls.one(next(numbers))
    open_before = len(calls.exchange.wire.transactions)
    resident = _resident()
    for _ in range(TRANSACTIONS // TRANSACTIONS_OF_A_CALL):
        calls.one(next(numbers))
    assert abs(len(calls.exchange.wire.transactions) - open_before) < 50
    grown = _resident() - resident
    calls.now += 600_000
    calls._take(calls.exchange.handle_timer(calls.now))
    assert not len(calls.exchange)
    assert not len(calls.exchange.wire.transactions)
    assert not len(calls.exchange.wire.alarms)
    sys.stderr.write(f"{TRANSACTIONS} transactions, resident memory grew by {grown / 1e6:.2f} MB\n")
    assert grown < 8_000_000


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text("utf-8").split()[1]) * resource.getpagesize()
