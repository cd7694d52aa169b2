"""What every part of an endpoint sends with: its names, its transactions and alarms, and the outcomes it collects."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from callcenter.calls.legs import LegEvent
from callcenter.ports import Allowed
from callcenter.sip.alarms import Alarms
from callcenter.sip.flows import Address, Flow, Transmit, Transport
from callcenter.sip.grammar import check_clean, clean_text
from callcenter.sip.messages import SipMessage, SipRequest, SipResponse, build_response
from callcenter.sip.transactions import AlarmKey, RequestArrived, TransactionId, Transactions
from callcenter.sip.uri import escape_user, format_host
from callcenter.sip.via import MAGIC_COOKIE, Via

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY"
"""Methods served inside a dialog and out of it; an exchange adds REGISTER."""
EXTENSIONS = frozenset({"100rel", "replaces", "timer"})
"""Option tags we understand in Require."""
SUPPORTED = "100rel, replaces, timer"
SDP = "application/sdp"


AMPLIFICATION = 3
"""The answer to somebody whose address nothing proves is less than so many times what came: forged requests would
otherwise multiply what they send to their victim."""
UNLIMITED = 1 << 30
NEEDED = frozenset({"WWW-Authenticate", "Retry-After", "Unsupported"})
"""Headers without which an answer says nothing."""


def needed(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """What a short answer keeps: the first of each header that it needs."""
    return tuple({name: (name, value) for name, value in reversed(headers) if name in NEEDED}.values())


@dataclass(frozen=True, slots=True)
class Identity:
    """How an endpoint names itself. The ports are filled in once the sockets are bound."""

    host: str
    port: int
    user: str
    host6: str = ""
    """The address shown to far ends on IPv6, ``host`` when empty."""
    other_ports: Mapping[Transport, int] = field(default_factory=dict)
    """Ports of transports that do not share ``port``."""

    def place(self, flow: Flow) -> Address:
        """Our address as the far end of this flow can use it."""
        host = self.host6 if flow.is_ipv6 and self.host6 else self.host
        return host, self.other_ports.get(flow.transport, self.port)


class Replied(msgspec.Struct, frozen=True):
    """News: one of our own requests (``send``, ``reoffer``) came to its end; no response when nothing came in time."""

    token: str
    response: SipResponse | None


class PhoneReachable(msgspec.Struct, frozen=True):
    """News: an agent's first phone came, or the last one went."""

    agent_id: str
    reachable: bool


class ReferProgress(msgspec.Struct, frozen=True):
    """News: how the transfer goes that we asked the far end of this leg for; 200 and above is its end."""

    leg_id: str
    status: int


class LeaveAsked(msgspec.Struct, frozen=True):
    """News: a call of this agent (empty: the house) was sent on to another number, which the rules allow; may it go
    there? Answered by ``Exchange.give_leave``."""

    leg_id: str
    agent_id: str
    allowed: Allowed


class TrunkChanged(msgspec.Struct, frozen=True):
    """News: a trunk that takes our calls went down, or is up again."""

    trunk_id: str
    up: bool


EndpointOutcome = Transmit | LegEvent | Replied | PhoneReachable | ReferProgress | LeaveAsked | TrunkChanged
NewToken = Callable[[], str]
"""Makes unguessable text for tags, branches, Call-IDs and leg ids: at least 64 random bits in hexadecimal."""


class _Place(NamedTuple):
    """Our address as the far ends of one kind of flow can use it, as it stands in messages."""

    via: str
    """Of a Via, what goes before its parameters."""
    host: str
    """Of a Contact, what follows the user part."""
    contact: str
    """A whole Contact with the name by which we are commonly known."""


class Wire:
    """The sending side shared by the parts of one endpoint."""

    def __init__(self, identity: Identity, new_token: NewToken) -> None:
        self._identity = identity
        self._places: dict[tuple[Transport, bool], _Place] = {}
        """How we are named, by transport and whether it is IPv6."""
        self.new_token = new_token
        self.alarms: Alarms[AlarmKey] = Alarms()
        self.transactions = Transactions(self.alarms)
        self.outcomes: list[EndpointOutcome] = []
        self.told: list[EndpointOutcome] = []
        """What of the outcomes is news, for those of the endpoint itself who follow it."""
        self._tag_key = new_token().encode()
        self.counts: Counter[str] = Counter()
        """How often each thing happened, by a name such as ``in INVITE`` or ``out 503``."""
        self.trunk_counts: Counter[tuple[str, str]] = Counter()
        """The same for messages of trunks, by trunk and name."""
        self.allowance = UNLIMITED
        """Octets that a stateless answer may have; see ``AMPLIFICATION``."""
        self.is_late: Callable[[], bool] = lambda: False
        """Whether what we do next may take a while: the loop is behind."""
        self.trunk_named: Callable[[Address], str] = lambda _: ""
        """The trunk at an address, empty for none."""

    @property
    def identity(self) -> Identity:
        """How the endpoint names itself."""
        return self._identity

    @identity.setter
    def identity(self, identity: Identity) -> None:
        self._identity = identity
        self._places.clear()

    def _place(self, flow: Flow) -> _Place:
        key = (flow.transport, flow.is_ipv6)
        place = self._places.get(key)
        if place is None:
            sent_by = format_host(*self._identity.place(flow))
            suffix = f";transport={flow.transport}" if flow.is_reliable else ""
            contact = f"<sip:{escape_user(self._identity.user)}@{sent_by}{suffix}>"
            place = _Place(f"SIP/2.0/{flow.transport.upper()} {sent_by}", f"{sent_by}{suffix}", contact)
            self._places[key] = place
        return place

    def count(self, what: str, flow: Flow) -> None:
        """A message came from or goes to the far end of this flow."""
        self.counts[what] += 1
        trunk_id = self.trunk_named(flow.remote)
        if trunk_id:
            self.trunk_counts[trunk_id, what] += 1

    def via(self, flow: Flow) -> str:
        """A Via of ours with a new branch, asking for ``rport`` (RFC 3581 section 3)."""
        token = self.new_token()
        branch = f"{MAGIC_COOKIE}{token}.{self.stateless_name(token)[:8]}"
        return f"{self._place(flow).via};branch={branch};rport"

    def has_passed_here(self, request: SipRequest) -> bool:
        """Whether a request bears a Via that we made ourselves: it came around (RFC 3261 section 16.3)."""
        for via in request.vias():
            token, _, proof = via.branch.removeprefix(MAGIC_COOKIE).partition(".")
            if proof and hmac.compare_digest(
                proof.encode("utf-8", "surrogateescape"), self.stateless_name(token)[:8].encode()
            ):
                return True
        return False

    def contact(self, flow: Flow, user: str = "") -> str:
        """Our Contact as the far end of this flow can use it; ``user`` where it knows us by another name."""
        place = self._place(flow)
        return f"<sip:{escape_user(user)}@{place.host}>" if user else place.contact

    def tell(self, outcome: EndpointOutcome) -> None:
        """Report news to the outside."""
        self.outcomes.append(outcome)
        self.told.append(outcome)

    def transmit(self, data: bytes, flow: Flow) -> None:
        """Send octets as they are."""
        self.outcomes.append(Transmit(data, flow))

    def send(self, request: SipRequest, flow: Flow, now: int) -> TransactionId:
        """Send a request with a transaction of its own."""
        self.count(f"out {request.method}", flow)
        transaction_id, transmits = self.transactions.send(request, flow, now)
        self.outcomes += transmits
        return transaction_id

    def respond(
        self,
        transaction_id: TransactionId,
        request: SipRequest,
        flow: Flow,
        status: int,
        now: int,
        *,
        to_tag: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> SipResponse:
        """Answer within a transaction."""
        if not to_tag and not request.to.tag:
            to_tag = self.stateless_tag(request)
        response = build_response(request, status, source=flow.remote, to_tag=to_tag, headers=headers, body=body)
        self.count(f"out {status}", flow)
        self.outcomes += self.transactions.respond(transaction_id, response, now)
        return response

    def answer_once(
        self,
        arrived: RequestArrived,
        status: int,
        now: int,
        *,
        to_tag: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> None:
        """Serve a request at once within a transaction, so that its retransmission gets the same answer."""
        back = answer_flow(arrived.request, arrived.flow)
        transaction_id = self.transactions.open_server(arrived.request, back, arrived.server_id)
        self.respond(
            transaction_id, arrived.request, arrived.flow, status, now, to_tag=to_tag, headers=headers, body=body
        )

    def reply(
        self,
        request: SipRequest,
        flow: Flow,
        status: int,
        *,
        reason: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Answer statelessly: nothing is remembered, a retransmission is simply answered again (section 8.2.7)."""
        if request.method == "ACK":
            return
        tag = self.stateless_tag(request)
        data = bytes(build_response(request, status, reason, source=flow.remote, to_tag=tag, headers=headers))
        if len(data) > self.allowance:
            data = bytes(build_response(request, status, "", source=flow.remote, to_tag=tag, headers=needed(headers)))
        self._send_answer(data, status, flow, answer_flow(request, flow))

    def _send_answer(self, data: bytes, status: int, flow: Flow, back: Flow) -> None:
        if len(data) > self.allowance:
            self.counts["dropped amplification"] += 1
            return
        self.count(f"out {status}", flow)
        self.outcomes.append(Transmit(data, back))

    def reply_to_source(self, request: SipRequest, flow: Flow, status: int, reason: str) -> None:
        """Answer a request whose Via cannot be read, to where it came from, its headers copied as they are."""
        data = bytes(build_response(request, status, reason, to_tag=self.stateless_tag(request)))
        self._send_answer(data, status, flow, flow)

    def stateless_tag(self, request: SipRequest) -> str:
        """A To tag that is the same for every retransmission and that nobody else can foretell."""
        return self.stateless_name(
            "\0".join((request.get("call-id") or "", request.get("from") or "", request.get("cseq") or ""))
        )

    def stateless_name(self, text: str) -> str:
        """A name for this text that nobody else can foretell, the same until we start again."""
        return hashlib.blake2b(
            text.encode("utf-8", "surrogateescape"), key=self._tag_key[:64], digest_size=8
        ).hexdigest()


def answer_flow(request: SipRequest, flow: Flow) -> Flow:
    """The flow responses to a request go back on."""
    return flow if flow.is_reliable else way_back(request.via, flow)


def way_back(via: Via, flow: Flow) -> Flow:
    """Where the response to a request with this top Via goes. Always the address it came from: nobody else can be made
    a target.

    The port is the source's too, but for a peer that names the address it sends from, does not ask for ``rport``, and
    listens on another port (RFC 3261 section 18.2.2).
    """
    if flow.is_reliable or via.host != flow.remote[0] or via.asks_port:
        return flow
    address: Address = (flow.remote[0], via.port or 5060)
    return flow if address == flow.remote else Flow(flow.transport, address, flow.channel)


def reason_header(cause: int, text: str, protocol: str = "SIP") -> str:
    """A Reason value (RFC 3326)."""
    return f'{protocol};cause={cause};text="{check_clean(text, "reason")}"'


REASON_ELSEWHERE: Mapping[str, str] = {"Reason": reason_header(200, "Call completed elsewhere")}


def sdp_of(message: SipMessage) -> str:
    """The session description a message carries, empty when there is none."""
    return message.body_text if message.body and message.content_type == SDP else ""


def reason_of(message: SipMessage) -> str:
    """The far end's Reason (RFC 3326), fit for people."""
    return clean_text(message.get("reason") or "")
