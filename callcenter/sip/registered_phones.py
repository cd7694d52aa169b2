"""The agents' phones: which are registered, how each is rung, and who became reachable or stopped being so. Pure."""

from collections.abc import Sequence

from callcenter.sip.addresses import parse_address
from callcenter.sip.binding_file import KeptBinding
from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.media_keys import MediaRule
from callcenter.sip.messages import SipRequest
from callcenter.sip.outbound import Target
from callcenter.sip.phone_watch import PhoneWatch
from callcenter.sip.registrar import Binding, Limits, Registrar, TooBrief, render_contacts
from callcenter.sip.settings import Credentials
from callcenter.sip.transactions import RequestArrived
from callcenter.sip.wire import PhoneReachable, Wire


class RegisteredPhones:
    """The registrar, seen by agent."""

    def __init__(self, wire: Wire, limits: Limits, directory: Credentials, *, watch_ms: int = 0) -> None:
        """``watch_ms``: how often phones whose agents wait for calls are asked whether they live; 0 for never."""
        self._wire = wire
        self.watch = PhoneWatch(wire, every_ms=watch_ms, find=self._find, changed=self._heard_of)
        self._expecting: set[str] = set()
        """Agents who may be rung any moment."""
        self._reachable: set[str] = set()
        """Agents of whom was told that they are."""
        self._directory = directory
        self.registrar = Registrar(limits)
        self._addresses: dict[str, set[str]] = {}
        """By agent: the addresses of record that have a binding."""

    def __len__(self) -> int:
        return len(self.registrar)

    def owner_of(self, flow: Flow, now: int) -> str | None:
        """The address of record that registered over this flow."""
        return self.registrar.owner_of(flow, now)

    def register(self, arrived: RequestArrived, username: str, agent_id: str, now: int) -> None:
        """A REGISTER of somebody who was authenticated as the owner of the address."""
        request = arrived.request
        try:
            bindings = self.registrar.register(username, request, arrived.flow, now)
        except TooBrief as brief:
            self._wire.answer_once(arrived, 423, now, headers=(("Min-Expires", str(brief.minimum)),))
            return
        except BadMessage as bad:
            self._wire.answer_once(arrived, bad.status, now)
            return
        self._heard(username, agent_id, request.call_id, bindings, now)
        contacts = tuple(("Contact", value) for value in render_contacts(bindings, now))
        path = tuple(("Path", value) for value in request.listed("path"))
        self._wire.answer_once(arrived, 200, now, headers=(*contacts, *path, *_outbound_headers(request)))
        self._follow(username, agent_id)

    def _heard(self, aor: str, agent_id: str, call_id: str, bindings: Sequence[Binding], now: int) -> None:
        """A phone that registers lives, whatever it answered before."""
        for one in bindings:
            if one.call_id == call_id:
                self.watch.registered(_name(aor, one.key))
            if agent_id in self._expecting:
                self.watch.begin(_name(aor, one.key), one, now)

    def _follow(self, aor: str, agent_id: str) -> None:
        """After a change at this address: set its alarm, tell when the agent became reachable or stopped being so."""
        addresses = self._addresses.setdefault(agent_id, set())
        deadline = self.registrar.next_deadline(aor)
        if deadline is None:
            addresses.discard(aor)
            self._wire.alarms.cancel(("registration", aor, ""))
        else:
            addresses.add(aor)
            self._wire.alarms.set(("registration", aor, ""), deadline)
        if not addresses:
            del self._addresses[agent_id]
        names = [_name(each, key) for each in addresses for key in self.registrar.keys(each)]
        is_reachable = any(not self.watch.is_silent(name) for name in names)
        if is_reachable != (agent_id in self._reachable):
            (self._reachable.add if is_reachable else self._reachable.discard)(agent_id)
            self._wire.tell(PhoneReachable(agent_id, is_reachable))

    def _changed(self, aor: str) -> None:
        agents = [agent_id for agent_id, addresses in self._addresses.items() if aor in addresses]
        for agent_id in agents:
            self._follow(aor, agent_id)

    # Whether they are still there.

    def expect_calls(self, agent_id: str, now: int, *, wanted: bool) -> None:
        """This agent may be rung any moment from now on, or no longer."""
        if not wanted:
            self._expecting.discard(agent_id)
        elif agent_id not in self._expecting:
            self._expecting.add(agent_id)
            for aor in self._addresses.get(agent_id, ()):
                for one in self.registrar.bindings(aor, now):
                    self.watch.begin(_name(aor, one.key), one, now)

    def _find(self, name: str, now: int) -> tuple[Binding, bool] | None:
        aor, _, key = name.partition("\0")
        binding = next((one for one in self.registrar.bindings(aor, now) if one.key == key), None)
        return None if binding is None else (binding, self._directory.agent_of(aor) in self._expecting)

    def _heard_of(self, name: str) -> None:
        self._changed(name.partition("\0")[0])

    def expire(self, aor: str, now: int) -> None:
        """Bindings of an address ran out."""
        self.registrar.expire(aor, now)
        self._changed(aor)

    def flow_lost(self, flow: Flow) -> None:
        """A connection broke; the phones registered over it are gone."""
        for aor in self.registrar.drop_flow(flow):
            self._changed(aor)

    def unheard(self, binding: str) -> None:
        """A phone that was rung answered nothing at all: it is gone, too."""
        aor, _, key = binding.partition("\0")
        if self.registrar.drop(aor, key):
            self.watch.forget(binding)
            self._changed(aor)

    # Over a restart.

    @property
    def changes(self) -> int:
        """How often the registered phones changed."""
        return self.registrar.changes

    def kept(self) -> list[KeptBinding]:
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
            for aor, one in self.registrar.all()
            if one.flow.transport is Transport.UDP
        ]

    def restore(self, kept: Sequence[KeptBinding], now: int) -> None:
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
            self.registrar.restore(one.aor, binding)
            self._follow(one.aor, agent_id)

    # Ringing them.

    def reachable(self, agent_id: str, now: int) -> bool:
        """Whether a phone of this agent is registered, and not silent."""
        for aor in self._addresses.get(agent_id, ()):
            for one in self.registrar.bindings(aor, now):
                if not self.watch.anybody_silent or not self.watch.is_silent(_name(aor, one.key)):
                    return True
        return False

    def flows(self, agent_id: str, now: int) -> list[Flow]:
        """How the phones of an agent are reached."""
        return [one.flow for aor in self._addresses.get(agent_id, ()) for one in self.registrar.bindings(aor, now)]

    def targets(self, agent_id: str, now: int, media: MediaRule | None = None) -> list[Target]:
        """Every phone of an agent, as it is rung; ``media`` is what holds for its media."""
        return [
            _way_to(aor, phone, media)
            for aor in sorted(self._addresses.get(agent_id, ()))
            for phone in self.registrar.ways(aor, now)
        ]

    def address_of(self, agent_id: str) -> str:
        """The user name under which an agent is called."""
        return next(iter(sorted(self._addresses.get(agent_id, ()))), agent_id)


def _outbound_headers(request: SipRequest) -> tuple[tuple[str, str], ...]:
    """What the answer to a REGISTER says of Path and of flows of the phone's own (RFC 5626 section 6)."""
    keeps_flows = any(contact.param("reg-id") for contact in request.contacts if not request.contact_is_star)
    asks = "outbound" in [option.lower() for option in request.listed("supported")]
    path = request.listed("path")
    near = not path or ";ob" in path[-1].lower()
    return (("Supported", "path, outbound"), *((("Require", "outbound"),) if keeps_flows and asks and near else ()))


def _way_to(aor: str, phone: Sequence[Binding], media: MediaRule | None) -> Target:
    """How a phone is rung: over its first binding, and when that fails over the next."""
    first, others = phone[0], phone[1:]
    otherwise = _way_to(aor, others, media) if others else None
    return Target(str(first.contact.uri), first.flow, _name(aor, first.key), first.path, otherwise, media)


def _name(aor: str, key: str) -> str:
    """A binding's name among those of all addresses."""
    return f"{aor}\0{key}"
