"""Why for messages, chats and tasks: each decision as it was taken, how each offer ended, and why one still waits."""

import random
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from acd.outcomes import OfferContact
from callcenter.cli import app
from callcenter.commands.why import story, waiting_lines
from callcenter.why import Explainer
from tests.scenario.test_report_items_recount import AGENTS, live_busily
from tests.support.house import House
from tests.support.memory_journal import MemoryJournal, MemoryJournalReader
from tests.support.messages_left import a_house, message_arrives, site_with_exit
from tests.support.virtual_time import in_virtual_time, pass_seconds

pytestmark = pytest.mark.scenario


def explainer(house: House) -> Explainer:
    return Explainer(MemoryJournalReader(house.journal))


@pytest.mark.parametrize("seed", range(3))
@in_virtual_time
async def test_every_past_decision_about_an_item_is_explained_as_it_was_taken(seed: int) -> None:
    site, journal, dice = site_with_exit(agents=AGENTS, wrap_up_seconds=90), MemoryJournal(), random.Random(seed)
    for _ in range(2):
        house = await a_house(site=site, journal=journal)
        await live_busily(house, dice)
        journal = house.journal
    offers = [entry for entry in house.journal.entries if isinstance(entry, OfferContact)]
    items = [offer for offer in offers if house.core.items.is_one(offer.contact_id)]
    assert len(items) > 20
    for offer in items:
        table = explainer(house).decision(offer.contact_id, offer.offer_id)
        assert [each.agent_id for each in table.candidates if not each.reasons] == [offer.agent_id]
        assert table.decision.winner_key == offer.decision.winner_key
        rings = [contact_id for contact_id, (offer_id, _) in house.core.items._offers.items()]
        assert (table.decision.result is None) == (offer.contact_id in rings and offer is items_last(items, offer))


def items_last(offers: list[OfferContact], offer: OfferContact) -> OfferContact:
    return [each for each in offers if each.contact_id == offer.contact_id][-1]


@in_virtual_time
async def test_how_each_offer_of_a_message_ended_is_told() -> None:
    house = await a_house(site=site_with_exit(wrap_up_seconds=0, ring_seconds=30))
    contact_id = await message_arrives(house)
    await house.sign_in("ben")
    await house.core.desk.decline("ben", contact_id)
    await house.sign_in("anna")
    await pass_seconds(31)
    await house.core.desk.ready("anna")
    await house.core.desk.sign_out("anna")
    await house.core.desk.ready("ben")
    await house.core.desk.accept("ben", contact_id)
    found = explainer(house).why(contact_id)
    assert [(each.agent_id, each.result) for each in found.decisions] == [
        ("ben", "declined"),
        ("anna", "expired"),
        ("anna", "withdrawn"),
        ("ben", "accepted"),
    ]
    assert found.waiting is None
    told = "\n".join(story(MemoryJournalReader(house.journal).about(contact_id)))
    assert "item.offer_failed" in told
    assert "cause=expired" in told


@in_virtual_time
async def test_why_a_message_still_waits() -> None:
    """One agent has a message already, one wraps up, one has no console, one is paused, one is away."""
    house = await a_house(site=site_with_exit(wrap_up_seconds=120))
    await house.sign_in("anna", "ben")
    for number, agent_id in enumerate(("anna", "ben")):
        contact_id = await message_arrives(house, number)
        (rung,) = [rung for _, rung in house.core.items._offers.values()]
        await house.core.desk.accept(rung, contact_id)
        if agent_id == "ben":
            await house.core.desk.finish(rung, contact_id)
    waiting_id = await message_arrives(house, 2)
    found = explainer(house).why(waiting_id).waiting
    assert found is not None
    details = {each.agent_id: each.detail for each in found.candidates}
    assert {details["anna"], details["ben"]} == {"has 1 of 1 message"}
    assert found.idle_but["no_room"] == 2
    assert (found.ahead, found.queue_id) == (0, "sales")
    assert found.next_free_at == house.clock.now() + 120_000
    wraps = f"{datetime.fromtimestamp(found.next_free_at / 1000, UTC):%H:%M:%S}"
    assert any(wraps in line for line in waiting_lines(found))
    assert explainer(house).why_not(waiting_id, "ben").reasons == ("no_room",)

    house.core.on_seats(("anna", "ben"))
    house.core.on_seats(("anna",))
    await pass_seconds(31)
    house.core.on_seats(("anna",))
    await pass_seconds(1)
    assert explainer(house).why_not(waiting_id, "ben").detail == "has no console open"
    await house.core.desk.not_ready("anna", "lunch")
    assert explainer(house).why_not(waiting_id, "anna").reasons == ("not_ready",)


def test_the_command_tells_an_items_story(tmp_path: object) -> None:
    result = CliRunner().invoke(app, ["why", "nothing-v1", "--journal", f"{tmp_path}/none.sqlite"])
    assert result.exit_code == 2
    assert "does not exist" in result.stderr
