"""Where a trunk's gateways are: NAPTR, SRV and address look-ups (RFC 3263 section 4, RFC 2782)."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol

import dns.asyncresolver
import dns.exception
import structlog

from callcenter.sip.flows import Flow, Transport
from callcenter.sip.trunks import Trunk

log = structlog.get_logger(__name__)

SERVICES = {"SIP+D2U": Transport.UDP, "SIP+D2T": Transport.TCP, "SIPS+D2T": Transport.TLS}
"""NAPTR services (RFC 3263 section 4.1)."""
SRV_NAMES = {Transport.UDP: "_sip._udp", Transport.TCP: "_sip._tcp", Transport.TLS: "_sips._tcp"}
MAX_FLOWS = 8
"""Gateways of one trunk that are tried."""


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """One SRV record."""

    priority: int
    weight: int
    host: str
    port: int


class NameSystem(Protocol):
    """The look-ups needed; each returns nothing when there is nothing or no answer."""

    async def naptr(self, name: str) -> list[tuple[int, int, str, str]]:
        """``(order, preference, service, replacement)`` of each record with flag ``s``."""
        ...

    async def srv(self, name: str) -> list[ServiceRecord]:
        """SRV records."""
        ...

    async def addresses(self, name: str) -> list[str]:
        """IPv4 addresses, then IPv6 addresses."""
        ...


class DnsNames:
    """The real thing, by dnspython."""

    def __init__(self, resolver: dns.asyncresolver.Resolver | None = None) -> None:
        self._resolver = resolver or dns.asyncresolver.Resolver()
        self._resolver.lifetime = 3.0

    async def _ask(self, name: str, kind: str) -> Sequence[object]:
        try:
            return list(await self._resolver.resolve(name, kind, raise_on_no_answer=False))
        except (dns.exception.DNSException, OSError) as error:
            log.info("sip.name_not_found", kind=kind, error=type(error).__name__)
            return []

    async def naptr(self, name: str) -> list[tuple[int, int, str, str]]:
        """NAPTR records that lead to SRV records."""
        return [
            (one.order, one.preference, one.service.decode().upper(), str(one.replacement).rstrip("."))  # type: ignore[attr-defined]
            for one in await self._ask(name, "NAPTR")
            if one.flags.decode().lower() == "s"  # type: ignore[attr-defined]
        ]

    async def srv(self, name: str) -> list[ServiceRecord]:
        """SRV records."""
        return [
            ServiceRecord(one.priority, one.weight, str(one.target).rstrip("."), one.port)  # type: ignore[attr-defined]
            for one in await self._ask(name, "SRV")
        ]

    async def addresses(self, name: str) -> list[str]:
        """IPv4 addresses, then IPv6 addresses."""
        return [str(one) for kind in ("A", "AAAA") for one in await self._ask(name, kind)]


def in_order(records: Sequence[ServiceRecord], chance: random.Random) -> list[ServiceRecord]:
    """Lower priorities first; among equals by lot, weighted (RFC 2782)."""
    ordered: list[ServiceRecord] = []
    for priority in sorted({one.priority for one in records}):
        pool = sorted((one for one in records if one.priority == priority), key=lambda one: one.weight != 0)
        while pool:
            drawn = chance.randint(0, sum(one.weight for one in pool))
            for one in pool:
                drawn -= one.weight
                if drawn <= 0:
                    break
            pool.remove(one)
            ordered.append(one)
    return ordered


async def gateways(trunk: Trunk, names: NameSystem, chance: random.Random) -> tuple[Flow, ...]:
    """The flows to a trunk's gateways in the order to try them; empty when none was found."""
    places = [(trunk.gateway, trunk.gateway_port), *trunk.more_gateways]
    found = [flow for host, port in places for flow in await _flows_to(host, port, trunk, names, chance)]
    return tuple(dict.fromkeys(found))[:MAX_FLOWS]


async def _flows_to(
    host: str, gateway_port: int | None, trunk: Trunk, names: NameSystem, chance: random.Random
) -> list[Flow]:
    transport = trunk.transport or Transport.UDP
    port = gateway_port or (5061 if transport is Transport.TLS else 5060)
    if _is_address(host):
        return [_flow(transport, host, port, host)]
    if gateway_port is None:
        for kind, name in await _services(host, trunk, names):
            records = in_order(await names.srv(name), chance)
            found = [
                _flow(kind, address, one.port, host) for one in records for address in await names.addresses(one.host)
            ]
            if found:
                return found[:MAX_FLOWS]
    return [_flow(transport, address, port, host) for address in await names.addresses(host)]


async def _services(host: str, trunk: Trunk, names: NameSystem) -> list[tuple[Transport, str]]:
    """Where to look for SRV records: what NAPTR says, else by the transport's usual name (RFC 3263 section 4.1)."""
    if trunk.transport is not None:
        return [(trunk.transport, f"{SRV_NAMES[trunk.transport]}.{host}")]
    records = sorted(await names.naptr(host))
    pointed = [(SERVICES[service], name) for _, _, service, name in records if service in SERVICES]
    return pointed or [(kind, f"{prefix}.{host}") for kind, prefix in SRV_NAMES.items()]


def _flow(transport: Transport, address: str, port: int, host: str) -> Flow:
    return Flow(transport, (address, port), name=host if transport is Transport.TLS else "")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
