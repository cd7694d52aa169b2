"""Addresses: the value of From, To, Contact, Route, Record-Route and P-Asserted-Identity (RFC 3261 section 20.10)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from callcenter.calls.legs import Party
from callcenter.sip.errors import BadMessage
from callcenter.sip.grammar import (
    LWS,
    Params,
    clean_text,
    end_of_quoted,
    param,
    parse_params,
    quote,
    render_params,
    split_outside,
    unquote,
)
from callcenter.sip.uri import MAX_REMEMBERED, Uri, parse_new_uri, parse_uri

DISPLAY_FORBIDDEN = ',;"<>'
"""What an unquoted display name may not hold. Other non-token characters are met daily and accepted."""


class NameAddress(NamedTuple):
    """A URI with an optional display name and header parameters."""

    uri: Uri
    display_name: str = ""
    params: Params = ()

    @property
    def tag(self) -> str:
        """The dialog tag, empty when absent."""
        return param(self.params, "tag") or ""

    def param(self, name: str) -> str | None:
        """A header parameter, ``None`` when absent, empty when it has no value."""
        return param(self.params, name)

    def with_tag(self, tag: str) -> "NameAddress":
        """The same address with this tag instead of any it had; no tag for an empty text."""
        others = tuple(pair for pair in self.params if pair[0] != "tag")
        return self._replace(params=(*others, ("tag", tag)) if tag else others)

    def __str__(self) -> str:
        name = f"{quote(self.display_name)} " if self.display_name else ""
        return f"{name}<{self.uri}>{render_params(self.params)}"


STAR = "*"
"""The Contact of a REGISTER that removes everything."""


def parse_address(text: str) -> NameAddress:
    """Read one address. Raises ``BadMessage``.

    Without angle brackets everything after a semicolon belongs to the header and a question mark is not allowed
    (RFC 3261 section 20.10). The messages of a call repeat their addresses, so short ones are remembered.
    """
    return _remembered(text) if len(text) <= MAX_REMEMBERED else _parse(text)


def _parse(text: str) -> NameAddress:
    before, bracket, rest = text.partition("<")
    if bracket and (not before or _is_plain_quoted(before)):
        # The everyday forms ``<uri>;tag=x`` and ``"Name" <uri>;tag=x``.
        inner, bracket, tail = rest.partition(">")
        if bracket and (not tail or tail[0] == ";"):
            name = clean_text(before[1:-2]) if before else ""
            return tuple.__new__(NameAddress, (parse_new_uri(inner), name, parse_params(tail[1:]) if tail else ()))
    return _parse_any(text.strip(LWS))


_remembered = lru_cache(maxsize=4_096)(_parse)


def _is_plain_quoted(text: str) -> bool:
    return text[0] == '"' and text.endswith('" ') and text.count('"') == 2 and "\\" not in text


def _parse_any(text: str) -> NameAddress:
    if text.startswith('"'):
        end = end_of_quoted(text, 0)
        display = clean_text(unquote(text[:end]))
        rest = text[end:].lstrip(LWS)
        if not rest.startswith("<"):
            raise BadMessage(400, "Display name without address")
        opening = len(text) - len(rest)
    else:
        opening = text.find("<")
        if opening < 0:
            return _parse_bare(text)
        display = text[:opening].strip(LWS)
        for char in DISPLAY_FORBIDDEN:
            if char in display:
                raise BadMessage(400, "Bad display name")
        display = clean_text(display)
    closing = text.find(">", opening)
    if closing < 0:
        raise BadMessage(400, "Open angle bracket")
    uri = parse_uri(text[opening + 1 : closing])
    rest = text[closing + 1 :].strip(LWS)
    if not rest:
        return NameAddress(uri, display)
    if rest[0] != ";":
        raise BadMessage(400, "Garbage after address")
    return NameAddress(uri, display, parse_params(rest[1:]))


def _parse_bare(text: str) -> NameAddress:
    address, semicolon, params = text.partition(";")
    if "?" in address or "," in address:
        raise BadMessage(400, "Address needs angle brackets")
    return NameAddress(parse_uri(address.rstrip(LWS)), "", parse_params(params) if semicolon else ())


def parse_addresses(values: Sequence[str]) -> tuple[NameAddress, ...]:
    """Read the addresses of all lines of one header, lists split correctly. Raises ``BadMessage``."""
    found: list[NameAddress] = []
    for value in values:
        if "," not in value:
            found.append(parse_address(value))
        else:
            found.extend(parse_address(part) for part in split_outside(value, ","))
    return tuple(found)


def party_of(address: NameAddress) -> Party:
    """A party as people may see it: user part unescaped, control characters gone, bounded in length."""
    number = address.uri.username if address.uri.is_sip or address.uri.scheme == "tel" else address.uri.opaque
    return Party(clean_text(number), clean_text(address.display_name))
