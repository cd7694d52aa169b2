import asyncio
import inspect
from typing import Any

import pytest

from agent_console.intents import INTENTS, REMEMBERED_PER_USER, IntentMemory
from agent_console.messages import Intent, IntentAccepted, IntentRefused
from agent_console.ports import Desk, IntentError, Principal, Role
from tests.support.fake_desk import ANNA, BORIS, SOFIA, FakeDesk, a_principal

pytestmark = pytest.mark.unit

FIELDS: dict[str, Any] = {
    "contact_id": "c1",
    "reason": "lunch",
    "customer_id": "k1",
    "disposition": "solved",
    "notes": "called back",
    "how": "monitor",
    "target_kind": "agent",
    "target": "ben",
    "slot": "701",
    "digits": "12#",
    "from_user": "anna",
    "to_user": "ben",
}
ORDERS = {
    "agent.ready": ("ready", "anna"),
    "agent.not_ready": ("not_ready", "anna", "lunch"),
    "offer.decline": ("decline", "anna", "c1"),
    "contact.hang_up": ("hang_up", "anna", "c1"),
    "contact.hold": ("hold", "anna", "c1"),
    "contact.resume": ("resume", "anna", "c1"),
    "contact.transfer": ("transfer", "anna", "c1", "agent", "ben"),
    "contact.consult": ("consult", "anna", "c1", "agent", "ben"),
    "consult.complete": ("complete", "anna", "c1"),
    "consult.cancel": ("cancel", "anna", "c1"),
    "consult.swap": ("swap", "anna", "c1"),
    "consult.conference": ("conference", "anna", "c1"),
    "contact.park": ("park", "anna", "c1"),
    "park.retrieve": ("retrieve", "anna", "701"),
    "call.dial": ("dial", "anna", "agent", "ben"),
    "call.override_hours": ("override_hours", "anna", "ben", "lunch"),
    "contact.send_digits": ("send_digits", "anna", "c1", "12#"),
    "contact.identify": ("identify", "anna", "c1", "k1"),
    "contact.secure": ("secure", "anna", "c1", "monitor", "ben"),
    "recording.start": ("start_recording", "anna", "c1"),
    "recording.stop": ("stop_recording", "anna", "c1"),
    "recording.pause": ("pause_recording", "anna", "c1"),
    "recording.resume": ("resume_recording", "anna", "c1"),
    "offer.accept": ("accept", "anna", "c1"),
    "contact.give_back": ("give_back", "anna", "c1"),
    "contact.finish": ("finish", "user-sofia", "c1"),
    "contact.move": ("move", "user-sofia", "c1", "agent", "ben"),
    "contact.supervise": ("supervise", "user-sofia", "c1", "monitor"),
    "callback.promise": ("promise_callback", "anna", "c1"),
    "callback.call_off": ("call_off_callback", "user-sofia", "sales"),
    "callback.call_now": ("call_back_now", "user-sofia", "sales"),
    "callback.to_top": ("move_callback_to_top", "user-sofia", "sales"),
    "callback.hand_over": ("hand_over_callbacks", "user-sofia", "anna", "ben"),
    "message.hand_over": ("hand_over_messages", "user-sofia", "anna", "ben"),
    "queue.close": ("close_queue", "user-sofia", "sales"),
    "queue.open": ("open_queue", "user-sofia", "sales"),
    "wrap_up.extend": ("extend_wrap_up", "anna", "c1"),
    "wrap_up.finish": ("finish_wrap_up", "anna", "c1", "solved", "called back"),
}


def an_intent(name: str, intent_id: str = "i1", **fields: Any) -> Intent:
    return Intent(intent_id, name, **(FIELDS | fields))


OF_EVERYBODY = {"contact.finish", "callback.call_off", "callback.call_now"}
"""Whose it is, the desk looks."""
AT_THE_DESK = [name for name, rule in INTENTS.items() if rule.seat]


def test_every_intent_names_a_method_of_the_desk_with_its_arguments() -> None:
    for rule in INTENTS.values():
        parameters = list(inspect.signature(getattr(Desk, rule.method)).parameters)
        if rule.seat:
            assert parameters == ["self", "agent_id", *rule.required, *rule.optional]
        else:
            assert parameters[:2] == ["self", "user_id"]
            assert len(parameters) == 2 + len((*rule.required, *rule.optional))


def test_every_intent_of_the_contract_is_in_the_table() -> None:
    assert set(INTENTS) == set(ORDERS)


@pytest.mark.parametrize("name", AT_THE_DESK)
async def test_an_agent_may_do_everything_at_the_own_desk(name: str, desk: FakeDesk) -> None:
    assert await IntentMemory(desk).carry_out(ANNA, an_intent(name)) == IntentAccepted("i1")
    assert desk.orders == [ORDERS[name]]


@pytest.mark.parametrize("name", AT_THE_DESK)
@pytest.mark.parametrize(
    ("person", "code"),
    [
        (a_principal("u1"), "not-allowed"),
        (a_principal("u1", agent_id="anna"), "not-allowed"),
        (a_principal("u1", Role.SUPERVISOR), "not-allowed"),
        (a_principal("u1", Role.SUPERVISOR, agent_id="anna"), "not-allowed"),
        (a_principal("u1", Role.ADMINISTRATOR, agent_id="anna"), "not-allowed"),
        (a_principal("u1", Role.AGENT), "no-seat"),
        (a_principal("u1", Role.AGENT, Role.SUPERVISOR), "no-seat"),
    ],
)
async def test_whoever_is_no_agent_or_has_no_seat_reaches_no_desk(
    name: str, person: Principal, code: str, desk: FakeDesk
) -> None:
    answer = await IntentMemory(desk).carry_out(person, an_intent(name))
    assert isinstance(answer, IntentRefused)
    assert answer.code == code
    assert desk.orders == []


@pytest.mark.parametrize(("name", "missing"), [(name, each) for name in AT_THE_DESK for each in INTENTS[name].required])
@pytest.mark.parametrize(
    ("value", "code"), [(None, "missing-field"), ("", "missing-field"), ("x" * 201, "field-too-long")]
)
async def test_each_required_field_must_be_there_and_short(
    name: str, missing: str, value: str | None, code: str, desk: FakeDesk
) -> None:
    fields: dict[str, Any] = {missing: value}
    answer = await IntentMemory(desk).carry_out(ANNA, an_intent(name, **fields))
    assert isinstance(answer, IntentRefused)
    assert answer.code == code
    assert desk.orders == []


@pytest.mark.parametrize("name", sorted(set(INTENTS) - set(AT_THE_DESK) - OF_EVERYBODY))
async def test_only_those_above_open_and_close_queues_and_need_no_seat(name: str, desk: FakeDesk) -> None:
    memory = IntentMemory(desk)
    refused = await memory.carry_out(ANNA, an_intent(name, target="sales"))
    assert isinstance(refused, IntentRefused)
    assert (refused.code, desk.orders) == ("not-allowed", [])
    target = ORDERS[name][-1]
    assert await memory.carry_out(SOFIA, an_intent(name, target=target)) == IntentAccepted("i1")
    assert desk.orders == [ORDERS[name]]


async def test_notes_may_be_left_out(desk: FakeDesk) -> None:
    await IntentMemory(desk).carry_out(ANNA, an_intent("wrap_up.finish", notes=None))
    assert desk.orders == [("finish_wrap_up", "anna", "c1", "solved", "")]


async def test_unknown_intents_and_odd_ids_are_refused(desk: FakeDesk) -> None:
    memory = IntentMemory(desk)
    answers = [
        await memory.carry_out(ANNA, an_intent("agent.explode")),
        await memory.carry_out(ANNA, an_intent("sign_out", "i2")),
        await memory.carry_out(ANNA, an_intent("agent.ready", "")),
        await memory.carry_out(ANNA, an_intent("agent.ready", "x" * 500)),
    ]
    codes = [answer.code for answer in answers if isinstance(answer, IntentRefused)]
    assert codes == ["unknown-intent", "unknown-intent", "malformed-intent", "malformed-intent"]
    assert desk.orders == []


async def test_the_desks_no_is_passed_on_with_its_code(desk: FakeDesk) -> None:
    desk.refuse_with = IntentError("phone-not-registered", "Your phone is not registered.")
    answer = await IntentMemory(desk).carry_out(ANNA, an_intent("agent.ready"))
    assert answer == IntentRefused("i1", "phone-not-registered", "Your phone is not registered.")


async def test_a_broken_desk_is_an_answer_that_tells_nothing_of_the_inside(desk: FakeDesk) -> None:
    desk.break_with = RuntimeError("secret detail")
    answer = await IntentMemory(desk).carry_out(ANNA, an_intent("agent.ready"))
    assert isinstance(answer, IntentRefused)
    assert answer.code == "internal-error"
    assert "secret" not in answer.message


async def test_a_desk_that_does_not_answer_is_given_up(desk: FakeDesk) -> None:
    desk.stall = asyncio.Event()
    answer = await IntentMemory(desk, answer_within_seconds=0.01).carry_out(ANNA, an_intent("agent.ready"))
    assert isinstance(answer, IntentRefused)
    assert answer.code == "no-answer"


async def test_a_repeated_intent_is_answered_from_memory_and_done_once(desk: FakeDesk) -> None:
    memory = IntentMemory(desk)
    desk.refuse_with = IntentError("busy", "No.")
    first = await memory.carry_out(ANNA, an_intent("agent.ready"))
    desk.refuse_with = None
    assert await memory.carry_out(ANNA, an_intent("agent.ready")) == first
    assert desk.orders == [("ready", "anna")]


async def test_one_persons_intent_ids_mean_nothing_to_another(desk: FakeDesk) -> None:
    memory = IntentMemory(desk)
    await memory.carry_out(ANNA, an_intent("agent.ready"))
    await memory.carry_out(BORIS, an_intent("agent.ready"))
    assert desk.orders == [("ready", "anna"), ("ready", "boris")]


async def test_an_intent_survives_the_socket_it_came_by(desk: FakeDesk) -> None:
    """The socket is lost while the desk works; the browser asks again elsewhere and learns how it went."""
    memory = IntentMemory(desk)
    desk.stall = asyncio.Event()
    first = asyncio.create_task(memory.carry_out(ANNA, an_intent("agent.ready")))
    await desk.asked.wait()
    first.cancel()
    again = asyncio.create_task(memory.carry_out(ANNA, an_intent("agent.ready")))
    desk.stall.set()
    assert await again == IntentAccepted("i1")
    assert desk.orders == [("ready", "anna")]


async def test_memory_is_bounded_and_forgets_the_oldest_answer(desk: FakeDesk) -> None:
    memory = IntentMemory(desk)
    for number in range(REMEMBERED_PER_USER + 1):
        await memory.carry_out(ANNA, an_intent("agent.ready", f"i{number}"))
    assert len(memory._tasks["user-anna"]) == REMEMBERED_PER_USER
    await memory.carry_out(ANNA, an_intent("agent.ready", "i1"))
    assert len(desk.orders) == REMEMBERED_PER_USER + 1
    await memory.carry_out(ANNA, an_intent("agent.ready", "i0"))
    assert len(desk.orders) == REMEMBERED_PER_USER + 2


async def test_more_than_can_be_remembered_at_once_is_refused_and_closing_ends_what_is_under_way(
    desk: FakeDesk,
) -> None:
    memory = IntentMemory(desk)
    desk.stall = asyncio.Event()
    waiting = [
        asyncio.create_task(memory.carry_out(ANNA, an_intent("agent.ready", f"i{number}")))
        for number in range(REMEMBERED_PER_USER)
    ]
    while len(desk.orders) < REMEMBERED_PER_USER:
        desk.asked.clear()
        await desk.asked.wait()
    answer = await memory.carry_out(ANNA, an_intent("agent.ready", "one more"))
    assert isinstance(answer, IntentRefused)
    assert answer.code == "too-many-requests"
    await memory.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
