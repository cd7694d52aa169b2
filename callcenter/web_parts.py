"""What the web process is made of: each part is made once, here, and given what it needs of the others."""

from collections.abc import Coroutine, Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import APIRouter, FastAPI

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
from callcenter.transcripts.engine import TranscriptionEngine
from callcenter.transcripts.keeper import TranscriptKeeper
from callcenter.transcripts.program import engine_of
from callcenter.transcripts.routes import transcript_router
from callcenter.why import JournalExplanations
from callcenter.workforce.routes import shifts_router
from crm_bridge.api import create_router
from crm_bridge.database import Database
from crm_bridge.phone_numbers import normal_forms


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


class WebParts:
    """Everything that a web process serves and does beside that, made and not yet running.

    Raises ``ConfigError`` for settings and a site that do not go together.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.site = settings, load_site(settings.site)
        site = self.site
        self.clock, self.database = SystemClock(), Database(settings.store_url)
        self.reader = JournalReader(settings.journal_path)
        self.key = installation_key(settings.secret_path)
        self._own_numbers = normal_forms(
            (number.number for number in site.numbers if number.number != "*"), site.region
        )
        hands = HandRules(site.quiet_hours_by_hand == "ask", site.may_override_hours())
        self._directory = StoreDirectory(
            self.database,
            region=site.region,
            own_numbers=self._own_numbers,
            hands=hands,
            patience_seconds=settings.store.dial_leave_seconds,
        )
        self.projection = InteractionProjection(
            self.reader,
            self.database,
            region=site.region,
            own_numbers=self._own_numbers,
            names={agent.id: agent.name for agent in site.agents},
        )
        self._floor = FloorCopy()
        self.link = WebLink(
            settings.exchange_socket,
            self._floor,
            find_customer=self._directory.match,
            may_call_back=self._directory.may_call_back,
            may_dial=self._directory.may_dial,
            on_journal=self.projection.nudge,
            on_softphone=lambda *told: self.hub.tell_softphone(*told),  # noqa: PLW0108 - there once ``app`` is
        )
        self._survey_rules = survey_rules(site)
        check_surveys(self._survey_rules, settings.messages, {queue.id for queue in site.queues})
        self._senders = message_senders(settings.messages)
        self.app = self._app()
        self.hub: ConsoleHub = self.app.state.console.hub
        self.hub.on_watched = self.link.tell_watched

    def work_with_tables(self) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
        """What goes on beside serving, once the store has its tables: by name."""
        settings, clock, folder = self.settings, self.clock, self.settings.recordings.folder
        hour = settings.store.maintenance_hour
        yield "maintenance", maintain_daily(self.database, clock=clock, zone=self._zone, hour=hour)
        yield "ended sessions", EndedSessions(self.database, self.app.state.console.sessions, clock).run()
        yield "erasure", carry_erasures(self.database, self.link.erase)
        if self._survey_rules:
            yield "surveys", self._survey_post().run()
        if folder is not None:
            yield "recording erasure", erase_at_once(self.database, folder, clock=clock)
            if (engine := engine_of(settings.transcription)) is not None:
                yield "transcripts", self._transcripts(folder, engine).run()

    def work_by_the_clock(self) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
        """What is due at an hour, whether or not the store is there by then: by name."""
        recordings = self.settings.recordings
        if recordings.folder is not None:
            yield (
                "recording sweep",
                sweep_daily(
                    self.database,
                    recordings.folder,
                    recordings.keep_days,
                    clock=self.clock,
                    zone=self._zone,
                    hour=recordings.sweep_hour,
                ),
            )

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.site.time_zone)

    def _app(self) -> FastAPI:
        public_url = self.settings.messages.public_url
        return create_app(
            accounts=SiteAccounts(self.site),
            desk=LinkDesk(self.link, who_is=self._directory.who_is, override_hours=self._directory.override_hours),
            floor=self._floor,
            settings=desk_settings(self.site),
            session_key=self.key,
            static_dir=Path(agent_console.__file__).parent / "static",
            allowed_origins=(*self.settings.web.allowed_origins, *filter(None, [public_url])),
            explanations=JournalExplanations(self.reader),
            opening_hours=SiteHours(self.site),
            softphones=self.link,
            tokens=StoreTokens(self.database, self.clock),
            extra_routers=self._routers(),
        )

    def _routers(self) -> list[APIRouter]:
        site, recordings = self.site, self.settings.recordings
        shelf = (
            None if recordings.folder is None else RecordingShelf(recordings.folder, recordings.key_file, self.clock)
        )
        names = {each.id: each.name for each in site.agents}
        return [
            create_router(
                sessions=self.database,
                principal_dependency=current_principal,
                region=site.region,
                own_numbers=self._own_numbers,
                on_claims=lambda: self.hub.tell_claims_changed(),  # noqa: PLW0108 - there once ``app`` is
            ),
            player_router(self.database, shelf),
            transcript_router(self.database, self.clock),
            voicemail_router(self.database),
            appraisal_router(self.reader, self.link.write_down, quality_forms(site), names),
            report_router(self.settings.journal_path),
            *self._survey_routers(),
            shifts_router(self.reader, self.link.write_down, time_zone=site.time_zone),
        ]

    def _survey_routers(self) -> list[APIRouter]:
        answers = SurveyAnswers(self.reader, self.database, self.link.write_down, self.clock)
        gateway = sms_gateway(self.settings.messages, self.site.region)
        page = survey_router(answers, self.key, self.site.company, self.clock.now)
        return [page] if gateway is None else [page, sms_router(answers, self.link.write_down, gateway)]

    def _survey_post(self) -> SurveyPost:
        messages, site = self.settings.messages, self.site
        return SurveyPost(
            self.reader,
            self.database,
            self.link.write_down,
            rules=self._survey_rules,
            senders=self._senders,
            places=SurveyPlaces(site.company, messages.public_url or "", site.region, self.key),
            clock=self.clock,
        )

    def _transcripts(self, folder: Path, engine: TranscriptionEngine) -> TranscriptKeeper:
        transcription = self.settings.transcription
        return TranscriptKeeper(
            self.database,
            engine,
            clock=self.clock,
            root=folder,
            key_file=self.settings.recordings.key_file,
            folder=self.settings.transcribing,
            seconds_per_minute=transcription.seconds_per_minute,
            look_back=timedelta(days=transcription.look_back_days),
        )
