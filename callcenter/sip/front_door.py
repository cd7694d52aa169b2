"""The exchange's door: who may come in, and how much of it. Pure.

In this order: a phone registered over this very flow, by its digest; a trunk, by its source address; anybody else is
asked for a digest and gets the same answers whether the name exists or not.
"""

from collections.abc import Callable, Sequence

from callcenter.calls.legs import Party
from callcenter.sip.addresses import NameAddress, party_of
from callcenter.sip.admission import Admission, AdmissionLimits, Load, retry_after
from callcenter.sip.callers import caller_of, diversions_of, is_own
from callcenter.sip.defence import Defence
from callcenter.sip.digest import DigestGuard, Verdict
from callcenter.sip.doors import Admitted, Refused, not_acceptable
from callcenter.sip.flows import Address, Flow, Transmit
from callcenter.sip.grammar import clean_text
from callcenter.sip.messages import SipRequest
from callcenter.sip.numbering import NumberingRules
from callcenter.sip.registered_phones import RegisteredPhones
from callcenter.sip.settings import Credentials, SipSettings
from callcenter.sip.shedding import INVITE, called_user, is_ack_of_shed, shed
from callcenter.sip.throttle import GuessLimit
from callcenter.sip.trunks import Trunk, trunk_of
from callcenter.sip.wire import AMPLIFICATION, UNLIMITED, EndpointOutcome, Wire, way_back

MAX_KNOWN_ADDRESSES = 4_096
LONGEST_EMERGENCY = 6
"""Digits; longer numbers are not asked about."""


class FrontDoor:
    """Judges strangers, phones and trunks; implements ``doors.Door``."""

    def __init__(
        self,
        wire: Wire,
        settings: SipSettings,
        directory: Credentials,
        phones: RegisteredPhones,
        trunks: Sequence[Trunk],
        secret: bytes,
        rules: NumberingRules | None,
    ) -> None:
        self._wire = wire
        self._directory = directory
        self._phones = phones
        self._trunks = tuple(trunks)
        self._rules = rules
        self.admitting = True
        """When false, a new INVITE is answered 503 with Retry-After, statelessly."""
        self.load: Callable[[], Load] = Load
        """How late the loop runs and how long the queues are."""
        self.leg_count: Callable[[], int] = lambda: 0
        self.gateway_of: Callable[[Address], str] = lambda _: ""
        """The trunk whose gateway an address is, empty for none."""
        self._admission = Admission(AdmissionLimits(settings.max_lag_ms, settings.max_legs, settings.max_queue_depth))
        self._defence = Defence(settings.defence)
        self._guard = DigestGuard(
            settings.realm,
            secret,
            offer=settings.algorithms,
            lifetime_ms=settings.nonce_lifetime_ms,
            require_qop=settings.require_qop,
        )
        self._guesses = GuessLimit()
        self._trunk_by_address: dict[Address, Trunk | None] = {}
        self._names: dict[Address, str] = {}
        self._shedding = False

    @property
    def overloaded(self) -> bool:
        """Whether new calls are refused for the load there is."""
        return self._admission.overloaded

    @property
    def sources(self) -> int:
        """How many strangers are remembered."""
        return len(self._defence)

    # Before a message is read.

    def keeps_out(self, data: bytes, flow: Flow, now: int) -> list[EndpointOutcome] | None:
        """What is said, nothing perhaps, to a message that is not to be read; ``None`` lets it in."""
        self._wire.allowance = UNLIMITED
        if not self.trunk_named(flow.remote) and self._phones.owner_of(flow, now) is None:
            if not flow.is_reliable:
                self._wire.allowance = AMPLIFICATION * len(data) - 1
            fault = self._defence.admits(flow.remote[0], data, now)
            if fault:
                self._wire.counts[f"dropped {fault}"] += 1
                return []
        return self._shed(data, flow) if self._shedding else None

    def _shed(self, data: bytes, flow: Flow) -> list[EndpointOutcome] | None:
        """While overloaded: refuse a new call at the least cost; ``None`` for what must be read."""
        if is_ack_of_shed(data):
            return []
        if not data.startswith(INVITE) or self.has_room():
            return None
        user = called_user(data)
        if user is None or self._is_emergency(user):
            return None
        token = self._wire.new_token()
        refusal = shed(data, flow, token[:12], retry_after(token))
        if refusal is None or self._wire.transactions.serves_invite(refusal[1]):
            return None
        self._wire.count("in INVITE", flow)
        self._wire.count("out 503", flow)
        return [Transmit(refusal[0], way_back(refusal[1], flow))]

    def trunk_at(self, address: Address) -> Trunk | None:
        """The trunk that owns an address. Remembered, for each message asks; forged sources fill a bounded memory."""
        known = self._trunk_by_address
        if address in known:
            return known[address]
        if len(known) >= MAX_KNOWN_ADDRESSES:
            known.clear()
        trunk = known[address] = trunk_of(self._trunks, address)
        return trunk

    def trunk_named(self, address: Address) -> str:
        """The trunk at an address, by name, be it that only our calls go there; empty for none."""
        name = self._names.get(address)
        if name is None:
            trunk = self.trunk_at(address)
            name = trunk.trunk_id if trunk is not None else self.gateway_of(address)
            if len(self._names) >= MAX_KNOWN_ADDRESSES:
                self._names.clear()
            self._names[address] = name
        return name

    def forget_names(self) -> None:
        """The gateways changed."""
        self._names.clear()

    # Room.

    def has_room(self) -> bool:
        """Whether a new call is taken."""
        room = self.admitting and self._admission.judge(self.load(), self.leg_count())
        # Once nothing is shed any more, the ACKs of what was still come for a while; they are read and dropped.
        self._shedding = not room
        return room

    def busy(self) -> tuple[str, str]:
        """The Retry-After of a 503."""
        return "Retry-After", str(retry_after(self._wire.new_token()))

    def _is_emergency(self, user: str) -> bool:
        return self._rules is not None and len(user) <= LONGEST_EMERGENCY and self._rules.is_emergency(user)

    # Who it is.

    def admit(self, request: SipRequest, flow: Flow, now: int) -> Admitted | Refused:
        """Judge a new INVITE."""
        if not self.has_room() and not self._is_emergency(request.uri.username):
            return Refused(503, (self.busy(),))
        called = party_of(NameAddress(request.uri, request.to.display_name))
        trunk = self.trunk_at(flow.remote)
        if trunk is not None and self._phones.owner_of(flow, now) is None:
            if why := trunk.media.refusal(request.body_text, flow):
                return not_acceptable(why)
            caller, asserted = caller_of(request, trusted=trunk.trust_identity)
            earlier = diversions_of(request)
            return Admitted(trunk.trunk_id, None, caller, called, earlier, asserted, media=trunk.media)
        username = self.authenticated(request, flow, now)
        if isinstance(username, Refused):
            return username
        agent_id = self._directory.agent_of(username)
        if agent_id is None or not is_own(request.from_.uri, username) or not self._phones.reachable(agent_id, now):
            return Refused(403)
        media = self._directory.media_rule(agent_id)
        if why := media.refusal(request.body_text, flow):
            return not_acceptable(why)
        caller = Party(username, clean_text(request.from_.display_name))
        return Admitted(None, agent_id, caller, called, media=media)

    def agent_of(self, request: SipRequest, flow: Flow, now: int) -> str | Refused:
        """The agent a request outside dialogs comes from."""
        username = self.authenticated(request, flow, now)
        if isinstance(username, Refused):
            return username
        agent_id = self._directory.agent_of(username)
        return Refused(403) if agent_id is None or not is_own(request.from_.uri, username) else agent_id

    def authenticated(self, request: SipRequest, flow: Flow, now: int) -> str | Refused:
        """The user name that a request's digest proves, else a challenge."""
        peer = flow.remote[0]
        # A registered phone has guesses of its own: whoever shares its address cannot use them up.
        stranger = self._phones.owner_of(flow, now) is None
        guesser = peer if stranger else f"{peer} {flow.remote[1]}"
        values = request.values("authorization") if self._guesses.allows(guesser, now) else ()
        checked = self._guard.check(values, request.method, request.body, self._directory.ha1, now, peer=peer)
        if checked.verdict is Verdict.GRANTED:
            return checked.username
        if checked.verdict is Verdict.DENIED:
            self._guesses.failed(guesser, now)
            if stranger and not self._guesses.allows(peer, now):
                self._defence.ban(peer, now)
                self._wire.counts["bans"] += 1
        salt = bytes.fromhex(self._wire.new_token())[:8]
        challenges = self._guard.challenges(now, salt, peer, stale=checked.verdict is Verdict.STALE)
        return Refused(401, tuple(("WWW-Authenticate", value) for value in challenges))
