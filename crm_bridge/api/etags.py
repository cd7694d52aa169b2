"""Which version of a record an edit means (RFC 9110 section 13.1.1): an edit of another version is refused."""

import re
from typing import Annotated

from fastapi import Header, Response

from crm_bridge.errors import EtagMismatch, EtagRequired
from crm_bridge.models import Customer

IfMatch = Annotated[str | None, Header(description="`ETag` of the record that is being edited.", max_length=100)]

_TAG = re.compile(r'(?:W/)?"(\d{1,18})"')


def mark(response: Response, customer: Customer) -> None:
    """Say which version of the record this is."""
    response.headers["ETag"] = f'"{customer.row_version}"'


def expected_version(if_match: str | None) -> int | None:
    """The version the editor saw; ``None`` for ``*``, which means any. Raises ``EtagRequired``, ``EtagMismatch``."""
    if not if_match:
        raise EtagRequired("say with If-Match which version you are editing", where="header.if-match")
    if if_match.strip() == "*":
        return None
    tag = _TAG.fullmatch(if_match.strip())
    if tag is None:
        raise EtagMismatch("this is not a version of the record", where="header.if-match")
    return int(tag[1])
