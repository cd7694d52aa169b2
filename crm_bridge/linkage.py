"""Which records are the same person: probabilistic record linkage after Fellegi and Sunter (1969). Pure.

Each field of two records is compared to a level: the same, nearly the same, different, or unknown. How often a level
occurs among pairs of one person (``m``) and among pairs of two (``u``) gives its weight log2(m/u); the sum of the
weights is the score. ``u`` is counted on pairs drawn at random; ``m`` is found by expectation maximisation on the pairs
that share something, from a belief of what it usually is. An agreement on a rare value weighs more than one on a common
one (term frequencies).
"""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from crm_bridge.similarity import edits_between, jaro_winkler

UNKNOWN = -1
SAME = 0
"""The level of equal values, the first of every comparison."""

_LEAST = 1e-5
_SHARED_BY_CHANCE = 0.002
_SHARERS = 0.3
"""Families and offices: with how many others somebody may be believed to share a number. Among many people that makes
two at random share one the more rarely; among few no more often than ``_SHARED_BY_CHANCE``."""
_ANOTHER_ONE = 0.3
_BELIEVED_STRANGERS = 50
"""So many pairs of two people are believed to have nothing in common, before any are compared."""
_BELIEVED_VALUES = 200
_BELIEVED_SHARE = 0.0005
"""How common a value is believed to be among so many others, before it is counted: of five customers, two with one name
do not make it a name that two in five have."""
_RANDOM_PAIRS = 40_000
_BELIEVED_PAIRS = 50
_BELIEVED_DUPLICATES = 0.05
"""How many customers are believed to be there twice, before any is found."""
_ROUNDS = 25
_LARGEST_BLOCK = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRecord:
    """What is compared about a customer: normalised texts, empty when not known."""

    id: int
    first_name: str = ""
    last_name: str = ""
    birth_date: str = ""
    city: str = ""
    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field: its level for a pair, how many levels there are, and the value whose rarity counts.

    ``strangers`` is the level of two values that have nothing in common.
    """

    name: str
    levels: int
    strangers: int
    compare: Callable[[LinkRecord, LinkRecord], int]
    value: Callable[[LinkRecord], Iterable[str]]
    is_identifier: bool = False
    """Whether hardly anybody shares a value with anybody: then the pair's own sharing says nothing about its rarity."""


@dataclass(slots=True)
class Weights:
    """What a comparison has learnt: ``m`` and ``u`` by level, and how frequent each value is."""

    m: list[float]
    u: list[float]
    counts: Mapping[str, int] = field(default_factory=dict)
    total: int = 1


@dataclass(frozen=True, slots=True)
class Link:
    """A pair with its score, and what each field contributed: the reason a person is shown."""

    left: int
    right: int
    score: float
    signals: tuple[tuple[str, float], ...]

    @property
    def probability(self) -> float:
        """That it is one person, as the score has it."""
        return 1 / (1 + 2 ** -max(min(self.score, 60.0), -60.0))


def _names(a: LinkRecord, b: LinkRecord) -> int:
    full_a, full_b = (a.first_name, a.last_name), (b.first_name, b.last_name)
    if not all(full_a) or not all(full_b):
        return _single_names(a, b)
    if full_a in (full_b, full_b[::-1]):
        return SAME
    first, last = _name_level(a.first_name, b.first_name), _name_level(a.last_name, b.last_name)
    crossed = _name_level(a.first_name, b.last_name) + _name_level(a.last_name, b.first_name)
    worst = min(first + last, crossed)
    return 1 if worst <= 1 else 2 if worst == 2 else 3 if min(first, last) == 0 else 4


def _single_names(a: LinkRecord, b: LinkRecord) -> int:
    """One name is missing on a side: whether those that are there agree, in either place."""
    ones, others = [n for n in (a.first_name, a.last_name) if n], [n for n in (b.first_name, b.last_name) if n]
    if not ones or not others:
        return UNKNOWN
    best = min(_name_level(one, other) for one in ones for other in others)
    return (5, 6, 6)[best] if best < 3 else 7


@lru_cache(maxsize=65536)
def _name_level(a: str, b: str) -> int:
    if a == b:
        return 0
    if 2 * len(set(a) & set(b)) < max(len(set(a)), len(set(b))):
        return 3
    return 1 if edits_between(a, b, 1) <= 1 or jaro_winkler(a, b) >= 0.92 else 2 if jaro_winkler(a, b) >= 0.8 else 3


def _birth_dates(a: LinkRecord, b: LinkRecord) -> int:
    if not a.birth_date or not b.birth_date:
        return UNKNOWN
    return min(edits_between(a.birth_date, b.birth_date, 2), 3)


def _cities(a: LinkRecord, b: LinkRecord) -> int:
    if not a.city or not b.city:
        return UNKNOWN
    return SAME if a.city == b.city else 1 if edits_between(a.city, b.city, 2) <= 2 else 2


def _emails(a: LinkRecord, b: LinkRecord) -> int:
    if not a.emails or not b.emails:
        return UNKNOWN
    if a.emails & b.emails:
        return SAME
    pairs = [(one, other) for one in a.emails for other in b.emails]
    if any(edits_between(one, other, 2) <= 2 for one, other in pairs):
        return 1
    return 2 if any(one.partition("@")[0] == other.partition("@")[0] for one, other in pairs) else 3


def _phones(a: LinkRecord, b: LinkRecord) -> int:
    if not a.phones or not b.phones:
        return UNKNOWN
    if a.phones & b.phones:
        return SAME
    return 1 if any(edits_between(one, other, 1) <= 1 for one in a.phones for other in b.phones) else 2


COMPARISONS = (
    Comparison("name", 8, 4, _names, lambda record: [f"{record.first_name} {record.last_name}"]),
    Comparison("birth_date", 4, 3, _birth_dates, lambda record: [record.birth_date]),
    Comparison("city", 3, 2, _cities, lambda record: [record.city]),
    Comparison("email", 4, 3, _emails, lambda record: record.emails, is_identifier=True),
    Comparison("phone", 3, 2, _phones, lambda record: record.phones, is_identifier=True),
)

_BLOCKS: tuple[Callable[[LinkRecord], Iterable[str]], ...] = (
    lambda r: (f"e:{each}" for each in r.emails),
    lambda r: (f"l:{each.partition('@')[0]}" for each in r.emails),
    lambda r: (f"p:{each}" for each in r.phones),
    lambda r: [f"d:{r.birth_date}"] if r.birth_date else [],
    lambda r: ["n:" + "|".join(sorted((r.first_name, r.last_name)))] if r.first_name and r.last_name else [],
    lambda r: (f"s:{name[:4]}|{r.birth_date[:7]}" for name in (r.first_name, r.last_name) if name and r.birth_date),
    lambda r: (f"y:{name[:3]}|{r.birth_date[:4]}|{r.birth_date[-2:]}" for name in (r.first_name, r.last_name) if name),
    lambda r: (f"m:{name[:3]}|{r.birth_date[5:]}" for name in (r.first_name, r.last_name) if name and r.birth_date),
    lambda r: (f"c:{name}|{r.city}" for name in (r.first_name, r.last_name) if name and r.city),
)


def candidate_pairs(records: Sequence[LinkRecord]) -> Iterator[tuple[LinkRecord, LinkRecord]]:
    """Pairs that share something worth a comparison. A block with very many records says nothing and is left out."""
    blocks: dict[str, list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        for keys in _BLOCKS:
            for key in set(keys(record)):
                blocks[key].append(index)
    seen: set[tuple[int, int]] = set()
    for members in blocks.values():
        if len(members) > _LARGEST_BLOCK:
            continue
        for position, left in enumerate(members):
            for right in members[position + 1 :]:
                if (left, right) not in seen:
                    seen.add((left, right))
                    yield records[left], records[right]


class Linker:
    """Compares records with the weights it has learnt from them."""

    def __init__(self, weights: Mapping[str, Weights], log_prior: float) -> None:
        self._weights = weights
        self._log_prior = log_prior

    def compare(self, a: LinkRecord, b: LinkRecord) -> Link:
        """The pair's score in bits: 0 is even odds, each step doubles them."""
        signals = []
        for comparison in COMPARISONS:
            level = comparison.compare(a, b)
            if level != UNKNOWN:
                signals.append((comparison.name, round(self._weight(comparison, level, a, b), 2)))
        return Link(a.id, b.id, self._log_prior + sum(weight for _, weight in signals), tuple(signals))

    def _weight(self, comparison: Comparison, level: int, a: LinkRecord, b: LinkRecord) -> float:
        known = self._weights[comparison.name]
        u = known.u[level]
        if level == SAME:
            shared = set(comparison.value(a)) & set(comparison.value(b))
            fewest = min((known.counts.get(value, 1) for value in shared), default=None)
            if fewest is not None and comparison.is_identifier:
                by_chance = min(_SHARED_BY_CHANCE, _SHARERS / known.total)
                u = max((fewest - 2) / (known.total + _BELIEVED_VALUES), by_chance, _LEAST)
            elif fewest is not None:
                believed = _BELIEVED_VALUES * _BELIEVED_SHARE
                u = max((fewest - 1 + believed) / (known.total + _BELIEVED_VALUES), _LEAST)
        return math.log2(known.m[level] / u)


def learn(records: Sequence[LinkRecord], *, seed: int = 1) -> Linker:
    """A linker that fits these records. Needs a few hundred of them to mean something."""
    rng = random.Random(seed)  # noqa: S311 - a sample, nothing secret
    weights = {
        each.name: Weights(_first_guess(each), _levels_at_random(each, records, rng), *_counts(each, records))
        for each in COMPARISONS
    }
    patterns = Counter(tuple(each.compare(a, b) for each in COMPARISONS) for a, b in candidate_pairs(records))
    pairs = max(len(records) * (len(records) - 1) / 2, 1.0)
    odds = _maximise(patterns, weights, pairs, 0.5 + _BELIEVED_DUPLICATES * len(records))
    return Linker(weights, math.log2(odds))


def _maximise(
    patterns: Mapping[tuple[int, ...], int], weights: Mapping[str, Weights], pairs: float, believed: float
) -> float:
    """Expectation maximisation of ``m`` over the patterns, with ``u`` as it was counted; the odds of a random pair.

    What is believed beforehand counts as much as some fifty pairs: a store with three duplicates must not learn from
    chance what a duplicate looks like.
    """
    guess = {name: [_BELIEVED_PAIRS * share for share in each.m] for name, each in weights.items()}
    odds = 1 / math.sqrt(pairs)
    for _ in range(_ROUNDS):
        counts = {name: list(each) for name, each in guess.items()}
        matches = believed
        for pattern, count in patterns.items():
            ratio = odds
            for comparison, level in zip(COMPARISONS, pattern, strict=True):
                if level != UNKNOWN:
                    ratio *= weights[comparison.name].m[level] / weights[comparison.name].u[level]
            share = ratio / (1 + ratio)
            matches += share * count
            for comparison, level in zip(COMPARISONS, pattern, strict=True):
                if level != UNKNOWN:
                    counts[comparison.name][level] += share * count
        odds = min(matches / pairs, 0.5)
        for name, each in weights.items():
            each.m[:] = _shares(counts[name])
    return odds


def _first_guess(comparison: Comparison) -> list[float]:
    """Mostly the same, and the less alike the rarer; but many people have two numbers or two addresses."""
    guess = [0.5 ** (level + 1) for level in range(comparison.levels)]
    return _shares([*guess[:-1], _ANOTHER_ONE] if comparison.is_identifier else guess)


def _levels_at_random(comparison: Comparison, records: Sequence[LinkRecord], rng: random.Random) -> list[float]:
    counts = [0.5] * comparison.levels
    counts[comparison.strangers] += _BELIEVED_STRANGERS
    if len(records) > 1:
        for _ in range(min(_RANDOM_PAIRS, len(records) ** 2)):
            a, b = rng.sample(records, 2)
            level = comparison.compare(a, b)
            if level != UNKNOWN:
                counts[level] += 1
    return _shares(counts)


def _counts(comparison: Comparison, records: Sequence[LinkRecord]) -> tuple[Counter[str], int]:
    counts = Counter(value for record in records for value in comparison.value(record) if value.strip())
    return counts, max(sum(counts.values()), 1)


def _shares(counts: Sequence[float]) -> list[float]:
    total = sum(counts)
    return [max(count / total, _LEAST) for count in counts]
