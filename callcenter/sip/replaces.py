"""Replaces: the dialog that a new one is to take over (RFC 3891), in its header or inside a Refer-To."""

from dataclasses import dataclass
from urllib.parse import unquote

from callcenter.sip.errors import BadMessage
from callcenter.sip.grammar import param, parse_params
from callcenter.sip.uri import Uri


@dataclass(frozen=True, slots=True)
class ReplacedDialog:
    """A dialog named by a Replaces header, as its recipient sees it (RFC 3891 section 6.1)."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    def __str__(self) -> str:
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}"


def parse_replaces(value: str) -> ReplacedDialog:
    """Read a Replaces value. Raises ``BadMessage``."""
    call_id, semicolon, rest = value.strip().partition(";")
    params = parse_params(rest) if semicolon else ()
    to_tag, from_tag = param(params, "to-tag"), param(params, "from-tag")
    if not call_id or not to_tag or not from_tag:
        raise BadMessage(400, "Bad Replaces")
    return ReplacedDialog(call_id, to_tag, from_tag, param(params, "early-only") is not None)


def replaces_in_uri(uri: Uri) -> ReplacedDialog | None:
    """The Replaces that a Refer-To carries in its URI, escapes resolved once. Raises ``BadMessage``."""
    for header in uri.headers.split("&") if uri.headers else ():
        name, _, value = header.partition("=")
        if name.lower() == "replaces":
            return parse_replaces(unquote(value))
    return None
