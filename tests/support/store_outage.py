"""A PostgreSQL store that goes away for a while in the middle of steady calls, and what must be true afterwards."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from tests.support import postgresql
from tests.support.installation import Installation, Plan, running_installation
from tests.support.peers import missing
from tests.support.sipp import run_sipp
from tests.support.waiting import until

PER_SECOND = 20
BEFORE_SECONDS = 2
AFTER_SECONDS = 2


@dataclass(frozen=True, slots=True)
class House:
    """An installation and its store's server."""

    installation: Installation
    url: str
    folder: Path


@contextmanager
def house_with_postgresql() -> Iterator[House]:
    """An installation whose customer store is a PostgreSQL server of its own."""
    reason = postgresql.missing()
    if reason:
        missing(reason)
    with postgresql.running_server(durable=True) as server:
        postgresql.execute(server, "CREATE DATABASE store")
        url = make_url(server).set(database="store").render_as_string()
        with running_installation(Plan(agents=1, media_ports=2000, store_url=url)) as installation:
            yield House(installation, url, postgresql.folder_of(server))


async def outlive_an_outage(house: House, scratch: Path, away_seconds: int) -> float:
    """Stop the server for so long under twenty calls a second; the seconds in which the store caught up.

    No call is refused for it; nothing is lost, nothing doubled, and it arrives in the order of the journal.
    """
    installation = house.installation
    calls = PER_SECOND * (BEFORE_SECONDS + away_seconds + AFTER_SECONDS)
    within = BEFORE_SECONDS + away_seconds + AFTER_SECONDS + 60
    loop = asyncio.get_running_loop()
    carrier = asyncio.create_task(
        run_sipp(installation, "uac-hangs-up-in-menu", scratch, calls=calls, rate=PER_SECOND, within=within)
    )

    def closed() -> int:
        return len(installation.journal.read(kinds=("call.closed",)))

    await until("calls are flowing", lambda: closed() >= PER_SECOND)
    await until_stored(house, 1)
    await asyncio.to_thread(postgresql.stop, house.folder)
    stopped_at, there = loop.time(), closed()
    await until(
        "the outage is over",
        lambda: loop.time() - stopped_at >= away_seconds and closed() > there + PER_SECOND,
        within=away_seconds + 30,
    )
    await asyncio.to_thread(postgresql.start, house.folder)
    back_at = loop.time()
    result = await carrier
    assert result.good, result.errors
    assert result.successful == calls
    await until("the last call is closed", lambda: closed() == calls)
    await until_stored(house, calls)
    caught_up = loop.time() - back_at
    rows = await stored(house.url)
    journal = {row.entry.call_id: row.seq for row in installation.journal.read(kinds=("call.closed",))}
    assert dict(rows) == journal
    assert len(rows) == calls
    seqs = [seq for _, seq in rows]
    assert seqs == sorted(seqs)
    assert installation.output.count("customer store not written") == 1
    return caught_up


async def until_stored(house: House, calls: int) -> None:
    """Wait until the store has caught up. Slow it may be on a busy machine, standing still it may not."""
    there = -1

    async def more() -> bool:
        nonlocal there
        before, there = there, len(await stored(house.url))
        return there > before

    while there < calls:
        try:
            await until(f"the store holds {calls} interactions", more, within=60)
        except AssertionError as error:
            error.add_note(f"{there} of them, and nothing new in a minute. The installation's last words:")
            error.add_note(house.installation.output[-4000:])
            raise


async def stored(url: str) -> list[tuple[str, int]]:
    """Contact and journal entry of each interaction, in the order in which they were written."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        if await connection.fetchval("SELECT to_regclass('interaction')") is None:
            return []  # the web process is about to make the tables
        rows = await connection.fetch("SELECT contact_id, journal_seq FROM interaction ORDER BY id")
    finally:
        await connection.close()
    return [(row["contact_id"], row["journal_seq"]) for row in rows]
