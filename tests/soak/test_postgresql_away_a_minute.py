"""PostgreSQL is stopped for a minute under twenty calls a second."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.store_outage import House, house_with_postgresql, outlive_an_outage

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]


@pytest.fixture
def house() -> Iterator[House]:
    with house_with_postgresql() as house:
        yield house


async def test_a_minute_without_postgresql_costs_no_call_and_no_record(house: House, tmp_path: Path) -> None:
    caught_up = await outlive_an_outage(house, tmp_path, 60)
    assert caught_up < 60
