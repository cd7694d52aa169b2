"""Reading ``[steps.NAME]``: one function for each step kind, found by the table at the end."""

import re
from collections.abc import Callable, Mapping

from ivr.digits import ALPHABET, DigitRules
from ivr.flow import (
    SURVEYS,
    AnswerStep,
    Assignments,
    BranchStep,
    CallbackStep,
    CollectStep,
    HangUpStep,
    HoursStep,
    Inquiry,
    MenuChoice,
    MenuStep,
    PlayStep,
    Prompt,
    PromptPart,
    QueueStep,
    SetStep,
    Step,
    SurveyStep,
    VoicemailStep,
)
from ivr.tables import LANGUAGE_CODE, NAME, TableReader
from ivr.variables import is_template

MAX_ATTEMPTS = 10
MAX_DIGITS = 64
MAX_PRIORITY = 1000
MAX_LEVEL = 100
DEFAULT_TIMEOUT_SECONDS = 5.0
DEFAULT_INTER_DIGIT_SECONDS = 3.0
DEFAULT_AGENT_SECONDS = 30.0
DEFAULT_MESSAGE_SECONDS = 120.0
MAX_MESSAGE_SECONDS = 600.0

_PART = re.compile(rf"({NAME.pattern})(?::({LANGUAGE_CODE.pattern}))?")


def read_step(name: str, reader: TableReader) -> Step | None:
    """One step; ``None``, and noted, when its type is unknown."""
    kind = reader.text("type")
    read = STEP_READERS.get(kind)
    if read is None:
        if kind:
            reader.note(f"{kind!r} is no step type; there are {', '.join(STEP_READERS)}", "type")
        return None
    step = read(name, reader)
    reader.close()
    return step


def _answer(name: str, reader: TableReader) -> Step:
    return AnswerStep(name, _target(reader, "next"))


def _play(name: str, reader: TableReader) -> Step:
    return PlayStep(
        name,
        prompt=_prompt(reader, "prompt", required=True),
        next=_target(reader, "next"),
        barge_in=reader.flag("barge_in", default=False),
        type_ahead=reader.flag("type_ahead", default=True),
    )


def _menu(name: str, reader: TableReader) -> Step:
    timeout = reader.milliseconds("timeout_seconds", DEFAULT_TIMEOUT_SECONDS)
    rules = DigitRules(min_digits=1, max_digits=1, terminator="", timeout_ms=timeout, inter_digit_ms=timeout)
    inquiry = _inquiry(reader, rules, prompt_required=True)
    if not reader.has("choices"):
        reader.note('is missing; give a table such as { 1 = { next = "sales", label = "Sales" } }', "choices")
    return MenuStep(name, inquiry, tuple(_choice(digit, inner) for digit, inner in reader.tables("choices")))


def _choice(digit: str, reader: TableReader) -> MenuChoice:
    if digit not in ALPHABET:
        reader.note("a choice is one key: 0 to 9, *, #, A to D")
    label, target = reader.text("label"), _target(reader, "next")
    values = _assignments(reader.inside("set")) if reader.has("set") else ()
    reader.close()
    return MenuChoice(digit, label, target, values)


def _collect(name: str, reader: TableReader) -> Step:
    low = reader.whole("min_digits", 1, low=0, high=MAX_DIGITS)
    high = reader.whole("max_digits", low=1, high=MAX_DIGITS)
    if low > high > 0:
        reader.note(f"min_digits {low} is more than max_digits {high}")
    terminator = reader.text("terminator", "#" if low != high else "")
    if terminator and terminator not in ALPHABET:
        reader.note('must be one key such as "#", or "" for none', "terminator")
    rules = DigitRules(
        min_digits=low,
        max_digits=high,
        terminator=terminator,
        timeout_ms=reader.milliseconds("timeout_seconds", DEFAULT_TIMEOUT_SECONDS),
        inter_digit_ms=reader.milliseconds("inter_digit_seconds", DEFAULT_INTER_DIGIT_SECONDS),
    )
    inquiry = _inquiry(reader, rules, prompt_required=False)
    return CollectStep(name, inquiry, reader.text("variable", pattern=NAME), _target(reader, "next"))


def _inquiry(reader: TableReader, rules: DigitRules, *, prompt_required: bool) -> Inquiry:
    return Inquiry(
        prompt=_prompt(reader, "prompt", required=prompt_required),
        rules=rules,
        on_failure=_target(reader, "on_failure"),
        attempts=reader.whole("attempts", 3, low=1, high=MAX_ATTEMPTS),
        invalid_prompt=_prompt(reader, "invalid_prompt"),
        no_input_prompt=_prompt(reader, "no_input_prompt"),
        barge_in=reader.flag("barge_in", default=True),
        type_ahead=reader.flag("type_ahead", default=True),
    )


def _hours(name: str, reader: TableReader) -> Step:
    return HoursStep(
        name, reader.text("hours", pattern=NAME), open=_target(reader, "open"), closed=_target(reader, "closed")
    )


def _branch(name: str, reader: TableReader) -> Step:
    cases = reader.inside("cases")
    targets = tuple((value, _target(cases, value)) for value in cases.table)
    if reader.has("cases") and not targets:
        reader.note("must hold at least one value", "cases")
    return BranchStep(name, reader.text("variable", pattern=NAME), targets, _target(reader, "otherwise"))


def _set(name: str, reader: TableReader) -> Step:
    return SetStep(name, _assignments(reader.inside("values")), _target(reader, "next"))


def _queue(name: str, reader: TableReader) -> Step:
    skills = reader.inside("skills") if reader.has("skills") else None
    levels = ((skill, skills.whole(skill, low=1, high=MAX_LEVEL)) for skill in skills.table) if skills else ()
    return QueueStep(
        name,
        queue=reader.text("queue"),
        priority=reader.whole("priority", 0, low=-MAX_PRIORITY, high=MAX_PRIORITY),
        skills=tuple(sorted(levels)),
        language_skill=reader.flag("language_skill", default=False),
        plan=reader.text("plan", ""),
        agent=_template(reader, "agent"),
        agent_ms=reader.milliseconds("agent_seconds", DEFAULT_AGENT_SECONDS) if reader.has("agent") else 0,
        otherwise=_target(reader, "otherwise") if reader.has("otherwise") else "",
        survey=_target(reader, "survey") if reader.has("survey") else "",
    )


def _survey(name: str, reader: TableReader) -> Step:
    kind = reader.text("kind")
    if kind and kind not in SURVEYS:
        reader.note(f"{kind!r} is no survey; there are {', '.join(SURVEYS)}", "kind")
    most = len(str(SURVEYS.get(kind, (0, 1))[1]))
    rules = DigitRules(
        min_digits=1,
        max_digits=most,
        terminator="#" if most > 1 else "",
        timeout_ms=reader.milliseconds("timeout_seconds", DEFAULT_TIMEOUT_SECONDS),
        inter_digit_ms=reader.milliseconds("inter_digit_seconds", DEFAULT_INTER_DIGIT_SECONDS),
    )
    inquiry = _inquiry(reader, rules, prompt_required=True)
    return SurveyStep(name, inquiry, kind, _target(reader, "next"))


def _voicemail(name: str, reader: TableReader) -> Step:
    box = _template(reader, "box") if reader.has("box") else reader.text("box")
    if "${" in box and not reader.has("otherwise"):
        reader.note("is needed where a variable names the box, since it may name none", "otherwise")
    return VoicemailStep(
        name,
        box=box,
        prompt=_prompt(reader, "prompt"),
        next=_target(reader, "next"),
        max_ms=reader.milliseconds("max_seconds", DEFAULT_MESSAGE_SECONDS, high=MAX_MESSAGE_SECONDS),
        otherwise=_target(reader, "otherwise") if reader.has("otherwise") else "",
    )


def _callback(name: str, reader: TableReader) -> Step:
    skills = reader.inside("skills") if reader.has("skills") else None
    levels = ((skill, skills.whole(skill, low=1, high=MAX_LEVEL)) for skill in skills.table) if skills else ()
    return CallbackStep(
        name,
        queue=reader.text("queue"),
        next=_target(reader, "next"),
        otherwise=_target(reader, "otherwise"),
        priority=reader.whole("priority", 0, low=-MAX_PRIORITY, high=MAX_PRIORITY),
        skills=tuple(sorted(levels)),
        language_skill=reader.flag("language_skill", default=False),
    )


def _template(reader: TableReader, key: str) -> str:
    value = reader.text(key, "")
    if not is_template(value):
        reader.note(f"{value!r} holds a ${{...}} that names no variable", key)
    return value


def _hang_up(name: str, reader: TableReader) -> Step:
    return HangUpStep(name, reader.text("reason", "flow_ended", pattern=NAME))


def _target(reader: TableReader, key: str) -> str:
    return reader.text(key, pattern=NAME)


def _prompt(reader: TableReader, key: str, *, required: bool = False) -> Prompt:
    if not reader.has(key):
        if required:
            reader.note("is missing; give the name of a prompt, or a list of names", key)
        return ()
    values = (reader.text(key),) if isinstance(reader.table[key], str) else reader.texts(key)
    parts = []
    for value in values:
        match = _PART.fullmatch(value)
        if match:
            parts.append(PromptPart(match[1], match[2]))
        elif value:
            reader.note(f"{value!r} is no prompt name; write name, or name:en for one language", key)
    return tuple(parts)


def _assignments(reader: TableReader) -> Assignments:
    for name in reader.table:
        if not NAME.fullmatch(name):
            reader.note(f"is no variable name; it has to look like {NAME.pattern}", name)
    values = tuple((name, reader.text(name, "")) for name in reader.table)
    for name, value in values:
        if not is_template(value):
            reader.note(f"{value!r} holds a ${{...}} that names no variable", name)
    if not values:
        reader.note("must hold at least one variable")
    return values


STEP_READERS: Mapping[str, Callable[[str, TableReader], Step]] = {
    "answer": _answer,
    "play": _play,
    "menu": _menu,
    "collect": _collect,
    "survey": _survey,
    "hours": _hours,
    "branch": _branch,
    "set": _set,
    "queue": _queue,
    "voicemail": _voicemail,
    "callback": _callback,
    "hang_up": _hang_up,
}
"""Every step kind of the language by the word that stands for it."""
