"""What is asked of an agent, as an expression: ``en >= 3 and (gold or not agent:ben)``.

::

    expression  = conjunction *( "or" conjunction )
    conjunction = factor *( "and" factor )
    factor      = "not" factor / "(" expression ")" / atom
    atom        = skill [ ">=" level ] / "agent:" id / "queue:" id / "floor"

A skill alone is held at any level. ``floor`` is true of everybody; the empty expression is the same. The language is
total: every expression that parses has a value for every agent, and what nobody has ever heard of is held by nobody.

An expression that says nothing about queues speaks of the agents of the contact's own queue. One that names a queue,
or says ``floor``, speaks of everybody: ``queue:sales or queue:support`` widens, ``agent:anna and floor`` finds Anna
wherever she works.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from acd.errors import InvalidRoute

LENGTH_LIMIT = 2_000
"""Characters of an expression; also bounds its depth, so that no text can exhaust the stack."""
DEPTH_LIMIT = 32
"""Parentheses and ``not`` within each other."""


class Held(msgspec.Struct, frozen=True):
    """A skill, at this level or higher; ``None`` is any level."""

    skill: str
    level: int | None


class Named(msgspec.Struct, frozen=True):
    """This agent and nobody else."""

    agent_id: str


class Serves(msgspec.Struct, frozen=True):
    """Whoever serves this queue."""

    queue_id: str


class Anybody(msgspec.Struct, frozen=True):
    """Everybody."""


class Not(msgspec.Struct, frozen=True):
    """Whoever is not meant by the part."""

    part: "Expression"


class AllOf(msgspec.Struct, frozen=True):
    """Whoever is meant by every part."""

    parts: tuple["Expression", ...]


class AnyOf(msgspec.Struct, frozen=True):
    """Whoever is meant by one part at least."""

    parts: tuple["Expression", ...]


Expression = Held | Named | Serves | Anybody | Not | AllOf | AnyOf

ANYBODY = Anybody()


class Person(NamedTuple):
    """Whom an expression is asked about. ``agent_id`` is ``None`` for everybody of a profile whom it does not name."""

    agent_id: str | None
    queue_ids: Sequence[str]
    levels: Mapping[str, int]


def means(expression: Expression, person: Person) -> bool:
    """Whether the expression is true of this person."""
    match expression:
        case Held(skill, level):
            held = person.levels.get(skill)
            return held is not None and (level is None or held >= level)
        case Named(agent_id):
            return person.agent_id == agent_id
        case Serves(queue_id):
            return queue_id in person.queue_ids
        case Not(part):
            return not means(part, person)
        case AllOf(parts):
            return all(means(part, person) for part in parts)
        case AnyOf(parts):
            return any(means(part, person) for part in parts)
        case _:
            return True


def named_agents(expression: Expression) -> tuple[str, ...]:
    """The agents whom the expression names, each once, in its order."""
    return tuple(dict.fromkeys(atom.agent_id for atom in _atoms(expression) if isinstance(atom, Named)))


def asked_skills(expression: Expression) -> tuple[str, ...]:
    """The skills that the expression asks for, each once; those it only excludes are not among them."""
    wanted = (atom.skill for atom in _atoms(expression, through_not=False) if isinstance(atom, Held))
    return tuple(dict.fromkeys(wanted))


@lru_cache(maxsize=4096)
def speaks_of_queues(expression: Expression) -> bool:
    """Whether the expression says itself whose agents it is about."""
    return any(isinstance(atom, Serves | Anybody) for atom in _atoms(expression))


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """The expression that the text says. Raises ``InvalidRoute`` with the column of what cannot be read.

    The empty text is for everybody of the contact's queue; it is the one expression with no atom.
    """
    if len(text) > LENGTH_LIMIT:
        raise InvalidRoute(f"expression of {len(text)} characters; at most {LENGTH_LIMIT} are read")
    tokens = _Tokens(text)
    if tokens.head is None:
        return AllOf(())
    expression = _any_of(tokens, 0)
    if tokens.head is not None:
        tokens.refuse("the end")
    return expression


_TOKEN = re.compile(r"\s*(>=|[()]|[^\s()>]+)")
_RESERVED = frozenset({"and", "or", "not", "(", ")", ">="})


class _Tokens:
    """The words of a text, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text.rstrip()
        self._column = 0
        self.head: str | None = None
        self._next_column = 0
        self.advance()

    def advance(self) -> str | None:
        """The word at the head, which is taken."""
        taken, self._column = self.head, self._next_column
        found = _TOKEN.match(self._text, self._column)
        if found is None and self._column < len(self._text):
            self.refuse("a word")
        self.head = None if found is None else found[1]
        self._next_column = self._column if found is None else found.end()
        return taken

    def take(self, word: str) -> bool:
        """Whether ``word`` stood at the head; then it is taken."""
        if self.head != word:
            return False
        self.advance()
        return True

    def refuse(self, wanted: str) -> None:
        """Say what was expected here. Always raises ``InvalidRoute``."""
        found = "the end" if self.head is None else repr(self.head)
        raise InvalidRoute(f"expression {self._text!r}: {wanted} expected at column {self._column + 1}, found {found}")


def _any_of(tokens: _Tokens, depth: int) -> Expression:
    parts = [_all_of(tokens, depth)]
    while tokens.take("or"):
        parts.append(_all_of(tokens, depth))
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _all_of(tokens: _Tokens, depth: int) -> Expression:
    parts = [_factor(tokens, depth)]
    while tokens.take("and"):
        parts.append(_factor(tokens, depth))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _factor(tokens: _Tokens, depth: int) -> Expression:
    if depth > DEPTH_LIMIT:
        tokens.refuse(f"at most {DEPTH_LIMIT} levels of depth")
    if tokens.take("not"):
        return Not(_factor(tokens, depth + 1))
    if tokens.take("("):
        inner = _any_of(tokens, depth + 1)
        if not tokens.take(")"):
            tokens.refuse("')'")
        return inner
    return _atom(tokens)


def _atom(tokens: _Tokens) -> Expression:
    if tokens.head is None or tokens.head in _RESERVED:
        tokens.refuse("a skill, agent:, queue: or floor")
    word = tokens.advance() or ""
    kind, _, identity = word.partition(":")
    if word == "floor":
        return ANYBODY
    if kind in {"agent", "queue"} and identity:
        return Named(identity) if kind == "agent" else Serves(identity)
    return Held(word, _level(tokens) if tokens.take(">=") else None)


def _level(tokens: _Tokens) -> int:
    if tokens.head is None or not re.fullmatch(r"-?[0-9]{1,9}", tokens.head):
        tokens.refuse("a level")
    return int(tokens.advance() or 0)


def _atoms(expression: Expression, *, through_not: bool = True) -> Iterator[Expression]:
    match expression:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _atoms(part, through_not=through_not)
        case Not(part):
            if through_not:
                yield from _atoms(part)
        case _:
            yield expression
