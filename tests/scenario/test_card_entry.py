"""Card data from the customer's keys to the payment system, and to nobody else; it ends when the call moves on."""

import asyncio

import msgspec
import pytest

from agent_console.messages import CardAnswerView, CardFieldView, ContactView
from agent_console.ports import IntentError
from callcenter.calls import recording_facts as recorded
from callcenter.payments.fields import CardField
from callcenter.payments.port import PaymentAnswer
from callcenter.ports import DigitPressed
from tests.support.fake_payments import FakePayments
from tests.support.fake_signalling import FakeLeg
from tests.support.house import CUSTOMER, House, open_house
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario

NUMBER = "4111111111111111"


async def talking(payments: FakePayments | None) -> tuple[House, FakeLeg, FakeLeg, str]:
    house = await open_house(payments=payments, card_prompts={CardField.NUMBER: {"en": "Please type your number."}})
    await house.sign_in("anna")
    customer = await house.queue_call()
    phone = await house.answer("anna")
    return house, customer, phone, house.call_id(customer)


async def type_keys(house: House, call_id: str, keys: str) -> None:
    for key in keys:
        house.core.switchboard.on_media_event(DigitPressed(call_id, CUSTOMER, key, secret=True))
    await settle()


def shown(house: House, contact_id: str) -> ContactView:
    return next(each for each in house.contacts() if each.contact_id == contact_id)


def ended(house: House) -> list[tuple[int, str]]:
    return [(each.digits, each.reason) for each in house.journal.entries if isinstance(each, recorded.CardEntryEnded)]


def masked(house: House) -> list[bool]:
    """What was ordered of masking, in order."""
    return [bool(given[-1]) for name, given in house.media.orders if name == "secure"]


def test_what_is_typed_reaches_the_payment_system_once_and_nothing_else() -> None:
    async def story() -> None:
        payments = FakePayments(PaymentAnswer("stored", "tok_9", "1111", "Card stored"))
        house, customer, _, call = await talking(payments)
        desk = house.core.desk
        await desk.secure("anna", call, "on", "number")
        await type_keys(house, call, "49*" + NUMBER)
        assert shown(house, call).card_typed == (CardFieldView("number", 16, True),)
        with_prompt = [plays for plays in house.media.plays(CUSTOMER) if plays.startswith("card-entry")]
        assert with_prompt == ["card-entry-1"], "the customer is asked"
        await desk.secure("anna", call, "on", "expiry")
        await type_keys(house, call, "13")
        assert shown(house, call).card_typed[-1] == CardFieldView("expiry", 2, False)
        with pytest.raises(IntentError, match="not complete"):
            await desk.secure("anna", call, "send")
        await type_keys(house, call, "*0129")
        await desk.secure("anna", call, "on", "code")
        await type_keys(house, call, "737")
        await desk.secure("anna", call, "send")
        await settle()
        assert payments.got == [{"number": NUMBER, "expiry": "0129", "code": "737"}]
        contact = shown(house, call)
        assert (contact.is_secured, contact.card_typed, contact.card_sending) == (False, (), False)
        assert contact.card_answer == CardAnswerView("stored", "tok_9", "1111", "Card stored")
        assert masked(house)[-1] is False
        (answered,) = [each for each in house.journal.entries if isinstance(each, recorded.CardEntryAnswered)]
        assert (answered.fields, answered.token, answered.contact_id) == (("number", "expiry", "code"), "tok_9", call)
        written = b"".join(msgspec.msgpack.encode(each) for each in house.journal.entries)
        assert NUMBER.encode() not in written
        assert b"0129" not in written
        assert payments.orders[0].request_id.encode() not in written
        await house.hang_up(customer)

    run_virtual(story)


def test_without_a_payment_system_it_says_so_and_masks_nobody() -> None:
    async def story() -> None:
        house, _, _, call = await talking(None)
        with pytest.raises(IntentError, match=r"no payment system is configured") as caught:
            await house.core.desk.secure("anna", call, "on", "number")
        assert caught.value.code == "card-entry-not-configured"
        assert masked(house) == []
        assert not shown(house, call).is_secured

    run_virtual(story)


@pytest.mark.parametrize("how", ["transfer", "queue", "park", "consult", "agent hangs up", "customer hangs up"])
def test_whatever_takes_the_customer_from_the_agent_leaves_it_at_once(how: str) -> None:
    async def story() -> None:
        payments = FakePayments()
        house, customer, phone, call = await talking(payments)
        desk = house.core.desk
        await desk.secure("anna", call, "on", "number")
        await type_keys(house, call, NUMBER[:9])
        match how:
            case "transfer":
                await desk.transfer("anna", call, "agent", "ben")
            case "queue":
                await desk.transfer("anna", call, "queue", "support")
            case "consult":
                await desk.consult("anna", call, "agent", "ben")
            case "park":
                await desk.park("anna", call)
            case "agent hangs up":
                await house.hang_up(phone)
            case _:
                await house.hang_up(customer)
        await settle()
        reason = "ended" if "hangs up" in how else "handed_on"
        assert ended(house) == [(9, reason)]
        assert not any(each.is_secured for each in house.contacts())
        if "hangs up" not in how:
            assert masked(house) == [True, False]
            await type_keys(house, call, "1")
            await house.hang_up(customer)
        await settle()
        assert payments.got == []

    run_virtual(story)


def test_a_payment_system_that_is_slow_harms_no_call_and_its_answer_is_known_after_the_end() -> None:
    async def story() -> None:
        payments, gate = FakePayments(PaymentAnswer("failed_timeout", message="No answer in time.")), asyncio.Event()

        async def wait() -> None:
            await gate.wait()

        payments.wait = wait
        house, customer, _, call = await talking(payments)
        desk = house.core.desk
        await desk.secure("anna", call, "on", "number")
        await type_keys(house, call, NUMBER)
        await desk.secure("anna", call, "send")
        await settle()
        assert shown(house, call).card_sending
        await desk.hold("anna", call)
        await pass_seconds(5)
        await house.hang_up(customer)
        gate.set()
        await settle()
        (answered,) = [each for each in house.journal.entries if isinstance(each, recorded.CardEntryAnswered)]
        assert answered.result == "failed_timeout"
        contact = shown(house, call)  # in wrap-up
        assert contact.card_answer is not None
        assert contact.card_answer.message == "No answer in time."
        assert not contact.card_sending

    run_virtual(story)


def test_an_answer_that_is_faster_than_the_unmasking_does_not_leave_the_desk_waiting() -> None:
    async def story() -> None:
        house, _, _, call = await talking(FakePayments())
        unmasked, secure = asyncio.Event(), house.media.secure

        async def slowly(session_id: str, leg_id: str, *, on: bool) -> None:
            if not on:
                await unmasked.wait()
            await secure(session_id, leg_id, on=on)

        house.media.secure = slowly  # type: ignore[method-assign]
        desk = house.core.desk
        await desk.secure("anna", call, "on", "number")
        await type_keys(house, call, NUMBER)
        sending = asyncio.create_task(desk.secure("anna", call, "send"))
        await settle()
        unmasked.set()
        await sending
        await settle()
        contact = shown(house, call)
        assert not contact.card_sending
        assert contact.card_answer is not None
        assert contact.card_answer.result == "stored"

    run_virtual(story)
