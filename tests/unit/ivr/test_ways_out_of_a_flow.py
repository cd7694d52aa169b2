"""Queue, callback and voicemail: what a flow asks of the host, and how it goes on afterwards."""

import pytest

from ivr.effects import (
    EndMessage,
    EnqueueContact,
    HangUpCall,
    RecordMessage,
    RequestCallback,
)
from ivr.errors import FlowSyntaxError, UnexpectedEvent
from ivr.events import (
    CallbackSettled,
    CallerFellSilent,
    ContactReturned,
)
from ivr.parser import parse_flow
from ivr.turn import ANSWER_LIMIT_MS
from tests.support.flow_caller import FlowCaller

pytestmark = pytest.mark.unit


QUEUE_WITH_A_WAY_ON = """
[flow]
name = "way_on"
start = "answer"
languages = ["en"]
[prompts.busy]
en = "All are busy."
[steps.answer]
type = "answer"
next = "wait"
[steps.wait]
type = "queue"
queue = "sales"
plan = "patient"
agent = "${manager}"
agent_seconds = 12
otherwise = "why"
[steps.why]
type = "branch"
variable = "queue_reason"
cases = { queue_full = "busy" }
otherwise = "end"
[steps.busy]
type = "play"
prompt = "busy"
next = "end"
[steps.end]
type = "hang_up"
reason = "busy"
"""


def test_a_flow_goes_on_when_the_queue_gives_its_call_back() -> None:
    someone = FlowCaller(QUEUE_WITH_A_WAY_ON)
    someone.call({"manager": "anna"})
    order = someone.effects[-1]
    assert isinstance(order, EnqueueContact)
    assert (order.plan, order.agent, order.agent_ms, order.may_return) == ("patient", "anna", 12_000, True)
    assert not someone.run.finished
    assert someone.press("1") == []  # not for the flow
    someone.wait(900_000)
    someone.restart()
    someone.tell(ContactReturned("queue_full"))
    assert someone.playing.prompts[0].name == "busy"
    someone.listen()
    assert someone.end == HangUpCall("busy")
    assert someone.tell(ContactReturned("queue_full")) == []


def test_a_flow_that_was_not_waiting_for_its_call_takes_none_back() -> None:
    with pytest.raises(UnexpectedEvent):
        FlowCaller(QUEUE_WITH_A_WAY_ON).tell(ContactReturned("queue_full"))


CALLBACK_FLOW = """
[flow]
name = "call_me"
start = "answer"
languages = ["en"]
[steps.answer]
type = "answer"
next = "call_me"
[steps.call_me]
type = "callback"
queue = "sales"
priority = 2
skills = { billing = 2 }
language_skill = true
next = "promised"
otherwise = "wait"
[steps.promised]
type = "hang_up"
reason = "promised"
[steps.wait]
type = "queue"
queue = "sales"
"""


@pytest.mark.parametrize(("taken", "path"), [(True, "promised"), (False, "wait")])
def test_a_callback_is_asked_for_and_the_flow_goes_on_by_the_answer(taken: bool, path: str) -> None:
    someone = FlowCaller(CALLBACK_FLOW)
    someone.call()
    assert someone.effects[-1] == RequestCallback("sales", 2, (("billing", 2), ("en", 1)), "en")
    someone.restart()
    someone.tell(CallbackSettled(taken))
    assert someone.path[-1] == path
    assert someone.tell(CallbackSettled(taken)) == []


def test_a_callback_that_nobody_settles_does_not_hold_the_caller_for_ever() -> None:
    someone = FlowCaller(CALLBACK_FLOW)
    someone.call()
    someone.wait(ANSWER_LIMIT_MS)
    assert someone.end == HangUpCall("flow_stalled")


MESSAGE_FLOW = """
[flow]
name = "message"
start = "answer"
languages = ["en", "zh"]
[prompts]
speak = { en = "Speak.", zh = "请讲。" }
[steps.answer]
type = "answer"
next = "owners"
[steps.owners]
type = "voicemail"
box = "${customer_owner}"
prompt = "speak"
next = "end"
otherwise = "houses"
[steps.houses]
type = "voicemail"
box = "sales"
prompt = "speak"
max_seconds = 30
next = "end"
[steps.end]
type = "hang_up"
reason = "message_left"
"""


@pytest.mark.parametrize(("owner", "box"), [("mia", "mia"), ("", "sales")])
def test_a_message_is_for_the_box_that_a_variable_names_else_for_another(owner: str, box: str) -> None:
    someone = FlowCaller(MESSAGE_FLOW)
    someone.call({"customer_owner": owner, "language": "zh"})
    assert someone.heard == ["speak:zh"]
    assert someone.listen() == [RecordMessage(box, "zh")]
    someone.restart()
    assert someone.press("5") == [], "keys within a message mean nothing"
    assert someone.press("#")[0] == EndMessage()
    assert someone.end == HangUpCall("message_left")


def test_a_message_ends_with_its_time_and_when_the_caller_falls_silent() -> None:
    someone = FlowCaller(MESSAGE_FLOW)
    someone.call()
    someone.listen()
    assert someone.wait(29_999) == []
    assert someone.wait(1)[0] == EndMessage()
    assert someone.end == HangUpCall("message_left")
    other = FlowCaller(MESSAGE_FLOW)
    other.call()
    other.press("1#")
    assert other.listen() == [RecordMessage("sales", "en")], "the prompt is heard out, and keys before it are lost"
    assert other.tell(CallerFellSilent())[0] == EndMessage()
    assert other.tell(CallerFellSilent()) == []


def test_boxes_that_are_named_by_variables_are_told_apart_and_need_another_way() -> None:
    assert parse_flow(MESSAGE_FLOW, source="x").box_ids() == {"sales"}
    with pytest.raises(FlowSyntaxError, match="otherwise: is needed where a variable names the box"):
        parse_flow(MESSAGE_FLOW.replace('otherwise = "houses"', ""), source="x")
    with pytest.raises(FlowSyntaxError, match="names no variable"):
        parse_flow(MESSAGE_FLOW.replace("${customer_owner}", "${"), source="x")
