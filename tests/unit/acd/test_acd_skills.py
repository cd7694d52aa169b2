"""The expression language: what can be said, what it means, and that it always means something."""

import random

import pytest

from acd.errors import InvalidRoute
from acd.skills import DEPTH_LIMIT, LENGTH_LIMIT, Person, asked_skills, means, named_agents, parse, speaks_of_queues

pytestmark = pytest.mark.unit

ANNA = Person("anna", ("q", "vip"), {"en": 3, "zh": 1, "lang:de": 2})


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("", True),
        ("floor", True),
        ("en", True),
        ("en >= 3", True),
        ("en>=4", False),
        ("fr", False),
        ("fr >= -5", False),
        ("lang:de >= 2", True),
        ("agent:anna", True),
        ("agent:ben", False),
        ("queue:vip", True),
        ("queue:sales", False),
        ("not fr", True),
        ("not not en", True),
        ("en and zh >= 2", False),
        ("en and zh >= 2 or agent:anna", True),
        ("en and (zh >= 2 or agent:anna)", True),
        ("fr or fr or zh", True),
        ("not fr and not (en >= 3 and zh >= 1)", False),
    ],
)
def test_expression_means_what_it_says(text: str, true: bool) -> None:
    assert means(parse(text), ANNA) is true


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("en >=", "column 6"),
        ("en >= high", "column 6"),
        ("and en", "column 1"),
        ("en zh", "column 3"),
        ("(en", "column 4"),
        ("en)", "column 3"),
        ("en > 3", "column 3"),
        ("not", "column 4"),
        ("()", "column 2"),
        ("en >= 9999999999", "column 6"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, column: str) -> None:
    with pytest.raises(InvalidRoute, match=column):
        parse(text)


def test_no_text_exhausts_the_stack() -> None:
    with pytest.raises(InvalidRoute, match="depth"):
        parse("(" * (DEPTH_LIMIT + 5) + "en" + ")" * (DEPTH_LIMIT + 5))
    with pytest.raises(InvalidRoute, match="depth"):
        parse("not " * 100 + "en")
    with pytest.raises(InvalidRoute, match="characters"):
        parse("en or " * LENGTH_LIMIT + "en")


def test_expressions_tell_what_they_speak_of() -> None:
    expression = parse("agent:ben or en >= 2 and not (zh or agent:anna) or agent:ben")
    assert named_agents(expression) == ("ben", "anna")
    assert asked_skills(expression) == ("en",)
    assert not speaks_of_queues(expression)
    assert speaks_of_queues(parse("en or queue:sales"))
    assert speaks_of_queues(parse("not floor"))


def test_random_expressions_mean_what_python_says_they_mean() -> None:
    """An independent reading: the same text as a Python expression."""
    dice = random.Random(5)
    for _ in range(2_000):
        text, python = _random_expression(dice, 4)
        levels = {skill: dice.randint(0, 3) for skill in ("a", "b", "c") if dice.random() < 0.7}
        assert means(parse(text), Person(None, (), levels)) is eval(python, {"h": levels}), text


def _random_expression(dice: random.Random, depth: int) -> tuple[str, str]:
    kind = dice.choice(["skill", "level", "not", "and", "or", "group"] if depth else ["skill", "level"])
    if kind in {"skill", "level"}:
        skill, level = dice.choice("abc"), dice.randint(0, 4)
        if kind == "skill":
            return skill, f"({skill!r} in h)"
        return f"{skill} >= {level}", f"(h.get({skill!r}, -1) >= {level})"
    text, python = _random_expression(dice, depth - 1)
    if kind == "not":
        return (f"not ({text})", f"(not ({python}))")
    if kind == "group":
        return f"({text})", f"({python})"
    other_text, other_python = _random_expression(dice, depth - 1)
    return f"{text} {kind} {other_text}", f"{python} {kind} {other_python}"
