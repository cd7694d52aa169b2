"""Legs that we start: INVITEs rung in parallel, the first answer wins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from callcenter.calls.legs import EndCause, LegAnswered, LegEarlyMedia, LegRefused, LegRinging
from callcenter.sip.attempts import Attempt, AttemptEvent, AttemptOrder, AttemptState, Login, better_refusal
from callcenter.sip.dialogs import Dialog, DialogEvent, dialog_as_client
from callcenter.sip.flows import Flow
from callcenter.sip.inbound import InboundLegs
from callcenter.sip.legs import Leg, LegInput, Legs, LegState
from callcenter.sip.media_keys import MediaRule
from callcenter.sip.messages import REASONS, SipRequest, SipResponse, build_request
from callcenter.sip.provisionals import MAX_FORKS, Provisionals
from callcenter.sip.requests import MAX_CHALLENGES, Requests
from callcenter.sip.retries import authorised, longer
from callcenter.sip.session_timers import asking_headers
from callcenter.sip.transaction_tables import T1
from callcenter.sip.transactions import ResponseArrived, TransactionFailed, TransactionId
from callcenter.sip.wire import ALLOW, REASON_ELSEWHERE, SDP, SUPPORTED, Wire, sdp_of

RING_LIMIT_MS = 300_000
"""An INVITE that nobody ends rings no longer than this."""
UNACCEPTABLE = frozenset({415, 488, 606})
"""Answers that are about our description."""
FLOW_FAILED = 430
"""A proxy has lost the connection to the phone (RFC 5626 section 11.5)."""


@dataclass(frozen=True, slots=True)
class Target:
    """One phone to ring: its URI, the flow that reaches it, and its name in the registrar."""

    uri: str
    flow: Flow
    binding: str = ""
    route: tuple[str, ...] = ()
    """The proxies on the way, the nearest first."""
    otherwise: "Target | None" = None
    """Another flow of the same phone, for when this one fails (RFC 5626 section 5.3)."""
    media: MediaRule | None = None
    """What holds for its media; ``None`` for whatever we offer."""

    def offers(self, sdp: str) -> tuple[str, ...]:
        """What may be offered there, in turn; see ``MediaRule.offers``."""
        return (sdp,) if self.media is None else self.media.offers(sdp, self.flow)


class OutboundLegs:
    """The client side."""

    def __init__(
        self,
        wire: Wire,
        legs: Legs,
        inbound: InboundLegs,
        requests: Requests,
        provisionals: Provisionals,
        unheard: Callable[[str], None],
    ) -> None:
        self._wire = wire
        self._legs = legs
        self._inbound = inbound
        self._requests = requests
        self._provisionals = provisionals
        self._unheard = unheard
        self._attempts: dict[TransactionId, Attempt] = {}
        self.on_answer: Callable[[Leg, SipResponse, int], None] = lambda *_: None
        """Told of the 2xx that brings a leg up."""
        self.on_refusal: Callable[[Leg, Attempt, SipResponse | None, int], bool] = lambda *_: False
        """Told of a refused INVITE; when it says so another was sent for the leg."""
        self.on_retry: Callable[[Leg, Attempt, Attempt], None] = lambda *_: None
        """Told of an INVITE that was sent again with credentials."""

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
        max_forwards: int = 70,
    ) -> None:
        """Ring every target at once. ``from_`` and ``to`` are addresses without tags."""
        if not targets:
            self._wire.tell(LegRefused(leg_id, 480, "Not registered"))
            return
        offered = [(target, offers) for target in targets if (offers := target.offers(sdp))]
        if not offered:
            self._wire.tell(LegRefused(leg_id, 488, "Media cannot be encrypted on the way to this phone"))
            return
        for target, offers in offered:
            self.begin(
                leg_id,
                target,
                from_=from_,
                to=to,
                sdp=sdp,
                headers=headers,
                login=None,
                now=now,
                max_forwards=max_forwards,
                offers=offers,
            )

    def begin(
        self,
        leg_id: str,
        target: Target,
        *,
        from_: str,
        to: str,
        sdp: str,
        headers: tuple[tuple[str, str], ...],
        login: Login | None,
        now: int,
        max_forwards: int = 70,
        offers: Sequence[str] = (),
    ) -> Attempt:
        """Send one INVITE for a leg, which is made by the first. ``offers``: what may be offered, in turn; by default
        what the target's rule makes of ``sdp``."""
        leg = self._legs.get(leg_id)
        begun, offers = sdp, offers or target.offers(sdp)
        sdp = offers[0]
        if leg is None:
            leg = Leg(leg_id, LegState.CALLING, target.flow, local_sdp=sdp, may_refer=bool(target.binding))
            self._legs.add(leg)
        request = build_request(
            "INVITE",
            target.uri,
            (
                ("Via", self._wire.via(target.flow)),
                *(("Route", proxy) for proxy in target.route),
                ("Max-Forwards", str(max_forwards)),
                ("From", f"{from_};tag={self._wire.new_token()}"),
                ("To", to),
                ("Call-ID", self._wire.new_token()),
                ("CSeq", "1 INVITE"),
                ("Contact", self._wire.contact(target.flow)),
                ("Allow", ALLOW),
                ("Supported", SUPPORTED if sdp else "timer"),
                *asking_headers(),
                *headers,
                *((("Content-Type", SDP),) if sdp else ()),
            ),
            body=sdp.encode(),
        )
        attempt = self._start(leg_id, request, target, now, login=login)
        attempt.media, attempt.sdp = target.media, sdp if sdp != begun else ""

        def again(target: Target, offers: Sequence[str], later: int) -> Attempt:
            return self.begin(
                leg_id,
                target,
                from_=from_,
                to=to,
                sdp=begun,
                headers=headers,
                login=login,
                now=later,
                max_forwards=max_forwards,
                offers=offers,
            )

        if len(offers) > 1:
            attempt.described_otherwise = partial(again, target, offers[1:])
        other = target.otherwise
        while other is not None and not other.offers(begun):
            other = other.otherwise
        if other is not None:
            attempt.other_way = partial(again, other, ())
        leg.attempts.append(attempt)
        return attempt

    def withdraw(self, attempt: Attempt, now: int) -> None:
        """Cancel one INVITE while the leg goes on with others."""
        self._carry_out(attempt, attempt.happened(AttemptEvent.CANCEL), None, now)

    def _start(
        self,
        leg_id: str,
        request: SipRequest,
        target: Target,
        now: int,
        challenged: int = 0,
        login: Login | None = None,
    ) -> Attempt:
        transaction_id = self._wire.send(request, target.flow, now)
        attempt = Attempt(leg_id, request, target.flow, transaction_id, binding=target.binding, challenged=challenged)
        attempt.login = login
        self._attempts[transaction_id] = attempt
        self._wire.alarms.set(("attempt", transaction_id, "limit"), now + RING_LIMIT_MS)
        return attempt

    def end(self, leg: Leg, cause: EndCause, now: int, reason: str = "") -> None:
        """Stop ringing. The leg is reported refused at once; what still comes in is cleared away quietly."""
        if leg.state not in {LegState.CALLING, LegState.ALERTING}:
            self.acknowledge(leg, "")
            self._inbound.end(leg, cause, now, reason)
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
            self._requests.response(arrived, now)
            return
        attempt.heard = True
        response = arrived.response
        if response.status < 200:
            event = AttemptEvent.PROVISIONAL
            if not self._provisionals.confirm(attempt, response, now):
                return
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
        else:
            self._requests.failed(news.transaction_id, now)

    def alarm(self, transaction_id: TransactionId, name: str, now: int) -> None:
        """An alarm of an attempt: it rang too long, no answer followed its CANCEL, or it is history."""
        attempt = self._attempts.get(transaction_id)
        if attempt is None:
            self._requests.alarm(transaction_id, name, now)
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
        leg.happened(LegInput.FAR_RING)
        sdp, tag = sdp_of(response), response.to.tag
        if tag:
            self._legs.adopt_early(leg, attempt.request.call_id, attempt.request.from_.tag, tag)
        if sdp and tag and attempt.request.body and not attempt.binding:
            known = attempt.early_sdp.get(tag)
            if known != sdp and (known is not None or len(attempt.early_sdp) < MAX_FORKS):
                attempt.early_sdp[tag] = sdp
                self._wire.tell(LegEarlyMedia(leg.leg_id, sdp, attempt.flow.remote[0]))
        elif not leg.has_rung:
            leg.has_rung = True
            self._wire.tell(LegRinging(leg.leg_id))

    def _take_answer(self, attempt: Attempt, response: SipResponse, now: int) -> None:
        self._wire.alarms.cancel(("attempt", attempt.transaction_id, "limit"))
        leg = self._legs.get(attempt.leg_id)
        dialog = attempt.winner
        if leg is None or dialog is None or leg.state is LegState.UP:
            self._hang_up(dialog, attempt.flow, now)
            return
        leg.flow = attempt.flow
        leg.may_refer = bool(attempt.binding)
        self._cancel_all(leg, now, elsewhere=True, but=attempt)
        answer = sdp_of(response) or attempt.early_sdp.get(dialog.remote_tag, "")
        unfit = "" if answer else "Answer without SDP"
        if answer and attempt.media is not None and attempt.request.body:
            unfit = attempt.media.refusal(answer, attempt.flow)
        if unfit:
            self._hang_up(dialog, attempt.flow, now)
            leg.happened(LegInput.FAR_REFUSE)
            self._refuse(leg, 488, unfit)
            return
        leg.media, leg.local_sdp = attempt.media, attempt.sdp or leg.local_sdp
        leg.happened(LegInput.FAR_ANSWER)
        self._legs.drop_early(leg)
        self._legs.adopt_dialog(leg, dialog)
        self.on_answer(leg, response, now)
        self._wire.tell(LegAnswered(leg.leg_id, answer, attempt.flow.remote[0]))

    def _take_refusal(self, attempt: Attempt, response: SipResponse | None, now: int) -> None:
        leg = self._legs.get(attempt.leg_id)
        if leg is None or not leg.allows(LegInput.FAR_REFUSE):
            return  # another phone answered
        if self._goes_another_way(attempt, response, now) or self.on_refusal(leg, attempt, response, now):
            return
        self.refused(leg, attempt, response, now)

    def refused(self, leg: Leg, attempt: Attempt, response: SipResponse | None, now: int) -> None:
        """No other INVITE follows this one; the leg is refused unless one still rings."""
        mine = self.note_refusal(leg, response)
        if mine[0] >= 600:
            self._cancel_all(leg, now, elsewhere=False, but=attempt)
        live = {AttemptState.CALLING, AttemptState.PROCEEDING}
        if mine[0] >= 600 or not any(one.state in live for one in leg.attempts):
            leg.happened(LegInput.FAR_REFUSE)
            self._refuse(leg, *(leg.refusal or mine))

    @staticmethod
    def note_refusal(leg: Leg, response: SipResponse | None) -> tuple[int, str]:
        """Remember a refusal for the case that all refuse; returns its status and phrase."""
        mine = (response.status, response.reason) if response is not None else (408, REASONS[408])
        leg.refusal = mine if leg.refusal is None else better_refusal(leg.refusal, mine)
        return mine

    def _goes_another_way(self, attempt: Attempt, response: SipResponse | None, now: int) -> bool:
        """A description that is not acceptable is followed by the next; a flow that failed (430), or that nothing came
        back on, is left for the phone's next one."""
        if response is not None and response.status in UNACCEPTABLE and attempt.described_otherwise is not None:
            leg = self._legs.get(attempt.leg_id)
            again = attempt.described_otherwise(now)
            if leg is not None:
                self.on_retry(leg, attempt, again)
            return True
        failed = response is None or response.status == FLOW_FAILED
        if failed and response is not None and attempt.binding:
            self._unheard(attempt.binding)
        if not failed or attempt.other_way is None:
            return False
        attempt.other_way(now)
        return True

    def _acknowledge(self, attempt: Attempt, response: SipResponse, now: int) -> None:
        tag = response.to.tag
        if attempt.winner is not None and attempt.winner.remote_tag != tag:
            self._dismiss(attempt, response, now)
            return
        if attempt.winner is None:
            attempt.winner = self._dialog(attempt, response)
        if not attempt.request.body and tag not in attempt.acks and sdp_of(response):
            return  # their offer waits for ``acknowledge``
        self._send_ack(attempt, attempt.winner)

    @staticmethod
    def _dialog(attempt: Attempt, response: SipResponse) -> Dialog:
        dialog = dialog_as_client(attempt.request, response)
        early = attempt.early.get(dialog.remote_tag)
        if early is not None:
            dialog.local_cseq = early.local_cseq
        return dialog

    def acknowledge(self, leg: Leg, sdp: str) -> None:
        """Answer the offer that came in the 2xx to an INVITE without one (RFC 3261 section 13.2.2.4)."""
        for attempt in leg.attempts:
            if attempt.winner is not None and attempt.winner is leg.dialog and not attempt.acks:
                leg.local_sdp = sdp or leg.local_sdp
                self._send_ack(attempt, attempt.winner, sdp)

    def _send_ack(self, attempt: Attempt, dialog: Dialog, sdp: str = "") -> None:
        tag = dialog.remote_tag
        if tag not in attempt.acks:
            headers = (("Content-Type", SDP),) if sdp else ()
            number = attempt.request.cseq.number
            ack = dialog.build_ack(self._wire.via(attempt.flow), number, headers=headers, body=sdp.encode())
            attempt.acks[tag] = bytes(ack)
        self._wire.transmit(attempt.acks[tag], attempt.flow)

    def _dismiss(self, attempt: Attempt, response: SipResponse, now: int) -> None:
        dialog = self._dialog(attempt, response)
        self._send_ack(attempt, dialog)
        if dialog.remote_tag not in attempt.dismissed:
            attempt.dismissed.add(dialog.remote_tag)
            self._hang_up(dialog, attempt.flow, now)

    def _hang_up(self, dialog: Dialog | None, flow: Flow, now: int) -> None:
        if dialog is not None:
            dialog.happened(DialogEvent.BYE)
            self._wire.send(dialog.build("BYE", self._wire.via(flow)), flow, now)

    def _retry_attempt(self, attempt: Attempt, response: SipResponse, now: int) -> bool:
        leg = self._legs.get(attempt.leg_id)
        if leg is None or attempt.challenged >= MAX_CHALLENGES or attempt.state is AttemptState.ANSWERED:
            return False
        request = authorised(self._wire, attempt.request, response, attempt.flow, attempt.login or self._requests.login)
        request = request or longer(self._wire, attempt.request, response, attempt.flow)
        if request is None:
            return False
        self._attempts.pop(attempt.transaction_id, None)
        target = Target(request.uri_text, attempt.flow, attempt.binding)
        again = self._start(attempt.leg_id, request, target, now, attempt.challenged + 1, attempt.login)
        again.other_way, again.described_otherwise = attempt.other_way, attempt.described_otherwise
        again.media, again.sdp = attempt.media, attempt.sdp
        self.on_retry(leg, attempt, again)
        leg.attempts[leg.attempts.index(attempt)] = again
        return True
