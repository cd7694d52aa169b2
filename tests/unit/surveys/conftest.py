"""An office of surveys for each test, over a copy of one migrated store."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crm_bridge.database import migrate
from tests.support.survey_office import Office, open_office


@pytest.fixture(scope="session")
def survey_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("surveys") / "template.sqlite"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
async def office(tmp_path: Path, survey_store: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path, survey_store) as office:
        yield office
