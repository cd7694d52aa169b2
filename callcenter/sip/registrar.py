"""The registrar: which phones an address of record is reached at (RFC 3261 section 10.3). Pure.

A binding keeps the flow its REGISTER came on, and requests go back on that flow: the phone's own Contact is often a
private address. An update is all or nothing.
"""

from dataclasses import dataclass, replace

from callcenter.errors import RemoteSipError
from callcenter.sip.addresses import NameAddress
from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Flow
from callcenter.sip.grammar import clean_text, unquote
from callcenter.sip.messages import SipRequest


class TooBrief(RemoteSipError):
    """A registration asked for less than we keep one; ``minimum`` seconds go into Min-Expires (423)."""

    code = "sip-interval-too-brief"

    def __init__(self, minimum: int) -> None:
        super().__init__(423, "Interval Too Brief")
        self.minimum = minimum


@dataclass(frozen=True, slots=True)
class Binding:
    """One phone under one address of record."""

    contact: NameAddress
    flow: Flow
    expires_at: int
    """Milliseconds since the epoch."""
    call_id: str
    cseq: int
    instance: str = ""
    """``+sip.instance`` and ``reg-id`` (RFC 5626): one device keeps one binding across reboots."""

    @property
    def key(self) -> str:
        """A stable name for this binding within its address of record."""
        return self.instance or repr(self.contact.uri.identity())


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much the registrar keeps. Seconds."""

    minimum: int = 30
    default: int = 300
    maximum: int = 3_600
    bindings: int = 10
    """At most this many phones for one address of record."""


def _instance(contact: NameAddress) -> str:
    instance = contact.param("+sip.instance")
    return f"{unquote(instance)};{contact.param('reg-id') or ''}" if instance else ""


class Registrar:
    """Bindings by address of record; the caller has checked who is registering."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._bindings: dict[str, dict[str, Binding]] = {}
        self._owners: dict[Flow, str] = {}

    def __len__(self) -> int:
        return sum(len(bindings) for bindings in self._bindings.values())

    def bindings(self, aor: str, now: int) -> tuple[Binding, ...]:
        """The live bindings, in the order they were first made."""
        return tuple(one for one in self._bindings.get(aor, {}).values() if one.expires_at > now)

    def register(self, aor: str, request: SipRequest, flow: Flow, now: int) -> tuple[Binding, ...]:
        """Carry out a REGISTER and return the live bindings for the answer.

        Raises ``BadMessage`` (400, 500 for an update that is out of order, 403 for too many) or ``TooBrief``; then
        nothing has changed.
        """
        current = {key: one for key, one in self._bindings.get(aor, {}).items() if one.expires_at > now}
        header = self._header_expires(request)
        if request.contact_is_star:
            if header != 0:
                raise BadMessage(400, "Contact * needs Expires 0", request)
            for one in current.values():
                self._check_order(one, request)
            current = {}
        else:
            for contact in request.contacts:
                self._apply(current, contact, header, request, flow, now)
        if len(current) > self._limits.bindings:
            raise BadMessage(403, "Too many phones", request)
        for flow_before in {one.flow for one in self._bindings.pop(aor, {}).values()}:
            self._owners.pop(flow_before, None)
        if current:
            self._bindings[aor] = current
            self._owners.update((one.flow, aor) for one in current.values())
        return tuple(current.values())

    @staticmethod
    def _header_expires(request: SipRequest) -> int | None:
        value = request.get("expires")
        return None if value is None else _seconds(value)

    def _apply(
        self,
        current: dict[str, Binding],
        contact: NameAddress,
        header: int | None,
        request: SipRequest,
        flow: Flow,
        now: int,
    ) -> None:
        if not contact.uri.is_sip:
            raise BadMessage(400, "Contact is not a SIP URI", request)
        own = contact.param("expires")
        seconds = _seconds(own) if own is not None else header
        if seconds is None:
            seconds = self._limits.default
        instance = _instance(contact)
        kept = contact._replace(params=tuple(pair for pair in contact.params if pair[0] != "expires"))
        binding = Binding(kept, flow, 0, request.call_id, request.cseq.number, instance)
        known = current.get(binding.key)
        if known is not None:
            self._check_order(known, request)
        if seconds == 0:
            current.pop(binding.key, None)
            return
        if seconds < self._limits.minimum:
            raise TooBrief(self._limits.minimum)
        # A phone that restarted with another Contact leaves a ghost behind; the flow gives it away.
        for key in [k for k, one in current.items() if one.flow == flow and one.call_id != request.call_id]:
            del current[key]
        until = now + min(seconds, self._limits.maximum) * 1000
        current[binding.key] = replace(binding, expires_at=until)

    @staticmethod
    def _check_order(known: Binding, request: SipRequest) -> None:
        if known.call_id == request.call_id and request.cseq.number <= known.cseq:
            raise BadMessage(500, "Registration out of order", request)

    def drop(self, aor: str, key: str) -> bool:
        """Take one binding away, whether or not it is there; tells whether it was."""
        found = self._bindings.get(aor, {})
        removed = found.pop(key, None)
        if not found:
            self._bindings.pop(aor, None)
        if removed is not None and self._owners.get(removed.flow) == aor:
            del self._owners[removed.flow]
        return removed is not None

    def drop_flow(self, flow: Flow) -> str | None:
        """A connection broke: the bindings made over it go. Returns the address of record that lost one."""
        aor = self._owners.get(flow)
        if aor is None:
            return None
        for key in [key for key, one in self._bindings.get(aor, {}).items() if one.flow == flow]:
            self.drop(aor, key)
        return aor

    def expire(self, aor: str, now: int) -> None:
        """Remove the bindings of this address that have run out."""
        for key in [key for key, one in self._bindings.get(aor, {}).items() if one.expires_at <= now]:
            self.drop(aor, key)

    def next_deadline(self, aor: str) -> int | None:
        """When the next binding of this address runs out."""
        return min((one.expires_at for one in self._bindings.get(aor, {}).values()), default=None)

    def owner_of(self, flow: Flow, now: int) -> str | None:
        """The address of record registered over this flow, ``None`` for none."""
        aor = self._owners.get(flow)
        if aor is None:
            return None
        return aor if any(one.flow == flow for one in self.bindings(aor, now)) else None


def _seconds(text: str) -> int:
    """An expiry in seconds; what is not a number counts as an hour (RFC 3261 section 20.19)."""
    text = clean_text(text)
    if not (text.isascii() and text.isdigit()):
        return 3_600
    return int(text) if len(text) <= 9 else 10**9


def render_contacts(bindings: tuple[Binding, ...], now: int) -> list[str]:
    """The Contact values of the answer to a REGISTER, with the seconds each has left."""
    return [f"{one.contact};expires={max(0, (one.expires_at - now) // 1000)}" for one in bindings]
