"""The exchange's endpoint: trunks and registered phones come in, agents' phones are rung. Pure.

Who may come in, in this order: a phone registered over this very flow, by its digest; a trunk, by its source address;
anybody else is asked for a digest and gets the same answers whether the name exists or not.
"""

from collections.abc import Callable, Mapping, Sequence

from callcenter.calls.legs import LegAnswered, LegEnded, LegOffered, LegRefused, LegRinging, Party
from callcenter.ports import Allowed, PhoneTarget, TrunkPolicy
from callcenter.sip.addresses import NameAddress, parse_address, party_of
from callcenter.sip.admission import Admission, AdmissionLimits, Load, retry_after
from callcenter.sip.attempts import Attempt
from callcenter.sip.binding_file import KeptBinding
from callcenter.sip.defence import Defence
from callcenter.sip.dialling import OPTIONS, REGISTER, Dialling
from callcenter.sip.digest import DigestGuard, Verdict
from callcenter.sip.endpoint import Endpoint
from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Address, Flow, Transmit, Transport
from callcenter.sip.grammar import clean_text
from callcenter.sip.inbound import Admitted, Refused
from callcenter.sip.legs import Leg
from callcenter.sip.messages import SipRequest, SipResponse
from callcenter.sip.numbering import NumberingRules
from callcenter.sip.outbound import Sent, Target
from callcenter.sip.redirects import MAX_REDIRECTS, redirect_targets
from callcenter.sip.registrar import Binding, Registrar, TooBrief, render_contacts
from callcenter.sip.settings import Credentials, SipSettings
from callcenter.sip.shedding import INVITE, called_user, is_ack_of_shed, shed
from callcenter.sip.subscriptions import SUBSCRIPTION, Mailbox, ShownLeg, Subscriptions
from callcenter.sip.throttle import GuessLimit
from callcenter.sip.transactions import RequestArrived
from callcenter.sip.trunks import Trunk, TrunkState, trunk_of
from callcenter.sip.uri import Uri, escape_user
from callcenter.sip.wire import (
    ALLOW,
    AMPLIFICATION,
    UNLIMITED,
    EndpointOutcome,
    Identity,
    NewToken,
    PhoneReachable,
    TextArrived,
    way_back,
)

MAX_DIVERSIONS = 10
MAX_KNOWN_ADDRESSES = 4_096
LONGEST_EMERGENCY = 6
"""Digits; longer numbers are not asked about."""
MAX_TEXT = 4_000
"""Characters of a text that are kept."""
LAMPS = {
    LegOffered: "trying",
    LegRinging: "early",
    LegAnswered: "confirmed",
    LegRefused: "terminated",
    LegEnded: "terminated",
}
"""Leg events to the states of RFC 4235."""


class Exchange(Endpoint):
    """The endpoint of the exchange."""

    allow = f"{ALLOW}, REGISTER, SUBSCRIBE, MESSAGE"

    def __init__(
        self,
        identity: Identity,
        settings: SipSettings,
        directory: Credentials,
        trunks: Sequence[Trunk],
        secret: bytes,
        new_token: NewToken,
        rules: NumberingRules | None = None,
    ) -> None:
        super().__init__(identity, self, new_token)
        self.admitting = True
        """When false, a new INVITE is answered 503 with Retry-After, statelessly."""
        self.load: Callable[[], Load] = Load
        """How late the loop runs and how long the queues are; the legs are counted here."""
        self._admission = Admission(AdmissionLimits(settings.max_lag_ms, settings.max_legs, settings.max_queue_depth))
        self._defence = Defence(settings.defence)
        self._settings = settings
        self._directory = directory
        self._trunks = tuple(trunks)
        self._trunk_by_address: dict[Address, Trunk | None] = {}
        self.wire.trunk_named = self._trunk_named
        self._new_token = new_token
        self._guard = DigestGuard(
            settings.realm,
            secret,
            offer=settings.algorithms,
            lifetime_ms=settings.nonce_lifetime_ms,
            require_qop=settings.require_qop,
        )
        self._guesses = GuessLimit()
        self._registrar = Registrar(settings.limits)
        self._addresses: dict[str, set[str]] = {}
        """By agent: the addresses of record that have a binding."""
        self._subscriptions = Subscriptions(self.wire, self._outbound)
        self._dialling = Dialling(
            self.wire, self._legs, self._outbound, self._trunks, rules.caps if rules is not None else None
        )
        self._outbound.on_refusal = self._take_refusal
        self._rules = rules
        self._outbound.on_retry = self._dialling.went_on
        self._agent_of_leg: dict[str, tuple[str, str]] = {}
        """By leg: whose phone it is, and whether the phone called or was rung."""
        self._shedding = False
        self.takes_texts = False
        """Whether MESSAGE is served; without a reader it is refused."""

    # Who may come in.

    def _trunk_at(self, address: Address) -> Trunk | None:
        """The trunk that owns an address. Remembered, for each message asks; forged sources fill a bounded memory."""
        known = self._trunk_by_address
        if address not in known:
            if len(known) >= MAX_KNOWN_ADDRESSES:
                known.clear()
            known[address] = trunk_of(self._trunks, address)
        return known[address]

    def _trunk_named(self, address: Address) -> str:
        trunk = self._trunk_at(address)
        return trunk.trunk_id if trunk is not None else self._dialling.gateway_of(address)

    def receive(self, data: bytes, flow: Flow, now: int) -> list[EndpointOutcome]:
        """Take a message, unless it comes from a stranger who sends too many or is banned: that is dropped unread."""
        self.wire.allowance = UNLIMITED
        if not self._trunk_named(flow.remote) and self._registrar.owner_of(flow, now) is None:
            if not flow.is_reliable:
                self.wire.allowance = AMPLIFICATION * len(data) - 1
            fault = self._defence.admits(flow.remote[0], data, now)
            if fault:
                self.wire.counts[f"dropped {fault}"] += 1
                return []
        if self._shedding:
            refusal = self._shed(data, flow)
            if refusal is not None:
                return refusal
        return super().receive(data, flow, now)

    def _shed(self, data: bytes, flow: Flow) -> list[EndpointOutcome] | None:
        """While overloaded: refuse a new call at the least cost; ``None`` for what must be read."""
        if is_ack_of_shed(data):
            return []
        if not data.startswith(INVITE) or self._has_room():
            return None
        user = called_user(data)
        if user is None or self._is_emergency(user):
            return None
        token = self._new_token()
        refusal = shed(data, flow, token[:12], retry_after(token))
        if refusal is None or self.wire.transactions.serves_invite(refusal[1]):
            return None
        self.wire.count("in INVITE", flow)
        self.wire.count("out 503", flow)
        return [Transmit(refusal[0], way_back(refusal[1], flow))]

    def _has_room(self) -> bool:
        room = self.admitting and self._admission.judge(self.load(), len(self))
        # Once nothing is shed any more, the ACKs of what was still come for a while; they are read and dropped.
        self._shedding = not room
        return room

    def _is_emergency(self, user: str) -> bool:
        return self._rules is not None and len(user) <= LONGEST_EMERGENCY and self._rules.is_emergency(user)

    def admit(self, request: SipRequest, flow: Flow, now: int) -> Admitted | Refused:
        """Judge a new INVITE."""
        if not self._has_room() and not self._is_emergency(request.uri.username):
            return Refused(503, (("Retry-After", str(retry_after(self._new_token()))),))
        called = party_of(NameAddress(request.uri, request.to.display_name))
        trunk = self._trunk_at(flow.remote)
        if trunk is not None and self._registrar.owner_of(flow, now) is None:
            if request.body and not trunk.takes_media(request.body_text):
                return Refused(488, (("Warning", '399 callcenter "Media must be encrypted"'),))
            caller, asserted = _caller(request, trusted=trunk.trust_identity)
            return Admitted(trunk.trunk_id, None, caller, called, diversions_of(request), asserted)
        username = self._authenticated(request, flow, now)
        if isinstance(username, Refused):
            return username
        agent_id = self._directory.agent_of(username)
        if agent_id is None or not _is_own(request.from_.uri, username) or not self.reachable(agent_id, now):
            return Refused(403)
        return Admitted(None, agent_id, Party(username, clean_text(request.from_.display_name)), called)

    def _authenticated(self, request: SipRequest, flow: Flow, now: int) -> str | Refused:
        peer = flow.remote[0]
        # A registered phone has guesses of its own: whoever shares its address cannot use them up.
        stranger = self._registrar.owner_of(flow, now) is None
        guesser = peer if stranger else f"{peer} {flow.remote[1]}"
        values = request.values("authorization") if self._guesses.allows(guesser, now) else ()
        checked = self._guard.check(values, request.method, request.body, self._directory.ha1, now, peer=peer)
        if checked.verdict is Verdict.GRANTED:
            return checked.username
        if checked.verdict is Verdict.DENIED:
            self._guesses.failed(guesser, now)
            if stranger and not self._guesses.allows(peer, now):
                self._defence.ban(peer, now)
                self.wire.counts["bans"] += 1
        salt = bytes.fromhex(self._new_token())[:8]
        challenges = self._guard.challenges(now, salt, peer, stale=checked.verdict is Verdict.STALE)
        return Refused(401, tuple(("WWW-Authenticate", value) for value in challenges))

    # Registration.

    def _register(self, arrived: RequestArrived, now: int) -> None:
        request, flow = arrived.request, arrived.flow
        if not request.to.uri.is_sip or any(not contact.uri.is_sip for contact in request.contacts):
            raise BadMessage(400, "Not a SIP address", request)
        if self._admission.overloaded and self._registrar.owner_of(flow, now) is None and not self._has_room():
            # A phone that is registered keeps its place; a new one is told to come back.
            self.wire.reply(request, flow, 503, headers=(("Retry-After", str(retry_after(self._new_token()))),))
            return
        username = self._authenticated(request, flow, now)
        if isinstance(username, Refused):
            self.wire.reply(request, flow, username.status, headers=username.headers)
            return
        agent_id = self._directory.agent_of(username)
        if agent_id is None or not _is_own(request.to.uri, username):
            self.wire.reply(request, flow, 403)
            return
        try:
            bindings = self._registrar.register(username, request, flow, now)
        except TooBrief as brief:
            self.wire.answer_once(arrived, 423, now, headers=(("Min-Expires", str(brief.minimum)),))
            return
        except BadMessage as bad:
            self.wire.answer_once(arrived, bad.status, now)
            return
        contacts = tuple(("Contact", value) for value in render_contacts(bindings, now))
        path = tuple(("Path", value) for value in request.listed("path"))
        self.wire.answer_once(arrived, 200, now, headers=(*contacts, *path, *_outbound_headers(request)))
        self._follow(username, agent_id)

    def _follow(self, aor: str, agent_id: str) -> None:
        """After a change at this address: set its alarm, tell when the agent became reachable or stopped being so."""
        addresses = self._addresses.setdefault(agent_id, set())
        was = bool(addresses)
        deadline = self._registrar.next_deadline(aor)
        if deadline is None:
            addresses.discard(aor)
            self.wire.alarms.cancel(("registration", aor, ""))
        else:
            addresses.add(aor)
            self.wire.alarms.set(("registration", aor, ""), deadline)
        if not addresses:
            del self._addresses[agent_id]
        if was != bool(addresses):
            self.wire.tell(PhoneReachable(agent_id, not was))

    @property
    def binding_changes(self) -> int:
        """How often the registered phones changed."""
        return self._registrar.changes

    def kept_bindings(self) -> list[KeptBinding]:
        """The phones that a restart leaves within reach."""
        return [
            KeptBinding(
                aor,
                str(one.contact),
                *one.flow.remote,
                one.flow.channel,
                one.expires_at,
                one.call_id,
                one.cseq,
                one.instance,
                one.device,
                one.path,
                one.made_at,
            )
            for aor, one in self._registrar.all()
            if one.flow.transport is Transport.UDP
        ]

    def restore_bindings(self, kept: Sequence[KeptBinding], now: int) -> list[EndpointOutcome]:
        """Take back the phones of an earlier life; those of people who are gone, or run out, are left."""
        for one in kept:
            agent_id = self._directory.agent_of(one.aor)
            if agent_id is None or one.expires_at <= now:
                continue
            try:
                contact = parse_address(one.contact)
            except BadMessage:
                continue
            flow = Flow(Transport.UDP, (one.host, one.port), one.channel)
            binding = Binding(
                contact,
                flow,
                one.expires_at,
                one.call_id,
                one.cseq,
                one.instance,
                one.device,
                one.path,
                one.made_at,
            )
            self._registrar.restore(one.aor, binding)
            self._follow(one.aor, agent_id)
        return self._drain(now)

    def _changed(self, aor: str) -> None:
        agents = [agent_id for agent_id, addresses in self._addresses.items() if aor in addresses]
        for agent_id in agents:
            self._follow(aor, agent_id)

    def _leg_alarm(self, owner: str, what: str, name: str, now: int) -> None:
        if owner == "registration":
            self._registrar.expire(what, now)
            self._changed(what)
        elif owner == SUBSCRIPTION:
            self._subscriptions.expired(what, now)
        elif owner == "dial":
            self._dialling.too_quiet(what, now)
        elif owner == "trunk":
            self._dialling.alarm(what, name, now)
        else:
            super()._leg_alarm(owner, what, name, now)

    def flow_lost(self, flow: Flow, now: int) -> list[EndpointOutcome]:
        """A connection broke; the phones registered over it are gone."""
        for aor in self._registrar.drop_flow(flow):
            self._changed(aor)
        return super().flow_lost(flow, now)

    def _binding_unheard(self, binding: str) -> None:
        aor, _, key = binding.partition("\0")
        if self._registrar.drop(aor, key):
            self._changed(aor)

    def reachable(self, agent_id: str, now: int) -> bool:
        """Whether a phone of this agent is registered."""
        return any(self._registrar.bindings(aor, now) for aor in self._addresses.get(agent_id, ()))

    # Watching and texting.

    def _unserved(self, request: SipRequest) -> Refused | None:
        if request.method == "MESSAGE" and not self.takes_texts:
            return Refused(405, (("Allow", self.allow.removesuffix(", MESSAGE")),))
        return super()._unserved(request)

    def _agent_asking(self, arrived: RequestArrived, now: int) -> str | None:
        """The agent a request outside dialogs comes from; ``None`` when it was refused."""
        request = arrived.request
        username = self._authenticated(request, arrived.flow, now)
        if isinstance(username, Refused):
            self.wire.reply(request, arrived.flow, username.status, headers=username.headers)
            return None
        agent_id = self._directory.agent_of(username)
        if agent_id is None or not _is_own(request.from_.uri, username):
            self.wire.reply(request, arrived.flow, 403)
            return None
        return agent_id

    def _subscribe(self, arrived: RequestArrived, now: int) -> None:
        if self._agent_asking(arrived, now) is None:
            return
        watched = self._directory.agent_of(arrived.request.uri.username)
        if watched is None:
            self.wire.answer_once(arrived, 404, now)
        else:
            self._subscriptions.subscribe(arrived, watched, now)

    def _in_dialog(self, arrived: RequestArrived, now: int) -> None:
        one = self._subscriptions.of_dialog(arrived.request) if arrived.request.method == "SUBSCRIBE" else None
        if one is None:
            super()._in_dialog(arrived, now)
        elif self._agent_asking(arrived, now) is not None:
            self._subscriptions.refresh(arrived, one, now)

    def _text(self, arrived: RequestArrived, now: int) -> None:
        request = arrived.request
        agent_id = self._agent_asking(arrived, now)
        if agent_id is None:
            return
        if request.content_type != "text/plain":
            self.wire.answer_once(arrived, 415, now, headers=(("Accept", "text/plain"),))
            return
        self.wire.answer_once(arrived, 202, now)
        text = clean_text(request.body_text.replace("\r\n", " "), MAX_TEXT)
        self.wire.tell(TextArrived(agent_id, clean_text(request.uri.username), text))

    def set_mailbox(self, agent_id: str, mailbox: Mailbox, now: int) -> list[EndpointOutcome]:
        """What waits for an agent changed; phones that watch it are told."""
        self._subscriptions.set_mailbox(agent_id, mailbox, now)
        return self._drain(now)

    def _request_ended(self, sent: Sent, response: SipResponse | None, now: int) -> bool:
        if sent.purpose in {OPTIONS, REGISTER}:
            self._dialling.answered(sent, response, now)
            return True
        if sent.purpose != SUBSCRIPTION:
            return super()._request_ended(sent, response, now)
        if response is None or response.status >= 300:
            self._subscriptions.refused(sent.leg_id)
        return True

    def _drain(self, now: int) -> list[EndpointOutcome]:
        self._show_legs(now)
        return super()._drain(now)

    def _show_legs(self, now: int) -> None:
        """Keep the lamps of watching phones right: look at what was just told of agents' legs."""
        for outcome in list(self.wire.outcomes):
            if isinstance(outcome, LegOffered) and outcome.agent_id is not None:
                self._agent_of_leg[outcome.leg_id] = (outcome.agent_id, "initiator")
            if not isinstance(outcome, LegOffered | LegRinging | LegAnswered | LegRefused | LegEnded):
                continue
            over = isinstance(outcome, LegRefused | LegEnded)
            self._dialling.happened(outcome.leg_id, over=over, now=now)
            agent = self._agent_of_leg.get(outcome.leg_id)
            if agent is not None:
                self._subscriptions.show_leg(agent[0], ShownLeg(outcome.leg_id, LAMPS[type(outcome)], agent[1]), now)
                if over:
                    del self._agent_of_leg[outcome.leg_id]

    # Ringing an agent.

    def ring_agent(self, leg_id: str, target: PhoneTarget, caller: Party, sdp: str, now: int) -> list[EndpointOutcome]:
        """Ring every phone of an agent, showing the caller's number and name."""
        agent_id = target.agent_id
        targets = [
            _way_to(aor, phone)
            for aor in sorted(self._addresses.get(agent_id, ()))
            for phone in self._registrar.ways(aor, now)
        ]
        host = self._settings.realm if _is_host(self._settings.realm) else self.wire.identity.host
        shown = NameAddress(
            Uri("sip", escape_user(clean_text(caller.number)) or "anonymous", host), clean_text(caller.display_name)
        )
        aor = next(iter(sorted(self._addresses.get(agent_id, ()))), agent_id)
        self._agent_of_leg[leg_id] = (agent_id, "recipient")
        return self.invite(
            leg_id,
            targets,
            from_=str(shown),
            to=str(NameAddress(Uri("sip", escape_user(aor), host))),
            sdp=sdp,
            now=now,
            headers=(("P-Asserted-Identity", str(shown)),),
            max_forwards=target.max_forwards,
        )

    # Calling out.

    def dial(
        self, leg_id: str, number: str, policy: TrunkPolicy, caller: Party, sdp: str, now: int
    ) -> list[EndpointOutcome]:
        """Call a number through the first trunk of the policy that works; whether it may be called was decided."""
        self._dialling.dial(leg_id, number, policy, caller, sdp, now)
        return self._drain(now)

    def _take_refusal(self, leg: Leg, attempt: Attempt, response: SipResponse | None, now: int) -> bool:
        """A far end refused our INVITE; tells whether another one is tried."""
        if response is not None and (targets := redirect_targets(response)):
            return self._follow_redirect(leg, attempt, targets, now)
        return self._dialling.take_refusal(leg, attempt, response, now)

    def _follow_redirect(self, leg: Leg, attempt: Attempt, targets: Sequence[str], now: int) -> bool:
        """Go where a 3xx sends a call, if that is allowed: each number is checked like a dialled one."""
        dial, rules = self._dialling.of_leg(leg.leg_id), self._rules
        if dial is not None and dial.current is attempt:
            agent_id, wanted = dial.policy.agent_id, self._dialling.states()[dial.trunk_id].trunk.follow_redirects
        else:
            agent_id, role = self._agent_of_leg.get(leg.leg_id, ("", ""))
            wanted = dial is None and role == "recipient" and rules is not None and rules.follows_phones
        forwards = attempt.request.max_forwards
        if rules is None or not wanted or forwards < 2 or (dial is not None and dial.redirects >= MAX_REDIRECTS):
            self.wire.counts["redirects refused"] += 1
            return False
        self._dialling.give_back(leg.leg_id)
        diversion = (("Diversion", f"{NameAddress(attempt.request.to.uri)};reason=unconditional"),)
        for target in targets:
            verdict = rules.check(agent_id, target, now)
            if isinstance(verdict, Allowed) and self._dialling.redirect(leg, verdict, diversion, now):
                self.wire.counts["redirects followed"] += 1
                return True
        self.wire.counts["redirects refused"] += 1
        return False

    def found_gateways(self, trunk_id: str, flows: Sequence[Flow], now: int) -> list[EndpointOutcome]:
        """DNS says where a trunk's gateways are."""
        self._dialling.found(trunk_id, flows, now)
        return self._drain(now)

    def counters(self) -> dict[str, int]:
        """What happened so far and what is open now, by name."""
        gauges = {
            "legs": len(self),
            "transactions": len(self.wire.transactions),
            "alarms": len(self.wire.alarms),
            "subscriptions": len(self._subscriptions),
            "sources": len(self._defence),
            "bindings": len(self._registrar),
            "overloaded": int(self._admission.overloaded),
        }
        trunks = {f"trunk {name} calls": len(state.calls) for name, state in self.trunk_states().items()}
        return {**self.wire.counts, **gauges, **trunks}

    def trunk_states(self) -> Mapping[str, TrunkState]:
        """The trunks that take calls of ours, as they do now."""
        return self._dialling.states()


def _caller(request: SipRequest, *, trusted: bool) -> tuple[Party, Party | None]:
    """Who calls, and whom the carrier asserts (RFC 3325)."""
    asserted = request.addresses("p-asserted-identity") if trusted else ()
    shown = party_of(request.from_)
    if not asserted:
        return shown, None
    identity = party_of(asserted[0])
    return Party(identity.number, identity.display_name or shown.display_name), identity


def diversions_of(request: SipRequest) -> tuple[Party, ...]:
    """Whom a call was meant for before it came here, the latest first: Diversion (RFC 5806), else History-Info.

    History-Info (RFC 7044) names every target in order; the last is ourselves. What cannot be read is left out.
    """
    try:
        if request.values("diversion"):
            return tuple(party_of(one) for one in request.addresses("diversion")[:MAX_DIVERSIONS])
        history = [party_of(one) for one in request.addresses("history-info")]
    except BadMessage:
        return ()
    return tuple(reversed(history[:-1]))[:MAX_DIVERSIONS]


def _is_own(uri: Uri, username: str) -> bool:
    return uri.is_sip and username in {uri.username, uri.user}


def _is_host(text: str) -> bool:
    return bool(text) and not text.strip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")


def _outbound_headers(request: SipRequest) -> tuple[tuple[str, str], ...]:
    """What the answer to a REGISTER says of Path and of flows of the phone's own (RFC 5626 section 6)."""
    keeps_flows = any(contact.param("reg-id") for contact in request.contacts if not request.contact_is_star)
    asks = "outbound" in [option.lower() for option in request.listed("supported")]
    path = request.listed("path")
    near = not path or ";ob" in path[-1].lower()
    return (("Supported", "path, outbound"), *((("Require", "outbound"),) if keeps_flows and asks and near else ()))


def _way_to(aor: str, phone: Sequence[Binding]) -> Target:
    """How a phone is rung: over its first binding, and when that fails over the next."""
    first, others = phone[0], phone[1:]
    otherwise = _way_to(aor, others) if others else None
    return Target(str(first.contact.uri), first.flow, f"{aor}\0{first.key}", first.path, otherwise)
