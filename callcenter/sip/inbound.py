"""Legs that arrive: INVITE, CANCEL, ACK, BYE and re-INVITE of the far end, and our answers to them."""

from dataclasses import replace

from callcenter.calls.legs import EndCause, LegAnswered, LegEnded, LegOffered, LegReoffered
from callcenter.sip.dialogs import DialogEvent, dialog_as_server
from callcenter.sip.doors import Admitted, Door, Refused, content_refusal, not_acceptable, session_refusal
from callcenter.sip.legs import Leg, LegInput, Legs, LegState, PendingAnswer, PendingInvite
from callcenter.sip.messages import SipMessage, SipRequest
from callcenter.sip.provisionals import Provisionals
from callcenter.sip.refusals import REFUSALS, call_rejected
from callcenter.sip.replaces import parse_replaces
from callcenter.sip.session_timers import Headers, agree_as_server
from callcenter.sip.transaction_tables import T1, T2
from callcenter.sip.transactions import AckArrived, RequestArrived
from callcenter.sip.wire import ALLOW, REASON_ELSEWHERE, SDP, SUPPORTED, Wire, answer_flow, reason_of, sdp_of

RING_LIMIT_MS = 300_000
"""A call that nobody answers, refuses or cancels is refused after this time: its CANCEL may have been lost."""
TRYING_AFTER_MS = 100
"""A 100 is said to an INVITE that has no other answer by then: within 200 ms it is not wanted (RFC 3261 section
17.2.1), and the caller sends again after 500. Most calls are answered, or ring, long before. While the loop is late it
is said at once: who sends again makes it later."""
REOFFER_LIMIT_MS = 20_000
"""A re-offer that nobody accepts is refused after this time; the call goes on as it was."""


class InboundLegs:
    """The server side of legs, and what both kinds of leg share once they are up."""

    def __init__(self, wire: Wire, legs: Legs, door: Door, provisionals: Provisionals) -> None:
        self._wire = wire
        self._legs = legs
        self._door = door
        self._provisionals = provisionals

    def invite(self, arrived: RequestArrived, now: int) -> None:
        """A new INVITE, already found to be well-formed and within what we support."""
        request, flow = arrived.request, arrived.flow
        verdict = self._door.admit(request, flow, now)
        if isinstance(verdict, Admitted):
            verdict = content_refusal(request) or session_refusal(request) or verdict
        if isinstance(verdict, Admitted) and request.values("replaces"):
            verdict = self._replacing(request, verdict)
        if isinstance(verdict, Refused):
            self._wire.reply(request, flow, verdict.status, headers=verdict.headers)
            return
        dialog = dialog_as_server(request, self._wire.new_token())
        transaction_id = self._wire.transactions.open_server(request, answer_flow(request, flow), arrived.server_id)
        leg = Leg(self._wire.new_token(), LegState.ARRIVED, flow, dialog, PendingInvite(transaction_id, request))
        leg.far_allows = request.allowed_methods
        leg.may_refer = verdict.agent_id is not None
        leg.media = verdict.media
        self._legs.add(leg)
        leg.is_limited = True
        self._wire.alarms.set(("trying", leg.leg_id, ""), now + TRYING_AFTER_MS)
        if self._wire.is_late():
            self.still_trying(leg, now)
        self._wire.tell(
            LegOffered(
                leg.leg_id,
                verdict.trunk_id,
                verdict.agent_id,
                verdict.caller,
                verdict.called,
                leg.offer_of(sdp_of(request)),
                request.call_id,
                flow.remote[0],
                verdict.diversions,
                verdict.asserted,
                verdict.replaces_leg_id,
                request.max_forwards,
            )
        )

    def _replacing(self, request: SipRequest, verdict: Admitted) -> Admitted | Refused:
        """An INVITE with Replaces (RFC 3891 section 3), taken from authenticated agents only."""
        if verdict.agent_id is None or len(request.values("replaces")) != 1:
            return Refused(403 if verdict.agent_id is None else 400)
        named = parse_replaces(request.values("replaces")[0])
        leg = self._legs.of_tags(named.call_id, named.to_tag, named.from_tag)
        # A phone that watches a lamp names the tags as the watched phone sees them (RFC 4235 section 4.1.2).
        leg = leg or self._legs.of_tags(named.call_id, named.from_tag, named.to_tag)
        if leg is None or leg.state in {LegState.ARRIVED, LegState.RINGING}:
            return Refused(481)  # also for an early dialog that we did not begin
        if leg.told or leg.state in {LegState.LEAVING, LegState.OVER}:
            return Refused(603)
        if named.early_only and leg.state in {LegState.UP, LegState.ANSWERED}:
            return Refused(486)
        return replace(verdict, replaces_leg_id=leg.leg_id)

    def reinvite(self, arrived: RequestArrived, leg: Leg, now: int) -> None:
        """An INVITE inside a dialog: hold, resume, refresh."""
        request, flow = arrived.request, arrived.flow
        refused = content_refusal(request) or session_refusal(request)
        if leg.invite is not None:  # RFC 3261 section 14.2: one of theirs is still open
            refused = Refused(500, (("Retry-After", "2"),))
        elif leg.offering or leg.answer is not None or leg.state is not LegState.UP:
            refused = Refused(491)
        elif why := leg.media_refusal(sdp_of(request)):
            refused = not_acceptable(why)
        if refused is not None:
            self._wire.reply(request, flow, refused.status, headers=refused.headers)
            return
        assert leg.dialog is not None  # noqa: S101 - found by its dialog
        leg.dialog.refresh_target(request)
        transaction_id = self._wire.transactions.open_server(request, answer_flow(request, flow))
        self._wire.respond(transaction_id, request, flow, 100, now)
        leg.invite = PendingInvite(transaction_id, request)
        self.limit_reoffer(leg, now)
        self._wire.tell(LegReoffered(leg.leg_id, leg.offer_of(sdp_of(request)), flow.remote[0]))

    def limit_reoffer(self, leg: Leg, now: int) -> None:
        """Wait for ``accept_reoffer`` no longer than the limit."""
        leg.is_limited = True
        self._wire.alarms.set(("pending", leg.leg_id, ""), now + REOFFER_LIMIT_MS)

    def watch_session(self, leg: Leg, now: int) -> None:
        """Set the alarm of the session timer anew (RFC 4028 section 10)."""
        key = ("session", leg.leg_id, "due")
        if leg.session is None:
            self._wire.alarms.cancel(key)
        else:
            self._wire.alarms.set(key, leg.session.due_at(now))

    def answer(self, leg: Leg, sdp: str, now: int) -> None:
        """Say 200, and again until the ACK comes."""
        if leg.provisional is not None and leg.is_heard:
            leg.held_answer = sdp  # the PRACK first, since what it confirms described us (RFC 3262 section 5)
        elif leg.allows(LegInput.ANSWER) and leg.invite is not None and leg.dialog is not None:
            leg.happened(LegInput.ANSWER)
            leg.dialog.happened(DialogEvent.SUCCESS)
            self._say_ok(leg, leg.invite, sdp, now)

    def accept_reoffer(self, leg: Leg, sdp: str, now: int) -> None:
        """Say 200 to a re-INVITE."""
        if leg.state is LegState.UP and leg.invite is not None:
            self._say_ok(leg, leg.invite, sdp, now)

    def _say_ok(self, leg: Leg, pending: PendingInvite, sdp: str, now: int) -> None:
        self._provisionals.stop(leg)
        timer, agreed = agree_as_server(pending.request)
        headers: Headers = (
            ("Contact", self._wire.contact(leg.flow)),
            ("Allow", ALLOW),
            ("Supported", SUPPORTED),
            *agreed,
            ("Content-Type", SDP),
        )
        response = self._respond(leg, pending, 200, now, headers=headers, body=sdp.encode())
        leg.invite = None
        leg.local_sdp = sdp
        leg.session = timer or leg.session
        self.watch_session(leg, now)
        self._lift_limit(leg)
        if pending.request.method == "UPDATE":
            return
        back = answer_flow(pending.request, leg.flow)
        late = not pending.request.body
        leg.answer = PendingAnswer(bytes(response), back, pending.request.cseq.number, T1, now + 64 * T1, late)
        self._wire.alarms.set(("answer", leg.leg_id, ""), now + T1)

    def _respond(
        self,
        leg: Leg,
        pending: PendingInvite,
        status: int,
        now: int,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> SipMessage:
        tag = leg.dialog.local_tag if leg.dialog else ""
        return self._wire.respond(
            pending.transaction_id, pending.request, leg.flow, status, now, to_tag=tag, headers=headers, body=body
        )

    def still_trying(self, leg: Leg, now: int) -> None:
        """Nothing was said to an INVITE so far."""
        if leg.state is LegState.ARRIVED and leg.invite is not None:
            self._respond(leg, leg.invite, 100, now)

    def limit_ringing(self, leg: Leg, now: int) -> None:
        """``TRYING_AFTER_MS`` passed; a leg that is not answered by then may take no longer than the limit. Most are:
        their callers hear music, or wait for an agent."""
        if leg.invite is not None:
            self._wire.alarms.set(("pending", leg.leg_id, ""), now + RING_LIMIT_MS - TRYING_AFTER_MS)

    def _lift_limit(self, leg: Leg) -> None:
        if leg.is_limited:
            leg.is_limited = False
            self._wire.alarms.cancel(("trying", leg.leg_id, ""))
            self._wire.alarms.cancel(("pending", leg.leg_id, ""))

    def waited_too_long(self, leg: Leg, now: int) -> None:
        """An INVITE or re-INVITE had no final answer within its limit."""
        if leg.allows(LegInput.REFUSE):
            self.refuse(leg, REFUSALS[EndCause.NO_ANSWER], EndCause.NO_ANSWER, now)
        elif leg.invite is not None:
            self._respond(leg, leg.invite, 488, now)
            leg.invite = None

    def unacknowledged(self, leg: Leg, now: int) -> None:
        """The ACK is late: say 200 once more, until it is of no use."""
        answer = leg.answer
        if answer is None:
            return
        if now >= answer.give_up_at:
            self._ack_lost(leg, now)
            return
        self._wire.transmit(answer.data, answer.flow)
        answer.interval = min(answer.interval * 2, T2)
        self._wire.alarms.set(("answer", leg.leg_id, ""), min(now + answer.interval, answer.give_up_at))

    def _ack_lost(self, leg: Leg, now: int) -> None:
        """The ACK never came: the far end gets a BYE (RFC 3261 section 13.3.1.4)."""
        self._stop_answer(leg)
        leg.happened(LegInput.ACK_LOST)
        self._bye(leg, now)
        self.over(leg, EndCause.TIMEOUT)

    def ack(self, arrived: AckArrived, now: int) -> None:
        """An ACK to one of our 200s; what matches nothing is dropped."""
        leg = self._legs.of_dialog(arrived.request) or self._legs.awaiting_ack(arrived.request, arrived.flow)
        if leg is None or leg.answer is None or leg.answer.cseq != arrived.request.cseq.number:
            return
        late_offer = leg.answer.late_offer
        self._stop_answer(leg)
        if leg.dialog is not None and not leg.dialog.remote_tag:
            leg.dialog.remote_tag = arrived.request.from_.tag
        leg.happened(LegInput.ACK)
        if leg.state is LegState.OVER:
            self._bye(leg, now)
            self.over(leg, EndCause.NORMAL)
        elif late_offer and (answer := sdp_of(arrived.request)):
            self._wire.tell(LegAnswered(leg.leg_id, answer, arrived.flow.remote[0]))

    def cancel(self, arrived: RequestArrived, now: int) -> None:
        """A CANCEL: 481 when there is nothing to cancel, else 200, and 487 to an INVITE that is still open."""
        if arrived.invite_id is None:
            self._wire.reply(arrived.request, arrived.flow, 481)
            return
        self._wire.answer_once(arrived, 200, now)
        for leg in self._legs.of_call(arrived.request.call_id):
            if leg.invite is None or leg.invite.transaction_id != arrived.invite_id:
                continue
            self._respond(leg, leg.invite, 487, now)
            leg.invite = None
            if leg.allows(LegInput.CANCEL):
                leg.happened(LegInput.CANCEL)
                self.over(leg, EndCause.CANCELLED, reason_of(arrived.request))

    def bye(self, arrived: RequestArrived, leg: Leg, now: int) -> None:
        """The far end hangs up."""
        self._wire.answer_once(arrived, 200, now)
        pending = leg.invite
        if pending is not None:
            self._respond(leg, pending, 487, now)
            leg.invite = None
        cause = EndCause.NORMAL
        if leg.allows(LegInput.CANCEL):
            leg.happened(LegInput.CANCEL)
            cause = EndCause.CANCELLED
        elif leg.allows(LegInput.FAR_BYE):
            leg.happened(LegInput.FAR_BYE)
        self._stop_answer(leg)
        self.over(leg, cause, reason_of(arrived.request))

    def refuse(self, leg: Leg, status: int, cause: EndCause, now: int, reason: str = "") -> None:
        """Refuse a leg that was not answered yet."""
        if leg.allows(LegInput.REFUSE) and leg.invite is not None:
            leg.happened(LegInput.REFUSE)
            headers: Headers = (("Retry-After", "5"),) if status == 503 else ()
            headers += (("Reason", call_rejected(reason)),) if reason else ()
            self._respond(leg, leg.invite, status, now, headers=headers)
            leg.invite = None
            self.over(leg, cause)

    def end(self, leg: Leg, cause: EndCause, now: int, reason: str = "") -> None:
        """End a leg that arrived, or any leg that is up."""
        if leg.allows(LegInput.REFUSE):
            self.refuse(leg, REFUSALS[cause], cause, now, reason)
        elif leg.allows(LegInput.HANG_UP):
            leg.happened(LegInput.HANG_UP)
            if leg.invite is not None:
                self._respond(leg, leg.invite, 487, now)
                leg.invite = None
            if leg.state is LegState.LEAVING:
                self._tell_ended(leg, cause)
            else:
                self._bye(leg, now, elsewhere=cause is EndCause.ANSWERED_ELSEWHERE)
                self.over(leg, cause)

    def _bye(self, leg: Leg, now: int, *, elsewhere: bool = False) -> None:
        if leg.dialog is not None:
            leg.dialog.happened(DialogEvent.BYE)
            headers = tuple(REASON_ELSEWHERE.items()) if elsewhere else ()
            self._wire.send(leg.dialog.build("BYE", self._wire.via(leg.flow), headers=headers), leg.flow, now)

    def over(self, leg: Leg, cause: EndCause, reason: str = "") -> None:
        """Forget a leg and say so once."""
        self._stop_answer(leg)
        self._provisionals.stop(leg)
        self._lift_limit(leg)
        if leg.session is not None:
            self._wire.alarms.cancel(("session", leg.leg_id, "due"))
        if leg.wanted is not None:
            self._wire.alarms.cancel(("session", leg.leg_id, "again"))
        if leg.refer_cseq is not None:
            self._wire.alarms.cancel(("refer", leg.leg_id, ""))
        self._legs.remove(leg)
        self._tell_ended(leg, cause, reason)

    def _tell_ended(self, leg: Leg, cause: EndCause, reason: str = "") -> None:
        if not leg.told:
            leg.told = True
            self._wire.tell(LegEnded(leg.leg_id, cause, reason))

    def _stop_answer(self, leg: Leg) -> None:
        if leg.answer is not None:
            leg.answer = None
            self._wire.alarms.cancel(("answer", leg.leg_id, ""))
