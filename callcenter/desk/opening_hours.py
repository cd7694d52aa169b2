"""The opening hours of the site file, as the console shows them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from agent_console.opening_hours import HolidayView, PeriodView, QueueHoursView
from callcenter.site.models import Site
from ivr.hours import Hours, Period, is_open, next_change

_DAYS_OF_WEEK = range(7)


class SiteHours:
    """The ``OpeningHours`` of the console: what the site file says."""

    def __init__(self, site: Site) -> None:
        self._queues = frozenset(queue.id for queue in site.queues)
        self._hours: Mapping[str, Hours] = site.queue_hours()

    def of(self, queue_id: str, now: int) -> QueueHoursView | None:
        """The hours at this instant; ``None`` for an unknown queue."""
        if queue_id not in self._queues:
            return None
        hours = self._hours.get(queue_id)
        if hours is None:
            return QueueHoursView(queue_id, None, is_open=True, next_change_at=None)
        today = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(hours.timezone)).date()
        return QueueHoursView(
            queue_id,
            hours.timezone,
            is_open=is_open(hours, now),
            next_change_at=next_change(hours, now),
            week=tuple(_shown([each.period for each in hours.weekly if day in each.days]) for day in _DAYS_OF_WEEK),
            holidays=tuple(
                HolidayView(each.date.isoformat(), _shown(each.periods))
                for each in sorted(hours.holidays, key=lambda each: each.date)
                if each.date >= today
            ),
        )


def _shown(periods: Sequence[Period]) -> tuple[PeriodView, ...]:
    return tuple(PeriodView(each.start, each.end) for each in sorted(periods, key=lambda each: each.start))
