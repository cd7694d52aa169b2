"""Expected waits against the waits there were, counted anew: one estimator for all, asked at each arrival."""

from typing import Any

from acd.outcomes import ContactDequeued, ContactQueued, CustomerCame, OfferContact
from acd.wait_estimates import WaitEstimate, WaitEstimates
from tests.support.told_day import Told, share


def foretold(told: Told, queue: str, lower: int, upper: int) -> dict[str, Any]:
    """The expected wait of each who had to wait, against the wait."""
    kept: dict[int, list[bool]] = {50: [], 80: [], 90: []}
    error = waits = 0
    for estimate, since, end, how in _waited_for(told, queue):
        if not lower <= end < upper:
            continue
        for part, found in kept.items():
            within = end - since <= estimate.quantile_ms(part / 100)
            found += [within] if how == "assigned" or not within else []
        if how == "assigned":
            error += round(estimate.mean_ms) - (end - since)
            waits += end - since
    shares = {f"expected_wait_p{part}_kept": share(sum(found), len(found)) for part, found in kept.items()}
    return {**shares, "expected_wait_bias": share(error, waits)}


def _waited_for(told: Told, queue: str) -> list[tuple[WaitEstimate, int, int, str]]:
    estimates, found = WaitEstimates(), []
    expected: dict[str, tuple[WaitEstimate, int]] = {}
    for at, fact in told:
        if isinstance(fact, ContactQueued) and not fact.returned and not fact.is_away:
            if (now := estimates.estimate(fact.queue_id, now=at)) is not None:
                expected[fact.contact_id] = now, at
        elif isinstance(fact, OfferContact) and expected.get(fact.contact_id, (None, 0))[1] == at:
            del expected[fact.contact_id]
        elif isinstance(fact, ContactDequeued) and fact.contact_id in expected:
            estimate, since = expected.pop(fact.contact_id)
            if fact.queue_id == queue and fact.reason in ("assigned", "abandoned"):
                found.append((estimate, since, at, str(fact.reason)))
        if isinstance(fact, ContactQueued | ContactDequeued | CustomerCame | OfferContact):
            estimates.apply(fact, now=at)
    return found
