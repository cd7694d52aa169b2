"""The demo company: its configuration, its site, its people, its customers. Written once, then left alone."""

import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from callcenter.site.people import person_block
from callcenter.site.repository import DEMO_FLOW_FILE
from crm_bridge.catalogue import define_level
from crm_bridge.customers import create_customer
from crm_bridge.database import Database, migrate
from crm_bridge.generate import demo_customers
from crm_bridge.models import Customer
from crm_bridge.models.base import utc_now
from crm_bridge.vocabulary import ContactKind

TRUNK_HOST = "127.0.0.2"
"""Where the simulated customers call from: the demo's trunk."""
PHONE_HOST = "127.0.0.3"
"""Where the simulated agents' phones live."""
PASSWORD_VARIABLE = "CALLCENTER_DEMO_PASSWORD"  # noqa: S105 - the variable's name
"""Environment variable that brings the demo's password to the actors."""
SERVICE_NUMBER = "+12025550100"
CUSTOMERS = 60
CUSTOMER_SEED = 7
LEVELS = (("silver", "Silver", "#8a949e"), ("gold", "Gold", "#c8921a"), ("key", "Key account", "#7a3db8"))
"""Codes of the made-up customers' levels, names and colours, the lowest first."""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody who works at the demo company."""

    login: str
    name: str
    queues: tuple[str, ...]
    skills: dict[str, int]
    language: str = "en"
    roles: tuple[str, ...] = ("agent",)
    simulated: bool = True


PEOPLE = (
    DemoPerson("anna", "Anna Berg", ("sales", "support"), {"en": 3}),
    DemoPerson("ben", "Ben Ortiz", ("support",), {"en": 2}),
    DemoPerson("chen", "陈伟", ("sales", "support"), {"zh": 3, "en": 1}, "zh"),
    DemoPerson("dana", "Dana Novak", ("sales",), {"en": 3}),
    DemoPerson("lina", "李娜", ("sales", "support"), {"zh": 3, "en": 2}, "zh"),
    DemoPerson("you", "Your Seat", ("sales", "support"), {"en": 3, "zh": 1}, simulated=False),
    DemoPerson("boss", "Robin Field", (), {}, roles=("supervisor", "administrator"), simulated=False),
)
"""Two queues, six agents of whom one seat is the visitor's, and a supervisor."""

SITE_HEAD = f"""\
# The demo company. Edit freely: a new start of the demo leaves this file as it is.
company = "Northwind Instruments"
time_zone = "UTC"
region = "US"

[[queues]]
id = "sales"
name = "Sales"
labels = {{ zh = "销售" }}
ring_seconds = 15
wrap_up_seconds = 20
service_level_seconds = 20

[[queues]]
id = "support"
name = "Support"
labels = {{ zh = "技术支持" }}
ring_seconds = 15
wrap_up_seconds = 30
service_level_seconds = 30

[[trunks]]
id = "demo-trunk"
addresses = ["{TRUNK_HOST}"]

[[numbers]]
number = "{SERVICE_NUMBER}"
flow = "main"

[[flows]]
id = "main"
file = "{DEMO_FLOW_FILE}"

[[not_ready_reasons]]
code = "break"
labels = {{ en = "Break", zh = "小休" }}

[[not_ready_reasons]]
code = "lunch"
labels = {{ en = "Lunch", zh = "午餐" }}

[[not_ready_reasons]]
code = "training"
labels = {{ en = "Training", zh = "培训" }}

[[dispositions]]
code = "solved"
labels = {{ en = "Solved", zh = "已解决" }}

[[dispositions]]
code = "order"
labels = {{ en = "Order taken", zh = "已下单" }}

[[dispositions]]
code = "follow-up"
labels = {{ en = "Follow-up needed", zh = "需要跟进" }}

[[dispositions]]
code = "wrong-number"
labels = {{ en = "Wrong number", zh = "打错电话" }}

"""


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """Where the demo company lives."""

    config: Path
    password: str
    """The one password of all demo people, made on the first start."""


def found_company(data_dir: Path, *, sip_port: int, web_port: int, realm: str = "callcenter") -> DemoCompany:
    """Write the company's files; those that exist are kept, but for the ports."""
    data_dir.mkdir(parents=True, exist_ok=True)
    password = _password(data_dir / "password")
    site = data_dir / "site.toml"
    if not site.exists():
        blocks = [
            person_block(
                realm=realm,
                login=person.login,
                name=person.name,
                password=password,
                roles=person.roles,
                queues=person.queues,
                skills=person.skills,
                language=person.language,
            )
            for person in PEOPLE
        ]
        site.write_text(SITE_HEAD + "\n".join(blocks), "utf-8")
    config = data_dir / "callcenter.toml"
    config.write_text(
        "# Written by `callcenter demo` at each start.\n"
        'data_dir = "."\n'
        'site = "site.toml"\n\n'
        f'[sip]\nhost = "127.0.0.1"\nport = {sip_port}\nrealm = {json.dumps(realm)}\n\n'
        f'[web]\nhost = "127.0.0.1"\nport = {web_port}\n\n'
        '[log]\nlevel = "warning"\n',
        "utf-8",
    )
    return DemoCompany(config, password)


async def invite_customers(url: str) -> list[str]:
    """Fill an empty customer store with made-up customers; returns the numbers they call from."""
    await migrate(url)
    customers = demo_customers(CUSTOMERS, CUSTOMER_SEED)
    database = Database(url)
    try:
        async with database.begin() as session:
            if await session.scalar(select(Customer.id).limit(1)) is None:
                for rank, (code, name, colour) in enumerate(LEVELS, start=1):
                    await define_level(session, code, name=name, rank=rank, colour=colour, rule=None)
                for customer in customers:
                    await create_customer(session, customer, region="US", now=utc_now())
    finally:
        await database.close()
    numbers = (point.value for each in customers for point in each.contact_points if point.kind is ContactKind.PHONE)
    return list(dict.fromkeys(re.sub(r"[^+\d]", "", number) for number in numbers))


def _password(path: Path) -> str:
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"demo-{secrets.token_hex(3)}\n")
    return path.read_text("utf-8").strip()
