"""Finding customers by a part of their name, number or address.

Every customer has a few search terms, and a search is a range of their index: a word of the name is found by its
beginning; a name in Chinese, Japanese or Korean by any part of it (each suffix is a term); a number by its first
digits, with or without country code, or by its last ones (the digits reversed are a term too).
"""

import re
import unicodedata

from sqlalchemy import ColumnElement, false, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.keyset import Cursor, Page, bounded
from crm_bridge.models import Customer, SearchTerm
from crm_bridge.models.base import DEFAULT_TENANT, storable
from crm_bridge.phone_numbers import PhoneNumber, national_digits
from crm_bridge.vocabulary import CustomerStatus

MAX_HITS = 2000
"""How many index entries one search looks at; a search with more should be made narrower by typing on."""

_MAX_TERM = 64
_MAX_TERMS_OF_NAME = 40
_WORD = re.compile(r"[^\W_]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_NUMBER_LIKE = re.compile(r"[\d\s+().\-/]+")
_REVERSED = "~"
_LAST = chr(0x10FFFF)


def normalise_name(name: str) -> str:
    """The name as it is compared: one width, no case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def terms_of_name(name_norm: str) -> frozenset[str]:
    """The search terms of a normalised name."""
    terms: list[str] = []
    for word in _WORD.findall(name_norm):
        starts = range(len(word)) if _CJK.search(word) else range(1)
        terms += [word[start : start + _MAX_TERM] for start in starts]
    return frozenset(terms[:_MAX_TERMS_OF_NAME])


def terms_of_number(number: PhoneNumber) -> frozenset[str]:
    """The search terms of a phone number."""
    full = str(number.e164_int)
    return frozenset({full, national_digits(number), _REVERSED + full[::-1]})


def terms_of_text(value_norm: str) -> frozenset[str]:
    """The search terms of anything else: the whole of it."""
    return frozenset({value_norm[:_MAX_TERM]})


async def search(session: AsyncSession, text: str, *, before: Cursor | None, limit: int) -> Page[Customer]:
    """Active customers that ``text`` describes, the most recently created first; all of them for an empty text."""
    limit = bounded(limit)
    query = select(Customer).where(Customer.tenant_id == DEFAULT_TENANT, Customer.status == CustomerStatus.ACTIVE)
    for condition in _conditions(normalise_name(text)):
        query = query.where(condition)
    if before is not None:
        query = query.where(Customer.id < before.id)
    rows = (await session.scalars(query.order_by(Customer.id.desc()).limit(limit + 1))).all()
    items = tuple(rows[:limit])
    return Page(items, Cursor(items[-1].created_at, items[-1].id) if len(rows) > limit else None)


def _conditions(text: str) -> list[ColumnElement[bool]]:
    if not text:
        return []
    if _NUMBER_LIKE.fullmatch(text) and (digits := re.sub(r"[^0-9]", "", text)):
        significant = digits.lstrip("0") or digits
        return [_any_term_from(digits) | _any_term_from(significant) | _any_term_from(_REVERSED + digits[::-1])]
    if "@" in text:
        return [_any_term_from(text[:_MAX_TERM])]
    words = sorted(_WORD.findall(text), key=len, reverse=True)
    if not words:
        return [false()]
    return [_any_term_from(words[0][:_MAX_TERM]), *(Customer.name_norm.contains(word) for word in words[1:])]


def _any_term_from(prefix: str) -> ColumnElement[bool]:
    """Whether the customer has a term that begins so, among the first ``MAX_HITS`` such terms."""
    prefix = storable(prefix)
    hits = (
        select(SearchTerm.customer_id)
        .where(SearchTerm.tenant_id == DEFAULT_TENANT, SearchTerm.term >= prefix, SearchTerm.term < prefix + _LAST)
        .order_by(SearchTerm.term, SearchTerm.customer_id)
        .limit(MAX_HITS)
    )
    return Customer.id.in_(hits)
