"""Queues that ring several agents for one caller, over the whole exchange: the first answer wins, and nobody who rang
in vain is the worse for it.

The pains behind it: with other queue engines a second answer in the same moment leaves an agent talking to nobody
(FreeSWITCH #2540), and whoever lost the race is counted as having missed a call or is held as busy (Asterisk #1557).
"""

import pytest

from agent_console.messages import AgentState, ContactState
from callcenter.audit.recount import audit
from callcenter.calls.facts import ANSWERED_ELSEWHERE, CallOfferFailed
from callcenter.calls.legs import EndCause
from callcenter.commands.why import story
from callcenter.replay import replay
from callcenter.why import Explainer
from tests.support.fake_signalling import FakeLeg
from tests.support.house import House, open_house, small_site
from tests.support.memory_journal import MemoryJournalReader
from tests.support.virtual_time import in_virtual_time, pass_seconds, settle

pytestmark = pytest.mark.scenario


async def ringing(*, ring: str = "all", agents: tuple[str, ...] = ("anna", "ben")) -> tuple[House, FakeLeg]:
    """A house with a customer for whom every idle agent of sales rings."""
    house = await open_house(site=small_site(ring=ring))
    await house.sign_in(*agents)
    return house, await house.queue_call()


def phone(house: House, agent_id: str) -> FakeLeg:
    leg = house.signalling.ringing_phone(agent_id)
    assert leg is not None, f"{agent_id}'s phone does not ring"
    return leg


def rings(house: House) -> set[str]:
    return {agent for agent in ("anna", "ben", "chen") if house.signalling.ringing_phone(agent)}


def is_clean(house: House) -> None:
    assert house.fatal == []
    assert audit(house.journal.rows).breaches == []
    assert replay(house.journal.rows).divergences == []


@in_virtual_time
async def test_all_phones_ring_and_the_first_answer_has_the_caller() -> None:
    house, customer = await ringing()
    assert rings(house) == {"anna", "ben"}
    (contact,) = house.contacts()
    assert (contact.state, [each.agent_id for each in contact.ringing]) == (ContactState.OFFERED, ["anna", "ben"])
    anna = phone(house, "anna")
    await pass_seconds(2)
    await house.answer("ben")
    assert (anna.state, anna.cause) == ("ended", EndCause.ANSWERED_ELSEWHERE)
    assert house.agent("ben").state is AgentState.BUSY
    (contact,) = house.contacts()
    assert (contact.agent_id, contact.ringing) == ("ben", ())
    lost = house.agent("anna")
    assert (lost.state, lost.answered_by) == (AgentState.READY, "ben")
    await house.hang_up(customer)
    (record,) = house.records()
    assert (record.agent_id, record.offers, record.missed_offers) == ("ben", 2, 0)
    is_clean(house)


@in_virtual_time
async def test_who_lost_keeps_the_idle_time_and_is_told_until_the_next_state() -> None:
    house, _ = await ringing()
    since = {agent.agent_id: agent.idle_since for agent in house.core.routing.engine.agents()}
    await house.answer("ben")
    after = {agent.agent_id: agent.idle_since for agent in house.core.routing.engine.agents()}
    assert after["anna"] == since["anna"]
    await house.core.desk.not_ready("anna", "break")
    await settle()
    assert house.agent("anna").answered_by is None


@pytest.mark.parametrize("first", ["anna", "ben"])
@in_virtual_time
async def test_of_two_answers_in_one_millisecond_one_counts_and_the_other_is_let_go(first: str) -> None:
    house, customer = await ringing()
    second = "ben" if first == "anna" else "anna"
    legs = [phone(house, each) for each in (first, second)]
    for leg in legs:
        house.signalling.answer_phone(leg)
    await settle()
    won, lost = legs
    assert won.state == "answered"
    assert (lost.state, lost.cause) == ("ended", EndCause.ANSWERED_ELSEWHERE)
    assert (house.agent(first).state, house.agent(second).state) == (AgentState.BUSY, AgentState.READY)
    (talking,) = house.media.sessions.values()
    assert len(talking.legs) == 2
    await house.hang_up(customer)
    await pass_seconds(60)
    assert house.core.routing.engine.contacts() == ()
    is_clean(house)


@in_virtual_time
async def test_one_refusal_stops_one_phone() -> None:
    house, _ = await ringing()
    house.signalling.refuse(phone(house, "anna"), 603)
    await settle()
    assert rings(house) == {"ben"}
    assert (house.agent("anna").state, house.agent("anna").reason) == (AgentState.NOT_READY, "declined")
    (contact,) = house.contacts()
    assert (contact.state, contact.agent_id) == (ContactState.OFFERED, "ben")
    await house.answer("ben")
    assert house.agent("ben").state is AgentState.BUSY
    is_clean(house)


@in_virtual_time
async def test_declining_at_the_desk_stops_the_phone_of_who_declined() -> None:
    house, customer = await ringing()
    ben = phone(house, "ben")
    await house.core.desk.decline("ben", house.call_id(customer))
    await settle()
    assert (ben.state, ben.cause) == ("ended", EndCause.REJECTED)
    assert rings(house) == {"anna"}
    assert house.agent("ben").state is AgentState.NOT_READY
    assert house.agent("anna").state is AgentState.OFFERED


@in_virtual_time
async def test_when_it_rings_out_everywhere_nobody_is_ready_and_the_caller_waits() -> None:
    house, _ = await ringing()
    await pass_seconds(16)
    assert rings(house) == set()
    assert {house.agent(each).reason for each in ("anna", "ben")} == {"no_answer"}
    (contact,) = house.contacts()
    assert (contact.state, contact.ringing) == (ContactState.QUEUED, ())
    await house.core.desk.ready("ben")
    await settle()
    assert rings(house) == {"ben"}
    is_clean(house)


@in_virtual_time
async def test_a_caller_who_hangs_up_stops_every_phone() -> None:
    house, customer = await ringing()
    legs = [phone(house, each) for each in ("anna", "ben")]
    await house.hang_up(customer)
    assert [leg.cause for leg in legs] == [EndCause.CANCELLED] * 2
    assert {house.agent(each).state for each in ("anna", "ben")} == {AgentState.READY}
    assert {house.agent(each).answered_by for each in ("anna", "ben")} == {None}
    is_clean(house)


@in_virtual_time
async def test_whoever_becomes_ready_while_it_rings_rings_too() -> None:
    house, _ = await ringing(agents=("anna",))
    assert rings(house) == {"anna"}
    await pass_seconds(5)
    await house.sign_in("ben")
    assert rings(house) == {"anna", "ben"}
    (contact,) = house.contacts()
    assert contact.ringing[1].expires_at - contact.ringing[0].expires_at == 5_000


@in_virtual_time
async def test_progressively_one_more_phone_rings_after_each_step() -> None:
    house, _ = await ringing(ring="progressive")
    assert rings(house) == {"anna"}
    await pass_seconds(4.9)
    assert rings(house) == {"anna"}
    await pass_seconds(0.2)
    assert rings(house) == {"anna", "ben"}
    await house.answer("anna")
    assert house.agent("ben").answered_by == "anna"
    is_clean(house)


@in_virtual_time
async def test_the_first_phone_breaks_off_while_answering_and_the_second_rings_again() -> None:
    house, customer = await ringing()
    anna, ben = phone(house, "anna"), phone(house, "ben")
    house.signalling.answer_phone(anna)
    house.signalling.far_end_hangs_up(anna)
    await settle()
    assert ben.cause is EndCause.ANSWERED_ELSEWHERE
    again = phone(house, "ben")
    assert again is not ben
    await house.answer("ben")
    assert house.agent("ben").state is AgentState.BUSY
    await house.hang_up(customer)
    is_clean(house)


@in_virtual_time
async def test_the_first_phone_breaks_off_and_the_second_answered_in_the_same_moment() -> None:
    house, customer = await ringing()
    anna, ben = phone(house, "anna"), phone(house, "ben")
    house.signalling.answer_phone(anna)
    house.signalling.answer_phone(ben)
    house.signalling.far_end_hangs_up(anna)
    await settle()
    assert ben.state == "ended"
    assert phone(house, "ben") is not ben
    await house.hang_up(customer)
    await pass_seconds(60)
    assert house.core.routing.engine.contacts() == ()
    is_clean(house)


@in_virtual_time
async def test_why_report_and_journal_tell_who_won_and_who_was_too_slow() -> None:
    house, customer = await ringing()
    call_id = house.call_id(customer)
    await pass_seconds(3)
    await house.answer("ben")
    failed = [entry for entry in house.journal.entries if isinstance(entry, CallOfferFailed)]
    assert [(entry.agent_id, entry.cause) for entry in failed] == [("anna", ANSWERED_ELSEWHERE)]
    explainer = Explainer(MemoryJournalReader(house.journal))
    found = explainer.why(call_id)
    assert [(each.agent_id, each.result) for each in found.decisions] == [
        ("anna", ANSWERED_ELSEWHERE), ("ben", "accepted"),
    ]  # fmt: skip
    table = explainer.decision(call_id, found.decisions[1].offer_id)
    unhindered = [(each.agent_id, each.state) for each in table.candidates if not each.reasons]
    assert unhindered == [("anna", "offered"), ("ben", "ready")]  # the one rings already, the other was chosen
    lines = list(story(house.journal.rows))
    assert any("cause=answered_elsewhere" in line for line in lines)
