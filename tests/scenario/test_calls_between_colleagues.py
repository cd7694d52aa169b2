"""Calls between colleagues: either side holds, hands on, parks; a third one picks up; all figures are true."""

import pytest

from agent_console.messages import AgentState, ContactState
from agent_console.ports import IntentError
from callcenter.calls import recording_facts
from callcenter.calls.facts import EndedBy, Outcome
from callcenter.calls.legs import EndCause, LegDigit, TransferRequested
from callcenter.calls.quality_facts import LegMeasured
from callcenter.site.models import Site
from tests.support.conversations import both, end_clean, heard
from tests.support.fake_signalling import FakeLeg
from tests.support.house import House, open_house, small_site
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario

CALLER, CALLED = "anna", "ben"


async def open_team(**more: object) -> House:
    """Three agents who all serve both queues, at work."""
    plain = small_site(wrap_up_seconds=0).model_dump()
    agents = [each | {"queues": ("sales", "support")} for each in plain["agents"]]
    queues = [each | more for each in plain["queues"]]
    house = await open_house(site=Site.model_validate(plain | {"agents": agents, "queues": queues}))
    await house.sign_in("anna", "ben", "chen")
    return house


async def together(house: House) -> tuple[FakeLeg, FakeLeg, str]:
    """Anna called ben and they have talked for ten seconds: both legs, and the call's id."""
    phone = house.signalling.phone_calls("anna", "ben")
    await settle()
    other = await house.answer("ben")
    call = house.call_id(phone)
    assert heard(house, call) == both("anna", "ben")
    await pass_seconds(10)
    return phone, other, call


def contact_of(call: str, agent_id: str) -> str:
    """The contact that the call is to one of the two."""
    return call if agent_id == CALLER else f"{call}.2"


def other_of(agent_id: str) -> str:
    """The other one of the two."""
    return CALLED if agent_id == CALLER else CALLER


def figures(house: House) -> dict[str, tuple[int, int, int]]:
    """By agent: milliseconds of talk, hold and consultation, over all segments of all calls."""
    found: dict[str, tuple[int, int, int]] = {}
    for record in house.records():
        for each in record.segments:
            if each.connected_at is not None:
                before = found.get(each.agent_id, (0, 0, 0))
                mine = each.talk_ms, each.hold_ms, each.consult_ms
                found[each.agent_id] = tuple(one + other for one, other in zip(before, mine, strict=True))  # type: ignore[assignment]
    return found


@pytest.mark.parametrize("who", [CALLER, CALLED])
@pytest.mark.parametrize("by", ["desk", "phone"])
def test_either_of_two_colleagues_puts_the_other_one_on_hold(who: str, by: str) -> None:
    async def story() -> None:
        house = await open_team()
        phones = await together(house)
        call, desk, mine, theirs = phones[2], house.core.desk, contact_of(phones[2], who), other_of(who)
        phone = phones[0] if who == CALLER else phones[1]
        if by == "desk":
            await desk.hold(who, mine)
        else:
            house.signalling.far_end_reoffers(phone, "sendonly")
        await settle()
        assert heard(house, call) == set()
        held = {each.agent_id: each.held_since is not None for each in house.contacts()}
        assert held == {who: True, theirs: False}
        with pytest.raises(IntentError) as refused:
            await desk.resume(theirs, contact_of(call, theirs))
        assert refused.value.code == "not-now", "who is on hold does not end it"
        await pass_seconds(7)
        if by == "desk":
            await desk.resume(who, mine)
        else:
            house.signalling.far_end_reoffers(phone)
        await settle()
        assert heard(house, call) == both("anna", "ben")
        await pass_seconds(5)
        await desk.hold(theirs, contact_of(call, theirs))  # and now the other one
        await pass_seconds(3)
        await desk.resume(theirs, contact_of(call, theirs))
        await house.hang_up(phone)
        (record,) = house.records()
        assert (record.talk_ms, record.hold_ms, record.ended_by) == (15_000, 10_000, EndedBy.AGENT)
        assert figures(house) == {"anna": (15_000, 10_000, 0), "ben": (15_000, 10_000, 0)}
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("who", [CALLER, CALLED])
@pytest.mark.parametrize("by", ["desk", "phone"])
def test_either_hands_the_other_one_on_to_a_third(who: str, by: str) -> None:
    async def story() -> None:
        house = await open_team()
        *phones, call = await together(house)
        mine, theirs = phones if who == CALLER else phones[::-1]
        if by == "desk":
            await house.core.desk.transfer(who, contact_of(call, who), "agent", "chen")
        else:
            house.core.switchboard.on_leg_event(TransferRequested(mine.leg_id, "chen"))
        await settle()
        rung = house.signalling.ringing_phone("chen")
        assert rung is not None
        assert rung.shown == other_of(who), "chen sees who is handed on"
        (shown,) = [each for each in house.contacts() if each.kind == "transfer"]
        assert shown.caller == other_of(who)
        await pass_seconds(4)
        await house.answer("chen")
        assert (mine.state, theirs.state) == ("ended", "answered")
        assert heard(house, call) == both(other_of(who), "chen")
        assert house.agent(who).state is AgentState.READY
        assert house.agent(other_of(who)).state is AgentState.BUSY
        if by == "phone":
            assert house.signalling.transfers[-1] == (mine.leg_id, 200)
        await pass_seconds(20)
        await house.hang_up(theirs)
        assert figures(house) == {
            who: (10_000, 4_000, 0),
            other_of(who): (30_000, 4_000, 0),
            "chen": (20_000, 0, 0),
        }
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("who", [CALLER, CALLED])
def test_either_hands_on_to_a_queue_and_to_a_number(who: str) -> None:
    async def story() -> None:
        house = await open_team()
        await house.core.desk.not_ready("chen", "break")
        phone, other, call = await together(house)
        await house.core.desk.transfer(who, contact_of(call, who), "queue", "support")
        await settle()
        assert house.agent(who).state is AgentState.BUSY or house.agent(who).state is AgentState.OFFERED
        await pass_seconds(1)
        rung = house.signalling.ringing_phone(who)
        assert rung is not None, "the queue rings whoever is free, and that is who handed on"
        house.signalling.answer_phone(rung)
        await settle()
        assert heard(house, call) == both("anna", "ben")
        again = house.agent(who).contact_id or ""
        await pass_seconds(5)
        await house.core.desk.transfer(who, again, "number", "+12025550177")
        await settle()
        number = house.signalling.legs[house.signalling.dialled[-1][0]]
        house.signalling.answer_phone(number)
        await settle()
        theirs = other if who == CALLER else phone
        assert house.agent(who).state is AgentState.READY
        assert heard(house, call) == both(other_of(who), number.leg_id)
        await pass_seconds(8)
        await house.hang_up(theirs)
        assert number.state == "ended"
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("who", [CALLER, CALLED])
@pytest.mark.parametrize("by", ["desk", "refer", "second line"])
def test_either_parks_the_other_one_whose_waiting_is_no_talk(who: str, by: str) -> None:
    async def story() -> None:
        house = await open_team()
        *phones, call = await together(house)
        mine, theirs = phones if who == CALLER else phones[::-1]
        if by == "desk":
            await house.core.desk.park(who, contact_of(call, who))
        elif by == "refer":
            house.core.switchboard.on_leg_event(TransferRequested(mine.leg_id, "*68"))
            await settle()
            house.media.finish_play(f"slot-{mine.leg_id}", of=call)
        else:
            second = house.signalling.phone_calls(who, "*68")
            await settle()
            house.media.finish_play("spoken", of=f"spoken-{second.leg_id}")
        await settle()
        assert (mine.state, theirs.state) == ("ended", "answered")
        assert house.agent(who).state is AgentState.READY
        assert [each.park_slot for each in house.contacts() if each.state is ContactState.PARKED] == ["701"]
        await pass_seconds(30)
        await house.core.desk.retrieve("chen", "701")
        await settle()
        await house.answer("chen")
        assert heard(house, call) == both(other_of(who), "chen")
        await pass_seconds(6)
        await house.hang_up(theirs)
        assert figures(house) == {who: (10_000, 0, 0), other_of(who): (16_000, 30_000, 0), "chen": (6_000, 0, 0)}
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("who", [CALLER, CALLED])
def test_either_asks_a_third_and_all_roles_fit_afterwards(who: str) -> None:
    async def story() -> None:
        house = await open_team()
        *phones, call = await together(house)
        desk, mine = house.core.desk, contact_of(call, who)
        await desk.consult(who, mine, "agent", "chen")
        await settle()
        await house.answer("chen")
        assert heard(house, call) == both(who, "chen")
        for order in ("hold", "park"):
            with pytest.raises(IntentError) as refused:
                await getattr(desk, order)(other_of(who), contact_of(call, other_of(who)))
            assert refused.value.code == "not-now"
        await pass_seconds(4)
        await desk.conference(who, mine)
        await settle()
        assert len(heard(house, call)) == 6
        await pass_seconds(3)
        await desk.complete(who, mine)
        await settle()
        assert heard(house, call) == both(other_of(who), "chen")
        await desk.hold(other_of(who), contact_of(call, other_of(who)))
        await settle()
        assert heard(house, call) == set(), "who was handed on has the same rights as before"
        await house.hang_up(phones[1] if who == CALLER else phones[0])
        assert figures(house) == {who: (13_000, 4_000, 0), other_of(who): (13_000, 4_000, 0), "chen": (3_000, 0, 4_000)}
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("who", [CALLER, CALLED])
@pytest.mark.parametrize("by", ["desk", "INFO"])
def test_digits_of_either_reach_the_other_one(who: str, by: str) -> None:
    async def story() -> None:
        house = await open_team()
        *phones, call = await together(house)
        mine, theirs = phones if who == CALLER else phones[::-1]
        if by == "desk":
            await house.core.desk.send_digits(who, contact_of(call, who), "12")
        else:
            for digit in "12":
                house.signalling.sink(LegDigit(mine.leg_id, digit))
        await settle()
        legs = house.core.switchboard.calls[call]._audio.legs
        sent = {leg: house.media.sessions[call].legs[media].digits for leg, media in legs.items()}
        assert sent == {theirs.leg_id: "12", mine.leg_id: ""}
        await house.hang_up(theirs)
        await end_clean(house)

    run_virtual(story)


def test_who_is_on_hold_may_not_hand_on_and_the_phone_is_told() -> None:
    async def story() -> None:
        house = await open_team()
        phone, other, call = await together(house)
        await house.core.desk.hold("anna", call)
        house.core.switchboard.on_leg_event(TransferRequested(other.leg_id, "chen"))
        await settle()
        assert house.signalling.transfers == [(other.leg_id, 491)]
        await house.hang_up(phone)
        await end_clean(house)

    run_virtual(story)


def test_the_called_colleague_joins_two_calls_of_the_own_phone() -> None:
    async def story() -> None:
        house = await open_team()
        phone, other, call = await together(house)
        second = house.signalling.phone_calls("ben", "chen")
        await settle()
        third = await house.answer("chen")
        house.core.switchboard.on_leg_event(TransferRequested(second.leg_id, "", other.leg_id))
        await settle()
        assert (phone.state, third.state) == ("answered", "answered")
        assert (other.state, second.state) == ("ended", "ended")
        joined = house.call_id(third)
        assert heard(house, joined) == both("anna", "chen")
        assert house.agent("ben").state is AgentState.READY
        assert call not in house.core.switchboard.calls
        await pass_seconds(9)
        await house.hang_up(third)
        assert figures(house)["ben"][0] <= 10_000
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("by", ["replaces", "*8", "*8ben"])
def test_a_colleague_picks_up_what_rings_inside_the_house(by: str) -> None:
    async def story() -> None:
        house = await open_team()
        phone = house.signalling.phone_calls("anna", "ben")
        await settle()
        rung = house.signalling.ringing_phone("ben")
        assert rung is not None
        await pass_seconds(4)
        replaces = rung.leg_id if by == "replaces" else None
        mine = house.signalling.phone_calls("chen", "ben" if replaces else by, replaces=replaces)
        await settle()
        assert (mine.state, phone.state, rung.state) == ("answered", "answered", "ended")
        assert rung.cause is EndCause.ANSWERED_ELSEWHERE
        call = house.call_id(phone)
        assert heard(house, call) == both("anna", "chen")
        assert (house.agent("ben").state, house.agent("chen").state) == (AgentState.READY, AgentState.BUSY)
        shown = {each.agent_id: (each.kind, each.called, each.state) for each in house.contacts()}
        assert shown["anna"] == ("internal", "chen", ContactState.CONNECTED), "anna sees with whom she talks"
        assert "ben" not in shown
        await pass_seconds(9)
        await house.core.desk.hold("chen", f"{call}.3")  # with every right of who was called
        await pass_seconds(2)
        await house.hang_up(phone)
        (record,) = house.records()
        assert (record.outcome, record.missed_offers) == (Outcome.ANSWERED, 0)
        assert figures(house) == {"anna": (9_000, 2_000, 0), "chen": (9_000, 2_000, 0)}
        assert [each.result for each in record.segments if each.agent_id in {"", "ben"}] == ["cancelled"]
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("why", ["caller", "stranger", "busy", "talking"])
def test_what_rings_inside_goes_on_ringing_when_it_may_not_be_picked_up(why: str) -> None:
    async def story() -> None:
        house = await open_team()
        if why == "stranger":
            site = small_site(wrap_up_seconds=0)
            house = await open_house(site=site)
            await house.sign_in("anna", "ben", "chen")  # chen serves no queue with ben
        phone = house.signalling.phone_calls("anna", "ben")
        await settle()
        rung = house.signalling.ringing_phone("ben")
        assert rung is not None
        who = "anna" if why == "caller" else "chen"
        if why == "busy":
            house.signalling.phone_calls("chen", "+12025550177")
        elif why == "talking":
            await house.answer("ben")
        await settle()
        mine = house.signalling.phone_calls(who, "ben", replaces=rung.leg_id)
        await settle()
        assert mine.state == "ended"
        assert mine.cause in {EndCause.REJECTED, EndCause.BUSY}
        if why != "talking":
            refused = house.signalling.phone_calls(who, "*8")
            await settle()
            assert refused.state == "ended"
            assert rung.state == "offered"
            await house.answer("ben")
        assert heard(house, house.call_id(phone)) == both("anna", "ben")
        for leg in list(house.signalling.legs.values()):
            await house.hang_up(leg)
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("who", [CALLER, CALLED])
def test_either_goes_on_at_another_phone_of_the_own(who: str) -> None:
    async def story() -> None:
        house = await open_team()
        *phones, call = await together(house)
        mine, theirs = phones if who == CALLER else phones[::-1]
        other_phone = house.signalling.phone_calls(who, "x", replaces=mine.leg_id)
        await settle()
        assert (other_phone.state, mine.state) == ("answered", "ended")
        assert heard(house, call) == both("anna", "ben")
        await pass_seconds(2)
        await house.hang_up(theirs)
        assert figures(house) == {"anna": (12_000, 0, 0), "ben": (12_000, 0, 0)}
        await end_clean(house)

    run_virtual(story)


def test_the_line_of_each_colleague_is_measured_as_that_agents() -> None:
    async def story() -> None:
        house = await open_team()
        _, other, call = await together(house)
        await house.core.desk.hold("ben", f"{call}.2")
        await house.hang_up(other)
        measured = [entry for entry in house.journal.entries if isinstance(entry, LegMeasured)]
        assert {(each.agent_id, each.contact_id, each.role) for each in measured} == {
            ("anna", call, "agent"),
            ("ben", f"{call}.2", "agent"),
        }
        await end_clean(house)

    run_virtual(story)


def test_nothing_is_recorded_of_what_colleagues_say() -> None:
    async def story() -> None:
        house = await open_team(recording="on")
        _, other, call = await together(house)
        await house.core.desk.hold("ben", f"{call}.2")
        await settle()
        await house.core.desk.resume("ben", f"{call}.2")
        await settle()
        assert house.media.recording(call) == {}
        assert [each for each in house.journal.entries if type(each).__module__ == recording_facts.__name__] == []
        await house.hang_up(other)
        await end_clean(house)

    run_virtual(story)


def test_a_death_in_a_call_whose_roles_changed_closes_every_segment() -> None:
    async def story() -> None:
        house = await open_team()
        _, _, call = await together(house)
        await house.core.desk.hold("ben", f"{call}.2")
        await pass_seconds(3)
        await house.core.desk.resume("ben", f"{call}.2")
        await settle()
        again = await open_house(journal=house.journal)
        (record,) = again.records()
        assert record.outcome is Outcome.SYSTEM_RESTART
        assert [(each.talk_ms, each.hold_ms) for each in record.segments] == [(10_000, 3_000)] * 2

    run_virtual(story)
