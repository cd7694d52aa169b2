"""The transaction layer: matching, retransmission and time-outs of every request, sans-IO (RFC 3261 section 17).

Outcomes are orders to send and news for the user of the layer. A new request is only told: the user decides whether it
is worth a transaction (``open_server``) or is answered statelessly.
"""

from dataclasses import dataclass

import msgspec

from callcenter.sip.alarms import Alarms
from callcenter.sip.flows import Flow, Transmit
from callcenter.sip.grammar import split_outside
from callcenter.sip.messages import SipRequest, SipResponse, build_request
from callcenter.sip.transaction_tables import (
    FIRST_STATE,
    FIRST_TIMERS,
    RANG,
    REPEATING,
    Do,
    Input,
    Kind,
    State,
    Timer,
    first_interval,
    next_interval,
    plan,
)
from callcenter.sip.via import MAGIC_COOKIE, Via

TransactionId = tuple[str, ...]
MergeKey = tuple[str, str, str]
AlarmKey = tuple[str, TransactionId | str, str]
"""Whose alarm it is (``"transaction"`` here), which one, and which timer."""


class RequestArrived(msgspec.Struct, frozen=True):
    """News: a request that belongs to no transaction yet. ``invite_id`` names the INVITE a CANCEL is for, if any."""

    request: SipRequest
    flow: Flow
    invite_id: TransactionId | None = None
    server_id: TransactionId | None = None
    """The name it will have when it is served; see ``server_id``."""


class AckArrived(msgspec.Struct, frozen=True):
    """News: an ACK to a 2xx; ``invite_id`` when its branch matched the INVITE (some phones reuse it)."""

    request: SipRequest
    flow: Flow
    invite_id: TransactionId | None


class ResponseArrived(msgspec.Struct, frozen=True):
    """News: a response to one of our requests."""

    transaction_id: TransactionId
    response: SipResponse
    flow: Flow


class TransactionFailed(msgspec.Struct, frozen=True):
    """News: no answer came in time (``timed_out``), or the transport broke."""

    transaction_id: TransactionId
    timed_out: bool


Outcome = Transmit | RequestArrived | AckArrived | ResponseArrived | TransactionFailed


@dataclass(slots=True)
class _Transaction:
    id: TransactionId
    kind: Kind
    state: State
    flow: Flow
    invite: SipRequest | None = None
    """The INVITE that we sent: the ACK to its refusal is made from it."""
    sent: bytes = b""
    merge_key: MergeKey | None = None
    """Of a request that we serve."""
    interval: int | None = None
    """How long the timer that repeats waited last; each machine has one such timer."""
    deadlines: tuple[tuple[int, Timer], ...] = ()
    """The timers that run, the next to ring first."""
    armed: tuple[int, Timer] | None = None
    """For which of them the alarm is set: the first stands for all."""


def server_id(request: SipRequest, method: str | None = None) -> TransactionId:
    """The name of the server transaction a request belongs to (RFC 3261 section 17.2.3).

    A branch that is not RFC 3261's kind falls back to RFC 2543 matching, without the Request-URI, which some change
    in their ACK. ``method`` names another transaction of the same branch: the INVITE of an ACK or CANCEL.
    """
    via = request.via
    branch = via.branch
    method = method or request.method
    if branch.startswith(MAGIC_COOKIE) and branch != MAGIC_COOKIE:
        return ("s", method, branch, via.sent_by)
    return ("s", method, request.call_id, str(request.cseq.number), request.from_.tag, str(via))


def client_id(message: SipRequest | SipResponse) -> TransactionId:
    """The name of the client transaction (RFC 3261 section 17.1.3)."""
    return ("c", message.cseq.method, message.via.branch)


def _merge_key(request: SipRequest) -> MergeKey:
    cseq = request.cseq
    return (request.from_.tag, request.call_id, f"{cseq.number} {cseq.method}")


class Transactions:
    """Every transaction that is alive."""

    def __init__(self, alarms: Alarms[AlarmKey]) -> None:
        self._alarms = alarms
        self._alive: dict[TransactionId, _Transaction] = {}
        self._merged: dict[MergeKey, TransactionId] = {}
        self._outcomes: list[Outcome] = []

    def __len__(self) -> int:
        return len(self._alive)

    def pending_clients(self) -> int:
        """How many of our own requests still wait for a final answer."""
        waiting = {State.CALLING, State.TRYING, State.PROCEEDING}
        return sum(1 for one in self._alive.values() if one.id[0] == "c" and one.state in waiting)

    def receive(self, message: SipRequest | SipResponse, flow: Flow, now: int) -> list[Outcome]:
        """Take a message from the wire."""
        if isinstance(message, SipResponse):
            self._receive_response(message, flow, now)
        else:
            self._receive_request(message, flow, now)
        return self._drain()

    def _receive_response(self, response: SipResponse, flow: Flow, now: int) -> None:
        # A response with a second Via is not ours (RFC 3261 section 8.1.3.3).
        vias = response.values("via")
        if len(vias) != 1 or ("," in vias[0] and len(split_outside(vias[0], ",")) != 1):
            return
        found = self._alive.get(client_id(response))
        if found is None:
            return
        self._step(found, _class_of(response.status), now, response=response, flow=flow)

    def _receive_request(self, request: SipRequest, flow: Flow, now: int) -> None:
        if request.method == "ACK":
            invite_id = server_id(request, "INVITE")
            found = self._alive.get(invite_id)
            if found is None:
                self._outcomes.append(AckArrived(request, flow, None))
            else:
                self._step(found, Input.ACK, now, request=request, flow=flow)
            return
        own_id = server_id(request)
        found = self._alive.get(own_id)
        if found is not None:
            self._step(found, Input.REQUEST, now)
            return
        target = None
        if request.method == "CANCEL":
            invite_id = server_id(request, "INVITE")
            target = invite_id if invite_id in self._alive else None
        self._outcomes.append(RequestArrived(request, flow, target, own_id))

    def serves_invite(self, via: Via) -> bool:
        """Whether an INVITE with this top Via (of RFC 3261's kind) is being served: another one is its repetition."""
        return ("s", "INVITE", via.branch, via.sent_by) in self._alive

    def is_merged(self, request: SipRequest) -> bool:
        """Whether the same request is already being served under another branch (RFC 3261 section 8.2.2.2)."""
        return not request.to.tag and _merge_key(request) in self._merged

    def open_server(self, request: SipRequest, flow: Flow, known_as: TransactionId | None = None) -> TransactionId:
        """Begin to serve a request; returns the name to respond by, ``known_as`` where it was told already."""
        kind = Kind.INVITE_SERVER if request.method == "INVITE" else Kind.SERVER
        merge_key = _merge_key(request)
        one = _Transaction(known_as or server_id(request), kind, FIRST_STATE[kind], flow, merge_key=merge_key)
        self._alive[one.id] = one
        self._merged[merge_key] = one.id
        return one.id

    def respond(self, transaction_id: TransactionId, response: SipResponse, now: int) -> list[Transmit]:
        """Answer a request; nothing happens when its transaction is over. Raises ``IllegalTransition``."""
        found = self._alive.get(transaction_id)
        if found is None:
            return []
        self._step(found, _class_of(response.status), now, response=response, flow=found.flow)
        return [one for one in self._drain() if isinstance(one, Transmit)]  # no row tells who answers anything

    def send(self, request: SipRequest, flow: Flow, now: int) -> tuple[TransactionId, list[Transmit]]:
        """Send a request (not an ACK) and see to its retransmission."""
        kind, invite = (Kind.INVITE_CLIENT, request) if request.method == "INVITE" else (Kind.CLIENT, None)
        one = _Transaction(client_id(request), kind, FIRST_STATE[kind], flow, invite, bytes(request))
        self._alive[one.id] = one
        self._set_timers(one, (), FIRST_TIMERS[kind], now)
        self._arm(one)
        return one.id, [Transmit(one.sent, flow)]

    def abandon(self, transaction_id: TransactionId) -> None:
        """Forget a transaction whose answer no longer matters."""
        found = self._alive.get(transaction_id)
        if found is not None:
            self._end(found)

    def handle_timer(self, transaction_id: TransactionId, timer: Timer, now: int) -> list[Outcome]:
        """An alarm of this layer rang."""
        found = self._alive.get(transaction_id)
        if found is not None:
            found.armed = None
            found.deadlines = tuple([one for one in found.deadlines if one[1] is not timer])
            self._step(found, RANG[timer], now)
        return self._drain()

    def flow_lost(self, flow: Flow, now: int) -> list[Outcome]:
        """A connection broke: what waits for an answer on it fails now."""
        for one in [one for one in self._alive.values() if one.flow == flow]:
            self._step(one, Input.TRANSPORT_ERROR, now)
        return self._drain()

    def _drain(self) -> list[Outcome]:
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def _step(
        self,
        one: _Transaction,
        happened: Input,
        now: int,
        *,
        request: SipRequest | None = None,
        response: SipResponse | None = None,
        flow: Flow | None = None,
    ) -> None:
        ordered = plan(one.kind, one.state, happened)
        one.state = ordered.state
        for order in ordered.messages:
            if order is Do.TELL and response is not None and flow is not None:
                self._outcomes.append(ResponseArrived(one.id, response, flow))
            elif order is Do.TELL and request is not None and flow is not None:
                self._outcomes.append(AckArrived(request, flow, one.id))
            else:
                self._carry_out(one, order, response)
        if one.state is State.TERMINATED:
            self._end(one)
            return
        if ordered.stopped or ordered.started:
            self._set_timers(one, ordered.stopped, ordered.started, now)
        self._arm(one)

    def _carry_out(self, one: _Transaction, order: Do, response: SipResponse | None) -> None:
        if order is Do.SEND and response is not None:
            one.sent = bytes(response)
            self._outcomes.append(Transmit(one.sent, one.flow))
        elif order is Do.RESEND:
            if one.sent:
                self._outcomes.append(Transmit(one.sent, one.flow))
        elif order is Do.SEND_ACK and response is not None and one.invite is not None:
            self._outcomes.append(Transmit(bytes(ack_to_failure(one.invite, response)), one.flow))
        elif order in {Do.TELL_TIMEOUT, Do.TELL_ERROR}:
            self._outcomes.append(TransactionFailed(one.id, order is Do.TELL_TIMEOUT))

    def _set_timers(self, one: _Transaction, stopped: tuple[Timer, ...], started: tuple[Timer, ...], now: int) -> None:
        running = [each for each in one.deadlines if each[1] not in stopped] if one.deadlines else []
        for timer in started:
            interval = first_interval(timer, reliable=one.flow.is_reliable)
            if timer in REPEATING and one.interval is not None:
                interval = next_interval(timer, one.interval, one.state)
            if interval is not None:
                running.append((now + interval, timer))
                if timer in REPEATING:
                    one.interval = interval
        running.sort()
        one.deadlines = tuple(running)

    def _arm(self, one: _Transaction) -> None:
        first = one.deadlines[0] if one.deadlines else None
        if first is one.armed:
            return
        if one.armed is not None:
            self._alarms.cancel(("transaction", one.id, one.armed[1]))
        if first is not None:
            self._alarms.set(("transaction", one.id, first[1]), first[0])
        one.armed = first

    def _end(self, one: _Transaction) -> None:
        self._alive.pop(one.id, None)
        if one.merge_key is not None and self._merged.get(one.merge_key) == one.id:
            del self._merged[one.merge_key]
        if one.armed is not None:
            self._alarms.cancel(("transaction", one.id, one.armed[1]))


def _class_of(status: int) -> Input:
    if status < 200:
        return Input.PROVISIONAL
    return Input.SUCCESS if status < 300 else Input.FAILURE


def ack_to_failure(invite: SipRequest, response: SipResponse) -> SipRequest:
    """The ACK to a final response other than 2xx: the INVITE's own Via and routes (RFC 3261 section 17.1.1.3)."""
    copied = [("Via", invite.values("via")[0])]
    copied += [("Route", value) for value in invite.values("route")]
    copied += [("From", invite.values("from")[0]), ("To", response.values("to")[0])]
    copied += [("Call-ID", invite.call_id), ("CSeq", f"{invite.cseq.number} ACK"), ("Max-Forwards", "70")]
    return build_request("ACK", invite.uri_text, (), copied=copied)
