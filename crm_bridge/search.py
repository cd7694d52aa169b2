"""Finding customers by any part of their name, number or address."""

import re

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.keyset import Cursor, Page, bounded
from crm_bridge.models import Customer, SearchTerm
from crm_bridge.models.base import DEFAULT_TENANT, storable
from crm_bridge.search_terms import (
    MAX_TERM,
    MIN_NUMBER_PART,
    WORD,
    normalise_name,
    terms_of_name,
    terms_of_number,
    terms_of_text,
)
from crm_bridge.visibility import hidden_from
from crm_bridge.vocabulary import CustomerStatus

__all__ = ["MAX_HITS", "normalise_name", "search", "terms_of_name", "terms_of_number", "terms_of_text"]

MAX_HITS = 2000
"""How many index entries one search looks at; a search with more should be made narrower by typing on."""

_NUMBER_LIKE = re.compile(r"[\d\s+().\-/]+")
_MAX_WORDS = 6
"""A pasted text has hundreds, and each is a part of the question that the database plans."""
_LAST = chr(0x10FFFF)


async def search(session: AsyncSession, text: str, *, before: Cursor | None, limit: int) -> Page[Customer]:
    """Active customers that ``text`` describes, the most recently created first; all of them for an empty text."""
    limit = bounded(limit)
    query = select(Customer).where(Customer.tenant_id == DEFAULT_TENANT, Customer.status == CustomerStatus.ACTIVE)
    condition = _condition(normalise_name(text))
    if condition is not None:
        query = query.where(condition)
    hidden = hidden_from(session)
    if hidden is not None:
        query = query.where(~hidden)
    if before is not None:
        query = query.where(Customer.id < before.id)
    rows = (await session.scalars(query.order_by(Customer.id.desc()).limit(limit + 1))).all()
    items = tuple(rows[:limit])
    return Page(items, Cursor(items[-1].created_at, items[-1].id) if len(rows) > limit else None)


def _condition(text: str) -> ColumnElement[bool] | None:
    if not text:
        return None
    if _NUMBER_LIKE.fullmatch(text) and (digits := re.sub(r"[^0-9]", "", text)):
        significant = digits.lstrip("0")
        spellings = {digits, significant} if len(significant) >= MIN_NUMBER_PART else {digits}
        return or_(*(_among_first(each) for each in sorted(spellings)))
    if "@" in text:
        return _among_first(text[:MAX_TERM])
    words = sorted(set(WORD.findall(text)), key=lambda word: (-len(word), word))[:_MAX_WORDS]
    if not words:
        return false()
    all_words = and_(_among_first(words[0][:MAX_TERM]), *(_has_term(word[:MAX_TERM]) for word in words[1:]))
    return all_words if len(words) == 1 or " " in text else or_(all_words, _among_first(text[:MAX_TERM]))


def _among_first(prefix: str) -> ColumnElement[bool]:
    """Whether the customer has a term that begins so, among the first ``MAX_HITS`` such terms."""
    hits = (
        select(SearchTerm.customer_id)
        .where(*_begins(prefix))
        .order_by(SearchTerm.term, SearchTerm.customer_id)
        .limit(MAX_HITS)
    )
    return Customer.id.in_(hits)


def _has_term(prefix: str) -> ColumnElement[bool]:
    """Whether the customer has a term that begins so: asked for the few that another word has found.

    A few digits are a part of the name: beginnings of numbers would have everybody.
    """
    if prefix.isdecimal() and len(prefix) < MIN_NUMBER_PART:
        return Customer.name_norm.contains(prefix, autoescape=True)
    return exists().where(SearchTerm.customer_id == Customer.id, *_begins(prefix))


def _begins(prefix: str) -> tuple[ColumnElement[bool], ...]:
    prefix = storable(prefix)
    return SearchTerm.tenant_id == DEFAULT_TENANT, SearchTerm.term >= prefix, SearchTerm.term < prefix + _LAST
