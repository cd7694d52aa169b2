"""Via: where a response goes back to, and the branch that names a transaction (RFC 3261 section 20.42, RFC 3581)."""

from functools import lru_cache
from typing import NamedTuple

from callcenter.sip.errors import BadMessage
from callcenter.sip.grammar import LWS, Params, is_token, param, parse_params, render_params
from callcenter.sip.uri import MAX_REMEMBERED, format_host, parse_host_port

MAGIC_COOKIE = "z9hG4bK"
"""A branch that starts so is unique and matches transactions on its own (RFC 3261 section 8.1.1.7)."""


class Via(NamedTuple):
    """One Via value."""

    transport: str
    """Upper case."""
    host: str
    port: int | None
    params: Params = ()

    @property
    def branch(self) -> str:
        """The branch, empty when absent."""
        return param(self.params, "branch") or ""

    @property
    def has_unique_branch(self) -> bool:
        """Whether the branch is RFC 3261's kind and not empty after the cookie (RFC 4475 section 3.2.1)."""
        branch = self.branch
        return branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE)

    @property
    def asks_port(self) -> bool:
        """Whether responses are to go to the port that requests come from (``rport``, RFC 3581)."""
        return param(self.params, "rport") is not None

    @property
    def sent_by(self) -> str:
        """Host and port as they take part in matching."""
        return format_host(self.host, self.port)

    def with_source(self, host: str, port: int) -> "Via":
        """As it goes back in responses: ``received`` when the source differs, ``rport`` filled in when asked for."""
        wants_port = self.asks_port
        if host == self.host and not wants_port:
            return self
        kept = tuple(pair for pair in self.params if pair[0] not in {"received", "rport"})
        added: Params = (("received", host), ("rport", str(port))) if wants_port else (("received", host),)
        return self._replace(params=(*kept, *added))

    def __str__(self) -> str:
        return f"SIP/2.0/{self.transport} {format_host(self.host, self.port)}{render_params(self.params)}"


def parse_via(text: str) -> Via:
    """Read one Via value. Raises ``BadMessage``."""
    head, semicolon, params = text.partition(";")
    transport, host, port = _remembered(head) if len(head) <= MAX_REMEMBERED else _parse_head(head)
    return tuple.__new__(Via, (transport, host, port, parse_params(params) if semicolon else ()))


def _parse_head(head: str) -> tuple[str, str, int | None]:
    """Transport and sent-by: the part that every message of one peer repeats, so short ones are remembered."""
    if head.startswith("SIP/2.0/"):
        transport, _, sent_by = head[8:].lstrip(LWS).partition(" ")
    else:
        name, _, rest = head.partition("/")
        version, _, rest = rest.partition("/")
        if name.strip(LWS).upper() != "SIP" or version.strip(LWS) != "2.0":
            raise BadMessage(400, "Bad Via protocol")
        transport, _, sent_by = rest.strip(LWS).partition(" ")
    if not is_token(transport):
        raise BadMessage(400, "Bad Via transport")
    host, port = _parse_sent_by(sent_by.strip(LWS))
    return transport.upper(), host, port


_remembered = lru_cache(maxsize=1_024)(_parse_head)


def _parse_sent_by(text: str) -> tuple[str, int | None]:
    if " " in text or "\t" in text:
        text = "".join(text.split())
    return parse_host_port(text)
