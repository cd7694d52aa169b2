"""Invented customers for the demonstration, the same ones for the same seed.

No person is meant. North American numbers come from the range reserved for fiction (555-0100 to 555-0199 of each area
code); China reserves none, so those are of the plainly made-up form +86 139 0000 xxxx.
"""

import random
from collections.abc import Sequence

from crm_bridge.customers import NewContactPoint, NewCustomer
from crm_bridge.vocabulary import ContactKind, ContactUsage, CustomerKind

_AREA_CODES = ("202", "212", "312", "415", "617")
_GIVEN = (
    "Ada",
    "Ben",
    "Clara",
    "Dario",
    "Elena",
    "Felix",
    "Grace",
    "Hugo",
    "Irma",
    "Jonas",
    "Kira",
    "Leo",
    "Mona",
    "Nils",
)
_FAMILY = (
    "Abbot",
    "Barlow",
    "Carver",
    "Dunmore",
    "Ellery",
    "Fairway",
    "Gladwin",
    "Harrow",
    "Iverson",
    "Jessop",
    "Kettle",
)
_ORG_NAMES = ("Northlight", "Bluewater", "Oakfield", "Silverpine", "Redbrick", "Greenhill", "Stillwater")
_ORG_TRADES = ("Bakery", "Logistics", "Travel", "Insurance", "Garden Supplies", "Dental Care")
_ZH_FAMILY = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
_ZH_GIVEN = ("晓明", "雨桐", "子涵", "思远", "佳怡", "文博", "一诺", "浩然", "欣悦", "宇航", "静", "磊", "婷", "帆")
_ZH_ORGS = ("晨光", "远帆", "青禾", "云岭", "星河")
_ZH_TRADES = ("物流有限公司", "旅行社", "食品有限公司", "科技有限公司")
_LEVELS = (None, None, None, "silver", "gold", "key")

_NAMES: dict[tuple[bool, bool], tuple[Sequence[str], Sequence[str], str]] = {
    (True, True): (_ZH_ORGS, _ZH_TRADES, ""),
    (True, False): (_ZH_FAMILY, _ZH_GIVEN, ""),
    (False, True): (_ORG_NAMES, _ORG_TRADES, " "),
    (False, False): (_GIVEN, _FAMILY, " "),
}
"""By Chinese or English, organisation or person: the beginnings, the ends, and what stands between them."""

_SHARED_EVERY = 8
"""Every eighth customer also has the number of the one before: a family phone, an office line."""


def demo_customers(n: int, seed: int) -> list[NewCustomer]:
    """``n`` customers, in English and Chinese, some organisations, some sharing a number."""
    rng = random.Random(seed)  # noqa: S311 - the same customers each time, nothing secret
    customers: list[NewCustomer] = []
    for index in range(n):
        chinese = rng.random() < 0.5
        number = _chinese_number(index) if chinese else _american_number(index)
        shared = customers[-1].contact_points[0].value if customers and index % _SHARED_EVERY == 0 else None
        customers.append(_customer(rng, index, chinese=chinese, number=number, shared=shared))
    return customers


def _customer(rng: random.Random, index: int, *, chinese: bool, number: str, shared: str | None) -> NewCustomer:
    is_org = rng.random() < 0.15
    points = [NewContactPoint(number, usage=ContactUsage.WORK if is_org else ContactUsage.MOBILE, is_primary=True)]
    if shared:
        points.append(NewContactPoint(shared, usage=ContactUsage.HOME))
    if rng.random() < 0.6:
        points.append(NewContactPoint(f"customer{index}@example.com", ContactKind.EMAIL, ContactUsage.OTHER))
    return NewCustomer(
        display_name=invented_name(rng, chinese=chinese, is_org=is_org),
        kind=CustomerKind.ORG if is_org else CustomerKind.PERSON,
        preferred_language="zh" if chinese else "en",
        level=rng.choice(_LEVELS),
        contact_points=tuple(points),
    )


def invented_name(rng: random.Random, *, chinese: bool, is_org: bool) -> str:
    """A name of nobody: Chinese or English, of a person or an organisation."""
    first, second, between = _NAMES[chinese, is_org]
    return first[int(rng.random() * len(first))] + between + second[int(rng.random() * len(second))]


def _american_number(index: int) -> str:
    """Numbers repeat after 500 customers, which is more sharing and no harm."""
    area = _AREA_CODES[index // 100 % len(_AREA_CODES)]
    return f"+1 {area}-555-01{index % 100:02d}"


def _chinese_number(index: int) -> str:
    return f"+86 139 0000 {index % 10_000:04d}"
