"""The exchange's endpoint: trunks and registered phones come in, agents' phones are rung. Pure.

Who may come in, in this order: a phone registered over this very flow, by its digest; a trunk, by its source address;
anybody else is asked for a digest and gets the same answers whether the name exists or not.
"""

from collections.abc import Sequence

from callcenter.calls.legs import Party
from callcenter.sip.addresses import NameAddress
from callcenter.sip.digest import DigestGuard, Verdict
from callcenter.sip.endpoint import Endpoint
from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Flow
from callcenter.sip.grammar import clean_text
from callcenter.sip.inbound import Admitted, Refused
from callcenter.sip.messages import SipRequest
from callcenter.sip.outbound import Target
from callcenter.sip.registrar import Registrar, TooBrief, render_contacts
from callcenter.sip.settings import Credentials, SipSettings
from callcenter.sip.throttle import GuessLimit
from callcenter.sip.transactions import RequestArrived
from callcenter.sip.trunks import Trunk, trunk_of
from callcenter.sip.uri import Uri, escape_user
from callcenter.sip.wire import ALLOW, EndpointOutcome, Identity, NewToken, PhoneReachable


def party_of(address: NameAddress) -> Party:
    """A party as people may see it: user part unescaped, control characters gone, bounded in length."""
    number = address.uri.username if address.uri.is_sip or address.uri.scheme == "tel" else address.uri.opaque
    return Party(clean_text(number), clean_text(address.display_name))


class Exchange(Endpoint):
    """The endpoint of the exchange."""

    allow = f"{ALLOW}, REGISTER"

    def __init__(
        self,
        identity: Identity,
        settings: SipSettings,
        directory: Credentials,
        trunks: Sequence[Trunk],
        secret: bytes,
        new_token: NewToken,
    ) -> None:
        super().__init__(identity, self, new_token)
        self.admitting = True
        """When false, a new INVITE is answered 503 with Retry-After, statelessly."""
        self._settings = settings
        self._directory = directory
        self._trunks = tuple(trunks)
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

    # Who may come in.

    def admit(self, request: SipRequest, flow: Flow, now: int) -> Admitted | Refused:
        """Judge a new INVITE."""
        if not self.admitting or len(self) >= self._settings.max_legs:
            return Refused(503, (("Retry-After", str(self._settings.retry_after_seconds)),))
        called = party_of(NameAddress(request.uri, request.to.display_name))
        trunk = trunk_of(self._trunks, flow.remote)
        if trunk is not None and self._registrar.owner_of(flow, now) is None:
            return Admitted(trunk.trunk_id, None, _caller(request, trusted=trunk.trust_identity), called)
        username = self._authenticated(request, flow, now)
        if isinstance(username, Refused):
            return username
        agent_id = self._directory.agent_of(username)
        if agent_id is None or not _is_own(request.from_.uri, username) or not self.reachable(agent_id, now):
            return Refused(403)
        return Admitted(None, agent_id, Party(username, clean_text(request.from_.display_name)), called)

    def _authenticated(self, request: SipRequest, flow: Flow, now: int) -> str | Refused:
        peer = flow.remote[0]
        values = request.values("authorization") if self._guesses.allows(peer, now) else ()
        checked = self._guard.check(values, request.method, request.body, self._directory.ha1, now, peer=peer)
        if checked.verdict is Verdict.GRANTED:
            return checked.username
        if checked.verdict is Verdict.DENIED:
            self._guesses.failed(peer, now)
        salt = bytes.fromhex(self._new_token())[:8]
        challenges = self._guard.challenges(now, salt, peer, stale=checked.verdict is Verdict.STALE)
        return Refused(401, tuple(("WWW-Authenticate", value) for value in challenges))

    # Registration.

    def _register(self, arrived: RequestArrived, now: int) -> None:
        request, flow = arrived.request, arrived.flow
        if not request.to.uri.is_sip or any(not contact.uri.is_sip for contact in request.contacts):
            raise BadMessage(400, "Not a SIP address", request)
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
        self.wire.answer_once(arrived, 200, now, headers=contacts)
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

    def _changed(self, aor: str) -> None:
        agents = [agent_id for agent_id, addresses in self._addresses.items() if aor in addresses]
        for agent_id in agents:
            self._follow(aor, agent_id)

    def _leg_alarm(self, owner: str, what: str, name: str, now: int) -> None:
        if owner == "registration":
            self._registrar.expire(what, now)
            self._changed(what)
        else:
            super()._leg_alarm(owner, what, name, now)

    def flow_lost(self, flow: Flow, now: int) -> list[EndpointOutcome]:
        """A connection broke; the phones registered over it are gone."""
        aor = self._registrar.drop_flow(flow)
        if aor is not None:
            self._changed(aor)
        return super().flow_lost(flow, now)

    def _binding_unheard(self, binding: str) -> None:
        aor, _, key = binding.partition("\0")
        if self._registrar.drop(aor, key):
            self._changed(aor)

    def reachable(self, agent_id: str, now: int) -> bool:
        """Whether a phone of this agent is registered."""
        return any(self._registrar.bindings(aor, now) for aor in self._addresses.get(agent_id, ()))

    # Ringing an agent.

    def ring_agent(self, leg_id: str, agent_id: str, caller: Party, sdp: str, now: int) -> list[EndpointOutcome]:
        """Ring every phone of an agent, showing the caller's number and name."""
        targets = [
            Target(str(binding.contact.uri), binding.flow, f"{aor}\0{binding.key}")
            for aor in sorted(self._addresses.get(agent_id, ()))
            for binding in self._registrar.bindings(aor, now)
        ]
        host = self._settings.realm if _is_host(self._settings.realm) else self.wire.identity.host
        shown = NameAddress(
            Uri("sip", escape_user(clean_text(caller.number)) or "anonymous", host), clean_text(caller.display_name)
        )
        aor = next(iter(sorted(self._addresses.get(agent_id, ()))), agent_id)
        return self.invite(
            leg_id,
            targets,
            from_=str(shown),
            to=str(NameAddress(Uri("sip", escape_user(aor), host))),
            sdp=sdp,
            now=now,
            headers=(("P-Asserted-Identity", str(shown)),),
        )


def _caller(request: SipRequest, *, trusted: bool) -> Party:
    asserted = request.addresses("p-asserted-identity") if trusted else ()
    shown = party_of(request.from_)
    if not asserted:
        return shown
    identity = party_of(asserted[0])
    return Party(identity.number, identity.display_name or shown.display_name)


def _is_own(uri: Uri, username: str) -> bool:
    return uri.is_sip and username in {uri.username, uri.user}


def _is_host(text: str) -> bool:
    return bool(text) and not text.strip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")
