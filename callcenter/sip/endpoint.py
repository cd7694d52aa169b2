"""An endpoint: messages and orders in, messages and leg events out. Pure; the exchange and the phone are built on it.

``receive``, ``handle_timer`` and every order take ``now`` and return what is to be sent and told, in order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from callcenter.calls.legs import EndCause
from callcenter.sip.attempts import Login
from callcenter.sip.digits import take_info
from callcenter.sip.doors import Door, Refused
from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Flow, Transmit
from callcenter.sip.grammar import is_token
from callcenter.sip.inbound import InboundLegs
from callcenter.sip.legs import Leg, Legs, LegState
from callcenter.sip.messages import SipRequest, SipResponse, build_request
from callcenter.sip.outbound import OutboundLegs, Target
from callcenter.sip.parser import KNOWN_METHODS, parse
from callcenter.sip.provisionals import Provisionals
from callcenter.sip.renegotiation import Renegotiation
from callcenter.sip.requests import Requests, Sent
from callcenter.sip.transaction_tables import TIMERS
from callcenter.sip.transactions import (
    AckArrived,
    RequestArrived,
    ResponseArrived,
)
from callcenter.sip.transactions import Outcome as TransactionOutcome
from callcenter.sip.transfers import Transfers
from callcenter.sip.wire import (
    ALLOW,
    EXTENSIONS,
    SDP,
    SUPPORTED,
    EndpointOutcome,
    Identity,
    NewToken,
    Replied,
    Wire,
)

SERVED_SCHEMES = frozenset({"sip", "sips", "tel"})


class Endpoint:
    """One SIP endpoint. Subclasses say who may come in and serve REGISTER."""

    allow = ALLOW

    def __init__(self, identity: Identity, door: Door, new_token: NewToken, login: Login | None = None) -> None:
        self.wire = Wire(identity, new_token)
        self._legs = Legs()
        self._served = frozenset(self.allow.split(", "))
        self._provisionals = Provisionals(self.wire)
        self._requests = Requests(self.wire, self._legs, login)
        self._inbound = InboundLegs(self.wire, self._legs, door, self._provisionals)
        self._outbound = OutboundLegs(
            self.wire, self._legs, self._inbound, self._requests, self._provisionals, self._binding_unheard
        )
        self._changes = Renegotiation(self.wire, self._inbound, self._requests)
        self._transfers = Transfers(self.wire, self._legs, self._requests)
        self._outbound.on_answer = self._changes.agreed
        self._requests.on_end = self._request_ended
        self._serving: Mapping[str, Callable[[RequestArrived, Leg, int], None]] = {
            "INVITE": self._inbound.reinvite,
            "BYE": self._inbound.bye,
            "INFO": self._take_info,
            "UPDATE": self._changes.update,
            "PRACK": self._take_prack,
            "REFER": self._transfers.refer,
            "NOTIFY": self._transfers.notify,
        }
        """What serves a request inside a leg's dialog."""

    def __len__(self) -> int:
        return len(self._legs)

    def is_quiet(self) -> bool:
        """Whether nothing of ours waits for an answer."""
        return not len(self._legs) and not self.wire.transactions.pending_clients()

    def has_sooner(self) -> bool:
        """Whether something is to be done earlier than ``next_deadline`` said when it was asked last."""
        return self.wire.alarms.has_sooner

    def next_deadline(self) -> int | None:
        """When ``handle_timer`` is to be called next, milliseconds since the epoch."""
        return self.wire.alarms.next_deadline()

    def _drain(self, now: int) -> list[EndpointOutcome]:
        wire = self.wire
        if wire.told:
            self._follow(wire.told, now)
            wire.told = []
        outcomes, wire.outcomes = wire.outcomes, []
        return outcomes

    def _follow(self, told: Sequence[EndpointOutcome], now: int) -> None:
        """The outside is told this; what follows from it may be added."""

    # What comes in.

    def receive(self, data: bytes, flow: Flow, now: int) -> list[EndpointOutcome]:
        """Take a datagram, or a frame of a stream."""
        try:
            message = parse(data)
        except BadMessage as bad:
            self.wire.counts["in unreadable"] += 1
            if bad.request is not None:
                self._reply_bad(bad.request, flow, bad)
            return self._drain(now)
        return self.receive_message(message, flow, now)

    def receive_message(self, message: SipRequest | SipResponse, flow: Flow, now: int) -> list[EndpointOutcome]:
        """Take a message that was read already."""
        what = message.method if isinstance(message, SipRequest) else message.status
        self.wire.count(f"in {what}" if isinstance(what, int) or what in KNOWN_METHODS else "in unknown", flow)
        try:
            self._take(self.wire.transactions.receive(message, flow, now), now)
        except BadMessage as bad:
            if isinstance(message, SipRequest):
                self._reply_bad(message, flow, bad)
        return self._drain(now)

    def handle_timer(self, now: int) -> list[EndpointOutcome]:
        """Let every alarm ring that is due."""
        while (key := self.wire.alarms.pop_due(now)) is not None:
            owner, what, name = key
            if isinstance(what, str):
                self._leg_alarm(owner, what, name, now)
            elif owner == "transaction":
                self._take(self.wire.transactions.handle_timer(what, TIMERS[name], now), now)
            else:
                self._outbound.alarm(what, name, now)
        return self._drain(now)

    def flow_lost(self, flow: Flow, now: int) -> list[EndpointOutcome]:
        """A connection broke."""
        self._take(self.wire.transactions.flow_lost(flow, now), now)
        return self._drain(now)

    def _leg_alarm(self, owner: str, what: str, name: str, now: int) -> None:
        leg = self._legs.get(what)
        if leg is None:
            return
        if owner == "trying":
            self._inbound.still_trying(leg, now)
            self._inbound.limit_ringing(leg, now)
        elif owner == "pending":
            self._inbound.waited_too_long(leg, now)
        elif owner == "reliable":
            self._provisional_alarm(leg, name, now)
        elif owner == "session":
            self._changes.alarm(leg, name, now)
        elif owner == "refer":
            self._transfers.unreported(leg, now)
        else:
            self._inbound.unacknowledged(leg, now)

    def _provisional_alarm(self, leg: Leg, name: str, now: int) -> None:
        """The PRACK is late, or never came: then the call is refused (RFC 3262 section 3)."""
        if name == "repeat":
            self._provisionals.repeat(leg, now)
        elif leg.provisional is not None:
            self._inbound.refuse(leg, 500, EndCause.TIMEOUT, now)

    def _reply_bad(self, request: SipRequest, flow: Flow, bad: BadMessage) -> None:
        try:
            self.wire.reply(request, flow, bad.status, reason=bad.reason)
        except BadMessage:
            # Even the Via is unreadable: the source is all there is.
            self.wire.reply_to_source(request, flow, bad.status, bad.reason)

    def _take(self, outcomes: Iterable[TransactionOutcome], now: int) -> None:
        """Take what the transaction layer says: orders go out, news is served."""
        for outcome in outcomes:
            if isinstance(outcome, Transmit):
                self.wire.outcomes.append(outcome)
            elif isinstance(outcome, RequestArrived):
                self._request(outcome, now)
            elif isinstance(outcome, AckArrived):
                self._inbound.ack(outcome, now)
            elif isinstance(outcome, ResponseArrived):
                self._outbound.response(outcome, now)
            else:
                self._outbound.failed(outcome, now)

    # Requests, in the order of RFC 3261 section 8.2.

    def _request(self, arrived: RequestArrived, now: int) -> None:
        request, flow = arrived.request, arrived.flow
        if request.method == "CANCEL":
            self._inbound.cancel(arrived, now)
            return
        refused = self._unserved(request)
        if refused is not None:
            self.wire.reply(request, flow, refused.status, headers=refused.headers)
        elif request.to.tag:
            self._in_dialog(arrived, now)
        elif request.method == "INVITE":
            self._initial_invite(arrived, now)
        elif request.method == "OPTIONS":
            self._options(request, flow)
        elif request.method == "REGISTER":
            self._register(arrived, now)
        elif request.method == "SUBSCRIBE":
            self._subscribe(arrived, now)
        elif request.method == "MESSAGE":
            self._text(arrived, now)
        else:
            self.wire.reply(request, flow, 481)

    def _unserved(self, request: SipRequest) -> Refused | None:
        """Why a request is not served at all: method, scheme, extensions."""
        if request.method not in KNOWN_METHODS:
            return Refused(501)
        if request.method not in self._served:
            return Refused(405, (("Allow", self.allow),))
        if request.uri.scheme not in SERVED_SCHEMES:
            return Refused(416)
        required = [*request.listed("require"), *request.listed("proxy-require")]
        if not required:
            return None
        unknown = [option for option in required if option.lower() not in EXTENSIONS]
        if not all(map(is_token, unknown)):
            raise BadMessage(400, "Bad option tag", request)
        if unknown:
            return Refused(420, (("Unsupported", ", ".join(unknown)),))
        return None

    def _in_dialog(self, arrived: RequestArrived, now: int) -> None:
        request = arrived.request
        leg = self._legs.of_dialog(request)
        if leg is None or leg.dialog is None:
            if request.method == "UPDATE" and self._legs.of_early(request.call_id, request.to.tag, request.from_.tag):
                self._changes.early_update(arrived, now)
            else:
                self.wire.reply(request, arrived.flow, 481)
            return
        if not leg.dialog.accepts(request):
            self.wire.reply(request, arrived.flow, 500, headers=(("Retry-After", "1"),))
            return
        if leg.state is not LegState.OVER:
            leg.flow = arrived.flow
        serve = self._serving.get(request.method)
        if serve is not None:
            serve(arrived, leg, now)
        elif request.method == "OPTIONS":
            self.wire.answer_once(arrived, 200, now, headers=(("Allow", self.allow), ("Accept", SDP)))
        else:
            self.wire.answer_once(arrived, 405, now, headers=(("Allow", self.allow),))

    def _take_prack(self, arrived: RequestArrived, leg: Leg, now: int) -> None:
        self._provisionals.prack(arrived, leg, now)
        if leg.provisional is None and leg.held_answer is not None:
            sdp, leg.held_answer = leg.held_answer, None
            self._inbound.answer(leg, sdp, now)

    def _take_info(self, arrived: RequestArrived, leg: Leg, now: int) -> None:
        take_info(self.wire, arrived, leg, now)

    def _initial_invite(self, arrived: RequestArrived, now: int) -> None:
        request = arrived.request
        if self.wire.transactions.is_merged(request) or self.wire.has_passed_here(request):
            self.wire.reply(request, arrived.flow, 482)
        elif request.max_forwards == 0:
            self.wire.reply(request, arrived.flow, 483)
        else:
            self._inbound.invite(arrived, now)

    def _options(self, request: SipRequest, flow: Flow) -> None:
        self.wire.reply(request, flow, 200, headers=(("Allow", self.allow), ("Accept", SDP), ("Supported", SUPPORTED)))

    def _register(self, arrived: RequestArrived, now: int) -> None:
        del now
        self.wire.reply(arrived.request, arrived.flow, 405, headers=(("Allow", self.allow),))

    def _subscribe(self, arrived: RequestArrived, now: int) -> None:
        del now
        self.wire.reply(arrived.request, arrived.flow, 405, headers=(("Allow", self.allow),))

    def _text(self, arrived: RequestArrived, now: int) -> None:
        del now
        self.wire.reply(arrived.request, arrived.flow, 405, headers=(("Allow", self.allow),))

    def _binding_unheard(self, binding: str) -> None:
        """A phone that was rung never answered anything."""

    # Orders.

    def ring(self, leg_id: str, now: int) -> list[EndpointOutcome]:
        """Say 180 on an inbound leg."""
        if (leg := self._legs.get(leg_id)) is not None:
            self._provisionals.ring(leg, now)
        return self._drain(now)

    def progress(self, leg_id: str, sdp: str, now: int) -> list[EndpointOutcome]:
        """Say 183 with a description on an inbound leg."""
        if (leg := self._legs.get(leg_id)) is not None:
            self._provisionals.progress(leg, sdp, now)
        return self._drain(now)

    def answer(self, leg_id: str, sdp: str, now: int) -> list[EndpointOutcome]:
        """Say 200 on an inbound leg."""
        if (leg := self._legs.get(leg_id)) is not None:
            self._inbound.answer(leg, sdp, now)
        return self._drain(now)

    def refuse(self, leg_id: str, status: int, now: int) -> list[EndpointOutcome]:
        """Refuse an inbound leg with this status."""
        if (leg := self._legs.get(leg_id)) is not None:
            self._inbound.refuse(leg, status, EndCause.REJECTED, now)
        return self._drain(now)

    def accept_reoffer(self, leg_id: str, sdp: str, now: int) -> list[EndpointOutcome]:
        """Say 200 to the far end's re-INVITE."""
        if (leg := self._legs.get(leg_id)) is not None:
            self._inbound.accept_reoffer(leg, sdp, now)
        return self._drain(now)

    def end(self, leg_id: str, cause: EndCause, now: int, reason: str = "") -> list[EndpointOutcome]:
        """End a leg in whatever state it is; ``reason`` says to who called why it is refused."""
        leg = self._legs.get(leg_id)
        if leg is not None and not leg.told:
            self._outbound.end(leg, cause, now, reason)
        return self._drain(now)

    def end_all(self, cause: EndCause, now: int) -> list[EndpointOutcome]:
        """End every leg."""
        for leg in self._legs.all():
            if not leg.told:
                self._outbound.end(leg, cause, now)
        return self._drain(now)

    def invite(
        self,
        leg_id: str,
        targets: Sequence[Target],
        *,
        from_: str,
        to: str,
        sdp: str,
        now: int,
        headers: tuple[tuple[str, str], ...] = (),
        max_forwards: int = 70,
    ) -> list[EndpointOutcome]:
        """Start an outbound leg to all targets at once."""
        self._outbound.invite(
            leg_id, targets, from_=from_, to=to, sdp=sdp, headers=headers, now=now, max_forwards=max_forwards
        )
        return self._drain(now)

    def reoffer(self, leg_id: str, sdp: str, token: str, now: int) -> list[EndpointOutcome]:
        """Send a re-INVITE on a leg that is up; its end comes as ``Replied``, or as leg event without a token."""
        leg = self._legs.get(leg_id)
        if leg is not None and leg.dialog is not None and leg.state in {LegState.UP, LegState.ANSWERED}:
            self._changes.reoffer(leg, sdp, token, now)
        elif token:
            self.wire.tell(Replied(token, None))
        return self._drain(now)

    def acknowledge(self, leg_id: str, sdp: str, now: int) -> list[EndpointOutcome]:
        """Answer the far end's offer on a leg that we started without one."""
        if (leg := self._legs.get(leg_id)) is not None:
            self._outbound.acknowledge(leg, sdp)
        return self._drain(now)

    def _request_ended(self, sent: Sent, response: SipResponse | None, now: int) -> bool:
        """A request with a purpose is over; tells whether the token's owner need not hear of it."""
        leg = self._legs.get(sent.leg_id)
        return leg is not None and self._changes.answered(leg, sent, response, now)

    def report_transfer(self, leg_id: str, status: int, now: int, reason: str = "") -> list[EndpointOutcome]:
        """Tell the far end of a ``TransferRequested`` how it goes: 180, or its final status."""
        if (leg := self._legs.get(leg_id)) is not None:
            self._transfers.report(leg, status, now, reason)
        return self._drain(now)

    def refer(
        self, leg_id: str, target: str, token: str, now: int, *, replaced: str | None = None
    ) -> list[EndpointOutcome]:
        """Ask the far end to call ``target``, a URI, in place of the leg ``replaced`` if given; its end comes as
        ``Replied``, without a response where the leg is over."""
        leg = self._legs.get(leg_id)
        if leg is not None:
            self._transfers.send_refer(leg, target, self._legs.get(replaced) if replaced else None, token, now)
        else:
            self.wire.tell(Replied(token, None))
        return self._drain(now)

    def send_digit(self, leg_id: str, digit: str, now: int, token: str = "") -> list[EndpointOutcome]:
        """Send a digit by INFO (``application/dtmf-relay``)."""
        leg = self._legs.get(leg_id)
        if leg is not None and leg.dialog is not None and leg.state in {LegState.ANSWERED, LegState.UP}:
            headers = (("Content-Type", "application/dtmf-relay"),)
            body = f"Signal={digit}\r\nDuration=160\r\n".encode()
            request = leg.dialog.build("INFO", self.wire.via(leg.flow), headers=headers, body=body)
            self._requests.send(request, leg.flow, token, now, leg_id)
        return self._drain(now)

    def send(
        self,
        method: str,
        uri: str,
        flow: Flow,
        token: str,
        now: int,
        *,
        from_: str,
        to: str,
        call_id: str,
        cseq: int = 1,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> list[EndpointOutcome]:
        """Send a request outside any dialog; its end comes as ``Replied`` with this token."""
        own = (
            ("Via", self.wire.via(flow)),
            ("Max-Forwards", "70"),
            ("From", f"{from_};tag={self.wire.new_token()}"),
            ("To", to),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
        )
        self._requests.send(build_request(method, uri, (*own, *headers), body=body), flow, token, now)
        return self._drain(now)
