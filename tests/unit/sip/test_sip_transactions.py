import itertools

import pytest

from callcenter.sip.alarms import Alarms
from callcenter.sip.errors import IllegalTransition
from callcenter.sip.flows import Flow, Transmit, Transport
from callcenter.sip.messages import SipRequest, SipResponse, build_response
from callcenter.sip.parser import parse
from callcenter.sip.transaction_tables import FIRST_STATE, TABLES, Input, Kind, State, Timer, step
from callcenter.sip.transactions import (
    AckArrived,
    RequestArrived,
    ResponseArrived,
    TransactionFailed,
    Transactions,
    server_id,
)

pytestmark = pytest.mark.unit

UDP = Flow(Transport.UDP, ("192.0.2.1", 5060))
TCP = Flow(Transport.TCP, ("192.0.2.1", 5060), 1)
NOW = 1_000_000


def request(
    method: str = "INVITE", branch: str = "z9hG4bK1", cseq: int = 1, to_tag: str = "", more: str = ""
) -> SipRequest:
    tag = f";tag={to_tag}" if to_tag else ""
    message = parse(
        f"{method} sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch={branch}\r\nFrom: <sip:a@h>;tag=f\r\n"
        f"To: <sip:b@h>{tag}\r\nCall-ID: c\r\nCSeq: {cseq} {method}\r\n{more}Content-Length: 0\r\n\r\n".encode()
    )
    assert isinstance(message, SipRequest)
    return message


def response(to: SipRequest, status: int) -> SipResponse:
    message = parse(bytes(build_response(to, status, to_tag="t")))
    assert isinstance(message, SipResponse)
    return message


class Bench:
    """A transaction layer whose alarms are rung by hand."""

    def __init__(self) -> None:
        self.alarms = Alarms()
        self.layer = Transactions(self.alarms)
        self.said: list[tuple[int, object]] = []

    def note(self, outcomes, now: int = NOW) -> None:
        self.said += [(now - NOW, outcome) for outcome in outcomes]

    def run(self, until: int) -> None:
        while (at := self.alarms.next_deadline()) is not None and at <= NOW + until:
            key = self.alarms.pop_due(at)
            assert key is not None
            self.note(self.layer.handle_timer(key[1], Timer(key[2]), at), at)

    def times(self, kind: type) -> list[int]:
        return [at for at, outcome in self.said if isinstance(outcome, kind)]


@pytest.mark.parametrize("kind", list(Kind))
def test_an_event_without_a_row_raises(kind):
    for state, happened in itertools.product(State, Input):
        if (state, happened) in TABLES[kind]:
            following, orders = step(kind, state, happened)
            assert isinstance(following, State)
            assert len(orders) == len(set(orders))
        else:
            with pytest.raises(IllegalTransition):
                step(kind, state, happened)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_state_is_reached_and_every_state_ends(kind):
    reached, frontier = {FIRST_STATE[kind]}, [FIRST_STATE[kind]]
    while frontier:
        state = frontier.pop()
        following = {row[0] for (source, _), row in TABLES[kind].items() if source is state}
        if state is not State.TERMINATED:
            assert following
        frontier += following - reached
        reached |= following
    assert reached == {source for source, _ in TABLES[kind]} | {State.TERMINATED}


@pytest.mark.parametrize("kind", list(Kind))
def test_whoever_is_told_of_a_failure_is_told_because_the_transaction_is_over(kind):
    for (state, _), (following, orders) in TABLES[kind].items():
        if "tell_timeout" in orders:
            assert following is State.TERMINATED
        if following is State.TERMINATED:
            assert state is not State.TERMINATED


@pytest.mark.parametrize(
    ("method", "flow", "sends"),
    [
        ("INVITE", UDP, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]),
        ("INVITE", TCP, [0]),
        ("OPTIONS", UDP, [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]),
        ("OPTIONS", TCP, [0]),
    ],
)
def test_a_request_without_answer_is_repeated_and_given_up_after_64_t1(method, flow, sends):
    bench = Bench()
    bench.note(bench.layer.send(request(method), flow, NOW)[1])
    bench.run(40_000)
    assert bench.times(Transmit) == sends
    assert [o for _, o in bench.said if isinstance(o, TransactionFailed)] == [
        TransactionFailed(("c", method, "z9hG4bK1"), True)
    ]
    assert bench.times(TransactionFailed) == [32_000]
    assert (len(bench.layer), len(bench.alarms)) == (0, 0)


def test_a_provisional_answer_stops_the_repetition_of_an_invite_for_good():
    bench = Bench()
    invite = request()
    bench.layer.send(invite, UDP, NOW)
    bench.note(bench.layer.receive(response(invite, 180), UDP, NOW))
    bench.run(300_000)
    assert bench.times(ResponseArrived) == [0]
    assert bench.times(Transmit) == bench.times(TransactionFailed) == []


def test_a_failure_is_acknowledged_each_time_and_told_once():
    bench = Bench()
    invite = request(more="Route: <sip:r;lr>\r\n")
    bench.layer.send(invite, UDP, NOW)
    for _ in range(3):
        bench.note(bench.layer.receive(response(invite, 486), UDP, NOW))
    acks = [o.data for _, o in bench.said if isinstance(o, Transmit)]
    assert len(acks) == 3
    ack = parse(acks[0])
    assert (ack.via.branch, ack.cseq, ack.to.tag, ack.get("route")) == ("z9hG4bK1", (1, "ACK"), "t", "<sip:r;lr>")
    assert len(bench.times(ResponseArrived)) == 1
    bench.run(31_999)
    assert len(bench.layer) == 1
    bench.run(32_000)
    assert len(bench.layer) == 0


def test_each_repeated_200_is_told_until_timer_m():
    bench = Bench()
    invite = request()
    bench.layer.send(invite, UDP, NOW)
    for status in (200, 200, 180, 486):
        bench.note(bench.layer.receive(response(invite, status), UDP, NOW))
    assert [o.response.status for _, o in bench.said if isinstance(o, ResponseArrived)] == [200, 200]
    bench.run(32_000)
    assert len(bench.layer) == 0


def test_a_repeated_invite_gets_the_last_answer_and_is_told_once():
    bench = Bench()
    invite = request()
    bench.note(bench.layer.receive(invite, UDP, NOW))
    tid = bench.layer.open_server(invite, UDP)
    bench.note(bench.layer.respond(tid, response(invite, 100), NOW))
    bench.note(bench.layer.receive(request(), UDP, NOW))
    bench.note(bench.layer.respond(tid, response(invite, 180), NOW))
    bench.note(bench.layer.receive(request(), UDP, NOW))
    sent = [int(o.data[8:11]) for _, o in bench.said if isinstance(o, Transmit)]
    assert sent == [100, 100, 180, 180]
    assert len(bench.times(RequestArrived)) == 1


def test_a_failure_is_repeated_until_its_ack_comes():
    bench = Bench()
    invite = request()
    tid = bench.layer.open_server(invite, UDP)
    bench.note(bench.layer.respond(tid, response(invite, 486), NOW))
    bench.run(4_000)
    assert bench.times(Transmit) == [0, 500, 1_500, 3_500]
    bench.note(bench.layer.receive(request("ACK", to_tag="t"), UDP, NOW))
    bench.run(60_000)
    assert bench.times(Transmit) == [0, 500, 1_500, 3_500]
    assert bench.times(AckArrived) == []
    assert len(bench.layer) == 0


def test_a_failure_that_is_never_acknowledged_is_told_after_64_t1():
    bench = Bench()
    invite = request()
    tid = bench.layer.open_server(invite, UDP)
    bench.note(bench.layer.respond(tid, response(invite, 486), NOW))
    bench.run(40_000)
    assert bench.times(TransactionFailed) == [32_000]


def test_an_ack_that_reuses_the_invites_branch_is_told_with_its_invite():
    bench = Bench()
    invite = request()
    tid = bench.layer.open_server(invite, UDP)
    bench.layer.respond(tid, response(invite, 200), NOW)
    bench.note(bench.layer.receive(request("ACK", to_tag="wrong"), UDP, NOW))
    assert bench.said[-1][1].invite_id == tid


def test_a_cancel_names_the_invite_it_is_for():
    bench = Bench()
    invite = request()
    tid = bench.layer.open_server(invite, UDP)
    bench.note(bench.layer.receive(request("CANCEL"), UDP, NOW))
    bench.note(bench.layer.receive(request("CANCEL", branch="z9hG4bKother"), UDP, NOW))
    assert [o.invite_id for _, o in bench.said] == [tid, None]


def test_a_served_request_is_answered_again_for_timer_j_then_forgotten():
    bench = Bench()
    info = request("INFO", to_tag="t")
    tid = bench.layer.open_server(info, UDP)
    bench.note(bench.layer.receive(request("INFO", to_tag="t"), UDP, NOW))
    assert bench.said == []
    bench.note(bench.layer.respond(tid, response(info, 200), NOW))
    bench.note(bench.layer.receive(request("INFO", to_tag="t"), UDP, NOW))
    assert len(bench.times(Transmit)) == 2
    bench.run(32_000)
    assert len(bench.layer) == 0


def test_old_branches_match_by_what_rfc_2543_used():
    one = server_id(request(branch="1"))
    assert one == server_id(request("ACK", branch="1"), "INVITE")
    assert one != server_id(request(branch="1", cseq=2))
    assert server_id(request(branch="z9hG4bK")) != server_id(request(branch="z9hG4bK", cseq=2))


def test_the_same_request_by_two_ways_is_seen_to_be_merged():
    bench = Bench()
    bench.layer.open_server(request(), UDP)
    assert bench.layer.is_merged(request(branch="z9hG4bK2"))
    assert not bench.layer.is_merged(request(branch="z9hG4bK2", cseq=2))
    assert not bench.layer.is_merged(request(branch="z9hG4bK2", to_tag="x"))


def test_a_response_with_a_second_via_is_not_ours():
    bench = Bench()
    invite = request()
    bench.layer.send(invite, UDP, NOW)
    foreign = bytes(response(invite, 200)).replace(
        b"From:", b"Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK2\r\nFrom:"
    )
    assert bench.layer.receive(parse(foreign), UDP, NOW) == []


def test_a_broken_connection_fails_what_waits_on_it():
    bench = Bench()
    bench.layer.send(request(), TCP, NOW)
    bench.layer.send(request(branch="z9hG4bKudp"), UDP, NOW)
    outcomes = bench.layer.flow_lost(TCP, NOW)
    assert outcomes == [TransactionFailed(("c", "INVITE", "z9hG4bK1"), False)]
    assert bench.layer.pending_clients() == 1


def test_an_alarm_set_again_moves_and_a_cancelled_one_is_silent():
    alarms: Alarms[str] = Alarms()
    alarms.set("a", 10)
    alarms.set("b", 20)
    alarms.set("a", 30)
    alarms.cancel("b")
    assert (alarms.next_deadline(), alarms.pop_due(29), alarms.pop_due(30), alarms.next_deadline()) == (
        30,
        None,
        "a",
        None,
    )
    for n in range(10_000):
        alarms.set("a", n)
    assert len(alarms) == 1
    assert len(alarms._heap) < 600


def test_who_keeps_the_timer_hears_of_what_is_to_ring_sooner_and_of_nothing_else():
    alarms: Alarms[str] = Alarms()
    assert alarms.next_deadline() is None
    alarms.set("a", 30)
    assert alarms.has_sooner
    assert alarms.next_deadline() == 30
    alarms.set("later", 40)
    assert not alarms.has_sooner
    alarms.set("sooner", 20)
    assert alarms.has_sooner
    assert alarms.next_deadline() == 20
    assert not alarms.has_sooner
