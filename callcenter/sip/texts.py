"""Texts between agents' phones (MESSAGE, RFC 3428): passed on to every phone of whom they are for, kept nowhere. Pure.

The sender is told as soon as a phone answers: its 2xx, else the best of the refusals; of silence 480, since a 408 would
come too late (RFC 4320).
"""

from dataclasses import dataclass

from callcenter.sip.addresses import NameAddress
from callcenter.sip.attempts import better_refusal
from callcenter.sip.messages import REASONS, SipResponse, build_request
from callcenter.sip.registered_phones import RegisteredPhones
from callcenter.sip.requests import Requests, Sent
from callcenter.sip.transaction_tables import T1
from callcenter.sip.transactions import RequestArrived, TransactionId
from callcenter.sip.uri import Uri, escape_user
from callcenter.sip.wire import Wire, answer_flow

TEXT = "text"
"""Purpose of the requests, and owner of the alarms."""
PATIENCE_MS = 32 * T1
"""How long phones may take: the sender must hear of it before its own request times out (64*T1)."""
TEXT_TYPES = ("text/plain",)


@dataclass(slots=True)
class _Passed:
    """A text on its way: who waits for the answer, and how many phones have not answered."""

    arrived: RequestArrived
    transaction_id: TransactionId
    """Open from the first moment on, so that the sender's retransmissions are no second text."""
    open: int
    refusal: tuple[int, str] | None = None


class Texts:
    """Owned by the exchange's endpoint."""

    def __init__(self, wire: Wire, requests: Requests, phones: RegisteredPhones) -> None:
        self._wire = wire
        self._requests = requests
        self._phones = phones
        self._passed: dict[str, _Passed] = {}

    def __len__(self) -> int:
        return len(self._passed)

    def pass_on(self, arrived: RequestArrived, sender: str, agent_id: str | None, now: int) -> None:
        """A text of the agent ``sender`` for ``agent_id``; ``None`` is nobody here."""
        request = arrived.request
        if agent_id is None:
            self._wire.answer_once(arrived, 404, now)
            return
        if request.content_type not in TEXT_TYPES:
            self._wire.answer_once(arrived, 415, now, headers=(("Accept", ", ".join(TEXT_TYPES)),))
            return
        targets = self._phones.targets(agent_id, now)
        if not targets:
            self._wire.answer_once(arrived, 480, now)
            return
        name = self._wire.new_token()
        transaction_id = self._wire.transactions.open_server(request, answer_flow(request, arrived.flow))
        self._passed[name] = _Passed(arrived, transaction_id, len(targets))
        self._wire.alarms.set((TEXT, name, ""), now + PATIENCE_MS)
        for target in targets:
            host = self._wire.identity.place(target.flow)[0]
            own, theirs = (Uri("sip", escape_user(self._phones.address_of(each)), host) for each in (sender, agent_id))
            headers = (
                ("Via", self._wire.via(target.flow)),
                *(("Route", proxy) for proxy in target.route),
                ("Max-Forwards", str(max(0, (request.max_forwards or 70) - 1))),
                ("From", f"{NameAddress(own, request.from_.display_name)};tag={self._wire.new_token()}"),
                ("To", str(NameAddress(theirs))),
                ("Call-ID", self._wire.new_token()),
                ("CSeq", "1 MESSAGE"),
                ("Content-Type", request.get("content-type") or TEXT_TYPES[0]),
            )
            message = build_request("MESSAGE", target.uri, headers, body=request.body)
            self._requests.send(message, target.flow, "", now, name, TEXT)

    def answered(self, sent: Sent, response: SipResponse | None, now: int) -> None:
        """The end of one of our requests."""
        passed = self._passed.get(sent.leg_id)
        if passed is None:
            return
        passed.open -= 1
        if response is not None and response.status < 300:
            self._answer(sent.leg_id, response.status, now)
            return
        mine = (480, REASONS[480]) if response is None else (response.status, response.reason)
        passed.refusal = mine if passed.refusal is None else better_refusal(passed.refusal, mine)
        if not passed.open:
            self._answer(sent.leg_id, passed.refusal[0], now)

    def alarm(self, name: str, now: int) -> None:
        """Some phone says nothing."""
        passed = self._passed.get(name)
        if passed is not None:
            self._answer(name, 480 if passed.refusal is None else passed.refusal[0], now)

    def _answer(self, name: str, status: int, now: int) -> None:
        self._wire.alarms.cancel((TEXT, name, ""))
        passed = self._passed.pop(name)
        self._wire.respond(passed.transaction_id, passed.arrived.request, passed.arrived.flow, status, now)
