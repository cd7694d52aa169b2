"""The step kinds at work: for each kind what entering it means, and what follows when its order is done or input came.

Verbs are pure functions from a step and a ``Scene`` to a ``Move``. They never see the state of the run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ivr.digits import Collected, Verdict
from ivr.effects import EnqueueContact, HangUpCall, RequestCallback, SurveyGiven
from ivr.flow import (
    SURVEYS,
    AnswerStep,
    BranchStep,
    CallbackStep,
    CollectStep,
    HangUpStep,
    HoursStep,
    Inquiry,
    MenuStep,
    PlayStep,
    QueueStep,
    SetStep,
    Step,
    SurveyStep,
    VoicemailStep,
)
from ivr.hours import is_open
from ivr.moves import AskAgain, AwaitAnswer, AwaitCallback, Finish, Go, Listen, Move, Record, Say, Scene
from ivr.variables import substitute

CALLBACK, TAKEN, REFUSED = "callback", "taken", "refused"
"""The variable that says whether a callback was promised, and its values."""

QUEUE_REASON, TALKED = "queue_reason", "talked"
"""The variable that says why a queue gave the call back, and its value after a conversation."""

StepT = TypeVar("StepT", bound=Step)


def _nothing_ordered(step: Step, _scene: Scene) -> Move:
    raise AssertionError(f"{step.name} ordered nothing that could be done")


def _nothing_asked(step: Step, _scene: Scene, _collected: Collected) -> Move:
    raise AssertionError(f"{step.name} asked for no input")


@dataclass(frozen=True, slots=True)
class Verb(Generic[StepT]):
    """One step kind."""

    enter: Callable[[StepT, Scene], Move]
    done: Callable[[StepT, Scene], Move] = _nothing_ordered
    """The answer is there, or the prompt is over."""
    typed: Callable[[StepT, Scene, Collected], Move] = _nothing_asked
    """The input is over."""


def _enter_answer(step: AnswerStep, scene: Scene) -> Move:
    return Go(step.next) if scene.answered else AwaitAnswer()


def _enter_play(step: PlayStep, scene: Scene) -> Move:
    return Say(scene.render(step.prompt), step.barge_in, step.type_ahead)


def _go_on(step: AnswerStep | PlayStep, _scene: Scene) -> Move:
    return Go(step.next)


def _ask(step: MenuStep | CollectStep | SurveyStep, scene: Scene) -> Move:
    inquiry = step.inquiry
    return Say(scene.render(inquiry.prompt), inquiry.barge_in, inquiry.type_ahead)


def _listen(step: MenuStep | CollectStep | SurveyStep, _scene: Scene) -> Move:
    return Listen(step.inquiry.rules)


def _choose(step: MenuStep, scene: Scene, collected: Collected) -> Move:
    for choice in step.choices:
        if choice.digit == collected.digits:
            return Go(choice.next, choice.label, choice.values)
    return _ask_again(step.inquiry, scene, silent=collected.verdict is Verdict.NO_INPUT)


def _keep_number(step: CollectStep, scene: Scene, collected: Collected) -> Move:
    if collected.verdict is Verdict.COMPLETE:
        return Go(step.next, values=((step.variable, collected.digits),))
    return _ask_again(step.inquiry, scene, silent=collected.verdict is Verdict.NO_INPUT)


def _keep_answer(step: SurveyStep, scene: Scene, collected: Collected) -> Move:
    low, high = SURVEYS[step.kind]
    if collected.verdict is Verdict.COMPLETE and collected.digits.isdigit() and low <= int(collected.digits) <= high:
        return Go(step.next, given=SurveyGiven(step.kind, int(collected.digits)))
    return _ask_again(step.inquiry, scene, silent=collected.verdict is Verdict.NO_INPUT)


def _ask_again(inquiry: Inquiry, scene: Scene, *, silent: bool) -> Move:
    if scene.attempt >= inquiry.attempts:
        return Go(inquiry.on_failure)
    lead = inquiry.no_input_prompt if silent else inquiry.invalid_prompt
    return AskAgain(Say(scene.render(lead, inquiry.prompt), inquiry.barge_in, inquiry.type_ahead))


def _enter_hours(step: HoursStep, scene: Scene) -> Move:
    return Go(step.open if is_open(scene.flow.hours[step.hours], scene.now) else step.closed)


def _enter_branch(step: BranchStep, scene: Scene) -> Move:
    return Go(dict(step.cases).get(scene.variables.get(step.variable, ""), step.otherwise))


def _enter_set(step: SetStep, _scene: Scene) -> Move:
    return Go(step.next, values=step.values)


def _enter_queue(step: QueueStep, scene: Scene) -> Move:
    return Finish(
        EnqueueContact(
            queue_id=step.queue,
            priority=step.priority,
            required_skills=_skills(step, scene),
            language=scene.language,
            variables=tuple(sorted(scene.variables.items())),
            plan=step.plan,
            agent=substitute(step.agent, scene.variables),
            agent_ms=step.agent_ms,
            may_return=bool(step.otherwise),
            surveys=bool(step.survey),
        )
    )


def _skills(step: QueueStep | CallbackStep, scene: Scene) -> tuple[tuple[str, int], ...]:
    skills = dict(step.skills)
    if step.language_skill:
        skills.setdefault(scene.language, 1)
    return tuple(sorted(skills.items()))


def _request_callback(step: CallbackStep, scene: Scene) -> Move:
    return AwaitCallback(RequestCallback(step.queue, step.priority, _skills(step, scene), scene.language))


def _callback_settled(step: CallbackStep, scene: Scene) -> Move:
    return Go(step.next if scene.variables.get(CALLBACK) == TAKEN else step.otherwise)


def _come_back(step: QueueStep, scene: Scene) -> Move:
    target = step.survey if scene.variables.get(QUEUE_REASON) == TALKED else step.otherwise
    return Go(target) if target else Finish(HangUpCall("flow_ended"))


def _enter_voicemail(step: VoicemailStep, scene: Scene) -> Move:
    if step.otherwise and not substitute(step.box, scene.variables):
        return Go(step.otherwise)
    return Say(scene.render(step.prompt), barge_in=False, type_ahead=False)


def _take_message(step: VoicemailStep, scene: Scene) -> Move:
    return Record(substitute(step.box, scene.variables), step.max_ms)


def _enter_hang_up(step: HangUpStep, _scene: Scene) -> Move:
    return Finish(HangUpCall(step.reason))


VERBS: Mapping[type[Step], Verb[Any]] = {
    AnswerStep: Verb(_enter_answer, done=_go_on),
    PlayStep: Verb(_enter_play, done=_go_on),
    MenuStep: Verb(_ask, done=_listen, typed=_choose),
    CollectStep: Verb(_ask, done=_listen, typed=_keep_number),
    SurveyStep: Verb(_ask, done=_listen, typed=_keep_answer),
    HoursStep: Verb(_enter_hours),
    BranchStep: Verb(_enter_branch),
    SetStep: Verb(_enter_set),
    QueueStep: Verb(_enter_queue, done=_come_back),
    VoicemailStep: Verb(_enter_voicemail, done=_take_message),
    CallbackStep: Verb(_request_callback, done=_callback_settled),
    HangUpStep: Verb(_enter_hang_up),
}
"""Every step kind and what it does."""
