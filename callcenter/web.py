"""The web process: console, API, customer store, projection of the journal. It may stall or die; no call notices."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
import uvicorn
from sqlalchemy.exc import SQLAlchemyError

import agent_console
from agent_console.app import create_app
from agent_console.auth import current_principal
from agent_console.live import ConsoleHub
from agent_console.ports import Choice, DeskSettings, WrapUpRule
from callcenter.accounts import SiteAccounts
from callcenter.appraisals.routes import appraisal_router
from callcenter.calls.recordings import RecordingMode
from callcenter.channels.voicemail_routes import voicemail_router
from callcenter.clock import SystemClock
from callcenter.config import Settings
from callcenter.desk.opening_hours import SiteHours
from callcenter.ended_sessions import EndedSessions
from callcenter.erasure import carry_erasures
from callcenter.journal import JournalReader
from callcenter.link.web_side import FloorCopy, LinkDesk, WebLink
from callcenter.long_lived import keep_for_good
from callcenter.maintenance import maintain_daily
from callcenter.program_tokens import StoreTokens
from callcenter.projection import InteractionProjection
from callcenter.recordings.player import RecordingShelf, player_router
from callcenter.recordings.sweep import erase_at_once, sweep_daily
from callcenter.reporting.routes import report_router
from callcenter.secret import installation_key
from callcenter.site.models import Site
from callcenter.site.repository import load_site
from callcenter.site.rules import quality_forms, survey_rules
from callcenter.store_directory import HandRules, StoreDirectory
from callcenter.surveys.page import survey_router
from callcenter.surveys.post import SurveyPlaces, SurveyPost
from callcenter.surveys.replies import sms_router
from callcenter.surveys.setup import check_surveys, message_senders, sms_gateway
from callcenter.surveys.taking import SurveyAnswers
from callcenter.transcripts.keeper import TranscriptKeeper
from callcenter.transcripts.program import engine_of
from callcenter.transcripts.routes import transcript_router
from callcenter.why import JournalExplanations
from callcenter.workforce.routes import shifts_router
from crm_bridge.api import create_router
from crm_bridge.database import Database, migrate
from crm_bridge.errors import CrmError
from crm_bridge.phone_numbers import normal_forms

log = structlog.get_logger(__name__)

STORE_RETRY_SECONDS = 1.0
WEB_NICENESS = 5
"""Where processors are scarce, a page may wait for a call and never the other way round."""
PING_SECONDS = 2.0
"""How often a browser is asked whether it is there (RFC 6455 section 5.5.2)."""
PONG_SECONDS = 3.0
"""How long it may take to answer; see ``callcenter.presence.NOTICE_MS``."""
SEATS_SECONDS = 1.0
"""How often the exchange is told who has a console open."""


def desk_settings(site: Site) -> DeskSettings:
    """What the desk's lists hold."""
    return DeskSettings(
        company=site.company,
        not_ready_reasons=tuple(Choice(each.code, each.labels) for each in site.not_ready_reasons),
        dispositions=tuple(Choice(each.code, each.labels) for each in site.dispositions),
        queues=tuple(Choice(queue.id, {"en": queue.name, **queue.labels}) for queue in site.queues),
        agents=tuple(Choice(each.id, {"en": each.name}) for each in site.agents if "agent" in each.roles),
        people=tuple(Choice(each.id, {"en": each.name}) for each in site.agents),
        recording_on_demand=tuple(queue.id for queue in site.queues if queue.recording is RecordingMode.ON_DEMAND),
        wrap_up=tuple(
            WrapUpRule(
                queue.id, queue.wrap_up_mode, queue.wrap_up_extension_seconds > 0, queue.wrap_up_timeout_code or ""
            )
            for queue in site.queues
        ),
    )


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
    with suppress(OSError):
        os.nice(WEB_NICENESS)
    site = load_site(settings.site)
    database = Database(settings.store_url)
    own_numbers = normal_forms((number.number for number in site.numbers if number.number != "*"), site.region)
    floor = FloorCopy()
    hands = HandRules(site.quiet_hours_by_hand == "ask", site.may_override_hours())
    directory = StoreDirectory(
        database,
        region=site.region,
        own_numbers=own_numbers,
        hands=hands,
        patience_seconds=settings.store.dial_leave_seconds,
    )
    projection = InteractionProjection(
        JournalReader(settings.journal_path),
        database,
        region=site.region,
        own_numbers=own_numbers,
        names={agent.id: agent.name for agent in site.agents},
    )
    clock, folder = SystemClock(), settings.recordings.folder
    shelf = None if folder is None else RecordingShelf(folder, settings.recordings.key_file, clock)
    link = WebLink(
        settings.exchange_socket,
        floor,
        find_customer=directory.match,
        may_call_back=directory.may_call_back,
        may_dial=directory.may_dial,
        on_journal=projection.nudge,
        on_softphone=lambda *told: app.state.console.hub.tell_softphone(*told),  # noqa: PLW0108 - made below
    )
    key = installation_key(settings.secret_path)
    reader = JournalReader(settings.journal_path)
    answers = SurveyAnswers(reader, database, link.write_down, clock)
    rules = survey_rules(site)
    check_surveys(rules, settings.messages, {queue.id for queue in site.queues})
    gateway = sms_gateway(settings.messages, site.region)
    post = SurveyPost(
        reader,
        database,
        link.write_down,
        rules=rules,
        senders=message_senders(settings.messages),
        places=SurveyPlaces(site.company, settings.messages.public_url or "", site.region, key),
        clock=clock,
    )
    app = create_app(
        accounts=SiteAccounts(site),
        desk=LinkDesk(link, who_is=directory.who_is, override_hours=directory.override_hours),
        floor=floor,
        settings=desk_settings(site),
        session_key=key,
        static_dir=Path(agent_console.__file__).parent / "static",
        allowed_origins=(*settings.web.allowed_origins, *filter(None, [settings.messages.public_url])),
        explanations=JournalExplanations(JournalReader(settings.journal_path)),
        opening_hours=SiteHours(site),
        softphones=link,
        tokens=StoreTokens(database, clock),
        extra_routers=[
            create_router(
                sessions=database,
                principal_dependency=current_principal,
                region=site.region,
                own_numbers=own_numbers,
                on_claims=lambda: app.state.console.hub.tell_claims_changed(),  # noqa: PLW0108 - made here
            ),
            player_router(database, shelf),
            transcript_router(database, clock),
            voicemail_router(database),
            appraisal_router(
                JournalReader(settings.journal_path),
                link.write_down,
                quality_forms(site),
                {each.id: each.name for each in site.agents},
            ),
            report_router(settings.journal_path),
            survey_router(answers, key, site.company, clock.now),
            *([] if gateway is None else [sms_router(answers, link.write_down, gateway)]),
            shifts_router(JournalReader(settings.journal_path), link.write_down, time_zone=site.time_zone),
        ],
    )
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.web.host,
            port=settings.web.port,
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
    log.info("web starting", pid=os.getpid(), port=settings.web.port)
    store_ready = asyncio.Event()
    ended = EndedSessions(database, app.state.console.sessions, clock)
    background = [
        asyncio.create_task(link.run(), name="link"),
        asyncio.create_task(_tell_seats(app.state.console.hub, link), name="seats"),
        asyncio.create_task(_keep_store(settings.store_url, projection, store_ready), name="projection"),
    ]
    maintaining = maintain_daily(
        database, clock=clock, zone=ZoneInfo(site.time_zone), hour=settings.store.maintenance_hour
    )
    background.append(asyncio.create_task(_after(store_ready, maintaining), name="maintenance"))
    background.append(asyncio.create_task(_after(store_ready, ended.run()), name="ended sessions"))
    erasing = carry_erasures(database, link.erase)
    background.append(asyncio.create_task(_after(store_ready, erasing), name="erasure"))
    if rules:
        background.append(asyncio.create_task(_after(store_ready, post.run()), name="surveys"))
    if folder is not None:
        sweeping = sweep_daily(
            database,
            folder,
            settings.recordings.keep_days,
            clock=clock,
            zone=ZoneInfo(site.time_zone),
            hour=settings.recordings.sweep_hour,
        )
        background.append(asyncio.create_task(sweeping, name="recording sweep"))
        at_once = erase_at_once(database, folder, clock=clock)
        background.append(asyncio.create_task(_after(store_ready, at_once), name="recording erasure"))
        if (engine := engine_of(settings.transcription)) is not None:
            keeper = TranscriptKeeper(
                database,
                engine,
                clock=clock,
                root=folder,
                key_file=settings.recordings.key_file,
                folder=settings.transcribing,
                seconds_per_minute=settings.transcription.seconds_per_minute,
                look_back=timedelta(days=settings.transcription.look_back_days),
            )
            background.append(asyncio.create_task(_after(store_ready, keeper.run()), name="transcripts"))
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
        await database.close()
