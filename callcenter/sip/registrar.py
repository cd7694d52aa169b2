"""The registrar: which phones an address of record is reached at (RFC 3261 section 10.3). Pure.

A binding keeps the flow its REGISTER came on, and requests go back on that flow: the phone's own Contact is often a
private address. Proxies in between leave their way back in Path (RFC 3327). A phone may keep several flows open
(RFC 5626): they are one phone, rung over the newest and, when that fails, over the next. An update is all or nothing.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from callcenter.errors import RemoteSipError
from callcenter.sip.addresses import NameAddress
from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Flow
from callcenter.sip.grammar import clean_text, unquote
from callcenter.sip.messages import SipRequest
from callcenter.sip.uri import Uri


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
    """``+sip.instance`` and ``reg-id`` (RFC 5626): a device keeps one binding for each flow across reboots."""
    device: str = ""
    """``+sip.instance`` alone, empty for a phone that does not tell."""
    path: tuple[str, ...] = ()
    """The proxies on the way to it, the nearest first (RFC 3327): what a request to it takes as its Route."""
    made_at: int = 0
    """When it was last registered, milliseconds since the epoch."""

    @property
    def key(self) -> str:
        """A stable name for this binding within its address of record."""
        return self.instance or _place_name(self.contact.uri)


@lru_cache(maxsize=16_384)
def _place_name(uri: Uri) -> str:
    """Remembered: each look whether an agent can be rung asks for the names of the agent's bindings."""
    return repr(uri.identity())


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much the registrar keeps. Seconds."""

    minimum: int = 30
    default: int = 300
    maximum: int = 3_600
    bindings: int = 10
    """At most this many phones for one address of record."""


MAX_PATH = 8
"""More proxies in a row than this are a loop or an attack."""


def _path(request: SipRequest) -> tuple[str, ...]:
    proxies = request.addresses("path")
    if len(proxies) > MAX_PATH or any(not each.uri.is_sip for each in proxies):
        raise BadMessage(400, "Path is not a way back", request)
    return tuple(str(each) for each in proxies)


def _device(contact: NameAddress) -> str:
    return unquote(contact.param("+sip.instance") or "")


class Registrar:
    """Bindings by address of record; the caller has checked who is registering."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._bindings: dict[str, dict[str, Binding]] = {}
        self._live: dict[str, tuple[int, tuple[Binding, ...]]] = {}
        """What ``bindings`` said last of an address of record, and until when it holds: a call asks several times."""
        self._owners: dict[Flow, dict[str, int]] = {}
        """By flow: the addresses of record registered over it, behind a proxy everybody there, and until when."""
        self.changes = 0
        """How often bindings came, went or were renewed."""

    def all(self) -> tuple[tuple[str, Binding], ...]:
        """Every binding with its address of record."""
        return tuple((aor, one) for aor, bindings in self._bindings.items() for one in bindings.values())

    def restore(self, aor: str, binding: Binding) -> None:
        """Take a binding back that an earlier life of the process knew."""
        self._bindings.setdefault(aor, {})[binding.key] = binding
        self._own(aor, binding.flow)

    def __len__(self) -> int:
        return sum(len(bindings) for bindings in self._bindings.values())

    def bindings(self, aor: str, now: int) -> tuple[Binding, ...]:
        """The live bindings, in the order they were first made."""
        until, live = self._live.get(aor, (0, ()))
        if until <= now and aor in self._bindings:
            live = tuple([one for one in self._bindings[aor].values() if one.expires_at > now])
            if live:
                self._live[aor] = min(one.expires_at for one in live), live
        return live

    def ways(self, aor: str, now: int) -> tuple[tuple[Binding, ...], ...]:
        """The phones of an address of record, each with its live bindings, the newest first."""
        phones: dict[str, list[Binding]] = {}
        for one in self.bindings(aor, now):
            phones.setdefault(one.device or one.key, []).append(one)
        return tuple(tuple(sorted(each, key=lambda one: -one.made_at)) for each in phones.values())

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
        flows = {one.flow for one in (*self._bindings.pop(aor, {}).values(), *current.values())}
        self.changes += 1
        if current:
            self._bindings[aor] = current
        for each in flows:
            self._own(aor, each)
        return tuple(current.values())

    def _own(self, aor: str, flow: Flow) -> None:
        """After a change: note until when this address of record is registered over this flow, if it is."""
        self._live.pop(aor, None)
        until = max((one.expires_at for one in self._bindings.get(aor, {}).values() if one.flow == flow), default=0)
        owners = self._owners.setdefault(flow, {})
        if until:
            owners[aor] = until
        else:
            owners.pop(aor, None)
        if not owners:
            del self._owners[flow]

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
        device, path = _device(contact), _path(request)
        instance = f"{device};{contact.param('reg-id') or ''}" if device else ""
        kept = contact._replace(params=tuple(pair for pair in contact.params if pair[0] != "expires"))
        binding = Binding(kept, flow, 0, request.call_id, request.cseq.number, instance, device, path, now)
        known = current.get(binding.key)
        if known is not None:
            self._check_order(known, request)
        if seconds == 0:
            current.pop(binding.key, None)
            return
        if seconds < self._limits.minimum:
            raise TooBrief(self._limits.minimum)
        # A phone that restarted with another Contact leaves a ghost behind; the flow gives it away.
        # Behind a proxy it tells nothing: every phone there has the same.
        if not path:
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
        self.changes += removed is not None
        if removed is not None:
            self._own(aor, removed.flow)
        return removed is not None

    def drop_flow(self, flow: Flow) -> tuple[str, ...]:
        """A connection broke: the bindings made over it go. Returns the addresses of record that lost one."""
        owners = tuple(sorted(self._owners.get(flow, ())))
        for aor in owners:
            for key in [key for key, one in self._bindings.get(aor, {}).items() if one.flow == flow]:
                self.drop(aor, key)
        return owners

    def expire(self, aor: str, now: int) -> None:
        """Remove the bindings of this address that have run out."""
        for key in [key for key, one in self._bindings.get(aor, {}).items() if one.expires_at <= now]:
            self.drop(aor, key)

    def keys(self, aor: str) -> tuple[str, ...]:
        """The names of the bindings of this address."""
        return tuple(self._bindings.get(aor, ()))

    def next_deadline(self, aor: str) -> int | None:
        """When the next binding of this address runs out."""
        return min((one.expires_at for one in self._bindings.get(aor, {}).values()), default=None)

    def owner_of(self, flow: Flow, now: int) -> str | None:
        """An address of record registered over this flow, ``None`` for none."""
        owners = self._owners.get(flow)
        if owners is None:
            return None
        return next((aor for aor, until in owners.items() if until > now), None)


def _seconds(text: str) -> int:
    """An expiry in seconds; what is not a number counts as an hour (RFC 3261 section 20.19)."""
    text = clean_text(text)
    if not (text.isascii() and text.isdigit()):
        return 3_600
    return int(text) if len(text) <= 9 else 10**9


def render_contacts(bindings: tuple[Binding, ...], now: int) -> list[str]:
    """The Contact values of the answer to a REGISTER, with the seconds each has left."""
    return [f"{one.contact};expires={max(0, (one.expires_at - now) // 1000)}" for one in bindings]
