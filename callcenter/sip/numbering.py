"""Numbering: who may call which number, through which trunks. Pure; implements ``callcenter.ports.OutboundRules``.

Everything is denied but what is named: the own country's ordinary numbers if wanted, countries, prefixes. Premium
numbers need a prefix of their own, denied prefixes are final, emergency numbers always go out. The number is judged in
the form in which it is dialled (``destinations``), so no way of writing it leads around a rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from callcenter.ports import Allowed, EncryptionPolicy, Refused, TrunkPolicy
from callcenter.sip.call_caps import UNLIMITED, CallCaps, Cap
from callcenter.sip.destinations import Destination, DestinationKind, destination_of, dialled_digits

MAX_REMEMBERED = 1_000
HOUSE = ""
"""The agent id of calls that no agent makes: flows, forwards of trunks, programs."""


@dataclass(frozen=True, slots=True)
class DialPermissions:
    """What one group may call. Prefixes are ``+`` and digits."""

    group: str = ""
    national: bool = False
    """Ordinary numbers of the site's own country."""
    countries: frozenset[str] = frozenset()
    """ISO 3166 codes of more countries whose ordinary numbers may be called."""
    prefixes: tuple[str, ...] = ()
    """More destinations, also where the plan known here has no such range; never premium ones."""
    premium: tuple[str, ...] = ()
    """Premium, shared-cost and personal numbers that may be called all the same."""
    denied: tuple[str, ...] = ()
    """Never, whatever else is said."""
    trunk_ids: tuple[str, ...] = ()
    """The trunks to try, the best first; empty: as the house."""
    each_agent: Cap = UNLIMITED
    """What each agent of the group may do."""
    together: Cap = UNLIMITED
    """What the group may do in all."""


@dataclass(frozen=True, slots=True)
class TrunkReach:
    """Which numbers a trunk carries. ``prefixes`` empty: all; codes are carried where they are named."""

    trunk_id: str
    prefixes: tuple[str, ...] = ()
    emergency: bool = True
    encryption: EncryptionPolicy | None = None
    """``REQUIRED`` where it takes SRTP only, ``OPTIONAL`` where it may be offered keys."""


@dataclass(frozen=True, slots=True)
class OutboundPlan:
    """The site's rules for calls out."""

    region: str = "US"
    """Where national numbers belong (ISO 3166)."""
    house: DialPermissions = DialPermissions()
    """For agents that are in no group, and for calls that no agent makes."""
    groups: tuple[DialPermissions, ...] = ()
    group_of: Mapping[str, str] | None = None
    """By agent: the group."""
    in_all: Cap = UNLIMITED
    """What everybody may do together."""
    trunks: tuple[TrunkReach, ...] = ()
    """Trunks that take calls of ours, the best first."""
    codes: frozenset[str] = frozenset()
    """Short codes the carriers know, such as a hotline; everybody may call them."""
    emergency: frozenset[str] = frozenset()
    """Emergency numbers besides those of the region."""
    inside: frozenset[str] = frozenset()
    """Our own numbers and extensions: calls to them never leave the house."""
    outside_prefix: str = ""
    """Digits people dial before an outside number, empty for none."""
    phone_forwards: bool = False
    """Whether a phone that is rung may send the call to an outside number its agent may call."""


class NumberingRules:
    """Judges every call to the outside, and counts those it allows."""

    def __init__(self, plan: OutboundPlan, zone: tzinfo = UTC) -> None:
        self._plan = plan
        self._groups = {group.group: group for group in plan.groups}
        self._inside = frozenset(each.lstrip("+") for each in plan.inside)
        self.caps = CallCaps(zone)
        self._emergencies: dict[str, bool] = {}

    @property
    def follows_phones(self) -> bool:
        """Whether phones may forward calls to the outside."""
        return self._plan.phone_forwards

    def is_emergency(self, number: str) -> bool:
        """Whether this calls for help: it is served when nothing else is."""
        known = self._emergencies.get(number)
        if known is None:
            destination = self._destination(number)
            known = destination is not None and destination.kind is DestinationKind.EMERGENCY
            if len(self._emergencies) >= MAX_REMEMBERED:
                self._emergencies.clear()
            self._emergencies[number] = known
        return known

    def check(self, agent_id: str, number: str, at: int) -> Allowed | Refused:
        """Whether this agent (empty: the house) may call this number at this time (milliseconds since the epoch)."""
        destination = self._destination(number)
        if destination is None:
            return Refused("number_invalid", "This is not a number that can be dialled.")
        permissions = self._permissions(agent_id)
        if destination.kind is not DestinationKind.EMERGENCY:
            refused = self._judge(destination, permissions)
            if refused is not None:
                return refused
        trunk_ids = self._trunks_for(destination, permissions)
        if not trunk_ids:
            return Refused("no_trunk", "No trunk carries calls to this number.")
        if destination.kind is DestinationKind.EMERGENCY:  # nothing limits it, and it uses up nobody's calls
            encryption = self._encryption_for(trunk_ids)
            policy = TrunkPolicy(trunk_ids, agent_id=agent_id, encryption=encryption, is_emergency=True)
            return Allowed(destination.number, policy)
        booking = self.caps.book(self._caps_of(agent_id, permissions), at)
        if isinstance(booking, tuple):
            return _capped(*booking, agent_id)
        encryption = self._encryption_for(trunk_ids)
        policy = TrunkPolicy(trunk_ids, agent_id=agent_id, encryption=encryption, booking=booking)
        return Allowed(destination.number, policy)

    def withdraw(self, policy: TrunkPolicy) -> None:
        """A call that was allowed is not made after all: it counts for nobody."""
        self.caps.withdraw(policy.booking)

    def made_before(self, agent_id: str, number: str, at: int) -> None:
        """Count a call of today that an earlier life of the process made; emergency calls count for nobody."""
        destination = self._destination(number)
        if destination is not None and destination.kind is DestinationKind.EMERGENCY:
            return
        for payer in self._caps_of(agent_id, self._permissions(agent_id)):
            self.caps.made_before(payer, 1, at)

    def _encryption_for(self, trunk_ids: tuple[str, ...]) -> EncryptionPolicy | None:
        wanted = {trunk.trunk_id: trunk.encryption for trunk in self._plan.trunks}
        if wanted[trunk_ids[0]] is EncryptionPolicy.REQUIRED:
            return EncryptionPolicy.REQUIRED
        return EncryptionPolicy.OPTIONAL if any(wanted[name] is not None for name in trunk_ids) else None

    def _destination(self, number: str) -> Destination | None:
        digits = dialled_digits(number)
        if digits is None:
            return None
        plan = self._plan
        as_dialled = destination_of(digits, plan.region, plan.codes, plan.emergency)
        if as_dialled is not None and as_dialled.kind in {DestinationKind.EMERGENCY, DestinationKind.CODE}:
            return as_dialled
        prefix = plan.outside_prefix
        if prefix and digits.startswith(prefix) and digits not in self._inside:
            return destination_of(digits[len(prefix) :], plan.region, plan.codes, plan.emergency)
        if as_dialled is None and digits in self._inside:
            return Destination(DestinationKind.CODE, digits)
        return as_dialled

    def _permissions(self, agent_id: str) -> DialPermissions:
        group = (self._plan.group_of or {}).get(agent_id, "")
        return self._groups.get(group, self._plan.house) if agent_id else self._plan.house

    def _judge(self, destination: Destination, granted: DialPermissions) -> Refused | None:
        number, kind = destination.number, destination.kind
        if number.lstrip("+") in self._inside:
            return Refused("inside", "This number is inside the house; call it there.")
        if kind is DestinationKind.CODE:
            return None
        if _begins(number, granted.denied) or _begins(number, self._plan.house.denied):
            return Refused("destination_denied", "Calls to this destination are barred.")
        if kind is DestinationKind.PREMIUM:
            if not _begins(number, granted.premium):
                return Refused("premium_denied", "Calls to premium numbers are barred.")
        elif kind is DestinationKind.UNKNOWN:
            if not _begins(number, granted.prefixes):
                return Refused("number_invalid", "No such number exists in its country's plan.")
        elif kind is DestinationKind.INTERNATIONAL:
            if destination.region not in granted.countries and not _begins(number, granted.prefixes):
                return Refused("international_denied", "Calls to this country are barred.")
        elif not granted.national and not _begins(number, granted.prefixes):
            return Refused("outbound_denied", "Calls to the outside are barred.")
        return None

    def _trunks_for(self, destination: Destination, granted: DialPermissions) -> tuple[str, ...]:
        wanted = granted.trunk_ids or self._plan.house.trunk_ids
        emergency = destination.kind is DestinationKind.EMERGENCY
        able = [
            trunk.trunk_id
            for trunk in self._plan.trunks
            if (trunk.emergency if emergency else not trunk.prefixes or _begins(destination.number, trunk.prefixes))
        ]
        if not wanted:
            return tuple(able)
        chosen = [name for name in wanted if name in able]
        # An emergency call tries every line there is before it gives up.
        return tuple(chosen + [name for name in able if emergency and name not in chosen])

    def _caps_of(self, agent_id: str, granted: DialPermissions) -> dict[str, Cap]:
        return {
            f"agent {agent_id}": granted.each_agent if agent_id else UNLIMITED,
            f"group {granted.group}": granted.together,
            "all": self._plan.in_all,
        }


def _begins(number: str, prefixes: Sequence[str]) -> bool:
    return number.startswith(tuple(prefixes))


def _capped(payer: str, daily: bool, agent_id: str) -> Refused:
    who = "You have" if payer == f"agent {agent_id}" and agent_id else "The house has"
    what = "made all the calls allowed for today." if daily else "as many calls under way as are allowed."
    return Refused("daily_cap" if daily else "concurrent_cap", f"{who} {what}")
