"""A PostgreSQL that is stopped in the middle of its work: it keeps its connections and says nothing any more."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvloop
from sqlalchemy import text

from crm_bridge.database import Database
from crm_bridge.errors import CrmUnavailable
from tests.support import postgresql
from tests.support.peers import missing
from tests.support.process_table import descendants

pytestmark = pytest.mark.interop

PATIENCE = 0.5


@pytest.fixture
def server() -> Iterator[tuple[str, Path]]:
    """A server of its own, for it is stopped with all its processes."""
    reason = postgresql.missing()
    if reason:
        missing(reason)
    with postgresql.running_server() as url:
        yield url, postgresql.folder_of(url)


@contextmanager
def silent(folder: Path) -> Iterator[None]:
    """All processes of the server stand still (SIGSTOP), and go on afterwards."""
    top = int((folder / "postmaster.pid").read_text("utf-8").split()[0])
    pids = [top, *(row.pid for row in descendants(top))]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def ask(database: Database) -> int:
    async with database.read() as session:
        return int(await session.scalar(text("SELECT 1")) or 0)


def test_a_silent_server_is_unavailable_and_is_used_again_when_it_speaks(server: tuple[str, Path]) -> None:
    url, folder = server

    async def through_a_silence() -> None:
        database = Database(url, patience=PATIENCE)
        assert await ask(database) == 1
        with silent(folder):
            for _ in range(2):  # by the connection that was there, and by none
                with pytest.raises(CrmUnavailable):
                    async with asyncio.timeout(20):
                        await ask(database)
        assert await ask(database) == 1
        await database.close()

    uvloop.run(through_a_silence())


def test_a_connection_that_the_loop_has_closed_is_unavailable_and_replaced(server: tuple[str, Path]) -> None:
    """As the web process meets it: on uvloop, which refuses to write with an error of its own."""
    url, _ = server

    async def through_a_cut() -> None:
        database = Database(url, patience=5.0)

        async def cut_in_mid_work() -> None:
            async with database.begin() as session:
                raw = await (await session.connection()).get_raw_connection()
                driver = raw.driver_connection
                assert driver is not None
                driver._transport.abort()
                await session.execute(text("SELECT 1"))

        with pytest.raises(CrmUnavailable):
            await cut_in_mid_work()
        assert await ask(database) == 1
        await database.close()

    uvloop.run(through_a_cut())
