"""The score of a conversation: weights, what is fatal, what does not apply."""

import pytest

from agent_console.ports import IntentError
from callcenter.appraisals.entries import checked
from callcenter.appraisals.facts import ConversationScored, Mark, SurveyAnswered, SurveyKind
from callcenter.appraisals.forms import Criterion, MarkFault, QualityForm, form_for

pytestmark = pytest.mark.unit

FORM = QualityForm(
    "calls",
    {"en": "Calls"},
    (
        Criterion("greeting", {}, 1),
        Criterion("solution", {}, 3, most=5),
        Criterion("privacy", {}, 2, fatal=True),
        Criterion("offer", {}, 4, may_not_apply=True),
    ),
)


def marks(greeting: int = 1, solution: int = 4, privacy: int = 1, offer: int | None = None) -> tuple[Mark, ...]:
    given = {"greeting": greeting, "solution": solution, "privacy": privacy, "offer": offer}
    return tuple(Mark(name, points) for name, points in given.items())


def test_a_score_is_weight_times_points_over_the_weights_that_apply() -> None:
    """(1 x 1 + 3 x 4/5 + 2 x 1) / 6 = 90 %; with the offer missed (5.4 + 0) / 10 = 54 %."""
    assert FORM.score(marks()) == (9_000, False)
    assert FORM.score(marks(offer=0)) == (5_400, False)
    assert FORM.score(marks(offer=1)) == (9_400, False)


def test_anything_fatal_makes_it_nothing() -> None:
    assert FORM.score(marks(privacy=0)) == (0, True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (marks(solution=6), "solution has 0 to 5 points, not 6"),
        (marks()[:-1], "offer is not marked"),
        ((*marks()[1:], Mark("greeting", None)), "greeting always applies"),
        ((*marks(), Mark("smile", 1)), "'smile' is no criterion of calls"),
        ((*marks(), Mark("greeting", 1)), "marked twice"),
    ],
)
def test_marks_that_do_not_fit_are_named(given: tuple[Mark, ...], said: str) -> None:
    with pytest.raises(MarkFault, match=said):
        FORM.score(given)


def test_of_nothing_there_is_no_score() -> None:
    form = QualityForm("f", {}, (Criterion("offer", {}, 1, may_not_apply=True),))
    with pytest.raises(MarkFault, match="nothing of the form applies"):
        form.score((Mark("offer", None),))


def test_the_first_form_of_the_queue_is_taken() -> None:
    own, general = QualityForm("own", {}, (), frozenset({"sales"})), QualityForm("general", {}, ())
    assert form_for((own, general), "sales") is own
    assert form_for((own, general), "support") is general
    assert form_for((own,), "support") is None


def test_the_exchange_reckons_the_score_itself() -> None:
    scored = ConversationScored("c", 0, "boss", "anna", "sales", 5, "calls", marks(), 10_000, is_fatal=False)
    entry = checked(scored, (FORM,), 77)
    assert isinstance(entry, ConversationScored)
    assert (entry.score, entry.at, entry.talked_at) == (9_000, 77, 5)


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (ConversationScored("c", 0, "b", "a", "s", 5, "other", marks(), 0, is_fatal=False), "unknown-form"),
        (ConversationScored("c", 0, "b", "a", "s", 5, "calls", (), 0, is_fatal=False), "invalid-score"),
        (ConversationScored("c", 0, "b", "a", "s", 5, "calls", marks(), 0, False, "x" * 2_001), "invalid-score"),
        (SurveyAnswered("c", 0, SurveyKind.CSAT, 0, "s", "a", "sms", 0), "invalid-answer"),
        (SurveyAnswered("c", 0, SurveyKind.CSAT, 6, "s", "a", "sms", 0), "invalid-answer"),
        (SurveyAnswered("c", 0, SurveyKind.NPS, 11, "s", "a", "sms", 0), "invalid-answer"),
    ],
)
def test_what_cannot_be_is_not_taken_down(entry: ConversationScored | SurveyAnswered, code: str) -> None:
    with pytest.raises(IntentError) as refused:
        checked(entry, (FORM,), 1)
    assert refused.value.code == code
