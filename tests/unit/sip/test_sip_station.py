"""The one timer of a station: alarms of many calls ring together, late by a moment at most and never early."""

import asyncio
from typing import cast

import pytest

from callcenter.sip.endpoint import Endpoint
from callcenter.sip.station import TIMER_GRID_MS, Station
from tests.support.virtual_time import FakeClock, in_virtual_time, pass_seconds

pytestmark = pytest.mark.unit


class Alarmed:
    """An endpoint with alarms and nothing else."""

    def __init__(self, alarms: list[int]) -> None:
        self.alarms = sorted(alarms)
        self.rung: list[tuple[int, list[int]]] = []

    def next_deadline(self) -> int | None:
        return self.alarms[0] if self.alarms else None

    def handle_timer(self, now: int) -> list[object]:
        due = [at for at in self.alarms if at <= now]
        self.alarms = self.alarms[len(due) :]
        self.rung.append((now, due))
        return []


@in_virtual_time
async def test_alarms_ring_together_and_none_too_early_or_much_too_late() -> None:
    clock = FakeClock(asyncio.get_running_loop())
    begin = clock.now()
    each_millisecond = [begin + n for n in range(1, 1_001)]
    endpoint = Alarmed(each_millisecond)
    station = Station(clock, cast("Endpoint", endpoint), lambda _: None)
    station.perform(())
    await pass_seconds(2)
    assert sorted(at for _, due in endpoint.rung for at in due) == each_millisecond
    assert all(at <= now < at + TIMER_GRID_MS for now, due in endpoint.rung for at in due)
    assert len(endpoint.rung) == 1_000 / TIMER_GRID_MS
