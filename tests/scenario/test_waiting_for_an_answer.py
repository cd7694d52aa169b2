"""What who dialled hears before anybody answers, and what an agent may do while a second party is sought."""

import pytest

from agent_console.messages import AgentState, ConsultState
from agent_console.ports import IntentError
from callcenter.calls.facts import Outcome
from callcenter.calls.legs import TransferRequested
from callcenter.errors import MediaError
from tests.support.conversations import both, end_clean, heard, talking
from tests.support.fake_signalling import FakeLeg
from tests.support.house import CUSTOMER, House, open_house
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario
NUMBER = "+12025550177"


def tones(house: House, call_id: str) -> set[str]:
    """Whose legs hear the ringing tone: agent ids."""
    runner = house.core.switchboard.calls[call_id]
    names = {media: house.signalling.legs[leg].agent_id or "" for leg, media in runner._audio.legs.items()}
    plays = house.media.sessions[call_id].plays
    return {names[play.leg_id] for play in plays.values() if play.paths == ("ringing.wav",)}


def dialled(house: House) -> FakeLeg:
    """The leg of the number called last."""
    return house.signalling.legs[house.signalling.dialled[-1][0]]


async def dials(house: House) -> tuple[FakeLeg, str]:
    """Anna dials a number by the desk and took up her phone: the number's leg, which rings, and the call's id."""
    await house.core.desk.dial("anna", "number", NUMBER)
    await settle()
    await house.answer("anna")
    return dialled(house), house.call_id(dialled(house))


def test_who_dials_by_the_desk_hears_ringing_then_the_network_and_then_the_person() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        far, call = await dials(house)
        assert tones(house, call) == {"anna"}
        await pass_seconds(3)
        house.signalling.sound_early(far)
        await settle()
        assert tones(house, call) == set()
        assert heard(house, call) == {(CUSTOMER, "anna")}, "the network is heard, and hears nobody"
        house.signalling.sound_early(far, port=42_000)
        await settle()
        audio = house.media.sessions[call].legs[CUSTOMER].audio
        assert audio is not None
        assert audio.port == 42_000, "of two far ends the one that spoke last"
        await house.core.desk.send_digits("anna", call, "1")
        await settle()
        assert house.media.sessions[call].legs[CUSTOMER].digits == "1"
        await pass_seconds(60 - 45)
        house.signalling.answer_phone(far)
        await settle()
        assert heard(house, call) == both(CUSTOMER, "anna")
        await pass_seconds(10)
        await house.hang_up(far)
        (record,) = house.records()
        assert (record.talk_ms, record.outcome) == (10_000, Outcome.ANSWERED)
        await end_clean(house)

    run_virtual(story)


def test_a_number_that_only_announces_is_no_conversation() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        far, call = await dials(house)
        house.signalling.sound_early(far)
        await pass_seconds(8)
        house.media.fall_silent(CUSTOMER)
        await settle()
        assert far.state == "offered", "who has not answered may be silent"
        house.signalling.refuse(far, 404)
        await settle()
        (record,) = house.records()
        assert (record.outcome, record.talk_ms, record.connected_at) == (Outcome.UNREACHED, 0, None)
        assert house.agent("anna").state is AgentState.READY
        assert call not in house.core.switchboard.calls
        await end_clean(house)

    run_virtual(story)


def test_a_phone_that_dials_hears_the_network_by_183_and_its_answer_says_the_same() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        phone = house.signalling.phone_calls("anna", NUMBER)
        await settle()
        call = house.call_id(phone)
        assert house.signalling.rung_back == [phone.leg_id]
        house.signalling.sound_early(dialled(house))
        await settle()
        assert phone.leg_id in house.signalling.progressed
        assert heard(house, call) == {(CUSTOMER, "anna")}
        assert phone.state == "offered"
        house.signalling.answer_phone(dialled(house))  # the fake checks that the 200 says what the 183 said
        await settle()
        assert phone.state == "answered"
        assert len([name for name, _ in house.media.orders if name == "answer_offer"]) == 1, "what was said stands"
        assert heard(house, call) == both(CUSTOMER, "anna")
        await house.hang_up(phone)
        await end_clean(house)

    run_virtual(story)


def test_early_media_that_media_cannot_take_is_ringing() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        far, call = await dials(house)
        house.media.refusal = MediaError("no common codec")
        house.signalling.sound_early(far)
        await settle()
        assert tones(house, call) == {"anna"}
        house.signalling.answer_phone(far)
        await settle()
        assert heard(house, call) == both(CUSTOMER, "anna")
        await house.hang_up(far)
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("stays", [True, False])
def test_a_transfer_to_a_number_is_heard_by_who_waits_for_it(stays: bool) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer, phone, call = await talking(house)
        await pass_seconds(10)
        house.core.switchboard.on_leg_event(TransferRequested(phone.leg_id, NUMBER))
        await settle()
        far = dialled(house)
        assert tones(house, call) == {"anna"}
        house.signalling.sound_early(far)
        await settle()
        assert heard(house, call) == {(far.leg_id, "anna")}
        if not stays:
            await house.hang_up(phone)
            assert heard(house, call) == {(far.leg_id, CUSTOMER)}
            assert house.session(customer).plays == {}, "no music over the announcement"
        await pass_seconds(5)
        house.signalling.answer_phone(far)
        await settle()
        assert heard(house, call) == both(CUSTOMER, far.leg_id)
        await pass_seconds(20)
        await house.hang_up(customer)
        (record,) = house.records()
        first, second = record.segments
        assert (first.talk_ms, first.hold_ms) == (10_000, 5_000 if stays else 0)
        assert second.talk_ms == 20_000
        await end_clean(house)

    run_virtual(story)


def test_a_customer_who_is_handed_on_keeps_the_music_while_it_only_rings() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna")
        customer, phone, call = await talking(house)
        house.core.switchboard.on_leg_event(TransferRequested(phone.leg_id, NUMBER))
        await settle()
        await house.hang_up(phone)
        assert set(house.session(customer).plays) == {"music"}
        assert heard(house, call) == set()
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)


# Beside a consulted party that still rings.


def seen(house: House) -> tuple[ConsultState | None, bool]:
    """What anna's card shows: where the second party stands, and whether the customer is on hold."""
    contact_id = house.agent("anna").contact_id
    (view,) = [each for each in house.contacts() if each.contact_id == contact_id]
    return view.consult_state, view.held_since is not None


@pytest.mark.parametrize("whom", ["agent", "number"])
def test_an_agent_talks_with_the_customer_while_the_second_party_rings_and_swaps_when_it_is_there(whom: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, _, call = await talking(house)
        desk = house.core.desk
        await pass_seconds(10)
        await desk.consult("anna", call, whom, "ben" if whom == "agent" else NUMBER)
        await settle()
        assert tones(house, call) == {"anna"}
        assert seen(house) == (ConsultState.SEEKING, True)
        await pass_seconds(4)
        await desk.swap("anna", call)
        await settle()
        assert heard(house, call) == both(CUSTOMER, "anna")
        assert tones(house, call) == set()
        assert seen(house) == (ConsultState.SEEKING, False)
        await pass_seconds(3)
        await desk.swap("anna", call)
        await settle()
        assert (heard(house, call), tones(house, call)) == (set(), {"anna"})
        assert seen(house) == (ConsultState.SEEKING, True)
        await pass_seconds(2)
        await desk.swap("anna", call)
        await pass_seconds(1)
        if whom == "agent":
            other = await house.answer("ben")
        else:
            other = dialled(house)
            house.signalling.answer_phone(other)
            await settle()
        second = "ben" if whom == "agent" else other.leg_id
        assert heard(house, call) == both(CUSTOMER, "anna"), "nobody is torn out of a sentence"
        assert seen(house) == (ConsultState.HELD, False)
        await pass_seconds(5)
        await desk.swap("anna", call)
        await settle()
        assert heard(house, call) == both("anna", second)
        await pass_seconds(7)
        await desk.complete("anna", call)
        await settle()
        assert heard(house, call) == both(CUSTOMER, second)
        await pass_seconds(30)
        await house.hang_up(customer)
        (record,) = house.records()
        first, consulted = record.segments
        assert (first.talk_ms, first.hold_ms) == (10_000 + 3_000 + 1_000 + 5_000, 4_000 + 2_000 + 7_000)
        assert (consulted.talk_ms, consulted.consult_ms) == (30_000, 12_000)
        await end_clean(house)

    run_virtual(story)


@pytest.mark.parametrize("how", ["refuses", "cancel", "hangs up", "customer"])
def test_whatever_ends_the_search_while_the_agent_talks_beside_it_leaves_the_figures_right(how: str) -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, phone, call = await talking(house)
        desk = house.core.desk
        await pass_seconds(10)
        await desk.consult("anna", call, "number", NUMBER)
        await pass_seconds(2)
        await desk.swap("anna", call)
        await pass_seconds(3)
        if how == "refuses":
            house.signalling.refuse(dialled(house), 486)
        elif how == "cancel":
            await desk.cancel("anna", call)
        elif how == "hangs up":
            house.signalling.far_end_hangs_up(phone)
        else:
            house.signalling.far_end_hangs_up(customer)
        await settle()
        if how in {"refuses", "cancel"}:
            assert heard(house, call) == both(CUSTOMER, "anna")
            with pytest.raises(IntentError):
                await desk.swap("anna", call)
            await pass_seconds(5)
        elif how == "hangs up":
            house.signalling.answer_phone(dialled(house))
            await settle()
            assert heard(house, call) == both(CUSTOMER, dialled(house).leg_id)
        await house.hang_up(customer)
        (record,) = house.records()
        talked = 10_000 + 3_000 + (5_000 if how in {"refuses", "cancel"} else 0)
        assert (record.segments[0].talk_ms, record.segments[0].hold_ms) == (talked, 2_000)
        await end_clean(house)

    run_virtual(story)


def test_a_refused_colleague_stops_the_ringing_tone_until_the_next_one_rings() -> None:
    async def story() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        customer, _, call = await talking(house)
        await house.core.desk.consult("anna", call, "agent", "ben")
        await settle()
        assert tones(house, call) == {"anna"}
        ringing = house.signalling.ringing_phone("ben")
        assert ringing is not None
        house.signalling.refuse(ringing, 486)
        await settle()
        assert tones(house, call) == set()
        await house.hang_up(customer)
        await end_clean(house)

    run_virtual(story)
