"""The exchange process: SIP, calls, routing, journal; one asyncio loop that nothing slow may enter."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from callcenter.calls.legs import LegEvent
from callcenter.calls.mailbox import mailbox_prompts
from callcenter.calls.spoken_call import parking_prompts
from callcenter.calls_out import resume_caps
from callcenter.clock import SystemClock
from callcenter.collecting import QuietCollector
from callcenter.config import MediaSection, Settings
from callcenter.consequences import Consequences
from callcenter.errors import ConfigError
from callcenter.exchange_core import ExchangeCore, ExchangePorts, new_floor
from callcenter.housekeeping import HouseCounter
from callcenter.journal import JournalReader, SqliteJournal
from callcenter.journal_writer import Writers
from callcenter.link.exchange_side import ExchangeLink, Patience
from callcenter.long_lived import keep_for_good
from callcenter.media.music import beep_path, music_path
from callcenter.media.piper import speech_engine
from callcenter.media.plane import EmbeddedMediaPlane
from callcenter.media.ringing import ringing_path
from callcenter.media.rtpengine import RtpenginePlane, RtpengineSettings
from callcenter.media.speech import PromptStore
from callcenter.metrics import MetricsServer, Readings, metrics_address
from callcenter.payments.setup import card_prompt_texts, payments_of
from callcenter.phones.agent_phones import AgentPhones
from callcenter.ports import EncryptionPolicy, MediaEvent, RecordingEvent
from callcenter.recovery import recover
from callcenter.secret import installation_key
from callcenter.sip.media_keys import MediaRule
from callcenter.sip.settings import SipSettings
from callcenter.sip.tls import TlsSettings
from callcenter.sip.user_agent import UserAgent
from callcenter.site.models import Site
from callcenter.site.outbound import numbering_rules
from callcenter.site.repository import load_flows, load_site
from callcenter.site.rules import callback_greetings, consent_prompts
from callcenter.site.trunks import site_trunks
from ivr.effects import PromptText
from ivr.flow import Flow

log = structlog.get_logger(__name__)

AS_IT_COMES = MediaRule()
"""For the media of phones of which the site says nothing."""


@dataclass(frozen=True, slots=True)
class SiteCredentials:
    """The phones' digest secrets, from the site. A phone's user name is its agent's id."""

    secrets: Mapping[tuple[str, str], str]
    media: Mapping[str, MediaRule] = field(default_factory=dict)

    def ha1(self, username: str, algorithm: str) -> str | None:
        """HA1 of RFC 7616 for ``SHA-256`` or ``MD5``, ``None`` when there is none."""
        return self.secrets.get((username, algorithm.upper()))

    def agent_of(self, username: str) -> str | None:
        """The agent whose phone this is."""
        known = any((username, algorithm) in self.secrets for algorithm in ("SHA-256", "MD5"))
        return username if known else None

    def media_rule(self, agent_id: str) -> MediaRule:
        """What holds for the media of this agent's phones."""
        return self.media.get(agent_id, AS_IT_COMES)


def site_credentials(site: Site) -> SiteCredentials:
    """The digest secrets of every agent that has some."""
    found = {}
    for agent in site.agents:
        for algorithm, ha1 in (("SHA-256", agent.sip_ha1_sha256), ("MD5", agent.sip_ha1_md5)):
            if ha1 is not None:
                found[agent.id, algorithm] = ha1
    return SiteCredentials(found, {agent.id: MediaRule(agent.srtp, agent.keys_without_tls) for agent in site.agents})


def sip_settings(settings: Settings) -> SipSettings:
    """The configuration as the SIP front end knows it. Raises ``ConfigError`` for half a TLS identity."""
    sip = settings.sip
    if (sip.tls_certificate is None) != (sip.tls_key is None):
        raise ConfigError("sip.tls_certificate and sip.tls_key belong together; set both or none")
    tls = None
    if sip.tls_certificate is not None and sip.tls_key is not None:
        tls = TlsSettings(sip.tls_certificate, sip.tls_key, sip.tls_authorities)
    return SipSettings(
        host=sip.host,
        port=sip.port,
        other_hosts=sip.other_hosts,
        advertised_host=sip.advertised_host or "",
        advertised_host6=sip.advertised_host6 or "",
        realm=sip.realm,
        algorithms=sip.digest_algorithms,
        tls=tls,
        tls_port=sip.tls_port,
        ws_port=sip.ws_port,
        wss_port=sip.wss_port,
        max_lag_ms=sip.max_lag_ms,
        watch_phones_ms=round(sip.watch_phones_seconds * 1000),
        trace_socket=settings.sip_trace_socket,
        bindings_file=settings.sip_bindings,
    )


def spoken_prompts(flows: Iterable[Flow]) -> list[PromptText]:
    """Everything the flows can say, in every language."""
    return [
        PromptText(name, language, text)
        for flow in flows
        for name, texts in flow.prompts.items()
        for language, text in texts.items()
    ]


def media_plane(
    media: EmbeddedMediaPlane, section: MediaSection, sink: Callable[[MediaEvent], None]
) -> EmbeddedMediaPlane | RtpenginePlane:
    """The plane with what is configured to stand in front. Raises ``ConfigError`` for half a pair of interfaces."""
    if section.edge == "none":
        return media
    wanted = section.rtpengine
    if bool(wanted.inside) != bool(wanted.outside):
        raise ConfigError("media.rtpengine.inside and media.rtpengine.outside belong together; set both or none")
    return RtpenginePlane(
        media, RtpengineSettings((wanted.host, wanted.port), inside=wanted.inside, outside=wanted.outside), sink
    )


async def _unless_ended(work: Coroutine[None, None, None], ended: "asyncio.Future[None]") -> None:
    """Do ``work``, but not longer than the exchange lives: a routing that died would never answer it."""
    task = asyncio.ensure_future(work)
    await asyncio.wait((task, ended), return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        await ended
    await task


def erasing(journal: SqliteJournal, core: Callable[[], ExchangeCore]) -> Callable[[str], Awaitable[bool]]:
    """How whoever called is forgotten: nobody calls back, what was left is nobody's work, the journal is blanked."""

    async def erase(call_id: str) -> bool:
        core().callbacks.forget(call_id)
        await core().items.forget_person(call_id)
        return await journal.erase(call_id)

    return erase


async def run_exchange(settings: Settings, journal_writers: Writers) -> None:
    """Serve until SIGTERM or SIGINT. Raises ``ConfigError`` or ``JournalError`` when it cannot start."""
    site = load_site(settings.site)
    flows = load_flows(site, settings.site)
    prompts = PromptStore(settings.prompt_cache, settings.speech.recordings, speech_engine(settings.speech))
    await prompts.prepare(
        [
            *spoken_prompts(flows.values()),
            *consent_prompts(site),
            *callback_greetings(site).prompts(),
            *mailbox_prompts(),
            *parking_prompts(),
            *card_prompt_texts(settings.payments.prompts),
        ]
    )
    reader = JournalReader(settings.journal_path)
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(error: BaseException | None = None) -> None:
        if not ended.done():
            if error is not None:
                ended.set_exception(error)
            else:
                ended.set_result(None)

    consequences = Consequences()
    journal = SqliteJournal(settings.journal_path, writers=journal_writers, consequences=consequences, on_failed=end)
    await journal.open()
    floor = new_floor(site)
    recovered = await asyncio.to_thread(recover, reader, floor)
    clock = SystemClock(not_before=recovered.last_at)

    def on_leg_event(event: LegEvent) -> None:
        core.switchboard.on_leg_event(event)

    def on_media_event(event: MediaEvent) -> None:
        core.switchboard.on_media_event(event)

    def on_registration(agent_id: str, registered: bool) -> None:
        core.on_registration(agent_id, registered)

    def on_recording_event(event: RecordingEvent) -> None:
        core.recording_ledger.tell(event)

    def on_seats(agent_ids: tuple[str, ...] | None) -> None:
        core.on_seats(agent_ids)

    media = EmbeddedMediaPlane(
        settings.media_socket,
        on_media_event,
        recording_sink=on_recording_event,
        encryption=EncryptionPolicy(settings.media.encryption),
        once_safe=journal.once_settled,
    )
    plane = media_plane(media, settings.media, on_media_event)
    rules = numbering_rules(site)
    counted = await asyncio.to_thread(resume_caps, rules, reader, clock.now())
    log.info("calls out of today counted", calls=counted)
    payments = payments_of(settings.payments, clock)
    user_agent = UserAgent(
        clock=clock,
        sink=lambda event: phones.router.on_sip_event(event),  # noqa: PLW0108 - made below
        settings=sip_settings(settings),
        directory=site_credentials(site),
        trunks=site_trunks(site.trunks, settings.site),
        secret=installation_key(settings.secret_path),
        phones=lambda agent_id, _: phones.router.on_presence(agent_id),
        queue_depth=floor.waiting,
        do=consequences.do,
        rules=rules,
        leave=lambda agent_id, allowed: core.clearance.may_be_sent_to(agent_id, allowed),  # noqa: PLW0108 - made below
    )
    link = ExchangeLink(
        settings.exchange_socket,
        floor=floor.view,
        journal_seq=lambda: journal.committed_seq,
        desk=lambda: core.desk,
        on_seats=on_seats,
        on_softphone=lambda agent_id, phone_id, said: phones.hear(agent_id, phone_id, said),  # noqa: PLW0108 - made below
        on_detached=lambda: phones.all_leave(),  # noqa: PLW0108 - made below
        erase=erasing(journal, lambda: core),
        write_down=lambda entry: core.write_down(entry),  # noqa: PLW0108 - made below
        patience=Patience(
            settings.store.match_seconds, settings.store.leave_seconds, settings.store.dial_leave_seconds
        ),
    )
    phones = AgentPhones(
        settings,
        site,
        clock=clock,
        sip=user_agent,
        sink=on_leg_event,
        presence=on_registration,
        tell=link.tell_softphone,
    )
    core = ExchangeCore(
        ports=ExchangePorts(clock, journal, phones.router, plane, link, prompts, rules, payments),
        site=site,
        flows=flows,
        music=str(await asyncio.to_thread(music_path, settings.prompt_cache)),
        ringing=str(await asyncio.to_thread(ringing_path, settings.prompt_cache, site.region)),
        beep=str(await asyncio.to_thread(beep_path, settings.prompt_cache)),
        engine=recovered.engine,
        floor=floor,
        recordings=settings.recordings.folder,
        recording_key=settings.recordings.key_file,
        messages=recovered.messages,
        items=recovered.items,
        work=recovered.work,
        identity_key=installation_key(settings.secret_path),
        card_prompts=settings.payments.prompts,
        consequences=consequences,
        on_changes=link.tell_changes,
        on_closed=lambda: link.tell_journal(journal.committed_seq),
        on_fatal=end,
    )
    metrics = MetricsServer(
        Readings(
            sip=user_agent.counters,
            trunk_messages=user_agent.trunk_messages,
            trunks=user_agent.trunk_load,
            lag_ms=lambda: user_agent.lag_ms,
            floor=floor.view,
            journal=lambda: (journal.committed_seq, journal.waiting),
        ),
        media.status,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    await plane.start()
    phones.start()
    await _unless_ended(core.start(recovered.orphans, recovered.callbacks, recovered.plans), ended)
    finding = asyncio.create_task(core.recording_ledger.find_missing(recovered.unfinished), name="lost recordings")
    await link.start()
    await user_agent.start()
    if settings.metrics.listen is not None:
        await metrics.start(*metrics_address(settings.metrics.listen))
    counter = HouseCounter(
        clock, journal, calls=lambda: core.switchboard.in_progress, sip=user_agent.counters, media=media.status
    )
    counting = asyncio.create_task(counter.run(), name="house counter")
    keep_for_good()
    collector = QuietCollector(lambda: journal.committed_seq + journal.waiting)
    collecting = asyncio.create_task(collector.run(), name="collector")
    log.info("exchange ready", pid=os.getpid(), replayed=recovered.inputs_replayed, orphans=len(recovered.orphans))
    try:
        await ended
    finally:
        await metrics.stop()
        for task in (finding, counting, collecting):
            task.cancel()
        await asyncio.gather(finding, counting, collecting, return_exceptions=True)
        await core.stop()
        await phones.stop()
        await user_agent.stop()
        await link.stop()
        await plane.stop()
        await journal.close()
        await prompts.close()
