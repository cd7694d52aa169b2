"""What is put into an arrival before the routing engine sees it: what the door of its queue looks at. Pure.

The engine reads no calendar and keeps no estimates; both are inputs, journaled with the arrival they were made for, so
that a replay decides the same. A what-if asks the same questions of another policy.
"""

from collections.abc import Mapping
from dataclasses import replace

from acd.events import ContactArrived, Event, FloorConfigured
from acd.ids import QueueId
from acd.wait_estimates import WaitEstimates
from ivr.hours import Hours, is_open


class Doorway:
    """Looks at each event on its way to the engine, and at each outcome on its way out.

    ``hours`` are those of the queues that are not always open; ``None`` when no calendar is known, and then arrivals
    keep what stands in them.
    """

    def __init__(self, hours: Mapping[str, Hours] | None) -> None:
        self._hours = hours
        self._estimates = WaitEstimates()
        self.apply = self._estimates.apply
        """For each outcome, with its instant: estimates are a fold of what the engine says."""
        self._asking: set[QueueId] = set()
        """Queues that look at the expected wait of whoever arrives."""

    def look(self, event: Event, now: int) -> Event:
        """The event as the engine is to be told."""
        if isinstance(event, FloorConfigured):
            self._asking = {queue.queue_id for queue in event.queues if queue.max_expected_wait_ms is not None}
        elif isinstance(event, ContactArrived):
            outside = self._is_outside(event, now)
            wait_ms = self._wait_ms(event.queue_id, now) if not outside else None
            if (outside, wait_ms) != (event.outside_hours, event.expected_wait_ms):
                return replace(event, outside_hours=outside, expected_wait_ms=wait_ms)
        return event

    def expected_wait_ms(self, queue_id: str, ahead: int, now: int) -> float | None:
        """How long one more contact would wait behind so many others; ``None`` when nothing is known."""
        estimate = self._estimates.estimate(QueueId(queue_id), now=now, ahead=ahead)
        return None if estimate is None else estimate.mean_ms

    def _is_outside(self, event: ContactArrived, now: int) -> bool:
        if self._hours is None:
            return event.outside_hours
        hours = self._hours.get(event.queue_id)
        return hours is not None and not is_open(hours, now)

    def _wait_ms(self, queue_id: QueueId, now: int) -> int | None:
        if queue_id not in self._asking:
            return None
        estimate = self._estimates.estimate(queue_id, now=now)
        return None if estimate is None else round(estimate.mean_ms)
