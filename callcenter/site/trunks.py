"""Trunks in the site file: who they are, where our calls to them go, and what the SIP front end makes of them."""

import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from callcenter.errors import ConfigError
from callcenter.ports import EncryptionPolicy
from callcenter.sip.flows import Transport
from callcenter.sip.media_keys import SrtpPolicy
from callcenter.sip.trunks import Trunk
from callcenter.site.fields import Name, Prefix, SiteModel

Gateway = Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?$", max_length=260)]
"""A host name or an IP address (IPv6 in brackets), with a port if it is not for DNS to say."""


class TrunkModel(SiteModel):
    """A carrier or gateway, known by where its calls come from; with ``gateways`` it also takes calls of ours."""

    id: Name
    addresses: tuple[str, ...] = ()
    """IP addresses or networks its calls come from."""
    ports: tuple[int, ...] = ()
    """Source ports, when the address alone does not tell it; empty: any."""
    trust_identity: bool = True
    """Whether its P-Asserted-Identity names the caller; else only From is read."""
    gateways: tuple[Gateway, ...] = Field(default=(), max_length=8)
    """Where our calls go, the best first: ``sip.carrier.example``, ``198.51.100.7:5070``."""
    transport: Transport | None = None
    """``udp``, ``tcp`` or ``tls``; by default what DNS says, else UDP."""
    domain: str = Field(default="", pattern=r"^[A-Za-z0-9.-]*$")
    """The host in the addresses we write to it; the first gateway by default."""
    username: str = Field(default="", max_length=128)
    password_file: Path | None = None
    """File that holds the password, relative to the site file. Passwords never stand in the site file itself."""
    password_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Environment variable that holds the password."""
    registers: bool = False
    """Whether we register with it."""
    register_seconds: int = Field(default=300, ge=60, le=86_400)
    options_seconds: int = Field(default=30, ge=0, le=3_600)
    """How often it is asked whether it lives; 0 for never."""
    max_calls: int = Field(default=0, ge=0)
    """Calls of ours at a time; 0 for any number."""
    calls_per_second: float = Field(default=0.0, ge=0)
    """New calls of ours; 0 for any number."""
    caller_number: Prefix | None = None
    """The number we show where the caller's own may not be shown."""
    caller_numbers: tuple[Prefix, ...] = ()
    """Numbers, or their beginnings, that may be shown to this carrier; empty: any."""
    prefixes: tuple[Prefix, ...] = ()
    """Numbers it carries, by their beginnings; empty: all."""
    emergency: bool = True
    """Whether it carries emergency calls."""
    follow_redirects: bool = False
    """Whether the carrier may send a call of ours to another number (302), checked like a dialled one."""
    srtp: SrtpPolicy = SrtpPolicy.OPTIONAL
    """``never``, ``optional`` (where the carrier offers it over TLS), or ``required``: a call whose media would not be
    encrypted is refused."""
    keys_without_tls: bool = False
    """Whether keys of SRTP may go by UDP or TCP, where everybody on the way reads them along."""

    @field_validator("addresses")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            ip_network(address)
        return value

    @field_validator("gateways")
    @classmethod
    def _ports(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            port = _split(each)[1]
            if port is not None and not 0 < port < 65_536:
                raise ValueError(f"{each!r}: no such port; write one of 1 to 65535")
        return value

    @field_validator("transport")
    @classmethod
    def _dialled(cls, value: Transport | None) -> Transport | None:
        if value in {Transport.WS, Transport.WSS}:
            raise ValueError("carriers are reached by udp, tcp or tls")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.addresses and not self.gateways:
            raise ValueError("needs addresses (its calls to us), gateways (ours to it), or both")
        if self.registers and not (self.username and self.gateways):
            raise ValueError("registers needs username and gateways")
        if self.password_file is not None and self.password_env is not None:
            raise ValueError("password_file and password_env: write one of them")
        if self.username and self.password_file is None and self.password_env is None:
            raise ValueError("username needs password_file or password_env")
        if self.srtp is SrtpPolicy.REQUIRED and self.gateways and not self._is_private:
            raise ValueError(
                'srtp = "required" sends its keys in the session description; write transport = "tls", '
                "or keys_without_tls = true where nobody else reads the network"
            )
        return self

    def encryption(self) -> EncryptionPolicy | None:
        """What is offered to it: SRTP, keys beside plain media, or ``None`` for nothing but plain media."""
        if self.srtp is SrtpPolicy.REQUIRED:
            return EncryptionPolicy.REQUIRED
        return EncryptionPolicy.OPTIONAL if self.srtp is SrtpPolicy.OPTIONAL and self._is_private else None

    @property
    def _is_private(self) -> bool:
        return self.keys_without_tls or self.transport is Transport.TLS


def site_trunks(
    models: tuple[TrunkModel, ...], site_file: Path, environment: Mapping[str, str] = os.environ
) -> list[Trunk]:
    """The trunks as the SIP front end knows them, passwords read. Raises ``ConfigError`` naming trunk and remedy."""
    return [_trunk(each, _password(each, site_file, environment)) for each in models]


def _trunk(model: TrunkModel, password: str) -> Trunk:
    places = [_split(each) for each in model.gateways] or [("", None)]
    return Trunk(
        model.id,
        tuple(ip_network(address) for address in model.addresses),
        frozenset(model.ports),
        trust_identity=model.trust_identity,
        gateway=places[0][0],
        gateway_port=places[0][1],
        more_gateways=tuple(places[1:]),
        transport=model.transport,
        domain=model.domain,
        username=model.username,
        password=password,
        registers=model.registers,
        register_seconds=model.register_seconds,
        options_seconds=model.options_seconds,
        max_calls=model.max_calls,
        calls_per_second=model.calls_per_second,
        caller_number=model.caller_number or "",
        caller_numbers=model.caller_numbers,
        follow_redirects=model.follow_redirects,
        srtp=model.srtp,
        keys_without_tls=model.keys_without_tls,
    )


def _split(gateway: str) -> tuple[str, int | None]:
    host, colon, port = gateway.rpartition(":")
    if not colon or gateway.endswith("]"):
        return gateway.strip("[]"), None
    return host.strip("[]"), int(port)


def _password(model: TrunkModel, site_file: Path, environment: Mapping[str, str]) -> str:
    place = f"{site_file}: trunk {model.id}"
    if model.password_file is not None:
        file = site_file.parent / model.password_file
        try:
            found = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{place}: password_file: {file} cannot be read ({error})") from error
        if not found:
            raise ConfigError(f"{place}: password_file: {file} is empty; write the password into it")
        return found
    if model.password_env is None:
        return ""
    found = environment.get(model.password_env, "")
    if not found:
        raise ConfigError(f"{place}: password_env: {model.password_env} is not set; export it before starting")
    return found
