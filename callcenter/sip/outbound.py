"""Legs that we start: INVITEs rung in parallel, the first answer wins; and our other requests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from callcenter.calls.legs import EndCause, LegAnswered, LegRefused, LegRinging
from callcenter.sip.attempts import Attempt, AttemptEvent, AttemptOrder, AttemptState, better_refusal
from callcenter.sip.dialogs import Dialog, DialogEvent, dialog_as_client
from callcenter.sip.digest import answer_challenge
from callcenter.sip.flows import Flow
from callcenter.sip.inbound import InboundLegs, sdp_of
from callcenter.sip.legs import Leg, LegInput, Legs, LegState
from callcenter.sip.messages import REASONS, SipRequest, SipResponse, build_request
from callcenter.sip.transaction_tables import T1
from callcenter.sip.transactions import ResponseArrived, TransactionFailed, TransactionId
from callcenter.sip.wire import ALLOW, REASON_ELSEWHERE, SDP, Replied, Wire

RING_LIMIT_MS = 300_000
"""An INVITE that nobody ends rings no longer than this."""
REOFFER_WAIT_MS = 64 * T1
"""How long the far end may take to answer a re-INVITE."""
MAX_CHALLENGES = 2
"""How often one request is sent again with credentials."""


@dataclass(frozen=True, slots=True)
class Target:
    """One phone to ring: its URI, the flow that reaches it, and its name in the registrar."""

    uri: str
    flow: Flow
    binding: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """What answers a challenge."""

    username: str
    password: str


@dataclass(slots=True)
class _Sent:
    """A request of ours other than an initial INVITE."""

    request: SipRequest
    flow: Flow
    token: str
    leg_id: str = ""
    challenged: int = 0
    ack: bytes = b""


class OutboundLegs:
    """The client side."""

    def __init__(
        self, wire: Wire, legs: Legs, inbound: InboundLegs, login: Login | None, unheard: Callable[[str], None]
    ) -> None:
        self._wire = wire
        self._legs = legs
        self._inbound = inbound
        self._login = login
        self._unheard = unheard
        self._attempts: dict[TransactionId, Attempt] = {}
        self._sent: dict[TransactionId, _Sent] = {}

    def invite(
        self,
        leg_id: str,
        targets: Sequence[Target],
        *,
        from_: str,
        to: str,
        sdp: str,
        headers: tuple[tuple[str, str], ...],
        now: int,
    ) -> None:
        """Ring every target at once. ``from_`` and ``to`` are addresses without tags."""
        if not targets:
            self._wire.tell(LegRefused(leg_id, 480, "Not registered"))
            return
        leg = Leg(leg_id, LegState.CALLING, targets[0].flow)
        self._legs.add(leg)
        for target in targets:
            tagged = f"{from_};tag={self._wire.new_token()}"
            request = build_request(
                "INVITE",
                target.uri,
                (
                    ("Via", self._wire.via(target.flow)),
                    ("Max-Forwards", "70"),
                    ("From", tagged),
                    ("To", to),
                    ("Call-ID", self._wire.new_token()),
                    ("CSeq", "1 INVITE"),
                    ("Contact", self._wire.contact(target.flow)),
                    ("Allow", ALLOW),
                    *headers,
                    ("Content-Type", SDP),
                ),
                body=sdp.encode(),
            )
            leg.attempts.append(self._start(leg_id, request, target, now))

    def _start(self, leg_id: str, request: SipRequest, target: Target, now: int, challenged: int = 0) -> Attempt:
        transaction_id = self._wire.send(request, target.flow, now)
        attempt = Attempt(leg_id, request, target.flow, transaction_id, binding=target.binding, challenged=challenged)
        self._attempts[transaction_id] = attempt
        self._wire.alarms.set(("attempt", transaction_id, "limit"), now + RING_LIMIT_MS)
        return attempt

    def end(self, leg: Leg, cause: EndCause, now: int) -> None:
        """Stop ringing. The leg is reported refused at once; what still comes in is cleared away quietly."""
        if leg.state not in {LegState.CALLING, LegState.ALERTING}:
            self._inbound.end(leg, cause, now)
            return
        leg.happened(LegInput.HANG_UP)
        self._cancel_all(leg, now, elsewhere=cause is EndCause.ANSWERED_ELSEWHERE)
        status = 408 if cause is EndCause.TIMEOUT else 487
        self._refuse(leg, status, REASONS[status])

    def _cancel_all(self, leg: Leg, now: int, *, elsewhere: bool, but: Attempt | None = None) -> None:
        for attempt in leg.attempts:
            if attempt is not but:
                attempt.reason = REASON_ELSEWHERE["Reason"] if elsewhere else ""
                self._carry_out(attempt, attempt.happened(AttemptEvent.CANCEL), None, now)

    def _refuse(self, leg: Leg, status: int, reason: str) -> None:
        self._legs.remove(leg)
        if not leg.told:
            leg.told = True
            self._wire.tell(LegRefused(leg.leg_id, status, reason))

    def response(self, arrived: ResponseArrived, now: int) -> None:
        """An answer to one of our requests."""
        attempt = self._attempts.get(arrived.transaction_id)
        if attempt is None:
            self._answer_to_other(arrived, now)
            return
        attempt.heard = True
        response = arrived.response
        if response.status < 200:
            event = AttemptEvent.PROVISIONAL
        elif response.status < 300:
            event = AttemptEvent.SUCCESS
        else:
            event = AttemptEvent.FAILURE
            self._wire.alarms.cancel(("attempt", arrived.transaction_id, "limit"))
            if self._retry_attempt(attempt, response, now):
                return
        self._carry_out(attempt, attempt.happened(event), response, now)
        if response.status >= 200:
            # The transaction tells each repeated 2xx for 64*T1 more; then nothing can come.
            self._wire.alarms.set(("attempt", arrived.transaction_id, "forget"), now + 65 * T1)

    def failed(self, news: TransactionFailed, now: int) -> None:
        """No answer to one of our requests."""
        attempt = self._attempts.pop(news.transaction_id, None)
        if attempt is not None:
            self._forget_alarms(news.transaction_id)
            if attempt.binding and not attempt.heard:
                self._unheard(attempt.binding)
            self._carry_out(attempt, attempt.happened(AttemptEvent.TIMEOUT), None, now)
            return
        sent = self._sent.pop(news.transaction_id, None)
        if sent is not None and sent.token:
            self._wire.tell(Replied(sent.token, None))

    def alarm(self, transaction_id: TransactionId, name: str, now: int) -> None:
        """An alarm of an attempt: it rang too long, no answer followed its CANCEL, or it is history."""
        attempt = self._attempts.get(transaction_id)
        if attempt is None:
            if name == "limit":
                self._wire.transactions.abandon(transaction_id)
                self.failed(TransactionFailed(transaction_id, timed_out=True), now)
            self._sent.pop(transaction_id, None)
            return
        if name == "limit":
            leg = self._legs.get(attempt.leg_id)
            if leg is not None and leg.state in {LegState.CALLING, LegState.ALERTING}:
                self.end(leg, EndCause.TIMEOUT, now)
        elif name == "give_up":
            self._wire.transactions.abandon(transaction_id)
            self.failed(TransactionFailed(transaction_id, timed_out=True), now)
        else:
            self._attempts.pop(transaction_id, None)
            self._forget_alarms(transaction_id)

    def _forget_alarms(self, transaction_id: TransactionId) -> None:
        for name in ("limit", "give_up", "forget"):
            self._wire.alarms.cancel(("attempt", transaction_id, name))

    def _carry_out(
        self, attempt: Attempt, orders: Sequence[AttemptOrder], response: SipResponse | None, now: int
    ) -> None:
        for order in orders:
            if order is AttemptOrder.SEND_CANCEL:
                self._send_cancel(attempt, now)
            elif order is AttemptOrder.TELL_REFUSAL:
                self._take_refusal(attempt, response, now)
            elif response is None:
                continue
            elif order is AttemptOrder.TELL_PROGRESS:
                self._take_progress(attempt, response)
            elif order is AttemptOrder.ACK:
                self._acknowledge(attempt, response, now)
            elif order is AttemptOrder.ACK_AND_BYE:
                self._dismiss(attempt, response, now)
            else:
                self._take_answer(attempt, response, now)

    def _send_cancel(self, attempt: Attempt, now: int) -> None:
        """RFC 3261 section 9.1: everything as in the INVITE, its single Via included."""
        invite = attempt.request
        copied = [("Via", invite.values("via")[0])]
        copied += [("Route", route) for route in invite.values("route")]
        copied += [("From", invite.values("from")[0]), ("To", invite.values("to")[0]), ("Call-ID", invite.call_id)]
        copied += [("CSeq", f"{invite.cseq.number} CANCEL"), ("Max-Forwards", "70")]
        headers = (("Reason", attempt.reason),) if attempt.reason else ()
        self._wire.send(build_request("CANCEL", invite.uri_text, headers, copied=copied), attempt.flow, now)
        self._wire.alarms.set(("attempt", attempt.transaction_id, "give_up"), now + 64 * T1)

    def _take_progress(self, attempt: Attempt, response: SipResponse) -> None:
        leg = self._legs.get(attempt.leg_id)
        if leg is None or response.status < 180 or not leg.allows(LegInput.FAR_RING):
            return
        leg.early_sdp = sdp_of(response) or leg.early_sdp
        first = leg.state is LegState.CALLING
        leg.happened(LegInput.FAR_RING)
        if first:
            self._wire.tell(LegRinging(leg.leg_id))

    def _take_answer(self, attempt: Attempt, response: SipResponse, now: int) -> None:
        self._wire.alarms.cancel(("attempt", attempt.transaction_id, "limit"))
        leg = self._legs.get(attempt.leg_id)
        dialog = attempt.winner
        if leg is None or dialog is None or leg.state is LegState.UP:
            self._hang_up(dialog, attempt.flow, now)
            return
        leg.flow = attempt.flow
        self._cancel_all(leg, now, elsewhere=True, but=attempt)
        answer = sdp_of(response) or leg.early_sdp
        if not answer:
            self._hang_up(dialog, attempt.flow, now)
            leg.happened(LegInput.FAR_REFUSE)
            self._refuse(leg, 488, "Answer without SDP")
            return
        leg.happened(LegInput.FAR_ANSWER)
        self._legs.adopt_dialog(leg, dialog)
        self._wire.tell(LegAnswered(leg.leg_id, answer, attempt.flow.remote[0]))

    def _take_refusal(self, attempt: Attempt, response: SipResponse | None, now: int) -> None:
        leg = self._legs.get(attempt.leg_id)
        if leg is None or not leg.allows(LegInput.FAR_REFUSE):
            return  # another phone answered
        mine = (response.status, response.reason) if response is not None else (408, REASONS[408])
        leg.refusal = mine if leg.refusal is None else better_refusal(leg.refusal, mine)
        if mine[0] >= 600:
            self._cancel_all(leg, now, elsewhere=False, but=attempt)
        live = {AttemptState.CALLING, AttemptState.PROCEEDING}
        if mine[0] >= 600 or not any(one.state in live for one in leg.attempts):
            leg.happened(LegInput.FAR_REFUSE)
            self._refuse(leg, *leg.refusal)

    def _acknowledge(self, attempt: Attempt, response: SipResponse, now: int) -> None:
        tag = response.to.tag
        if attempt.winner is not None and attempt.winner.remote_tag != tag:
            self._dismiss(attempt, response, now)
            return
        if attempt.winner is None:
            attempt.winner = dialog_as_client(attempt.request, response)
        self._send_ack(attempt, attempt.winner)

    def _send_ack(self, attempt: Attempt, dialog: Dialog) -> None:
        tag = dialog.remote_tag
        if tag not in attempt.acks:
            ack = dialog.build_ack(self._wire.via(attempt.flow), attempt.request.cseq.number)
            attempt.acks[tag] = bytes(ack)
        self._wire.transmit(attempt.acks[tag], attempt.flow)

    def _dismiss(self, attempt: Attempt, response: SipResponse, now: int) -> None:
        dialog = dialog_as_client(attempt.request, response)
        self._send_ack(attempt, dialog)
        if dialog.remote_tag not in attempt.dismissed:
            attempt.dismissed.add(dialog.remote_tag)
            self._hang_up(dialog, attempt.flow, now)

    def _hang_up(self, dialog: Dialog | None, flow: Flow, now: int) -> None:
        if dialog is not None:
            dialog.happened(DialogEvent.BYE)
            self._wire.send(dialog.build("BYE", self._wire.via(flow)), flow, now)

    # Other requests of ours.

    def send(self, request: SipRequest, flow: Flow, token: str, now: int, leg_id: str = "") -> None:
        """Send a request and report its end as ``Replied`` with this token."""
        transaction_id = self._wire.send(request, flow, now)
        self._sent[transaction_id] = _Sent(request, flow, token, leg_id)
        if request.method == "INVITE":
            # Once a provisional answer came no timer of the transaction ends the wait.
            self._wire.alarms.set(("attempt", transaction_id, "limit"), now + REOFFER_WAIT_MS)

    def _answer_to_other(self, arrived: ResponseArrived, now: int) -> None:
        sent = self._sent.get(arrived.transaction_id)
        response = arrived.response
        if sent is None or response.status < 200:
            return
        if sent.ack:
            self._wire.transmit(sent.ack, sent.flow)
            return
        self._wire.alarms.cancel(("attempt", arrived.transaction_id, "limit"))
        if response.status < 300 and sent.request.method == "INVITE":
            self._ack_reoffer(sent, response, now, arrived.transaction_id)
        else:
            del self._sent[arrived.transaction_id]
            if self._retry_other(sent, response, now):
                return
        if sent.token:
            self._wire.tell(Replied(sent.token, response))

    def _ack_reoffer(self, sent: _Sent, response: SipResponse, now: int, transaction_id: TransactionId) -> None:
        leg = self._legs.get(sent.leg_id)
        if leg is not None and leg.dialog is not None:
            leg.dialog.refresh_target(response)
            sent.ack = bytes(leg.dialog.build_ack(self._wire.via(sent.flow), sent.request.cseq.number))
            self._wire.transmit(sent.ack, sent.flow)
        self._wire.alarms.set(("attempt", transaction_id, "forget"), now + 65 * T1)

    # Credentials.

    def _authorised(self, request: SipRequest, response: SipResponse, flow: Flow) -> SipRequest | None:
        if self._login is None or response.status not in {401, 407}:
            return None
        asked, answered = ("www-authenticate", "Authorization")
        if response.status == 407:
            asked, answered = ("proxy-authenticate", "Proxy-Authorization")
        if request.values(answered) and not any("stale=true" in text.lower() for text in response.values(asked)):
            return None  # the same credentials again would be refused again
        value = answer_challenge(
            response.values(asked),
            method=request.method,
            uri=request.uri_text,
            username=self._login.username,
            password=self._login.password,
            cnonce=self._wire.new_token(),
        )
        if value is None:
            return None
        number, method = request.cseq
        kept = (
            "Max-Forwards",
            "From",
            "To",
            "Call-ID",
            "Contact",
            "Allow",
            "Expires",
            "P-Asserted-Identity",
            "Content-Type",
        )
        copied = [("Via", self._wire.via(flow)), ("CSeq", f"{number + 1} {method}")]
        copied += [(name, value) for name in kept for value in request.values(name)]
        return build_request(method, request.uri_text, ((answered, value),), copied=copied, body=request.body)

    def _retry_attempt(self, attempt: Attempt, response: SipResponse, now: int) -> bool:
        leg = self._legs.get(attempt.leg_id)
        if leg is None or attempt.challenged >= MAX_CHALLENGES or attempt.state is AttemptState.ANSWERED:
            return False
        request = self._authorised(attempt.request, response, attempt.flow)
        if request is None:
            return False
        self._attempts.pop(attempt.transaction_id, None)
        target = Target(request.uri_text, attempt.flow, attempt.binding)
        again = self._start(attempt.leg_id, request, target, now, attempt.challenged + 1)
        leg.attempts[leg.attempts.index(attempt)] = again
        return True

    def _retry_other(self, sent: _Sent, response: SipResponse, now: int) -> bool:
        request = self._authorised(sent.request, response, sent.flow) if sent.challenged < MAX_CHALLENGES else None
        if request is None:
            return False
        again = _Sent(request, sent.flow, sent.token, sent.leg_id, sent.challenged + 1)
        self._sent[self._wire.send(request, sent.flow, now)] = again
        return True
