"""The web process: console, API, customer store, projection of the journal. It may stall or die; no call notices."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from functools import partial

import structlog
import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from agent_console.live import ConsoleHub
from callcenter.config import Settings
from callcenter.link.web_side import WebLink
from callcenter.long_lived import keep_for_good
from callcenter.niceness import WEB, go_before
from callcenter.projection import InteractionProjection
from callcenter.web_parts import WebParts
from crm_bridge.database import migrate
from crm_bridge.errors import CrmError

log = structlog.get_logger(__name__)

STORE_RETRY_SECONDS = 1.0
PING_SECONDS = 2.0
"""How often a browser is asked whether it is there (RFC 6455 section 5.5.2)."""
PONG_SECONDS = 3.0
"""How long it may take to answer; see ``callcenter.presence.NOTICE_MS``."""
SEATS_SECONDS = 1.0
"""How often the exchange is told who has a console open."""


async def _tell_seats(hub: ConsoleHub, link: WebLink) -> None:
    """Keep the exchange informed of who has a console open."""
    while True:
        link.tell_seats(hub.seats())
        await asyncio.sleep(SEATS_SECONDS)


async def _keep_store(url: str, projection: InteractionProjection, ready: asyncio.Event) -> None:
    """Bring the store's schema up to date, waiting for a store that is away, then follow the journal."""
    told = False
    while True:
        try:
            await migrate(url)
        except (CrmError, SQLAlchemyError, OSError) as error:
            if not told:
                log.warning("customer store not reachable", error=type(error).__name__)
                told = True
            await asyncio.sleep(STORE_RETRY_SECONDS)
        else:
            break
    if told:
        log.info("customer store reachable")
    ready.set()
    await projection.run()


def _end_with(server: uvicorn.Server, task: asyncio.Task[None]) -> None:
    """A process without one of its tasks would look alive and lack something: it ends, and is started again."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.error("background task died", task=task.get_name(), error=type(error).__name__)
        server.should_exit = True


def _is_ending(*_: object) -> None:
    """The server takes SIGTERM while it serves and raises it once more when it has ended: by then it must not end the
    process, or nobody would close the store and end the engine of transcripts."""


async def _after(ready: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Work that needs the store's tables."""
    try:
        await ready.wait()
    except asyncio.CancelledError:
        work.close()
        raise
    await work


async def run_web(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises ``ConfigError`` when it cannot start.

    A customer store that is away keeps nobody from the console: it is brought up to date as soon as it answers.
    """
    go_before(WEB)
    parts = WebParts(settings)
    server = _server(parts)
    log.info("web starting", pid=os.getpid(), port=settings.web.port)
    store_ready = asyncio.Event()
    background = [
        asyncio.create_task(parts.link.run(), name="link"),
        asyncio.create_task(_tell_seats(parts.hub, parts.link), name="seats"),
        asyncio.create_task(_keep_store(settings.store_url, parts.projection, store_ready), name="projection"),
        *(asyncio.create_task(_after(store_ready, work), name=name) for name, work in parts.work_with_tables()),
        *(asyncio.create_task(work, name=name) for name, work in parts.work_by_the_clock()),
    ]
    for task in background:
        task.add_done_callback(partial(_end_with, server))
    keep_for_good()
    signal.signal(signal.SIGTERM, _is_ending)
    try:
        await server.serve()
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await parts.database.close()


def _server(parts: WebParts) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            parts.app,
            host=parts.settings.web.host,
            port=parts.settings.web.port,
            log_config=None,
            access_log=False,
            ws="websockets-sansio",
            ws_max_size=16_384,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PONG_SECONDS,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=3,
        )
    )
