"""Changes to a leg that is up: our re-INVITEs, UPDATE of both sides, glare, and session refresh.

RFC 3261 section 14, RFC 3311, RFC 4028. The far end's re-INVITE is in ``inbound``.
"""

from callcenter.calls.legs import EndCause, LegReanswered, LegReoffered, LegReofferRefused
from callcenter.sip.doors import content_refusal, not_acceptable
from callcenter.sip.inbound import InboundLegs
from callcenter.sip.legs import Leg, LegState, PendingInvite, Wanted
from callcenter.sip.messages import SipResponse
from callcenter.sip.requests import Requests, Sent
from callcenter.sip.session_timers import (
    MIN_SE,
    Headers,
    agree_as_client,
    agree_as_server,
    asking_headers,
    is_too_brief,
)
from callcenter.sip.transactions import RequestArrived
from callcenter.sip.transfers import NOTIFY
from callcenter.sip.wire import ALLOW, SDP, SUPPORTED, Wire, answer_flow, sdp_of

MAX_TRIES = 6
"""How often a re-INVITE that meets glare is tried."""
REOFFER, REFRESH = "reoffer", "refresh"
"""What a request of ours inside a dialog is for."""


class Renegotiation:
    """The machinery of ``Signalling.reoffer`` and of session timers."""

    def __init__(self, wire: Wire, legs_inbound: InboundLegs, requests: Requests) -> None:
        self._wire = wire
        self._inbound = legs_inbound
        self._requests = requests

    # Ours.

    def reoffer(self, leg: Leg, sdp: str, token: str, now: int) -> None:
        """Offer a new description; while anything else is under way on the leg, wait as after a glare."""
        leg.wanted = Wanted(sdp, token)
        self._try(leg, now)

    def _try(self, leg: Leg, now: int) -> None:
        wanted = leg.wanted
        if wanted is None or leg.state not in {LegState.UP, LegState.ANSWERED} or leg.dialog is None:
            return
        if leg.offering or leg.invite is not None or leg.answer is not None:
            self._wait(leg, now)
            return
        leg.wanted = None
        leg.tries = wanted.tries + 1
        self._send_invite(leg, wanted.sdp, REOFFER, wanted.token, now)

    def _send_invite(self, leg: Leg, sdp: str, purpose: str, token: str, now: int) -> None:
        assert leg.dialog is not None  # noqa: S101 - checked by the callers
        leg.offering = True
        headers: Headers = (("Contact", self._wire.contact(leg.flow)), ("Allow", ALLOW), ("Supported", SUPPORTED))
        headers += self._timer_headers(leg)
        if sdp:
            headers += (("Content-Type", SDP),)
        request = leg.dialog.build("INVITE", self._wire.via(leg.flow), headers=headers, body=sdp.encode())
        self._requests.send(request, leg.flow, token, now, leg.leg_id, purpose)

    @staticmethod
    def _timer_headers(leg: Leg) -> Headers:
        if leg.session is None:
            return ()
        return asking_headers(leg.session.interval, "uac" if leg.session.ours else "uas")

    def _wait(self, leg: Leg, now: int) -> None:
        """RFC 3261 section 14.1: who made the Call-ID waits 2.1 to 4 seconds, the other up to 2, in steps of 10 ms."""
        steps = int(self._wire.new_token()[:8], 16)
        delay = 2_100 + steps % 191 * 10 if leg.attempts else steps % 201 * 10
        self._wire.alarms.set(("session", leg.leg_id, "again"), now + max(10, delay))

    def answered(self, leg: Leg, sent: Sent, response: SipResponse | None, now: int) -> bool:
        """The end of a request of ours; tells whether that is all there is to say about it."""
        if sent.purpose == NOTIFY:
            return True
        if sent.request.method == "INVITE":
            leg.offering = False
        status = 408 if response is None else response.status
        if status in {408, 481} and leg.state is LegState.UP:
            # The far end does not know the dialog any more (RFC 5057 section 5.1).
            self._inbound.end(leg, EndCause.TIMEOUT, now)
            return not sent.token
        if sent.purpose == REFRESH:
            self._refreshed(leg, sent, response, now)
            return True
        return self._reanswered(leg, sent, response, now)

    def _reanswered(self, leg: Leg, sent: Sent, response: SipResponse | None, now: int) -> bool:
        glare = response is not None and response.status == 491
        if glare and leg.wanted is None and leg.tries < MAX_TRIES:
            leg.wanted = Wanted(sent.request.body_text, sent.token, leg.tries)
        if leg.wanted is not None:
            self._wait(leg, now)
            if glare and leg.wanted.token == sent.token:
                return True
        if response is None or response.status >= 300:
            if not sent.token:
                self._wire.tell(LegReofferRefused(leg.leg_id, 408 if response is None else response.status))
        else:
            leg.local_sdp = sent.request.body_text or leg.local_sdp
            self.agreed(leg, response, now)
            if not sent.token:
                self._wire.tell(LegReanswered(leg.leg_id, sdp_of(response), leg.flow.remote[0]))
        return not sent.token

    # Session timers.

    def agreed(self, leg: Leg, response: SipResponse, now: int) -> None:
        """A 2xx to a request of ours that may carry a session timer."""
        leg.far_allows = response.allowed_methods or leg.far_allows
        leg.session = agree_as_client(response)
        self._inbound.watch_session(leg, now)

    def session_due(self, leg: Leg, now: int) -> None:
        """The session is to be refreshed, or was not."""
        if leg.session is None or leg.state is not LegState.UP or leg.dialog is None:
            return
        if not leg.session.ours:
            self._inbound.end(leg, EndCause.TIMEOUT, now)
            return
        # Whatever becomes of it, it is tried again well before the session runs out.
        self._wire.alarms.set(("session", leg.leg_id, "due"), now + leg.session.interval * 125)
        if "UPDATE" in leg.far_allows:
            headers = (("Contact", self._wire.contact(leg.flow)), ("Supported", SUPPORTED), *self._timer_headers(leg))
            request = leg.dialog.build("UPDATE", self._wire.via(leg.flow), headers=headers)
            self._requests.send(request, leg.flow, "", now, leg.leg_id, REFRESH)
        elif not leg.offering and leg.invite is None and leg.answer is None:
            self._send_invite(leg, leg.local_sdp, REFRESH, "", now)

    def _refreshed(self, leg: Leg, sent: Sent, response: SipResponse | None, now: int) -> None:
        if response is None:
            return
        if response.status < 300:
            before = leg.session
            self.agreed(leg, response, now)
            if leg.session is None:
                leg.session = before
                self._inbound.watch_session(leg, now)
        elif response.status in {405, 501} and sent.request.method == "UPDATE":
            leg.far_allows -= {"UPDATE"}
            self.session_due(leg, now)

    def alarm(self, leg: Leg, name: str, now: int) -> None:
        """An alarm of this part: ``again`` after a glare, ``due`` of the session timer."""
        if name == "again":
            self._try(leg, now)
        else:
            self.session_due(leg, now)

    # Theirs.

    def early_update(self, arrived: RequestArrived, now: int) -> None:
        """An UPDATE of a far end that did not answer yet: its session is refreshed, but an offer has to wait for the
        answer (491, RFC 3311 section 5.2)."""
        if arrived.request.body:
            self._wire.answer_once(arrived, 491, now)
        else:
            contact = (("Contact", self._wire.contact(arrived.flow)),)
            self._wire.answer_once(arrived, 200, now, headers=contact)

    def update(self, arrived: RequestArrived, leg: Leg, now: int) -> None:
        """An UPDATE (RFC 3311 section 5.2): without SDP a refresh, with SDP an offer."""
        request = arrived.request
        if is_too_brief(request):
            self._wire.answer_once(arrived, 422, now, headers=(("Min-SE", str(MIN_SE)),))
            return
        if refused := content_refusal(request):
            self._wire.answer_once(arrived, refused.status, now, headers=refused.headers)
            return
        assert leg.dialog is not None  # noqa: S101 - found by its dialog
        if not request.body:
            leg.dialog.refresh_target(request)
            timer, headers = agree_as_server(request)
            leg.session = timer or leg.session
            self._inbound.watch_session(leg, now)
            headers = (("Contact", self._wire.contact(leg.flow)), ("Supported", SUPPORTED), *headers)
            self._wire.answer_once(arrived, 200, now, headers=headers)
        elif leg.invite is not None and leg.invite.request.method == "UPDATE":
            self._wire.answer_once(arrived, 500, now, headers=(("Retry-After", "2"),))
        elif leg.offering or leg.invite is not None or leg.state is not LegState.UP:
            self._wire.answer_once(arrived, 491, now)
        elif why := leg.media_refusal(sdp_of(request)):
            refused = not_acceptable(why)
            self._wire.answer_once(arrived, refused.status, now, headers=refused.headers)
        else:
            leg.dialog.refresh_target(request)
            transaction_id = self._wire.transactions.open_server(request, answer_flow(request, arrived.flow))
            leg.invite = PendingInvite(transaction_id, request)
            self._inbound.limit_reoffer(leg, now)
            self._wire.tell(LegReoffered(leg.leg_id, leg.offer_of(sdp_of(request)), arrived.flow.remote[0]))
