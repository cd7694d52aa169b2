"""Forms by which conversations are scored, and the score: the sum of weight x points, 0 after anything fatal. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callcenter.appraisals.facts import Mark

WHOLE = 10_000
"""A perfect score, in hundredths of a per cent."""


class MarkFault(ValueError):
    """Marks that do not fit their form; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of a form."""

    id: str
    labels: Mapping[str, str]
    weight: int
    most: int = 1
    """Points from 0 to this."""
    fatal: bool = False
    """No point here, and the whole score is 0."""
    may_not_apply: bool = False


@dataclass(frozen=True, slots=True)
class QualityForm:
    """What a conversation is measured by."""

    id: str
    labels: Mapping[str, str]
    criteria: tuple[Criterion, ...]
    queues: frozenset[str] = frozenset()
    """Empty: those of all."""

    def fits(self, queue_id: str) -> bool:
        """Whether conversations of this queue are measured by it."""
        return not self.queues or queue_id in self.queues

    def score(self, marks: Sequence[Mark]) -> tuple[int, bool]:
        """The score and whether it is fatal. What does not apply is left out, its weight too; points are parts of the
        most there are. Raises ``MarkFault``."""
        given = {mark.criterion: mark.points for mark in marks}
        strange = sorted(given.keys() - {each.id for each in self.criteria})
        if strange or len(given) != len(marks):
            raise MarkFault(
                f"{strange[0]!r} is no criterion of {self.id}" if strange else "a criterion is marked twice"
            )
        gained = weights = 0.0
        is_fatal = False
        for each in self.criteria:
            points = _points(each, given)
            if points is None:
                continue
            is_fatal = is_fatal or (each.fatal and points == 0)
            gained += each.weight * points / each.most
            weights += each.weight
        if not weights:
            raise MarkFault("nothing of the form applies; there is no score of nothing")
        return (0 if is_fatal else round(WHOLE * gained / weights)), is_fatal


def form_for(forms: Sequence[QualityForm], queue_id: str) -> QualityForm | None:
    """The first form that fits."""
    return next((each for each in forms if each.fits(queue_id)), None)


def _points(criterion: Criterion, given: Mapping[str, int | None]) -> int | None:
    if criterion.id not in given:
        raise MarkFault(f"{criterion.id} is not marked")
    points = given[criterion.id]
    if points is None:
        if not criterion.may_not_apply:
            raise MarkFault(f"{criterion.id} always applies; give 0 to {criterion.most}")
        return None
    if not 0 <= points <= criterion.most:
        raise MarkFault(f"{criterion.id} has 0 to {criterion.most} points, not {points}")
    return points
