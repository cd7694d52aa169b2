"""What the exchange takes down of what others think, and what it refuses. Pure."""

from dataclasses import replace

from agent_console.ports import IntentError
from callcenter.appraisals.facts import RANGES, AppraisalFact, ConversationScored, SurveyAsked
from callcenter.appraisals.forms import MarkFault, QualityForm

MAX_NOTES = 2_000


def checked(entry: AppraisalFact, forms: tuple[QualityForm, ...], now: int) -> AppraisalFact:
    """The entry as it is journaled at ``now``. Raises ``IntentError`` for one that cannot be."""
    if isinstance(entry, SurveyAsked):
        return replace(entry, at=now)
    if isinstance(entry, ConversationScored):
        return _scored(entry, forms, now)
    low, high = RANGES[entry.kind]
    if not low <= entry.score <= high:
        raise IntentError("invalid-answer", f"The answer to {entry.kind} is {low} to {high}, not {entry.score}.")
    return replace(entry, at=now, asked_at=min(entry.asked_at or now, now))


def _scored(entry: ConversationScored, forms: tuple[QualityForm, ...], now: int) -> ConversationScored:
    form = next((each for each in forms if each.id == entry.form_id), None)
    if form is None:
        raise IntentError("unknown-form", f"The site has no quality form {entry.form_id!r}.")
    if len(entry.notes) > MAX_NOTES:
        raise IntentError("invalid-score", f"Notes have {MAX_NOTES} characters at most.")
    try:
        score, is_fatal = form.score(entry.marks)
    except MarkFault as fault:
        raise IntentError("invalid-score", str(fault)) from None
    return replace(entry, at=now, score=score, is_fatal=is_fatal)
