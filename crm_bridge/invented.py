"""Invented customers by the million, the same ones for the same seed, one after the other.

No person is meant. Numbers are of the plainly made-up series +86 13x, counted through in an order that looks random;
nothing ever dials them.
"""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice

from sqlalchemy import select, text

from crm_bridge.bulk import enter_many
from crm_bridge.contact_points import NewContactPoint, NormalPoint
from crm_bridge.customers import NewCustomer
from crm_bridge.database import Database
from crm_bridge.generate import invented_name
from crm_bridge.models import SearchText
from crm_bridge.models.customer import POSTGRESQL_SEARCH_INDEX
from crm_bridge.phone_numbers import PhoneNumber
from crm_bridge.vocabulary import ContactKind, ContactUsage, CustomerKind

PORTION = 5000
WORTH_REBUILDING = 50_000
"""Customers in one transaction."""

_NUMBERS = 1_000_000_000
_STEP = 618_033_989
"""Shares no factor with the count of numbers, so that the series meets each number once."""
_SECOND_NUMBER = 0.2
_E_MAIL = 0.6
_LEVELS = (None, None, None, "silver", "gold", "key")


def number_at(index: int) -> str:
    """The number at a place of the series: ``+8613`` and nine digits, a different one for each place."""
    return f"+8613{index * _STEP % _NUMBERS:09d}"


def invented_customers(count: int, seed: int) -> Iterator[NewCustomer]:
    """``count`` customers; the first number of the customer at place ``i`` is ``number_at(i)``."""
    rng = random.Random(seed)  # noqa: S311 - the same customers each time, nothing secret
    for index in range(count):
        chinese, is_org = rng.random() < 0.5, rng.random() < 0.15
        points = [NewContactPoint(number_at(index), usage=ContactUsage.MOBILE, is_primary=True)]
        if rng.random() < _SECOND_NUMBER:
            points.append(NewContactPoint(number_at(_NUMBERS // 2 + index), usage=ContactUsage.HOME))
        if rng.random() < _E_MAIL:
            points.append(NewContactPoint(f"customer{index}@example.com", ContactKind.EMAIL))
        yield NewCustomer(
            display_name=invented_name(rng, chinese=chinese, is_org=is_org),
            kind=CustomerKind.ORG if is_org else CustomerKind.PERSON,
            preferred_language="zh" if chinese else "en",
            level=rng.choice(_LEVELS),
            contact_points=tuple(points),
        )


def normal_points(new: NewCustomer) -> list[NormalPoint]:
    """The contact points of an invented customer, which are in normal form already: parsing them would take longer than
    all the rest."""
    return [
        NormalPoint(point, point.value, PhoneNumber(int(point.value[1:])) if point.kind is ContactKind.PHONE else None)
        for point in new.contact_points
    ]


async def enter_invented(database: Database, *, count: int, seed: int, now: datetime) -> list[int]:
    """Enter them, a portion in each transaction; the ids of the first portion."""
    series = invented_customers(count, seed)
    first: list[int] = []
    async with _index_afterwards(database, count):
        while portion := list(islice(series, PORTION)):
            async with database.begin() as session:
                ids = await enter_many(session, portion, region=None, now=now, normal=normal_points)
            first = first or ids
    return first


@asynccontextmanager
async def _index_afterwards(database: Database, count: int) -> AsyncIterator[None]:
    """On PostgreSQL, for many customers in an empty store: make the index of the search texts when all are there, which
    takes a tenth of the time."""
    worth_it = database.engine.dialect.name == "postgresql" and count >= WORTH_REBUILDING
    if worth_it:
        async with database.begin() as session:
            worth_it = await session.scalar(select(SearchText.customer_id).limit(1)) is None
            if worth_it:
                await session.execute(text("DROP INDEX IF EXISTS ix_search_text_trigrams"))
    try:
        yield
    finally:
        if worth_it:
            async with database.begin() as session:
                await session.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
                await session.execute(text(POSTGRESQL_SEARCH_INDEX[1]))
