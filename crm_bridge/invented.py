"""Invented customers by the million, the same ones for the same seed, one after the other.

No person is meant. Numbers are of the plainly made-up series +86 13x, counted through in an order that looks random;
nothing ever dials them.
"""

import gc
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice

from sqlalchemy import select

from crm_bridge.bulk import TABLES, enter_many
from crm_bridge.contact_points import NewContactPoint, NormalPoint
from crm_bridge.customers import NewCustomer
from crm_bridge.database import Database
from crm_bridge.generate import invented_name
from crm_bridge.loading import indexed_afterwards
from crm_bridge.models import Customer
from crm_bridge.phone_numbers import PhoneNumber
from crm_bridge.vocabulary import ContactKind, ContactUsage, CustomerKind

PORTION = 5000
"""Customers that go to the database at a time."""
WORTH_LOADING = 50_000
"""From so many on, an empty store gets its indexes when all customers are there."""

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
            invented_name(rng, chinese=chinese, is_org=is_org),
            CustomerKind.ORG if is_org else CustomerKind.PERSON,
            "zh" if chinese else "en",
            _LEVELS[int(rng.random() * len(_LEVELS))],
            tuple(points),
        )


def normal_points(new: NewCustomer) -> list[NormalPoint]:
    """The contact points of an invented customer, which are in normal form already: parsing them would take longer than
    all the rest."""
    return [
        NormalPoint(point, point.value, PhoneNumber(int(point.value[1:])) if point.kind is ContactKind.PHONE else None)
        for point in new.contact_points
    ]


async def enter_invented(
    database: Database,
    *,
    count: int,
    seed: int,
    now: datetime,
    entered: Callable[[int], None] = lambda _: None,
) -> list[int]:
    """Enter them, a portion at a time; the ids of the first portion. ``entered`` is told how many of each portion.

    Many in an empty store are one transaction: all are there with all indexes, or none.
    """
    with _uncollected():
        return await _enter(database, _portions(invented_customers(count, seed)), count=count, now=now, entered=entered)


async def _enter(
    database: Database,
    portions: Iterator[list[NewCustomer]],
    *,
    count: int,
    now: datetime,
    entered: Callable[[int], None],
) -> list[int]:
    first: list[int] = []
    if count >= WORTH_LOADING and await _is_empty(database):
        async with database.begin() as session, indexed_afterwards(session, TABLES):
            for portion in portions:
                ids = await enter_many(session, portion, region=None, now=now, normal=normal_points)
                first = first or ids
                entered(len(ids))
        await database.settle()
        return first
    for portion in portions:
        async with database.begin() as session:
            ids = await enter_many(session, portion, region=None, now=now, normal=normal_points)
        first = first or ids
        entered(len(ids))
    return first


@contextmanager
def _uncollected() -> Iterator[None]:
    """Half of the time went into looking for cycles among rows that have none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _portions(series: Iterator[NewCustomer]) -> Iterator[list[NewCustomer]]:
    while portion := list(islice(series, PORTION)):
        yield portion


async def _is_empty(database: Database) -> bool:
    async with database.read() as session:
        return await session.scalar(select(Customer.id).limit(1)) is None
