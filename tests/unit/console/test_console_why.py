"""Asking why over HTTP: who may, and what comes back."""

from dataclasses import replace

import httpx
import pytest

from agent_console.explanations import CandidateView, DecisionTable, DecisionView, NothingKnown, WhyView
from agent_console.sight import Sight
from agent_console.team_explanations import TeamExplanations
from tests.support.console_site import browser_of, console_app, sign_in
from tests.support.fake_desk import ANNA, LENA, SOFIA, FakeAccounts

pytestmark = pytest.mark.unit

DECISION = DecisionView("o1", 5, "anna", "sales", "longest_idle_agent", 0, 2, "(1, 1)", "ben", "(2, 2)", "accepted")
BEN = CandidateView("ben", "ready", ("outranked",), "idle and fitting, but somebody else goes first", (2, 2))


class FakeExplanations:
    """Knows one contact, one offer and one agent."""

    async def why(self, contact_id: str) -> WhyView:
        self._known(contact_id, "c1")
        return WhyView("c1", (DECISION,), None)

    async def decision(self, contact_id: str, offer_id: str) -> DecisionTable:
        self._known(contact_id + offer_id, "c1o1")
        return DecisionTable(DECISION, (BEN,))

    async def why_not(self, contact_id: str, agent_id: str) -> CandidateView:
        self._known(contact_id + agent_id, "c1ben")
        return BEN

    def _known(self, given: str, known: str) -> None:
        if given != known:
            raise NothingKnown("nothing is known of it")


def browser(*, kept: bool = True) -> httpx.AsyncClient:
    return browser_of(console_app(FakeAccounts(ANNA, SOFIA, LENA), explanations=FakeExplanations() if kept else None))


async def test_a_supervisor_is_told_why() -> None:
    async with browser() as client:
        await sign_in(client, "sofia")
        told = (await client.get("/api/v1/contacts/c1/why")).json()
        assert told["decisions"][0]["runner_up"] == "ben"
        table = (await client.get("/api/v1/contacts/c1/why/offers/o1")).json()
        assert table["candidates"][0]["key"] == [2, 2]
        assert (await client.get("/api/v1/contacts/c1/why/agents/ben")).json()["reasons"] == ["outranked"]


async def test_what_is_not_known_is_not_found() -> None:
    async with browser() as client:
        await sign_in(client, "sofia")
        for path in ("c2/why", "c1/why/offers/o2", "c1/why/agents/chen"):
            assert (await client.get(f"/api/v1/contacts/{path}")).status_code == 404
    async with browser(kept=False) as client:
        await sign_in(client, "sofia")
        assert (await client.get("/api/v1/contacts/c1/why")).status_code == 404


async def test_agents_and_strangers_are_not_told() -> None:
    async with browser() as client:
        assert (await client.get("/api/v1/contacts/c1/why")).status_code == 401
        await sign_in(client, "anna")
        for path in ("c1/why", "c1/why/offers/o1", "c1/why/agents/ben"):
            assert (await client.get(f"/api/v1/contacts/{path}")).status_code == 403


async def test_a_team_lead_is_told_what_is_about_the_own_teams_and_no_name_of_others() -> None:
    sight = Sight(False, None, frozenset({"sales"}), led_agents=frozenset({"anna"}), led_queues=frozenset({"sales"}))
    team = TeamExplanations(FakeExplanations(), sight)
    [told] = (await team.why("c1")).decisions
    assert (told.agent_id, told.runner_up, told.runner_up_key) == ("anna", None, None)
    assert (await team.decision("c1", "o1")).candidates == ()
    with pytest.raises(NothingKnown):
        await team.why_not("c1", "ben")
    theirs = TeamExplanations(FakeExplanations(), replace(sight, led_agents=frozenset({"ben"})))
    [told] = (await theirs.why("c1")).decisions
    assert (told.agent_id, told.runner_up) == ("", "ben")
    assert (await theirs.decision("c1", "o1")).candidates == (BEN,)


async def test_of_contacts_of_other_teams_a_team_lead_learns_not_even_that_they_were() -> None:
    sight = Sight(False, None, frozenset({"support"}), frozenset({"dora"}), frozenset({"support"}))
    team = TeamExplanations(FakeExplanations(), sight)
    for ask in (team.why("c1"), team.decision("c1", "o1"), team.why_not("c1", "dora"), team.why("c2")):
        with pytest.raises(NothingKnown):
            await ask
    async with browser() as client:
        await sign_in(client, "lena")
        assert (await client.get("/api/v1/contacts/c1/why")).status_code == 404
