"""A soft phone: the client role on the same layers, for demonstrations and tests. It carries SDP, no audio.

A phone registers and is rung; without ``register`` it plays a carrier's trunk, recognised by the address it sends from.
"""

import asyncio
import ssl
from collections.abc import Callable

from callcenter.calls.legs import (
    EndCause,
    LegAnswered,
    LegEarlyMedia,
    LegEnded,
    LegEvent,
    LegOffered,
    LegRefused,
    LegReoffered,
    LegRinging,
    Party,
)
from callcenter.clock import SystemClock
from callcenter.errors import RemoteSipError
from callcenter.ports import Clock
from callcenter.sip.addresses import NameAddress, party_of
from callcenter.sip.attempts import Login
from callcenter.sip.doors import Admitted, Refused
from callcenter.sip.endpoint import Endpoint
from callcenter.sip.flows import Address, Flow, Transport
from callcenter.sip.messages import REASONS, SipRequest, SipResponse
from callcenter.sip.outbound import Target
from callcenter.sip.station import Station, Tap
from callcenter.sip.uri import Uri, escape_user
from callcenter.sip.user_agent import new_token
from callcenter.sip.wire import EndpointOutcome, Identity, NewToken, ReferProgress, Replied

REFUSAL_CAUSES = {408: EndCause.TIMEOUT, 480: EndCause.NO_ANSWER, 486: EndCause.BUSY, 487: EndCause.CANCELLED}
CSEQ_STEP = 4
"""CSeq numbers left free for repeating a REGISTER with credentials."""


class CallRefused(RemoteSipError):
    """The call was not answered: ``status`` says why, 408 for silence."""

    code = "call-refused"


class RegistrationRefused(RemoteSipError):
    """The registrar said no, or nothing (408)."""

    code = "registration-refused"


class PhoneEndpoint(Endpoint):
    """The phone's endpoint: lets its own server ring it and nobody else. Pure."""

    def __init__(self, identity: Identity, server: Address, login: Login | None, new_token: NewToken) -> None:
        super().__init__(identity, self, new_token, login)
        self._server = server

    def admit(self, request: SipRequest, flow: Flow, now: int) -> Admitted | Refused:
        """Judge a new INVITE: it must come from the server."""
        del now
        if flow.remote[0] != self._server[0]:
            return Refused(403)
        called = party_of(NameAddress(request.uri, request.to.display_name))
        return Admitted(None, None, party_of(request.from_), called)


class PhoneCall:
    """One call of a soft phone, either way."""

    def __init__(self, phone: "SoftPhone", leg_id: str, caller: Party, called: Party, sdp: str = "") -> None:
        self._phone = phone
        self._answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ended: asyncio.Future[EndCause] = asyncio.get_running_loop().create_future()
        # A caller who does not ask how it went has lost nothing.
        self._answered.add_done_callback(lambda future: future.cancelled() or future.exception())
        self.leg_id = leg_id
        self.caller = caller
        self.called = called
        self.sdp = sdp
        """The far end's description: its offer when it calls, its answer once it answered, its latest re-offer."""
        self.own_sdp = ""
        self.ringing = asyncio.Event()
        self.early = asyncio.Event()
        """Set when the far end sounds before it answers."""
        self.transferred: asyncio.Future[int] | None = None
        self.cancelled = asyncio.Event()
        """Set when the caller gave up before the answer."""
        self.on_reoffer: Callable[[str], str] | None = None
        """Called with a re-offer, returns our answer; without it the last description is repeated."""

    def ring(self) -> None:
        """Say that the phone rings."""
        self._phone.perform_ring(self.leg_id)

    def progress(self, sdp: str) -> None:
        """Let the caller of an incoming call hear something before the answer."""
        self._phone.perform_progress(self.leg_id, sdp)

    def answer(self, sdp: str) -> None:
        """Answer an incoming call."""
        self.own_sdp = sdp
        self._phone.perform_answer(self.leg_id, sdp)

    def refuse(self, status: int = 486) -> None:
        """Refuse an incoming call."""
        self._phone.perform_refuse(self.leg_id, status)

    async def answered(self) -> str:
        """Wait for the far end's answer and return its SDP. Raises ``CallRefused``."""
        return await asyncio.shield(self._answered)

    async def hang_up(self) -> None:
        """End the call in whatever state it is, and return once that is known."""
        self._phone.perform_end(self.leg_id)
        await self.ended()

    async def ended(self) -> EndCause:
        """Wait for the end of the call and return its cause."""
        return await asyncio.shield(self._ended)

    async def reoffer(self, sdp: str) -> str:
        """Send a re-INVITE (hold, resume) and return the far end's answer. Raises ``CallRefused``."""
        response = await self._phone.ask(lambda token, now: self._phone.endpoint.reoffer(self.leg_id, sdp, token, now))
        if response is None or response.status >= 300:
            status = response.status if response is not None else 408
            raise CallRefused(status, REASONS.get(status, "Refused"))
        self.own_sdp = sdp
        return response.body_text

    async def transfer(self, number: str, replaced: "PhoneCall | None" = None) -> int:
        """Transfer the far end to a number, in place of another call of this phone's if given; the final status.

        Raises ``CallRefused`` when the far end does not take the REFER.
        """
        self.transferred = asyncio.get_running_loop().create_future()
        await self._phone.send_refer(self.leg_id, number, replaced.leg_id if replaced is not None else None)
        return await self.transferred

    def send_info_digit(self, digit: str) -> None:
        """Send a digit by SIP INFO."""
        self._phone.perform_digit(self.leg_id, digit)

    def take(self, event: LegEvent) -> None:
        """Take a leg event of this call."""
        if isinstance(event, LegRinging):
            self.ringing.set()
        elif isinstance(event, LegEarlyMedia):
            self.sdp = event.sdp
            self.early.set()
        elif isinstance(event, LegAnswered):
            self.sdp = event.sdp
            if not self._answered.done():
                self._answered.set_result(event.sdp)
        elif isinstance(event, LegRefused):
            if not self._answered.done():
                self._answered.set_exception(CallRefused(event.status, event.reason))
            self._finish(REFUSAL_CAUSES.get(event.status, EndCause.REJECTED))
        elif isinstance(event, LegReoffered):
            self.sdp = event.sdp or self.sdp
            answer = self.on_reoffer(event.sdp) if self.on_reoffer is not None else self.own_sdp
            self._phone.perform_accept(self.leg_id, answer)
        elif isinstance(event, LegEnded):
            if event.cause is EndCause.CANCELLED:
                self.cancelled.set()
            self._finish(event.cause)

    def _finish(self, cause: EndCause) -> None:
        if not self._ended.done():
            self._ended.set_result(cause)


class SoftPhone:
    """A phone. Incoming calls go to ``on_call`` when given, else they wait for ``next_call``.

    ``transport`` may be UDP, TCP or TLS; ``tls`` says whose certificates it believes.
    """

    def __init__(
        self,
        *,
        host: str,
        server: Address,
        username: str,
        password: str = "",
        display_name: str = "",
        port: int = 0,
        transport: Transport = Transport.UDP,
        clock: Clock | None = None,
        on_call: Callable[[PhoneCall], None] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._server = server
        self._username = username
        self._display_name = display_name
        self._transport = transport
        self._on_call = on_call
        self._calls: dict[str, PhoneCall] = {}
        self._incoming: asyncio.Queue[PhoneCall] = asyncio.Queue()
        self._replies: dict[str, asyncio.Future[SipResponse | None]] = {}
        self._register_call_id = new_token()
        self._cseq = 1
        self._registering: asyncio.Task[None] | None = None
        login = Login(username, password) if password else None
        self.endpoint = PhoneEndpoint(Identity(host, port, username), server, login, new_token)
        self._station = Station(clock or SystemClock(), self.endpoint, self._deliver, calling=tls)

    @property
    def port(self) -> int:
        """The port in use, once started."""
        return self._port

    @property
    def _flow(self) -> Flow:
        return Flow(self._transport, self._server)

    async def start(self) -> None:
        """Bind the socket. Raises ``OSError``."""
        listens = Transport.UDP if self._transport is Transport.UDP else Transport.TCP
        self._port = await self._station.start((self._host,), self._port, (listens,))
        self.endpoint.wire.identity = Identity(self._host, self._port, self._username)

    def tap(self, tap: Tap) -> None:
        """Let ``tap`` see every message that comes or goes."""
        self._station.tap = tap

    async def stop(self) -> None:
        """Hang up, stop registering (without saying so) and close."""
        if self._registering is not None:
            self._registering.cancel()
            await asyncio.gather(self._registering, return_exceptions=True)
        self._station.perform(self.endpoint.end_all(EndCause.SHUTDOWN, self._station.now()))
        await self._station.stop(within_seconds=1.0)
        for future in self._replies.values():
            future.cancel()

    async def register(self, expires: int = 300) -> None:
        """Register, and again each half of ``expires`` seconds; 0 unregisters. Raises ``RegistrationRefused``."""
        granted = await self._register_once(expires)
        if self._registering is not None:
            self._registering.cancel()
            self._registering = None
        if expires:
            self._registering = asyncio.create_task(self._keep_registered(expires, granted), name="phone-register")

    async def _register_once(self, expires: int) -> int:
        own = NameAddress(Uri("sip", escape_user(self._username), self._server[0]), self._display_name)
        cseq, self._cseq = self._cseq, self._cseq + CSEQ_STEP
        headers = (("Contact", self.endpoint.wire.contact(self._flow)), ("Expires", str(expires)))
        response = await self.ask(
            lambda token, now: self.endpoint.send(
                "REGISTER",
                str(Uri("sip", "", self._server[0], self._server[1])),
                self._flow,
                token,
                now,
                from_=str(own),
                to=str(own),
                call_id=self._register_call_id,
                cseq=cseq,
                headers=headers,
            )
        )
        if response is None or response.status >= 300:
            status = response.status if response is not None else 408
            raise RegistrationRefused(status, REASONS.get(status, "Refused"))
        mine = [c for c in response.contacts if c.uri.port == self._port and c.uri.host == self._host]
        return int((mine[0].param("expires") if mine else "") or expires)

    async def _keep_registered(self, expires: int, granted: int) -> None:
        while True:
            await asyncio.sleep(max(1, granted) / 2)
            try:
                granted = await self._register_once(expires)
            except RegistrationRefused:
                granted = min(expires, 10)

    async def call(self, number: str, sdp: str, *, caller: Party | None = None, diverted_from: str = "") -> PhoneCall:
        """Call a number. ``caller`` is what a trunk shows as calling party; a phone shows itself. ``diverted_from``:
        the number that forwarded the call to this one (RFC 5806)."""
        shown = caller or Party(self._username, self._display_name)
        host, port = self._server
        from_ = NameAddress(Uri("sip", escape_user(shown.number) or "anonymous", self._host), shown.display_name)
        target = Uri("sip", escape_user(number), host, port)
        forwarder = NameAddress(Uri("sip", escape_user(diverted_from), self._host))
        headers = (("Diversion", f"{forwarder};reason=unconditional"),) if diverted_from else ()
        call = PhoneCall(self, new_token(), shown, Party(number))
        call.own_sdp = sdp
        self._calls[call.leg_id] = call
        self._station.perform(
            self.endpoint.invite(
                call.leg_id,
                [Target(str(target), self._flow)],
                from_=str(from_),
                to=str(NameAddress(target)),
                sdp=sdp,
                headers=headers,
                now=self._station.now(),
            )
        )
        return call

    async def next_call(self) -> PhoneCall:
        """Wait for the next incoming call."""
        return await self._incoming.get()

    async def ask(self, order: Callable[[str, int], list[EndpointOutcome]]) -> SipResponse | None:
        """Give an order that ends with ``Replied`` and wait for the final response, ``None`` for silence."""
        token = new_token()
        future: asyncio.Future[SipResponse | None] = asyncio.get_running_loop().create_future()
        self._replies[token] = future
        self._station.perform(order(token, self._station.now()))
        try:
            return await future
        finally:
            self._replies.pop(token, None)

    def _deliver(self, outcome: EndpointOutcome) -> None:
        if isinstance(outcome, Replied):
            future = self._replies.get(outcome.token)
            if future is not None and not future.done():
                future.set_result(outcome.response)
        elif isinstance(outcome, ReferProgress):
            asked = self._calls.get(outcome.leg_id)
            if outcome.status >= 200 and asked is not None and asked.transferred is not None:
                asked.transferred.set_result(outcome.status)
        elif isinstance(outcome, LegOffered):
            call = PhoneCall(self, outcome.leg_id, outcome.caller, outcome.called, outcome.sdp)
            self._calls[call.leg_id] = call
            if self._on_call is not None:
                self._on_call(call)
            else:
                self._incoming.put_nowait(call)
        elif isinstance(outcome, LegRinging | LegEarlyMedia | LegAnswered | LegRefused | LegReoffered | LegEnded):
            self._tell_call(outcome)

    def _tell_call(
        self, event: LegRinging | LegEarlyMedia | LegAnswered | LegRefused | LegReoffered | LegEnded
    ) -> None:
        over = isinstance(event, LegRefused | LegEnded)
        call = self._calls.pop(event.leg_id, None) if over else self._calls.get(event.leg_id)
        if call is not None:
            call.take(event)

    # What a call orders.

    async def send_refer(self, leg_id: str, number: str, replaced: str | None) -> None:
        """Send a REFER. Raises ``CallRefused``."""
        target = str(Uri("sip", escape_user(number), *self._server))
        response = await self.ask(lambda token, now: self.endpoint.refer(leg_id, target, token, now, replaced=replaced))
        if response is None or response.status >= 300:
            status = response.status if response is not None else 408
            raise CallRefused(status, REASONS.get(status, "Refused"))

    def perform_ring(self, leg_id: str) -> None:
        """Say 180 on a call."""
        self._station.perform(self.endpoint.ring(leg_id, self._station.now()))

    def perform_progress(self, leg_id: str, sdp: str) -> None:
        """Say 183 with a description on a call."""
        self._station.perform(self.endpoint.progress(leg_id, sdp, self._station.now()))

    def perform_answer(self, leg_id: str, sdp: str) -> None:
        """Say 200 on a call."""
        self._station.perform(self.endpoint.answer(leg_id, sdp, self._station.now()))

    def perform_accept(self, leg_id: str, sdp: str) -> None:
        """Say 200 to a re-INVITE."""
        self._station.perform(self.endpoint.accept_reoffer(leg_id, sdp, self._station.now()))

    def perform_refuse(self, leg_id: str, status: int) -> None:
        """Refuse a call."""
        self._station.perform(self.endpoint.refuse(leg_id, status, self._station.now()))

    def perform_end(self, leg_id: str) -> None:
        """End a call."""
        self._station.perform(self.endpoint.end(leg_id, EndCause.NORMAL, self._station.now()))

    def perform_digit(self, leg_id: str, digit: str) -> None:
        """Send a digit."""
        self._station.perform(self.endpoint.send_digit(leg_id, digit, self._station.now()))
