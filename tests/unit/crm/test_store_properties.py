"""Property: an erasure takes one person and no figure."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from crm_bridge.changes import Editing
from crm_bridge.consents import NewConsent, record_consent
from crm_bridge.customers import NewContactPoint, NewCustomer, create_customer
from crm_bridge.database import Database
from crm_bridge.erasure import erase
from crm_bridge.interactions import complete_wrap_up, record_batch
from crm_bridge.models import Customer, Interaction, WrapUp
from crm_bridge.profiles import edit_customer
from crm_bridge.promises import make_promise
from crm_bridge.record_parts import Tag, add_file, add_identity, set_tags
from crm_bridge.timeline import add_note
from crm_bridge.vocabulary import ConsentStatus, ContactKind
from tests.support.crm_dump import dump, empty
from tests.support.crm_records import NOON, REGION, call, minutes

pytestmark = pytest.mark.unit

RULES = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
CHANNELS = ("voice", "sms", "email", "webchat", "letter")
EDITING = Editing(NOON, "u1", "Lin")
ANNE, BEN = "+8613900000001", "+8613900000002"

logs = st.lists(
    st.tuples(st.sampled_from(CHANNELS), st.integers(0, 30), st.sampled_from((ANNE, BEN, "anonymous"))), max_size=12
)


PARTS = ("note", "profile", "tags", "identity", "consent", "promise", "file", "wrap-up")


@RULES
@given(log=logs, parts=st.lists(st.sampled_from(PARTS), max_size=6), bens=st.lists(st.sampled_from(PARTS), max_size=3))
async def test_an_erasure_takes_every_word_of_one_person_nothing_of_another_and_no_figure(
    database: Database, log: list[tuple[str, int, str]], parts: list[str], bens: list[str]
) -> None:
    await empty(database)
    async with database.begin() as session:
        anne = (await create_customer(session, person("Quagliarello", ANNE), region=REGION, now=NOON)).id
        ben = (await create_customer(session, person("Ben", BEN), region=REGION, now=NOON)).id
        await record_batch(
            session,
            [
                call(
                    f"c{n}", channel=channel, started_at=NOON + minutes(at), from_value=caller, from_name=whose(caller)
                )
                for n, (channel, at, caller) in enumerate(log)
            ],
            region=REGION,
        )
        for customer_id, word, of in ((anne, "Quagliarello", parts), (ben, "Ben", bens)):
            for n, part in enumerate(of):
                await add_part(session, part, customer_id, word, n, log)
    figures, others = await figures_of(database), await about(database, ben)
    async with database.begin() as session:
        await erase(session, anne, legal_basis="consent", actor_id="u1", now=NOON)
    left = repr(await dump(database))
    assert [secret for secret in ("Quagliarello", "quagliarello", ANNE[1:]) if secret in left] == []
    assert await figures_of(database) == figures
    assert await about(database, ben) == others


def person(name: str, number: str) -> NewCustomer:
    """With an e-mail address that has the name in it."""
    points = (NewContactPoint(number), NewContactPoint(f"{name}@example.com", ContactKind.EMAIL))
    return NewCustomer(name, contact_points=points)


def whose(caller: str) -> str:
    return {ANNE: "Quagliarello", BEN: "Ben"}.get(caller, "")


async def add_part(session: Any, part: str, customer_id: int, word: str, n: int, log: list[Any]) -> None:
    """One more thing that is known about somebody."""
    customer = await session.get_one(Customer, customer_id)
    match part:
        case "note":
            await add_note(session, customer_id, f"{word} likes tea", author_id="u1", author_name="Lin", now=NOON)
        case "profile":
            await edit_customer(session, customer_id, {"occupation": f"{word} {n}"}, expected=None, editing=EDITING)
        case "tags":
            await set_tags(session, customer, [Tag(f"{word}-{n}")], EDITING)
        case "identity":
            await add_identity(session, customer, "member_no", f"{word}-{n}", EDITING)
        case "consent":
            said = NewConsent(
                channel="sms", purpose="care", status=ConsentStatus.GIVEN, legal_basis="consent", source=f"{word} said"
            )
            await record_consent(session, customer_id, said, now=NOON, region=REGION, actor_id="u1")
        case "promise":
            await make_promise(session, customer_id, f"call {word}", NOON, assignee_id="u1", editing=EDITING)
        case "file":
            await add_file(
                session, customer, EDITING, file_name=f"{word}.txt", media_type="text/plain", content=word.encode()
            )
        case "wrap-up":
            for index, (_, _, caller) in enumerate(log):
                if whose(caller) == word:
                    await complete_wrap_up(session, f"c{index}", "solved", f"{word} was glad", NOON, 50 + index)
        case _:
            pass


async def figures_of(database: Database) -> Any:
    """What reports are made of."""
    of = Interaction
    what = (of.channel, of.outcome, of.queue_id, of.agent_id, of.direction)
    query = select(*what, func.count(), func.sum(of.talk_ms), func.sum(of.waited_ms)).group_by(*what)
    wrapped = select(WrapUp.disposition, func.count()).group_by(WrapUp.disposition)
    async with database.read() as session:
        return sorted(map(repr, await session.execute(query))), sorted(map(repr, await session.execute(wrapped)))


async def about(database: Database, customer_id: int) -> dict[str, list[Any]]:
    """All rows that name a customer."""
    return {
        name: [row for row in rows if customer_id in row]
        for name, rows in (await dump(database, without=("audit_entry", "audit_head"))).items()
    }
