"""Why: for every offer of a lively floor the table that is worked out afterwards agrees with what was decided then."""

import pytest

from acd.outcomes import OfferContact
from agent_console.explanations import NothingKnown
from callcenter.calls.facts import RoutingSnapshot
from callcenter.commands.why import candidates_table, story, waiting_lines
from callcenter.replay import replay
from callcenter.why import Explainer
from tests.scenario.test_overflow import site
from tests.scenario.test_replay import lived_through
from tests.support.house import open_house, small_site
from tests.support.memory_journal import MemoryJournalReader
from tests.support.virtual_time import in_virtual_time, pass_seconds
from tests.support.waiting_flows import NO_WAY_BACK

pytestmark = pytest.mark.scenario


@pytest.mark.parametrize("seed", range(8))
@in_virtual_time
async def test_every_past_decision_is_explained_as_it_was_taken(seed: int) -> None:
    house = await lived_through(seed)
    await pass_seconds(3)
    house = await lived_through(seed + 200, house.journal)
    explainer = Explainer(MemoryJournalReader(house.journal))
    offers = [entry for entry in house.journal.entries if isinstance(entry, OfferContact)]
    assert offers
    for offer in offers:
        table = explainer.decision(offer.contact_id, offer.offer_id)
        chosen = [each for each in table.candidates if not each.reasons]
        assert [each.agent_id for each in chosen] == [offer.agent_id]
        assert table.candidates[0] == chosen[0]
        assert table.decision.winner_key == offer.decision.winner_key
        if offer.decision.rule == "longest_idle_agent":
            able = [each for each in table.candidates if each.key is not None]
            assert len(able) == offer.decision.candidates
            assert str(able[0].key) == offer.decision.winner_key
            assert offer.decision.runner_up == (able[1].agent_id if len(able) > 1 else None)


@in_virtual_time
async def test_why_a_caller_waits_and_why_not_that_agent() -> None:
    house = await open_house(site=site(), flow=NO_WAY_BACK)
    await house.sign_in("chen", "anna")
    explainer = Explainer(MemoryJournalReader(house.journal))
    first = house.call_id(await house.call("+12025550111"))
    await house.answer("anna")
    second = house.call_id(await house.call("+12025550112"))
    third = house.call_id(await house.call("+12025550113"))
    found = explainer.why(third)
    assert found.decisions == ()
    assert found.waiting is not None
    assert (found.waiting.queue_id, found.waiting.ahead, found.waiting.somebody_there) == ("sales", 1, True)
    assert found.waiting.fitting == {"busy": 1, "offline": 1}
    assert found.waiting.idle_but == {"other_queue": 1}
    assert explainer.why_not(second, "chen").reasons == ("other_queue",)
    assert explainer.why_not(second, "ben").reasons == ("offline",)
    lines = [*waiting_lines(found.waiting), *candidates_table(found.waiting.candidates)]
    assert any("does not serve sales" in line for line in lines)
    talking = explainer.why(first)
    assert [(each.agent_id, each.result) for each in talking.decisions] == [("anna", "accepted")]
    assert talking.waiting is None
    await house.sign_in("ben")  # the engine that follows the journal goes on
    assert explainer.why(second).decisions[0].agent_id == "ben"
    with pytest.raises(NothingKnown):
        explainer.why("nobody")
    with pytest.raises(NothingKnown):
        explainer.decision(first, "o99")
    with pytest.raises(NothingKnown):
        explainer.why_not(second, "nobody")


@in_virtual_time
async def test_a_snapshot_is_written_every_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcenter.routing.SNAPSHOT_EVERY", 10)
    house = await lived_through(5)
    snapshots = [row for row in house.journal.rows if isinstance(row.entry, RoutingSnapshot)]
    assert len(snapshots) > 2
    assert replay(house.journal.rows).divergences == []


@in_virtual_time
async def test_each_decision_names_the_policy_that_held() -> None:
    """The same site has the same version, over restarts too; whatever changes it has another."""
    house = await open_house()
    await house.sign_in("anna")
    first = house.call_id(await house.queue_call())
    other_site = small_site(ring_seconds=20)
    for present in (small_site(), other_site):
        house = await open_house(site=present, journal=house.journal)
        await house.sign_in("anna")
        later = house.call_id(await house.queue_call())
        explainer = Explainer(MemoryJournalReader(house.journal))
        (then,), (now,) = explainer.why(first).decisions, explainer.why(later).decisions
        assert len(now.policy) == 8
        assert (then.policy == now.policy) is (present is not other_site)
        assert explainer.decision(later, now.offer_id).decision.policy == now.policy
        lines = list(story(house.journal.rows, {(now.offer_id, now.at): now.policy}))
        assert any(f"policy {now.policy}" in line for line in lines)
