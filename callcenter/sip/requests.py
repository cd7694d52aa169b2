"""Our requests other than a first INVITE: inside dialogs and outside, with credentials where they are asked for."""

from collections.abc import Callable
from dataclasses import dataclass

from callcenter.sip.attempts import Login
from callcenter.sip.flows import Flow
from callcenter.sip.legs import Legs
from callcenter.sip.messages import SipRequest, SipResponse
from callcenter.sip.retries import authorised
from callcenter.sip.transaction_tables import T1
from callcenter.sip.transactions import ResponseArrived, TransactionId
from callcenter.sip.wire import Replied, Wire

REOFFER_WAIT_MS = 64 * T1
"""How long the far end may take to answer a re-INVITE."""
MAX_CHALLENGES = 2
"""How often one request is sent again with credentials."""


@dataclass(slots=True)
class Sent:
    """One request on its way. ``purpose`` says which part of the endpoint waits for its end."""

    request: SipRequest
    flow: Flow
    token: str
    leg_id: str = ""
    purpose: str = ""
    login: Login | None = None
    challenged: int = 0
    ack: bytes = b""


class Requests:
    """What was sent and is not answered yet."""

    def __init__(self, wire: Wire, legs: Legs, login: Login | None) -> None:
        self._wire = wire
        self._legs = legs
        self.login = login
        """Answers challenges where a request has no login of its own."""
        self._sent: dict[TransactionId, Sent] = {}
        self.on_end: Callable[[Sent, SipResponse | None, int], bool] = lambda *_: False
        """Told of the end of a request with a purpose; when it says so the token's owner hears nothing."""

    def __len__(self) -> int:
        return len(self._sent)

    def send(
        self,
        request: SipRequest,
        flow: Flow,
        token: str,
        now: int,
        leg_id: str = "",
        purpose: str = "",
        login: Login | None = None,
    ) -> None:
        """Send a request and report its end as ``Replied`` with this token, and to ``on_end`` for a purpose."""
        transaction_id = self._wire.send(request, flow, now)
        self._sent[transaction_id] = Sent(request, flow, token, leg_id, purpose, login or self._login_of(leg_id))
        if request.method == "INVITE":
            # Once a provisional answer came no timer of the transaction ends the wait.
            self._wire.alarms.set(("attempt", transaction_id, "limit"), now + REOFFER_WAIT_MS)

    def response(self, arrived: ResponseArrived, now: int) -> None:
        """An answer; one that belongs to nothing here is dropped."""
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
            if self._retry(sent, response, now):
                return
        self._tell_end(sent, response, now)

    def failed(self, transaction_id: TransactionId, now: int) -> None:
        """No answer came."""
        sent = self._sent.pop(transaction_id, None)
        if sent is not None:
            self._tell_end(sent, None, now)

    def alarm(self, transaction_id: TransactionId, name: str, now: int) -> None:
        """A re-INVITE waited too long, or is history."""
        if name == "limit":
            self._wire.transactions.abandon(transaction_id)
            self.failed(transaction_id, now)
        self._sent.pop(transaction_id, None)

    def _tell_end(self, sent: Sent, response: SipResponse | None, now: int) -> None:
        silent = bool(sent.purpose) and self.on_end(sent, response, now)
        if sent.token and not silent:
            self._wire.tell(Replied(sent.token, response))

    def _ack_reoffer(self, sent: Sent, response: SipResponse, now: int, transaction_id: TransactionId) -> None:
        leg = self._legs.get(sent.leg_id)
        if leg is not None and leg.dialog is not None:
            leg.dialog.refresh_target(response)
            sent.ack = bytes(leg.dialog.build_ack(self._wire.via(sent.flow), sent.request.cseq.number))
            self._wire.transmit(sent.ack, sent.flow)
        self._wire.alarms.set(("attempt", transaction_id, "forget"), now + 65 * T1)

    def _login_of(self, leg_id: str) -> Login | None:
        """What the leg's own INVITE was authorised with."""
        leg = self._legs.get(leg_id)
        return next((one.login for one in leg.attempts if one.login is not None), None) if leg is not None else None

    def _retry(self, sent: Sent, response: SipResponse, now: int) -> bool:
        if sent.challenged >= MAX_CHALLENGES:
            return False
        request = authorised(self._wire, sent.request, response, sent.flow, sent.login or self.login)
        if request is None:
            return False
        again = Sent(request, sent.flow, sent.token, sent.leg_id, sent.purpose, sent.login, sent.challenged + 1)
        self._sent[self._wire.send(request, sent.flow, now)] = again
        return True
