"""Agents' phones put together: SIP and browsers behind one ``Signalling``, as an installation's settings say."""

from collections.abc import Callable

from agent_console.softphone import FromSoftphone, ToSoftphone
from callcenter.calls.legs import LegEvent
from callcenter.config import Settings, WebrtcSection
from callcenter.errors import ConfigError
from callcenter.media.mediad.browsers_line import browsers_socket
from callcenter.media.webrtc.edge import BrowserEdge
from callcenter.media.webrtc.servers import IceServers
from callcenter.media.wideband import has_opus
from callcenter.phones.router import PhoneKind, PhoneRouter
from callcenter.phones.softphones import Softphones
from callcenter.ports import Clock, Signalling
from callcenter.site.models import Site


def ice_servers(section: WebrtcSection) -> IceServers:
    """The servers pages are told of. Raises ``ConfigError`` when the secret cannot be read."""
    if not section.turn_urls:
        return IceServers(section.stun_urls)
    seconds = 3600 * section.turn_password_hours
    return IceServers(section.stun_urls, section.turn_urls, _secret(section), seconds)


def _secret(section: WebrtcSection) -> bytes:
    if section.turn_secret is not None:
        secret = section.turn_secret.get_secret_value().encode()
    elif section.turn_secret_file is not None:
        try:
            secret = section.turn_secret_file.read_bytes().strip()
        except OSError as error:
            raise ConfigError(
                f"media.webrtc.turn_secret_file: {section.turn_secret_file} cannot be read ({error.strerror})"
            ) from error
    else:
        raise ConfigError("media.webrtc.turn_urls is set; set media.webrtc.turn_secret_file too")
    if not secret:
        raise ConfigError("media.webrtc: the secret shared with the TURN server is empty")
    return secret


class AgentPhones:
    """``router`` is the exchange's ``Signalling``. ``presence`` hears who becomes reachable or ceases to be."""

    def __init__(
        self,
        settings: Settings,
        site: Site,
        *,
        clock: Clock,
        sip: Signalling,
        sink: Callable[[LegEvent], None],
        presence: Callable[[str, bool], None],
        tell: Callable[[str, str, ToSoftphone], None],
    ) -> None:
        self._enabled = settings.media.webrtc.enabled
        self._edge = BrowserEdge(
            browsers_socket(str(settings.media_socket)),
            on_event=lambda event: self._softphones.on_edge_event(event),  # noqa: PLW0108 - made below
            on_return=lambda alive: self._softphones.on_edge_return(alive),  # noqa: PLW0108 - made below
        )
        self._softphones = Softphones(
            clock=clock,
            edge=self._edge,
            sink=lambda event: self.router.on_browser_event(event),  # noqa: PLW0108 - made below
            presence=lambda agent_id, _: self.router.on_presence(agent_id),
            tell=tell,
            servers=ice_servers(settings.media.webrtc),
            opus=settings.media.edge == "none" and has_opus(),
        )
        self.router = PhoneRouter(
            sip=sip,
            browsers=self._softphones,
            kinds={agent.id: PhoneKind(agent.phone) for agent in site.agents},
            sink=sink,
            presence=presence,
        )

    def start(self) -> None:
        """Connect to the media edge, now and whenever it is back."""
        if self._enabled:
            self._edge.start()

    async def stop(self) -> None:
        """End the browsers' legs."""
        await self._softphones.stop()
        await self._edge.stop()

    def hear(self, agent_id: str, phone_id: str, frame: FromSoftphone) -> None:
        """A page's phone said this; without media for browsers nobody listens."""
        if self._enabled:
            self._softphones.hear(agent_id, phone_id, frame)

    def all_leave(self) -> None:
        """The web process went away."""
        self._softphones.all_leave()
