"""The transaction layer against a small model written from the prose of RFC 3261 section 17 and RFC 6026.

The model keeps no states: from the history of what came it says what must have been sent and told, and when.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callcenter.sip.alarms import Alarms
from callcenter.sip.flows import Flow, Transmit, Transport
from callcenter.sip.messages import SipRequest, SipResponse, build_response
from callcenter.sip.parser import parse
from callcenter.sip.transaction_tables import Timer
from callcenter.sip.transactions import AckArrived, ResponseArrived, TransactionFailed, Transactions, server_id

pytestmark = pytest.mark.unit

UDP = Flow(Transport.UDP, ("192.0.2.1", 5060))
TCP = Flow(Transport.TCP, ("192.0.2.1", 5060), 1)
LIFE = 32_000
"""64 times T1: how long anything is tried or remembered, milliseconds."""

TICK = 500
"""Repetitions and time-outs fall due this far apart or a multiple of it. Nothing else comes at such an instant: whether
it would be before or after them is no matter of the RFC."""

flows = st.sampled_from([UDP, TCP])
gaps = st.one_of(st.integers(0, 9_000), st.sampled_from([4_750, 5_250, 31_750, 32_250]))
histories = st.lists(
    st.tuples(gaps, st.sampled_from(["again", "ack", "provisional", "success", "failure"])),
    max_size=14,
)
"""What comes, each so many milliseconds after the one before."""
STATUS = {"provisional": 180, "success": 200, "failure": 486}


def request(method: str, *, ack: bool = False) -> SipRequest:
    name = "ACK" if ack else method
    message = parse(
        f"{name} sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=f\r\n"
        f"To: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 {name}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    assert isinstance(message, SipRequest)
    return message


def answer(to: SipRequest, status: int) -> SipResponse:
    message = parse(bytes(build_response(to, status, to_tag="t")))
    assert isinstance(message, SipResponse)
    return message


@dataclass
class Layer:
    """The real thing, its alarms rung at their instants; notes what it said as ``(at, what)``."""

    alarms: Alarms = field(default_factory=Alarms)
    said: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.transactions = Transactions(self.alarms)

    def note(self, outcomes: list[object], at: int) -> None:
        for outcome in outcomes:
            match outcome:
                case Transmit(data=data):
                    self.said.append((at, f"send {data.split(b' ', 2)[1 if data.startswith(b'SIP') else 0].decode()}"))
                case ResponseArrived(response=response):
                    self.said.append((at, f"tell {response.status}"))
                case AckArrived(invite_id=invite_id):
                    self.said.append((at, "tell ACK" if invite_id is not None else "stray ACK"))
                case TransactionFailed(timed_out=timed_out):
                    self.said.append((at, "timeout" if timed_out else "error"))
                case _:
                    self.said.append((at, "new request"))

    def run_to(self, end: int) -> None:
        while (at := self.alarms.next_deadline()) is not None and at <= end:
            key = self.alarms.pop_due(at)
            assert key is not None
            self.note(self.transactions.handle_timer(key[1], Timer(key[2]), at), at)


def moments(history: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    at = 0
    for gap, what in history:
        at += gap
        yield at, what


def doubling(start: int, *, ceiling: int | None, until: int) -> Iterator[int]:
    """The instants of repetitions: 0.5 s after ``start``, the distance doubling up to ``ceiling``, before ``until``."""
    distance, at = 500, start
    while True:
        at += distance
        if at >= until:
            return
        yield at
        distance = distance * 2 if ceiling is None else min(distance * 2, ceiling)


def same(real: list[tuple[int, str]], model: list[tuple[int, str]]) -> None:
    """Equal but for the order within one millisecond, where a repetition and a time-out may meet."""
    assert sorted(real) == sorted(model)


# Clients


def client_model(method: str, flow: Flow, responses: list[tuple[int, str]]) -> list[tuple[int, str]]:
    said, invite, reliable = [(0, f"send {method}")], method == "INVITE", flow.is_reliable
    provisional = next((at for at, what in responses if what == "provisional"), None)
    final = next(((at, what) for at, what in responses if what in {"success", "failure"}), None)
    # An INVITE that was answered at all waits for ever; another request has 32 s for its final answer.
    first = min((at for at in (provisional, final[0] if final else None) if at is not None), default=None)
    quiet_from = first if invite else (final[0] if final else None)
    gave_up = quiet_from is None or quiet_from >= LIFE
    deadline = LIFE if gave_up else quiet_from
    assert deadline is not None
    if not reliable:
        if invite:
            said += [(at, "send INVITE") for at in doubling(0, ceiling=None, until=deadline)]
        else:
            said += [(at, f"send {method}") for at in non_invite_repetitions(provisional, deadline)]
    if gave_up:
        said.append((LIFE, "timeout"))
    told_until = LIFE if gave_up else 10**9
    for at, what in responses:
        if at >= told_until:
            break
        if final is None or at < final[0] or (at, what) == final:
            said.append((at, f"tell {STATUS[what]}"))
            if (at, what) == final:
                if invite and what == "failure":
                    said.append((at, "send ACK"))
                break
    if final is not None and invite and not (gave_up and final[0] >= LIFE):
        said += repeated_finals(final, responses, reliable=reliable)
    return said


def non_invite_repetitions(provisional: int | None, deadline: int) -> Iterator[int]:
    """Doubling up to 4 s; the first repetition after a provisional answer starts the pace of 4 s (section 17.1.2.2)."""
    distance, at = 500, 0
    while True:
        at += distance
        if at >= deadline:
            return
        yield at
        distance = 4_000 if provisional is not None and provisional <= at else min(distance * 2, 4_000)


def repeated_finals(
    final: tuple[int, str], responses: list[tuple[int, str]], *, reliable: bool
) -> Iterator[tuple[int, str]]:
    """A 2xx is told each time for 32 s (RFC 6026); a failure is acknowledged each time for 32 s on UDP."""
    at, what = final
    after = responses[responses.index(final) + 1 :]
    life = LIFE if what == "success" or not reliable else 0
    for later, again in after:
        if later - at < life and again == what:
            yield later, "tell 200" if what == "success" else "send ACK"


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
@example(flow=UDP, history=[(100, "success"), (31_750, "success")])
@example(flow=UDP, history=[(100, "success"), (32_250, "success")])
@example(flow=UDP, history=[(100, "failure"), (31_750, "failure")])
@example(flow=UDP, history=[(100, "failure"), (32_250, "failure")])
@given(flow=flows, history=histories)
def test_a_client_sends_and_tells_what_the_model_says(method, flow, history):
    layer, sent = Layer(), request(method)
    _, outcomes = layer.transactions.send(sent, flow, 0)
    layer.note(outcomes, 0)
    responses = distinct([(at, what) for at, what in moments(history) if what in STATUS and at % TICK])
    for at, what in responses:
        layer.run_to(at)
        layer.note(layer.transactions.receive(answer(sent, STATUS[what]), flow, at), at)
    layer.run_to(10**7)
    same(layer.said, client_model(method, flow, responses))


# Servers


def server_model(method: str, flow: Flow, events: list[tuple[int, str]]) -> list[tuple[int, str]]:
    invite, reliable = method == "INVITE", flow.is_reliable
    said: list[tuple[int, str]] = []
    final: tuple[int, str] | None = None
    last: str | None = None
    acknowledged: int | None = None
    for at, what in events:
        if final is not None and at >= end_of_service(final, acknowledged, invite=invite, reliable=reliable):
            break
        if what in STATUS:
            if final is None:
                said.append((at, f"send {STATUS[what]}"))
                last = str(STATUS[what])
                final = (at, what) if what != "provisional" else None
        elif what == "again":
            if last is not None and not (final and invite and (final[1] == "success" or acknowledged is not None)):
                said.append((at, f"send {last}"))
        elif invite and final is not None:
            if final[1] == "success":
                said.append((at, "tell ACK"))
            elif acknowledged is None:
                acknowledged = at
    if invite and final is not None and final[1] == "failure":
        said += repeated_failure(final[0], acknowledged, reliable=reliable)
    return said


def repeated_failure(at: int, acknowledged: int | None, *, reliable: bool) -> Iterator[tuple[int, str]]:
    """A failure is repeated on UDP until its ACK came, and waited for 32 s on any transport."""
    stop = acknowledged if acknowledged is not None else at + LIFE
    if not reliable:
        for instant in doubling(at, ceiling=4_000, until=stop):
            yield instant, "send 486"
    if acknowledged is None:
        yield at + LIFE, "timeout"


def end_of_service(final: tuple[int, str], acknowledged: int | None, *, invite: bool, reliable: bool) -> int:
    if not invite:
        return final[0] + (0 if reliable else LIFE)
    if final[1] == "success" or acknowledged is None:
        return final[0] + LIFE
    return acknowledged + (0 if reliable else 5_000)


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
@example(flow=UDP, history=[(100, "success"), (31_750, "again")])
@example(flow=UDP, history=[(100, "success"), (32_250, "again")])
@example(flow=UDP, history=[(100, "failure"), (31_750, "again")])
@example(flow=UDP, history=[(100, "failure"), (32_250, "again")])
@example(flow=UDP, history=[(100, "failure"), (50, "ack"), (4_750, "ack"), (1_000, "again")])
@given(flow=flows, history=histories)
def test_a_server_sends_and_tells_what_the_model_says(method, flow, history):
    layer, served = Layer(), request(method)
    transaction = layer.transactions.open_server(served, flow)
    assert transaction == server_id(served)
    events = distinct([(at + 1, what) for at, what in moments(history) if method == "INVITE" or what != "ack"])
    answered, marks = False, [0]
    kept: list[tuple[int, str]] = []
    for at, what in events:
        if what in STATUS and answered:
            continue  # the user answers once
        if any((at - mark) % TICK == 0 for mark in marks):
            continue
        if what in {"success", "failure", "ack"}:
            marks.append(at)
        kept.append((at, what))
        answered = answered or what in {"success", "failure"}
        layer.run_to(at)
        if what in STATUS:
            layer.note(layer.transactions.respond(transaction, answer(served, STATUS[what]), at), at)
        else:
            again = request(method, ack=what == "ack")
            layer.note(layer.transactions.receive(again, flow, at), at)
    layer.run_to(10**7)
    known = [each for each in layer.said if each[1] not in {"new request", "stray ACK"}]
    same(known, server_model(method, flow, kept))
    if answered:
        assert len(layer.transactions) == 0


def distinct(events: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Only one event in a millisecond, so that their order is beyond doubt."""
    seen: set[int] = set()
    return [each for each in events if each[0] not in seen and not seen.add(each[0])]  # type: ignore[func-returns-value]
