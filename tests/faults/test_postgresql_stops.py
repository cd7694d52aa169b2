"""PostgreSQL is stopped under steady calls. No call notices, and everything arrives, once, in order."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.store_outage import House, house_with_postgresql, outlive_an_outage

pytestmark = pytest.mark.faults

AWAY_SECONDS = 5
"""A minute of it is in the long runs."""


@pytest.fixture
def house() -> Iterator[House]:
    with house_with_postgresql() as house:
        yield house


async def test_twenty_calls_a_second_go_on_while_postgresql_is_away(house: House, tmp_path: Path) -> None:
    await outlive_an_outage(house, tmp_path, AWAY_SECONDS)
