"""What others think of a conversation, taken down in the exchange: checked, once, and journaled before it is told."""

from agent_console.ports import IntentError
from callcenter.appraisals.entries import checked
from callcenter.appraisals.facts import AppraisalFact, SurveyAnswered
from callcenter.appraisals.forms import QualityForm
from callcenter.ports import Clock, Journal

REMEMBERED_ANSWERS = 1_000


class AppraisalKeeper:
    """Owned by the exchange. What customers answer on the line comes from their calls, and not through here."""

    def __init__(self, *, clock: Clock, journal: Journal, forms: tuple[QualityForm, ...]) -> None:
        self._clock, self._journal, self._forms = clock, journal, forms
        self._answered: dict[str, None] = {}
        """Calls whose survey was answered in this life, the newest."""

    async def take(self, wanted: AppraisalFact) -> None:
        """Journal it, on disk when this returns. Raises ``IntentError`` for what cannot be."""
        now = self._clock.now()
        entry = checked(wanted, self._forms, now)
        if isinstance(entry, SurveyAnswered):
            self._answer_once(entry.call_id)
        await self._journal.committed(self._journal.append(entry, at=now))

    def _answer_once(self, call_id: str) -> None:
        """Of two answers that come at once the first is taken; what was answered long ago is seen in the journal."""
        if call_id in self._answered:
            raise IntentError("already-answered", "The customer has answered for this interaction.")
        self._answered[call_id] = None
        if len(self._answered) > REMEMBERED_ANSWERS:
            del self._answered[next(iter(self._answered))]
