"""How good the expected wait was: each caller who had to wait against what would have been foretold on arrival. Pure.

A fold of what the engine said: the same estimates that queues announce and look at (``acd.wait_estimates``), whether
or not anybody was told. Who gave up waited at least so long: that decides where it is longer than the quantile, and is
left out elsewhere (censored data).
"""

from dataclasses import dataclass, field

from acd.events import Channel
from acd.ids import ContactId
from acd.outcomes import ContactDequeued, ContactQueued, DequeueReason, OfferContact, Outcome
from acd.wait_estimates import WaitEstimate, WaitEstimates
from callcenter.reporting.intervals import interval_of
from callcenter.reporting.postings import Measure, Posting, of_queue

QUANTILES = (
    (0.5, Measure.FORETOLD_50, Measure.KEPT_50),
    (0.8, Measure.FORETOLD_80, Measure.KEPT_80),
    (0.9, Measure.FORETOLD_90, Measure.KEPT_90),
)
"""Shares with the measures of those who decide, and of those who waited no longer."""


@dataclass(slots=True)
class Forecasts:
    """Callers who wait, each with what was expected and since when. Calls alone; nobody waits at a patient channel."""

    _estimates: WaitEstimates = field(default_factory=WaitEstimates)
    _foretold: dict[ContactId, tuple[WaitEstimate, int]] = field(default_factory=dict)

    def take(self, outcome: Outcome, at: int) -> list[Posting]:
        """Fold one outcome."""
        found: list[Posting] = []
        match outcome:
            case ContactQueued(returned=False, is_away=False, channel=Channel.VOICE):
                estimate = self._estimates.estimate(outcome.queue_id, now=at)
                if estimate is not None:
                    self._foretold[outcome.contact_id] = estimate, at
            case OfferContact(contact_id=contact_id):
                if self._foretold.get(contact_id, (None, None))[1] == at:  # somebody was free: no wait to foretell
                    del self._foretold[contact_id]
            case ContactDequeued(contact_id=contact_id) if contact_id in self._foretold:
                found = _judged(outcome, *self._foretold.pop(contact_id), at)
            case _:
                pass
        self._estimates.apply(outcome, now=at)
        return found


def _judged(left: ContactDequeued, estimate: WaitEstimate, since: int, at: int) -> list[Posting]:
    interval, queue, waited = interval_of(at), of_queue(left.queue_id), at - since
    served = left.reason is DequeueReason.ASSIGNED
    if not served and left.reason is not DequeueReason.ABANDONED:
        return []
    found = []
    for share, decided, kept in QUANTILES:
        within = waited <= estimate.quantile_ms(share)
        if served or not within:
            found += [Posting(interval, queue, decided, 1), Posting(interval, queue, kept, int(within))]
    if served:
        found.append(Posting(interval, queue, Measure.FORETOLD_ERROR_MS, round(estimate.mean_ms) - waited))
        found.append(Posting(interval, queue, Measure.FORETOLD_WAITED_MS, waited))
    return found
