"""Who knows a customer, as routing asks: the owner of the record, and the agent of the last conversation."""

import pytest

from callcenter.ports import Match
from callcenter.store_directory import StoreDirectory
from crm_bridge.customers import NewCustomer, create_customer
from crm_bridge.database import Database
from crm_bridge.familiar_agents import FamiliarAgents, familiar_agents
from crm_bridge.interactions import record
from crm_bridge.models import CustomerProfile
from tests.support.crm_records import NOON, NUMBER, REGION, call, minutes, person

pytestmark = pytest.mark.unit


async def enter(database: Database, new: NewCustomer) -> int:
    async with database.begin() as session:
        return (await create_customer(session, new, region=REGION, now=NOON)).id


async def test_the_last_agent_is_whoever_talked_last_not_whoever_was_only_rung(database: Database) -> None:
    ada = await enter(database, person("Ada", NUMBER))
    async with database.read() as session:
        assert await familiar_agents(session, ada) == FamiliarAgents()
    later, latest = NOON + minutes(10), NOON + minutes(20)
    async with database.begin() as session:
        await record(session, call("c1", agent_id="lin", journal_seq=1), region=REGION)
        await record(session, call("c2", agent_id="mia", started_at=later, journal_seq=2), region=REGION)
        lost = call("c3", started_at=latest, answered_at=None, agent_id=None, outcome="abandoned", journal_seq=3)
        await record(session, lost, region=REGION)
    async with database.read() as session:
        assert await familiar_agents(session, ada) == FamiliarAgents(None, "mia")
        assert await familiar_agents(session, ada + 1) == FamiliarAgents()


async def test_the_directory_tells_routing_level_language_owner_and_last_agent(database: Database) -> None:
    directory = StoreDirectory(database, region=REGION, own_numbers=frozenset())
    assert await directory.match(NUMBER) == Match("none")
    new = person("Ada", NUMBER)
    ada = await enter(
        database, NewCustomer("Ada", preferred_language="zh", level="gold", contact_points=new.contact_points)
    )
    async with database.begin() as session:
        profile = await session.get(CustomerProfile, ada) or CustomerProfile(customer_id=ada)
        profile.owner_id = "mia"
        session.add(profile)
        await record(session, call("c1"), region=REGION)
    found = await directory.match(NUMBER)
    assert found == Match("one", (str(ada),), "Ada", "zh", "gold", "mia", "lin")
    await enter(database, person("Eve", NUMBER))
    shared = await directory.match(NUMBER)
    assert (shared.state, shared.level, shared.owner) == ("many", None, None), "which of them it is nobody knows"


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_nobody_is_asked_for_who_has_a_text_that_is_no_number_or_a_number_of_our_own(database: Database) -> None:
    directory = StoreDirectory(database, region=REGION, own_numbers=frozenset({NUMBER}))
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE customer RENAME TO away")
    assert await directory.match("anonymous") == Match("none")
    assert await directory.match(NUMBER) == Match("none")
    assert await directory.match("+12025550199") == Match("unavailable")
