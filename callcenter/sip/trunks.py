"""Trunks: the carriers whose calls are taken on sight, recognised by where their packets come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from callcenter.sip.flows import Address


@dataclass(frozen=True, slots=True)
class Trunk:
    """One carrier. An address inside ``networks`` is trusted to be this carrier and nobody else."""

    trunk_id: str
    networks: tuple[IPv4Network | IPv6Network, ...]
    ports: frozenset[int] = frozenset()
    """Source ports it sends from; empty for any."""
    trust_identity: bool = True
    """Whether its P-Asserted-Identity names the caller (RFC 3325); else only From is read."""

    def owns(self, address: Address) -> bool:
        """Whether a packet from this address is the carrier's."""
        if self.ports and address[1] not in self.ports:
            return False
        try:
            source = ip_address(address[0])
        except ValueError:
            return False
        return any(source in network for network in self.networks)


def trunk_of(trunks: Sequence[Trunk], address: Address) -> Trunk | None:
    """The first trunk that owns the address."""
    return next((trunk for trunk in trunks if trunk.owns(address)), None)
