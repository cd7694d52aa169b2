"""Calls out through trunks: which gateway is tried, when the next one is, and how trunks are kept under watch. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from callcenter.calls.legs import LegRefused, Party
from callcenter.ports import Allowed, TrunkPolicy
from callcenter.sip.addresses import NameAddress, party_of
from callcenter.sip.attempts import Attempt, Login
from callcenter.sip.call_caps import CallCaps
from callcenter.sip.flows import Address, Flow, Transport
from callcenter.sip.grammar import clean_text
from callcenter.sip.legs import Leg, Legs, LegState
from callcenter.sip.messages import SipResponse, build_request
from callcenter.sip.outbound import OutboundLegs, Target
from callcenter.sip.requests import Requests, Sent
from callcenter.sip.trunks import FAILOVER_STATUSES, Trunk, TrunkState
from callcenter.sip.uri import Uri, escape_user
from callcenter.sip.wire import TrunkChanged, Wire

WITHHELD = "anonymous"
"""The user part of a caller who does not want to be shown (RFC 3323 section 4.1.1.3)."""
MAX_UDP_REQUEST = 1_300
"""Octets: a larger request goes by TCP where that works (RFC 3261 section 18.1.1)."""
REQUEST_OVERHEAD = 900
"""Octets of an INVITE besides its body, generously."""
REGISTER_RETRY_MS = 30_000
REGISTER, OPTIONS = "trunk_register", "trunk_options"
"""Purposes of the requests that keep trunks under watch."""


@dataclass(slots=True)
class Dial:
    """One call on its way out."""

    leg_id: str
    number: str
    caller: Party
    sdp: str
    candidates: list[tuple[str, Flow]]
    """Trunks and gateways still to be tried."""
    policy: TrunkPolicy
    headers: tuple[tuple[str, str], ...] = ()
    redirects: int = 0
    """How often it was sent on to another number."""
    trunk_id: str = ""
    current: Attempt | None = None
    tried: list[str] = field(default_factory=list)


class Dialling:
    """Every call out and every trunk it may take."""

    def __init__(
        self,
        wire: Wire,
        legs: Legs,
        outbound: OutboundLegs,
        requests: Requests,
        trunks: Sequence[Trunk],
        caps: CallCaps | None = None,
    ) -> None:
        self._caps = CallCaps() if caps is None else caps
        self._wire = wire
        self._legs = legs
        self._outbound = outbound
        self._requests = requests
        self._trunks = {trunk.trunk_id: TrunkState(trunk) for trunk in trunks if trunk.gateway}
        self._dials: dict[str, Dial] = {}
        self._gateways: dict[Address, str] = {}
        self._cseq = 0

    def states(self) -> Mapping[str, TrunkState]:
        """The trunks that take calls of ours."""
        return self._trunks

    def gateway_of(self, address: Address) -> str:
        """The trunk whose gateway this address is, empty for none."""
        return self._gateways.get(address, "")

    # Calls.

    def dial(self, leg_id: str, number: str, policy: TrunkPolicy, caller: Party, sdp: str, now: int) -> None:
        """Call a number through the first trunk of the policy that works, the healthy ones first."""
        if not self._begin(Dial(leg_id, number, caller, sdp, [], policy), now):
            self._wire.tell(LegRefused(leg_id, 503, "No trunk"))

    def _begin(self, dial: Dial, now: int) -> bool:
        policy, sdp = dial.policy, dial.sdp
        known = [self._trunks[name] for name in policy.trunk_ids if name in self._trunks]
        ordered = sorted(known, key=lambda state: not state.is_healthy(now))
        dial.candidates = [(state.trunk.trunk_id, flow) for state in ordered for flow in self._flows(state, sdp)]
        self._dials[dial.leg_id] = dial
        self._caps.dialled(policy.booking)
        if self._try_next(dial, now):
            return True
        self._caps.over(policy.booking)
        del self._dials[dial.leg_id]
        return False

    def of_leg(self, leg_id: str) -> Dial | None:
        """The call out that a leg is."""
        return self._dials.get(leg_id)

    def redirect(self, leg: Leg, allowed: Allowed, headers: tuple[tuple[str, str], ...], now: int) -> bool:
        """Call another number for a leg whose far end sent it on; tells whether a trunk took it."""
        before = self._dials.get(leg.leg_id)
        first = leg.attempts[0].request
        caller = before.caller if before is not None else party_of(first.from_)
        redirects = before.redirects + 1 if before is not None else 1
        policy = replace(allowed.policy, max_forwards=first.max_forwards - 1)
        if before is not None:
            self._leave(before)
        return self._begin(Dial(leg.leg_id, allowed.e164, caller, leg.local_sdp, [], policy, headers, redirects), now)

    def give_back(self, leg_id: str) -> None:
        """The place a call took is free: its far end sends it on, and the new number is counted for itself."""
        dial = self._dials.get(leg_id)
        if dial is not None:
            self._caps.over(dial.policy.booking)

    @staticmethod
    def _flows(state: TrunkState, sdp: str) -> list[Flow]:
        flows: list[Flow] = []
        for flow in state.flows:
            if flow.transport is Transport.UDP and len(sdp) + REQUEST_OVERHEAD > MAX_UDP_REQUEST:
                flows.append(Flow(Transport.TCP, flow.remote))
            flows.append(flow)
        return flows

    def _try_next(self, dial: Dial, now: int) -> bool:
        while dial.candidates:
            trunk_id, flow = dial.candidates.pop(0)
            state = self._trunks[trunk_id]
            allowed = not dial.sdp or state.trunk.media.offers(dial.sdp, flow)
            if not allowed or (trunk_id != dial.trunk_id and not state.has_room(now)):
                continue
            self._leave(dial)
            dial.trunk_id = trunk_id
            dial.tried.append(trunk_id)
            state.calls.add(dial.leg_id)
            self._start(dial, state.trunk, flow, now)
            return True
        return False

    def _start(self, dial: Dial, trunk: Trunk, flow: Flow, now: int) -> None:
        number = escape_user(clean_text(dial.number))
        media = trunk.media if dial.sdp else None
        target = Target(str(Uri("sip", number, trunk.host, params=(("user", "phone"),))), flow, media=media)
        caller, headers = _shown_caller(trunk, dial.caller)
        login = Login(trunk.username, trunk.password) if trunk.username else None
        dial.current = self._outbound.begin(
            dial.leg_id,
            target,
            from_=str(caller),
            to=str(NameAddress(Uri("sip", number, trunk.host))),
            sdp=dial.sdp,
            headers=(*headers, *dial.headers),
            login=login,
            now=now,
            max_forwards=dial.policy.max_forwards,
        )
        self._wire.alarms.set(("dial", dial.leg_id, ""), now + dial.policy.silence_ms)

    def went_on(self, leg: Leg, before: Attempt, after: Attempt) -> None:
        """An attempt was made again with credentials."""
        dial = self._dials.get(leg.leg_id)
        if dial is not None and dial.current is before:
            dial.current = after

    def take_refusal(self, leg: Leg, attempt: Attempt, response: SipResponse | None, now: int) -> bool:
        """A gateway refused; tells whether another is tried. What says something of the number is final."""
        dial = self._dials.get(leg.leg_id)
        if dial is None or dial.current is not attempt:
            return False
        status = response.status if response is not None else 408
        if leg.state is not LegState.CALLING or status not in FAILOVER_STATUSES:
            self._judge(dial.trunk_id, alive=True, now=now)
            return False
        retry_after = _retry_after(response) if status == 503 else 0
        self._judge(dial.trunk_id, alive=False, now=now, retry_after=retry_after)
        return self._try_next(dial, now)

    def too_quiet(self, leg_id: str, now: int) -> None:
        """Nothing at all came back in time: leave this gateway, and clear away what it may still say."""
        dial, leg = self._dials.get(leg_id), self._legs.get(leg_id)
        if dial is None or leg is None or dial.current is None or dial.current.heard or not dial.candidates:
            return
        before = dial.current
        self._judge(dial.trunk_id, alive=False, now=now)
        if self._try_next(dial, now):
            self._outbound.withdraw(before, now)

    def happened(self, leg_id: str, *, over: bool, now: int) -> None:
        """A call out rings, is answered, or is over."""
        dial = self._dials.get(leg_id)
        if dial is None:
            return
        if not over:
            self._judge(dial.trunk_id, alive=True, now=now)
            self._wire.alarms.cancel(("dial", leg_id, ""))
            return
        self._wire.alarms.cancel(("dial", leg_id, ""))
        self._leave(dial)
        self._caps.over(dial.policy.booking)
        del self._dials[leg_id]

    def _leave(self, dial: Dial) -> None:
        if dial.trunk_id:
            self._trunks[dial.trunk_id].calls.discard(dial.leg_id)

    # Watching the trunks.

    def found(self, trunk_id: str, flows: Sequence[Flow], now: int) -> None:
        """DNS says where a trunk's gateways are; what is under watch starts at once."""
        state = self._trunks.get(trunk_id)
        if state is None:
            return
        first = not state.flows
        state.flows = tuple(flows) or state.flows
        self._gateways |= {flow.remote: trunk_id for flow in flows}
        if first and state.flows:
            if state.trunk.registers:
                self._register(state, now)
            if state.trunk.options_seconds:
                self._ask(state, now)

    def alarm(self, trunk_id: str, name: str, now: int) -> None:
        """It is time to ask again, or to register again."""
        state = self._trunks.get(trunk_id)
        if state is not None:
            (self._register if name == "register" else self._ask)(state, now)

    def _ask(self, state: TrunkState, now: int) -> None:
        self._send(state, "OPTIONS", Uri("sip", "", state.trunk.host), (), OPTIONS, now)
        self._wire.alarms.set(("trunk", state.trunk.trunk_id, "options"), now + state.trunk.options_seconds * 1_000)

    def _register(self, state: TrunkState, now: int) -> None:
        contact = self._wire.contact(state.flows[0], state.trunk.username)
        headers = (("Contact", contact), ("Expires", str(state.trunk.register_seconds)))
        self._send(state, "REGISTER", Uri("sip", "", state.trunk.host), headers, REGISTER, now)
        self._wire.alarms.set(("trunk", state.trunk.trunk_id, "register"), now + REGISTER_RETRY_MS)

    def _send(
        self, state: TrunkState, method: str, uri: Uri, headers: tuple[tuple[str, str], ...], purpose: str, now: int
    ) -> None:
        trunk, flow = state.trunk, state.flows[0]
        self._cseq += 4
        own = str(NameAddress(Uri("sip", escape_user(trunk.username or self._wire.identity.user), trunk.host)))
        fixed = (
            ("Via", self._wire.via(flow)),
            ("Max-Forwards", "70"),
            ("From", f"{own};tag={self._wire.new_token()}"),
            ("To", own if method == "REGISTER" else str(NameAddress(uri))),
            ("Call-ID", f"{method.lower()}-{trunk.trunk_id}-{self._wire.stateless_name(trunk.trunk_id)}"),
            ("CSeq", f"{self._cseq} {method}"),
        )
        request = build_request(method, str(uri), (*fixed, *headers))
        login = Login(trunk.username, trunk.password) if trunk.username else None
        self._requests.send(request, flow, "", now, trunk.trunk_id, purpose, login)

    def answered(self, sent: Sent, response: SipResponse | None, now: int) -> None:
        """The end of a request that watches a trunk. Whatever is said shows life, but 503 and 408 (RFC 3261 21.5.4)."""
        state = self._trunks.get(sent.leg_id)
        if state is None:
            return
        status = response.status if response is not None else 408
        self._judge(sent.leg_id, alive=status not in {408, 503}, now=now)
        if sent.purpose == REGISTER and response is not None:
            state.registered = status < 300
            if state.registered:
                seconds = max(20, min((_granted(response) or state.trunk.register_seconds), 3_600))
                self._wire.alarms.set(("trunk", sent.leg_id, "register"), now + seconds * 500)
        elif sent.purpose == REGISTER:
            state.registered = False

    def _judge(self, trunk_id: str, *, alive: bool, now: int, retry_after: int = 0) -> None:
        state = self._trunks[trunk_id]
        changed = state.succeeded() if alive else state.failed(now, retry_after)
        if not alive and len(state.flows) > 1:
            state.flows = (*state.flows[1:], state.flows[0])
        if changed:
            self._wire.tell(TrunkChanged(trunk_id, alive))


def _shown_caller(trunk: Trunk, caller: Party) -> tuple[NameAddress, tuple[tuple[str, str], ...]]:
    """From, and what asserts the caller to the carrier (RFC 3325); a withheld caller is asserted, but not shown.

    A call of the house itself has no number of its own and shows the trunk's.
    """
    withheld = caller.number.lower() == WITHHELD
    number = escape_user(clean_text(trunk.shown("" if withheld else clean_text(caller.number))))
    own = NameAddress(Uri("sip", number, trunk.host), clean_text(caller.display_name))
    asserted = (("P-Asserted-Identity", str(own)),) if number else ()
    if number and not withheld:
        return own, asserted
    anonymous = NameAddress(Uri("sip", "anonymous", "anonymous.invalid"), "Anonymous")
    return anonymous, (*asserted, ("Privacy", "id"))


def _retry_after(response: SipResponse | None) -> int:
    value = (response.get("retry-after") or "") if response is not None else ""
    digits = value.partition(";")[0].partition("(")[0].strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else 0


def _granted(response: SipResponse) -> int | None:
    contacts = response.contacts
    text = (contacts[0].param("expires") if contacts else None) or response.get("expires") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
