"""Calls out in the site file: who may call what, and the rules the SIP front end makes of it."""

from typing import TYPE_CHECKING, Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from callcenter.sip.call_caps import UNLIMITED, Cap
from callcenter.sip.numbering import DialPermissions, NumberingRules, OutboundPlan, TrunkReach
from callcenter.site.fields import Country, Name, Prefix, SiteModel

if TYPE_CHECKING:
    from callcenter.site.models import Site

Code = Annotated[str, Field(pattern=r"^[0-9*#]{1,16}$")]
Calls = Annotated[int, Field(ge=0)]


class DialRulesModel(SiteModel):
    """What may be called. What is not named is barred; emergency numbers always go out."""

    national: bool = False
    """Ordinary numbers of the site's ``region``."""
    countries: tuple[Country, ...] = ()
    """More countries whose ordinary numbers may be called. ``US`` is less than ``+1``, which others share."""
    prefixes: tuple[Prefix, ...] = ()
    """More numbers, by their beginnings."""
    premium: tuple[Prefix, ...] = ()
    """Beginnings of premium, shared-cost and personal numbers that may be called; only this opens them."""
    denied: tuple[Prefix, ...] = ()
    """Beginnings of numbers that may never be called; stronger than all else."""
    trunks: tuple[Name, ...] = ()
    """The trunks to try, the best first; none: as the site says, else every trunk with gateways."""
    calls_per_day: Calls = 0
    """Calls each agent may make between two midnights of the site's time zone; 0 for any number."""
    calls_at_a_time: Calls = 0
    """Calls each agent may have under way; 0 for any number."""
    total_per_day: Calls = 0
    """The same for all together."""
    total_at_a_time: Calls = 0


class DialGroupModel(DialRulesModel):
    """Agents with rules of their own. ``denied`` of the site holds for them too, nothing else of it does."""

    id: Name
    agents: tuple[Name, ...] = ()
    queues: tuple[Name, ...] = ()
    """Everybody who serves one of these queues; who is named in ``agents`` of another group belongs there."""


class OutboundModel(DialRulesModel):
    """The site's rules for calls out, for all agents that are in no group, and for calls that no agent makes."""

    groups: tuple[DialGroupModel, ...] = ()
    short_codes: tuple[Code, ...] = ()
    """Short numbers the carriers know, with ``*`` and ``#`` as they are dialled."""
    emergency_numbers: tuple[Code, ...] = ()
    """Besides those of the region, which are known."""
    outside_prefix: str = Field(default="", pattern=r"^[0-9]{0,3}$")
    """What people dial before an outside number."""
    phone_forwards: bool = False
    """Whether an agent's phone may forward a call (302) to a number that its agent may call."""

    @model_validator(mode="after")
    def _groups_apart(self) -> Self:
        seen: dict[str, str] = {}
        for group in self.groups:
            for agent in group.agents:
                if agent in seen:
                    raise ValueError(f"agent {agent!r} is in the groups {seen[agent]!r} and {group.id!r}")
                seen[agent] = group.id
        return self


def outbound_faults(site: "Site") -> list[str]:
    """What in the rules names things that are not in the site."""
    outbound = site.outbound
    queues, agents = {queue.id for queue in site.queues}, {agent.id for agent in site.agents}
    dialled = {trunk.id for trunk in site.trunks if trunk.gateways}
    faults = []
    for place, rules in [("outbound", outbound), *((f"outbound group {each.id}", each) for each in outbound.groups)]:
        faults += [
            f"{place}: no trunk with gateways is called {each!r}" for each in rules.trunks if each not in dialled
        ]
    for group in outbound.groups:
        place = f"outbound group {group.id}"
        faults += [f"{place}: no agent is called {each!r}" for each in group.agents if each not in agents]
        faults += [f"{place}: no queue is called {each!r}" for each in group.queues if each not in queues]
    return faults


def numbering_rules(site: "Site") -> NumberingRules:
    """The check before every call out of this site."""
    return NumberingRules(outbound_plan(site), ZoneInfo(site.time_zone))


def outbound_plan(site: "Site") -> OutboundPlan:
    """The site's rules as the check before every call knows them."""
    outbound = site.outbound
    return OutboundPlan(
        region=site.region,
        house=_permissions("", outbound, UNLIMITED),
        groups=tuple(
            _permissions(each.id, each, Cap(each.total_per_day, each.total_at_a_time)) for each in outbound.groups
        ),
        group_of=_groups_of(site),
        in_all=Cap(outbound.total_per_day, outbound.total_at_a_time),
        trunks=tuple(
            TrunkReach(each.id, each.prefixes, each.emergency, each.encryption())
            for each in site.trunks
            if each.gateways
        ),
        codes=frozenset(outbound.short_codes),
        emergency=frozenset(outbound.emergency_numbers),
        inside=frozenset(each.number for each in site.numbers if each.number != "*"),
        outside_prefix=outbound.outside_prefix,
        phone_forwards=outbound.phone_forwards,
    )


def _permissions(group: str, rules: DialRulesModel, together: Cap) -> DialPermissions:
    return DialPermissions(
        group,
        rules.national,
        frozenset(rules.countries),
        rules.prefixes,
        rules.premium,
        rules.denied,
        rules.trunks,
        Cap(rules.calls_per_day, rules.calls_at_a_time),
        together,
    )


def _groups_of(site: "Site") -> dict[str, str]:
    found: dict[str, str] = {}
    for group in reversed(site.outbound.groups):
        found |= {agent.id: group.id for agent in site.agents if set(agent.queues) & set(group.queues)}
    for group in site.outbound.groups:
        found |= dict.fromkeys(group.agents, group.id)
    return found
