"""A survey: what counts as an answer, and where the flow comes from and goes to."""

import pytest

from ivr.effects import EnqueueContact, HangUpCall, SurveyGiven, SurveyPut
from ivr.events import ContactReturned
from tests.support.flow_caller import FlowCaller

pytestmark = pytest.mark.unit

FLOW = """
[flow]
name = "asks"
start = "answer"
languages = ["en"]
[prompts.rate]
en = "Rate us."
[steps.answer]
type = "answer"
next = "wait"
[steps.wait]
type = "queue"
queue = "sales"
survey = "rate"
[steps.rate]
type = "survey"
kind = "KIND"
prompt = "rate"
attempts = 2
next = "thanks"
on_failure = "sorry"
[steps.thanks]
type = "hang_up"
reason = "thanks"
[steps.sorry]
type = "hang_up"
reason = "sorry"
"""


def talked(kind: str) -> FlowCaller:
    """A caller whose agent has hung up, who hears the question out."""
    someone = FlowCaller(FLOW.replace("KIND", kind))
    someone.call()
    order = someone.effects[-1]
    assert isinstance(order, EnqueueContact)
    assert (order.surveys, order.may_return) == (True, False)
    someone.tell(ContactReturned("talked"))
    assert SurveyPut(kind) in someone.effects
    someone.listen()
    return someone


@pytest.mark.parametrize(
    ("kind", "keys", "score"),
    [("csat", "1", 1), ("csat", "5", 5), ("nps", "10", 10), ("nps", "0#", 0), ("nps", "7#", 7)],
)
def test_a_figure_within_the_bounds_is_an_answer(kind: str, keys: str, score: int) -> None:
    someone = talked(kind)
    someone.press(keys)
    assert SurveyGiven(kind, score) in someone.effects
    assert someone.effects[-1] == HangUpCall("thanks")


@pytest.mark.parametrize(("kind", "keys"), [("csat", "0"), ("csat", "6"), ("csat", "*"), ("nps", "11"), ("nps", "*#")])
def test_anything_else_is_asked_again_and_then_given_up(kind: str, keys: str) -> None:
    someone = talked(kind)
    someone.press(keys)
    someone.listen()
    someone.press(keys)
    assert not [each for each in someone.effects if isinstance(each, SurveyGiven)]
    assert someone.effects[-1] == HangUpCall("sorry")


def test_a_call_that_comes_back_for_another_reason_ends() -> None:
    someone = FlowCaller(FLOW.replace("KIND", "csat"))
    someone.call()
    someone.tell(ContactReturned("queue_full"))
    assert someone.effects[-1] == HangUpCall("flow_ended")
