"""The configuration of an installation: one ``callcenter.toml``, overridden by the environment.

``CALLCENTER_SIP__PORT=5070`` overrides ``port`` in ``[sip]``. Unknown keys are refused with their path. Relative paths
are relative to the configuration file.
"""

import tomllib
from collections.abc import Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from callcenter.errors import ConfigError
from callcenter.payments.fields import CardField
from callcenter.sip.admission import MAX_LAG_MS


class Section(BaseModel):
    """A section of the file: frozen, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SipSection(Section):
    """Where phones and trunks reach us."""

    host: str = "127.0.0.1"
    port: int = Field(default=5060, ge=0, le=65535)
    other_hosts: tuple[str, ...] = ()
    """More addresses to listen on by the same ports, of IPv4 or IPv6."""
    advertised_host: str | None = None
    """Address put into Contact and Via when it differs from ``host``."""
    advertised_host6: str | None = None
    """The same for phones and carriers on IPv6; the first of our own addresses of IPv6 when not set."""
    realm: str = "callcenter"
    digest_algorithms: tuple[Literal["SHA-256", "MD5"], ...] = Field(default=("SHA-256", "MD5"), min_length=1)
    """What phones are asked to log in with, the best first. A few older ones (baresip before 2.0) give up when they see
    any algorithm but MD5: with such phones write ``["MD5"]``."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    """PEM files; with both of them phones and trunks may use TLS. Replaced files are taken up while calls go on."""
    tls_authorities: Path | None = None
    """PEM file: who may sign the certificates of carriers that we call by TLS; those of the system when not set."""
    tls_port: int = Field(default=5061, ge=0, le=65535)
    ws_port: int | None = Field(default=None, ge=0, le=65535)
    """SIP over WebSocket without TLS, for a proxy on this machine that ends TLS."""
    wss_port: int | None = Field(default=None, ge=0, le=65535)
    max_lag_ms: float = Field(default=MAX_LAG_MS, gt=0)
    """New calls get 503 while messages to the exchange wait longer than this."""
    watch_phones_seconds: float = Field(default=4.0, ge=0, le=60)
    """How often a phone reached by UDP is asked whether it lives (OPTIONS) while its agent waits for calls; a dead
    one's agent is paused after that and six seconds at most. 0: never asked."""


class WebSection(Section):
    """Where browsers reach us."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    allowed_origins: tuple[str, ...] = ()
    """Origins, besides the server's own, whose pages may use the console."""


class WebrtcSection(Section):
    """Phones in agents' browsers."""

    enabled: bool = True
    host: str | None = None
    """Address the browsers' port is bound to; that of ``media.host`` when not set."""
    port: int = Field(default=0, ge=0, le=65535)
    """The one UDP port of all browsers; 0 takes any. Behind a firewall set one and open it."""
    addresses: tuple[str, ...] = ()
    """What browsers are told to reach us at when it is not ``host``, the best first: a public address, say."""
    stun_urls: tuple[str, ...] = ()
    turn_urls: tuple[str, ...] = ()
    """Servers for browsers behind strict firewalls, such as ``turns:turn.example.net:443?transport=tcp``."""
    turn_secret_file: Path | None = None
    """File with the secret shared with the TURN server (coturn: ``static-auth-secret``)."""
    turn_secret: SecretStr | None = None
    """The secret itself, meant for the environment (``CALLCENTER_MEDIA__WEBRTC__TURN_SECRET``)."""
    turn_password_hours: float = Field(default=12, gt=0, le=168)
    """How long the passwords are good for that pages are given; a call that is up goes on after that."""


class RtpengineSection(Section):
    """An rtpengine that runs already, for ``media.edge``, configured as in ``sip_configs/rtpengine``."""

    host: str = "127.0.0.1"
    port: int = Field(default=2223, ge=1, le=65535)
    """Its control port (``listen-ng``)."""
    inside: str = ""
    """Names of its interfaces (``interface = NAME/ADDRESS``) towards our media and towards the world, when it has two;
    set both or none."""
    outside: str = ""


class MediaSection(Section):
    """Audio."""

    host: str = "127.0.0.1"
    port_min: int = Field(default=16384, ge=1024, le=65534)
    port_max: int = Field(default=32766, ge=1024, le=65534)
    workers: int = Field(default=1, ge=1, le=64)
    loop: Literal["auto", "compiled", "python"] = "auto"
    """What passes packets on between two phones. ``compiled`` takes half the CPU time and needs the extra ``fast``;
    ``auto`` is that where it can be had, and Python otherwise."""
    encryption: Literal["off", "optional", "required"] = "optional"
    """SRTP with phones and trunks, keys in SDP (RFC 4568): taken where it is offered, or nothing else at all."""
    webrtc: WebrtcSection = WebrtcSection()
    edge: Literal["none", "rtpengine"] = "none"
    """What meets phones and trunks: our own sockets, or an rtpengine in front of them."""
    rtpengine: RtpengineSection = RtpengineSection()

    @model_validator(mode="after")
    def _browsers_speak_ipv4(self) -> "MediaSection":
        if ":" in self.host and self.webrtc.enabled:
            raise ValueError("host: browsers are met by IPv4 only; with an IPv6 host set webrtc.enabled = false")
        return self


class StoreSection(Section):
    """The customer store."""

    url: str | None = None
    """SQLAlchemy URL; by default a SQLite file in the data directory."""
    maintenance_hour: int = Field(default=3, ge=0, le=23)
    """At which hour, by the site's time zone, levels are looked at again and old things let go."""
    match_seconds: float = Field(default=2.0, gt=0, le=30)
    """How long the exchange waits to hear who calls; the greeting plays meanwhile."""
    leave_seconds: float = Field(default=0.5, gt=0, le=30)
    """How long it waits to hear whether somebody may be called back; an agent, or the customer, waits too."""
    dial_leave_seconds: float = Field(default=2.0, gt=0, le=30)
    """How long it waits to hear whether an agent may dial a number."""


class SpeechSection(Section):
    """Prompts."""

    recordings: Path | None = None
    """Folder of the operator's own prompts, ``<language>/<name>.wav``, used instead of the speech engine."""
    piper: Path | None = None
    """The program ``piper``, where it is installed; speaks the languages of ``piper_voices``."""
    piper_voices: dict[str, Path] = {}
    """Language -> voice file (``.onnx``)."""


class RecordingsSection(Section):
    """Recordings of conversations. Which are made is said by the queues of the site."""

    folder: Path | None = None
    """Where they lie; without a folder nothing can be recorded."""
    key_file: Path | None = None
    """Keys to encrypt them with, outside of the folder; made at the first start. Without one they are plain files."""
    keep_days: dict[str, Annotated[int, Field(ge=1)]] = {}
    """How long each retention class is kept; a class that is not named is kept for ever."""
    sweep_hour: int = Field(default=3, ge=0, le=23)
    """Hour of the site's day at which those whose time is over are deleted."""


class TranscriptionSection(Section):
    """Writing down what is said in recordings. Without an engine or a command nothing is."""

    engine: Literal["pocketsphinx"] | None = None
    """The bundled one: English, of moderate quality, the extra ``transcripts``."""
    command: tuple[str, ...] = ()
    """A program of the operator's own and its arguments, see ``callcenter/transcripts/README.md``."""
    seconds_per_minute: float = Field(default=240, gt=0, le=3600)
    """How long it may take for a minute of sound; a minute at least."""
    look_back_days: int = Field(default=7, ge=1, le=3650)
    """How old recordings may be that are still written down."""

    @model_validator(mode="after")
    def _one_of_them(self) -> "TranscriptionSection":
        if self.engine is not None and self.command:
            raise ValueError("engine and command are both set; remove one")
        return self


class PaymentsSection(Section):
    """The site's payment system, which gets the card data that customers type. Without ``url`` none is taken."""

    url: str | None = None
    """``https`` address that is posted to, see ``callcenter/payments/README.md``."""
    secret_file: Path | None = None
    """File with the secret that requests are signed with."""
    secret: SecretStr | None = None
    """The secret itself, meant for the environment (``CALLCENTER_PAYMENTS__SECRET``)."""
    ca_file: Path | None = None
    """Authorities to trust instead of the machine's (PEM)."""
    timeout_seconds: float = Field(default=10, gt=0, le=60)
    prompts: dict[CardField, dict[str, str]] = {}
    """What customers hear who are to type a field: field -> language -> text."""


class MailSection(Section):
    """The mail server that takes our messages. Without ``host`` no e-mail is sent."""

    host: str | None = None
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = ""
    """What customers see, such as ``Quist & Co <service@quist.example>``."""
    user: str = ""
    password_file: Path | None = None
    password: SecretStr | None = None
    """The password itself, meant for the environment (``CALLCENTER_MESSAGES__EMAIL__PASSWORD``)."""

    @model_validator(mode="after")
    def _complete(self) -> "MailSection":
        if self.host is not None and "@" not in parseaddr(self.sender)[1]:
            raise ValueError("host is set; set sender to an address too")
        return self


class SmsSection(Section):
    """The gateway that takes our text messages, as Twilio's does. Without ``url`` none are sent."""

    url: str | None = Field(default=None, pattern=r"^https://|^http://(127\.|localhost[:/])")
    """Where messages are posted to: ``https://api.twilio.com/2010-04-01/Accounts/AC.../Messages.json``."""
    account: str = ""
    sender: str = ""
    """The number customers see."""
    queue: str = ""
    """The queue whose agents get what comes in and is no answer to a survey; the gateway posts it to ``/hooks/sms``."""
    token_file: Path | None = None
    token: SecretStr | None = None
    """The token itself, meant for the environment (``CALLCENTER_MESSAGES__SMS__TOKEN``). It also signs what the gateway
    tells us."""

    @model_validator(mode="after")
    def _complete(self) -> "SmsSection":
        given = self.token is not None or self.token_file is not None
        if self.url is not None and not (self.account and self.sender and self.queue and given):
            raise ValueError("url is set; set account, sender, queue and token_file too")
        return self


class MessagesSection(Section):
    """Messages to customers."""

    public_url: str | None = Field(default=None, pattern=r"^https?://[^/?#]+$")
    """Where customers' browsers reach the web process, such as ``https://contact.quist.example``; links begin so."""
    email: MailSection = MailSection()
    sms: SmsSection = SmsSection()


class MetricsSection(Section):
    """What a monitoring system may read."""

    listen: str | None = Field(default=None, pattern=r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$")
    """Host and port for Prometheus (``GET /metrics``), such as ``127.0.0.1:9464``; without it there is none.

    The numbers are not protected: listen on this machine or on a network of your own.
    """


class LogSection(Section):
    """What is said on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """Everything an installation sets."""

    model_config = SettingsConfigDict(
        env_prefix="CALLCENTER_", env_nested_delimiter="__", extra="forbid", frozen=True, toml_file=None
    )

    data_dir: Path = Path("var")
    site: Path = Path("site.toml")
    """The file with agents, queues, numbers and trunks."""
    sip: SipSection = SipSection()
    web: WebSection = WebSection()
    media: MediaSection = MediaSection()
    store: StoreSection = StoreSection()
    speech: SpeechSection = SpeechSection()
    payments: PaymentsSection = PaymentsSection()
    messages: MessagesSection = MessagesSection()
    recordings: RecordingsSection = RecordingsSection()
    transcription: TranscriptionSection = TranscriptionSection()
    log: LogSection = LogSection()
    metrics: MetricsSection = MetricsSection()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        del settings_cls, dotenv_settings
        return env_settings, init_settings, file_secret_settings

    @property
    def journal_path(self) -> Path:
        """The exchange's write-ahead journal."""
        return self.data_dir / "journal.sqlite"

    @property
    def store_url(self) -> str:
        """The customer store's database."""
        return self.store.url or f"sqlite+aiosqlite:///{self.data_dir / 'store.sqlite'}"

    @property
    def exchange_socket(self) -> Path:
        """Where the exchange listens for the web process."""
        return self.data_dir / "exchange.sock"

    @property
    def media_socket(self) -> Path:
        """Where the media process listens for the exchange."""
        return self.data_dir / "media.sock"

    @property
    def prompt_cache(self) -> Path:
        """Rendered prompts and music."""
        return self.data_dir / "prompts"

    @property
    def sip_trace_socket(self) -> Path:
        """Where `callcenter sip trace` listens."""
        return self.data_dir / "sip_trace.sock"

    @property
    def sip_bindings(self) -> Path:
        """Registered phones, for the next start."""
        return self.data_dir / "sip_bindings.json"

    @property
    def transcribing(self) -> Path:
        """What is in the clear while an engine listens to it; empty otherwise."""
        return self.data_dir / "transcribing"

    @property
    def secret_path(self) -> Path:
        """The key that signs sessions and SIP nonces."""
        return self.data_dir / "secret.key"


def load_settings(path: Path | None, **overrides: Any) -> Settings:
    """Read ``path`` (``None``: defaults and environment only). Raises ``ConfigError`` naming file, key and remedy."""
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror}); name the file with --config") from error
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    try:
        settings = Settings(**{**values, **overrides})
    except ValidationError as error:
        raise ConfigError(explain(path or Path("environment"), error)) from error
    base = path.parent if path is not None else Path()

    def beside(file: Path | None) -> Path | None:
        return None if file is None else (base / file).resolve()

    settings = settings.model_copy(
        update={
            "data_dir": beside(settings.data_dir),
            "site": beside(settings.site),
            "speech": SpeechSection(
                recordings=beside(settings.speech.recordings),
                piper=beside(settings.speech.piper),
                piper_voices={language: base / path for language, path in settings.speech.piper_voices.items()},
            ),
            "recordings": settings.recordings.model_copy(
                update={
                    "folder": beside(settings.recordings.folder),
                    "key_file": beside(settings.recordings.key_file),
                }
            ),
            "payments": settings.payments.model_copy(
                update={
                    "secret_file": beside(settings.payments.secret_file),
                    "ca_file": beside(settings.payments.ca_file),
                }
            ),
            "messages": settings.messages.model_copy(
                update={
                    "email": settings.messages.email.model_copy(
                        update={"password_file": beside(settings.messages.email.password_file)}
                    ),
                    "sms": settings.messages.sms.model_copy(
                        update={"token_file": beside(settings.messages.sms.token_file)}
                    ),
                }
            ),
            "media": settings.media.model_copy(
                update={
                    "webrtc": settings.media.webrtc.model_copy(
                        update={"turn_secret_file": beside(settings.media.webrtc.turn_secret_file)}
                    )
                }
            ),
            "sip": settings.sip.model_copy(
                update={
                    "tls_certificate": beside(settings.sip.tls_certificate),
                    "tls_key": beside(settings.sip.tls_key),
                }
            ),
        }
    )
    if settings.media.port_min >= settings.media.port_max:
        raise ConfigError(f"{path}: media.port_min must be below media.port_max")
    _check_recordings(path, settings.recordings)
    if (settings.transcription.engine or settings.transcription.command) and settings.recordings.folder is None:
        raise ConfigError(f"{path}: transcription is set and recordings.folder is not; set both or remove it")
    _check_turn(path, settings.media.webrtc)
    return settings


def _check_turn(path: Path | None, webrtc: WebrtcSection) -> None:
    given = [each for each in (webrtc.turn_secret_file, webrtc.turn_secret) if each is not None]
    if webrtc.turn_urls and not given:
        raise ConfigError(
            f"{path}: media.webrtc.turn_urls is set; set media.webrtc.turn_secret_file too, or the variable "
            "CALLCENTER_MEDIA__WEBRTC__TURN_SECRET"
        )
    if len(given) > 1:
        raise ConfigError(f"{path}: media.webrtc.turn_secret_file and turn_secret are both set; remove one")


def _check_recordings(path: Path | None, recordings: RecordingsSection) -> None:
    key_file, folder = recordings.key_file, recordings.folder
    if key_file is not None and folder is None:
        raise ConfigError(f"{path}: recordings.key_file is set and recordings.folder is not; set both or remove it")
    if key_file is not None and folder is not None and key_file.is_relative_to(folder):
        raise ConfigError(f"{path}: recordings.key_file lies in recordings.folder: who takes one would have both")


def explain(path: Path, error: ValidationError, values: Any = None) -> str:
    """A validation error in a person's words: one line for each fault, with the key's path. ``values`` are what was
    read: of an entry in a list they tell the id."""
    lines = []
    for fault in error.errors():
        where = ".".join(str(part) for part in fault["loc"])
        what = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            what = "unknown key; remove it or correct its spelling"
        if (name := _named(fault["loc"], values)) is not None:
            what = f"{what} (this is {name!r})"
        lines.append(": ".join(part for part in (str(path), where, what) if part))
    return "\n".join(lines)


def _named(loc: Sequence[str | int], values: Any) -> str | None:
    """The id of the innermost entry of a list on the way: people know their queues by name, not by number."""
    found, here = None, values
    for part in loc:
        try:
            here = here[part]
        except (TypeError, LookupError):
            break
        if isinstance(part, int) and isinstance(here, dict) and isinstance(here.get("id"), str):
            found = here["id"]
    return found
